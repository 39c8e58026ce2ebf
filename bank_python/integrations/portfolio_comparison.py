"""One portfolio, by us and by every library that is there and can make it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import MissingExtraError, ModelError
from bank_python.integrations.comparison import cpu_seconds
from bank_python.integrations.peer_optimizer import chosen_on
from bank_python.integrations.portfolio_goal import portfolio_goal
from bank_python.integrations.pyportfolioopt import PyPortfolioOptimizer
from bank_python.integrations.quantlib_portfolio import QuantLibOptimizer
from bank_python.integrations.riskfolio import RiskfolioOptimizer
from bank_python.optimizer.factory import create_optimizer

if TYPE_CHECKING:
    from bank_python.integrations.peer_optimizer import PeerOptimizer
    from bank_python.integrations.portfolio_goal import PortfolioGoal
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["PEER_OPTIMIZERS", "PortfolioComparison", "PortfolioRow", "compare"]

PEER_OPTIMIZERS: tuple[type[PeerOptimizer], ...] = (PyPortfolioOptimizer, RiskfolioOptimizer, QuantLibOptimizer)
"""The libraries that are looked for; a new one is one name here."""

_OURS = "bank-python"


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioRow:
    """A portfolio by one library.

    Parameters
    ----------
    library, version : str
        Whose it is; ours is ``bank-python``.
    portfolio : OptimalPortfolio
        With its certificate.
    objective : float, optional
        Computed from the weights by the same formula for all; to be small. ``None`` for a rule without one.
    gap : float, optional
        How much worse the objective is than that of our certified optimum, relative. Below 0 would mean that ours is
        no optimum, unless these weights break a constraint by as much.
    largest_difference : float
        Of a weight from ours.
    breach : float
        The largest violation of a bound, of the sum, or of the target return.
    seconds : float
        CPU time from the data to the weights: the median of some runs.
    """

    library: str
    version: str
    portfolio: OptimalPortfolio
    objective: float | None
    gap: float | None
    largest_difference: float
    breach: float
    seconds: float

    @property
    def weights(self) -> FloatArray:
        """The weights, shape (n_assets,)."""
        return self.portfolio.weights


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioComparison:
    """One portfolio by all that can make it; from :func:`compare`.

    Parameters
    ----------
    kind : str
        What was asked for.
    objective_name : str
        What the objective is; empty for a rule without one.
    rows : tuple of PortfolioRow
        Ours first.
    without : tuple of (str, str)
        The libraries that are not in it, each with the reason.
    """

    kind: str
    objective_name: str
    rows: tuple[PortfolioRow, ...]
    without: tuple[tuple[str, str], ...]

    @property
    def ours(self) -> PortfolioRow:
        """Our row."""
        return self.rows[0]

    def to_table(self) -> Table:
        """Return a row for each library; ``None`` where a rule has no objective."""
        from bank_python.mntable import Table

        rows = [
            {
                "library": row.library,
                "version": row.version,
                "objective": row.objective,
                "gap": row.gap,
                "kkt_residual": row.portfolio.certificate.kkt_residual,
                "largest_difference": row.largest_difference,
                "breach": row.breach,
                "seconds": row.seconds,
            }
            for row in self.rows
        ]
        may_lack = [("objective", float | None), ("gap", float | None)]
        figures = [(name, float) for name in ("kkt_residual", "largest_difference", "breach", "seconds")]
        return Table.from_rows([("library", str), ("version", str), *may_lack, *figures], rows)

    def __rich__(self) -> object:
        from bank_python.render_portfolio import portfolio_comparison_view

        return portfolio_comparison_view(self)


def compare(kind: str, cov_data: CovarianceData, **params: Any) -> PortfolioComparison:
    """Return one portfolio by us and by every installed library that can make it.

    For a fair measurement of time run ``benchmarks/optimizer.py``: here threads are not held to one, and turns are not
    shuffled.

    Parameters
    ----------
    kind : str
        A kind that some library can: ``min_variance``, ``mean_variance``, ``max_sharpe``, ``risk_parity``, ``hrp``,
        ``min_cvar`` or ``black_litterman``.
    cov_data : CovarianceData
        The assets; no cash.
    **params
        As for :func:`~bank_python.optimizer.create_optimizer`; of the constraints only ``bounds``.

    Raises
    ------
    ModelError
        No library knows the kind; the message lists those that one does. And whatever our own optimiser refuses.

    Examples
    --------
    >>> from bank_python.optimizer.covariance_data import CovarianceData
    >>> data = CovarianceData(tickers=["BND", "SPY"], covariance=[[0.0025, 0.0], [0.0, 0.0075]])
    >>> compared = compare("min_variance", data)
    >>> compared.ours.library, round(compared.ours.objective, 6)
    ('bank-python', 0.001875)
    >>> all(row.gap > -1e-12 for row in compared.rows)
    True
    """
    known = tuple(dict.fromkeys(name for peer in PEER_OPTIMIZERS for name in peer.takes))
    if kind not in known:
        raise ModelError(f"no library beside ours makes {kind!r}; they make {', '.join(known)}", name=kind)
    optimizer = create_optimizer(kind, cov_data, **params)
    goal = portfolio_goal(kind, chosen_on(optimizer, cov_data), params)
    best = optimizer.optimize()
    seconds = cpu_seconds(lambda: create_optimizer(kind, cov_data, **params).optimize(), 1)
    rows = [_row((_OURS, version(_OURS)), best, best, goal, seconds)]
    without: list[tuple[str, str]] = []
    for peer in PEER_OPTIMIZERS:
        try:
            theirs = peer(kind, cov_data, **params)
            found = theirs.certified(theirs.weights(), best)
        except (MissingExtraError, ModelError) as error:
            without.append((peer.library, str(error)))
        else:
            rows.append(_row((peer.library, peer.version()), found, best, goal, cpu_seconds(theirs.weights, 1)))
    return PortfolioComparison(kind, goal.name, tuple(rows), tuple(without))


def _row(
    who: tuple[str, str], found: OptimalPortfolio, best: OptimalPortfolio, goal: PortfolioGoal, seconds: float
) -> PortfolioRow:
    return PortfolioRow(
        library=who[0],
        version=who[1],
        portfolio=found,
        objective=goal.objective(found.weights),
        gap=goal.gap(found.weights, best.weights),
        largest_difference=float(np.abs(found.weights - best.weights).max()),
        breach=goal.breach(found.weights),
        seconds=seconds,
    )

"""Comparison of one portfolio by bank_python and by every installed library that supports its kind."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.display import Record
from bank_python.errors import MissingExtraError, ModelError
from bank_python.guessing import guessable
from bank_python.integrations.comparison import cpu_seconds
from bank_python.integrations.peer_optimizer import effective_data
from bank_python.integrations.portfolio_goal import portfolio_goal
from bank_python.integrations.pyportfolioopt import PyPortfolioOptimizer
from bank_python.integrations.quantlib_portfolio import QuantLibOptimizer
from bank_python.integrations.riskfolio import RiskfolioOptimizer
from bank_python.optimizer.factory import create_optimizer
from bank_python.results import Tabular

if TYPE_CHECKING:
    from bank_python.integrations.peer_optimizer import PeerOptimizer
    from bank_python.integrations.portfolio_goal import PortfolioGoal
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["PEER_OPTIMIZERS", "PortfolioComparison", "PortfolioRow", "compare"]

PEER_OPTIMIZERS: tuple[type[PeerOptimizer], ...] = (PyPortfolioOptimizer, RiskfolioOptimizer, QuantLibOptimizer)
"""Peer optimisers that :func:`compare` tries; to add a library, add its class here."""

_OURS = "bank-python"


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioRow(Record):
    """The portfolio of one library, with its differences from ours.

    Parameters
    ----------
    library, version : str
        Name and version of the library; the name of ours is ``bank-python``.
    portfolio : OptimalPortfolio
        The library's portfolio with its certificate.
    objective : float, optional
        Objective to be minimised, computed from the weights by the same formula for all libraries. ``None`` for a rule
        without an objective.
    gap : float, optional
        Relative excess of the objective over that of our certified optimum. A negative gap would mean that ours is not
        optimal, unless these weights violate a constraint by as much.
    largest_difference : float
        Largest absolute difference of a weight from ours.
    breach : float
        Largest violation of a bound, of the sum of weights, or of the target return.
    seconds : float
        Median CPU time in seconds from the data to the weights.
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
        """Weights of the portfolio, shape (n_assets,)."""
        return self.portfolio.weights


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PortfolioComparison(Tabular):
    """Portfolios of one kind by all libraries that support it; result of :func:`compare`.

    Parameters
    ----------
    kind : str
        Kind of portfolio, such as ``"min_variance"``.
    objective_name : str
        Name of the objective; an empty string for a rule without one.
    rows : tuple of PortfolioRow
        Portfolio of each library, ours first.
    without : tuple of (str, str)
        Libraries that are missing from the comparison, each with the reason.
    """

    kind: str
    objective_name: str
    rows: tuple[PortfolioRow, ...]
    without: tuple[tuple[str, str], ...]

    @property
    def ours(self) -> PortfolioRow:
        """Row of bank_python."""
        return self.rows[0]

    def to_table(self) -> Table:
        """Return a table with a row for each library; objective and gap are ``None`` for a rule without objective."""
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
        optional = [("objective", float | None), ("gap", float | None)]
        figures = [(name, float) for name in ("kkt_residual", "largest_difference", "breach", "seconds")]
        return Table.from_rows([("library", str), ("version", str), *optional, *figures], rows)

    def __rich__(self) -> object:
        from bank_python.render_portfolio import portfolio_comparison_view

        return portfolio_comparison_view(self)


@guessable
def compare(kind: str, cov_data: CovarianceData, **params: Any) -> PortfolioComparison:
    """Compute a portfolio with bank_python and with every installed library that supports its kind.

    For a fair comparison of times run ``benchmarks/optimizer.py``: this function neither limits the number of threads
    nor shuffles the order of the libraries.

    Parameters
    ----------
    kind : str
        Kind of portfolio that some library supports: ``min_variance``, ``mean_variance``, ``max_sharpe``,
        ``risk_parity``, ``hrp``, ``min_cvar`` or ``black_litterman``.
    cov_data : CovarianceData
        Covariance and expected returns of the assets, without cash.
    **params
        Parameters of :func:`~bank_python.optimizer.create_optimizer`; ``bounds`` is the only constraint supported.

    Raises
    ------
    ModelError
        If no library supports the kind; the message lists the kinds that are supported. Also for any input that our own
        optimiser rejects.

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
        raise ModelError(f"no other library supports {kind!r}; they support {', '.join(known)}", name=kind)
    optimizer = create_optimizer(kind, cov_data, **params)
    goal = portfolio_goal(kind, effective_data(optimizer, cov_data), params)
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
    library: tuple[str, str], found: OptimalPortfolio, best: OptimalPortfolio, goal: PortfolioGoal, seconds: float
) -> PortfolioRow:
    return PortfolioRow(
        library=library[0],
        version=library[1],
        portfolio=found,
        objective=goal.objective(found.weights),
        gap=goal.gap(found.weights, best.weights),
        largest_difference=float(np.abs(found.weights - best.weights).max()),
        breach=goal.breach(found.weights),
        seconds=seconds,
    )

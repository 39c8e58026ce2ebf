"""The frontier of expected return and expected shortfall: at each return, the portfolio of the least CVaR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import MissingExtraError, ModelError
from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.efficient_path import most_reward
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.min_cvar import MinCvarOptimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["CvarFrontier", "cvar_frontier"]

_FEWEST = 2
_INSIDE = 1e-9  # of the most that can be earned: the last target is not above it by rounding


@dataclass(frozen=True, slots=True, eq=False)
class CvarFrontier:
    """Portfolios from the least expected shortfall to the highest return; made by :func:`cvar_frontier`.

    Parameters
    ----------
    confidence : float
        Of the shortfall.
    portfolios : tuple of OptimalPortfolio
        In ascending order of expected return; each tells its ``figures["cvar"]``. One only, where all that is allowed
        is expected to earn the same.
    """

    confidence: float
    portfolios: tuple[OptimalPortfolio, ...]

    @property
    def expected_returns(self) -> FloatArray:
        """A year's, shape (count,)."""
        return np.array([held.expected_return for held in self.portfolios])

    @property
    def cvars(self) -> FloatArray:
        """Losses of one period, shape (count,)."""
        return np.array([held.figures["cvar"] for held in self.portfolios])

    def to_table(self) -> Table:
        """Return a row for each portfolio: return, CVaR, volatility and the weights."""
        from bank_python.mntable import Table

        tickers = self.portfolios[0].tickers
        rows = [
            {
                "expected_return": held.expected_return,
                "cvar": held.figures["cvar"],
                "volatility": held.volatility,
                **held.by_ticker(),
            }
            for held in self.portfolios
        ]
        names = ("expected_return", "cvar", "volatility", *tickers)
        return Table.from_rows([(name, float) for name in names], rows)

    def plot(self, path: str | PathLike[str]) -> None:
        """Draw the frontier into a file (PNG, SVG or PDF, by the name's end).

        Raises
        ------
        MissingExtraError
            matplotlib is not installed (extra ``plot``).
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtraError(f"a plot needs matplotlib: {how_to_install('plot')}", extra="plot") from error
        figure = Figure(figsize=(8.0, 5.0), layout="constrained")
        axes = figure.subplots()
        axes.plot(self.cvars, self.expected_returns, marker="o", markersize=3)
        axes.set(xlabel=f"CVaR {100.0 * self.confidence:g}%, one period", ylabel="expected return, a year")
        figure.savefig(path)

    def __rich__(self) -> object:
        from bank_python.render_portfolio import cvar_frontier_view

        return cvar_frontier_view(self)


def cvar_frontier(
    cov_data: CovarianceData,
    constraints: Constraints | None = None,
    *,
    confidence: float = 0.95,
    count: int = 20,
    risk_free_rate: float = RISK_FREE_RATE,
    progress: Callable[[int, int], None] | None = None,
) -> CvarFrontier:
    """Trace the frontier, evenly spaced in return.

    Parameters
    ----------
    cov_data : CovarianceData
        With past returns and expected ones.
    constraints : Constraints, optional
        What is allowed.
    confidence : float, default 0.95
        In (0, 1).
    count : int, default 20
        Portfolios, at least two.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's.
    progress : callable, optional
        Told how many portfolios are done, and of how many.

    Raises
    ------
    ModelError
        Fewer than two portfolios, or whatever :class:`MinCvarOptimizer` refuses.
    """
    if not isinstance(count, int) or count < _FEWEST:  # type: ignore[redundant-expr]  # untyped callers
        raise ModelError(f"count={count!r}; give two portfolios or more", value=count)

    def least(target: float | None) -> OptimalPortfolio:
        return MinCvarOptimizer(
            cov_data, constraints, confidence=confidence, target_return=target, risk_free_rate=risk_free_rate
        ).optimize()

    found = [least(None)]
    allowed = FeasibleSet.of(cov_data.tickers, Constraints.checked(constraints))
    most = most_reward(cov_data, allowed, cov_data.means_for("a frontier"))
    last = most - _INSIDE * abs(most)
    targets = np.linspace(found[0].expected_return, last, count)[1:] if last > found[0].expected_return else np.empty(0)
    for number, target in enumerate(targets.tolist(), start=2):
        found.append(least(target))
        if progress is not None:
            progress(number, count)
    return CvarFrontier(confidence, tuple(found))

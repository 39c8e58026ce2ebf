"""Frontier of expected return and expected shortfall: the portfolio with the least CVaR for each return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.efficient_path import largest_reward
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.min_cvar import MinCvarOptimizer
from bank_python.plotting import Plotted, percent
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["CvarFrontier", "cvar_frontier"]

_FEWEST = 2
_INSIDE = 1e-9  # relative distance of the last target from the highest return, to stay feasible under rounding


@guessable
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CvarFrontier(Plotted, Tabular):
    """Portfolios from the least expected shortfall to the highest return; result of :func:`cvar_frontier`.

    Parameters
    ----------
    confidence : float
        Confidence level of the expected shortfall, in (0, 1).
    portfolios : tuple of OptimalPortfolio
        Portfolios in ascending order of expected return, each with its CVaR as ``figures["cvar"]``. A single portfolio
        if all feasible portfolios have the same expected return.
    """

    confidence: float
    portfolios: tuple[OptimalPortfolio, ...]

    @property
    def expected_returns(self) -> FloatArray:
        """Expected returns per year, shape (count,)."""
        return np.array([each.expected_return for each in self.portfolios])

    @property
    def cvars(self) -> FloatArray:
        """Expected shortfalls of one period, positive for a loss, shape (count,)."""
        return np.array([each.figures["cvar"] for each in self.portfolios])

    def to_table(self) -> Table:
        """Return a table with a row for each portfolio: expected return, CVaR, volatility and weights."""
        from bank_python.mntable import Table

        tickers = self.portfolios[0].tickers
        rows = [
            {
                "expected_return": each.expected_return,
                "cvar": each.figures["cvar"],
                "volatility": each.volatility,
                **each.by_ticker(),
            }
            for each in self.portfolios
        ]
        names = ("expected_return", "cvar", "volatility", *tickers)
        return Table.from_rows([(name, float) for name in names], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the frontier."""
        axes.plot(self.cvars, self.expected_returns, marker="o", markersize=3)
        axes.set(xlabel=f"CVaR {100.0 * self.confidence:g}%, one period", ylabel="expected return per year")
        axes.set_title("Mean–CVaR frontier")
        percent(axes.xaxis)
        percent(axes.yaxis)

    def __rich__(self) -> object:
        from bank_python.render_portfolio import cvar_frontier_view

        return cvar_frontier_view(self)


@guessable
def cvar_frontier(
    cov_data: CovarianceData,
    constraints: Constraints | None = None,
    *,
    confidence: float = 0.95,
    count: int = 20,
    risk_free_rate: float = RISK_FREE_RATE,
    progress: Callable[[int, int], None] | None = None,
) -> CvarFrontier:
    """Compute the frontier of expected return and expected shortfall, evenly spaced in return.

    Parameters
    ----------
    cov_data : CovarianceData
        Past and expected returns of the assets.
    constraints : Constraints, optional
        Constraints on the weights; fully invested and long only if omitted.
    confidence : float, default 0.95
        Confidence level of the expected shortfall, in (0, 1).
    count : int, default 20
        Number of portfolios, at least two.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratios, per year, as a decimal.
    progress : callable, optional
        Function called after each portfolio with the number of finished portfolios and `count`.

    Raises
    ------
    ModelError
        If `count` is below two, and for any input that :class:`MinCvarOptimizer` rejects.
    """
    if not isinstance(count, int) or count < _FEWEST:  # type: ignore[redundant-expr]  # untyped callers
        raise ModelError(f"count={count!r}; give a whole number of portfolios, at least 2", value=count)

    def least(target: float | None) -> OptimalPortfolio:
        return MinCvarOptimizer(
            cov_data, constraints, confidence=confidence, target_return=target, risk_free_rate=risk_free_rate
        ).optimize()

    found = [least(None)]
    allowed = FeasibleSet.of(cov_data.tickers, Constraints.checked(constraints))
    most = largest_reward(cov_data, allowed, cov_data.means_for("a frontier"))
    last = most - _INSIDE * abs(most)
    targets = np.linspace(found[0].expected_return, last, count)[1:] if last > found[0].expected_return else np.empty(0)
    for number, target in enumerate(targets.tolist(), start=2):
        found.append(least(target))
        if progress is not None:
            progress(number, count)
    return CvarFrontier(confidence, tuple(found))

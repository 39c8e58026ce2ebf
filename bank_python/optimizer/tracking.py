r"""A basket that follows a benchmark, and does not cost much to hold.

.. math:: \min_w\ \frac{m}{n} \sum_t (r_t^\top w - y_t)^2 + \kappa\, c^\top w

with m periods a year: the mean square of the active return a year, and a rate a year for what each asset costs to hold
(fees, funding), times a weight.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import CalibrationError, ModelError
from bank_python.optimizer.minimum import minimise
from bank_python.optimizer.named import by_asset
from bank_python.optimizer.optimizer import Optimizer
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["TrackingOptimizer"]


class TrackingOptimizer(Optimizer):
    """A basket that follows a benchmark.

    The result tells ``tracking_error`` (the root of the mean square active return a year), ``correlation`` with the
    benchmark and ``holding_cost`` (a year's).

    Parameters
    ----------
    cov_data : CovarianceData
        With past returns.
    constraints : Constraints, optional
        What is allowed; caps are bounds.
    benchmark : array_like, shape (n_obs,)
        The benchmark's returns of the same periods; finite.
    holding_cost : mapping of str to float, optional
        What each asset costs to hold, a rate a year; below 0 for what it pays.
    cost_weight : float, default 1
        How much the cost counts beside the mean square active return, at least 0.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's.

    Raises
    ------
    CalibrationError
        There are no past returns, or the benchmark does not fit them.
    ModelError
        A cost is no asset's or not finite, or the weight is out of range.
    """

    kind: ClassVar[str] = "tracking"

    def __init__(
        self,
        cov_data: CovarianceData,
        constraints: Constraints | None = None,
        *,
        benchmark: ArrayLike,
        holding_cost: Mapping[str, float] | None = None,
        cost_weight: float = 1.0,
        risk_free_rate: float = RISK_FREE_RATE,
    ) -> None:
        super().__init__(cov_data, constraints, risk_free_rate=risk_free_rate)
        self._returns = cov_data.returns_for(self.kind)
        self._benchmark = _fitting(benchmark, len(self._returns))
        self._cost = by_asset(cov_data.tickers, holding_cost, "holding_cost")
        if not 0.0 <= cost_weight < math.inf:
            raise ModelError(f"cost_weight={cost_weight!r}; give a number from 0 on", value=cost_weight)
        self._weight = cost_weight

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio."""
        past, target = self._returns, self._benchmark
        scale = 2.0 * self._data.periods_per_year / len(past)
        curved = scale * (past.T @ past)
        found = minimise(
            self._allowed,
            curved,
            self._weight * self._cost - scale * (target @ past),
            definite=_is_definite(curved),
        )
        followed = past @ found.weights
        off = math.sqrt(0.5 * scale * float(((followed - target) ** 2).sum()))
        return self._told(
            found,
            tracking_error=off,
            correlation=_correlation(followed, target),
            holding_cost=float(self._cost @ found.weights),
        )


def _fitting(benchmark: ArrayLike, periods: int) -> FloatArray:
    given = np.array(benchmark, dtype=np.float64)
    if given.shape != (periods,):
        raise CalibrationError(f"a benchmark of shape {given.shape} for {periods} periods; give one return for each")
    gaps = np.flatnonzero(~np.isfinite(given))
    if len(gaps):
        raise CalibrationError(f"the benchmark's return in row {gaps[0]} is {given[gaps[0]]}; drop that period")
    if np.ptp(given) == 0.0:
        raise CalibrationError(f"the benchmark never moves: every return is {given[0]:g}", value=float(given[0]))
    return given


def _correlation(first: FloatArray, second: FloatArray) -> float:
    """Return the correlation of two series; NaN where the first never moves."""
    one, other = first - first.mean(), second - second.mean()
    size = float(one @ one) * float(other @ other)
    return float(one @ other) / math.sqrt(size) if size > 0.0 else math.nan


def _is_definite(matrix: FloatArray) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True

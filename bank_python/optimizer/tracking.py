r"""Index tracking: a portfolio that follows a benchmark at a low cost of holding.

.. math:: \min_w\ \frac{m}{n} \sum_t (r_t^\top w - y_t)^2 + \kappa\, c^\top w

with n past periods, m of them per year, returns r of the assets and y of the benchmark: the mean square of the active
return per year plus κ times the holding costs c per year (fees, funding).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import CalibrationError, ModelError
from bank_python.guessing import guessable
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


@guessable
class TrackingOptimizer(Optimizer):
    """Optimiser of a portfolio that tracks a benchmark.

    The ``figures`` of the result are ``tracking_error`` (the root mean square of the active return, per year),
    ``correlation`` with the benchmark and ``holding_cost`` (per year).

    Parameters
    ----------
    cov_data : CovarianceData
        Past returns of the assets.
    constraints : Constraints, optional
        Constraints on the weights; fully invested and long only if omitted. Caps are given as upper bounds.
    benchmark : array_like, shape (n_obs,)
        Returns of the benchmark in the same periods; finite.
    holding_cost : mapping of str to float, optional
        Cost of holding each asset per year and unit of weight, as a decimal; negative for an income.
    cost_weight : float, default 1
        Weight κ of the holding cost relative to the mean square active return, at least 0.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratio, per year, as a decimal.

    Raises
    ------
    CalibrationError
        If there are no past returns, or the benchmark has another number of periods.
    ModelError
        If a cost is not finite or has an unknown ticker, or the weight is out of range.
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
            raise ModelError(f"cost_weight={cost_weight!r}; give a number of at least 0", value=cost_weight)
        self._weight = cost_weight

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio."""
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
        return self._result(
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
        raise CalibrationError(
            f"the returns of the benchmark are constant, {given[0]:g}; give a benchmark that varies",
            value=float(given[0]),
        )
    return given


def _correlation(first: FloatArray, second: FloatArray) -> float:
    """Return the correlation of two series; NaN if the first is constant."""
    one, other = first - first.mean(), second - second.mean()
    size = float(one @ one) * float(other @ other)
    return float(one @ other) / math.sqrt(size) if size > 0.0 else math.nan


def _is_definite(matrix: FloatArray) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True

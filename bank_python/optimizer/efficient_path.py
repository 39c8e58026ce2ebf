r"""Efficient portfolios as a function of the weight of reward in the objective, and searches along this path.

.. math:: w(s) = \arg\min_w\ \tfrac12 w^\top \Sigma w - s\,e(w), \qquad e(w) = r^\top w - \sum_i c_i |w_i - w_i^0|

As the scale s increases from 0 to infinity, risk and reward increase. Between two changes of the active constraints w
is linear in s, so :math:`e = e_a + s\,e_b` and the variance is :math:`v = v_a + s^2 e_b`, and the position of the
desired portfolio on such a segment has a closed form. The search jumps from any point to this position and ends when it
arrives on the segment from which it started; a bracket ensures convergence.

The portfolio with the largest ratio of e - r_f to the standard deviation satisfies :math:`s = v / (e - r_f)`; the
portfolio with a given variance satisfies v equal to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, MatrixError, ModelError
from bank_python.numerics.tolerances import EXACT, LAST_DIGITS, NINE_DIGITS
from bank_python.optimizer.groups import LinearLimit
from bank_python.optimizer.minimum import minimise

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.feasible import FeasibleSet
    from bank_python.optimizer.minimum import Minimum

__all__ = ["EfficientPath", "largest_reward", "subject_to_return"]

_MOST = 200  # portfolios in a search, which usually ends after about ten
_FAR = 1e6  # in units of the scale at which reward and risk are balanced: the portfolio with the largest reward
_GROWTH = 16.0  # factor of the scale in a step without an upper bracket
_FLAT = 1e-10  # relative to the variance: a path with a smaller increase of reward counts as ended


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """A portfolio of the path, and the coefficients of reward and variance on its segment."""

    scale: float
    found: Minimum
    reward_at: float
    reward_slope: float
    variance_at: float

    @property
    def reward(self) -> float:
        return self.reward_at + self.scale * self.reward_slope

    @property
    def variance(self) -> float:
        return self.variance_at + self.scale**2 * self.reward_slope


class EfficientPath:
    """Efficient portfolios of a feasible set for a linear reward.

    Parameters
    ----------
    data : CovarianceData
        Covariance of the assets.
    allowed : FeasibleSet
        Set of the feasible portfolios.
    reward : ndarray, shape (n_assets,)
        Reward per unit of weight of each asset, such as its expected return per year.
    """

    def __init__(self, data: CovarianceData, allowed: FeasibleSet, reward: FloatArray) -> None:
        self._data, self._sigma = data, data.covariance
        self._allowed, self._reward = allowed, reward
        # The sum of the weights is fixed, so a constant in the rewards has no effect; centring them saves digits.
        self._above = reward - 0.5 * (reward.max() + reward.min())
        self._systems = 0
        size = float(np.abs(self._above).max()) or float(np.abs(reward).max()) or 1.0
        self._unit = float(np.diag(data.covariance).mean()) / size

    def best_ratio(self, floor: float) -> Minimum:
        """Return the portfolio with the largest ratio of the reward above `floor` to the standard deviation.

        Raises
        ------
        InfeasibleError
            If no feasible portfolio has a reward above the floor, one has such a reward without risk, the ratio is
            unbounded, or the constraints contradict each other.
        """

        def aim(segment: _Segment) -> tuple[float, float]:
            above = segment.reward_at - floor
            overshoot = segment.scale * (segment.reward - floor) - segment.variance
            return overshoot, segment.variance_at / above if above > 0.0 else math.inf

        self._require_risk(floor)
        segment = self._search(aim)
        if segment.reward <= floor:
            raise InfeasibleError(
                f"no allowed portfolio earns more than {floor:g}: the most is {segment.reward:.6g} a year; "
                "lower the risk-free rate, or use min_variance",
                value=segment.reward,
            )
        overshoot, _ = aim(segment)
        off = 0.0 if self._is_end(segment) else abs(overshoot) / segment.variance
        if off > NINE_DIGITS and np.isfinite([self._allowed.lower, self._allowed.upper]).all():
            raise ModelError(
                f"the largest ratio was found only with a relative error of {off:.1g}; check the data for figures of "
                "very different sizes"
            )
        if off > NINE_DIGITS:
            raise InfeasibleError(
                "the ratio increases without limit with the size of short positions; give finite bounds, or leverage="
            )
        return _with_residual(segment, off)

    def of_risk(self, volatility: float) -> Minimum:
        """Return the portfolio with the largest reward and at most the given standard deviation.

        Raises
        ------
        InfeasibleError
            If every feasible portfolio has more risk.
        """
        target = volatility**2

        def aim(segment: _Segment) -> tuple[float, float]:
            room = target - segment.variance_at
            steep = segment.reward_slope
            return segment.variance - target, math.sqrt(room / steep) if room > 0.0 and steep > 0.0 else math.inf

        segment = self._search(aim)
        if segment.variance > target * (1.0 + 1e-9):  # the portfolio of least risk
            least = math.sqrt(segment.variance)
            raise InfeasibleError(
                f"target_risk={volatility:g} is below the least risk of an allowed portfolio, {least:.6g}; raise it",
                value=least,
            )
        overshoot, _ = aim(segment)
        return _with_residual(segment, 0.0 if self._is_end(segment) else abs(overshoot) / target)

    def end(self) -> Minimum:
        """Return the portfolio with the largest reward after trading costs."""
        return self._at(_FAR * self._unit, None).found

    def _require_risk(self, floor: float) -> None:
        """Check that no riskless portfolio earns more than the floor, as the ratio would then be unbounded."""
        if not self._data.riskless:
            return
        least = self._at(self._unit / _FAR, None)
        widest = float(np.diag(self._sigma).max())
        room = NINE_DIGITS * max(float(np.abs(self._reward).max()), abs(floor))
        if least.variance_at <= LAST_DIGITS * widest and least.reward_at > floor + room:
            raise InfeasibleError(
                f"a portfolio without risk earns {least.reward_at:.6g} a year, more than the risk-free rate {floor:g}: "
                "the ratio is unbounded; use that rate, or give cash an upper bound",
                value=least.reward_at,
            )

    def _is_end(self, segment: _Segment) -> bool:
        """Whether a segment is the last one: the portfolio with the largest reward."""
        return segment.reward_slope == 0.0 and segment.scale >= _FAR * self._unit

    def _search(self, aim: Callable[[_Segment], tuple[float, float]]) -> _Segment:
        """Search for the portfolio at which `aim`, which returns an overshoot and the next scale, has no overshoot."""
        low, high = 0.0, math.inf
        scale, start = self._unit, None
        for _ in range(_MOST):
            segment = self._at(scale, start)
            overshoot, aimed = aim(segment)
            if abs(overshoot) <= EXACT * max(segment.variance, abs(segment.scale * segment.reward)):
                return segment
            low, high = (scale, high) if overshoot < 0.0 else (low, scale)
            aimed = _within(aimed, low, high, self._unit)
            if aimed > _FAR * self._unit:
                return self._at(_FAR * self._unit, segment.found.weights)
            if high < math.inf and (high - low <= EXACT * high or high < self._unit / _FAR):
                return segment
            scale, start = aimed, segment.found.weights
        raise ModelError(f"no portfolio was found in {_MOST} steps; check the data for figures of very different sizes")

    def _at(self, scale: float, start: FloatArray | None) -> _Segment:
        found = minimise(
            self._allowed,
            self._sigma,
            -scale * self._above,
            cost_scale=scale,
            start=start,
            definite=not self._data.riskless,
        )
        self._systems += found.certificate.iterations + 1
        found = replace(found, certificate=replace(found.certificate, iterations=self._systems))
        slope = float((self._above - found.marginal_cost) @ found.slope(self._above))
        reward = float(self._reward @ found.weights) - self._allowed.paid(found.weights)
        variance = float(found.weights @ self._sigma @ found.weights)
        slope = slope if scale**2 * slope > _FLAT * variance else 0.0
        return _Segment(scale, found, reward - scale * slope, slope, variance - scale**2 * slope)


def largest_reward(data: CovarianceData, allowed: FeasibleSet, reward: FloatArray) -> float:
    """Return the largest reward of a feasible portfolio before trading costs."""
    return float(reward @ EfficientPath(data, allowed.without_costs(), reward).end().weights)


def subject_to_return(
    data: CovarianceData, allowed: FeasibleSet, least: float, find: Callable[[FeasibleSet], Minimum]
) -> Minimum:
    """Return the optimum among the portfolios with at least a target expected return.

    Parameters
    ----------
    data : CovarianceData
        Covariance and expected returns of the assets.
    allowed : FeasibleSet
        Set of the feasible portfolios.
    least : float
        Target return per year before trading costs, as a decimal.
    find : callable
        Function from a feasible set to its optimum.

    Raises
    ------
    InfeasibleError
        If no portfolio reaches the target; the message contains the highest return.
    """
    means = data.means_for("target_return")
    try:
        return find(allowed.plus(LinearLimit("return", means, lower=least)))
    except (InfeasibleError, MatrixError) as error:
        most = largest_reward(data, allowed, means)
        if least <= most:
            raise
        raise InfeasibleError(
            f"target_return={least:g} is out of reach: the highest return of an allowed portfolio is {most:.6g} a year",
            value=most,
        ) from error


def _with_residual(segment: _Segment, off: float) -> Minimum:
    """Return the portfolio, with the error of the search included in the residual of its certificate."""
    proof = segment.found.certificate
    return replace(segment.found, certificate=replace(proof, kkt_residual=max(proof.kkt_residual, off)))


def _within(aimed: float, low: float, high: float, unit: float) -> float:
    """Return the next scale: `aimed` if it is inside of the bracket, otherwise a step that keeps or narrows it."""
    if low < aimed < high:
        return min(aimed, max(low, unit) * _GROWTH**2) if high == math.inf else aimed
    if high == math.inf:
        return max(low, unit) * _GROWTH
    return math.sqrt(low * high) if low > 0.0 else high / _GROWTH

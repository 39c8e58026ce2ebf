r"""The portfolios of most reward for their risk, by how much reward counts, and the one on them that is wanted.

.. math:: w(s) = \arg\min_w\ \tfrac12 w^\top \Sigma w - s\,e(w), \qquad e(w) = r^\top w - \sum_i c_i |w_i - w_i^0|

As s goes from 0 to infinity, risk and reward rise. Between two changes of the active constraints w is linear in s, so
:math:`e = e_a + s\,e_b` and the variance is :math:`v = v_a + s^2 e_b`: where on that segment the wanted portfolio lies
is known in closed form. From any point the search goes there at once, and is done when it lands on the segment that it
came from; a bracket keeps it from going astray.

The portfolio of the largest ratio of e - r_f to the standard deviation is where :math:`s = v / (e - r_f)`; that of a
given variance where v is it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, ModelError
from bank_python.optimizer.minimum import minimise

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.feasible import FeasibleSet
    from bank_python.optimizer.minimum import Minimum

__all__ = ["EfficientPath"]

_MOST = 200
_FAR = 1e6
_GROWTH = 16.0
_ROUNDING = 1e-13
_FLAT = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """A point of the path, and the segment it lies on."""

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
    """The portfolios of most reward for their risk.

    Parameters
    ----------
    data : CovarianceData
        The assets.
    allowed : FeasibleSet
        The portfolios to choose from.
    reward : ndarray, shape (n_assets,)
        Of a unit of each weight.
    """

    def __init__(self, data: CovarianceData, allowed: FeasibleSet, reward: FloatArray) -> None:
        self._sigma, self._definite = data.covariance, not data.riskless
        self._allowed, self._reward = allowed, reward
        self._systems = 0
        size = float(np.abs(reward).max())
        self._unit = float(np.diag(data.covariance).mean()) / size if size > 0.0 else 1.0

    def best_ratio(self, floor: float) -> Minimum:
        """Return the portfolio with the largest ratio of reward above a floor to standard deviation.

        Raises
        ------
        InfeasibleError
            No allowed portfolio has a reward above the floor, or nothing is allowed at all.
        """

        def aim(segment: _Segment) -> tuple[float, float]:
            above = segment.reward_at - floor
            ahead = segment.scale * (segment.reward - floor) - segment.variance
            return ahead, segment.variance_at / above if above > 0.0 else math.inf

        segment = self._search(aim)
        if segment.reward <= floor:
            raise InfeasibleError(
                f"no allowed portfolio earns more than {floor:g}: the most is {segment.reward:.6g} a year; "
                "lower the risk-free rate, or look at min_variance",
                value=segment.reward,
            )
        off = abs(segment.scale * (segment.reward - floor) - segment.variance) / segment.variance
        proof = segment.found.certificate
        return replace(segment.found, certificate=replace(proof, kkt_residual=max(proof.kkt_residual, off)))

    def of_risk(self, volatility: float) -> Minimum:
        """Return the portfolio of most reward whose standard deviation is at most a given one.

        Raises
        ------
        InfeasibleError
            Every allowed portfolio has more risk.
        """
        target = volatility**2

        def aim(segment: _Segment) -> tuple[float, float]:
            room = target - segment.variance_at
            steep = segment.reward_slope
            return segment.variance - target, math.sqrt(room / steep) if room > 0.0 and steep > 0.0 else math.inf

        segment = self._search(aim)
        if segment.variance > target * (1.0 + 1e-9):  # the least of all lies above
            least = math.sqrt(segment.variance)
            raise InfeasibleError(
                f"target_risk={volatility:g} is below the least risk that is allowed, {least:.6g}", value=least
            )
        return segment.found

    def most_reward(self) -> float:
        """Return the largest reward of an allowed portfolio, less the cost of coming to it."""
        return self._at(_FAR * self._unit, None).reward

    def _search(self, aim: Callable[[_Segment], tuple[float, float]]) -> _Segment:
        """Follow an aim, which tells how far one has gone too far and where to go, until it is met."""
        low, high = 0.0, math.inf
        scale, start = self._unit, None
        for _ in range(_MOST):
            segment = self._at(scale, start)
            ahead, aimed = aim(segment)
            if abs(ahead) <= _ROUNDING * max(segment.variance, abs(segment.scale * segment.reward)):
                return segment
            low, high = (scale, high) if ahead < 0.0 else (low, scale)
            aimed = _within(aimed, low, high, self._unit)
            if aimed > _FAR * self._unit:
                return self._at(_FAR * self._unit, segment.found.weights)
            if high < math.inf and (high - low <= _ROUNDING * high or high < self._unit / _FAR):
                return segment
            scale, start = aimed, segment.found.weights
        raise ModelError(f"no portfolio was found in {_MOST} steps; are figures of very different sizes mixed?")

    def _at(self, scale: float, start: FloatArray | None) -> _Segment:
        found = minimise(
            self._allowed,
            self._sigma,
            -scale * self._reward,
            cost_scale=scale,
            start=start,
            definite=self._definite,
        )
        self._systems += found.certificate.iterations + 1
        found = replace(found, certificate=replace(found.certificate, iterations=self._systems))
        slope = float((self._reward - found.pull) @ found.slope(self._reward))
        reward = float(self._reward @ found.weights) - self._allowed.paid(found.weights)
        variance = float(found.weights @ self._sigma @ found.weights)
        slope = slope if scale**2 * slope > _FLAT * variance else 0.0
        return _Segment(scale, found, reward - scale * slope, slope, variance - scale**2 * slope)


def _within(aimed: float, low: float, high: float, unit: float) -> float:
    """Return where to look next: where the aim points if that is inside the bracket."""
    if low < aimed < high:
        return min(aimed, max(low, unit) * _GROWTH**2) if high == math.inf else aimed
    if high == math.inf:
        return max(low, unit) * _GROWTH
    return math.sqrt(low * high) if low > 0.0 else high / _GROWTH

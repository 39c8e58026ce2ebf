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

__all__ = ["EfficientPath", "earning", "most_reward"]

_MOST = 200  # portfolios; a search ends on its segment after some ten
_FAR = 1e6  # of the scale at which reward and risk count alike: the portfolio of most reward
_GROWTH = 16.0  # of the scale in a step without a bracket
_FLAT = 1e-10  # of the variance: a path whose reward rises by less has come to rest


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
        self._data, self._sigma = data, data.covariance
        self._allowed, self._reward = allowed, reward
        # The sum of the weights is given, so rewards count from the middle of them: small differences are not lost.
        self._above = reward - 0.5 * (reward.max() + reward.min())
        self._systems = 0
        size = float(np.abs(self._above).max()) or float(np.abs(reward).max()) or 1.0
        self._unit = float(np.diag(data.covariance).mean()) / size

    def best_ratio(self, floor: float) -> Minimum:
        """Return the portfolio with the largest ratio of reward above a floor to standard deviation.

        Raises
        ------
        InfeasibleError
            No allowed portfolio has a reward above the floor, one has it without risk, the ratio rises without end, or
            nothing is allowed at all.
        """

        def aim(segment: _Segment) -> tuple[float, float]:
            above = segment.reward_at - floor
            ahead = segment.scale * (segment.reward - floor) - segment.variance
            return ahead, segment.variance_at / above if above > 0.0 else math.inf

        self._require_risk(floor)
        segment = self._search(aim)
        if segment.reward <= floor:
            raise InfeasibleError(
                f"no allowed portfolio earns more than {floor:g}: the most is {segment.reward:.6g} a year; "
                "lower the risk-free rate, or look at min_variance",
                value=segment.reward,
            )
        ahead, _ = aim(segment)
        off = 0.0 if self._is_end(segment) else abs(ahead) / segment.variance
        if off > NINE_DIGITS and np.isfinite([self._allowed.lower, self._allowed.upper]).all():
            raise ModelError(f"the largest ratio was met to {off:.1g} only; are figures of very different sizes mixed?")
        if off > NINE_DIGITS:
            raise InfeasibleError(
                "the ratio rises without end, the further the more is sold short; give finite bounds, or a leverage"
            )
        return _proven(segment, off)

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
        ahead, _ = aim(segment)
        return _proven(segment, 0.0 if self._is_end(segment) else abs(ahead) / target)

    def end(self) -> Minimum:
        """Return the portfolio of the largest reward, after the cost of coming to it."""
        return self._at(_FAR * self._unit, None).found

    def _require_risk(self, floor: float) -> None:
        """Refuse a portfolio without risk that earns more than the floor: beside it no ratio is the largest."""
        if not self._data.riskless:
            return
        least = self._at(self._unit / _FAR, None)
        widest = float(np.diag(self._sigma).max())
        room = NINE_DIGITS * max(float(np.abs(self._reward).max()), abs(floor))
        if least.variance_at <= LAST_DIGITS * widest and least.reward_at > floor + room:
            raise InfeasibleError(
                f"a portfolio without risk earns {least.reward_at:.6g} a year, more than the risk-free rate {floor:g}: "
                "no ratio is the largest; give that rate, or a bound to cash",
                value=least.reward_at,
            )

    def _is_end(self, segment: _Segment) -> bool:
        """Whether a segment is the last: the portfolio of most reward."""
        return segment.reward_slope == 0.0 and segment.scale >= _FAR * self._unit

    def _search(self, aim: Callable[[_Segment], tuple[float, float]]) -> _Segment:
        """Follow an aim, which tells how far one has gone too far and where to go, until it is met."""
        low, high = 0.0, math.inf
        scale, start = self._unit, None
        for _ in range(_MOST):
            segment = self._at(scale, start)
            ahead, aimed = aim(segment)
            if abs(ahead) <= EXACT * max(segment.variance, abs(segment.scale * segment.reward)):
                return segment
            low, high = (scale, high) if ahead < 0.0 else (low, scale)
            aimed = _within(aimed, low, high, self._unit)
            if aimed > _FAR * self._unit:
                return self._at(_FAR * self._unit, segment.found.weights)
            if high < math.inf and (high - low <= EXACT * high or high < self._unit / _FAR):
                return segment
            scale, start = aimed, segment.found.weights
        raise ModelError(f"no portfolio was found in {_MOST} steps; are figures of very different sizes mixed?")

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
        slope = float((self._above - found.pull) @ found.slope(self._above))
        reward = float(self._reward @ found.weights) - self._allowed.paid(found.weights)
        variance = float(found.weights @ self._sigma @ found.weights)
        slope = slope if scale**2 * slope > _FLAT * variance else 0.0
        return _Segment(scale, found, reward - scale * slope, slope, variance - scale**2 * slope)


def most_reward(data: CovarianceData, allowed: FeasibleSet, reward: FloatArray) -> float:
    """Return the largest reward of an allowed portfolio, before the cost of coming to it."""
    return float(reward @ EfficientPath(data, allowed.without_costs(), reward).end().weights)


def earning(
    data: CovarianceData, allowed: FeasibleSet, least: float, find: Callable[[FeasibleSet], Minimum]
) -> Minimum:
    """Return what is found among the portfolios that are expected to earn at least so much a year.

    Parameters
    ----------
    data : CovarianceData
        With expected returns.
    allowed : FeasibleSet
        The portfolios to choose from.
    least : float
        A return a year, before costs.
    find : callable
        From a feasible set to what is wanted of it.

    Raises
    ------
    InfeasibleError
        None of them earns so much; the message says what can be earned.
    """
    means = data.means_for("target_return")
    try:
        return find(allowed.plus(LinearLimit("return", means, lower=least)))
    except (InfeasibleError, MatrixError) as error:
        most = most_reward(data, allowed, means)
        if least <= most:
            raise
        raise InfeasibleError(
            f"target_return={least:g} is out of reach: the most that is allowed is {most:.6g} a year", value=most
        ) from error


def _proven(segment: _Segment, off: float) -> Minimum:
    """Return the portfolio; how far the aim was missed counts as a condition of the optimum."""
    proof = segment.found.certificate
    return replace(segment.found, certificate=replace(proof, kkt_residual=max(proof.kkt_residual, off)))


def _within(aimed: float, low: float, high: float, unit: float) -> float:
    """Return where to look next: where the aim points if that is inside the bracket."""
    if low < aimed < high:
        return min(aimed, max(low, unit) * _GROWTH**2) if high == math.inf else aimed
    if high == math.inf:
        return max(low, unit) * _GROWTH
    return math.sqrt(low * high) if low > 0.0 else high / _GROWTH

"""Positions on a piecewise parabolic frontier: of a return, of a variance, or of the largest Sharpe ratio.

A position is the index of a turning point and a fraction of the segment to the next one; beyond the last turning point
of an unbounded path, a multiple of a ray of length 1. For the formulas see :mod:`bank_python.optimizer.frontier`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, ModelError
from bank_python.numerics.tolerances import LAST_DIGITS

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from bank_python.numerics import CriticalLine, FloatArray
    from bank_python.optimizer.feasible import FeasibleSet

__all__ = ["FrontierPath"]


@dataclass(frozen=True, slots=True, eq=False)
class FrontierPath:
    """A frontier as a sequence of parabolas; built by :meth:`of`.

    Parameters
    ----------
    line : CriticalLine
        Turning points of the frontier.
    returns, variances : ndarray, shape (n_points,)
        Expected returns after trading costs, and variances, of the turning points, per year.
    steps : ndarray, shape (n_points, n_assets)
        Changes of the weights from each turning point to the next, and along the ray beyond the last.
    gains, lengths : ndarray, shape (n_points,)
        Increases of return and of scale over each step.
    rising : ndarray of int
        Indices of the steps over which the return increases.
    """

    line: CriticalLine
    returns: FloatArray
    variances: FloatArray
    steps: FloatArray
    gains: FloatArray
    lengths: FloatArray
    rising: NDArray[np.intp]

    @classmethod
    def of(cls, line: CriticalLine, covariance: FloatArray, means: FloatArray, allowed: FeasibleSet) -> Self:
        """Return the frontier of a path of turning points."""
        points, ray = line.points, line.direction
        returns = points @ means
        gain = float(ray @ means)
        if allowed.charges:
            paid = np.array([allowed.paid(point) for point in points])
            returns, gain = returns - paid, gain - allowed.paid(points[-1] + ray) + float(paid[-1])
        variances = np.einsum("ij,ij->i", points @ covariance, points)
        noise = LAST_DIGITS * float(np.abs(returns).max())
        gains = np.append(np.diff(returns), gain)
        return cls(
            line=line,
            returns=returns,
            variances=np.where(variances <= LAST_DIGITS**2 * variances.max(), 0.0, variances),
            steps=np.vstack([np.diff(points, axis=0), ray]),
            gains=gains,
            lengths=np.append(np.diff(line.scales), 1.0),
            rising=np.flatnonzero(gains > np.append(np.full(len(points) - 1, noise), 0.0)),
        )

    @property
    def volatilities(self) -> FloatArray:
        """Volatilities of the turning points, per year, shape (n_points,)."""
        return np.asarray(np.sqrt(np.maximum(self.variances, 0.0)))

    def turns(self) -> NDArray[np.intp]:
        """Return the indices of the turning points at which the weights differ from the previous one."""
        moved = np.abs(self.steps[:-1]).max(axis=1, initial=0.0) > LAST_DIGITS
        return np.flatnonzero(np.append(True, moved))

    def weights(self, i: int, share: float) -> FloatArray:
        """Return the weights at a position."""
        return np.asarray(self.line.points[i] + share * self.steps[i])

    def scale(self, i: int, share: float) -> float:
        """Return the weight of reward in the objective at a position."""
        return float(self.line.scales[i] + share * self.lengths[i])

    def along(self, at: NDArray[np.intp], share: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the weights, returns and variances at several positions."""
        rise = share * self.gains[at]
        variance = self.variances[at] + rise * (2.0 * self.line.scales[at] + share * self.lengths[at])
        return self.line.points[at] + share[:, None] * self.steps[at], self.returns[at] + rise, variance

    def of_return(self, wanted: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
        """Return the positions with given returns."""
        if not len(self.rising):
            return np.zeros(len(wanted), dtype=np.intp), np.zeros(len(wanted))
        at = self._segment(self.returns, wanted)
        share = np.maximum((wanted - self.returns[at]) / self.gains[at], 0.0)
        return at, np.where(at + 1 < len(self.line.scales), np.minimum(share, 1.0), share)

    def of_variance(self, wanted: float) -> tuple[int, float]:
        """Return the position with a given variance."""
        if not len(self.rising):
            return 0, 0.0
        i = int(self._segment(self.variances, np.array([wanted]))[0])
        slope = float(self.line.scales[i])
        more = max(wanted - float(self.variances[i]), 0.0) / float(self.gains[i])
        root = math.sqrt(slope**2 + float(self.lengths[i]) * more)
        return i, self._within(i, more / (slope + root) if more > 0.0 else 0.0)

    def of_scale(self, scale: float) -> tuple[int, float]:
        """Return the position at which reward has a given weight in the objective."""
        i = int(np.searchsorted(self.line.scales, scale, side="right")) - 1
        return i, (scale - float(self.line.scales[i])) / float(self.lengths[i])

    def of_sharpe(self, rate: float, riskless: str) -> tuple[int, float]:
        """Return the position with V = (R - r) s, up to which the Sharpe ratio increases along the frontier.

        Raises
        ------
        InfeasibleError
            If no portfolio earns more than the rate, or the ratio is unbounded.
        ModelError
            If a portfolio without risk, called `riskless` in the message, earns more than the rate.
        """
        is_ray, scales = self.line.is_ray, self.line.scales
        self._require_reward(rate, riskless)
        ahead = self.variances - (self.returns - rate) * scales
        behind = np.flatnonzero(ahead < -LAST_DIGITS * self.variances)
        i = int(behind[0]) - 1 if len(behind) else len(scales) - 1
        slope = float(self.gains[i] / self.lengths[i])
        start = float(scales[i])
        below = float(self.returns[i]) - rate - slope * start
        if below <= 0.0:
            raise InfeasibleError(
                f"the Sharpe ratio at risk_free_rate={rate:g} is unbounded along the frontier; give finite bounds"
            )
        scale = (float(self.variances[i]) - slope * start**2) / below
        if not (len(behind) or is_ray):
            return i, 0.0
        return i, self._within(i, max((scale - start) / float(self.lengths[i]), 0.0))

    def _require_reward(self, rate: float, riskless: str) -> None:
        most, least = float(self.returns[-1]), float(self.returns[0])
        if not self.line.is_ray and most <= rate:
            raise InfeasibleError(
                f"no portfolio earns more than risk_free_rate={rate:g}: the most is {most:.6g} a year; lower the rate",
                value=most,
            )
        if self.variances[0] <= 0.0 and least > rate:
            raise ModelError(
                f"{riskless} earns {least:g} without risk, more than risk_free_rate={rate:g}: the ratio is unbounded; "
                f"give risk_free_rate={least:g}",
                value=least,
            )

    def _segment(self, figures: FloatArray, wanted: FloatArray) -> NDArray[np.intp]:
        """Return the segments on which a quantity that increases along the frontier takes given values."""
        found = np.searchsorted(figures[self.rising], wanted, side="right") - 1
        return np.asarray(self.rising[np.maximum(found, 0)])

    def _within(self, i: int, share: float) -> float:
        return min(share, 1.0) if i + 1 < len(self.line.scales) else share

r"""The efficient path under any constraints: its turning points, found from single portfolios.

As reward counts more, from s = 0 on, the efficient portfolio w(s) moves on a chain of straight lines
(:mod:`bank_python.optimizer.efficient_path`). Every solution tells the line that it is on: where it is, and how it
moves. Two neighbouring lines meet at the turning point between them. So from two solutions the path between them
follows by division: where their lines meet, a third portfolio is found; if it is there, that is the turning point, and
if not it lies on a line between the two, and both halves are divided in turn. With k turning points that takes some 2 k
solutions, and no knowledge of the constraints but what the solver has.

Where bounds alone limit the weights, :mod:`bank_python.numerics.critical_line` finds the same path for less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics import CriticalLine
from bank_python.optimizer.minimum import minimise
from bank_python.optimizer.tolerances import AT_REST, SAME_PORTFOLIO

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.certificate import Certificate
    from bank_python.optimizer.feasible import FeasibleSet
    from bank_python.optimizer.minimum import Minimum

__all__ = ["PathTracer"]

_FAR = 1e6  # of the scale at which reward and risk count alike: nothing turns behind
_NARROW = 1e-9  # of the scale: two turning points that are nearer are one
_MOST = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A portfolio of the path, and the line it is on."""

    scale: float
    weights: FloatArray
    slope: FloatArray
    residual: float

    def at(self, scale: float) -> FloatArray:
        """Return the line's portfolio at another scale."""
        return np.asarray(self.weights + (scale - self.scale) * self.slope)


class PathTracer:
    """Follows the efficient path of a feasible set.

    Parameters
    ----------
    allowed : FeasibleSet
        The portfolios to choose from.
    covariance : ndarray, shape (n_assets, n_assets)
        Positive definite.
    reward : ndarray, shape (n_assets,)
        Of a unit of each weight.
    """

    def __init__(self, allowed: FeasibleSet, covariance: FloatArray, reward: FloatArray) -> None:
        self._allowed, self._sigma = allowed, covariance
        # The sum of the weights is given, so rewards count from the middle of them: small differences are not lost.
        self._above = reward - 0.5 * (reward.max() + reward.min())
        size = float(np.abs(self._above).max()) or float(np.abs(reward).max()) or 1.0
        self._unit = float(np.diag(covariance).mean()) / size

    def trace(self) -> CriticalLine:
        """Return the path; it has no multipliers.

        Raises
        ------
        InfeasibleError
            Nothing satisfies the constraints.
        ModelError
            It turns more often than can be followed.
        """
        first, last = self._line(self._unit / _FAR), self._line(self._unit * _FAR)
        turns, residual = self._between(first, last)
        scales = np.array([0.0, *(scale for scale, _ in turns)])
        points = np.array([first.at(0.0), *(weights for _, weights in turns)])
        for array in (scales, points, last.slope):
            array.setflags(write=False)
        return CriticalLine(scales, points, np.zeros((len(scales), 0)), last.slope, residual, 0.0)

    def certificate(self, weights: FloatArray, scale: float) -> Certificate:
        """Return the proof of the program whose solution weights are; how far they are from it counts too."""
        found = self._solved(scale, weights)
        off = float(np.abs(found.weights - weights).max()) / max(1.0, float(np.abs(weights).max()))
        return replace(found.certificate, kkt_residual=max(found.certificate.kkt_residual, off))

    def _between(self, first: _Line, last: _Line) -> tuple[list[tuple[float, FloatArray]], float]:
        """Return the turning points between two lines in ascending order, and the largest residual met."""
        turns: list[tuple[float, FloatArray]] = []
        residual, ahead = max(first.residual, last.residual), [(first, last)]
        for _ in range(_MOST):
            if not ahead:
                return turns, residual
            low, high = ahead.pop()
            width = max(1.0, float(np.abs(low.weights).max()), float(np.abs(high.weights).max()))
            if float(np.abs(low.at(high.scale) - high.weights).max()) <= SAME_PORTFOLIO * width:
                continue  # one line
            if high.scale - low.scale <= _NARROW * high.scale:
                turns.append((high.scale, high.weights))
                continue
            scale, is_met = _meeting(low, high, SAME_PORTFOLIO * width)
            middle = self._line(scale, low.at(scale))
            residual = max(residual, middle.residual)
            if is_met and float(np.abs(middle.weights - low.at(scale)).max()) <= SAME_PORTFOLIO * width:
                turns.append((scale, middle.weights))
            else:
                ahead += [(middle, high), (low, middle)]  # the lower half is next
        raise ModelError(
            f"the efficient path still turns after {len(turns)} points; are figures of very different sizes mixed?"
        )

    def _line(self, scale: float, near: FloatArray | None = None) -> _Line:
        found = self._solved(scale, near)
        slope = found.slope(self._above)
        size = max(1.0, float(np.abs(found.weights).max()))
        slope = slope if self._unit * float(np.abs(slope).max()) > AT_REST * size else np.zeros_like(slope)
        return _Line(scale, found.weights, slope, found.certificate.kkt_residual)

    def _solved(self, scale: float, near: FloatArray | None) -> Minimum:
        allowed = self._allowed if scale > 0.0 else self._allowed.without_costs()
        return minimise(allowed, self._sigma, -scale * self._above, cost_scale=scale or 1.0, start=near)


def _meeting(low: _Line, high: _Line, room: float) -> tuple[float, bool]:
    """Return where two lines come nearest inside of the interval, and whether they meet there; else the middle."""
    apart, turning = low.at(0.0) - high.at(0.0), low.slope - high.slope
    size = float(turning @ turning)
    scale = -float(apart @ turning) / size if size > 0.0 else np.inf
    share = (scale - low.scale) / (high.scale - low.scale)
    if _NARROW < share < 1.0 - _NARROW and float(np.abs(low.at(scale) - high.at(scale)).max()) <= room:
        return scale, True
    wide = high.scale > 4.0 * low.scale
    return (float(np.sqrt(low.scale * high.scale)) if wide else 0.5 * (low.scale + high.scale)), False

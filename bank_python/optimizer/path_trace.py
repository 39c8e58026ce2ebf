r"""The efficient frontier under any constraints: its turning points, computed from single portfolios.

As the weight s of reward in the objective increases from 0, the efficient portfolio w(s) is piecewise linear in s
(:mod:`bank_python.optimizer.efficient_path`). Every solution gives the line on which it lies: its position and its
derivative. Two adjacent lines intersect at the turning point between them. The path between two solutions is found by
divide and conquer: a third portfolio is computed at the intersection of their lines; if it lies there, the intersection
is the turning point, and otherwise it lies on a line between the two, and both halves are treated in the same way. For
k turning points this takes about 2 k solutions and no information on the constraints other than the solver's.

If bounds are the only constraints, :mod:`bank_python.numerics.critical_line` computes the same path at less cost.
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

_FAR = 1e6  # in units of the scale at which reward and risk are balanced: no turning point is beyond
_NARROW = 1e-9  # relative distance in scale below which two turning points are the same
_MOST = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A portfolio of the path, and the derivative of the weights with respect to the scale."""

    scale: float
    weights: FloatArray
    slope: FloatArray
    residual: float

    def at(self, scale: float) -> FloatArray:
        """Return the weights of the line at another scale."""
        return np.asarray(self.weights + (scale - self.scale) * self.slope)


class PathTracer:
    """Computation of the efficient path of a feasible set.

    Parameters
    ----------
    allowed : FeasibleSet
        Set of the feasible portfolios.
    covariance : ndarray, shape (n_assets, n_assets)
        Positive definite covariance matrix.
    reward : ndarray, shape (n_assets,)
        Reward per unit of weight of each asset, such as its expected return per year.
    """

    def __init__(self, allowed: FeasibleSet, covariance: FloatArray, reward: FloatArray) -> None:
        self._allowed, self._sigma = allowed, covariance
        # The sum of the weights is fixed, so a constant in the rewards has no effect; centring them saves digits.
        self._above = reward - 0.5 * (reward.max() + reward.min())
        size = float(np.abs(self._above).max()) or float(np.abs(reward).max()) or 1.0
        self._unit = float(np.diag(covariance).mean()) / size

    def trace(self) -> CriticalLine:
        """Return the path, without multipliers.

        Raises
        ------
        InfeasibleError
            If no portfolio satisfies the constraints.
        ModelError
            If the path has too many turning points.
        """
        first, last = self._line(self._unit / _FAR), self._line(self._unit * _FAR)
        turns, residual = self._between(first, last)
        scales = np.array([0.0, *(scale for scale, _ in turns)])
        points = np.array([first.at(0.0), *(weights for _, weights in turns)])
        for array in (scales, points, last.slope):
            array.setflags(write=False)
        return CriticalLine(scales, points, np.zeros((len(scales), 0)), last.slope, residual, 0.0)

    def certificate(self, weights: FloatArray, scale: float) -> Certificate:
        """Return the certificate of weights at a scale; its residual includes their distance from the solution."""
        found = self._solve(scale, weights)
        off = float(np.abs(found.weights - weights).max()) / max(1.0, float(np.abs(weights).max()))
        return replace(found.certificate, kkt_residual=max(found.certificate.kkt_residual, off))

    def _between(self, first: _Line, last: _Line) -> tuple[list[tuple[float, FloatArray]], float]:
        """Return the turning points between two lines in ascending order, and the largest residual of a solution."""
        turns: list[tuple[float, FloatArray]] = []
        residual, pending = max(first.residual, last.residual), [(first, last)]
        for _ in range(_MOST):
            if not pending:
                return turns, residual
            low, high = pending.pop()
            width = max(1.0, float(np.abs(low.weights).max()), float(np.abs(high.weights).max()))
            if float(np.abs(low.at(high.scale) - high.weights).max()) <= SAME_PORTFOLIO * width:
                continue  # no turning point between them
            if high.scale - low.scale <= _NARROW * high.scale:
                turns.append((high.scale, high.weights))
                continue
            scale, is_met = _intersection(low, high, SAME_PORTFOLIO * width)
            middle = self._line(scale, low.at(scale))
            residual = max(residual, middle.residual)
            if is_met and float(np.abs(middle.weights - low.at(scale)).max()) <= SAME_PORTFOLIO * width:
                turns.append((scale, middle.weights))
            else:
                pending += [(middle, high), (low, middle)]  # the lower half is next
        raise ModelError(
            f"the efficient path has more than {len(turns)} turning points; check the data for figures of very "
            "different sizes"
        )

    def _line(self, scale: float, near: FloatArray | None = None) -> _Line:
        found = self._solve(scale, near)
        slope = found.slope(self._above)
        size = max(1.0, float(np.abs(found.weights).max()))
        slope = slope if self._unit * float(np.abs(slope).max()) > AT_REST * size else np.zeros_like(slope)
        return _Line(scale, found.weights, slope, found.certificate.kkt_residual)

    def _solve(self, scale: float, near: FloatArray | None) -> Minimum:
        allowed = self._allowed if scale > 0.0 else self._allowed.without_costs()
        return minimise(allowed, self._sigma, -scale * self._above, cost_scale=scale or 1.0, start=near)


def _intersection(low: _Line, high: _Line, tolerance: float) -> tuple[float, bool]:
    """Return the scale at which two lines intersect, and True; or the middle of the interval, and False."""
    apart, turning = low.at(0.0) - high.at(0.0), low.slope - high.slope
    size = float(turning @ turning)
    scale = -float(apart @ turning) / size if size > 0.0 else np.inf
    share = (scale - low.scale) / (high.scale - low.scale)
    if _NARROW < share < 1.0 - _NARROW and float(np.abs(low.at(scale) - high.at(scale)).max()) <= tolerance:
        return scale, True
    wide = high.scale > 4.0 * low.scale
    return (float(np.sqrt(low.scale * high.scale)) if wide else 0.5 * (low.scale + high.scale)), False

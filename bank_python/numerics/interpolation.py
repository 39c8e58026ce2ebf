r"""Interpolation through points: straight lines, straight lines in logarithms, monotone cubics.

Straight lines are local and never overshoot. Lines in the logarithm keep positive what is positive: discount factors,
survival probabilities. A monotone cubic is smooth and still rises only where the points rise: its slopes at the points
are held to three times the smaller slope of the two segments beside, and to 0 where these differ in sign.

Examples
--------
>>> x, y = [0.0, 1.0, 2.0, 4.0], [1.0, 2.0, 2.0, 5.0]
>>> Linear(x, y)([0.5, 3.0]), LogLinear(x, y)([0.5]).round(4), MonotoneCubic(x, y)([1.5, 3.0])
(array([1.5, 3.5]), array([1.4142]), array([2.   , 2.875]))

References
----------
F. N. Fritsch and R. E. Carlson, "Monotone piecewise cubic interpolation", SIAM Journal on Numerical Analysis 17 (1980),
238-246.

J. M. Hyman, "Accurate monotonicity preserving cubic interpolation", SIAM Journal on Scientific and Statistical
Computing 4 (1983), 645-654: the limit of three times the smaller slope.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics.columns import read_only

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["Beyond", "Linear", "LogLinear", "MonotoneCubic"]

_FEWEST = 2


class Beyond(enum.Enum):
    """What is told before the first point and after the last."""

    FLAT = "flat"
    LINE = "line"
    """The last segment's line (its logarithm's line, the cubic's tangent) goes on."""
    NAN = "nan"


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """The points of a curve, as they are kept."""

    x: FloatArray
    y: FloatArray
    beyond: Beyond


class Linear(_Points):
    """Straight lines between points.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        At least two points, the x increasing, all finite.
    beyond : Beyond or str, default flat
        What is told outside.

    Raises
    ------
    ModelError
        There are fewer than two points, or they are not finite and increasing.
    """

    def __init__(self, x: ArrayLike, y: ArrayLike, beyond: Beyond | str = Beyond.FLAT) -> None:
        super().__init__(*_points(x, y), Beyond(beyond))

    def __call__(self, at: ArrayLike) -> FloatArray:
        """Return the values at points of any shape."""
        t = np.asarray(at, dtype=float)
        i, z = _place(self.x, t, self.beyond)
        slope = np.diff(self.y) / np.diff(self.x)
        return _masked(self.y[i] + slope[i] * (z - self.x[i]), self.x, t, self.beyond)

    def derivative(self, at: ArrayLike) -> FloatArray:
        """Return the slopes, at a point that of the segment after it."""
        t = np.asarray(at, dtype=float)
        slope = np.diff(self.y) / np.diff(self.x)
        return _sloped(slope[_segment(self.x, t)], self.x, t, self.beyond)


class LogLinear(_Points):
    """Straight lines between the logarithms of points; parameters as for :class:`Linear`, the y above zero."""

    def __init__(self, x: ArrayLike, y: ArrayLike, beyond: Beyond | str = Beyond.FLAT) -> None:
        points, values = _points(x, y)
        if (values <= 0.0).any():
            bad = values[values <= 0.0][0]
            raise ModelError(f"y={bad!r} has no logarithm; interpolate linearly, or correct it", value=bad)
        super().__init__(points, values, Beyond(beyond))

    def __call__(self, at: ArrayLike) -> FloatArray:
        """Return the values at points of any shape."""
        return np.asarray(np.exp(Linear(self.x, np.log(self.y), self.beyond)(at)))

    def derivative(self, at: ArrayLike) -> FloatArray:
        """Return the slopes, at a point that of the segment after it."""
        logs = Linear(self.x, np.log(self.y), self.beyond)
        return np.asarray(np.exp(logs(at)) * logs.derivative(at))


class MonotoneCubic(_Points):
    """A smooth curve through points that rises where they rise; parameters as for :class:`Linear`."""

    def __init__(self, x: ArrayLike, y: ArrayLike, beyond: Beyond | str = Beyond.FLAT) -> None:
        points, values = _points(x, y)
        super().__init__(points, values, Beyond(beyond))

    @cached_property
    def slopes(self) -> FloatArray:
        """The slope at each point, limited so that the curve rises where the points do."""
        return _limited_slopes(self.x, self.y)

    def __call__(self, at: ArrayLike) -> FloatArray:
        """Return the values at points of any shape."""
        t = np.asarray(at, dtype=float)
        inside = np.clip(t, self.x[0], self.x[-1])
        i = _segment(self.x, inside)
        h = np.diff(self.x)[i]
        s = (inside - self.x[i]) / h
        left = (1.0 + 2.0 * s) * (1.0 - s) ** 2 * self.y[i] + s * (1.0 - s) ** 2 * h * self.slopes[i]
        right = s * s * (3.0 - 2.0 * s) * self.y[i + 1] + s * s * (s - 1.0) * h * self.slopes[i + 1]
        value = left + right
        if self.beyond is Beyond.LINE:
            value = value + (t - inside) * np.where(t < inside, self.slopes[0], self.slopes[-1])
        return _masked(value, self.x, t, self.beyond)

    def derivative(self, at: ArrayLike) -> FloatArray:
        """Return the slopes."""
        t = np.asarray(at, dtype=float)
        inside = np.clip(t, self.x[0], self.x[-1])
        i = _segment(self.x, inside)
        h = np.diff(self.x)[i]
        s = (inside - self.x[i]) / h
        across = 6.0 * s * (1.0 - s) * (self.y[i + 1] - self.y[i]) / h
        ends = (1.0 - s) * (1.0 - 3.0 * s) * self.slopes[i] + s * (3.0 * s - 2.0) * self.slopes[i + 1]
        return _sloped(across + ends, self.x, t, self.beyond)


def _points(x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    points, values = np.array(x, dtype=float), np.array(y, dtype=float)
    if points.ndim != 1 or points.shape != values.shape or len(points) < _FEWEST:
        raise ModelError(f"interpolation needs at least two points, x and y alike: got {points.shape}, {values.shape}")
    if not (np.isfinite(points).all() and np.isfinite(values).all() and (np.diff(points) > 0.0).all()):
        raise ModelError(f"interpolation needs finite points with increasing x; got x={points.tolist()}")
    return read_only(points), read_only(values)


def _segment(x: FloatArray, t: FloatArray) -> FloatArray:
    return np.clip(np.searchsorted(x, t, side="right") - 1, 0, len(x) - 2)


def _place(x: FloatArray, t: FloatArray, beyond: Beyond) -> tuple[FloatArray, FloatArray]:
    return _segment(x, t), t if beyond is Beyond.LINE else np.clip(t, x[0], x[-1])


def _masked(value: FloatArray, x: FloatArray, t: FloatArray, beyond: Beyond) -> FloatArray:
    outside = (t < x[0]) | (t > x[-1]) | np.isnan(t)
    lost = outside if beyond is Beyond.NAN else np.isnan(t)
    return np.where(lost, np.nan, value)


def _sloped(slope: FloatArray, x: FloatArray, t: FloatArray, beyond: Beyond) -> FloatArray:
    outside = (t < x[0]) | (t > x[-1])
    flat = np.where(outside, 0.0, slope) if beyond is Beyond.FLAT else slope
    return _masked(flat, x, t, beyond)


def _limited_slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    h, d = np.diff(x), np.diff(y) / np.diff(x)
    if len(d) == 1:
        return np.repeat(d, 2)
    middle = (h[1:] * d[:-1] + h[:-1] * d[1:]) / (h[1:] + h[:-1])  # of the parabola through three points
    first = ((2.0 * h[0] + h[1]) * d[0] - h[0] * d[1]) / (h[0] + h[1])
    last = ((2.0 * h[-1] + h[-2]) * d[-1] - h[-1] * d[-2]) / (h[-1] + h[-2])
    before, after = np.concatenate([d[:1], d]), np.concatenate([d, d[-1:]])
    rising = before * after > 0.0
    limit = np.where(rising, 3.0 * np.minimum(np.abs(before), np.abs(after)), 0.0)
    wanted = np.concatenate([[first], middle, [last]])
    return np.asarray(np.where(np.sign(wanted) == np.sign(before), np.clip(wanted, -limit, limit), 0.0))

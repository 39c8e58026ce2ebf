r"""Interpolation of points: linear, log-linear and monotone cubic.

Linear interpolation is local and never overshoots. Log-linear interpolation preserves positivity, as discount factors
and survival probabilities need. A monotone cubic is smooth and increases only where the points increase: its slope at a
point is limited to three times the smaller slope of the two adjacent segments, and is 0 where these differ in sign.

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

from bank_python.deprecation import renamed, warn_of
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.columns import read_only

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["Extrapolation", "Linear", "LogLinear", "MonotoneCubic"]

_FEWEST = 2


class Extrapolation(enum.Enum):
    """The values before the first point and after the last."""

    FLAT = "flat"
    """The value of the nearest point."""
    LINE = "line"
    """The line of the nearest segment: in logarithms for log-linear interpolation, the tangent for a cubic."""
    NAN = "nan"
    """NaN, for no extrapolation."""


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """The points of an interpolation, and how it continues beyond them."""

    x: FloatArray
    y: FloatArray
    extrapolation: Extrapolation

    @property
    def beyond(self) -> Extrapolation:
        """Old name of `extrapolation`."""
        warn_of(f"{type(self).__name__}.beyond", "extrapolation")
        return self.extrapolation


class Linear(_Points, Record):
    """Linear interpolation between points.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Coordinates of at least two points, finite; x increasing.
    extrapolation : Extrapolation or str, default "flat"
        Values outside the points: "flat", "line" or "nan".

    Raises
    ------
    ModelError
        There are fewer than two points, or they are not finite, or x is not increasing.
    """

    @renamed(beyond="extrapolation")
    def __init__(self, x: ArrayLike, y: ArrayLike, extrapolation: Extrapolation | str = Extrapolation.FLAT) -> None:
        super().__init__(*_points(x, y), Extrapolation(extrapolation))

    def __call__(self, at: ArrayLike) -> FloatArray:
        """Return the interpolated values at `at`, an array of any shape."""
        t = np.asarray(at, dtype=float)
        i, z = _place(self.x, t, self.extrapolation)
        slope = np.diff(self.y) / np.diff(self.x)
        return _masked(self.y[i] + slope[i] * (z - self.x[i]), self.x, t, self.extrapolation)

    def derivative(self, at: ArrayLike) -> FloatArray:
        """Return the derivatives at `at`; at one of the points, that of the segment to its right."""
        t = np.asarray(at, dtype=float)
        slope = np.diff(self.y) / np.diff(self.x)
        return _sloped(slope[_segment(self.x, t)], self.x, t, self.extrapolation)


class LogLinear(_Points, Record):
    """Linear interpolation of the logarithms of positive values, with the parameters of :class:`Linear`."""

    @renamed(beyond="extrapolation")
    def __init__(self, x: ArrayLike, y: ArrayLike, extrapolation: Extrapolation | str = Extrapolation.FLAT) -> None:
        points, values = _points(x, y)
        if (values <= 0.0).any():
            bad = values[values <= 0.0][0]
            raise ModelError(f"y={bad!r} has no logarithm; interpolate linearly, or correct it", value=bad)
        super().__init__(points, values, Extrapolation(extrapolation))

    def __call__(self, at: ArrayLike) -> FloatArray:
        """Return the interpolated values at `at`, an array of any shape."""
        return np.asarray(np.exp(Linear(self.x, np.log(self.y), self.extrapolation)(at)))

    def derivative(self, at: ArrayLike) -> FloatArray:
        """Return the derivatives at `at`; at one of the points, that of the segment to its right."""
        logs = Linear(self.x, np.log(self.y), self.extrapolation)
        return np.asarray(np.exp(logs(at)) * logs.derivative(at))


class MonotoneCubic(_Points, Record):
    """Monotone cubic interpolation, which increases where the points do, with the parameters of :class:`Linear`."""

    @renamed(beyond="extrapolation")
    def __init__(self, x: ArrayLike, y: ArrayLike, extrapolation: Extrapolation | str = Extrapolation.FLAT) -> None:
        points, values = _points(x, y)
        super().__init__(points, values, Extrapolation(extrapolation))

    @cached_property
    def slopes(self) -> FloatArray:
        """The slope at each point, limited so that the curve is monotone where the points are."""
        return _limited_slopes(self.x, self.y)

    def __call__(self, at: ArrayLike) -> FloatArray:
        """Return the interpolated values at `at`, an array of any shape."""
        t = np.asarray(at, dtype=float)
        inside = np.clip(t, self.x[0], self.x[-1])
        i = _segment(self.x, inside)
        h = np.diff(self.x)[i]
        s = (inside - self.x[i]) / h
        left = (1.0 + 2.0 * s) * (1.0 - s) ** 2 * self.y[i] + s * (1.0 - s) ** 2 * h * self.slopes[i]
        right = s * s * (3.0 - 2.0 * s) * self.y[i + 1] + s * s * (s - 1.0) * h * self.slopes[i + 1]
        value = left + right
        if self.extrapolation is Extrapolation.LINE:
            value = value + (t - inside) * np.where(t < inside, self.slopes[0], self.slopes[-1])
        return _masked(value, self.x, t, self.extrapolation)

    def derivative(self, at: ArrayLike) -> FloatArray:
        """Return the derivatives at `at`."""
        t = np.asarray(at, dtype=float)
        inside = np.clip(t, self.x[0], self.x[-1])
        i = _segment(self.x, inside)
        h = np.diff(self.x)[i]
        s = (inside - self.x[i]) / h
        across = 6.0 * s * (1.0 - s) * (self.y[i + 1] - self.y[i]) / h
        ends = (1.0 - s) * (1.0 - 3.0 * s) * self.slopes[i] + s * (3.0 * s - 2.0) * self.slopes[i + 1]
        return _sloped(across + ends, self.x, t, self.extrapolation)


def _points(x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    points, values = np.array(x, dtype=float), np.array(y, dtype=float)
    if points.ndim != 1 or points.shape != values.shape or len(points) < _FEWEST:
        raise ModelError(
            "interpolation needs at least two points, with x and y of the same length; got shapes "
            f"{points.shape} and {values.shape}"
        )
    if not (np.isfinite(points).all() and np.isfinite(values).all() and (np.diff(points) > 0.0).all()):
        raise ModelError(f"interpolation needs finite points with increasing x; got x={points.tolist()}")
    return read_only(points), read_only(values)


def _segment(x: FloatArray, t: FloatArray) -> FloatArray:
    return np.clip(np.searchsorted(x, t, side="right") - 1, 0, len(x) - 2)


def _place(x: FloatArray, t: FloatArray, extrapolation: Extrapolation) -> tuple[FloatArray, FloatArray]:
    return _segment(x, t), t if extrapolation is Extrapolation.LINE else np.clip(t, x[0], x[-1])


def _masked(value: FloatArray, x: FloatArray, t: FloatArray, extrapolation: Extrapolation) -> FloatArray:
    outside = (t < x[0]) | (t > x[-1]) | np.isnan(t)
    missing = outside if extrapolation is Extrapolation.NAN else np.isnan(t)
    return np.where(missing, np.nan, value)


def _sloped(slope: FloatArray, x: FloatArray, t: FloatArray, extrapolation: Extrapolation) -> FloatArray:
    outside = (t < x[0]) | (t > x[-1])
    flat = np.where(outside, 0.0, slope) if extrapolation is Extrapolation.FLAT else slope
    return _masked(flat, x, t, extrapolation)


def _limited_slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    h, d = np.diff(x), np.diff(y) / np.diff(x)
    if len(d) == 1:
        return np.repeat(d, 2)
    middle = (h[1:] * d[:-1] + h[:-1] * d[1:]) / (h[1:] + h[:-1])  # slopes of the parabolas through three points
    first = ((2.0 * h[0] + h[1]) * d[0] - h[0] * d[1]) / (h[0] + h[1])
    last = ((2.0 * h[-1] + h[-2]) * d[-1] - h[-1] * d[-2]) / (h[-1] + h[-2])
    before, after = np.concatenate([d[:1], d]), np.concatenate([d, d[-1:]])
    rising = before * after > 0.0
    limit = np.where(rising, 3.0 * np.minimum(np.abs(before), np.abs(after)), 0.0)
    slopes = np.concatenate([[first], middle, [last]])
    return np.asarray(np.where(np.sign(slopes) == np.sign(before), np.clip(slopes, -limit, limit), 0.0))

r"""Correlations over moving windows and with exponential weights, without cancellation.

A window of w observations is the end of one block of w observations and the beginning of the next. For all beginnings
and ends of blocks the means and the sums of squares about them are accumulated (Welford), and two such sums are merged
(Chan, Golub and LeVeque):

.. math:: C = C_a + C_b + \frac{n_a n_b}{n_a + n_b} (\bar x_a - \bar x_b)(\bar y_a - \bar y_b) .

So each window costs the same whatever its length, and no difference of large sums is taken: a series with a mean of
:math:`10^6` and a standard deviation of :math:`10^{-3}` loses no digits that its figures have.

Exponential weights have the same recursion with a factor for each step (West):

.. math:: W_t = \lambda W_{t-1} + 1, \qquad C_t = \lambda C_{t-1} + (x_t - \bar x_{t-1})(y_t - \bar y_t) .

Examples
--------
>>> rolling_correlation([1.0, 2.0, 3.0, 2.0], [2.0, 4.0, 6.0, 9.0], 3).round(4).tolist()
[1.0, -0.1147]

References
----------
T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the sample variance: analysis and recommendations",
American Statistician 37 (1983), 242-247, equations (2.1).

D. H. D. West, "Updating mean and variance estimates: an improved method", Communications of the ACM 22 (1979), 532-535.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits, as_numbers
from bank_python.errors import MacroError
from bank_python.numerics.tolerances import EPSILON

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray

__all__ = [
    "MovingMoments",
    "clipped_correlation",
    "ewma_correlation",
    "ewma_correlations",
    "pair_of",
    "rolling_correlation",
]

_FEWEST = 3
_ROUNDED = 16.0 * EPSILON


class MovingMoments:
    """Sums of squares and products about the mean over every window of consecutive rows.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
        Series side by side; finite.
    window : int
        Number of rows in a window, from 1 to n.
    """

    def __init__(self, columns: FloatArray, window: int) -> None:
        n, count = columns.shape
        blocks = -(-n // window)
        padded = np.pad(columns, ((0, blocks * window - n), (0, 0)), mode="edge").reshape(blocks, window, count)
        self._window = window
        starts = np.arange(n - window + 1)
        self._block, self._offset = starts // window, starts % window
        # Deviations are taken from the outermost row, which every beginning or end of the block includes: another
        # origin, such as the mean, may lie far off after a jump and round off digits.
        self._first, self._last = padded[:, 0], padded[:, -1]
        self._from_start = _running(padded - self._first[:, None, :])
        self._to_end = _running(padded[:, ::-1] - self._last[:, None, :])
        size = np.abs(padded)
        ahead, behind = np.maximum.accumulate(size, axis=1), np.maximum.accumulate(size[:, ::-1], axis=1)
        own = behind[self._block, window - 1 - self._offset]
        beyond = ahead[np.minimum(self._block + 1, blocks - 1), np.maximum(self._offset - 1, 0)]
        self._largest = np.where(self._offset[:, None] > 0, np.maximum(own, beyond), own)

    def comoment(self, i: int, j: int) -> FloatArray:
        """Return the sum of products about the means of columns `i` and `j`, shape (n - window + 1,)."""
        block, offset, window = self._block, self._offset, self._window
        own = self._part(self._to_end, i, j)[block, window - 1 - offset]
        following, last = np.minimum(block + 1, len(self._first) - 1), np.maximum(offset - 1, 0)
        beyond = self._part(self._from_start, i, j)[following, last]
        shift = self._shift(i, following, last) * self._shift(j, following, last)
        joined = own + beyond + shift * offset * (window - offset) / window
        return np.asarray(np.where(offset > 0, joined, own))

    def is_constant(self, i: int) -> NDArray[np.bool_]:
        """Return for each window whether column `i` has no variation beyond rounding."""
        spread = np.sqrt(self.comoment(i, i) / self._window)
        return np.asarray(spread <= _ROUNDED * self._largest[:, i])

    def is_any_constant(self) -> bool:
        """Return whether some column has no variation in some window."""
        return any(bool(self.is_constant(i).any()) for i in range(self._largest.shape[1]))

    def _part(self, side: tuple[FloatArray, FloatArray, FloatArray], i: int, j: int) -> FloatArray:
        before, after, _ = side
        return np.cumsum(before[:, :, i] * after[:, :, j], axis=1)

    def _shift(self, i: int, following: NDArray[np.intp], last: NDArray[np.intp]) -> FloatArray:
        """Return the mean of the end of a block less the mean of the beginning of the next."""
        own = self._to_end[2][self._block, self._window - 1 - self._offset, i]
        beyond = self._from_start[2][following, last, i]
        return np.asarray(self._last[self._block, i] - self._first[following, i] + own - beyond)


def _running(centred: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return deviations from the mean so far without and with each observation, and that mean."""
    count = np.arange(1, centred.shape[1] + 1)[:, None]
    means = np.cumsum(centred, axis=1) / count
    before = np.concatenate([centred[:, :1], means[:, :-1]], axis=1)
    return centred - before, centred - means, means


@admits(MacroError)
def rolling_correlation(x: ArrayLike, y: ArrayLike, window: int) -> FloatArray:
    """Return the correlation over every window of consecutive observations.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Returns or changes of the same periods, finite. Prices are correlated by :func:`correlation_board`.
    window : int
        Number of observations in a window, from 3 to n.

    Returns
    -------
    ndarray, shape (n - window + 1,)
        Correlations in [-1, 1], the oldest window first.

    Raises
    ------
    MacroError
        Lengths or dates differ, a figure is not finite, `window` is out of range, or a series does not vary in a
        window.
    """
    columns = pair_of(x, y)
    if not _FEWEST <= window <= len(columns):
        raise MacroError(
            f"window={window!r} for {len(columns)} observations; give {_FEWEST} to {len(columns)}",
            name="window",
            value=window,
        )
    moments = MovingMoments(columns, window)
    for i, name in enumerate(("x", "y")):
        flat = np.flatnonzero(moments.is_constant(i))
        if flat.size:
            raise MacroError(
                f"{name} does not vary in the {window} observations from row {flat[0]}, so it has no correlation "
                "there; widen the window, or leave those rows out",
                name=name,
                value=int(flat[0]),
            )
    return clipped_correlation(moments.comoment(0, 1), moments.comoment(0, 0), moments.comoment(1, 1))


@admits(MacroError)
def ewma_correlation(x: ArrayLike, y: ArrayLike, decay: float = 0.97) -> FloatArray:
    """Return the correlation with exponentially falling weights after each observation from the second on.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Returns or changes of the same periods, finite; at least three.
    decay : float, default 0.97
        Weight of an observation relative to the next one, in (0, 1): 0.97 weighs the last 33 as a mean does. Means
        have the same weights.

    Returns
    -------
    ndarray, shape (n - 1,)
        Correlations in [-1, 1]; the first ones depend on few observations, the very first one on two.

    Raises
    ------
    MacroError
        Lengths or dates differ, a figure is not finite, `decay` is out of range, or a series does not vary at first.
    """
    columns = pair_of(x, y)
    both = ewma_correlations(columns, decay)
    bad = np.flatnonzero(np.isnan(both[1:, 0, 1]))
    if bad.size:
        name = "x" if np.ptp(columns[: bad[0] + 2, 0]) <= np.ptp(columns[: bad[0] + 2, 1]) else "y"
        raise MacroError(
            f"{name} does not vary up to row {bad[-1] + 1}, so it has no correlation there; begin later",
            name=name,
            value=int(bad[-1] + 1),
        )
    return np.asarray(both[1:, 0, 1])


def ewma_correlations(columns: FloatArray, decay: float) -> FloatArray:
    """Return correlation matrices with exponential weights after each observation; NaN where a series has not varied.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
        Series side by side; finite.
    decay : float
        Weight of an observation relative to the next one, in (0, 1).

    Returns
    -------
    ndarray, shape (n, k, k)
        Correlation matrices.

    Raises
    ------
    MacroError
        `decay` is out of range.
    """
    if not 0.0 < decay < 1.0:
        raise MacroError(f"decay={decay!r} lies outside (0, 1); 0.97 and 0.94 are usual", name="decay", value=decay)
    n, count = columns.shape
    sums = np.zeros((n, count, count))
    near_zero = columns - columns.mean(axis=0)  # a running mean far from 0 would round off the digits of deviations
    mean, weight, total = near_zero[0].copy(), 1.0, np.zeros((count, count))
    for t in range(1, n):
        weight = decay * weight + 1.0
        off = near_zero[t] - mean
        mean = mean + off / weight
        total = decay * total + np.outer(off, near_zero[t] - mean)
        sums[t] = total
    variances = np.diagonal(sums, axis1=1, axis2=2)
    largest = np.maximum.accumulate(np.abs(columns), axis=0)
    with np.errstate(all="ignore"):
        found = clipped_correlation(sums, variances[:, :, None], variances[:, None, :])
    flat = np.sqrt(variances) <= _ROUNDED * largest
    found[flat[:, :, None] | flat[:, None, :]] = np.nan
    return found


def clipped_correlation(product: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """Return correlations from a sum of products and two sums of squares, rounded into [-1, 1]."""
    return np.asarray(np.clip(product / (np.sqrt(first) * np.sqrt(second)), -1.0, 1.0))


def pair_of(x: Any, y: Any, fewest: int = _FEWEST) -> FloatArray:
    """Return two series of the same periods side by side, shape (n, 2).

    Raises
    ------
    MacroError
        Lengths or dates differ, there are too few, or a figure is not finite.
    """
    sides = []
    for name, side in (("x", x), ("y", y)):
        found = as_numbers(side)
        if found is None or found.ndim != 1 or len(found) < fewest:
            shape = "no numbers" if found is None else f"shape {found.shape}"
            raise MacroError(f"{name} has {shape}; give one series of at least {fewest} numbers", name=name)
        bad = np.flatnonzero(~np.isfinite(found))
        if bad.size:
            raise MacroError(f"{name} is {found[bad[0]]} in row {bad[0]}; leave that row out of both series", name=name)
        sides.append(found)
    if len(sides[0]) != len(sides[1]):
        raise MacroError(f"x has {len(sides[0])} observations and y {len(sides[1])}; give the same periods")
    _require_same_dates(x, y)
    return np.column_stack(sides)


def _require_same_dates(x: Any, y: Any) -> None:
    indices = [getattr(side, "index", None) for side in (x, y)]
    if any(getattr(getattr(index, "dtype", None), "kind", "") != "M" for index in indices):
        return
    for i, (one, other) in enumerate(zip(*indices, strict=False)):
        if one != other:
            raise MacroError(f"row {i} is {one} in x and {other} in y; give series of the same dates", value=other)

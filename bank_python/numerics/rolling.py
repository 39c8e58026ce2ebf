"""Figures of rolling windows, each summed anew: differences of cumulative sums lose digits after a large value.

Examples
--------
>>> rolling_means([1.0, 2.0, 6.0], 2).tolist()
[1.5, 4.0]
>>> rolling_variances([1.0, 2.0, 6.0], 2).tolist()
[0.5, 8.0]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["rolling_means", "rolling_variances"]

_MOST_NUMBERS = 1 << 21  # in the windows that are computed at once


def rolling_means(values: ArrayLike, length: int) -> FloatArray:
    """Return the mean of each window of successive values.

    Parameters
    ----------
    values : array_like, shape (n,)
        Values of the series, oldest first.
    length : int
        Number of values in a window, in [1, n].

    Returns
    -------
    ndarray, shape (n - length + 1,)
        Mean of each window, that of the oldest values first.
    """
    return _rolling(values, length, lambda windows: np.asarray(windows.mean(axis=1)))


def rolling_variances(values: ArrayLike, length: int) -> FloatArray:
    """Return the sample variance (divisor length − 1) of each window of successive values.

    Parameters
    ----------
    values : array_like, shape (n,)
        Values of the series, oldest first.
    length : int
        Number of values in a window, in [2, n].

    Returns
    -------
    ndarray, shape (n - length + 1,)
        Variance of each window, that of the oldest values first.
    """
    return _rolling(values, length, lambda windows: np.asarray(windows.var(axis=1, ddof=1)))


def _rolling(values: ArrayLike, length: int, figure: Callable[[FloatArray], FloatArray]) -> FloatArray:
    windows = sliding_window_view(np.asarray(values, dtype=np.float64), length)
    step = max(1, _MOST_NUMBERS // length)
    return np.concatenate([figure(windows[i : i + step]) for i in range(0, len(windows), step)])

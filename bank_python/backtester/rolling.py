"""Figures of the last closes at each bar, where bars may be missing; each is made of the closes up to its bar.

Examples
--------
>>> import numpy as np
>>> rolling_mean(np.array([1.0, np.nan, 3.0, 5.0]), 2).tolist()
[nan, nan, 2.0, 4.0]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bank_python.trading_engine.checks import whole_number

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["rolling_mean", "rolling_volatility"]

_AT_ONCE = 4_096  # windows whose sums are made together, so that they stay in the cache


def rolling_mean(closes: FloatArray, bars: int) -> FloatArray:
    """Return the mean of the last closes at each bar, NaN while there are fewer.

    Each mean is the sum of its own closes: a difference of running sums would round away the equality of two means.

    Parameters
    ----------
    closes : ndarray, shape (n_bars,)
        Closes, NaN where a bar is missing; at such a bar the mean is that of before.
    bars : int
        Number of closes in a mean, at least 1.

    Returns
    -------
    ndarray, shape (n_bars,)
        Mean at each bar.

    Raises
    ------
    TradingError
        The number of closes is not a whole number of at least 1.
    """
    count = whole_number("bars", bars, 1)
    is_known = ~np.isnan(closes)
    known = closes[is_known]
    means = np.full(len(known) + 1, np.nan)  # the first one: before any close
    if len(known) >= count:
        windows = sliding_window_view(known, count)
        for first in range(0, len(windows), _AT_ONCE):
            part = windows[first : first + _AT_ONCE].mean(axis=1)
            means[count + first : count + first + len(part)] = part
    return np.asarray(means[np.cumsum(is_known)])


def rolling_volatility(closes: FloatArray, fewest: int, most: int) -> FloatArray:
    """Return the realised volatility of the last returns at each bar, NaN while there are fewer.

    Parameters
    ----------
    closes : ndarray, shape (n_bars,)
        Closes above 0, NaN where a bar is missing; at such a bar the volatility is that of before.
    fewest, most : int
        Least and largest number of log returns in a volatility; their mean is taken for 0.

    Returns
    -------
    ndarray, shape (n_bars,)
        Volatility of one period at each bar, a decimal.
    """
    is_known = ~np.isnan(closes)
    total = np.concatenate([[0.0], np.cumsum(np.diff(np.log(closes[is_known])) ** 2)])
    last = np.arange(len(total))
    count = np.minimum(last, most)
    found = np.full(len(total) + 1, np.nan)  # the first one: before any close
    enough = count >= fewest
    mean = np.maximum(total - total[last - count], 0.0)[enough] / count[enough]
    found[1:][enough] = np.sqrt(mean)
    return np.asarray(found[np.cumsum(is_known)])

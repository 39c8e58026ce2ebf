r"""Wilder's average true range and relative strength index.

The *true range* of a bar is its range, extended to the close before it,

.. math:: TR_t = \max(H_t, C_{t-1}) - \min(L_t, C_{t-1}) ,

and the *average true range* (ATR) its exponential average with the weight 1/n. The *relative strength index* (RSI) is

.. math:: RSI_t = 100\,\frac{U_t}{U_t + D_t}

with the same averages U of rises and D of falls of the close.

An average begins with the mean of its first n values (Wilder, StockCharts, TA-Lib), or with its first value
(``ewm(alpha=1/n, adjust=False)`` of pandas). The difference shrinks by 1 − 1/n with each bar.

Examples
--------
>>> high, low, close = [11.0, 12.0, 12.5], [9.0, 10.0, 11.5], [10.0, 11.0, 12.0]
>>> true_range(high, low, close).tolist()
[2.0, 2.0, 1.5]
>>> atr(high, low, close, n=2).tolist()
[nan, 2.0, 1.75]
>>> rsi([10.0, 11.0, 10.5, 11.5], n=2).round(2).tolist()
[nan, nan, 66.67, 85.71]

References
----------
J. W. Wilder, *New Concepts in Technical Trading Systems* (1978), sections III and VI.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.smoothing import smoothed
from bank_python.risk_models.observations import price_columns, price_series, window_length

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["atr", "rsi", "true_range"]

_STARTS = ("mean", "first")
_NO_MOVES = 50.0
_HIGHEST = 100.0


@admits(ModelError)
def true_range(high: ArrayLike, low: ArrayLike, close: ArrayLike) -> FloatArray:
    """Return the true range of each bar; that of the first is its high less its low.

    Parameters
    ----------
    high, low, close : array_like, shape (n_bars,)
        Prices of each bar, oldest first, above 0.

    Returns
    -------
    ndarray, shape (n_bars,)
        True range in the unit of the prices, at least 0.

    Raises
    ------
    ModelError
        A price is not a finite number above 0, or a bar is impossible; the message names the row.
    """
    top, bottom, last = price_columns({"high": high, "low": low, "close": close})
    ranges = top - bottom
    ranges[1:] = np.maximum(top[1:], last[:-1]) - np.minimum(bottom[1:], last[:-1])
    return ranges


@admits(ModelError)
def atr(high: ArrayLike, low: ArrayLike, close: ArrayLike, n: int = 14, *, start: str = "mean") -> FloatArray:
    """Return Wilder's average true range.

    Parameters
    ----------
    high, low, close : array_like, shape (n_bars,)
        Prices of each bar, oldest first, above 0.
    n : int, default 14
        Number of bars in the average, at least 1 and at most `n_bars`.
    start : str, default "mean"
        Beginning of the average: ``"mean"`` of the first `n` true ranges, or the ``"first"`` true range.

    Returns
    -------
    ndarray, shape (n_bars,)
        Average true range in the unit of the prices after each bar; NaN for the first `n` − 1 bars if it begins with a
        mean.

    Raises
    ------
    ModelError
        A price is not a finite number above 0, a bar is impossible (named with its row), or there are fewer bars than
        `n`.
    """
    ranges = true_range(high, low, close)
    return _wilder(ranges, window_length("n", n, len(ranges)), _start(start))


@admits(ModelError)
def rsi(close: ArrayLike, n: int = 14, *, start: str = "mean") -> FloatArray:
    """Return Wilder's relative strength index, between 0 and 100.

    Parameters
    ----------
    close : array_like, shape (n_bars,)
        Closes of equal periods, oldest first, above 0; at least `n` + 1.
    n : int, default 14
        Number of changes in the averages, at least 1.
    start : str, default "mean"
        Beginning of the averages: ``"mean"`` of the first `n` changes, or the ``"first"`` change.

    Returns
    -------
    ndarray, shape (n_bars,)
        Index after each close: 100 if no close has fallen, 0 if none has risen, 50 if none has moved. NaN where there
        is none yet: for the first `n` closes, or for the first one only if it begins with the first change.

    Raises
    ------
    ModelError
        A close is not a finite number above 0, or there are not more closes than `n`.
    """
    moves = np.diff(price_series("close", close, 2))
    length, begins = window_length("n", n, len(moves)), _start(start)
    rises, falls = (_wilder(np.maximum(part, 0.0), length, begins) for part in (moves, -moves))
    both = rises + falls
    # Divided first, as 100 U / (U + D) is rounded to more than 100 for some U.
    index = np.divide(rises, both, out=np.full(len(both), _NO_MOVES / _HIGHEST), where=both > 0.0) * _HIGHEST
    index[np.isnan(both)] = math.nan
    return np.concatenate([[math.nan], index])


def _start(start: str) -> str:
    if start not in _STARTS:
        raise ModelError(f"no start {start!r}; give one of {', '.join(_STARTS)}", name="start", value=start)
    return start


def _wilder(values: FloatArray, n: int, start: str) -> FloatArray:
    known = n if start == "mean" else 1
    first = float(values[:known].mean())
    return np.concatenate([np.full(known - 1, math.nan), [first], smoothed(values[known:], 1.0 / n, first)])

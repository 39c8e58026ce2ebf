r"""Realised volatility: of closes, and of the ranges of bars, which say more with the same number of bars.

With o, h, l, c the logarithms of open, high, low and close, the variance per bar is the mean of

==================  ==========================================================  ===========================
close to close      :math:`(c_t - c_{t-1} - m)^2`, with n − 1 for the mean m    any drift
Parkinson           :math:`(h - l)^2 / (4\ln 2)`                                no drift, no gaps
Garman–Klass        :math:`\frac12 (h - l)^2 - (2\ln 2 - 1)(c - o)^2`           no drift, no gaps
Rogers–Satchell     :math:`(h - c)(h - o) + (l - c)(l - o)`                     any drift, no gaps
Yang–Zhang          overnight and Rogers–Satchell variance, see below           any drift, and gaps
==================  ==========================================================  ===========================

where a gap is the move from a close to the next open. Yang–Zhang is :math:`V_o + k V_c + (1 - k) V_{RS}` with the
sample variances of overnight moves :math:`o_t - c_{t-1}` and of moves in the bar :math:`c - o`, and
:math:`k = 0.34 / (1.34 + (n + 1)/(n - 1))`. The range estimators assume prices that are observed all the time; highs
and lows of few trades are too close, and the estimates too low.

Every function returns one figure for all bars, or with `window` one for each bar: the figure of the `window` latest
ones, NaN where there have not been as many.

Examples
--------
>>> bars = {"open": [100.0], "high": [103.0], "low": [98.0], "close": [101.0]}
>>> round(float(garman_klass_volatility(**bars, periods_per_year=1.0)) ** 2, 10)
0.0011998573
>>> round(float(realised_volatility([100.0, 101.0, 99.0, 100.0], periods_per_year=252.0)), 4)
0.275

References
----------
M. Parkinson, "The extreme value method for estimating the variance of the rate of return", Journal of Business 53
(1980), 61-65.

M. B. Garman and M. J. Klass, "On the estimation of security price volatilities from historical data", Journal of
Business 53 (1980), 67-78.

L. C. G. Rogers and S. E. Satchell, "Estimating variance from high, low and closing prices", Annals of Applied
Probability 1 (1991), 504-512.

D. Yang and Q. Zhang, "Drift-independent volatility estimation based on high, low, open, and close prices", Journal of
Business 73 (2000), 477-491.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.rolling import rolling_means, rolling_variances
from bank_python.risk_models.observations import periods_in_year, price_columns, price_series, window_length

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = [
    "garman_klass_volatility",
    "parkinson_volatility",
    "realised_volatility",
    "rogers_satchell_volatility",
    "yang_zhang_volatility",
]

_FEWEST = 2  # moves for a variance about their mean
_MEANS = ("constant", "zero")
_NO_MOVE = 1e-14  # per bar, about the rounding of a logarithm of prices


@admits(ModelError)
def realised_volatility(
    close: ArrayLike, *, periods_per_year: float, window: int | None = None, mean: str = "constant"
) -> FloatArray | float:
    """Return the volatility of log returns from close to close.

    Parameters
    ----------
    close : array_like, shape (n,)
        Closes of equal periods, oldest first, above 0; at least three.
    periods_per_year : float
        Number of periods in a year: 252 for daily bars of shares, 24 × 365 for hourly bars of crypto; 1 gives the
        volatility per period.
    window : int, optional
        Number of returns in a rolling window, at least 2; by default all.
    mean : str, default "constant"
        Mean return: ``"constant"``, that of the sample, or ``"zero"``.

    Returns
    -------
    float or ndarray, shape (n,)
        Volatility per year as a decimal; with `window` for each close, NaN for the first `window` closes.

    Raises
    ------
    ModelError
        A close is not a finite number above 0, no close differs from another, or an argument is out of range.
    """
    if mean not in _MEANS:
        raise ModelError(f"no mean {mean!r}; give one of {', '.join(_MEANS)}", name="mean", value=mean)
    periods = periods_in_year(periods_per_year)
    moves = np.diff(np.log(price_series("close", close, _FEWEST + 1)))
    length = len(moves) if window is None else window_length("window", window, len(moves), _FEWEST)
    variances = rolling_variances(moves, length) if mean == "constant" else rolling_means(moves * moves, length)
    return _annual(variances, periods, None if window is None else len(moves) + 1)


@admits(ModelError)
def parkinson_volatility(
    high: ArrayLike, low: ArrayLike, *, periods_per_year: float, window: int | None = None
) -> FloatArray | float:
    """Return the volatility by Parkinson's estimator, from highs and lows.

    Parameters
    ----------
    high, low : array_like, shape (n,)
        Highest and lowest price of each bar, oldest first, above 0.
    periods_per_year : float
        Number of bars in a year; 1 gives the volatility per bar.
    window : int, optional
        Number of bars in a rolling window; by default all.

    Returns
    -------
    float or ndarray, shape (n,)
        Volatility per year as a decimal; with `window` for each bar, NaN for the first `window` − 1.

    Raises
    ------
    ModelError
        A bar is impossible (named with its row), all ranges are 0, or an argument is out of range.
    """
    periods = periods_in_year(periods_per_year)
    top, bottom = (np.log(prices) for prices in price_columns({"high": high, "low": low}))
    return _of_bars((top - bottom) ** 2 / (4.0 * math.log(2.0)), periods, window)


@admits(ModelError)
def garman_klass_volatility(
    open: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    *,
    periods_per_year: float,
    window: int | None = None,
) -> FloatArray | float:
    """Return the volatility by the estimator of Garman and Klass (their simpler one, without a cross term).

    Parameters
    ----------
    open, high, low, close : array_like, shape (n,)
        Prices of each bar, oldest first, above 0.
    periods_per_year : float
        Number of bars in a year; 1 gives the volatility per bar.
    window : int, optional
        Number of bars in a rolling window; by default all.

    Returns
    -------
    float or ndarray, shape (n,)
        Volatility per year as a decimal; with `window` for each bar, NaN for the first `window` − 1.

    Raises
    ------
    ModelError
        A bar is impossible (named with its row), all ranges are 0, or an argument is out of range.
    """
    periods = periods_in_year(periods_per_year)
    o, top, bottom, c = _logs(open, high, low, close)
    return _of_bars(0.5 * (top - bottom) ** 2 - (2.0 * math.log(2.0) - 1.0) * (c - o) ** 2, periods, window)


@admits(ModelError)
def rogers_satchell_volatility(
    open: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    *,
    periods_per_year: float,
    window: int | None = None,
) -> FloatArray | float:
    """Return the volatility by the estimator of Rogers and Satchell, which any drift leaves unbiased.

    Parameters
    ----------
    open, high, low, close : array_like, shape (n,)
        Prices of each bar, oldest first, above 0.
    periods_per_year : float
        Number of bars in a year; 1 gives the volatility per bar.
    window : int, optional
        Number of bars in a rolling window; by default all.

    Returns
    -------
    float or ndarray, shape (n,)
        Volatility per year as a decimal; with `window` for each bar, NaN for the first `window` − 1. Bars that only
        rise, or only fall, have the estimate 0.

    Raises
    ------
    ModelError
        A bar is impossible (named with its row), all estimates are 0, or an argument is out of range.
    """
    periods = periods_in_year(periods_per_year)
    return _of_bars(_rogers_satchell(*_logs(open, high, low, close)), periods, window)


@admits(ModelError)
def yang_zhang_volatility(
    open: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    *,
    periods_per_year: float,
    window: int | None = None,
) -> FloatArray | float:
    """Return the volatility by the estimator of Yang and Zhang, which includes gaps between bars.

    Parameters
    ----------
    open, high, low, close : array_like, shape (n,)
        Prices of each bar, oldest first, above 0; at least three bars, as the first one only gives its close.
    periods_per_year : float
        Number of bars in a year; 1 gives the volatility per bar.
    window : int, optional
        Number of bars in a rolling window, at least 2; by default all but the first.

    Returns
    -------
    float or ndarray, shape (n,)
        Volatility per year as a decimal; with `window` for each bar, NaN for the first `window`.

    Raises
    ------
    ModelError
        A bar is impossible (named with its row), no price differs from another, or an argument is out of range.
    """
    periods = periods_in_year(periods_per_year)
    o, top, bottom, c = _logs(open, high, low, close, least=_FEWEST + 1)
    count = len(c) - 1 if window is None else window_length("window", window, len(c) - 1, _FEWEST)
    k = 0.34 / (1.34 + (count + 1.0) / (count - 1.0))
    overnight, inside = rolling_variances(o[1:] - c[:-1], count), rolling_variances((c - o)[1:], count)
    variances = overnight + k * inside + (1.0 - k) * rolling_means(_rogers_satchell(o, top, bottom, c)[1:], count)
    return _annual(variances, periods, None if window is None else len(c))


def _logs(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike, least: int = 1) -> list[FloatArray]:
    columns = {"open": open, "high": high, "low": low, "close": close}
    return [np.log(prices) for prices in price_columns(columns, least)]


def _rogers_satchell(o: FloatArray, top: FloatArray, bottom: FloatArray, c: FloatArray) -> FloatArray:
    return (top - c) * (top - o) + (bottom - c) * (bottom - o)


def _of_bars(variances: FloatArray, periods: float, window: int | None) -> FloatArray | float:
    """Return the volatility of bars with a variance of its own for each."""
    length = len(variances) if window is None else window_length("window", window, len(variances))
    return _annual(rolling_means(variances, length), periods, None if window is None else len(variances))


def _annual(variances: FloatArray, periods: float, rows: int | None) -> FloatArray | float:
    """Return volatilities per year of variances per bar: the only one, or for each of `rows` bars, the first NaN."""
    if not (variances > _NO_MOVE * _NO_MOVE).any():
        raise ModelError("the prices do not move, so there is no volatility; check the series", value=0.0)
    # Rounding may leave a range estimate a little below 0.
    volatilities = np.sqrt(periods * np.maximum(variances, 0.0))
    if rows is None:
        return float(volatilities[-1])
    return np.concatenate([np.full(rows - len(volatilities), math.nan), volatilities])

r"""Figures of a series of returns, each a pure function that says its convention.

Returns are simple returns of one period, oldest first, shares of 1; rates are per year and divided evenly over its
periods. Where a figure is undefined the result is NaN; where it is beyond bounds, as a ratio without a loss to divide
by, it is infinite. Nothing is divided by a small number in place of zero.

Examples
--------
>>> returns = [0.01, -0.005, 0.02, 0.0]
>>> round(sharpe_ratio(returns), 4), round(sortino_ratio(returns), 4), win_rate(returns)
(8.949, 39.6863, 0.5)

References
----------
F. A. Sortino and L. N. Price, "Performance measurement in a downside risk framework", Journal of Investing 3 (1994),
59-64.

C. Keating and W. F. Shadwick, "A universal performance measure", Journal of Performance Measurement 6 (2002), 59-84.

P. G. Martin and B. B. McCann, *The Investor's Guide to Fidelity Funds* (1989): the ulcer index.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics import drawdowns
from bank_python.risk.tail_risk import tail_of_sorted
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = [
    "annualized_return",
    "annualized_vol",
    "autocorrelation",
    "best",
    "calmar_ratio",
    "capture",
    "compound_growth",
    "correlation",
    "current_drawdown",
    "cvar",
    "excess_returns",
    "information_ratio",
    "is_constant",
    "kurtosis",
    "max_drawdown",
    "omega",
    "profit_factor",
    "recovery_factor",
    "sharpe_ratio",
    "skew",
    "sortino_ratio",
    "tail_ratio",
    "total_return",
    "tracking_error",
    "ulcer_index",
    "var",
    "win_rate",
    "worst",
]

_TWO = 2
_FLOAT_NOISE = 8.0 * float(np.finfo(np.float64).eps)


def is_constant(returns: ArrayLike) -> bool:
    """Whether returns vary by no more than the rounding of levels makes them.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns.
    """
    given = np.asarray(returns, dtype=np.float64)
    return given.size == 0 or float(np.ptp(given)) <= _FLOAT_NOISE * (1.0 + float(np.abs(given).max()))


def excess_returns(
    returns: ArrayLike, risk_free_rate: float = RISK_FREE_RATE, periods_per_year: float = 252.0
) -> FloatArray:
    """Return r − rf/p, 0 where the two differ by rounding only.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns r.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate rf per year, as a decimal.
    periods_per_year : float, default 252
        Number p of periods in a year, above 0.
    """
    given = np.asarray(returns, dtype=np.float64)
    excess = given - risk_free_rate / periods_per_year
    return np.where(np.abs(excess) <= _FLOAT_NOISE * (1.0 + np.abs(given)), 0.0, excess)


def total_return(levels: ArrayLike) -> float:
    """Return the last level divided by the first, less 1.

    Parameters
    ----------
    levels : array_like, shape (n,)
        Levels, the first above 0.
    """
    given = np.asarray(levels, dtype=np.float64)
    return _growth(given) - 1.0 if given.size else math.nan


def annualized_return(levels: ArrayLike, periods_per_year: float = 252.0) -> float:
    """Return the compound growth a year: (last / first)^(periods a year / periods) − 1.

    Parameters
    ----------
    levels : array_like, shape (n,)
        Levels, the first above 0; n − 1 periods lie between them.
    periods_per_year : float, default 252
        Number of periods in a year, above 0.

    Returns
    -------
    float
        Growth as a share; −1 if the last level is 0, NaN if it is below, infinite if it is too large for a number.
    """
    given = np.asarray(levels, dtype=np.float64)
    periods = given.size - 1
    if periods < 1:
        return math.nan
    return compound_growth(_growth(given), periods_per_year / periods)


def compound_growth(growth: float, power: float) -> float:
    """Return a growth factor to a power, less 1; NaN for a factor below 0, infinite beyond the range of numbers.

    Parameters
    ----------
    growth : float
        Last level divided by the first.
    power : float
        Years or periods of the result, divided by those of the growth.
    """
    if growth <= 0.0:
        return -1.0 if growth == 0.0 else math.nan
    if math.isinf(growth):
        return math.inf
    try:
        return math.expm1(power * math.log(growth))
    except OverflowError:
        return math.inf


def annualized_vol(returns: ArrayLike, periods_per_year: float = 252.0) -> float:
    """Return the standard deviation of returns (ddof 1), times the root of the periods in a year.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least two.
    periods_per_year : float, default 252
        Number of periods in a year, above 0.
    """
    return math.sqrt(periods_per_year) * _deviation(np.asarray(returns, dtype=np.float64))


def sharpe_ratio(returns: ArrayLike, risk_free_rate: float = RISK_FREE_RATE, periods_per_year: float = 252.0) -> float:
    """Return mean(r − rf/p) / std(r − rf/p, ddof 1) · √p.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least two.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal.
    periods_per_year : float, default 252
        Number p of periods in a year, above 0.
    """
    excess = excess_returns(returns, risk_free_rate, periods_per_year)
    return math.nan if excess.size < _TWO else _ratio(_mean(excess), _deviation(excess)) * math.sqrt(periods_per_year)


def sortino_ratio(returns: ArrayLike, risk_free_rate: float = RISK_FREE_RATE, periods_per_year: float = 252.0) -> float:
    """Return mean(r − rf/p) / √mean(min(r − rf/p, 0)²) · √p; the second mean is over all periods.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least one.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal.
    periods_per_year : float, default 252
        Number p of periods in a year, above 0.
    """
    excess = excess_returns(returns, risk_free_rate, periods_per_year)
    below = math.sqrt(float(np.mean(np.minimum(excess, 0.0) ** 2))) if excess.size else 0.0
    return _ratio(_mean(excess), below) * math.sqrt(periods_per_year)


def omega(returns: ArrayLike, risk_free_rate: float = RISK_FREE_RATE, periods_per_year: float = 252.0) -> float:
    """Return the sum of the excess returns above 0, divided by the size of the sum of those below.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least one.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal, above which a period gains.
    periods_per_year : float, default 252
        Number of periods in a year, above 0.
    """
    return profit_factor(excess_returns(returns, risk_free_rate, periods_per_year))


def max_drawdown(levels: ArrayLike) -> float:
    """Return the largest fall from an earlier high, as a share of it and at most 0; below −1 if money is owed.

    Parameters
    ----------
    levels : array_like, shape (n,)
        Levels, the first above 0.
    """
    given = np.asarray(levels, dtype=np.float64)
    return -float(drawdowns(given).max()) + 0.0 if given.size else math.nan


def current_drawdown(levels: ArrayLike) -> float:
    """Return the fall of the last level from the highest, as a share of it, at most 0.

    Parameters
    ----------
    levels : array_like, shape (n,)
        Levels, the first above 0.
    """
    given = np.asarray(levels, dtype=np.float64)
    return float(given[-1] / given.max() - 1.0) if given.size else math.nan


def ulcer_index(levels: ArrayLike) -> float:
    """Return the root of the mean squared drawdown over all levels, as a share.

    Parameters
    ----------
    levels : array_like, shape (n,)
        Levels, the first above 0.
    """
    given = np.asarray(levels, dtype=np.float64)
    return math.sqrt(float(np.mean(drawdowns(given) ** 2))) if given.size else math.nan


def calmar_ratio(levels: ArrayLike, periods_per_year: float = 252.0) -> float:
    """Return the annualised return divided by the size of the maximum drawdown, over the whole series.

    Parameters
    ----------
    levels : array_like, shape (n,)
        Levels, the first above 0.
    periods_per_year : float, default 252
        Number of periods in a year, above 0.
    """
    return _ratio(annualized_return(levels, periods_per_year), -max_drawdown(levels))


def recovery_factor(levels: ArrayLike) -> float:
    """Return the total return divided by the size of the maximum drawdown.

    Parameters
    ----------
    levels : array_like, shape (n,)
        Levels, the first above 0.
    """
    return _ratio(total_return(levels), -max_drawdown(levels))


def win_rate(returns: ArrayLike) -> float:
    """Return the share of the periods with a return above 0, in [0, 1].

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least one.
    """
    given = np.asarray(returns, dtype=np.float64)
    return float(np.mean(given > 0.0)) if given.size else math.nan


def profit_factor(returns: ArrayLike) -> float:
    """Return the sum of the returns above 0, divided by the size of the sum of those below.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least one.
    """
    given = np.asarray(returns, dtype=np.float64)
    return _ratio(float(np.maximum(given, 0.0).sum()), -float(np.minimum(given, 0.0).sum()))


def tail_ratio(returns: ArrayLike) -> float:
    """Return the size of the 95 % quantile of returns, divided by that of the 5 % quantile; both interpolated.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least one.
    """
    given = np.asarray(returns, dtype=np.float64)
    if not given.size:
        return math.nan
    low, high = np.abs(np.quantile(given, (0.05, 0.95))).tolist()
    return _ratio(high, low)


def var(returns: ArrayLike, confidence: float) -> float:
    """Return the historical value at risk of one period, positive for a loss: a quantile, interpolated.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least one.
    confidence : float
        Probability of a smaller loss, in (0.5, 1).
    """
    losses = np.sort(-np.asarray(returns, dtype=np.float64))
    return tail_of_sorted(losses, confidence).var + 0.0 if losses.size else math.nan


def cvar(returns: ArrayLike, confidence: float) -> float:
    """Return the historical expected shortfall of one period: the mean of the losses not below the value at risk.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least one.
    confidence : float
        Probability of a smaller loss than the value at risk, in (0.5, 1).
    """
    losses = np.sort(-np.asarray(returns, dtype=np.float64))
    return tail_of_sorted(losses, confidence).es + 0.0 if losses.size else math.nan


def skew(returns: ArrayLike) -> float:
    """Return the third central moment in units of the standard deviation, both of the sample (ddof 0).

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, not all the same.
    """
    return _moment(returns, 3)


def kurtosis(returns: ArrayLike) -> float:
    """Return the fourth central moment in units of the standard deviation (ddof 0): 3 for a normal distribution.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, not all the same.
    """
    return _moment(returns, 4)


def autocorrelation(returns: ArrayLike) -> float:
    """Return the autocorrelation at the first lag, about the mean of all returns, in (−1, 1).

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns, at least three and not all the same.
    """
    given = np.asarray(returns, dtype=np.float64)
    if given.size < _TWO + 1 or is_constant(given):
        return math.nan
    deviation = given - given.mean()
    return float(deviation[1:] @ deviation[:-1] / (deviation @ deviation))


def best(returns: ArrayLike) -> float:
    """Return the largest return.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns of days, months or years.
    """
    given = np.asarray(returns, dtype=np.float64)
    return float(given.max()) if given.size else math.nan


def worst(returns: ArrayLike) -> float:
    """Return the smallest return.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns of days, months or years.
    """
    given = np.asarray(returns, dtype=np.float64)
    return float(given.min()) if given.size else math.nan


def correlation(returns: ArrayLike, benchmark: ArrayLike) -> float:
    """Return the correlation of returns with those of a benchmark.

    Parameters
    ----------
    returns, benchmark : array_like, shape (n,)
        Simple returns of the same periods, neither all the same.
    """
    ours, theirs = np.asarray(returns, dtype=np.float64), np.asarray(benchmark, dtype=np.float64)
    if ours.size < _TWO or is_constant(ours) or is_constant(theirs):
        return math.nan
    return float(np.clip(np.corrcoef(ours, theirs)[0, 1], -1.0, 1.0))


def tracking_error(returns: ArrayLike, benchmark: ArrayLike, periods_per_year: float = 252.0) -> float:
    """Return the annualised standard deviation (ddof 1) of the differences from a benchmark's returns.

    Parameters
    ----------
    returns, benchmark : array_like, shape (n,)
        Simple returns of the same periods, at least two.
    periods_per_year : float, default 252
        Number of periods in a year, above 0.
    """
    return annualized_vol(_active(returns, benchmark), periods_per_year)


def information_ratio(returns: ArrayLike, benchmark: ArrayLike, periods_per_year: float = 252.0) -> float:
    """Return mean(r − b) / std(r − b, ddof 1) · √p.

    Parameters
    ----------
    returns, benchmark : array_like, shape (n,)
        Simple returns r and b of the same periods, at least two.
    periods_per_year : float, default 252
        Number p of periods in a year, above 0.
    """
    return sharpe_ratio(_active(returns, benchmark), 0.0, periods_per_year)


def capture(returns: ArrayLike, benchmark: ArrayLike, *, up: bool) -> float:
    """Return the geometric mean return of the periods in which a benchmark rose or fell, divided by the benchmark's.

    Parameters
    ----------
    returns, benchmark : array_like, shape (n,)
        Simple returns of the same periods.
    up : bool
        Whether the periods count in which the benchmark rose, or else those in which it fell.
    """
    ours, theirs = np.asarray(returns, dtype=np.float64), np.asarray(benchmark, dtype=np.float64)
    chosen = theirs > 0.0 if up else theirs < 0.0
    if not chosen.any():
        return math.nan
    return _geometric_mean(ours[chosen]) / _geometric_mean(theirs[chosen])


def _active(returns: ArrayLike, benchmark: ArrayLike) -> FloatArray:
    return np.asarray(returns, dtype=np.float64) - np.asarray(benchmark, dtype=np.float64)


def _geometric_mean(returns: FloatArray) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return math.expm1(float(np.mean(np.log1p(returns)))) if (returns > -1.0).all() else -1.0


def _growth(levels: FloatArray) -> float:
    """Return the last level divided by the first, infinite if it is too large for a number."""
    with np.errstate(over="ignore"):
        return float(levels[-1] / levels[0])


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else math.nan


def _deviation(values: FloatArray) -> float:
    """Return the standard deviation (ddof 1), 0 where values differ by rounding only, NaN of fewer than two."""
    if values.size < _TWO:
        return math.nan
    return 0.0 if is_constant(values) else float(values.std(ddof=1))


def _ratio(top: float, bottom: float) -> float:
    """Return a ratio; by zero it is infinite, with the sign of the numerator, or NaN of zero."""
    if bottom == 0.0:
        return math.nan if top == 0.0 or math.isnan(top) else math.copysign(math.inf, top)
    return top / bottom


def _moment(returns: ArrayLike, power: int) -> float:
    given = np.asarray(returns, dtype=np.float64)
    if is_constant(given):
        return math.nan
    deviation = given - given.mean()
    return float(np.mean(deviation**power) / np.mean(deviation**2) ** (0.5 * power))

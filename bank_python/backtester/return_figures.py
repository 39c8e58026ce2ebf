"""The few figures of a series of returns that say what its Sharpe ratio is worth.

Examples
--------
>>> figures = ReturnFigures.of_equity([100.0, 101.0, 100.0, 102.0])
>>> figures.n, round(figures.sharpe(0.0, 252.0), 4)
(3, 0.4402)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.backtester import metrics
from bank_python.backtester.equity_series import read_equity
from bank_python.display import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.numerics import FloatArray

__all__ = ["ReturnFigures", "finite_or_none", "sharpe_ratios"]

_TWO = 2


@dataclass(frozen=True, slots=True)
class ReturnFigures(Record):
    """Number, mean, deviation, skewness and kurtosis of the returns of single periods.

    Parameters
    ----------
    n : int
        Number of returns.
    mean : float
        Mean return of a period, NaN without returns.
    deviation : float
        Standard deviation of the returns of a period (ddof 1); 0 of constant ones, NaN of fewer than two.
    skew, kurtosis : float
        Skewness and kurtosis, 3 for a normal distribution.
    """

    n: int
    mean: float
    deviation: float
    skew: float
    kurtosis: float

    @classmethod
    def of_equity(cls, equity: Sequence[float] | FloatArray, initial_cash: float | None = None) -> ReturnFigures:
        """Return the figures of an equity curve; they end with the first equity that is not above 0.

        Parameters
        ----------
        equity : array_like, shape (n,)
            Values of an account, oldest first.
        initial_cash : float, optional
            Cash at the start.
        """
        return cls.of_returns(read_equity(equity, initial_capital=initial_cash).returns)

    @classmethod
    def of_returns(cls, returns: FloatArray) -> ReturnFigures:
        """Return the figures of simple returns.

        Parameters
        ----------
        returns : ndarray, shape (n,)
            Simple returns.
        """
        if len(returns) < _TWO:
            mean = float(returns[0]) if len(returns) else math.nan
            return cls(len(returns), mean, math.nan, math.nan, math.nan)
        deviation = 0.0 if metrics.is_constant(returns) else float(np.std(returns, ddof=1))
        skew = metrics.skew(returns)
        kurtosis = metrics.kurtosis(returns)
        if not math.isnan(kurtosis):
            kurtosis = max(kurtosis, 1.0 + skew**2)  # below that by rounding only
        return cls(len(returns), float(np.mean(returns)), deviation, skew, kurtosis)

    def sharpe(self, risk_free_rate: float, periods_per_year: float) -> float:
        """Return the Sharpe ratio of one period, NaN of constant returns and of fewer than two.

        Parameters
        ----------
        risk_free_rate : float
            Risk-free rate per year, as a decimal.
        periods_per_year : float
            Number of periods in a year, above 0.
        """
        if not self.deviation > 0.0:
            return math.nan
        return (self.mean - risk_free_rate / periods_per_year) / self.deviation


def finite_or_none(value: float) -> float | None:
    """Return a figure for a table, None in place of NaN and of infinite ones.

    Parameters
    ----------
    value : float
        Figure to write.
    """
    return value if math.isfinite(value) else None


def sharpe_ratios(equity: FloatArray, initial_cash: float, risk_free_rate: float, periods: float) -> FloatArray:
    """Return the Sharpe ratio of one period of many equity curves, shape (…).

    Parameters
    ----------
    equity : ndarray, shape (…, n_bars)
        Equity at each close. A curve that is not above 0 somewhere has the ratio minus infinity.
    initial_cash : float
        Cash at the start.
    risk_free_rate : float
        Risk-free rate per year, as a decimal.
    periods : float
        Number of periods in a year.
    """
    led = equity if np.all(equity[..., 0] == initial_cash) else _led(equity, initial_cash)
    ruined = np.asarray((led <= 0.0).any(axis=-1))
    safe = np.where(ruined[..., None], 1.0, led)
    excess = safe[..., 1:] / safe[..., :-1] - 1.0 - risk_free_rate / periods
    if excess.shape[-1] < _TWO:
        return np.full(equity.shape[:-1], math.nan)
    mean, deviation = excess.mean(axis=-1), excess.std(axis=-1, ddof=1)
    flat = deviation <= 1e-12 * np.abs(safe[..., 1:] / safe[..., :-1]).max(axis=-1)
    ratios = np.where(flat, math.nan, mean / np.where(flat, 1.0, deviation))
    return np.where(ruined, -math.inf, ratios)


def _led(equity: FloatArray, initial_cash: float) -> FloatArray:
    return np.concatenate([np.full((*equity.shape[:-1], 1), initial_cash), equity], axis=-1)

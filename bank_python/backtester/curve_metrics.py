"""Metrics of many equity curves at once, equal to those of their tearsheets.

The usual ones are computed for all curves by array operations; a tearsheet is made for each curve only where another
one is asked for, or where the equity falls to 0 or below, so that returns end early.

Examples
--------
>>> found = curve_metrics([[100.0, 110.0, 99.0], [100.0, 90.0, 108.0]], ["total_return", "max_drawdown"])
>>> {name: values.round(4).tolist() for name, values in found.items()}
{'total_return': [-0.01, 0.08], 'max_drawdown': [-0.1, -0.1]}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.backtester.metric_list import ALIASES, METRICS
from bank_python.backtester.metrics import excess_returns
from bank_python.backtester.periods import given_periods, periods_of
from bank_python.backtester.tearsheet import make_tearsheet
from bank_python.errors import BacktestError
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["checked_metrics", "curve_metrics"]

_BLOCK = 1 << 18  # levels that are looked at together, so that they stay in the cache
_NOISE = 8.0 * float(np.finfo(np.float64).eps)  # as in metrics.py: what the rounding of levels makes of returns
_FEWEST = 3  # levels, of which there are two returns


def checked_metrics(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of metrics of a tearsheet that are numbers, each once.

    Parameters
    ----------
    names : iterable of str
        Names or short names of metrics.

    Raises
    ------
    BacktestError
        There is no such metric, or it is a date.
    """
    if isinstance(names, str):
        names = (names,)
    known = {metric.name: metric.unit for metric in METRICS} | dict.fromkeys(ALIASES, "ratio")
    found = tuple(dict.fromkeys(names))
    for name in found:
        if known.get(name, "date") == "date":
            numbers = [each for each, unit in known.items() if unit != "date"]
            hint = did_you_mean(name, numbers, "give one of a tearsheet, such as sharpe_ratio or max_drawdown")
            raise BacktestError(f"there is no metric {name!r:.40} that is a number; {hint}", name="metrics", value=name)
    return found


def curve_metrics(
    equities: ArrayLike,
    names: Iterable[str],
    dates: Sequence[dt.date] | None = None,
    *,
    initial_cash: float | None = None,
    risk_free_rate: float = RISK_FREE_RATE,
    periods_per_year: float | None = None,
) -> dict[str, FloatArray]:
    """Return metrics by name, each an array with a figure for each curve.

    Parameters
    ----------
    equities : array_like, shape (n_curves, n_bars)
        Equity at each close, in money; NaN throughout for a curve that is missing.
    names : iterable of str
        Names of metrics of a tearsheet.
    dates : sequence of date, optional
        Ascending dates of the bars.
    initial_cash : float, optional
        Money at the start; where the first equity differs from it, the difference is a first return.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal.
    periods_per_year : float, optional
        Number of periods in a year; by default inferred from the dates.

    Raises
    ------
    BacktestError
        There is no such metric, or a curve has no tearsheet.
    """
    curves = np.asarray(equities, dtype=np.float64)
    wanted = checked_metrics(names)
    periods = periods_of(dates) if periods_per_year is None else given_periods(periods_per_year, dates)
    found = {name: np.full(len(curves), np.nan) for name in wanted}
    start = curves[:, :1] if initial_cash is None else np.full((len(curves), 1), float(initial_cash))
    is_there = ~np.isnan(curves).all(axis=1)
    is_plain = np.isfinite(curves).all(axis=1) & (curves > 0.0).all(axis=1) & (curves.shape[1] >= _FEWEST)
    is_led = curves[:, 0] != start[:, 0]
    for led in (False, True):
        rows = np.flatnonzero(is_plain & (is_led == led))
        size = max(1, _BLOCK // curves.shape[1])
        for block in (rows[i : i + size] for i in range(0, len(rows), size)):
            levels = np.hstack((start[block], curves[block])) if led else curves[block]
            of_block = _Levels(levels, risk_free_rate, periods.value)
            for name in wanted:
                if name in _AT_ONCE:
                    found[name][block] = of_block.figure(name)
    others = [name for name in wanted if name not in _AT_ONCE]
    for i in np.flatnonzero(is_there):
        left = others if is_plain[i] else wanted
        if left:
            sheet = make_tearsheet(
                curves[i],
                dates,
                risk_free_rate=risk_free_rate,
                periods_per_year=periods_per_year,
                initial_capital=initial_cash,
            )
            for name in left:
                found[name][i] = float(sheet[name])
    return found


class _Levels:
    """Levels above 0 of some curves, shape (n_curves, n), and their returns."""

    def __init__(self, levels: FloatArray, risk_free_rate: float, periods: float) -> None:
        self._levels, self._periods = levels, periods
        self._returns = levels[:, 1:] / levels[:, :-1] - 1.0
        self._excess = excess_returns(self._returns, risk_free_rate, periods)
        self._known: dict[str, Any] = {}

    def figure(self, name: str) -> FloatArray:
        """Return a metric of each curve."""
        canonical = ALIASES.get(name, name)
        if canonical not in self._known:
            with np.errstate(all="ignore"):
                self._known[canonical] = _AT_ONCE[canonical](self)
        return np.asarray(self._known[canonical])

    def total_return(self) -> FloatArray:
        return np.asarray(self._levels[:, -1] / self._levels[:, 0] - 1.0)

    def final_value(self) -> FloatArray:
        return self._levels[:, -1]

    def annualized_return(self) -> FloatArray:
        growth = self._levels[:, -1] / self._levels[:, 0]
        return np.asarray(np.expm1(self._periods / self._returns.shape[1] * np.log(growth)))

    def annualized_vol(self) -> FloatArray:
        return np.asarray(np.sqrt(self._periods) * _deviation(self._returns))

    def sharpe_ratio(self) -> FloatArray:
        return np.asarray(_ratio(self._excess.mean(axis=1), _deviation(self._excess)) * np.sqrt(self._periods))

    def sortino_ratio(self) -> FloatArray:
        below = np.sqrt((np.minimum(self._excess, 0.0) ** 2).mean(axis=1))
        return np.asarray(_ratio(self._excess.mean(axis=1), below) * np.sqrt(self._periods))

    def max_drawdown(self) -> FloatArray:
        peaks = np.maximum.accumulate(self._levels, axis=1)
        return np.asarray((self._levels / peaks).min(axis=1) - 1.0)

    def calmar_ratio(self) -> FloatArray:
        return _ratio(self.figure("annualized_return"), -self.figure("max_drawdown"))

    def win_rate(self) -> FloatArray:
        return np.asarray((self._returns > 0.0).mean(axis=1))


_AT_ONCE: dict[str, Callable[[_Levels], FloatArray]] = {
    method.__name__: method
    for method in (
        *(_Levels.total_return, _Levels.final_value, _Levels.annualized_return, _Levels.annualized_vol),
        *(_Levels.sharpe_ratio, _Levels.sortino_ratio, _Levels.max_drawdown, _Levels.calmar_ratio, _Levels.win_rate),
    )
}
_AT_ONCE |= {short: _AT_ONCE[name] for short, name in ALIASES.items()}


def _deviation(values: FloatArray) -> FloatArray:
    """Return standard deviations (ddof 1), 0 where values differ by rounding only."""
    spread = values.max(axis=1) - values.min(axis=1)
    is_flat = spread <= _NOISE * (1.0 + np.abs(values).max(axis=1))
    return np.where(is_flat, 0.0, values.std(axis=1, ddof=1))


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Return ratios; by zero they are infinite, with the sign of the numerator, or NaN of zero."""
    return np.where(bottom == 0.0, np.where(top == 0.0, np.nan, np.copysign(np.inf, top)), top / bottom)

"""The tables of a tearsheet: months, years, the largest falls, and figures over a moving window."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.backtester import metrics as m
from bank_python.numerics import drawdowns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.backtester.equity_series import Comparison, EquitySeries
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = [
    "MONTHS",
    "CalendarReturn",
    "FallSpell",
    "RollingFigures",
    "calendar_returns",
    "fall_spells",
    "fall_table",
    "month_table",
    "rolling_figures",
    "rolling_table",
    "year_table",
]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {"day": "datetime64[D]", "month": "datetime64[M]", "year": "datetime64[Y]"}
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class CalendarReturn:
    """Return of a calendar day, month or year, or of the part of it that the series covers.

    Parameters
    ----------
    start : date
        First day of the calendar period.
    value : float
        Compound return, as a share.
    first, last : int
        Numbers of the levels between which it was made.
    """

    start: dt.date
    value: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class FallSpell:
    """A time below an earlier high.

    Parameters
    ----------
    depth : float
        Largest fall from the high, as a share, below 0.
    peak, trough : date or int
        Last time at the high, and time of the lowest level; numbers of values without dates.
    recovery : date or int, optional
        First time at the high again; None if there is none.
    days : float
        Calendar days from the peak to the recovery or to the end; periods without dates.
    periods : int
        Number of levels below the high.
    """

    depth: float
    peak: dt.date | int
    trough: dt.date | int
    recovery: dt.date | int | None
    days: float
    periods: int


@dataclass(frozen=True, slots=True, eq=False)
class RollingFigures:
    """Figures over a moving window of returns.

    Parameters
    ----------
    window : int
        Number of returns in the window.
    at : tuple of date or int
        Ends of the windows; numbers of values without dates.
    sharpe, vol, beta : ndarray, shape (n,)
        Sharpe ratio, annual volatility, and beta to the benchmark in each window; NaN where undefined.
    """

    window: int
    at: tuple[dt.date | int, ...]
    sharpe: FloatArray
    vol: FloatArray
    beta: FloatArray


def calendar_returns(series: EquitySeries, unit: str) -> list[CalendarReturn]:
    """Return the compound returns of calendar days, months or years, oldest first; none without dates.

    Parameters
    ----------
    series : EquitySeries
        Equity curve.
    unit : {"day", "month", "year"}
        Calendar period.
    """
    alive = series.n_alive
    if series.days is None or alive < 2:  # noqa: PLR2004 - a return
        return []
    keys = series.days[1:alive].astype(_UNITS[unit])
    last = np.flatnonzero(np.append(keys[1:] != keys[:-1], True)) + 1
    first = np.concatenate([[0], last[:-1]])
    with np.errstate(over="ignore"):
        values = series.levels[last] / series.levels[first] - 1.0
    starts = keys[last - 1].astype("datetime64[D]").tolist()
    return [CalendarReturn(*row) for row in zip(starts, values.tolist(), first.tolist(), last.tolist(), strict=True)]


def fall_spells(series: EquitySeries) -> list[FallSpell]:
    """Return the times below an earlier high, oldest first.

    Parameters
    ----------
    series : EquitySeries
        Equity curve.
    """
    falls = drawdowns(series.levels)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], falls > 0.0, [False]])))
    spells = []
    for start, stop in edges.reshape(-1, 2).tolist():
        trough = start + int(falls[start:stop].argmax())
        end = min(stop, len(falls) - 1)
        recovery = series.moment(stop) if stop < len(falls) else None
        peak = series.moment(start - 1)
        days = _days(peak, series.moment(end))
        spells.append(FallSpell(-float(falls[trough]), peak, series.moment(trough), recovery, days, stop - start))
    return spells


def rolling_figures(
    series: EquitySeries,
    comparison: Comparison | None,
    window: int | None,
    *,
    risk_free_rate: float,
    periods_per_year: float,
) -> RollingFigures | None:
    """Return Sharpe ratio, volatility and beta over a moving window; None if the series is too short.

    Parameters
    ----------
    series : EquitySeries
        Equity curve.
    comparison : Comparison, optional
        Curve and benchmark on common dates.
    window : int, optional
        Number of returns in the window, at least 3; by default half a year, or half of a series that is shorter.
    risk_free_rate : float
        Risk-free rate per year, as a decimal.
    periods_per_year : float
        Number of periods in a year.
    """
    r = series.returns
    if window is None:
        window = min(max(round(0.5 * periods_per_year), _FEWEST), len(r) // 2)
    if not _FEWEST <= window <= len(r):
        return None
    mean, variance = _moving_moments(r, r, window)
    deviation = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        sharpe = (mean - risk_free_rate / periods_per_year) / deviation * math.sqrt(periods_per_year)
    at = tuple(series.moment(i) for i in range(window, len(r) + 1))
    beta = _moving_beta(comparison, window, at)
    return RollingFigures(window, at, sharpe, deviation * math.sqrt(periods_per_year), beta)


def _moving_beta(comparison: Comparison | None, window: int, at: Sequence[dt.date | int]) -> FloatArray:
    """Return the betas at given dates; NaN where the benchmark has no whole window that ends there."""
    beta = np.full(len(at), math.nan)
    if comparison is None:
        return beta
    ours, theirs = comparison.returns
    if len(ours) < window:
        return beta
    _, covariance = _moving_moments(ours, theirs, window)
    _, variance = _moving_moments(theirs, theirs, window)
    slopes = covariance / variance
    if comparison.dates is None:
        beta[len(beta) - len(slopes) :] = slopes
        return beta
    places = {moment: i for i, moment in enumerate(at)}
    for moment, slope in zip(comparison.dates[window : len(ours) + 1], slopes.tolist(), strict=True):
        if moment in places:
            beta[places[moment]] = slope
    return beta


def _moving_moments(x: FloatArray, y: FloatArray, window: int) -> tuple[FloatArray, FloatArray]:
    """Return the means of x and the covariances (ddof 1) with y of all windows; variances of rounding only are NaN."""
    x_mean, y_mean = x.mean(), y.mean()
    a, b = x - x_mean, y - y_mean  # about the mean, so that sums of products keep their digits
    sums = [_moving_sum(values, window) for values in (a, b, a * b)]
    covariance = (sums[2] - sums[0] * sums[1] / window) / (window - 1.0)
    if x is y:
        noise = 64.0 * float(np.finfo(np.float64).eps) * float(np.abs(a).max(initial=0.0)) ** 2
        covariance = np.where(covariance > noise, covariance, math.nan)
    return x_mean + sums[0] / window, covariance


def _moving_sum(values: FloatArray, window: int) -> FloatArray:
    total = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(total[window:] - total[:-window])


def month_table(series: EquitySeries) -> Table:
    """Return a table of calendar months: a row for each year, a column for each month, and the year.

    Parameters
    ----------
    series : EquitySeries
        Equity curve.
    """
    years = {one.start.year: one.value for one in calendar_returns(series, "year")}
    rows: dict[int, dict[str, Any]] = {year: {"year": year} for year in years}
    for one in calendar_returns(series, "month"):
        rows[one.start.year][MONTHS[one.start.month - 1]] = one.value
    for year, value in years.items():
        rows[year]["total"] = value
    names = (*MONTHS, "total")
    return _table(
        [("year", int), *((name, float | None) for name in names)],
        [{name: row.get(name) for name in ("year", *names)} for row in rows.values()],
    )


def year_table(
    series: EquitySeries, comparison: Comparison | None, *, risk_free_rate: float, periods_per_year: float
) -> Table:
    """Return a table of calendar years: return, return of the benchmark, volatility, Sharpe ratio, maximum drawdown.

    Parameters
    ----------
    series : EquitySeries
        Equity curve.
    comparison : Comparison, optional
        Curve and benchmark on common dates.
    risk_free_rate : float
        Risk-free rate per year, as a decimal.
    periods_per_year : float
        Number of periods in a year.
    """
    theirs = _benchmark_years(comparison)
    rows = []
    for one in calendar_returns(series, "year"):
        inside, levels = series.returns[one.first : one.last], series.levels[one.first : one.last + 1]
        figures = {
            "return": one.value,
            "benchmark": theirs.get(one.start.year),
            "vol": m.annualized_vol(inside, periods_per_year),
            "sharpe": m.sharpe_ratio(inside, risk_free_rate, periods_per_year),
            "max_drawdown": m.max_drawdown(levels),
        }
        rows.append({"year": one.start.year, **{name: _known(value) for name, value in figures.items()}})
    names = ("return", "benchmark", "vol", "sharpe", "max_drawdown")
    return _table([("year", int), *((name, float | None) for name in names)], rows)


def _benchmark_years(comparison: Comparison | None) -> dict[int, float]:
    """Return the benchmark's returns by year, between the common dates next to the ends of the year."""
    if comparison is None or comparison.dates is None:
        return {}
    last: dict[int, float] = {}
    for moment, level in zip(comparison.dates[1:], comparison.benchmark[1:].tolist(), strict=True):
        last[moment.year] = level
    before = comparison.benchmark[0] if len(comparison.benchmark) else math.nan
    found = {}
    for year, level in last.items():
        found[year] = float(level / before - 1.0)
        before = level
    return found


def fall_table(spells: Sequence[FallSpell], *, is_dated: bool) -> Table:
    """Return a table of falls, the deepest first.

    Parameters
    ----------
    spells : sequence of FallSpell
        Times below an earlier high.
    is_dated : bool
        Whether their times are dates, or else numbers of values.
    """
    kind: Any = int
    if is_dated:
        timed = any(isinstance(one.peak, dt.datetime) for one in spells)
        kind = dt.datetime if timed else dt.date
    rows = [{name: getattr(one, name) for name in FallSpell.__dataclass_fields__} for one in spells]
    schema = [("depth", float), ("peak", kind), ("trough", kind), ("recovery", kind | None)]
    return _table([*schema, ("days", float), ("periods", int)], rows)


def rolling_table(found: RollingFigures | None) -> Table:
    """Return a table of moving figures: end of the window, Sharpe ratio, volatility, beta.

    Parameters
    ----------
    found : RollingFigures, optional
        Figures over a moving window.
    """
    kind = type(found.at[0]) if found is not None else dt.date
    rows = []
    if found is not None:
        columns = (found.sharpe.tolist(), found.vol.tolist(), found.beta.tolist())
        for at, *figures in zip(found.at, *columns, strict=True):
            rows.append({"at": at, **dict(zip(("sharpe", "vol", "beta"), map(_known, figures), strict=True))})
    return _table([("at", kind), *((name, float | None) for name in ("sharpe", "vol", "beta"))], rows)


def _days(first: dt.date | int, last: dt.date | int) -> float:
    if isinstance(first, int) or isinstance(last, int):
        return float(int(last) - int(first)) if isinstance(first, int) and isinstance(last, int) else math.nan
    return (last - first) / dt.timedelta(days=1)


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _table(schema: list[tuple[str, Any]], rows: list[dict[str, Any]]) -> Table:
    from bank_python.mntable import Table

    return Table.from_rows(schema, rows)

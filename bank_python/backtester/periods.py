"""How many periods a year has, inferred from the dates of a series.

The median time between two dates decides, so that missing days do not matter. Days, weeks, months, quarters and years
have their usual numbers: 252, 52, 12, 4, 1. A series with prices at weekends trades every day, 365 a year. Several
dates a day are bars, of which a year has as many as the median day, times its trading days.

Examples
--------
>>> import datetime as dt
>>> fridays = [dt.date(2026, 1, 2) + dt.timedelta(weeks=i) for i in range(10)]
>>> infer_periods_per_year(fridays).value
52.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.backtester.series_dates import days_of, read_dates, times_of
from bank_python.errors import BacktestError
from bank_python.results import Figures

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["PeriodsPerYear", "given_periods", "infer_periods_per_year", "periods_of"]

TRADING_DAYS, CALENDAR_DAYS = 252.0, 365.0

_DAYS_A_YEAR = 365.25
_SATURDAY = 5
_WEEKEND = 1.0 / 7.0  # half of what a market has that trades every day; sessions of Sunday evening are fewer
_FEWEST_DAYS = 3  # first and last day may be incomplete
_MOST_OF_DAYS = 1.5
_FEW, _ONE_DAY = 10, np.timedelta64(1, "D")  # of a few days the median may be a weekend
_KINDS = (
    ("week", 52.0, 5.0, 9.0),
    ("month", 12.0, 26.0, 33.0),
    ("quarter", 4.0, 85.0, 95.0),
    ("year", 1.0, 360.0, 370.0),
)


@dataclass(frozen=True, slots=True)
class PeriodsPerYear(Figures):
    """Number of return periods in a year.

    Parameters
    ----------
    value : float
        Number of periods in a year, above 0.
    period : str
        Name of one period: day, week, month, quarter, year, bar or period.
    basis : str
        Reason for the number, in words.
    """

    value: float
    period: str
    basis: str

    @property
    def is_intraday(self) -> bool:
        """Whether the periods are shorter than a day."""
        return self.period == "bar"


def given_periods(value: float, dates: Sequence[dt.date] | None) -> PeriodsPerYear:
    """Return a number of periods that was given, with the name of the period that the dates or the number say.

    Parameters
    ----------
    value : float
        Number of periods in a year, above 0.
    dates : sequence of date, optional
        Dates of the series.

    Raises
    ------
    BacktestError
        The number is not finite and above 0.
    """
    if not 0.0 < value < np.inf:
        raise BacktestError(
            f"periods_per_year={value!r} is not finite and above 0; give 252 for days, 12 for months",
            name="periods_per_year",
            value=value,
        )
    usual = {TRADING_DAYS: "day", CALENDAR_DAYS: "day"} | {number: name for name, number, _, _ in _KINDS}
    period = usual.get(value, "period") if dates is None or len(dates) < 2 else periods_of(dates).period  # noqa: PLR2004
    return PeriodsPerYear(float(value), period, f"{value:g} periods a year, as given")


@admits(BacktestError)
def infer_periods_per_year(dates: Any = None) -> PeriodsPerYear:
    """Return how many periods a year has, from the dates of a series.

    Parameters
    ----------
    dates : iterable of date, datetime, str, numpy.datetime64 or pandas.Timestamp, optional
        Ascending dates of the series; without any, the periods are taken as trading days.

    Raises
    ------
    BacktestError
        One is not a date, or is not after the one before it.
    """
    return periods_of(None if dates is None else read_dates(dates))


def periods_of(dates: Sequence[dt.date] | None) -> PeriodsPerYear:
    """Return how many periods a year has, from dates that were read before.

    Parameters
    ----------
    dates : sequence of date, optional
        Ascending dates of the series.
    """
    if dates is None or len(dates) < 2:  # noqa: PLR2004 - one spacing
        why = "no dates" if dates is None else "fewer than two dates"
        return PeriodsPerYear(TRADING_DAYS, "day", f"{why}: taken as trading days, 252 a year")
    times, days = times_of(dates), days_of(dates)
    spacing = float(np.median(np.diff(times).astype(np.float64))) / 86_400e6
    a_year, said = _days_a_year(days)
    distinct, counts = np.unique(days, return_counts=True)
    if len(distinct) < len(days) and float(np.median(counts)) > 1.0:
        bars = float(np.median(counts) if len(distinct) >= _FEWEST_DAYS else counts.max())
        how = f"bars of {_minutes(spacing)}, {bars:g} a day on {a_year:g} days ({said})"
        return PeriodsPerYear(bars * a_year, "bar", how)
    for name, number, low, high in _KINDS:
        if low <= spacing <= high:
            return PeriodsPerYear(number, name, f"one value a {name}, {number:g} a year")
    if spacing <= _MOST_OF_DAYS or (len(days) <= _FEW and spacing <= 3.0 and np.diff(days).min() <= _ONE_DAY):  # noqa: PLR2004 - a weekend
        return PeriodsPerYear(a_year, "day", f"one value a day, {a_year:g} a year ({said})")
    return PeriodsPerYear(
        _DAYS_A_YEAR / spacing, "period", f"one value in {spacing:g} days, {_DAYS_A_YEAR / spacing:.4g} a year"
    )


def _days_a_year(days: NDArray[np.datetime64]) -> tuple[float, str]:
    """Return how many days a year a market trades, by whether it does at weekends."""
    distinct = np.unique(days)
    weekday = (distinct.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    if float(np.mean(weekday >= _SATURDAY)) > _WEEKEND:
        return CALENDAR_DAYS, "weekends included"
    return TRADING_DAYS, "without weekends"


def _minutes(spacing: float) -> str:
    minutes = spacing * 1_440.0
    return f"{minutes / 60.0:g} hours" if minutes >= 120.0 else f"{minutes:.4g} minutes"  # noqa: PLR2004

"""Year fractions between two dates, by the day count conventions of the market.

Formulas take time as a float in years; contracts and desks have dates. The default convention between the two is
ACT/365F (actual days over a fixed 365), under which a leap year is 366/365 years long and fractions are additive: the
days from a to b and from b to c add up to those from a to c. Interest accrues by the convention of its contract, one
of :class:`DayCount`.

Examples
--------
>>> round(year_fraction(date(2025, 1, 31), date(2025, 7, 31), "30/360"), 6)
0.5
>>> round(year_fraction(date(2025, 1, 31), date(2025, 7, 31), DayCount.ACT_360), 6)
0.502778

References
----------
ISDA, 2006 ISDA Definitions, section 4.16: (b) Actual/Actual, (d) Actual/365 (Fixed), (e) Actual/360,
(f) 30/360, (g) 30E/360; ICMA, Rule 251.1: Actual/Actual of bonds.
"""

from __future__ import annotations

import calendar
import enum
from datetime import date, timedelta

from bank_python.errors import ModelError

__all__ = ["DayCount", "act_365f", "add_years", "year_fraction"]

_YEAR = timedelta(days=365)
_MONTH_END = 30


class DayCount(enum.Enum):
    """A day count convention: a rule for the fraction of a year between two dates."""

    ACT_365F = "ACT/365F"
    ACT_360 = "ACT/360"
    THIRTY_360 = "30/360"
    THIRTY_E_360 = "30E/360"
    ACT_ACT_ISDA = "ACT/ACT ISDA"
    ACT_ACT_ICMA = "ACT/ACT ICMA"

    @classmethod
    def parse(cls, convention: DayCount | str) -> DayCount:
        """Return the convention of a name; "ACT/ACT" stands for "ACT/ACT ISDA".

        Raises
        ------
        ModelError
            No convention has that name.
        """
        try:
            return cls("ACT/ACT ISDA" if convention == "ACT/ACT" else convention)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise ModelError(f"no day count {convention!r}; there are {known}", value=convention) from None


def year_fraction(
    start: date, end: date, convention: DayCount | str, period: tuple[date, date] | None = None, frequency: int = 1
) -> float:
    """Return the year fraction from `start` to `end`.

    Parameters
    ----------
    start, end : date
        First and last date; the result is negative if `end` is before `start`.
    convention : DayCount or str
        Day count convention or its name, such as ``"ACT/360"``.
    period : pair of date, optional
        First and last date of the coupon period that contains the two dates; `start` and `end` by default. Used by
        ACT/ACT ICMA only.
    frequency : int, default 1
        Number of coupons per year. Used by ACT/ACT ICMA only.

    Returns
    -------
    float
        Years.

    Raises
    ------
    ModelError
        The convention is not known, or the coupon period is empty.
    """
    counted = DayCount.parse(convention)
    if counted is DayCount.ACT_365F:
        return act_365f(start, end)
    if counted is DayCount.ACT_360:
        return (end - start).days / 360.0
    if counted in {DayCount.THIRTY_360, DayCount.THIRTY_E_360}:
        return _thirty_360(start, end, european=counted is DayCount.THIRTY_E_360)
    if end < start:
        return -year_fraction(end, start, counted, period, frequency)
    if counted is DayCount.ACT_ACT_ISDA:
        return _act_act_isda(start, end)
    return _act_act_icma(start, end, period or (start, end), frequency)


def _thirty_360(start: date, end: date, *, european: bool) -> float:
    first, last = min(start.day, _MONTH_END), end.day
    if european or first == _MONTH_END:
        last = min(last, _MONTH_END)
    months = 12 * (end.year - start.year) + end.month - start.month
    return (30 * months + last - first) / 360.0


def _act_act_isda(start: date, end: date) -> float:
    if start.year == end.year:
        return (end - start).days / _days_in(start.year)
    first = (date(start.year + 1, 1, 1) - start).days / _days_in(start.year)
    last = (end - date(end.year, 1, 1)).days / _days_in(end.year)
    return first + (end.year - start.year - 1) + last


def _act_act_icma(start: date, end: date, period: tuple[date, date], frequency: int) -> float:
    length = (period[1] - period[0]).days
    if length <= 0 and start != end:
        raise ModelError(
            f"the coupon period {period[0]} to {period[1]} has no days; give its first and last date", value=period
        )
    return 0.0 if start == end else (end - start).days / (frequency * length)


def _days_in(year: int) -> int:
    return 366 if calendar.isleap(year) else 365


def act_365f(start: date, end: date) -> float:
    """Return the years from `start` to `end` as actual days over 365.

    Parameters
    ----------
    start, end : date or datetime
        Two dates, or two datetimes, whose time of day then counts; give both in UTC.

    Returns
    -------
    float
        Years; negative if `end` is before `start`.

    Raises
    ------
    TypeError
        One is a date and the other a datetime, or only one of two datetimes has a time zone.

    Examples
    --------
    >>> act_365f(date(2024, 1, 1), date(2025, 1, 1))
    1.0027397260273974
    """
    return (end - start) / _YEAR


def add_years(start: date, years: float) -> date:
    """Return the date `years` after `start`: the inverse of :func:`act_365f`, rounded to whole days.

    Parameters
    ----------
    start : date or datetime
        First date; the time of day of a datetime is preserved.
    years : float
        Number of years of 365 days; may be negative.

    Returns
    -------
    date or datetime
        Same type as `start`. Half a day is rounded to an even number of days.

    Raises
    ------
    ValueError
        `years` is NaN.
    OverflowError
        The date is outside the years 1 to 9999.

    Examples
    --------
    >>> add_years(date(2025, 3, 31), 5.0)
    datetime.date(2030, 3, 30)
    """
    return start + timedelta(days=round(years * _YEAR.days))

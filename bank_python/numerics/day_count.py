"""Time as a number: the year fraction between two dates, ACT/365F.

Formulas know time as years in a float; contracts and desks know dates. The house convention between the
two is ACT/365F (actual days over a fixed 365), under which a leap year is 366/365 of a year long and
fractions add up: from a to b and from b to c is exactly from a to c in days.

References
----------
ISDA, 2006 ISDA Definitions, section 4.16(d), "Actual/365 (Fixed)".
"""

from __future__ import annotations

from datetime import date, timedelta

__all__ = ["act_365f", "add_years"]

_YEAR = timedelta(days=365)


def act_365f(start: date, end: date) -> float:
    """Return the years from `start` to `end`, actual days over 365.

    Parameters
    ----------
    start, end : date or datetime
        Both dates, or both datetimes (then with the part of the day; give both in UTC).

    Returns
    -------
    float
        Years; negative when `end` is before `start`.

    Raises
    ------
    TypeError
        One is a date and the other a datetime, or one datetime has a time zone and the other none.

    Examples
    --------
    >>> act_365f(date(2024, 1, 1), date(2025, 1, 1))
    1.0027397260273974
    """
    return (end - start) / _YEAR


def add_years(start: date, years: float) -> date:
    """Return the day `years` after `start`: the inverse of :func:`act_365f`, to the nearest whole day.

    Parameters
    ----------
    start : date or datetime
        A datetime keeps its time of day.
    years : float
        Years of 365 days; may be negative.

    Returns
    -------
    date or datetime
        Like `start`. Half a day rounds to the even number of days.

    Raises
    ------
    ValueError
        `years` is NaN.
    OverflowError
        The day lies outside the years 1 to 9999.

    Examples
    --------
    >>> add_years(date(2025, 3, 31), 5.0)
    datetime.date(2030, 3, 30)
    """
    return start + timedelta(days=round(years * _YEAR.days))

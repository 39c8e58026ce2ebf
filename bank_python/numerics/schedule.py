"""Schedules: the dates between which interest accrues, and on which it is paid.

A schedule steps by a *tenor* from one end of a contract, backward from its maturity unless said otherwise, so that
what is left over, the stub, comes first. Steps are counted from that end each time (31 January, 28 February, 31
March), never from the step before, and only then moved to business days.

Examples
--------
>>> from bank_python.numerics.calendars import WEEKENDS_ONLY
>>> schedule = make_schedule(date(2025, 1, 15), date(2026, 3, 15), "6M", WEEKENDS_ONLY)
>>> [day.isoformat() for day in schedule.dates]
['2025-01-15', '2025-03-17', '2025-09-15', '2026-03-16']
>>> Tenor.parse("1M").after(date(2025, 1, 31))
datetime.date(2025, 2, 28)

References
----------
ISDA, 2006 ISDA Definitions, sections 4.10 to 4.12: period end dates and business day conventions.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from bank_python.errors import ModelError
from bank_python.numerics.calendars import Calendar, Roll

__all__ = ["Schedule", "Tenor", "make_schedule"]

_FORM = re.compile(r"(\d+)([DWMY])")
_MONTHS = {"M": 1, "Y": 12}
_DAYS = {"D": 1, "W": 7}
_DAYS_A_YEAR = 365.0
_MONTHS_A_YEAR = 12.0


@dataclass(frozen=True, slots=True)
class Tenor:
    """A length of time by the calendar: so many months, or so many days."""

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: Tenor | str) -> Tenor:
        """Read a tenor such as ``"1D"``, ``"2W"``, ``"3M"`` or ``"10Y"``.

        Raises
        ------
        ModelError
            It is not one.
        """
        if isinstance(text, Tenor):
            return text
        match = _FORM.fullmatch(text.strip().upper()) if isinstance(text, str) else None  # type: ignore[redundant-expr]
        if match is None or not int(match[1]):
            raise ModelError(
                f"{text!r} is no tenor; write a number and D, W, M or Y, such as '3M' or '10Y'", value=text
            )
        count, unit = int(match[1]), match[2]
        return cls(months=count * _MONTHS[unit]) if unit in _MONTHS else cls(days=count * _DAYS[unit])

    @property
    def years(self) -> float:
        """About how long it is: a twelfth of a year a month, a 365th a day."""
        return self.months / _MONTHS_A_YEAR + self.days / _DAYS_A_YEAR

    def after(self, day: date, times: int = 1) -> date:
        """Return the day so many of these after `day`; a month that is too short gives its last day."""
        year, month = divmod(day.year * 12 + day.month - 1 + times * self.months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last)) + timedelta(days=times * self.days)

    def __str__(self) -> str:
        if self.months:
            return f"{self.months // 12}Y" if self.months % 12 == 0 else f"{self.months}M"
        return f"{self.days // 7}W" if self.days % 7 == 0 else f"{self.days}D"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The dates of a leg.

    Parameters
    ----------
    dates : tuple of date
        The ends of its periods, moved to business days: one more than there are periods.
    """

    dates: tuple[date, ...]

    @property
    def starts(self) -> tuple[date, ...]:
        """The first day of each period."""
        return self.dates[:-1]

    @property
    def ends(self) -> tuple[date, ...]:
        """The last day of each period, on which it is paid."""
        return self.dates[1:]


def make_schedule(
    start: date,
    end: date,
    every: Tenor | str,
    business_days: Calendar,
    roll: Roll | str = Roll.MODIFIED_FOLLOWING,
    *,
    forward: bool = False,
    end_of_month: bool = False,
) -> Schedule:
    """Return the schedule from `start` to `end`.

    Parameters
    ----------
    start, end : date
        Of the first and the last period, before they are moved.
    every : Tenor or str
        The length of a period.
    business_days : Calendar
        Of the market.
    roll : Roll or str, default modified following
        How dates are moved.
    forward : bool, default False
        Step from `start`, so that the stub comes last.
    end_of_month : bool, default False
        If the day stepped from is the last of its month, every one is.

    Raises
    ------
    ModelError
        `end` is not after `start`, or the tenor is none.
    """
    step = Tenor.parse(every)
    if end <= start:
        raise ModelError(f"a schedule from {start} to {end} has no days; give an end after the start", value=end)
    seed, limit, sign = (start, end, 1) if forward else (end, start, -1)
    stick = end_of_month and bool(step.months) and (seed + timedelta(days=1)).month != seed.month
    days, times = [seed], 1
    while True:
        day = step.after(seed, sign * times)
        day = _month_end(day) if stick else day
        if sign * (day - limit).days >= 0:
            break
        days.append(day)
        times += 1
    moved = [business_days.adjust(day, roll) for day in sorted([*days, limit])]
    return Schedule(tuple(dict.fromkeys(moved)))


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])

"""Schedules: the accrual and payment dates of a leg.

A schedule is generated in steps of a *tenor* from one end of a contract, by default backward from its maturity, so that
an incomplete period, the stub, comes first. Each date is a multiple of the tenor from that end (31 January, 28
February, 31 March), not a tenor from the previous date, and is then moved to a business day.

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

from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.calendars import Calendar, Roll

__all__ = ["Schedule", "Tenor", "make_schedule"]

_FORM = re.compile(r"(\d+)([DWMY])")
_MONTHS = {"M": 1, "Y": 12}
_DAYS = {"D": 1, "W": 7}
_DAYS_A_YEAR = 365.0
_MONTHS_A_YEAR = 12.0


@dataclass(frozen=True, slots=True)
class Tenor(Record):
    """A calendar period: a number of months, or a number of days."""

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: Tenor | str) -> Tenor:
        """Read a tenor such as ``"1D"``, ``"2W"``, ``"3M"`` or ``"10Y"``.

        Raises
        ------
        ModelError
            The text is not a tenor.
        """
        if isinstance(text, Tenor):
            return text
        match = _FORM.fullmatch(text.strip().upper()) if isinstance(text, str) else None  # type: ignore[redundant-expr]
        if match is None or not int(match[1]):
            raise ModelError(f"{text!r} is no tenor; give a number and D, W, M or Y, such as '3M' or '10Y'", value=text)
        count, unit = int(match[1]), match[2]
        return cls(months=count * _MONTHS[unit]) if unit in _MONTHS else cls(days=count * _DAYS[unit])

    @property
    def years(self) -> float:
        """The approximate length in years: a twelfth for each month, 1/365 for each day."""
        return self.months / _MONTHS_A_YEAR + self.days / _DAYS_A_YEAR

    def after(self, day: date, times: int = 1) -> date:
        """Return the date `times` tenors after `day`; the last day of the month if the month is too short."""
        year, month = divmod(day.year * 12 + day.month - 1 + times * self.months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last)) + timedelta(days=times * self.days)

    def __str__(self) -> str:
        if self.months:
            return f"{self.months // 12}Y" if self.months % 12 == 0 else f"{self.months}M"
        return f"{self.days // 7}W" if self.days % 7 == 0 else f"{self.days}D"


@dataclass(frozen=True, slots=True)
class Schedule(Record):
    """The period dates of a leg.

    Parameters
    ----------
    dates : tuple of date
        Start date of the first period and end dates of all periods, moved to business days.
    """

    dates: tuple[date, ...]

    @property
    def starts(self) -> tuple[date, ...]:
        """The first day of each period."""
        return self.dates[:-1]

    @property
    def ends(self) -> tuple[date, ...]:
        """The last day of each period, which is its payment date."""
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
    """Generate the schedule from `start` to `end`.

    Parameters
    ----------
    start, end : date
        Start of the first and end of the last period, before adjustment to business days.
    every : Tenor or str
        Length of a period, such as ``"6M"``.
    business_days : Calendar
        Business day calendar of the market.
    roll : Roll or str, default "modified following"
        Business day convention by which dates are moved.
    forward : bool, default False
        Whether to step forward from `start`, so that the stub is the last period, instead of backward from `end`.
    end_of_month : bool, default False
        Whether all dates are the last of their month if the date stepped from is.

    Raises
    ------
    ModelError
        `end` is not after `start`, or `every` is not a tenor.
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

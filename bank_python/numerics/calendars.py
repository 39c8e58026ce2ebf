"""Business day calendars, and the conventions that move a date to a business day.

A calendar is a weekend and a rule that gives the holidays of a year. A contract's dates are moved by one of the
:class:`Roll` conventions: *modified following*, the usual one, takes the next business day, or the preceding one where
the next lies in another month.

Examples
--------
>>> TARGET.adjust(date(2025, 5, 31), Roll.MODIFIED_FOLLOWING)
datetime.date(2025, 5, 30)
>>> NEW_YORK.advance(date(2025, 7, 3), 1)  # over Independence Day and the weekend
datetime.date(2025, 7, 7)

References
----------
European Central Bank, "TARGET closing days" (14 December 2000: the long-term calendar from 2002).

US Code, title 5, section 6103 (federal holidays); NYSE Rule 7.2 (holidays of the exchange) and its notices of
special closings.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

from bank_python.display import Record

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NEW_YORK", "NYSE", "TARGET", "WEEKENDS_ONLY", "Calendar", "Roll"]

_DAY = timedelta(days=1)
_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6


class Roll(enum.Enum):
    """A business day convention: how a date that is not a business day is moved."""

    UNADJUSTED = "unadjusted"
    FOLLOWING = "following"
    MODIFIED_FOLLOWING = "modified following"
    PRECEDING = "preceding"
    MODIFIED_PRECEDING = "modified preceding"


@dataclass(frozen=True, slots=True)
class Calendar(Record):
    """The business days of a market: Monday to Friday except its holidays.

    Parameters
    ----------
    name : str
        Name of the calendar, as it is shown and stored.
    holidays : callable
        Function from a year to the set of its holidays. Holidays that fall on a weekend have no effect.
    """

    name: str
    holidays: Callable[[int], frozenset[date]]

    def is_business_day(self, day: date) -> bool:
        """Return whether `day` is a business day."""
        return day.weekday() < _SATURDAY and day not in self.holidays(day.year)

    def adjust(self, day: date, roll: Roll | str = Roll.FOLLOWING) -> date:
        """Return `day` if it is a business day, else the business day that the convention `roll` moves it to."""
        rule = Roll(roll)
        if rule is Roll.UNADJUSTED or self.is_business_day(day):
            return day
        forward = rule in {Roll.FOLLOWING, Roll.MODIFIED_FOLLOWING}
        moved = self._next(day, _DAY if forward else -_DAY)
        if moved.month != day.month and rule in {Roll.MODIFIED_FOLLOWING, Roll.MODIFIED_PRECEDING}:
            return self._next(day, -_DAY if forward else _DAY)
        return moved

    def advance(self, day: date, business_days: int) -> date:
        """Return the date `business_days` business days after `day`, before it if negative.

        For 0 it is `day` itself if that is a business day, else the next business day.
        """
        if not business_days:
            return self.adjust(day)
        step = _DAY if business_days > 0 else -_DAY
        for _ in range(abs(business_days)):
            day = self._next(day, step)
        return day

    def _next(self, day: date, step: timedelta) -> date:
        day += step
        while not self.is_business_day(day):
            day += step
        return day


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last_monday(year: int, month: int) -> date:
    day = date(year, month + 1, 1) - _DAY
    return day - timedelta(days=day.weekday())


def _observed(day: date) -> date:
    """Return the day on which a holiday is observed: the Friday before a Saturday, the Monday after a Sunday."""
    return day - _DAY if day.weekday() == _SATURDAY else day + _DAY if day.weekday() == _SUNDAY else day


def _easter_sunday(year: int) -> date:
    # The Gregorian computus in the form of the "anonymous" algorithm (Nature, 20 April 1876).
    a, b, c = year % 19, year // 100, year % 100
    d, e, f = b // 4, b % 4, (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@cache
def _target(year: int) -> frozenset[date]:
    days = {date(year, 1, 1), date(year, 12, 25)}
    if year >= 2000:  # noqa: PLR2004 - the first year of the present TARGET calendar
        easter = _easter_sunday(year)
        days |= {easter - 2 * _DAY, easter + _DAY, date(year, 5, 1), date(year, 12, 26)}
    if year in {1998, 1999, 2001}:
        days.add(date(year, 12, 31))
    return frozenset(days)


_JUNETEENTH = 2022  # the first year in which markets observed it


def _shared(year: int) -> set[date]:
    """Return the holidays that New York's banks and its exchange have in common, except New Year."""
    days = {
        _nth(year, 2, _MONDAY, 3),
        _last_monday(year, 5),
        _observed(date(year, 7, 4)),
        _nth(year, 9, _MONDAY, 1),
        _nth(year, 11, _THURSDAY, 4),
        _observed(date(year, 12, 25)),
    }
    return days | {_observed(date(year, 6, 19))} if year >= _JUNETEENTH else days


@cache
def _new_york(year: int) -> frozenset[date]:
    new_years = {_observed(date(year, 1, 1)), _observed(date(year + 1, 1, 1))}
    federal = {_nth(year, 1, _MONDAY, 3), _nth(year, 10, _MONDAY, 2), _observed(date(year, 11, 11))}
    return frozenset(new_years | federal | _shared(year))


_CLOSED = frozenset(
    {
        date(1994, 4, 27),  # President Nixon's funeral
        *(date(2001, 9, day) for day in (11, 12, 13, 14)),
        date(2004, 6, 11),  # President Reagan's
        date(2007, 1, 2),  # President Ford's
        date(2012, 10, 29),  # Hurricane Sandy
        date(2012, 10, 30),
        date(2018, 12, 5),  # President G. H. W. Bush's
        date(2025, 1, 9),  # President Carter's
    }
)
_MARTIN_LUTHER_KING = 1998  # the first year in which the exchange observed the day


@cache
def _nyse(year: int) -> frozenset[date]:
    first = date(year, 1, 1)
    days = _shared(year) | {_easter_sunday(year) - 2 * _DAY, first + _DAY if first.weekday() == _SUNDAY else first}
    if year >= _MARTIN_LUTHER_KING:
        days.add(_nth(year, 1, _MONDAY, 3))
    return frozenset(days | _CLOSED)


def _none(year: int) -> frozenset[date]:  # noqa: ARG001 - a rule takes a year
    return frozenset()


WEEKENDS_ONLY = Calendar("weekends only", _none)
"""A calendar without holidays, as used by credit default swaps and the ISDA standard curve."""

TARGET = Calendar("TARGET", _target)
"""Settlement days of the euro."""

NEW_YORK = Calendar("New York", _new_york)
"""Settlement days of the US dollar: US bank holidays."""

NYSE = Calendar("NYSE", _nyse)
"""Trading days of the New York Stock Exchange, from 1990."""

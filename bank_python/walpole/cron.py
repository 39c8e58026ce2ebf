"""Cron expressions: five fields that specify minutes of the calendar, in UTC.

::

    minute  hour  day-of-month  month  day-of-week
    0-59    0-23  1-31          1-12   0-7 (0 and 7 are Sunday)

A field is ``*``, a number, a range ``a-b``, a stepped range ``*/n`` or ``a-b/n``, or a comma-separated list of these;
months and weekdays also have names (``JAN``, ``MON``). The day fields follow Vixie cron: when both are restricted, a
day matches if *either* field does; when one of them starts with ``*``, *both* must match.

>>> from datetime import UTC, datetime
>>> CronExpression("30 8 * * MON-FRI").next_after(datetime(2026, 1, 2, 9, 0, tzinfo=UTC)).isoformat()
'2026-01-05T08:30:00+00:00'
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bank_python.display import Record
from bank_python.errors import JobConfigError
from bank_python.guessing import guessable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CronExpression"]

_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_WEEKDAYS = {name: number for number, name in enumerate(_WEEKDAY_NAMES)}
# The Gregorian calendar, weekdays included, repeats every 400 years.
_MONTHS_IN_CYCLE = 400 * 12
_LONGEST = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class _Field:
    """Range and names of one of the five fields."""

    label: str
    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict)

    def parse(self, text: str) -> frozenset[int]:
        values: set[int] = set()
        for part in text.split(","):
            values.update(self._part(part))
        return frozenset(values)

    def _part(self, part: str) -> range:
        body, slash, step_text = part.partition("/")
        step = self._step(step_text, part) if slash else 1
        if body == "*":
            return range(self.low, self.high + 1, step)
        first_text, dash, last_text = body.partition("-")
        first = self._number(first_text, part)
        if not dash:
            if slash:
                raise self._refusal(part, f"a step needs a range; write {first}-{self.high}/{step}")
            return range(first, first + 1)
        last = self._number(last_text, part)
        if first > last:
            raise self._refusal(part, "a range goes from low to high; write two ranges, with a comma")
        return range(first, last + 1, step)

    def _step(self, text: str, part: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise self._refusal(part, "give a step that is a whole number of at least 1")
        return int(text)

    def _number(self, text: str, part: str) -> int:
        named = self.names.get(text.upper())
        if named is not None:
            return named
        if not (text.isascii() and text.isdigit() and self.low <= int(text) <= self.high):
            names = f" or a name ({', '.join(self.names)})" if self.names else ""
            raise self._refusal(part, f"give a whole number from {self.low} to {self.high}{names}")
        return int(text)

    def _refusal(self, part: str, advice: str) -> JobConfigError:
        return JobConfigError(f"cron {self.label} field: {part!r} is not valid; {advice}", value=part)


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day-of-month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 0, 7, _WEEKDAYS),
)


@guessable
@dataclass(frozen=True)
class CronExpression(Record):
    """A parsed cron expression.

    Parameters
    ----------
    text : str
        Cron expression of five fields separated by blanks.

    Raises
    ------
    JobConfigError
        A field is not valid, or no day of any year matches (``0 0 30 2 *``).

    References
    ----------
    The rules are those of Paul Vixie's cron, crontab(5), ISC Cron 4.1.

    Examples
    --------
    >>> CronExpression("0 0 29 2 *").next_after(datetime(2025, 1, 1, tzinfo=UTC)).date().isoformat()
    '2028-02-29'
    """

    text: str

    def __post_init__(self) -> None:
        text: Any = self.text
        if not isinstance(text, str):
            raise JobConfigError(f"cron={text!r} is not a string; give five fields, e.g. '0 7 * * MON-FRI'")
        parts = text.split()
        if len(parts) != len(_FIELDS):
            raise JobConfigError(
                f"cron={text!r} has {len(parts)} fields, not 5; "
                "give minute hour day-of-month month day-of-week, e.g. '0 7 * * MON-FRI'",
                value=text,
            )
        self._refuse_never()

    @cached_property
    def _parsed(self) -> tuple[frozenset[int], ...]:
        return tuple(rule.parse(part) for rule, part in zip(_FIELDS, self.text.split(), strict=True))

    @cached_property
    def _minutes(self) -> tuple[int, ...]:
        return tuple(sorted(self._parsed[0]))

    @cached_property
    def _hours(self) -> tuple[int, ...]:
        return tuple(sorted(self._parsed[1]))

    @property
    def _days(self) -> frozenset[int]:
        return self._parsed[2]

    @property
    def _months(self) -> frozenset[int]:
        return self._parsed[3]

    @cached_property
    def _weekdays(self) -> frozenset[int]:
        return frozenset(day % 7 for day in self._parsed[4])

    @cached_property
    def _either_day(self) -> bool:
        """Whether days of the month and of the week are both restricted, so that a match of either is enough."""
        parts = self.text.split()
        return not (parts[2].startswith("*") or parts[4].startswith("*"))

    def _refuse_never(self) -> None:
        # If either day is enough, the weekdays always occur; otherwise some month must have such a day.
        if any(min(self._days) <= _LONGEST[month] for month in self._months) or self._either_day:
            return
        raise JobConfigError(
            f"cron={self.text!r} never matches: none of its months has such a day; change the day or the month",
            value=self.text,
        )

    def matches(self, moment: datetime) -> bool:
        """Whether the expression matches the minute of `moment`, a timezone-aware datetime.

        Raises
        ------
        JobConfigError
            `moment` has no time zone.
        """
        moment = _in_utc(moment)
        return (
            moment.minute in self._minutes
            and moment.hour in self._hours
            and moment.month in self._months
            and self._day_matches(moment.day, moment.isoweekday() % 7)
        )

    def next_after(self, moment: datetime) -> datetime:
        """Return the first matching minute strictly after `moment`.

        Parameters
        ----------
        moment : datetime
            Time after which to search, timezone-aware.

        Returns
        -------
        datetime
            First matching minute in UTC, with seconds and microseconds zero.

        Raises
        ------
        JobConfigError
            `moment` has no time zone.
        """
        start = _in_utc(moment).replace(second=0, microsecond=0) + timedelta(minutes=1)
        first = next(self._days_from(start))
        if first.date() == start.date():
            time = self._time_from(start.hour, start.minute)
            if time is not None:
                return first.replace(hour=time[0], minute=time[1])
            first = next(self._days_from(start.replace(hour=0, minute=0) + timedelta(days=1)))
        return first.replace(hour=self._hours[0], minute=self._minutes[0])

    def _days_from(self, start: datetime) -> Iterator[datetime]:
        """Yield the matching days, at midnight, beginning with the day of `start`."""
        for count in range(start.month - 1, start.month + _MONTHS_IN_CYCLE):
            year, month = start.year + count // 12, count % 12 + 1
            if month not in self._months:
                continue
            first_weekday, length = calendar.monthrange(year, month)
            earliest = start.day if (year, month) == (start.year, start.month) else 1
            for day in range(earliest, length + 1):
                # monthrange counts weekdays from Monday, cron from Sunday.
                if self._day_matches(day, (first_weekday + day) % 7):
                    yield datetime(year, month, day, tzinfo=UTC)

    def _day_matches(self, day: int, weekday: int) -> bool:
        in_month, in_week = day in self._days, weekday in self._weekdays
        return in_month or in_week if self._either_day else in_month and in_week

    def _time_from(self, hour: int, minute: int) -> tuple[int, int] | None:
        """Return the first matching (hour, minute) of a day that is not before the given one."""
        return next(((h, m) for h in self._hours for m in self._minutes if (h, m) >= (hour, minute)), None)

    def __str__(self) -> str:
        return self.text


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise JobConfigError(
            f"{moment!r} has no time zone; give one, e.g. moment.replace(tzinfo=datetime.UTC)", value=moment
        )
    return moment.astimezone(UTC)

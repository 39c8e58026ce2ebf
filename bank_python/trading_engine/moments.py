"""When something happened: dates, or times with a zone, read from what holds them and put in order.

Examples
--------
>>> moment_of("2026-01-05"), is_before(moment_of("2026-01-05"), moment_of("2026-01-06T09:30:00+00:00"))
(datetime.date(2026, 1, 5), True)
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from bank_python.errors import RiskError, TradingError
from bank_python.numerics.observation_dates import checked_dates
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["checked_time", "is_before", "moment_of", "place_in_time", "present_time"]


def moment_of(when: Any, of: str = "when") -> dt.date:
    """Return a moment as a date, or as a time with a zone.

    A time without a zone is a date if it is midnight, as days are in pandas, and UTC otherwise.

    Parameters
    ----------
    when : date, datetime, numpy.datetime64, pandas.Timestamp or str
        Moment; text in the form of ISO 8601.
    of : str, default "when"
        Name of the thing that it belongs to, for messages.

    Raises
    ------
    TradingError
        It is no moment.
    """
    try:
        read = _read(when) if isinstance(when, str) else when
        if read.__class__ is dt.date or (read.__class__ is dt.datetime and read.tzinfo is not None):
            return read  # most are: the general way takes longer than all else of an event
        return checked_dates([read], 1)[0]
    except (RiskError, ValueError, TypeError) as error:
        said = f"{of}: when={when!r} is not a date; give a date, or a datetime with a time zone, or its ISO 8601 text"
        raise TradingError(said, name="when", value=when) from error


def _read(text: str) -> dt.date:
    only_date = len(text) <= len("2026-01-05")
    return dt.date.fromisoformat(text) if only_date else dt.datetime.fromisoformat(text)


def is_before(first: dt.date, second: dt.date) -> bool:
    """Whether a moment is earlier than another one; two moments on one date are only compared if both have a time."""
    if isinstance(first, dt.datetime) and isinstance(second, dt.datetime):
        return first < second
    return _day(first) < _day(second)


def checked_time(moment: Any, of: str) -> dt.datetime:
    """Return a time in UTC.

    Parameters
    ----------
    moment : datetime
        Time with a zone.
    of : str
        Name of the thing that it belongs to, for messages.

    Raises
    ------
    TradingError
        It is no time, or has no zone.
    """
    if moment.__class__ is dt.datetime and moment.tzinfo is dt.UTC:
        return moment  # most are
    if not isinstance(moment, dt.datetime) or moment.utcoffset() is None:
        raise TradingError(f"the {of} says {moment!r:.60}; return a datetime in UTC", name="when", value=moment)
    return moment.astimezone(dt.UTC)


def present_time(clock: Callable[[], Any], of: str) -> dt.datetime:
    """Return the time of a clock in UTC.

    Parameters
    ----------
    clock : callable
        Function that returns the present time; as the code of users it may raise or return anything.
    of : str
        Name of the thing that has the clock, for messages.

    Raises
    ------
    TradingError
        The clock raises, or returns no time with a zone.
    """
    try:
        moment = clock()
    except Exception as error:
        raise TradingError(
            f"the clock of the {of} raised {type(error).__name__}: {message_of(error)}", name="clock"
        ) from error
    return checked_time(moment, f"clock of the {of}")


def place_in_time(when: dt.date) -> dt.datetime:
    """Return the time by which moments are sorted; a date is the midnight at its beginning, UTC."""
    if isinstance(when, dt.datetime):
        return when
    return dt.datetime.combine(when, dt.time(), dt.UTC)


def _day(when: dt.date) -> dt.date:
    return when.date() if isinstance(when, dt.datetime) else when

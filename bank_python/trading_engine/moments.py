"""When something happened: dates, or times with a zone, read from what holds them and put in order.

Examples
--------
>>> moment_of("2026-01-05"), is_before(moment_of("2026-01-05"), moment_of("2026-01-06T09:30:00+00:00"))
(datetime.date(2026, 1, 5), True)
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from bank_python.errors import RiskError, TradingError
from bank_python.numerics.observation_dates import checked_dates

__all__ = ["is_before", "moment_of", "place_in_time"]


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


def place_in_time(when: dt.date) -> dt.datetime:
    """Return the time by which moments are sorted; a date is the midnight at its beginning, UTC."""
    if isinstance(when, dt.datetime):
        return when
    return dt.datetime.combine(when, dt.time(), dt.UTC)


def _day(when: dt.date) -> dt.date:
    return when.date() if isinstance(when, dt.datetime) else when

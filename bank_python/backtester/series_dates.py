"""Dates of a series: from whatever holds them to plain dates, and to arrays of times and of days."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import BacktestError, RiskError
from bank_python.numerics.observation_dates import checked_dates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["days_of", "read_dates", "times_of"]

_DAY_LENGTH = 10  # of 2026-01-05
_EPOCH = dt.date(1970, 1, 1).toordinal()


def read_dates(dates: Any) -> tuple[dt.date, ...]:
    """Return ascending dates as plain dates, or as datetimes with a time zone unless all are at midnight.

    Parameters
    ----------
    dates : iterable of date, datetime, str, numpy.datetime64 or pandas.Timestamp
        Dates of the series; text in ISO 8601.

    Raises
    ------
    BacktestError
        One is not a date, or is not after the one before it.
    """
    if isinstance(dates, str) or not hasattr(dates, "__iter__"):
        raise BacktestError(f"dates={dates!r} are no list of dates; give a date for each value", name="dates")
    array = dates.to_numpy() if hasattr(dates, "to_numpy") else dates
    if getattr(getattr(array, "dtype", None), "kind", "") == "M":
        if np.isnat(array).any():
            raise BacktestError(f"date {int(np.isnat(array).argmax())} is missing; leave that row out", name="dates")
        array = array.astype("datetime64[us]").tolist()
    plain = [_from_text(date) if isinstance(date, str) else date for date in array]
    try:
        return _as_days(checked_dates(plain, len(plain)))
    except RiskError as error:
        raise BacktestError(f"dates: {error}", name="dates", value=error.value) from error


def _as_days(dates: tuple[dt.date, ...]) -> tuple[dt.date, ...]:
    """Return datetimes that are all at midnight as days, which is what they mean in series of days."""
    midnight = dt.time()
    if all(isinstance(date, dt.datetime) and date.time() == midnight for date in dates):
        return tuple(date.date() for date in dates if isinstance(date, dt.datetime))
    return dates


def times_of(dates: Sequence[dt.date]) -> NDArray[np.datetime64]:
    """Return dates as times in UTC, in microseconds.

    Parameters
    ----------
    dates : sequence of date or datetime
        Dates, as :func:`read_dates` returns them.
    """
    days = days_of([date.astimezone(dt.UTC) if isinstance(date, dt.datetime) else date for date in dates])
    since = np.array([_since_midnight(date) for date in dates], dtype="timedelta64[us]")
    return np.asarray(days.astype("datetime64[us]") + since)


def days_of(dates: Sequence[dt.date]) -> NDArray[np.datetime64]:
    """Return the days of dates, each in its own time zone.

    Parameters
    ----------
    dates : sequence of date or datetime
        Dates, as :func:`read_dates` returns them.
    """
    # By ordinals, as numpy takes ten times as long to read objects.
    ordinals = np.array([date.toordinal() for date in dates], dtype=np.int64)
    return (ordinals - _EPOCH).astype("datetime64[D]")


def _since_midnight(date: dt.date) -> int:
    """Return the microseconds since midnight in UTC; 0 for a date."""
    if not isinstance(date, dt.datetime):
        return 0
    time = date.astimezone(dt.UTC)
    return ((time.hour * 60 + time.minute) * 60 + time.second) * 1_000_000 + time.microsecond


def _from_text(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text) if len(text) <= _DAY_LENGTH else dt.datetime.fromisoformat(text)
    except ValueError:
        raise BacktestError(
            f"{text!r} is not a date; give one such as '2026-01-05'", name="dates", value=text
        ) from None

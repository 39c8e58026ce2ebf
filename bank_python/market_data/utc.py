"""Conversion of dates and time stamps of any kind to a ``datetime`` in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np

from bank_python.errors import FeedConfigError

__all__ = ["as_utc", "utc_now"]


def utc_now() -> datetime:
    """Return the current time, timezone-aware, UTC: the default of all ``now`` parameters."""
    return datetime.now(UTC)


def as_utc(value: Any) -> datetime:
    """Return `value` as a timezone-aware UTC ``datetime``.

    Parameters
    ----------
    value : datetime, date, numpy.datetime64 or pandas.Timestamp
        Time stamp or date. A timezone-aware stamp is converted, a naive one is taken as UTC, and a date becomes
        midnight. Fractions of a microsecond are truncated.

    Raises
    ------
    FeedConfigError
        `value` has none of these types, or is not a time (NaT).

    Examples
    --------
    >>> from datetime import date
    >>> as_utc(date(2020, 3, 16))
    datetime.datetime(2020, 3, 16, 0, 0, tzinfo=datetime.timezone.utc)
    """
    stamp = value
    if isinstance(stamp, np.datetime64):
        stamp = stamp.astype("datetime64[us]").item()
    elif hasattr(stamp, "to_pydatetime"):  # pandas is optional, so its type cannot be imported for a check
        stamp = stamp.to_pydatetime(warn=False)
    if not isinstance(stamp, date) or stamp != stamp:  # noqa: PLR0124  (NaT is the one date unequal to itself)
        raise FeedConfigError(f"{value!r} is not a date: give a datetime, a date or a numpy.datetime64", value=value)
    if not isinstance(stamp, datetime):
        return datetime.combine(stamp, time(), tzinfo=UTC)
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)

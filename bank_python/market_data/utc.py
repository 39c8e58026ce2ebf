"""One kind of time stamp: whatever a table or a vendor calls a date becomes a ``datetime`` in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np

from bank_python.errors import FeedConfigError

__all__ = ["as_utc", "utc_now"]


def utc_now() -> datetime:
    """Return the present moment, timezone-aware, UTC: the default clock wherever one can be passed in."""
    return datetime.now(UTC)


def as_utc(value: Any) -> datetime:
    """Return `value` as a timezone-aware UTC ``datetime``.

    Parameters
    ----------
    value : datetime, date, numpy.datetime64 or pandas.Timestamp
        An aware stamp is converted, a naive one is taken to be UTC already, a date becomes its midnight.
        What is finer than a microsecond is cut off.

    Raises
    ------
    FeedConfigError
        `value` is none of these, or is not a time (NaT).

    Examples
    --------
    >>> from datetime import date
    >>> as_utc(date(2020, 3, 16))
    datetime.datetime(2020, 3, 16, 0, 0, tzinfo=datetime.timezone.utc)
    """
    stamp = value
    if isinstance(stamp, np.datetime64):
        stamp = stamp.astype("datetime64[us]").item()
    elif hasattr(stamp, "to_pydatetime"):  # pandas is optional: its stamps are known by what they offer
        stamp = stamp.to_pydatetime(warn=False)
    if not isinstance(stamp, date) or stamp != stamp:  # noqa: PLR0124  (NaT is the one date unequal to itself)
        raise FeedConfigError(f"{value!r} is not a date: give a datetime, a date or a numpy.datetime64", value=value)
    if not isinstance(stamp, datetime):
        return datetime.combine(stamp, time(), tzinfo=UTC)
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)

"""Dates of observations: from whatever holds them to plain dates, checked.

Examples
--------
>>> import numpy as np
>>> checked_dates(np.array(["2026-01-05", "2026-01-06"], dtype="datetime64[D]"), 2)
(datetime.date(2026, 1, 5), datetime.date(2026, 1, 6))
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.errors import RiskError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["checked_dates", "dates_of"]


def dates_of(values: Any) -> Any:
    """Return the index of a pandas series if it holds dates, else None."""
    index = getattr(values, "index", None)
    return index if getattr(getattr(index, "dtype", None), "kind", "") == "M" else None


def checked_dates(dates: Iterable[Any], count: int) -> tuple[dt.date, ...]:
    """Return dates as plain dates or as datetimes with a time zone.

    Datetimes without a zone become dates if all of them are at midnight, as days are in pandas, and are UTC otherwise.

    Parameters
    ----------
    dates : iterable of date, datetime, numpy.datetime64 or pandas.Timestamp
        Dates of the observations.
    count : int
        Number of observations.

    Raises
    ------
    RiskError
        One is not a date, their number differs from `count`, or one is not after the one before it.
    """
    known = _zoned([_plain(date) for date in dates])
    if len(known) != count:
        raise RiskError(f"{len(known)} dates for {count} observations; give one date for each", value=len(known))
    for before, after in pairwise(known):
        try:
            ascending = before < after
        except TypeError as error:
            message = (
                f"the dates {before!r} and {after!r} cannot be compared; give all as dates, or all in one time zone"
            )
            raise RiskError(message, value=after) from error
        if not ascending:
            raise RiskError(f"the date {after} follows {before}; give ascending dates, none twice", value=after)
    return known


def _zoned(dates: list[dt.date]) -> tuple[dt.date, ...]:
    if all(isinstance(date, dt.datetime) and date.tzinfo is None and date.time() == dt.time() for date in dates):
        return tuple(cast("dt.datetime", date).date() for date in dates)
    return tuple(
        date.replace(tzinfo=dt.UTC) if isinstance(date, dt.datetime) and date.tzinfo is None else date for date in dates
    )


def _plain(date: Any) -> dt.date:
    if isinstance(date, np.datetime64):
        fine = "us" if np.datetime_data(date)[0] not in {"D", "W", "M", "Y"} else "D"
        date = date.astype(f"datetime64[{fine}]").item()
    plain = date.to_pydatetime() if hasattr(date, "to_pydatetime") else date
    if not isinstance(plain, dt.date) or plain != plain:  # noqa: PLR0124 - NaT differs from itself
        raise RiskError(f"{date!r} is not a date; give dates, or leave them out", value=date)
    return plain

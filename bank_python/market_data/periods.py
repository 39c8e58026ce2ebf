"""The periods of a price history, named as in yfinance.

``"5d"`` is the last five bars, whatever their dates; months and years are calendar periods that end at the last
bar; ``"ytd"`` starts with the year of the last bar; ``"max"`` is the whole history.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bank_python.errors import FeedConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PERIODS", "check_period", "first_in_period"]

_BARS = {"1d": 1, "5d": 5}
_MONTHS = {"1mo": 1, "3mo": 3, "6mo": 6, "1y": 12, "2y": 24, "5y": 60, "10y": 120}

PERIODS = (*_BARS, *_MONTHS, "ytd", "max")


def check_period(period: str) -> str:
    """Return `period` if it is one of :data:`PERIODS`.

    Raises
    ------
    FeedConfigError
        There is no such period; the message lists the choices.
    """
    if period not in PERIODS:
        raise FeedConfigError(f"unknown period {period!r}: choose one of {' '.join(PERIODS)}", value=period)
    return period


def first_in_period(dates: Sequence[datetime], period: str) -> int:
    """Return the index of the first date in the last `period`.

    Parameters
    ----------
    dates : sequence of datetime
        Dates in ascending order; the period ends with the last one.
    period : str
        Name of the period, one of :data:`PERIODS`.

    Returns
    -------
    int
        Index such that ``dates[result:]`` is the period; 0 if there are no dates.

    Raises
    ------
    FeedConfigError
        `period` is not one of :data:`PERIODS`.

    Examples
    --------
    >>> days = [datetime(2020, 1, d, tzinfo=UTC) for d in (1, 2, 3, 6, 7, 8)]
    >>> first_in_period(days, "5d"), first_in_period(days, "1mo")
    (1, 0)
    """
    check_period(period)
    if not dates or period == "max":
        return 0
    if period in _BARS:
        return max(0, len(dates) - _BARS[period])
    start = datetime(dates[-1].year, 1, 1, tzinfo=UTC) if period == "ytd" else _back(dates[-1], _MONTHS[period])
    return bisect_left(dates, start)


def _back(end: datetime, months: int) -> datetime:
    year, month = divmod(end.year * 12 + end.month - 1 - months, 12)
    return end.replace(year=year, month=month + 1, day=min(end.day, monthrange(year, month + 1)[1]))

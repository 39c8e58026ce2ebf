"""Conversion of polls and histories to the records of a journal, and back.

Floats are written as JSON numbers in Python's ``repr``, which is read back exactly. NaN and infinities, which a
broken feed may deliver, are written as strings, since JSON has no numbers for them. Times are ISO 8601 with their
UTC offset.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bank_python.errors import FeedError
from bank_python.market_data.feed import Bar, Poll, PriceHistory, QuoteFailure, Tick

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Record",
    "check_header",
    "header_record",
    "history_failure_record",
    "history_of",
    "history_record",
    "poll_of",
    "poll_record",
]

FORMAT = "bank_python.market_journal"
VERSION = 1

Record = dict[str, Any]


def header_record(feed: str, symbols: Iterable[str] | None) -> Record:
    """Return the header of a journal: format, version, the feed's name and its symbols."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "feed": feed,
        "symbols": None if symbols is None else sorted(symbols),
    }


def check_header(record: Record, where: str) -> Record:
    """Return `record` if it is the header of a journal of this version.

    Raises
    ------
    FeedError
        The format or the version is another one; the message gives it.
    """
    if record.get("format") != FORMAT:
        raise FeedError(f"{where} is not the header of a market journal: no format {FORMAT!r}", feed="replay")
    if record.get("version") != VERSION:
        found = record.get("version")
        raise FeedError(
            f"{where} has journal version {found!r}, this library reads version {VERSION}: use the version of "
            "bank_python that recorded it",
            feed="replay",
        )
    return record


def poll_record(symbols: Sequence[str], poll: Poll) -> Record:
    """Return the record of one poll: the requested symbols, the ticks and the failures."""
    return {
        "poll": list(symbols),
        "ticks": [[tick.symbol, _plain(tick.price), tick.time.isoformat(), tick.source] for tick in poll.ticks],
        "failures": [[failure.symbol, failure.reason, failure.source] for failure in poll.failures],
    }


def poll_of(record: Record, where: str) -> Poll:
    """Return the poll in a record.

    Raises
    ------
    FeedError
        The record is not that of a poll; the message gives its location.
    """
    try:
        ticks = [Tick(symbol, _price(price), _time(time), source) for symbol, price, time, source in record["ticks"]]
        return Poll(tuple(ticks), tuple(QuoteFailure(*failure) for failure in record["failures"]))
    except (KeyError, TypeError, ValueError) as error:
        raise FeedError(f"{where} is not the record of a poll: {error!r}", feed="replay") from error


def history_record(symbol: str, period: str, history: PriceHistory) -> Record:
    """Return the record of a history."""
    bars = [
        [bar.date.isoformat(), *(_plain(price) for price in (bar.open, bar.high, bar.low, bar.close, bar.volume))]
        for bar in history.bars
    ]
    return {"history": [symbol, period], "symbol": history.symbol, "source": history.source, "bars": bars}


def history_failure_record(symbol: str, period: str, error: Exception) -> Record:
    """Return the record of a request for a history that failed with `error`."""
    return {"history": [symbol, period], "error": type(error).__name__, "message": str(error)}


def history_of(record: Record, where: str) -> PriceHistory:
    """Return the history in a record.

    Raises
    ------
    FeedError
        The record is not that of a history; the message gives its location.
    """
    try:
        bars = [Bar(_time(date), *(_price(price) for price in prices)) for date, *prices in record["bars"]]
        return PriceHistory(record["symbol"], record["source"], tuple(bars))
    except (KeyError, TypeError, ValueError) as error:
        raise FeedError(f"{where} is not the record of a history: {error!r}", feed="replay") from error


def _plain(number: float | None) -> float | str | None:
    return number if number is None or math.isfinite(number) else repr(float(number))


def _price(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""Parsing of a response from Yahoo's chart endpoint (``/v8/finance/chart/SYMBOL``).

The response is one JSON object: ``chart.error``, or ``chart.result[0]`` with

* ``meta``: among others ``regularMarketTime``, the time of the last trade (seconds since 1970, UTC), and
  ``exchangeTimezoneName``;
* ``timestamp``: the start of each period;
* ``indicators.quote[0]``: arrays ``open high low close volume`` (``null`` where nothing was traded), split-adjusted;
* ``indicators.adjclose[0].adjclose``: the closes adjusted for dividends as well.

The functions depend only on the HTTP status and the body, so every kind of failure can be tested. Each has its own
message, which says what can be done.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from http import HTTPStatus
from itertools import repeat
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bank_python.errors import FeedError, UnknownTickerError
from bank_python.market_data.feed import Bar, Tick

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

__all__ = ["SOURCE", "Chart", "read_chart"]

SOURCE = "yahoo"
_EXCERPT = 60  # characters of a response that a message shows


@dataclass(frozen=True, slots=True)
class Chart:
    """The prices in a response of the chart endpoint.

    Parameters
    ----------
    symbol : str
        Yahoo's symbol.
    bars : tuple of Bar
        Bars, oldest first, not adjusted for dividends; ``date`` is Yahoo's time stamp. The close of a period without
        trades is NaN.
    adjusted : tuple of float
        Close of each bar adjusted for dividends, NaN if there is none.
    traded_at : datetime or None
        Time of the last trade, UTC.
    zone : tzinfo
        Time zone of the exchange.
    """

    symbol: str
    bars: tuple[Bar, ...]
    adjusted: tuple[float, ...]
    traded_at: datetime | None
    zone: tzinfo

    def tick(self, symbol: str) -> Tick:
        """Return the last close and the time of the last trade as a tick of `symbol`.

        Raises
        ------
        FeedError
            The last close is missing.
        """
        last = self.bars[-1]
        if not math.isfinite(last.close):
            raise FeedError(
                f"Yahoo has no close of {self.symbol!r} for its last period ({last.date:%Y-%m-%d}): "
                "there have been no trades yet",
                feed=SOURCE,
                symbol=symbol,
            )
        time = last.date if self.traded_at is None else max(last.date, self.traded_at)
        return Tick(symbol, last.close, time, SOURCE)

    def daily_bars(self) -> tuple[Bar, ...]:
        """Return one bar per trading date, adjusted for splits and dividends, without days that have no close.

        The date of a bar is midnight UTC of the exchange's calendar date, so that the dates of different exchanges
        match.

        Notes
        -----
        Open, high and low are adjusted by the factor of the day's close, adjclose / close. Yahoo returns the current
        day twice, the second time as a live period; of two periods with one date, the later one is used.
        """
        days: dict[datetime, Bar] = {}
        for bar, adjusted in zip(self.bars, self.adjusted, strict=True):
            if not math.isfinite(bar.close):
                continue
            day = bar.date.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
            days[day] = _adjusted(bar, day, adjusted)
        return tuple(days.values())


def read_chart(symbol: str, status: int, body: str) -> Chart:
    """Return the chart in a response.

    Parameters
    ----------
    symbol : str
        Yahoo's symbol, for error messages.
    status : int
        HTTP status of the response.
    body : str
        Body of the response.

    Raises
    ------
    UnknownTickerError
        Yahoo has no such symbol.
    FeedError
        The response has no chart; the message says why and what to do.

    Examples
    --------
    >>> read_chart("AAPL", 429, "Too Many Requests")
    Traceback (most recent call last):
    ...
    bank_python.errors.FeedError: Yahoo returned 429 Too Many Requests: rate limited, so poll less often or for \
fewer symbols
    """
    chart = _json(body)
    error = chart.get("error")
    if status == HTTPStatus.NOT_FOUND or (isinstance(error, dict) and error.get("code") == "Not Found"):
        raise UnknownTickerError(
            f"Yahoo has no symbol {symbol!r}{_details(error)}: look it up on finance.yahoo.com and map it with "
            "symbols=",
            ticker=symbol,
        )
    reason = _bad_status(status) or _not_a_chart(body, chart)
    if reason is not None:
        raise FeedError(f"{reason}{_details(error)}", feed=SOURCE, symbol=symbol)
    try:
        return _chart(symbol, chart["result"][0])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        raise FeedError(
            f"Yahoo's chart of {symbol!r} has a missing or invalid field ({type(problem).__name__}: {problem}): "
            "the next poll tries again; if the error persists, Yahoo's format has changed",
            feed=SOURCE,
            symbol=symbol,
        ) from problem


def _json(body: str) -> dict[str, Any]:
    """Return the object under ``chart``; an empty dict if the body does not have one."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    chart = parsed.get("chart") if isinstance(parsed, dict) else None
    return chart if isinstance(chart, dict) else {}


def _bad_status(status: int) -> str | None:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "Yahoo returned 429 Too Many Requests: rate limited, so poll less often or for fewer symbols"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"Yahoo returned {_phrase(status)}: it blocks this client, so upgrade yfinance or try another network"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"Yahoo returned {_phrase(status)}: an outage at Yahoo, the next poll tries again"
    if status >= HTTPStatus.BAD_REQUEST:
        return f"Yahoo returned {_phrase(status)}"
    return None


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _not_a_chart(body: str, chart: dict[str, Any]) -> str | None:
    start = " ".join(body.split())[:_EXCERPT]
    if not chart and start.startswith("<"):
        return f"Yahoo returned a web page instead of prices ({start!r}): an outage, a consent page or a proxy"
    if not chart and not start:
        return "Yahoo returned an empty response: the next poll tries again"
    if not chart:
        return f"Yahoo's response is not a chart in JSON ({start!r}): truncated, or changed by a proxy"
    if isinstance(chart.get("error"), dict):
        return "Yahoo returned an error"
    if not chart.get("result"):
        return "Yahoo returned an empty result: it has no prices of the symbol at the moment"
    return None


def _details(error: Any) -> str:
    return f" ({error.get('code')}: {error.get('description')})" if isinstance(error, dict) else ""


def _chart(symbol: str, result: dict[str, Any]) -> Chart:
    stamps = result.get("timestamp") or []
    if not stamps:
        raise ValueError("no timestamps and so no prices")
    meta = result.get("meta") or {}
    quote = result["indicators"]["quote"][0]
    closes = [_number(value) for value in quote["close"]]
    columns = [_column(quote, name, len(stamps)) for name in ("open", "high", "low", "volume")]
    bars = tuple(
        Bar(_utc(stamp), opened, high, low, math.nan if close is None else close, volume)
        for stamp, close, opened, high, low, volume in zip(stamps, closes, *columns, strict=True)
    )
    adjusted = result["indicators"].get("adjclose") or [{}]
    traded_at = meta.get("regularMarketTime")
    return Chart(
        symbol,
        bars,
        tuple(_number(value) or math.nan for value in adjusted[0].get("adjclose") or closes),
        None if traded_at is None else _utc(traded_at),
        _zone(meta),
    )


def _column(quote: dict[str, Any], name: str, length: int) -> Iterator[float | None]:
    values = quote.get(name)
    return repeat(None, length) if values is None else map(_number, values)


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(float(value)) else float(value)


def _utc(seconds: Any) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _zone(meta: dict[str, Any]) -> tzinfo:
    try:
        return ZoneInfo(meta["exchangeTimezoneName"])
    except (KeyError, ValueError, TypeError, ZoneInfoNotFoundError):
        return timezone(timedelta(seconds=float(meta.get("gmtoffset") or 0)))


def _adjusted(bar: Bar, day: datetime, close: float) -> Bar:
    factor = close / bar.close if math.isfinite(close) and bar.close else 1.0
    opened, high, low = (None if price is None else price * factor for price in (bar.open, bar.high, bar.low))
    return Bar(day, opened, high, low, bar.close * factor if factor != 1.0 else bar.close, bar.volume)

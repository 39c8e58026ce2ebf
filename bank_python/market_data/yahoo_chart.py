"""Reading one answer of Yahoo's chart endpoint (``/v8/finance/chart/SYMBOL``).

The answer is one JSON object: ``chart.error``, or ``chart.result[0]`` with

* ``meta``: among others ``regularMarketTime``, the time of the last trade (seconds since 1970, UTC), and
  ``exchangeTimezoneName``;
* ``timestamp``: the start of each period;
* ``indicators.quote[0]``: arrays ``open high low close volume`` (``null`` where nothing was traded), split-adjusted;
* ``indicators.adjclose[0].adjclose``: the closes adjusted for dividends as well.

Everything here is a pure function of the HTTP status and the body, so each thing that can go wrong has a
reason of its own, which says who can do what about it.
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
_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Chart:
    """The part of a chart answer that prices are read from.

    Parameters
    ----------
    symbol : str
        Yahoo's symbol.
    bars : tuple of Bar
        Oldest first, unadjusted for dividends; ``date`` is Yahoo's stamp. A period without a close has
        ``close`` NaN.
    adjusted : tuple of float
        Each bar's close adjusted for dividends, NaN where there is none.
    traded_at : datetime or None
        Time of the last trade, UTC.
    zone : tzinfo
        The exchange's time zone.
    """

    symbol: str
    bars: tuple[Bar, ...]
    adjusted: tuple[float, ...]
    traded_at: datetime | None
    zone: tzinfo

    def tick(self, symbol: str) -> Tick:
        """Return the last close with the time of the last trade, under the name `symbol`.

        Raises
        ------
        FeedError
            The last close is missing.
        """
        last = self.bars[-1]
        if not math.isfinite(last.close):
            raise FeedError(
                f"Yahoo has no close for {self.symbol!r} in its last period ({last.date:%Y-%m-%d}): "
                "nothing has been traded in it yet",
                feed=SOURCE,
                symbol=symbol,
            )
        time = last.date if self.traded_at is None else max(last.date, self.traded_at)
        return Tick(symbol, last.close, time, SOURCE)

    def daily_bars(self) -> tuple[Bar, ...]:
        """Return one bar per trading date, adjusted for splits and dividends, days without a close left out.

        A bar's date is midnight UTC of the exchange's own calendar date, so that the dates of different
        exchanges line up.

        Notes
        -----
        Open, high and low carry the adjustment of their day's close, adjclose / close. Yahoo gives the running
        day a second time, as a live period; of two periods of one date the later one stands.
        """
        days: dict[datetime, Bar] = {}
        for bar, adjusted in zip(self.bars, self.adjusted, strict=True):
            if not math.isfinite(bar.close):
                continue
            day = bar.date.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
            days[day] = _adjusted(bar, day, adjusted)
        return tuple(days.values())


def read_chart(symbol: str, status: int, body: str) -> Chart:
    """Return the chart in an answer.

    Parameters
    ----------
    symbol : str
        Yahoo's symbol, for the messages.
    status : int
        HTTP status of the answer.
    body : str
        Body of the answer.

    Raises
    ------
    UnknownTickerError
        Yahoo does not know the symbol.
    FeedError
        There is no chart in the answer; the message says why and what to do.

    Examples
    --------
    >>> read_chart("AAPL", 429, "Too Many Requests")
    Traceback (most recent call last):
    ...
    bank_python.errors.FeedError: Yahoo answered 429 Too Many Requests: rate limited, so poll less often or ask for \
fewer symbols
    """
    answer = _json(body)
    error = answer.get("error")
    if status == HTTPStatus.NOT_FOUND or (isinstance(error, dict) and error.get("code") == "Not Found"):
        raise UnknownTickerError(
            f"Yahoo knows no symbol {symbol!r}{_said(error)}: look it up on finance.yahoo.com and map it with symbols=",
            ticker=symbol,
        )
    reason = _refusal(status) or _not_a_chart(body, answer)
    if reason is not None:
        raise FeedError(f"{reason}{_said(error)}", feed=SOURCE, symbol=symbol)
    try:
        return _chart(symbol, answer["result"][0])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        raise FeedError(
            f"Yahoo's chart of {symbol!r} lacks or garbles a field ({type(problem).__name__}: {problem}): "
            "the next poll asks again; if it stays so, the format has changed",
            feed=SOURCE,
            symbol=symbol,
        ) from problem


def _json(body: str) -> dict[str, Any]:
    """Return the object under ``chart``; an empty one if the body is not such JSON."""
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    chart = answer.get("chart") if isinstance(answer, dict) else None
    return chart if isinstance(chart, dict) else {}


def _refusal(status: int) -> str | None:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "Yahoo answered 429 Too Many Requests: rate limited, so poll less often or ask for fewer symbols"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"Yahoo answered {_phrase(status)}: it refuses this client, so upgrade yfinance or try another network"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"Yahoo answered {_phrase(status)}: an outage on its side, the next poll asks again"
    if status >= HTTPStatus.BAD_REQUEST:
        return f"Yahoo answered {_phrase(status)}"
    return None


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _not_a_chart(body: str, answer: dict[str, Any]) -> str | None:
    start = " ".join(body.split())[:_QUOTED]
    if not answer and start.startswith("<"):
        return f"Yahoo answered with a web page instead of prices ({start!r}): an outage, a consent page or a proxy"
    if not answer and not start:
        return "Yahoo answered with nothing at all: the next poll asks again"
    if not answer:
        return f"Yahoo's answer is not a chart in JSON ({start!r}): cut short or changed on the way"
    if isinstance(answer.get("error"), dict):
        return "Yahoo answered with an error"
    if not answer.get("result"):
        return "Yahoo answered with an empty result: it has no prices for the symbol now"
    return None


def _said(error: Any) -> str:
    return f" ({error.get('code')}: {error.get('description')})" if isinstance(error, dict) else ""


def _chart(symbol: str, result: dict[str, Any]) -> Chart:
    stamps = result.get("timestamp") or []
    if not stamps:
        raise ValueError("no timestamps, so no prices")
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

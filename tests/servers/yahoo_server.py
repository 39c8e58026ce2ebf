"""A loopback server that speaks Yahoo's wire format over TLS: the v8 chart, the cookie and the crumb.

The real yfinance client talks to it as to Yahoo (``https://query2.finance.yahoo.com/…``); only the address
that it connects to and the authority it trusts are changed. To try the showcase against it by hand::

    python tests/servers/yahoo_server.py --mode 429

prints the two environment variables to set in another terminal, and serves until Ctrl-C. Every symbol is
served, at a price of its own, unless it was given one (``--price AAPL=187.5``).
"""

from __future__ import annotations

import argparse
import json
import math
import ssl
import sys
import tempfile
import threading
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

if __name__ == "__main__":  # run by hand: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.servers.certificates import Certificates, issue
from tests.servers.loopback import Failure, LoopbackHandler, LoopbackServer

__all__ = ["YahooServer"]

HOSTS = ("*.yahoo.com", "*.finance.yahoo.com", "yahoo.com")
DAYS = {"1d": 1, "5d": 5, "1mo": 22, "3mo": 65, "6mo": 130, "1y": 252, "2y": 504, "5y": 1260, "10y": 2520, "ytd": 100}
CHART = "/v8/finance/chart/"
NOT_FOUND = {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}
DIVIDEND_ADJUSTMENT = 0.99


class _YahooHandler(LoopbackHandler):
    def do_GET(self) -> None:  # noqa: N802  (http.server calls it so)
        owner: YahooServer = self.server.owner
        url = urlsplit(self.path)
        owner.note(f"{self.headers.get('Host')} {unquote(self.path)}")
        if url.path.startswith(CHART):
            symbol = unquote(url.path.removeprefix(CHART))
            self._chart(owner, symbol, {name: values[0] for name, values in parse_qs(url.query).items()})
        elif owner.hold_everything and owner.failure("*") is Failure.STALL:
            self.fail(Failure.STALL)
        elif url.path == "/v1/test/getcrumb":
            self.send(200, "text/plain", "CRUMB")
        else:
            self.send(404, "text/plain", "", cookie="A3=loopback; Path=/; Domain=.yahoo.com; Max-Age=31536000")

    def _chart(self, owner: YahooServer, symbol: str, query: dict[str, str]) -> None:
        failure = owner.failure(symbol)
        if failure is not None and self.fail(failure):
            return
        if failure is Failure.NOT_FOUND or owner.price(symbol) is None:
            self.send(404, "application/json", json.dumps({"chart": NOT_FOUND}))
        elif failure is Failure.EMPTY:
            self.send(200, "application/json", json.dumps({"chart": {"result": [], "error": None}}))
        else:
            chart = owner.chart(symbol, query, without_last_close=failure is Failure.NO_CLOSE)
            self.send(200, "application/json", json.dumps({"chart": {"result": [chart], "error": None}}))


class YahooServer(LoopbackServer):
    """Yahoo on 127.0.0.1.

    Parameters
    ----------
    prices : dict of str to float
        Last price by Yahoo symbol; may be changed while serving. Other symbols are not found, unless
        `any_symbol`.
    folder : Path
        Where the certificates are written.
    time : datetime
        Time of the last trade; ``None`` for the moment of each request. May be changed while serving.
    any_symbol : bool
        Serve symbols without a price at one made from their name.
    """

    handler = _YahooHandler

    def __init__(
        self,
        prices: dict[str, float],
        folder: Path,
        time: datetime | None = datetime(2024, 1, 9, 20, 59, 30, tzinfo=UTC),
        port: int = 0,
        *,
        any_symbol: bool = False,
    ) -> None:
        super().__init__(port)
        self.prices = prices
        self.time = time
        self.hold_everything = False
        self._any_symbol = any_symbol
        self._certificates: Certificates = issue(folder, HOSTS)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make ``YahooFeed()`` connect here."""
        return {
            "BANK_PYTHON_YAHOO_CONNECT": self.address,
            "BANK_PYTHON_YAHOO_CA": str(self._certificates.authority),
        }

    def tls(self) -> ssl.SSLContext:
        """Yahoo's host names, by an authority of our own."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificates.chain)
        return context

    def price(self, symbol: str) -> float | None:
        """The last price of a symbol, if it is served."""
        made_up = 20.0 + zlib.crc32(symbol.encode()) % 40_000 / 100.0 if self._any_symbol else None
        return self.prices.get(symbol, made_up)

    def closes(self, symbol: str, days: int) -> list[float]:
        """The closes served for the last `days` trading days; the last is the price."""
        last = self.price(symbol)
        assert last is not None
        pace = 0.5 + sum(map(ord, symbol)) % 7  # each symbol sways in its own time
        swayed = [last * 0.999**ago * (1.0 + 0.01 * math.sin(pace * ago)) for ago in range(days - 1, 0, -1)]
        return [*(round(close, 6) for close in swayed), last]

    def last_trade(self) -> datetime:
        """When the last trade was."""
        return self.time or datetime.now(UTC)

    def sessions(self, days: int) -> list[datetime]:
        """The opens (9:30 in New York in winter) of the last `days` weekdays."""
        day = self.last_trade().replace(hour=14, minute=30, second=0, microsecond=0)
        opens: list[datetime] = []
        while len(opens) < days:
            if day.weekday() < 5:
                opens.append(day)
            day -= timedelta(days=1)
        return opens[::-1]

    def chart(self, symbol: str, query: dict[str, str], *, without_last_close: bool = False) -> dict[str, Any]:
        """One result of the chart endpoint, in Yahoo's shape."""
        days = DAYS.get(query.get("range", ""), 600)
        closes: list[float | None] = [*self.closes(symbol, days)]
        quote: dict[str, list[Any]] = {
            "open": [close * 0.999 for close in closes if close is not None],
            "high": [close * 1.01 for close in closes if close is not None],
            "low": [close * 0.98 for close in closes if close is not None],
            "volume": [1_000 * (day + 1) for day in range(days)],
            "close": closes,
        }
        # A dividend on the last day: all earlier closes are adjusted for it.
        adjusted = [DIVIDEND_ADJUSTMENT * close for close in closes[:-1] if close is not None] + closes[-1:]
        if without_last_close:
            closes[-1] = adjusted[-1] = None
        return {
            "meta": self._meta(symbol, query),
            "timestamp": [int(day.timestamp()) for day in self.sessions(days)],
            "indicators": {"quote": [quote], "adjclose": [{"adjclose": adjusted}]},
        }

    def _meta(self, symbol: str, query: dict[str, str]) -> dict[str, Any]:
        return {
            "currency": "USD",
            "symbol": symbol,
            "exchangeName": "NMS",
            "instrumentType": "EQUITY",
            "firstTradeDate": 345_479_400,
            "regularMarketTime": int(self.last_trade().timestamp()),
            "regularMarketPrice": self.price(symbol),
            "gmtoffset": -18_000,
            "timezone": "EST",
            "exchangeTimezoneName": "America/New_York",
            "priceHint": 2,
            "dataGranularity": query.get("interval", "1d"),
            "range": query.get("range", ""),
            "validRanges": [*DAYS, "max"],
        }


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Yahoo on loopback, for trying programs against it")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mode", choices=[failure.value for failure in Failure], help="fail so, for every symbol")
    parser.add_argument("--price", action="append", default=[], metavar="SYMBOL=PRICE")
    options = parser.parse_args()
    prices = {symbol: float(price) for symbol, _, price in (text.rpartition("=") for text in options.price)}
    with (
        tempfile.TemporaryDirectory() as folder,
        YahooServer(prices, Path(folder), None, options.port, any_symbol=True) as server,
    ):
        if options.mode:
            server.fail(options.mode)
        for name, value in server.environment.items():
            print(f"export {name}={value}", flush=True)  # noqa: T201  (it is a program)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")  # noqa: T201  (it is a program)


if __name__ == "__main__":
    main()

"""Prices from crypto exchanges, through the ccxt client.

A poll makes one ``fetch_tickers`` call per requested market type (perpetual swaps, spot). On Hyperliquid, one
``metaAndAssetCtxs`` request returns every perpetual with its funding rate.

ccxt parses a truncated, empty or ``null`` response body to "no markets", "no tickers" or "no candles" without
an error. The feed therefore checks the decoded body of each call, and accepts an empty result only where the
exchange may legitimately return one (the page after the last candle).

Symbols on the desk take three forms:

* a coin (``"BTC"``): its perpetual swap if there is one, else its spot market;
* a coin followed by ``_FUNDING``: the swap's current funding rate, a decimal per eight hours, converted from the
  interval at which the exchange pays it (one hour on Hyperliquid);
* a market in ccxt's own spelling (``"BTC/USDC:USDC"``).
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bank_python.errors import BankError, FeedConfigError, FeedError, MissingExtraError, UnknownTickerError
from bank_python.guessing import guessable
from bank_python.market_data.bounded_calls import BoundedCalls
from bank_python.market_data.feed import Bar, Poll, PriceHistory, QuoteFailure, Tick
from bank_python.market_data.periods import check_period
from bank_python.market_data.unknown_ticker import unknown_ticker
from bank_python.market_data.utc import as_utc, utc_now
from bank_python.wording import did_you_mean, how_to_install

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

__all__ = ["URL_VARIABLE", "CcxtFeed"]

URL_VARIABLE = "BANK_PYTHON_CCXT_URL"
FUNDING = "_FUNDING"

_DAYS = {"1d": 1, "5d": 5, "1mo": 31, "3mo": 92, "6mo": 183, "1y": 366, "2y": 731, "5y": 1827, "10y": 3653}
_HOURLY = {"1d", "5d", "1mo"}
_FIRST_TRADE = datetime(2010, 7, 17, tzinfo=UTC)  # bitcoin's first trade on an exchange
_MAX_PAGES = 100
_SETTLED_IN = {"hyperliquid": ("USDC", "USDT", "USD")}
_SETTLED_IN_ELSEWHERE = ("USDT", "USDC", "USD")
_FUNDING_HOURS = 8
# On Hyperliquid, loading spot pairs and builder-deployed exchanges too would take a dozen more requests.
_OPTIONS = {"hyperliquid": {"fetchMarkets": {"types": ["swap"]}}}
_EXCERPT = 60  # characters of a response that a message shows


@guessable
class CcxtFeed:
    """Quotes and candles from a crypto exchange.

    Parameters
    ----------
    exchange : str, default "hyperliquid"
        ccxt's name of the exchange; ignored if `client` is given.
    client : ccxt.Exchange, optional
        Configured synchronous ccxt client, used without changes.
    symbols : mapping of str to str, optional
        ccxt symbol by desk symbol; takes precedence over the rule for coins.
    timeout : float, default 10.0
        Time limit of one request in seconds, positive; ignored if `client` is given.
    deadline : float, optional
        Time limit of a whole poll or history in seconds, positive; four times `timeout` by default.
    base_url : str, optional
        Address used in place of every host of the exchange (a proxy, a test server). By default the environment
        variable ``BANK_PYTHON_CCXT_URL``; if that is not set, the exchange's own hosts. Ignored if `client` is given.
    now : callable, optional
        Clock that returns the current time in UTC: it dates quotes without a time stamp and ends a history.

    Raises
    ------
    FeedConfigError
        A time limit is not positive, or the address is not http(s).

    Notes
    -----
    The price is ccxt's ``last`` (on Hyperliquid, the mid price) or, if that is missing, the middle of bid and ask.
    The list of markets is loaded once.
    """

    def __init__(
        self,
        exchange: str = "hyperliquid",
        client: Any = None,
        symbols: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        base_url: str | None = None,
        *,
        deadline: float | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._exchange = exchange if client is None else str(client.id)
        self._client = client
        self._symbols = dict(symbols or {})
        self._timeout = _positive("timeout", timeout)
        self._deadline = _positive("deadline", 4.0 * timeout if deadline is None else deadline)
        self._base_url = _checked_url(base_url or os.environ.get(URL_VARIABLE) or None)
        self._now = now
        self._owns_client = client is None
        # One thread, because a ccxt client is not thread-safe: calls of all callers are queued.
        self._calls: BoundedCalls[Any] = BoundedCalls(1, "bank-python-ccxt")
        self._closed = False

    @property
    def name(self) -> str:
        """The exchange's name in ccxt."""
        return self._exchange

    @property
    def today(self) -> date:
        """The current date, UTC: the market is live."""
        return as_utc(self._now()).date()

    @property
    def symbols(self) -> frozenset[str] | None:
        """All symbols of the feed once the list of markets has been loaded; ``None`` until then."""
        markets = None if self._client is None else self._client.markets
        if not markets:
            return None
        coins = {market["base"] for market in markets.values()}
        with_funding = {market["base"] for market in markets.values() if market.get("swap")} | set(self._symbols)
        return frozenset(coins | set(markets) | set(self._symbols) | {f"{coin}{FUNDING}" for coin in with_funding})

    @guessable
    def poll(self, symbols: Sequence[str]) -> Poll:
        """Return the last price of each symbol, or a failure with its reason.

        Raises
        ------
        FeedConfigError
            ccxt has no such exchange.
        MissingExtraError
            ccxt is not installed.
        """
        names = tuple(dict.fromkeys(symbols))
        if not names:
            return Poll(())
        self._connect()
        try:
            outcomes: dict[str, Tick | BankError] = self._call(partial(self._quotes, names))
        except FeedError as error:
            outcomes = dict.fromkeys(names, error)
        ticks = tuple(outcome for outcome in outcomes.values() if isinstance(outcome, Tick))
        failures = tuple(
            QuoteFailure(name, str(outcome), self.name)
            for name, outcome in outcomes.items()
            if isinstance(outcome, BankError)
        )
        return Poll(ticks, failures)

    @guessable
    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return the candles of the last `period`: hourly for up to a month, else daily.

        Raises
        ------
        FeedConfigError
            `period` is not one of :data:`~bank_python.market_data.periods.PERIODS`, or ccxt has no such exchange.
        UnknownTickerError
            The exchange has no such market.
        FeedError
            The request failed; the message gives the reason.
        MissingExtraError
            ccxt is not installed.
        """
        check_period(period)
        self._connect()
        return PriceHistory(symbol, self.name, self._call(partial(self._candles, symbol, period)))

    def close(self) -> None:
        """End the thread, and close the connection unless the client was given."""
        self._closed = True
        self._calls.close()
        if self._owns_client and self._client is not None:
            self._client.close()

    def _connect(self) -> None:
        if self._client is None:
            self._client = _new_client(self._exchange, self._timeout, self._base_url)

    def _call(self, call: Callable[[], Any]) -> Any:
        """Run `call` in the client's thread; errors become a :class:`FeedError`."""
        if self._closed:
            raise FeedError("this feed is closed: create a new one", feed=self.name)
        outcome = self._calls.run({"call": call}, self._deadline)["call"]
        if isinstance(outcome, BankError):
            raise outcome
        if isinstance(outcome, BaseException):
            raise FeedError(_reason(outcome, self.name), feed=self.name) from outcome
        return outcome

    # --- run in the client's thread ---

    def _quotes(self, names: Sequence[str]) -> dict[str, Tick | BankError]:
        self._load_markets()
        outcomes: dict[str, Tick | BankError] = {}
        by_type: dict[str, dict[str, str]] = defaultdict(dict)
        for name in names:
            try:
                market = self._market(name)
                by_type[market["type"]][name] = market["symbol"]
            except UnknownTickerError as error:
                outcomes[name] = error
        for kind, markets in by_type.items():
            outcomes |= self._quotes_of_type(kind, markets)
        return {name: outcomes[name] for name in names}

    def _quotes_of_type(self, kind: str, markets: dict[str, str]) -> dict[str, Tick | BankError]:
        tickers, body = self._fetch("fetch_tickers", "tickers", sorted(set(markets.values())), {"type": kind})
        if not tickers:
            raise self._bad_response("tickers", body)
        outcomes: dict[str, Tick | BankError] = {}
        for name, symbol in markets.items():
            try:
                outcomes[name] = self._tick(name, symbol, tickers.get(symbol) or {})
            except FeedError as error:
                outcomes[name] = error
        return outcomes

    def _tick(self, name: str, symbol: str, ticker: dict[str, Any]) -> Tick:
        wanted = "funding rate" if name.endswith(FUNDING) else "price"
        value = self._funding(symbol, ticker) if name.endswith(FUNDING) else _price(ticker)
        if value is None:
            listed = self._client.markets[symbol].get("active") is not False
            why = "it has no quote at the moment" if listed else "it is delisted"
            raise FeedError(f"{self.name} has no {wanted} for {symbol!r}: {why}", feed=self.name, symbol=name)
        stamp = ticker.get("timestamp")
        time = self._now() if stamp is None else datetime.fromtimestamp(stamp / 1000, UTC)
        return Tick(name, value, time, self.name)

    def _funding(self, symbol: str, ticker: dict[str, Any]) -> float | None:
        """Return the rate per eight hours; eight hours are assumed if the exchange does not state its interval."""
        client = self._client
        if not ticker or not (client.has.get("fetchFundingRates") or client.has.get("fetchFundingRate")):
            return None
        parsed = client.parse_funding_rate(ticker["info"], client.markets[symbol])
        if parsed["fundingRate"] is None:
            return None
        hours = float(client.parse_timeframe(parsed.get("interval") or f"{_FUNDING_HOURS}h")) / 3600.0
        return float(parsed["fundingRate"]) * _FUNDING_HOURS / hours

    def _candles(self, symbol: str, period: str) -> tuple[Bar, ...]:
        self._load_markets()
        if symbol.endswith(FUNDING):
            raise FeedError(
                f"{symbol!r} is a funding rate, which has no candles: give its coin", feed=self.name, symbol=symbol
            )
        market = self._market(symbol)["symbol"]
        timeframe = "1h" if period in _HOURLY else "1d"
        since = int(_start(period, self._now()).timestamp() * 1000)
        rows: list[list[Any]] = []
        for _ in range(_MAX_PAGES):
            page, body = self._fetch("fetch_ohlcv", "candles", market, timeframe, since)
            if not rows and not page:
                raise self._bad_response(f"candles of {market!r}", body)
            fresh = [row for row in page if row[0] >= since]
            if not fresh:
                break
            rows += fresh
            since = rows[-1][0] + 1
            if since + self._client.parse_timeframe(timeframe) * 1000 > self._now().timestamp() * 1000:
                break
        return tuple(_bar(row) for row in rows if row[4] is not None)

    def _load_markets(self) -> None:
        if self._client.markets:
            return
        markets, body = self._fetch("load_markets", "markets")
        if not markets:
            raise self._bad_response("markets", body)

    def _fetch(self, method: str, what: str, *arguments: Any) -> tuple[Any, Any]:
        """Call a method of the client; return its result and the decoded body of its last response."""
        client = self._client
        before = client.enableLastJsonResponse
        client.enableLastJsonResponse, client.last_json_response = True, None
        try:
            result = getattr(client, method)(*arguments)
            body = client.last_json_response
        finally:
            client.enableLastJsonResponse = before
        if body is None or body == {}:
            raise self._bad_response(what, body)
        return result, body

    def _bad_response(self, what: str, body: Any) -> FeedError:
        found = "no JSON" if body is None else f"{str(body)[:_EXCERPT]!r}"
        return FeedError(
            f"{self.name} returned status 200 with {found} in place of {what}: an outage, or a proxy in between; "
            "the next poll tries again",
            feed=self.name,
        )

    def _market(self, name: str) -> dict[str, Any]:
        """Return the market of a desk symbol."""
        markets: dict[str, dict[str, Any]] = self._client.markets
        coin = name.removesuffix(FUNDING)
        symbol = self._symbols.get(name, self._symbols.get(coin, coin))
        if symbol in markets:
            return markets[symbol]
        settled_in = _SETTLED_IN.get(self._exchange, _SETTLED_IN_ELSEWHERE)
        candidates = [market for market in markets.values() if market["base"] == symbol and _is_linear(market)]
        if not candidates:
            known = {market["base"] for market in markets.values()} | set(markets)
            raise unknown_ticker(symbol, known, self.name, "map it with symbols=, in ccxt's spelling")
        return min(candidates, key=partial(_preference, settled_in))

    def __repr__(self) -> str:
        return f"CcxtFeed({self._exchange!r}{', closed' if self._closed else ''})"


def _positive(name: str, seconds: float) -> float:
    if not 0.0 < seconds < math.inf:
        raise FeedConfigError(f"{name} is {seconds!r} s: give a positive number of seconds", value=seconds)
    return float(seconds)


def _checked_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise FeedConfigError(f"the exchange's address is {url!r}: give http://… or https://…", value=url)
    return None if url is None else url.rstrip("/")


def _new_client(exchange: str, timeout: float, base_url: str | None) -> Any:
    try:
        import ccxt
    except ImportError as error:
        raise MissingExtraError(
            f"crypto prices need the package ccxt: {how_to_install('live')}; or use SimulatedFeed(seed=1)",
            extra="live",
        ) from error
    if exchange not in ccxt.exchanges:
        hint = did_you_mean(exchange, ccxt.exchanges, "give one of ccxt.exchanges")
        raise FeedConfigError(f"ccxt has no exchange {exchange!r}: {hint}", value=exchange)
    options = _OPTIONS.get(exchange, {"defaultType": "swap"})
    client = getattr(ccxt, exchange)({"timeout": int(timeout * 1000), "enableRateLimit": True, "options": options})
    if base_url is not None:
        client.urls["api"] = _redirected(client.urls["api"], base_url)
    return client


def _redirected(urls: Any, base_url: str) -> Any:
    if isinstance(urls, dict):
        return {name: _redirected(inner, base_url) for name, inner in urls.items()}
    return base_url


def _is_linear(market: dict[str, Any]) -> bool:
    return bool(market.get("spot") or (market.get("swap") and market.get("linear") is not False))


def _preference(settled_in: Sequence[str], market: dict[str, Any]) -> tuple[bool, bool, int, str]:
    currency = market.get("settle") or market.get("quote")
    rank = settled_in.index(currency) if currency in settled_in else len(settled_in)
    return market.get("active") is False, not market.get("swap"), rank, market["symbol"]


def _price(ticker: dict[str, Any]) -> float | None:
    last, bid, ask = (ticker.get(field) for field in ("last", "bid", "ask"))
    if last is not None:
        return float(last)
    return None if bid is None or ask is None else (float(bid) + float(ask)) / 2.0


def _start(period: str, now: datetime) -> datetime:
    if period == "max":
        return _FIRST_TRADE
    if period == "ytd":
        return datetime(now.year, 1, 1, tzinfo=UTC)
    return now - timedelta(days=_DAYS[period])


def _bar(row: Sequence[Any]) -> Bar:
    opened, high, low, volume = (None if row[at] is None else float(row[at]) for at in (1, 2, 3, 5))
    return Bar(datetime.fromtimestamp(row[0] / 1000, UTC), opened, high, low, float(row[4]), volume)


def _reason(error: BaseException, exchange: str) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    for kind, reason in _REASONS.items():
        if kind in kinds:
            return f"{exchange} {reason} ({error})"
    return f"the response of {exchange} could not be read ({type(error).__name__}: {error}): the next poll tries again"


# ccxt's exception classes by name, most specific first: ccxt may not be installed, so they cannot be imported.
_REASONS = {
    "RateLimitExceeded": "reports too many requests: rate limited, so poll less often",
    "DDoSProtection": "blocked the polls as an attack: poll less often",
    "OnMaintenance": "is closed for maintenance: the next poll tries again",
    "RequestTimeout": "did not respond in time: an outage or a slow network, the next poll tries again",
    "TimeoutError": "did not respond in time: an outage or a slow network, the next poll tries again",
    "ExchangeNotAvailable": "reports that it is not available: an outage, or it blocks this network (403)",
    "PermissionDenied": "does not permit the request: check the permissions of the API key",
    "AuthenticationError": "rejected the request as not authorised: check the API key, or give none",
    "NetworkError": "could not be reached: check the network connection and any firewall",
    "BadSymbol": "has no such market: see the exchange's list of markets",
    "NotSupported": "does not offer this request through ccxt: choose another exchange",
    "ExchangeError": "returned an error",
}

"""Prices from Yahoo Finance, through the yfinance client.

Each symbol takes one request to Yahoo's chart endpoint, sent by yfinance's data layer, which handles the cookie and
crumb, the consent page, the browser-like TLS handshake and the session. The response is parsed by
:mod:`bank_python.market_data.yahoo_chart`. yfinance's ``Ticker.history`` and ``download`` are not used, although they
request the same endpoint: they hide the HTTP status and most exceptions behind an empty frame (or, with the
process-wide option ``hide_exceptions`` off, turn a status 500 into a ``JSONDecodeError``), look up the time zone in an
extra request, and return a data frame for a single number.

A poll requests many symbols at once, in a few threads, up to a deadline. yfinance has one session, one cookie and one
crumb per process: a feed without a session of its own uses that of yfinance and never replaces it.

>>> feed = YahooFeed(symbols={"GOLD": "GC=F"})
>>> feed.yahoo_symbol("EURUSD"), feed.yahoo_symbol("VIX"), feed.yahoo_symbol("GOLD"), feed.yahoo_symbol("AAPL")
('EURUSD=X', '^VIX', 'GC=F', 'AAPL')
"""

from __future__ import annotations

import logging
import os
import re
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from bank_python.errors import BankError, FeedConfigError, FeedError, MissingExtraError, UnknownTickerError
from bank_python.guessing import guessable
from bank_python.market_data.bounded_calls import BoundedCalls
from bank_python.market_data.feed import Poll, PriceHistory, QuoteFailure
from bank_python.market_data.periods import check_period
from bank_python.market_data.utc import as_utc, utc_now
from bank_python.market_data.yahoo_chart import SOURCE, Chart, read_chart
from bank_python.market_data.yahoo_session import YahooConnection
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

__all__ = ["YAHOO_SYMBOLS", "YahooFeed"]

YAHOO_SYMBOLS: dict[str, str] = {
    **{pair: f"{pair}=X" for pair in ("EURUSD", "GBPUSD", "AUDUSD", "NZDUSD", "USDJPY", "USDCHF", "USDCAD", "EURGBP")},
    "VIX": "^VIX",
    "SPX": "^GSPC",
    "NDX": "^NDX",
    "DJI": "^DJI",
    "RUT": "^RUT",
    "BRK.B": "BRK-B",
    "BF.B": "BF-B",
    **{coin: f"{coin}-USD" for coin in ("BTC", "ETH", "SOL")},
}
"""Yahoo's symbol by desk symbol, where the two differ."""

_THREADS = "bank-python-yahoo"
_REQUESTS_AT_ONCE = 16
_SPELLING = re.compile(r"[A-Za-z0-9^][A-Za-z0-9.^=_-]*")
# For range=max Yahoo returns monthly bars, so "max" is requested by dates, as in yfinance.
_LONGEST = 99 * 365 * 86_400  # seconds


@guessable
class YahooFeed:
    """Quotes and daily history from Yahoo Finance.

    Parameters
    ----------
    session : curl_cffi.requests.Session, optional
        Session that yfinance uses for each poll. By default a session is created if the environment variables of
        :mod:`bank_python.market_data.yahoo_session` are set; otherwise yfinance uses its own.
    timeout : float, default 10.0
        Time limit of one symbol's request in seconds, positive.
    deadline : float, optional
        Time limit of a whole poll or history in seconds, positive; twice `timeout` by default.
    symbols : mapping of str to str, optional
        Yahoo symbol by desk symbol; takes precedence over :data:`YAHOO_SYMBOLS`.
    environ : mapping of str to str, optional
        Environment variables; those of the process by default.
    now : callable, optional
        Clock that returns the current time in UTC, for the end of ``period="max"`` and for :attr:`today`.

    Raises
    ------
    FeedConfigError
        A time limit is not positive, or an environment variable is invalid.

    Notes
    -----
    The price of a tick is the last close of Yahoo's daily chart (while the market is open, the last trade), and its
    time is that of the last trade; free quotes of many exchanges are delayed by 15 minutes. The price is in Yahoo's
    unit: ``^VIX`` in points, London shares in pence.
    """

    def __init__(
        self,
        session: Any = None,
        timeout: float = 10.0,
        symbols: Mapping[str, str] | None = None,
        *,
        deadline: float | None = None,
        environ: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._timeout = _positive("timeout", timeout)
        self._deadline = _positive("deadline", 2.0 * timeout if deadline is None else deadline)
        self._session = session
        variables = os.environ if environ is None else environ
        self._connection = YahooConnection() if session is not None else YahooConnection.from_environment(variables)
        self._symbols = {**YAHOO_SYMBOLS, **(symbols or {})}
        self._now = now
        self._calls: BoundedCalls[Chart] = BoundedCalls(_REQUESTS_AT_ONCE, _THREADS)
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **options: Any) -> YahooFeed:
        """Return a feed whose connection is configured by environment variables.

        Parameters
        ----------
        environ : mapping of str to str, optional
            Environment variables; those of the process by default, as in ``YahooFeed()``.
        **options
            Parameters `timeout`, `deadline`, `symbols` and `now` of :class:`YahooFeed`.

        Raises
        ------
        FeedConfigError
            ``BANK_PYTHON_YAHOO_CONNECT`` is not host:port, or ``BANK_PYTHON_YAHOO_CA`` not a file.
        """
        return cls(environ=environ, **options)

    @property
    def name(self) -> str:
        """Name of the feed, ``"yahoo"``."""
        return SOURCE

    @property
    def today(self) -> date:
        """The current date, UTC: the market is live."""
        return as_utc(self._now()).date()

    @property
    def symbols(self) -> frozenset[str] | None:
        """``None``, as Yahoo does not list its symbols."""
        return None

    def yahoo_symbol(self, symbol: str) -> str:
        """Return Yahoo's symbol for a desk symbol."""
        return self._symbols.get(symbol, symbol)

    @guessable
    def poll(self, symbols: Sequence[str]) -> Poll:
        """Return the last price of each symbol, or a failure with its reason.

        Raises
        ------
        MissingExtraError
            yfinance is not installed.
        """
        outcomes = self._charts(symbols, {"range": "5d"})
        ticks, failures = [], []
        for symbol, outcome in outcomes.items():
            try:
                ticks.append(_chart_of(outcome, symbol).tick(symbol))
            except (FeedError, UnknownTickerError) as error:
                failures.append(QuoteFailure(symbol, str(error), SOURCE))
        return Poll(tuple(ticks), tuple(failures))

    @guessable
    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return daily bars of the last `period`, adjusted for splits and dividends (volume: shares traded).

        A bar's date is midnight UTC of the exchange's calendar date.

        Raises
        ------
        FeedConfigError
            There is no such period.
        UnknownTickerError
            Yahoo has no such symbol.
        FeedError
            The request failed; the message gives the reason.
        MissingExtraError
            yfinance is not installed.
        """
        outcomes = self._charts([symbol], self._range(check_period(period)))
        return PriceHistory(symbol, SOURCE, _chart_of(outcomes[symbol], symbol).daily_bars())

    def close(self) -> None:
        """End the threads.

        The session stays open, as yfinance uses it for all requests of the process.
        """
        self._closed = True
        self._calls.close()

    def _range(self, period: str) -> dict[str, Any]:
        if period != "max":
            return {"range": period}
        end = int(self._now().timestamp())
        return {"period1": end - _LONGEST, "period2": end}

    def _charts(self, symbols: Sequence[str], period: dict[str, Any]) -> dict[str, Chart | BaseException]:
        if self._closed:
            return {symbol: FeedError("this feed is closed: create a new one", feed=SOURCE) for symbol in symbols}
        data = self._yfinance_data()
        params = {**period, "interval": "1d", "includePrePost": False, "events": "div,splits,capitalGains"}
        calls = {symbol: partial(_fetch, data, self.yahoo_symbol(symbol), params, self._timeout) for symbol in symbols}
        return self._calls.run(calls, self._deadline)

    def _yfinance_data(self) -> Any:
        """Return yfinance's data layer, with this feed's session if it has one."""
        data_layer = _import_data_layer()
        with self._lock:
            if self._session is None:
                self._session = self._connection.session()
        # Set at each poll, because other code in the process may have replaced it: yf.download does.
        return data_layer() if self._session is None else data_layer(session=self._session)

    def __repr__(self) -> str:
        return f"YahooFeed({'closed' if self._closed else ''})"


def _positive(name: str, seconds: float) -> float:
    if not 0.0 < seconds < float("inf"):
        raise FeedConfigError(f"{name} is {seconds!r} s: give a positive number of seconds", value=seconds)
    return float(seconds)


def _import_data_layer() -> Any:
    try:
        from yfinance.data import YfData
    except ImportError as error:
        raise MissingExtraError(
            f"prices from Yahoo need the package yfinance: {how_to_install('live')}; or use SimulatedFeed(seed=1)",
            extra="live",
        ) from error
    logging.getLogger("yfinance").addFilter(_not_from_here)
    return YfData


def _not_from_here(record: logging.LogRecord) -> bool:
    # What yfinance logs about this feed's requests is in the reason of the failure too; without a handler, logging
    # would write it to the terminal. Records of other yfinance calls in the process pass.
    return not (record.threadName or "").startswith(_THREADS)


def _fetch(data: Any, symbol: str, params: dict[str, Any], timeout: float) -> Chart:
    from yfinance.scrapers import history as client

    if not _SPELLING.fullmatch(symbol):
        raise UnknownTickerError(f"{symbol!r} is not a valid Yahoo symbol: map it with symbols=", ticker=symbol)
    # yfinance's own constant, which has no public name, so that the feed follows if yfinance uses another host.
    base = client._BASE_URL_
    response = data.get(url=f"{base}/v8/finance/chart/{symbol}", params=params, timeout=timeout)
    return read_chart(symbol, response.status_code, response.text)


def _chart_of(outcome: Chart | BaseException, symbol: str) -> Chart:
    if isinstance(outcome, Chart):
        return outcome
    if isinstance(outcome, BankError):
        raise outcome
    raise FeedError(_reason(outcome), feed=SOURCE, symbol=symbol) from outcome


def _reason(error: BaseException) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    for kind, reason in _REASONS.items():
        if kind in kinds:
            detail = str(error).removesuffix(_CURL_ADVICE)
            return f"{reason} ({detail})" if detail else reason
    return f"yfinance failed with {type(error).__name__}: {error}"


_CURL_ADVICE = " See https://curl.se/libcurl/c/libcurl-errors.html first for more details."

# By name, most specific first: the classes are those of curl_cffi or, if that is missing, those of requests.
_REASONS = {
    "YFRateLimitError": "Yahoo returned 429 Too Many Requests: rate limited, so poll less often or for fewer symbols",
    "Timeout": "Yahoo did not respond in time: an outage or a slow network, the next poll tries again",
    "TimeoutError": "Yahoo did not respond in time: an outage or a slow network, the next poll tries again",
    "DNSError": "Yahoo's host name was not found: check the network connection",
    "SSLError": "Yahoo's certificate was rejected: behind a TLS proxy, set BANK_PYTHON_YAHOO_CA to its certificates",
    "ProxyError": "the proxy rejected the request: check the proxy settings",
    "SessionClosed": "the session has been closed: create a new feed",
    "ConnectionError": "Yahoo could not be reached: check the network connection and any firewall",
    "RequestException": "the request to Yahoo failed, the next poll tries again",
}

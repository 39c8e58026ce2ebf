"""The market data of a desk: which feed quotes which leaf, and which quotes are valid.

A :class:`MarketDataManager` polls each feed once per update, checks the quotes and sets all leaves with a valid new
quote together: one tick of the graph and one write to the store, whatever the number of tickers. An invalid quote (not
a number, outside its leaf's domain, older than the previous one, without a time or a time zone) does not reach the
leaf; it is counted, and the reason is shown. A ticker without a new quote keeps its last price and is marked as stale,
with the reason. The dependents of the leaves are left dirty, and are computed when they are read or by
``graph.recalculate()``.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.market_data.leaves import MarketData
>>> from bank_python.market_data.simulated import SimulatedFeed
>>> spot = MarketData("AAPL_SPOT")
>>> manager = MarketDataManager(DependencyGraph(), None, feed=SimulatedFeed(seed=1))
>>> manager.register_ticker("AAPL", spot)
>>> manager.quote("AAPL").state.name
'UNQUOTED'
>>> manager.update_all().updated
('AAPL',)
>>> manager.quote("AAPL").state.name, spot.source
('FRESH', 'simulated')
>>> manager.load_history("AAPL", period="1mo").source
'simulated'
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from bank_python.display import Displayed
from bank_python.errors import (
    BankError,
    DomainError,
    DuplicateTickerError,
    FeedConfigError,
    FeedError,
    UnknownTickerError,
)
from bank_python.guessing import guessable
from bank_python.market_data.choose import feed_from_environment
from bank_python.market_data.feed import QuoteFailure, Tick, live_date
from bank_python.market_data.leaves import quote_stamp
from bank_python.market_data.periods import check_period
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.quotes import MarketUpdate, Quote, QuoteProblem, QuoteState
from bank_python.market_data.unknown_ticker import unknown_ticker
from bank_python.market_data.utc import utc_now
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from bank_python.barbara import BarbaraDB
    from bank_python.dagger import DependencyGraph, LeafBlock
    from bank_python.market_data.feed import Feed, PriceHistory
    from bank_python.market_data.leaves import MarketData

__all__ = ["QUOTES_PREFIX", "MarketDataManager"]

QUOTES_PREFIX = "/Market/Quotes/"

_LOG = logging.getLogger(__name__)


class _Verdict(Enum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(slots=True)
class _Entry:
    """One registered ticker: its feed, its leaf, and the state of its quotes."""

    ticker: str
    leaf: MarketData
    feed: Feed
    symbol: str
    newest: datetime | None = None
    received: datetime | None = None
    problem: str = "not polled yet"
    rejected: int = 0
    stored: dict[str, object] | None = None


@guessable
class MarketDataManager(Displayed):
    """Updates the leaves of a graph with quotes from feeds.

    Parameters
    ----------
    graph : DependencyGraph
        Graph of the leaves.
    db : BarbaraDB or None
        Store for the last valid quote of each ticker (``/Market/Quotes/<ticker>``, one transaction per update);
        ``None`` to store nothing.
    feed : Feed, optional
        Feed of all tickers that are registered without one. By default the environment decides
        (:func:`~bank_python.market_data.choose.feed_from_environment`).
    stale_after : timedelta, default 1 minute
        Maximum age of a fresh quote, counted from its receipt; positive.
    now : callable, optional
        Clock that returns the current time in UTC, for times of receipt and ages.

    Raises
    ------
    FeedConfigError
        `stale_after` is not positive, or the environment does not name a feed.
    NoFeedError
        No feed was given, and there is no default.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        db: BarbaraDB | None,
        feed: Feed | None = None,
        *,
        stale_after: timedelta = timedelta(minutes=1),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        if stale_after <= timedelta(0):
            raise FeedConfigError(f"stale_after is {stale_after}: give a positive timedelta", value=stale_after)
        self._graph = graph
        self._db = db
        self._feed = feed_from_environment() if feed is None else feed
        self._stale_after = stale_after
        self._now = now
        self._entries: dict[str, _Entry] = {}
        self._updating = threading.Lock()
        self._history = PriceHistoryTable()
        self._block: LeafBlock | None = None

    @property
    def feed(self) -> Feed:
        """The feed of all tickers that were registered without one."""
        return self._feed

    @property
    def tickers(self) -> tuple[str, ...]:
        """All registered tickers, in order of registration."""
        return tuple(self._entries)

    @property
    def history(self) -> PriceHistoryTable:
        """The histories loaded so far."""
        return self._history

    def register_ticker(
        self, ticker: str, leaf: MarketData, *, feed: Feed | None = None, symbol: str | None = None
    ) -> None:
        """Register a ticker, whose quotes then set a leaf.

        Parameters
        ----------
        ticker : str
            Name on the desk. Registering a ticker again with the same leaf changes its feed and symbol.
        leaf : MarketData
            Leaf that the quotes set; added to the graph if it is not in it.
        feed : Feed, optional
            Feed of the ticker; the manager's feed by default.
        symbol : str, optional
            Name of the ticker in the feed; `ticker` by default.

        Raises
        ------
        UnknownTickerError
            The feed lists its symbols, and this one is not among them; the message suggests similar names.
        DuplicateTickerError
            The ticker is registered with another leaf, or the leaf with another ticker.
        """
        feed = self._feed if feed is None else feed
        symbol = symbol or ticker
        self._require_distinct(ticker, leaf)
        known = feed.symbols
        if known is not None and symbol not in known:
            raise unknown_ticker(symbol, known, f"the feed {feed.name!r}", "give another feed= for it")
        self._graph.register(leaf)
        newest = leaf.as_of if leaf.source == feed.name else None  # a leaf loaded from a store has its last quote
        self._entries[ticker] = _Entry(ticker, leaf, feed, symbol, newest)

    def _require_distinct(self, ticker: str, leaf: MarketData) -> None:
        for entry in self._entries.values():
            if (entry.ticker == ticker) != (entry.leaf is leaf):
                raise DuplicateTickerError(
                    f"{entry.ticker} is already registered with the leaf {entry.leaf.name}: "
                    f"{ticker} cannot be registered with {leaf.name}, use another name or leaf",
                    ticker=ticker,
                )

    def update_all(self, before: Callable[[Sequence[Tick]], object] | None = None) -> MarketUpdate:
        """Poll every feed once and set the leaves with a valid new quote, as one tick.

        Parameters
        ----------
        before : callable, optional
            Function of the valid new ticks, called just before the leaves are set, while the market still has its
            previous values (the desk rolls its valuation date here). If it raises, nothing is set.

        Returns
        -------
        MarketUpdate
            Tickers that were updated, rejected and failed, with the reasons. An outage or a bad response of a feed
            does not raise.
        """
        with self._updating:
            entries = list(self._entries.values())
            results = _poll_all(entries)
            time = self._now()
            todays = {key: live_date(feed) for key, feed in {id(entry.feed): entry.feed for entry in entries}.items()}
            verdicts = [
                self._verdict(entry, results[id(entry.feed), entry.symbol], todays[id(entry.feed)]) for entry in entries
            ]
            checked = list(zip(entries, verdicts, strict=True))
            accepted = [
                (entry, cast("Tick", results[id(entry.feed), entry.symbol]))
                for entry, verdict in checked
                if verdict is _Verdict.ACCEPTED
            ]
            if before is not None:
                before([tick for _, tick in accepted])
            self._set(accepted, time)
            self._store(accepted)
            return MarketUpdate(
                time,
                updated=tuple(entry.ticker for entry, _ in accepted),
                rejected=_problems(checked, _Verdict.REJECTED),
                failed=_problems(checked, _Verdict.FAILED),
            )

    def _verdict(self, entry: _Entry, result: Tick | QuoteFailure, today: date | None) -> _Verdict:
        if isinstance(result, QuoteFailure):
            entry.problem = result.reason
            return _Verdict.FAILED
        fault = _fault(entry, result, today)
        if fault:
            entry.problem = f"invalid quote rejected: {fault}"
            entry.rejected += 1
            return _Verdict.REJECTED
        return _Verdict.ACCEPTED

    def _set(self, accepted: Sequence[tuple[_Entry, Tick]], time: datetime) -> None:
        """Set the leaves to their new quotes, as one tick."""
        if not accepted:
            return
        leaves = tuple(entry.leaf for entry, _ in accepted)
        if self._block is None or self._block.leaves != leaves:  # most updates have the same tickers as the last
            self._block = self._graph.block(leaves)
        stamps = [quote_stamp(tick.time, tick.source) for _, tick in accepted]
        self._block.set([tick.price for _, tick in accepted], stamps)
        for entry, tick in accepted:
            entry.newest, entry.received, entry.problem = tick.time, time, ""

    def _store(self, accepted: Iterable[tuple[_Entry, Tick]]) -> None:
        # A closed market repeats its last quote, and the store keeps every version: only changed quotes are written.
        quotes = [(entry, _record(tick)) for entry, tick in accepted]
        changed = [(entry, quote) for entry, quote in quotes if quote != entry.stored]
        if self._db is None or not changed:
            return
        self._db.update({QUOTES_PREFIX + entry.ticker: quote for entry, quote in changed})
        for entry, quote in changed:
            entry.stored = quote

    def quote(self, ticker: str) -> Quote:
        """Return the current quote of a ticker with its state.

        Raises
        ------
        UnknownTickerError
            The ticker is not registered; the message suggests similar names.
        """
        entry = self._entry(ticker)
        leaf = entry.leaf
        state, reason = self._state(entry)
        price = leaf.price if leaf.quoted else None
        return Quote(ticker, price, leaf.as_of, leaf.source, state, reason, entry.rejected)

    def _state(self, entry: _Entry) -> tuple[QuoteState, str]:
        if not entry.leaf.quoted:
            return QuoteState.UNQUOTED, entry.problem
        if entry.problem or entry.received is None:
            return QuoteState.STALE, entry.problem
        age = self._now() - entry.received
        if age > self._stale_after:
            return QuoteState.STALE, f"no new quote for {age}"
        return QuoteState.FRESH, ""

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """The quotes of all tickers, in order of registration."""
        return tuple(self.quote(ticker) for ticker in self.tickers)

    @property
    def stale(self) -> tuple[Quote, ...]:
        """The quotes that are stale or missing."""
        return tuple(quote for quote in self.quotes if quote.state is not QuoteState.FRESH)

    def load_history(self, ticker: str, period: str = "1mo", *, into: PriceHistoryTable | None = None) -> PriceHistory:
        """Load the bars of the last `period` into :attr:`history`, replacing those of an earlier load.

        Parameters
        ----------
        ticker : str
            Registered ticker, loaded from its own feed, or any other symbol of the manager's feed.
        period : str, default "1mo"
            Length of the history, as in yfinance: ``1d 5d 1mo 3mo 6mo 1y 2y 5y 10y ytd max``.
        into : PriceHistoryTable, optional
            Table to load the bars into; :attr:`history` by default. With a separate table, callers that need
            different periods do not overwrite each other's bars.

        Returns
        -------
        PriceHistory
            The loaded bars, with their source.

        Raises
        ------
        UnknownTickerError
            The feed does not have the ticker; the message suggests similar names.
        FeedError
            The request failed or returned no bars; bars loaded before are kept.
        FeedConfigError
            There is no such period.
        """
        check_period(period)
        entry = self._entries.get(ticker)
        history = self._unregistered(ticker, period) if entry is None else _history(entry.feed, entry.symbol, period)
        (self._history if into is None else into).load(ticker, history)
        return history

    def _unregistered(self, ticker: str, period: str) -> PriceHistory:
        """Return the history of an unregistered ticker from the manager's feed."""
        available = self._feed.symbols
        cause: UnknownTickerError | None = None
        try:
            if available is None or ticker in available:
                return _history(self._feed, ticker, period)
        except UnknownTickerError as error:
            cause = error
        way_out = "register_ticker() it with a feed that has it"
        where = f"the manager's feed {self._feed.name!r}"
        raise unknown_ticker(ticker, {*self._entries, *(available or ())}, where, way_out) from cause

    def _entry(self, ticker: str) -> _Entry:
        try:
            return self._entries[ticker]
        except KeyError:
            raise unknown_ticker(ticker, self._entries, "the manager", "register_ticker() it first") from None

    def __rich__(self) -> object:
        from bank_python.render_objects import market_view

        return market_view(self)


def _is_result(result: object) -> bool:
    return isinstance(result, Tick | QuoteFailure) and isinstance(cast("object", result.symbol), str)


def _fault(entry: _Entry, tick: Tick, today: date | None) -> str:
    """Return why a tick is invalid, or an empty text; `today` is the current date of a live feed."""
    try:
        fault = _malformed(tick)
    except Exception as error:  # noqa: BLE001  (pandas' NaT is a datetime whose methods raise)
        fault = f"its time {tick.time!r} cannot be read ({message_of(error)})"
    if fault:
        return fault
    if today is not None and tick.time.astimezone(UTC).date() > today:
        return f"its time {tick.time.isoformat()} is in the future of a live market: today is {today.isoformat()}"
    if entry.newest is not None and tick.time < entry.newest:
        return f"its time {tick.time.isoformat()} is before that of the last quote, {entry.newest.isoformat()}"
    try:
        entry.leaf.domain.check(entry.leaf.name, tick.price)
    except DomainError as error:
        return error.message
    return ""


def _malformed(tick: Tick) -> str:
    """Return what is wrong with the time or source of a tick, as user-written feeds may return anything."""
    given: Any = tick
    if not isinstance(given.time, datetime):
        return f"its time {given.time!r} is not a datetime"
    if given.time.utcoffset() is None:
        return f"its time {given.time.isoformat()} has no time zone"
    if not isinstance(given.source, str):
        return f"its source {given.source!r} is not text"
    return ""


def _record(tick: Tick) -> dict[str, object]:
    return {"price": float(tick.price), "time": tick.time, "source": tick.source}


def _problems(checked: Iterable[tuple[_Entry, _Verdict]], kind: _Verdict) -> tuple[QuoteProblem, ...]:
    return tuple(QuoteProblem(entry.ticker, entry.problem) for entry, verdict in checked if verdict is kind)


def _poll_all(entries: Iterable[_Entry]) -> dict[tuple[int, str], Tick | QuoteFailure]:
    """Poll each feed once; return a tick or a failure by feed and symbol."""
    feeds: dict[int, Feed] = {}
    wanted: dict[int, dict[str, None]] = {}
    for entry in entries:
        feeds[id(entry.feed)] = entry.feed
        wanted.setdefault(id(entry.feed), {})[entry.symbol] = None
    results: dict[tuple[int, str], Tick | QuoteFailure] = {}
    for key, symbols in wanted.items():
        feed = feeds[key]
        for symbol in symbols:
            results[key, symbol] = QuoteFailure(symbol, f"the feed {feed.name!r} returned nothing for it", feed.name)
        results.update({(key, symbol): result for symbol, result in _poll(feed, list(symbols)).items()})
    return results


def _history(feed: Feed, symbol: str, period: str) -> PriceHistory:
    """Return a history of a feed; whatever one raises against the protocol is a :class:`FeedError`."""
    try:
        return feed.history(symbol, period)
    except BankError:
        raise
    except Exception as error:  # a feed may be user code
        reason = f"the feed {feed.name!r} raised {type(error).__name__}: {message_of(error)}"
        raise FeedError(reason, feed=feed.name, symbol=symbol) from error


def _poll(feed: Feed, symbols: list[str]) -> dict[str, Tick | QuoteFailure]:
    """Poll one feed; a feed that raises, against the protocol, must not keep the others from being polled."""
    try:
        poll = feed.poll(symbols)
        results: list[Tick | QuoteFailure] = [*poll.failures, *poll.ticks]
        return {result.symbol: result for result in results if _is_result(result)}
    except FeedError as error:
        reason = error.message
    except Exception as error:  # noqa: BLE001  (a feed may be user code)
        _LOG.exception("the feed %r failed; the other feeds are still polled", feed.name)
        reason = f"the feed {feed.name!r} raised {type(error).__name__}: {message_of(error)}"
    return {symbol: QuoteFailure(symbol, reason, feed.name) for symbol in symbols}

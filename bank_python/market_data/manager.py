"""The desk's market data: which feed moves which leaf, and which quotes are believed.

A :class:`MarketDataManager` polls each feed once an update, checks what comes, and sets the leaves that have a good new
quote as one block: one tick of the graph and one write to the store, however many tickers moved. A bad quote (not a
number, outside its leaf's domain, older than the one before, without a time or a zone) never reaches a leaf: it is
counted and shown. A ticker without a new quote keeps its last price and says why. The graph is left dirty where it
moved; reading or ``graph.recalculate()`` does the rest.

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

from bank_python.errors import DomainError, DuplicateTickerError, FeedConfigError, FeedError, UnknownTickerError
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
class _Line:
    """One registered ticker: where its quotes come from, where they go, and how it went."""

    ticker: str
    leaf: MarketData
    feed: Feed
    symbol: str
    newest: datetime | None = None
    received: datetime | None = None
    trouble: str = "not polled yet"
    rejected: int = 0
    kept: dict[str, object] | None = None


@guessable
class MarketDataManager:
    """Keeps the leaves of a graph at the market.

    Parameters
    ----------
    graph : DependencyGraph
        Where the leaves live.
    db : BarbaraDB or None
        Where each ticker's last good quote is kept (``/Market/Quotes/<ticker>``, one transaction an update);
        ``None`` keeps nothing.
    feed : Feed, optional
        Where quotes come from unless a ticker names another. If not given, the environment decides
        (:func:`~bank_python.market_data.choose.feed_from_environment`).
    stale_after : timedelta, default 1 minute
        A quote received longer ago than this is stale even if nothing failed since (nobody updated).
    now : callable, optional
        The clock, for receipt and staleness; UTC.

    Raises
    ------
    FeedConfigError
        `stale_after` is not positive, or the environment names no feed.
    NoFeedError
        No feed was given and none can be chosen.
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
            raise FeedConfigError(f"stale_after is {stale_after}: give more than 0", value=stale_after)
        self._graph = graph
        self._db = db
        self._feed = feed_from_environment() if feed is None else feed
        self._stale_after = stale_after
        self._now = now
        self._lines: dict[str, _Line] = {}
        self._updating = threading.Lock()
        self._history = PriceHistoryTable()
        self._block: LeafBlock | None = None

    @property
    def feed(self) -> Feed:
        """The feed of every ticker that did not name another."""
        return self._feed

    @property
    def tickers(self) -> tuple[str, ...]:
        """Every registered ticker, in order of registration."""
        return tuple(self._lines)

    @property
    def history(self) -> PriceHistoryTable:
        """The histories loaded so far."""
        return self._history

    def register_ticker(
        self, ticker: str, leaf: MarketData, *, feed: Feed | None = None, symbol: str | None = None
    ) -> None:
        """Let the quotes of a ticker move a leaf.

        Parameters
        ----------
        ticker : str
            The name on the desk. Registering it again with the same leaf changes its feed and symbol.
        leaf : MarketData
            What its quotes set; put into the graph if it is not there yet.
        feed : Feed, optional
            Where its quotes come from, if not from the manager's feed.
        symbol : str, optional
            What the feed calls it, if not `ticker`.

        Raises
        ------
        UnknownTickerError
            The feed lists its symbols, and this is not among them; close matches are named.
        DuplicateTickerError
            The ticker moves another leaf, or the leaf is moved by another ticker.
        """
        feed = self._feed if feed is None else feed
        symbol = symbol or ticker
        self._refuse_clash(ticker, leaf)
        known = feed.symbols
        if known is not None and symbol not in known:
            raise unknown_ticker(symbol, known, f"the feed {feed.name!r}", "give another feed= for it")
        self._graph.register(leaf)
        newest = leaf.as_of if leaf.source == feed.name else None  # a leaf read back from a store knows its last quote
        self._lines[ticker] = _Line(ticker, leaf, feed, symbol, newest)

    def _refuse_clash(self, ticker: str, leaf: MarketData) -> None:
        for line in self._lines.values():
            if (line.ticker == ticker) != (line.leaf is leaf):
                raise DuplicateTickerError(
                    f"{line.ticker} already moves the leaf {line.leaf.name}: "
                    f"{ticker} cannot be registered for {leaf.name}, use another name or leaf",
                    ticker=ticker,
                )

    def update_all(self, before: Callable[[Sequence[Tick]], object] | None = None) -> MarketUpdate:
        """Poll every feed once and set the leaves that have a good new quote, as one tick.

        Parameters
        ----------
        before : callable, optional
            Called with the good new quotes just before the leaves are set to them: what has to see the market as it was
            (a valuation date that moves on) has its place there. What it raises is raised, and nothing is set.

        Returns
        -------
        MarketUpdate
            What was updated, what was rejected and what failed, with the reasons. Never raises for what a market or
            a network does.
        """
        with self._updating:
            lines = list(self._lines.values())
            answers = _poll_all(lines)
            time = self._now()
            todays = {key: live_date(feed) for key, feed in {id(line.feed): line.feed for line in lines}.items()}
            verdicts = [
                self._judge_answer(line, answers[id(line.feed), line.symbol], todays[id(line.feed)]) for line in lines
            ]
            settled = list(zip(lines, verdicts, strict=True))
            news = [
                (line, cast("Tick", answers[id(line.feed), line.symbol]))
                for line, verdict in settled
                if verdict is _Verdict.ACCEPTED
            ]
            if before is not None:
                before([tick for _, tick in news])
            self._set(news, time)
            self._keep(news)
            return MarketUpdate(
                time,
                updated=tuple(line.ticker for line, verdict in settled if verdict is _Verdict.ACCEPTED),
                rejected=_problems(settled, _Verdict.REJECTED),
                failed=_problems(settled, _Verdict.FAILED),
            )

    def _judge_answer(self, line: _Line, answer: Tick | QuoteFailure, today: date | None) -> _Verdict:
        if isinstance(answer, QuoteFailure):
            line.trouble = answer.reason
            return _Verdict.FAILED
        fault = _fault(line, answer, today)
        if fault:
            line.trouble = f"bad quote kept out: {fault}"
            line.rejected += 1
            return _Verdict.REJECTED
        return _Verdict.ACCEPTED

    def _set(self, news: Sequence[tuple[_Line, Tick]], time: datetime) -> None:
        """Set the leaves to their new quotes, as one tick."""
        if not news:
            return
        leaves = tuple(line.leaf for line, _ in news)
        if self._block is None or self._block.leaves != leaves:  # most updates bring the same tickers
            self._block = self._graph.block(leaves)
        self._block.set([tick.price for _, tick in news], [quote_stamp(tick.time, tick.source) for _, tick in news])
        for line, tick in news:
            line.newest, line.received, line.trouble = tick.time, time, ""

    def _keep(self, news: Iterable[tuple[_Line, Tick]]) -> None:
        # A closed market repeats its last quote: every version is kept for good, so only what differs is written.
        quotes = [(line, _record(tick)) for line, tick in news]
        different = [(line, quote) for line, quote in quotes if quote != line.kept]
        if self._db is None or not different:
            return
        self._db.update({QUOTES_PREFIX + line.ticker: quote for line, quote in different})
        for line, quote in different:
            line.kept = quote

    def quote(self, ticker: str) -> Quote:
        """Return what is known of a ticker.

        Raises
        ------
        UnknownTickerError
            The ticker is not registered; close matches are named.
        """
        line = self._line(ticker)
        leaf = line.leaf
        state, reason = self._judge(line)
        price = leaf.price if leaf.quoted else None
        return Quote(ticker, price, leaf.as_of, leaf.source, state, reason, line.rejected)

    def _judge(self, line: _Line) -> tuple[QuoteState, str]:
        if not line.leaf.quoted:
            return QuoteState.UNQUOTED, line.trouble
        if line.trouble or line.received is None:
            return QuoteState.STALE, line.trouble
        age = self._now() - line.received
        if age > self._stale_after:
            return QuoteState.STALE, f"no new quote for {age}"
        return QuoteState.FRESH, ""

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """Every ticker's quote, in order of registration."""
        return tuple(self.quote(ticker) for ticker in self.tickers)

    @property
    def stale(self) -> tuple[Quote, ...]:
        """The quotes that are not fresh, unquoted ones included."""
        return tuple(quote for quote in self.quotes if quote.state is not QuoteState.FRESH)

    def load_history(self, ticker: str, period: str = "1mo", *, into: PriceHistoryTable | None = None) -> PriceHistory:
        """Load the bars of the last `period` into :attr:`history`, in the place of what the ticker had there.

        Parameters
        ----------
        ticker : str
            A registered ticker, of which its own feed is asked; or any other that the manager's feed carries.
        period : str, default "1mo"
            yfinance's spelling: ``1d 5d 1mo 3mo 6mo 1y 2y 5y 10y ytd max``.
        into : PriceHistoryTable, optional
            Where to load it in the place of :attr:`history`, for who needs a period of their own.

        Returns
        -------
        PriceHistory
            What was loaded, with its source.

        Raises
        ------
        UnknownTickerError
            It is not registered, and the manager's feed does not carry it, or its own feed does not; close matches
            are named.
        FeedError
            The feed could not deliver, or has no bars; what was loaded before stands.
        FeedConfigError
            There is no such period.
        """
        check_period(period)
        line = self._lines.get(ticker)
        history = self._unregistered(ticker, period) if line is None else line.feed.history(line.symbol, period)
        (self._history if into is None else into).load(ticker, history)
        return history

    def _unregistered(self, ticker: str, period: str) -> PriceHistory:
        """Ask the manager's own feed, which may carry what nobody has registered."""
        carried = self._feed.symbols
        unheard: UnknownTickerError | None = None
        try:
            if carried is None or ticker in carried:
                return self._feed.history(ticker, period)
        except UnknownTickerError as error:
            unheard = error
        way_out = "register_ticker() it with the feed that carries it"
        where = f"the manager's feed {self._feed.name!r}"
        raise unknown_ticker(ticker, {*self._lines, *(carried or ())}, where, way_out) from unheard

    def _line(self, ticker: str) -> _Line:
        try:
            return self._lines[ticker]
        except KeyError:
            raise unknown_ticker(ticker, self._lines, "the manager", "register_ticker() it first") from None


def _is_answer(answer: object) -> bool:
    return isinstance(answer, Tick | QuoteFailure) and isinstance(cast("object", answer.symbol), str)


def _fault(line: _Line, tick: Tick, today: date | None) -> str:
    """Return why a tick is not to be believed, where `today` is the present day of a live feed; empty if it is."""
    try:
        fault = _malformed(tick)
    except Exception as error:  # noqa: BLE001  (pandas' NaT is a datetime, and cannot be asked)
        fault = f"its time {tick.time!r} cannot be read ({message_of(error)})"
    if fault:
        return fault
    if today is not None and tick.time.astimezone(UTC).date() > today:
        return f"its time {tick.time.isoformat()} is in the future of a live market: today is {today.isoformat()}"
    if line.newest is not None and tick.time < line.newest:
        return f"its time {tick.time.isoformat()} is before the last, {line.newest.isoformat()}"
    try:
        line.leaf.domain.check(line.leaf.name, tick.price)
    except DomainError as error:
        return error.message
    return ""


def _malformed(tick: Tick) -> str:
    """Return what is wrong with a tick whatever leaf it is for: a feed may deliver anything."""
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


def _problems(settled: Iterable[tuple[_Line, _Verdict]], kind: _Verdict) -> tuple[QuoteProblem, ...]:
    return tuple(QuoteProblem(line.ticker, line.trouble) for line, verdict in settled if verdict is kind)


def _poll_all(lines: Iterable[_Line]) -> dict[tuple[int, str], Tick | QuoteFailure]:
    """Poll each feed once and return its answer for every symbol wanted of it."""
    feeds: dict[int, Feed] = {}
    wanted: dict[int, dict[str, None]] = {}
    for line in lines:
        feeds[id(line.feed)] = line.feed
        wanted.setdefault(id(line.feed), {})[line.symbol] = None
    answers: dict[tuple[int, str], Tick | QuoteFailure] = {}
    for key, symbols in wanted.items():
        feed = feeds[key]
        for symbol in symbols:
            answers[key, symbol] = QuoteFailure(symbol, f"the feed {feed.name!r} gave no answer for it", feed.name)
        answers.update({(key, symbol): answer for symbol, answer in _poll(feed, list(symbols)).items()})
    return answers


def _poll(feed: Feed, symbols: list[str]) -> dict[str, Tick | QuoteFailure]:
    """Return what a feed answers; the protocol says a poll does not raise, and one that does must not stop others."""
    try:
        poll = feed.poll(symbols)
        answers: list[Tick | QuoteFailure] = [*poll.failures, *poll.ticks]
        return {answer.symbol: answer for answer in answers if _is_answer(answer)}
    except FeedError as error:
        reason = error.message
    except Exception as error:  # noqa: BLE001  (a feed is other people's code)
        _LOG.exception("the feed %r failed; the others are polled", feed.name)
        reason = f"the feed {feed.name!r} raised {type(error).__name__}: {message_of(error)}"
    return {symbol: QuoteFailure(symbol, reason, feed.name) for symbol in symbols}

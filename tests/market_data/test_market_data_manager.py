import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph
from bank_python.errors import (
    DuplicateNodeError,
    DuplicateTickerError,
    FeedConfigError,
    FeedError,
    NoFeedError,
    UnknownTickerError,
)
from bank_python.market_data import CcxtFeed, LiveFeed, RecordingFeed, YahooFeed, choose, live_date
from bank_python.market_data.feed import Bar, Poll, PriceHistory, QuoteFailure, Tick
from bank_python.market_data.history_feed import HistoryFeed
from bank_python.market_data.leaves import MarketData
from bank_python.market_data.manager import QUOTES_PREFIX, MarketDataManager
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.quotes import QuoteProblem, QuoteState
from bank_python.market_data.simulated import SimulatedFeed

T0 = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.time = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self):
        return self.time

    def forward(self, **much):
        self.time += timedelta(**much)


class ScriptedFeed:
    """A feed that returns what the test has put into it, and counts the polls."""

    def __init__(self, name="scripted", symbols=None):
        self.name = name
        self.symbols = symbols
        self.answers = {}
        self.broken = None
        self.polled = []
        self.bars = (Bar(T0, None, None, None, 1.0, None),)

    def quote(self, symbol, price, minute=0):
        self.answers[symbol] = Tick(symbol, price, T0 + timedelta(minutes=minute), self.name)

    def fail(self, symbol, reason):
        self.answers[symbol] = QuoteFailure(symbol, reason, self.name)

    def poll(self, symbols):
        self.polled.append(list(symbols))
        if self.broken is not None:
            raise self.broken
        answers = [self.answers[symbol] for symbol in symbols if symbol in self.answers]
        return Poll(
            tuple(a for a in answers if not isinstance(a, QuoteFailure)),
            tuple(a for a in answers if isinstance(a, QuoteFailure)),
        )

    def history(self, symbol, period):  # noqa: ARG002  (the protocol's)
        if self.broken is not None:
            raise self.broken
        return PriceHistory(symbol, self.name, self.bars)

    def close(self):
        pass


@pytest.fixture
def feed():
    return ScriptedFeed()


@pytest.fixture
def graph():
    return DependencyGraph()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def db():
    return BarbaraDB.open("desk;default", path=":memory:")


@pytest.fixture
def manager(graph, feed, clock):
    return MarketDataManager(graph, None, feed, now=clock)


def leaf(name, domain="positive"):
    return MarketData(name, domain=domain)


def test_a_quote_reaches_its_leaf_and_what_rests_on_it(manager, graph, feed):
    spot = leaf("AAPL_SPOT")
    manager.register_ticker("AAPL", spot)
    double = graph.derive("DOUBLE", lambda x: 2 * x, [spot])
    feed.quote("AAPL", 150.0)
    update = manager.update_all()
    assert update.updated == ("AAPL",)
    assert update.complete
    assert double.value == 300.0
    assert (spot.price, spot.source, spot.as_of) == (150.0, "scripted", T0)


def test_an_update_is_one_tick_whatever_its_size(graph):
    manager = MarketDataManager(graph, None, SimulatedFeed(seed=1))
    leaves = [leaf(f"{ticker}_SPOT") for ticker in ("AAPL", "MSFT", "NVDA", "JPM")]
    for spot in leaves:
        manager.register_ticker(spot.name.removesuffix("_SPOT"), spot)
    total = graph.sum("TOTAL", leaves)
    seen = []
    graph.subscribe(total, lambda node: seen.append(node.value))
    before = graph.tick
    manager.update_all()
    assert graph.tick == before + 1
    evaluated = graph.evaluations
    graph.recalculate()
    assert graph.evaluations == evaluated + 1
    assert seen == [math.fsum(spot.price for spot in leaves)]


def test_the_leaf_is_put_into_the_graph(manager, graph):
    spot = leaf("AAPL_SPOT")
    manager.register_ticker("AAPL", spot)
    assert spot in graph
    with pytest.raises(DuplicateNodeError):
        manager.register_ticker("MSFT", leaf("AAPL_SPOT"))
    assert manager.tickers == ("AAPL",)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_a_bad_quote_is_kept_out_counted_and_shown(manager, graph, feed, bad):
    spot, other = leaf("A_SPOT"), leaf("B_SPOT")
    manager.register_ticker("A", spot)
    manager.register_ticker("B", other)
    feed.quote("A", 10.0)
    feed.quote("B", 20.0)
    manager.update_all()
    feed.quote("A", bad, minute=1)
    feed.quote("B", 21.0, minute=1)
    for count in (1, 2):
        update = manager.update_all()
        assert update.updated == ("B",)
        assert [problem.ticker for problem in update.rejected] == ["A"]
        assert update.failed == ()
        quote = manager.quote("A")
        assert (quote.price, quote.time, quote.state, quote.rejected) == (10.0, T0, QuoteState.STALE, count)
        assert repr(bad) in quote.reason
    assert (spot.price, other.price) == (10.0, 21.0)
    feed.quote("A", 11.0, minute=2)
    manager.update_all()
    assert (manager.quote("A").state, manager.quote("A").rejected) == (QuoteState.FRESH, 2)


def test_a_rate_may_be_negative(manager, feed):
    sofr = leaf("SOFR", domain="finite")
    manager.register_ticker("SOFR", sofr)
    feed.quote("SOFR", -0.005)
    assert manager.update_all().updated == ("SOFR",)
    assert sofr.price == -0.005


def test_a_quote_older_than_the_last_is_kept_out(manager, feed):
    manager.register_ticker("A", leaf("A_SPOT"))
    feed.quote("A", 10.0, minute=5)
    manager.update_all()
    feed.quote("A", 9.0, minute=4)
    (problem,) = manager.update_all().rejected
    assert "before that of the last quote" in problem.reason
    assert manager.quote("A").price == 10.0
    feed.quote("A", 10.5, minute=5)  # as old as the last is not older
    assert manager.update_all().updated == ("A",)


def test_a_quote_without_a_time_zone_is_kept_out(manager, feed):
    manager.register_ticker("A", leaf("A_SPOT"))
    feed.answers["A"] = Tick("A", 10.0, T0.replace(tzinfo=None), "scripted")
    (problem,) = manager.update_all().rejected
    assert "time zone" in problem.reason
    assert manager.quote("A").state is QuoteState.UNQUOTED


def test_an_outage_keeps_the_price_and_says_why(manager, feed):
    manager.register_ticker("A", leaf("A_SPOT"))
    manager.register_ticker("B", leaf("B_SPOT"))
    feed.quote("A", 10.0)
    feed.quote("B", 20.0)
    manager.update_all()
    feed.fail("A", "429 too many requests")
    update = manager.update_all()
    assert update.failed == (QuoteProblem("A", "429 too many requests"),)
    assert update.updated == ("B",)
    quote = manager.quote("A")
    assert (quote.price, quote.state, quote.reason) == (10.0, QuoteState.STALE, "429 too many requests")
    assert quote.rejected == 0
    assert [q.ticker for q in manager.stale] == ["A"]


def test_never_quoted_is_said_so(manager, feed):
    manager.register_ticker("A", leaf("A_SPOT"))
    assert manager.quote("A").reason == "not polled yet"
    feed.fail("A", "no such symbol")
    manager.update_all()
    quote = manager.quote("A")
    assert (quote.price, quote.time, quote.source, quote.state) == (None, None, "", QuoteState.UNQUOTED)
    assert quote.reason == "no such symbol"


def test_a_symbol_the_feed_says_nothing_about_is_a_failure(manager):
    manager.register_ticker("A", leaf("A_SPOT"))
    (problem,) = manager.update_all().failed
    assert "returned nothing" in problem.reason


def test_a_feed_that_raises_fails_its_own_symbols_only(manager, feed):
    other = ScriptedFeed("other")
    manager.register_ticker("A", leaf("A_SPOT"))
    manager.register_ticker("B", leaf("B_SPOT"), feed=other)
    feed.broken = FeedError("the wire is cut", feed="scripted")
    other.quote("B", 20.0)
    update = manager.update_all()
    assert update.failed == (QuoteProblem("A", "the wire is cut"),)
    assert update.updated == ("B",)


def test_a_feed_that_raises_anything_fails_its_own_symbols_only_and_the_log_says_where(manager, feed, caplog):
    other = ScriptedFeed("other")
    manager.register_ticker("A", leaf("A_SPOT"))
    manager.register_ticker("B", leaf("B_SPOT"), feed=other)
    feed.broken = ValueError("year 33715 is out of range")
    other.quote("B", 20.0)
    update = manager.update_all()
    assert update.updated == ("B",)
    assert update.failed == (QuoteProblem("A", "the feed 'scripted' raised ValueError: year 33715 is out of range"),)
    assert manager.quote("A").state is QuoteState.UNQUOTED
    assert "Traceback" in caplog.text
    feed.broken = None
    feed.quote("A", 1.0)
    assert manager.update_all().updated == ("A", "B")


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (1772452800, "its time 1772452800 is not a datetime"),
        (None, "its time None is not a datetime"),
        ("2026-03-02", "its time '2026-03-02' is not a datetime"),
        (date(2026, 3, 2), "is not a datetime"),
        (datetime(2026, 3, 2), "has no time zone"),  # noqa: DTZ001  (that is what is refused)
    ],
)
def test_a_time_that_is_none_keeps_its_own_quote_out_and_no_other(manager, feed, time, said):
    for ticker in ("A", "B"):
        manager.register_ticker(ticker, leaf(f"{ticker}_SPOT"))
        feed.quote(ticker, 10.0)
    manager.update_all()
    feed.quote("A", 11.0, minute=1)
    feed.answers["B"] = Tick("B", 12.0, time, "scripted")
    update = manager.update_all()
    assert update.updated == ("A",)
    assert [problem.ticker for problem in update.rejected] == ["B"]
    assert said in update.rejected[0].reason
    assert manager.quote("A").price == 11.0
    assert (manager.quote("B").price, manager.quote("B").state) == (10.0, QuoteState.STALE)


def test_a_time_of_pandas_that_is_none_is_named_too(manager, feed):
    manager.register_ticker("A", leaf("A_SPOT"))
    feed.answers["A"] = Tick("A", 12.0, pytest.importorskip("pandas").NaT, "scripted")
    assert "its time NaT" in manager.update_all().rejected[0].reason


def test_what_is_no_answer_at_all_is_no_answer_for_its_symbol_only(manager, feed):
    for ticker in ("A", "B"):
        manager.register_ticker(ticker, leaf(f"{ticker}_SPOT"))
    feed.quote("A", 10.0)
    feed.answers["B"] = ("B", 12.0)
    update = manager.update_all()
    assert update.updated == ("A",)
    assert update.failed == (QuoteProblem("B", "the feed 'scripted' returned nothing for it"),)


def test_each_feed_is_polled_once_for_all_its_symbols(manager, feed):
    other = ScriptedFeed("other")
    manager.register_ticker("A", leaf("A_SPOT"))
    manager.register_ticker("SOFR", leaf("SOFR"), feed=other, symbol="SOFRRATE")
    manager.register_ticker("B", leaf("B_SPOT"), symbol="B.L")
    manager.register_ticker("B2", leaf("B2_SPOT"), symbol="B.L")
    feed.quote("A", 1.0)
    feed.quote("B.L", 2.0)
    other.quote("SOFRRATE", 0.04)
    assert manager.update_all().updated == ("A", "SOFR", "B", "B2")
    assert feed.polled == [["A", "B.L"]]
    assert other.polled == [["SOFRRATE"]]
    assert [quote.source for quote in manager.quotes] == ["scripted", "other", "scripted", "scripted"]


def test_a_quote_nobody_renewed_grows_stale(manager, feed, clock):
    manager.register_ticker("A", leaf("A_SPOT"))
    feed.quote("A", 10.0)
    manager.update_all()
    clock.forward(seconds=60)
    assert manager.quote("A").state is QuoteState.FRESH
    clock.forward(seconds=1)
    quote = manager.quote("A")
    assert (quote.state, quote.reason) == (QuoteState.STALE, "no new quote for 0:01:01")


def test_a_ticker_or_leaf_registered_twice_is_refused(manager):
    spot = leaf("A_SPOT")
    manager.register_ticker("A", spot)
    with pytest.raises(DuplicateTickerError) as caught:
        manager.register_ticker("A", leaf("OTHER"))
    assert caught.value.ticker == "A"
    with pytest.raises(DuplicateTickerError, match="A_SPOT"):
        manager.register_ticker("B", spot)
    assert manager.tickers == ("A",)


def test_registering_again_changes_the_feed_and_accepts_its_time(manager, feed):
    spot, other = leaf("A_SPOT"), ScriptedFeed("other")
    manager.register_ticker("A", spot)
    feed.quote("A", 10.0, minute=5)
    manager.update_all()
    manager.register_ticker("A", spot, feed=other)
    other.quote("A", 11.0, minute=1)
    assert manager.update_all().updated == ("A",)
    assert (spot.price, spot.source) == (11.0, "other")


def test_a_ticker_the_feed_does_not_carry_is_refused_with_close_matches(graph):
    manager = MarketDataManager(graph, None, SimulatedFeed(seed=1))
    with pytest.raises(UnknownTickerError, match="AAPL") as caught:
        manager.register_ticker("APPL", leaf("APPL_SPOT"))
    assert caught.value.ticker == "APPL"
    assert len(graph) == 0
    assert manager.tickers == ()


def test_asking_for_an_unregistered_ticker_names_close_matches(manager):
    manager.register_ticker("AAPL", leaf("AAPL_SPOT"))
    with pytest.raises(UnknownTickerError, match="did you mean 'AAPL'"):
        manager.quote("APPL")


def test_a_history_needs_no_registration_where_the_feed_carries_it(graph):
    manager = MarketDataManager(graph, None, SimulatedFeed(seed=1))
    loaded = manager.load_history("AAPL", period="5d")
    assert manager.history.closes("AAPL").tolist() == [bar.close for bar in loaded.bars]
    assert manager.tickers == ()
    assert len(graph.nodes) == 0


def test_a_history_that_the_feed_does_not_carry_is_refused_with_neighbours(graph):
    manager = MarketDataManager(graph, None, SimulatedFeed(seed=1))
    with pytest.raises(UnknownTickerError, match=r"feed 'simulated' has no ticker 'APPL': did you mean .*'AAPL'"):
        manager.load_history("APPL")
    assert manager.history.tickers == ()


def test_a_feed_that_only_asking_can_tell_is_asked_and_registered_tickers_are_neighbours(manager, feed):
    manager.register_ticker("AAPL", leaf("AAPL_SPOT"))
    assert manager.load_history("GOOG").source == "scripted"
    feed.broken = UnknownTickerError("no such symbol", ticker="APPL")
    with pytest.raises(UnknownTickerError, match="did you mean 'AAPL'") as caught:
        manager.load_history("APPL")
    assert caught.value.__cause__ is feed.broken


def test_history_is_loaded_under_the_desks_name(graph):
    manager = MarketDataManager(graph, None, HistoryFeed.sp500(start=date(2021, 6, 1)))
    manager.register_ticker("APPLE", leaf("AAPL_SPOT"), symbol="AAPL")
    loaded = manager.load_history("APPLE", period="1mo")
    rows = list(manager.history.query("APPLE"))
    assert [row["close"] for row in rows] == [bar.close for bar in loaded.bars]
    assert {(row["ticker"], row["source"], row["volume"]) for row in rows} == {("APPLE", "history:sp500", None)}
    manager.load_history("APPLE", period="1mo")
    assert len(list(manager.history.query("APPLE"))) == len(rows)


def test_a_feed_whose_history_raises_anything_is_a_feed_error_that_names_it(manager, feed):
    manager.register_ticker("A", leaf("A_SPOT"))
    feed.broken = RuntimeError("boom")
    for name in ("A", "OTHER"):
        with pytest.raises(FeedError, match="the feed 'scripted' raised RuntimeError: boom"):
            manager.load_history(name)


def test_a_failed_history_leaves_the_last(manager, feed):
    manager.register_ticker("A", leaf("A_SPOT"))
    manager.load_history("A")
    feed.broken = FeedError("down", feed="scripted")
    with pytest.raises(FeedError, match="down"):
        manager.load_history("A")
    feed.broken, feed.bars = None, ()
    with pytest.raises(FeedError, match="no bars"):
        manager.load_history("A")
    with pytest.raises(FeedConfigError, match="1w"):
        manager.load_history("A", period="1w")
    assert manager.history.closes("A").tolist() == [1.0]


def test_good_quotes_are_kept_in_barbara_one_transaction_an_update(graph, feed, db, clock):
    manager = MarketDataManager(graph, db, feed, now=clock)
    for ticker in ("A", "B"):
        manager.register_ticker(ticker, leaf(f"{ticker}_SPOT"))
        feed.quote(ticker, 10.0)
    manager.update_all()
    assert db[QUOTES_PREFIX + "A"] == {"price": 10.0, "time": T0, "source": "scripted"}
    assert sorted(db.keys(QUOTES_PREFIX)) == [QUOTES_PREFIX + "A", QUOTES_PREFIX + "B"]
    feed.quote("A", math.nan, minute=1)
    feed.fail("B", "outage")
    manager.update_all()
    assert db[QUOTES_PREFIX + "A"]["price"] == 10.0
    assert db[QUOTES_PREFIX + "B"]["price"] == 10.0


def test_a_quote_that_did_not_change_is_not_written_again(graph, feed, db):
    manager = MarketDataManager(graph, db, feed)
    manager.register_ticker("A", leaf("A_SPOT"))
    feed.quote("A", 10.0)
    for _ in range(3):
        manager.update_all()
    assert len(list(db.history(QUOTES_PREFIX + "A"))) == 1
    feed.quote("A", 10.0, minute=1)
    manager.update_all()
    assert len(list(db.history(QUOTES_PREFIX + "A"))) == 2


def test_a_whole_desk_is_updated_and_kept(graph, db):
    feed = SimulatedFeed(seed=1)
    manager = MarketDataManager(graph, db, feed)
    for spec in feed.universe:
        manager.register_ticker(spec.symbol, leaf(spec.symbol, "positive" if spec.kind.is_lognormal else "finite"))
    for _ in range(3):
        assert manager.update_all().complete
    assert len(list(db.keys(QUOTES_PREFIX))) == len(feed.universe) > 250
    assert manager.stale == ()


def test_without_a_feed_the_environment_decides(graph, monkeypatch):
    monkeypatch.setenv(choose.FEED_VARIABLE, "simulated")
    assert isinstance(MarketDataManager(graph, None).feed, SimulatedFeed)
    monkeypatch.delenv(choose.FEED_VARIABLE)
    monkeypatch.setattr(choose, "find_spec", lambda _: None)
    with pytest.raises(NoFeedError):
        MarketDataManager(graph, None)


@pytest.mark.parametrize("much", [timedelta(0), timedelta(seconds=-1)])
def test_a_staleness_that_makes_no_sense_is_refused(graph, feed, much):
    with pytest.raises(FeedConfigError, match="stale_after"):
        MarketDataManager(graph, None, feed, stale_after=much)


ANSWERS = st.one_of(
    st.tuples(st.just("quote"), st.floats(), st.integers(-5, 5)),
    st.tuples(st.just("fail")),
    st.tuples(st.just("silent")),
)


@given(st.lists(st.dictionaries(st.sampled_from("ABC"), ANSWERS), max_size=8))
@settings(deadline=None)
def test_whatever_comes_the_leaf_holds_the_last_good_quote(rounds):
    graph, feed = DependencyGraph(), ScriptedFeed()
    manager = MarketDataManager(graph, None, feed)
    good, rejected = dict.fromkeys("ABC"), dict.fromkeys("ABC", 0)
    for ticker in "ABC":
        manager.register_ticker(ticker, leaf(f"{ticker}_SPOT"))
    for answers in rounds:
        feed.answers.clear()
        for ticker, (kind, *what) in answers.items():
            if kind == "quote":
                feed.quote(ticker, *what)
            elif kind == "fail":
                feed.fail(ticker, "outage")
        update = manager.update_all()
        for ticker, (kind, *what) in answers.items():
            if kind != "quote":
                continue
            price, minute = what
            if math.isfinite(price) and price > 0 and (good[ticker] is None or minute >= good[ticker][1]):
                good[ticker] = (price, minute)
                assert ticker in update.updated
            else:
                rejected[ticker] += 1
        named = [*update.updated, *(p.ticker for p in (*update.rejected, *update.failed))]
        assert sorted(named) == ["A", "B", "C"]
        for quote in manager.quotes:
            assert quote.price == (good[quote.ticker] and good[quote.ticker][0])
            assert quote.rejected == rejected[quote.ticker]
            assert (quote.state is QuoteState.FRESH) == (quote.ticker in update.updated)


# --- dates -----------------------------------------------------------------------------------------------------------


class LiveScript(ScriptedFeed):
    """A scripted feed of a live market."""

    today = T0.date()


def test_a_live_feed_is_not_believed_about_tomorrow():
    feed, other, graph = LiveScript(), ScriptedFeed("other"), DependencyGraph()
    manager = MarketDataManager(graph, None, feed=feed)
    leaves = [MarketData("A"), MarketData("B")]
    manager.register_ticker("A", leaves[0])
    manager.register_ticker("B", leaves[1], feed=other)
    for minute, good in ((0, True), (60 * 24 * 300, False), (1, True)):
        feed.quote("A", 1.0 + minute, minute)
        other.quote("B", 1.0 + minute, max(minute, 60 * 24 * 300))  # a market with simulated dates
        update = manager.update_all()
        assert ("A" in update.updated) is good
        assert "B" in update.updated
    assert leaves[0].price == 2.0
    assert manager.quote("A").rejected == 1


def test_what_is_called_before_sees_the_market_as_it_was():
    feed, graph = ScriptedFeed(), DependencyGraph()
    manager, leaf = MarketDataManager(graph, None, feed=feed), MarketData("A")
    manager.register_ticker("A", leaf)
    feed.quote("A", 1.0)
    manager.update_all()
    feed.quote("A", 2.0, minute=1)
    seen = []
    manager.update_all(lambda ticks: seen.append((leaf.price, [tick.price for tick in ticks])))
    assert (seen, leaf.price) == ([(1.0, [2.0])], 2.0)
    feed.quote("A", 3.0, minute=2)

    def refuse(_ticks):
        raise FeedError("no", feed="scripted")

    with pytest.raises(FeedError):
        manager.update_all(refuse)
    assert leaf.price == 2.0
    manager.update_all()
    assert leaf.price == 3.0
    feed.fail("A", "gone")
    manager.update_all(seen.append)
    assert seen[-1] == []


def test_a_history_for_who_needs_a_period_of_their_own_is_loaded_beside():
    manager, own = MarketDataManager(DependencyGraph(), None, feed=SimulatedFeed(seed=1)), PriceHistoryTable()
    manager.register_ticker("AAPL", MarketData("AAPL_SPOT"))
    manager.load_history("AAPL", "1y")
    manager.load_history("AAPL", "5d", into=own)
    assert (len(own.query("AAPL")), len(manager.history.query("AAPL"))) == (5, 262)


def test_which_feeds_are_live(tmp_path):
    def now():
        return datetime(2026, 11, 30, 23, 30, tzinfo=timezone(timedelta(hours=-5)))

    assert live_date(YahooFeed(now=now)) == live_date(CcxtFeed(now=now)) == date(2026, 12, 1)
    tape = HistoryFeed({"A": [(date(2020, 1, 2), 1.0)]})
    assert live_date(tape) is live_date(SimulatedFeed()) is None
    with (
        RecordingFeed(YahooFeed(now=now), tmp_path / "a.jsonl") as live,
        RecordingFeed(tape, tmp_path / "b.jsonl") as past,
    ):
        assert (live_date(live), live_date(past)) == (date(2026, 12, 1), None)
        assert isinstance(live, LiveFeed)

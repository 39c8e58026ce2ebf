"""The ccxt client against a local server with Hyperliquid's ``/info`` endpoint."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bank_python.errors import FeedConfigError, FeedError, MissingExtraError, UnknownTickerError
from bank_python.market_data.ccxt_feed import CcxtFeed
from tests.market_data.feed_contract import FEED_CONTRACT, FeedUnderTest
from tests.servers.hyperliquid_server import CANDLES_AT_ONCE, HyperliquidServer

ccxt = pytest.importorskip("ccxt")

SWAP = "BTC/USDC:USDC"


@pytest.fixture
def server():
    with HyperliquidServer({"BTC": 97_000.5, "ETH": 3_611.05}, {"BTC": 0.0000125}, delisted=("OLD",)) as server:
        yield server


def client(server, **options):
    # Without ccxt's rate limiter, which sleeps half a second between requests of this weight.
    settings = {"enableRateLimit": False, "timeout": 10_000, "options": {"fetchMarkets": {"types": ["swap"]}}}
    exchange = ccxt.hyperliquid(settings | options)
    exchange.urls["api"] = {"public": server.url, "private": server.url}
    return exchange


@pytest.fixture
def feed(server):
    exchange = client(server)
    feed = CcxtFeed(client=exchange, now=lambda: server.now)
    yield feed
    server.recover()
    feed.close()
    exchange.close()


def prices(poll) -> dict[str, float]:
    return {tick.symbol: tick.price for tick in poll.ticks}


def reasons(poll) -> dict[str, str]:
    return {failure.symbol: failure.reason for failure in poll.failures}


@pytest.mark.parametrize("check", FEED_CONTRACT)
def test_contract(check, feed):
    check(FeedUnderTest(feed, ("BTC", "ETH", "BTC_FUNDING")))


def test_its_name_is_the_exchanges(feed):
    assert feed.name == "hyperliquid"


def test_symbols_are_known_once_the_markets_are(feed):
    assert feed.symbols is None
    feed.poll(["BTC"])
    assert {"BTC", SWAP, "BTC_FUNDING", "ETH"} < feed.symbols


def test_prices_are_the_mids_served_at_the_time_of_the_poll(server, feed):
    poll = feed.poll(["BTC", "ETH", SWAP, "BTC"])
    assert prices(poll) == {"BTC": 97_000.5, "ETH": 3_611.05, SWAP: 97_000.5}
    assert {(tick.time, tick.source) for tick in poll.ticks} == {(server.now, "hyperliquid")}
    assert poll.failures == ()


def test_one_request_brings_all_prices_and_fundings(server, feed):
    feed.poll(["BTC"])
    before = len(server.requests)
    poll = feed.poll(["BTC", "ETH", "BTC_FUNDING", "ETH_FUNDING"])
    assert len(server.requests) == before + 1
    assert prices(poll)["BTC_FUNDING"] == pytest.approx(8 * 0.0000125)  # served per hour, delivered per eight
    assert prices(poll)["ETH_FUNDING"] == 0.0


def test_a_price_moves_when_the_server_moves_it(server, feed):
    assert prices(feed.poll(["BTC"])) == {"BTC": 97_000.5}
    server.prices["BTC"] = 96_500.0
    assert prices(feed.poll(["BTC"])) == {"BTC": 96_500.0}


def test_unknown_and_delisted_symbols_fail_alone(feed):
    poll = feed.poll(["BTC", "ETHH", "OLD"])
    assert prices(poll) == {"BTC": 97_000.5}
    assert "has no ticker 'ETHH': did you mean 'ETH'" in reasons(poll)["ETHH"]
    assert reasons(poll)["OLD"] == "hyperliquid has no price for 'OLD/USDC:USDC': it is delisted"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("429", "rate limited, so poll less often"),
        ("401", "rejected the request as not authorised"),
        ("403", "blocks this network (403)"),
        ("500", "reports that it is not available: an outage"),
        ("503", "reports that it is not available: an outage"),
        ("html", "returned status 200 with no JSON in place of tickers"),
        ("malformed", "returned status 200 with no JSON in place of tickers"),
        ("blank", "returned status 200 with no JSON in place of tickers"),
        ("null", "returned status 200 with no JSON in place of tickers"),
        ("object", "returned status 200 with '{}' in place of tickers"),
        ("empty", "returned status 200 with '[]' in place of tickers"),
        ("drop", "could not be reached"),
    ],
)
def test_a_failing_exchange_says_why_and_it_recovers(server, feed, how, reason):
    feed.poll(["BTC"])
    server.fail(how)
    poll = feed.poll(["BTC", "ETH", "NOPE"])
    assert poll.ticks == ()
    assert set(reasons(poll)) == {"BTC", "ETH", "NOPE"}
    assert reason in reasons(poll)["BTC"]
    assert reasons(poll)["BTC"].startswith("hyperliquid ")
    server.recover()
    assert prices(feed.poll(["BTC"])) == {"BTC": 97_000.5}


@pytest.mark.parametrize("how", ["429", "500", "malformed", "null", "object", "empty", "drop"])
def test_markets_that_could_not_be_loaded_are_loaded_at_the_next_poll(server, feed, how):
    server.fail(how)
    assert set(reasons(feed.poll(["BTC"]))) == {"BTC"}
    assert feed.symbols is None
    server.recover()
    assert prices(feed.poll(["BTC"])) == {"BTC": 97_000.5}


def test_a_stalled_exchange_times_out(server):
    exchange = client(server, timeout=200)
    feed = CcxtFeed(client=exchange, deadline=30.0)
    feed.poll(["BTC"])
    server.fail("stall")
    assert "did not respond in time" in reasons(feed.poll(["BTC"]))["BTC"]
    server.recover()
    assert prices(feed.poll(["BTC"])) == {"BTC": 97_000.5}
    exchange.close()


def test_a_poll_ends_at_its_deadline_whatever_the_clients_own_timeout(server, feed):
    impatient = CcxtFeed(client=client(server), deadline=0.2)
    server.fail("stall")
    assert "did not respond in time" in reasons(impatient.poll(["BTC"]))["BTC"]


def test_a_refused_connection():
    with HyperliquidServer({}) as server:
        url = server.url
    feed = CcxtFeed(base_url=url)
    assert "could not be reached" in reasons(feed.poll(["BTC"]))["BTC"]
    feed.close()


def test_another_address_by_argument_and_by_environment(server, monkeypatch):
    by_argument = CcxtFeed(base_url=server.url + "/")
    assert prices(by_argument.poll(["BTC"])) == {"BTC": 97_000.5}
    monkeypatch.setenv("BANK_PYTHON_CCXT_URL", server.url)
    by_environment = CcxtFeed()
    assert prices(by_environment.poll(["ETH"])) == {"ETH": 3_611.05}
    assert server.count("/info") == 6  # each: the currencies, the markets, the tickers; nothing went elsewhere
    by_argument.close()
    by_environment.close()


def test_own_mapping(server):
    feed = CcxtFeed(client=client(server), symbols={"XBT": SWAP, "ETH": "BTC"})
    assert prices(feed.poll(["XBT", "ETH", "XBT_FUNDING"])) == {
        "XBT": 97_000.5,
        "ETH": 97_000.5,
        "XBT_FUNDING": pytest.approx(0.0001),
    }


def market(symbol: str, **terms) -> dict:
    base, _, quote = symbol.partition(":")[0].partition("/")
    settle = symbol.partition(":")[2] or None
    kind = "swap" if settle else "spot"
    linear = None if settle is None else settle == quote
    return {
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "settle": settle,
        "type": kind,
        "spot": kind == "spot",
        "swap": kind == "swap",
        "linear": linear,
        "active": True,
    } | terms


@pytest.mark.parametrize(
    ("listed", "chosen"),
    [
        ([market("BTC/USDT"), market("BTC/USDT:USDT"), market("BTC/USD:BTC")], "BTC/USDT:USDT"),
        ([market("BTC/USDC:USDC"), market("BTC/USDT:USDT")], "BTC/USDT:USDT"),
        ([market("BTC/USDT:USDT", active=False), market("BTC/USDC:USDC")], "BTC/USDC:USDC"),
        ([market("BTC/EUR"), market("BTC/USD")], "BTC/USD"),
        ([market("BTC/USD:BTC"), market("BTC/EUR")], "BTC/EUR"),
    ],
)
def test_a_coin_stands_for_its_linear_swap_in_the_usual_currency(listed, chosen):
    exchange = ccxt.bybit()
    exchange.markets = {entry["symbol"]: entry for entry in listed}
    assert CcxtFeed(client=exchange)._market("BTC")["symbol"] == chosen


@pytest.mark.parametrize(
    ("period", "step", "bars"),
    [("1d", timedelta(hours=1), 24), ("1mo", timedelta(hours=1), 744), ("3mo", timedelta(days=1), 92)],
)
def test_history_reaches_back_by_the_hour_up_to_a_month_and_by_the_day_beyond(server, feed, period, step, bars):
    history = feed.history("BTC", period)
    dates = [bar.date for bar in history.bars]
    assert (history.symbol, history.source, len(dates)) == ("BTC", "hyperliquid", bars)
    assert {later - earlier for earlier, later in pairwise(dates)} == {step}
    assert server.now - step < dates[-1] <= server.now
    assert all(bar.low <= bar.open < bar.close <= bar.high for bar in history.bars)
    assert {bar.volume for bar in history.bars} == {10.5}


def test_a_long_history_is_read_page_by_page(server, feed):
    server.since = server.now - timedelta(days=CANDLES_AT_ONCE + 100)
    dates = [bar.date for bar in feed.history("BTC", "max").bars]
    assert len(dates) == CANDLES_AT_ONCE + 100
    assert len(set(dates)) == len(dates)
    assert server.count("candleSnapshot") == 2


def test_year_to_date_begins_with_the_year(feed):
    assert feed.history("BTC", "ytd").bars[0].date == datetime(2026, 1, 1, tzinfo=UTC)


def test_history_of_what_is_not_there(server, feed):
    with pytest.raises(UnknownTickerError, match="did you mean 'BTC'"):
        feed.history("BTCC", "1mo")
    with pytest.raises(FeedError, match="a funding rate, which has no candles"):
        feed.history("BTC_FUNDING", "1mo")
    with pytest.raises(FeedConfigError, match="unknown period '1week'"):
        feed.history("BTC", "1week")


@pytest.mark.parametrize("how", ["429", "500", "malformed", "null", "object", "empty"])
def test_a_broken_history_is_an_error_not_an_empty_one(server, feed, how):
    feed.poll(["BTC"])
    server.fail(how, "candleSnapshot")
    with pytest.raises(FeedError, match=r"hyperliquid (returned|reports)") as caught:
        feed.history("BTC", "1mo")
    assert caught.value.feed == "hyperliquid"
    server.recover()
    assert len(feed.history("BTC", "1mo").bars) == 744


def test_a_given_clients_settings_are_left_alone(server):
    exchange = client(server)
    kept = exchange.enableLastJsonResponse
    feed = CcxtFeed(client=exchange)
    feed.poll(["BTC"])
    server.fail("malformed")
    feed.poll(["BTC"])
    assert exchange.enableLastJsonResponse == kept
    feed.close()
    server.recover()
    assert exchange.fetch_tickers([SWAP])[SWAP]["last"] == 97_000.5
    exchange.close()


def test_a_closed_feed_asks_nothing(server, feed):
    feed.close()
    assert reasons(feed.poll(["BTC"])) == {"BTC": "this feed is closed: create a new one"}
    assert server.requests == []


def test_bad_arguments_are_refused():
    with pytest.raises(FeedConfigError, match="timeout is 0"):
        CcxtFeed(timeout=0)
    with pytest.raises(FeedConfigError, match="the exchange's address is 'localhost:1'"):
        CcxtFeed(base_url="localhost:1")
    with pytest.raises(FeedConfigError, match="ccxt has no exchange 'hyperfluid': did you mean 'hyperliquid'"):
        CcxtFeed("hyperfluid").poll(["BTC"])


def test_without_ccxt_the_extra_is_named_at_first_use(monkeypatch):
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[live\]'") as caught:
        CcxtFeed().poll(["BTC"])
    assert caught.value.extra == "live"

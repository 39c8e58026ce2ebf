"""From the network to the graph: real clients, local servers, the manager, and leaves with a dependent node."""

from __future__ import annotations

import pytest

from bank_python.dagger import DependencyGraph
from bank_python.market_data.ccxt_feed import CcxtFeed
from bank_python.market_data.leaves import MarketData
from bank_python.market_data.manager import MarketDataManager
from bank_python.market_data.quotes import QuoteState
from bank_python.market_data.yahoo import YahooFeed
from tests.servers.hyperliquid_server import HyperliquidServer
from tests.servers.yahoo_server import YahooServer


class Desk:
    """Two leaves registered with a manager, and a node of their ratio."""

    def __init__(self, feed, first: str, second: str) -> None:
        self.graph = DependencyGraph()
        self.leaves = {ticker: MarketData(f"{ticker}_SPOT") for ticker in (first, second)}
        self.manager = MarketDataManager(self.graph, None, feed=feed)
        for ticker, leaf in self.leaves.items():
            self.manager.register_ticker(ticker, leaf)
        self.ratio = self.graph.derive("RATIO", lambda a, b: a / b, [*self.leaves.values()])

    def update(self):
        update = self.manager.update_all()
        self.graph.recalculate()
        return update


@pytest.fixture
def yahoo(tmp_path):
    yfinance = pytest.importorskip("yfinance")
    yfinance.set_tz_cache_location(str(tmp_path))
    with YahooServer({"AAPL": 200.0, "MSFT": 400.0}, tmp_path) as server:
        feed = YahooFeed.from_environment(server.environment)
        yield server, Desk(feed, "AAPL", "MSFT")
        server.recover()
        feed.close()


@pytest.fixture
def hyperliquid():
    pytest.importorskip("ccxt")
    with HyperliquidServer({"BTC": 100_000.0, "ETH": 4_000.0}) as server:
        feed = CcxtFeed(base_url=server.url)
        yield server, Desk(feed, "BTC", "ETH")
        server.recover()
        feed.close()


def test_yahoos_prices_reach_what_rests_on_them(yahoo):
    server, desk = yahoo
    assert desk.update().complete
    assert desk.ratio.value == 0.5
    assert (desk.manager.quote("AAPL").source, desk.manager.quote("AAPL").time) == ("yahoo", server.time)
    server.prices["AAPL"] = 300.0
    desk.update()
    assert desk.ratio.value == 0.75


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("429", "429 Too Many Requests"),
        ("500", "500 Internal Server Error"),
        ("html", "a web page instead of prices"),
        ("empty", "an empty result"),
        ("drop", "could not be reached"),
    ],
)
def test_when_yahoo_fails_the_price_stays_is_stale_and_says_why_until_it_recovers(yahoo, how, reason):
    server, desk = yahoo
    desk.update()
    server.fail(how)
    server.prices["AAPL"] = 300.0
    update = desk.update()
    assert (update.updated, {problem.ticker for problem in update.failed}) == ((), {"AAPL", "MSFT"})
    quote = desk.manager.quote("AAPL")
    assert (quote.price, quote.state, desk.ratio.value) == (200.0, QuoteState.STALE, 0.5)
    assert reason in quote.reason
    server.recover()
    assert desk.update().complete
    assert (desk.manager.quote("AAPL").state, desk.ratio.value) == (QuoteState.FRESH, 0.75)


def test_one_stale_symbol_does_not_hold_up_the_other(yahoo):
    server, desk = yahoo
    desk.update()
    server.fail("malformed", "AAPL")
    server.prices |= {"AAPL": 1.0, "MSFT": 800.0}
    desk.update()
    assert {quote.ticker: quote.state for quote in desk.manager.quotes} == {
        "AAPL": QuoteState.STALE,
        "MSFT": QuoteState.FRESH,
    }
    assert desk.ratio.value == 0.25


def test_yahoos_history_in_the_managers_table(yahoo):
    _, desk = yahoo
    desk.manager.load_history("AAPL", period="5d")
    rows = list(desk.manager.history.query("AAPL"))
    assert len(rows) == 5
    assert rows[-1]["close"] == 200.0
    assert {"date", "open", "high", "low", "close", "volume"} <= set(rows[0])


def test_the_exchanges_prices_reach_the_graph_and_go_stale(hyperliquid):
    server, desk = hyperliquid
    assert desk.update().complete
    assert desk.ratio.value == 25.0
    server.fail("null")
    assert desk.update().updated == ()
    quote = desk.manager.quote("BTC")
    assert (quote.price, quote.state, quote.source) == (100_000.0, QuoteState.STALE, "hyperliquid")
    assert "returned status 200 with no JSON" in quote.reason
    server.recover()
    assert desk.update().complete
    assert desk.manager.quote("BTC").state is QuoteState.FRESH

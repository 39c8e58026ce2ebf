"""The yfinance client against a local server with Yahoo's wire format over TLS."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import pytest

from bank_python.errors import FeedConfigError, FeedError, MissingExtraError, UnknownTickerError
from bank_python.market_data.yahoo import YahooFeed
from tests.market_data.feed_contract import FEED_CONTRACT, FeedUnderTest
from tests.servers.yahoo_server import YahooServer

yfinance = pytest.importorskip("yfinance")
YfData = pytest.importorskip("yfinance.data").YfData

PRICES = {"AAPL": 190.5, "MSFT": 402.25, "EURUSD=X": 1.0875, "^VIX": 17.5, "BRK-B": 411.0}


@pytest.fixture(scope="module", autouse=True)
def _own_caches(tmp_path_factory):
    yfinance.set_tz_cache_location(str(tmp_path_factory.mktemp("yfinance")))


@pytest.fixture
def server(tmp_path):
    with YahooServer(dict(PRICES), tmp_path) as server:
        yield server


@pytest.fixture
def feed(server):
    feed = YahooFeed.from_environment(server.environment, timeout=10.0)
    yield feed
    server.recover()
    feed.close()


def prices(poll) -> dict[str, float]:
    return {tick.symbol: tick.price for tick in poll.ticks}


def reasons(poll) -> dict[str, str]:
    return {failure.symbol: failure.reason for failure in poll.failures}


@pytest.mark.parametrize("check", FEED_CONTRACT)
def test_contract(check, feed):
    check(FeedUnderTest(feed, ("AAPL", "EURUSD", "VIX")))


def test_its_name_and_that_only_asking_tells_its_symbols(feed):
    assert (feed.name, feed.symbols) == ("yahoo", None)


def test_prices_are_those_served_under_the_houses_names(server, feed):
    poll = feed.poll(["AAPL", "EURUSD", "VIX", "BRK.B", "AAPL"])
    assert prices(poll) == {"AAPL": 190.5, "EURUSD": 1.0875, "VIX": 17.5, "BRK.B": 411.0}
    assert poll.failures == ()
    assert {(tick.time, tick.source) for tick in poll.ticks} == {(server.time, "yahoo")}
    assert server.count("/v8/finance/chart/") == 4  # one per symbol: AAPL is listed twice


def test_a_price_moves_when_the_server_moves_it(server, feed):
    assert prices(feed.poll(["AAPL"])) == {"AAPL": 190.5}
    server.prices["AAPL"], server.time = 191.75, datetime(2024, 1, 9, 20, 59, 45, tzinfo=UTC)
    (tick,) = feed.poll(["AAPL"]).ticks
    assert (tick.price, tick.time) == (191.75, server.time)


def test_two_hundred_symbols_in_one_poll(server, feed):
    universe = {f"S{n}": 10.0 + n for n in range(200)}
    server.prices |= universe
    assert prices(feed.poll([*universe])) == universe


def test_every_request_came_to_the_loopback_server_in_yahoos_name(server, feed):
    feed.poll(["AAPL"])
    hosts = {request.split()[0] for request in server.requests}
    assert "query2.finance.yahoo.com" in hosts
    assert all(host.endswith("yahoo.com") for host in hosts)


def test_own_mapping_goes_before_the_default(server):
    feed = YahooFeed.from_environment(server.environment, symbols={"VIX": "MSFT", "GOLD": "AAPL"})
    assert prices(feed.poll(["VIX", "GOLD", "EURUSD"])) == {"VIX": 402.25, "GOLD": 190.5, "EURUSD": 1.0875}


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("429", "Yahoo returned 429 Too Many Requests: rate limited"),
        ("401", "Yahoo returned 401 Unauthorized: it blocks this client"),
        ("500", "Yahoo returned 500 Internal Server Error: an outage at Yahoo"),
        ("html", "Yahoo returned a web page instead of prices"),
        ("malformed", "Yahoo's response is not a chart in JSON"),
        ("blank", "Yahoo returned an empty response"),
        ("empty", "Yahoo returned an empty result"),
        ("not_found", "Yahoo has no symbol 'MSFT' (Not Found: No data found"),
        ("no_close", "Yahoo has no close of 'MSFT' for its last period (2024-01-09)"),
        ("drop", "Yahoo could not be reached"),
    ],
)
def test_a_failing_symbol_says_why_the_others_come_and_it_recovers(server, feed, how, reason):
    server.fail(how, "MSFT")
    poll = feed.poll(["AAPL", "MSFT", "EURUSD"])
    assert prices(poll) == {"AAPL": 190.5, "EURUSD": 1.0875}
    assert reasons(poll)["MSFT"].startswith(reason)
    server.recover()
    assert prices(feed.poll(["MSFT"])) == {"MSFT": 402.25}


@pytest.mark.parametrize("how", ["429", "500", "html", "malformed", "empty", "not_found", "drop"])
def test_when_all_of_yahoo_fails_every_symbol_says_so(server, feed, how):
    server.fail(how)
    poll = feed.poll(["AAPL", "MSFT"])
    assert poll.ticks == ()
    assert set(reasons(poll)) == {"AAPL", "MSFT"}


def test_a_stalled_symbol_times_out_alone(server):
    feed = YahooFeed.from_environment(server.environment, timeout=0.5, deadline=30.0)
    server.fail("stall", "MSFT")
    poll = feed.poll(["AAPL", "MSFT"])
    assert prices(poll) == {"AAPL": 190.5}
    assert reasons(poll)["MSFT"].startswith("Yahoo did not respond in time")
    server.recover()
    assert prices(feed.poll(["MSFT"])) == {"MSFT": 402.25}


def test_silence_ends_at_the_deadline_even_in_requests_whose_timeout_is_not_ours(server):
    # The cookie and the crumb come with fixed timeouts of 30 s inside the client.
    server.hold_everything = True
    server.fail("stall")
    feed = YahooFeed.from_environment(server.environment, timeout=0.2, deadline=0.3)
    poll = feed.poll(["AAPL", "MSFT"])
    assert {reason.split(":")[0] for reason in reasons(poll).values()} == {"Yahoo did not respond in time"}
    server.recover()
    later = YahooFeed.from_environment(server.environment)
    assert prices(later.poll(["AAPL"])) == {"AAPL": 190.5}


def test_a_refused_connection(tmp_path):
    with YahooServer({}, tmp_path) as server:
        environment = server.environment
    poll = YahooFeed.from_environment(environment).poll(["AAPL"])
    assert reasons(poll)["AAPL"].startswith("Yahoo could not be reached: check the network connection")


def test_an_authority_that_is_not_trusted(server):
    environment = {"BANK_PYTHON_YAHOO_CONNECT": server.address}
    poll = YahooFeed.from_environment(environment).poll(["AAPL"])
    assert reasons(poll)["AAPL"].startswith("Yahoo's certificate was rejected: behind a TLS proxy, set BANK_PYTHON")


@pytest.mark.parametrize("symbol", ["", "a b", "../quote", "AAPL?x=1", "AAPL\n"])
def test_what_cannot_be_a_symbol_is_not_asked_for(server, feed, symbol):
    poll = feed.poll(["AAPL", symbol])
    assert prices(poll) == {"AAPL": 190.5}
    assert "is not a valid Yahoo symbol" in reasons(poll)[symbol]
    assert server.count("/v8/finance/chart/") == 1


def test_history_is_daily_adjusted_and_as_served(server, feed):
    history = feed.history("AAPL", "5d")
    assert (history.symbol, history.source) == ("AAPL", "yahoo")
    assert [bar.date.day for bar in history.bars] == [3, 4, 5, 8, 9]
    assert {(bar.date.hour, bar.date.tzinfo) for bar in history.bars} == {(0, UTC)}
    served = server.closes("AAPL", 5)
    assert [bar.close for bar in history.bars] == pytest.approx([0.99 * close for close in served[:-1]] + served[-1:])
    assert [bar.volume for bar in history.bars] == [1000.0, 2000.0, 3000.0, 4000.0, 5000.0]
    assert all(bar.low < bar.close < bar.high for bar in history.bars)


# yfinance 1.7 sorts in place, which pandas 3.1 deprecates: the client's own affair, met only by calling Ticker.history.
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame:DeprecationWarning")
def test_history_agrees_with_the_clients_own(server, feed):
    ours = feed.history("AAPL", "1mo").bars
    theirs = yfinance.Ticker("AAPL").history(period="1mo", auto_adjust=True)
    assert [bar.date.date() for bar in ours] == [stamp.date() for stamp in theirs.index]
    for column in ("open", "high", "low", "close", "volume"):
        assert [getattr(bar, column) for bar in ours] == pytest.approx(list(theirs[column.capitalize()]))


def test_the_longest_history_is_asked_for_by_dates(server):
    now = datetime(2024, 1, 10, tzinfo=UTC)
    feed = YahooFeed.from_environment(server.environment, now=lambda: now)
    assert len(feed.history("AAPL", "max").bars) == 600
    assert server.count(f"period2={int(now.timestamp())}") == 1


def test_history_of_what_is_not_there(server, feed):
    with pytest.raises(UnknownTickerError, match="no symbol 'NOPE'"):
        feed.history("NOPE", "1mo")
    with pytest.raises(FeedConfigError, match="unknown period '1week'"):
        feed.history("AAPL", "1week")
    server.fail("500")
    with pytest.raises(FeedError, match="500 Internal Server Error"):
        feed.history("AAPL", "1mo")
    server.recover()
    server.fail("drop")
    with pytest.raises(FeedError, match="could not be reached") as caught:
        feed.history("AAPL", "1mo")
    assert caught.value.symbol == "AAPL"


def test_a_session_of_the_callers_is_used(server):
    session = YahooFeed.from_environment(server.environment)._connection.session()
    assert prices(YahooFeed(session=session).poll(["AAPL"])) == {"AAPL": 190.5}
    assert YfData()._session is session
    session.close()


def test_without_a_session_the_clients_own_stays_in_place(server):
    session = YahooFeed.from_environment(server.environment)._connection.session()
    YfData(session=session)
    assert prices(YahooFeed(environ={}).poll(["AAPL"])) == {"AAPL": 190.5}
    assert YfData()._session is session
    session.close()


def test_who_points_the_client_at_another_host_points_the_feed_there(server, feed, monkeypatch):
    monkeypatch.setattr("yfinance.scrapers.history._BASE_URL_", "https://mirror.yahoo.com")
    assert prices(feed.poll(["AAPL"])) == {"AAPL": 190.5}
    assert server.count("mirror.yahoo.com /v8/finance/chart/AAPL") == 1


def test_the_process_environment_is_followed(server, monkeypatch):
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    assert prices(YahooFeed().poll(["AAPL"])) == {"AAPL": 190.5}


def test_the_clients_settings_and_the_terminal_are_left_alone(server, feed, capfd):
    server.fail("429")
    before = yfinance.config.debug.hide_exceptions
    feed.poll(["AAPL", "MSFT"])
    assert yfinance.config.debug.hide_exceptions == before
    assert capfd.readouterr() == ("", "")


def test_log_records_of_others_pass(feed, caplog):
    feed.poll(["AAPL"])
    with caplog.at_level(logging.WARNING, "yfinance"):
        logging.getLogger("yfinance").warning("somebody else's")
    assert caplog.messages == ["somebody else's"]


def test_a_closed_feed_asks_nothing(server, feed):
    feed.close()
    assert reasons(feed.poll(["AAPL"])) == {"AAPL": "this feed is closed: create a new one"}
    assert server.requests == []


def test_polling_nothing(server, feed):
    assert (feed.poll([]).ticks, server.requests) == ((), [])


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_times_are_positive(seconds):
    with pytest.raises(FeedConfigError, match=r"timeout is .* positive number of seconds"):
        YahooFeed(timeout=seconds)
    with pytest.raises(FeedConfigError, match="deadline is"):
        YahooFeed(deadline=seconds)


@pytest.mark.parametrize(
    ("environment", "what"),
    [
        ({"BANK_PYTHON_YAHOO_CONNECT": "127.0.0.1"}, r"BANK_PYTHON_YAHOO_CONNECT is '127\.0\.0\.1': give host:port"),
        ({"BANK_PYTHON_YAHOO_CONNECT": ":8443"}, "give host:port"),
        ({"BANK_PYTHON_YAHOO_CONNECT": "localhost:99999"}, "give host:port"),
        ({"BANK_PYTHON_YAHOO_CA": "/no/such/file.pem"}, r"BANK_PYTHON_YAHOO_CA names '/no/such/file\.pem'"),
    ],
)
def test_variables_that_make_no_sense_are_refused(environment, what):
    with pytest.raises(FeedConfigError, match=what):
        YahooFeed.from_environment(environment)


def test_without_yfinance_the_extra_is_named_at_first_use(monkeypatch):
    monkeypatch.setitem(sys.modules, "yfinance.data", None)
    feed = YahooFeed(environ={})
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[live\]'") as caught:
        feed.poll(["AAPL"])
    assert caught.value.extra == "live"

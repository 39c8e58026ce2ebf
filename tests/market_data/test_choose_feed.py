import pytest

from bank_python.errors import FeedConfigError, NoFeedError
from bank_python.market_data import choose
from bank_python.market_data.choose import FEED_NAMES, FEED_VARIABLE, feed_from_environment, feed_named
from bank_python.market_data.history_feed import HistoryFeed
from bank_python.market_data.simulated import SimulatedFeed
from bank_python.market_data.yahoo import YahooFeed


def test_simulated_with_its_seed():
    feed = feed_from_environment({FEED_VARIABLE: " Simulated "}, seed=9)
    assert isinstance(feed, SimulatedFeed)
    assert feed.seed == 9


def test_history_is_the_real_panel():
    feed = feed_named("history")
    assert isinstance(feed, HistoryFeed)
    assert "AAPL" in feed.symbols


def test_an_unknown_name_lists_the_choices():
    with pytest.raises(FeedConfigError, match="simulated, history, yahoo, ccxt") as caught:
        feed_from_environment({FEED_VARIABLE: "bloomberg"})
    assert caught.value.value == "bloomberg"
    assert FEED_VARIABLE in caught.value.__notes__[0]


@pytest.mark.parametrize("environ", [{}, {FEED_VARIABLE: ""}])
def test_yahoo_where_its_package_is_installed(environ):
    feed = feed_from_environment(environ)
    assert isinstance(feed, YahooFeed)
    feed.close()


def test_without_it_nothing_is_invented(monkeypatch):
    monkeypatch.setattr(choose, "find_spec", lambda _: None)
    with pytest.raises(NoFeedError, match=r"feed=SimulatedFeed\(seed=") as caught:
        feed_from_environment({})
    assert FEED_VARIABLE in str(caught.value)


def test_the_process_environment_is_asked_by_default(monkeypatch):
    monkeypatch.setenv(FEED_VARIABLE, "simulated")
    assert isinstance(feed_from_environment(), SimulatedFeed)


@pytest.mark.parametrize("name", FEED_NAMES)
def test_every_name_makes_a_feed(name):
    feed = feed_named(name)
    assert feed.name
    feed.close()

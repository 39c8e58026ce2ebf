from datetime import UTC, datetime

import numpy as np
import pytest

from bank_python.errors import FeedError, UnknownTickerError
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.simulated import SimulatedFeed


def day(number):
    return datetime(2020, 1, number, tzinfo=UTC)


def closes(*bars):
    return PriceHistory("X", "test", tuple(Bar(day(number), None, None, None, close, None) for number, close in bars))


@pytest.fixture
def store():
    return PriceHistoryTable()


def test_rows_are_the_bars(store):
    history = SimulatedFeed(seed=1).history("AAPL", "1mo")
    assert store.load("AAPL", history) == len(history.bars)
    rows = list(store.query("AAPL"))
    assert list(rows[0]) == ["date", "open", "high", "low", "close", "volume", "ticker", "source"]
    assert {(row["ticker"], row["source"]) for row in rows} == {("AAPL", "simulated")}
    fields = ("date", "open", "high", "low", "close", "volume")
    assert [tuple(row[field] for field in fields) for row in rows] == [
        tuple(getattr(bar, field) for field in fields) for bar in history.bars
    ]


def test_what_the_source_lacks_is_none(store):
    store.load("X", closes((1, 10.0)))
    (row,) = store.query("X")
    assert (row["open"], row["high"], row["low"], row["close"], row["volume"]) == (None, None, None, 10.0, None)


def test_loading_again_replaces(store):
    store.load("X", closes((1, 10.0), (2, 11.0), (3, 12.0)))
    store.load("X", closes((2, 11.5)))
    assert store.closes("X").tolist() == [11.5]
    assert len(store.query("X")) == 1


def test_loading_one_ticker_leaves_the_others(store):
    store.load("X", closes((1, 10.0)))
    store.load("Y", closes((1, 20.0)))
    store.load("X", closes((1, 11.0)))
    assert store.tickers == ("X", "Y")
    assert store.closes("Y").tolist() == [20.0]


def test_a_query_under_way_reads_the_load_it_began_on(store):
    store.load("X", closes((1, 10.0), (2, 11.0)))
    rows = iter(store.query("X"))
    first = next(rows)
    store.load("X", closes((3, 99.0)))
    assert [first["close"], *(row["close"] for row in rows)] == [10.0, 11.0]


def test_rows_come_by_date_whatever_order_they_were_in(store):
    store.load("X", closes((3, 12.0), (1, 10.0), (2, 11.0)))
    assert store.closes("X").tolist() == [10.0, 11.0, 12.0]


def test_an_empty_history_changes_nothing(store):
    store.load("X", closes((1, 10.0)))
    with pytest.raises(FeedError, match="no bars"):
        store.load("X", closes())
    assert store.closes("X").tolist() == [10.0]


def test_a_ticker_not_loaded_names_close_matches(store):
    store.load("AAPL", closes((1, 10.0)))
    assert "AAPL" in store
    with pytest.raises(UnknownTickerError, match="AAPL") as caught:
        store.query("APPL")
    assert caught.value.ticker == "APPL"


def test_a_panel_has_the_common_dates(store):
    store.load("X", closes((1, 10.0), (2, 11.0), (3, 12.1)))
    store.load("Y", closes((2, 20.0), (3, 21.0), (4, 22.0)))
    panel = store.panel(["Y", "X"])
    assert panel.tickers == ("Y", "X")
    assert panel.dates == (day(2), day(3))
    np.testing.assert_array_equal(panel.closes, [[20.0, 11.0], [21.0, 12.1]])
    np.testing.assert_allclose(panel.returns(), [[0.05, 0.1]], rtol=1e-14)


def test_a_panel_without_common_dates_is_empty_and_has_its_shape(store):
    store.load("X", closes((1, 10.0)))
    store.load("Y", closes((2, 20.0)))
    assert store.panel(["X", "Y"]).closes.shape == (0, 2)
    assert store.panel([]).closes.shape == (0, 0)

"""Bars by ticker and date: exact names, exact dates, kept in the store, cut to a period."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from bank_python.backtester import HistoricalDataLoader, bars_of
from bank_python.barbara import BarbaraDB
from bank_python.errors import BacktestError

ROWS = [
    {"date": f"2024-01-0{day}", "open": 9.0 + day, "high": 11.0 + day, "low": 8.0 + day, "close": 10.0 + day}
    for day in (2, 3, 4)
]


@pytest.fixture
def store():
    with BarbaraDB.open("desk", path=":memory:") as opened:
        yield opened


def test_names_and_dates_are_exact():
    loader = HistoricalDataLoader()
    found = loader.load_from_arrays({"AAPL": ROWS, "A": [{**ROWS[1], "close": 11.5}]})
    assert [row["close"] for row in found["AAPL"]] == [12.0, 13.0, 14.0]
    assert loader.get_price("A", "2024-01-03") == 11.5
    assert loader.get_price("A", "2024-01-02") is None  # AAPL has one
    assert loader.get_price("AAP", "2024-01-02") is None
    assert loader.get_price("AAPL", dt.date(2024, 1, 4)) == 14.0
    assert loader.get_price("AAPL", "2024-01-05") is None
    assert loader.get_dates() == ["2024-01-02", "2024-01-03", "2024-01-04"]
    bar = loader.get_bar("AAPL", dt.datetime(2024, 1, 2, tzinfo=dt.UTC))
    assert bar == {**ROWS[0], "volume": None, "source": "mapping"}


def test_bars_within_a_day_have_their_time():
    loader = HistoricalDataLoader()
    loader.load_from_arrays({"A": [{"date": f"2024-01-02T{hour}:00+01:00", "close": 1.0} for hour in (10, 11)]})
    assert loader.get_dates() == ["2024-01-02T09:00:00+00:00", "2024-01-02T10:00:00+00:00"]
    assert loader.get_price("A", "2024-01-02T09:00") == loader.get_price("A", "2024-01-02T10:00+01:00") == 1.0
    assert loader.get_price("A", "2024-01-02") is None
    with pytest.raises(BacktestError, match="date='soon' is not a date"):
        loader.get_price("A", "soon")


def test_nothing_is_loaded_from_nothing():
    loader = HistoricalDataLoader()
    assert (loader.rows(), loader.get_dates(), loader.get_bar("A", "2024-01-02")) == ({}, [], None)
    assert loader.load_from_arrays({"A": []}) == {}
    assert loader.keep(["A"], "2024-01-01", "2024-02-01") is None


def test_what_is_kept_is_written_and_loaded_again(store):
    loader = HistoricalDataLoader(store)
    loader.load_from_arrays({"A/B": ROWS, "C": [{"date": "2024-01-03", "close": 1.0}], "D": ROWS})
    panel = loader.keep(["A/B", "C"], "2024-01-03", "2024-01-31")
    assert (panel.tickers, len(panel)) == (("A/B", "C"), 2)
    assert store.keys("/Backtest/data/") == [
        "/Backtest/data/A%2FB/2024-01-03_2024-01-31",
        "/Backtest/data/C/2024-01-03_2024-01-31",
    ]
    again = HistoricalDataLoader(store)
    rows = again.load(["A/B", "C"], "2024-01-03", "2024-01-31")
    assert rows == loader.rows()
    assert again.panel.close.tolist() == pytest.approx(panel.close, nan_ok=True)
    assert again.notes == ("bars from the store: mapping",)


def test_closes_alone_stay_closes_alone_in_the_store(store):
    loader = HistoricalDataLoader(store)
    loader.load_from_arrays({"A": {"2024-01-02": 10.0, "2024-01-03": 11.0}})
    loader.keep(["A"], "2024-01-01", "2024-01-31")
    again = HistoricalDataLoader(store)
    again.load(["A"], "2024-01-01", "2024-01-31")
    assert (again.panel.has_ranges, again.panel.close.tolist()) == (False, [[10.0], [11.0]])


def test_some_tickers_of_a_panel():
    panel = bars_of({"A": ROWS, "B": ROWS[:1], "C": [{"date": "2024-02-01", "close": 1.0}]})
    chosen = panel.select(["B", "B", "NONE"])
    assert (chosen.tickers, len(chosen), chosen.close.tolist()) == (
        ("B", "NONE"),
        1,
        [[12.0, pytest.approx(math.nan, nan_ok=True)]],
    )
    assert chosen.close.flags.writeable is False
    assert panel.select(["NONE"]) is None
    assert panel.between("2024-01-01", "2024-01-31").select(["C"]) is None

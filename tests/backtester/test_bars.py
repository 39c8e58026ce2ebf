"""Bars of a back-test: read from what people have, checked, and cut to a period."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from bank_python.backtester import bars_of
from bank_python.errors import BacktestError
from bank_python.market_data import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.simulated import SimulatedFeed
from bank_python.mntable import Table

DAYS = [dt.date(2026, 1, day) for day in (5, 6, 7)]
ROWS = [
    {"date": str(day), "open": 10.0 + i, "high": 12.0 + i, "low": 9.0 + i, "close": 11.0 + i, "volume": 100.0}
    for i, day in enumerate(DAYS)
]
INDEX = pd.DatetimeIndex([pd.Timestamp(day) for day in DAYS])
OHLCV = pd.DataFrame(
    {name.capitalize(): [row[name] for row in ROWS] for name in ("open", "high", "low", "close", "volume")}, index=INDEX
)


def long_frame():
    return pd.DataFrame([{"ticker": "A"} | row for row in ROWS])


def two_levels(names):
    frame = pd.concat({"A": OHLCV}, axis=1)
    return frame if names == "ticker first" else frame.swaplevel(axis=1)


FORMS = {
    "rows": {"A": ROWS},
    "bars": {"A": [Bar(dt.datetime.fromisoformat(f"{row['date']}+00:00"), *list(row.values())[1:]) for row in ROWS]},
    "frame of one": {"A": OHLCV},
    "long frame": long_frame(),
    "ticker first": two_levels("ticker first"),
    "field first": two_levels("field first"),
    "table": Table.from_rows(
        [("ticker", str), ("date", str), *((name, float) for name in ("open", "high", "low", "close", "volume"))],
        [{"ticker": "A"} | row for row in ROWS],
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_bars(form):
    panel = bars_of(FORMS[form])
    assert (panel.tickers, panel.has_ranges) == (("A",), True)
    assert [when.date() for when in panel.dates] == DAYS
    assert panel.dates[0].tzinfo is dt.UTC
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(panel, name)[:, 0].tolist() == [row[name] for row in ROWS]
    assert panel.bar(1, 0) == Bar(panel.dates[1], 11.0, 13.0, 10.0, 12.0, 100.0)


@pytest.mark.parametrize(
    "closes",
    [
        {"A": [11.0, 12.0, 13.0]},
        {"A": dict(zip(DAYS, [11.0, 12.0, 13.0], strict=True))},
        {"A": pd.Series([11.0, 12.0, 13.0], INDEX)},
        pd.DataFrame({"A": [11.0, 12.0, 13.0]}, INDEX),
    ],
)
def test_closes_alone_stand_for_the_other_prices_and_say_so(closes):
    panel = bars_of(closes, start=DAYS[0] if isinstance(closes, dict) and isinstance(closes["A"], list) else None)
    assert not panel.has_ranges
    assert [when.date() for when in panel.dates] == DAYS
    assert panel.open.tolist() == panel.close.tolist() == [[11.0], [12.0], [13.0]]


def test_a_ticker_without_a_bar_has_none_and_a_period_is_cut():
    panel = bars_of({"A": ROWS, "AA": ROWS[1:]}, end="2026-01-06")
    assert panel.bar(0, panel.column("AA")) is None
    assert len(panel) == 2
    assert panel.close[1].tolist() == [12.0, 12.0]
    assert len(panel.to_table()) == 3
    assert bars_of(panel, start="2026-01-06").dates == panel.dates[1:]


def test_histories_of_feeds_are_read():
    history = SimulatedFeed(seed=1).history("AAPL", "1mo")
    table = PriceHistoryTable()
    table.load("AAPL", history)
    for given in ({"AAPL": history}, table):
        panel = bars_of(given)
        assert panel.close[:, 0].tolist() == [bar.close for bar in history.bars]
    assert isinstance(history, PriceHistory)


def changed(at, **figures):
    return {"A": [row | (figures if i == at else {}) for i, row in enumerate(ROWS)]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"A": ROWS[::-1]}, "the bar of A at 2026-01-06 comes after 2026-01-07; sort the bars"),
        ({"A": [ROWS[0], ROWS[0]]}, "the bar of A at 2026-01-05 occurs twice"),
        (changed(1, high=9.5), r"the high 9\.5 of A at 2026-01-06 is below another price"),
        (changed(1, low=12.5), r"the low 12\.5 of A at 2026-01-06 is above another price"),
        (changed(2, close=-1.0), r"the close of A at 2026-01-07 is -1\.0, not above 0"),
        (changed(2, open=math.inf), "the open of A at 2026-01-07 is inf"),
        (changed(2, volume=-5.0), "the volume of A at 2026-01-07"),
        (changed(0, close="many"), "the close of A at 2026-01-05 is 'many', not a number"),
        (changed(0, date="soon"), "has the date 'soon'"),
        ({"A": [{"date": "2026-01-05"}]}, "a bar of A has no close"),
        ({}, "there are no bars"),
        ("A", "str is no market data"),
        ({"A": "x"}, "are no rows, closes or history"),
        (pd.DataFrame({"ticker": ["A"], "date": ["2026-01-05"]}), "a bar of ticker has 0 in place of a date"),
    ],
)
def test_what_is_wrong_is_named_with_ticker_and_time(data, said):
    with pytest.raises(BacktestError, match=said):
        bars_of(data)


def test_a_period_without_bars_says_what_there_is():
    with pytest.raises(BacktestError, match=r"no bars from 2027-01-01 to .*; the data have 2026-01-05 to"):
        bars_of({"A": ROWS}, start="2027-01-01")
    with pytest.raises(BacktestError, match="there are no bars of 'B'; there are those of A"):
        bars_of({"A": ROWS}).column("B")


def test_bars_are_read_only_and_times_of_zones_are_utc():
    panel = bars_of({"A": [ROWS[0] | {"date": dt.datetime(2026, 1, 5, 1, tzinfo=dt.timezone(dt.timedelta(hours=3)))}]})
    assert panel.dates == (dt.datetime(2026, 1, 4, 22, tzinfo=dt.UTC),)
    with pytest.raises(ValueError, match="read-only"):
        panel.close[0, 0] = 1.0
    assert np.isnan(bars_of({"A": [11.0, math.nan, 12.0]}).close[1, 0])

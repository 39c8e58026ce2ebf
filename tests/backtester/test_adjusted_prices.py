"""Adjusted closes beside closes: Yahoo's unadjusted frames do not make losses of splits and dividends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bank_python.backtester import Backtester, bars_of
from bank_python.errors import BacktestError

DAYS = pd.bdate_range("2026-01-05", periods=4)
RAW = pd.DataFrame(
    {
        "Adj Close": [49.0, 50.0, 50.5, 51.0],
        "Close": [98.0, 100.0, 50.5, 51.0],
        "High": [99.0, 101.0, 51.0, 52.0],
        "Low": [97.0, 99.0, 50.0, 50.5],
        "Open": [98.0, 99.5, 50.2, 50.6],
        "Volume": [1e6, 1e6, 2e6, 2e6],
    },
    index=DAYS,
)
TWO_LEVELS = pd.concat({"A": RAW}, axis=1).swaplevel(axis=1)
ROWS = [{"date": day, **{name.lower(): row[name] for name in RAW}} for day, row in RAW.iterrows()]


@pytest.mark.parametrize("data", [{"A": RAW}, TWO_LEVELS, {"A": ROWS}], ids=["fields", "two levels", "rows"])
def test_bars_are_adjusted_and_said_so(data):
    panel = bars_of(data)
    assert panel.close[:, 0].tolist() == [49.0, 50.0, 50.5, 51.0]
    assert panel.open[:, 0].tolist() == [49.0, 49.75, 50.2, 50.6]
    assert panel.volume[:, 0].tolist() == RAW["Volume"].tolist()
    assert "adjusted by its adjusted closes" in panel.source
    held = Backtester(lambda window: {"A": 1.0} if window.index == 0 else None, data=data).run()
    assert held.final_value == pytest.approx(1e6 / 49.0 * (51.0 - 49.75) + 1e6)
    assert "prices are adjusted by the adjusted closes of the data" in held.notes
    assert not any("split" in note for note in held.notes)


def test_without_adjusted_closes_the_split_is_said():
    bare = RAW.drop(columns="Adj Close")
    held = Backtester(lambda window: {"A": 1.0} if window.index == 0 else None, data={"A": bare}).run()
    assert any("as by a split of 2 for 1: give adjusted prices" in note for note in held.notes)


def test_equal_closes_are_no_adjustment_and_missing_ones_are_named():
    same = RAW.assign(**{"Adj Close": RAW["Close"]})
    assert "adjusted" not in bars_of({"A": same}).source
    for wrong in (np.nan, 0.0, -1.0):
        faulty = RAW.assign(**{"Adj Close": [49.0, wrong, 50.5, 51.0]})
        with pytest.raises(BacktestError, match=r"the adjusted close of A at 2026-01-06 is .*, not above 0"):
            bars_of({"A": faulty})


def test_a_frame_of_one_ticker_is_that_of_the_strategy():
    from bank_python.backtester import MomentumBacktest

    test = Backtester(MomentumBacktest(["A"], lookback=1), data=RAW)
    assert test.panel.tickers == ("A",)
    assert "the bars have no name: taken for those of A" in test.run().notes


def test_a_ticker_with_closes_only_leaves_the_others_their_opens():
    closes = dict(zip(DAYS, RAW["Adj Close"], strict=True))
    bought = {"A": 0.5, "B": 0.5}
    result = Backtester(lambda window: bought if window.index == 0 else None, data={"A": RAW, "B": closes}).run()
    prices = {fill.order.instrument_name: fill.price for fill in result.fills}
    assert prices == {"A": 49.75, "B": 50.0}
    assert result.fill.value == "next_open"
    assert "the data have no opens of B: closes stand for them" in result.notes

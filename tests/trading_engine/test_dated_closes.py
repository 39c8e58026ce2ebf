"""Closes with dates: pairs are compared on the dates that both have, and a series that has ended is named."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from bank_python.errors import TradingError
from bank_python.mntable import Table
from bank_python.risk_models import scan_pairs
from bank_python.trading_engine import MomentumSignal, SignalRule, StatArbSignal
from bank_python.trading_engine.market_closes import closes_of
from bank_python.trading_engine.series_window import on_common_dates

DAYS = [dt.date(2026, 1, 1) + dt.timedelta(days=i) for i in range(80)]
SCHEMA = [("ticker", str), ("date", dt.date), ("close", float)]


def pair():
    """Return two prices whose spread is wide at the end."""
    rng = np.random.default_rng(1)
    y = 50.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(80)))
    x = 2.0 * y * np.exp(0.01 * rng.standard_normal(80))
    y[-1] *= 1.06
    return {"A": y, "B": x}


def rows(closes, left_out=()):
    return [
        {"ticker": name, "date": day, "close": float(close)}
        for name, values in closes.items()
        for day, close in zip(DAYS, values, strict=False)
        if (name, day) not in left_out
    ]


def orders(data, rule=None):
    return [(each.instrument_name, each.side.value) for each in (rule or StatArbSignal([("A", "B")])).generate(data)]


def test_a_missing_date_does_not_shift_a_pair():
    whole = Table.from_rows(SCHEMA, rows(pair()))
    holed = Table.from_rows(SCHEMA, rows(pair(), left_out=[("B", DAYS[70])]))
    assert orders(whole) == orders(holed) == [("A", "SELL"), ("B", "BUY")]
    closes, _ = closes_of(holed)
    common = on_common_dates(closes, ("A", "B"))
    assert (len(closes["A"]), len(common["A"]), len(common["B"])) == (80, 79, 79)


def test_a_series_that_has_ended_is_named_and_gives_no_signal():
    short = Table.from_rows(SCHEMA, rows({"A": np.linspace(10, 20, 80), "B": np.linspace(10, 20, 50)}))
    report = MomentumSignal(["A", "B"], 20).examine(short)
    assert [signal.instrument for signal in report.signals] == ["A"]
    assert "the closes of B end at 2026-02-19, others at 2026-03-21" in str(report.problems[0])


def test_legs_that_end_on_different_days_are_not_compared():
    late = Table.from_rows(SCHEMA, rows(pair(), left_out=[("B", DAYS[79])]))
    report = StatArbSignal([("A", "B")]).examine(late)
    assert not report.signals
    assert "the closes of B end at 2026-03-20, those it is compared with at 2026-03-21" in str(report.problems[0])


def test_a_long_frame_is_read_as_a_table():
    frame = pd.DataFrame(rows(pair()))
    assert orders(frame) == [("A", "SELL"), ("B", "BUY")]
    assert orders(frame.sample(frac=1.0, random_state=1)) == orders(frame)
    with pytest.raises(TradingError, match="the data frame has no column date"):
        orders(frame.drop(columns="date"))


def test_with_a_hedge_ratio_below_zero_both_legs_have_one_side():
    closes = pair()
    mirrored = {"A": closes["A"], "B": 5_000.0 / closes["B"]}
    assert orders(mirrored) == [("A", "SELL"), ("B", "SELL")]
    patient = StatArbSignal([("A", "B")], stop_z=9.0)
    held = {**mirrored, "A_UNITS": [-50.0], "B_UNITS": [-50.0]}
    assert orders(held, patient) == []  # the spread is still wide, and short: nothing to leave
    assert orders({**held, "A_UNITS": [50.0], "B_UNITS": [50.0]}, patient) == [("A", "SELL"), ("B", "SELL")]


def test_the_pairs_of_a_scan_are_taken():
    rng = np.random.default_rng(7)
    walk = np.cumsum(0.01 * rng.standard_normal(600))
    noise = np.zeros(600)
    for i in range(1, 600):
        noise[i] = 0.8 * noise[i - 1] + 0.01 * rng.standard_normal()
    scan = scan_pairs({"A": 100.0 * np.exp(walk), "B": 50.0 * np.exp(walk + noise)})
    assert StatArbSignal(scan.selected()).inputs in {("A", "B"), ("B", "A")}


def test_a_rule_that_names_no_series_is_told_so():
    class Mine(SignalRule):
        def from_closes(self, closes):
            return [closes["A"]]

    with pytest.raises(TradingError, match=r"raised KeyError: 'A'; it names no series: let Mine\.inputs return them"):
        Mine().generate({})

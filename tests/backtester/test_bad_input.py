"""Bad input: wrong data, strategies and settings are refused with the bar and the remedy, or handled as said."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bank_python.backtester import (
    Backtester,
    BacktestStrategy,
    MomentumBacktest,
    StatArbBacktest,
    Targets,
    bars_of,
)
from bank_python.errors import BacktestError
from bank_python.trading_engine import Order, PositionLimits

FIRST = dt.date(2026, 1, 5)
CLOSES = [10.0, 11.0, 12.0, 11.0, 13.0]


def rows(closes=CLOSES, **changed):
    """Return daily bars, with figures changed in the second one."""
    made = []
    for i, close in enumerate(closes):
        opened = 0.5 * (closes[max(i - 1, 0)] + close)
        figures = {"open": opened, "high": max(opened, close) + 1.0, "low": min(opened, close) - 1.0, "close": close}
        made.append({"date": FIRST + dt.timedelta(days=i), "volume": 1e6} | figures | (changed if i == 1 else {}))
    return made


def run(strategy, data=None, **given):
    return Backtester(strategy, data={"A": rows()} if data is None else data, **{"initial_cash": 1_000.0} | given).run()


def always(decision):
    return lambda _: decision


def once(decision):
    return lambda window: decision if window.index == 0 else None


# --- data ------------------------------------------------------------------------------------------------

DATES = pd.DatetimeIndex(["2026-01-05", "2026-01-06"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"A": rows(close=100.0)}, "the high 12 of A at 2026-01-06 is below another price"),
        ({"A": rows(low=11.5)}, r"the low 11\.5 of A at 2026-01-06 is above another price"),
        ({"A": rows(close=0.0)}, r"the close of A at 2026-01-06 is 0\.0, not above 0"),
        ({"A": rows(open=-1.0)}, r"the open of A at 2026-01-06 is -1\.0, not above 0"),
        ({"A": rows(volume=-1.0)}, r"the volume of A at 2026-01-06 is -1\.0, not from 0 on"),
        ({"A": rows(volume=math.inf)}, "the volume of A at 2026-01-06 is inf"),
        ({"A": rows(open=math.nan)}, "the open of A at 2026-01-06 is missing, others are there; give it"),
        ({"A": rows(high=None)}, "the high of A at 2026-01-06 is missing"),
        ({"A": rows(close=True)}, "the close of A at 2026-01-06 is True, not a number"),
        ({"A": rows(close=10**400)}, "the close of A at 2026-01-06 is 1000.*not a number"),
        ({"A": rows(close=pd.NA)}, "the close of A at 2026-01-06 is <NA>, not a number"),
        ({"A": rows(date=pd.NaT)}, "a bar of A has no date; leave it out"),
        ({"A": pd.Series([1.0, 2.0], pd.DatetimeIndex(["2026-01-05", None]))}, "a bar of A has no date"),
        ({"A": pd.Series([1.0, 2.0], DATES[[0, 0]])}, "the bar of A at 2026-01-05 occurs twice"),
        ({"A": pd.Series([1.0, 2.0], DATES[::-1])}, "the bar of A at 2026-01-05 comes after 2026-01-06; sort"),
        ({"A": [rows()[0], 3.0]}, r"a bar of A is 3\.0; give date and close"),
        ({"A": [1.0, 2.0], "B": rows()}, "the closes of A have no dates, other bars do"),
        ({1: [1.0], "1": [2.0]}, "the data have 1 twice"),
        (pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], DATES, ["A", "A"]), "the data have A twice"),
        (pd.DataFrame({"close": [1.0, 2.0]}), "a bar of ASSET has 0 in place of a date"),
        (pd.DataFrame(), "there are no bars; give closes or bars"),
        ({"A": []}, "there are no bars; give closes or bars"),
        ({"A": [math.nan, math.nan]}, "there are no bars; give closes or bars"),
    ],
)
def test_data_that_cannot_be_are_named_with_the_bar(data, said):
    with pytest.raises(BacktestError, match=said):
        bars_of(data)


def test_a_period_outside_the_data_or_turned_round_is_said():
    for start, end in (("2027-01-01", None), (None, "2025-01-01")):
        with pytest.raises(BacktestError, match="the data have 2026-01-05 to 2026-01-09"):
            bars_of({"A": rows()}, start, end)
    with pytest.raises(BacktestError, match="start=2026-01-08 is after end=2026-01-06; swap them"):
        bars_of({"A": rows()}, "2026-01-08", "2026-01-06")
    many = bars_of({f"T{i}": [10.0] for i in range(1_000)})
    with pytest.raises(BacktestError, match=r"did you mean") as raised:
        many.column("T10000")
    assert len(str(raised.value)) < 200
    with pytest.raises(BacktestError, match=r"T9 …$"):
        many.column("zz")


def test_a_missing_bar_of_a_held_asset_is_its_last_price_and_no_trade():
    data = {"A": rows(close=math.nan), "B": rows([20.0] * 5)}
    result = run(lambda window: {"A": 0.5} if window.index == 0 else {"A": 0.0} if window.index == 1 else None, data)
    # Both orders meet the third bar, as there is no second one; the sale counts the purchase that is pending.
    assert [(done.signed_quantity, done.when.day) for done in result.fills] == [(50.0, 7), (-50.0, 7)]
    held = run(once({"A": 0.5}), data, fill="close")
    assert held.equity[1] == held.equity[0] == 1_000.0
    assert np.isnan(held.panel.close[1, 0])


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_a_bar_without_volume_fills_nothing(fill):
    result = run(once({"A": 1.0}), {"A": rows(volume=0.0)}, fill=fill)
    assert result.fills[0].when.date() == FIRST + dt.timedelta(days=2)


@pytest.mark.parametrize("count", [1, 1_000])
def test_one_bar_and_a_thousand_tickers_run(count):
    data = {f"T{i}": [10.0 + i % 7, 11.0][: 1 if count == 1 else 2] for i in range(count)}
    result = run(lambda window: dict.fromkeys(window, 0.9 / count) if window.index == 0 else None, data)
    assert len(result.equity) == (1 if count == 1 else 2)
    assert result.trade_count == (0 if count == 1 else 1_000)
    assert result.tearsheet()["final_value"] == pytest.approx(result.final_value)


def test_daily_bars_of_several_zones_are_days_and_hourly_ones_times():
    zones = ("America/New_York", "Asia/Tokyo", "UTC")
    days = {zone: pd.Series([1.0] * 4, pd.date_range("2026-03-06", periods=4, tz=zone)) for zone in zones}
    panel = bars_of(days)  # the second is a night on which the clocks change in New York
    assert [when.isoformat() for when in panel.dates] == [f"2026-03-0{day}T00:00:00+00:00" for day in (6, 7, 8, 9)]
    assert not np.isnan(panel.close).any()
    hours = pd.Series(np.arange(1.0, 7.0), pd.date_range("2026-03-08 00:00", periods=6, freq="h", tz=zones[0]))
    found = bars_of({"A": hours}).dates
    assert [when.hour for when in found] == [5, 6, 7, 8, 9, 10]
    with pytest.raises(BacktestError, match="occurs twice"):  # the hour that a wall clock has twice
        bars_of({"A": {dt.datetime(2026, 11, 1, 6, tzinfo=dt.UTC): 1.0, "2026-11-01T01:00-05:00": 2.0}})


def test_bars_of_the_future_are_bars():
    result = run(once({"A": 1.0}), {"A": {dt.date(2999, 1, 1): 10.0, dt.date(2999, 1, 2): 11.0}})
    assert result.dates[-1].year == 2999


# --- strategies --------------------------------------------------------------------------------------------


class UnspeakableError(Exception):
    def __str__(self):
        raise ValueError


def raising(error):
    def strategy(window):
        if window.index == 2:
            raise error

    return strategy


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no"), "strategy raised ValueError at the bar of 2026-01-07 00:00: no"),
        (
            UnspeakableError(),
            "raised UnspeakableError at the bar of 2026-01-07 00:00: UnspeakableError without a message",
        ),
        (BacktestError("own"), "raised BacktestError at the bar of 2026-01-07 00:00: own"),
        (StopIteration(), "raised StopIteration at the bar of 2026-01-07"),
    ],
)
def test_a_strategy_that_raises_is_named_with_the_bar(error, said):
    with pytest.raises(BacktestError, match=said) as raised:
        run(raising(error))
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("leaves", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_who_wants_to_leave_may_and_the_next_run_begins_anew(leaves):
    backtest = Backtester(MomentumBacktest(["A"], 1, weight=1.0), data={"A": rows()})
    expected = backtest.run().equity.tolist()
    with pytest.raises(leaves):
        run(raising(leaves()))
    assert backtest.run().equity.tolist() == expected


def generated(window):
    if window.index == 1:
        yield Order("", "", "A", "BUY", 1)


def broken(window):
    yield Order("", "", "A", "BUY", 1)
    raise ValueError(window.index)


def test_a_generator_is_a_list_of_orders_and_what_it_raises_is_named():
    assert [fill.quantity for fill in run(generated).fills] == [1.0]
    with pytest.raises(BacktestError, match="broken raised ValueError at the bar of 2026-01-05"):
        run(broken)


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (True, "a strategy returned True"),
        (0, "a strategy returned 0"),
        (b"x", "a strategy returned b'x'"),
        ([None], "a strategy returned None"),
        ([Order("", "", "A", "BUY", 1), 1], "a strategy returned 1;"),
        (np.array([0.5]), r"a strategy returned"),
        ({"A": math.inf}, "the weight of A is inf; give a finite number"),
        ({"A": 1e308}, r"the weight of A is 1e\+308; give a finite number up to 20"),
        ({"A": True}, "the weight of A is True"),
        ({"A": "half"}, "the weight of A is 'half'"),
        ({"A": None}, "the weight of A is None"),
        ({"A": 10**400}, "the weight of A is 1000"),
        ({"A": 1j}, "the weight of A is 1j"),
        (Order("O-1", "", "A", "BUY", 1).filled(1.0, 10.0), "the order O-1, which is FILLED; make a new one"),
        (Order("O-1", "", "A", "BUY", 1).cancelled(), "the order O-1, which is CANCELLED"),
    ],
)
def test_nonsense_is_named_with_the_bar(decision, said):
    with pytest.raises(BacktestError, match=f"at the bar of 2026-01-05 00:00: .*{said}"):
        run(always(decision))


@pytest.mark.parametrize("units", [math.nan, 1e300, True])
def test_units_have_to_be_units(units):
    with pytest.raises(BacktestError, match="the number of units of A is"):
        Targets(units={"A": units})


def test_an_order_without_quantity_cannot_be_made():
    with pytest.raises(BacktestError, match="at the bar of 2026-01-05 00:00: quantity=0"):
        run(lambda _: Order("", "", "A", "BUY", 0))


def test_a_series_of_weights_is_a_mapping():
    assert run(once(pd.Series({"A": 0.5}))).equity.tolist() == run(once({"A": 0.5})).equity.tolist()


@pytest.mark.parametrize("half", ["0.5", Decimal("0.5"), np.float64(0.5), np.float32(0.5)])
def test_numbers_of_other_kinds_are_numbers(half):
    assert run(once({"A": half})).equity.tolist() == run(once({"A": 0.5})).equity.tolist()
    units = run(once(Targets(units={"A": half})), whole_units=True)
    assert not units.fills


class Counting(BacktestStrategy):
    def __init__(self):
        self.seen = 0

    def on_bar(self, window):  # noqa: ARG002 - it counts
        self.seen += 1


def test_what_a_strategy_remembers_does_not_change_the_settings_of_its_run():
    first, second = (Backtester(Counting(), data={"A": rows()}).run() for _ in range(2))
    assert first.settings == "Counting(seen=0)"
    assert first.fingerprint == second.fingerprint


def test_settings_that_decide_about_orders_are_in_the_fingerprint():
    plain, whole = run(once({"A": 0.33})), run(once({"A": 0.33}), whole_units=True)
    limited = run(once({"A": 0.33}), limits=PositionLimits(max_position=1.0))
    assert len({result.fingerprint for result in (plain, whole, limited)}) == 3


# --- settings, and ruin ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cash", [0.0, -1.0, math.nan, math.inf, None, "much", True, 1e300])
def test_cash_has_to_be_cash(cash):
    with pytest.raises(BacktestError, match="initial_cash"):
        run(once(None), initial_cash=cash)


@pytest.mark.parametrize("name", ["fees_bps", "slippage_bps", "cash_rate", "borrow_rate"])
@pytest.mark.parametrize("value", [-1.5, 1_001.0, math.nan, math.inf, None, "few"])
def test_costs_have_to_be_costs(name, value):
    with pytest.raises(BacktestError, match=name):
        run(once(None), **{name: value})


def test_other_settings_are_refused():
    with pytest.raises(BacktestError, match="limits=3 are no PositionLimits"):
        run(once(None), limits=3)
    for fill in (None, [1], "CLOSE"):
        with pytest.raises(BacktestError, match="no fill"):
            run(once(None), fill=fill)
    with pytest.raises(BacktestError, match=r"exit_z=2 is not from 0 to below z_threshold=2"):
        StatArbBacktest([("A", "B")], exit_z=2.0)
    with pytest.raises(BacktestError, match=r"exit_z=-1"):
        StatArbBacktest([("A", "B")], exit_z=-1.0)
    with pytest.raises(BacktestError, match="a ticker is in two pairs"):
        StatArbBacktest([("A", "B"), ("C", "A")])


def test_a_ruined_account_has_a_table_a_sheet_and_a_note():
    data = {"A": rows([10.0, 10.0, 20.0, 20.0, 30.0, 20.0])}
    result = run(once({"A": -1.0}), data)  # 100 units sold at 10: no equity is left at 20
    assert result.equity.tolist() == [1_000.0, 1_000.0, 0.0, 0.0, -1_000.0, 0.0]
    assert result.notes[0] == "equity was not above 0 from 2026-01-07 on: ruin"
    assert result.exposure.tolist()[:2] == [0.0, 1.0]
    assert np.isnan(result.exposure[2:]).all()
    assert [row["daily_return"] for row in result.to_table()] == [0.0, 0.0, -1.0, None, None, None]
    assert [row["exposure"] for row in result.to_table()] == [0.0, 1.0, None, None, None, None]
    assert result.tearsheet()["total_return"] == -1.0
    assert "50% of equity" in str(result)
    assert math.isnan(run(once({"A": -9.0}), data).turnover)

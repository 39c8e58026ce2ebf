"""A back-test: where orders fill, what a strategy sees, targets of equity, missing bars, bad strategies."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import (
    Backtester,
    BacktestStrategy,
    MomentumBacktest,
    StatArbBacktest,
    Targets,
    bars_of,
)
from bank_python.errors import BacktestError, FeedConfigError
from bank_python.trading_engine import MomentumSignal, Order, PositionLimits, replay

FIRST = dt.date(2026, 1, 5)


def rows(closes, spread=1.0, opens=None, volume=1e6):
    """Return daily bars with opens half way to the close before."""
    made = []
    for i, close in enumerate(closes):
        before = closes[i - 1] if i else close
        opened = 0.5 * (before + close) if opens is None else opens[i]
        high, low = max(opened, close) + spread, min(opened, close) - spread
        day = FIRST + dt.timedelta(days=i)
        made.append({"date": day, "open": opened, "high": high, "low": low, "close": close, "volume": volume})
    return made


def once(decision, at=0):
    return lambda window: decision if window.index == at else None


def run(strategy, data, **given):
    return Backtester(strategy, data=data, **{"initial_cash": 1_000.0} | given).run()


CLOSES = [10.0, 11.0, 12.0, 11.0, 13.0]


@pytest.mark.parametrize(("fill", "price", "at"), [("next_open", 10.5, 1), ("next_close", 11.0, 1), ("close", 10.0, 0)])
def test_a_market_order_fills_where_it_is_said(fill, price, at):
    result = run(once({"A": 1.0}), {"A": rows(CLOSES)}, fill=fill)
    (done,) = result.fills
    assert (done.price, done.quantity, done.when.date()) == (price, 100.0, FIRST + dt.timedelta(days=at))
    cash = 1_000.0 - 100.0 * price
    expected = [1_000.0 if i < at else cash + 100.0 * close for i, close in enumerate(CLOSES)]
    assert result.equity.tolist() == pytest.approx(expected, rel=1e-12)
    assert result.fill.value == fill
    assert any("have seen" in note for note in result.notes) == (fill == "close")


def test_closes_alone_fill_at_the_next_close_and_say_so():
    result = run(once({"A": 1.0}), {"A": CLOSES}, start="2026-01-05")
    assert (result.fills[0].price, result.fill.value) == (11.0, "next_close")
    assert "no opens" in result.notes[0]


def test_costs_are_fees_and_slippage_and_targets_are_of_equity():
    result = run(once({"A": 0.5}), {"A": rows(CLOSES)}, fees_bps=10.0, slippage_bps=20.0)
    (done,) = result.fills
    assert (done.quantity, done.price) == (50.0, pytest.approx(10.5 * 1.002))
    assert done.fees == pytest.approx(50 * 10.5 * 1.002 * 1e-3)
    assert result.final_value == pytest.approx(1_000 - 50 * done.price - done.fees + 50 * 13.0, rel=1e-12)
    assert result.cost == pytest.approx(50 * 10.5 * 0.002 + done.fees)


def test_the_tearsheet_has_the_equity_the_exposure_and_the_costs_of_the_run():
    result = run(once({"A": 0.5}), {"A": rows(CLOSES)}, fees_bps=10.0)
    sheet = result.tearsheet(benchmark=CLOSES, risk_free_rate=0.02)
    assert sheet["total_return"] == pytest.approx(result.final_value / 1_000.0 - 1.0)
    assert sheet["exposure"] == pytest.approx(float(result.exposure.mean()))
    assert sheet["costs"] == pytest.approx(result.cost)
    assert all(picture.plot()._repr_png_() for picture in (sheet, result))


def test_without_data_the_history_of_the_configured_feed_is_replayed_and_labelled(monkeypatch):
    monkeypatch.delenv("BANK_PYTHON_FEED", raising=False)
    result = Backtester(MomentumBacktest(["AAPL", "MSFT"], top_n=1), "2025-01-01", "2025-06-30").run()
    assert result.notes[0] == "simulated prices, not those of a market"
    assert (result.panel.tickers, result.trade_count > 0) == (("AAPL", "MSFT"), True)
    assert Backtester(StatArbBacktest([("KO", "AAPL")])).panel.tickers == ("KO", "AAPL")
    assert Backtester(MomentumSignal(["AAPL"])).panel.tickers == ("AAPL",)
    with pytest.raises(BacktestError, match="<lambda> does not say its tickers; give bars"):
        Backtester(once(None))
    monkeypatch.setenv("BANK_PYTHON_FEED", "nonsense")
    with pytest.raises(FeedConfigError, match="there is no feed 'nonsense'"):
        Backtester(MomentumBacktest(["AAPL"]))


def test_pending_orders_count_against_targets():
    order = Order("", "", "A", "BUY", 30, "LIMIT", 5.0)  # works on: never reached
    steps = {0: order, 1: Targets(units={"A": 50.0})}
    result = run(lambda window: steps.get(window.index), {"A": rows(CLOSES)})
    assert [done.quantity for done in result.fills] == [20.0]


def test_limits_and_stops_fill_as_bars_allow():
    limit = Order("", "", "A", "BUY", 10, "LIMIT", 10.4)  # the low of the second bar is 9.5
    touched = Order("", "", "A", "BUY", 1, "LIMIT", 9.5)  # only touched
    stop = Order("", "", "A", "SELL", 10, "STOP", stop_price=11.2)  # a gap: the fourth bar opens at 11
    data = {"A": rows(CLOSES, opens=[10.0, 10.5, 11.5, 11.0, 12.0])}
    result = run(lambda window: {0: [limit, touched], 1: stop}.get(window.index), data)
    assert [(done.price, done.when.day) for done in result.fills] == [(10.4, 6), (11.2, 7)]
    gap = run(lambda window: {0: limit, 2: stop}.get(window.index), data)
    assert gap.fills[1].price == 11.0


def test_a_ticker_without_a_bar_keeps_its_price_and_does_not_trade():
    first, second = rows(CLOSES), rows([20.0, 21.0, 22.0, 23.0, 24.0])
    del first[2]
    result = run(once({"A": 0.5, "B": 0.5}), {"A": first, "B": second}, fill="close")
    assert result.equity.tolist() == pytest.approx([1_000, 1_075, 1_100, 1_125, 1_250])
    late = run(once({"A": 0.5}, at=1), {"A": first, "B": second})
    assert late.fills[0].when.date() == FIRST + dt.timedelta(days=3)


def test_a_window_ends_now_and_has_no_future():
    seen = []

    class Curious(BacktestStrategy):
        def on_bar(self, window):
            base = window.close.base
            seen.append((len(window["A"]), window.date.day, math.isnan(base[-1, 0]), window.index))
            assert np.isnan(base[window.index + 1 :]).all()
            assert window["A"][-1] == window.close[-1, 0]
            return {"A": 1.0}

    run(Curious(), {"A": rows(CLOSES)})
    assert seen == [(i + 1, 5 + i, i < 4, i) for i in range(5)]


@settings(max_examples=30, deadline=None)
@given(
    closes=st.lists(st.integers(50, 150), min_size=12, max_size=30),
    cut=st.integers(5, 10),
    poison=st.floats(1.0, 1e6),
    fill=st.sampled_from(["next_open", "next_close", "close"]),
)
def test_a_poisoned_future_changes_nothing_before(closes, cut, poison, fill):
    def follow(window):
        known = window["A"]
        return {"A": 1.0 if known[-1] > known.mean() else -0.5}

    def equity(levels):
        return run(follow, {"A": rows([float(level) for level in levels], spread=0.5)}, fill=fill, fees_bps=10.0).equity

    assert equity(closes)[:cut].tolist() == equity([*closes[:cut], *[poison] * (len(closes) - cut)])[:cut].tolist()


@settings(max_examples=25, deadline=None)
@given(
    closes=st.lists(st.integers(20, 60), min_size=4, max_size=15),
    weights=st.lists(st.floats(-1.0, 1.0), min_size=15, max_size=15),
    fees=st.floats(0.0, 50.0),
)
def test_equity_is_cash_and_positions_and_the_trail_replays_into_them(closes, weights, fees):
    data = {"A": rows([float(close) for close in closes])}
    result = run(lambda window: {"A": weights[window.index]}, data, fees_bps=fees, slippage_bps=5.0)
    held = result.held[:, 0] * bars_of(data).close[:, 0]
    assert result.equity.tolist() == pytest.approx((result.cash + held).tolist(), rel=1e-9)
    spent = sum(fill.cost.cash for fill in result.fills)
    assert result.cash[-1] == pytest.approx(1_000.0 + spent, rel=1e-9)
    assert result.audit.verify().holds
    assert replay(result.audit).quantity("A") == pytest.approx(float(result.held[-1, 0]), abs=1e-6)


def test_a_rule_of_the_engine_runs_unchanged():
    closes = [100.0 + i for i in range(40)]
    result = run(MomentumSignal(["A"], 20), {"A": rows(closes)}, initial_cash=1e6)
    assert result.fills[0].order.reason.startswith("mean of 10 closes")
    assert result.strategy == "MomentumSignal"


def test_interest_and_borrowing_are_paid_by_time():
    result = run(once({"A": -1.0}), {"A": rows([10.0] * 5)}, borrow_rate=0.365, cash_rate=0.0365)
    # The order fills at the open of the second bar: the day before it has interest on the cash at the start alone.
    cash, days = 1_000.0 * (1.0 + 0.0365 / 365.0) + 1_000.0, 3
    for _ in range(days):
        cash += (cash * 0.0365 - 1_000.0 * 0.365) / 365.0
    assert result.final_value == pytest.approx(cash - 1_000.0, rel=1e-9)


def test_refused_orders_are_counted_with_the_reason():
    result = run(once({"A": 1.0}), {"A": rows(CLOSES)}, limits=PositionLimits(max_position=500.0))
    assert not result.fills
    assert "is above 500 (money)" in result.refusals[0].reason


def test_equal_runs_have_equal_fingerprints():
    def hold(window):
        return {"A": 1.0} if window.index == 0 else None

    data = {"A": rows(CLOSES)}
    first, second = run(hold, data), run(hold, data)
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != run(hold, data, fees_bps=1.0).fingerprint
    assert first.fingerprint != run(hold, {"A": rows([*CLOSES[:-1], 14.0])}).fingerprint


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (lambda _: 1 / 0, "raised ZeroDivisionError at the bar of 2026-01-05 00:00"),
        (lambda _: "buy", "a strategy returned 'buy'"),
        (lambda _: [1], "a strategy returned 1"),
        (lambda _: {"A": math.nan}, "the weight of A is nan"),
        (lambda _: {"B": 1.0}, "there are no bars of 'B'; there are those of A"),
        (lambda _: Order("", "", "B", "BUY", 1), "there are no bars of 'B'"),
    ],
)
def test_a_strategy_that_raises_or_returns_nonsense_is_named_with_the_bar(strategy, said):
    with pytest.raises(BacktestError, match=said):
        run(strategy, {"A": rows(CLOSES)})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fill": "next open"}, "did you mean 'next_open'"),
        ({"initial_cash": 0.0}, "initial_cash"),
        ({"fees_bps": -1.0}, "fees_bps"),
        ({"fees_bps": 5_000.0}, "basis points"),
        ({"start": "2027-01-01"}, "no bars from 2027-01-01"),
    ],
)
def test_settings_out_of_range_are_refused(given, said):
    with pytest.raises(BacktestError, match=said):
        run(once(None), {"A": rows(CLOSES)}, **given)
    with pytest.raises(BacktestError, match="is no BacktestStrategy, rule or function"):
        Backtester(3, data={"A": CLOSES})
    with pytest.raises(BacktestError, match="give an instance"):
        Backtester(MomentumSignal, data={"A": CLOSES})
    with pytest.raises(BacktestError, match="data= is not given"):
        Backtester(once(None))


def test_an_order_to_fill_at_once_has_one_bar():
    def limit(window):
        at = {"order_type": "LIMIT", "limit_price": 8.5, "time_in_force": "IOC"}
        return Order("", "", "A", "BUY", 1.0, **at) if window.index == 0 else None

    result = run(limit, {"A": rows([10.0, 10.0, 8.0, 8.0])})
    assert not result.fills
    assert any("not filled on the first bar" in str(event) for event in result.audit)
    reached = run(limit, {"A": rows([10.0, 8.0, 8.0, 8.0])})
    assert [fill.when.date() for fill in reached.fills] == [reached.dates[1].date()]


def test_the_tearsheet_has_the_value_traded_of_a_year_as_a_share_of_equity():
    result = run(once({"A": 1.0}), {"A": rows(CLOSES)})
    (done,) = result.fills
    share = done.quantity * done.price / result.equity[1]
    assert result.tearsheet["turnover"] == pytest.approx(share / len(CLOSES) * result.tearsheet.periods.value)


def test_missing_bars_of_what_is_held_bars_without_volume_and_orders_left_are_said():
    first, second = rows(CLOSES), rows([20.0] * 5)
    del first[3]
    second[2]["volume"] = 0.0
    left = Order("", "", "A", "BUY", 1, "LIMIT", 1.0)
    decisions = {0: {"A": 0.5, "B": 0.2}, 1: left}
    notes = run(lambda window: decisions.get(window.index), {"A": first, "B": second}).notes
    assert "A was held where it has no bar (1 in all, first 2026-01-08 00:00): its last price counted" in notes
    assert "B has bars without volume (1 in all, first 2026-01-07 00:00): nothing filled there" in notes
    assert "orders that had not filled at the end: 1, in A" in notes


def test_an_object_with_a_method_of_the_window_is_a_strategy():
    class Dip:
        tickers = ("A",)

        def __init__(self, weight):
            self.weight, self.seen = weight, []

        def on_start(self, window):
            self.seen.append(window.index)

        def on_bar(self, window):
            return {"A": self.weight} if window.index == 0 else None

    strategy = Dip(0.5)
    result = run(strategy, {"A": rows(CLOSES)})
    assert (result.strategy, result.settings, strategy.seen) == ("Dip", "Dip(weight=0.5, seen=[])", [-1])
    assert result.equity.tolist() == run(once({"A": 0.5}), {"A": rows(CLOSES)}).equity.tolist()


def test_a_percentage_is_no_weight_and_a_ticker_without_a_name_is_said():
    with pytest.raises(
        BacktestError, match=r"the weight of A is 95; give a finite number up to 20, 0\.95 for 95 per cent"
    ):
        run(once({"A": 95}), {"A": rows(CLOSES)})
    frame = pd.DataFrame(rows(CLOSES)).set_index("date")
    with pytest.raises(BacktestError, match="bars without a name are ASSET: give data="):
        run(once({"MINE": 1.0}), frame)

"""Faults of the replay that were found by trying to break it; each test is the smallest script that shows one."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from bank_python.backtester import Backtester, BacktestStrategy, MomentumBacktest, Targets
from bank_python.errors import BacktestError
from bank_python.trading_engine import Order, PositionLimits

FIRST = dt.date(2026, 1, 5)


def rows(closes=(10.0, 11.0, 12.0, 11.0, 13.0), **changed):
    """Return daily bars that open where the one before has closed, with figures changed in the first one."""
    made = []
    for i, close in enumerate(closes):
        opened = closes[max(i - 1, 0)]
        figures = {"open": opened, "high": max(opened, close) + 1.0, "low": min(opened, close) - 1.0, "close": close}
        made.append({"date": FIRST + dt.timedelta(days=i), "volume": 1e6} | figures | (changed if i == 0 else {}))
    return {"A": made}


def run(steps, data=None, **given):
    return Backtester(lambda window: steps.get(window.index), data=data or rows(), initial_cash=1_000.0, **given).run()


def trades(result):
    return [(fill.signed_quantity, fill.when.day) for fill in result.fills]


def test_a_stop_that_protects_is_no_pending_sale_against_a_target():
    entry = Order("", "", "A", "BUY", 10).bracketed(stop_loss=5.0)
    assert trades(run({0: entry, 2: {"A": 0.0}})) == [(10.0, 6), (-10.0, 8)]


def test_an_order_with_a_name_that_is_used_is_named_with_the_bar():
    order = Order("X-1", "", "A", "BUY", 1)
    with pytest.raises(BacktestError, match=r"2026-01-06.*X-1 was submitted before"):
        run({0: order, 1: order})


def test_a_ticker_without_bars_or_price_is_named_with_the_bar():
    with pytest.raises(BacktestError, match=r"2026-01-06.*no bars of 'B'"):
        run({1: {"B": 1.0}})
    data = rows() | {"B": rows()["A"][3:]}
    with pytest.raises(BacktestError, match=r"2026-01-06.*B has had no bar yet"):
        run({1: {"B": 1.0}}, data)


class Starting(BacktestStrategy):
    def on_bar(self, window):
        """Do nothing."""


def test_what_a_strategy_raises_before_the_first_bar_is_named():
    class Failing(Starting):
        def on_start(self, window):  # noqa: ARG002 - it raises
            raise ValueError("no file")

    with pytest.raises(BacktestError, match=r"Failing raised ValueError .*: no file"):
        Backtester(Failing(), data=rows()).run()


def test_before_the_first_bar_the_last_date_is_unknown():
    class Peeping(Starting):
        def on_start(self, window):
            try:
                self.date = window.date
            except BacktestError:
                self.date = None

    strategy = Peeping()
    result = Backtester(strategy, data=rows()).run()
    assert strategy.date is None or strategy.date <= result.dates[0]


def test_a_bar_without_volume_fills_nothing_at_its_close():
    assert trades(run({0: {"A": 0.5}}, rows(volume=0.0), fill="close")) != [(50.0, 5)]


def test_an_option_filled_at_the_next_close_has_the_volatility_of_that_close():
    vols = [{"date": FIRST + dt.timedelta(days=i), "close": vol} for i, vol in enumerate((0.2, 0.2, 0.6, 0.6, 0.6))]
    order = Order("", "", "A 2026-03-20 C 10", "BUY", 1)
    result = run({1: order}, rows([10.0] * 5) | {"A_VOL": vols}, fill="next_close")
    assert result.fills[0].when.day == 7
    assert result.equity[2] == pytest.approx(1_000.0)  # bought at the price at which it is valued


def test_a_ruined_account_does_not_trade_against_its_weights():
    result = run({0: {"A": -1.0}, 3: {"A": 1.0}}, rows((10.0, 10.0, 30.0, 31.0, 32.0, 20.0)))
    assert result.equity[3] < 0.0
    bought = sum(fill.signed_quantity for fill in result.fills[1:])
    assert bought in {0.0, 100.0}  # nothing, or the end of the short position; not more of it, nor a part


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_an_order_for_the_day_lives_on_the_day_after_its_signal(fill):
    order = Order("", "", "A", "BUY", 1, time_in_force="DAY")
    assert trades(run({0: order}, fill=fill)) == [(1.0, 6)]


def test_a_volatility_depends_on_no_later_calendar():
    rng = np.random.default_rng(0)
    closes = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(430)))
    days = pd.bdate_range("2025-01-01", periods=60)
    later = days[:30].append(pd.date_range(days[29] + pd.Timedelta(days=1), periods=400))
    seen = []

    def look(window):
        if window.index == 20:
            seen.append(window.volatility("A", 10))

    for index in (days, later):
        Backtester(look, data={"A": pd.Series(closes[: len(index)], index)}).run()
    assert seen[0] == seen[1]


@pytest.mark.parametrize("expiry", ["2025-12-31", "2026-01-06"])
def test_an_option_that_has_ended_does_not_trade(expiry):
    order = Order("", "", f"A {expiry} C 5", "BUY", 1)
    result = run({1: order}, vols=0.3)
    assert trades(result) == []
    assert len(result.refusals) == 1


def test_a_target_of_an_option_without_a_volatility_yet_says_that():
    with pytest.raises(BacktestError, match="volatility"):
        run({1: Targets(units={"A 2026-03-20 C 10": 1.0})})


@pytest.mark.parametrize("bars", [0, -1, 2.5])
def test_windows_of_volatilities_are_checked(bars):
    with pytest.raises(BacktestError, match="bars="):
        Backtester(lambda window: window.volatility("A", bars) and None, data=rows()).run()


def test_implied_volatilities_of_unknown_tickers_are_refused():
    with pytest.raises(BacktestError, match="ZZ"):
        run({}, vols={"ZZ": 0.2})


def test_a_series_of_volatilities_is_no_asset():
    with pytest.raises(BacktestError):
        run({0: {"A_VOL": 1.0}}, rows() | {"A_VOL": rows()["A"]})


def test_different_functions_have_different_fingerprints():
    made = [run({0: {"A": weight}}).fingerprint for weight in (0.2, 0.7)]
    assert made[0] != made[1]


def test_a_function_that_is_a_strategy_by_a_missing_ticker_is_refused_at_once():
    with pytest.raises(BacktestError, match="no bars of 'ZZ'"):
        Backtester(MomentumBacktest(["ZZ"]), data=rows()).run()


def test_what_is_bought_at_a_close_is_not_stopped_by_the_low_before_it():
    entry = Order("", "", "A", "BUY", 1).bracketed(stop_loss=9.5)
    data = rows((10.0, 12.0, 12.0, 11.0, 9.0))
    data["A"][1]["low"] = 9.0
    assert trades(run({0: entry}, data, fill="next_close")) == [(1.0, 6), (-1.0, 9)]


def test_a_stop_inside_a_bar_comes_before_an_order_at_its_close():
    entry = Order("", "", "A", "BUY", 10).bracketed(stop_loss=9.5)
    data = rows((10.0, 12.0, 12.0, 12.0, 12.0))
    data["A"][3]["low"] = 9.0
    result = run({0: entry, 2: Order("", "", "A", "SELL", 10)}, data, fill="next_close")
    assert [(fill.signed_quantity, fill.price, fill.when.day) for fill in result.fills] == [
        (10.0, 12.0, 6),
        (-10.0, 9.5, 8),
        (-10.0, 12.0, 8),
    ]


def test_limits_on_losses_see_what_is_held_at_its_last_closes():
    data = rows((10.0, 10.0, 10.0, 3.0, 3.0)) | {"B": rows((10.0,) * 5)["A"]}
    limits = PositionLimits(max_position=math.inf, max_loss=300.0)
    result = run({0: Order("", "", "A", "BUY", 80), 3: Order("", "", "B", "BUY", 1)}, data, limits=limits)
    assert trades(result) == [(80.0, 6)]
    assert [refused.reason for refused in result.refusals] == [
        "Loss, from which on orders may only reduce positions: 560 is above 300 (money)"
    ]

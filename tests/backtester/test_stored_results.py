"""Results of back-tests in a store: what is read again is what was written, and none replaces another."""

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest

from bank_python.backtester import Backtester, MomentumBacktest, Targets
from bank_python.backtester.stored_results import (
    CURVES,
    RESULTS,
    last_keys,
    last_result,
    read_result,
    store_result,
    stored_results,
)
from bank_python.barbara import BarbaraDB
from bank_python.errors import BacktestError

DAYS = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(60)]
NOON = dt.datetime(2026, 1, 5, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def store():
    with BarbaraDB.open("desk", path=":memory:") as opened:
        yield opened


def momentum(seed=0, **settings):
    rng = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal((len(DAYS), 3)), axis=0))
    data = {name: dict(zip(DAYS, closes[:, j].tolist(), strict=True)) for j, name in enumerate("ABC")}
    strategy = MomentumBacktest(list(data), lookback=10, top_n=1, weight=1.0)
    return Backtester(strategy, data=data, fees_bps=5.0, **settings).run()


def same(a, b):
    assert a.keys() == b.keys()
    for name, value in a.items():
        other = b[name]
        assert value == other or (isinstance(value, float) and math.isnan(value) and math.isnan(other)), name


def test_the_tearsheet_that_is_read_again_is_that_of_the_run(store):
    result = momentum()
    key = store_result(store, result, risk_free_rate=0.03, now=lambda: NOON)
    assert key == f"{RESULTS}MomentumBacktest/2025-01-01_2025-03-01/2026-01-05T12:00:00.000000"
    again = last_result(store)
    assert again.key == key
    assert again.trade_count == result.trade_count > 5
    assert again.dates == result.dates
    same(again.tearsheet().metrics, result.tearsheet(risk_free_rate=0.03).metrics)
    same(store[key], again.tearsheet().metrics)
    assert again.tearsheet()["n_trades"] > 1


def test_the_last_key_of_each_strategy_leads_to_its_result(store):
    keys = [
        store_result(store, replace(momentum(seed), strategy=name)) for seed, name in enumerate(("a/b", "c", "a/b"))
    ]
    assert list(last_keys(store).items()) == [("c", keys[1]), ("a/b", keys[2])]
    assert [read_result(store, key).final_value for key in keys] == [momentum(seed).final_value for seed in range(3)]


@pytest.mark.parametrize("key", ["", "/Backtest/results/", "/Backtest/results/a/b/c", "/Config/currency"])
def test_a_key_without_a_result_is_named(store, key):
    with pytest.raises(BacktestError, match=f"no result of a back-test is stored under {key!r}"):
        read_result(store, key)


def test_it_says_whether_prices_were_simulated(store):
    for notes in ((), ("prices of yahoo",), ("prices of yahoo, but those of A simulated",)):
        store_result(store, replace(momentum(), notes=notes))
    assert [one.is_simulated for one in stored_results(store)] == [False, False, True]


def test_results_of_the_same_time_are_all_kept_in_order(store):
    keys = [store_result(store, momentum(seed), now=lambda: NOON) for seed in range(3)]
    assert len(set(keys)) == 3
    assert [one.key for one in stored_results(store)] == keys
    assert last_result(store).final_value == momentum(2).final_value
    early = store_result(store, momentum(7), now=lambda: NOON - dt.timedelta(days=1))  # a clock that was set back
    assert last_result(store).key == early


def hold(window):
    return {"A": 1.0} if window.index == 0 else None


def test_strategies_are_told_apart_and_any_name_is_a_key(store):
    class Slashed(MomentumBacktest):
        name = "long/short 1%"

    data = {"A": [1.0, 2.0, 3.0]}
    store_result(store, Backtester(hold, data=data).run())
    store_result(store, Backtester(Slashed(["A"], 1), data=data).run())
    assert len(stored_results(store)) == 2
    assert last_result(store, "hold").strategy == "hold"
    assert last_result(store, "long/short 1%").strategy == "long/short 1%"
    assert last_result(store, "hol") is None
    assert all(key.count("/") == 5 for key in store.keys(RESULTS))


def test_a_run_without_fills_is_stored(store):
    store_result(store, Backtester(lambda _window: None, data={"A": [1.0, 2.0]}).run())
    again = last_result(store)
    assert (again.trade_count, again.final_value) == (0, 1_000_000.0)
    assert again.tearsheet().reasons["n_trades"] == "no trades were given"


def test_a_ruined_result_is_shown_again(store):
    fall = {"A": [100.0, 100.0, 20.0, 10.0, 30.0]}
    result = Backtester(lambda window: {"A": 3.0} if window.index == 0 else None, data=fall).run()
    assert result.equity[2] < 0.0
    store_result(store, result)
    again = last_result(store)
    same(again.tearsheet().metrics, result.tearsheet().metrics)
    assert again.exposure == pytest.approx(result.exposure[:2].mean())


def test_options_that_expired_are_trades_of_the_stored_result(store):
    def sold(window):
        names = [f"A 2025-01-{day} C 100" for day in (10, 20, 30)]
        return Targets(units={names[window.index // 9 % 3]: -3.0}) if window.index in {1, 10, 19} else None

    closes = 100.0 + 3.0 * np.sin(np.arange(60.0))
    data = {"A": dict(zip(DAYS, closes.tolist(), strict=True))}
    result = Backtester(sold, data=data, fees_bps=5.0, vols=0.3).run()
    assert len(result.account.settlements) == 3
    store_result(store, result)
    again = last_result(store)
    assert (again.trade_count, len(again.settlements)) == (result.trade_count, 3)
    sheet = again.tearsheet()
    same(sheet.metrics, result.tearsheet().metrics)
    assert (sheet["n_trades"], sheet["avg_trade"]) == (3, pytest.approx((result.final_value - 1e6) / 3.0, rel=0.01))


def test_an_empty_store_and_a_value_that_is_no_result(store):
    assert last_result(store) is None
    assert stored_results(store) == ()
    store[f"{CURVES}A/2025-01-01_2025-02-01/2025-03-01T00:00:00.000000"] = 3
    with pytest.raises(BacktestError, match="holds no result of a back-test"):
        last_result(store)

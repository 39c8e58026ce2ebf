"""One back-test in two spellings: a strategy from the start, or several that are added; what both must get right."""

from __future__ import annotations

import datetime as dt
import math
import pickle
from itertools import pairwise

import numpy as np
import pytest

import bank_python
from bank_python.backtester import (
    Backtester,
    EquityCurve,
    HistoricalDataLoader,
    MacroBacktest,
    MomentumBacktest,
    StatArbBacktest,
    Tearsheet,
    stored_results,
)
from bank_python.barbara import BarbaraDB
from bank_python.errors import BacktestError, TradingError
from bank_python.trading_engine import PositionLimits

FIRST = dt.date(2024, 1, 2)


def rows(closes, step=1, opens=None):
    made = []
    for i, close in enumerate(closes):
        opened = close - 0.5 if opens is None else opens[i]
        day = FIRST + dt.timedelta(days=i * step)
        prices = {"open": opened, "high": max(opened, close) + 1.0, "low": min(opened, close) - 1.0, "close": close}
        made.append({"date": day.isoformat(), **prices, "volume": 1e6})
    return made


def from_the_start(strategy, data, start="2024-01-01", end="2024-12-31", capital=1e5, **settings):
    return Backtester(strategy, start, end, data=data, initial_cash=capital, **settings).run()


def added(strategy, data, start="2024-01-01", end="2024-12-31", capital=1e5, **settings):
    bt = Backtester(**settings)
    bt.add_strategy(strategy, initial_capital=capital)
    (result,) = bt.run(list(data), start, end, data=data)
    return result


@pytest.fixture(params=[from_the_start, added])
def run(request):
    return request.param


def once(decision, at=0):
    return lambda window: decision if window.index == at else None


# --- what a back-test has to get right ----------------------------------------------------------------


def test_an_order_fills_at_the_open_after_its_signal(run):
    result = run(once({"A": 1.0}, at=1), {"A": rows([10.0, 11.0, 12.0], opens=[10.0, 10.5, 11.25])})
    assert [(fill.price, fill.when.date().isoformat()) for fill in result.fills] == [(11.25, "2024-01-04")]
    asked = run(once({"A": 1.0}, at=1), {"A": rows([10.0, 11.0, 12.0])}, fill="close")
    assert (asked.fills[0].price, "have seen" in asked.notes[0]) == (11.0, True)


def test_a_day_without_a_bar_keeps_the_last_price_and_trades_nothing(run):
    held = rows([100.0, 101.0, 102.0, 103.0, 104.0, 105.0])
    del held[3]
    decisions = {0: {"A": 0.25}, 2: {"A": 0.5}}
    result = run(lambda window: decisions.get(window.index), {"A": held, "B": rows([50.0] * 6)}, capital=99_989.0)
    assert [(fill.when.date() - FIRST).days for fill in result.fills] == [1, 4]
    assert result.equity[3] == result.equity[2] == pytest.approx(99_989.0 + 1.5 * result.fills[0].quantity)


def test_the_data_are_cut_to_the_period(run):
    result = run(once({"A": 1.0}), {"A": rows(np.arange(10.0, 73.0))}, "2024-01-10", "2024-02-01")
    assert (result.dates[0].date(), result.dates[-1].date()) == (dt.date(2024, 1, 10), dt.date(2024, 2, 1))
    assert (result.start_date, result.end_date) == ("2024-01-10", "2024-02-01")


def test_a_backtest_has_no_limits_but_its_own_and_counts_refusals(run):
    rising = {"A": rows(np.linspace(100.0, 200.0, 60))}
    assert run(MomentumBacktest(["A"], top_n=1, weight=1.0), rising).trade_count > 0
    assert run(MacroBacktest(["A"]), rising).trade_count > 0
    limited = run(once({"A": 0.5}), rising, limits=PositionLimits(max_position=10.0))
    assert (limited.trade_count, len(limited.refusals)) == (0, 1)
    assert "10" in limited.refusals[0].reason


def test_names_are_exact(run):
    data = {"AAPL": rows([150.0, 151.0, 152.0]), "A": rows([10.0, 11.0, 12.0])}
    result = run(once({"A": 1.0}), data)
    assert result.fills[0].price == 10.5
    with pytest.raises(BacktestError, match="no bars of 'A'"):
        run(once({"A": 1.0}), {"AAPL": data["AAPL"]})


def test_ratios_are_those_of_their_definitions(run):
    closes = 100.0 * np.cumprod(1.0 + 0.01 * np.random.default_rng(3).standard_normal(150))
    result = run(once({"A": 1.0}), {"A": rows(closes)})
    before = np.concatenate([[1e5], result.equity[:-1]])
    # Days at weekends: 365 a year. The first value is the capital: there is no return before it.
    excess = (result.equity / before - 1.0)[1:] - 0.05 / 365.0
    sheet = result.tearsheet(risk_free_rate=0.05)
    sharpe = excess.mean() / excess.std(ddof=1) * math.sqrt(365.0)
    sortino = excess.mean() / math.sqrt(np.mean(np.minimum(excess, 0.0) ** 2)) * math.sqrt(365.0)
    assert (sheet["sharpe"], sheet["sortino_ratio"]) == pytest.approx((sharpe, sortino), rel=1e-9)


def test_without_volatility_or_loss_a_ratio_has_a_reason_in_place_of_a_large_number(run):
    still = run(once(None), {"A": rows([10.0] * 5)}).tearsheet
    assert math.isnan(still.metrics["sharpe_ratio"])
    assert "volatility is 0" in still.reasons["sharpe"]
    rising = run(once({"A": 1.0}), {"A": rows([10.0, 11.0, 13.0, 14.0])}).tearsheet
    assert (rising.metrics["profit_factor"], rising.metrics["calmar"]) == (math.inf, math.inf)
    assert rising.reasons["profit_factor"]


def test_months_are_those_of_the_calendar(run):
    closes = np.linspace(100.0, 160.0, 60)  # 2 January to 1 March
    result = run(once({"A": 1.0}), {"A": rows(closes)})
    by_month = {}
    for when, value in zip(result.dates, result.equity, strict=True):
        by_month[when.month] = value
    ends = [1e5, *by_month.values()]
    months = [after / before - 1.0 for before, after in pairwise(ends)]
    assert result.tearsheet["best_month"] == pytest.approx(max(months))
    assert result.tearsheet["worst_month"] == pytest.approx(min(months))


def test_cash_and_borrowed_shares_have_a_rate(run):
    data = {"A": rows([10.0] * 31)}
    idle = run(once(None), data, cash_rate=0.05)
    assert idle.final_value == pytest.approx(1e5 * (1.0 + 0.05 / 365.0) ** 30, rel=1e-9)
    short = run(once({"A": -0.5}), data, borrow_rate=0.1)
    assert short.final_value < 1e5 + 0.5 * short.fills[0].quantity


@pytest.mark.parametrize(
    "strategy",
    [
        MomentumBacktest(["A", "B"], lookback=5, top_n=1),
        StatArbBacktest([("A", "B")], lookback=20, z_threshold=1.0),
        MacroBacktest(["A", "B"]),
    ],
)
def test_both_spellings_are_one_run(strategy):
    rng = np.random.default_rng(5)
    data = {name: rows(100.0 * np.exp(np.cumsum(0.02 * rng.standard_normal(120)))) for name in "AB"}
    settings = {"fees_bps": 5.0, "slippage_bps": 2.0, "cash_rate": 0.02}
    first, second = from_the_start(strategy, data, **settings), added(strategy, data, **settings)
    assert first.trade_count > 0
    assert first.equity.tolist() == second.equity.tolist()
    assert first.fingerprint == second.fingerprint
    assert first.tearsheet.metrics == pytest.approx(second.tearsheet.metrics, nan_ok=True)


# --- the result ---------------------------------------------------------------------------------------

METRICS = [
    "total_return",
    "annualized_return",
    "annualized_vol",
    "sharpe_ratio",
    "sortino_ratio",
    "max_drawdown",
    "max_dd_duration_days",
    "win_rate",
    "profit_factor",
    "calmar_ratio",
    "best_day",
    "worst_day",
    "best_month",
    "worst_month",
    "n_trading_days",
    "final_value",
    "initial_capital",
    "sharpe",
    "max_dd",
    "calmar",
    "avg_trade",
]


def test_the_tearsheet_of_a_result_is_called_or_read(run):
    data = {"A": rows(100.0 + np.random.default_rng(1).standard_normal(80))}
    result = run(MomentumBacktest(["A"], lookback=3), data)
    assert ("tearsheet" in vars(result)) == (run is added)  # to be stored; else not before it is asked for
    assert result.tearsheet is result.tearsheet() is result.tearsheet
    assert set(METRICS) <= set(result.tearsheet.metrics)
    assert result.tearsheet.metrics == result.tearsheet.compute()
    index = [row["close"] for row in data["A"]]
    other = result.tearsheet(benchmark=index, risk_free_rate=0.1, periods_per_year=252.0)
    assert (other.risk_free_rate, other.periods.value, result.tearsheet.risk_free_rate) == (0.1, 252.0, 0.0)
    assert math.isfinite(other["beta"])
    assert math.isnan(result.tearsheet["beta"])
    assert other(risk_free_rate=0.2)["beta"] == pytest.approx(other["beta"], rel=1e-2)
    assert other["avg_trade"] == result.tearsheet["avg_trade"]
    again = pickle.loads(pickle.dumps(result.tearsheet))  # noqa: S301 - written here
    assert again.metrics == pytest.approx(result.tearsheet.metrics, nan_ok=True)
    with pytest.raises(BacktestError, match="risk_free_rate=nan is not finite"):
        result.tearsheet(risk_free_rate=math.nan)


def test_a_result_says_what_ran(run):
    result = run(once({"A": 1.0}), {"A": rows([10.0, 11.0, 12.0])}, capital=1_050.0)
    assert (result.strategy_name, result.initial_capital, result.trade_count) == ("<lambda>", 1_050.0, 1)
    assert isinstance(result.equity_curve, EquityCurve)
    assert result.final_value == result.equity_curve.values[-1] == result.equity[-1]
    curve = Tearsheet(result.equity_curve, result.fills)
    for name in ("total_return", "sharpe_ratio", "max_drawdown", "final_value", "initial_capital", "win_rate"):
        assert curve[name] == result.tearsheet[name]


# --- several strategies -------------------------------------------------------------------------------


def test_each_strategy_has_a_result_in_the_order_of_adding_and_all_are_stored():
    store = BarbaraDB.open("desk", path=":memory:")
    bt = Backtester(store, fees_bps=1.0)
    bt.add_strategy(once({"A": 1.0}), trader_name="Ann", initial_capital=1_000.0)
    bt.add_strategy(MomentumBacktest(["A"], lookback=2, top_n=1))
    data = {"A": rows([10.0, 11.0, 12.0, 13.0, 14.0]), "B": [{"date": "soon"}]}  # B is not asked for
    results = bt.run(["A"], "2024-01-03", "2024-01-05", data=data)
    assert [result.strategy_name for result in results] == ["<lambda>", "MomentumBacktest"]
    assert [result.initial_capital for result in results] == [1_000.0, 1_000_000.0]
    assert [result.trader for result in results] == ["Ann", "Backtest"]
    assert bt.barbara is store
    kept = stored_results(store)
    assert [found.final_value for found in kept] == [result.final_value for result in results]
    assert [store[found.key]["total_return"] for found in kept] == [r.tearsheet["total_return"] for r in results]
    assert kept[0].key.startswith("/Backtest/results/")
    assert kept[1].key.split("/")[3:5] == ["MomentumBacktest", "2024-01-03_2024-01-05"]
    assert store.keys("/Backtest/data/") == ["/Backtest/data/A/2024-01-03_2024-01-05"]
    assert [row["close"] for row in store["/Backtest/data/A/2024-01-03_2024-01-05"]] == [11.0, 12.0, 13.0]


def test_a_store_in_memory_is_made_for_several_strategies():
    bt = Backtester()
    bt.add_strategy(once(None))
    assert len(bt.run(["A"], "2024-01-01", "2024-12-31", {"A": rows([10.0, 11.0])})) == 1
    assert len(bt.barbara.keys("/Backtest/results/")) == 1


def test_a_given_strategy_is_the_first_of_several_and_its_results_are_stored_if_there_is_a_store():
    data = {"A": rows([10.0, 11.0, 12.0])}
    store = BarbaraDB.open("desk", path=":memory:")
    bt = Backtester(once({"A": 1.0}), data=data, barbara=store)
    alone = bt.run()
    assert len(stored_results(store)) == 1
    bt.add_strategy(once(None))
    both = bt.run(["A"], "2024-01-01", "2024-12-31")
    assert [result.final_value for result in both] == [alone.final_value, 1e6]


@pytest.mark.parametrize(
    ("tickers", "data"),
    [([], None), (["A"], {}), (["A"], {"A": []}), (["B"], {"A": rows([10.0])}), (["A"], {"A": rows([10.0])})],
)
def test_no_bars_give_no_results(tickers, data):
    bt = Backtester()
    bt.add_strategy(once(None))
    assert bt.run(tickers, "2025-01-01", "2025-02-01", data=data) == []


def test_a_ticker_without_bars_is_noted_and_not_traded():
    bt = Backtester()
    for strategy in (MomentumBacktest(["A", "Z"], 2), StatArbBacktest([("A", "Z")], 3), MacroBacktest(["Z", "A"])):
        bt.add_strategy(strategy)
    results = bt.run(["A", "Z"], "2024-01-01", "2024-12-31", {"A": rows(np.linspace(100.0, 200.0, 40)), "Z": []})
    assert [result.trade_count > 0 for result in results] == [True, False, True]
    for result in results:
        assert "no bars of Z from 2024-01-01 to 2024-12-31" in result.notes
        assert np.isfinite(result.equity).all()
        assert np.isfinite(result.exposure).all()
        assert str(result)
        assert result.tearsheet.metrics


def test_without_data_the_bars_of_the_feed_are_loaded_once_and_the_unknown_left_out(monkeypatch):
    monkeypatch.delenv("BANK_PYTHON_FEED", raising=False)
    bt = Backtester()
    bt.add_strategy(once({"AAPL": 1.0}))
    (first,) = bt.run(["AAPL", "NONE_SUCH"], "2025-01-02", "2025-03-31")
    assert first.notes[:2] == (
        "simulated prices, not those of a market",
        "no bars of NONE_SUCH from 2025-01-02 to 2025-03-31",
    )
    monkeypatch.setattr("bank_python.backtester.data_loader.configured_feed", None)  # the store has them
    (second,) = bt.run(["AAPL"], "2025-01-02", "2025-03-31")
    assert second.equity.tolist() == first.equity.tolist()
    assert second.notes[0] == "bars from the store: simulated"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Backtester().run(), "no strategy= was given"),
        (lambda: Backtester().strategy, "there is no strategy"),
        (lambda: Backtester().add_strategy(MomentumBacktest), "give an instance"),
        (lambda: Backtester().add_strategy(once(None), initial_capital=0.0), "initial_capital"),
        (lambda: Backtester().run(["A"]), "give both days"),
        (lambda: Backtester().run(["A"], "2024-02-01", "2024-01-01"), "swap them"),
        (lambda: Backtester().run(["A"], "soon", "2024-01-01"), "start_date='soon' is not a date"),
        (lambda: Backtester().run("A", "2024-01-01", "2024-02-01", {}), "tickers"),
        (lambda: Backtester(once(None), "soon", data={"A": [1.0]}), "start='soon' is not a date"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises((BacktestError, TradingError), match=said):
        call()


# --- what users read elsewhere ------------------------------------------------------------------------


def test_the_block_that_users_read():
    from bank_python import Backtester, MomentumBacktest

    bt = Backtester(
        strategy=MomentumBacktest(tickers=["AAPL", "MSFT", "NVDA"], lookback=20),
        start="2023-01-01",
        end="2024-01-01",
    )
    result = bt.run()
    tearsheet = result.tearsheet()
    assert {"sharpe", "max_dd", "calmar", "win_rate", "avg_trade"} <= set(tearsheet)
    assert bt.strategy.lookback == 20
    assert "2023-01-01" <= result.dates[0].date().isoformat() < result.dates[-1].date().isoformat() <= "2024-01-01"
    assert {"sharpe", "max_dd"} <= result.tearsheet.metrics.keys()


def test_names_at_the_top():
    for name in [
        "Backtester",
        "BacktestStrategy",
        "BacktestContext",
        "BacktestResult",
        "EquityCurve",
        "HistoricalDataLoader",
        "Tearsheet",
        "MomentumBacktest",
        "StatArbBacktest",
        "MacroBacktest",
    ]:
        assert getattr(bank_python, name).__name__ == name
        assert name in bank_python.__all__


def test_arguments_of_the_strategies():
    momentum = MomentumBacktest(["A"])
    assert (momentum.lookback, momentum.top_n, momentum.trade_qty) == (20, 3, 100.0)
    pairs = StatArbBacktest([("A", "B")])
    assert (pairs.lookback, pairs.z_threshold, pairs.exit_z, pairs.leg) == (60, 2.0, 0.5, 0.2)
    assert StatArbBacktest([("A", "B")], 60, 2.0, 50).trade_qty == 50.0
    assert MacroBacktest(["A"], 100).trade_qty == 100.0
    assert repr(HistoricalDataLoader()) == "<HistoricalDataLoader: no bars>"


def test_a_strategy_of_tickers_that_were_not_asked_for_is_refused():
    tried = Backtester()
    tried.add_strategy(MomentumBacktest(["A", "Z"]))
    with pytest.raises(BacktestError, match="there are no bars of 'Z'; there are those of A"):
        tried.run(["A"], "2024-01-01", "2024-12-31", data={"A": rows([10.0, 11.0, 12.0])})

"""Signals: the rules of the reference on closes by name, without look-ahead, with reasons, live on a graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bank_python import TradingEngine, VolArbSignal
from bank_python.dagger import DependencyGraph, Leaf
from bank_python.errors import TradingError
from bank_python.market_data import SimulatedFeed
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.mntable import Table
from bank_python.risk_models import engle_granger, fit_garch
from bank_python.trading_engine import (
    ExecutionModel,
    Fill,
    MacroSignal,
    MomentumSignal,
    PositionLimits,
    Side,
    StatArbSignal,
)

RISING = [100.0 + i for i in range(40)]
RULES = [
    MomentumSignal(["A", "B"]),
    StatArbSignal([("A", "B")], lookback=40, z_threshold=0.1),
    VolArbSignal(["A"], rv_window=10),
]


@pytest.fixture(scope="module")
def walk():
    rng = np.random.default_rng(4)
    a = 50.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(300)))
    return {"A": a, "B": 2.0 * a * np.exp(0.01 * rng.standard_normal(300)), "A_VOL": np.full(300, 0.30)}


def test_momentum_compares_a_short_with_a_long_average():
    (order,) = MomentumSignal(["A"], lookback=20).generate({"A": RISING})
    short, long = np.mean(RISING[-10:]), np.mean(RISING[-20:])
    assert (order.side, order.quantity, order.price, order.strategy) == (Side.BUY, 100.0, 139.0, "momentum")
    assert order.reason == f"mean of 10 closes {short / long - 1.0:.1%} above that of 20"
    (order,) = MomentumSignal(["A"], short_window=10, long_window=30).generate({"A": RISING[::-1]})
    assert order.side is Side.SELL
    assert MomentumSignal(["A"]).generate({"A": [100.0] * 40}) == []


def test_a_pair_far_apart_is_sold_dear_and_bought_cheap(walk):
    data = {"A": walk["A"].copy(), "B": walk["B"]}
    data["A"][-1] *= 1.07
    dear, cheap = StatArbSignal([("A", "B")]).generate(data)
    assert [(each.instrument_name, each.side, each.quantity) for each in (dear, cheap)] == [
        ("A", Side.SELL, 50.0),
        ("B", Side.BUY, 50.0),
    ]
    fit = engle_granger(data["A"][-60:], data["B"][-60:], lags=1, take_logs=True)
    assert f"t {fit.statistic:.2f}, p {fit.p_value:.2f}" in dear.reason
    data["A"][-1] *= 0.85
    assert [each.side for each in StatArbSignal([("A", "B")]).generate(data)] == [Side.BUY, Side.SELL]


def test_a_pair_that_does_not_pass_the_test_or_revert_gives_none():
    rng = np.random.default_rng(8)
    apart = {name: 50.0 * np.exp(np.cumsum(0.02 * rng.standard_normal(200))) for name in "AB"}
    assert StatArbSignal([("A", "B")], z_threshold=0.5, significance=0.01).generate(apart) == []
    assert StatArbSignal([("A", "B")], lookback=20).generate({"A": [5.0] * 60, "B": RISING + RISING[:20]}) == []


def test_macro_follows_its_two_rules():
    made = MacroSignal().generate({"SOFR": [0.051, 0.056], "EURUSD": [1.13], "BOND_5Y": [98.0]})
    assert [(each.instrument_name, each.side.value, each.quantity, each.price) for each in made] == [
        ("BOND_5Y", "BUY", 100.0, 98.0),
        ("EURUSD", "SELL", 10_000.0, 1.13),
    ]
    assert [each.side.value for each in MacroSignal().generate({"EURUSD": [1.04]})] == ["BUY"]
    assert MacroSignal().generate({"SOFR": [0.05], "EURUSD": [1.05]}) == []


def test_dear_volatility_is_sold_as_a_straddle_at_its_price(walk):
    (order,) = VolArbSignal(["A"]).generate(walk)
    spot, root = walk["A"][-1], np.sqrt(30.0 / 365.0)
    assert (order.instrument_name, order.side, order.quantity) == ("A_30D_STRADDLE", Side.SELL, 10.0)
    assert order.price == pytest.approx(np.sqrt(2.0 / np.pi) * spot * 0.30 * root, rel=1e-3)  # 0.8 S sigma sqrt(T)
    (order,) = VolArbSignal(["A"], forecast="garch").generate({**walk, "A_VOL": [0.05]})
    vol = fit_garch(np.diff(np.log(walk["A"]))).forecast_volatility(21, periods_per_year=252.0)
    assert order.side is Side.BUY
    assert f"forecast {vol:.1%} a year, by a GARCH(1,1), normal" in order.reason


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.strategy)
def test_the_future_does_not_matter(rule, walk):
    past = {name: values[:200] for name, values in walk.items()}
    poisoned = {name: np.concatenate([values[:200], [np.nan]])[:200] for name, values in walk.items()}
    assert rule.signals(past) == rule.signals(poisoned)
    assert rule.signals(past)
    before = {name: values.copy() for name, values in walk.items()}
    rule.signals(walk)
    assert all((before[name] == walk[name]).all() for name in walk)


@pytest.mark.parametrize("rule", [*RULES, MacroSignal()], ids=lambda rule: rule.strategy)
def test_too_little_data_gives_an_empty_list(rule):
    assert rule.generate({}) == []
    assert rule.generate({"A": [], "B": [1.0], "A_VOL": [], "SOFR": [], "EURUSD": []}) == []


def test_frames_tables_and_histories_are_read_alike():
    rule = MomentumSignal(["A"], lookback=20)
    expected = rule.generate({"A": RISING})
    assert rule.generate(pd.DataFrame({"A": RISING})) == expected
    days = pd.date_range("2026-01-01", periods=40).date.tolist()
    rows = [{"ticker": "A", "date": day, "close": close} for day, close in zip(days, RISING, strict=True)]
    table = Table.from_rows([("ticker", str), ("date", type(days[0])), ("close", float)], rows[::-1])
    assert rule.generate(table) == expected
    history = PriceHistoryTable()
    history.load("SPY", SimulatedFeed(seed=1).history("SPY", "1y"))
    closes = {"SPY": history.closes("SPY")}
    assert MomentumSignal(["SPY"]).signals(history) == MomentumSignal(["SPY"]).signals(closes)


def test_a_signal_is_a_node_that_follows_its_data():
    graph = DependencyGraph()
    closes = graph.register(Leaf("A:CLOSES", np.array(RISING), "any"))
    node = MomentumSignal(["A"], lookback=20).node(graph, "MOMENTUM", {"A": closes})
    assert [each.side for each in node.value] == [Side.BUY]
    closes.set(np.array(RISING[::-1]))
    assert [each.side for each in node.value] == [Side.SELL]


def test_from_signal_to_audited_fill_as_the_reference_writes_it():
    market_data = {"AAPL": RISING, "MSFT": RISING[::-1], "NVDA": [100.0] * 40}
    engine = TradingEngine(
        execution=ExecutionModel(slippage_bps=2.0),
        limits=PositionLimits(max_position=1e6, max_concentration=0.4, book_value=1e7),
    )
    orders = MomentumSignal(tickers=["AAPL", "MSFT", "NVDA"], lookback=20).generate(market_data)
    fills = [engine.submit(order) for order in orders]
    assert all(isinstance(fill, Fill) for fill in fills)
    assert engine.positions == {"AAPL": 100.0, "MSFT": -100.0}
    assert fills[0].price == pytest.approx(139.0 * 1.0002)
    assert [event.why for event in engine.audit if event.event_type == "FILL"] == [order.reason for order in orders]


def test_bad_data_and_settings_are_named():
    with pytest.raises(TradingError, match="the last close of A is nan"):
        MomentumSignal(["A"]).generate({"A": [*RISING, np.nan]})
    with pytest.raises(TradingError, match="the closes of A are no row of numbers"):
        MomentumSignal(["A"]).generate({"A": "rising"})
    with pytest.raises(TradingError, match="int is no market data"):
        MomentumSignal(["A"]).generate(3)
    with pytest.raises(TradingError, match="has no column ticker"):
        MomentumSignal(["A"]).generate(Table.from_rows([("close", float)], [{"close": 1.0}]))
    with pytest.raises(TradingError, match="tickers='AAPL' is not a list"):
        MomentumSignal("AAPL")
    with pytest.raises(TradingError, match="lookback=10 is not a whole number of at least 11"):
        MomentumSignal(["A"], lookback=10, short_window=10)
    with pytest.raises(TradingError, match="has 3 names; give two"):
        StatArbSignal([("A", "B", "C")])
    with pytest.raises(TradingError, match=r"z_threshold=0\.0"):
        StatArbSignal([("A", "B")], z_threshold=0.0)
    with pytest.raises(TradingError, match="did you mean 'garch'"):
        VolArbSignal(["A"], forecast="grch")
    with pytest.raises(TradingError, match=r"A_VOL is 26\.0; give a decimal"):
        VolArbSignal(["A"], 2).generate({"A": [1.0, 1.1, 1.0], "A_VOL": [26.0]})
    with pytest.raises(TradingError, match=r"SOFR is 5\.2; give a decimal"):
        MacroSignal().generate({"SOFR": [5.2]})

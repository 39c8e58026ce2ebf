"""Signals on single assets and cross-sections: trend, carry, reversal, and a portfolio at a target volatility."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq

from bank_python.dagger import DependencyGraph, Leaf
from bank_python.errors import TradingError
from bank_python.trading_engine import (
    CarryTradeSignal,
    ContrarianSignal,
    MultiAssetSignal,
    Side,
    TechMomentumSignal,
)

RNG = np.random.default_rng(12)
TREND = pd.Series(100.0 * np.exp(np.cumsum(0.004 + 0.01 * RNG.standard_normal(200))))
TREND.iloc[-1] = TREND.iloc[-21:].max() * 1.001
RATES = {"AUD": 0.0435, "USD": 0.0285, "JPY": 0.0025}


def walk(seed, count=130, vol=0.01, start=100.0):
    return start * np.exp(np.cumsum(vol * np.random.default_rng(seed).standard_normal(count)))


# --- tech momentum --------------------------------------------------------------------------------


def test_a_trend_strong_for_its_volatility_that_breaks_out_is_bought():
    logs = np.log(TREND)
    vol = np.sqrt((logs.diff().iloc[-60:] ** 2).mean())
    score = (logs.iloc[-1] - logs.iloc[-121]) / (vol * np.sqrt(120))
    assert score > 1.0
    (signal,) = TechMomentumSignal(["A"]).signals({"A": TREND})
    assert (signal.side, signal.price) == (Side.BUY, TREND.iloc[-1])
    assert signal.strength == pytest.approx(min(score / 3.0, 1.0))
    assert signal.quantity == round(100.0 * min(0.40 / (vol * np.sqrt(252.0)), 3.0))
    (larger,) = TechMomentumSignal(["A"], order_value=1e6, target_vol=0.01).signals({"A": TREND})
    assert larger.quantity == round(round(1e6 / TREND.iloc[-1]) * 0.01 / (vol * np.sqrt(252.0)))


def test_a_trend_without_breakout_or_downwards_is_not_bought():
    below = TREND.copy()
    below.iloc[-1] = TREND.iloc[-21:-1].max()
    assert TechMomentumSignal(["A"]).signals({"A": below}) == ()
    assert TechMomentumSignal(["A"]).signals({"A": TREND[::-1]}) == ()
    assert TechMomentumSignal(["A"]).signals({"A": [5.0] * 200}) == ()
    assert TechMomentumSignal(["A"], threshold=50.0).signals({"A": TREND}) == ()


def test_what_is_held_is_sold_once_the_trend_has_turned():
    falling = TREND.to_numpy()[::-1]
    (signal,) = TechMomentumSignal(["A"]).signals({"A": falling, "A_UNITS": [1e6]})
    assert signal.side is Side.SELL
    assert 100.0 <= signal.quantity <= 300.0
    assert signal.reason.startswith("exit: return -")
    (rest,) = TechMomentumSignal(["A"]).signals({"A": falling, "A_UNITS": [7.0]})
    assert rest.quantity == 7.0
    assert TechMomentumSignal(["A"]).signals({"A": falling, "A_UNITS": [-7.0]}) == ()


# --- contrarian -----------------------------------------------------------------------------------


def test_weights_are_those_of_lo_and_mackinlay():
    prices = pd.DataFrame({name: walk(i) for i, name in enumerate("ABCDE")})
    returns = prices.iloc[-1] / prices.iloc[-6] - 1.0
    printed = -(returns - returns.mean()) / len(returns)
    expected = printed / (printed.abs().sum() / 2.0)
    assert ContrarianSignal(list("ABCDE")).weights(prices) == pytest.approx(expected.to_dict())


@given(arrays(float, (20, 4), elements=st.floats(1.0, 100.0)))
def test_weights_add_up_to_zero_and_the_positive_ones_to_one(prices):
    rule = ContrarianSignal(list("ABCD"))
    weights = rule.weights(dict(zip("ABCD", prices.T, strict=True)))
    assert sum(weights.values()) == pytest.approx(0.0, abs=1e-9)
    positive = sum(weight for weight in weights.values() if weight > 0.0)
    assert positive == pytest.approx(1.0) or not any(weights.values())
    for signal in rule.signals(dict(zip("ABCD", prices.T, strict=True))):
        assert signal.side.sign * weights[signal.instrument] > 0.0


def test_losers_that_are_oversold_are_bought_and_winners_that_are_overbought_sold():
    falling, rising = [100.0 - i for i in range(20)], [100.0 + i for i in range(20)]
    flat = [100.0, 101.0] * 10
    data = {"L": falling, "W": rising, "F": flat, "G": flat}
    sold, bought = ContrarianSignal(["W", "L", "F", "G"], capital=10_000.0).signals(data)
    assert (sold.instrument, sold.side, bought.instrument, bought.side) == ("W", Side.SELL, "L", Side.BUY)
    assert "RSI 0, oversold" in bought.reason  # nothing has risen
    assert "RSI 100, overbought" in sold.reason
    returns = np.array([119.0 / 114.0, 81.0 / 86.0, 101.0 / 100.0, 101.0 / 100.0]) - 1.0
    distances = returns - returns.mean()
    assert bought.quantity == round(-distances[1] / (np.abs(distances).sum() / 2.0) * 10_000.0 / 81.0)
    assert ContrarianSignal(["L", "F"], oversold=0.0, overbought=100.0).signals(data) == ()
    assert ContrarianSignal(["L"]).signals(data) == ()


# --- carry ----------------------------------------------------------------------------------------


def test_carry_over_volatility_decides():
    closes = {"AUDUSD": walk(1, vol=0.006, start=0.66), "USDJPY": walk(2, vol=0.006, start=150.0)}
    rule = CarryTradeSignal(["AUDUSD", "USDJPY"], rates=RATES)
    found = rule.signals(closes)
    assert [(each.instrument, each.side, each.quantity) for each in found] == [
        ("AUDUSD", Side.BUY, 100_000.0),
        ("USDJPY", Side.BUY, 100_000.0),
    ]
    moves = pd.Series(np.log(closes["AUDUSD"])).diff().iloc[-60:]
    ratio = (0.0435 - 0.0285) / np.sqrt(252.0 * (moves**2).mean())
    assert found[0].strength == pytest.approx(min(ratio / 0.3, 1.0))
    assert found[0].reason.endswith(f"is {ratio:+.2f}")
    (sold,) = rule.signals({"AUDUSD": closes["AUDUSD"], "AUD_RATE": [0.03, 0.01]})  # a series goes before
    assert sold.side is Side.SELL
    assert CarryTradeSignal(["AUDUSD"], rates=RATES, threshold=1.0).signals(closes) == ()


def test_rates_that_are_not_given_are_read_and_missed_by_name():
    rule = CarryTradeSignal(["AUDUSD", "AUDNZD"], rates={"AUD": 0.04, "USD": 0.03})
    assert rule.inputs == ("AUDUSD", "AUDNZD", "NZD_RATE")
    assert rule.optional_inputs == ("AUD_RATE", "USD_RATE")
    closes = {"AUDUSD": walk(1), "AUDNZD": walk(2)}
    report = rule.examine(closes)
    assert [(each.ticker, each.waits) for each in report.problems] == [("NZD_RATE", True)]
    assert [each.ticker for each in rule.examine({**closes, "NZD_RATE": [4.5]}).faults] == ["NZD_RATE"]


def test_a_bond_carries_and_rolls_down_the_curve():
    """The roll-down against the price of the par bond of nine years, whose yield falls to that of the curve."""
    count = 61
    curve = {"SOFR": np.full(count, 0.03), "UST2Y": np.full(count, 0.035), "UST10Y": np.full(count, 0.051)}
    curve["UST10Y"][-2::-2] += 0.0005
    rule = CarryTradeSignal([], bonds={"NOTE": (10.0, 0.05)}, threshold=0.01)
    (signal,) = rule.signals(curve)
    nine = 0.035 + 7.0 / 8.0 * 0.016
    slope = (par_bond(9.0, nine, nine + 1e-6) - par_bond(9.0, nine, nine - 1e-6)) / 2e-6
    roll = -slope * (0.051 - nine)
    duration = -(par_bond(10.0, 0.051, 0.051 + 1e-6) - par_bond(10.0, 0.051, 0.051 - 1e-6)) / 2e-6
    vol = duration * np.sqrt(252.0) * 0.0005
    assert signal.reason.startswith(f"carry +2.10% and roll-down {roll:+.2%} a year of 10 years at 5.10%")
    assert signal.reason.endswith(f"over a volatility of {vol:.1%} is {(0.021 + roll) / vol:+.2f}")
    assert (signal.instrument, signal.side, signal.quantity) == ("NOTE", Side.BUY, 1_000.0)
    assert brentq(lambda y: 100.0 * par_bond(10.0, 0.05, y) - signal.price, 0.01, 0.1) == pytest.approx(0.051)
    inverted = {**curve, "SOFR": np.full(count, 0.09)}
    assert [each.side for each in rule.signals(inverted)] == [Side.SELL]
    assert rule.inputs == ("SOFR", "UST2Y", "UST10Y")


def par_bond(years, coupon, rate):
    """Return the price of a bond of face 1 that pays twice a year, flow by flow."""
    times = np.arange(0.5, years + 0.25, 0.5)
    discount = (1.0 + rate / 2.0) ** (-2.0 * times)
    return float((coupon / 2.0 * discount).sum() + discount[-1])


# --- multi-asset ----------------------------------------------------------------------------------


def portfolio(count=200):
    rng = np.random.default_rng(5)
    common = rng.standard_normal(count)
    vols = {"A": 0.005, "B": 0.01, "C": 0.02}
    moves = {name: vol * (0.5 * common + rng.standard_normal(count)) for name, vol in vols.items()}
    return pd.DataFrame({name: 100.0 * np.exp(np.cumsum(0.002 + move)) for name, move in moves.items()})


def test_targets_are_inverse_volatility_weights_at_the_target_volatility():
    prices = portfolio()
    rule = MultiAssetSignal(["A", "B", "C"], capital=1e6, target_vol=0.08, trend_window=None)
    targets = pd.Series(rule.targets(prices))
    returns = np.log(prices).diff().iloc[-60:]
    inverse = 1.0 / returns.std()
    assert (targets / targets.sum()).to_dict() == pytest.approx((inverse / inverse.sum()).to_dict())
    weights = targets / 1e6
    assert np.sqrt(252.0 * weights @ returns.cov() @ weights) == pytest.approx(0.08)
    capped = MultiAssetSignal(["A", "B", "C"], capital=1e6, target_vol=5.0, trend_window=None, max_leverage=1.5)
    assert sum(capped.targets(prices).values()) == pytest.approx(1.5e6)


def test_what_does_not_trend_upwards_is_held_in_cash():
    prices = portfolio()
    prices["B"] = prices["B"].to_numpy()[::-1]
    with_filter = MultiAssetSignal(["A", "B", "C"], target_vol=5.0, max_leverage=1.0).targets(prices)
    without = MultiAssetSignal(["A", "B", "C"], target_vol=5.0, max_leverage=1.0, trend_window=None).targets(prices)
    assert with_filter == {**without, "B": 0.0}


def test_orders_are_differences_outside_the_band():
    prices = portfolio()
    rule = MultiAssetSignal(["A", "B", "C"], trend_window=None, band=0.01)
    last, targets = prices.iloc[-1], rule.targets(prices)
    units = {f"{name}_UNITS": [targets[name] / last[name]] for name in "ABC"}
    columns = {name: prices[name].to_numpy() for name in "ABC"}
    assert rule.signals({**columns, **units}) == ()
    nearly = {**units, "A_UNITS": [(targets["A"] - 9_900.0) / last["A"]]}
    assert rule.signals({**columns, **nearly}) == ()
    outside = {**units, "A_UNITS": [(targets["A"] - 10_200.0) / last["A"]], "B_UNITS": [targets["B"] / last["B"] + 1e4]}
    bought, sold = rule.signals({**columns, **outside})
    assert (bought.side, bought.quantity) == (Side.BUY, round(10_200.0 / last["A"]))
    assert bought.strength == pytest.approx(10_200.0 / 30_000.0)
    assert (sold.instrument, sold.side, sold.quantity, sold.strength) == ("B", Side.SELL, 10_000.0, 1.0)
    step = MultiAssetSignal(["A", "B", "C"], trend_window=None, max_order=5e4).signals(prices)
    assert [each.quantity for each in step] == [round(5e4 / last[each.instrument]) for each in step]
    assert MultiAssetSignal(["X"], trend_window=None).signals({"X": [5.0] * 70}) == ()


def test_an_asset_with_a_fault_leaves_the_others_their_orders():
    prices = portfolio()
    prices.loc[150, "C"] = np.nan
    rule = MultiAssetSignal(["A", "B", "C"], trend_window=None)
    report = rule.examine(prices)
    assert [each.instrument for each in report.signals] == ["A", "B"]
    assert [str(each) for each in report.problems] == [
        "the close of C 49 before the last is nan; signals need a price above 0"
    ]
    assert rule.targets(prices) == MultiAssetSignal(["A", "B"], trend_window=None).targets(prices)


def test_a_rule_is_a_node_that_follows_ticks():
    graph, closes = DependencyGraph(), walk(1, vol=0.006, start=0.66)
    history = graph.register(Leaf("AUDUSD:CLOSES", closes, "any"))
    rate = graph.register(Leaf("AUD:RATE", np.array([0.0435]), "any"))
    node = CarryTradeSignal(["AUDUSD"], rates=RATES).node(graph, "CARRY", {"AUDUSD": history, "AUD_RATE": rate})
    assert [(each.side, each.price) for each in node.value] == [(Side.BUY, closes[-1])]
    rate.set(np.array([0.01]))
    assert [each.side for each in node.value] == [Side.SELL]
    history.set(np.array([*closes[1:], closes[-1] * 1.001]))
    assert [each.price for each in node.value] == [closes[-1] * 1.001]
    history.set(np.array([*closes[1:], np.nan]))
    assert node.value == ()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TechMomentumSignal(["A"], vol_window=1), "vol_window=1 is not a whole number of at least 2"),
        (lambda: TechMomentumSignal(["A"], target_vol=0.0), r"target_vol=0\.0"),
        (lambda: ContrarianSignal(["A"], oversold=80.0), "oversold=80.0 and overbought=70.0 are not in this order"),
        (lambda: CarryTradeSignal(["EUR/USD"]), "'EUR/USD' is no pair of currencies; give six letters"),
        (lambda: CarryTradeSignal([], rates={"USD": 4.3}), r"the rate of USD is 4\.3; give a decimal"),
        (lambda: CarryTradeSignal([], bonds={"N": (10.0,)}), r"give maturity and coupon"),
        (lambda: CarryTradeSignal([], bonds={"N": (1.0, 0.04)}), "give more than one year"),
        (lambda: CarryTradeSignal([], bonds={"N": (10.0, 4.0)}), "a decimal of at least 0"),
        (lambda: MultiAssetSignal(["A"], band=-0.1), r"band=-0\.1 is below 0"),
    ],
)
def test_settings_out_of_range_are_refused(make, said):
    with pytest.raises(TradingError, match=said):
        make()


def test_steady_growth_has_no_volatility_to_divide_by():
    steady = {"A": 100.0 * 1.001 ** np.arange(200), "B": 50.0 * 1.001 ** np.arange(200)}
    assert MultiAssetSignal(["A", "B"]).signals(steady) == ()
    assert ContrarianSignal(["A", "B"], oversold=100.0, overbought=100.0).signals(steady) == ()
    assert ContrarianSignal(["A", "B"]).weights(steady) == {"A": 0.0, "B": 0.0}

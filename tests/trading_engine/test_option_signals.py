"""Signals of books of options: hedging in a band, straddles before events; and what holds for every rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import TradingError
from bank_python.trading_engine import (
    CarryTradeSignal,
    ContrarianSignal,
    CreditArbSignal,
    EventDrivenSignal,
    GammaScalpSignal,
    IndexArbSignal,
    MultiAssetSignal,
    PairsTradeSignal,
    Side,
    TechMomentumSignal,
    VolSpreadSignal,
)

# --- gamma scalping -------------------------------------------------------------------------------


def book(delta, price=100.0, gamma=50.0):
    return {"A": [price], "A_DELTA": [delta], "A_GAMMA": [gamma]}


def test_the_band_is_that_of_whalley_and_wilmott():
    rule = GammaScalpSignal(["A"], cost=0.002, risk_aversion=0.01, discount=0.98)
    printed = np.cbrt(3.0 * 0.98 * 0.002 * 100.0 * 50.0**2 / (2.0 * 0.01))
    assert rule.half_width(100.0, 50.0) == pytest.approx(printed, rel=1e-12)
    assert rule.half_width(100.0, -50.0) == rule.half_width(100.0, 50.0)
    # 1.5 x 0.001 x 8 x 100 / 0.0012 = 1000, whose cube root is 10
    assert GammaScalpSignal(["A"], cost=0.001, risk_aversion=0.0012).half_width(8.0, 10.0) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("to", "delta", "side", "quantity"),
    [("edge", 130.0, Side.SELL, 30.0), ("edge", -130.0, Side.BUY, 30.0), ("zero", 130.0, Side.SELL, 130.0)],
)
def test_a_delta_outside_the_band_is_hedged_to_its_edge_or_to_zero(to, delta, side, quantity):
    rule = GammaScalpSignal(["A"], band=100.0, to=to)
    (signal,) = rule.signals(book(delta))
    assert (signal.instrument, signal.side, signal.quantity, signal.price) == ("A", side, quantity, 100.0)
    assert signal.strength == pytest.approx(0.3 + 0.7 * 0.3)
    assert rule.signals(book(99.0)) == ()
    assert rule.inputs == ("A", "A_DELTA")


@given(st.floats(-1e5, 1e5), st.floats(-500.0, 500.0), st.floats(1.0, 1_000.0))
def test_after_the_trade_the_delta_is_in_the_band(delta, gamma, price):
    rule = GammaScalpSignal(["A"], lot=0.001)
    for signal in rule.signals(book(delta, price, gamma)):
        after = delta + signal.side.sign * signal.quantity
        assert abs(after) <= rule.half_width(price, gamma) + 0.001
        assert signal.strength >= 0.3


def test_without_gamma_there_is_no_band_and_lots_are_whole():
    (signal,) = GammaScalpSignal(["A"]).signals(book(12.4, gamma=0.0))
    assert (signal.quantity, signal.strength) == (12.0, 1.0)
    assert GammaScalpSignal(["A"]).signals(book(0.4, gamma=0.0)) == ()
    assert GammaScalpSignal(["A"]).signals(book(0.0, gamma=0.0)) == ()
    report = GammaScalpSignal(["A", "B"]).examine({**book(1e5), "B": [1.0], "B_DELTA": [np.inf]})
    assert (len(report.signals), [each.ticker for each in report.problems]) == (1, ["B_DELTA"])


# --- events ---------------------------------------------------------------------------------------


def before(days, implied, count=40):
    closes = 200.0 * np.exp(np.cumsum(np.tile([0.015, -0.015], count // 2)))
    return {"A": closes, "A_VOL": [implied], "A_EVENT": [days]}


def move_of(implied):
    """Return the implied move: total variance of 30 days less that of the ordinary ones, one day of 252 left out."""
    ordinary = 0.015**2 * 252.0 * (30.0 / 365.0 - 1.0 / 252.0)
    return np.sqrt(2.0 / np.pi * (implied**2 * 30.0 / 365.0 - ordinary))


@pytest.mark.parametrize(("past", "side"), [([0.05, -0.05], Side.SELL), ([0.2, -0.3, 0.25], Side.BUY)])
def test_a_straddle_is_traded_if_it_implies_another_move_than_the_past_ones(past, side):
    (signal,) = EventDrivenSignal({"A": past}).signals(before(3.0, 0.5))
    mean, move = np.mean(np.abs(past)), move_of(0.5)
    assert (signal.instrument, signal.side) == ("A_30D_STRADDLE", side)
    assert signal.reason == (
        f"event in 3 days: implied move {move:.1%} against {mean:.1%}, the mean of {len(past)} past events"
    )
    assert signal.strength == pytest.approx(min(abs(move / mean - 1.0) / 0.75, 1.0))
    root = 0.5 * np.sqrt(30.0 / 365.0)
    assert signal.price == pytest.approx(np.sqrt(2.0 / np.pi) * before(3.0, 0.5)["A"][-1] * root, rel=2e-3)


def test_straddles_without_event_ahead_or_at_the_past_move_are_left():
    fair = {"A": [move_of(0.5)]}
    assert EventDrivenSignal(fair).signals(before(3.0, 0.5)) == ()
    for days in (-1.0, 6.0):
        assert EventDrivenSignal({"A": [0.01]}).signals(before(days, 0.5)) == ()
    (cheap,) = EventDrivenSignal({"A": [0.01]}).signals(before(0.0, 0.1))  # less than ordinary days would have
    assert (cheap.side, cheap.strength) == (Side.BUY, 1.0)
    assert EventDrivenSignal({"A": [0.1]}).inputs == ("A", "A_VOL", "A_EVENT")


# --- every rule -----------------------------------------------------------------------------------

RULES = [
    TechMomentumSignal(["A", "B"], 60, threshold=0.01, breakout_window=1),
    CreditArbSignal([("S", "T")], z_threshold=0.01),
    GammaScalpSignal(["A", "B"], band=1.0),
    PairsTradeSignal([("A", "B")], 40, entry=0.01),
    CarryTradeSignal(["AAABBB"], rates={"AAA": 0.05, "BBB": 0.01}),
    ContrarianSignal(["A", "B"], oversold=50.0, overbought=50.0),
    IndexArbSignal({"A": {"B": 1.0}}, z_threshold=0.01),
    VolSpreadSignal([("A_VOL", "B_VOL")], z_threshold=0.01),
    EventDrivenSignal({"A": [0.001], "B": [0.001]}),
    MultiAssetSignal(["A", "B"], trend_window=None),
]


@pytest.fixture(scope="module")
def market():
    rng = np.random.default_rng(6)
    count = 200
    walks = {name: 50.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(count))) for name in ("A", "B", "AAABBB")}
    walks["A"][99], walks["B"][99] = walks["A"][38:99].max() * 1.05, walks["B"][98] * 0.9
    common = np.cumsum(0.02 * rng.standard_normal(count))
    spreads = {name: 0.02 * np.exp(common + 0.02 * rng.standard_normal(count)) for name in "ST"}
    vols = {f"{name}_VOL": 0.4 * np.exp(0.02 * rng.standard_normal(count)) for name in "AB"}
    figures = {f"{name}_DELTA": np.full(count, 30.0) for name in "AB"}
    return {**walks, **spreads, **vols, **figures, **{f"{name}_EVENT": np.full(count, 2.0) for name in "AB"}}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.strategy)
def test_the_future_does_not_matter_and_nothing_is_changed(rule, market):
    past = {name: values[:100].copy() for name, values in market.items()}
    poisoned = {name: np.concatenate([values[:100], np.full(100, np.nan)])[:100] for name, values in market.items()}
    assert rule.signals(past)
    assert rule.signals(past) == rule.signals(poisoned)
    assert all((past[name] == market[name][:100]).all() for name in market)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.strategy)
def test_too_little_data_gives_an_empty_list_and_says_what_is_missing(rule):
    assert rule.generate({}) == []
    report = rule.examine({name: [] for name in rule.inputs})
    assert report.signals == ()
    assert report.problems
    assert all(each.waits for each in report.problems)
    assert {each.ticker for each in report.problems} <= {*rule.inputs}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.strategy)
def test_only_the_named_series_are_read_and_each_fault_is_named(rule, market):
    data = {name: values[:100] for name, values in market.items()}
    named = {name: data[name] for name in (*rule.inputs, *rule.optional_inputs) if name in data}
    assert rule.signals(named) == rule.signals(data)
    for name in rule.inputs:
        report = rule.examine({**named, name: np.append(named[name][:-1], np.nan)})
        assert [each.ticker for each in report.faults] == [name]
        assert all(np.isfinite(each.quantity) and each.quantity > 0.0 for each in report.signals)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: GammaScalpSignal(["A"], band=0.0), r"band=0\.0 is not a finite number above 0"),
        (lambda: GammaScalpSignal(["A"], discount=1.1), r"discount=1\.1 is outside \(0, 1\]"),
        (lambda: GammaScalpSignal(["A"], to="zer"), "no target 'zer'; did you mean 'zero'"),
        (lambda: EventDrivenSignal({"A": []}), "the past moves of A are"),
        (lambda: EventDrivenSignal({"A": [0.0]}), "the past moves of A are"),
        (lambda: EventDrivenSignal({"A": [np.nan]}), "the past moves of A are"),
        (lambda: EventDrivenSignal({"A": [0.1]}, 30), "days_before=30 is not below 30"),
    ],
)
def test_settings_out_of_range_are_refused(make, said):
    with pytest.raises(TradingError, match=said):
        make()

"""Greeks and implied volatility of contracts: closed forms, finite differences, scenarios."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph, Source, Term
from bank_python.errors import BankError, InstrumentError, NotQuotedError
from bank_python.instruments import (
    AmericanOption,
    BarrierOption,
    Bond,
    ContractGreeks,
    CreditDefaultSwap,
    DigitalOption,
    Equity,
    FloatingBond,
    ForwardOption,
    FXForward,
    FXOption,
    FXRate,
    Instrument,
    InterestRateSwap,
    Option,
    PerpetualFuture,
    Position,
    PowerLawOption,
    VolSurface,
)
from bank_python.market_data import Clock, MarketData
from bank_python.risk_models import Greeks, black_scholes_greeks

OPTION = {"strike": 105.0, "expiry": 0.75}
MARKET = {"spot": 100.0, "vol": 0.25, "rate": 0.04, "dividend": 0.02}
RATES = {"rate": 0.04, "foreign_rate": 0.02}

CONTRACTS = [
    (Option, MARKET, OPTION),
    (Option, MARKET, {**OPTION, "is_call": False}),
    (AmericanOption, MARKET, {**OPTION, "is_call": False}),
    (DigitalOption, MARKET, {**OPTION, "cash": 10.0}),
    (DigitalOption, MARKET, {**OPTION, "pays_asset": True}),
    (BarrierOption, MARKET, {**OPTION, "barrier": 80.0, "is_up": False}),
    (ForwardOption, {"forward": 100.0, "vol": 0.25, "rate": 0.04}, OPTION),
    (FXForward, {"spot": 1.1, **RATES}, {"strike": 1.12, "expiry": 0.5}),
    (FXOption, {"spot": 1.1, "vol": 0.1, **RATES}, {"strike": 1.12, "expiry": 0.5}),
    (FXRate, {"rate": 1.1}, {"base": "EUR", "quote": "USD"}),
    (Equity, {"spot": 100.0}, {}),
    (Bond, {"rate": 0.05}, {"face": 100.0, "coupon_rate": 0.06, "maturity": 5.0}),
    (FloatingBond, {"rate": 0.05}, {"face": 100.0, "maturity": 5.0, "margin": 0.01}),
    (InterestRateSwap, {"rate": 0.05}, {"notional": 1e4, "fixed_rate": 0.04, "maturity": 5.0}),
    (CreditDefaultSwap, {"spread": 0.012, "rate": 0.03}, {"notional": 1e4, "maturity": 5.0}),
    (PerpetualFuture, {"mark": 100.0}, {"entry_price": 90.0}),
    (PowerLawOption, {"spot": 100.0, "anchor": 4.0}, {"anchor_strike": 110.0, "strike": 120.0, "alpha": 3.0}),
]
BY = {
    "delta": ("spot", "forward", "mark"),
    "vega": ("vol", "anchor"),
    "rho": ("rate",),
    "dividend_rho": ("dividend", "foreign_rate"),
    "credit": ("spread",),
}


def build(kind, market, terms):
    graph = DependencyGraph()
    leaves = {name: graph.register(MarketData(name.upper(), value)) for name, value in market.items()}
    sources = {f"{name}_source": leaf for name, leaf in leaves.items()}
    return graph, leaves, graph.register(kind("CONTRACT", **sources, **terms))


def slope(graph, contract, leaf, h):
    # Fourth-order differences of values in scenarios of the graph.
    total = 0.0
    for k, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
        with graph.scenario({leaf: leaf.price + k * h}):
            total += weight * contract.value
    return total / (12.0 * h)


@pytest.mark.parametrize(("kind", "market", "terms"), CONTRACTS, ids=lambda item: getattr(item, "__name__", ""))
def test_greeks_are_differences_of_the_value(kind, market, terms):
    graph, leaves, contract = build(kind, market, terms)
    greeks = contract.greeks()
    scale = max(abs(value) for value in greeks.to_dict().values())
    assert greeks.price == contract.value
    seen = set()
    for greek, names in BY.items():
        named = ["rate"] if kind is FXRate and greek == "delta" else [name for name in names if name in leaves]
        named = [] if kind is FXRate and greek == "rho" else named
        seen.update(named)
        expected = sum(slope(graph, contract, leaves[name], 1e-3 * leaves[name].price) for name in named)
        # The tree of an American option has kinks where a node crosses the exercise boundary.
        rel = 2e-2 if kind is AmericanOption else 2e-5
        assert getattr(greeks, greek) == pytest.approx(expected, rel=rel, abs=1e-6 * scale), greek
    assert seen == set(leaves)


@pytest.mark.parametrize("is_call", [True, False])
def test_an_options_greeks_are_the_closed_forms(is_call):
    option = Option("O", **{f"{name}_source": value for name, value in MARKET.items()}, **OPTION, is_call=is_call)
    expected = black_scholes_greeks(100.0, 105.0, 0.75, 0.04, 0.25, 0.02, is_call)
    greeks = option.greeks()
    for name in Greeks.__dataclass_fields__:
        assert getattr(greeks, name) == pytest.approx(getattr(expected, name), rel=1e-14), name
    assert (option.delta, option.gamma, option.vega) == (greeks.delta, greeks.gamma, greeks.vega)
    assert (option.theta, option.rho) == (greeks.theta, greeks.rho)
    assert greeks.to_dict()["credit"] == 0.0


@pytest.mark.parametrize(
    ("kind", "market", "terms"),
    [case for case in CONTRACTS if case[0] in {FXOption, ForwardOption}],
    ids=["forward", "fx"],
)
def test_second_derivatives_and_decay_by_differences(kind, market, terms):
    graph, leaves, contract = build(kind, market, terms)
    spot, greeks, h = leaves.get("spot", leaves.get("forward")), contract.greeks(), 1e-3
    deltas = []
    for k in (-1, 1):
        with graph.scenario({spot: spot.price * (1 + k * h)}):
            deltas.append(contract.delta)
    assert greeks.gamma == pytest.approx((deltas[1] - deltas[0]) / (2 * h * spot.price), rel=1e-4)
    older = kind("OLDER", **{f"{name}_source": value for name, value in market.items()}, **terms, clock_source=0.0)
    later = dict(zip(older.argument_names, older.arguments(lambda node: node.value), strict=True))
    day = 1.0 / 365.0
    rows = [np.array([later[name] + (day if name == "clock" else 0.0)]) for name in older.argument_names]
    assert (type(older).call_price(rows)[0] - older.value) / day == pytest.approx(greeks.theta, rel=5e-3)


def test_in_a_graph_greeks_follow_ticks_and_scenarios():
    graph, leaves, option = build(Option, MARKET, OPTION)
    before = option.delta
    with graph.scenario({leaves["spot"]: 130.0}):
        inside = option.delta
        assert option.greeks().price == option.value
    assert option.delta == before
    leaves["spot"].set_price(130.0)
    assert option.delta == inside == pytest.approx(black_scholes_greeks(130.0, 105.0, 0.75, 0.04, 0.25, 0.02).delta)


def test_a_position_has_its_instruments_greeks_times_its_quantity():
    _, _, option = build(Option, MARKET, OPTION)
    held = Position("P", instrument=option, quantity=-3, multiplier=100.0)
    assert held.delta == -300.0 * option.delta
    assert held.greeks().price == pytest.approx(held.value)
    leaf = MarketData("X", 3.0)
    with pytest.raises(InstrumentError, match="not an instrument"):
        Position("Q", instrument=leaf, quantity=1).greeks()


def test_greeks_of_a_contract_without_a_value_raise_its_error():
    option = Option("O", spot_source=MarketData("S", domain="positive"), vol_source=0.2, rate_source=0.0, **OPTION)
    with pytest.raises(BankError) as caught:
        _ = option.delta
    assert "S" in str(caught.value)
    assert isinstance(caught.value, NotQuotedError | BankError)


@pytest.mark.parametrize(
    ("kind", "market", "terms"),
    [case for case in CONTRACTS if hasattr(case[0], "implied_vol")],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_implied_volatility_gives_the_price_back(kind, market, terms):
    graph, leaves, contract = build(kind, market, terms)
    with graph.scenario({leaves["vol"]: 0.37}):
        price = contract.value
    found = contract.implied_vol(price)
    assert found == pytest.approx(0.37, rel=1e-9)
    with graph.scenario({leaves["vol"]: found}):
        assert contract.value == pytest.approx(price, rel=1e-9)


@pytest.mark.parametrize("kind", [Option, AmericanOption])
@pytest.mark.parametrize("price", [-1.0, 1e6])
def test_a_price_that_no_volatility_gives_is_refused(kind, price):
    contract = kind("O", spot_source=100.0, vol_source=0.2, rate_source=0.0, **OPTION)
    with pytest.raises(InstrumentError, match="O: no volatility gives the price"):
        contract.implied_vol(price)
    with pytest.raises(InstrumentError, match="price='x'"):
        contract.implied_vol("x")


def test_vega_is_by_the_volatility_that_a_surface_gives():
    quotes = {(strike, 1.0): 0.2 + (100.0 - strike) * 1e-3 for strike in (80.0, 90.0, 100.0, 110.0, 120.0)}
    surface = VolSurface("VS", spot_source=100.0, quotes=quotes)
    option = Option("O", spot_source=100.0, vol_source=surface, rate_source=0.0, strike=110.0, expiry=1.0)
    vol = option.implied_vol(option.value)
    assert option.vega == pytest.approx(black_scholes_greeks(100.0, 110.0, 1.0, 0.0, vol).vega, rel=1e-9)


def test_a_closed_form_under_its_old_name_still_works_and_warns():
    with pytest.warns(DeprecationWarning, match="the static method Old.greeks is now called price_and_greeks"):

        class Old(Instrument):
            spot = Source("price")
            strike = Term("strike")

            @staticmethod
            def price(spot, strike):
                return spot - strike

            @staticmethod
            def greeks(spot, strike):
                zero = 0.0 * spot
                rest = dict.fromkeys(Greeks.__dataclass_fields__, zero)
                return Greeks(**{**rest, "price": spot - strike, "delta": zero + 7.0})

    assert isinstance(Old("O", spot_source=3.0, strike=1.0).greeks(), ContractGreeks)
    assert Old("O", spot_source=3.0, strike=1.0).delta == 7.0


def test_dir_shows_what_is_for_users():
    graph, _, option = build(Option, MARKET, OPTION)
    shown = {name for name in dir(option) if not name.startswith("__")}
    assert {"value", "delta", "greeks", "implied_vol", "amend", "strike", "spot", "currency", "terms"} <= shown
    position = Position("P", instrument=option, quantity=1)
    for thing in (option, graph, position, graph.node("SPOT")):
        names = [name for name in dir(thing) if not name.startswith("__")]
        assert not [name for name in names if name.startswith("_") or name.endswith("_")], thing
    assert not shown & {"bindings", "call_price", "declared", "record_tag", "price_and_greeks"}
    assert "bindings" in dir(Option)
    assert math.isfinite(option.value)


@pytest.mark.parametrize("hours", [30.0, 3.0, 1.9, 1.0, 0.01, 0.0, -0.01, -1.0])
def test_theta_of_a_bond_does_not_see_the_coupon_that_is_due(hours):
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 2))
    bond = Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5, frequency=2, clock_source=clock)
    clock.set(0.5 - hours / (365.0 * 24.0))
    # off a flat yield y, compounded m times a year, the dirty price grows by m log(1 + y/m)
    assert bond.greeks().theta == pytest.approx(2.0 * math.log(1.025) * bond.value, rel=1e-6)

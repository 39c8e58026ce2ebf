"""Bonds, floating notes and swaps as contracts: curves, clocks, analytics, storage, bad terms."""

from __future__ import annotations

import datetime as dt

import pytest

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph
from bank_python.errors import InstrumentError, ValuationError
from bank_python.instruments import Bond, DiscountCurve
from bank_python.instruments.floating_bond import FloatingBond
from bank_python.instruments.swap import InterestRateSwap
from bank_python.market_data import Clock, MarketData
from bank_python.risk_models import bond_price
from bank_python.risk_models.curve_bonds import (
    bond_value_on_curve,
    curve_annuity,
    par_fixing,
    par_swap_rate,
    swap_value_on_curve,
)


def market():
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 2))
    leaves = {tenor: MarketData(f"Z{tenor}", rate) for tenor, rate in (("1Y", 0.04), ("5Y", 0.035), ("10Y", 0.036))}
    return DependencyGraph(), clock, DiscountCurve("CURVE", zero_rates=leaves), leaves


def test_a_bond_on_a_curve():
    graph, clock, curve, _ = market()
    bond = Bond("B", rate_source=curve, face=100, coupon_rate=0.05, maturity=7, frequency=2.0, clock_source=clock)
    graph.register(bond)
    for day in (dt.date(2026, 1, 2), dt.date(2027, 3, 4), dt.date(2032, 12, 30)):
        clock.roll(day)
        expected = bond_value_on_curve(curve.curve, 100.0, 0.05, 7.0, clock.years, 2.0)
        assert bond.value == pytest.approx(expected, rel=1e-13)
    clock.roll(dt.date(2034, 1, 1))
    assert bond.value == 0.0
    with pytest.raises(InstrumentError, match="uses the current coupon_rate"):
        bond.amend(coupon_rate=0.06)
    bond.amend(face=50.0)


def test_key_rates_of_a_bond_add_up():
    graph, clock, curve, _ = market()
    bond = Bond("B", rate_source=curve, face=100, coupon_rate=0.05, maturity=7, clock_source=clock)
    graph.register(bond)
    base = bond.value

    def moved(**which):
        with graph.scenario(curve.bumped(1e-4, **which)):
            return bond.value - base

    keys = [moved(tenors=[tenor]) for tenor in ("1Y", "5Y", "10Y")]
    assert sum(keys) == pytest.approx(moved(), rel=1e-3)
    assert moved() == pytest.approx(-bond.analytics().modified * base * 1e-4, rel=1e-1)


def test_analytics_of_a_bond():
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 2))
    bond = Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5, frequency=2.0, clock_source=clock)
    clock.roll(dt.date(2026, 4, 2))
    figures = bond.analytics()
    assert figures.dirty == bond.value
    assert figures.clean + figures.accrued == pytest.approx(bond.value, rel=1e-15)
    assert figures.accrued == pytest.approx(100 * 0.06 * clock.years, rel=1e-12)
    zero = Bond("Z", rate_source=0.04, face=100, coupon_rate=0.0, maturity=9)
    assert zero.value == pytest.approx(100 / 1.04**9, rel=1e-14)
    assert zero.analytics().macaulay == pytest.approx(9.0, rel=1e-14)
    assert zero.value == bond_price(0.04, 100.0, 0.0, 9.0)


def test_a_floating_note():
    graph, clock, curve, leaves = market()
    note = FloatingBond("FRN", rate_source=curve, face=1000, maturity=5, margin=0.002, clock_source=clock)
    graph.register(note)
    extra = 1000 * 0.002 * curve_annuity(curve.curve, 5.0, 0.0, 4.0)
    assert note.value == pytest.approx(1000 + extra, rel=1e-13)
    leaves["1Y"].set_price(0.05)
    assert note.current_fixing == par_fixing(DiscountCurve("C", zero_rates={"1Y": 0.04}).curve, 5.0, 0.0, 4.0)
    assert note.value < 1000 + extra
    clock.roll(dt.date(2026, 4, 10))  # past the first payment
    note.amend(current_fixing=0.05, margin=0.0)
    first = 5.0 - 19 / 4 + 0.25 - clock.years
    assert note.value == pytest.approx(1000 * (1 + 0.05 / 4) * curve.discount(first), rel=1e-12)


@pytest.mark.parametrize("pay_fixed", [True, False])
def test_a_swap(pay_fixed):
    graph, clock, curve, leaves = market()
    swap = InterestRateSwap(
        "IRS", rate_source=curve, notional=1e6, fixed_rate=0.03, maturity=8, pay_fixed=pay_fixed, clock_source=clock
    )
    graph.register(swap)
    sign = 1.0 if pay_fixed else -1.0
    fixing = swap.current_fixing
    for day in (dt.date(2026, 1, 2), dt.date(2026, 2, 20)):
        clock.roll(day)
        leaves["5Y"].set_price(0.033)
        terms = (0.03, 8.0, clock.years, 2.0, 4.0, fixing)
        assert swap.value == pytest.approx(sign * swap_value_on_curve(curve.curve, 1e6, *terms), abs=1e-6)
        assert swap.par_rate == pytest.approx(par_swap_rate(curve.curve, *terms[1:]), rel=1e-13)
    assert swap.annuity == pytest.approx(curve_annuity(curve.curve, 8.0, clock.years, 2.0), rel=1e-14)
    base = swap.value
    with graph.scenario(curve.bumped(1e-4)):
        parallel = swap.value - base
    assert swap.dv01 == pytest.approx(parallel, rel=1e-3)
    assert sign * swap.dv01 > 0.0
    clock.roll(dt.date(2034, 2, 1))
    assert swap.value == 0.0


def test_a_swap_at_its_par_rate_is_worth_nothing_on_a_flat_rate_too():
    rate = MarketData("R", 0.035)
    par = InterestRateSwap("A", rate_source=rate, notional=1e6, fixed_rate=0.0, maturity=10).par_rate
    swap = InterestRateSwap("B", rate_source=rate, notional=1e6, fixed_rate=par, maturity=10)
    assert swap.value == pytest.approx(0.0, abs=1e-8)
    rate.set_price(0.036)
    assert swap.value == pytest.approx(swap.dv01 * 10, rel=1e-2)


def test_storage():
    _, clock, curve, leaves = market()
    contracts = [
        Bond("B", rate_source=curve, face=100, coupon_rate=0.05, maturity=7, clock_source=clock),
        FloatingBond("F", rate_source=curve, face=100, maturity=5, margin=0.01, clock_source=clock),
        InterestRateSwap("S", rate_source=curve, notional=1e6, fixed_rate=0.03, maturity=8, clock_source=clock),
    ]
    db = BarbaraDB.open("test", path=":memory:")
    for contract in contracts:
        db[contract.record_key] = contract
    graph = DependencyGraph()
    loaded = [graph.register(db.load(contract.record_key, graph=graph)) for contract in contracts]
    leaves["5Y"].set_price(0.05)
    graph.node("Z5Y").set_price(0.05)
    for contract, again in zip(contracts, loaded, strict=True):
        assert again.value == contract.value
        assert repr(again).split(" = ")[0] == repr(contract).split(" = ")[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: FloatingBond("F", rate_source=0.03, face=100, maturity=5, frequency=3),
            "frequency=3 is not an allowed number of payments",
        ),
        (
            lambda: FloatingBond("F", rate_source=MarketData("R", domain="positive"), face=1, maturity=5),
            "the rate for the first fixing is not quoted yet",
        ),
        (lambda: FloatingBond("F", rate_source=0.03, face=float("nan"), maturity=5), "face=nan"),
        (lambda: InterestRateSwap("S", rate_source=0.03, notional=1, fixed_rate=0.1, maturity=-1), "maturity=-1"),
        (
            lambda: InterestRateSwap("S", rate_source=0.03, notional=1, fixed_rate=0.1, maturity=1, fixed_frequency=5),
            "fixed_frequency=5",
        ),
        (
            lambda: InterestRateSwap("S", rate_source=0.03, notional=1, fixed_rate=0.1, maturity=1, current_fixing="x"),
            "current_fixing='x'",
        ),
    ],
)
def test_refused(make, message):
    with pytest.raises(InstrumentError, match=message):
        make()


def test_a_yield_of_ruin_is_diagnosed():
    rate = MarketData("R", 0.03)
    bond = Bond("B", rate_source=rate, face=100, coupon_rate=0.05, maturity=7)
    rate.set_price(-1.5)
    assert isinstance(bond.error, ValuationError)
    assert "rate=-1.5" in str(bond.error)

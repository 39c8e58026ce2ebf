"""Yields, durations, floating legs and swaps against Hull, QuantLib, and general properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given
from hypothesis import strategies as st

from bank_python.risk_models import bond_price
from bank_python.risk_models.bond_analytics import accrued_interest, annuity_yield, bond_analytics, bond_yield
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.curve_bonds import (
    bond_value_on_curve,
    curve_annuity,
    curve_yield,
    next_payment,
    par_fixing,
    par_swap_rate,
    swap_value_on_curve,
)
from bank_python.risk_models.floating import floating_price, swap_value


def test_hull_duration_and_convexity():
    # J. C. Hull, Options, Futures, and Other Derivatives, "Duration": 3 years, 10 % semi-annual, 12 % continuous:
    # price 94.213, duration 2.653, and a change of 10 bp changes the price by 0.25
    bond = bond_analytics(0.12, 100.0, 0.10, 3.0, 0.0, 2.0, 0.0)
    assert bond.dirty == pytest.approx(94.213, abs=5e-4)
    assert bond.macaulay == pytest.approx(2.653, abs=5e-4)
    assert bond.modified == pytest.approx(bond.macaulay, rel=1e-14)  # with continuous compounding
    assert 10.0 * bond.dv01 == pytest.approx(0.250, abs=5e-4)
    assert bond_yield(94.213, 100.0, 0.10, 3.0, 0.0, 2.0, 0.0) == pytest.approx(0.12, abs=5e-6)


def random_bonds(n, seed):
    rng = np.random.default_rng(seed)
    frequency = rng.choice([1.0, 2.0, 4.0, 12.0], n)
    periods = rng.integers(1, 40, n)
    gone = rng.uniform(0.0, 0.999, n) / frequency  # into the first period
    maturity = periods / frequency
    return rng.uniform(-0.04, 0.25, n), rng.uniform(0.0, 0.15, n), maturity, gone, frequency


def test_ten_thousand_random_bonds_against_quantlib():
    rate, coupon, maturity, gone, frequency = random_bonds(10_000, 2)
    ours = bond_analytics(rate, 100.0, coupon, maturity, gone, frequency)
    today = ql.Date(15, 5, 2024)
    ql.Settings.instance().evaluationDate = today
    found = bond_yield(ours.dirty, 100.0, coupon, maturity, gone, frequency)
    np.testing.assert_allclose(found, rate, rtol=1e-11, atol=1e-12)
    # QuantLib counts time by dates: the same flows as cash amounts at times, with its own rate and sums
    kinds = {1.0: ql.Annual, 2.0: ql.Semiannual, 4.0: ql.Quarterly, 12.0: ql.Monthly}
    for i in range(10_000):
        quoted = ql.InterestRate(float(rate[i]), ql.SimpleDayCounter(), ql.Compounded, kinds[frequency[i]])
        times = [k / frequency[i] - gone[i] for k in range(1, round(maturity[i] * frequency[i]) + 1)]
        amounts = [100.0 * coupon[i] / frequency[i]] * len(times)
        amounts[-1] += 100.0
        values = [a * quoted.discountFactor(t) for a, t in zip(amounts, times, strict=True)]
        price = math.fsum(values)
        macaulay = math.fsum(t * v for t, v in zip(times, values, strict=True)) / price
        inputs = (rate[i], coupon[i], maturity[i], gone[i], frequency[i])
        assert ours.dirty[i] == pytest.approx(price, rel=1e-10), inputs
        assert ours.macaulay[i] == pytest.approx(macaulay, rel=1e-10), inputs
        assert ours.modified[i] == pytest.approx(macaulay / (1.0 + rate[i] / frequency[i]), rel=1e-10), inputs


def test_a_dated_bond_against_quantlibs_bond_functions():
    today = ql.Date(15, 5, 2025)
    ql.Settings.instance().evaluationDate = today
    schedule = ql.Schedule(
        ql.Date(15, 1, 2025),
        ql.Date(15, 1, 2035),
        ql.Period("6M"),
        ql.NullCalendar(),
        ql.Unadjusted,
        ql.Unadjusted,
        ql.DateGeneration.Backward,
        False,
    )
    dc = ql.Thirty360(ql.Thirty360.BondBasis)
    bond = ql.FixedRateBond(0, 100.0, schedule, [0.045], dc)
    rate = ql.InterestRate(0.052, dc, ql.Compounded, ql.Semiannual)
    ours = bond_analytics(0.052, 100.0, 0.045, 10.0, 4.0 / 12.0, 2.0)  # four months of 30 days into it
    assert ours.clean == pytest.approx(ql.BondFunctions.cleanPrice(bond, rate, today), rel=1e-12)
    assert ours.accrued == pytest.approx(bond.accruedAmount(today), rel=1e-12)
    assert ours.modified == pytest.approx(ql.BondFunctions.duration(bond, rate, ql.Duration.Modified, today), rel=1e-12)
    assert ours.macaulay == pytest.approx(ql.BondFunctions.duration(bond, rate, ql.Duration.Macaulay, today), rel=1e-12)
    assert ours.convexity == pytest.approx(ql.BondFunctions.convexity(bond, rate, today), rel=1e-12)
    assert ours.dv01 == pytest.approx(-ql.BondFunctions.basisPointValue(bond, rate, today), rel=1e-3)
    assert bond_yield(ours.dirty, 100.0, 0.045, 10.0, 4.0 / 12.0, 2.0) == pytest.approx(0.052, rel=1e-13)


terms = st.tuples(
    st.floats(0.0, 0.2),
    st.integers(1, 120),
    st.sampled_from([1.0, 2.0, 4.0, 12.0]),
    st.sampled_from([0.0, 1.0, 2.0, 12.0]),
)


@given(st.floats(-0.05, 1.0), terms)
def test_price_and_yield_are_inverse(rate, bond):
    coupon, periods, frequency, compounding = bond
    price = bond_price(rate, 100.0, coupon, periods / frequency, 0.0, frequency, compounding)
    if price < 1e-250:
        return
    found = bond_yield(price, 100.0, coupon, periods / frequency, 0.0, frequency, compounding)
    assert found == pytest.approx(rate, rel=1e-11, abs=1e-12)


@given(st.floats(-0.03, 0.3), terms)
def test_falls_with_the_yield_and_is_convex(rate, bond):
    coupon, periods, frequency, compounding = bond
    contract = (100.0, coupon, periods / frequency, 0.3 / frequency, frequency, compounding)
    figures = bond_analytics(rate, *contract)
    h = 1e-4
    low, middle, high = bond_price([rate - h, rate, rate + h], *contract)
    assert low > middle > high
    assert figures.dirty == middle
    assert figures.dv01 == pytest.approx((low - high) / (2.0 * h) * 1e-4, rel=1e-4)
    assert figures.convexity > 0.0
    assert figures.convexity * middle == pytest.approx((low - 2.0 * middle + high) / h**2, rel=1e-2, abs=1e-3)
    assert figures.clean == figures.dirty - figures.accrued


def test_accrued_interest():
    np.testing.assert_allclose(
        accrued_interest(100.0, 0.06, 2.0, [-0.5, 0.0, 0.1, 0.5, 0.75, 1.999, 2.0, 3.0], 2.0),
        [0.0, 0.0, 0.6, 0.0, 1.5, 2.994, 0.0, 0.0],
        atol=1e-12,
    )


def test_no_yield():
    assert math.isnan(bond_yield(-1.0, 100.0, 0.05, 5.0))
    assert math.isnan(bond_yield(100.0, 100.0, 0.05, 5.0, 5.0))
    assert math.isnan(bond_yield(100.0, 100.0, -0.05, 5.0))
    assert math.isnan(bond_yield(math.nan, 100.0, 0.05, 5.0))
    assert bond_yield(-104.3295, -100.0, 0.06, 5.0) == pytest.approx(0.05, abs=1e-6)
    assert math.isnan(bond_analytics(math.nan, 100.0, 0.05, 5.0).dv01)
    past = bond_analytics(0.05, 100.0, 0.05, 5.0, 6.0)
    assert (past.dirty, past.accrued, past.dv01) == (0.0, 0.0, 0.0)
    assert math.isnan(past.modified)


def test_rows_do_not_depend_on_each_other():
    rate, coupon, maturity, gone, frequency = random_bonds(300, 4)
    together = bond_analytics(rate, 100.0, coupon, maturity, gone, frequency)
    yields = bond_yield(together.dirty, 100.0, coupon, maturity, gone, frequency)
    for i in range(0, 300, 11):
        alone = bond_analytics(rate[i], 100.0, coupon[i], maturity[i], gone[i], frequency[i])
        assert (alone.convexity, alone.macaulay) == (together.convexity[i], together.macaulay[i])
        assert bond_yield(alone.dirty, 100.0, coupon[i], maturity[i], gone[i], frequency[i]) == yields[i]


# --- on a curve ----------------------------------------------------------------------------------

CURVE = Curve.from_zero_rates([0.5, 1.0, 2.0, 5.0, 10.0, 30.0], [0.052, 0.05, 0.043, 0.037, 0.036, 0.034])


@given(terms, st.floats(0.0, 0.99))
def test_the_equivalent_yield_values_as_the_curve_does(bond, part):
    coupon, periods, frequency, compounding = bond
    maturity, gone = periods / frequency, part / frequency
    on_curve = bond_value_on_curve(CURVE, 100.0, coupon, maturity, gone, frequency)
    rate = curve_yield(CURVE, coupon, maturity, gone, frequency, compounding)
    assert bond_price(rate, 100.0, coupon, maturity, gone, frequency, compounding) == pytest.approx(on_curve, rel=1e-13)
    flat = Curve.flat(0.04)
    assert curve_yield(flat, coupon, maturity, gone, frequency, 0.0) == pytest.approx(0.04, rel=1e-12)


def test_swaps_against_quantlib():
    # Equal times: quarters of exactly a quarter of a year, in ACT/360-like units of QuantLib's simple day counter
    today = ql.Date(15, 1, 2025)
    ql.Settings.instance().evaluationDate = today
    rng = np.random.default_rng(3)
    dc = ql.SimpleDayCounter()
    for _ in range(40):
        years = int(rng.integers(1, 25))
        zeros = np.array([0.03, 0.03, 0.03]) + rng.normal(0.0, 0.01, 3)
        dates = [today, today + ql.Period("5Y"), today + ql.Period("30Y")]
        ours = Curve.from_zero_rates([5.0, 30.0], zeros[1:])
        theirs = ql.DiscountCurve(dates, [1.0, *(float(ours.discount(t)) for t in (5.0, 30.0))], dc)
        handle = ql.YieldTermStructureHandle(theirs)
        index = ql.IborIndex(
            "F", ql.Period("3M"), 0, ql.USDCurrency(), ql.NullCalendar(), ql.Unadjusted, False, dc, handle
        )
        end = today + ql.Period(years, ql.Years)

        def schedule(tenor, end=end):
            rule = (ql.Unadjusted, ql.Unadjusted, ql.DateGeneration.Backward, False)
            return ql.Schedule(today, end, ql.Period(tenor), ql.NullCalendar(), *rule)

        fixed_rate = float(rng.uniform(0.0, 0.06))
        swap = ql.VanillaSwap(ql.Swap.Payer, 1e6, schedule("6M"), fixed_rate, dc, schedule("3M"), index, 0.0, dc)
        swap.setPricingEngine(ql.DiscountingSwapEngine(handle))
        assert swap_value_on_curve(ours, 1e6, fixed_rate, float(years)) == pytest.approx(swap.NPV(), abs=1e-5)
        assert par_swap_rate(ours, float(years)) == pytest.approx(swap.fairRate(), rel=1e-11)
        assert curve_annuity(ours, float(years), 0.0, 2.0) == pytest.approx(abs(swap.fixedLegBPS()) / 100.0, rel=1e-11)


@given(st.floats(0.0, 0.08), st.integers(1, 60), st.floats(0.0, 0.9), st.floats(-0.01, 0.08))
def test_a_swap_by_flat_rates_is_the_swap_on_its_curve(fixed_rate, halves, part, fixing):
    maturity, gone = halves / 2.0, part * 0.25
    first = next_payment(maturity, gone, 4.0)
    columns = (CURVE.zero_rate(first), curve_yield(CURVE, fixed_rate, maturity, gone, 2.0))
    payer = swap_value(*columns, 1e6, fixed_rate, maturity, gone, current_fixing=fixing)
    on_curve = swap_value_on_curve(CURVE, 1e6, fixed_rate, maturity, gone, 2.0, 4.0, fixing)
    assert payer == pytest.approx(on_curve, abs=1e-6)
    assert swap_value(*columns, -1e6, fixed_rate, maturity, gone, current_fixing=fixing) == -payer
    par = par_swap_rate(CURVE, maturity, gone, 2.0, 4.0, fixing)
    assert swap_value_on_curve(CURVE, 1e6, par, maturity, gone, 2.0, 4.0, fixing) == pytest.approx(0.0, abs=1e-8)


def test_floating_notes():
    fixing = par_fixing(CURVE, 5.0, 0.0, 4.0)
    short = CURVE.zero_rate(0.25)
    assert floating_price(short, 0.03, 100.0, 0.0, 5.0, current_fixing=fixing) == pytest.approx(100.0, rel=1e-14)
    annuity = curve_annuity(CURVE, 5.0, 0.0, 4.0)
    margin = floating_price(short, annuity_yield(annuity, 5.0, 0.0, 4.0), 100.0, 0.01, 5.0, current_fixing=fixing)
    assert margin - 100.0 == pytest.approx(100.0 * 0.01 * annuity, rel=1e-10)
    assert annuity_yield(curve_annuity(Curve.flat(0.03), 5.0, 0.0, 4.0), 5.0, 0.0, 4.0) == pytest.approx(
        0.03, rel=1e-12
    )
    assert math.isnan(annuity_yield(-1.0, 5.0))
    assert floating_price(short, 0.03, 100.0, 0.01, 5.0, 5.0, current_fixing=0.05) == 0.0
    assert math.isnan(floating_price(math.nan, 0.03, 100.0, 0.0, 5.0, current_fixing=0.05))
    assert swap_value(0.03, 0.03, 1e6, 0.03, 5.0, 6.0, current_fixing=0.03) == 0.0
    late = floating_price(0.05, 0.03, 100.0, 0.0, 5.0, 0.2, current_fixing=0.04)
    assert late == pytest.approx(101.0 * math.exp(-0.05 * 0.05), rel=1e-14)

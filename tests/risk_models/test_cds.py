"""Credit default swaps against numerical quadrature of their legs and, loosely, a quarterly schedule."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from bank_python.risk_models import cds_value, risky_annuity, survival_probability

spreads = st.floats(0.0, 0.2)
rates = st.floats(-0.05, 0.15)
maturities = st.floats(0.0, 30.0)
recoveries = st.floats(0.0, 0.9)


def quadrature(spread, rate, coupon, maturity, recovery):
    """Return the buyer's value for a notional of 1: protection against the default density, less premiums."""
    hazard = spread / (1.0 - recovery)

    def protection(t):
        default_density = hazard * math.exp(-hazard * t)
        return (1.0 - recovery) * math.exp(-rate * t) * default_density

    def premium(t):
        return coupon * math.exp(-rate * t) * math.exp(-hazard * t)

    legs = [integrate.quad(leg, 0.0, maturity, epsabs=1e-14, epsrel=1e-13)[0] for leg in (protection, premium)]
    return legs[0] - legs[1]


@given(spreads, rates, st.floats(0.0, 0.1), maturities, recoveries)
def test_against_quadrature(spread, rate, coupon, maturity, recovery):
    expected = quadrature(spread, rate, coupon, maturity, recovery)
    computed = cds_value(spread, rate, 1.0, coupon, maturity, recovery)
    assert computed == pytest.approx(expected, rel=1e-11, abs=1e-13)


def test_against_a_quarterly_schedule_to_a_percent():
    # Premiums paid quarterly in arrears with accrual on default, QuantLib's mid-point engine, act/365
    today = ql.Date(20, 3, 2025)
    previous = ql.Settings.instance().evaluationDate
    ql.Settings.instance().evaluationDate = today
    try:
        day_counter = ql.Actual365Fixed()
        maturity = ql.Date(20, 3, 2030)
        hazard = ql.QuoteHandle(ql.SimpleQuote(0.03 / 0.6))
        default_curve = ql.DefaultProbabilityTermStructureHandle(ql.FlatHazardRate(today, hazard, day_counter))
        discount_curve = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.04, day_counter))
        schedule = ql.MakeSchedule(today, maturity, ql.Period(3, ql.Months))
        swap = ql.CreditDefaultSwap(
            ql.Protection.Buyer,
            1e7,
            0.01,
            schedule,
            ql.Unadjusted,
            day_counter,
            True,
            True,
        )
        swap.setPricingEngine(ql.MidPointCdsEngine(default_curve, 0.4, discount_curve))
        expected = swap.NPV()
        years = day_counter.yearFraction(today, maturity)
    finally:
        ql.Settings.instance().evaluationDate = previous
    computed = cds_value(0.03, 0.04, 1e7, 0.01, years, 0.4)
    assert computed == pytest.approx(expected, rel=0.01), f"{expected=} {computed=}"


@given(spreads, rates, maturities, recoveries)
def test_worth_nothing_at_its_own_spread(spread, rate, maturity, recovery):
    assert cds_value(spread, rate, 1e7, spread, maturity, recovery) == 0.0


@given(spreads, rates, st.floats(0.0, 0.1), maturities, recoveries)
def test_buyer_and_seller_sum_to_nothing(spread, rate, coupon, maturity, recovery):
    buyer, seller = cds_value(spread, rate, [1e7, -1e7], coupon, maturity, recovery)
    assert buyer == -seller


@given(rates, st.floats(0.0, 0.1), st.floats(0.1, 30.0), recoveries)
def test_wider_spreads_gain_the_buyer_of_a_swap_at_market(rate, coupon, maturity, recovery):
    spread = coupon + np.linspace(0.0, 0.01, 11)
    assert np.diff(cds_value(spread, rate, 1.0, coupon, maturity, recovery)).min() > 0.0


@given(spreads, rates, maturities, recoveries)
def test_annuity_bounds_and_growth(spread, rate, maturity, recovery):
    annuity, longer = risky_annuity(spread, rate, [maturity, maturity + 1.0], recovery)
    hazard = spread / (1.0 - recovery)
    slowest, fastest = sorted([1.0, math.exp(-(rate + hazard) * maturity)])
    assert slowest * maturity * (1.0 - 1e-14) <= annuity <= fastest * maturity * (1.0 + 1e-14)
    assert longer >= annuity


@pytest.mark.parametrize("total", [0.0, 1e-300, 1e-17, 1e-12, 1e-9, 1e-6, -1e-12, -1e-17])
def test_annuity_is_stable_as_rate_and_hazard_cancel(total):
    # A = T (1 − y/2 + y²/6 − …), y = (r + h) T
    y = total * 5.0
    expected = 5.0 * (1.0 - y / 2.0 + y * y / 6.0)
    assert risky_annuity(0.0, total, 5.0, 0.4) == pytest.approx(expected, rel=3e-16, abs=0.0)


def test_annuity_when_a_negative_rate_meets_its_hazard():
    assert risky_annuity(0.015, -0.02, 5.0, 0.25) == 5.0


@given(spreads, recoveries, st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_survival_multiplies_over_time(spread, recovery, first, second):
    both = survival_probability(spread, recovery, first + second)
    assert 0.0 <= both <= 1.0
    product = survival_probability(spread, recovery, first) * survival_probability(spread, recovery, second)
    assert both == pytest.approx(product, rel=1e-13)


@pytest.mark.parametrize(
    ("spread", "recovery", "time", "expected"),
    [
        # Hull, chapter on credit risk: a spread of 200 bp and 40 % recovery make a hazard of 3.33 % a year
        (0.02, 0.4, 1.0, math.exp(-0.02 / 0.6)),
        (0.0, 0.4, 10.0, 1.0),
        (0.02, 0.4, 0.0, 1.0),
        (0.02, 1.0, 1.0, math.nan),
        (-0.01, 0.4, 1.0, math.nan),
        (0.02, 0.4, -1.0, math.nan),
        (0.02, -0.1, 1.0, math.nan),
        (math.nan, 0.4, 1.0, math.nan),
        (0.02, 0.4, math.inf, math.nan),
    ],
)
def test_survival_values(spread, recovery, time, expected):
    computed = survival_probability(spread, recovery, time)
    assert computed == pytest.approx(expected, rel=1e-15, abs=0.0, nan_ok=True), f"{spread=} {recovery=} {time=}"


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        # spread, rate, notional, coupon, maturity, recovery, elapsed
        ((0.02, 0.05, 1e6, 0.01, 5.0, 0.4, 5.0), 0.0),
        ((0.02, 0.05, 1e6, 0.01, 5.0, 0.4, 9.0), 0.0),
        ((0.005, 0.05, 1e6, 0.01, 5.0, 0.4, 9.0), 0.0),
        ((0.02, 0.05, 1e6, 0.01, 0.0, 0.4, 0.0), 0.0),
        ((0.02, 0.05, 1e6, 0.01, 5.0, 1.0, 0.0), math.nan),
        ((0.02, 0.05, 1e6, 0.01, 5.0, -0.1, 0.0), math.nan),
        ((-0.02, 0.05, 1e6, 0.01, 5.0, 0.4, 0.0), math.nan),
        ((0.02, 0.05, 1e6, 0.01, -5.0, 0.4, 0.0), math.nan),
    ],
)
def test_limits(terms, expected):
    computed = cds_value(*terms)
    assert computed == pytest.approx(expected, abs=0.0, nan_ok=True), f"{terms}: {expected=} {computed=}"
    assert math.copysign(1.0, computed) == 1.0 or math.isnan(expected)


def test_time_gone_shortens_the_swap():
    aged = cds_value(0.02, 0.05, 1e6, 0.01, 5.0, 0.4, elapsed=2.0)
    assert aged == cds_value(0.02, 0.05, 1e6, 0.01, 3.0, 0.4)
    assert risky_annuity(0.02, 0.05, 5.0, 0.4, elapsed=2.0) == risky_annuity(0.02, 0.05, 3.0, 0.4)


@pytest.mark.parametrize("position", range(7))
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_lane_is_nan_and_alone(position, bad):
    good = [0.02, 0.05, 1e6, 0.01, 5.0, 0.4, 1.0]
    value = cds_value(*[[term, bad if k == position else term] for k, term in enumerate(good)])
    assert value[0] == cds_value(*good)
    assert math.isnan(value[1])


def test_shapes_and_types():
    assert type(cds_value(0.02, 0.05, 10**7, 0.01, 5, 0.4)) is float
    assert type(risky_annuity(0.02, 0.05, 5, 0.4)) is float
    assert cds_value([[0.02], [0.03]], 0.05, 1e6, 0.01, [1.0, 3.0, 5.0], 0.4).shape == (2, 3)

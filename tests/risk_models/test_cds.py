"""Credit default swaps in years against the dated legs, quadrature, and what the credit triangle promises."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize

from bank_python.risk_models.cds import cds_accrued, cds_value, risky_annuity, survival_probability
from bank_python.risk_models.cds_analytics import cds_analytics
from bank_python.risk_models.cds_legs import cds_legs
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.premium_schedule import quarterly_schedule
from bank_python.risk_models.survival import SurvivalCurve

YEAR = 365 / 360

spreads = st.floats(0.0, 0.2)
rates = st.floats(-0.05, 0.15)
maturities = st.floats(0.0, 30.0)
recoveries = st.floats(0.0, 0.9)


def legs_by_quadrature(hazard, rate, maturity):
    """Return protection and clean annuity for a notional of 1, each premium and each default by itself."""
    ends = np.arange(maturity, 0.0, -0.25)[::-1]

    def default(t):
        return hazard * math.exp(-(rate + hazard) * t)

    protection = integrate.quad(default, 0.0, maturity, epsabs=1e-15, epsrel=1e-13)[0]
    annuity = -(0.25 - ends[0])
    for end in ends:
        start = end - 0.25
        owed = integrate.quad(lambda t, a: (t - a) * default(t), max(start, 0.0), end, args=(start,), epsabs=1e-15)[0]
        annuity += 0.25 * math.exp(-(rate + hazard) * end) + owed
    return protection, YEAR * annuity


@given(spreads, rates, st.floats(0.0, 0.1), st.floats(0.01, 12.0), recoveries)
def test_against_quadrature(spread, rate, coupon, maturity, recovery):
    def excess(hazard):
        protection, annuity = legs_by_quadrature(hazard, rate, maturity)
        return (1.0 - recovery) * protection - spread * annuity

    hazard = optimize.brentq(excess, 0.0, 10.0 * spread / (1.0 - recovery) + 1e-9, xtol=1e-15) if spread else 0.0
    protection, annuity = legs_by_quadrature(hazard, rate, maturity)
    expected = (1.0 - recovery) * protection - coupon * annuity
    computed = cds_value(spread, rate, 1.0, coupon, maturity, recovery)
    assert computed == pytest.approx(expected, rel=1e-10, abs=1e-12)
    assert survival_probability(spread, recovery=recovery, time=maturity, rate=rate) == pytest.approx(
        math.exp(-hazard * maturity), abs=1e-11
    )


def test_against_the_legs_under_curves():
    rng = np.random.default_rng(30)
    terms = rng.uniform([0.0, -0.05, 0.001, 0.0], [0.3, 0.15, 12.0, 0.9], (2000, 4)).T
    spread, rate, maturity, recovery = terms
    annuity = risky_annuity(spread, rate, maturity, recovery)
    survival = survival_probability(spread, recovery=recovery, time=maturity, rate=rate)
    for s, r, T, R, A, Q in zip(*terms, annuity, survival, strict=True):
        legs = cds_legs(quarterly_schedule(T), Curve.flat(r), SurvivalCurve([T], [Q]))
        case = f"spread={s} rate={r} maturity={T} recovery={R} annuity={A} {legs=}"
        assert pytest.approx(legs.annuity, rel=1e-12) == A, case
        assert (1.0 - R) * legs.protection == pytest.approx(s * A, rel=1e-12, abs=1e-15), case


def test_quantlibs_isda_engine_to_the_days_it_counts():
    # Dates that fall on no weekend; what is left are the last period's extra day and the day's delay of survival.
    today = ql.Date(20, 3, 2024)
    previous = ql.Settings.instance().evaluationDate
    ql.Settings.instance().evaluationDate = today
    try:
        act_365 = ql.Actual365Fixed()
        discount = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.04, act_365))
        quoted = ql.MakeCreditDefaultSwap(ql.Date(20, 3, 2029), 0.03, nominal=1e7)
        hazard = quoted.impliedHazardRate(0.0, discount, act_365, 0.4, 1e-12, ql.CreditDefaultSwap.ISDA)
        flat = ql.FlatHazardRate(today, ql.QuoteHandle(ql.SimpleQuote(hazard)), act_365)
        engine = ql.IsdaCdsEngine(ql.DefaultProbabilityTermStructureHandle(flat), 0.4, discount)
        swap = ql.MakeCreditDefaultSwap(ql.Date(20, 3, 2029), 0.01, nominal=1e7, pricingEngine=engine)
        expected = swap.NPV()
        years = act_365.yearFraction(today, ql.Date(20, 3, 2029))
    finally:
        ql.Settings.instance().evaluationDate = previous
    computed = cds_value(0.03, 0.04, 1e7, 0.01, years, 0.4)
    assert computed == pytest.approx(expected, rel=1e-3), f"{expected=} {computed=}"


@given(spreads, rates, maturities, recoveries, st.floats(0.0, 5.0))
def test_worth_nothing_at_its_own_spread(spread, rate, maturity, recovery, elapsed):
    assert cds_value(spread, rate, 1e7, spread, maturity, recovery, elapsed) == 0.0


@given(spreads, rates, st.floats(0.0, 0.1), maturities, recoveries)
def test_buyer_and_seller_sum_to_nothing(spread, rate, coupon, maturity, recovery):
    buyer, seller = cds_value(spread, rate, [1e7, -1e7], coupon, maturity, recovery)
    assert buyer == -seller


@given(rates, st.floats(0.0, 0.1), st.floats(0.1, 30.0), recoveries)
def test_wider_spreads_gain_the_buyer_of_a_swap_at_market(rate, coupon, maturity, recovery):
    spread = coupon + np.linspace(0.0, 0.01, 11)
    assert np.diff(cds_value(spread, rate, 1.0, coupon, maturity, recovery)).min() > 0.0


@given(spreads, st.floats(0.0, 0.15), maturities, recoveries)
def test_annuity_bounds_and_growth(spread, rate, maturity, recovery):
    annuity, longer = risky_annuity(spread, rate, [maturity, maturity + 1.0], recovery)
    hazard = YEAR * spread / (1.0 - recovery)
    # No more than premiums that come as time passes; no less than what is paid a quarter late.
    assert annuity <= YEAR * maturity * (1.0 + 1e-13)
    assert annuity >= YEAR * maturity * math.exp(-(rate + hazard) * (maturity + 0.25)) * (1.0 - 0.25 * rate) - 1e-13
    assert longer >= annuity * (1.0 - 1e-13)


@given(spreads, st.floats(0.0, 12.0), recoveries)
def test_without_interest_the_credit_triangle_is_exact(spread, maturity, recovery):
    hazard = YEAR * spread / (1.0 - recovery)
    alive = integrate.quad(lambda t: math.exp(-hazard * t), 0.0, maturity, epsabs=1e-15)[0]
    assert risky_annuity(spread, 0.0, maturity, recovery) == pytest.approx(YEAR * alive, rel=1e-13, abs=1e-300)
    assert survival_probability(spread, recovery=recovery, time=maturity) == pytest.approx(
        math.exp(-hazard * maturity), rel=1e-13
    )


@pytest.mark.parametrize("total", [0.0, 1e-300, 1e-17, 1e-12, 1e-9, 1e-6, -1e-12, -1e-17])
def test_annuity_is_stable_as_rate_and_hazard_vanish(total):
    # 20 premiums of a quarter, discounted: 5 − r Σ t/4 + …, with Σ t/4 = 0.25 · 0.25 · 210
    expected = YEAR * (5.0 - total * 0.0625 * 210.0)
    assert risky_annuity(0.0, total, 5.0, 0.4) == pytest.approx(expected, rel=1e-11 * abs(total) / 1e-6 + 1e-15)


@pytest.mark.parametrize("rate", [-0.02, -0.02 + 1e-16, -0.02 - 1e-12, -0.02 + 1e-7])
def test_annuity_when_a_negative_rate_meets_its_hazard(rate):
    spread = 0.02 / YEAR * 0.75
    survival = survival_probability(spread, recovery=0.25, time=5.0, rate=rate)
    legs = cds_legs(quarterly_schedule(5.0), Curve.flat(rate), SurvivalCurve([5.0], [survival]))
    assert risky_annuity(spread, rate, 5.0, 0.25) == pytest.approx(legs.annuity, rel=1e-14)


@given(spreads, rates, st.floats(0.01, 10.0), recoveries)
def test_value_does_not_jump_when_a_premium_is_paid(spread, rate, maturity, recovery):
    paid = math.ceil(maturity * 4.0) / 4.0
    before, after = cds_value(spread, rate, 1.0, 0.01, paid, recovery, [0.25 - 1e-9, 0.25 + 1e-9])
    assert before == pytest.approx(after, abs=1e-8)


@pytest.mark.parametrize(
    ("spread", "recovery", "time", "expected"),
    [
        # Hull, chapter on credit risk: a spread of 200 bp and 40 % recovery make a hazard of 3.33 % a year; here
        # of years of 360 days
        (0.02, 0.4, 1.0, math.exp(-0.02 / 0.6 * YEAR)),
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
    computed = survival_probability(spread, recovery=recovery, time=time)
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
        # Interest of 500 % on the first premium is more than the swap's one day accrues: no hazard gives a spread.
        ((0.02, 5.0, 1e6, 0.01, 1 / 365, 0.4, 0.0), math.nan),
    ],
)
def test_limits(terms, expected):
    computed = cds_value(*terms)
    assert computed == pytest.approx(expected, abs=0.0, nan_ok=True), f"{terms}: {expected=} {computed=}"
    assert math.copysign(1.0, computed) == 1.0 or math.isnan(expected)


def test_spreads_of_names_about_to_default():
    spread = np.array([1.0, 5.0, 20.0])
    annuity = risky_annuity(spread, 0.03, 5.0, 0.4)
    # Protection is then worth nearly the whole loss.
    np.testing.assert_allclose(spread * annuity, 0.6, rtol=0.02)


def test_time_gone_shortens_the_swap():
    aged = cds_value(0.02, 0.05, 1e6, 0.01, 5.0, 0.4, elapsed=2.0)
    assert aged == cds_value(0.02, 0.05, 1e6, 0.01, 3.0, 0.4)
    assert risky_annuity(0.02, 0.05, 5.0, 0.4, elapsed=2.0) == risky_annuity(0.02, 0.05, 3.0, 0.4)


@pytest.mark.parametrize(
    ("maturity", "elapsed", "expected"),
    [
        (5.0, 0.0, 0.0),
        (5.0, 0.25, 0.0),
        (5.0, 0.125, 0.125 * YEAR),
        (0.125, 0.0, 0.125 * YEAR),
        (5.0, 5.0, 0.0),
        (5.0, 6.0, 0.0),
        (-1.0, 0.0, math.nan),
        (math.inf, 0.0, math.nan),
    ],
)
def test_accrued(maturity, elapsed, expected):
    computed = cds_accrued(maturity, elapsed)
    assert computed == pytest.approx(expected, abs=1e-16, nan_ok=True), f"{maturity=} {elapsed=}"


@pytest.mark.parametrize("position", range(7))
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_row_is_nan_and_does_not_affect_the_others(position, bad):
    good = [0.02, 0.05, 1e6, 0.01, 5.0, 0.4, 1.0]
    value = cds_value(*[[term, bad if k == position else term] for k, term in enumerate(good)])
    assert value[0] == cds_value(*good)
    assert math.isnan(value[1])


def test_shapes_and_types():
    assert type(cds_value(0.02, 0.05, 10**7, 0.01, 5, 0.4)) is float
    assert type(risky_annuity(0.02, 0.05, 5, 0.4)) is float
    assert type(cds_accrued(5)) is float
    assert cds_value([[0.02], [0.03]], 0.05, 1e6, 0.01, [1.0, 3.0, 5.0], 0.4).shape == (2, 3)


def test_analytics_are_differences_of_values():
    terms = {"rate": 0.03, "notional": 1e7, "coupon": 0.01, "maturity": 5.1, "recovery": 0.4}
    here = cds_analytics(spread=0.02, **terms)
    assert here.value == here.upfront == cds_value(spread=0.02, **terms)
    assert here.cs01 == cds_value(spread=0.0201, **terms) - here.value
    assert here.ir01 == cds_value(**{**terms, "spread": 0.02, "rate": 0.0301}) - here.value
    assert here.rec01 == cds_value(**{**terms, "spread": 0.02, "recovery": 0.4 + 0.01}) - here.value
    assert here.dirty_upfront == pytest.approx(here.value - 1e7 * 0.01 * 0.15 * YEAR, rel=1e-12)
    assert here.jump_to_default == 6e6 - here.value
    assert here.risky_annuity == risky_annuity(0.02, 0.03, 5.1, 0.4)
    assert here.par_spread == 0.02
    assert here.cs01 > 0.0 > here.ir01


def test_analytics_broadcast():
    analytics = cds_analytics([[0.02], [math.nan]], 0.03, 1e7, 0.01, [0.0, 1.0, 5.0], 0.4)
    for field in fields(analytics):
        figures = getattr(analytics, field.name)
        assert figures.shape == (2, 3), field.name
        assert np.isfinite(figures[0]).all(), field.name
        assert np.isnan(figures[1]).all(), field.name
        if field.name != "par_spread":
            assert figures[0, 0] == 0.0, field.name
    assert all(
        type(getattr(cds_analytics(0.02, 0.03, 1, 0.01, 5, 0.4), field.name)) is float for field in fields(analytics)
    )

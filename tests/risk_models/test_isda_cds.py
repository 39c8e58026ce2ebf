"""The ISDA standard model against Markit's calculator, QuantLib's engines, and what its sensitivities mean."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import fields, replace

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from scipy import integrate

from bank_python.errors import ModelError, RootError
from bank_python.risk_models.cds_legs import cds_legs, first_moment, mean_decay
from bank_python.risk_models.cds_midpoint import midpoint_legs
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.hazard_root import hazard_root
from bank_python.risk_models.isda_cds import StandardCds, flat_hazard
from bank_python.risk_models.premium_schedule import PremiumSchedule, imm_schedule, next_weekday, quarterly_schedule
from bank_python.risk_models.survival import SurvivalCurve

TRADED = dt.date(2009, 5, 21)

# The discount factors that QuantLib 1.44 bootstraps, as the ISDA standard prescribes, from Markit's rates of
# 21 May 2009: deposits 1M 0.3081 % … 12M 1.5488 %, swaps 2Y 1.1907 % … 30Y 3.7605 %.
MARKIT_CURVE = [
    ("2009-06-25", 0.9997005429079852),
    ("2009-07-27", 0.9989998637995903),
    ("2009-08-25", 0.9981386346604275),
    ("2009-11-25", 0.9936615632893555),
    ("2010-02-25", 0.989346782988777),
    ("2010-05-25", 0.984505965231278),
    ("2011-05-25", 0.9765376411530569),
    ("2012-05-25", 0.9502809364324118),
    ("2013-05-27", 0.9182344548650925),
    ("2014-05-26", 0.8839849994152378),
    ("2015-05-25", 0.8490968167668681),
    ("2016-05-25", 0.8139001366802117),
    ("2017-05-25", 0.7799810919945747),
    ("2018-05-25", 0.747262016319509),
    ("2019-05-27", 0.7148960778511506),
    ("2021-05-25", 0.6531767235089028),
    ("2024-05-27", 0.5705357433093753),
    ("2029-05-25", 0.4669439019693364),
    ("2034-05-25", 0.38482608987141337),
    ("2039-05-25", 0.31408494808956505),
]

# Upfront amounts of Markit's ISDA calculator for 10 million at a coupon of 100 bp, as in QuantLib's test suite,
# creditdefaultswap.cpp, testIsdaEngine: maturity, quoted spread, recovery, upfront.
MARKIT_UPFRONTS = [
    ("2010-06-20", 0.001, 0.2, -97798.29358),
    ("2010-06-20", 0.001, 0.4, -97776.11889),
    ("2010-06-20", 0.1, 0.2, 914971.5977),
    ("2010-06-20", 0.1, 0.4, 894985.6298),
    ("2011-06-20", 0.001, 0.2, -186921.3594),
    ("2011-06-20", 0.001, 0.4, -186839.8148),
    ("2011-06-20", 0.1, 0.2, 1646623.672),
    ("2011-06-20", 0.1, 0.4, 1579803.626),
    ("2012-06-20", 0.001, 0.2, -274298.9203),
    ("2012-06-20", 0.001, 0.4, -274122.4725),
    ("2012-06-20", 0.1, 0.2, 2279730.93),
    ("2012-06-20", 0.1, 0.4, 2147972.527),
    ("2016-06-20", 0.001, 0.2, -592420.2297),
    ("2016-06-20", 0.001, 0.4, -591571.2294),
    ("2016-06-20", 0.1, 0.2, 3993550.206),
    ("2016-06-20", 0.1, 0.4, 3545843.418),
    ("2019-06-20", 0.001, 0.2, -797501.1422),
    ("2019-06-20", 0.001, 0.4, -795915.9787),
    ("2019-06-20", 0.1, 0.2, 4702034.688),
    ("2019-06-20", 0.1, 0.4, 4042340.999),
]


def markit_curve():
    dates, factors = zip(*MARKIT_CURVE, strict=True)
    return Curve([(dt.date.fromisoformat(date) - TRADED).days / 365 for date in dates], factors)


@pytest.mark.parametrize(("maturity", "spread", "recovery", "expected"), MARKIT_UPFRONTS)
def test_markit_upfronts(maturity, spread, recovery, expected):
    swap = StandardCds(TRADED, dt.date.fromisoformat(maturity), coupon=0.01, recovery=recovery, notional=1e7)
    computed = swap.analytics(spread, markit_curve()).upfront
    assert computed == pytest.approx(expected, abs=0.01), f"{maturity=} {spread=} {recovery=} {expected=} {computed=}"


# --- QuantLib ---------------------------------------------------------------------------------------------


def ql_date(day):
    return ql.Date(day.day, day.month, day.year)


@pytest.fixture
def evaluation_date():
    """Let a test move QuantLib's global date, and put it back."""
    before = ql.Settings.instance().evaluationDate
    yield lambda day: setattr(ql.Settings.instance(), "evaluationDate", ql_date(day))
    ql.Settings.instance().evaluationDate = before


def is_alike(schedule):
    # QuantLib leaves out the extra day of a contract of one premium, which is then both first and last. Its buyer
    # on the eve of a premium pays that premium and has it rebated. The published examples below say otherwise.
    return len(schedule.payments) > 1 and schedule.accrued > 0.0


def random_contracts(rng, count):
    made = 0
    while made < count:
        today = dt.date(2010, 1, 1) + dt.timedelta(int(rng.integers(0, 6000)))
        maturity = dt.date(today.year + int(rng.integers(0, 11)), int(rng.choice([3, 6, 9, 12])), 20)
        if today.weekday() < 5 and maturity > today and is_alike(imm_schedule(today, maturity)):
            made += 1
            yield today, maturity


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_quantlib_on_random_contracts(evaluation_date, count):
    rng = np.random.default_rng(20)
    for today, maturity in random_contracts(rng, count):
        hazard, rate = float(10 ** rng.uniform(-4.0, 0.0)), float(rng.uniform(-0.02, 0.1))
        # QuantLib's Taylor series is for small rate + hazard, but is taken for all negative ones; without it a small
        # sum loses digits. So negative sums go without, and keep away from 0.
        rate = -hazard - 1e-3 if -1e-3 < rate + hazard < 0.0 else rate
        fix = ql.IsdaCdsEngine.Taylor if rate + hazard > 0.0 else ql.IsdaCdsEngine.NoFix
        recovery, coupon = float(rng.uniform(0.0, 0.9)), float(rng.choice([0.01, 0.05]))
        evaluation_date(today)
        act_365, now = ql.Actual365Fixed(), ql_date(today)
        default_curve = ql.FlatHazardRate(now, ql.QuoteHandle(ql.SimpleQuote(hazard)), act_365)
        engine = ql.IsdaCdsEngine(
            ql.DefaultProbabilityTermStructureHandle(default_curve),
            recovery,
            ql.YieldTermStructureHandle(ql.FlatForward(now, rate, act_365)),
            False,
            fix,
        )
        theirs = ql.MakeCreditDefaultSwap(ql_date(maturity), coupon, nominal=1.0, pricingEngine=engine)
        ours = StandardCds(today, maturity, coupon=coupon, recovery=recovery).price(rate, SurvivalCurve.flat(hazard))
        expected = (theirs.fairUpfront(), theirs.fairSpread(), theirs.NPV())
        computed = (ours.upfront, ours.par_spread, ours.value)
        case = f"{today=} {maturity=} {hazard=} {rate=} {recovery=} {coupon=} {expected=} {computed=}"
        assert computed == pytest.approx(expected, rel=1e-10, abs=1e-12), case


def test_quantlib_on_curves_with_nodes(evaluation_date):
    rng = np.random.default_rng(21)
    for today, maturity in random_contracts(rng, 300):
        evaluation_date(today)
        act_365, now = ql.Actual365Fixed(), ql_date(today)
        days = np.append(np.cumsum(rng.integers(20, 900, 5)), 5000)  # beyond every maturity
        forwards, hazards = rng.uniform(0.001, 0.08, 6), rng.uniform(0.001, 0.3, 6)
        logs = np.cumsum(forwards * np.diff(days, prepend=0) / 365)
        dates = [now, *(now + int(d) for d in days)]
        discount = ql.DiscountCurve(dates, [1.0, *np.exp(-logs)], act_365)
        default = ql.HazardRateCurve(dates, [hazards[0], *hazards], act_365)
        for curve in (discount, default):
            curve.enableExtrapolation()
        engine = ql.IsdaCdsEngine(
            ql.DefaultProbabilityTermStructureHandle(default), 0.4, ql.YieldTermStructureHandle(discount)
        )
        theirs = ql.MakeCreditDefaultSwap(ql_date(maturity), 0.01, nominal=1.0, pricingEngine=engine)
        survival = SurvivalCurve.from_hazard_rates(days / 365, hazards)
        ours = StandardCds(today, maturity).price(Curve(days / 365, np.exp(-logs)), survival)
        case = f"{today=} {maturity=} {days=} {forwards=} {hazards=}"
        assert ours.upfront == pytest.approx(theirs.fairUpfront(), rel=1e-10, abs=1e-12), case


# QuantLib test suite, creditdefaultswap.cpp, testCachedValue: semiannual premiums on 120 bp, sold on 9 June 2006,
# flat hazard of 1.234 % and rate of 6 %, both ACT/360; the premium of the day itself is paid.
CACHED_DATES = [
    *("2006-06-09", "2006-12-11", "2007-06-11", "2007-12-10", "2008-06-09", "2008-12-09", "2009-06-09", "2009-12-09"),
    *("2010-06-09", "2010-12-09", "2011-06-09", "2011-12-09", "2012-06-11", "2012-12-10", "2013-06-10", "2013-12-09"),
    *("2014-06-09", "2014-12-09", "2015-06-09"),
]


def test_midpoint_of_quantlibs_cached_value():
    dates = [dt.date.fromisoformat(date) for date in CACHED_DATES]
    days = np.array([(date - dates[0]).days for date in dates])
    schedule = PremiumSchedule(
        days[:-1] / 365, days[1:] / 365, days[1:] / 365, np.diff(days) / 360, float(days[-1] / 365)
    )
    legs = midpoint_legs(schedule, Curve.flat(0.06 * 365 / 360), SurvivalCurve.flat(0.01234 * 365 / 360))
    assert 1e4 * (0.012 * legs.annuity - 0.6 * legs.protection) == pytest.approx(295.0153398, abs=1e-6)
    assert 0.6 * legs.protection / legs.annuity == pytest.approx(0.007517539081, abs=1e-7)


def test_midpoint_comes_near_the_integral():
    terms = quarterly_schedule(5.0), Curve.flat(0.03), SurvivalCurve.flat(0.05)
    exact, rough = cds_legs(*terms), midpoint_legs(*terms)
    assert rough.protection == pytest.approx(exact.protection, rel=1e-4)
    assert rough.annuity == pytest.approx(exact.annuity, rel=1e-3)


# --- legs -------------------------------------------------------------------------------------------------


def test_legs_by_quadrature():
    discount, survival = Curve([0.7, 2.0, 4.0], [0.99, 0.93, 0.85]), SurvivalCurve([0.9, 1.5, 3.0], [0.95, 0.94, 0.8])
    schedule = quarterly_schedule(3.6)
    legs = cds_legs(schedule, discount, survival)
    knots = sorted({0.0, 0.7, 0.9, 1.5, 2.0, 3.0, *schedule.accrual_ends})

    def integral(amount):
        def flow(t):
            return amount(t) * survival.hazard_rate(t) * survival.survival(t) * discount.discount(t)

        return sum(integrate.quad(flow, a, b, epsabs=1e-14)[0] for a, b in itertools.pairwise(knots))

    def owed(t):
        return (t - schedule.accrual_starts[np.searchsorted(schedule.accrual_ends, t)]) * 365 / 360

    paid = sum(0.25 * 365 / 360 * discount.discount(t) * survival.survival(t) for t in schedule.payments)
    assert legs.protection == pytest.approx(integral(lambda _: 1.0), rel=1e-12)
    assert legs.premium == pytest.approx(paid + integral(owed), rel=1e-12)
    assert legs.accrued == pytest.approx((0.25 - schedule.payments[0]) * 365 / 360, rel=1e-13)


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-12, -1e-9, 1e-5, -0.1, 0.2499, 0.25, -0.25, 0.2501, 1.0, -3.0, 40.0])
def test_moments_of_the_exponential(x):
    u, weight = np.polynomial.legendre.leggauss(60)
    u, weight = 0.5 * (u + 1.0), 0.5 * weight
    columns = np.array([x])
    assert mean_decay(columns)[0] == pytest.approx((weight * np.exp(-x * u)).sum(), rel=3e-15)
    assert first_moment(columns)[0] == pytest.approx((weight * u * np.exp(-x * u)).sum(), rel=1e-14)


# --- schedules --------------------------------------------------------------------------------------------


def test_schedules_are_quantlibs(evaluation_date):
    rng = np.random.default_rng(22)
    for today, maturity in random_contracts(rng, 300):
        evaluation_date(today)
        swap = ql.MakeCreditDefaultSwap(ql_date(maturity), 0.01, nominal=1.0)
        theirs = [ql.as_coupon(flow) for flow in swap.coupons()]
        ours = imm_schedule(today, maturity)
        payments = [today + dt.timedelta(round(365 * t)) for t in ours.payments]
        assert [ql_date(day) for day in payments] == [coupon.date() for coupon in theirs], (today, maturity)
        fractions = [coupon.accrualPeriod() for coupon in theirs]
        np.testing.assert_allclose(ours.fractions, fractions, rtol=1e-14, err_msg=f"{today} {maturity}")


# "Standard CDS Examples. Supporting Document for the Implementation of the ISDA CDS Standard Model" (cdsmodel.com,
# 26 October 2012), section "Standardizing coupon dates": table 1 and examples 4a, 5a to 5d.


def test_published_schedule_of_a_year():
    schedule = imm_schedule(dt.date(2009, 2, 20), dt.date(2010, 3, 20))
    assert (schedule.fractions * 360).round().tolist() == [88, 94, 91, 91, 90]
    paid = [dt.date(2009, 2, 20) + dt.timedelta(round(365 * t)) for t in schedule.payments]
    assert [f"{day:%d%b%y}" for day in paid] == ["20Mar09", "22Jun09", "21Sep09", "21Dec09", "22Mar10"]
    assert dt.date(2009, 2, 20) - dt.timedelta(round(schedule.accrued * 360) - 1) == dt.date(2008, 12, 22)


@pytest.mark.parametrize(
    ("traded", "paid", "days"),
    [
        (dt.date(2009, 2, 20), dt.date(2009, 3, 20), 88),
        (dt.date(2009, 3, 18), dt.date(2009, 3, 20), 88),
        (dt.date(2009, 3, 19), dt.date(2009, 6, 22), 94),
        (dt.date(2009, 6, 20), dt.date(2009, 6, 22), 94),
        (dt.date(2009, 6, 21), dt.date(2009, 9, 21), 91),
    ],
)
def test_published_first_premiums(traded, paid, days):
    schedule = imm_schedule(traded, dt.date(2014, 6, 20))
    assert traded + dt.timedelta(round(365 * schedule.payments[0])) == paid
    assert round(schedule.fractions[0] * 360) == days


def test_published_premium_of_a_contract_in_its_last_period():
    schedule = imm_schedule(dt.date(2009, 5, 21), dt.date(2009, 6, 20))
    assert 1e7 * 0.01 * schedule.fractions == pytest.approx([25_833], abs=0.5)


def test_a_contract_that_ends_tomorrow_still_has_its_premium():
    schedule = imm_schedule(dt.date(2025, 6, 19), dt.date(2025, 6, 20))
    assert len(schedule.payments) == 1
    assert round(schedule.fractions[0] * 360) == 93  # 20 March to 20 June, that day included
    assert round(schedule.accrued * 360) == 92


@pytest.mark.parametrize(
    ("day", "expected"),
    [(dt.date(2025, 6, 20), 20), (dt.date(2025, 6, 21), 23), (dt.date(2025, 6, 22), 23), (dt.date(2025, 6, 23), 23)],
)
def test_next_weekday(day, expected):
    assert next_weekday(day) == dt.date(2025, 6, expected)


@pytest.mark.parametrize("maturity", [dt.date(2025, 6, 21), dt.date(2025, 5, 20), dt.date(2009, 3, 20)])
def test_maturities_that_are_not_standard(maturity):
    with pytest.raises(ModelError, match=rf"maturity={maturity} .* must be a 20 March"):
        imm_schedule(TRADED, maturity)


@pytest.mark.parametrize("years", [0.0, -1.0, math.nan, math.inf])
def test_years_that_are_none(years):
    with pytest.raises(ModelError, match="finite and above 0"):
        quarterly_schedule(years)


# --- analytics --------------------------------------------------------------------------------------------


def swap_of_2014(**terms):
    return StandardCds(TRADED, dt.date(2014, 6, 20), **{"coupon": 0.01, "recovery": 0.4, "notional": 1e7, **terms})


def test_a_coupon_that_is_the_spread_costs_nothing_clean():
    analytics = swap_of_2014(coupon=0.03).analytics(0.03, markit_curve())
    assert analytics.upfront == pytest.approx(0.0, abs=1e-7)
    assert analytics.par_spread == pytest.approx(0.03, rel=1e-14)
    assert analytics.dirty_upfront == pytest.approx(-1e7 * 0.03 * 63 / 360, rel=1e-12)


def test_sensitivities_are_differences_of_values():
    swap, curve = swap_of_2014(), markit_curve()
    here = swap.analytics(0.02, curve)
    assert here.cs01 == swap.analytics(0.0201, curve).value - here.value
    assert here.ir01 == swap.analytics(0.02, curve.shifted(1e-4)).value - here.value
    assert here.rec01 == pytest.approx(swap_of_2014(recovery=0.41).analytics(0.02, curve).value - here.value, abs=1e-6)
    assert here.jump_to_default == 6e6 - here.value
    assert here.value == pytest.approx(1e7 * 0.01 * here.risky_annuity, rel=1e-12)
    assert here.cs01 > 0.0 > here.ir01


def test_the_seller_has_it_the_other_way():
    buyer, seller = (swap_of_2014(notional=n).analytics(0.02, 0.03) for n in (1e7, -1e7))
    for field in fields(buyer):
        sign = 1.0 if field.name in {"par_spread", "risky_annuity"} else -1.0
        assert getattr(seller, field.name) == pytest.approx(sign * getattr(buyer, field.name), rel=1e-12), field.name


def test_recovery_with_no_step_left():
    assert math.isnan(swap_of_2014(recovery=0.995).analytics(0.0002, 0.03).rec01)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"recovery": 1.0}, "recovery=1.0 is not a share"),
        ({"recovery": math.nan}, "recovery=nan"),
        ({"coupon": math.inf}, "coupon=inf"),
        ({"notional": math.nan}, "notional=nan"),
    ],
)
def test_bad_terms(terms, message):
    with pytest.raises(ModelError, match=message):
        swap_of_2014(**terms)
    with pytest.raises(ModelError, match="must be a 20"):
        replace(swap_of_2014(), maturity=dt.date(2014, 6, 21))


@pytest.mark.parametrize("spread", [-0.01, math.nan, math.inf])
def test_bad_spreads(spread):
    with pytest.raises(ModelError, match="quoted spread must be finite and at least 0"):
        swap_of_2014().analytics(spread, 0.03)


def test_a_spread_no_hazard_gives():
    with pytest.raises(ModelError, match="no flat hazard rate gives a spread of 3000"):
        swap_of_2014().hazard(3000.0, 0.03)


@pytest.mark.parametrize("spread", [0.0, 1e-6, 0.01, 0.5, 5.0, 50.0])
@pytest.mark.parametrize("rate", [-0.05, 0.0, 0.3])
def test_flat_hazard_reprices(spread, rate):
    schedule = quarterly_schedule(4.9)
    legs = cds_legs(
        schedule, Curve.flat(rate), SurvivalCurve.flat(flat_hazard(schedule, spread, Curve.flat(rate), 0.3))
    )
    assert 0.7 * legs.protection == pytest.approx(spread * legs.annuity, rel=1e-12, abs=1e-15)


def test_hazard_root_of_curves_that_fool_the_secant():
    assert hazard_root(lambda h: math.atan(50.0 * (h - 0.3)), 900.0) == pytest.approx(0.3, rel=1e-14)
    assert hazard_root(lambda h: (h - 0.3) ** 9, 1.0) == pytest.approx(0.3, abs=1e-2)
    assert hazard_root(lambda h: -1.0 if h < 0.7 else 1.0, 0.1) == pytest.approx(0.7, rel=1e-14)
    assert hazard_root(lambda h: h, 1.0) == 0.0
    with pytest.raises(RootError, match="at a hazard rate of 0"):
        hazard_root(lambda h: h + 1.0, 1.0)
    with pytest.raises(RootError, match="at a hazard rate of 1024"):
        hazard_root(lambda _: -1.0, 1.0)

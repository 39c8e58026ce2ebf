"""Credit curves in the graph, and credit default swaps on them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import fields

import pytest

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph
from bank_python.errors import CurveError, InstrumentError, UpstreamError, ValuationError
from bank_python.instruments.cds import CreditDefaultSwap
from bank_python.instruments.credit_curve import CreditCurve
from bank_python.instruments.discount_curve import DiscountCurve
from bank_python.instruments.lookup import TermStructureNode
from bank_python.market_data import Clock, MarketData
from bank_python.risk_models.cds_analytics import cds_analytics
from bank_python.risk_models.cds_legs import cds_legs
from bank_python.risk_models.credit_bootstrap import bootstrap_survival
from bank_python.risk_models.curve import Curve, as_curve
from bank_python.risk_models.premium_schedule import quarterly_schedule

QUOTES = {"1Y": 0.010, "6M": 0.008, "5Y": 0.015, "3Y": 0.012}
TIMES, SPREADS = [0.5, 1.0, 3.0, 5.0], [0.008, 0.010, 0.012, 0.015]


class Discounts(TermStructureNode):
    """A discount curve that tilts around its first node when a leaf moves."""

    value_type = Curve

    def __init__(self, name, tilt):
        self.tilt = tilt
        super().__init__(name, [tilt])

    def compute(self, read):
        return Curve([1.0, 5.0, 10.0], [0.97, 0.84 + read(self.tilt), 0.7])

    def to_record(self):
        return {"name": self.name, "tilt": self.tilt}

    @classmethod
    def from_record(cls, fields):
        return cls(**fields)


def leaves():
    return {tenor: MarketData(f"F_{tenor}", spread) for tenor, spread in QUOTES.items()}


def make_curve(quotes=None, discount=0.03, **options):
    return CreditCurve("F_CURVE", spreads=quotes or leaves(), discount_source=discount, **options)


def by_curves(survival, discount, years, coupon, recovery=0.4):
    legs = cds_legs(quarterly_schedule(years), as_curve(discount), survival)
    return (1.0 - recovery) * legs.protection - coupon * legs.annuity


def test_the_value_is_the_bootstrap_of_the_quotes():
    curve = make_curve(recovery=0.35)
    expected = bootstrap_survival(TIMES, SPREADS, 0.03, 0.35)
    assert (curve.curve.log_survivals == expected.log_survivals).all()
    assert curve.survival(2.0) == expected.survival(2.0)
    assert curve.hazard_rate(2.0) == expected.hazard_rate(2.0)
    assert list(curve.spreads) == ["6M", "1Y", "3Y", "5Y"]


def test_a_tick_bootstraps_again():
    graph, quotes = DependencyGraph(), leaves()
    curve = graph.register(make_curve(quotes))
    before = curve.survival(5.0)
    quotes["5Y"].set_price(0.02)
    assert curve.survival(5.0) < before
    assert curve.survival(3.0) == bootstrap_survival(TIMES, SPREADS, 0.03).survival(3.0)


def test_quotes_that_no_curve_reprices_fail_the_node_until_the_next_good_tick():
    graph, quotes = DependencyGraph(), leaves()
    curve = graph.register(make_curve(quotes))
    swap = graph.register(CreditDefaultSwap("F", spread_source=curve, rate_source=0.03, notional=1e6, maturity=4.0))
    good = swap.value
    quotes["5Y"].set_price(0.001)
    with pytest.raises(CurveError, match=r"F_CURVE: no hazard rate reprices the 5-year swap at a spread of 0.001"):
        _ = curve.value
    with pytest.raises(UpstreamError, match="F has no value because F_CURVE failed"):
        _ = swap.value
    quotes["5Y"].set_price(0.015)
    assert swap.value == good


def test_an_input_that_fails_is_named():
    quotes = {**leaves(), "5Y": MarketData("F_5Y", 0.0, domain="positive")}
    curve = make_curve(quotes)
    with pytest.raises(UpstreamError, match="F_CURVE has no value because F_5Y failed"):
        _ = curve.value


def test_bumps_are_for_scenarios():
    graph, quotes = DependencyGraph(), leaves()
    curve = graph.register(make_curve(quotes))
    base = curve.survival(5.0)
    assert curve.bumped(1e-4) == {quotes[t]: QUOTES[t] + 1e-4 for t in QUOTES}
    assert curve.bumped(1e-4, ["3Y"]) == {quotes["3Y"]: 0.0121}
    with graph.scenario(curve.bumped(1e-4)):
        parallel = curve.survival(5.0)
    expected = bootstrap_survival(TIMES, [spread + 1e-4 for spread in SPREADS], 0.03).survival(5.0)
    assert parallel == pytest.approx(expected, rel=1e-14)
    assert curve.survival(5.0) == base


def test_what_cannot_be_bumped():
    with pytest.raises(InstrumentError, match="F_CURVE: none of these quotes is a leaf"):
        make_curve(QUOTES).bumped(1e-4)
    with pytest.raises(InstrumentError, match="F_CURVE has no quote of 4Y; there are 6M, 1Y, 3Y, 5Y"):
        make_curve().bumped(1e-4, ["4Y"])


def test_the_table_is_the_curve():
    curve = make_curve()
    rows = list(curve.to_table())
    assert [row["tenor"] for row in rows] == ["6M", "1Y", "3Y", "5Y"]
    for row, time, spread in zip(rows, TIMES, SPREADS, strict=True):
        assert (row["years"], row["spread"]) == (time, spread)
        assert row["survival"] == pytest.approx(curve.survival(time), rel=1e-15)
        assert row["hazard"] == curve.hazard_rate(time - 0.1)


def test_an_unchanged_curve_reprices_nothing():
    graph, quotes = DependencyGraph(), leaves()
    discount = graph.register(MarketData("FLAT", 0.03))
    rounded = graph.derive("ROUNDED", lambda rate: round(rate, 2), [discount])
    curve = graph.register(make_curve(quotes, rounded))
    watched = graph.derive("WATCHED", lambda _: object(), [curve])
    before = watched.value
    graph.swap(curve, rounded, discount)  # the same rate from another node: evaluated, and equal
    assert watched.value is before
    quotes["1Y"].set_price(0.0101)
    assert watched.value is not before


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"spreads": {}}, "needs a spread"),
        ({"spreads": {"5": 0.01}}, "C: '5' is no tenor"),
        ({"spreads": {"0Y": 0.01}}, "C: '0Y' is no tenor"),
        ({"spreads": {5.0: 0.01}}, "C: 5.0 is no tenor"),
        ({"spreads": {"1Y": 0.01, "12M": 0.01}}, "the same time"),
        ({"spreads": {"5Y": math.nan}}, "5Y=nan is neither"),
        ({"spreads": {"5Y": "0.01"}}, "5Y='0.01' is neither"),
        ({"spreads": {"5Y": True}}, "5Y=True is neither"),
        ({"discount_source": math.inf}, "discount_source=inf is neither"),
        ({"recovery": 1.0}, "recovery=1.0"),
    ],
)
def test_bad_terms(terms, message):
    with pytest.raises(InstrumentError, match=message):
        CreditCurve("C", **{"spreads": QUOTES, "discount_source": 0.03, **terms})


def test_a_quote_can_be_replaced_by_another_leaf():
    graph, quotes = DependencyGraph(), leaves()
    curve = graph.register(make_curve(quotes))
    other = graph.register(MarketData("OTHER", 0.02))
    graph.swap(curve, quotes["5Y"], other)
    assert curve.spreads["5Y"] is other
    assert curve.survival(5.0) == bootstrap_survival(TIMES, [*SPREADS[:3], 0.02], 0.03).survival(5.0)


# --- swaps on curves --------------------------------------------------------------------------------------


@pytest.mark.parametrize("years", [0.1, 1.0, 4.3, 8.0])
@pytest.mark.parametrize("coupon", [0.0, 0.01, 0.05])
def test_a_swap_on_two_curves_has_its_value_on_them(years, coupon):
    discounts = Discounts("OIS", MarketData("TILT", 0.01))
    curve = make_curve(discount=discounts)
    swap = CreditDefaultSwap(
        "F", spread_source=curve, rate_source=discounts, notional=1e7, coupon=coupon, maturity=years, recovery=0.3
    )
    expected = 1e7 * by_curves(curve.curve, discounts.value, years, coupon, recovery=0.3)
    assert swap.value == pytest.approx(expected, abs=1e7 * 1e-13)


def test_a_swap_on_the_discount_curve_of_deposits_and_swaps():
    rates = DiscountCurve(
        "OIS", deposits={"3M": 0.053}, swaps={"2Y": 0.047, "5Y": MarketData("USD_5Y", 0.04)}, as_of=dt.date(2024, 1, 16)
    )
    curve = make_curve(discount=rates)
    swap = CreditDefaultSwap("F", spread_source=curve, rate_source=rates, notional=1e7, coupon=0.05, maturity=4.3)
    expected = 1e7 * by_curves(curve.curve, rates.curve, 4.3, 0.05)
    assert swap.value == pytest.approx(expected, abs=1e7 * 1e-13)


@pytest.mark.parametrize("curved", ["spread", "rate"])
def test_one_source_may_be_a_curve_and_the_other_a_number(curved):
    discounts = Discounts("OIS", MarketData("TILT", 0.01))
    curve = make_curve(discount=discounts)
    if curved == "spread":
        rate = MarketData("RATE", 0.035)
        swap = CreditDefaultSwap("F", spread_source=curve, rate_source=rate, notional=1e7, maturity=4.0)
        expected = by_curves(curve.curve, 0.035, 4.0, 0.01)
    else:
        swap = CreditDefaultSwap("F", spread_source=0.02, rate_source=discounts, notional=1e7, maturity=4.0)
        expected = by_curves(bootstrap_survival([4.0], [0.02], discounts.value), discounts.value, 4.0, 0.01)
    assert swap.value == pytest.approx(1e7 * expected, abs=1e7 * 1e-13)


def test_ticks_reach_the_swap_through_either_curve():
    graph, quotes, tilt = DependencyGraph(), leaves(), MarketData("TILT", 0.01)
    discounts = Discounts("OIS", tilt)
    curve = make_curve(quotes, discounts)
    swap = graph.register(
        CreditDefaultSwap("F", spread_source=curve, rate_source=discounts, notional=1e7, maturity=4.0)
    )
    for leaf, level in ((quotes["5Y"], 0.018), (tilt, 0.015), (quotes["1Y"], 0.011)):
        leaf.set_price(level)
        expected = 1e7 * by_curves(curve.curve, discounts.value, 4.0, 0.01)
        assert swap.value == pytest.approx(expected, abs=1e-6), leaf.name


def test_time_passes_for_a_swap_on_curves():
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 2))
    curve = make_curve()
    swap = CreditDefaultSwap(
        "F", spread_source=curve, rate_source=0.03, notional=1e7, maturity=dt.date(2030, 6, 20), clock_source=clock
    )
    clock.roll(dt.date(2027, 3, 2))
    left = (dt.date(2030, 6, 20) - dt.date(2027, 3, 2)).days / 365
    assert swap.value == pytest.approx(1e7 * by_curves(curve.curve, 0.03, left, 0.01), abs=1e-6)
    clock.roll(dt.date(2031, 1, 1))
    assert swap.value == 0.0


def test_swaps_of_one_maturity_share_their_lookups():
    graph, discounts = DependencyGraph(), Discounts("OIS", MarketData("TILT", 0.01))
    curve = make_curve(discount=discounts)
    long, short = (
        graph.register(CreditDefaultSwap(name, spread_source=curve, rate_source=discounts, notional=notional))
        for name, notional in (("L", 1e7), ("S", -1e7))
    )
    assert long.underliers == short.underliers
    assert long.value == -short.value


def test_terms_of_a_lookup_cannot_be_amended():
    swap = CreditDefaultSwap("F", spread_source=make_curve(), rate_source=0.03, notional=1e6, maturity=4.0)
    before = swap.value
    with pytest.raises(
        InstrumentError, match="F: the lookup from its curve or surface uses the current coupon; create a new"
    ):
        swap.amend(coupon=0.05)
    assert swap.value == before
    swap.amend(notional=2e6)
    assert swap.value == pytest.approx(2.0 * before, rel=1e-15)


def test_a_lookup_that_the_source_does_not_support():
    with pytest.raises(InstrumentError, match="F_CURVE is a CreditCurve, which has no cds_flat_rate"):
        CreditDefaultSwap("F", spread_source=0.01, rate_source=make_curve(), notional=1e6)


# --- analytics --------------------------------------------------------------------------------------------


def test_analytics_are_the_formulas():
    clock, spread = Clock("CLOCK", origin=dt.date(2026, 1, 2)), MarketData("SPREAD", 0.02)
    swap = CreditDefaultSwap(
        "F", spread_source=spread, rate_source=0.03, notional=1e7, maturity=5.0, recovery=0.35, clock_source=clock
    )
    clock.roll(dt.date(2026, 3, 2))
    elapsed = (dt.date(2026, 3, 2) - dt.date(2026, 1, 2)).days / 365
    expected = cds_analytics(0.02, 0.03, 1e7, 0.01, 5.0, 0.35, elapsed)
    analytics = swap.analytics()
    for field in fields(expected):
        assert getattr(analytics, field.name) == getattr(expected, field.name), field.name
    assert analytics.value == swap.value


def test_analytics_on_a_curve_are_those_of_the_equivalent_spread():
    curve = make_curve()
    swap = CreditDefaultSwap("F", spread_source=curve, rate_source=0.03, notional=1e7, coupon=0.015, maturity=5.0)
    analytics = swap.analytics()
    assert analytics.par_spread == pytest.approx(0.015, rel=1e-12)
    assert analytics.upfront == pytest.approx(0.0, abs=1e-6)
    assert analytics.cs01 > 0.0


def test_bad_quotes_raise_an_error_with_the_reason():
    swap = CreditDefaultSwap("F", spread_source=MarketData("S", -0.01), rate_source=0.03, notional=1e6)
    with pytest.raises(ValuationError, match=r"F cannot be valued: spread=-0.01 is negative"):
        swap.analytics()
    swap = CreditDefaultSwap("F", spread_source=0.01, rate_source=0.03, notional=1e6)
    with pytest.raises(InstrumentError, match=r"recovery=1.0 is not a share"):
        swap.amend(recovery=1.0)
    swap.amend(recovery=0.4, notional=1e308)
    assert math.isfinite(swap.value)
    absurd = CreditDefaultSwap("F", spread_source=0.01, rate_source=MarketData("R", -400.0), notional=1e6)
    with pytest.raises(ValuationError, match=r"no finite value for .*rate=-400.0"):
        _ = absurd.value


# --- the store --------------------------------------------------------------------------------------------


def test_round_trip():
    curve = make_curve(discount=MarketData("SOFR", 0.03), recovery=0.35)
    swap = CreditDefaultSwap("F", spread_source=curve, rate_source=0.03, notional=1e6, maturity=4.0)
    with BarbaraDB.open("desk;default", path=":memory:") as store:
        store[curve.record_key] = curve
        store[swap.record_key] = swap
        again, swap_again = store[curve.record_key], store[swap.record_key]
    assert repr(again) == repr(curve)
    assert (again.curve.log_survivals == curve.curve.log_survivals).all()
    assert list(again.spreads) == list(curve.spreads)
    assert swap_again.value == swap.value

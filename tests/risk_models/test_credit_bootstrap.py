"""Credit curves reprice their quotes, or raise an error that names the quote that they cannot reprice."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CurveError
from bank_python.risk_models.cds import survival_probability
from bank_python.risk_models.cds_legs import cds_legs
from bank_python.risk_models.credit_bootstrap import bootstrap_survival
from bank_python.risk_models.curve import Curve, as_curve
from bank_python.risk_models.premium_schedule import quarterly_schedule
from bank_python.risk_models.survival import SurvivalCurve

TENORS = [0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0]


def value_at(curve, tenor, spread, discount, recovery):
    legs = cds_legs(quarterly_schedule(tenor), as_curve(discount), curve)
    return (1.0 - recovery) * legs.protection - spread * legs.annuity


@given(
    st.lists(st.floats(0.0, 0.4), min_size=7, max_size=7),
    st.lists(st.floats(-0.02, 0.1), min_size=3, max_size=3),
    st.floats(0.0, 0.9),
    st.floats(0.0, 0.2),
)
def test_a_curve_is_found_again_and_reprices_its_quotes(hazards, zero_rates, recovery, stretch):
    tenors = np.array(TENORS) * (1.0 + stretch)
    discount = Curve.from_zero_rates([1.0, 4.0, 9.0], zero_rates)
    truth = SurvivalCurve.from_hazard_rates(tenors, hazards)
    legs = [cds_legs(quarterly_schedule(tenor), discount, truth) for tenor in tenors]
    spreads = [(1.0 - recovery) * leg.protection / leg.annuity for leg in legs]
    curve = bootstrap_survival(tenors, spreads, discount, recovery)
    for tenor, spread in zip(tenors, spreads, strict=True):
        assert abs(value_at(curve, tenor, spread, discount, recovery)) <= 1e-12, (tenor, spread)
    np.testing.assert_allclose(curve.survival(tenors), truth.survival(tenors), atol=1e-12 / (1.0 - recovery))


@given(st.floats(0.0, 0.5), st.floats(-0.03, 0.1), st.floats(0.0, 0.9), st.floats(0.1, 12.0))
def test_one_quote_is_the_flat_curve_of_its_swap(spread, rate, recovery, tenor):
    curve = bootstrap_survival([tenor], [spread], rate, recovery)
    expected = survival_probability(spread, recovery=recovery, time=tenor, rate=rate)
    assert curve.survival(tenor) == pytest.approx(expected, abs=1e-13)


@given(st.floats(0.0001, 0.1), st.floats(0.0, 0.8))
def test_without_interest_equal_spreads_make_a_flat_hazard(spread, recovery):
    curve = bootstrap_survival(TENORS, [spread] * 7, 0.0, recovery)
    hazard = spread * 365 / 360 / (1.0 - recovery)
    np.testing.assert_allclose(curve.hazard_rate(np.array(TENORS) - 0.1), hazard, rtol=1e-10)


def test_a_quote_moves_no_node_before_its_own():
    spreads = np.array([0.008, 0.009, 0.01, 0.012, 0.015, 0.016, 0.017])
    before = bootstrap_survival(TENORS, spreads, 0.03)
    spreads[4] += 1e-4
    after = bootstrap_survival(TENORS, spreads, 0.03)
    assert (after.log_survivals[:4] == before.log_survivals[:4]).all()
    assert after.log_survivals[4] < before.log_survivals[4]


def test_near_quantlibs_bootstrap_of_dated_swaps():
    """Near, since QuantLib's swaps end on IMM dates, with an extra day, and ours on whole years."""
    today = ql.Date(20, 3, 2024)
    previous = ql.Settings.instance().evaluationDate
    ql.Settings.instance().evaluationDate = today
    try:
        act_365 = ql.Actual365Fixed()
        discount = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.03, act_365))
        quotes = {1: 0.01, 3: 0.014, 5: 0.02, 7: 0.022}
        helpers = [
            ql.SpreadCdsHelper(
                ql.QuoteHandle(ql.SimpleQuote(spread)),
                ql.Period(years, ql.Years),
                0,
                ql.WeekendsOnly(),
                ql.Quarterly,
                ql.Following,
                ql.DateGeneration.TwentiethIMM,
                ql.Actual360(),
                0.4,
                discount,
            )
            for years, spread in quotes.items()
        ]
        theirs = ql.PiecewiseFlatHazardRate(today, helpers, act_365)
        nodes = [(act_365.yearFraction(today, date), alive) for date, alive in theirs.nodes()][1:]
        expected = [theirs.survivalProbability(time) for time, _ in nodes]
    finally:
        ql.Settings.instance().evaluationDate = previous
    times = [time for time, _ in nodes]
    computed = bootstrap_survival(times, list(quotes.values()), 0.03).survival(times)
    np.testing.assert_allclose(computed, expected, atol=3e-4)


@pytest.mark.parametrize(
    ("tenors", "spreads", "recovery", "message"),
    [
        ([1.0, 3.0, 5.0], [0.05, 0.05, 0.01], 0.4, "5-year swap at a spread of 0.01, which falls too fast after 3"),
        ([1.0, 10.0], [0.01, 5.0], 0.4, "10-year swap at a spread of 5, which rises too fast after 1"),
        ([1.0], [5000.0], 0.4, "1-year swap at a spread of 5000, which rises too fast at this recovery"),
        ([], [], 0.4, "as many tenors"),
        ([1.0, 2.0], [0.01], 0.4, "as many tenors"),
        ([2.0, 1.0], [0.01, 0.01], 0.4, "increasing"),
        ([0.0], [0.01], 0.4, "above zero"),
        ([math.nan], [0.01], 0.4, "finite"),
        ([1.0, 2.0], [0.01, -0.01], 0.4, "spread at 2 years must be finite and at least 0, not -0.01"),
        ([1.0], [math.nan], 0.4, "spread at 1 years"),
        ([1.0], [0.01], 1.0, "recovery=1.0"),
    ],
)
def test_quotes_no_curve_meets(tenors, spreads, recovery, message):
    with pytest.raises(CurveError, match=message):
        bootstrap_survival(tenors, spreads, 0.03, recovery)


def test_the_error_carries_tenor_and_spread():
    with pytest.raises(CurveError) as caught:
        bootstrap_survival([1.0, 3.0], [0.05, 0.001], 0.03)
    assert caught.value.name == "3"
    assert caught.value.value == 0.001

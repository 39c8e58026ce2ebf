"""Flat spreads and rates in the place of curves: the value is the curves' to the last digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError, RootError
from bank_python.risk_models.cds import cds_value
from bank_python.risk_models.cds_equivalents import cds_flat_rate, cds_quoted_spread
from bank_python.risk_models.cds_legs import cds_legs
from bank_python.risk_models.credit_bootstrap import bootstrap_survival
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.premium_schedule import quarterly_schedule
from bank_python.risk_models.survival import SurvivalCurve

TIMES = [0.5, 2.0, 5.0]


@given(
    st.lists(st.floats(0.0, 0.5), min_size=3, max_size=3),
    st.lists(st.floats(0.0, 0.15), min_size=3, max_size=3),
    st.floats(1e-4, 12.0),
    st.floats(0.0, 0.1),
    st.floats(0.0, 0.9),
)
def test_the_value_is_the_curves(hazards, zero_rates, years, coupon, recovery):
    survival, discount = SurvivalCurve.from_hazard_rates(TIMES, hazards), Curve.from_zero_rates(TIMES, zero_rates)
    spread = cds_quoted_spread(survival, discount, years, coupon, recovery)
    rate = cds_flat_rate(discount, spread, years, recovery)
    legs = cds_legs(quarterly_schedule(years), discount, survival)
    expected = (1.0 - recovery) * legs.protection - coupon * legs.annuity
    assert cds_value(spread, rate, 1.0, coupon, years, recovery) == pytest.approx(expected, abs=1e-13)


def test_what_no_flat_spread_values_is_named():
    # Protection that is sure to pay late, where negative rates have made money dearer, is worth more than its face; a
    # flat hazard rate that makes default as sure makes it come early.
    survival, discount = (
        SurvivalCurve.from_hazard_rates(TIMES, [0.0, 0.0, 1.0]),
        Curve.from_zero_rates(TIMES, [0.0, 0.0, -0.015625]),
    )
    with pytest.raises(ModelError, match="no flat spread values a swap of 6 years"):
        cds_quoted_spread(survival, discount, 6.0, 0.0, 0.0)


@given(st.floats(0.0, 0.3), st.floats(-0.03, 0.15), st.floats(0.1, 12.0), st.floats(0.0, 0.9))
def test_flat_curves_are_their_own_equivalents(hazard, zero_rate, years, recovery):
    survival, discount = SurvivalCurve.flat(hazard), Curve.flat(zero_rate)
    legs = cds_legs(quarterly_schedule(years), discount, survival)
    spread = cds_quoted_spread(survival, zero_rate, years, 0.05, recovery)
    assert spread == pytest.approx((1.0 - recovery) * legs.protection / legs.annuity, rel=1e-12, abs=1e-14)
    assert cds_flat_rate(discount, spread, years, recovery) == pytest.approx(zero_rate, abs=1e-11)


def test_a_swap_at_the_curves_quote_is_quoted_there():
    tenors, spreads = [1.0, 3.0, 5.0], [0.01, 0.02, 0.025]
    discount = Curve([1.0, 5.0], [0.97, 0.83])
    survival = bootstrap_survival(tenors, spreads, discount)
    for tenor, spread in zip(tenors, spreads, strict=True):
        assert cds_quoted_spread(survival, discount, tenor, spread, 0.4) == pytest.approx(spread, rel=1e-12)
        # Another coupon has another equivalent, near it.
        off = cds_quoted_spread(survival, discount, tenor, 0.0, 0.4)
        assert off == pytest.approx(spread, rel=0.05)


def test_no_equivalent():
    survival = SurvivalCurve.flat(0.05)
    with pytest.raises(ModelError, match="no flat spread values a swap of 5 years and coupon -2 as the curve does"):
        cds_quoted_spread(SurvivalCurve([2.0, 5.0], [0.99, 0.1]), 0.03, 5.0, -2.0, 0.4)
    with pytest.raises(ModelError, match="finite and above 0"):
        cds_quoted_spread(survival, 0.03, 0.0, 0.01, 0.4)
    with pytest.raises(ModelError, match="quoted spread"):
        cds_flat_rate(Curve.flat(0.03), -0.01, 5.0, 0.4)
    assert issubclass(RootError, ModelError)


@pytest.mark.parametrize("hazard", [0.0, 1e-12, 5.0])
@pytest.mark.parametrize("years", [1e-6, 0.25, 30.0])
def test_edges(hazard, years):
    survival, discount = SurvivalCurve.flat(hazard), Curve([1.0, 30.0], np.exp([-0.01, -1.2]))
    spread = cds_quoted_spread(survival, discount, years, 0.01, 0.4)
    rate = cds_flat_rate(discount, spread, years, 0.4)
    assert math.isfinite(rate)
    legs = cds_legs(quarterly_schedule(years), discount, survival)
    expected = 0.6 * legs.protection - 0.01 * legs.annuity
    assert cds_value(spread, rate, 1.0, 0.01, years, 0.4) == pytest.approx(expected, abs=1e-13)

"""Bond prices against Hull, QuantLib and a plain sum over the flows."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given
from hypothesis import strategies as st

from bank_python.risk_models import bond_price

FREQUENCIES = [1.0, 2.0, 4.0, 12.0]


def summed(rate, face, coupon_rate, months, elapsed_months, frequency, compounding):
    """Sum the flows one by one, in whole months, each discounted by QuantLib."""
    if compounding == 0.0:
        yield_ = ql.InterestRate(rate, ql.SimpleDayCounter(), ql.Continuous, ql.Annual)
    else:
        yield_ = ql.InterestRate(rate, ql.SimpleDayCounter(), ql.Compounded, int(compounding))
    between = round(12 / frequency)
    dues = [due for due in range(months, 0, -between) if due > elapsed_months]
    flows = [(due, face * coupon_rate / frequency + (face if due == months else 0.0)) for due in dues]
    return math.fsum(amount * yield_.discountFactor((due - elapsed_months) / 12) for due, amount in flows)


@pytest.mark.parametrize(
    ("terms", "expected", "tolerance"),
    [
        # 6 % annual for 5 years at 5 %: 100 + 1 · (1 − 1.05⁻⁵)/0.05 = 104.3295
        ({"rate": 0.05, "face": 100.0, "coupon_rate": 0.06, "maturity": 5.0}, 104.3295, 5e-5),
        # Hull, Options, Futures, and Other Derivatives, "Duration": 3 years, 10 % semi-annual, 12 % continuous
        (
            {"rate": 0.12, "face": 100.0, "coupon_rate": 0.10, "maturity": 3.0, "frequency": 2.0, "compounding": 0.0},
            94.213,
            5e-4,
        ),
    ],
)
def test_published_values(terms, expected, tolerance):
    computed = bond_price(**terms)
    assert computed == pytest.approx(expected, abs=tolerance), f"{terms}: expected {expected}, computed {computed}"


@given(
    rate=st.floats(-0.05, 0.30),
    coupon_rate=st.floats(0.0, 0.15),
    months=st.integers(1, 480),
    part=st.floats(0.0, 1.1),
    frequency=st.sampled_from(FREQUENCIES),
    compounding=st.sampled_from([0.0, *FREQUENCIES]),
)
def test_against_the_sum_over_flows(rate, coupon_rate, months, part, frequency, compounding):
    elapsed = int(months * part)
    expected = summed(rate, 100.0, coupon_rate, months, elapsed, frequency, compounding)
    computed = bond_price(rate, 100.0, coupon_rate, months / 12, elapsed / 12, frequency, compounding)
    assert computed == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("frequency", [1, 2, 4])
@pytest.mark.parametrize("months_gone", [0, 1, 5, 6, 7, 30, 59])
def test_against_a_quantlib_bond(frequency, months_gone):
    issue = ql.Date(15, 1, 2025)
    day_counter = ql.Thirty360(ql.Thirty360.BondBasis)
    schedule = ql.Schedule(
        issue,
        issue + ql.Period(5, ql.Years),
        ql.Period(frequency),
        ql.NullCalendar(),
        ql.Unadjusted,
        ql.Unadjusted,
        ql.DateGeneration.Backward,
        False,
    )
    bond = ql.FixedRateBond(0, 100.0, schedule, [0.07], day_counter)
    settlement = issue + ql.Period(months_gone, ql.Months)
    flat = ql.InterestRate(0.045, day_counter, ql.Compounded, frequency)
    expected = ql.BondFunctions.cleanPrice(bond, flat, settlement) + ql.BondFunctions.accruedAmount(bond, settlement)
    computed = bond_price(0.045, 100.0, 0.07, 5.0, months_gone / 12, frequency)
    assert computed == pytest.approx(expected, rel=1e-12), f"{frequency=} {months_gone=} {expected=} {computed=}"


@given(st.floats(-0.02, 0.2), st.integers(1, 50), st.sampled_from(FREQUENCIES))
def test_a_bond_whose_coupon_is_its_yield_is_at_par(rate, years, frequency):
    assert bond_price(rate, 100.0, rate, years, frequency=frequency) == pytest.approx(100.0, rel=1e-12)


@given(st.floats(0.0, 0.15), st.floats(0.05, 40.0), st.floats(0.0, 39.0), st.sampled_from(FREQUENCIES))
def test_falls_and_is_convex_in_the_yield(coupon_rate, maturity, elapsed, frequency):
    prices = bond_price(np.linspace(-0.05, 0.30, 36), 100.0, coupon_rate, maturity, elapsed, frequency)
    slack = 1e-12 * prices.max()
    assert np.diff(prices).max() <= slack
    assert np.diff(prices, 2).min() >= -slack


@given(st.floats(0.0, 0.2), st.floats(0.5, 30.0), st.floats(0.0, 0.99))
def test_between_coupons_the_price_grows_at_the_yield(rate, maturity, part):
    # maturity − n for n the whole years is the first coupon; stay before it
    first = maturity - math.ceil(maturity - 1e-9) + 1.0
    now = bond_price(rate, 100.0, 0.06, maturity)
    later = bond_price(rate, 100.0, 0.06, maturity, elapsed=first * part)
    assert later == pytest.approx(now * (1.0 + rate) ** (first * part), rel=1e-11)


def test_a_coupon_is_paid_once_whatever_the_rounding():
    # Quarters and months as sums and differences of floats, not as exact multiples
    for frequency in FREQUENCIES:
        step = 1.0 / frequency
        for k in range(1, int(10 * frequency)):
            elapsed = math.fsum([step] * k)
            due_now = [
                bond_price(0.0, 100.0, 0.12, 10.0, time, frequency)
                for time in (elapsed, np.nextafter(elapsed, 0.0), np.nextafter(elapsed, 99.0))
            ]
            flows_left = int(10 * frequency) - k
            expected = 100.0 + flows_left * 12.0 / frequency
            assert due_now == pytest.approx([expected] * 3, rel=1e-12), (frequency, k)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        # rate, face, coupon_rate, maturity, elapsed, frequency, compounding
        ((0.05, 100.0, 0.06, 5.0, 5.0, 1.0, 1.0), 0.0),
        ((0.05, 100.0, 0.06, 5.0, 7.5, 1.0, 1.0), 0.0),
        ((0.05, 100.0, 0.06, 0.0, 0.0, 1.0, 1.0), 0.0),
        ((0.0, 100.0, 0.06, 5.0, 0.0, 1.0, 1.0), 130.0),
        ((0.0, 100.0, 0.06, 5.0, 0.0, 1.0, 0.0), 130.0),
        ((0.05, 100.0, 0.0, 10.0, 0.0, 1.0, 1.0), 100.0 * 1.05**-10),
        ((0.05, -100.0, 0.0, 10.0, 0.0, 1.0, 0.0), -100.0 * math.exp(-0.5)),
        ((1e-300, 100.0, 0.06, 5.0, 0.0, 1.0, 1.0), 130.0),
        ((0.08, 100.0, 0.06, 2.25, 0.0, 1.0, 1.0), 6 * 1.08**-0.25 + 6 * 1.08**-1.25 + 106 * 1.08**-2.25),
        # Ahead of its making: all flows, no more
        ((0.05, 100.0, 0.06, 2.0, -3.0, 1.0, 1.0), 6 * 1.05**-4 + 106 * 1.05**-5),
        ((-1.0, 100.0, 0.06, 5.0, 0.0, 1.0, 1.0), math.nan),
        ((-2.5, 100.0, 0.06, 5.0, 0.0, 2.0, 2.0), math.nan),
        ((-1.5, 100.0, 0.06, 5.0, 6.0, 1.0, 1.0), math.nan),
        ((-1.0, 100.0, 0.06, 5.0, 6.0, 1.0, 1.0), math.nan),
        ((-1.5, 100.0, 0.0, 1.0, 0.0, 1.0, 0.0), 100.0 * math.exp(1.5)),
        ((0.05, 100.0, 0.06, -1.0, 0.0, 1.0, 1.0), math.nan),
        ((0.05, 100.0, 0.06, 5.0, 0.0, 0.0, 1.0), math.nan),
        ((0.05, 100.0, 0.06, 5.0, 0.0, -1.0, 1.0), math.nan),
        ((0.05, 100.0, 0.06, 5.0, 0.0, 1.0, -1.0), math.nan),
    ],
)
def test_limits(terms, expected):
    computed = bond_price(*terms)
    assert computed == pytest.approx(expected, rel=1e-14, abs=0.0, nan_ok=True), f"{terms}: {expected=} {computed=}"


@pytest.mark.parametrize("position", range(7))
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_row_is_nan_and_does_not_affect_the_others(position, bad):
    good = [0.05, 100.0, 0.06, 5.0, 1.0, 2.0, 1.0]
    price = bond_price(*[[value, bad if k == position else value] for k, value in enumerate(good)])
    assert price[0] == bond_price(*good)
    assert math.isnan(price[1])


def test_by_default_the_yield_is_compounded_as_coupons_are_paid():
    defaults = bond_price(0.05, 100.0, 0.06, 5.0, frequency=FREQUENCIES)
    np.testing.assert_array_equal(defaults, bond_price(0.05, 100.0, 0.06, 5.0, 0.0, FREQUENCIES, FREQUENCIES))
    assert len(set(defaults.tolist())) == len(FREQUENCIES)


def test_shapes_and_types():
    assert type(bond_price(0.05, 100, 0.06, 5)) is float
    assert bond_price([[0.05], [0.06]], 100.0, 0.06, [1.0, 2.0, 30.0]).shape == (2, 3)

"""Power-law option prices against quadrature of the tail they integrate, and exact arithmetic."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from bank_python.risk_models import power_law_price as priced

EPS = np.finfo(np.float64).eps

spots = st.floats(0.5, 5000.0)
alphas = st.floats(1.05, 8.0)
up = st.floats(1.02, 6.0)
down = st.floats(0.02, 0.95)


def power_law_price(spot, anchor_price, anchor_strike, strike, alpha, is_call=True):
    anchor = {"anchor_price": anchor_price, "anchor_strike": anchor_strike}
    return priced(spot, strike, **anchor, alpha=alpha, is_call=is_call)


def exact_put_ratio(spot, anchor_strike, strike, alpha):
    """Return g(K)/g(K₁) with 120 digits, from the formula as it stands."""
    with localcontext() as context:
        context.prec = 120
        S, a = Decimal(spot), Decimal(alpha)

        def g(K):
            return (S - K) ** (1 - a) - S ** (-a) * ((a - 1) * K + S)

        return g(Decimal(strike)) / g(Decimal(anchor_strike))


@pytest.mark.parametrize(
    ("spot", "anchor_strike", "strike", "alpha", "expected"),
    [
        # Taleb et al., arXiv:1908.02347: C(K) = C(K₁) ((K − S)/(K₁ − S))^(1 − α)
        (100.0, 110.0, 120.0, 3.0, 0.25),
        (100.0, 110.0, 120.0, 2.0, 0.5),
        (100.0, 110.0, 150.0, 3.0, 0.04),
        (100.0, 110.0, 110.0, 2.5, 1.0),
    ],
)
def test_calls_relative_to_the_anchor(spot, anchor_strike, strike, alpha, expected):
    computed = power_law_price(spot, 7.0, anchor_strike, strike, alpha)
    assert computed == pytest.approx(7.0 * expected, rel=1e-14), f"{spot=} {anchor_strike=} {strike=} {alpha=}"


def test_a_put_by_hand():
    # α = 2, S = 100: g(K) = 1/(100 − K) − (K + 100)/10⁴, g(80) = 0.032, g(90) = 0.081
    assert power_law_price(100.0, 2.0, 90.0, 80.0, 2.0, is_call=False) == pytest.approx(2.0 * 0.032 / 0.081, rel=1e-14)


@given(spots, up, st.floats(1.0, 5.0), alphas)
def test_calls_against_quadrature_of_the_tail(spot, moneyness, further, alpha):
    def call(strike):
        # The tail above the spot is P(S_T − S > x) ∝ x^(−α); a call is the integral of (s − K) over its density.
        # s = S + (K − S)/u maps the tail to (0, 1].
        distance = strike - spot

        def integrand(u):
            x = distance / u
            return (x - distance) * alpha * x ** (-alpha - 1.0) * distance / (u * u)

        return integrate.quad(integrand, 0.0, 1.0, epsabs=0.0, epsrel=1e-9, limit=400)[0]

    # u^(α − 2) at the end of the range is integrable but not smooth; quadrature wants α clear of 1.
    alpha = max(alpha, 1.5)
    anchor_strike = spot * moneyness
    strike = spot + (anchor_strike - spot) * further
    expected = call(strike) / call(anchor_strike)
    assert power_law_price(spot, 1.0, anchor_strike, strike, alpha) == pytest.approx(expected, rel=1e-6)


@given(spots, down, down, alphas)
def test_puts_against_quadrature_of_the_tail(spot, anchor_moneyness, moneyness, alpha):
    def put(strike):
        # The distribution of the decline is P(S_T < s) ∝ (S − s)^(−α), less its value at s = 0, where the price stops.
        def mass(s):
            return (1.0 - s / spot) ** -alpha - 1.0

        return integrate.quad(mass, 0.0, strike, epsabs=0.0, epsrel=1e-12, limit=400)[0]

    expected = put(spot * moneyness) / put(spot * anchor_moneyness)
    computed = power_law_price(spot, 1.0, spot * anchor_moneyness, spot * moneyness, alpha, is_call=False)
    assert computed == pytest.approx(expected, rel=1e-9)


@given(
    spots,
    st.floats(-12.0, -1e-6),
    st.floats(-3.0, -1e-6),
    st.floats(-6.0, 1.2),
)
def test_puts_to_full_accuracy(spot, strike_exponent, anchor_exponent, beta_exponent):
    strike, anchor_strike = spot * 10.0**strike_exponent, spot * 10.0**anchor_exponent
    alpha = 1.0 + 10.0**beta_exponent
    expected = exact_put_ratio(spot, anchor_strike, strike, alpha)
    computed = power_law_price(spot, 1.0, anchor_strike, strike, alpha, is_call=False)
    # (1 − x)^(1 − α) is exp of a product that is rounded to EPS of its size.
    exponents = (1.0 - alpha) * (math.log((spot - strike) / spot) + math.log((spot - anchor_strike) / spot))
    error = abs(Decimal(computed) / expected - 1)
    assert error <= Decimal(10 * EPS * (1.0 + exponents)), f"{spot=} {anchor_strike=} {strike=} {alpha=} {computed=}"


@given(spots, up, up, down, down, alphas, st.floats(1e-3, 1e3))
def test_prices_scale_with_the_currency(spot, call_anchor, call_out, put_anchor, put_out, alpha, factor):
    for is_call, anchor, out in ((True, call_anchor, call_out), (False, put_anchor, put_out)):
        base = power_law_price(spot, 2.0, spot * anchor, spot * out, alpha, is_call)
        s = factor * spot
        scaled = power_law_price(s, factor * 2.0, factor * (spot * anchor), factor * (spot * out), alpha, is_call)
        assert scaled == pytest.approx(factor * base, rel=1e-12)


@given(spots, alphas, st.floats(1.05, 2.0))
def test_calls_fall_and_are_convex_in_strike(spot, alpha, anchor):
    strikes = spot * np.linspace(1.05, 3.0, 40)
    prices = power_law_price(spot, 1.0, spot * anchor, strikes, alpha)
    assert np.diff(prices).max() < 0.0
    assert np.diff(prices, 2).min() > -1e-14 * prices.max()


@given(spots, alphas, st.floats(0.3, 0.95))
def test_puts_rise_and_are_convex_in_strike(spot, alpha, anchor):
    strikes = spot * np.linspace(0.01, 0.95, 48)
    prices = power_law_price(spot, 1.0, spot * anchor, strikes, alpha, is_call=False)
    assert np.diff(prices).min() > 0.0
    assert np.diff(prices, 2).min() > -1e-14 * prices.max()


@given(spots, alphas, up, down)
def test_the_anchor_prices_itself_exactly(spot, alpha, call_strike, put_strike):
    assert power_law_price(spot, 3.25, spot * call_strike, spot * call_strike, alpha) == 3.25
    assert power_law_price(spot, 3.25, spot * put_strike, spot * put_strike, alpha, is_call=False) == 3.25


@given(spots, alphas, up, up, up)
def test_any_call_of_the_tail_can_be_the_anchor(spot, alpha, first, second, third):
    K1, K2, K3 = (spot * m for m in (first, second, third))
    via = power_law_price(spot, power_law_price(spot, 1.0, K1, K2, alpha), K2, K3, alpha)
    assert via == pytest.approx(power_law_price(spot, 1.0, K1, K3, alpha), rel=1e-12)


@given(st.floats(1.05, 2.0), st.floats(1.2, 5.0), alphas)
def test_fatter_tails_are_dearer_beyond_the_anchor(anchor, further, alpha):
    strike = 100.0 + 100.0 * (anchor - 1.0) * further
    fat, thin = power_law_price(100.0, 1.0, 100.0 * anchor, strike, [alpha, alpha + 0.5])
    assert fat > thin


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        # spot, anchor_price, anchor_strike, strike, alpha, is_call
        ((100.0, 1.0, 110.0, 120.0, 1.0, True), math.nan),
        ((100.0, 1.0, 110.0, 120.0, 0.5, True), math.nan),
        ((100.0, 1.0, 110.0, 100.0, 3.0, True), math.nan),
        ((100.0, 1.0, 110.0, 90.0, 3.0, True), math.nan),
        ((100.0, 1.0, 100.0, 110.0, 3.0, True), math.nan),
        ((100.0, 1.0, 90.0, 110.0, 3.0, True), math.nan),
        ((100.0, -1.0, 110.0, 120.0, 3.0, True), math.nan),
        ((0.0, 1.0, 110.0, 120.0, 3.0, True), math.nan),
        ((-5.0, 1.0, 110.0, 120.0, 3.0, True), math.nan),
        ((100.0, 0.0, 110.0, 120.0, 3.0, True), 0.0),
        ((100.0, 1.0, 90.0, 100.0, 3.0, False), math.nan),
        ((100.0, 1.0, 90.0, 110.0, 3.0, False), math.nan),
        ((100.0, 1.0, 100.0, 90.0, 3.0, False), math.nan),
        ((100.0, 1.0, 90.0, 0.0, 3.0, False), math.nan),
        ((100.0, 1.0, 90.0, -1.0, 3.0, False), math.nan),
        ((100.0, 1.0, 0.0, 90.0, 3.0, False), math.nan),
        ((100.0, 1.0, 90.0, 80.0, 1.0, False), math.nan),
        ((100.0, 0.0, 90.0, 80.0, 3.0, False), 0.0),
        # g is of order K² far down, even where K² itself is out of range
        ((1.0, 1.0, 2e-200, 1e-200, 3.0, False), 0.25),
    ],
)
def test_limits(terms, expected):
    computed = power_law_price(*terms)
    assert computed == pytest.approx(expected, rel=1e-15, abs=0.0, nan_ok=True), f"{terms}: {expected=} {computed=}"


@pytest.mark.parametrize("position", range(6))
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_row_is_nan_and_does_not_affect_the_others(position, bad):
    good = [100.0, 2.0, 110.0, 120.0, 3.0, 1.0]
    price = power_law_price(*[[term, bad if k == position else term] for k, term in enumerate(good)])
    assert price[0] == power_law_price(*good)
    assert math.isnan(price[1])


def test_shapes_and_types():
    assert type(power_law_price(100, 4, 110, 120, 3)) is float
    mixed = power_law_price(100.0, 2.0, [110.0, 90.0], [[120.0, 80.0], [130.0, 70.0]], 2.0, is_call=[True, False])
    assert mixed.shape == (2, 2)
    assert mixed[1, 1] == power_law_price(100.0, 2.0, 90.0, 70.0, 2.0, is_call=False)

"""Black-Scholes against QuantLib, exact arithmetic far out, and general properties.

Haug's and Hull's tables are in bank_python/verification/options.py, which tests/verification runs.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import integrate

from bank_python.risk_models import Greeks, black_scholes_greeks, black_scholes_price

EPS = np.finfo(np.float64).eps

spots = st.floats(1.0, 500.0)
moneyness = st.floats(-1.5, 1.5)
expiries = st.floats(0.01, 5.0)
rates = st.floats(-0.05, 0.15)
vols = st.floats(0.02, 1.0)


@st.composite
def contracts(draw):
    spot = draw(spots)
    strike = spot * math.exp(draw(moneyness))
    return {
        "spot": spot,
        "strike": strike,
        "expiry": draw(expiries),
        "rate": draw(rates),
        "vol": draw(vols),
        "dividend": draw(rates),
    }


def discounted(contract):
    forward = contract["spot"] * math.exp(-contract["dividend"] * contract["expiry"])
    strike = contract["strike"] * math.exp(-contract["rate"] * contract["expiry"])
    return forward, strike


@given(contracts(), st.booleans())
def test_price_and_greeks_against_quantlib(contract, is_call):
    S, T = contract["spot"], contract["expiry"]
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, contract["strike"])
    forward = S * math.exp((contract["rate"] - contract["dividend"]) * T)
    oracle = ql.BlackCalculator(payoff, forward, contract["vol"] * math.sqrt(T), math.exp(-contract["rate"] * T))
    scale = max(S, contract["strike"])
    price = black_scholes_price(**contract, is_call=is_call)
    greeks = black_scholes_greeks(**contract, is_call=is_call)
    assert price == pytest.approx(oracle.value(), rel=1e-11, abs=1e-13 * scale), contract
    assert greeks.delta == pytest.approx(oracle.delta(S), rel=1e-10, abs=1e-12), contract
    assert greeks.gamma == pytest.approx(oracle.gamma(S), rel=1e-10, abs=1e-12), contract
    assert greeks.vega == pytest.approx(oracle.vega(T), rel=1e-10, abs=1e-12 * scale), contract
    assert greeks.theta == pytest.approx(oracle.theta(S, T), rel=1e-9, abs=1e-10 * scale), contract
    assert greeks.rho == pytest.approx(oracle.rho(T), rel=1e-10, abs=1e-12 * scale), contract


@given(contracts(), st.booleans())
def test_greeks_are_the_derivatives_of_the_price(contract, is_call):
    deviation = contract["vol"] * math.sqrt(contract["expiry"])
    assume(deviation > 0.05)

    def derivative(term, step):
        # Fourth-order central difference
        def at(k):
            return black_scholes_price(**{**contract, term: contract[term] + k * step}, is_call=is_call)

        return (8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * step)

    def gamma():
        step = 0.02 * deviation * contract["spot"]
        deltas = [
            black_scholes_greeks(**{**contract, "spot": contract["spot"] + k * step}, is_call=is_call).delta
            for k in (-2, -1, 1, 2)
        ]
        return (8.0 * (deltas[2] - deltas[1]) - (deltas[3] - deltas[0])) / (12.0 * step)

    greeks = black_scholes_greeks(**contract, is_call=is_call)
    scale = max(contract["spot"], contract["strike"])
    assert greeks.delta == pytest.approx(derivative("spot", 0.01 * deviation * contract["spot"]), abs=1e-5)
    assert greeks.gamma * contract["spot"] == pytest.approx(gamma() * contract["spot"], rel=1e-4, abs=1e-4)
    assert greeks.vega == pytest.approx(derivative("vol", 0.01 * contract["vol"]), abs=1e-5 * scale)
    assert greeks.theta == pytest.approx(
        -derivative("expiry", 0.01 * contract["expiry"]), abs=1e-5 * scale / contract["expiry"]
    )
    assert greeks.rho == pytest.approx(derivative("rate", 1e-4), abs=1e-5 * scale)
    assert greeks.dividend_rho == pytest.approx(derivative("dividend", 1e-4), abs=1e-5 * scale)


@given(contracts(), st.booleans())
def test_second_order_greeks_are_the_derivatives_of_the_first(contract, is_call):
    deviation = contract["vol"] * math.sqrt(contract["expiry"])
    assume(deviation > 0.05)

    def derivative(greek, term, step):
        def at(k):
            greeks = black_scholes_greeks(**{**contract, term: contract[term] + k * step}, is_call=is_call)
            return getattr(greeks, greek)

        return (8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * step)

    greeks = black_scholes_greeks(**contract, is_call=is_call)
    scale, vol, T = max(contract["spot"], contract["strike"]), contract["vol"], contract["expiry"]
    assert greeks.vanna * vol == pytest.approx(derivative("delta", "vol", 0.005 * vol) * vol, abs=1e-4), contract
    by_spot = derivative("vega", "spot", 0.005 * deviation * contract["spot"])
    assert greeks.vanna * vol == pytest.approx(by_spot * vol, abs=1e-4), contract
    by_vol = derivative("vega", "vol", 0.005 * vol)
    assert greeks.volga * vol**2 == pytest.approx(by_vol * vol**2, abs=1e-4 * scale), contract
    assert greeks.charm * T == pytest.approx(-derivative("delta", "expiry", 0.005 * T) * T, abs=1e-4), contract


def test_the_price_among_the_greeks_is_the_price():
    rng = np.random.default_rng(5)
    terms = [rng.uniform(80, 120, 999), rng.uniform(80, 120, 999), rng.uniform(0, 2, 999), 0.03, rng.uniform(0, 1, 999)]
    np.testing.assert_array_equal(black_scholes_greeks(*terms).price, black_scholes_price(*terms))


def test_ten_thousand_random_contracts_against_quantlib():
    # The oracle's own error, its cumulative normal, shows where prices are tiny beside the spot.
    rng = np.random.default_rng(20261121)
    n = 10_000
    S, T = rng.uniform(1.0, 500.0, n), rng.uniform(0.003, 10.0, n)
    K, r, q = S * np.exp(rng.normal(0.0, 0.5, n)), rng.uniform(-0.05, 0.15, n), rng.uniform(-0.02, 0.1, n)
    vol, is_call = rng.uniform(0.02, 1.5, n), rng.integers(0, 2, n).astype(bool)
    ours = black_scholes_price(S, K, T, r, vol, q, is_call)
    kind = np.where(is_call, ql.Option.Call, ql.Option.Put).tolist()
    forward, root = S * np.exp((r - q) * T), vol * np.sqrt(T)
    theirs = np.array(
        [
            ql.blackFormula(kind[i], float(K[i]), float(forward[i]), float(root[i]), math.exp(-r[i] * T[i]))
            for i in range(n)
        ]
    )
    error = np.abs(ours - theirs) / np.maximum(theirs, 1e-4 * S)
    worst = int(error.argmax())
    inputs = {"S": S, "K": K, "T": T, "r": r, "q": q, "vol": vol, "call": is_call}
    assert error[worst] < 1e-10, {key: column[worst] for key, column in inputs.items()}


@given(contracts())
def test_put_call_parity(contract):
    forward, strike = discounted(contract)
    call, put = black_scholes_price(**contract, is_call=[True, False])
    assert call - put == pytest.approx(forward - strike, abs=4 * EPS * max(forward, strike, call, put))


@given(contracts())
def test_bounds(contract):
    forward, strike = discounted(contract)
    call, put = black_scholes_price(**contract, is_call=[True, False])
    slack = 1.0 + 8 * EPS
    assert max(forward - strike, 0.0) / slack - 4 * EPS * forward <= call <= forward * slack
    assert max(strike - forward, 0.0) / slack - 4 * EPS * strike <= put <= strike * slack


@given(contracts(), st.booleans())
def test_monotone_and_convex_in_strike(contract, is_call):
    strikes = contract["spot"] * np.linspace(0.2, 4.0, 39)
    prices = black_scholes_price(**{**contract, "strike": strikes}, is_call=is_call)
    slack = 1e-13 * strikes[-1]
    steps = np.diff(prices) * (-1.0 if is_call else 1.0)
    assert steps.min() >= -slack
    assert np.diff(prices, 2).min() >= -slack


@given(contracts(), st.floats(1e-3, 1.0), st.booleans())
def test_rises_with_vol(contract, more, is_call):
    base = black_scholes_price(**contract, is_call=is_call)
    raised = black_scholes_price(**{**contract, "vol": contract["vol"] + more}, is_call=is_call)
    assert raised >= base * (1.0 - 1e-12) - 1e-14 * contract["spot"]


@given(contracts(), st.floats(0.01, 100.0), st.booleans())
def test_prices_scale_with_the_currency(contract, factor, is_call):
    scaled = {**contract, "spot": factor * contract["spot"], "strike": factor * contract["strike"]}
    expected = factor * black_scholes_price(**contract, is_call=is_call)
    scale = factor * max(contract["spot"], contract["strike"])
    assert black_scholes_price(**scaled, is_call=is_call) == pytest.approx(expected, rel=1e-9, abs=1e-13 * scale)


def exact_otm_call(S, K, T, vol):
    """Price a call with no rates and −d₁, −d₂ > 6, to 40 digits, by the continued fraction of Mills' ratio."""
    with localcontext() as context:
        context.prec = 60
        S, K, T, vol = Decimal(S), Decimal(K), Decimal(T), Decimal(vol)
        deviation = vol * T.sqrt()
        z1 = -((S / K).ln() / deviation + deviation / 2)
        z2 = z1 + deviation

        def mills(z):
            fraction = z
            for k in range(400, 0, -1):
                fraction = z + k / fraction
            return 1 / fraction

        root_2pi = Decimal("2.50662827463100050241576528481104525300698674060993831662992")
        return float(S * (-z1 * z1 / 2).exp() / root_2pi * (mills(z1) - mills(z2)))


@pytest.mark.parametrize(
    ("S", "K", "T", "vol"),
    [
        (100.0, 150.0, 0.25, 0.10),
        (100.0, 200.0, 0.25, 0.125),
        (100.0, 1000.0, 1.0, 0.25),
        (100.0, 300.0, 1.0, 0.03125),
        (100.0, 101.0, 0.0625, 0.00390625),
        (100.0, 1e6, 4.0, 0.5),
        (100.0, 1e-3 * 2**30, 1.0, 1.0),
        (100.0, 1e5, 1.0, 0.1875),
        (100.0, 3e7, 1.0, 0.375),
        (100.0, 4e7, 1.0, 0.375),
    ],
)
def test_far_out_of_the_money_keeps_its_digits(S, K, T, vol):
    expected = exact_otm_call(S, K, T, vol)
    computed = black_scholes_price(S, K, T, 0.0, vol)
    h = math.log(K / S) / (vol * math.sqrt(T))
    # Rounding log(K/S) and σ√T alone costs ε h².
    allowed = 4 * EPS * (1 + h * h)
    assert computed == pytest.approx(expected, rel=allowed, abs=0.0), f"{S=} {K=} {T=} {vol=} {expected=} {computed=}"
    # The mirrored put, with spot and strike exchanged, is worth the same (no rates).
    assert black_scholes_price(K, S, T, 0.0, vol, is_call=False) == pytest.approx(expected, rel=allowed, abs=0.0)


@pytest.mark.parametrize("vol", [1e-9, 1e-6, 1e-3, 0.1, 0.399, 0.401, 1.0, 20.0])
def test_at_the_money_is_an_error_function(vol):
    # With S = K and no rates the price is S (2Φ(σ√T/2) − 1) = S erf(σ√T/√8).
    assert black_scholes_price(100.0, 100.0, 1.0, 0.0, vol) == pytest.approx(
        100.0 * math.erf(vol / math.sqrt(8.0)), rel=2e-15, abs=0.0
    )


def time_value_by_quadrature(spot, log_moneyness, deviation):
    """Integrate the vega S φ(d₁) over the standard deviation of the log price, from 0 up; no rates."""

    def vega(w):
        d1 = -log_moneyness / w + 0.5 * w
        return spot * math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)

    peak = min(math.sqrt(2.0 * abs(log_moneyness)), deviation)
    edges = [0.0, *sorted({peak, *(deviation * 2.0**-k for k in range(13))})]
    pieces = [(a, b) for a, b in itertools.pairwise(edges) if vega(b) > 1e-300]
    return math.fsum(integrate.quad(vega, a, b, epsabs=0.0, epsrel=1e-13)[0] for a, b in pieces)


@pytest.mark.parametrize("log_moneyness", [-1.0, 0.3, 1.9999, 2.0001, 4.0])
@pytest.mark.parametrize("deviation", [0.0399, 0.2, 0.3999, 0.4001, 1.0, 3.0])
def test_time_value_against_quadrature_across_its_regions(log_moneyness, deviation):
    strike = 100.0 * math.exp(log_moneyness)
    expected = max(100.0 - strike, 0.0) + time_value_by_quadrature(100.0, log_moneyness, deviation)
    assert black_scholes_price(100.0, strike, 1.0, 0.0, deviation) == pytest.approx(expected, rel=1e-11, abs=1e-300)


def test_a_hair_from_the_money_the_logarithm_is_not_rounded_away():
    hair = 2.0**-30
    expected = time_value_by_quadrature(1.0, math.log1p(hair), hair)
    assert black_scholes_price(1.0, 1.0 + hair, 1.0, 0.0, hair) == pytest.approx(expected, rel=1e-11, abs=0.0)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        # spot, strike, expiry, rate, vol, dividend, is_call
        ((105.0, 100.0, 0.0, 0.05, 0.2, 0.0, True), 5.0),
        ((105.0, 100.0, 0.0, 0.05, 0.2, 0.0, False), 0.0),
        ((100.0, 100.0, 0.0, 0.05, 0.2, 0.0, True), 0.0),
        ((100.0, 100.0, 1.0, 0.05, 0.0, 0.0, True), 100.0 - 100.0 * math.exp(-0.05)),
        ((100.0, 100.0, 1.0, 0.05, 0.0, 0.0, False), 0.0),
        ((100.0, 100.0, 1.0, 0.0, 0.0, 0.0, True), 0.0),
        ((100.0, 0.0, 2.0, 0.05, 0.2, 0.03, True), 100.0 * math.exp(-0.06)),
        ((100.0, 0.0, 2.0, 0.05, 0.2, 0.03, False), 0.0),
        ((0.0, 100.0, 2.0, 0.05, 0.2, 0.03, True), 0.0),
        ((0.0, 100.0, 2.0, 0.05, 0.2, 0.03, False), 100.0 * math.exp(-0.10)),
        ((0.0, 0.0, 2.0, 0.05, 0.2, 0.03, True), 0.0),
        ((100.0, 100.0, 1.0, 0.0, 1e6, 0.0, True), 100.0),
        ((100.0, 1e300, 1.0, 0.0, 0.2, 0.0, True), 0.0),
        ((100.0, 200.0, 1.0, 0.0, 1e-300, 0.0, True), 0.0),
        ((100.0, 200.0, 1.0, 0.0, 5e-324, 0.0, False), 100.0),
        ((1e-300, 1e300, 1.0, 0.0, 0.2, 0.0, False), 1e300),
    ],
)
def test_limits(terms, expected):
    computed = black_scholes_price(*terms)
    assert computed == pytest.approx(expected, rel=2e-15, abs=0.0), f"{terms}: expected {expected}, computed {computed}"


@pytest.mark.parametrize("position", range(7))
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0])
def test_a_bad_row_is_nan_and_does_not_affect_the_others(position, bad):
    good = [100.0, 95.0, 0.5, 0.03, 0.2, 0.01, 1.0]
    if bad == -1.0 and position in {3, 5, 6}:
        return  # rates may be negative, and any number but 0 reads as a call
    columns = [[value, bad if k == position else value] for k, value in enumerate(good)]
    price = black_scholes_price(*columns)
    assert price[0] == black_scholes_price(*good)
    assert math.isnan(price[1])
    greeks = black_scholes_greeks(*columns)
    for field in dataclasses.fields(Greeks):
        value = getattr(greeks, field.name)
        assert value[0] == getattr(black_scholes_greeks(*good), field.name)
        assert math.isnan(value[1])


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        # Expired in and out of the money: delta 1 or 0, nothing else but the carry
        ((110.0, 100.0, 0.0, 0.05, 0.2, 0.0, True), (1.0, 0.0, 0.0, -5.0, 0.0)),
        ((90.0, 100.0, 0.0, 0.05, 0.2, 0.0, True), (0.0, 0.0, 0.0, 0.0, 0.0)),
        ((90.0, 100.0, 0.0, 0.05, 0.2, 0.0, False), (-1.0, 0.0, 0.0, 5.0, 0.0)),
        # Without volatility a forward
        ((110.0, 100.0, 1.0, 0.0, 0.0, 0.0, True), (1.0, 0.0, 0.0, 0.0, 100.0)),
        # Struck at 0: the share itself
        ((110.0, 0.0, 1.0, 0.05, 0.2, 0.0, True), (1.0, 0.0, 0.0, 0.0, 0.0)),
        ((0.0, 0.0, 1.0, 0.05, 0.2, 0.0, True), (1.0, 0.0, 0.0, 0.0, 0.0)),
        # On the strike at expiry: the kink
        ((100.0, 100.0, 0.0, 0.0, 0.2, 0.0, True), (0.5, math.inf, 0.0, -math.inf, 0.0)),
    ],
)
def test_limits_of_the_greeks(terms, expected):
    greeks = black_scholes_greeks(*terms)
    computed = (greeks.delta, greeks.gamma, greeks.vega, greeks.theta, greeks.rho)
    assert computed == pytest.approx(expected, rel=1e-14, abs=0.0), f"{terms}: expected {expected}, computed {computed}"


def test_theta_is_what_a_day_costs():
    terms = {"strike": 100.0, "rate": 0.03, "vol": 0.2, "dividend": 0.01}
    day = 1.0 / 365.0
    change = black_scholes_price(100.0, expiry=0.5 - day, **terms) - black_scholes_price(100.0, expiry=0.5, **terms)
    assert change == pytest.approx(black_scholes_greeks(100.0, expiry=0.5, **terms).theta * day, rel=5e-3)


def test_shapes_and_types():
    assert type(black_scholes_price(100, 100, 1, 0, 0.2)) is float
    grid = black_scholes_price(
        np.array([90.0, 100.0, 110.0])[:, None], [95.0, 105.0], 1.0, 0.0, 0.2, is_call=[True, False]
    )
    assert grid.shape == (3, 2)
    assert grid[2, 1] == black_scholes_price(110.0, 105.0, 1.0, 0.0, 0.2, is_call=False)
    greeks = black_scholes_greeks(100.0, 100.0, 1.0, 0.0, 0.2)
    assert all(type(getattr(greeks, field.name)) is float for field in dataclasses.fields(Greeks))
    assert black_scholes_greeks([100.0, 101.0], 100.0, 1.0, 0.0, 0.2).rho.shape == (2,)
    with pytest.raises(dataclasses.FrozenInstanceError):
        greeks.delta = 0.0
    with pytest.raises(ValueError, match="shape"):
        black_scholes_price([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 0.0, 0.2)

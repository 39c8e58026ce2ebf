"""Merton's jump diffusion against QuantLib, Fourier inversion, its limits and general properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import poisson

from bank_python.errors import ModelError
from bank_python.risk_models import black_scholes_price
from bank_python.risk_models.merton import MertonJumpDiffusion
from bank_python.risk_models.merton import merton_price as priced

parameters = st.tuples(st.floats(0.02, 0.6), st.floats(0.0, 8.0), st.floats(-0.5, 0.3), st.floats(0.0, 0.4))


def merton_price(spot, strike, expiry, rate, vol, intensity, mean, deviation, dividend=0.0, is_call=True):
    jumps = {"jump_intensity": intensity, "jump_mean": mean, "jump_vol": deviation}
    return priced(spot, strike, expiry, rate, vol, dividend, is_call, **jumps)


@settings(max_examples=60)
@given(
    parameters.filter(lambda model: model[0] > 0.1), st.floats(0.2, 3.0), st.floats(-0.02, 0.1), st.floats(-0.6, 0.6)
)
def test_against_fourier_inversion(model, expiry, rate, x):
    # A. Lewis's integral along Im u = −1/2 of the closed characteristic function: no series in it.
    process = MertonJumpDiffusion(*model)
    forward = 100.0 * math.exp(rate * expiry)
    strike = forward * math.exp(-x)

    def integrand(u):
        return (np.exp(1j * u * x) * process.characteristic_function(u - 0.5j, expiry)).real / (u * u + 0.25)

    last = 9.0 / (model[0] * math.sqrt(expiry)) + 10.0
    integral = quad(integrand, 0.0, last, limit=2000, epsabs=1e-12)[0]
    expected = math.exp(-rate * expiry) * (forward - math.sqrt(forward * strike) / math.pi * integral)
    assert process.price(100.0, strike, expiry, rate) == pytest.approx(expected, abs=1e-8), (model, expiry, rate, x)


def test_ten_thousand_random_contracts_against_a_series_written_apart():
    # Merton (1976), equation 19, term by term with another library's Black formula and Poisson distribution.
    rng = np.random.default_rng(7)
    n = 10_000
    S, T = rng.uniform(10.0, 300.0, n), rng.uniform(0.02, 5.0, n)
    K, r, q = S * np.exp(rng.normal(0.0, 0.4, n)), rng.uniform(-0.03, 0.1, n), rng.uniform(0.0, 0.05, n)
    vol, intensity = rng.uniform(0.05, 0.8, n), rng.uniform(0.0, 3.0, n)
    mean, deviation = rng.normal(-0.1, 0.15, n), rng.uniform(0.0, 0.3, n)
    is_call = rng.integers(0, 2, n).astype(bool)
    ours = merton_price(S, K, T, r, vol, intensity, mean, deviation, q, is_call)
    picked = rng.choice(n, 400, replace=False)
    for i in picked:
        size = mean[i] + 0.5 * deviation[i] ** 2
        jumps = np.arange(80)
        weights = poisson.pmf(jumps, intensity[i] * T[i])
        forwards = S[i] * np.exp((r[i] - q[i] - intensity[i] * math.expm1(size)) * T[i] + jumps * size)
        deviations = np.sqrt(vol[i] ** 2 * T[i] + jumps * deviation[i] ** 2)
        kind = ql.Option.Call if is_call[i] else ql.Option.Put
        terms = [
            ql.blackFormula(kind, float(K[i]), float(f), float(d), math.exp(-r[i] * T[i]))
            for f, d in zip(forwards, deviations, strict=True)
        ]
        assert ours[i] == pytest.approx(math.fsum(weights * terms), rel=1e-10, abs=1e-14 * S[i]), i
    other = merton_price(S, K, T, r, vol, intensity, mean, deviation, q, ~is_call)
    parity = np.where(is_call, ours - other, other - ours)
    np.testing.assert_allclose(parity, S * np.exp(-q * T) - K * np.exp(-r * T), atol=1e-10)


@given(st.floats(50.0, 200.0), st.floats(0.0, 3.0), st.floats(0.0, 0.8))
def test_without_jumps_it_is_black_scholes(strike, expiry, vol):
    expected = black_scholes_price(100.0, strike, expiry, 0.03, vol, 0.01)
    assert merton_price(100.0, strike, expiry, 0.03, vol, 0.0, -0.2, 0.3, 0.01) == pytest.approx(expected, rel=1e-14)
    assert merton_price(100.0, strike, expiry, 0.03, vol, 2.0, 0.0, 0.0, 0.01) == pytest.approx(
        expected, rel=1e-13, abs=1e-13
    )


@settings(max_examples=40)
@given(parameters, st.floats(0.01, 5.0))
def test_bounds_monotone_and_convex(model, expiry):
    strikes = np.linspace(20.0, 300.0, 57)
    call = merton_price(100.0, strikes, expiry, 0.02, *model)
    put = merton_price(100.0, strikes, expiry, 0.02, *model, 0.0, False)
    discounted = strikes * math.exp(-0.02 * expiry)
    np.testing.assert_allclose(call - put, 100.0 - discounted, atol=1e-11)
    assert (call >= np.maximum(100.0 - discounted, 0.0) - 1e-12).all()
    assert (np.diff(call) <= 1e-12).all()
    assert (np.diff(call, 2) >= -1e-11).all()


def test_many_small_jumps_are_a_diffusion():
    # 20,000 jumps a year of 0.1 %: a volatility of √(20000) · 0.001
    computed = merton_price(100.0, 105.0, 1.0, 0.02, 0.1, 2e4, 0.0, 1e-3)
    assert computed == pytest.approx(black_scholes_price(100.0, 105.0, 1.0, 0.02, math.sqrt(0.01 + 0.02)), rel=1e-5)


def test_cumulants_are_those_of_the_characteristic_function():
    process = MertonJumpDiffusion(0.2, 1.3, -0.1, 0.25)
    h = 0.02
    u = np.arange(-4, 5) * h
    logs = np.log(process.characteristic_function(u, 2.0))
    first, second, third, fourth = process.cumulants(2.0)
    assert (logs[5] - logs[3]).imag / (2 * h) == pytest.approx(first, rel=1e-3)
    assert -(logs[5] - 2 * logs[4] + logs[3]).real / h**2 == pytest.approx(second, rel=1e-3)
    slope = (logs[6] - 2 * logs[5] + 2 * logs[3] - logs[2]).imag / (2 * h**3)
    assert -slope == pytest.approx(third, rel=1e-2)
    curvature = (logs[6] - 4 * logs[5] + 6 * logs[4] - 4 * logs[3] + logs[2]).real / h**4
    assert curvature == pytest.approx(fourth, rel=1e-2)
    assert process.characteristic_function(-1j, 2.0) == pytest.approx(1.0)
    assert process.total_vol**2 * 2.0 == pytest.approx(second)


def test_the_error_bound_holds():
    process = MertonJumpDiffusion(0.2, 4.0, -0.1, 0.3)
    for terms in (3, 6, 12, 25):
        bound = process.error_bound(terms, 1.0)
        means = (4.0, 4.0 * (1.0 + process.mean_jump))
        assert bound == pytest.approx(max(poisson.sf(terms - 1, mean) for mean in means), rel=1e-9)
        cut = sum(poisson.pmf(n, 4.0) * merton_given(process, n) for n in range(terms))
        assert 0.0 <= process.price(100.0, 100.0, 1.0, 0.0) - cut <= bound * 100.0
    assert MertonJumpDiffusion(0.2, 0.0, 0.0, 0.1).error_bound(1, 1.0) == 0.0


def merton_given(process, n):
    size = process.jump_mean + 0.5 * process.jump_vol**2
    forward = 100.0 * math.exp(-process.jump_intensity * process.mean_jump + n * size)
    return black_scholes_price(forward, 100.0, 1.0, 0.0, math.sqrt(process.vol**2 + n * process.jump_vol**2))


def test_limits():
    model = (0.2, 1.0, -0.1, 0.2)
    assert merton_price(110.0, 100.0, 0.0, 0.05, *model) == 10.0
    assert merton_price(100.0, 0.0, 1.0, 0.05, *model, 0.02) == pytest.approx(100.0 * math.exp(-0.02), rel=1e-14)
    assert merton_price([], 100.0, 1.0, 0.0, *model).shape == (0,)
    assert math.isnan(merton_price(100.0, 100.0, 1.0, 0.0, 0.2, 1e9, 0.0, 0.1))


@pytest.mark.parametrize("position", [0, 1, 2, 4, 5, 7])
def test_nonsense_is_nan_and_alone(position):
    terms = [np.full(5, value) for value in (100.0, 100.0, 1.0, 0.01, 0.2, 1.5, -0.1, 0.2)]
    clean = merton_price(*terms)
    terms[position][2] = -2.0
    computed = merton_price(*terms)
    assert math.isnan(computed[2])
    np.testing.assert_array_equal(np.delete(computed, 2), np.delete(clean, 2))


@pytest.mark.parametrize(
    ("given_parameters", "message"),
    [
        ((-0.1, 1.0, 0.0, 0.1), "vol=-0.1 is not a finite number of at least 0"),
        ((0.1, -1.0, 0.0, 0.1), "jump_intensity=-1.0"),
        ((0.1, 1.0, math.nan, 0.1), "jump_mean=nan is not a finite number;"),
        ((0.1, 1.0, 0.0, math.inf), "jump_vol=inf"),
    ],
)
def test_bad_parameters(given_parameters, message):
    with pytest.raises(ModelError, match=message):
        MertonJumpDiffusion(*given_parameters)

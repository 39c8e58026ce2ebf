"""Raw SVI: published smiles, the closed-form derivatives, wings, jump wings and back."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.risk_models.svi import JumpWings, SviSlice, svi_butterfly_g, svi_total_variance

# Axel Vogt's smile: Gatheral and Jacquier (2014), Quantitative Finance 14, example 3.1 (T = 1).
VOGT = SviSlice(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)

# The same smile in jump wings: Gatheral and Jacquier (2014), example 5.1.
VOGT_WINGS = {"v": 0.01742625, "psi": -0.1752111, "p": 0.6997381, "c": 1.316798, "v_tilde": 0.0116249}

slices = st.builds(
    SviSlice,
    a=st.floats(0.001, 0.2),
    b=st.floats(0.01, 0.8),
    rho=st.floats(-0.95, 0.95),
    m=st.floats(-0.5, 0.5),
    sigma=st.floats(0.02, 1.0),
)


@pytest.mark.parametrize(("name", "expected"), VOGT_WINGS.items())
def test_jump_wings_of_vogts_smile(name, expected):
    computed = getattr(VOGT.to_jump_wings(1.0), name)
    assert computed == pytest.approx(expected, abs=5e-6), f"{name} of {VOGT}: {computed}, published {expected}"


def test_vogts_smile_has_a_butterfly_arbitrage():
    # Figure 1 of the paper shows it between k = 0.6 and 1.3; the minimum is a regression value (dense grid).
    lowest = VOGT.minimum_g()
    assert lowest.value == pytest.approx(-0.0328635734535, abs=1e-11)
    assert lowest.where == pytest.approx(0.879263, abs=1e-6)
    assert np.all(VOGT.g([0.642, 1.257]) > 0.0)
    assert np.all(VOGT.g([0.643, 1.256]) < 0.0)


def test_ssvi_wings_repair_vogts_smile():
    # Gatheral and Jacquier (2014), section 5.1: c* = p + 2 psi, v~* = v 4 p c* / (p + c*)^2.
    wings = VOGT.to_jump_wings(1.0)
    c = wings.p + 2.0 * wings.psi
    v_tilde = wings.v * 4.0 * wings.p * c / (wings.p + c) ** 2
    assert c == pytest.approx(0.3493158, abs=5e-6)
    assert v_tilde == pytest.approx(0.01548182, abs=5e-7)
    repaired = SviSlice.from_jump_wings(JumpWings(wings.v, wings.psi, wings.p, c, v_tilde), 1.0)
    raw = (0.00774091242036558, 0.06924203448893687, -0.33403648061147906, 0.04203374522958454, 0.11860780291327253)
    assert repaired.parameters == pytest.approx(raw, abs=1e-12)
    assert svi_butterfly_g(np.linspace(-1.5, 1.5, 300_001), *raw).min() == pytest.approx(0.277826, abs=1e-5)
    assert repaired.minimum_g().value > 0.0


def test_variance_at_the_vertex():
    # QuantLib test-suite, svivolatility.cpp: w(m) = a + b sigma.
    assert svi_total_variance(0.193, -0.0666, 0.229, 0.439, 0.193, 0.337) == pytest.approx(0.010573, abs=1e-12)


@given(slices, st.floats(-3.0, 3.0))
def test_derivatives_against_differences(smile, k):
    h = 1e-4 * smile.sigma
    found = smile.derivatives(k)
    low, mid, high = (smile.total_variance(k + step) for step in (-h, 0.0, h))
    assert found.variance == mid
    assert found.slope == pytest.approx((high - low) / (2 * h), abs=1e-6 * smile.b)
    assert found.curvature == pytest.approx((high - 2 * mid + low) / h**2, abs=2e-4 * smile.b / smile.sigma)


@given(slices, st.floats(-2.0, 2.0))
def test_g_is_the_density_of_black_prices(smile, k):
    # Gatheral and Jacquier (2014), section 2.2: density = g / sqrt(2 pi w) exp(-d2^2 / 2), a second difference here.
    from math import erf, exp, log, sqrt

    def call(strike):
        w = smile.total_variance(log(strike))
        d1 = -log(strike) / sqrt(w) + sqrt(w) / 2
        cdf = [0.5 * (1 + erf(d / sqrt(2))) for d in (d1, d1 - sqrt(w))]
        return cdf[0] - strike * cdf[1]

    strike = exp(k)
    h = 2e-3 * strike * min(smile.sigma, 0.2)
    second = (call(strike + h) - 2 * call(strike) + call(strike - h)) / h**2
    w = smile.total_variance(k)
    d2 = -k / sqrt(w) - sqrt(w) / 2
    density = smile.g(k) * exp(-(d2**2) / 2) / sqrt(2 * math.pi * w) / strike
    assert second == pytest.approx(density, rel=2e-2, abs=2e-3)


@given(slices)
def test_minimum_g_is_no_higher_than_a_dense_scan(smile):
    lowest = smile.minimum_g()
    k = np.concatenate([np.linspace(-5, 5, 20_001), np.geomspace(5, 1e6, 500), -np.geomspace(5, 1e6, 500)])
    assert lowest.value <= smile.g(k).min() + 1e-9
    if math.isfinite(lowest.where):
        assert smile.g(lowest.where) == pytest.approx(lowest.value, abs=1e-12)


@given(slices)
def test_wings(smile):
    left, right = smile.wing_slopes
    assert smile.derivatives(-1e7).slope == pytest.approx(-left, abs=1e-9)
    assert smile.derivatives(1e7).slope == pytest.approx(right, abs=1e-9)
    assert smile.g(1e9) == pytest.approx((4 - right**2) / 16, abs=1e-6)
    assert smile.minimum_variance <= np.min(smile.total_variance(smile.points())) + 1e-12


def test_a_steep_wing_shows_in_g():
    steep = SviSlice(0.04, 1.5, 0.5, 0.0, 0.2)
    assert steep.wing_slopes == (0.75, 2.25)
    assert steep.minimum_g().value < 0.0


def test_variance_not_above_zero_is_the_worst():
    assert SviSlice(-0.1, 0.1, 0.0, 0.0, 0.2).minimum_g().value == -math.inf


@settings(max_examples=200)
@given(slices, st.floats(0.05, 5.0))
def test_jump_wings_round_trip(smile, T):
    wings = smile.to_jump_wings(T)
    beta = smile.m / math.hypot(smile.m, smile.sigma)
    if abs(beta - smile.rho) < 1e-3:
        return  # the vertex is at the money, where the wings do not determine its roundness
    back = SviSlice.from_jump_wings(wings, T)
    k = np.linspace(-1.0, 1.0, 11)
    assert back.total_variance(k) == pytest.approx(smile.total_variance(k), rel=1e-6), (smile, T)


def test_jump_wings_with_the_vertex_at_zero():
    smile = SviSlice(0.02, 0.2, -0.4, 0.0, 0.3)
    assert SviSlice.from_jump_wings(smile.to_jump_wings(0.5), 0.5).parameters == pytest.approx(
        smile.parameters, abs=1e-14
    )


@pytest.mark.parametrize(
    "wings",
    [
        JumpWings(0.04, 0.6, 0.5, 0.5, 0.03),
        JumpWings(0.04, 0.0, 0.5, 0.5, 0.03),
        JumpWings(0.04, -0.1, 0.5, 0.5, 0.05),
        JumpWings(-0.04, -0.1, 0.5, 0.5, 0.03),
        JumpWings(0.04, -0.1, 0.0, 0.0, 0.03),
        JumpWings(math.nan, -0.1, 0.5, 0.5, 0.03),
    ],
)
def test_impossible_jump_wings(wings):
    with pytest.raises(ModelError, match=r"jump wings|psi"):
        SviSlice.from_jump_wings(wings, 1.0)


@pytest.mark.parametrize(("name", "value"), [("b", -0.1), ("rho", 1.1), ("sigma", 0.0), ("a", math.inf)])
def test_impossible_slices(name, value):
    good = {"a": 0.04, "b": 0.1, "rho": 0.0, "m": 0.0, "sigma": 0.1}
    with pytest.raises(ModelError, match=f"an SVI slice's {name} must be"):
        SviSlice(**(good | {name: value}))


def test_jump_wings_need_an_expiry():
    with pytest.raises(ModelError, match="T=0"):
        VOGT.to_jump_wings(0.0)


def test_invalid_rows_are_nan_and_do_not_affect_the_others():
    w = svi_total_variance(0.1, 0.04, [0.1, -0.1, 0.1, 0.1, math.nan], [0.0, 0.0, 2.0, 0.0, 0.0], 0.0, [1, 1, 1, -1, 1])
    assert np.isnan(w).tolist() == [False, True, True, True, True]
    assert np.isnan(svi_butterfly_g(0.0, -1.0, 0.1, 0.0, 0.0, 0.1))
    assert np.isnan(svi_butterfly_g(0.2, 0.04, 0.1, 0.0, 0.2, 0.0))
    with pytest.raises(ValueError, match="shape"):
        svi_total_variance([1.0, 2.0], [1.0, 2.0, 3.0], 0.1, 0.0, 0.0, 0.1)


@given(slices, st.integers(1, 40))
def test_a_row_does_not_depend_on_its_batch(smile, n):
    k = np.linspace(-1.0, 1.0, n)
    alone = [smile.total_variance(x) for x in k], [smile.g(x) for x in k]
    assert np.array_equal(smile.total_variance(k), alone[0])
    assert np.array_equal(smile.g(k), alone[1])


def test_total_variance_against_quantlib():
    ql = pytest.importorskip("QuantLib")
    rng = np.random.default_rng(9)
    for _ in range(300):
        a, b, rho, m, sigma = (rng.uniform(*ends) for ends in ((0, 0.1), (0, 0.9), (-0.9, 0.9), (-0.3, 0.3), (0.02, 1)))
        forward, expiry, strikes = rng.uniform(50, 150), rng.uniform(0.1, 3.0), rng.uniform(40, 180, 10)
        section = ql.SviSmileSection(expiry, forward, [a, b, sigma, rho, m])
        w = SviSlice(a, b, rho, m, sigma).total_variance(np.log(strikes / forward))
        expected = [section.variance(strike) for strike in strikes.tolist()]
        assert w == pytest.approx(expected, rel=1e-13), (a, b, rho, m, sigma, forward, expiry, strikes)

"""Heston against published values, QuantLib, quadrature of an independent form, its limits, and its own calibration."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models import black_scholes_price
from bank_python.risk_models import heston_price as priced
from bank_python.risk_models.heston_process import HestonProcess

# spot, strike, expiry, rate, v0, kappa, theta, sigma, rho, dividend, is_call, price, tolerance
NAMES = ("v0", "kappa", "theta", "sigma", "rho")
LEWIS_MODEL = (0.04, 4.0, 0.25, 1.0, -0.5)
# A. Lewis, wilmott.com thread 90957, computed with 50 digits; as in QuantLib's testAlanLewisReferencePrices
LEWIS = [
    (80.0, 7.958878113256768, 26.774758743998856),
    (90.0, 12.017966707346305, 20.93334900059671),
    (100.0, 17.05527096127011, 16.070154917028834),
    (110.0, 23.0178258984428, 12.132211516709845),
    (120.0, 29.811026202682473, 9.024913483457835),
]
# Parameters of L. Andersen, "Simple and efficient simulation of the Heston stochastic volatility model", Journal of
# Computational Finance 11 (2008), table 1; prices recomputed elsewhere to the digits given
ANDERSEN = [
    ((0.04, 0.5, 0.04, 1.0, -0.9), 10.0, {60.0: 44.3299750702, 100.0: 13.084670137, 140.0: 0.2957744358}),
    ((0.09, 1.0, 0.09, 1.0, -0.3), 5.0, {60.0: 45.9968539763, 100.0: 21.7952877425, 140.0: 9.9830678238}),
]


def heston_price(spot, strike, expiry, rate, v0, kappa, theta, sigma, rho, dividend=0.0, is_call=True):
    model = {"v0": v0, "kappa": kappa, "theta": theta, "sigma": sigma, "rho": rho}
    return priced(spot, strike, expiry, rate, dividend, is_call, **model)


@pytest.mark.parametrize(("strike", "put", "call"), LEWIS)
def test_lewis(strike, put, call):
    terms = (100.0, strike, 1.0, 0.01, *LEWIS_MODEL, 0.02)
    assert heston_price(*terms, False) == pytest.approx(put, rel=1e-14)
    assert heston_price(*terms, True) == pytest.approx(call, rel=1e-14)


@pytest.mark.parametrize(("model", "expiry", "prices"), ANDERSEN)
def test_andersen(model, expiry, prices):
    computed = heston_price(100.0, list(prices), expiry, 0.0, *model)
    np.testing.assert_allclose(computed, list(prices.values()), atol=1e-10)


def test_broadie_and_kaya():
    # M. Broadie and Ö. Kaya, Operations Research 54 (2006), tables 1 and 2
    first = heston_price(100.0, 100.0, 1.0, 0.0319, 0.010201, 6.21, 0.019, 0.61, -0.7)
    assert first == pytest.approx(6.8061, abs=1e-4)
    assert heston_price(100.0, 100.0, 5.0, 0.05, 0.09, 2.0, 0.09, 1.0, -0.3) == pytest.approx(34.9998, abs=1e-4)


def test_kahl_and_jaeckel():
    # C. Kahl and P. Jäckel, "Not-so-complex logarithms in the Heston model", Wilmott (2005); QuantLib's test of it,
    # whose time to expiry is by its own calendar
    computed = heston_price(100.0, 200.0, 10.0, 0.0, 0.16, 1.0, 0.16, 2.0, -0.8)
    assert computed == pytest.approx(4.95212, abs=0.02)


def test_expected_variance():
    process = HestonProcess(v0=0.04, kappa=1.5, theta=0.09, sigma=0.4, rho=0.0)
    expected = 0.09 + (0.04 - 0.09) * (1.0 - math.exp(-3.0)) / 3.0
    assert process.expected_variance(2.0) == pytest.approx(expected, rel=1e-14)
    assert process.expected_variance(2.0) == pytest.approx(0.07416311780613107, rel=1e-12)
    assert HestonProcess(v0=0.04, kappa=0.0, theta=0.09, sigma=0.4, rho=0.0).expected_variance(2.0) == pytest.approx(
        0.04
    )


def quantlib_strip(model, days, rate, dividend, strikes):
    today = ql.Date(15, 5, 2024)
    ql.Settings.instance().evaluationDate = today
    flat = [ql.YieldTermStructureHandle(ql.FlatForward(today, r, ql.Actual365Fixed())) for r in (rate, dividend)]
    process = ql.HestonProcess(*flat, ql.QuoteHandle(ql.SimpleQuote(100.0)), *model)
    engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 1e-13, 1_000_000)
    prices = []
    for strike in strikes:
        option = ql.VanillaOption(
            ql.PlainVanillaPayoff(ql.Option.Call, float(strike)), ql.EuropeanExercise(today + days)
        )
        option.setPricingEngine(engine)
        prices.append(option.NPV())
    return np.array(prices)


def test_against_quantlib_over_random_models():
    rng = np.random.default_rng(11)
    compared = 0
    for _ in range(150):
        model = (
            rng.uniform(0.005, 0.3),
            rng.uniform(0.3, 6.0),
            rng.uniform(0.005, 0.3),
            rng.uniform(0.1, 1.2),
            rng.uniform(-0.9, 0.6),
        )
        days, rate, dividend = int(rng.integers(30, 3650)), rng.uniform(-0.01, 0.08), rng.uniform(0.0, 0.05)
        strikes = 100.0 * np.exp(rng.normal(0.0, 0.4, 5))
        ours = heston_price(100.0, strikes, days / 365, rate, *model, dividend)
        theirs = quantlib_strip(model, days, rate, dividend, strikes)
        # QuantLib's adaptive Gauss-Lobatto is asked for 1e-13 and gives about 1e-10 of the spot.
        np.testing.assert_allclose(ours, theirs, atol=2e-9, rtol=0, err_msg=str((model, days, rate, dividend, strikes)))
        compared += len(strikes)
    assert compared == 750


def by_another_form(spot, strike, expiry, v0, kappa, theta, sigma, rho):
    """Heston's own two probabilities, with the characteristic function as he and then Albrecher et al. write it."""
    from scipy.integrate import quad

    x = math.log(spot / strike)

    def probability(shift):
        def integrand(u):
            z = u - 1j * shift
            beta = kappa - rho * sigma * 1j * z
            d = np.sqrt(beta**2 + sigma**2 * (1j * z + z * z))
            g = (beta - d) / (beta + d)
            decay = np.exp(-d * expiry)
            C = kappa * theta / sigma**2 * ((beta - d) * expiry - 2.0 * np.log((1.0 - g * decay) / (1.0 - g)))
            D = (beta - d) / sigma**2 * (1.0 - decay) / (1.0 - g * decay)
            return (np.exp(C + D * v0 + 1j * u * x) / (1j * u)).real

        return 0.5 + quad(integrand, 0.0, 4000.0, limit=5000, epsabs=1e-12)[0] / math.pi

    return spot * probability(1.0) - strike * probability(0.0)


@settings(max_examples=25)
@given(
    st.floats(-0.5, 0.5),
    st.floats(0.2, 5.0),
    st.tuples(
        st.floats(0.02, 0.2), st.floats(0.3, 5.0), st.floats(0.02, 0.2), st.floats(0.2, 0.8), st.floats(-0.8, 0.5)
    ),
)
def test_against_the_two_probabilities(x, expiry, model):
    expected = by_another_form(100.0, 100.0 * math.exp(-x), expiry, *model)
    assert heston_price(100.0, 100.0 * math.exp(-x), expiry, 0.0, *model) == pytest.approx(expected, abs=1e-7)


models = st.tuples(
    st.floats(0.01, 0.5), st.floats(0.2, 8.0), st.floats(0.01, 0.5), st.floats(0.0, 1.5), st.floats(-0.95, 0.9)
)


@settings(max_examples=60)
@given(models, st.floats(0.003, 20.0), st.floats(-0.03, 0.08))
def test_arbitrage_bounds_monotone_and_convex(model, expiry, rate):
    strikes = np.linspace(40.0, 250.0, 43)
    call = heston_price(100.0, strikes, expiry, rate, *model)
    put = heston_price(100.0, strikes, expiry, rate, *model, 0.0, False)
    discounted = strikes * math.exp(-rate * expiry)
    np.testing.assert_allclose(call - put, 100.0 - discounted, atol=1e-11)
    assert (call >= np.maximum(100.0 - discounted, 0.0)).all()
    assert (call <= 100.0 + 1e-11).all()
    assert (np.diff(call) <= 1e-11).all()
    assert (np.diff(call, 2) >= -1e-10).all()


@pytest.mark.parametrize("sigma", [1e-12, 1e-6, 1e-3])
def test_a_still_variance_is_black_scholes(sigma):
    strikes = np.array([70.0, 100.0, 130.0])
    vol = math.sqrt(HestonProcess(v0=0.04, kappa=1.5, theta=0.09, sigma=0.0, rho=0.0).expected_variance(2.0))
    expected = black_scholes_price(100.0, strikes, 2.0, 0.03, vol)
    np.testing.assert_allclose(
        heston_price(100.0, strikes, 2.0, 0.03, 0.04, 1.5, 0.09, sigma, 0.0), expected, atol=10 * sigma**2 + 1e-13
    )
    np.testing.assert_allclose(
        heston_price(100.0, strikes, 2.0, 0.03, 0.04, 1.5, 0.09, 0.0, -0.7), expected, rtol=1e-14
    )


def test_limits():
    model = (0.04, 1.5, 0.09, 0.5, -0.7)
    assert heston_price(110.0, 100.0, 0.0, 0.05, *model) == 10.0
    assert heston_price(100.0, 0.0, 1.0, 0.05, *model, 0.02) == pytest.approx(100.0 * math.exp(-0.02), rel=1e-15)
    assert heston_price(0.0, 100.0, 1.0, 0.05, *model, 0.0, False) == pytest.approx(100.0 * math.exp(-0.05), rel=1e-15)
    assert heston_price(110.0, 100.0, 1.0, 0.0, 0.0, 1.5, 0.0, 0.5, -0.7) == 10.0
    # A volatility of 1e-12: nothing but intrinsic value, from a billion standard deviations away
    assert heston_price(110.0, 100.0, 1.0, 0.0, 1e-24, 0.0, 0.0, 0.5, 0.0) == pytest.approx(10.0, rel=1e-14)
    a_day = heston_price(100.0, 100.0, 1 / 365, 0.0, *model)
    assert a_day == pytest.approx(black_scholes_price(100.0, 100.0, 1 / 365, 0.0, 0.2), rel=2e-3)
    for rho in (-1.0, 1.0):
        near = heston_price(100.0, 95.0, 1.0, 0.01, 0.04, 1.5, 0.09, 0.5, rho * (1.0 - 1e-9))
        assert heston_price(100.0, 95.0, 1.0, 0.01, 0.04, 1.5, 0.09, 0.5, rho) == pytest.approx(near, rel=1e-7)


def test_an_integral_that_does_not_converge_is_nan():
    # A volatility of volatility of 200 % on a volatility of 3 %, perfectly correlated and without mean reversion
    assert math.isnan(heston_price(100.0, 150.0, 1.0, 0.0, 1e-3, 0.0, 0.5, 2.0, 1.0))


@pytest.mark.parametrize("position", range(9))
def test_nonsense_is_nan_and_alone(position):
    terms = [np.full(5, value) for value in (100.0, 100.0, 1.0, 0.01, 0.04, 1.5, 0.09, 0.5, -0.7)]
    clean = heston_price(*terms)
    terms[position][2] = math.nan if position == 3 else -2.0
    computed = heston_price(*terms)
    assert math.isnan(computed[2])
    np.testing.assert_array_equal(np.delete(computed, 2), np.delete(clean, 2))


def test_rows_do_not_depend_on_each_other():
    rng = np.random.default_rng(2)
    n = 200
    strikes = rng.uniform(50.0, 200.0, n)
    expiry, v0 = rng.choice([0.1, 1.0, 7.0], n), rng.choice([0.01, 0.2], n)
    together = heston_price(100.0, strikes, expiry, 0.01, v0, 1.5, 0.09, 0.8, -0.7)
    alone = [heston_price(100.0, strikes[i], expiry[i], 0.01, v0[i], 1.5, 0.09, 0.8, -0.7) for i in range(n)]
    np.testing.assert_array_equal(together, alone)


def test_the_price_is_a_martingale():
    process = HestonProcess(**dict(zip(NAMES, LEWIS_MODEL, strict=True)))
    assert abs(process.characteristic_function([0.0], 1.0)[0]) < 1.0
    call = process.price(100.0, 1e-9, 3.0, 0.0)
    assert call == pytest.approx(100.0, rel=1e-9)


SMILE = HestonProcess(v0=0.05, kappa=2.0, theta=0.07, sigma=0.6, rho=-0.55)
STRIKES, EXPIRIES = np.meshgrid([70.0, 85.0, 95.0, 105.0, 120.0, 140.0], [0.1, 0.5, 1.0, 3.0])


@pytest.mark.parametrize(
    "truth",
    [
        SMILE,
        HestonProcess(v0=0.01, kappa=5.0, theta=0.03, sigma=0.3, rho=0.3),
        HestonProcess(v0=0.2, kappa=0.8, theta=0.1, sigma=1.0, rho=-0.9),
    ],
)
def test_calibration_finds_the_parameters_back(truth):
    is_call = STRIKES > 100.0
    prices = truth.price(100.0, STRIKES, EXPIRIES, 0.02, 0.01, is_call)
    keep = prices > 1e-9
    fit = HestonProcess.calibrate(100.0, STRIKES[keep], EXPIRIES[keep], prices[keep], 0.02, 0.01, is_call[keep])
    assert fit.converged
    assert fit.rmse < 1e-7
    for name in ("v0", "kappa", "theta", "sigma", "rho"):
        assert getattr(fit.process, name) == pytest.approx(getattr(truth, name), rel=1e-5), name


def test_calibration_to_noisy_quotes_and_from_yesterday():
    rng = np.random.default_rng(4)
    out = STRIKES > 100.0
    prices = SMILE.price(100.0, STRIKES, EXPIRIES, 0.02, 0.0, out) * (1.0 + 0.002 * rng.normal(size=STRIKES.shape))
    fit = HestonProcess.calibrate(100.0, STRIKES, EXPIRIES, prices, 0.02, 0.0, out, weights=1.0 / EXPIRIES)
    assert 0.0 < fit.rmse < 0.02
    assert fit.worst >= fit.rmse
    again = HestonProcess.calibrate(
        100.0, STRIKES, EXPIRIES, prices, 0.02, 0.0, out, weights=1.0 / EXPIRIES, start=fit.process
    )
    assert again.rmse == pytest.approx(fit.rmse, rel=1e-6)
    assert again.iterations <= fit.iterations


def test_what_cannot_be_calibrated():
    prices = SMILE.price(100.0, STRIKES[1], EXPIRIES[1], 0.02)
    with pytest.raises(CalibrationError, match="4 quotes for five parameters"):
        HestonProcess.calibrate(100.0, STRIKES[1][:4], EXPIRIES[1][:4], prices[:4], 0.02)
    with pytest.raises(
        CalibrationError, match=r"strike 70 and expiry 0.5 has no implied volatility: the price is below"
    ):
        HestonProcess.calibrate(100.0, STRIKES[1], EXPIRIES[1], [1.0, *prices[1:]], 0.02)
    with pytest.raises(CalibrationError, match=r"weight np.float64\(-1.0\)|weight -1.0"):
        HestonProcess.calibrate(100.0, STRIKES[1], EXPIRIES[1], prices, 0.02, weights=-1.0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((-0.1, 1.0, 0.1, 0.5, 0.0), "v0=-0.1 is not a finite number of at least 0"),
        ((0.1, 1.0, 0.1, math.inf, 0.0), "sigma=inf"),
        ((0.1, 1.0, 0.1, 0.5, 1.5), "rho=1.5 is not a correlation"),
        ((0.1, 1.0, 0.1, 0.5, math.nan), "rho=nan"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ModelError, match=message):
        HestonProcess(**dict(zip(NAMES, parameters, strict=True)))


def test_parameters_are_given_by_name_as_books_order_them_otherwise():
    with pytest.raises(TypeError, match="positional"):
        HestonProcess(1.5, 0.04, 0.3, -0.7, 0.04)


def test_feller():
    assert HestonProcess(v0=0.04, kappa=4.0, theta=0.25, sigma=1.0, rho=-0.5).feller
    assert not HestonProcess(v0=0.04, kappa=0.5, theta=0.04, sigma=1.0, rho=-0.9).feller
    with pytest.raises(ModelError, match=r"expiry=0\.0"):
        SMILE.expected_variance(0.0)

"""Implied volatility against published values and known prices, and the bounds beyond which there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from bank_python.errors import ModelError
from bank_python.risk_models import black_scholes_greeks, black_scholes_price
from bank_python.risk_models.implied_vol import VolStatus, implied_vol, implied_vol_fit

# P. Jäckel, "Let's be rational" (2015): strikes far out, with the undiscounted prices that py_lets_be_rational 1.1.2
# turns back into the volatility: forward 100, a year.
FAR_OUT = [
    (1000.0, True, 3.0586701126054703e-30, 0.2, 2e-13),
    (5.0, False, 5.732410541509225e-24, 0.3, 3e-13),
    (100.0, True, 0.3989406181481645, 0.01, 1e-14),
    (101.0, True, 1.2448695951641532e-25, 0.001, 1e-15),
    (300.0, True, 4.109166618491617e-13, 0.15, 1.5e-13),
    (20.0, False, 1.0162882843481441e-41, 0.12, 1.2e-13),
]


@pytest.mark.parametrize(("strike", "is_call", "price", "expected", "tolerance"), FAR_OUT)
@pytest.mark.parametrize("method", ["halley", "bisection"])
def test_far_out_of_the_money(strike, is_call, price, expected, tolerance, method):
    computed = implied_vol(price, 100.0, strike, 1.0, 0.0, 0.0, is_call, method=method)
    assert computed == pytest.approx(expected, abs=tolerance), f"K={strike} price={price}: {computed}"


def test_hull():
    # Hull, Options, Futures, and Other Derivatives: example of implied volatility, and a currency option
    assert implied_vol(1.875, 21.0, 20.0, 0.25, 0.10) == pytest.approx(0.235, abs=5e-4)
    assert implied_vol(0.043, 1.6, 1.6, 1 / 3, 0.08, 0.11) == pytest.approx(0.141, abs=5e-4)


def grid(distance, lowest, highest, n=60_000, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-distance, distance, n)
    deviation = np.exp(rng.uniform(math.log(lowest), math.log(highest), n))
    T = rng.uniform(0.01, 4.0, n)
    strike = 100.0 * np.exp(-x)
    return strike, T, deviation / np.sqrt(T), x < 0.0  # out of the money


def test_to_twelve_digits_where_the_price_determines_the_volatility():
    strike, T, vol, is_call = grid(0.7, 0.02, 3.0)
    price = black_scholes_price(100.0, strike, T, 0.0, vol, 0.0, is_call)
    error = np.abs(implied_vol(price, 100.0, strike, T, 0.0, 0.0, is_call) / vol - 1.0)
    clear = price > 1e-300
    worst = int(np.where(clear, error, 0.0).argmax())
    assert not np.isnan(error[clear]).any()
    assert error[worst] <= 1e-12, (strike[worst], T[worst], vol[worst], is_call[worst])
    assert clear.mean() > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_never_a_wrong_number_in_or_out_of_the_money(seed):
    rng = np.random.default_rng(seed)
    strike, T, vol, _ = grid(1.2, 1e-4, 8.0, seed=seed)
    is_call = rng.integers(0, 2, len(T)).astype(bool)
    r, q = rng.uniform(-0.03, 0.1, (2, len(T)))
    price = black_scholes_price(100.0, strike, T, r, vol, q, is_call)
    fit = implied_vol_fit(price, 100.0, strike, T, r, q, is_call)
    error = np.abs(fit.vol / vol - 1.0)
    assert np.nanmax(error) < 2e-8
    missing = fit.status != VolStatus.FOUND
    assert set(np.unique(fit.status[missing])) <= {VolStatus.UNDETERMINED, VolStatus.ABOVE_MAXIMUM}
    # What is given up is what one rounding of the price would decide.
    vega = black_scholes_greeks(100.0, strike, T, r, vol, q, is_call).vega
    assert (2.0**-52 * (price + 100.0 + strike)[missing] > 1e-9 * (vega * vol)[missing]).all()


def test_far_wings_down_to_prices_of_1e_100():
    strike, T, vol, is_call = grid(1.2, 1e-3, 3.0)
    price = black_scholes_price(100.0, strike, T, 0.0, vol, 0.0, is_call)
    deep = (price > 1e-100) & (price < 1e-6)
    assert deep.sum() > 5_000
    computed = implied_vol(price[deep], 100.0, strike[deep], T[deep], 0.0, 0.0, is_call[deep])
    np.testing.assert_allclose(computed, vol[deep], rtol=2e-14)


@given(st.floats(-1.2, 1.2), st.floats(0.005, 3.0), st.floats(0.01, 10.0), st.floats(-0.05, 0.1), st.booleans())
def test_against_a_general_root_finder(x, deviation, T, r, is_call):
    strike, vol = 100.0 * math.exp(-x), deviation / math.sqrt(T)
    terms = (100.0, strike, T, r)
    price = black_scholes_price(*terms, vol, 0.0, is_call)
    fit = implied_vol_fit(price, *terms, 0.0, is_call)
    if fit.status is not VolStatus.FOUND:
        return
    found = brentq(lambda v: black_scholes_price(*terms, v, 0.0, is_call) - price, 0.5 * vol, 2.0 * vol, xtol=1e-14)
    vega = black_scholes_greeks(*terms, vol, 0.0, is_call).vega
    assert fit.vol == pytest.approx(found, abs=1e-8 * vol + 4e-15 * (100.0 + strike) / vega)


@given(st.floats(-0.9, 0.9), st.floats(0.02, 2.0))
def test_methods_agree(x, deviation):
    strike = 100.0 * math.exp(-x)
    price = black_scholes_price(100.0, strike, 1.0, 0.02, deviation)
    halley = implied_vol_fit(price, 100.0, strike, 1.0, 0.02)
    bisection = implied_vol_fit(price, 100.0, strike, 1.0, 0.02, method="bisection")
    assert halley.status == bisection.status
    assert halley.vol == pytest.approx(bisection.vol, rel=1e-7, nan_ok=True)


@pytest.mark.parametrize(
    ("price", "terms", "status"),
    [
        (0.9, (21.0, 20.0, 0.25, 0.10), VolStatus.BELOW_INTRINSIC),
        (-0.1, (20.0, 21.0, 0.25, 0.0), VolStatus.BELOW_INTRINSIC),
        (21.0, (21.0, 20.0, 0.25, 0.10), VolStatus.ABOVE_MAXIMUM),
        (1.0, (21.0, 20.0, 0.25, 0.0), VolStatus.UNDETERMINED),  # the intrinsic value itself
        (0.0, (20.0, 21.0, 0.25, 0.0), VolStatus.UNDETERMINED),
        (math.nextafter(50.0, 99.0), (100.0, 50.0, 1.0, 0.0), VolStatus.UNDETERMINED),
        (math.nextafter(100.0, 0.0), (100.0, 100.0, 1.0, 0.0), VolStatus.UNDETERMINED),
        (5e-324, (100.0, 200.0, 1.0, 0.0), VolStatus.UNDETERMINED),
        (1.0, (-21.0, 20.0, 0.25, 0.0), VolStatus.BAD_INPUT),
        (1.0, (21.0, 0.0, 0.25, 0.0), VolStatus.BAD_INPUT),
        (1.0, (0.0, 20.0, 0.25, 0.0), VolStatus.BAD_INPUT),
        (1.0, (21.0, 20.0, 0.0, 0.0), VolStatus.BAD_INPUT),
        (1.0, (21.0, 20.0, math.inf, 0.0), VolStatus.BAD_INPUT),
        (math.nan, (21.0, 20.0, 0.25, 0.0), VolStatus.BAD_INPUT),
    ],
)
@pytest.mark.parametrize("method", ["halley", "bisection"])
def test_what_has_no_volatility_says_why(price, terms, status, method):
    fit = implied_vol_fit(price, *terms, method=method)
    assert fit.status is status
    assert math.isnan(fit.vol)
    assert fit.reasons == [status.reason]
    assert status.reason


def test_a_put_has_its_own_maximum():
    assert implied_vol_fit(19.0, 21.0, 20.0, 0.25, 0.0, 0.0, is_call=False).status is VolStatus.FOUND
    assert implied_vol_fit(20.0, 21.0, 20.0, 0.25, 0.0, 0.0, is_call=False).status is VolStatus.ABOVE_MAXIMUM


def test_found_prices_have_no_reason():
    assert implied_vol_fit([9.0, 10.0], 100.0, 100.0, 1.0, 0.05).reasons == ["", ""]


def test_rows_do_not_depend_on_each_other():
    strike, T, vol, is_call = grid(1.2, 1e-3, 3.0, n=999)
    price = black_scholes_price(100.0, strike, T, 0.01, vol, 0.0, is_call)
    price[::7] = -1.0
    together = implied_vol(price, 100.0, strike, T, 0.01, 0.0, is_call)
    alone = [implied_vol(price[i], 100.0, strike[i], T[i], 0.01, 0.0, is_call[i]) for i in range(999)]
    np.testing.assert_array_equal(together, alone)


def test_shapes():
    assert isinstance(implied_vol(10.0, 100.0, 100.0, 1.0, 0.0), float)
    table = implied_vol_fit([[9.0], [10.0]], 100.0, [95.0, 100.0, 105.0], 1.0, 0.0)
    assert table.vol.shape == table.status.shape == (2, 3)
    assert implied_vol([], 100.0, 100.0, 1.0, 0.0).shape == (0,)


def test_unknown_method():
    with pytest.raises(ModelError, match=r"'newton'.*choose 'halley', 'bisection'"):
        implied_vol(10.0, 100.0, 100.0, 1.0, 0.0, method="newton")

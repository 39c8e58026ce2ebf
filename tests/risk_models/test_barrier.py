"""Barrier options against QuantLib, 400 digits, simulation-free identities, and general properties.

Haug's table is in bank_python/verification/barriers.py, which tests/verification runs.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import assume, given
from hypothesis import strategies as st

from bank_python.risk_models import barrier_price as priced
from bank_python.risk_models import black_scholes_price, digital_price

# The formulas of Reiner and Rubinstein as printed in Haug, evaluated with 400 digits: spot, strike, barrier, expiry,
# rate, vol, dividend, is_call, is_up, is_in, rebate, price.
EXACT = [
    (100, 105, 95, 0.5, 0.03, 0.2, 0.01, 1, 0, 1, 0, 1.1344562194094036),
    (100, 105, 95, 0.5, 0.03, 0.2, 0.01, 1, 0, 0, 0, 2.8312397751247808),
    (100, 90, 95, 0.5, 0.03, 0.2, 0.01, 1, 0, 0, 2, 8.2311566394817897),
    (100, 90, 95, 0.5, 0.03, 0.2, 0.01, 1, 0, 1, 2, 6.1469334266592286),
    (100, 105, 95, 0.5, 0.03, 0.2, 0.01, 0, 0, 1, 0, 7.6884308070526266),
    (100, 95, 105, 0.25, 0.0, 0.2, 0.01, 1, 1, 0, 3, 2.2991809357296644),
    (100, 95, 105, 0.25, 0.0, 0.2, 0.0, 1, 1, 1, 3, 7.5649141007620359),
    (100, 95, 105, 2, -0.01, 0.2, 0.0, 0, 1, 0, 100, 87.04898160645008),
    (100, 95, 105, 20, -0.02, 0.15, 0.03, 0, 1, 0, 100, 102.04998741908631),
    (100, 95, 60, 1, -0.03, 0.1, 0.0, 1, 0, 0, 100, 5.0883882908386665),
    (100, 95, 99, 0.02, -0.03, 0.9, 0.0, 1, 0, 0, 100, 95.428705505317796),
    (100, 100, 150, 0.1, 0.02, 0.1, 0.0, 0, 1, 1, 0, 3.018301186149172e-146),
    (100, 100, 99.5, 1, 0.05, 0.002, 0.0, 1, 0, 1, 0, 1.4722371114818884e-54),
    (100, 100, 99.5, 1, -0.01, 0.002, 0.0, 1, 0, 0, 1, 1.0010048517534432),
    (100, 101, 102, 1, 0.03, 0.0005, 0.0, 1, 1, 1, 1, 1.985001111600674),
    (100, 98.5, 99, 1, 0.01, 0.001, 0.03, 1, 0, 1, 0, 9.5073285322369036e-9),
    (100, 90, 99.9999, 0.5, 0.03, 0.2, 0.01, 1, 0, 0, 0, 0.00016626985456175014),
    (100, 110, 0.001, 5, 0.03, 1.5, 0.01, 0, 0, 1, 0, 4.9715738146093536),
    (100, 50, 400, 10, 0.05, 2.0, 0.01, 1, 1, 0, 5, 1.2437617688890931),
    (100, 102, 95, 0.0001, 0.03, 0.3, 0.01, 0, 0, 1, 0, 1.0949285734937634e-64),
    (100, 120, 110, 1, 0.08, 0.001, 0.0, 0, 1, 0, 0, 10.773961566396294),
]


@st.composite
def contracts(draw):
    spot = draw(st.floats(1.0, 500.0))
    vol, expiry = draw(st.floats(0.02, 1.0)), draw(st.floats(0.01, 5.0))
    root = vol * math.sqrt(expiry)
    is_up = draw(st.booleans())
    away = draw(st.floats(1e-3, 4.0)) * root
    return {
        "spot": spot,
        "strike": spot * math.exp(draw(st.floats(-3.0, 3.0)) * root),
        "barrier": spot * math.exp(away if is_up else -away),
        "expiry": expiry,
        "rate": draw(st.floats(-0.05, 0.15)),
        "vol": vol,
        "dividend": draw(st.floats(-0.05, 0.15)),
        "is_call": draw(st.booleans()),
        "is_up": is_up,
    }


def european(contract):
    return black_scholes_price(**{k: v for k, v in contract.items() if k not in {"barrier", "is_up"}})


def barrier_price(
    spot,
    strike,
    barrier,
    expiry,
    rate,
    vol,
    dividend=0.0,
    is_call=True,
    is_up=False,
    is_in=False,
    rebate=0.0,
    touched=False,
):
    passed = {"barrier": barrier, "is_up": is_up, "is_in": is_in, "rebate": rebate, "touched": touched}
    return priced(spot, strike, expiry, rate, vol, dividend, is_call, **passed)


def scale(contract):
    # The larger side of the exchange, grown or discounted
    growth = math.exp(max(-contract["rate"], -contract["dividend"], 0.0) * contract["expiry"])
    return max(contract["spot"], contract["strike"]) * growth


@pytest.mark.parametrize("case", EXACT)
def test_exact(case):
    *terms, expected = case
    computed = barrier_price(*terms)
    # Rounding the distance of the barrier and of the strike costs ε times the square of either in deviations.
    assert computed == pytest.approx(expected, rel=2e-12, abs=0.0), f"{terms}: expected {expected}, computed {computed}"


def quantlib(market, contracts):
    """Price down and up, in and out, call and put with QuantLib's analytic engine."""
    today, days = ql.Date(15, 5, 2024), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    rate, vol, dividend = market
    flat = [ql.YieldTermStructureHandle(ql.FlatForward(today, level, days)) for level in (dividend, rate)]
    surface = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, days))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(100.0)), *flat, surface)
    engine = ql.AnalyticBarrierEngine(process)
    kinds = {(0, 0): ql.Barrier.DownOut, (0, 1): ql.Barrier.DownIn, (1, 0): ql.Barrier.UpOut, (1, 1): ql.Barrier.UpIn}
    prices = []
    for strike, barrier, term, is_call, is_in, rebate in contracts:
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, strike)
        kind = kinds[int(barrier > 100.0), int(is_in)]
        option = ql.BarrierOption(kind, barrier, rebate, payoff, ql.EuropeanExercise(today + term))
        option.setPricingEngine(engine)
        prices.append(option.NPV())
    return np.array(prices)


@pytest.mark.parametrize("vol", [0.05, 0.2, 0.8])
@pytest.mark.parametrize(("rate", "dividend"), [(0.05, 0.01), (0.02, 0.09), (0.0, 0.0), (0.03, -0.02)])
def test_quantlib(vol, rate, dividend):
    grid = list(
        itertools.product(
            [70.0, 90.0, 100.0, 110.0, 140.0],
            [60.0, 90.0, 99.0, 100.5, 110.0, 150.0],
            [7, 180, 1500],
            [True, False],
            [True, False],
            [0.0, 3.0],
        )
    )
    strike, barrier, term, is_call, is_in, rebate = np.array(grid, dtype=float).T
    ours = barrier_price(
        100.0, strike, barrier, term / 365.0, rate, vol, dividend, is_call, barrier > 100.0, is_in, rebate
    )
    # QuantLib multiplies (H/S)^2μ by a tail with the absolute error of its cumulative normal.
    mu = (rate - dividend) / vol**2 - 0.5
    amplified = np.maximum((barrier / 100.0) ** (2.0 * mu), (barrier / 100.0) ** (2.0 * mu + 2.0))
    theirs = quantlib((rate, vol, dividend), grid)
    error = np.abs(ours - theirs) / np.maximum(amplified, 1.0)
    assert error.max() < 1e-11, grid[int(error.argmax())]


@given(contracts())
def test_in_and_out_make_the_european_option(contract):
    knock_in, knock_out = barrier_price(**contract, is_in=[True, False])
    whole = european(contract)
    assert knock_in + knock_out == pytest.approx(whole, rel=1e-14, abs=3e-15 * scale(contract))
    assert min(knock_in, knock_out) >= 0.0
    assert max(knock_in, knock_out) <= whole


@given(contracts(), st.floats(0.0, 50.0))
def test_rebates(contract, rebate):
    # Paid at expiry if not touched, and paid when touched with no interest: together the rebate for certain.
    free = {**contract, "rate": 0.0}
    both = barrier_price(**free, is_in=[True, False], rebate=rebate)
    bare = barrier_price(**free, is_in=[True, False])
    assert both.sum() - bare.sum() == pytest.approx(rebate, abs=1e-13 * (scale(free) + rebate))
    paid = barrier_price(**contract, rebate=rebate) - barrier_price(**contract)
    most = rebate * math.exp(max(-contract["rate"], 0.0) * contract["expiry"])
    assert -1e-13 * scale(contract) <= paid <= most + 1e-13 * (scale(contract) + rebate)


@given(contracts(), st.floats(0.01, 0.5))
def test_a_barrier_further_away_knocks_less(contract, further):
    factor = math.exp(further if contract["is_up"] else -further)
    barriers = contract["barrier"] * np.array([1.0, factor])
    near, far = barrier_price(**{**contract, "barrier": barriers}, is_in=True)
    assert far <= near + 3e-15 * scale(contract)


@given(contracts(), st.floats(0.01, 100.0), st.booleans())
def test_scales_with_the_currency(contract, factor, is_in):
    money = ("spot", "strike", "barrier")
    scaled = {**contract, **{name: factor * contract[name] for name in money}}
    expected = factor * barrier_price(**contract, is_in=is_in, rebate=2.0)
    computed = barrier_price(**scaled, is_in=is_in, rebate=2.0 * factor)
    # Scaling rounds the distance of the barrier, which moves the price by its delta.
    assert computed == pytest.approx(expected, abs=1e-12 * factor * scale(contract) / contract["vol"])


@given(contracts(), st.booleans())
def test_exchanging_the_two_assets(contract, is_in):
    # With the asset as numeraire a call is a put on the money it costs, and an up barrier a down barrier.
    S, K, H = (contract[name] for name in ("spot", "strike", "barrier"))
    exchanged = {
        "spot": K,
        "strike": S,
        "barrier": S * K / H,
        "expiry": contract["expiry"],
        "rate": contract["dividend"],
        "vol": contract["vol"],
        "dividend": contract["rate"],
        "is_call": not contract["is_call"],
        "is_up": not contract["is_up"],
    }
    expected = barrier_price(**contract, is_in=is_in)
    computed = barrier_price(**exchanged, is_in=is_in)
    assert computed == pytest.approx(expected, abs=1e-12 * scale(contract) / contract["vol"])


@given(contracts(), st.booleans())
def test_without_carry_a_knock_in_is_a_reflected_option(contract, is_call):
    # Carr and Bowie (1994): with r = q, a down-and-in call with K >= H is K/H puts struck at H²/K, and so mirrored.
    assume(is_call != contract["is_up"])
    K, H = contract["strike"], contract["barrier"]
    assume(K >= H if is_call else K <= H)
    flat = {**contract, "dividend": contract["rate"], "is_call": is_call}
    mirrored = {**flat, "strike": H * H / K, "is_call": not is_call}
    computed = barrier_price(**flat, is_in=True)
    reach = math.log(contract["spot"] * K / (H * H)) / (contract["vol"] * math.sqrt(contract["expiry"]))
    assert computed == pytest.approx(K / H * european(mirrored), rel=1e-12 * (1.0 + reach * reach), abs=1e-290)


@given(contracts())
def test_one_touch_at_expiry_is_a_digital_and_its_reflection(contract):
    # Where the logarithm has no drift, P(touched) is twice P(beyond the barrier at expiry).
    dividend = contract["rate"] - 0.5 * contract["vol"] ** 2
    flat = {**contract, "dividend": dividend}
    paid = barrier_price(**flat, is_in=True, rebate=1e6) - barrier_price(**flat, is_in=True)
    terms = {k: v for k, v in flat.items() if k not in {"barrier", "is_up", "strike", "is_call"}}
    beyond = digital_price(**terms, strike=flat["barrier"], is_call=flat["is_up"], cash=1e6)
    certain = 1e6 * math.exp(-flat["rate"] * flat["expiry"])
    assert paid == pytest.approx(certain - 2.0 * beyond, abs=1e-8)


def test_black_scholes_equation():
    # Fourth-order differences of an up-and-out call with rebate, inside its domain
    S, K, H, T, r, vol, q = 100.0, 95.0, 120.0, 0.75, 0.04, 0.25, 0.01

    def price(spot, expiry):
        return barrier_price(spot, K, H, expiry, r, vol, q, is_up=True, rebate=5.0)

    h = 0.1
    values = price(S + h * np.arange(-2.0, 3.0), T)
    delta = np.dot(values, [1, -8, 0, 8, -1]) / (12.0 * h)
    gamma = np.dot(values, [-1, 16, -30, 16, -1]) / (12.0 * h * h)
    step = 1e-3
    theta = -np.dot(price(S, T + step * np.arange(-2.0, 3.0)), [1, -8, 0, 8, -1]) / (12.0 * step)
    assert theta + (r - q) * S * delta + 0.5 * vol**2 * S**2 * gamma == pytest.approx(r * values[2], abs=1e-7)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        # spot, strike, barrier, expiry, rate, vol, dividend, is_call, is_up, is_in, rebate, touched
        # At expiry: what has not been touched
        ((100.0, 90.0, 95.0, 0.0, 0.03, 0.2, 0.0, 1, 0, 0, 3.0, 0), 10.0),
        ((100.0, 90.0, 95.0, 0.0, 0.03, 0.2, 0.0, 1, 0, 1, 3.0, 0), 3.0),
        # Touched before, touched now
        ((100.0, 90.0, 95.0, 0.0, 0.03, 0.2, 0.0, 1, 0, 1, 3.0, 1), 10.0),
        ((100.0, 90.0, 95.0, 0.5, 0.03, 0.2, 0.0, 1, 0, 0, 3.0, 1), 0.0),
        ((100.0, 90.0, 100.0, 0.5, 0.03, 0.2, 0.0, 1, 0, 0, 3.0, 0), 3.0),
        ((100.0, 90.0, 100.0, 0.5, 0.03, 0.2, 0.0, 1, 1, 0, 3.0, 0), 3.0),
        ((93.0, 90.0, 95.0, 0.5, 0.03, 0.2, 0.0, 1, 0, 0, 3.0, 1), 0.0),
        # Without volatility along the forward: 100 falls to 86.07 and passes 95 on its way
        ((100.0, 90.0, 95.0, 0.5, 0.0, 0.0, 0.3, 0, 0, 1, 3.0, 0), 90.0 - 100.0 * math.exp(-0.15)),
        ((100.0, 90.0, 95.0, 0.5, 0.0, 0.0, 0.3, 0, 0, 0, 3.0, 0), 3.0),
        ((100.0, 90.0, 95.0, 0.5, 0.1, 0.0, 0.4, 0, 0, 0, 3.0, 0), 3.0 * math.exp(0.1 * math.log(0.95) / 0.3)),
        ((100.0, 90.0, 95.0, 0.5, 0.03, 0.0, 0.0, 1, 0, 1, 3.0, 0), 3.0 * math.exp(-0.015)),
        ((100.0, 90.0, 95.0, 0.5, 0.03, 5e-324, 0.0, 1, 0, 0, 3.0, 0), 100.0 - 90.0 * math.exp(-0.015)),
        # A barrier at 0 is never touched, a worthless spot touches none above
        ((100.0, 90.0, 0.0, 0.5, 0.03, 0.2, 0.0, 1, 0, 1, 3.0, 0), 3.0 * math.exp(-0.015)),
        ((100.0, 90.0, 1e300, 0.5, 0.03, 0.2, 0.0, 1, 1, 1, 3.0, 0), 3.0 * math.exp(-0.015)),
        ((0.0, 90.0, 95.0, 0.5, 0.03, 0.2, 0.0, 0, 1, 0, 3.0, 0), 90.0 * math.exp(-0.015)),
        ((0.0, 90.0, 0.0, 0.5, 0.03, 0.2, 0.0, 0, 0, 0, 3.0, 0), 3.0),
        # A call that is knocked out before it is in the money
        ((100.0, 110.0, 105.0, 0.5, 0.03, 0.2, 0.0, 1, 1, 0, 0.0, 0), 0.0),
    ],
)
def test_limits(terms, expected):
    computed = barrier_price(*terms)
    assert computed == pytest.approx(expected, rel=4e-15, abs=0.0), f"{terms}: expected {expected}, computed {computed}"


def test_what_is_knocked_in_is_the_european_option():
    terms = (0.5, 0.03, 0.2, 0.01)
    strikes = np.array([80.0, 100.0, 120.0])
    expected = black_scholes_price(100.0, strikes, *terms)
    assert (barrier_price(100.0, strikes, 95.0, *terms, is_in=True, touched=True) == expected).all()
    assert (barrier_price(100.0, strikes, 101.0, *terms, is_in=True) == expected).all()


@pytest.mark.parametrize("vol", [1e-8, 1e-5, 1e-3, 30.0, 1e4])
def test_extreme_vols_stay_within_bounds(vol):
    rng = np.random.default_rng(2)
    n = 500
    spot, strike, barrier = 100.0 * np.exp(rng.normal(0.0, 0.05, (3, n)))
    rate, dividend = rng.uniform(-0.05, 0.1, (2, n))
    call, up, knocks_in = rng.integers(0, 2, (3, n))
    price = barrier_price(spot, strike, barrier, 1.0, rate, vol, dividend, call, up, knocks_in, 3.0)
    most = black_scholes_price(spot, strike, 1.0, rate, vol, dividend, call) + 3.0 * np.exp(np.maximum(-rate, 0.0))
    assert np.isfinite(price).all()
    assert ((price >= 0.0) & (price <= most * (1.0 + 1e-14))).all()


@pytest.mark.parametrize("position", range(12))
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0])
def test_a_bad_row_is_nan_and_does_not_affect_the_others(position, bad):
    good = [100.0, 90.0, 95.0, 0.5, 0.03, 0.2, 0.01, 1.0, 0.0, 0.0, 3.0, 0.0]
    if bad == -1.0 and position in {4, 6, 7, 8, 9, 10, 11}:
        return  # rates and rebates may be negative, and any number but 0 reads as yes
    columns = [[value, bad if k == position else value] for k, value in enumerate(good)]
    price = barrier_price(*columns)
    assert price[0] == barrier_price(*good)
    assert math.isnan(price[1])


def test_shapes_and_types():
    assert type(barrier_price(100, 90, 95, 1, 0, 0.2)) is float
    assert barrier_price(np.full((3, 1), 100.0), [90.0, 100.0], 95.0, 1.0, 0.0, 0.2).shape == (3, 2)
    with pytest.raises(ValueError, match="shape"):
        barrier_price([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 1.0, 0.0, 0.2)

"""Digital options against Haug's examples, QuantLib, call spreads, complex steps, and general properties."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special

from bank_python.risk_models import (
    Greeks,
    asset_digital_greeks,
    asset_digital_price,
    black_scholes_greeks,
    black_scholes_price,
    digital_greeks,
    digital_price,
)

FIRST_ORDER = {"delta": "spot", "vega": "vol", "rho": "rate", "dividend_rho": "dividend", "theta": "expiry"}


@st.composite
def contracts(draw):
    spot = draw(st.floats(1.0, 500.0))
    return {
        "spot": spot,
        "strike": spot * math.exp(draw(st.floats(-1.0, 1.0))),
        "expiry": draw(st.floats(0.01, 5.0)),
        "rate": draw(st.floats(-0.05, 0.15)),
        "vol": draw(st.floats(0.05, 1.0)),
        "dividend": draw(st.floats(-0.05, 0.15)),
    }


def deviations(contract):
    root = contract["vol"] * math.sqrt(contract["expiry"])
    carry = (contract["rate"] - contract["dividend"]) * contract["expiry"]
    return (math.log(contract["spot"] / contract["strike"]) + carry) / root


def plain(spot, strike, expiry, rate, vol, dividend, is_call, pays_asset):
    """Price by the textbook formula, which takes complex arguments."""
    root = vol * np.sqrt(expiry)
    d1 = (np.log(spot / strike) + (rate - dividend) * expiry) / root + 0.5 * root
    d = d1 if pays_asset else d1 - root
    probability = 0.5 * special.erfc((-d if is_call else d) / math.sqrt(2.0))
    return (spot * np.exp(-dividend * expiry) if pays_asset else np.exp(-rate * expiry)) * probability


def test_haug():
    # Haug (2007), sections 4.19.2 and 4.19.3
    cash = digital_price(100.0, 80.0, 0.75, 0.06, 0.35, 0.06, is_call=False, cash=10.0)
    assert cash == pytest.approx(2.6710, abs=5e-5)
    asset = asset_digital_price(70.0, 65.0, 0.5, 0.07, 0.27, 0.05, is_call=False)
    assert asset == pytest.approx(20.2069, abs=5e-5)


@pytest.mark.parametrize("pays_asset", [False, True])
def test_quantlib(pays_asset):
    today, days = ql.Date(15, 5, 2024), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today

    def flat(level):
        return ql.YieldTermStructureHandle(ql.FlatForward(today, level, days))

    for vol in (0.05, 0.2, 0.8):
        for rate, dividend in ((0.05, 0.01), (-0.02, 0.03), (0.0, 0.0)):
            surface = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, days))
            spot = ql.QuoteHandle(ql.SimpleQuote(100.0))
            engine = ql.AnalyticEuropeanEngine(ql.BlackScholesMertonProcess(spot, flat(dividend), flat(rate), surface))
            for strike, term, is_call in (
                (k, n, c) for k in (80.0, 99.0, 125.0) for n in (7, 400) for c in (True, False)
            ):
                kind = ql.Option.Call if is_call else ql.Option.Put
                payoff = (
                    ql.AssetOrNothingPayoff(kind, strike) if pays_asset else ql.CashOrNothingPayoff(kind, strike, 10.0)
                )
                option = ql.VanillaOption(payoff, ql.EuropeanExercise(today + term))
                option.setPricingEngine(engine)
                terms = (100.0, strike, term / 365.0, rate, vol, dividend, is_call)
                ours = asset_digital_greeks(*terms) if pays_asset else digital_greeks(*terms, 10.0)
                assert ours.price == pytest.approx(option.NPV(), rel=1e-10, abs=1e-12), terms
                for name in ("delta", "gamma", "vega", "theta", "rho"):
                    expected = getattr(option, name)()
                    assert getattr(ours, name) == pytest.approx(expected, rel=1e-8, abs=1e-9), (name, terms)
                assert ours.dividend_rho == pytest.approx(option.dividendRho(), rel=1e-8, abs=1e-9), terms


@given(contracts())
def test_call_and_put_together_pay_for_certain(contract):
    call, put = digital_price(**contract, is_call=[True, False], cash=7.0)
    assert call + put == pytest.approx(7.0 * math.exp(-contract["rate"] * contract["expiry"]), rel=1e-14)
    call, put = asset_digital_price(**contract, is_call=[True, False])
    certain = contract["spot"] * math.exp(-contract["dividend"] * contract["expiry"])
    assert call + put == pytest.approx(certain, rel=1e-14)


@given(contracts(), st.booleans())
def test_european_option_is_an_asset_less_the_strike(contract, is_call):
    asset = asset_digital_price(**contract, is_call=is_call)
    cash = digital_price(**contract, is_call=is_call, cash=contract["strike"])
    european = black_scholes_price(**contract, is_call=is_call)
    assert (asset - cash if is_call else cash - asset) == pytest.approx(european, abs=1e-13 * max(asset, cash, 1.0))
    parts = [digital_greeks(**contract, cash=contract["strike"]), asset_digital_greeks(**contract)]
    whole = black_scholes_greeks(**contract)
    for field in dataclasses.fields(Greeks):
        cash, asset = (getattr(part, field.name) for part in parts)
        scale = max(abs(cash), abs(asset), 1e-9)
        assert asset - cash == pytest.approx(getattr(whole, field.name), abs=1e-11 * scale), field.name


@given(contracts(), st.booleans())
def test_limit_of_spreads(contract, is_call):
    assume(abs(deviations(contract)) < 4.0)
    width = 1e-3 * contract["strike"] * contract["vol"] * math.sqrt(contract["expiry"])
    strikes = contract["strike"] + width * np.array([-0.5, 0.5])
    low, high = black_scholes_price(**{**contract, "strike": strikes}, is_call=is_call)
    spread = (low - high if is_call else high - low) / width
    assert digital_price(**contract, is_call=is_call) == pytest.approx(spread, abs=1e-6)


@given(contracts())
def test_bounds_and_monotone_in_strike(contract):
    strikes = contract["strike"] * np.exp(np.linspace(-1.0, 1.0, 41))
    many = {**contract, "strike": strikes}
    cash, asset = digital_price(**many), asset_digital_price(**many)
    assert (cash >= 0.0).all()
    assert (np.diff(cash) <= 0.0).all()
    rounding = 1.0 + 4.0 * np.finfo(float).eps  # of two exponential functions and a product
    assert cash.max() <= rounding * math.exp(-contract["rate"] * contract["expiry"])
    assert (asset >= 0.0).all()
    assert (np.diff(asset) <= 0.0).all()
    assert asset.max() <= rounding * contract["spot"] * math.exp(-contract["dividend"] * contract["expiry"])


@given(contracts(), st.floats(0.01, 100.0))
def test_scales_with_the_currency(contract, factor):
    scaled = {**contract, "spot": factor * contract["spot"], "strike": factor * contract["strike"]}
    slack = 1e-12 * (1.0 + deviations(contract) ** 2)
    assert digital_price(**scaled) == pytest.approx(digital_price(**contract), rel=slack, abs=1e-300)
    expected = factor * asset_digital_price(**contract)
    assert asset_digital_price(**scaled) == pytest.approx(expected, rel=slack, abs=1e-300)


@given(contracts())
def test_exchanging_the_two_assets(contract):
    # An asset-or-nothing call is a cash-or-nothing put with asset and cash exchanged.
    exchanged = {
        **contract,
        "spot": contract["strike"],
        "strike": contract["spot"],
        "rate": contract["dividend"],
        "dividend": contract["rate"],
    }
    slack = 1e-12 * (1.0 + deviations(contract) ** 2)
    expected = digital_price(**exchanged, is_call=False, cash=contract["spot"])
    assert asset_digital_price(**contract) == pytest.approx(expected, rel=slack, abs=1e-300)


@given(contracts(), st.booleans(), st.booleans())
def test_first_greeks_are_complex_steps(contract, is_call, pays_asset):
    assume(abs(deviations(contract)) < 6.0)
    greeks = (asset_digital_greeks if pays_asset else digital_greeks)(**contract, is_call=is_call)
    for greek, term in FIRST_ORDER.items():
        moved = {**contract, term: contract[term] + 1e-30j}
        slope = plain(**moved, is_call=is_call, pays_asset=pays_asset).imag / 1e-30
        expected = -slope if greek == "theta" else slope
        scale = contract["spot"] if pays_asset else 1.0
        assert getattr(greeks, greek) == pytest.approx(expected, rel=1e-9, abs=1e-11 * scale), (greek, contract)


@settings(max_examples=50)
@given(contracts(), st.booleans(), st.booleans())
def test_second_greeks_are_differences_of_the_first(contract, is_call, pays_asset):
    assume(abs(deviations(contract)) < 4.0)
    function = asset_digital_greeks if pays_asset else digital_greeks
    root = contract["vol"] * math.sqrt(contract["expiry"])
    for greek, of, term in [
        ("gamma", "delta", "spot"),
        ("vanna", "delta", "vol"),
        ("volga", "vega", "vol"),
        ("charm", "delta", "expiry"),
    ]:
        step = 1e-4 * contract[term] * min(1.0, root)
        points = contract[term] + step * np.array([-2.0, -1.0, 1.0, 2.0])
        values = getattr(function(**{**contract, term: points}, is_call=is_call), of)
        slope = float(np.dot(values, [1.0, -8.0, 8.0, -1.0]) / (12.0 * step))
        expected = -slope if greek == "charm" else slope
        scale = float(np.abs(values).max()) / (contract[term] * min(1.0, root))
        assert getattr(function(**contract, is_call=is_call), greek) == pytest.approx(expected, abs=1e-8 * scale), greek


@given(contracts(), st.booleans(), st.booleans())
def test_black_scholes_equation(contract, is_call, pays_asset):
    g = (asset_digital_greeks if pays_asset else digital_greeks)(**contract, is_call=is_call)
    S, r, q, vol = (contract[name] for name in ("spot", "rate", "dividend", "vol"))
    parts = [g.theta, (r - q) * S * g.delta, 0.5 * vol * vol * S * S * g.gamma, -r * g.price]
    assert math.fsum(parts) == pytest.approx(0.0, abs=1e-13 * max(map(abs, parts)) + 1e-300)


@pytest.mark.parametrize("d", [5.0, 12.0, 25.0, 36.0])
def test_far_out_of_the_money_keeps_its_digits(d):
    root = 0.25
    strike = 100.0 * math.exp(root * d - 0.5 * root * root)
    expected = 0.5 * math.exp(-0.5 * d * d) * special.erfcx(d / math.sqrt(2.0))  # d₂ = −d
    assert digital_price(100.0, strike, 1.0, 0.0, root) == pytest.approx(expected, rel=4e-16 * (1.0 + d * d) + 1e-14)


@pytest.mark.parametrize(
    ("terms", "cash", "asset"),
    [
        # spot, strike, expiry, rate, vol, dividend, is_call
        ((105.0, 100.0, 0.0, 0.05, 0.2, 0.0, True), 1.0, 105.0),
        ((105.0, 100.0, 0.0, 0.05, 0.2, 0.0, False), 0.0, 0.0),
        ((100.0, 100.0, 0.0, 0.05, 0.2, 0.0, True), 0.5, 50.0),
        ((100.0, 100.0, 0.0, 0.05, 0.2, 0.0, False), 0.5, 50.0),
        ((100.0, 101.0, 1.0, 0.05, 0.0, 0.0, True), math.exp(-0.05), 100.0),
        ((100.0, 101.0, 1.0, 0.05, 0.0, 0.0, False), 0.0, 0.0),
        ((100.0, 0.0, 2.0, 0.05, 0.2, 0.03, True), math.exp(-0.1), 100.0 * math.exp(-0.06)),
        ((100.0, 0.0, 2.0, 0.05, 0.2, 0.03, False), 0.0, 0.0),
        ((0.0, 100.0, 2.0, 0.05, 0.2, 0.03, True), 0.0, 0.0),
        ((0.0, 100.0, 2.0, 0.05, 0.2, 0.03, False), math.exp(-0.1), 0.0),
        ((100.0, 100.0, 1.0, 0.0, 1e6, 0.0, True), 0.0, 100.0),
        ((100.0, 200.0, 1.0, 0.0, 5e-324, 0.0, False), 1.0, 100.0),
    ],
)
def test_limits(terms, cash, asset):
    assert digital_price(*terms) == pytest.approx(cash, rel=1e-15, abs=0.0)
    assert asset_digital_price(*terms) == pytest.approx(asset, rel=1e-15, abs=0.0)


def test_limits_of_the_greeks():
    settled = digital_greeks(105.0, 100.0, 0.0, 0.05, 0.2)
    assert (settled.delta, settled.gamma, settled.vega, settled.theta, settled.charm) == (0.0, 0.0, 0.0, 0.05, 0.0)
    share = asset_digital_greeks(105.0, 100.0, 1.0, 0.05, 0.0, 0.02)
    assert share.delta == pytest.approx(math.exp(-0.02), rel=1e-15)
    assert (share.gamma, share.vega, share.vanna, share.volga) == (0.0, 0.0, 0.0, 0.0)
    assert asset_digital_greeks(0.0, 100.0, 1.0, 0.05, 0.2, 0.02, is_call=False).delta == math.exp(-0.02)
    assert digital_greeks(100.0, 100.0, 0.0, 0.05, 0.2).delta == math.inf


@pytest.mark.parametrize("position", range(8))
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0])
def test_a_bad_row_is_nan_and_does_not_affect_the_others(position, bad):
    good = [100.0, 95.0, 0.5, 0.03, 0.2, 0.01, 1.0, 10.0]
    if bad == -1.0 and position in {3, 5, 6, 7}:
        return  # rates and amounts may be negative, and any number but 0 reads as a call
    columns = [[value, bad if k == position else value] for k, value in enumerate(good)]
    price = digital_price(*columns)
    assert price[0] == digital_price(*good)
    assert math.isnan(price[1])
    greeks = digital_greeks(*columns)
    assert all(math.isnan(getattr(greeks, field.name)[1]) for field in dataclasses.fields(Greeks))
    if position < 7:
        assert np.isnan(asset_digital_price(*columns[:7])).tolist() == [False, True]


def test_shapes_and_types():
    assert type(digital_price(100, 100, 1, 0, 0.2)) is float
    assert digital_price(np.ones((3, 1)), [1.0, 2.0], 1.0, 0.0, 0.2).shape == (3, 2)
    assert type(asset_digital_greeks(100, 100, 1, 0, 0.2).charm) is float
    assert digital_greeks([100.0, 101.0], 100.0, 1.0, 0.0, 0.2).rho.shape == (2,)

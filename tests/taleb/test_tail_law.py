"""Constants and prices of the two power laws: published figures, quadrature of the payoffs, round trips."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CallError, ModelError
from bank_python.numerics import gauss_legendre
from bank_python.risk_models import black_scholes_price
from bank_python.taleb.tail_law import TailLaw, tail_law, tail_price, tail_probability, tail_scale

SOURCE = "Taleb, Yarckin, Mann, Delic, Spitznagel, arXiv:1908.02347"
INDICES = st.floats(1.05, 12.0)


def integral(function, panels=60, lower=0.0, upper=1.0):
    """Integrate by Gauss and Legendre on equal panels."""
    rule = gauss_legendre(20)
    edges = np.linspace(lower, upper, panels + 1)
    half = 0.5 * np.diff(edges)[:, None]
    x = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * rule.nodes
    return float(np.sum(function(x) * rule.weights * half))


@pytest.mark.parametrize(
    ("arguments", "law", "is_call", "expected"),
    [
        ((100.0, 120.0, 3.0, 100.0), "price", True, 34.72222222222222),  # C = K^(1-a) l^a/(a-1), quadrature agrees
        ((100.0, 110.0, 3.0, 0.05), "returns", True, 0.625),  # (l S0)^a (K-S0)^(1-a)/(a-1), quadrature agrees
        ((100.0, 80.0, 3.0, 0.05), "returns", False, 0.1400175021877735),  # closed form = quadrature
    ],
)
def test_published_prices(arguments, law, is_call, expected):
    assert tail_price(*arguments, law=law, is_call=is_call) == pytest.approx(expected, rel=1e-13), SOURCE


def test_published_constant():
    """l = ((a - 1) C K^(a - 1))^(1/a) for C = 2, K = 110, a = 3."""
    assert tail_scale(100.0, 110.0, 3.0, 2.0, law="price") == pytest.approx(36.44308387191581, rel=1e-13)


def test_anchors_by_black_and_scholes():
    """The quotes of the paper's kind: three months, 20 %, no rate."""
    assert black_scholes_price(100.0, 110.0, 0.25, 0.0, 0.2) == pytest.approx(0.9539473918572234, abs=1e-12)
    put = black_scholes_price(100.0, 90.0, 0.25, 0.0, 0.2, is_call=False)
    assert put == pytest.approx(0.7123808960736788, abs=1e-12)


@pytest.mark.parametrize("alpha", [1.3, 2.5, 3.0, 6.0])
@pytest.mark.parametrize("strike", [112.0, 150.0, 400.0])
def test_calls_are_the_integral_of_payoff_and_density(alpha, strike):
    """Quadrature of (s - K) f(s), s = start + (K - start) exp(x), to 1e-10."""
    for law, start, first in (("returns", 100.0, 0.1 * 100.0), ("price", 0.0, 90.0)):
        reach = strike - start

        def payoff(x, start=start, first=first, reach=reach):
            away = reach * np.exp(x)
            density = alpha * first**alpha * away ** (-alpha - 1.0)
            return (start + away - strike) * density * away

        found = integral(payoff, panels=400, upper=60.0 / (alpha - 1.0))
        scale = first / 100.0 if law == "returns" else first
        assert tail_price(100.0, strike, alpha, scale, law=law) == pytest.approx(found, rel=1e-10)


@pytest.mark.parametrize("alpha", [1.3, 2.5, 3.0, 6.0])
@pytest.mark.parametrize("strike", [1.0, 30.0, 80.0, 94.0])
def test_puts_are_the_integral_of_payoff_and_truncated_density(alpha, strike):
    l = 0.05  # noqa: E741 - as in the paper

    def payoff(s):
        fall = (100.0 - s) / 100.0
        return (strike - s) * alpha * l**alpha * fall ** (-alpha - 1.0) / (1.0 - l**alpha) / 100.0

    found = integral(payoff, panels=400, upper=strike)
    assert tail_price(100.0, strike, alpha, l, is_call=False) == pytest.approx(found, rel=1e-10)


@given(
    st.floats(1.0, 1e4), INDICES, st.floats(0.01, 0.4), st.floats(1.01, 20.0), st.sampled_from(["call", "put", "price"])
)
def test_a_price_implies_the_constant_it_was_made_from(spot, alpha, scale, far, kind):
    is_call, law = kind != "put", "price" if kind == "price" else "returns"
    if kind == "price":
        scale *= spot
        strike = max(scale, spot) * far
    else:
        strike = spot * (1.0 + scale * far) if is_call else spot * (1.0 - scale) / far
    price = tail_price(spot, strike, alpha, scale, is_call=is_call, law=law)
    found = tail_scale(spot, strike, alpha, price, is_call=is_call, law=law)
    assert found == pytest.approx(scale, rel=1e-9)  # 1e-12 at α near 1 of the power, as 1/α of few ulp


@given(INDICES, st.floats(0.02, 0.5), st.booleans())
def test_the_law_begins_with_a_probability_of_one(alpha, scale, is_call):
    strike = 100.0 * (1.0 + scale if is_call else 1.0 - scale)
    strike *= 1.0 + 1e-13 if is_call else 1.0 - 1e-13
    price = tail_price(100.0, strike, alpha, scale, is_call=is_call)
    assert tail_probability(100.0, strike, alpha, price, is_call=is_call) == pytest.approx(1.0, rel=1e-8)
    nearer = 100.0 * (1.0 + 0.9 * scale if is_call else 1.0 - 0.9 * scale)
    assert math.isnan(tail_price(100.0, nearer, alpha, scale, is_call=is_call))


def test_a_put_goes_to_nothing_with_its_strike():
    prices = tail_price(100.0, [1e-9, 1e-6, 1e-3, 1.0], 3.0, 0.05, is_call=False)
    assert (prices > 0.0).all()
    assert prices[0] / prices[1] == pytest.approx(1e-6, rel=1e-8)  # of second order in the strike


def test_arrays_keep_their_shape():
    found = tail_price(100.0, [[110.0, 120.0]], 3.0, 0.05)
    assert found.shape == (1, 2)
    assert found[0, 0] == pytest.approx(0.625)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: tail_price(100.0, 110.0, 1.0, 0.05), "alpha=1.0 is not above 1"),
        (lambda: tail_price(100.0, 110.0, float("nan"), 0.05), "alpha=nan"),
        (lambda: tail_price(0.0, 110.0, 3.0, 0.05), "spot=0.0"),
        (lambda: tail_price(100.0, [110.0, math.nan], 3.0, 0.05), "strike=nan"),
        (lambda: tail_price(100.0, 80.0, 3.0, 1.5, is_call=False), "puts need a scale below 1"),
        (lambda: tail_price(100.0, 80.0, 3.0, 50.0, is_call=False, law="price"), "no puts"),
        (lambda: tail_scale(100.0, 100.0, 3.0, 1.0), "not above the spot"),
        (lambda: tail_scale(100.0, 110.0, 3.0, 0.0), "price=0.0"),
        (lambda: tail_probability(100.0, 110.0, 3.0, 1.0, is_call=False), "not below the spot"),
        (lambda: tail_law("return"), "did you mean returns"),
    ],
)
def test_bad_arguments_are_named(call, said):
    with pytest.raises(ModelError, match=said):
        call()


def test_a_missing_argument_is_explained():
    with pytest.raises(CallError, match="scale"):
        tail_price(100.0, 110.0, 3.0)


def test_a_law_goes_by_its_name():
    assert tail_law("price") is TailLaw.PRICE
    assert tail_law(TailLaw.RETURNS, is_call=False) is TailLaw.RETURNS


@pytest.mark.parametrize("alpha", [160.0, 300.0, 1_100.0, 1e6])
@pytest.mark.parametrize("strike", [40.0, 90.0, 99.0, 99.9])
def test_steep_tails_of_puts_do_not_overflow(alpha, strike):
    scale = tail_scale(100.0, strike, alpha, 1e-3, is_call=False)
    assert 0.0 < scale <= 1.0
    # (1 − x)^(1 − α) is the whole price here: l^α/(1 − l^α) = P (α − 1)/S · (1 − x)^(α − 1), so that P(K) = that · …
    chance = 1e-3 * (alpha - 1.0) / (100.0 - strike)
    assert tail_probability(100.0, strike, alpha, 1e-3, is_call=False) == pytest.approx(chance, rel=1e-9)
    if chance < 1.0:
        found = tail_price(100.0, strike, alpha, scale, is_call=False)
        assert found == pytest.approx(1e-3, rel=1e-15 * alpha * max(1.0, -math.log(scale)) + 1e-12)

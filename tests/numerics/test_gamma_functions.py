"""Digamma, trigamma and the half step: against SciPy, exact arithmetic and closed forms."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from bank_python.errors import ModelError
from bank_python.numerics.gamma_functions import digamma, half_step, trigamma

EULER = 0.57721566490153286  # NIST Digital Library of Mathematical Functions, 5.2.3

arguments = st.floats(1e-3, 1e8)


@given(arguments)
def test_they_are_those_of_scipy(x):
    # relative to the parts that are added up: digamma is 0 near 1.4616
    assert digamma(x) == pytest.approx(special.digamma(x), rel=1e-14, abs=2e-15 * (1.0 + 1.0 / x))
    assert trigamma(x) == pytest.approx(special.polygamma(1, x), rel=1e-14)


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        # NIST Digital Library of Mathematical Functions, 5.4.12, 5.4.13, 5.15.1
        (digamma, 1.0, -EULER),
        (digamma, 0.5, -EULER - 2.0 * math.log(2.0)),
        (digamma, 4.0, -EULER + 1.0 + 1.0 / 2.0 + 1.0 / 3.0),
        (trigamma, 1.0, math.pi**2 / 6.0),
        (trigamma, 0.5, math.pi**2 / 2.0),
        (trigamma, 3.0, math.pi**2 / 6.0 - 1.0 - 1.0 / 4.0),
    ],
)
def test_closed_forms(function, x, expected):
    assert function(x) == pytest.approx(expected, rel=2e-15)


@given(arguments)
def test_trigamma_is_the_slope_of_digamma(x):
    step = 1e-4 * x
    slope = (digamma(x + step) - digamma(x - step)) / (2.0 * step)
    assert trigamma(x) == pytest.approx(slope, rel=1e-6)


@given(st.floats(1e-3, 1e6))
def test_the_half_step(x):
    expected = special.gammaln(x + 0.5) - special.gammaln(x)
    assert half_step(x) == pytest.approx(expected, rel=1e-14, abs=1e-15 * (4.0 + abs(special.gammaln(x))))


@given(st.integers(1, 300))
def test_the_half_step_of_a_whole_number_in_exact_arithmetic(n):
    # Gamma(n + 1/2) = (2n)! / (4^n n!) times the root of pi (NIST Digital Library of Mathematical Functions, 5.5.5)
    with localcontext() as context:
        context.prec = 40
        ratio = Decimal(math.factorial(2 * n)) / (4**n * math.factorial(n) * math.factorial(n - 1))
        expected = float(ratio.ln()) + 0.5 * math.log(math.pi)
    assert half_step(float(n)) == pytest.approx(expected, rel=1e-15, abs=5e-16)


@pytest.mark.parametrize("function", [digamma, half_step, trigamma])
@pytest.mark.parametrize("x", [0.0, -1.5, math.nan, -math.inf])
def test_what_is_not_above_0_is_refused(function, x):
    with pytest.raises(ModelError, match=r"is not above 0; give a positive number") as caught:
        function(x)
    assert caught.value.value is x

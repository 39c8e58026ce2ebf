"""Linear recursions without a loop over time: against the loop, and against SciPy's filter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from bank_python.numerics.linear_recursion import constant_recursion, varying_recursion

seeds = st.integers(0, 2**32 - 1)


def looped(coefficients, inputs):
    x, last = np.empty_like(inputs), np.zeros(inputs.shape[:-1])
    for t, coefficient in enumerate(coefficients):
        last = inputs[..., t] + (coefficient * last if t else 0.0)
        x[..., t] = last
    return x


@given(seeds, st.integers(1, 70), st.sampled_from([(), (1,), (3,), (2, 3)]), st.floats(-1.0, 1.0))
def test_a_constant_coefficient(seed, n, shape, coefficient):
    inputs = np.random.default_rng(seed).standard_normal((*shape, n))
    given_ = inputs.copy()
    x = constant_recursion(coefficient, inputs)
    assert x == pytest.approx(looped(np.full(n, coefficient), inputs), abs=1e-13)
    assert x is not inputs
    assert (inputs == given_).all()


@pytest.mark.parametrize("coefficient", [0.0, 1e-300, 0.5, 0.94, 0.999, 1.0, -1.0, -0.7])
def test_long_series_against_scipy(coefficient):
    inputs = np.random.default_rng(1).standard_normal((2, 20_000))
    expected = lfilter([1.0], [1.0, -coefficient], inputs)
    assert np.abs(constant_recursion(coefficient, inputs) - expected).max() < 1e-12 * max(1.0, np.abs(expected).max())


@given(seeds, st.integers(1, 70), st.sampled_from([(), (4,)]), st.floats(0.1, 2.0))
def test_varying_coefficients(seed, n, shape, size):
    rng = np.random.default_rng(seed)
    coefficients, inputs = size * rng.uniform(-1.0, 1.0, n), rng.standard_normal((*shape, n))
    coefficients[rng.random(n) < 0.1] = 0.0
    expected = looped(coefficients, inputs)
    sizes = looped(np.abs(coefficients), np.abs(inputs))  # to rounding of the parts that are added up
    x = varying_recursion(coefficients, inputs)
    assert (np.abs(x - expected) <= 1e-14 * sizes * max(1, n)).all()


@given(seeds, st.floats(-1.0, 1.0), st.integers(1, 40))
def test_both_agree(seed, coefficient, n):
    inputs = np.random.default_rng(seed).standard_normal(n)
    varying = varying_recursion(np.full(n, coefficient), inputs)
    assert varying == pytest.approx(constant_recursion(coefficient, inputs), abs=1e-13)


def test_the_first_coefficient_has_no_effect():
    inputs = np.arange(5.0)
    first, second = np.full(5, 0.5), np.full(5, 0.5)
    second[0] = 1e9
    assert (varying_recursion(first, inputs) == varying_recursion(second, inputs)).all()


def test_what_is_given_is_not_changed():
    coefficients, inputs = np.full(9, 0.5), np.ones(9)
    varying_recursion(coefficients, inputs)
    assert (coefficients == 0.5).all()
    assert (inputs == 1.0).all()


def test_coefficients_that_begin_large_and_then_vanish():
    coefficients = np.concatenate([np.full(50, 3.0), [0.0], np.full(50, 0.5)])
    inputs = np.ones(101)
    assert varying_recursion(coefficients, inputs) == pytest.approx(looped(coefficients, inputs), rel=1e-13)

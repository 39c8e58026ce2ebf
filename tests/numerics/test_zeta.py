"""The scaled Hurwitz zeta function against values with 30 digits and its own recurrence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.numerics.zeta import scaled_zeta

# q**s ζ(s, q) and its derivative by s: mpmath 1.4.1 with 60 digits
KNOWN = [
    (1.01, 1.0, 100.57794333849678, -9999.927281160435),
    (2.0, 1.0, 1.6449340668482264, -0.9375482543158438),
    (3.5, 1.0, 1.1267338673170566, -0.11311916960810248),
    (2.5, 7.0, 5.196271816535061, -3.0993477925216997),
    (12.0, 12.0, 1.6725532094902187, -0.09261230116710001),
    (40.0, 3.0, 1.0000100579228226, -2.8937827390020023e-06),
]


@pytest.mark.parametrize(("s", "q", "value", "slope"), KNOWN)
def test_value_and_derivative(s, q, value, slope):
    found = scaled_zeta(s, q)
    # 1e-13: the sum and the formula have some twenty terms of rounding each
    np.testing.assert_allclose([found[0], found[1]], [value, slope], rtol=1e-13)


@given(st.floats(1.001, 300.0), st.floats(1.0, 1e6))
def test_recurrence(s, q):
    # ζ(s, q) = q^−s + ζ(s, q + 1)
    here, after = scaled_zeta(s, q)[0], scaled_zeta(s, q + 1.0)[0]
    assert float(here) == pytest.approx(1.0 + math.exp(-s * math.log1p(1.0 / q)) * float(after), rel=1e-12)


def test_shape_is_that_of_both_arguments():
    value, slope = scaled_zeta([[2.0], [3.0]], [1.0, 2.0, 50.0])
    assert value.shape == slope.shape == (2, 3)
    assert value[1, 0] == pytest.approx(1.2020569031595942, rel=1e-14)  # Apéry's constant


@pytest.mark.parametrize(("s", "q"), [(1.0, 1.0), (2.0, 0.5), (math.nan, 1.0), (2.0, math.inf)])
def test_arguments_out_of_range(s, q):
    with pytest.raises(ModelError, match="is not"):
        scaled_zeta(s, q)

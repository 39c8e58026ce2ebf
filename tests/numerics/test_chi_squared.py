"""The upper tail of the chi-squared distribution against scipy, near and far."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import ModelError
from bank_python.numerics.chi_squared import chi_squared_tail


@given(st.floats(0.0, 3000.0), st.integers(1, 2500))
def test_it_is_that_of_scipy(x, degrees):
    # The logarithms of factorials of a thousand and more lose three of sixteen digits.
    assert chi_squared_tail(x, degrees) == pytest.approx(float(stats.chi2.sf(x, degrees)), rel=2e-11, abs=1e-300)


def test_printed_quantiles():
    """Abramowitz and Stegun (1964), table 26.8: the 5 % points of 1, 2 and 10 degrees of freedom."""
    for degrees, point in ((1, 3.84146), (2, 5.99146), (10, 18.3070)):
        assert chi_squared_tail(point, degrees) == pytest.approx(0.05, abs=2e-6)


def test_ends_of_the_range():
    assert chi_squared_tail(0.0, 7) == 1.0
    assert chi_squared_tail(math.inf, 7) == 0.0


@pytest.mark.parametrize(("x", "degrees"), [(-1.0, 3), (math.nan, 3), (1.0, 0)])
def test_bad_input_is_named(x, degrees):
    with pytest.raises(ModelError, match="is not at least"):
        chi_squared_tail(x, degrees)

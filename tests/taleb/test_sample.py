"""Samples: what is read, what is refused, and how the sides are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.sample import is_constant, largest_first, number_of_largest, read_sample, split_tails

FINITE = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@settings(max_examples=40)
@given(FINITE)
def test_every_return_is_a_loss_a_gain_or_zero(values):
    tails = split_tails(values)
    assert tails.n_losses + tails.n_gains + tails.zeros == len(values)
    assert (tails.losses > 0.0).all()
    assert (tails.gains > 0.0).all()
    assert sorted([*-tails.losses, *tails.gains]) == sorted(value for value in values if value != 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_row_that_is_no_number_is_named(bad):
    with pytest.raises(ModelError, match=r"losses: row 2 is (nan|inf|-inf)"):
        read_sample([0.1, 0.2, bad, np.nan], name="losses")


def test_too_few_values_are_said_with_both_numbers():
    with pytest.raises(CalibrationError, match="there are 3 values, fewer than 10"):
        read_sample([1.0, 2.0, 3.0], fewest=10)
    with pytest.raises(CalibrationError, match="there is 1 value, fewer than 2"):
        read_sample([1.0], fewest=2)


def test_a_table_and_text_are_refused():
    with pytest.raises(ModelError, match=r"shape \(2, 2\)"):
        read_sample([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ModelError, match="read_sample"):
        read_sample(["a", "b"])


def test_a_series_that_is_constant_to_rounding_is_constant():
    prices = 100.0 * 1.0004 ** np.arange(500)
    returns = np.diff(np.log(prices))  # equal but for the rounding of the prices
    assert np.ptp(returns) > 0.0
    assert is_constant(returns)
    with pytest.raises(CalibrationError, match=r"all 499 values are 0\.00039992 to rounding"):
        read_sample(returns, varying=True)
    assert not is_constant(np.array([1.0, 1.0 + 1e-6]))


def test_one_sided_data_have_no_tail():
    with pytest.raises(CalibrationError, match="0 of 3 values are positive, fewer than 2"):
        largest_first([-1.0, -2.0, 0.0])


def test_a_number_of_largest_values_is_whole_and_fits():
    assert number_of_largest(np.int64(3), 4) == 3
    for k in (0, -1, 1.5, float("nan")):
        with pytest.raises(ModelError, match="is not a whole number from 1"):
            number_of_largest(k, 10)
    with pytest.raises(CalibrationError, match="k=4 needs 5 positive values, and there are 4"):
        number_of_largest(4, 4)

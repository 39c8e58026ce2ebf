"""The cheap figures of a series' tails: those of the estimators, or why there are none."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.hill import hill
from bank_python.taleb.tail_reading import FEWEST_OF_A_TAIL, tail_reading


def test_student_3_has_the_mean_deviation_of_its_closed_form_and_two_like_tails():
    # MAD/SD of Student's t with 3 degrees of freedom is 2/pi; a sample's standard deviation is short of the true one
    # as long as it lacks the largest values, so the ratio is a little higher.
    reading = tail_reading(np.random.default_rng(3).standard_t(3, 200_000))
    assert reading.mad_sd == pytest.approx(2.0 / math.pi, abs=0.02)
    for side in (reading.left, reading.right):
        assert side.alpha == pytest.approx(3.0, abs=4.0 * side.error)
        assert not side.may_be_thin
    assert reading.left.k == int(reading.left.n_values**0.6)


@pytest.mark.parametrize(
    ("draw", "mean"),
    [
        (lambda rng: rng.standard_t(3, 261), 2.42),
        (lambda rng: rng.standard_t(4, 261), 2.77),
        (lambda rng: rng.normal(size=261), 4.18),
    ],
)
def test_of_a_years_days_an_index_is_low_by_as_much_as_is_documented(draw, mean):
    rng = np.random.default_rng(8)
    found = np.array([tail_reading(draw(rng)).left.alpha for _ in range(300)])
    # The documented means are of 1,000 samples: the difference of two means has a standard error of 1.14 of this one.
    assert found.mean() == pytest.approx(mean, abs=4.0 * 1.14 * found.std() / math.sqrt(300))


def test_the_sides_are_those_of_losses_and_of_gains():
    rng = np.random.default_rng(5)
    series = np.concatenate([-rng.pareto(2.0, 4_000) - 1.0, rng.normal(size=4_000)])
    reading = tail_reading(series)
    assert reading.left.alpha == hill(-series, reading.left.k) < 2.3
    assert reading.right.alpha > 3.5
    mirrored = tail_reading(-series)
    assert (mirrored.left, mirrored.right) == (reading.right, reading.left)


def test_a_tail_of_few_values_has_a_reason_with_the_number_and_leaves_the_other():
    series = np.concatenate([np.full(FEWEST_OF_A_TAIL - 1, -0.5), np.linspace(0.1, 2.0, 200)])
    reading = tail_reading(series)
    assert math.isnan(reading.left.alpha)
    assert math.isnan(reading.left.error)
    assert reading.left.reason == "49 losses, fewer than 50"
    assert reading.right.reason == ""
    assert reading.right.alpha > 0.0
    assert "0 gains" in tail_reading(-np.abs(series)).right.reason


def test_tied_losses_are_no_tail():
    series = np.concatenate([np.full(80, -0.5), np.linspace(0.1, 2.0, 200)])
    assert "largest values all equal 0.5" in tail_reading(series).left.reason


@pytest.mark.parametrize(
    ("series", "error", "said"),
    [
        ([0.1, math.nan, 0.2], ModelError, "row 1 is nan"),
        ([0.1], CalibrationError, "is 1 value"),
        ([0.1 + 0.2, 0.3] * 50, CalibrationError, "all 100 values are 0.3"),
        ([[0.1, 0.2]], ModelError, "shape"),
    ],
)
def test_bad_series_are_refused_by_name_and_number(series, error, said):
    with pytest.raises(error, match=said):
        tail_reading(series)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-6, 1e9))
def test_the_unit_changes_the_deviation_only(seed, scale):
    series = np.random.default_rng(seed).standard_t(4, 400)
    one, other = tail_reading(series), tail_reading(scale * series)
    for side in ("left", "right"):
        assert getattr(other, side).alpha == pytest.approx(getattr(one, side).alpha, rel=1e-9)
    assert (other.mad_sd, other.max_to_sum) == pytest.approx((one.mad_sd, one.max_to_sum), rel=1e-9)
    assert other.deviation == pytest.approx(scale * one.deviation, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_deviation_of_figures_whose_squares_are_none(scale):
    series = np.random.default_rng(1).standard_t(4, 400)
    assert tail_reading(scale * series).deviation == pytest.approx(scale * tail_reading(series).deviation, rel=1e-9)

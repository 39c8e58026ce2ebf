"""Maximum over sum: the figures asked for, its limits, and its curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.max_to_sum import max_to_sum, max_to_sum_curves

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40)
POWERS = st.sampled_from([0.5, 1.0, 2.0, 2.5, 3.0, 4.0])


def test_known_samples():
    rng = np.random.default_rng(0)
    assert max_to_sum(np.zeros(10)) == 0.0
    assert max_to_sum(rng.normal(size=10_000)) < 0.01
    outlier = rng.normal(size=1_000)
    outlier[500] = 100.0
    assert max_to_sum(outlier) > 0.05
    assert max_to_sum([3.0, -4.0]) == 16.0 / 25.0
    assert max_to_sum([3.0, -4.0], 1) == pytest.approx(4.0 / 7.0, rel=1e-15)


@settings(max_examples=40)
@given(VALUES, POWERS)
def test_between_one_over_n_and_one(values, p):
    ratio = max_to_sum(values, p)
    if any(values):
        assert 1.0 / len(values) * (1.0 - 1e-12) <= ratio <= 1.0
    else:
        assert ratio == 0.0


@settings(max_examples=40)
@given(VALUES, POWERS)
def test_curves_end_at_the_ratio_of_each_beginning(values, p):
    curves = max_to_sum_curves(values, [p])
    assert curves.ratios[0].tolist() == pytest.approx(
        [max_to_sum(values[: i + 1], p) for i in range(len(values))], rel=1e-9
    )


def test_no_power_overflows():
    assert max_to_sum([1e300, 1e300], 4) == 0.5
    assert max_to_sum_curves([1e-300, 1e300, 1e300]).ratios[3].tolist() == [1.0, 1.0, 0.5]


def test_infinite_moments_keep_the_ratio_up():
    rng = np.random.default_rng(1)
    # tail index 1.5: the variance is infinite, the mean is not
    ratios = np.array([list(max_to_sum_curves(rng.pareto(1.5, 20_000)).final.values()) for _ in range(20)])
    assert np.median(ratios[:, 0]) < 0.04
    assert np.median(ratios[:, 1]) > 0.2


def test_refused():
    with pytest.raises(CalibrationError, match="there are 0 values"):
        max_to_sum([])
    with pytest.raises(ModelError, match=r"p=0\.0 is not above 0"):
        max_to_sum([1.0], 0.0)
    with pytest.raises(ModelError, match="row 1 is nan"):
        max_to_sum([1.0, np.nan])
    with pytest.raises(ModelError, match=r"powers=-1\.0"):
        max_to_sum_curves([1.0], [1, -1])


def test_shown_drawn_and_exported():
    curves = max_to_sum_curves([1.0, 2.0, -3.0])
    assert curves.final[1.0] == 0.5
    assert curves.n_observations == 3
    assert curves.to_table().to_pandas().columns.tolist() == ["observations", "p=1", "p=2", "p=3", "p=4"]
    assert "Maximum to sum" in repr(curves)
    assert len(curves.plot().axes[0].lines) == 4

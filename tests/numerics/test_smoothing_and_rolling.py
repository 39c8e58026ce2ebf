"""Exponential smoothing against its recursion step by step, rolling figures against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.numerics.rolling import rolling_means, rolling_variances
from bank_python.numerics.smoothing import smoothed

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=50)


@given(VALUES, st.floats(0.001, 1.0), st.floats(-1e6, 1e6))
def test_smoothing_is_its_recursion(values, weight, start):
    expected, level = [], start
    for value in values:
        level = (1.0 - weight) * level + weight * value
        expected.append(level)
    assert smoothed(values, weight, start) == pytest.approx(expected, rel=1e-12, abs=1e-9)


def test_a_long_series_is_smoothed_to_rounding():
    values = np.random.default_rng(0).exponential(size=20_000)
    level = 1.0
    for value in values.tolist():
        level = 0.94 * level + 0.06 * value
    assert smoothed(values, 1.0 - 0.94, 1.0)[-1] == pytest.approx(level, rel=1e-13)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.data())
def test_rolling_figures_are_those_of_pandas(values, data):
    length = data.draw(st.integers(2, len(values)))
    rolling = pd.Series(values).rolling(length)
    assert rolling_means(values, length) == pytest.approx(rolling.mean()[length - 1 :].to_numpy(), abs=1e-6)
    assert rolling_variances(values, length) == pytest.approx(rolling.var()[length - 1 :].to_numpy(), abs=1e-5)


def test_a_window_after_a_large_value_keeps_its_digits():
    values = [1e9, 1e-3, 2e-3, 3e-3]
    assert rolling_means(values, 3)[-1] == pytest.approx(2e-3, rel=1e-12)
    assert rolling_variances(values, 3)[-1] == pytest.approx(1e-6, rel=1e-9)


def test_windows_that_do_not_fit_into_memory_at_once_are_done_in_parts():
    values = np.arange(10_000.0)
    assert rolling_means(values, 1_000) == pytest.approx(values[999:] - 499.5)

"""How far to go along a direction: by hand, and Armijo's condition on random parabolas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.numerics.line_search import backtracked, step_to_zero


def test_the_first_value_to_reach_zero_says_how_far():
    assert step_to_zero(np.array([1.0, 3.0, 2.0]), np.array([-2.0, -1.0, 5.0])) == 0.5
    assert step_to_zero(np.array([1.0]), np.array([0.0])) == math.inf
    assert step_to_zero(np.zeros(0), np.zeros(0)) == math.inf


@given(st.floats(0.01, 100.0), st.floats(-10.0, -0.01), st.floats(0.1, 8.0))
def test_the_step_has_fallen_enough_and_twice_the_step_has_not(curve, slope, first):
    def parabola(step):
        return slope * step + 0.5 * curve * step**2

    step = backtracked(parabola, start=0.0, slope=slope, first=first)
    assert parabola(step) <= 0.1 * step * slope
    assert step == first or parabola(2.0 * step) > 0.2 * step * slope


def test_a_full_newton_step_is_taken():
    assert backtracked(lambda step: 0.5 * (1.0 - step) ** 2, start=0.5, slope=-1.0) == 1.0


def test_where_nothing_falls_the_step_vanishes():
    assert backtracked(lambda step: math.nan * step, start=0.0, slope=-1.0) < 1e-12
    assert backtracked(lambda step: step, start=0.0, slope=-1.0) == pytest.approx(0.0, abs=1e-12)

"""Survival curves: nodes, hazards between them, and what cannot be a curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from bank_python.errors import CurveError
from bank_python.risk_models.survival import SurvivalCurve

hazard_lists = st.lists(st.floats(0.0, 2.0), min_size=1, max_size=8)


def yearly(hazards):
    return SurvivalCurve.from_hazard_rates(np.arange(1.0, len(hazards) + 1.0), hazards)


def test_nodes_are_met_and_hazard_is_constant_between_them():
    curve = SurvivalCurve([1.0, 3.0], [0.98, 0.90])
    assert curve.survival(1.0) == pytest.approx(0.98, rel=1e-15)
    assert curve.survival(3.0) == pytest.approx(0.90, rel=1e-15)
    late = math.log(0.98 / 0.90) / 2.0
    np.testing.assert_allclose(curve.hazard_rate([1.0, 1.5, 2.9, 3.0, 40.0]), late, rtol=1e-14)
    np.testing.assert_allclose(curve.hazard_rate([0.0, 0.5]), -math.log(0.98), rtol=1e-14)


@given(hazard_lists, st.one_of(st.just(0.0), st.floats(1e-6, 12.0)))  # quad gives up on intervals of 1e-308
def test_survival_is_the_exponential_of_the_integrated_hazard(hazards, time):
    curve = yearly(hazards)
    knots = [float(k) for k in range(1, len(hazards)) if k < time]
    total = sum(integrate.quad(curve.hazard_rate, a, b)[0] for a, b in zip([0.0, *knots], [*knots, time], strict=True))
    assert curve.survival(time) == pytest.approx(math.exp(-total), rel=1e-12)


@given(hazard_lists)
def test_survival_falls_from_one(hazards):
    alive = yearly(hazards).survival(np.linspace(0.0, 20.0, 201))
    assert alive[0] == 1.0
    assert (np.diff(alive) <= 0.0).all()


@given(st.floats(0.0, 5.0), st.floats(0.0, 50.0))
def test_flat(hazard, time):
    curve = SurvivalCurve.flat(hazard)
    assert curve.hazard_rate(time) == hazard
    assert curve.survival(time) == pytest.approx(math.exp(-hazard * time), rel=1e-13)


def test_a_name_known_to_live_has_survived():
    assert SurvivalCurve.flat(0.02).survival([-1.0, 0.0]).tolist() == [1.0, 1.0]


def test_types_and_shapes():
    curve = SurvivalCurve.flat(0.02)
    assert type(curve.survival(1)) is float
    assert type(curve.hazard_rate(1)) is float
    assert curve.survival([[1.0], [2.0]]).shape == (2, 1)
    with pytest.raises(ValueError, match="read-only"):
        curve.times[0] = 2.0


def test_the_callers_array_stays_writable():
    times = np.array([1.0, 2.0])
    SurvivalCurve(times, [0.9, 0.8])
    times[0] = 0.5
    assert times[0] == 0.5


@pytest.mark.parametrize(
    ("times", "survivals", "message"),
    [
        ([], [], "as many times"),
        ([1.0, 2.0], [0.9], "as many times"),
        ([0.0], [0.9], r"increasing, not \[0.0\]"),
        ([2.0, 1.0], [0.9, 0.8], "increasing"),
        ([1.0, math.nan], [0.9, 0.8], "finite"),
        ([1.0], [0.0], "not 0.0"),
        ([1.0], [1.1], "not 1.1"),
        ([1.0], [math.nan], "not nan"),
        ([1.0, 2.0], [0.8, 0.9], "rises from 0.8 at 1 years to 0.9 at 2"),
    ],
)
def test_bad_nodes(times, survivals, message):
    with pytest.raises(CurveError, match=message):
        SurvivalCurve(times, survivals)


@pytest.mark.parametrize("hazard", [-0.01, math.nan, math.inf])
def test_bad_hazard(hazard):
    with pytest.raises(CurveError, match="hazard rate must be finite and at least 0"):
        SurvivalCurve.flat(hazard)


def test_bad_hazard_times():
    with pytest.raises(CurveError, match="increasing"):
        SurvivalCurve.from_hazard_rates([2.0, 1.0], [0.1, 0.1])
    with pytest.raises(CurveError, match="as many times"):
        SurvivalCurve.from_hazard_rates([2.0, 1.0], [0.1])

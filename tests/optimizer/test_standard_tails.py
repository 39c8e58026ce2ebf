"""Standardised tails: closed forms against scipy's integrals, samples against the definition."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import CalibrationError
from bank_python.optimizer.standard_tails import (
    StandardTail,
    TailDistribution,
    TailMeasure,
    empirical_tail,
    gaussian_tail,
    student_t_tail,
)


@pytest.mark.parametrize("epsilon", [0.3, 0.05, 0.01, 1e-4])
def test_the_normal_tail(epsilon):
    tail = gaussian_tail(epsilon)
    assert tail.value_at_risk == pytest.approx(-stats.norm.ppf(epsilon), rel=1e-13)
    mean = stats.norm.expect(lambda x: x, ub=stats.norm.ppf(epsilon), conditional=True)
    assert tail.expected_shortfall == pytest.approx(-mean, rel=1e-9)


@pytest.mark.parametrize("epsilon", [0.3, 0.05, 0.01])
@pytest.mark.parametrize("df", [2.1, 3.0, 4.0, 30.0, 1000.0])
def test_students_tail_has_variance_one(epsilon, df):
    tail = student_t_tail(epsilon, df)
    law = stats.t(df, scale=math.sqrt((df - 2.0) / df))
    assert law.var() == pytest.approx(1.0, rel=1e-12)
    assert tail.value_at_risk == pytest.approx(-law.ppf(epsilon), rel=1e-11)
    mean = law.expect(lambda x: x, ub=law.ppf(epsilon), conditional=True)
    assert tail.expected_shortfall == pytest.approx(-mean, rel=1e-8)


def test_many_degrees_of_freedom_are_the_normal_tail():
    normal, student = gaussian_tail(0.05), student_t_tail(0.05, 1e5)
    assert student.value_at_risk == pytest.approx(normal.value_at_risk, rel=2e-5)
    assert student.expected_shortfall == pytest.approx(normal.expected_shortfall, rel=2e-5)


# McNeil, Frey and Embrechts, Quantitative Risk Management (2015), section 2.3: of Student's t itself, not standardised,
# ES = g(q)/ε (ν + q²)/(ν − 1); at ν = 4 the density and the quantile are algebraic.
def test_four_degrees_of_freedom_by_hand():
    epsilon = 0.05
    a = math.sqrt(4.0 * epsilon * (1.0 - epsilon))
    q = -2.0 * math.sqrt(math.cos(math.acos(a) / 3.0) / a - 1.0)
    density = 0.375 * (1.0 + 0.25 * q * q) ** -2.5
    tail = student_t_tail(epsilon, 4.0)
    assert tail.value_at_risk == pytest.approx(-q * math.sqrt(0.5), rel=1e-13)
    assert tail.expected_shortfall == pytest.approx(math.sqrt(0.5) * density / epsilon * (4.0 + q * q) / 3.0, rel=1e-13)


def test_a_sample_of_twenty():
    sample = np.array([-4.0, -2.0, -1.0, *([0.0] * 10), *([1.0] * 7)])
    deviation, mean = sample.std(), sample.mean()
    tail = empirical_tail(0.1, sample)  # two observations
    assert tail.value_at_risk == pytest.approx((2.0 + mean) / deviation, rel=1e-14)
    assert tail.expected_shortfall == pytest.approx((3.0 + mean) / deviation, rel=1e-14)
    tail = empirical_tail(0.12, sample)  # two and two fifths
    assert tail.value_at_risk == pytest.approx((1.0 + mean) / deviation, rel=1e-14)
    assert tail.expected_shortfall == pytest.approx(((4.0 + 2.0 + 0.4) / 2.4 + mean) / deviation, rel=1e-13)
    alone = empirical_tail(0.05, sample)
    assert alone.value_at_risk == alone.expected_shortfall == pytest.approx((4.0 + mean) / deviation, rel=1e-14)


def test_whole_parts_are_not_rounded_up():
    """0.07 × 100 is a little more than 7 in float64."""
    assert 0.07 * 100 > 7
    sample = np.arange(100.0)
    assert empirical_tail(0.07, sample).value_at_risk == pytest.approx((49.5 - 6.0) / sample.std(), rel=1e-14)


@given(st.lists(st.floats(-10.0, 10.0), min_size=40, max_size=80), st.floats(0.03, 0.45))
def test_a_samples_shortfall_is_the_least_of_rockafellars_function(values, epsilon):
    """ES is the least over c of c + E[(loss − c)⁺]/ε, which one of the losses attains (Rockafellar and Uryasev)."""
    sample = np.array(values)
    if sample.std() < 1e-3:
        sample[::2] += 1.0
    tail = empirical_tail(epsilon, sample)
    losses = -(sample - sample.mean()) / sample.std()
    least = min(c + np.maximum(losses - c, 0.0).mean() / epsilon for c in losses)
    assert tail.expected_shortfall == pytest.approx(least, rel=1e-10, abs=1e-10)
    assert tail.value_at_risk <= tail.expected_shortfall + 1e-12
    assert np.mean(losses > tail.value_at_risk + 1e-12) <= epsilon + 1e-12
    moved = empirical_tail(epsilon, 3.0 * sample + 1.0)
    assert moved.expected_shortfall == pytest.approx(tail.expected_shortfall, rel=1e-9, abs=1e-9)


def test_measures_by_name():
    tail = StandardTail(1.0, 2.0)
    assert tail.of(TailMeasure.parse("var")) == 1.0
    assert tail.of(TailMeasure.parse(TailMeasure.CVAR)) == 2.0
    assert TailDistribution.parse("student_t") is TailDistribution.STUDENT_T
    with pytest.raises(CalibrationError, match="no measure 'es'; there are var, cvar"):
        TailMeasure.parse("es")
    with pytest.raises(
        CalibrationError, match="no tail distribution 'normal'; there are gaussian, student_t, empirical"
    ):
        TailDistribution.parse("normal")


@pytest.mark.parametrize("epsilon", [0.0, 0.5, -1.0, math.nan])
def test_refuses_a_probability(epsilon):
    for call in (gaussian_tail, lambda e: student_t_tail(e, 4.0), lambda e: empirical_tail(e, np.arange(9.0))):
        with pytest.raises(CalibrationError, match="outside"):
            call(epsilon)


def test_samples_without_a_tail_are_rejected():
    for df in (2.0, math.inf, math.nan):
        with pytest.raises(CalibrationError, match="above 2"):
            student_t_tail(0.05, df)
    with pytest.raises(CalibrationError, match=r"19 observations are too few .* at least 20"):
        empirical_tail(0.05, np.arange(19.0))
    with pytest.raises(CalibrationError, match=r"the observations are constant, 0\.1"):
        empirical_tail(0.05, np.full(30, 0.1))


def test_old_name_of_the_argument_of_parse():
    with pytest.warns(DeprecationWarning, match=r"TailDistribution\.parse\(law=\) is now called distribution="):
        assert TailDistribution.parse(law="gaussian") is TailDistribution.GAUSSIAN

"""Densities of innovations against SciPy, their slopes against differences, the mean absolute value against a sum."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from bank_python.risk_models.innovations import FEWEST_DEGREES, MOST_DEGREES, innovation_slopes, mean_absolute

seeds = st.integers(0, 2**32 - 1)
shapes = st.one_of(st.none(), st.floats(1.0 / MOST_DEGREES, 1.0 / FEWEST_DEGREES))


def drawn(seed, n=40):
    rng = np.random.default_rng(seed)
    logs = rng.normal(0.0, 2.0, n)
    return rng.standard_t(4, n) * np.exp(0.5 * logs), logs


@given(seeds, shapes)
def test_log_densities_are_those_of_scipy(seed, shape):
    residuals, logs = drawn(seed)
    scale = np.exp(0.5 * logs)
    if shape is None:
        expected = stats.norm.logpdf(residuals, scale=scale)
    else:
        nu = 1.0 / shape
        expected = stats.t.logpdf(residuals, nu, scale=scale * math.sqrt((nu - 2.0) / nu))
    slopes = innovation_slopes(residuals, logs, shape)
    assert slopes.log_likelihoods == pytest.approx(expected, rel=1e-10, abs=1e-9)


@given(seeds, shapes)
def test_slopes_are_those_of_differences(seed, shape):
    residuals, logs = drawn(seed)
    slopes = innovation_slopes(residuals, logs, shape)

    def density(e=0.0, h=0.0, s=0.0):
        moved = None if shape is None else shape + s
        return innovation_slopes(residuals + e * np.exp(0.5 * logs), logs + h, moved)

    def difference(name, **step):
        back = {key: -value for key, value in step.items()}
        ahead, behind = getattr(density(**step), name), getattr(density(**back), name)
        return (ahead - behind) / (2.0 * next(iter(step.values())))

    by_residual = difference("log_likelihoods", e=1e-6) * np.exp(-0.5 * logs)
    assert slopes.by_residual == pytest.approx(by_residual, rel=1e-5, abs=1e-5 * np.abs(by_residual).max())
    assert slopes.by_log_variance == pytest.approx(difference("log_likelihoods", h=1e-6), abs=1e-6)
    assert slopes.variance_curvature == pytest.approx(-difference("by_log_variance", h=1e-6), abs=1e-6)
    assert (slopes.variance_curvature >= 0.0).all()
    assert (slopes.residual_curvature > 0.0).all()
    if shape is None:
        assert slopes.by_shape is None
        return
    step = 1e-6 * min(shape, 0.5 - shape)
    size = 1.0 + np.abs(slopes.by_shape).max()
    assert slopes.by_shape == pytest.approx(difference("log_likelihoods", s=step), rel=1e-3, abs=1e-3 * size)
    mixed = difference("by_log_variance", s=step)
    assert slopes.shape_by_variance == pytest.approx(mixed, rel=1e-4, abs=1e-4 * (1.0 + np.abs(mixed).max()))
    curvature = -float(difference("by_shape", s=step).sum())
    assert slopes.shape_curvature == pytest.approx(curvature, rel=1e-3, abs=1e-2 * size / shape)


@given(st.floats(1.0 / MOST_DEGREES, 1.0 / FEWEST_DEGREES))
def test_the_expected_residual_curvature_is_the_information_of_a_location(shape):
    # The information of a Student-t location with scale s is (nu + 1) / ((nu + 3) s^2); unit variance: s^2 = 1 - 2/nu
    nu = 1.0 / shape
    expected = (nu + 1.0) / (nu + 3.0) / (1.0 - 2.0 / nu)
    found = innovation_slopes(np.zeros(1), np.zeros(1), shape).residual_curvature[0]
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("nu", [2.05, 2.5, 4.0, 8.0, 100.0, 500.0])
def test_the_mean_absolute_value(nu):
    scale = math.sqrt((nu - 2.0) / nu)
    expected = 2.0 * integrate.quad(lambda x: x * stats.t.pdf(x, nu, scale=scale), 0.0, np.inf, limit=500)[0]
    assert mean_absolute(1.0 / nu) == pytest.approx(expected, rel=1e-6)


def test_the_mean_absolute_value_of_a_normal_variable():
    assert mean_absolute(None) == pytest.approx(math.sqrt(2.0 / math.pi), rel=1e-15)
    assert mean_absolute(1e-6) == pytest.approx(mean_absolute(None), rel=1e-5)

"""Generalised Pareto distributions by probability-weighted moments."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.gpd_moments import fit_gpd_moments


def test_the_formulas_of_hosking_and_wallis():
    # J. R. M. Hosking and J. R. Wallis (1987), evaluated elsewhere: xi = 2 - a0/(a0 - 2 a1), beta = 2 a0 a1/(a0 - 2 a1)
    fit = fit_gpd_moments([0.3, 0.7, 1.1, 1.9, 3.2, 5.5, 9.1])
    assert (fit.xi, fit.beta) == pytest.approx((0.2834645669291338, 2.231496062992126), abs=1e-12)
    assert fit.excesses == 7


@given(st.lists(st.floats(0.01, 100.0), min_size=5, max_size=30, unique=True), st.floats(0.001, 1000.0))
def test_the_unit_scales_beta_alone(values, unit):
    gap = np.ptp(values) / max(values)
    if gap < 1e-6:
        return
    one, other = fit_gpd_moments(values), fit_gpd_moments([unit * value for value in values])
    # the difference a0 − 2 a1 cancels where the values are nearly equal
    assert other.xi == pytest.approx(one.xi, rel=1e-9 / gap, abs=1e-9 / gap)
    assert other.beta == pytest.approx(unit * one.beta, rel=1e-9 / gap)


def test_an_exponential_plotting_sample_has_shape_zero():
    # E[Y(1 − F)] of the exponential distribution is 1/4, so that ξ = 0 and β = 1 exactly
    sample = -np.log1p(-(np.arange(1, 20_001) - 0.5) / 20_000)
    fit = fit_gpd_moments(sample)
    assert (fit.xi, fit.beta) == pytest.approx((0.0, 1.0), abs=1e-3)


def test_no_error_without_a_variance_and_no_likelihood_beyond_the_end():
    heavy = fit_gpd_moments(np.linspace(0.01, 0.99, 50) ** -1.5 - 1.0)
    assert heavy.xi > 0.5
    assert math.isnan(heavy.xi_error)
    assert math.isnan(heavy.beta_error)
    light = fit_gpd_moments([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 2.4])  # the end −β/ξ is below 2.4
    assert -light.beta / light.xi < 2.4
    assert light.log_likelihood == -math.inf


@pytest.mark.slow
@pytest.mark.parametrize("xi", [-0.3, 0.0, 0.25])
def test_the_standard_errors_are_those_of_many_samples(xi):
    random = np.random.default_rng(8)
    size, samples = 500, 4_000
    uniform = random.random((samples, size))
    values = -np.log(uniform) if xi == 0.0 else (uniform**-xi - 1.0) / xi
    fits = [fit_gpd_moments(row) for row in values]
    found = np.array([[fit.xi, fit.beta] for fit in fits])
    said = np.median([[fit.xi_error, fit.beta_error] for fit in fits], axis=0)
    # a standard deviation of 4,000 has an error of 1.1 %; the rest is what 500 is short of infinity
    assert found.std(axis=0) == pytest.approx(said, rel=0.07)


def test_bad_excesses():
    with pytest.raises(CalibrationError, match="there are 4 values, fewer than 5"):
        fit_gpd_moments([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(CalibrationError, match="the smallest is -1, not above 0"):
        fit_gpd_moments([-1.0, 2.0, 3.0, 4.0, 5.0])
    with pytest.raises(CalibrationError, match="all 6 values are 2"):
        fit_gpd_moments([2.0] * 6)
    with pytest.raises(ModelError, match="row 2 is nan"):
        fit_gpd_moments([1.0, 2.0, math.nan, 4.0, 5.0])


def test_a_fit_without_errors_is_exported():
    row = next(iter(fit_gpd_moments(np.linspace(0.01, 0.99, 50) ** -1.5 - 1.0).to_table()))
    assert row["xi_error"] is None
    assert row["excesses"] == 50

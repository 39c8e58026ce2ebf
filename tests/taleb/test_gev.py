"""Generalised extreme value distributions: Port Pirie, other programs, properties, what cannot be fitted."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.gev import GevMethod, fit_gev
from bank_python.taleb.gev_intervals import gev_intervals
from bank_python.taleb.gev_likelihood import gev_likelihood
from tests.taleb.coles_data import PORT_PIRIE


def shapes(low, high):
    """Shapes of three digits: scipy divides by them, which near 1e-300 leaves no digit."""
    return st.floats(low, high).map(lambda shape: round(shape, 3))


@pytest.fixture(scope="module")
def port_pirie():
    return fit_gev(PORT_PIRIE)


def test_port_pirie(port_pirie):
    # S. Coles (2001), section 3.4.1, prints 3.87, 0.198, −0.050 with errors 0.028, 0.020, 0.098, log-likelihood 4.34;
    # more digits by an optimiser of another program
    fit = port_pirie
    assert (fit.mu, fit.sigma, fit.xi) == pytest.approx((3.874749856, 0.198043958, -0.050109530), abs=1e-7)
    assert fit.log_likelihood == pytest.approx(4.3390584737, abs=1e-9)
    assert (fit.mu_error, fit.sigma_error, fit.xi_error) == pytest.approx((0.028, 0.020, 0.098), abs=5e-4)
    assert fit.return_level(10.0) == pytest.approx(4.296211943, abs=1e-7)
    assert fit.return_level(100.0) == pytest.approx(4.688403763, abs=1e-7)


def test_intervals_of_port_pirie(port_pirie):
    # OpenTURNS 1.27, profile likelihood estimators of ξ and of return levels, six digits printed
    rows = gev_intervals(port_pirie, periods=[10, 100])
    expected = {"xi": (-0.218157, 0.170406), "level 10": (4.20461, 4.44508), "level 100": (4.49044, 5.26052)}
    for name, (low, high) in expected.items():
        # its 100-year level starts from a fit that is less exact (4.688264), which moves its ends by as much
        tolerance = 3e-4 if name == "level 100" else 5e-5
        assert (rows[name].low, rows[name].high) == pytest.approx((low, high), abs=tolerance)
    # Coles, by standard errors: (4.38, 5.00) for 100 years, (−0.242, 0.142) for ξ
    wald = gev_intervals(port_pirie, periods=[100], method="wald")
    assert (wald["level 100"].low, wald["level 100"].high) == pytest.approx((4.38, 5.00), abs=5e-3)
    assert (wald["xi"].low, wald["xi"].high) == pytest.approx((-0.242, 0.142), abs=1e-3)


@pytest.mark.parametrize("xi", [-0.3, -0.01, 0.2, 0.8])
def test_likelihood_and_its_derivatives(xi):
    maxima = stats.genextreme.rvs(-xi, loc=1.0, scale=2.0, size=25, random_state=2)
    point = np.array([0.9, math.log(2.1), 0.9 * xi])
    found = gev_likelihood(maxima, point[None, :])
    theirs = stats.genextreme.logpdf(maxima, -0.9 * xi, loc=0.9, scale=2.1).sum()
    assert found.value[0] == pytest.approx(theirs, rel=1e-12)
    h = 1e-6
    for i, unit in enumerate(np.eye(3)):
        up, down = (gev_likelihood(maxima, (point + sign * h * unit)[None, :]) for sign in (1.0, -1.0))
        assert (up.value - down.value)[0] / (2.0 * h) == pytest.approx(found.gradient[0, i], rel=1e-5, abs=1e-5)
        assert (up.gradient - down.gradient)[0] / (2.0 * h) == pytest.approx(found.hessian[0, i], rel=1e-3, abs=1e-3)


def test_likelihood_of_gumbel():
    maxima = np.array([0.5, 1.0, 2.5])
    value = gev_likelihood(maxima, np.array([[1.0, 0.0, 0.0]])).value[0]
    assert value == pytest.approx(stats.gumbel_r.logpdf(maxima, 1.0).sum(), abs=1e-9)


def test_one_maximum_far_above_the_others():
    # scipy's density, its likelihood maximised over 60 shapes by Nelder and Mead: ξ 0.69, −log-likelihood 39.1167
    fit = fit_gev(stats.genextreme.rvs(-0.609, size=25, random_state=25))
    assert fit.xi == pytest.approx(0.69, abs=0.05)
    assert -fit.log_likelihood == pytest.approx(39.1167, abs=2e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), shapes(-0.3, 0.8), st.integers(25, 200), st.floats(-50.0, 50.0), st.floats(0.01, 100.0))
def test_the_fit_moves_and_scales_with_the_data(seed, xi, size, shift, unit):
    maxima = stats.genextreme.rvs(-xi, size=size, random_state=seed)
    fit, other = fit_gev(maxima), fit_gev(shift + unit * maxima)
    # the maximum is found to about 1e-6 standard errors
    assert other.xi == pytest.approx(fit.xi, abs=1e-5)
    assert other.sigma == pytest.approx(unit * fit.sigma, rel=1e-5)
    assert other.mu == pytest.approx(shift + unit * fit.mu, abs=1e-5 * unit * fit.sigma + 1e-9)
    slope = gev_likelihood(maxima, np.array([[fit.mu, math.log(fit.sigma), fit.xi]])).gradient[0]
    assert slope == pytest.approx([0.0] * 3, abs=1e-4 * size / min(fit.sigma, 1.0))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), shapes(-0.4, 0.4))
def test_moments_solve_the_equation_that_hosking_approximates(seed, xi):
    # Hosking, Wallis and Wood (1985), equation 14: k = 7.8590 c + 2.9554 c², wrong by less than 9e-4 for |k| < 1/2
    maxima = np.sort(stats.genextreme.rvs(-xi, size=100, random_state=seed))
    fit = fit_gev(maxima, method="pwm")
    assume(abs(fit.xi) < 0.5)
    rank = np.arange(100)
    b0, b1 = maxima.mean(), (maxima * rank).sum() / (100 * 99)
    b2 = (maxima * rank * (rank - 1)).sum() / (100 * 99 * 98)
    c = (2 * b1 - b0) / (3 * b2 - b0) - math.log(2) / math.log(3)
    assert fit.xi == pytest.approx(-(7.8590 * c + 2.9554 * c * c), abs=9e-4)
    assert math.isnan(fit.xi_error)
    assert fit.method is GevMethod.PWM


def test_moments_have_bootstrap_intervals():
    fit = fit_gev(PORT_PIRIE, method="pwm")
    rows = gev_intervals(fit, method="bootstrap", seed=1)
    again = gev_intervals(fit, method="bootstrap", seed=1)
    for name in rows.names:
        assert rows[name].low < rows[name].estimate < rows[name].high
        assert rows[name] == again[name]
    assert rows["level 100"].estimate == pytest.approx(fit.return_level(100.0), rel=1e-12)


def test_quantiles_are_those_of_scipy(port_pirie):
    law = stats.genextreme(-port_pirie.xi, loc=port_pirie.mu, scale=port_pirie.sigma)
    for q in (0.01, 0.5, 0.999):
        assert port_pirie.quantile(q) == pytest.approx(law.ppf(q), rel=1e-12)


def test_what_cannot_be_fitted():
    with pytest.raises(CalibrationError, match="there are 3 values, fewer than 10"):
        fit_gev([1.0, 2.0, 3.0])
    with pytest.raises(CalibrationError, match="all 12 values are 2 to rounding"):
        fit_gev([2.0] * 12)
    with pytest.raises(ModelError, match="row 1 is nan"):
        fit_gev([1.0, math.nan, *range(10)])
    with pytest.raises(ModelError, match="method='best' is no method of fitting; give 'mle' or 'pwm'"):
        fit_gev(PORT_PIRIE, method="best")
    piled = 1.0 - np.linspace(0.0, 1.0, 30) ** 3  # a density that is unbounded at the upper end
    with pytest.raises(CalibrationError, match="no maximum with a shape above −1"):
        fit_gev(piled)
    assert math.isfinite(fit_gev(piled, method="pwm").xi)


def test_no_interval_below_a_half():
    maxima = -((-np.log((np.arange(1, 101) - 0.35) / 100.0)) ** 0.7)  # ξ = −0.7
    fit = fit_gev(maxima)
    assert -1.0 < fit.xi <= -0.5
    assert math.isnan(fit.xi_error)
    row = gev_intervals(fit)["level 100"]
    assert (row.low, row.high) == (-math.inf, math.inf)
    assert "is not above −1/2" in row.reason


def test_bad_arguments(port_pirie):
    with pytest.raises(ModelError, match=r"period=1\.0"):
        port_pirie.return_level(1.0)
    with pytest.raises(ModelError, match=r"q=0\.0 is outside"):
        port_pirie.quantile(0.0)
    with pytest.raises(ModelError, match="does not go with a fit by mle"):
        gev_intervals(port_pirie, method="bootstrap")
    with pytest.raises(ModelError, match="does not go with a fit by pwm"):
        gev_intervals(fit_gev(PORT_PIRIE, method="pwm"))
    with pytest.raises(ModelError, match=r"periods=0\.5"):
        gev_intervals(port_pirie, periods=[0.5])

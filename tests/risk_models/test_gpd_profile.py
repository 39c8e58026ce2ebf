"""Maximum likelihood of generalised Pareto distributions: scipy, the edge, very heavy tails, many resamples at once."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models import GpdFit, TailFit, fit_gpd_excesses, fit_tail, gpd_profile
from bank_python.risk_models.gpd_likelihood import gpd_likelihood
from bank_python.risk_models.gpd_profile import EDGE, best_gpd, resampled_gpd


def shapes(low, high):
    """Shapes of three digits: scipy divides by them, which near 1e-300 leaves no digit."""
    return st.floats(low, high).map(lambda shape: round(shape, 3))


@pytest.mark.parametrize("xi", [-0.4, -0.2, 1e-4, 0.3, 1.5])
def test_likelihood_and_its_derivatives(xi):
    excesses = stats.genpareto.rvs(xi, scale=2.0, size=30, random_state=1)
    found = gpd_likelihood(excesses, xi, math.log(2.2))
    assert found.value[0] == pytest.approx(stats.genpareto.logpdf(excesses, xi, scale=2.2).sum(), rel=1e-12)
    h = 1e-5  # central differences are exact to h² times a third derivative, here of the order of 1e4
    for i, (a, b) in enumerate(((h, 0.0), (0.0, h))):
        up, down = (gpd_likelihood(excesses, xi + s * a, math.log(2.2) + s * b) for s in (1.0, -1.0))
        assert (up.value - down.value)[0] / (2.0 * h) == pytest.approx(found.gradient[0, i], rel=1e-4, abs=1e-4)
        assert (up.gradient - down.gradient)[0] / (2.0 * h) == pytest.approx(found.hessian[0, i], rel=1e-3, abs=1e-2)


def test_likelihood_at_and_beside_shape_zero():
    excesses = np.array([0.5, 1.0, 2.5])
    found = gpd_likelihood(excesses, [0.0, 1e-7, -1e-7], [0.1] * 3)
    exponential = stats.expon.logpdf(excesses, scale=math.exp(0.1)).sum()
    # within 1e-5 of 0 the value is a first-order expansion, wrong by at most 1e-10 of the second derivative
    assert found.value[0] == pytest.approx(exponential, abs=1e-9)
    assert found.value[1:] == pytest.approx(stats.genpareto.logpdf(excesses, 1e-7, scale=math.exp(0.1)).sum(), abs=1e-6)
    assert gpd_likelihood(excesses, -0.5, 0.0).value[0] == -math.inf


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), shapes(-0.4, 2.5), st.integers(10, 300))
def test_no_other_parameters_are_likelier(seed, xi, size):
    excesses = stats.genpareto.rvs(xi, size=size, random_state=seed)
    best = best_gpd(excesses)
    shape, _, scale = stats.genpareto.fit(excesses, float(best.xi[0]) or 0.1, floc=0.0, scale=float(best.beta[0]))
    theirs = stats.genpareto.logpdf(excesses, shape, scale=scale).sum()
    if shape > EDGE:  # scipy walks to where the likelihood is unbounded
        assert size * best.value[0] >= theirs - 1e-7
    if best.xi[0] > EDGE:
        slope = gpd_likelihood(excesses, best.xi, np.log(best.beta)).gradient[0]
        assert slope == pytest.approx([0.0, 0.0], abs=1e-5 * size)


def test_a_uniform_sample_is_at_the_edge():
    excesses = np.random.default_rng(6).random(200) ** 0.9
    best = best_gpd(excesses)
    assert (best.xi[0], best.beta[0]) == (EDGE, excesses.max())
    fit = fit_gpd_excesses(excesses)
    assert fit.log_likelihood == pytest.approx(-200 * math.log(excesses.max()), rel=1e-12)
    assert math.isnan(fit.xi_error)


def test_very_heavy_tails_are_found():
    excesses = stats.genpareto.rvs(4.0, scale=3.0, size=2_000, random_state=9)
    fit = fit_gpd_excesses(excesses)
    assert abs(fit.xi - 4.0) < 4.0 * fit.xi_error
    assert abs(fit.beta - 3.0) < 4.0 * fit.beta_error


def test_an_exponential_sample_whose_shape_is_zero():
    # the profile is level at θ = 0 where the variance equals the squared mean
    excesses = np.concatenate([np.full(5, 1.0 - 1.0 / 1.25), np.full(5, 1.0 + 1.0 / 1.25)])
    excesses = 1.0 + (excesses - 1.0) / np.sqrt(((excesses - 1.0) ** 2).mean()) * 0.999999
    assert math.isfinite(best_gpd(excesses).value[0])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([-0.6, -0.2, 0.2, 0.8]), st.integers(12, 120))
def test_resamples_are_fitted_as_alone(seed, xi, size):
    random = np.random.default_rng(seed)
    excesses = stats.genpareto.rvs(xi, size=size, random_state=random)
    picks = random.integers(0, size, (40, size))
    together = resampled_gpd(excesses, picks)
    alone = [best_gpd(excesses[row]) for row in picks]
    assert together.value == pytest.approx([fit.value[0] for fit in alone], abs=1e-10)
    assert together.xi == pytest.approx([fit.xi[0] for fit in alone], abs=1e-6)


def test_many_resamples_are_fitted_in_blocks(monkeypatch):
    random = np.random.default_rng(3)
    excesses = random.pareto(3.0, 50)
    picks = random.integers(0, 50, (300, 50))
    whole = resampled_gpd(excesses, picks)
    monkeypatch.setattr(gpd_profile, "_LARGE_BLOCK", 5_000)
    monkeypatch.setattr(gpd_profile, "_SMALL_BLOCK", 1_000)
    in_blocks = resampled_gpd(excesses, picks)
    for part, other in zip(whole, in_blocks, strict=True):
        assert other == pytest.approx(part, abs=1e-9)  # products of matrices of other sizes round otherwise


# --- the tail's short names ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xi", "beta", "threshold", "share", "q", "var", "es"),
    [
        # McNeil, Frey and Embrechts, equations 7.18 and 7.19, evaluated elsewhere
        (0.25, 2.0, 10.0, 109 / 2167, 0.99, 13.980691453593423, 17.974255271457896),
        (-0.1, 1.0, 5.0, 50 / 1000, 0.999, 8.237566621937585, 8.852333292670531),
    ],
)
def test_value_at_risk_and_shortfall_by_their_short_names(xi, beta, threshold, share, q, var, es):
    tail = TailFit(threshold, share, GpdFit(xi, beta, 0.0, 100, 0.1, 0.1))
    assert (tail.xi, tail.beta) == (xi, beta)
    assert tail.var(q) == tail.value_at_risk(q) == pytest.approx(var, rel=1e-13)
    assert tail.es(q) == tail.expected_shortfall(q) == pytest.approx(es, rel=1e-13)
    with pytest.raises(ModelError, match=r"confidence=0\.5 is not in the tail"):
        tail.var(0.5)


def test_the_threshold_may_come_second():
    losses = np.random.default_rng(4).pareto(3.0, 500)
    tail = fit_tail(losses, 0.5)
    assert tail == fit_tail(losses, threshold=0.5)
    assert tail.threshold == 0.5
    assert tail.excesses is not None
    assert np.sort(tail.excesses) == pytest.approx(np.sort(losses[losses > 0.5]) - 0.5)


def test_what_has_no_tail():
    with pytest.raises(CalibrationError, match="all 20 excesses are 2: one value has no tail"):
        fit_gpd_excesses([2.0] * 20)
    with pytest.raises(CalibrationError, match="all 12 excesses are"):
        fit_gpd_excesses([0.1 + 0.2, 0.3] * 6)  # equal to rounding
    with pytest.raises(CalibrationError, match="loss 3 is inf, not a finite number"):
        fit_tail([1.0, 2.0, 3.0, math.inf])
    with pytest.raises(CalibrationError, match="there are 0 excesses"):
        fit_tail(np.ones(100))

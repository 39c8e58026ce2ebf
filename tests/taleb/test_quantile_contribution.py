"""Shares of a total: closed forms, the published bias, and how far the fitted tail corrects it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.power_law_fit import fit_power_law
from bank_python.taleb.quantile_contribution import (
    contribution_bias,
    pareto_contribution,
    pareto_tail_index,
    quantile_contribution,
)


def test_rule_of_80_and_20():
    alpha = pareto_tail_index(0.2, 0.8)
    assert alpha == pytest.approx(1.160964047443681, rel=1e-14)
    assert pareto_contribution(alpha, 0.2) == pytest.approx(0.8, rel=1e-14)
    assert pareto_contribution(alpha, 0.01) == pytest.approx(0.5280879189889732, rel=1e-12)


@given(st.floats(1.01, 50.0), st.floats(1e-6, 0.5))
def test_index_and_share_are_inverse(alpha, q):
    share = pareto_contribution(alpha, q)
    if q < share < 1.0:
        assert pareto_tail_index(q, share) == pytest.approx(alpha, rel=1e-6)


@pytest.mark.parametrize(
    # Taleb and Douady (2015), table 1: tail index 1.1, top 1%, whose true share is 0.657933. The second size has
    # 0.485916 by a simulation with a standard error of 0.003.
    ("n", "samples", "mean", "median", "std"),
    [
        (1_000, 6_000, 0.405235, 0.367698, 0.160244),
        pytest.param(10_000, 6_000, 0.485916, 0.458449, 0.117917, marks=pytest.mark.slow),
    ],
)
def test_published_bias(n, samples, mean, median, std):
    found = contribution_bias(1.1, 0.01, n, n_samples=samples)
    assert found.true == pytest.approx(0.657933, abs=5e-7)
    within = 0.003 + 4.0 * found.mean_se  # of theirs and of ours
    assert found.mean == pytest.approx(mean, abs=within)
    assert found.median == pytest.approx(median, abs=1.5 * within)
    assert found.std == pytest.approx(std, abs=within)
    assert found.bias == found.mean - found.true < -0.1


def test_share_of_a_sample():
    found = quantile_contribution(range(1, 101), 0.1)
    assert (found.n_top, found.n_observations) == (10, 100)
    assert found.share == pytest.approx(sum(range(91, 101)) / 5050, rel=1e-14)
    assert quantile_contribution(range(1, 101), 0.29).n_top == 29  # 0.29 * 100 is 28.999999999999996
    assert quantile_contribution(range(1, 101), 0.015).n_top == 1


def test_pareto_quantiles_are_corrected_exactly():
    index = 1.5
    x = (1.0 - (np.arange(20_000) + 0.5) / 20_000) ** (-1.0 / index)
    found = quantile_contribution(x, 0.001)
    true = pareto_contribution(index, 0.001)
    assert found.share < found.corrected
    assert found.corrected == pytest.approx(true, abs=0.003)  # the exponent of a grid of quantiles is not exactly 2.5


def test_top_beyond_the_fitted_tail_adds_the_body():
    x = np.concatenate([np.linspace(0.1, 1.0, 900), (1.0 - (np.arange(100) + 0.5) / 100) ** -0.5])
    fit = fit_power_law(x, xmin=1.0)
    near, at, beyond = (quantile_contribution(x, q, fit=fit).corrected for q in (0.0999, 0.101, 0.3))
    assert near < at + 0.002
    assert at == pytest.approx(near, abs=0.005)  # no jump where the tail begins
    assert at < beyond < 1.0


@pytest.mark.slow
def test_correction_removes_most_of_the_bias():
    rng, true = np.random.default_rng(8), pareto_contribution(1.3, 0.01)
    found = [quantile_contribution((1.0 - rng.random(2000)) ** (-1.0 / 1.3), 0.01) for _ in range(400)]
    measured = np.mean([each.share for each in found]) - true
    corrected = np.median([each.corrected for each in found]) - true
    assert measured < -0.04  # 0.296 against 0.346
    assert abs(corrected) < 0.35 * abs(measured)


def test_infinite_mean_has_no_share():
    x = (1.0 - (np.arange(2000) + 0.5) / 2000) ** (-1.0 / 0.8)
    found = quantile_contribution(x, 0.01)
    assert math.isnan(found.corrected)
    assert "the mean is infinite" in found.verdict


def test_bad_input():
    x = np.linspace(1.0, 2.0, 50)
    with pytest.raises(ModelError, match="no finite mean"):
        pareto_contribution(1.0, 0.01)
    with pytest.raises(ModelError, match=r"q=1\.0 is outside"):
        quantile_contribution(x, 1.0)
    with pytest.raises(
        CalibrationError, match=r"top 0\.01 of 50 observations are less than one; give a larger q, or at least 100"
    ):
        quantile_contribution(x, 0.01)
    with pytest.raises(CalibrationError, match="negative"):
        quantile_contribution([-1.0, *x], 0.1)
    with pytest.raises(ModelError, match="row 0 is inf"):
        quantile_contribution([math.inf, *x], 0.1)
    with pytest.raises(ModelError, match="80/20"):
        pareto_tail_index(0.8, 0.2)
    with pytest.raises(ModelError, match="do not match"):
        pareto_contribution([2.0, 3.0], [0.1, 0.2, 0.3])

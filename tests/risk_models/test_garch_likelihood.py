"""The likelihood of GARCH models: its value by a loop and SciPy's densities, its derivatives against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bank_python.risk_models.garch_fit import GarchModel, recursion_of
from bank_python.risk_models.garch_likelihood import GarchLikelihood, MeanModel, Startup
from bank_python.risk_models.innovations import Innovation
from tests.risk_models.test_variance_recursions import drawn, looped

seeds = st.integers(0, 2**32 - 1)
kinds = st.tuples(*(st.sampled_from(kind) for kind in (GarchModel, Innovation, MeanModel, Startup)))


def made(seed, kinds, n=120):
    """Return a likelihood of a sample of about unit variance, and parameters inside its limits."""
    model, innovation, mean, startup = kinds
    rng = np.random.default_rng(seed)
    likelihood = GarchLikelihood(rng.standard_t(6, n) / math.sqrt(1.5), recursion_of(model), innovation, mean, startup)
    first = [0.1 * rng.standard_normal()] if mean is MeanModel.CONSTANT else []
    last = [rng.uniform(0.01, 0.4)] if innovation is Innovation.STUDENT_T else []
    return likelihood, np.array([*first, *drawn(model.value, rng), *last])


def by_definition(likelihood, parameters, kinds):
    """Return the log-densities of the sample, from the recursion one after another."""
    model, innovation, mean, startup = kinds
    sample, inner = likelihood.sample, parameters
    mu = 0.0
    if mean is MeanModel.CONSTANT:
        mu, inner = inner[0], inner[1:]
    nu = 1.0 / inner[-1] if innovation is Innovation.STUDENT_T else None
    inner = inner if nu is None else inner[:-1]
    if startup is Startup.MEAN_SQUARE:
        before = ((sample - mu) ** 2).mean()
    else:
        first = sample[:75] - (sample.mean() if mean is MeanModel.CONSTANT else 0.0)
        before = np.average(first**2, weights=0.94 ** np.arange(len(first)))
    scale = np.exp(0.5 * looped(model.value, inner, sample - mu, before))
    if nu is None:
        return stats.norm.logpdf(sample, mu, scale)
    return stats.t.logpdf(sample, nu, mu, scale * math.sqrt((nu - 2.0) / nu))


@settings(max_examples=60)
@given(seeds, kinds)
def test_the_value_is_that_of_the_definition(seed, kinds):
    likelihood, parameters = made(seed, kinds)
    expected = by_definition(likelihood, parameters, kinds)
    assert likelihood.value(parameters) == pytest.approx(-expected.sum(), rel=1e-11)
    found = likelihood.evaluate(parameters)
    assert found is None or found[0] == pytest.approx(-expected.sum(), rel=1e-11)


@settings(max_examples=60)
@given(seeds, kinds)
def test_gradient_and_scores_are_those_of_differences(seed, kinds):
    likelihood, parameters = made(seed, kinds)
    found = likelihood.evaluate(parameters)
    if found is None or np.abs(likelihood.sample - parameters[0]).min() < 1e-5:  # not invertible, at a kink
        return
    scores, step = likelihood.scores(parameters), 1e-6
    assert scores.shape == (len(parameters), len(likelihood.sample))
    for i, unit in enumerate(np.eye(len(parameters))):
        ahead = by_definition(likelihood, parameters + step * unit, kinds)
        behind = by_definition(likelihood, parameters - step * unit, kinds)
        assert found[1][i] == pytest.approx(-(ahead - behind).sum() / (2.0 * step), rel=1e-5, abs=1e-4)
        if kinds[3] is Startup.BACKCAST or i or kinds[2] is MeanModel.ZERO:
            off = scores[i] - (ahead - behind) / (2.0 * step)
            assert np.abs(off).max() < 1e-5 * (1.0 + np.abs(scores[i]).max())
    assert found[1] == pytest.approx(-scores.sum(axis=1), rel=1e-9, abs=1e-9)


@settings(max_examples=30)
@given(seeds, kinds.filter(lambda kinds: kinds[0] is not GarchModel.EGARCH))
def test_the_hessian_is_that_of_differences_of_the_value(seed, kinds):
    likelihood, parameters = made(seed, kinds, 200)
    hessian = likelihood.hessian(parameters, np.eye(len(parameters)))
    assert hessian == pytest.approx(hessian.T)
    metric = likelihood.evaluate(parameters)[2]
    step = 1e-3 / np.sqrt(np.abs(metric.diagonal()))
    for i, unit in enumerate(np.eye(len(parameters)) * step[:, None]):
        three = [likelihood.value(parameters + k * unit) for k in (-1.0, 0.0, 1.0)]
        second = (three[0] - 2.0 * three[1] + three[2]) / step[i] ** 2
        assert hessian[i, i] == pytest.approx(second, rel=0.03, abs=0.01 * abs(metric[i, i]))


@given(seeds, kinds)
def test_the_metric_is_symmetric_and_its_diagonal_positive_but_for_the_shape(seed, kinds):
    likelihood, parameters = made(seed, kinds)
    found = likelihood.evaluate(parameters)
    if found is None:
        return
    metric, k = found[2], len(parameters) - (kinds[1] is Innovation.STUDENT_T)
    assert metric == pytest.approx(metric.T)
    assert np.linalg.eigvalsh(metric[:k, :k])[0] > -1e-9 * np.abs(metric).max()


@given(kinds)
def test_limits_have_notes_and_starts_are_within(kinds):
    likelihood, parameters = made(1, kinds)
    assert len(likelihood.limit_notes) == len(likelihood.limits.sides)
    assert likelihood.limits.normals.shape[1] == len(parameters) == len(likelihood.names)


def test_the_step_of_a_hessian_never_leaves_the_range_of_the_shape():
    kinds = (GarchModel.EGARCH, Innovation.STUDENT_T, MeanModel.CONSTANT, Startup.BACKCAST)
    likelihood, parameters = made(1, kinds, 60)
    for shape in (0.0021, 0.487):
        parameters[-1] = shape
        assert likelihood.hessian(parameters, np.eye(len(parameters))) is not None

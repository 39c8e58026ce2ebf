"""The likelihood of Markov-switching autoregressions: sums over all paths of regimes, its score, and the search."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from bank_python.risk_models.switching_model import SwitchingModel, SwitchingParameters, SwitchingSeries

MODELS = [(2, 0, True), (3, 0, False), (2, 1, True), (2, 2, False), (2, 2, True), (3, 1, True), (2, 4, True)]


def parameters(model, starts, seed):
    rng = np.random.default_rng(seed)
    k = model.regimes
    variances = rng.uniform(0.5, 1.5, (starts, k))
    if not model.switching_variance:
        variances[:] = variances[:, :1]
    ar = rng.uniform(-0.4, 0.4, (starts, model.order))
    return SwitchingParameters(rng.standard_normal((starts, k)), ar, variances, rng.dirichlet(np.ones(k), (starts, k)))


def all_paths(x, model, means, ar, variances, transition):
    """Return the log-likelihood and the smoothed probabilities as sums over all paths of regimes."""
    k, r, n = model.regimes, model.order, len(x)
    system = np.vstack([(np.eye(k) - transition.T)[:-1], np.ones(k)])
    stationary = np.linalg.solve(system, np.r_[np.zeros(k - 1), 1.0])
    total, smoothed = 0.0, np.zeros((n, k))
    for path in itertools.product(range(k), repeat=n):
        weight = stationary[path[0]]
        for before, after in itertools.pairwise(path):
            weight *= transition[before, after]
        for t in range(r, n):
            lags = sum(ar[i] * (x[t - 1 - i] - means[path[t - 1 - i]]) for i in range(r))
            residual, variance = x[t] - means[path[t]] - lags, variances[path[t]]
            weight *= math.exp(-0.5 * residual**2 / variance) / math.sqrt(2.0 * math.pi * variance)
        total += weight
        smoothed[range(n), path] += weight
    return math.log(total), smoothed[r:] / total


@pytest.mark.parametrize(("k", "order", "switching"), MODELS)
def test_the_likelihood_is_a_sum_over_all_paths(k, order, switching):
    model = SwitchingModel(k, order, switching)
    x = 1.5 * np.random.default_rng(order).standard_normal(order + (5 if k == 2 else 4))
    given = parameters(model, 3, seed=k)
    series = SwitchingSeries(x, model)
    found = series.expect(given)
    one = [part[1] for part in (given.means, given.ar, given.variances, given.transition)]
    loglikelihood, smoothed = all_paths(x, model, *one)
    assert found.loglikelihood[1] == pytest.approx(loglikelihood, abs=1e-12)
    assert series.probabilities(given.take(np.array([1])))[1] == pytest.approx(smoothed, abs=1e-12)


@pytest.mark.parametrize(("k", "order", "switching"), MODELS)
def test_the_score_is_the_derivative(k, order, switching):
    references = tuple(reversed(range(k)))
    for model in (SwitchingModel(k, order, switching), SwitchingModel(k, order, switching, references)):
        series = SwitchingSeries(np.random.default_rng(3).standard_normal(70), model)
        vector = parameters(model, 1, seed=order).vectors(model)
        moves = 1e-5 * np.eye(model.size)
        up, down = (
            series.expect(SwitchingParameters.of_vectors(vector + sign * moves, model)).loglikelihood
            for sign in (1.0, -1.0)
        )
        exact = series.expect(SwitchingParameters.of_vectors(vector, model)).score()[0]
        assert exact == pytest.approx((up - down) / 2e-5, abs=1e-6)


@pytest.mark.parametrize(("k", "order", "switching"), MODELS[:6])
def test_a_step_of_em_raises_the_likelihood(k, order, switching):
    model = SwitchingModel(k, order, switching)
    series = SwitchingSeries(np.random.default_rng(5).standard_normal(300), model)
    found = series.expect(parameters(model, 4, seed=7))
    for _ in range(5):
        after = series.expect(found.improved())
        assert (after.loglikelihood > found.loglikelihood - 0.01).all()  # but for the first regime's distribution
        found = after


def test_vectors_and_orders_go_back():
    model = SwitchingModel(3, 1, switching_variance=True, references=(1, 0, 2))
    given = parameters(model, 4, seed=1)
    back = SwitchingParameters.of_vectors(given.vectors(model), model)
    places = np.argsort(given.means, axis=1)
    turned = given.ordered(places).ordered(np.argsort(places, axis=1))
    for name in ("means", "ar", "variances", "transition"):
        assert getattr(back, name) == pytest.approx(getattr(given, name), rel=1e-12)
        assert (getattr(turned, name) == getattr(given, name)).all()

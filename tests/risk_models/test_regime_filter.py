"""The filter and the smoother of given likelihoods: published values, sums over all paths, and bad input."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.risk_models import hamilton_filter, kim_smoother
from bank_python.risk_models.regime_scan import RegimeChains, TimeBlocks, smooth_blocks

WEATHER = [[0.7, 0.3], [0.3, 0.7]]


def chain(seed, k, n):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.05, 1.0, (n, k)), rng.dirichlet(np.ones(k), k), rng.dirichlet(np.ones(k))


def all_paths(likelihoods, transition, prior):
    """Return the likelihood and the smoothed probabilities as sums over all paths of regimes."""
    n, k = likelihoods.shape
    total, smoothed = 0.0, np.zeros((n, k))
    for path in itertools.product(range(k), repeat=n):
        weight = prior[path[0]] * likelihoods[0, path[0]]
        for at in range(1, n):
            weight *= transition[path[at - 1], path[at]] * likelihoods[at, path[at]]
        total += weight
        smoothed[range(n), path] += weight
    return total, smoothed / total


def test_the_umbrella_world():
    # S. Russell, P. Norvig, Artificial Intelligence: A Modern Approach, section 15.2: an umbrella on days 1 and 2.
    found = hamilton_filter([[0.9, 0.2], [0.9, 0.2]], WEATHER, [0.5, 0.5])
    assert found.filtered[:, 0] == pytest.approx([0.8181818181818181, 0.883357], abs=5e-7)
    assert found.predicted[:, 0] == pytest.approx([0.5, 0.627273], abs=5e-7)
    assert kim_smoother([[0.9, 0.2], [0.9, 0.2]], WEATHER, [0.5, 0.5])[0, 0] == pytest.approx(0.883357, abs=5e-7)
    assert np.exp(found.loglikelihood) == pytest.approx(0.55 * (0.9 * 0.627273 + 0.2 * 0.372727), rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 3), st.integers(1, 6))
def test_they_are_sums_over_all_paths(seed, k, n):
    likelihoods, transition, prior = chain(seed, k, n)
    total, smoothed = all_paths(likelihoods, transition, prior)
    found = hamilton_filter(likelihoods, transition, prior)
    assert found.loglikelihood == pytest.approx(np.log(total), abs=1e-12)
    back = kim_smoother(likelihoods, transition, prior)
    assert back == pytest.approx(smoothed, abs=1e-12)
    assert back[-1] == pytest.approx(found.filtered[-1], abs=1e-15)
    assert found.filtered.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert found.predicted.sum(axis=1) == pytest.approx(1.0, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 4), st.integers(0, 1), st.integers(65, 200))
def test_blocks_of_time_give_the_same(seed, k, order, n):
    rng = np.random.default_rng(seed)
    states = k ** (order + 1)
    densities = rng.uniform(size=(n, states)) ** rng.choice([1.0, 50.0], size=(n, states))
    chains = RegimeChains(rng.dirichlet(np.ones(k), k)[None], order)
    results = []
    for blocks in (TimeBlocks(n, n, 1), TimeBlocks.of(n, states)):
        cut = blocks.cut(densities).transpose(0, 2, 1)[:, None].copy()
        cut[blocks.beyond :, :, :, -1] = 1.0
        found = smooth_blocks(chains, cut)
        results.append(
            [np.log(found.scales).sum(), *(blocks.joined(part[:, 0]) for part in (found.filtered, found.smoothed))]
        )
    for one, other in zip(*results, strict=True):
        assert other == pytest.approx(one, abs=1e-9)
    if order == 0:
        plain = hamilton_filter(densities, chains.transition[0])
        assert results[1][0] == pytest.approx(plain.loglikelihood, abs=1e-9)
        assert results[1][2] == pytest.approx(kim_smoother(densities, chains.transition[0]), abs=1e-9)


def test_logarithms_do_not_underflow():
    logs = np.array([[-2_000.0, -1_990.0], [-1_250.0, -5_000.0], [-np.inf, -3_000.0]])
    found = hamilton_filter(logs, WEATHER, log=True)
    assert np.isfinite(found.loglikelihood)
    assert found.filtered[:, 0] == pytest.approx([1.0 / (1.0 + np.exp(10.0)), 1.0, 0.0])
    shifted = hamilton_filter(np.exp(logs[:1] + 2_000.0), WEATHER)
    assert found.filtered[0] == pytest.approx(shifted.filtered[0])


def test_by_default_the_chain_is_stationary():
    found = hamilton_filter([[1.0, 1.0]], [[0.9, 0.1], [0.3, 0.7]])
    assert found.predicted[0] == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"likelihoods": [1.0, 2.0]}, "likelihoods of shape"),
        ({"transition": np.eye(3)}, r"transition matrix of shape \(3, 3\) for 2 regimes"),
        ({"transition": [[0.9, 0.2], [0.3, 0.7]]}, "row of the transition matrix .* is no distribution"),
        ({"transition": np.eye(2)}, "several stationary distributions; give a prior"),
        ({"prior": [0.5, 0.6]}, "prior .* is no distribution"),
        ({"prior": [1.0]}, r"prior of shape \(1,\) for 2 regimes"),
        ({"likelihoods": [[1.0, -0.1]]}, r"observation 0 has -0.1 in regime 1"),
        ({"likelihoods": [[1.0, 1.0], [np.nan, 1.0]]}, "observation 1 has nan in regime 0"),
        ({"likelihoods": [[1.0, 1.0], [0.0, 0.0]]}, "observation 1 is impossible"),
        ({"likelihoods": [[0.0, 1.0]], "prior": [1.0, 0.0]}, "observation 0 is impossible"),
        ({"likelihoods": [[np.inf, 1.0]], "log": True}, "no logarithm"),
    ],
)
def test_what_is_no_chain_is_refused(given, said):
    for function in (hamilton_filter, kim_smoother):
        with pytest.raises(ModelError, match=said):
            function(**({"likelihoods": [[0.9, 0.2]], "transition": WEATHER} | given))

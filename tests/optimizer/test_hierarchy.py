"""Hierarchical risk parity against the paper's example, scipy's trees, the plain recursion, and its properties."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import InfeasibleError, MatrixError, ModelError
from bank_python.numerics.linkage import LinkageMethod, linkage, quasi_diagonal, single_linkage
from bank_python.optimizer.hierarchy import AssetDistance, asset_distances, hierarchical_weights

METHODS = [method.value for method in LinkageMethod]


def covariance_of(n, seed=0, spread=1.0):
    rng = np.random.default_rng(seed)
    returns = rng.standard_normal((3 * n + 10, 3)) @ rng.standard_normal((3, n)) + rng.standard_normal((3 * n + 10, n))
    return np.cov(returns * np.exp(spread * rng.standard_normal(n)), rowvar=False).reshape(n, n)


def distances_of(n, seed, levels=None):
    drawn = np.random.default_rng(seed).random((n, n))
    drawn = drawn + drawn.T
    if levels:
        drawn = np.ceil(drawn * levels)
    np.fill_diagonal(drawn, 0.0)
    return drawn


def cluster_variance(covariance):
    inverse = 1.0 / np.diag(covariance)
    inverse /= inverse.sum()
    return inverse @ covariance @ inverse


def plain_recursion(covariance, order):
    """The paper's recursion, which is also that of PyPortfolioOpt's HRPOpt, one cut at a time."""
    weights = np.ones(len(order))
    waiting = [list(order)]
    while waiting:
        row = waiting.pop()
        if len(row) > 1:
            left, right = row[: len(row) // 2], row[len(row) // 2 :]
            first, second = (cluster_variance(covariance[np.ix_(half, half)]) for half in (left, right))
            weights[left] *= 1.0 - first / (first + second)
            weights[right] *= first / (first + second)
            waiting += [left, right]
    return weights


def test_the_example_of_the_paper():
    """López de Prado 2016: the table of the weights of CLA, HRP and IVP, drawn as by the code in its appendix."""
    normal, pick = np.random.RandomState(12345), random.Random(12345)
    base = normal.normal(0, 1, (10000, 5))
    chosen = [int(pick.random() * 5) for _ in range(5)]
    returns = np.hstack([base, base[:, chosen] + normal.normal(0, 0.25, (10000, 5))])
    covariance = np.cov(returns, rowvar=False)
    weights = hierarchical_weights(covariance, distance="rows")
    published = [7.00, 7.59, 10.84, 19.03, 9.72, 10.19, 6.62, 9.10, 7.12, 12.79]
    assert (100.0 * weights).tolist() == pytest.approx(published, abs=0.00501)
    inverse = 1.0 / np.diag(covariance)
    inverse_variance = [10.36, 10.28, 10.36, 10.25, 10.31, 9.74, 9.80, 9.65, 9.64, 9.61]
    assert (100.0 * inverse / inverse.sum()).tolist() == pytest.approx(inverse_variance, abs=0.00501)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 1, 2, 5])
def test_trees_are_bitwise_those_of_scipy(method, levels):
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy")
    squareform = pytest.importorskip("scipy.spatial.distance").squareform
    for n in (2, 3, 4, 7, 20, 45):
        for seed in range(12):
            apart = distances_of(n, seed, levels)
            theirs = hierarchy.linkage(squareform(apart), method)
            ours = linkage(apart, method)
            np.testing.assert_array_equal(ours, theirs)
            np.testing.assert_array_equal(quasi_diagonal(ours), hierarchy.leaves_list(theirs))


def test_rows_are_the_distances_of_scipy():
    pdist = pytest.importorskip("scipy.spatial.distance").pdist
    covariance = covariance_of(12)
    direct = asset_distances(covariance)
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    off = ~np.eye(12, dtype=bool)
    np.testing.assert_allclose(direct[off], np.sqrt((1.0 - correlation[off]) / 2.0), rtol=1e-13)
    rows = asset_distances(covariance, AssetDistance.ROWS)
    np.testing.assert_allclose(rows[np.triu_indices(12, 1)], pdist(direct), rtol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 13, 64, 100])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("distance", ["direct", "rows"])
def test_without_binding_bounds_it_is_the_plain_recursion(n, method, distance):
    covariance = covariance_of(n, seed=n)
    order = quasi_diagonal(linkage(asset_distances(covariance, distance), method))
    plain = plain_recursion(covariance, order)
    for bounds in ({}, {"lower": -np.inf, "upper": np.inf}):
        weights = hierarchical_weights(covariance, distance=distance, method=method, **bounds)
        np.testing.assert_allclose(weights, plain, rtol=1e-11, atol=1e-14)


def test_of_uncorrelated_pairs_of_equals_each_pair_gets_its_inverse_variance():
    covariance = np.diag([0.01, 0.01, 0.04, 0.04])
    covariance[0, 1] = covariance[1, 0] = 0.005
    covariance[2, 3] = covariance[3, 2] = 0.02
    assert hierarchical_weights(covariance).tolist() == pytest.approx([0.4, 0.4, 0.1, 0.1], abs=1e-15)


def test_a_bound_hands_the_rest_to_the_other_half():
    covariance = np.diag([0.01, 0.01, 0.04, 0.04])
    covariance[0, 1] = covariance[1, 0] = 0.005
    covariance[2, 3] = covariance[3, 2] = 0.02
    assert hierarchical_weights(covariance, upper=0.3).tolist() == pytest.approx([0.3, 0.3, 0.2, 0.2], abs=1e-15)
    lower = [0.0, 0.0, 0.25, 0.0]
    assert hierarchical_weights(covariance, lower).tolist() == pytest.approx([0.375, 0.375, 0.25, 0.0], abs=1e-15)
    assert hierarchical_weights(covariance, 0.0, 1.0, 0.5).tolist() == pytest.approx([0.2, 0.2, 0.05, 0.05], abs=1e-15)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_bounds_hold_and_the_sum_is_right_exactly_when_that_is_possible(data):
    n = data.draw(st.integers(1, 12))
    ends = st.floats(-1.0, 1.5).map(lambda end: round(end, 3))
    pairs = [sorted((data.draw(ends), data.draw(ends))) for _ in range(n)]
    lower, upper = (np.array(side) for side in zip(*pairs, strict=True))
    invested = data.draw(st.sampled_from([0.3, 1.0, 1.7]))
    covariance = covariance_of(n, data.draw(st.integers(0, 50)))
    if lower.sum() > invested + 1e-9 or upper.sum() < invested - 1e-9:
        with pytest.raises(InfeasibleError, match="bounds add up to"):
            hierarchical_weights(covariance, lower, upper, invested)
        return
    weights = hierarchical_weights(covariance, lower, upper, invested)
    assert (weights >= lower).all()
    assert (weights <= upper).all()
    assert weights.sum() == pytest.approx(invested, abs=1e-12)


def test_bounds_that_leave_one_portfolio_give_it():
    covariance = covariance_of(7)
    only = np.full(7, 1.0 / 7.0)
    np.testing.assert_allclose(hierarchical_weights(covariance, lower=only), only, atol=1e-15)
    np.testing.assert_allclose(hierarchical_weights(covariance, upper=only), only, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 20), st.integers(0, 1000), st.randoms(use_true_random=False))
def test_the_order_of_the_assets_does_not_matter(n, seed, shuffler):
    """Two leaves merged with each other keep their order in the sequence, so the permutation has to preserve it."""
    covariance = covariance_of(n, seed)
    place = list(range(n))
    shuffler.shuffle(place)
    for left, right in linkage(asset_distances(covariance))[:, :2].astype(int).tolist():
        if right < n and place[left] > place[right]:
            place[left], place[right] = place[right], place[left]
    moved = np.empty_like(covariance)
    moved[np.ix_(place, place)] = covariance
    np.testing.assert_allclose(hierarchical_weights(moved)[place], hierarchical_weights(covariance), rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 15), st.integers(0, 1000), st.floats(1e-8, 1e8))
def test_the_unit_of_risk_does_not_matter(n, seed, scale):
    covariance = covariance_of(n, seed)
    weights = hierarchical_weights(covariance, 0.01, 0.6)
    np.testing.assert_array_equal(hierarchical_weights(covariance * 2.0**-20, 0.01, 0.6), weights)
    np.testing.assert_allclose(hierarchical_weights(covariance * scale, 0.01, 0.6), weights, rtol=1e-10)


def test_small_shares_keep_their_digits():
    covariance = np.diag([1e-8, 1.0, 1e4, 1e10])
    inverse = 1.0 / np.diag(covariance)
    np.testing.assert_allclose(hierarchical_weights(covariance[:2, :2]), (inverse / inverse[:2].sum())[:2], rtol=1e-14)
    weights = hierarchical_weights(covariance)
    assert weights[2] / weights[3] == pytest.approx(1e6, rel=1e-13)


def test_a_riskless_asset_is_refused_by_name():
    with pytest.raises(MatrixError, match="the variance of CASH is 0"):
        hierarchical_weights([[0.04, 0.0], [0.0, 0.0]], tickers=["SPY", "CASH"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"covariance": [[0.04, 0.0]]}, MatrixError, "of shape"),
        ({"covariance": 0.04}, MatrixError, "of shape"),
        ({"covariance": np.empty((0, 0))}, MatrixError, "of shape"),
        ({"covariance": [[0.04, np.nan], [np.nan, 0.04]]}, MatrixError, "asset 0 and asset 1 is nan"),
        ({"covariance": [[0.04, 0.01], [0.02, 0.04]]}, MatrixError, "give a symmetric matrix"),
        ({"covariance": np.full((3, 3), -0.04) + np.diag([0.08] * 3)}, MatrixError, "not positive definite"),
        ({"tickers": ["A"]}, MatrixError, "1 tickers for a covariance of 2 assets"),
        ({"lower": 0.6}, InfeasibleError, "the lower bounds add up to 1.2, 0.2 more than invested=1"),
        ({"upper": [0.3, 0.4]}, InfeasibleError, "the upper bounds add up to 0.7, 0.3 less than invested=1"),
        ({"lower": [0.0, 0.5], "upper": [1.0, 0.4]}, InfeasibleError, "no weight of asset 1 is at least 0.5 and at"),
        ({"lower": [0.0, np.nan]}, ModelError, "lower of shape"),
        ({"upper": [1.0, 1.0, 1.0]}, ModelError, "upper of shape"),
        ({"invested": 0.0}, ModelError, "invested=0.0"),
        ({"invested": np.nan}, ModelError, "invested=nan"),
        ({"method": "centroid"}, ModelError, "there are single, complete, average, ward"),
        ({"distance": "angular"}, ModelError, "there are direct, rows"),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        hierarchical_weights(**{"covariance": [[0.04, 0.01], [0.01, 0.09]], **arguments})


@pytest.mark.parametrize(
    ("distance", "message"),
    [
        ([[0.0, 1.0]], "have shape"),
        ([[0.0, -1.0], [-1.0, 0.0]], "below 0"),
        ([[0.0, np.inf], [np.inf, 0.0]], "not finite"),
        ([[0.0, 1.0], [2.0, 0.0]], "by up to 1"),
    ],
)
def test_bad_distances_are_refused(distance, message):
    with pytest.raises(ModelError, match=message):
        single_linkage(distance)
    with pytest.raises(ModelError, match=message):
        linkage(distance, "ward")

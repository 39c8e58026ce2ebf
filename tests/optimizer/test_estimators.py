"""Covariance estimators against scikit-learn, against loops written from the papers, and their properties."""

import numpy as np
import pytest

from bank_python.errors import CalibrationError
from bank_python.optimizer.estimators import Estimator, estimate_covariance


def returns(n_obs=120, n_assets=8, seed=0):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n_obs, 1)) @ (0.5 + rng.random((1, n_assets)))
    return 0.01 * (common + rng.standard_normal((n_obs, n_assets))) * (0.5 + rng.random(n_assets))


@pytest.mark.parametrize("shape", [(30, 5), (120, 8), (60, 90)])
def test_shrinkage_to_the_identity_is_scikit_learns(shape):
    covariance = pytest.importorskip("sklearn.covariance")
    sample = returns(*shape)
    for name, theirs in (("ledoit_wolf", covariance.ledoit_wolf), ("oas", covariance.oas)):
        matrix, weight = theirs(sample)
        ours = estimate_covariance(sample, name)
        assert ours.shrinkage == pytest.approx(weight, rel=1e-10)
        assert ours.covariance == pytest.approx(matrix, rel=1e-10, abs=1e-16)


def test_constant_correlation_is_what_the_paper_says():
    # Ledoit and Wolf, "Honey, I shrunk the sample covariance matrix", appendix B, element by element
    sample = returns(40, 5)
    y = sample - sample.mean(axis=0)
    n, p = y.shape
    s = y.T @ y / n
    correlation = [s[i, j] / np.sqrt(s[i, i] * s[j, j]) for i in range(p) for j in range(i + 1, p)]
    mean = sum(correlation) * 2.0 / (p * (p - 1))
    target = np.array([[s[i, i] if i == j else mean * np.sqrt(s[i, i] * s[j, j]) for j in range(p)] for i in range(p)])
    pi = [[np.mean((y[:, i] * y[:, j] - s[i, j]) ** 2) for j in range(p)] for i in range(p)]
    rho = sum(pi[i][i] for i in range(p))
    for i in range(p):
        for j in range(p):
            if i != j:
                first = np.mean((y[:, i] ** 2 - s[i, i]) * (y[:, i] * y[:, j] - s[i, j]))
                second = np.mean((y[:, j] ** 2 - s[j, j]) * (y[:, i] * y[:, j] - s[i, j]))
                rho += mean / 2.0 * (np.sqrt(s[j, j] / s[i, i]) * first + np.sqrt(s[i, i] / s[j, j]) * second)
    gamma = ((target - s) ** 2).sum()
    weight = max(0.0, min((np.sum(pi) - rho) / gamma / n, 1.0))
    ours = estimate_covariance(sample, "ledoit_wolf_constant")
    assert ours.shrinkage == pytest.approx(weight, rel=1e-10)
    assert ours.covariance == pytest.approx(weight * target + (1.0 - weight) * s, rel=1e-10)


def test_sample_and_ewma_by_other_means():
    sample = returns()
    assert estimate_covariance(sample, "sample").covariance == pytest.approx(np.cov(sample.T), rel=1e-12)
    weights = 0.9 ** np.arange(len(sample))[::-1]
    expected = np.cov(sample.T, aweights=weights, ddof=0)
    assert estimate_covariance(sample, "ewma", decay=0.9).covariance == pytest.approx(expected, rel=1e-10)


def test_components_keep_the_variances_and_their_own_share():
    sample = returns(400, 10)
    ours = estimate_covariance(sample, "pca", components=3).covariance
    full = np.cov(sample.T)
    assert np.diag(ours) == pytest.approx(np.diag(full), rel=1e-12)
    values, vectors = np.linalg.eigh(full)
    kept = (vectors[:, -3:] * values[-3:]) @ vectors[:, -3:].T
    assert ours - np.diag(np.diag(ours)) == pytest.approx(kept - np.diag(np.diag(kept)), abs=1e-15)


@pytest.mark.parametrize("name", [item.value for item in Estimator])
def test_every_estimate_scales_and_follows_the_order_and_is_definite(name):
    sample = returns(60, 7)
    ours = estimate_covariance(sample, name, components=2)
    assert np.linalg.eigvalsh(ours.covariance)[0] > 0.0
    assert np.array_equal(ours.covariance, ours.covariance.T)
    assert 0.0 <= ours.shrinkage <= 1.0
    scaled = estimate_covariance(100.0 * sample, name, components=2)
    assert scaled.covariance == pytest.approx(1e4 * ours.covariance, rel=1e-9)
    order = np.array([3, 1, 6, 0, 2, 5, 4])
    shuffled = estimate_covariance(sample[:, order], name, components=2)
    assert shuffled.covariance == pytest.approx(ours.covariance[np.ix_(order, order)], rel=1e-8, abs=1e-15)


@pytest.mark.parametrize(
    ("name", "terms", "said"),
    [
        ("mcd", {}, "no estimator 'mcd'; there are sample, ewma"),
        ("ewma", {"decay": 1.0}, r"decay=1\.0"),
        ("pca", {"components": 0}, "components=0 for 8 assets"),
        ("pca", {"components": 8}, "components=8 for 8 assets"),
    ],
)
def test_bad_parameters_are_refused(name, terms, said):
    with pytest.raises(CalibrationError, match=said):
        estimate_covariance(returns(), name, **terms)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda r: r[:1], "at least two rows"),
        (lambda r: r[0], "shape"),
        (lambda r: np.where(np.arange(r.size).reshape(r.shape) == 19, np.nan, r), "row 2, column 3"),
    ],
)
@pytest.mark.parametrize("estimator", list(Estimator))
def test_returns_with_gaps_are_refused(estimator, spoil, message):
    with pytest.raises(CalibrationError, match=message):
        estimate_covariance(spoil(returns()), estimator)


def test_an_asset_that_never_moves_has_no_correlation():
    sample = returns()
    sample[:, 3] = 0.0
    with pytest.raises(CalibrationError, match="column 3"):
        estimate_covariance(sample, "ledoit_wolf_constant")
    assert np.isfinite(estimate_covariance(sample, "ledoit_wolf").covariance).all()

"""Jennrich's statistic: published two-asset form, its own definition written out, and invariances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import MatrixError
from bank_python.numerics.chi_squared import chi_squared_tail
from bank_python.risk_models.jennrich import jennrich_degrees, jennrich_statistic


def two(*correlations):
    return np.array([[[1.0, r], [r, 1.0]] for r in correlations])


def drawn(rng, count, p, rows=40):
    return np.array([np.corrcoef(rng.standard_normal((rows, p)).T) for _ in range(count)])


@pytest.mark.parametrize(
    ("r1", "r2", "n1", "n2", "statistic", "p"),
    [
        (0.5, 0.3, 100, 100, 2.834467120181407, 0.0922614017796634),
        (0.8, 0.6, 250, 250, 19.223375624759722, 1.1628077998300204e-05),
        (0.2, -0.1, 60, 120, 3.600000000000001, 0.0577795711235973),
    ],
)
def test_two_assets_in_closed_form(r1, r2, n1, n2, statistic, p):
    """Jennrich (1970) for p = 2: n1 n2/(n1 + n2) (r1 - r2)^2 / (1 - r^2)^2, figures computed elsewhere."""
    found = float(jennrich_statistic(two(r1, r2), np.array([n1, n2])))
    assert found == pytest.approx(statistic, rel=1e-12)
    assert chi_squared_tail(found, jennrich_degrees(2, 2)) == pytest.approx(p, rel=1e-10)


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(2, 6))
def test_the_definition_written_out(seed, samples, assets):
    rng = np.random.default_rng(seed)
    matrices, n = drawn(rng, samples, assets), rng.integers(20, 200, samples)
    mean = sum(w * r for w, r in zip(n / n.sum(), matrices, strict=True))
    inverse = np.linalg.inv(mean)
    s = np.linalg.inv(np.eye(assets) + mean * inverse)
    total = 0.0
    for count, matrix in zip(n, matrices, strict=True):
        z = np.sqrt(count) * inverse @ (matrix - mean)
        total += 0.5 * np.trace(z @ z) - np.diag(z) @ s @ np.diag(z)
    assert float(jennrich_statistic(matrices, n)) == pytest.approx(total, rel=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_order_and_signs_of_assets_and_order_of_samples_change_nothing(seed):
    rng = np.random.default_rng(seed)
    matrices, n = drawn(rng, 4, 5), rng.integers(20, 200, 4)
    base = float(jennrich_statistic(matrices, n))
    assets, samples, signs = rng.permutation(5), rng.permutation(4), rng.choice([-1.0, 1.0], 5)
    moved = (matrices * np.outer(signs, signs))[:, assets][:, :, assets][samples]
    assert float(jennrich_statistic(moved, n[samples])) == pytest.approx(base, rel=1e-10)
    assert base >= 0.0
    assert float(jennrich_statistic(np.stack([matrices[0]] * 3), n[:3])) == pytest.approx(0.0, abs=1e-20)


def test_many_sets_at_once_are_the_same_as_one_by_one():
    matrices = drawn(np.random.default_rng(3), 12, 4).reshape(4, 3, 4, 4)
    n = np.array([20.0, 30.0, 40.0])
    assert jennrich_statistic(matrices, n) == pytest.approx([float(jennrich_statistic(m, n)) for m in matrices])


def test_assets_that_make_each_other_up_are_refused():
    with pytest.raises(MatrixError, match="singular"):
        jennrich_statistic(two(1.0, 1.0), np.array([50, 50]))

"""Marchenko and Pastur: printed edges, the density, noise and factors by simulation, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.display import as_text
from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.marchenko_pastur import marchenko_pastur, marchenko_pastur_edges


def noise(rows, assets, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, assets))


def test_printed_edges():
    """Fifty assets, 250 observations: 0.30557 and 2.09443."""
    assert marchenko_pastur_edges(50, 250) == pytest.approx((0.3055728090000842, 2.0944271909999155), rel=1e-13)


@pytest.mark.parametrize(("rows", "assets"), [(400, 100), (120, 100), (60, 120)])
def test_the_density_has_the_mass_and_the_mean_of_the_law(rows, assets):
    """Mass min(1, 1/q) outside 0 and mean 1; the square roots at the edges are removed by λ = centre + half cos φ."""
    found = marchenko_pastur(noise(rows, assets))
    phi = (np.arange(4_000) + 0.5) * math.pi / 4_000
    half, centre = 0.5 * (found.upper - found.lower), 0.5 * (found.upper + found.lower)
    at, measure = centre + half * np.cos(phi), half * np.sin(phi) * math.pi / 4_000
    f = found.density(at)
    assert (f * measure).sum() == pytest.approx(min(1.0, rows / assets), rel=1e-6)
    assert (f * at * measure).sum() == pytest.approx(found.variance, rel=1e-6)
    assert found.density([found.lower - 1e-9, found.upper + 1e-9, -1.0]).tolist() == [0.0, 0.0, 0.0]


def test_noise_fills_the_band():
    """Eigenvalues of noise are within the band, and their distribution is off by less than 3/N: they are rigid."""
    found = marchenko_pastur(noise(1_000, 200, seed=3))
    assert found.noise_share > 0.98
    assert found.eigenvalues.sum() == pytest.approx(200.0, rel=1e-12)
    grid = np.linspace(found.lower, found.upper, 20_001)
    law = np.cumsum(found.density(grid)) * (grid[1] - grid[0])
    sample = (found.eigenvalues[:, None] <= grid).mean(axis=0)
    assert np.abs(law - sample).max() < 3.0 / 200


def test_factors_stand_out():
    """One factor with correlation ρ takes 1 + (N - 1) ρ of N; the rest has eigenvalues around 1 - ρ."""
    shared = noise(2_000, 1, seed=4)
    panel = math.sqrt(0.6) * noise(2_000, 40, seed=5) + math.sqrt(0.4) * shared
    found = marchenko_pastur(panel)
    assert found.signals == 1
    assert found.eigenvalues[0] == pytest.approx(1.0 + 39 * 0.4, rel=0.05)
    assert found.noise_share == pytest.approx(0.6 * 39 / 40, rel=0.05)
    assert found.noise_count_share == 39 / 40
    rest = found.without_market
    assert rest.variance == pytest.approx(0.6, rel=0.05)
    assert rest.signals <= 2  # 1 − λ₁/N is 2.5 % below the variance of the rest, of which one may be just above
    assert rest.eigenvalues[1:] == pytest.approx(np.clip(rest.eigenvalues[1:], 0.9 * rest.lower, 1.1 * rest.upper))
    given_variance = marchenko_pastur(panel, variance=rest.variance)
    assert (given_variance.lower, given_variance.upper) == (rest.lower, rest.upper)


@given(st.integers(0, 2**32 - 1), st.floats(0.001, 1000.0))
def test_scale_and_order_change_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    panel = rng.standard_normal((60, 6)) + rng.standard_normal((60, 1))
    base = marchenko_pastur(panel)
    moved = marchenko_pastur(scale * panel[:, ::-1] + 1.0)
    assert moved.eigenvalues == pytest.approx(base.eigenvalues, abs=1e-9)
    assert moved.noise_share == pytest.approx(base.noise_share, abs=1e-9)
    given_matrix = marchenko_pastur(np.corrcoef(panel.T), observations=60)
    assert given_matrix.eigenvalues == pytest.approx(base.eigenvalues, abs=1e-9)


def test_exports_view_and_plot():
    found = marchenko_pastur(noise(200, 20) + noise(200, 1, seed=1))
    assert len(found.to_table().to_list()) == 20
    assert "signal" in as_text(found)
    assert "within noise" in found.plot().axes[0].get_title(loc="left")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"returns": np.ones(5)}, r"shape \(5,\)"),
        ({"returns": np.ones((5, 2))}, "asset 0 does not vary"),
        ({"returns": [[1.0, math.nan], [0.0, 1.0]]}, "returns=nan"),
        ({"returns": [[1.0, 0.5], [0.4, 1.0]], "observations": 10}, "no correlation matrix"),
        ({"returns": np.eye(3), "observations": 1}, "observations=1"),
    ],
)
def test_bad_input_is_named(arguments, said):
    with pytest.raises(CalibrationError, match=said):
        marchenko_pastur(**arguments)


def test_bad_numbers():
    with pytest.raises(ModelError, match=r"variance=0\.0"):
        marchenko_pastur(noise(20, 3), variance=0.0)
    with pytest.raises(ModelError, match="assets=0"):
        marchenko_pastur_edges(0, 10)


@pytest.mark.parametrize("size", [1e-160, 1e-300, 1e200])
def test_the_unit_of_returns_does_not_matter(size):
    returns = noise(120, 4)
    assert marchenko_pastur(returns * size).eigenvalues == pytest.approx(marchenko_pastur(returns).eigenvalues)


def test_without_market_where_one_eigenvalue_is_all():
    left = marchenko_pastur(noise(2, 4)).without_market
    assert left.variance == pytest.approx(0.0, abs=1e-15)
    assert left.variance >= 0.0
    left.plot()

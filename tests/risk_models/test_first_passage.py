"""First passage against quadrature of its density and SciPy's complex error function."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, special

from bank_python.risk_models.first_passage import Passage, real_mills, touch_discount


def by_quadrature(distance, drift, deviation, interest):
    """Integrate the discounted density of the first passage over the term, scaled to 1."""

    def density(time):
        z = (distance + drift * time) / (deviation * math.sqrt(time))
        scale = distance / (deviation * math.sqrt(2.0 * math.pi) * time**1.5)
        return scale * math.exp(-0.5 * z * z - interest * time)

    peak = min((distance / deviation) ** 2 / 3.0, 0.9)
    edges = [0.0, peak / 10.0, peak, math.sqrt(peak), 1.0]
    parts = itertools.pairwise(edges)
    return math.fsum(integrate.quad(density, a, b, epsabs=1e-15, epsrel=1e-12, limit=200)[0] for a, b in parts)


@pytest.mark.parametrize("interest", [-1.0, -0.3, -0.01, 0.0, 0.02, 0.5])
@pytest.mark.parametrize("drift", [-0.5, -0.11, 0.0, 0.02, 0.3])
@pytest.mark.parametrize(("distance", "deviation"), [(0.01, 0.2), (0.1, 0.2), (0.3, 0.1), (0.5, 1.0), (2.0, 1.0)])
def test_against_quadrature(distance, drift, deviation, interest):
    columns = [np.array([value]) for value in (distance, drift, deviation)]
    passage = Passage.of(*columns)
    assert passage.touched[0] == pytest.approx(by_quadrature(distance, drift, deviation, 0.0), rel=1e-10, abs=1e-13)
    assert passage.touched[0] + passage.untouched[0] == pytest.approx(1.0, rel=1e-14)
    with np.errstate(all="ignore"):
        value = touch_discount(*columns, np.array([interest]), passage.density)[0]
    assert value == pytest.approx(by_quadrature(distance, drift, deviation, interest), rel=1e-10, abs=1e-13)


def test_a_level_right_beside_is_not_rounded_away():
    # Without drift the probability not to touch is erf(t/√2).
    distance = 10.0 ** -np.arange(3.0, 15.0)
    passage = Passage.of(distance, np.zeros_like(distance), np.full_like(distance, 0.2))
    expected = special.erf(distance / 0.2 / math.sqrt(2.0))
    np.testing.assert_allclose(passage.untouched, expected, rtol=1e-14)


def test_real_part_of_mills_ratio():
    x, y = (part.ravel() for part in np.meshgrid(np.r_[np.linspace(0.0, 4.0, 41), 10.0, 100.0], np.linspace(0, 4, 9)))
    expected = math.sqrt(0.5 * math.pi) * special.wofz(1j * (x + 1j * y) / math.sqrt(2.0)).real
    error = np.abs(real_mills(x, y) / expected - 1.0)
    assert error[y <= 1.0].max() < 2e-14
    assert error.max() < 2e-9  # eight times the term's interest
    assert np.isnan(real_mills(np.array([1.0]), np.array([4.1]))).all()

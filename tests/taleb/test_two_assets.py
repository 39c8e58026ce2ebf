"""Two assets in closed form: printed values, the house's optimiser, and difference quotients."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.mean_variance import MeanVarianceOptimizer
from bank_python.taleb.two_assets import two_asset_sensitivity, two_asset_weight

vols = st.floats(0.02, 1.0)
means = st.floats(-0.5, 0.5)
correlations = st.floats(-0.95, 0.95)


@pytest.mark.parametrize(
    ("rho", "weight"),
    [
        (-0.5, 0.7142857142857143),
        (0.0, 0.8),
        (0.3, 0.8947368421052633),
        (0.5, 1.0),
        (0.8, 1.3333333333333335),
        (0.9, 1.5714285714285712),
    ],
)
def test_weights_of_least_variance(rho, weight):
    """(s2² - ρ s1 s2)/(s1² + s2² - 2 ρ s1 s2) with s1 = 0.1, s2 = 0.2."""
    assert two_asset_weight((0.1, 0.2), rho) == pytest.approx(weight, rel=1e-12)


def test_the_derivative_of_least_variance():
    """s1 s2 (s2² - s1²)/D² = 0.0006/0.001444."""
    assert two_asset_sensitivity((0.1, 0.2), 0.3) == pytest.approx(0.41551246537396125, rel=1e-12)


@given(vols, vols, correlations, means, means, st.floats(0.5, 20.0))
def test_the_optimiser_finds_the_same_weight(s1, s2, rho, m1, m2, aversion):
    data = CovarianceData(
        tickers=["A", "B"],
        covariance=[[s1 * s1, rho * s1 * s2], [rho * s1 * s2, s2 * s2]],
        expected_returns=[m1, m2],
    )
    found = MeanVarianceOptimizer(data, risk_aversion=aversion).optimize()
    wanted = two_asset_weight((s1, s2), rho, (m1, m2), risk_aversion=aversion, long_only=True)
    assert found["A"] == pytest.approx(wanted, abs=1e-8)


@given(vols, vols, correlations, means, means)
def test_the_derivative_is_the_limit_of_quotients(s1, s2, rho, m1, m2):
    spread = s1 * s1 + s2 * s2 - 2.0 * rho * s1 * s2
    h = 1e-4 * spread / (s1 * s2)
    up, down = (two_asset_weight((s1, s2), rho + k, (m1, m2)) for k in (h, -h))
    size = abs(two_asset_weight((s1, s2), rho, (m1, m2))) + 1.0
    # Truncation is (h s1 s2/D)² of the weight's own scale.
    tolerance = 1e-6 * size * s1 * s2 / spread
    assert two_asset_sensitivity((s1, s2), rho, (m1, m2)) == pytest.approx((up - down) / (2.0 * h), abs=tolerance)


@given(vols, vols, correlations, means, means)
def test_the_second_asset_moves_the_other_way(s1, s2, rho, m1, m2):
    assume(abs(s1 - s2) > 1e-6)
    one = two_asset_sensitivity((s1, s2), rho, (m1, m2))
    other = two_asset_sensitivity((s2, s1), rho, (m2, m1))
    assert one == pytest.approx(-other, rel=1e-9, abs=1e-12)
    weight = two_asset_weight((s1, s2), rho, (m1, m2))
    assert two_asset_weight((s2, s1), rho, (m2, m1)) == pytest.approx(1.0 - weight, rel=1e-9, abs=1e-9)


def test_a_weight_at_a_limit_does_not_move():
    assert two_asset_weight((0.1, 0.2), 0.9, long_only=True) == 1.0
    assert two_asset_sensitivity((0.1, 0.2), 0.9, long_only=True) == 0.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"vols": (0.0, 0.2)}, "vols=0.0"),
        ({"vols": (0.1, 0.2, 0.3)}, r"shape \(3,\)"),
        ({"correlation": 1.5}, "correlation=1.5"),
        ({"means": (np.nan, 0.0)}, "means=nan"),
        ({"risk_aversion": 0.0}, "risk_aversion=0.0"),
        ({"vols": (0.2, 0.2), "correlation": 1.0}, "same risk"),
    ],
)
def test_bad_figures_are_named(arguments, said):
    with pytest.raises(ModelError, match=said):
        two_asset_sensitivity(**{"vols": (0.1, 0.2), "correlation": 0.3, **arguments})

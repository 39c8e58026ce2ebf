"""Sensitivity of barbells to the tail index: scipy's quantiles, derivatives, extremes, and bad input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from bank_python.display import as_text
from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.optimizer.barbell import BarbellOptimizer
from bank_python.optimizer.barbell_mix import BarbellMix
from bank_python.optimizer.barbell_sensitivity import TAIL_INDICES, barbell_sensitivity
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.factory import create_optimizer

MIX = BarbellMix(share=0.4, safe_return=0.02, mean=0.08, deviation=0.2)
DATA = CovarianceData(tickers=["SPY", "BTC"], covariance=[[0.0256, 0.02], [0.02, 0.36]], expected_returns=[0.09, 0.25])


def losses(alpha, epsilon, scale):
    """Return value at risk and expected shortfall of Student's t by scipy, scaled to the normal distribution."""
    t = stats.t(alpha)
    size = t.std() if scale == "variance" else t.expect(abs) / math.sqrt(2.0 / math.pi)
    q = t.ppf(epsilon)
    return -q / size, -integrate.quad(lambda x: x * t.pdf(x), -np.inf, q)[0] / epsilon / size


@pytest.mark.parametrize("scale", ["variance", "mad"])
@pytest.mark.parametrize("measure", ["var", "cvar"])
def test_shares_and_losses_by_scipy(scale, measure):
    alphas = [2.5, 3.0, 5.0, 20.0]
    found = barbell_sensitivity(MIX, alphas, max_loss=0.06, epsilon=0.025, measure=measure, scale=scale)
    for i, alpha in enumerate(alphas):
        var, cvar = losses(alpha, 0.025, scale)
        centre = 0.6 * 0.02 + 0.4 * 0.08
        assert found.var[i] == pytest.approx(0.4 * 0.2 * var - centre, rel=1e-6)
        assert found.cvar[i] == pytest.approx(0.4 * 0.2 * cvar - centre, rel=1e-6)
        kappa = var if measure == "var" else cvar
        assert found.shares[i] == pytest.approx((0.06 + 0.02) / (kappa * 0.2 - 0.06), rel=1e-6)


@pytest.mark.parametrize("scale", ["variance", "mad"])
def test_slopes_and_extremes_by_brute_force(scale):
    grid = np.linspace(2.2, 12.0, 981)
    found = barbell_sensitivity(MIX, grid, max_loss=0.06, scale=scale)
    assert found.slopes[1:-1] == pytest.approx(np.gradient(found.shares, grid)[1:-1], rel=0.05, abs=1e-4)
    coarse = barbell_sensitivity(MIX, [2.2, 12.0], max_loss=0.06, scale=scale)
    assert coarse.most_sensitive == pytest.approx(grid[np.abs(found.slopes).argmax()], abs=0.02)
    assert coarse.worst == pytest.approx(grid[found.shares.argmin()], abs=0.02)


def test_at_equal_deviation_fatter_tails_allow_less():
    """At equal variance the share has a minimum inside; at equal mean absolute deviation it falls with the index."""
    by_variance, by_mad = (barbell_sensitivity(MIX, max_loss=0.06, scale=scale) for scale in ("variance", "mad"))
    assert by_variance.shares[0] > by_variance.shares[3] < by_variance.shares[-1]
    assert 2.5 < by_variance.worst < 5.0
    assert (np.diff(by_mad.shares) > 0.0).all()
    assert by_mad.worst == pytest.approx(TAIL_INDICES[0])


@settings(max_examples=6)
@given(st.floats(0.01, 0.2), st.floats(0.005, 0.2), st.sampled_from(["var", "cvar"]))
def test_the_share_at_an_index_keeps_the_limit_there(limit, epsilon, measure):
    found = barbell_sensitivity(MIX, [3.0, 6.0], max_loss=limit, epsilon=epsilon, measure=measure)
    for alpha, share in zip((3.0, 6.0), found.shares.tolist(), strict=True):
        held = barbell_sensitivity(MIX.at(share), [alpha, 50.0], max_loss=limit, epsilon=epsilon, measure=measure)
        loss = (held.var if measure == "var" else held.cvar)[0]
        assert loss == pytest.approx(limit, abs=1e-12) if share < 1.0 else loss <= limit + 1e-12


def test_the_optimiser_gives_its_limit():
    for alpha in (3.0, 4.0):
        optimiser = BarbellOptimizer(
            DATA, risk_free_rate=0.04, tails="student_t", degrees_of_freedom=alpha, horizon=0.5
        )
        found = optimiser.tail_sensitivity([3.0, 4.0])
        figures = optimiser.optimize().figures
        at = found.tail_indices.tolist().index(alpha)
        assert found.shares[at] == pytest.approx(figures["risky_share"], rel=1e-12)
        assert found.var[at] == pytest.approx(figures["var"], rel=1e-10)
        assert found.cvar[at] == pytest.approx(figures["cvar"], rel=1e-10)


def test_exports_view_and_plot():
    found = barbell_sensitivity(MIX)
    assert len(found.to_table().to_list()) == len(TAIL_INDICES)
    assert found.to_table().to_list()[2]["tail_index"] == 3.0
    text = as_text(found, lines=40)
    assert "most sensitive at" in " ".join(text.split())
    assert "Barbell by tail index" in text
    assert len(found.plot().axes) == 2


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"tail_indices": [2.0, 3.0]}, ModelError, r"tail_indices=2\.0"),
        ({"tail_indices": [3.0, np.nan]}, ModelError, "tail_indices=nan"),
        ({"tail_indices": [3.0, 3.0]}, ModelError, "fewer than two"),
        ({"max_loss": 1.5}, ModelError, r"max_loss=1\.5"),
        ({"epsilon": 0.5}, CalibrationError, r"epsilon=0\.5"),
        ({"measure": "es"}, CalibrationError, "no measure"),
        ({"scale": "range"}, ModelError, "variance, mad"),
        ({"barbell": BarbellMix(0.4, -0.2, 0.08, 0.2)}, InfeasibleError, "everything in SAFE"),
    ],
)
def test_bad_input_is_named(arguments, error, said):
    with pytest.raises(error, match=said):
        barbell_sensitivity(**{"barbell": MIX, **arguments})


def test_the_call_of_the_reference():
    """SAFE comes first, the limit binds on the basket's own loss, and both names create the same."""
    held = BarbellOptimizer(DATA, risk_free_rate=0.05, epsilon=0.05, max_loss_pct=0.10).optimize()
    assert held.tickers[0] == "SAFE"
    assert held.figures["loss_at_epsilon"] == pytest.approx(0.10, abs=1e-12)
    for name in ("barbell", "taleb_barbell"):
        made = create_optimizer(name, DATA, risk_free_rate=0.05, epsilon=0.05, max_loss_pct=0.10).optimize()
        assert made.weights.tolist() == held.weights.tolist()

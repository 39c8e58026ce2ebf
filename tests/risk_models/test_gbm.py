"""The lognormal distribution of a price against Hull's figures and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import ModelError
from bank_python.risk_models import black_scholes_price
from bank_python.risk_models.gbm import GeometricBrownianMotion


def test_hull():
    # Hull, Options, Futures, and Other Derivatives, "Lognormal property": S = 40, μ = 16 %, σ = 20 %, six months:
    # between 32.55 and 56.56 with 95 %; S = 20, μ = 20 %, σ = 40 %, a year: mean 24.43, variance 103.54
    motion = GeometricBrownianMotion(0.16, 0.20)
    np.testing.assert_allclose(motion.quantile([0.025, 0.975], 40.0, 0.5), [32.55, 56.56], atol=0.06)
    other = GeometricBrownianMotion(0.20, 0.40)
    assert other.mean(20.0, 1.0) == pytest.approx(24.43, abs=5e-3)
    assert other.variance(20.0, 1.0) == pytest.approx(103.54, abs=5e-3)


@given(st.floats(-0.2, 0.3), st.floats(0.05, 0.8), st.floats(0.05, 5.0), st.floats(0.001, 0.999))
def test_against_scipy(drift, vol, years, p):
    motion = GeometricBrownianMotion(drift, vol)
    lognormal = stats.lognorm(vol * math.sqrt(years), scale=100.0 * math.exp((drift - 0.5 * vol**2) * years))
    assert motion.mean(100.0, years) == pytest.approx(lognormal.mean(), rel=1e-12)
    assert motion.variance(100.0, years) == pytest.approx(lognormal.var(), rel=1e-11)
    level = motion.quantile(p, 100.0, years)
    assert level == pytest.approx(lognormal.ppf(p), rel=1e-11)
    assert motion.probability_below(level, 100.0, years) == pytest.approx(p, rel=1e-10)


def test_limits_and_price():
    motion = GeometricBrownianMotion(0.1, 0.2)
    assert motion.price(100.0, 105.0, 1.0, 0.02) == black_scholes_price(100.0, 105.0, 1.0, 0.02, 0.2)
    assert motion.mean(100.0, 0.0) == 100.0
    assert math.isnan(motion.mean(-1.0, 1.0))
    assert math.isnan(motion.quantile(1.5, 100.0, 1.0))
    assert motion.mean([100.0, 50.0], 1.0).shape == (2,)


@pytest.mark.parametrize(
    ("drift", "vol", "message"), [(math.nan, 0.2, "drift=nan"), (0.1, -0.2, "vol=-0.2"), (0.1, math.inf, "vol=inf")]
)
def test_bad_parameters(drift, vol, message):
    with pytest.raises(ModelError, match=message):
        GeometricBrownianMotion(drift, vol)

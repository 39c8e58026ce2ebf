"""CAPM against statsmodels' least squares, worked examples, and its properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import RiskError
from bank_python.risk import (
    blume_beta,
    capm_beta,
    capm_fit,
    capm_return,
    rolling_beta,
    vasicek_betas,
)


def pair(n=250, beta=1.3, seed=0):
    rng = np.random.default_rng(seed)
    market = 0.0005 + 0.01 * rng.standard_normal(n)
    return 0.0002 + beta * market + 0.012 * rng.standard_normal(n), market


def test_the_worked_examples():
    assert capm_return(1.82, risk_free_rate=0.05, market_return=0.12) == pytest.approx(0.1774, abs=1e-15)
    assert capm_return(1.2, risk_free_rate=0.03, market_return=0.08) == pytest.approx(0.09, abs=1e-15)
    assert blume_beta(1.6) == pytest.approx(1.4, abs=1e-15)
    assert blume_beta(1.0) == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("n", [5, 60, 2500])
@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_the_fit_is_statsmodels(n, confidence):
    models = pytest.importorskip("statsmodels.api")
    asset, market = pair(n)
    ours = capm_fit(asset, market, risk_free_rate=0.04, confidence=confidence)
    theirs = models.OLS(asset - 0.04 / 252, models.add_constant(market - 0.04 / 252)).fit()
    intervals = theirs.conf_int(1.0 - confidence)
    assert (ours.alpha, ours.beta) == pytest.approx(theirs.params * [252, 1], rel=1e-9)
    assert (ours.alpha_error, ours.beta_error) == pytest.approx(theirs.bse * [252, 1], rel=1e-9)
    assert ours.alpha_interval == pytest.approx(intervals[0] * 252, rel=1e-8)
    assert ours.beta_interval == pytest.approx(intervals[1], rel=1e-8)
    assert ours.r_squared == pytest.approx(theirs.rsquared, rel=1e-9)
    assert ours.residual_volatility == pytest.approx(math.sqrt(theirs.mse_resid * 252), rel=1e-9)
    assert ours.n_obs == n
    assert capm_beta(asset, market) == pytest.approx(theirs.params[1], rel=1e-12)


def test_intervals_hold_the_truth_as_often_as_they_say():
    inside = sum(
        low <= 1.3 <= high
        for low, high in (capm_fit(*pair(20, seed=seed), confidence=0.8).beta_interval for seed in range(2000))
    )
    assert abs(inside - 1600) < 4 * math.sqrt(2000 * 0.8 * 0.2)


def test_rolling_betas_are_those_of_their_windows():
    asset, market = pair(40)
    rolled = rolling_beta(asset, market, 15)
    assert rolled == pytest.approx([capm_beta(asset[i : i + 15], market[i : i + 15]) for i in range(26)], rel=1e-11)
    assert rolling_beta(asset, market, 40) == pytest.approx([capm_beta(asset, market)], rel=1e-12)


@given(st.floats(-3.0, 3.0), st.floats(0.1, 10.0), st.floats(-0.01, 0.01))
def test_beta_is_linear_and_independent_of_a_constant_rate(beta, scale, shift):
    asset, market = pair(50, beta)
    base = capm_beta(asset, market)
    assert capm_beta(scale * asset, market) == pytest.approx(scale * base, rel=1e-9, abs=1e-12)
    assert capm_beta(asset + shift, market + shift) == pytest.approx(base, rel=1e-9, abs=1e-9)
    assert capm_beta(market, market) == pytest.approx(1.0, rel=1e-13)


def test_betas_are_shrunk_in_proportion_to_their_uncertainty():
    betas, errors = np.array([0.5, 1.0, 2.1]), np.array([0.0, 0.3, 1e9])
    shrunk = vasicek_betas(betas, errors)
    prior = betas.var(ddof=1)
    assert shrunk[0] == 0.5
    assert shrunk[1] == pytest.approx((1.0 / 0.09 + 1.2 / prior) / (1.0 / 0.09 + 1.0 / prior), rel=1e-12)
    assert shrunk[2] == pytest.approx(1.2, rel=1e-9)
    assert vasicek_betas([1.0, 1.0], [0.0, 0.0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, m: capm_beta(a[:-1], m), r"shape \(249,\)"),
        (lambda a, m: capm_beta(a[:1], m[:1]), "1 periods are too few"),
        (lambda a, m: capm_fit(a[:2], m[:2]), "at least 3"),
        (lambda a, m: capm_beta(np.where(np.arange(250) == 6, np.nan, a), m), "asset return in row 6 is nan"),
        (lambda a, m: capm_beta(a, 0.0 * m + 0.001), "every market return is 0.001"),
        (lambda a, m: capm_fit(a, m, confidence=95), "confidence=95"),
        (lambda a, m: capm_fit(a, m, periods_per_year=0), "periods_per_year=0"),
        (lambda a, m: rolling_beta(a, m, 251), "window=251 for 250"),
        (lambda a, m: rolling_beta(a, np.where(np.arange(250) < 9, 0.0, m), 5), "from row 0"),
        (lambda a, m: vasicek_betas(a[:1], m[:1]), "two or more"),
        (lambda a, m: vasicek_betas(a, -abs(m)), "below 0"),
    ],
)
def test_what_cannot_be_fitted_is_refused(call, message):
    with pytest.raises(RiskError, match=message):
        call(*pair())

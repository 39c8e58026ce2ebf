"""Half-lives, Ornstein-Uhlenbeck fits and z-scores: published formulas, statsmodels, pandas and simulated processes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models import OrnsteinUhlenbeck, fit_ou, half_life, z_score
from bank_python.risk_models.mean_reversion import half_life_of

# Avellaneda and Lee (2010), appendix A, with a = 0.001, b = 0.95, a residual variance of 0.0001 and X = 0.05.
TODAY = {"last": 0.05, "periods_per_year": 252}
PROCESS = OrnsteinUhlenbeck.from_ar1(0.001, 0.95, 0.0001, **TODAY)


def autoregression(phi, count, seed=1, paths=1):
    rng = np.random.default_rng(seed)
    shocks = rng.normal(size=(count, paths))
    shocks[0] /= math.sqrt(1.0 - phi * phi)
    values = shocks.copy()
    for t in range(1, count):
        values[t] += phi * values[t - 1]
    return values[:, 0] if paths == 1 else values.T


def test_half_lives_are_those_of_the_formula():
    assert half_life_of(0.95) == pytest.approx(13.513407333964874, rel=1e-14)
    assert half_life_of(0.99) == pytest.approx(68.96756393652842, rel=1e-13)
    assert [half_life_of(phi) for phi in (1.0, 1.1, 0.0, -0.5)] == [math.inf, math.inf, 0.0, 0.0]


def test_the_process_is_that_of_avellaneda_and_lee():
    assert PROCESS.kappa == pytest.approx(12.925910185662746, rel=1e-12)
    assert PROCESS.mean == pytest.approx(0.02, rel=1e-12)
    assert PROCESS.sigma_eq == pytest.approx(0.03202563076101742, rel=1e-12)
    assert PROCESS.s_score == pytest.approx(0.9367496997597605, rel=1e-12)
    assert PROCESS.sigma == pytest.approx(PROCESS.sigma_eq * math.sqrt(2.0 * PROCESS.kappa), rel=1e-14)
    assert PROCESS.score([0.02, 0.05]) == pytest.approx([0.0, PROCESS.s_score], abs=1e-12)


def test_reversion_within_30_days_means_b_below_0_9672():
    # Avellaneda and Lee (2010), section 2: kappa > 252/30 means b < 0.9672.
    for b, fast in ((0.9671, True), (0.9673, False)):
        process = OrnsteinUhlenbeck.from_ar1(0.0, b, 1.0, last=0.0, periods_per_year=252)
        assert process.reverts_within(30) is fast


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_the_regression_is_that_of_statsmodels(scale):
    values = scale * (3.0 + autoregression(0.9, 300))
    oracle = sm.OLS(values[1:] / scale, sm.add_constant(values[:-1] / scale)).fit()
    found, process = half_life(values, confidence=0.9), fit_ou(values, 252)
    constant, slope = oracle.params
    assert (found.phi, found.phi_error) == pytest.approx((slope, oracle.bse[1]), rel=1e-9)
    assert found.half_life == pytest.approx(-math.log(2.0) / math.log(slope), rel=1e-9)
    ends = oracle.params[1] + np.array([-1.0, 1.0]) * 1.6448536269514722 * oracle.bse[1]
    assert (found.low, found.high) == pytest.approx([half_life_of(end) for end in ends], rel=1e-8)
    deviation = math.sqrt(oracle.mse_resid / (1.0 - slope * slope))
    assert process.mean == pytest.approx(scale * constant / (1.0 - slope), rel=1e-9)
    assert process.sigma_eq == pytest.approx(scale * deviation, rel=1e-9)
    assert process.s_score == pytest.approx((values[-1] / scale - constant / (1.0 - slope)) / deviation, rel=1e-9)


def test_simulated_processes_have_their_half_life():
    # kappa = 25 per year of 252 days, mean 5, sigma 2, drawn exactly.
    phi, deviation = math.exp(-25.0 / 252.0), 2.0 / math.sqrt(50.0)
    values = 5.0 + deviation * math.sqrt(1.0 - phi * phi) * autoregression(phi, 40_000)
    process = fit_ou(values, 252)
    assert process.kappa == pytest.approx(25.0, rel=0.05)
    assert process.mean == pytest.approx(5.0, abs=0.02)  # three standard errors
    assert process.sigma == pytest.approx(2.0, rel=0.02)
    assert process.half_life == pytest.approx(252.0 * math.log(2.0) / 25.0, rel=0.05)


def test_the_interval_covers_and_the_correction_takes_the_bias_away():
    found = [half_life(path) for path in autoregression(0.9, 150, seed=3, paths=400)]
    covered = np.mean([one.low <= half_life_of(0.9) <= one.high for one in found])
    assert 0.9 < covered < 0.98
    phis = np.array([one.phi for one in found])
    corrected = (149.0 * phis + 1.0) / 146.0
    assert phis.mean() == pytest.approx(0.9 - 3.7 / 150.0, abs=0.007)
    assert corrected.mean() == pytest.approx(0.9, abs=0.007)
    assert found[0].corrected == pytest.approx(half_life_of(corrected[0]), rel=1e-12)


def test_what_does_not_revert_is_said_and_not_fitted():
    growing = 1.02 ** np.arange(60.0) + 0.01 * autoregression(0.0001, 60)
    found = half_life(growing)
    assert (found.half_life, found.high, found.reverts, found.corrected) == (math.inf, math.inf, False, math.inf)
    assert found.verdict.startswith("does not revert: φ = 1.0")
    with pytest.raises(CalibrationError, match=r"does not revert to a mean: its coefficient on the last value is 1\.0"):
        fit_ou(growing, 252)
    turning = autoregression(-0.5, 200)
    assert half_life(turning).half_life == 0.0
    assert "overshoots" in half_life(turning).verdict
    with pytest.raises(CalibrationError, match="overshoots its mean in each period"):
        fit_ou(turning, 252)
    assert "half-life 6" in half_life(autoregression(0.9, 2_000)).verdict


def test_a_decay_without_noise_has_a_half_life_and_no_process():
    found = half_life(0.5 ** np.arange(12.0))
    assert (found.half_life, found.low, found.high) == pytest.approx((1.0, 1.0, 1.0))
    with pytest.raises(CalibrationError, match="no noise to measure"):
        fit_ou(0.5 ** np.arange(12.0), 252)


@pytest.mark.parametrize("current", [True, False])
def test_z_scores_are_those_of_pandas(current):
    values = pd.Series(autoregression(0.9, 300))
    window = (values if current else values.shift()).rolling(20)
    expected = (values - window.mean()) / window.std()
    assert z_score(values, 20, include_current=current) == pytest.approx(expected.to_numpy(), rel=1e-9, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(
    cut=st.integers(20, 99),
    lookback=st.integers(2, 20),
    scale=st.sampled_from([1e-12, 1.0, 1e12]),
    seed=st.integers(0, 9),
)
def test_no_score_depends_on_later_values_or_the_unit(cut, lookback, scale, seed):
    values = 100.0 + autoregression(0.9, 100, seed)
    whole = z_score(values, lookback)
    changed = values.copy()
    changed[cut:] = -1e3
    assert z_score(changed, lookback)[:cut] == pytest.approx(whole[:cut], rel=1e-7, nan_ok=True)
    assert z_score(values[:cut], lookback) == pytest.approx(whole[:cut], rel=1e-9, nan_ok=True)
    assert z_score(scale * values, lookback) == pytest.approx(whole, rel=1e-7, nan_ok=True)
    assert np.isnan(whole[: lookback - 1]).all()
    bound = (lookback - 1.0) / math.sqrt(lookback)  # Samuelson's inequality
    assert (np.abs(whole[lookback - 1 :]) <= bound * (1.0 + 1e-9)).all()


def test_a_window_that_does_not_vary_has_no_score():
    scores = z_score([1.1] * 5 + [2.0, 3.0], 3)
    assert np.isnan(scores[:5]).all()
    assert scores[5:] == pytest.approx([1.1547005, (3.0 - 6.1 / 3.0) / np.std([1.1, 2.0, 3.0], ddof=1)])
    assert np.isnan(z_score([0.0] * 5, 2)).all()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: half_life([1.0] * 20), CalibrationError, "series does not vary"),
        (lambda: half_life([1.0] * 20 + [2.0]), CalibrationError, "without its last value does not vary"),
        (lambda: half_life([1.0, 2.0]), ModelError, "at least 10 rows"),
        (lambda: half_life([1.0, math.inf] * 10), ModelError, "series: row 1 is inf"),
        (lambda: half_life(np.eye(10)), ModelError, "of shape"),
        (lambda: half_life(autoregression(0.5, 50), confidence=1.0), ModelError, r"confidence=1.0 is outside \(0, 1\)"),
        (lambda: fit_ou(autoregression(0.5, 50), 0.0), ModelError, "periods_per_year=0.0"),
        (lambda: OrnsteinUhlenbeck.from_ar1(0.0, 0.5, 0.0, **TODAY), ModelError, "variance=0.0"),
        (lambda: OrnsteinUhlenbeck.from_ar1(math.nan, 0.5, 1.0, **TODAY), ModelError, "intercept=nan"),
        (lambda: z_score([1.0, 2.0, 3.0], 1), ModelError, "lookback=1 is below 2"),
        (lambda: z_score([1.0, 2.0, 3.0], 4), ModelError, "lookback=4 is longer than the series"),
        (lambda: z_score([1.0, 2.0, 3.0], 3, include_current=False), ModelError, "lookback=3 is longer"),
        (lambda: z_score([1.0, math.nan, 3.0], 2), ModelError, "row 1 is nan"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()

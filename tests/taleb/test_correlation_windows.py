"""Tests of equal correlations over windows: flips, size by simulation, rolling figures, and bad input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models.jennrich import jennrich_statistic
from bank_python.taleb.correlation_windows import correlation_windows, rolling_correlations


def correlated(rng, rows, rho, assets=2):
    return rng.standard_normal((rows, assets)) @ np.linalg.cholesky(rho + (1.0 - rho) * np.eye(assets)).T


def test_a_flip_of_the_correlation_is_found():
    """The mean of squared correlations, in place of a test of equality, has p = 0.92 here."""
    rng = np.random.default_rng(1)
    flipped = np.vstack([correlated(rng, 250, 0.9), correlated(rng, 250, -0.9)])
    found = correlation_windows(flipped, 25, bootstrap=99)
    assert found.p_value < 1e-50
    assert found.bootstrap_p_value == 0.01
    assert found.fisher_p_value < 1e-50
    assert (found.windows, found.window, found.left_out, found.degrees_of_freedom) == (20, 25, 0, 19)


def test_the_statistic_is_that_of_the_windows():
    panel = correlated(np.random.default_rng(2), 107, 0.3, 3)
    found = correlation_windows(panel, 25, bootstrap=0)
    windows = [np.corrcoef(panel[7 + 25 * i : 32 + 25 * i].T) for i in range(4)]  # the oldest seven fill no window
    assert found.left_out == 7
    assert found.statistic == pytest.approx(float(jennrich_statistic(np.array(windows), np.full(4, 25.0))), rel=1e-10)
    assert found.degrees_of_freedom == 9
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 9), rel=1e-10)
    assert math.isnan(found.bootstrap_p_value)
    z = np.arctanh([[m[0, 1], m[0, 2], m[1, 2]] for m in windows])
    smallest = stats.chi2.sf(22.0 * ((z - z.mean(axis=0)) ** 2).sum(axis=0), 3).min()
    assert found.fisher_p_value == pytest.approx(min(3.0 * smallest, 1.0), rel=1e-9)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_scale_and_level_of_returns_change_nothing(seed):
    rng = np.random.default_rng(seed)
    panel = correlated(rng, 80, 0.4, 3)
    base = correlation_windows(panel, 20, bootstrap=19, seed=3)
    moved = correlation_windows(panel * [0.01, 5.0, 100.0] + [0.0, 1.0, -3.0], 20, bootstrap=19, seed=3)
    assert moved.statistic == pytest.approx(base.statistic, rel=1e-9)
    assert moved.bootstrap_p_value == base.bootstrap_p_value
    assert 0.05 <= base.bootstrap_p_value <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize(("assets", "rows", "window", "df"), [(2, 250, 25, 0), (5, 500, 50, 4)])
def test_the_bootstrap_rejects_as_often_as_it_says(assets, rows, window, df):
    """400 panels with constant correlations: 5 % ± 3 standard errors; chi-squared rejects almost always if df = 4."""
    rng = np.random.default_rng(11)
    rejected = np.zeros(2)
    for _ in range(400):
        panel = correlated(rng, rows, 0.5, assets)
        if df:
            panel /= np.sqrt(rng.chisquare(df, rows) / df)[:, None]
        found = correlation_windows(panel, window, bootstrap=99, seed=int(rng.integers(2**31)))
        rejected += [found.bootstrap_p_value <= 0.05, found.p_value <= 0.05]
    assert abs(rejected[0] - 20) < 3.0 * math.sqrt(400 * 0.05 * 0.95)
    assert rejected[1] > 350 if df else rejected[1] < 60


def test_rolling_correlations_are_those_of_their_windows():
    panel = correlated(np.random.default_rng(4), 60, 0.5, 3)
    found = rolling_correlations(panel, 15)
    each = np.array([np.corrcoef(panel[i : i + 15].T)[np.triu_indices(3, 1)] for i in range(46)])
    assert found.mean == pytest.approx(each.mean(), rel=1e-12)
    assert found.std == pytest.approx(each.std(axis=0, ddof=1).mean(), rel=1e-12)
    assert (found.windows, found.window) == (46, 15)


def test_rolling_correlations_of_two_indices():
    """S&P 500 and NASDAQ, log returns 1999 to 2018, windows of 63: mean 0.92346, standard deviation 0.04580."""
    data = pytest.importorskip("arch.data.sp500"), pytest.importorskip("arch.data.nasdaq")
    levels = [module.load()["Adj Close"] for module in data]
    panel = np.column_stack([np.diff(np.log(level.to_numpy())) for level in levels])
    found = rolling_correlations(panel, 63)
    assert found.mean == pytest.approx(0.9234618137265235, abs=1e-6)
    # The printed standard deviation may have either divisor; they differ by 1e-4 of it.
    assert found.std == pytest.approx(0.045801585537184136, rel=2e-4)


def test_constant_correlations_move_as_much_as_noise():
    """Over 5,000 windows of independent rows the standard deviation is that of sampling, within 5 %."""
    found = rolling_correlations(correlated(np.random.default_rng(6), 5_000, 0.5), 60)
    assert found.std == pytest.approx(found.noise, rel=0.05)


@pytest.mark.parametrize(
    ("panel", "window", "error", "said"),
    [
        (np.ones(30), 10, CalibrationError, r"shape \(30,\)"),
        (np.ones((30, 1)), 10, CalibrationError, r"shape \(30, 1\)"),
        (np.ones((30, 2)), 10, CalibrationError, "asset 0 does not vary in window 0"),
        (np.random.default_rng(0).standard_normal((19, 2)), 10, CalibrationError, "19 returns of 2 assets"),
        (np.random.default_rng(0).standard_normal((40, 30)), 10, CalibrationError, "give at least 40"),
        (np.random.default_rng(0).standard_normal((40, 2)), 3, ModelError, "window=3"),
    ],
)
def test_bad_panels_are_named(panel, window, error, said):
    if "give at least 40" in said:
        panel = panel[:30]
    with pytest.raises(error, match=said):
        correlation_windows(panel, window)


def test_a_value_that_is_missing_is_named_by_row_and_asset():
    panel = np.random.default_rng(0).standard_normal((40, 3))
    panel[17, 2] = math.nan
    for function in (correlation_windows, rolling_correlations):
        with pytest.raises(CalibrationError, match="asset 2 in row 17 is nan"):
            function(panel, 10)


def test_other_refusals():
    panel = np.random.default_rng(0).standard_normal((40, 2))
    with pytest.raises(ModelError, match="bootstrap=-1"):
        correlation_windows(panel, 10, bootstrap=-1)
    with pytest.raises(CalibrationError, match="give at least 41"):
        rolling_correlations(panel, 40)
    twins = np.column_stack([panel[:, 0], 2.0 * panel[:, 0]])
    with pytest.raises(CalibrationError, match="singular"):
        correlation_windows(twins, 10)

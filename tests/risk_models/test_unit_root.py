"""The augmented Dickey-Fuller test and MacKinnon's surfaces: published values, statsmodels, and size by simulation."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp
from statsmodels.tsa.stattools import adfuller

from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics import holm_p_values
from bank_python.risk_models import adf_test, mackinnon_critical_values, mackinnon_p_value
from bank_python.risk_models.unit_root import dickey_fuller_statistics

# MacKinnon (2010), "Critical values for cointegration tests", tables 2 and 3: 1, 5 and 10 %, infinite sample.
ASYMPTOTIC = {
    ("c", 1): (-3.43035, -2.86154, -2.56677),
    ("c", 2): (-3.89644, -3.33613, -3.04445),
    ("c", 3): (-4.29374, -3.74066, -3.45218),
    ("ct", 1): (-3.95877, -3.41049, -3.12705),
    ("ct", 2): (-4.32762, -3.78057, -3.49631),
}


def series(count=200, seed=1, kind="walk"):
    shocks = np.random.default_rng(seed).normal(size=count)
    return {"walk": shocks.cumsum(), "noise": shocks, "trend": 50.0 + 0.1 * np.arange(count) + shocks}[kind]


@pytest.mark.parametrize(("trend", "variables"), ASYMPTOTIC)
def test_asymptotic_critical_values_are_those_published(trend, variables):
    found = mackinnon_critical_values(trend, variables)
    assert found == pytest.approx(dict(zip((0.01, 0.05, 0.1), ASYMPTOTIC[trend, variables], strict=True)), abs=1e-12)


def test_p_values_are_those_of_mackinnon_1994():
    for statistic, variables, p in ((-3.0, 1, 0.0348944), (-3.5, 2, 0.0323954), (-2.0, 2, 0.5285781)):
        assert mackinnon_p_value(statistic, variables=variables) == pytest.approx(p, abs=5e-8)


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_both_surfaces_are_those_of_statsmodels(trend):
    for variables in range(1, 2 if trend == "n" else 7):
        for count in (20, 100, 2_500):
            ours = list(mackinnon_critical_values(trend, variables, count).values())
            assert ours == pytest.approx(mackinnoncrit(variables, trend, count), abs=1e-12)
    for variables in range(1, 7):
        for statistic in (-40.0, -20.0, -5.0, -3.9, -3.0, -2.0, -1.5, 0.0, 0.5, 1.2, 3.0, 15.0):
            theirs = mackinnonp(statistic, trend, variables)
            assert mackinnon_p_value(statistic, trend, variables) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
@pytest.mark.parametrize("kind", ["walk", "noise", "trend"])
def test_the_test_is_that_of_statsmodels(kind, trend):
    for count in (25, 200):
        levels = series(count, kind=kind)
        for lags in (0, 3, None, "bic"):
            told = {"maxlag": lags, "autolag": None} if isinstance(lags, int) else {"autolag": (lags or "aic").upper()}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = adfuller(levels, regression=trend, **told)
            ours = adf_test(levels, lags, trend)
            assert ours.statistic == pytest.approx(theirs[0], rel=1e-8)
            assert (ours.p_value, ours.lags, ours.observations) == pytest.approx(theirs[1:4], abs=1e-9)
            assert [*ours.critical_values.values()] == pytest.approx([*theirs[4].values()], abs=1e-12)


@pytest.mark.parametrize(("trend", "count"), [("n", 25), ("c", 25), ("c", 100), ("ct", 100)])
def test_random_walks_are_rejected_as_often_as_stated(trend, count):
    walks = np.random.default_rng(8).normal(size=(2_000, count)).cumsum(axis=1)
    statistics, _, _ = dickey_fuller_statistics(walks, 0, trend)
    assert statistics[3] == pytest.approx(adf_test(walks[3], 0, trend).statistic, rel=1e-9)
    for level, limit in mackinnon_critical_values(trend, 1, count - 1).items():
        error = math.sqrt(level * (1.0 - level) / len(walks))
        assert np.mean(statistics < limit) == pytest.approx(level, abs=3.0 * error)


@settings(max_examples=25, deadline=None)
@given(scale=st.sampled_from([1e-12, 1e-3, 1.0, 7.0, 1e12]), shift=st.floats(-100.0, 100.0), lags=st.integers(0, 5))
def test_unit_and_origin_do_not_matter(scale, shift, lags):
    levels = series()
    expected = adf_test(levels, lags)
    assert adf_test(scale * (levels + shift), lags).statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert adf_test(-scale * levels, lags, "n").statistic == pytest.approx(adf_test(levels, lags, "n").statistic)


@given(low=st.floats(-15.0, 0.5), step=st.floats(0.01, 3.0), variables=st.integers(1, 6))
def test_p_values_rise_with_the_statistic(low, step, variables):
    # The two polynomials meet with a gap of less than 0.003.
    assert mackinnon_p_value(low, "c", variables) <= mackinnon_p_value(low + step, "c", variables) + 3e-3


def test_lists_series_and_integers_are_read():
    levels = np.round(100.0 * series()).astype(int)
    expected = adf_test(levels, 1).statistic
    for same in (levels.tolist(), pd.Series(levels), levels.astype(float)):
        assert adf_test(same, 1).statistic == pytest.approx(expected, rel=1e-12)


def test_the_verdict_says_what_was_found():
    assert adf_test(series(kind="noise")).verdict.startswith("random walk rejected at 1%: t = -")
    assert "random walk not rejected: t = " in adf_test(series()).verdict
    assert adf_test(series(), max_lags=2).lags <= 2
    row = adf_test(series(), 1).to_table().to_list()[0]
    assert (row["lags"], row["observations"], row["trend"]) == (1, 198, "c")
    assert row["critical_5"] == adf_test(series(), 1).critical_values[0.05]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: adf_test([1.0] * 30), CalibrationError, r"series does not vary: all of its values are 1.0"),
        (lambda: adf_test(1e6 + 1e-9 * series()), CalibrationError, "does not vary"),
        (lambda: adf_test(np.arange(50.0), 0), CalibrationError, "follows from its own past to rounding"),
        (lambda: adf_test(0.9 ** np.arange(50.0), 0), CalibrationError, "follows from its own past to rounding"),
        (lambda: adf_test([0.0] * 29 + [1.0], 0, "n"), CalibrationError, "nothing is left to test"),
        (lambda: adf_test([1.0, 2.0]), ModelError, "one series of at least 20 rows"),
        (lambda: adf_test([*series(30), math.nan]), ModelError, "series: row 30 is nan"),
        (lambda: adf_test(series(), -1), ModelError, r"lags=-1 is outside \[0, 98\]"),
        (lambda: adf_test(series(), 99), ModelError, r"lags=99 is outside \[0, 98\], which 200 values allow"),
        (lambda: adf_test(series(), "hqic"), ModelError, "no criterion 'hqic'; give a number of lags, or one of aic"),
        (lambda: adf_test(series(), 2, max_lags=3), ModelError, "max_lags=3 has no effect"),
        (lambda: adf_test(series(), max_lags=500), ModelError, "max_lags=500 is outside"),
        (lambda: adf_test(series(), trend="ctt"), ModelError, "no trend 'ctt'; give one of n, c, ct"),
        (lambda: adf_test(series()).is_rejected(0.02), ModelError, "give one of 0.01, 0.05, 0.1"),
        (lambda: mackinnon_p_value(math.nan), ModelError, "statistic=nan is not finite"),
        (lambda: mackinnon_p_value(-3.0, "c", 7), ModelError, r"variables=7 is outside \[1, 6\]"),
        (lambda: mackinnon_critical_values("n", 2), ModelError, r"variables=2 is outside \[1, 1\]"),
        (lambda: mackinnon_critical_values(observations=0), ModelError, "observations=0 is below 1"),
        (lambda: holm_p_values([0.1, 1.2]), ModelError, r"1.2 is not in \[0, 1\]"),
        (lambda: holm_p_values([0.1, math.nan]), ModelError, "nan is not in"),
    ],
)  # fmt: skip
def test_what_cannot_be_tested_is_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()

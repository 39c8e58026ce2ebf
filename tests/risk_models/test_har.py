"""HAR-RV: against statsmodels' regression and errors, arch's HARX, and recorded figures of another implementation."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from arch.univariate import HARX
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models import fit_har

BARS_4H = Path(__file__).parents[3] / "shared" / "reference" / "ohlcv_4h_seed7.csv"
LAGS = (1, 7, 30)
TRANSFORMS = {"log": (np.log, np.exp), "sqrt": (np.sqrt, np.square), "level": (np.positive, np.positive)}


def simulated(count=600, seed=3, noise=0.5):
    """Return variances around 1e-4 with a long memory."""
    rng = np.random.default_rng(seed)
    slow = np.zeros(count)
    for t in range(1, count):
        slow[t] = 0.97 * slow[t - 1] + 0.15 * rng.normal()
    return 1e-4 * np.exp(slow + noise * rng.normal(size=count))


VARIANCES = simulated()


def regression(variances, transform, ahead, lags=LAGS):
    """Return the two sides of the regression, by pandas."""
    g, series = TRANSFORMS[transform][0], pd.Series(variances)
    left = g(series.rolling(ahead).mean().shift(-ahead))
    frame = pd.DataFrame({f"mean_{lag}": g(series.rolling(lag).mean()) for lag in lags})
    known = pd.concat([left.rename("left"), frame], axis=1).dropna()
    return known["left"].to_numpy(), sm.add_constant(known.drop(columns="left").to_numpy())


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("ahead", [1, 5])
def test_the_regression_is_that_of_statsmodels(transform, ahead):
    left, right = regression(VARIANCES, transform, ahead)
    fit = fit_har(VARIANCES, LAGS, transform=transform, ahead=ahead)
    oracle = sm.OLS(left, right).fit()
    assert fit.rows == len(left) == len(VARIANCES) - 30 - ahead + 1
    assert fit.coefficients == pytest.approx(oracle.params, rel=1e-8)
    assert fit.standard_errors == pytest.approx(oracle.bse, rel=1e-8)
    assert fit.r_squared == pytest.approx(oracle.rsquared, rel=1e-8)
    assert fit.residual_deviation == pytest.approx(math.sqrt(oracle.mse_resid), rel=1e-8)
    for reach in (0, 4, 12):
        robust = sm.OLS(left, right).fit(cov_type="HAC", cov_kwds={"maxlags": reach})
        ours = fit_har(VARIANCES, LAGS, transform=transform, ahead=ahead, hac_lags=reach)
        assert ours.hac_errors == pytest.approx(robust.bse, rel=1e-7)


@pytest.mark.parametrize("lags", [(1, 7, 30), (1, 5, 22)])
def test_levels_and_their_iterated_forecasts_are_those_of_arch(lags):
    model = HARX(1e4 * VARIANCES, lags=list(lags), rescale=False).fit(disp="off")
    fit = fit_har(1e4 * VARIANCES, lags, transform="level")
    assert fit.coefficients == pytest.approx(model.params.to_numpy()[:-1], rel=1e-6)
    assert fit.forecast(40) == pytest.approx(model.forecast(horizon=40).mean.to_numpy()[-1], rel=1e-6)


def step_by_step(variances, fit, horizon):
    """Return iterated forecasts, one variance at a time and by the definition of each correction."""
    path, (g, back) = variances.tolist(), TRANSFORMS[fit.transform]
    residuals = fit.responses - fit.predictions
    while len(path) < len(variances) + horizon:
        means = [np.mean(path[-lag:]) for lag in fit.lags]
        response = float(fit.coefficients[0] + sum(fit.coefficients[1:] * g(np.array(means))))
        drawn = {"smearing": residuals, "none": 0.0}[fit.bias_correction]
        path += [float(np.mean(back(response + drawn)))] * fit.ahead
    return path[len(variances) :][:horizon]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("correction", ["smearing", "none"])
@pytest.mark.parametrize("ahead", [1, 3])
def test_forecasts_step_by_step(transform, correction, ahead):
    # The mean of (x + e)² over residuals e, which add up to 0, is x² plus their mean square.
    fit = fit_har(VARIANCES, LAGS, transform=transform, ahead=ahead, bias_correction=correction)
    assert fit.forecast(10) == pytest.approx(step_by_step(VARIANCES, fit, 10), rel=1e-9)


def test_the_normal_correction_is_that_of_the_lognormal_distribution():
    for transform in ("log", "sqrt"):
        plain, normal = (
            fit_har(VARIANCES, LAGS, transform=transform, bias_correction=how) for how in ("none", "normal")
        )
        s = plain.residual_deviation
        median = plain.forecast(1)[0]
        expected = median * math.exp(0.5 * s * s) if transform == "log" else median + s * s
        assert normal.forecast(1)[0] == pytest.approx(expected, rel=1e-12)


def test_corrected_forecasts_have_the_mean_of_the_variances_and_medians_are_too_low():
    returns = 0.01 * np.random.default_rng(8).normal(size=3_000)
    smearing, normal, none = (
        math.sqrt(fit_har(returns**2, LAGS, bias_correction=how).fitted_variances.mean())
        for how in ("smearing", "normal", "none")
    )
    assert smearing == pytest.approx(0.01, rel=0.05)
    assert none == pytest.approx(0.01 * math.exp(-0.635), rel=0.05)  # E log χ²(1) = −1.27
    assert normal > 0.015  # log χ²(1) is far from normal: its variance is 4.93, exp(4.93 / 2 − 1.27) = 3.3


@pytest.mark.skipif(not BARS_4H.exists(), reason="the bars are not here")
def test_recorded_figures_are_the_medians_and_half_the_volatility_of_these_bars():
    # Recorded outputs of another implementation: annual volatility, and that of the next 4 hours, by a regression of
    # the next squared return, 1e-12 added, on its means over 6, 42 and 180 bars. It takes the exponential without a
    # correction for its bias, so the figure is half of the realised volatility: reproduced here, but not the default.
    close = pd.read_csv(BARS_4H)["close"].to_numpy()
    squares = np.diff(np.log(close)) ** 2
    how = {"lags": (6, 42, 180), "floor": 1e-12}
    variance = fit_har(squares, **how, bias_correction="none").forecast(1)[0]
    assert math.sqrt(365 * 6 * variance) == pytest.approx(0.3308904598312667, rel=1e-12)
    assert math.sqrt(variance) == pytest.approx(0.007070696374330234, rel=1e-12)
    realised = math.sqrt(365 * 6 * squares.mean())
    assert realised == pytest.approx(0.676, abs=5e-4)
    for ahead in (1, 6):
        corrected = fit_har(squares, **how, ahead=ahead).forecast(1)[0]
        assert math.sqrt(365 * 6 * corrected) == pytest.approx(realised, rel=0.03)


@settings(max_examples=15, deadline=None)
@given(st.floats(-12, 12), st.sampled_from(sorted(TRANSFORMS)), st.sampled_from(["smearing", "normal", "none"]))
def test_the_unit_of_the_variances_does_not_matter(power, transform, correction):
    scale = 10.0**power
    how = {"transform": transform, "bias_correction": correction}
    one, other = fit_har(VARIANCES, LAGS, **how), fit_har(scale**2 * VARIANCES, LAGS, **how)
    assert other.forecast(5) == pytest.approx(scale**2 * one.forecast(5), rel=1e-9)
    assert other.coefficients[1:] == pytest.approx(one.coefficients[1:], rel=1e-8)
    assert other.hac_errors[1:] == pytest.approx(one.hac_errors[1:], rel=1e-8)


def test_the_result_shows_names_and_errors():
    fit = fit_har(VARIANCES, (1, 5, 22), hac_lags=3)
    assert fit.names == ("constant", "mean_1", "mean_5", "mean_22")
    table = fit.to_table()
    assert table.columns == ("term", "coefficient", "standard_error", "hac_error", "t_value")
    assert "mean of 22" in repr(fit)
    assert "Newey–West with 3 autocorrelations" in repr(fit)
    assert (fit.forecast(3)[:2] == fit.forecast(2)).all()


def test_the_automatic_number_of_autocorrelations_covers_the_overlap():
    assert fit_har(VARIANCES, LAGS).hac_lags == 5  # 4 (570 / 100)^(2/9) = 5.9
    assert fit_har(VARIANCES, LAGS, ahead=7).hac_lags == 12


def test_a_zero_is_refused_by_row_unless_there_is_a_floor():
    zero = VARIANCES.copy()
    zero[17] = 0.0
    with pytest.raises(ModelError, match=r"row 17 is 0.0; it has no logarithm: give floor=, or transform='sqrt'"):
        fit_har(zero)
    assert fit_har(zero, floor=1e-9).forecast(1)[0] > 0.0
    assert fit_har(zero, transform="sqrt").forecast(1)[0] > 0.0


def test_a_level_forecast_below_0_is_refused_and_not_repaired():
    falling = np.linspace(1.0, 1e-3, 300) ** 2 + 1e-3 * np.random.default_rng(1).random(300)
    fit = fit_har(falling, (1, 5), transform="level")
    with pytest.raises(ModelError, match=r"of period \d+ is not a variance; use transform='log'"):
        fit.forecast(3_000)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: fit_har(VARIANCES[:220]),
            "220 variances give 190 rows for lags up to 30, fewer than 200; give at least 230",
        ),
        (lambda: fit_har(VARIANCES[:20], min_rows=5), "20 variances give 0 rows"),
        (lambda: fit_har(np.full(400, 0.3)), "the variances are all equal"),
        (lambda: fit_har(np.tile([1.0, 2.0], 300), (2, 4)), "linearly dependent"),
        (lambda: fit_har(-VARIANCES), r"variances: row 0 is -.*; of returns give the squares"),
        (lambda: fit_har([math.nan] * 300), "variances: row 0 is nan; leave that row out"),
        (lambda: fit_har(VARIANCES, (7, 1)), r"lags=\(7, 1\) are not ascending whole numbers from 1"),
        (lambda: fit_har(VARIANCES, ()), r"lags=\(\) are not ascending"),
        (lambda: fit_har(VARIANCES, (1.5, 7)), "in which each is a whole number"),
        (lambda: fit_har(VARIANCES, transform="exp"), "no transform 'exp'; give one of log, sqrt, level"),
        (lambda: fit_har(VARIANCES, bias_correction="yes"), "no bias correction 'yes'; give one of smearing"),
        (lambda: fit_har(VARIANCES, ahead=0), "ahead=0 is below 1"),
        (lambda: fit_har(VARIANCES, hac_lags=-1), "hac_lags=-1 is below 0"),
        (lambda: fit_har(VARIANCES, floor=-1.0), "floor=-1.0 with transform='log'"),
        (lambda: fit_har(VARIANCES, floor=1.0, transform="sqrt"), "floor=1.0 with transform='sqrt'; give 0"),
        (lambda: fit_har(VARIANCES).forecast(0), r"horizon=0 is outside \[1, 100000\]"),
        (lambda: fit_har(VARIANCES).forecast(2.5), "horizon=2.5 is not a whole number"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ModelError, match=said):
        call()


def test_too_few_rows_are_an_error_of_calibration():
    with pytest.raises(CalibrationError):
        fit_har(VARIANCES[:100])


def test_variances_that_hardly_vary_have_errors():
    noise = np.random.default_rng(3).normal(size=400)
    scaled = [fit_har(1e-4 * (1.0 + spread * noise), transform="level") for spread in (1e-2, 1e-9)]
    assert np.isfinite(scaled[1].hac_errors).all()
    for errors in ("coefficients", "standard_errors", "hac_errors"):
        wide, narrow = (getattr(fit, errors)[1:] for fit in scaled)
        assert narrow == pytest.approx(wide, rel=1e-4)

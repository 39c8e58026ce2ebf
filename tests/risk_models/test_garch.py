"""GARCH models: against arch, the benchmark of Fiorentini, Calzolari and Panattoni, closed forms and simulation.

EGARCH likelihoods have a kink at each return, in the mean. Those of the Nasdaq are highest at one: there arch, which
follows numerical slopes, stops a little to the side of it.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import functools
import math
import pickle
from pathlib import Path

import arch.data.nasdaq
import arch.data.sp500
import arch.data.wti
import numpy as np
import pandas as pd
import pytest
from arch import arch_model
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError, RiskError
from bank_python.risk_models import (
    GarchFit,
    GarchModel,
    GarchParameters,
    Innovation,
    MeanModel,
    Startup,
    fit_garch,
)
from bank_python.risk_models.garch_likelihood import GarchLikelihood
from tests.risk_models.garch_figures import FITS, SIMULATED, SIMULATED_FITS

DMBP = Path(__file__).parents[3] / "shared" / "reference" / "dmbp_returns.csv"
MODELS = ["garch", "gjr", "egarch"]
THEIRS = {
    "garch": {"vol": "GARCH", "p": 1, "o": 0, "q": 1},
    "gjr": {"vol": "GARCH", "p": 1, "o": 1, "q": 1},
    "egarch": {"vol": "EGARCH", "p": 1, "o": 1, "q": 1},
}
NAMES = {"alpha": "alpha[1]", "gamma": "gamma[1]", "beta": "beta[1]"}


def simulated(n=1_000, seed=7, alpha=0.1, beta=0.85):
    """Return the returns of a GARCH(1,1) of unit variance."""
    rng = np.random.default_rng(seed)
    returns, variance = np.empty(n), 1.0
    for t, z in enumerate(rng.standard_normal(n)):
        returns[t] = math.sqrt(variance) * z
        variance = 1.0 - alpha - beta + alpha * returns[t] ** 2 + beta * variance
    return returns


RETURNS = simulated()
NOISE = np.random.default_rng(0).standard_normal(500)


@pytest.fixture(scope="module")
def markets():
    """Return returns in per cent of the series that arch comes with."""
    found = {}
    for name, module, column in (
        ("sp500", arch.data.sp500, "Adj Close"),
        ("nasdaq", arch.data.nasdaq, "Adj Close"),
        ("wti", arch.data.wti, "DCOILWTICO"),
    ):
        prices = module.load()[column].dropna()
        found[name] = 100.0 * prices[prices > 0.0].pct_change().dropna()
    return found


@functools.cache
def fitted(model, law="normal"):
    """Return a fit to the same returns as before."""
    return fit_garch(RETURNS, model, law)


def made(model, parameters, residual, variance, **kinds):
    """Return a fit with given parameters and a last residual and variance."""
    return GarchFit(
        GarchModel(model),
        Innovation(kinds.get("distribution", "normal")),
        MeanModel.ZERO,
        Startup.BACKCAST,
        GarchParameters(parameters),
        0.0,
        np.array([0.0, residual]),
        np.array([1.0, variance]),
        converged=True,
        iterations=1,
    )


# Against others


@pytest.mark.parametrize(
    ("market", "model", "law", "mean", "parameters", "loglikelihood", "variances"),
    FITS,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_fits_of_arch(markets, market, model, law, mean, parameters, loglikelihood, variances):
    fit = fit_garch(markets[market], model, law, mean)
    at_a_kink = (market, model) == ("nasdaq", "egarch")
    assert fit.converged
    assert fit.loglikelihood == pytest.approx(loglikelihood, abs=1e-6)
    assert list(fit.params.values()) == pytest.approx(parameters, rel=1e-4)
    assert [v == 0.0 for v in fit.params.values()] == [v == 0.0 for v in parameters]
    ahead = fit.forecast(5)[[0, -1]][: len(variances)]
    assert ahead == pytest.approx(variances, rel=1e-5 if at_a_kink else 1e-6)
    assert fit.observations == len(markets[market])
    assert fit.dates[0] == markets[market].index[0].date()


@pytest.mark.parametrize(
    ("market", "model", "law", "mean"),
    [
        ("sp500", "garch", "t", "zero"),
        ("nasdaq", "gjr", "normal", "zero"),
        ("wti", "gjr", "t", "zero"),
        ("sp500", "egarch", "t", "constant"),
        ("wti", "egarch", "normal", "zero"),
        ("wti", "egarch", "t", "zero"),
    ],
)
def test_arch_itself(markets, market, model, law, mean):
    returns = markets[market].iloc[-1_500:]
    theirs = arch_model(returns, mean=mean.title(), dist=law, rescale=False, **THEIRS[model]).fit(
        disp="off", tol=1e-12, show_warning=False
    )
    fit = fit_garch(returns, model, law, mean)
    assert fit.converged
    assert fit.loglikelihood == pytest.approx(theirs.loglikelihood, abs=2e-6)
    assert fit.loglikelihood > theirs.loglikelihood - 1e-7
    for name, value in fit.params.items():
        assert value == pytest.approx(theirs.params[NAMES.get(name, name)], rel=1e-4, abs=1e-5)
    assert fit.volatilities == pytest.approx(theirs.conditional_volatility.to_numpy(), rel=2e-5)
    assert fit.standardised_residuals == pytest.approx(theirs.std_resid.to_numpy(), rel=2e-5, abs=1e-5)
    assert fit.aic == pytest.approx(theirs.aic, abs=1e-5)
    assert fit.bic == pytest.approx(theirs.bic, abs=1e-5)
    horizon = 1 if model == "egarch" else 5
    expected = theirs.forecast(horizon=horizon, reindex=False).variance.to_numpy()[0]
    assert fit.forecast(horizon) == pytest.approx(expected, rel=5e-5)


@pytest.mark.parametrize("law", ["normal", "t"])
def test_standard_errors_of_arch(markets, law):
    returns = markets["wti"].iloc[-1_500:]
    fit = fit_garch(returns, "garch", law)
    theirs = arch_model(returns, dist=law, rescale=False)
    start = list(fit.params.values())
    for kind, ours in (("classic", fit.standard_errors), ("robust", fit.robust_standard_errors)):
        found = theirs.fit(disp="off", cov_type=kind, starting_values=start)
        assert list(ours.values()) == pytest.approx(found.std_err.to_numpy(), rel=0.01)


@pytest.mark.parametrize("mean", SIMULATED_FITS)
def test_fits_of_arch_to_simulated_returns(mean):
    parameters, loglikelihood, variances = SIMULATED_FITS[mean]
    fit = fit_garch(SIMULATED, mean=mean)
    assert fit.loglikelihood == pytest.approx(loglikelihood, abs=1e-6)
    assert list(fit.params.values()) == pytest.approx(parameters, rel=1e-4)
    assert fit.forecast(5) == pytest.approx(variances, rel=1e-5)  # their search stops earlier


@pytest.mark.skipif(not DMBP.exists(), reason="the returns of the benchmark are not here")
def test_the_benchmark_of_fiorentini_calzolari_and_panattoni():
    # Parameters and standard errors (Hessian, outer product, robust) as in McCullough and Renfro (1999)
    fit = fit_garch(np.loadtxt(DMBP), startup="mean_square")
    assert fit.converged
    assert fit.observations == 1_974
    assert fit.loglikelihood == pytest.approx(-1106.6078810412882, abs=1e-9)
    for found, expected in (
        (fit.params, (-0.00619041, 0.0107613, 0.153134, 0.805974)),
        (fit.standard_errors, (0.00846212, 0.00285271, 0.0265228, 0.0335527)),
        (fit.opg_standard_errors, (0.00843359, 0.00132298, 0.0139737, 0.0165604)),
        (fit.robust_standard_errors, (0.00918935, 0.00649319, 0.0535317, 0.0724614)),
    ):
        assert list(found) == ["mu", "omega", "alpha", "beta"]
        assert list(found.values()) == pytest.approx(expected, rel=2e-5)


def test_standard_errors_agree_where_the_model_is_true():
    # Hessian, outer product and robust estimates have the same limit
    fit = fit_garch(simulated(20_000, seed=2), mean="zero")
    for name, error in fit.standard_errors.items():
        assert fit.robust_standard_errors[name] == pytest.approx(error, rel=0.1)
        assert fit.opg_standard_errors[name] == pytest.approx(error, rel=0.1)
    off = [(fit.params[name] - true) / fit.standard_errors[name] for name, true in (("alpha", 0.1), ("beta", 0.85))]
    assert max(map(abs, off)) < 3.0


# Forecasts


def test_variances_ahead_in_closed_form():
    # mean + 0.98^(h - 1) (2 - mean) with the long-run variance 0.02 / (1 - 0.98) = 1, for h of 1, 2, 5, 20
    fit = made("garch", {"omega": 0.02, "alpha": 0.08, "beta": 0.9}, residual=1.5, variance=2.0)
    assert fit.forecast(20)[[0, 1, 4, 19]] == pytest.approx([2.0, 1.98, 1.92236816, 1.681232624239892], rel=1e-12)
    assert fit.long_run_variance == pytest.approx(1.0)
    assert fit.half_life == pytest.approx(math.log(0.5) / math.log(0.98))
    assert fit.forecast_volatility(20) == pytest.approx(math.sqrt(fit.forecast(20).sum()))
    yearly = fit.forecast_volatility(20, periods_per_year=252)
    assert yearly == pytest.approx(math.sqrt(252.0 * fit.forecast(20).mean()))


def test_an_integrated_model_has_no_long_run_variance():
    fit = made("garch", {"omega": 0.02, "alpha": 0.1, "beta": 0.9}, residual=1.0, variance=1.0)
    assert fit.forecast(4) == pytest.approx([1.02, 1.04, 1.06, 1.08])
    assert fit.long_run_variance == math.inf
    assert fit.half_life == math.inf
    assert "no long-run volatility" in repr(fit)
    still = made("garch", {"omega": 0.02, "alpha": 0.0, "beta": 0.0}, residual=1.0, variance=1.0)
    assert still.half_life == 0.0
    assert still.long_run_variance == pytest.approx(0.02)


def simulated_variances(fit, horizon, paths, z):
    """Return variances of simulated paths, one column a step, by the definition of the model."""
    logs, variances = np.full(paths, math.log(fit.forecast(1)[0])), np.empty((paths, horizon))
    values = {"gamma": 0.0} | dict(fit.params)
    for step in range(horizon):
        variances[:, step] = np.exp(logs)
        if fit.model is GarchModel.EGARCH:
            shock = values["alpha"] * (np.abs(z[:, step]) - math.sqrt(2.0 / math.pi)) + values["gamma"] * z[:, step]
            logs = values["omega"] + shock + values["beta"] * logs
            continue
        reaction = values["alpha"] + values["gamma"] * (z[:, step] < 0.0)
        logs = np.log(values["omega"] + np.exp(logs) * (reaction * z[:, step] ** 2 + values["beta"]))
    return variances


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("garch", {"omega": 0.05, "alpha": 0.1, "beta": 0.85}),
        ("gjr", {"omega": 0.05, "alpha": 0.03, "gamma": 0.12, "beta": 0.85}),
        ("egarch", {"omega": 0.01, "alpha": 0.25, "gamma": -0.15, "beta": 0.9}),
    ],
)
def test_forecasts_are_means_of_simulated_variances(model, parameters):
    fit = made(model, parameters, residual=-2.0, variance=1.7)
    half = np.random.default_rng(5).standard_normal((40_000, 10))
    variances = simulated_variances(fit, 10, 80_000, np.vstack([half, -half]))
    error = variances.std(axis=0) / math.sqrt(len(variances))
    assert (np.abs(fit.forecast(10) - variances.mean(axis=0)) <= 4.0 * error + 1e-10).all()
    assert fit.forecasts_are_means


def test_an_egarch_with_student_t_innovations_forecasts_the_mean_logarithm():
    parameters = {"omega": 0.01, "alpha": 0.25, "gamma": -0.15, "beta": 0.9, "nu": 5.0}
    fit = made("egarch", parameters, residual=-2.0, variance=1.7, distribution="t")
    z = np.random.default_rng(5).standard_t(5.0, (40_000, 10)) * math.sqrt(3.0 / 5.0)
    logs = np.log(simulated_variances(fit, 10, 40_000, z))
    error = logs.std(axis=0) / math.sqrt(len(logs))
    assert (np.abs(np.log(fit.forecast(10)) - logs.mean(axis=0)) <= 4.0 * error + 1e-10).all()
    assert not fit.forecasts_are_means
    assert "exponentials of expected log-variances" in repr(fit)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.97, 0.9989, 0.9991, 0.9999])
@pytest.mark.parametrize("law", ["normal", "t"])
def test_forecasts_tend_to_the_long_run_variance(beta, law):
    parameters = {"omega": 0.01 * (1.0 - beta), "alpha": 0.1, "gamma": -0.05, "beta": beta, "nu": 6.0}
    fit = made("egarch", parameters, residual=1.0, variance=1.0, distribution=law)
    horizon = 10 + (0 if beta == 0.0 else int(40.0 / -math.log(beta)))
    assert fit.forecast(horizon)[-1] == pytest.approx(fit.long_run_variance, rel=1e-9)


def test_an_egarch_near_its_limit_has_no_long_run_variance():
    for beta in (1.0 - 1e-8, 1.0 - 1e-7):
        parameters = {"omega": 0.01, "alpha": 0.1, "gamma": -0.05, "beta": beta}
        assert made("egarch", parameters, residual=1.0, variance=1.0).long_run_variance == math.inf


@pytest.mark.parametrize("model", MODELS)
def test_a_return_that_is_already_known(model):
    fit = fitted(model)
    latest = -2.5
    longer = dataclasses.replace(
        fit, returns=np.append(fit.returns, latest), variances=np.append(fit.variances, fit.forecast(1)[0])
    )
    assert fit.forecast(6, latest=latest) == pytest.approx(longer.forecast(6), rel=1e-13)
    assert fit.forecast_volatility(6, latest=latest) == pytest.approx(longer.forecast_volatility(6), rel=1e-13)


# Scales


SCALES = st.floats(-9.0, 9.0).map(lambda power: 10.0**power)


def check_scaled(fit, scaled, scale):
    assert scaled.converged == fit.converged
    assert scaled.loglikelihood == pytest.approx(fit.loglikelihood - fit.observations * math.log(scale), rel=1e-9)
    for kind in ("params", "standard_errors", "robust_standard_errors"):
        ours, theirs = dict(getattr(fit, kind)), dict(getattr(scaled, kind))
        ours["mu"] *= scale
        if fit.model is not GarchModel.EGARCH:
            ours["omega"] *= scale**2
        elif kind == "params":
            ours["omega"] += 2.0 * (1.0 - ours["beta"]) * math.log(scale)
        else:
            del ours["omega"], theirs["omega"]  # it depends on that of beta
        assert theirs == pytest.approx(ours, rel=1e-6, nan_ok=True)
    assert scaled.forecast(4) == pytest.approx(scale**2 * fit.forecast(4), rel=1e-6)
    assert scaled.variances == pytest.approx(scale**2 * fit.variances, rel=1e-6)


@settings(max_examples=15)
@given(SCALES, st.sampled_from(MODELS), st.sampled_from(["normal", "t"]))
def test_a_fit_does_not_depend_on_the_unit(scale, model, law):
    check_scaled(fitted(model, law), fit_garch(scale * RETURNS, model, law), scale)


@pytest.mark.parametrize("scale", [100.0, 1e-4, 1e8, 1e-12, 1e12])
@pytest.mark.parametrize("startup", ["backcast", "mean_square"])
def test_units_of_the_issue(scale, startup):
    check_scaled(fit_garch(RETURNS, startup=startup), fit_garch(scale * RETURNS, startup=startup), scale)


def test_standard_errors_of_an_egarch_follow_the_unit():
    fit = fitted("egarch")
    scale = 100.0
    scaled = fit_garch(scale * RETURNS, "egarch")
    # omega' = omega + 2 (1 - beta) ln s: at the other unit's parameters, by the likelihood itself
    likelihood = GarchLikelihood(scaled.returns, fit._recursion, fit.distribution, fit.mean, fit.startup)
    parameters = np.array(list(scaled.params.values()))
    inverse = np.linalg.inv(likelihood.hessian(parameters, np.eye(5)))
    assert scaled.standard_errors["omega"] == pytest.approx(math.sqrt(inverse[1, 1]), rel=0.05)


# What a fit says


def test_noise_says_what_is_not_identified():
    fit = fit_garch(NOISE)
    assert fit.converged
    assert fit.params.alpha == 0.0
    assert any(note.startswith("alpha is 0: the variance does not react to returns") for note in fit.notes)
    for errors in (fit.standard_errors, fit.robust_standard_errors, fit.opg_standard_errors):
        assert math.isnan(errors["alpha"])
        assert errors["mu"] == pytest.approx(NOISE.std() / math.sqrt(500.0), rel=0.05)
    assert "alpha is 0" in repr(fit)
    table = list(fit.to_table())
    assert [row["parameter"] for row in table] == ["mu", "omega", "alpha", "beta"]
    assert table[2]["standard_error"] is None
    assert table[2]["t"] is None


def test_a_parameter_at_its_limit_has_no_standard_error_and_the_others_do(markets):
    fit = fit_garch(markets["sp500"].iloc[-2_500:], "gjr")
    assert fit.params.alpha == 0.0
    assert "alpha is 0: the variance reacts to negative returns only" in fit.notes
    assert math.isnan(fit.standard_errors["alpha"])
    assert all(fit.standard_errors[name] > 0.0 for name in ("mu", "omega", "gamma", "beta"))


def test_an_integrated_sample():
    returns = np.concatenate([0.2 * NOISE[:250], 5.0 * NOISE[250:]])
    fit = fit_garch(returns)
    assert fit.persistence == pytest.approx(1.0, abs=1e-12)
    assert fit.long_run_variance == math.inf
    assert any(note.startswith("the persistence is 1") for note in fit.notes)


def test_normal_innovations_have_the_most_degrees_of_freedom():
    fit = fit_garch(simulated(seed=8), distribution="t")
    normal = fit_garch(simulated(seed=8))
    if fit.params.nu == 500.0:
        assert "nu is at its most, 500: the innovations are normal" in fit.notes
        assert math.isnan(fit.standard_errors["nu"])
    assert fit.loglikelihood >= normal.loglikelihood - 0.1


def test_an_egarch_whose_likelihood_rises_to_where_it_is_not_invertible():
    fit = fit_garch(np.random.default_rng(6).standard_normal(60), "egarch")
    assert not fit.converged
    assert any(note.startswith("not converged after") for note in fit.notes)
    assert any("never forget their start" in note for note in fit.notes)
    assert "not converged" in repr(fit)
    assert np.isfinite(fit.variances).all()


def test_a_maximum_at_a_kink_is_found_and_is_the_highest_of_its_neighbours():
    # returns of which many are 0, as of a share that is seldom traded: the mean is 0, and the slope jumps there
    returns = RETURNS.copy()
    returns[:75] = 0.0
    fit = fit_garch(returns, "egarch")
    assert fit.converged
    assert fit.params.mu == 0.0
    scale = float(returns.std())
    likelihood = GarchLikelihood(returns / scale, fit._recursion, fit.distribution, fit.mean, fit.startup)
    parameters = fit._unit_parameters(scale)
    best = likelihood.value(parameters)
    for step in (1e-6, 1e-4, 1e-3):
        for sign in (1.0, -1.0):
            moved = parameters.copy()
            moved[0] += sign * step
            assert likelihood.value(moved) > best


@pytest.mark.parametrize("mean", ["constant", "zero"])
@pytest.mark.parametrize("model", MODELS)
def test_a_sample_that_begins_with_zeros(model, mean):
    returns = RETURNS[:400].copy()
    returns[:75] = 0.0
    fit = fit_garch(returns, model, mean=mean)
    assert fit.converged
    assert np.isfinite(fit.variances).all()
    assert any("begins with returns of 0" in note for note in fit.notes) == (mean == "zero")


@pytest.mark.parametrize("model", ["garch", "gjr"])
def test_a_sample_of_which_half_is_0(model):
    returns = np.where(np.random.default_rng(1).random(1_000) < 0.5, 0.0, RETURNS)
    fit = fit_garch(returns, model)
    assert fit.converged
    assert fit.long_run_variance == pytest.approx(returns.var(), rel=0.3)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("law", ["normal", "t"])
def test_one_enormous_outlier(model, law):
    returns = RETURNS[:150].copy()
    returns[75] = 1e5
    fit = fit_garch(returns, model, law)
    assert fit.converged or fit.notes
    assert np.isfinite(fit.variances).all()
    assert math.isfinite(fit.loglikelihood)
    assert repr(fit)


def test_a_large_mean_is_no_trouble():
    fit = fit_garch(1e6 + RETURNS)
    same = fit_garch(RETURNS)
    assert fit.params.mu - 1e6 == pytest.approx(same.params.mu, abs=1e-6)
    assert fit.params.beta == pytest.approx(same.params.beta, rel=1e-6)


@settings(max_examples=6)
@given(st.integers(0, 2**32 - 1), st.sampled_from(MODELS), st.sampled_from(["normal", "t"]))
def test_any_sample_gives_a_fit_that_can_be_used_or_says_why_not(seed, model, law):
    rng = np.random.default_rng(seed)
    returns = rng.standard_t(3, 80) * np.exp(rng.normal(0.0, 0.3, 80).cumsum() / 4.0)
    fit = fit_garch(returns, model, law)
    assert fit.converged or any(note.startswith("not converged") for note in fit.notes)
    assert (fit.variances > 0.0).all()
    assert (fit.forecast(5) > 0.0).all()
    assert fit.persistence <= 1.0 + 1e-12
    assert fit.long_run_variance > 0.0
    assert list(fit.standard_errors) == list(fit.params)
    assert repr(fit)


# What goes in


def test_lists_integers_and_series_are_read():
    whole = np.round(100.0 * RETURNS).astype(int)
    fit = fit_garch(whole)
    assert dict(fit_garch(whole.tolist()).params) == dict(fit.params)
    assert dict(fit_garch(pd.Series(whole)).params) == dict(fit.params)
    assert fit_garch(pd.Series(whole)).dates is None


def test_dates_are_kept():
    index = pd.date_range("2020-01-01", periods=len(RETURNS))
    fit = fit_garch(pd.Series(RETURNS, index=index))
    assert fit.dates[:2] == (dt.date(2020, 1, 1), dt.date(2020, 1, 2))
    with pytest.raises(RiskError, match="give ascending dates"):
        fit_garch(pd.Series(RETURNS, index=index[::-1]))


def test_what_was_given_can_be_changed_without_harm():
    mine = RETURNS.copy()
    fit = fit_garch(mine)
    mine[:] = 0.0
    assert (fit.returns == RETURNS).all()
    for array in (fit.returns, fit.variances):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_kinds_are_words_or_members():
    fit = fit_garch(RETURNS, GarchModel.GJR, Innovation.STUDENT_T, MeanModel.ZERO, Startup.MEAN_SQUARE)
    same = fit_garch(RETURNS, "GJR", "t", "zero", "mean_square")
    assert dict(fit.params) == dict(same.params)
    assert list(fit.params) == ["omega", "alpha", "gamma", "beta", "nu"]
    assert fit.title == "GJR(1,1), Student-t"


def changed(at, value):
    returns = RETURNS.copy()
    returns[at] = value
    return returns


@pytest.mark.parametrize(
    ("returns", "said"),
    [
        (RETURNS[:49], "49 returns are too few for a GARCH model; give at least 50"),
        ([], "0 returns are too few"),
        (changed(17, math.nan), r"return nan \(number 17\) is not finite; leave it out, or correct it"),
        (changed(3, -math.inf), r"return -inf \(number 3\) is not finite"),
        (np.full(100, 0.1), "the returns are constant at 0.1, up to rounding"),
        (np.zeros(100), "the returns are constant at 0.0"),
        (0.1 + 1e-17 * RETURNS, "constant at 0.1"),
        (1e6 + 1e-6 * RETURNS, "constant at 1000000.0"),
        (RETURNS.reshape(-1, 2), r"returns of shape \(500, 2\); give one series"),
        (1e80 * RETURNS, r"the largest return is [\d.]+e\+80; give returns in another unit"),
        (1e-80 * RETURNS, r"the largest return is [\d.]+e-80; give returns in another unit"),
        ("abc", "is not a number or an array of numbers"),
        (["a"] * 100, "is not a number or an array of numbers"),
        (None, "is not a number or an array of numbers"),
    ],
)
def test_returns_that_are_refused(returns, said):
    with pytest.raises(CalibrationError, match=said):
        fit_garch(returns)


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({"model": "grach"}, "no model 'grach'; did you mean 'garch'"),
        ({"model": "arima"}, "no model 'arima'; choose one of garch, gjr, egarch"),
        ({"model": 3}, "model=3 is not a GarchModel or text"),
        ({"distribution": "cauchy"}, "no distribution 'cauchy'; choose one of normal, t"),
        ({"mean": "konstant"}, "no mean 'konstant'; did you mean 'constant'"),
        ({"startup": "back-cast"}, "no startup 'back-cast'; did you mean 'backcast'"),
    ],
)
def test_kinds_that_are_refused(kinds, said):
    with pytest.raises(CalibrationError, match=said):
        fit_garch(RETURNS, **kinds)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda fit: fit.forecast(0), "horizon=0 is below 1; give a number of steps"),
        (lambda fit: fit.forecast(1.5), "horizon=1.5 is not a whole number"),
        (lambda fit: fit.forecast(latest=math.nan), "latest=nan is not finite; give the last return"),
        (lambda fit: fit.forecast_volatility(0), "horizon=0 is below 1"),
        (lambda fit: fit.forecast_volatility(5, periods_per_year=0.0), "periods_per_year=0.0 is not a finite number"),
        (lambda fit: fit.forecast_volatility(5, periods_per_year=math.nan), "252 is usual for days"),
    ],
)
def test_forecasts_that_are_refused(call, said):
    with pytest.raises(ModelError, match=said):
        call(fitted("garch"))


def test_parameters_are_a_mapping_with_attributes():
    params = fitted("garch", "t").params
    assert params.alpha == params["alpha"]
    assert params.get("gamma") is None
    assert set(params) <= set(dir(params))
    with pytest.raises(AttributeError, match="no parameter 'gamma'; this model has mu, omega, alpha, beta, nu"):
        params.gamma  # noqa: B018
    with pytest.raises(KeyError):
        params["gamma"]
    sent = pickle.loads(pickle.dumps(params))  # noqa: S301 - our own bytes
    for same in (copy.copy(params), copy.deepcopy(params), sent):
        assert same == params
        assert same.beta == params.beta
    assert repr(params).startswith("GarchParameters(mu=")


def test_a_fit_can_be_copied():
    fit = fitted("garch", "t")
    same = pickle.loads(pickle.dumps(fit))  # noqa: S301 - our own bytes
    assert same.params == fit.params
    assert (same.forecast(3) == fit.forecast(3)).all()

"""Regimes by Markov switching: published fits, statsmodels, the unit of the series, and bad input."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from bank_python.errors import BankError, CalibrationError, RiskError
from bank_python.risk import fit_regimes, hamilton_filter, kim_smoother
from tests.risk.regime_series import FED_FUNDS, GNP


def simulated(seed, n, k, order, *, switching=True):
    """Return a series of k regimes that last twenty periods on average."""
    rng = np.random.default_rng(seed)
    stay = rng.random(n) < 0.95
    regimes = np.zeros(n, dtype=int)
    for t in range(1, n):
        regimes[t] = regimes[t - 1] if stay[t] else rng.integers(k)
    noise = (np.linspace(0.4, 1.2, k)[regimes] if switching else 0.6) * rng.standard_normal(n)
    coefficients = [0.3, -0.2, 0.1, 0.05][:order]
    away = np.zeros(n)
    for t in range(n):
        away[t] = noise[t] + sum(a * away[t - 1 - i] for i, a in enumerate(coefficients) if t > i)
    return np.linspace(-1.5, 1.5, k)[regimes] + away


TWO = simulated(1, 300, 2, 0)
FIT = fit_regimes(TWO, n_starts=5)


# ---------------------------------------------------------------------------------------------- published


def test_hamiltons_gnp():
    # Hamilton (1989), table I, as re-estimated by Stata (mswitch ar rgnp, ar(1/4)) and statsmodels.
    found = fit_regimes(GNP, n_regimes=2, order=4, switching_variance=False)
    assert found.converged
    assert found.loglikelihood == pytest.approx(-181.26339, abs=1e-5)
    assert found.loglikelihood >= -181.26339428124083 - 1e-9
    assert found.means == pytest.approx([-0.3588026, 1.1635220], abs=1e-4)
    assert found.ar == pytest.approx([0.0134799, -0.0575298, -0.2469918, -0.2129276], abs=1e-4)
    assert found.variances == pytest.approx([0.5913638] * 2, abs=1e-4)
    assert found.transition == pytest.approx(np.array([[0.7546643, 0.2453357], [0.0959150, 0.9040850]]), abs=1e-4)
    assert found.durations == pytest.approx([4.076048, 10.425893], rel=5e-5)
    filtered = [0.2232763857, 0.0508073419, 0.003679844, 0.0097420925, 0.0598904794, 0.4625603209]
    smoothed = [0.0319020389, 0.0089289208, 0.0014406195, 0.0414668539, 0.459363396, 0.9272229919]
    assert found.filtered.shape == (131, 2)
    assert found.filtered[:6, 0] == pytest.approx(filtered, abs=5e-5)
    assert found.smoothed[:6, 0] == pytest.approx(smoothed, abs=5e-5)
    # Stata's standard errors of the means are 0.2645396 and 0.0745187.
    assert found.standard_errors.means == pytest.approx([0.26454, 0.07452], abs=1e-4)


def test_the_federal_funds_rate():
    # Stata: mswitch dr fedfunds; statsmodels: MarkovRegression(fedfunds, 2).
    found = fit_regimes(FED_FUNDS, switching_variance=False)
    assert found.loglikelihood == pytest.approx(-508.6359177, abs=1e-7)
    assert found.means == pytest.approx([3.70877, 9.55679], abs=1e-4)
    assert found.variances == pytest.approx([4.441819] * 2, abs=1e-4)
    assert found.transition[:, 0] == pytest.approx([0.9820962, 0.0503650], abs=1e-4)


# --------------------------------------------------------------------------------------------- statsmodels


def peer(x, found):
    """Return statsmodels' model of the same series, and its parameters for a fit of ours."""
    regression = pytest.importorskip("statsmodels.tsa.regime_switching.markov_regression")
    autoregression = pytest.importorskip("statsmodels.tsa.regime_switching.markov_autoregression")

    class Autoregression(autoregression.MarkovAutoregression):
        """The same, with the variance of the present regime; theirs is that of the regime `order` - 1 lags ago."""

        def _conditional_loglikelihoods(self, params):
            residuals = self._resid(params)
            variance = np.atleast_1d(params[self.parameters["variance"]].squeeze())
            variance = variance.reshape(-1, *(1,) * (residuals.ndim - 1))
            return -0.5 * residuals**2 / variance - 0.5 * np.log(2.0 * np.pi * variance)

    asked = {"k_regimes": found.n_regimes, "switching_variance": found.switching_variance}
    if found.order:
        model = Autoregression(x, order=found.order, switching_ar=False, **asked)
    else:
        model = regression.MarkovRegression(x, **asked)
    variances = found.variances if found.switching_variance else found.variances[:1]
    return model, np.concatenate([found.transition[:, :-1].T.ravel(), found.means, variances, found.ar])


CASES = [
    *((2, 0, True), (2, 0, False), (3, 0, True), (3, 0, False)),
    *((2, 1, True), (2, 1, False), (3, 1, True), (2, 4, False), (2, 4, True)),
]


@pytest.mark.parametrize(("k", "order", "switching"), CASES)
def test_likelihood_and_probabilities_are_those_of_statsmodels(k, order, switching):
    x = simulated(k + order, 200, k, order, switching=switching)
    found = fit_regimes(x, k, order, switching, n_starts=4)
    model, parameters = peer(x, found)
    theirs = model.smooth(parameters)
    assert found.converged
    assert found.loglikelihood == pytest.approx(theirs.llf, abs=1e-8)
    assert found.filtered == pytest.approx(theirs.filtered_marginal_probabilities, abs=1e-9)
    assert found.smoothed == pytest.approx(theirs.smoothed_marginal_probabilities, abs=1e-9)


@pytest.mark.parametrize(("k", "order", "switching"), [(2, 0, True), (2, 0, False), (2, 1, True)])
def test_no_fit_of_statsmodels_is_better(k, order, switching):
    x = simulated(7, 200, k, order, switching=switching)
    found = fit_regimes(x, k, order, switching)
    theirs = peer(x, found)[0].fit(disp=False)
    assert found.loglikelihood == pytest.approx(theirs.llf, abs=1e-6)


def test_standard_errors_are_those_of_second_differences():
    numdiff = pytest.importorskip("statsmodels.tools.numdiff")
    model, parameters = peer(TWO, FIT)
    errors = np.sqrt(np.diag(np.linalg.inv(-numdiff.approx_hess3(parameters, model.loglike))))
    ours = FIT.standard_errors
    assert errors == pytest.approx(np.concatenate([ours.transition[:, 0], ours.means, ours.variances]), rel=1e-3)


def test_daily_returns_of_the_sp500():
    data = pytest.importorskip("arch.data.sp500").load()
    found = fit_regimes(100.0 * data["Adj Close"].pct_change().dropna(), order_by="variance")
    # statsmodels 0.15: MarkovRegression(returns, 2, switching_variance=True).fit().llf
    assert found.loglikelihood == pytest.approx(-7132.9092, abs=1e-4)
    assert (found.search.reached, found.is_supported) == (10, True)
    assert found.name == "Adj Close"
    assert (found.dates[0], len(found.dates)) == (dt.date(1999, 1, 5), 5030)


# ---------------------------------------------------------------------------------------------- properties


def test_filter_and_smoother_agree_with_the_pure_functions():
    deviations = (TWO[:, None] - FIT.means) / FIT.volatilities
    logs = -0.5 * (deviations**2 + np.log(2.0 * np.pi * FIT.variances))
    plain = hamilton_filter(logs, FIT.transition, log=True)
    assert plain.loglikelihood == pytest.approx(FIT.loglikelihood, abs=1e-9)
    assert plain.filtered == pytest.approx(FIT.filtered, abs=1e-9)
    assert kim_smoother(logs, FIT.transition, log=True) == pytest.approx(FIT.smoothed, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-12, -1.0, 100.0, 1e12])
@pytest.mark.parametrize("order", [0, 1])
def test_the_unit_of_the_series_does_not_matter(scale, order):
    plain = FIT if order == 0 else fit_regimes(TWO, order=1, n_starts=5)
    found = fit_regimes(scale * TWO, order=order, n_starts=5)
    turn = slice(None, None, -1 if scale < 0.0 else 1)
    shift = found.observations * np.log(abs(scale))
    assert found.loglikelihood + shift == pytest.approx(plain.loglikelihood, rel=1e-12)
    assert found.means[turn] / scale == pytest.approx(plain.means, rel=1e-6)
    assert found.variances[turn] / scale**2 == pytest.approx(plain.variances, rel=1e-6)
    assert found.standard_errors.means[turn] / abs(scale) == pytest.approx(plain.standard_errors.means, rel=1e-6)
    assert found.transition[turn, turn] == pytest.approx(plain.transition, abs=1e-6)
    assert found.smoothed[:, turn] == pytest.approx(plain.smoothed, abs=1e-6)


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(2, 3), st.integers(0, 1), st.booleans(), st.sampled_from(["mean", "variance"])
)
def test_what_holds_for_every_fit(seed, k, order, switching, order_by):
    x = simulated(seed, 120, k, order, switching=switching)
    try:
        found = fit_regimes(x, k, order, switching, seed=seed, n_starts=3, order_by=order_by)
    except CalibrationError:  # three starts may all collapse
        reject()
    for probabilities in (found.filtered, found.smoothed, found.transition, found.forecast(3)):
        assert probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
        assert ((probabilities >= 0.0) & (probabilities <= 1.0)).all()
    assert found.smoothed[-1] == pytest.approx(found.filtered[-1], abs=1e-12)
    assert found.stationary @ found.transition == pytest.approx(found.stationary, abs=1e-9)
    assert (np.diff(found.means if order_by == "mean" or not switching else found.variances) >= 0.0).all()
    assert found.loglikelihood >= found.single_loglikelihood - 1e-6
    shifted = fit_regimes(x + 7.0, k, order, switching, seed=seed, n_starts=3, order_by=order_by)
    assert shifted.loglikelihood == pytest.approx(found.loglikelihood, abs=1e-6)


def test_the_same_seed_gives_the_same():
    one, other = (fit_regimes(TWO, seed=3, n_starts=5) for _ in range(2))
    assert (one.loglikelihood, one.search.iterations) == (other.loglikelihood, other.search.iterations)
    assert (one.smoothed == other.smoothed).all()


def test_forecasts_go_to_the_long_run():
    ahead = FIT.forecast(500)
    assert ahead[0] == pytest.approx(FIT.probability_now @ FIT.transition)
    assert ahead[1] == pytest.approx(FIT.probability_now @ FIT.transition @ FIT.transition)
    assert ahead[-1] == pytest.approx(FIT.stationary, abs=1e-9)
    assert FIT.current_regime == FIT.probability_now.argmax()
    assert FIT.durations == pytest.approx(1.0 / (1.0 - np.diag(FIT.transition)))
    with pytest.raises(RiskError, match="horizon=0 is not a whole number of periods"):
        FIT.forecast(0)


# ------------------------------------------------------------------------------------------- odd series


def test_outliers_of_fifty_deviations():
    x = TWO.copy()
    x[[77, 78, 200]] += 50.0 * np.array([1.0, -1.0, 1.0])
    for order in (0, 1):
        found = fit_regimes(x, order=order, n_starts=5, order_by="variance")
        assert np.isfinite(found.smoothed).all()
        assert found.smoothed[[77 - order, 78 - order, 200 - order], 1] == pytest.approx(1.0, abs=1e-6)


def test_noise_is_no_evidence_of_regimes():
    found = fit_regimes(np.random.default_rng(1).standard_normal(300))
    assert not found.is_supported
    assert found.remarks[0].startswith("no evidence of two regimes: BIC")
    assert "no evidence of two regimes" in repr(found)
    assert FIT.remarks[0].startswith("two regimes supported: BIC")


def test_a_regime_that_shrinks_to_a_value_is_left():
    # Values 0, 1 and 2: a regime on one of them would have an unbounded likelihood.
    found = fit_regimes(np.random.default_rng(1).integers(0, 3, 100))
    assert found.search.collapsed > 0
    assert found.variances.min() > 0.1
    remarks = " ".join(found.remarks)
    assert f"{found.search.collapsed} of 10 starts left: a regime had shrunk to a single value" in remarks
    assert "no evidence of two regimes" in remarks
    assert "this is no maximum" in remarks
    with pytest.raises(CalibrationError, match="all 10 starts end with a regime on a single value"):
        fit_regimes(np.random.default_rng(0).integers(0, 3, 100))


def test_a_search_that_is_cut_short_says_so():
    found = fit_regimes(FED_FUNDS, 3, max_iterations=1)
    assert not found.converged
    assert any(said.startswith("not converged after") for said in found.remarks)


def test_levels_that_wander_are_noticed():
    found = fit_regimes(np.exp(0.05 * np.arange(100)) + 0.1 * TWO[:100], order=1, n_starts=3)
    assert any("not stationary" in said for said in found.remarks)


def test_a_regime_of_one_period_alternates():
    x = np.tile([-1.0, 1.0], 60) + 0.1 * TWO[:120]
    found = fit_regimes(x, switching_variance=False)
    assert found.converged
    assert found.durations == pytest.approx([1.0, 1.0], abs=1e-9)
    assert np.isfinite(found.standard_errors.transition).all()


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"x": [0.0] * 50}, CalibrationError, "the series is constant at 0;"),
        ({"x": 0.1 + 1e-17 * TWO}, CalibrationError, "the series is constant at 0.1"),
        ({"x": TWO[:10]}, RiskError, "10 observations for 6 parameters; give at least 20"),
        ({"x": []}, RiskError, "0 observations"),
        ({"x": np.ones((3, 3))}, RiskError, r"series of shape \(3, 3\)"),
        (
            {"x": [*TWO, np.nan, np.inf]},
            RiskError,
            r"the value nan \(number 300\) is not a finite number, nor is 1 more; leave out",
        ),
        ({"x": [0, 1] * 30}, RiskError, "only 2 distinct values for 2 regimes"),
        ({"x": 1e200 * TWO}, CalibrationError, "in another unit"),
        ({"n_regimes": 1}, RiskError, "n_regimes=1; regimes switch between at least 2"),
        ({"order": -1}, RiskError, "order=-1 is below 0"),
        ({"order": 9}, RiskError, r"2 regimes with 9 lags are 2\^10 states"),
        ({"n_starts": 0}, RiskError, "n_starts=0 is outside"),
        ({"seed": -1}, RiskError, "seed=-1 is below 0"),
        ({"max_iterations": 0}, RiskError, "max_iterations=0"),
        ({"order_by": "means"}, RiskError, "did you mean 'mean'"),
        ({"order_by": "volatility"}, RiskError, "choose 'mean' or 'variance'"),
        ({"dates": [dt.date(2026, 1, 5)]}, RiskError, "1 dates for 300 observations"),
    ],
)
def test_what_has_no_regimes_is_refused(given, error, said):
    with pytest.raises(error, match=said) as caught:
        fit_regimes(**({"x": TWO} | given))
    assert isinstance(caught.value, BankError)


def test_a_missing_day_is_named():
    pd = pytest.importorskip("pandas")
    x = pd.Series(TWO, index=pd.bdate_range("2025-01-01", periods=300))
    x.iloc[3] = np.nan
    with pytest.raises(RiskError, match=r"nan \(number 3, 2025-01-06\)"):
        fit_regimes(x)


# ------------------------------------------------------------------------------------------------ results


def test_the_table_has_a_row_for_each_period_that_counts():
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(135)]
    found = fit_regimes(GNP, order=2, n_starts=2, dates=days)
    rows = list(found.to_table())
    assert len(rows) == 133
    assert list(rows[0]) == ["date", "value", "regime", "filtered_0", "filtered_1", "smoothed_0", "smoothed_1"]
    assert rows[0]["date"] == days[2]
    assert rows[0]["value"] == GNP[2]
    assert rows[-1]["smoothed_1"] == found.smoothed[-1, 1]
    assert list(FIT.to_table())[5]["observation"] == 5


def test_figures_of_the_result():
    assert FIT.bic == pytest.approx(6.0 * np.log(300.0) - 2.0 * FIT.loglikelihood)
    assert FIT.aic == pytest.approx(12.0 - 2.0 * FIT.loglikelihood)
    variance = TWO.var()
    assert FIT.single_loglikelihood == pytest.approx(-150.0 * (np.log(2.0 * np.pi * variance) + 1.0))
    assert (FIT.regimes == FIT.smoothed.argmax(axis=1)).all()
    with pytest.raises(AttributeError, match=r"use \.loglikelihood"):
        _ = FIT.llf
    with pytest.raises(ValueError, match="read-only"):
        FIT.smoothed[0, 0] = 1.0

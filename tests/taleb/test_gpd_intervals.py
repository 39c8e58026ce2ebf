"""Intervals of tails: other programs, an independent profile likelihood, open ends with their reasons, coverage."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from bank_python.errors import ModelError
from bank_python.risk_models import TailFit, fit_gpd_excesses, fit_tail
from bank_python.taleb.gpd_intervals import gpd_intervals
from tests.taleb.coles_data import RAIN_ABOVE_30, RAIN_DAYS

DANISH = Path(__file__).parents[3] / "shared" / "reference" / "danish.csv"


def shapes(low, high):
    """Shapes of three digits: scipy divides by them, which near 1e-300 leaves no digit."""
    return st.floats(low, high).map(lambda shape: round(shape, 3))


def tail_of(excesses, threshold=0.0, share=0.1):
    excesses = np.asarray(excesses)
    return TailFit(threshold, share, fit_gpd_excesses(excesses), excesses)


@pytest.fixture(scope="module")
def rain():
    return fit_tail(np.concatenate([RAIN_ABOVE_30, np.zeros(RAIN_DAYS - len(RAIN_ABOVE_30))]), 30.0)


def test_rain_as_other_programs_have_it(rain):
    # S. Coles (2001), example 4.4.1: 7.44, 0.184, with standard errors 0.958 and 0.101, log-likelihood −485.1
    assert (rain.beta, rain.xi, rain.fit.log_likelihood) == pytest.approx((7.44, 0.184, -485.1), abs=0.01)
    assert (rain.fit.beta_error, rain.fit.xi_error) == pytest.approx((0.958, 0.101), abs=0.001)
    # the interval of ξ by OpenTURNS 1.27, buildMethodOfXiProfileLikelihoodEstimator, six digits printed
    found = gpd_intervals(rain, quantiles=[0.995])["xi"]
    assert (found.low, found.high) == pytest.approx((0.0135616, 0.41544), abs=1e-6)
    # Coles: the interval by standard errors is (−0.014, 0.383)
    wald = gpd_intervals(rain, quantiles=[0.995], method="wald")["xi"]
    assert (wald.low, wald.high) == pytest.approx((-0.014, 0.383), abs=1e-3)


def profile_by_scipy(excesses, of_shape, level):
    """Return how far the log-likelihood falls below its maximum where a quantity has a level; `of_shape` gives β."""

    def loss(xi):
        return -stats.genpareto.logpdf(excesses, xi, scale=of_shape(xi, level)).sum()

    return optimize.minimize_scalar(loss, bounds=(-0.4, 2.0), method="bounded", options={"xatol": 1e-10}).fun


@pytest.mark.parametrize("kind", ["var", "es"])
def test_each_end_is_where_an_independent_profile_falls_by_the_quantile(kind):
    excesses = stats.genpareto.rvs(0.15, scale=2.0, size=150, random_state=4)
    tail = tail_of(excesses, threshold=5.0)
    found = gpd_intervals(tail, quantiles=[0.99], confidence=0.9)[f"{kind} 0.99"]

    def scale(xi, level):
        growth = (10.0**xi - 1.0) / xi
        return (level - 5.0) / growth if kind == "var" else (level - 5.0) * (1.0 - xi) / (growth + 1.0)

    if kind == "es":  # the search below must stay where the expected shortfall exists
        assert gpd_intervals(tail, quantiles=[0.99], confidence=0.9)["xi"].high < 0.9
    for end in (found.low, found.high):
        fall = profile_by_scipy(excesses, lambda xi, level: max(scale(xi, level), 1e-3), end)
        assert fall + tail.fit.log_likelihood == pytest.approx(stats.chi2.ppf(0.9, 1) / 2.0, abs=1e-6)


@pytest.mark.skipif(not DANISH.exists(), reason="the Danish fire claims are read where they are")
@pytest.mark.parametrize("threshold", [10.0, 20.0])
def test_danish_fire_claims(threshold):
    claims = np.genfromtxt(DANISH, delimiter=";", skip_header=1, usecols=1)
    tail = fit_tail(claims, threshold)
    intervals = gpd_intervals(tail, quantiles=[0.995])
    for name in ("xi", "beta", "var 0.995"):
        row = intervals[name]
        assert row.low < row.estimate < row.high < math.inf
        assert row.reason == ""
    # ξ is 0.497 with an error of 0.14 (u = 10), 0.68 with 0.28 (u = 20): the second interval reaches 1
    shortfall = intervals["es 0.995"]
    assert math.isinf(shortfall.high) is (threshold == 20.0)
    assert ("reaches 1" in shortfall.reason) is (threshold == 20.0)


def test_the_estimates_are_those_of_the_fit(rain):
    for method in ("profile", "wald", "bootstrap"):
        intervals = gpd_intervals(rain, method=method, n_samples=100)
        assert intervals.names == ("xi", "beta", "var 0.995", "var 0.999", "es 0.995", "es 0.999")
        assert intervals["xi"].estimate == rain.xi
        assert intervals["beta"].estimate == pytest.approx(rain.beta, rel=1e-14)
        assert intervals["var 0.999"].estimate == pytest.approx(rain.var(0.999), rel=1e-13)
        assert intervals["es 0.999"].estimate == pytest.approx(rain.es(0.999), rel=1e-13)


def test_wald_is_the_estimate_and_its_error(rain):
    rows = gpd_intervals(rain, quantiles=[0.999], method="wald", confidence=0.6826894921370859)
    assert rows["xi"].high - rain.xi == pytest.approx(rain.fit.xi_error, rel=1e-8)
    assert rows["beta"].high - rain.beta == pytest.approx(rain.fit.beta_error, rel=1e-8)


def test_the_bootstrap_is_that_of_single_fits():
    excesses = stats.genpareto.rvs(0.2, size=40, random_state=5)
    rows = gpd_intervals(tail_of(excesses), quantiles=[0.99], method="bootstrap", n_samples=100, seed=3)
    picks = np.random.default_rng(3).integers(0, 40, (100, 40))
    fits = [fit_gpd_excesses(excesses[row]) for row in picks]
    low, high = np.quantile([fit.xi for fit in fits], [0.025, 0.975])
    assert (rows["xi"].low, rows["xi"].high) == pytest.approx((low, high), abs=1e-9)
    levels = [fit.beta * math.expm1(fit.xi * math.log(10.0)) / fit.xi for fit in fits]
    # percentiles between two resamples are interpolated in the logarithm of the level
    low, high = np.exp(np.quantile(np.log(levels), [0.025, 0.975]))
    assert (rows["var 0.99"].low, rows["var 0.99"].high) == pytest.approx((low, high), rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), shapes(-0.3, 0.9), st.floats(0.01, 100.0))
def test_intervals_contain_the_estimate_grow_with_confidence_and_scale_with_the_unit(seed, xi, unit):
    excesses = stats.genpareto.rvs(xi, size=60, random_state=seed)
    tail = tail_of(excesses)
    inner, outer = (gpd_intervals(tail, quantiles=[0.99], confidence=c) for c in (0.5, 0.95))
    scaled = gpd_intervals(tail_of(unit * excesses), quantiles=[0.99], confidence=0.5)
    for name in inner.names:
        if tail.xi <= -0.5:
            assert "no χ²" in inner[name].reason
            continue
        near, far, other = inner[name], outer[name], scaled[name]
        assert far.low <= near.low <= near.estimate <= near.high <= far.high
        factor = 1.0 if name == "xi" else unit
        # the maximum itself is found to about 1e-8 standard errors
        assert (other.low, other.high) == pytest.approx((factor * near.low, factor * near.high), rel=1e-5, abs=1e-6)


def test_no_interval_where_likelihood_is_not_regular():
    excesses = np.linspace(0.01, 1.0, 40) ** 0.8  # denser towards the end than a uniform distribution
    tail = tail_of(excesses)
    assert tail.xi <= -0.5
    for method in ("profile", "wald"):
        rows = gpd_intervals(tail, quantiles=[0.99], method=method)
        assert (rows["xi"].low, rows["xi"].high) == (-math.inf, math.inf)
        assert (rows["beta"].low, rows["beta"].high) == (0.0, math.inf)
        assert (rows["var 0.99"].low, rows["var 0.99"].high) == (0.0, math.inf)
        assert all("is not above −1/2" in reason for reason in rows.reasons)


def test_an_end_that_the_likelihood_does_not_reach_is_open():
    excesses = stats.genpareto.rvs(-0.3, size=12, random_state=7)
    tail = tail_of(excesses)
    assert tail.xi > -0.5
    row = gpd_intervals(tail, quantiles=[0.99])["xi"]
    # at ξ = −1 the distribution is uniform up to the largest excess: its log-likelihood is near enough to the maximum
    assert -12 * math.log(excesses.max()) > tail.fit.log_likelihood - stats.chi2.ppf(0.95, 1) / 2.0
    assert row.low == -math.inf
    assert row.high < math.inf
    assert "falls too little before ξ = −1" in row.reason


def test_shapes_of_one_and_more_have_no_expected_shortfall():
    tail = tail_of(np.linspace(0.005, 0.995, 100) ** -2.0 - 1.0)
    assert tail.xi > 1.0
    for method in ("profile", "wald", "bootstrap"):
        row = gpd_intervals(tail, quantiles=[0.99], method=method)["es 0.99"]
        assert row.estimate == row.high == math.inf
        assert "the expected shortfall is infinite" in row.reason


def test_bad_arguments(rain):
    with pytest.raises(ModelError, match=r"quantiles: 0\.9 is not in the tail, which is beyond 0\.99133"):
        gpd_intervals(rain, quantiles=[0.9])
    with pytest.raises(ModelError, match=r"confidence=1\.5 is outside \(0, 1\)"):
        gpd_intervals(rain, confidence=1.5)
    with pytest.raises(ModelError, match="give one of profile, wald, bootstrap"):
        gpd_intervals(rain, method="magic")
    with pytest.raises(ModelError, match="n_samples=10 is below 100"):
        gpd_intervals(rain, method="bootstrap", n_samples=10)
    with pytest.raises(ModelError, match="the tail has no excesses"):
        gpd_intervals(TailFit(30.0, 0.1, rain.fit))
    with pytest.raises(ModelError, match="there is no interval of 'alpha'; there are xi, beta"):
        gpd_intervals(rain)["alpha"]
    with pytest.raises(ModelError, match="tail"):
        gpd_intervals(0.1)


def test_it_is_shown_and_exported(rain):
    intervals = gpd_intervals(rain)
    assert "profile likelihood" in repr(intervals)
    rows = list(intervals.to_table())
    assert [row["quantity"] for row in rows] == list(intervals.names)
    assert rows[0]["low"] == intervals["xi"].low
    heavy = gpd_intervals(tail_of(np.linspace(0.005, 0.995, 100) ** -2.0 - 1.0), quantiles=[0.99])
    assert "es 0.99: the interval of ξ reaches 1" in repr(heavy)
    assert list(heavy.to_table())[-1]["high"] == math.inf


def coverage(size, method, samples, seed):
    """Return the shares of intervals that hold the true shape, 99 % quantile and shortfall of a tail with ξ = 1/4."""
    random = np.random.default_rng(seed)
    true = {"xi": 0.25, "var 0.99": 4.0 * (10.0**0.25 - 1.0)}
    true["es 0.99"] = (true["var 0.99"] + 1.0) / 0.75
    held = dict.fromkeys(true, 0)
    for _ in range(samples):
        tail = tail_of(4.0 * (random.random(size) ** -0.25 - 1.0))
        rows = gpd_intervals(tail, quantiles=[0.99], method=method, n_samples=400)
        for name, value in true.items():
            held[name] += rows[name].low <= value <= rows[name].high
    return {name: count / samples for name, count in held.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("size", "least"), [(50, 0.935), (200, 0.945)])
def test_the_coverage_of_profile_intervals(size, least):
    # measured over 2,000 samples: 0.929 to 0.936 at 50 excesses, 0.944 to 0.947 at 200
    found = coverage(size, "profile", 600, seed=1)
    error = math.sqrt(0.05 * 0.95 / 600)
    assert all(share == pytest.approx(least, abs=3.0 * error) for share in found.values())


@pytest.mark.slow
def test_standard_errors_cover_a_shortfall_less_often_than_profile_likelihood():
    # measured over 2,000 samples: 0.832 against 0.935 at 50 excesses
    wald = coverage(50, "wald", 600, seed=2)["es 0.99"]
    assert wald == pytest.approx(0.832, abs=3.0 * math.sqrt(0.14 / 600))
    bootstrap = coverage(50, "bootstrap", 200, seed=2)["es 0.99"]
    assert bootstrap == pytest.approx(0.829, abs=3.0 * math.sqrt(0.14 / 200))

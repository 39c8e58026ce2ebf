"""Value at risk, expected shortfall and their backtests: published values, real returns, known distributions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk import (
    TailMethod,
    acerbi_szekely_test,
    christoffersen_test,
    expected_shortfall,
    kupiec_test,
    tail_risk,
    traffic_light,
    value_at_risk,
)
from bank_python.risk_models.extremes import fit_gpd_excesses, fit_tail

DANISH = Path(__file__).parents[3] / "shared" / "reference" / "danish.csv"


@pytest.fixture(scope="module")
def sp500():
    # S&P 500, 4 January 1999 to 31 December 2018, as bundled with arch: log returns of the adjusted close
    prices = pytest.importorskip("arch.data.sp500").load()["Adj Close"].to_numpy()
    return np.diff(np.log(prices))


# --- extremes ------------------------------------------------------------------------------------


def test_the_tail_of_the_sp500(sp500):
    # computed elsewhere: 251 excesses of percentage losses, and numpy's quantiles
    losses = -100.0 * sp500
    tail = fit_tail(losses, threshold=1.8824571157262326)
    assert tail.fit.excesses == 251
    assert (tail.fit.beta, tail.fit.xi) == pytest.approx((0.8626945475467825, 0.16439219373023126), abs=1e-6)
    assert tail.value_at_risk(0.99) == pytest.approx(3.4696816932110415, abs=1e-6)
    assert tail.expected_shortfall(0.99) == pytest.approx(4.8143578311686355, abs=1e-6)
    assert fit_tail(losses, share=251.5 / len(losses)).threshold == pytest.approx(1.8824571157262326, abs=1e-12)
    assert value_at_risk(sp500, 0.99) == pytest.approx(0.03361823553261087, abs=1e-12)
    assert value_at_risk(sp500, 0.95) == pytest.approx(0.01881930727015533, abs=1e-12)
    assert expected_shortfall(sp500, 0.99) == pytest.approx(0.04813872997052384, abs=1e-12)
    assert expected_shortfall(sp500, 0.95) == pytest.approx(0.029101531751906457, abs=1e-12)


@pytest.mark.skipif(not DANISH.exists(), reason="the Danish fire claims are read where they are")
def test_danish_fire_claims():
    # A. J. McNeil, "Estimating the tails of loss severity distributions using extreme value theory", ASTIN Bulletin 27
    # (1997): 2,167 claims, threshold 10
    claims = np.genfromtxt(DANISH, delimiter=";", skip_header=1, usecols=1)
    tail = fit_tail(claims, threshold=10.0)
    for level, (var, es) in {
        0.99: (27.289988, 58.240103),
        0.995: (40.172989, 83.851710),
        0.999: (94.339357, 191.535290),
    }.items():
        assert tail.value_at_risk(level) == pytest.approx(var, abs=5e-3)
        assert tail.expected_shortfall(level) == pytest.approx(es, abs=5e-3)
    assert (tail.fit.xi_error, tail.fit.beta_error) == pytest.approx((0.136284, 1.113491), abs=2e-3)
    second = fit_tail(claims, threshold=20.0).fit
    assert (second.xi_error, second.beta_error) == pytest.approx((0.275074, 2.897623), abs=2e-3)


@pytest.mark.parametrize(("xi", "n"), [(-0.3, 4_000), (0.0, 4_000), (0.2, 4_000), (0.5, 400), (1.2, 4_000)])
def test_gpd_against_scipy(xi, n):
    sample = stats.genpareto.rvs(xi, scale=3.0, size=n, random_state=7)
    ours = fit_gpd_excesses(sample)
    shape, _, scale = stats.genpareto.fit(sample, floc=0.0)
    theirs = stats.genpareto.logpdf(sample, shape, scale=scale).sum()
    assert ours.log_likelihood >= theirs - 1e-6
    assert ours.log_likelihood == pytest.approx(
        stats.genpareto.logpdf(sample, ours.xi, scale=ours.beta).sum(), rel=1e-10
    )
    assert abs(ours.xi - xi) < 5.0 * ours.xi_error
    assert abs(ours.beta - 3.0) < 5.0 * ours.beta_error


def test_bad_tails():
    with pytest.raises(CalibrationError, match="there are 3 excesses, the smallest 1; at least ten"):
        fit_gpd_excesses([1.0, 2.0, 3.0])
    with pytest.raises(CalibrationError, match="not a finite number"):
        fit_gpd_excesses([math.nan] * 20)
    with pytest.raises(CalibrationError, match=r"share=1\.5"):
        fit_tail(np.arange(100.0), share=1.5)
    tail = fit_tail(np.random.default_rng(0).exponential(size=1_000))
    with pytest.raises(ModelError, match=r"confidence=0\.5 is not in the tail, which begins at 0\.9"):
        tail.value_at_risk(0.5)


# --- value at risk -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", list(TailMethod))
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_all_methods_on_a_normal_sample(method, level):
    pnl = np.random.default_rng(11).normal(5.0, 100.0, 40_000)
    risk = tail_risk(pnl, level, method, half_life=20_000.0)
    z = stats.norm.ppf(level)
    wide = 0.25 if method is TailMethod.FILTERED else 0.04
    assert risk.var == pytest.approx(-5.0 + 100.0 * z, rel=wide)
    assert risk.es == pytest.approx(-5.0 + 100.0 * stats.norm.pdf(z) / (1.0 - level), rel=wide)
    assert (risk.method, risk.confidence, risk.observations) == (method, level, 40_000)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=60),
    st.sampled_from(["historical", "weighted", "parametric"]),
    st.floats(0.8, 0.99),
    st.floats(-1e5, 1e5),
    st.floats(0.01, 100.0),
)
def test_translation_scaling_and_order(sample, method, level, shift, scale):
    pnl = np.array(sample)
    size = np.abs(pnl).max() + abs(shift) + 1.0
    risk = tail_risk(pnl, level, method)
    assert risk.es >= risk.var - 1e-9 * size
    moved = tail_risk(pnl + shift, level, method)
    assert moved.var == pytest.approx(risk.var - shift, abs=1e-9 * size)
    grown = tail_risk(scale * pnl, level, method)
    assert grown.var == pytest.approx(scale * risk.var, rel=1e-9, abs=1e-9 * scale * size)
    assert grown.es == pytest.approx(scale * risk.es, rel=1e-9, abs=1e-9 * scale * size)


def test_normal_multipliers():
    # φ(z)/(1 − α), as in McNeil, Frey and Embrechts
    pnl = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    for level, es in {0.95: 2.0627128075074, 0.975: 2.3378027922014, 0.99: 2.6652142203458}.items():
        assert expected_shortfall(pnl, level, "parametric") == pytest.approx(es, rel=1e-4)
        assert expected_shortfall(pnl, level, "cornish_fisher") == pytest.approx(es, rel=1e-3)
        assert expected_shortfall(pnl, level) == pytest.approx(es, rel=1e-3)


def test_the_standard_error_of_a_quantile():
    rng = np.random.default_rng(3)
    estimates = [tail_risk(rng.normal(size=2_000), 0.99) for _ in range(400)]
    spread = np.std([risk.var for risk in estimates])
    assert np.mean([risk.var_error for risk in estimates]) == pytest.approx(spread, rel=0.15)
    found = [tail_risk(rng.normal(size=500), 0.99, "parametric") for _ in range(400)]
    assert np.mean([risk.var_error for risk in found]) == pytest.approx(np.std([risk.var for risk in found]), rel=0.15)


def test_weights_and_filters_follow_what_is_recent():
    rng = np.random.default_rng(5)
    pnl = np.concatenate([rng.normal(0.0, 1.0, 1_000), rng.normal(0.0, 4.0, 250)])
    plain = value_at_risk(pnl, 0.95)
    assert value_at_risk(pnl, 0.95, "weighted", half_life=100.0) > 1.5 * plain
    assert value_at_risk(pnl, 0.95, "filtered") > 1.5 * plain
    even = value_at_risk(pnl, 0.95, "weighted", half_life=1e9)
    assert even == pytest.approx(plain, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], 0.99), "1 observations"),
        (([1.0, math.nan, 2.0], 0.99), "observation 1 is nan"),
        (([1.0, 2.0], 0.01), "confidence=0.01 is not in"),
        (([1.0, 2.0], 0.99, "weighted"), None),
    ],
)
def test_bad_samples(arguments, message):
    if message is None:
        assert value_at_risk(*arguments) == -1.0
        return
    with pytest.raises(ModelError, match=message):
        value_at_risk(*arguments)


def test_bad_parameters():
    pnl = np.arange(100.0)
    with pytest.raises(ModelError, match=r"half_life=0\.0"):
        value_at_risk(pnl, 0.99, "weighted", half_life=0.0)
    with pytest.raises(ModelError, match=r"decay=1\.0"):
        value_at_risk(pnl, 0.99, "filtered", decay=1.0)
    with pytest.raises(ModelError, match="the P&L is constant"):
        value_at_risk(np.zeros(50), 0.99, "filtered")
    with pytest.raises(ModelError, match="not monotone for a skewness"):
        value_at_risk(np.append(np.zeros(500), 1e3), 0.99, "cornish_fisher")
    with pytest.raises(ValueError, match="no method 'guess'; choose one of historical"):
        value_at_risk(pnl, 0.99, "guess")


# --- backtests -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exceptions", "days", "statistic"),
    [(0, 250, 5.0251679268), (5, 250, 1.9568097882), (10, 250, 12.9554910624), (20, 1000, 7.8272391529)],
)
def test_kupiec(exceptions, days, statistic):
    # P. Kupiec, Journal of Derivatives 3 (1995)
    test = kupiec_test(exceptions, days, 0.01)
    assert test.statistic == pytest.approx(statistic, abs=1e-8)
    assert test.p_value == pytest.approx(stats.chi2.sf(statistic, 1), rel=1e-10)


def test_kupiecs_region_of_non_rejection():
    # Kupiec (1995), table 3: 255 days at 1 %: fewer than seven exceptions are not rejected at 95 %
    accepted = [x for x in range(30) if kupiec_test(x, 255, 0.01).p_value > 0.05]
    assert max(accepted) == 6
    assert kupiec_test(10, 1_000, 0.01).statistic == pytest.approx(0.0, abs=1e-12)
    assert kupiec_test(5, 5, 0.01).p_value < 1e-9


def test_christoffersen():
    rng = np.random.default_rng(1)
    independent = christoffersen_test(rng.random(5_000) < 0.01, 0.01)
    assert independent.p_value > 0.01
    hits = np.zeros(1_000, dtype=bool)
    hits[100:110] = True  # the expected number, all in a row
    together = christoffersen_test(hits, 0.01)
    assert together.coverage.statistic == pytest.approx(0.0, abs=1e-10)
    assert together.independence.p_value < 1e-6
    assert together.statistic == together.coverage.statistic + together.independence.statistic
    assert together.p_value == pytest.approx(stats.chi2.sf(together.statistic, 2), rel=1e-10)
    # pairs of days without and with an exception: 988 of 00, one 01, one 10, nine 11
    chain = 988 * math.log(988 / 989) + math.log(1 / 989) + math.log(1 / 10) + 9 * math.log(9 / 10)
    plain = 989 * math.log(989 / 999) + 10 * math.log(10 / 999)
    assert together.independence.statistic == pytest.approx(2.0 * (chain - plain), rel=1e-12)


@pytest.mark.parametrize(
    ("exceptions", "zone", "cumulative"),
    [(0, "green", 0.0811), (4, "green", 0.8922), (5, "yellow", 0.9588), (9, "yellow", 0.9997), (10, "red", 0.9999)],
)
def test_traffic_light(exceptions, zone, cumulative):
    # Basel Committee (1996), table 2: 250 days at 99 %
    light = traffic_light(exceptions, 250)
    assert light.zone == zone
    assert light.cumulative == pytest.approx(cumulative, abs=1e-4)


def test_acerbi_and_szekely_looks_at_losses_and_not_at_profits():
    z = float(stats.norm.ppf(0.975))
    es = float(stats.norm.pdf(z)) / 0.025
    pnl = np.random.default_rng(11).normal(size=100_000)
    right = acerbi_szekely_test(pnl, z, es, 0.025)
    profits = acerbi_szekely_test(np.where(pnl > 0.0, 3.0 * pnl, pnl), z, es, 0.025)
    losses = acerbi_szekely_test(np.where(pnl < 0.0, 2.0 * pnl, pnl), z, es, 0.025)
    assert profits == right
    assert (right.z1, right.z2) == pytest.approx((0.0, 0.0), abs=0.05)
    # losses of a normal with twice the deviation: the definition, in the paper's own words
    hits = 2.0 * pnl[2.0 * pnl < -z]
    assert losses.z2 == pytest.approx(1.0 + hits.sum() / (es * len(pnl) * 0.025))
    assert losses.z1 == pytest.approx(1.0 + hits.mean() / es)
    assert losses.z2 < -1.0


def test_acerbi_and_szekely():
    rng = np.random.default_rng(2)
    z = stats.norm.ppf(0.975)
    es = stats.norm.pdf(z) / 0.025
    right = acerbi_szekely_test(rng.normal(size=200_000), z, es, 0.025)
    assert abs(right.z1) < 0.02
    assert abs(right.z2) < 0.05
    worse = acerbi_szekely_test(1.5 * rng.normal(size=200_000), z, es, 0.025)
    assert worse.z1 < -0.1
    assert worse.z2 < -1.0
    none = acerbi_szekely_test(np.ones(100), z, es, 0.025)
    assert math.isnan(none.z1)
    assert none.z2 == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kupiec_test(5, 4, 0.01), "5 exceptions in 4 days"),
        (lambda: kupiec_test(-1, 4, 0.01), "-1 exceptions"),
        (lambda: kupiec_test(1, 4, 1.0), "probability=1.0"),
        (lambda: christoffersen_test([True], 0.01), "1 days"),
        (lambda: traffic_light(1, 0), "1 exceptions in 0 days"),
        (lambda: acerbi_szekely_test([1.0], 1.0, 0.0, 0.01), "not above 0"),
    ],
)
def test_bad_backtests(call, message):
    with pytest.raises(ModelError, match=message):
        call()

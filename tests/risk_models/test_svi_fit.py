"""Fitting SVI: recovery, noise, arbitrage found and removed, bad quotes refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError
from bank_python.numerics.line_minimum import line_minimum
from bank_python.risk_models.arbitrage import ArbitrageKind, calendar_gap, check_slices
from bank_python.risk_models.smile_quotes import SmileQuotes
from bank_python.risk_models.svi import JumpWings, SviSlice
from bank_python.risk_models.svi_fit import ArbitragePolicy, RepairMethod, fit_slice
from bank_python.risk_models.svi_repair import nearest_repair, price_distance, ssvi_repair

VOGT = SviSlice(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
K = np.linspace(-0.6, 0.5, 15)

# Smiles that Gatheral and Jacquier's SSVI bounds make free of butterfly arbitrage.
free_slices = st.builds(
    SviSlice,
    a=st.floats(0.005, 0.1),
    b=st.floats(0.02, 0.15),
    rho=st.floats(-0.8, 0.8),
    m=st.floats(-0.2, 0.2),
    sigma=st.floats(0.08, 0.5),
)


def quoted(smile, expiry=1.0, k=K, noise=0.0, seed=0):
    w = np.asarray(smile.total_variance(k)) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(k)))
    return SmileQuotes(expiry, k, w)


def assert_free(fit, previous=None):
    report = check_slices([fit.expiry], [fit.smile])
    assert report.free, f"{fit.smile}: {report}"
    if previous is not None:
        assert calendar_gap(previous, fit.smile).value >= 0.0, (previous, fit.smile)


@settings(max_examples=150, deadline=None)
@given(free_slices, st.floats(0.05, 3.0))
def test_quotes_on_a_smile_give_it_back(smile, expiry):
    fit = fit_slice(quoted(smile, expiry))
    if check_slices([expiry], [smile]).free:
        assert fit.repair is None
        assert fit.smile.parameters == pytest.approx(smile.parameters, abs=1e-8), smile
        assert fit.worst_error < 1e-9


def test_recovery_of_many_smiles():
    rng = np.random.default_rng(11)
    recovered = 0
    for _ in range(200):
        smile = SviSlice(
            rng.uniform(0.005, 0.1), rng.uniform(0.02, 0.4), rng.uniform(-0.9, 0.9), rng.uniform(-0.2, 0.2),
            rng.uniform(0.05, 0.5),
        )  # fmt: skip
        if not check_slices([1.0], [smile]).free:
            continue
        recovered += 1
        k = np.linspace(-rng.uniform(0.3, 1.0), rng.uniform(0.3, 1.0), int(rng.integers(7, 31)))
        assert fit_slice(quoted(smile, k=k)).smile.parameters == pytest.approx(smile.parameters, abs=1e-8), smile
    assert recovered > 100


def test_noisy_quotes_are_fitted_to_the_noise():
    smile = SviSlice(0.01, 0.1, -0.4, 0.05, 0.2)
    fit = fit_slice(quoted(smile, noise=0.01, seed=3))
    vols = np.sqrt(np.asarray(smile.total_variance(K)))
    assert fit.rms_error < 0.005 * vols.max()
    assert np.abs(np.sqrt(fit.smile.total_variance(K)) - vols).max() < 0.01


def test_least_squares_optimum_against_scipy():
    optimize = pytest.importorskip("scipy.optimize")
    quotes = quoted(SviSlice(0.01, 0.1, -0.4, 0.05, 0.2), noise=0.02, seed=5)

    def errors(x):
        a, b, rho, m, sigma = x
        return a + b * (rho * (K - m) + np.sqrt((K - m) ** 2 + sigma**2)) - quotes.total_variance

    best = min(
        optimize.least_squares(errors, [0.01, 0.1, r, m, s], xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=5000).cost
        for r in (-0.5, 0.0)
        for m in (-0.1, 0.1)
        for s in (0.1, 0.4)
    )
    fit = fit_slice(quotes)
    ours = 0.5 * np.sum((np.asarray(fit.smile.total_variance(K)) - quotes.total_variance) ** 2)
    assert fit.repair is None
    assert ours <= best * (1.0 + 1e-6)


def test_weights_decide():
    smile = SviSlice(0.01, 0.1, -0.4, 0.05, 0.2)
    w = np.asarray(smile.total_variance(K)).copy()
    w[7] *= 1.5  # one wrong quote
    weights = np.ones_like(K)
    weights[7] = 1e-9
    assert fit_slice(SmileQuotes(1.0, K, w, weights)).smile.total_variance(K[7]) == pytest.approx(
        smile.total_variance(K[7]), rel=1e-6
    )
    weights[7] = 0.0
    assert fit_slice(SmileQuotes(1.0, K, w, weights)).smile.parameters == pytest.approx(smile.parameters, abs=1e-8)


def test_a_flat_smile():
    fit = fit_slice(SmileQuotes.from_vols(0.25, K, np.full(len(K), 0.2)))
    assert_free(fit)
    assert fit.worst_error < 1e-10
    assert fit.smile.total_variance([-3.0, 0.0, 3.0]) == pytest.approx(0.01, abs=1e-8)


def test_vogts_smile_is_repaired_and_the_repair_reported():
    k = np.linspace(-1.5, 1.5, 21)
    fit = fit_slice(quoted(VOGT, k=k))
    assert_free(fit)
    assert fit.repair.before.parameters == pytest.approx(VOGT.parameters, abs=1e-8)
    (found,) = fit.repair.found.violations
    assert (found.kind, found.amount) == (ArbitrageKind.BUTTERFLY, pytest.approx(-0.0328636, abs=1e-6))
    assert fit.repair.method is RepairMethod.REFIT
    assert fit.repair.largest_move == pytest.approx(fit.worst_error, rel=1e-6)
    assert fit.worst_error < 0.025
    assert "repaired by refit" in str(fit.repair)


def test_vogts_smile_raises_under_the_refuse_policy():
    with pytest.raises(CalibrationError, match=r"butterfly arbitrage at T=1, k=0\.8793"):
        fit_slice(quoted(VOGT, k=np.linspace(-1.5, 1.5, 21)), policy=ArbitragePolicy.REFUSE)


def test_the_papers_own_repair_of_vogts_smile():
    # Gatheral and Jacquier (2014), section 5.1: SSVI wings, and the optimum they print, c = 0.8564763 with the lowest
    # variance unchanged. It leaves g at 0.008; ours goes on to where g touches zero, so its prices are nearer.
    wings = VOGT.to_jump_wings(1.0)
    printed = SviSlice.from_jump_wings(JumpWings(wings.v, wings.psi, wings.p, 0.8564763, 0.0116249), 1.0)
    assert printed.minimum_g().value > 0.0
    ours = nearest_repair(VOGT, 1.0)
    assert ours.minimum_g().value >= 0.0
    assert ours.to_jump_wings(1.0).v_tilde == pytest.approx(0.0116249, abs=1e-7)
    assert price_distance(VOGT, ours) <= price_distance(VOGT, printed)
    assert price_distance(VOGT, printed) < price_distance(VOGT, ssvi_repair(VOGT, 1.0))
    assert ssvi_repair(VOGT, 1.0).to_jump_wings(1.0).c == pytest.approx(0.3493158, abs=5e-6)


def test_a_smile_without_arbitrage_needs_no_repair():
    smile = SviSlice(0.04, 0.1, -0.3, 0.0, 0.3)
    assert nearest_repair(smile, 1.0) is smile


def test_a_put_wing_beyond_ssvi_is_refused():
    with pytest.raises(CalibrationError, match="put wing"):
        ssvi_repair(SviSlice(0.001, 1.2, -0.5, -0.05, 0.02), 1.0)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-0.03, 0.1),
    st.floats(0.02, 1.2),
    st.floats(-0.95, 0.95),
    st.floats(0.02, 0.5),
    st.sampled_from([0.01, 0.1, 0.5]),
    st.integers(0, 10_000),
)
def test_no_fit_is_ever_arbitrageable(a, b, rho, sigma, noise, seed):
    k = np.sort(np.random.default_rng(seed).uniform(-0.8, 0.8, 12))
    w = np.maximum(SviSlice(a, b, rho, 0.05, sigma).total_variance(k), 1e-4)
    first = fit_slice(SmileQuotes(0.5, k, w * np.exp(noise * np.random.default_rng(seed).standard_normal(12))))
    assert_free(first)
    # The same variances a year later, somewhat less: a calendar arbitrage in the quotes.
    second = fit_slice(SmileQuotes(1.5, k, 0.9 * w), first.smile)
    assert_free(second, first.smile)


def test_calendar_repair_leaves_quotes_alone_where_it_can():
    near = SviSlice(0.010, 0.12, -0.4, 0.0, 0.15)
    far = SviSlice(0.028, 0.10, -0.4, 0.0, 0.25)  # above at the quotes, but its wings are flatter
    fit = fit_slice(quoted(far, 2.0), near)
    assert_free(fit, near)
    assert [found.kind for found in fit.repair.found.violations] == [ArbitrageKind.CALENDAR]
    assert fit.worst_error < 0.002


def test_a_previous_smile_with_arbitrage_is_refused():
    with pytest.raises(CalibrationError, match="repair it first"):
        fit_slice(quoted(SviSlice.flat(0.01)), VOGT)


def test_calendar_gap():
    low, high = SviSlice.flat(0.04), SviSlice.flat(0.09)
    assert calendar_gap(low, high).value == pytest.approx(0.05)
    assert calendar_gap(high, low).value == pytest.approx(-0.05)
    assert calendar_gap(VOGT, VOGT).value == 0.0
    assert calendar_gap(VOGT, high).value == -math.inf  # wings that rise, then none
    narrow = SviSlice(0.0, 0.2, 0.0, 0.0, 0.1)
    assert calendar_gap(narrow, SviSlice(0.0, 0.2, 0.0, 0.5, 0.1)).value < -0.05


def test_wings_beyond_lee_are_reported():
    report = check_slices([0.5], [SviSlice(0.04, 1.5, 0.5, 0.0, 0.2)])
    assert {found.kind for found in report.violations} == {ArbitrageKind.WING, ArbitrageKind.BUTTERFLY}
    assert "exceeds 2 by 0.25" in str(report)
    assert not report.free
    assert str(check_slices([1.0], [SviSlice.flat(0.04)])) == "free of static arbitrage"


def test_line_minimum_finds_the_deeper_of_two_basins():
    found = line_minimum(lambda x: (x * x - 1.0) ** 2 + 0.1 * x, np.linspace(-3.0, 3.0, 61))
    assert found.where == pytest.approx(-1.0121, abs=1e-3)
    assert found.value == pytest.approx(
        np.min((np.linspace(-2, 2, 400_001) ** 2 - 1) ** 2 + 0.1 * np.linspace(-2, 2, 400_001))
    )


@pytest.mark.parametrize(
    ("k", "vols", "match"),
    [
        ([-0.1, 0.0, 0.1, 0.2], [0.2] * 4, "has 4 usable quotes"),
        ([-0.1, 0.0, 0.1, 0.2, 0.3], [0.2, 0.2, math.nan, 0.2, 0.2], "volatility must be finite and above 0, but nan"),
        ([-0.1, 0.0, 0.1, 0.2, 0.3], [0.2, 0.2, -0.1, 0.2, 0.2], r"volatility .* -0\.1 at k=0\.1"),
        ([-0.1, 0.0, math.inf, 0.2, 0.3], [0.2] * 5, "log-moneyness must be finite, but inf"),
        ([-0.1, 0.0, 0.0, 0.2, 0.3], [0.2] * 5, "different from that of every other"),
        ([-0.1, 0.0, 0.1], [0.2] * 5, "differ in length"),
        ([[-0.1, 0.0, 0.1, 0.2, 0.3]], [0.2] * 5, "one dimension"),
    ],
)
def test_bad_quotes(k, vols, match):
    with pytest.raises(CalibrationError, match=match):
        SmileQuotes.from_vols(1.0, k, vols)


def test_bad_expiry_and_weights():
    with pytest.raises(CalibrationError, match="expiry"):
        SmileQuotes.from_vols(0.0, K, np.full(15, 0.2))
    with pytest.raises(CalibrationError, match="weight must be finite and at least 0"):
        SmileQuotes(1.0, K, np.full(15, 0.04), np.full(15, -1.0))
    with pytest.raises(CalibrationError, match="total variance must be finite and above 0"):
        SmileQuotes(1.0, K, np.full(15, 0.0))
    with pytest.raises(CalibrationError, match="usable quotes"):
        SmileQuotes(1.0, K, np.full(15, 0.04), [1.0] * 4 + [0.0] * 11)


def test_a_missing_quote_of_no_weight_is_left_out():
    vols = np.full(15, 0.2)
    vols[3] = math.nan
    quotes = SmileQuotes.from_vols(1.0, K, vols, np.where(np.isnan(vols), 0.0, 1.0))
    assert len(quotes.log_moneyness) == 14


def test_crossed_quotes():
    bids = np.full(15, 0.19)
    asks = np.full(15, 0.21)
    assert SmileQuotes.from_bid_ask(1.0, K, bids, asks).vols == pytest.approx(0.2)
    bids[4] = 0.25
    with pytest.raises(CalibrationError, match=r"1 crossed quotes, .* bid 0\.25 is above ask 0\.21"):
        SmileQuotes.from_bid_ask(1.0, K, bids, asks)
    with pytest.raises(CalibrationError, match="a bid must be finite"):
        SmileQuotes.from_bid_ask(1.0, K, np.full(15, math.nan), asks)


def test_wide_quotes_weigh_less():
    smile = SviSlice(0.01, 0.1, -0.4, 0.05, 0.2)
    vols = np.sqrt(np.asarray(smile.total_variance(K)))
    half = np.full(15, 0.0005)
    moved = vols.copy()
    moved[7] += 0.02
    half[7] = 0.05
    fit = fit_slice(SmileQuotes.from_bid_ask(1.0, K, moved - half, moved + half))
    assert np.sqrt(fit.smile.total_variance(K[7])) == pytest.approx(vols[7], abs=1e-4)


def test_a_refit_is_as_near_as_can_be():
    # Volatilities that a plain SVI fits to 2e-5, with arbitrage far from the quotes. A Nelder-Mead search over exact
    # minima of g, from several starts, gets no nearer than a root mean square error of 0.0017991.
    k = np.linspace(-0.5, 0.5, 15)
    fit = fit_slice(SmileQuotes.from_vols(1.0, k, 0.2 * (1.0 + 0.6 * k) ** 2 + 0.01))
    assert_free(fit)
    assert fit.repair.method is RepairMethod.REFIT
    assert fit.rms_error < 0.0018

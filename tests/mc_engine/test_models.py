"""Models of the simulation against closed forms: normals, samplers of factors, and paths of one price.

Every statistical bound is a number of standard errors, of the sample or exact, at a fixed seed; nothing is compared
with an earlier run of itself.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import SimulationError
from bank_python.mc_engine.config import Sampling
from bank_python.mc_engine.factor_model import FactorModel, JumpTerms, VarianceTerms
from bank_python.mc_engine.heston_sampler import HestonSampler
from bank_python.mc_engine.paths import heston_paths, heston_terminal, merton_paths
from bank_python.mc_engine.quadratic_exponential import QuadraticExponential
from bank_python.mc_engine.samplers import (
    BootstrapSampler,
    GbmSampler,
    JumpSampler,
    StudentSampler,
    correlation_root,
    draw_normals,
    grow,
    market_loadings,
)
from bank_python.numerics.normal_draws import fill_normals
from bank_python.risk_models import HestonProcess, MertonJumpDiffusion

DTYPES = ["float64", "float32"]
RELATIVE = (True, True, False, True)
VOLS = np.array([0.2, 0.35, 0.3, 0.6])
CORRELATION = np.array(
    [
        [1.0, 0.6, -0.3, 0.2],
        [0.6, 1.0, -0.1, 0.4],
        [-0.3, -0.1, 1.0, 0.0],
        [0.2, 0.4, 0.0, 1.0],
    ]
)
HORIZON = 0.25
PATHS = 400_000
CHANCE = 1e-6
"""Probability that a correct program fails a tail count, on each side."""


def generator(seed):
    return np.random.Generator(np.random.SFC64(seed))


def covariance(vols=VOLS, correlation=CORRELATION, horizon=HORIZON):
    return correlation * np.outer(vols, vols) * horizon


def gbm(dtype="float64", sampling=Sampling.PLAIN, relative=RELATIVE, vols=VOLS, correlation=CORRELATION):
    return GbmSampler.of(relative, vols * math.sqrt(HORIZON), correlation, dtype, sampling)


def logs_of(moves, relative=RELATIVE):
    return np.where(np.array(relative)[:, None], np.log1p(np.where(np.array(relative)[:, None], moves, 0.0)), moves)


def assert_mean(sample, expected, errors=4.5, slack=0.0):
    """Compare the mean of independent draws with its expected value, in standard errors of the sample."""
    error = sample.std(ddof=1) / math.sqrt(sample.size)
    off = float(sample.mean() - expected)
    assert abs(off) <= errors * error + slack, f"mean {sample.mean()!r}, expected {expected!r}, se {error:.3g}"


def assert_covariance(logs, expected, errors=4.5):
    """Compare the mean product of deviations with the expected covariance, for every pair."""
    centred = logs - logs.mean(axis=1, keepdims=True)
    for i in range(len(logs)):
        for j in range(i + 1):
            assert_mean(centred[i] * centred[j], expected[i, j], errors)


# --- normals ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=DTYPES)
def many_normals(request):
    draws = np.empty(20_000_000, dtype=request.param)
    fill_normals(generator(20), draws)
    return draws


def test_normals_have_the_moments_of_normals(many_normals):
    n, sums = many_normals.size, np.zeros(6)
    for block in many_normals.reshape(-1, 100_000):
        once = block.astype(np.float64)
        power = np.ones_like(once)
        for k in range(6):
            power *= once
            sums[k] += power.sum()
    powers = (sums / n).tolist()
    # var of z^k is E z^2k - (E z^k)^2
    exact = [(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0), (0.0, 945.0), (15.0, 10_170.0)]
    for k, (got, (mean, variance)) in enumerate(zip(powers, exact, strict=True), start=1):
        assert abs(got - mean) < 4.5 * math.sqrt(variance / n), (k, got, mean)


@pytest.mark.parametrize("deviations", [1.0, 2.0, 3.0, 4.0, 5.0])
def test_normals_tails_are_as_thick_as_they_should_be(many_normals, deviations):
    chance = stats.norm.sf(deviations)
    low, high = stats.binom.ppf([CHANCE, 1.0 - CHANCE], many_normals.size, chance)
    above = int(np.count_nonzero(many_normals > deviations))
    below = int(np.count_nonzero(many_normals < -deviations))
    assert low <= above <= high, (deviations, low, above, high)
    assert low <= below <= high, (deviations, low, below, high)


def test_normals_end_where_a_uniform_of_32_bits_ends(many_normals):
    furthest = math.sqrt(2.0 * 33.0 * math.log(2.0))
    assert 5.0 < float(np.abs(many_normals).max()) <= furthest + 1e-5


def test_normals_are_normal_everywhere_between():
    draws = np.empty(1_000_000)
    fill_normals(generator(21), draws)
    assert stats.kstest(draws, "norm").pvalue > 1e-4


@pytest.mark.parametrize("size", [65_536, 4_096])
def test_the_two_normals_of_a_pair_are_independent(size):
    drawn = np.concatenate([_pair(generator(seed), size) for seed in range(4_000_000 // size)], axis=1)
    first, second = drawn.astype(np.float64)
    n = first.size
    for name, a, b, spread in (
        ("product", first, second, 1.0),
        ("squares", first**2 - 1.0, second**2 - 1.0, 2.0),
        ("sizes", np.abs(first) - math.sqrt(2.0 / math.pi), np.abs(second) - math.sqrt(2.0 / math.pi), 1 - 2 / math.pi),
    ):
        assert abs(float(np.mean(a * b))) < 4.5 * spread / math.sqrt(n), name
    both = int(np.count_nonzero((np.abs(first) > 2.5) & (np.abs(second) > 2.5)))
    low, high = stats.binom.ppf([CHANCE, 1.0 - CHANCE], n, (2.0 * stats.norm.sf(2.5)) ** 2)
    assert low <= both <= high


def _pair(rng, size):
    draws = np.empty(size, dtype=np.float32)
    fill_normals(rng, draws)
    return draws.reshape(2, -1)


def test_successive_normals_are_not_correlated():
    draws = np.empty(4_000_000, dtype=np.float32)
    fill_normals(generator(22), draws)
    wide = draws.astype(np.float64)
    for lag in (1, 2, 4_096, 32_768, 65_536):
        assert abs(float(np.mean(wide[lag:] * wide[:-lag]))) < 4.5 / math.sqrt(wide.size - lag), lag


@given(shape=st.lists(st.integers(0, 300), min_size=1, max_size=3), seed=st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_normals_are_the_same_in_both_precisions_and_all_filled(shape, seed):
    single, double = np.full(shape, np.nan, dtype=np.float32), np.full(shape, np.nan)
    fill_normals(generator(seed), single)
    fill_normals(generator(seed), double)
    assert np.isfinite(double).all()
    assert (single == double).all()


@pytest.mark.parametrize("count", [65_535, 65_536, 65_537, 131_073])
def test_normals_are_filled_across_the_seams_of_blocks(count):
    draws = np.full(count, np.nan)
    fill_normals(generator(1), draws)
    assert np.isfinite(draws).all()
    assert np.unique(draws).size > 0.999 * count


# --- sampling methods ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_antithetic_halves_mirror_each_other(dtype, size):
    draws = draw_normals(generator(1), 3, size, dtype, Sampling.ANTITHETIC)
    half = (size + 1) // 2
    assert draws.shape == (3, size)
    assert draws.dtype == np.dtype(dtype)
    assert (draws[:, half:] == -draws[:, : size - half]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_matched_moments_match(dtype):
    draws = draw_normals(generator(1), 5, 4_096, dtype, Sampling.MOMENT_MATCHED).astype(np.float64)
    rounding = 1e-12 if dtype == "float64" else 1e-6
    assert np.abs(draws.mean(axis=1)).max() < rounding
    assert np.abs(draws.std(axis=1) - 1.0).max() < rounding


@given(relative=st.lists(st.booleans(), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_growth_is_taken_of_relative_rows_only(relative):
    logs = np.linspace(-1.0, 1.0, 3 * len(relative)).reshape(len(relative), 3)
    expected = np.array([np.expm1(row) if flag else row for row, flag in zip(logs, relative, strict=True)])
    assert np.array_equal(grow(logs.copy(), tuple(relative)), expected)


def test_the_root_of_a_correlation_squares_to_it():
    singular = np.array([[1.0, 1.0, 0.5], [1.0, 1.0, 0.5], [0.5, 0.5, 1.0]])
    for matrix in (CORRELATION, singular, np.ones((3, 3)), np.eye(2)):
        root = correlation_root(matrix)
        assert np.allclose(root @ root.T, matrix, atol=1e-7)


# --- Gaussian --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sampling", list(Sampling))
def test_gbm_grows_by_nothing_and_has_its_covariance(dtype, sampling):
    moves = gbm(dtype, sampling).draw(generator(3), PATHS)
    assert moves.dtype == np.dtype(dtype)
    wide = moves.astype(np.float64)
    for row in wide:
        assert_mean(row, 0.0)
    assert_covariance(logs_of(wide), covariance())


def test_gbm_is_lognormal_and_shifts_are_normal():
    moves = gbm().draw(generator(5), PATHS)
    deviations = VOLS * math.sqrt(HORIZON)
    assert stats.kstest(np.log1p(moves[0]), "norm", (-0.5 * deviations[0] ** 2, deviations[0])).pvalue > 1e-4
    assert stats.kstest(moves[2], "norm", (0.0, deviations[2])).pvalue > 1e-4


def test_perfectly_correlated_factors_move_as_one():
    ones = np.ones((2, 2))
    moves = gbm(relative=(True, True), vols=np.array([0.3, 0.3]), correlation=ones).draw(generator(6), 1_000)
    assert np.abs(moves[0] - moves[1]).max() < 1e-7


def test_a_still_factor_does_not_move():
    moves = gbm(vols=np.array([0.2, 0.0, 0.0, 0.6])).draw(generator(6), 1_000)
    assert (moves[1:3] == 0.0).all()
    assert moves[0].std() > 0.0


# --- Student's t -----------------------------------------------------------------------------------------------------


def student(degrees, dtype="float64"):
    normal = gbm(dtype)
    return StudentSampler(GbmSampler(RELATIVE, normal.root, np.zeros_like(normal.drift), Sampling.PLAIN), degrees)


@pytest.mark.parametrize("dtype", DTYPES)
def test_t_has_the_covariance_of_the_factor_model(dtype):
    logs = logs_of(student(12.0, dtype).draw(generator(7), PATHS).astype(np.float64))
    for row in logs:
        assert_mean(row, 0.0)
    assert_covariance(logs, covariance())


@pytest.mark.parametrize("degrees", [3.0, 5.0, 12.0])
def test_t_is_distributed_as_a_t_scaled_to_the_volatility(degrees):
    logs = logs_of(student(degrees).draw(generator(8), PATHS))
    for i in range(4):
        scale = VOLS[i] * math.sqrt(HORIZON * (degrees - 2.0) / degrees)
        assert stats.kstest(logs[i], "t", (degrees, 0.0, scale)).pvalue > 1e-4, i


def test_t_has_its_kurtosis_and_one_factor_common_to_all():
    degrees = 16.0
    normal = gbm(correlation=np.eye(4))
    sampler = StudentSampler(GbmSampler(RELATIVE, normal.root, np.zeros_like(normal.drift), Sampling.PLAIN), degrees)
    unit = logs_of(sampler.draw(generator(9), 2 * PATHS)) / (VOLS * math.sqrt(HORIZON))[:, None]
    mixed = (degrees - 2.0) / (degrees - 4.0)  # E W² of the mixing variable with E W = 1
    for i in range(4):
        assert_mean(unit[i] ** 4, 3.0 * mixed)
        assert_mean(unit[i] ** 2 * unit[(i + 1) % 4] ** 2, mixed)


# --- jumps -----------------------------------------------------------------------------------------------------------

PRICES = [i for i, relative in enumerate(RELATIVE) if relative][:2]
JUMPS = JumpTerms(common_intensity=2.0, common_mean=-0.3, common_deviation=0.2, own_intensity=3.0, own_deviation=0.25)


def jumps(dtype="float64", terms=JUMPS, sampling=Sampling.PLAIN):
    return JumpSampler.of(RELATIVE, VOLS, CORRELATION, terms, PRICES, HORIZON, dtype, sampling)


def jump_cumulants(loading, vol, terms=JUMPS):
    """Second to fourth cumulant of a compound Poisson process with normal jumps: rate times the jumps' raw moment."""
    mean, deviation, own = loading * terms.common_mean, abs(loading) * terms.common_deviation, terms.own_deviation
    common = (
        mean**2 + deviation**2,
        mean**3 + 3.0 * mean * deviation**2,
        mean**4 + 6.0 * mean**2 * deviation**2 + 3.0 * deviation**4,
    )
    single = (own**2, 0.0, 3.0 * own**4)
    both = (terms.common_intensity * c + terms.own_intensity * s for c, s in zip(common, single, strict=True))
    return [HORIZON * vol**power * moment for power, moment in zip((2, 3, 4), both, strict=True)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sampling", list(Sampling))
def test_jumps_bring_no_drift_and_leave_the_variance_as_it_was(dtype, sampling):
    moves = jumps(dtype, sampling=sampling).draw(generator(10), PATHS).astype(np.float64)
    logs = logs_of(moves)
    for i in range(4):
        assert_mean(moves[i], 0.0)
        assert_mean((logs[i] - logs[i].mean()) ** 2, VOLS[i] ** 2 * HORIZON)


def test_jumps_skew_and_fatten_as_a_compound_poisson_process_does():
    logs = logs_of(jumps().draw(generator(11), 2 * PATHS))
    loadings = market_loadings(CORRELATION, PRICES)
    for i in range(4):
        _, third, fourth = jump_cumulants(loadings[i], VOLS[i])
        variance = VOLS[i] ** 2 * HORIZON
        centred = logs[i] - logs[i].mean()
        # the mean is estimated too: its error changes the third power by 3 · variance · error
        assert_mean(centred**3 - 3.0 * variance * centred, third)
        assert_mean(centred**4, fourth + 3.0 * variance**2)


def test_jumps_take_their_share_of_the_variance():
    loadings = market_loadings(CORRELATION, PRICES)
    sampler = jumps()
    diffused = np.diag(sampler.diffusion.root @ sampler.diffusion.root.T)
    jumped = np.array([jump_cumulants(loading, vol)[0] for loading, vol in zip(loadings, VOLS, strict=True)])
    assert np.allclose(diffused + jumped, VOLS**2 * HORIZON, rtol=1e-12)
    fully = JumpSampler.of((True,), np.array([0.3]), np.eye(1), JUMPS, [0], HORIZON, "float64", Sampling.PLAIN)
    left = float(fully.diffusion.root[0, 0] ** 2) / (0.09 * HORIZON)
    assert math.isclose(left, 1.0 - JUMPS.share, rel_tol=1e-12)


def test_jumps_move_together_by_loading_and_the_rest_by_the_correlation():
    logs = logs_of(jumps().draw(generator(12), PATHS))
    sampler, loadings = jumps(), market_loadings(CORRELATION, PRICES)
    hit = JUMPS.common_intensity * (JUMPS.common_mean**2 + JUMPS.common_deviation**2) * HORIZON
    own = JUMPS.own_intensity * JUMPS.own_deviation**2 * HORIZON
    expected = sampler.diffusion.root @ sampler.diffusion.root.T
    expected = expected + hit * np.outer(VOLS * loadings, VOLS * loadings) + np.diag(own * VOLS**2)
    assert_covariance(logs, expected)


def test_one_price_with_common_jumps_only_is_mertons():
    terms = JumpTerms(common_intensity=2.0, common_mean=-0.3, common_deviation=0.2, own_intensity=0.0)
    vol = 0.4
    sampler = JumpSampler.of((True,), np.array([vol]), np.eye(1), terms, [0], 1.0, "float64", Sampling.PLAIN)
    ends = 100.0 * (1.0 + sampler.draw(generator(13), PATHS)[0])
    merton = MertonJumpDiffusion(vol * math.sqrt(1.0 - terms.share), 2.0, -0.3 * vol, 0.2 * vol)
    for strike in (60.0, 80.0, 100.0, 120.0, 160.0):
        assert_mean(np.maximum(ends - strike, 0.0), float(merton.price(100.0, strike, 1.0, 0.0)))


def test_jumps_that_never_come_leave_gbm():
    terms = JumpTerms(common_intensity=0.0, own_intensity=0.0)
    assert np.array_equal(jumps(terms=terms).draw(generator(14), 1_000), gbm().draw(generator(14), 1_000))


def test_loadings_are_correlations_with_all_prices_together():
    draws = np.random.default_rng(40).standard_normal((400_000, 4)) @ np.linalg.cholesky(CORRELATION).T
    market = draws[:, PRICES].sum(axis=1)
    found = [np.corrcoef(draws[:, i], market)[0, 1] for i in range(4)]
    assert np.allclose(market_loadings(CORRELATION, PRICES), found, atol=0.01)
    assert np.allclose(market_loadings(np.eye(4), []), 0.5)


def test_a_crash_is_a_crash_whatever_else_is_held():
    correlation = np.full((5, 5), -0.6)  # two shares beside three volatilities
    correlation[:2, :2], correlation[2:, 2:] = 0.5, 0.8
    np.fill_diagonal(correlation, 1.0)
    loadings = market_loadings(correlation, [0, 1])
    assert (loadings[:2] > 0.0).all()
    assert (loadings[2:] < 0.0).all()


# --- past days -------------------------------------------------------------------------------------------------------


def residuals(days=250):
    root = np.linalg.cholesky(CORRELATION)
    return np.random.default_rng(15).standard_t(5.0, (days, 4)) * math.sqrt(3.0 / 5.0) @ root.T


def bootstrap(days=1.0, dtype="float64"):
    return BootstrapSampler.of(RELATIVE, residuals(), VOLS / math.sqrt(252.0), days, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bootstrap_draws_past_days_and_nothing_else(dtype):
    past = residuals()
    moves = (past - past.mean(axis=0)) / past.std(axis=0) * VOLS / math.sqrt(252.0)
    levels = np.where(RELATIVE, np.exp(moves) / np.exp(moves).mean(axis=0) - 1.0, moves)
    drawn = bootstrap(dtype=dtype).draw(generator(16), 20_000).astype(np.float64)
    rounding = 1e-12 if dtype == "float64" else 1e-6
    nearest = np.abs(drawn[0][:, None] - levels[:, 0]).argmin(axis=1)
    assert np.abs(drawn - levels[nearest].T).max() < rounding
    assert np.unique(nearest).size == len(past)


@pytest.mark.parametrize("days", [0.5, 1.0, 2.5, 5.0, 10.4])
def test_bootstrap_grows_by_nothing_and_has_the_past_covariance(days):
    sampler = bootstrap(days)
    moves = sampler.draw(generator(17), PATHS)
    for row in moves:
        assert_mean(row, 0.0)
    past = residuals()
    daily = np.corrcoef(past.T) * np.outer(VOLS, VOLS) / 252.0  # at the factor model's volatilities
    assert_covariance(logs_of(moves), daily * days)


def test_bootstrap_days_are_equally_likely():
    sampler = bootstrap()
    drawn = sampler.draw(generator(18), 250_000)[2]
    counts = np.unique(drawn, return_counts=True)[1]
    assert counts.size == 250
    assert stats.chisquare(counts).pvalue > 1e-4


def test_bootstrap_needs_a_past():
    with pytest.raises(SimulationError, match="calibrate it from a history"):
        BootstrapSampler.of(RELATIVE, None, VOLS, 1.0, "float64")


@pytest.mark.parametrize("make", [gbm, jumps, lambda dtype: student(5.0, dtype), lambda dtype: bootstrap(3.0, dtype)])
def test_scenarios_are_the_same_in_both_precisions(make):
    double, single = (make(dtype).draw(generator(19), 4_096) for dtype in DTYPES)
    assert single.dtype == np.float32
    assert np.abs(double - single).max() < 2e-6


# --- Heston, one price -----------------------------------------------------------------------------------------------

# L. Andersen, "Simple and efficient simulation of the Heston stochastic volatility model", Journal of Computational
# Finance 11 (2008): test cases I to III, calls on 100 struck at 60, 100 and 140; III at a rate of 5 %.
ANDERSEN = {
    "I": (HestonProcess(v0=0.04, kappa=0.5, theta=0.04, sigma=1.0, rho=-0.9), 10.0, 0.0, (44.330, 13.085, 0.296)),
    "II": (HestonProcess(v0=0.04, kappa=0.3, theta=0.04, sigma=0.9, rho=-0.5), 15.0, 0.0, (45.287, 16.649, 5.138)),
    "III": (HestonProcess(v0=0.09, kappa=1.0, theta=0.09, sigma=1.0, rho=-0.3), 5.0, 0.05, (56.575, 33.597, 18.157)),
}
STRIKES = (60.0, 100.0, 140.0)


@pytest.mark.parametrize("case", ANDERSEN)
def test_heston_prices_of_andersens_cases(case):
    process, years, rate, published = ANDERSEN[case]
    growth = heston_terminal(process, years=years, n_steps=round(4 * years), n_paths=PATHS, seed=20)
    assert_mean(growth, 1.0)
    for strike, price in zip(STRIKES, published, strict=True):
        paid = math.exp(-rate * years) * np.maximum(100.0 * math.exp(rate * years) * growth - strike, 0.0)
        assert_mean(paid, price, errors=4.0, slack=0.03)
        exact = float(process.price(100.0, strike, years, 0.0))
        assert_mean(np.maximum(100.0 * growth - strike, 0.0), exact, errors=4.0, slack=0.03)


def cir_moments(process, years):
    """Exact mean and variance of the variance (Cox, Ingersoll and Ross 1985, equation 19)."""
    k, theta, sigma, v0 = process.kappa, process.theta, process.sigma, process.v0
    decay = math.exp(-k * years)
    mean = theta + (v0 - theta) * decay
    variance = v0 * sigma**2 / k * (decay - decay**2) + theta * sigma**2 / (2.0 * k) * (1.0 - decay) ** 2
    return mean, variance


@pytest.mark.parametrize("case", ANDERSEN)
@pytest.mark.parametrize("v0", [0.0, 0.01, 0.3])
def test_the_variance_has_its_exact_moments_after_any_number_of_steps(case, v0):
    process = ANDERSEN[case][0]
    process = HestonProcess(v0=v0, kappa=process.kappa, theta=process.theta, sigma=process.sigma, rho=process.rho)
    paths = heston_paths(process, 100.0, years=1.0, n_steps=4, n_paths=100_000, seed=21)
    assert (paths.variances >= 0.0).all()
    for i in range(1, 5):
        mean, variance = cir_moments(process, i / 4.0)
        assert_mean(paths.variances[i], mean)
        assert_mean((paths.variances[i] - mean) ** 2, variance)
        assert_mean(paths.prices[i], 100.0)


def test_one_step_of_the_variance_is_nearly_a_noncentral_chi_square():
    process = HestonProcess(v0=0.04, kappa=2.0, theta=0.04, sigma=0.3, rho=-0.5)
    step = 1.0 / 12.0
    drawn = heston_paths(process, 1.0, years=step, n_steps=1, n_paths=PATHS, seed=22).variances[1]
    scale = process.sigma**2 * -math.expm1(-process.kappa * step) / (4.0 * process.kappa)
    factor_model = stats.ncx2(
        4.0 * process.kappa * process.theta / process.sigma**2,
        process.v0 * math.exp(-process.kappa * step) / scale,
        scale=scale,
    )
    for level in (0.01, 0.1, 0.5, 0.9, 0.99):
        assert abs(float((drawn <= factor_model.ppf(level)).mean()) - level) < 0.005, level


def test_heston_with_carry_grows_at_it():
    process = ANDERSEN["III"][0]
    paths = heston_paths(process, 50.0, years=2.0, n_steps=8, n_paths=200_000, rate=0.05, dividend=0.02, seed=23)
    assert paths.prices.shape == paths.variances.shape == (9, 200_000)
    assert (paths.prices[0] == 50.0).all()
    assert (paths.variances[0] == 0.09).all()
    for i in range(1, 9):
        assert_mean(paths.prices[i], 50.0 * math.exp(0.03 * i / 4.0))


def test_heston_ends_are_the_ends_of_its_paths():
    process = ANDERSEN["I"][0]
    paths = heston_paths(process, 1.0, years=1.0, n_steps=3, n_paths=10_000, seed=24)
    ends = heston_terminal(process, years=1.0, n_steps=3, n_paths=10_000, seed=24)
    assert np.array_equal(paths.prices[-1], ends)


def step_by_quadrature(scheme, process, step):
    """Take one step at the nodes of a quadrature over its random numbers.

    Returns weights, the variances reached, and given each the mean and the deviation of the price's logarithm, which is
    normal then: they are had of a step with a normal of 0 and one with 1.
    """
    mean, spread = cir_moments(process, step)
    psi = spread / mean**2
    if psi <= 1.5:
        nodes = np.linspace(-30.0, 30.0, 6_001)
        weights = np.exp(-0.5 * nodes**2) * (nodes[1] - nodes[0]) / math.sqrt(2.0 * math.pi)
        uniforms = np.full_like(nodes, 0.5)
    else:
        rest = 2.0 / (psi + 1.0)
        lengths = np.linspace(-40.0, math.log(600.0), 6_001)
        x = np.exp(lengths)
        weights = np.append(rest * x * np.exp(-x) * (lengths[1] - lengths[0]), 1.0 - rest)
        uniforms = np.append(rest * np.exp(-x), 1.0)
        nodes = np.zeros_like(uniforms)
    reached = []
    for normal in (0.0, 1.0):
        logs, variance = np.zeros((1, nodes.size)), np.full((1, nodes.size), float(process.v0))
        scheme.advance(logs, variance, np.full_like(logs, normal), nodes[None].copy(), uniforms[None].copy())
        reached.append(logs[0])
    return weights, variance[0], reached[0], reached[1] - reached[0]


@given(
    kappa=st.floats(0.05, 8.0),
    theta=st.floats(1e-4, 1.0),
    sigma=st.floats(0.01, 3.0),
    rho=st.floats(-1.0, 0.2),
    v0=st.just(0.0) | st.floats(1e-6, 2.0),
    step=st.floats(1e-3, 0.5),
)
@settings(max_examples=200, deadline=None)
def test_a_step_of_any_terms_is_a_martingale_and_has_the_exact_moments_of_the_variance(
    kappa, theta, sigma, rho, v0, step
):
    try:
        scheme = QuadraticExponential.of(kappa, theta, sigma, rho, step)
    except SimulationError:
        return  # refused, as documented: the step is too long
    process = HestonProcess(v0=v0, kappa=kappa, theta=theta, sigma=sigma, rho=rho)
    mean, spread = cir_moments(process, step)
    assume(abs(spread / mean**2 - 1.5) > 1e-9)  # at the border, rounding decides between the two distributions
    weights, variance, log, deviation = step_by_quadrature(scheme, process, step)
    assert math.isclose(weights.sum(), 1.0, rel_tol=1e-10)
    assert (variance >= 0.0).all()
    assert math.isclose(float(weights @ variance), mean, rel_tol=1e-8)
    assert math.isclose(float(weights @ (variance - mean) ** 2), spread, rel_tol=1e-8)
    with np.errstate(over="ignore", under="ignore"):
        grown = float(np.exp(log + 0.5 * deviation**2 + np.log(np.maximum(weights, 1e-300))).sum())
    assert math.isclose(grown, 1.0, rel_tol=1e-7)
    # Andersen's K2, K3 and K4 with both weights in time 1/2
    after = 0.5 * step * (kappa * rho / sigma - 0.5) + rho / sigma
    usual = np.abs(variance - mean) < 20.0 * math.sqrt(spread)
    assert np.allclose(np.diff(log[usual]), after * np.diff(variance[usual]), rtol=1e-6, atol=1e-9)
    assert np.allclose(deviation**2, 0.5 * step * (1.0 - rho**2) * (v0 + variance), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("kappa", "theta", "sigma", "rho", "step"),
    [
        (0.0, 0.04, 0.5, -0.5, 0.1),
        (1.0, 0.0, 0.5, -0.5, 0.1),
        (1.0, 0.04, 0.0, -0.5, 0.1),
        (1.0, 0.04, 0.5, -1.1, 0.1),
        (1.0, 0.04, 0.5, -0.5, 0.0),
        (math.nan, 0.04, 0.5, -0.5, 0.1),
        (1.0, math.nan, 0.5, -0.5, 0.1),
        (1.0, 0.04, 0.5, math.nan, 0.1),
        (1.0, 0.04, 0.5, -0.5, math.nan),
    ],
)
def test_terms_without_sense_are_refused(kappa, theta, sigma, rho, step):
    with pytest.raises(SimulationError, match="correct the parameters"):
        QuadraticExponential.of(kappa, theta, sigma, rho, step)


def test_a_step_too_long_for_a_mean_is_refused():
    with pytest.raises(SimulationError, match="take more steps"):
        QuadraticExponential.of(0.5, 0.04, 1.0, 0.9, 10.0)
    QuadraticExponential.of(0.5, 0.04, 1.0, 0.9, 0.01)


# --- Merton, one price -----------------------------------------------------------------------------------------------

MERTONS = [
    MertonJumpDiffusion(0.15, 0.5, -0.2, 0.1),
    MertonJumpDiffusion(0.2, 3.0, 0.05, 0.15),
    MertonJumpDiffusion(0.0, 8.0, -0.02, 0.1),
    MertonJumpDiffusion(0.3, 0.0, -0.5, 0.3),
]


@pytest.mark.parametrize("process", MERTONS, ids=str)
@pytest.mark.parametrize("n_steps", [1, 4])
def test_merton_prices(process, n_steps):
    paths = merton_paths(process, 100.0, years=0.5, n_steps=n_steps, n_paths=200_000, rate=0.04, dividend=0.01, seed=30)
    assert paths.shape == (n_steps + 1, 200_000)
    assert (paths[0] == 100.0).all()
    assert_mean(paths[-1], 100.0 * math.exp(0.03 * 0.5))
    discount = math.exp(-0.04 * 0.5)
    for strike in (70.0, 90.0, 100.0, 110.0, 140.0):
        for is_call in (True, False):
            paid = np.maximum((paths[-1] - strike) * (1.0 if is_call else -1.0), 0.0)
            exact = float(process.price(100.0, strike, 0.5, 0.04, 0.01, is_call=is_call))
            assert_mean(discount * paid, exact)


def test_merton_steps_are_independent_and_alike():
    process = MertonJumpDiffusion(0.2, 4.0, -0.1, 0.1)
    paths = merton_paths(process, 1.0, years=1.0, n_steps=4, n_paths=200_000, seed=31)
    steps = np.diff(np.log(paths), axis=0)
    mean, variance = process.cumulants(0.25)[:2]
    for step in steps:
        assert_mean(step, mean)
        assert_mean((step - mean) ** 2, variance)
    assert_mean((steps[0] - mean) * (steps[1] - mean), 0.0)


@pytest.mark.parametrize(
    ("years", "n_steps", "n_paths"),
    [(0.0, 1, 1), (-1.0, 1, 1), (math.nan, 1, 1), (math.inf, 1, 1), (1.0, 0, 1), (1.0, 1, 0)],
)
def test_paths_refuse_what_makes_no_sense(years, n_steps, n_paths):
    heston, merton = ANDERSEN["I"][0], MERTONS[0]
    for call in (
        lambda: heston_paths(heston, 1.0, years=years, n_steps=n_steps, n_paths=n_paths),
        lambda: heston_terminal(heston, years=years, n_steps=n_steps, n_paths=n_paths),
        lambda: merton_paths(merton, 1.0, years=years, n_steps=n_steps, n_paths=n_paths),
    ):
        with pytest.raises(SimulationError, match="years"):
            call()


def test_paths_of_a_seed_do_not_depend_on_how_many_follow():
    process = ANDERSEN["III"][0]
    few = heston_paths(process, 1.0, years=1.0, n_steps=2, n_paths=8_192, seed=5)
    many = heston_paths(process, 1.0, years=1.0, n_steps=2, n_paths=20_000, seed=5)
    other = heston_paths(process, 1.0, years=1.0, n_steps=2, n_paths=8_192, seed=6)
    assert np.array_equal(few.prices, many.prices[:, :8_192])
    assert not np.array_equal(few.prices, other.prices)


# --- Heston, many prices ---------------------------------------------------------------------------------------------

NAMES = ("A", "B", "RATE", "FX", "A_VOL", "B_VOL")
MANY = FactorModel.given(
    {"A": 0.2, "B": 0.4, "RATE": 0.01, "FX": 0.1, "A_VOL": 0.8, "B_VOL": 0.5},
    [
        [1.0, 0.7, -0.3, 0.2, 0.0, 0.0],
        [0.7, 1.0, -0.2, 0.4, 0.0, 0.0],
        [-0.3, -0.2, 1.0, 0.1, 0.0, 0.0],
        [0.2, 0.4, 0.1, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
    ],
    absolute={"RATE"},
    variance=VarianceTerms(kappa=2.0, vol_of_vol=1.2, rho=-0.6, long_run={"B": 0.3}, tenor=0.25),
)
FOLLOWS = {4: 0, 5: 1}


def heston_sampler(horizon=HORIZON, n_steps=6, dtype="float64", sampling=Sampling.PLAIN, factor_model=MANY):
    return HestonSampler.of(factor_model, range(6), [0, 1], FOLLOWS, horizon, n_steps, dtype, sampling)


def process_of(name):
    """Return the one-price process of the factor model: sigma = vol_of_vol · sqrt(theta)."""
    vol = float(MANY.vols[MANY.names.index(name)])
    theta = MANY.variance.long_run.get(name, vol) ** 2
    return HestonProcess(v0=vol**2, kappa=2.0, theta=theta, sigma=1.2 * math.sqrt(theta), rho=-0.6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sampling", list(Sampling))
def test_heston_factors_that_are_drawn_and_not_implied_grow_by_nothing(dtype, sampling):
    moves = heston_sampler(dtype=dtype, sampling=sampling).draw(generator(40), 100_000)
    assert moves.shape == (6, 100_000)
    assert moves.dtype == np.dtype(dtype)
    for row in moves[:4].astype(np.float64):
        assert_mean(row, 0.0)


@pytest.mark.parametrize("name", ["A", "B"])
def test_each_price_among_many_is_distributed_as_a_single_price(name):
    moves = heston_sampler().draw(generator(41), 200_000)[NAMES.index(name)]
    single = heston_terminal(process_of(name), years=HORIZON, n_steps=6, n_paths=200_000, seed=42)
    assert stats.ks_2samp(1.0 + moves, single).pvalue > 1e-4
    for strike in (0.8, 1.0, 1.2):
        assert_mean(np.maximum(1.0 + moves - strike, 0.0), float(process_of(name).price(1.0, strike, HORIZON, 0.0)))


def test_heston_correlates_prices_and_the_rest_as_the_law_says():
    logs = logs_of(heston_sampler(horizon=1.0 / 252.0, n_steps=1).draw(generator(43), PATHS)[:4], MANY.relative[:4])
    assert np.abs(np.corrcoef(logs) - MANY.correlation[:4, :4])[2:, 2:].max() < 5.0 / math.sqrt(PATHS)
    assert abs(np.corrcoef(logs)[0, 1] - 0.7) < 0.01
    # a price shares its normal with its variance, so that its correlation with other factors is at least sqrt(1 - rho²)
    kept = math.sqrt(1.0 - 0.6**2)
    for i in (0, 1):
        for j in (2, 3):
            assert kept - 0.05 < np.corrcoef(logs)[i, j] / MANY.correlation[i, j] < 1.05, (i, j)


def test_gaussian_factors_beside_heston_keep_their_covariance():
    logs = logs_of(heston_sampler().draw(generator(44), PATHS), MANY.relative)[2:4]
    expected = MANY.covariance(["RATE", "FX"], HORIZON)
    assert_covariance(logs, expected)


def implied_variances(moves):
    """Invert the followers: from an implied volatility's growth, the variance reached."""
    found = {}
    for vol, name in ((4, "A"), (5, "B")):
        process = process_of(name)
        weight = (1.0 - math.exp(-2.0 * 0.25)) / (2.0 * 0.25)
        shift = process.theta * (1.0 - weight)
        found[name] = ((1.0 + moves[vol]) ** 2 * (weight * process.v0 + shift) - shift) / weight
    return found


def test_implied_volatilities_follow_the_expected_variance():
    moves = heston_sampler().draw(generator(45), 200_000)
    for name, variances in implied_variances(moves).items():
        mean, variance = cir_moments(process_of(name), HORIZON)
        assert variances.min() > -1e-12
        assert_mean(variances, mean)
        assert_mean((variances - mean) ** 2, variance)


def test_a_price_and_its_variance_are_correlated_by_rho_and_variances_as_prices():
    moves = heston_sampler(horizon=1.0 / 252.0, n_steps=1).draw(generator(46), PATHS)
    found = implied_variances(moves)
    for i, name in enumerate(("A", "B")):
        assert abs(np.corrcoef(np.log1p(moves[i]), found[name])[0, 1] + 0.6) < 0.01
    assert abs(np.corrcoef(found["A"], found["B"])[0, 1] - 0.7) < 0.01


def test_heston_is_the_same_in_both_precisions():
    double, single = (heston_sampler(dtype=dtype).draw(generator(47), 4_096) for dtype in DTYPES)
    assert np.array_equal(double.astype(np.float32), single)


def test_heston_with_a_variance_that_hardly_moves_is_gbm():
    factor_model = FactorModel.given({"A": 0.3}, variance=VarianceTerms(vol_of_vol=0.0))
    moves = HestonSampler.of(factor_model, [0], [0], {}, HORIZON, 3, "float64", Sampling.PLAIN).draw(
        generator(48), 200_000
    )
    deviation = 0.3 * math.sqrt(HORIZON)
    assert stats.kstest(np.log1p(moves[0]), "norm", (-0.5 * deviation**2, deviation)).pvalue > 1e-4

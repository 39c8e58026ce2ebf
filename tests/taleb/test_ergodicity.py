"""Ensemble and time averages, the best leverage, and ruin: closed forms, exact enumeration, bad input."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk import kelly_growth
from bank_python.taleb.ergodicity import RuinMethod, ergodicity_gap, ruin_probability

COIN = [0.5, -0.4] * 50


def test_peters_coin():
    # Peters (2019): the mean grows by 5% a round, one wealth shrinks by about 5.1% (a factor of sqrt(1.5 * 0.6))
    gap = ergodicity_gap(COIN)
    assert math.exp(gap.ensemble_growth) == pytest.approx(1.05, rel=1e-14)
    assert math.exp(gap.time_growth) == pytest.approx(math.sqrt(0.9), rel=1e-14)
    assert gap.gap == gap.ensemble_growth - gap.time_growth
    # half of (1 + 0.5 f)(1 - 0.4 f) is largest at f = 1/4
    assert gap.optimal_leverage == pytest.approx(0.25, rel=1e-10)
    assert gap.ruin_leverage == pytest.approx(2.5)


def test_kelly_bet():
    # Kelly (1956): an even bet won with probability 0.6 has the fraction 0.2 and the growth 0.02013551355
    gap = ergodicity_gap([1.0] * 60 + [-1.0] * 40, 0.2)
    assert gap.optimal_leverage == pytest.approx(0.2, rel=1e-10)
    assert gap.optimal_growth == pytest.approx(0.02013551355068882, rel=1e-10)
    assert gap.time_growth == pytest.approx(kelly_growth(0.2, 0.6, 1.0), rel=1e-12)


@pytest.mark.parametrize("leverage", [2.5, 3.0])
def test_ruin_is_said(leverage):
    gap = ergodicity_gap(COIN, leverage)
    assert (gap.time_growth, gap.gap, gap.ruinous_returns) == (-math.inf, math.inf, 50)
    assert math.isfinite(gap.ensemble_growth)
    assert "50 of 100 observed returns leave nothing" in gap.verdict
    assert "less than 2.5" in gap.verdict


def test_one_sign_only():
    gap = ergodicity_gap(np.linspace(0.01, 0.02, 10))
    assert (gap.optimal_leverage, gap.optimal_growth, gap.ruin_leverage) == (math.inf, math.inf, math.inf)
    assert "one sign only" in gap.verdict
    assert ergodicity_gap(np.linspace(-0.02, -0.01, 10)).optimal_leverage == -math.inf


@settings(deadline=None)
@given(st.lists(st.floats(-0.9, 2.0), min_size=10, max_size=60), st.floats(-0.3, 1.0))
def test_mean_grows_no_slower_than_one_wealth(returns, leverage):
    if np.ptp(returns) < 1e-6:
        return
    gap = ergodicity_gap(returns, leverage)
    assert gap.gap >= -1e-12  # Jensen's inequality; rounding of two logarithms
    if math.isfinite(gap.optimal_leverage):
        assert gap.optimal_growth >= gap.time_growth - 1e-12


def exact_ruin(leverage, horizon, threshold):
    """Return the probability of ruin of a fair coin by all sequences."""
    up, down = math.log1p(0.5 * leverage), math.log1p(-0.4 * leverage)
    paths = np.cumsum(list(itertools.product([up, down], repeat=horizon)), axis=1)
    return float((paths.min(axis=1) <= math.log(threshold)).mean())


@pytest.mark.parametrize(("leverage", "threshold"), [(1.0, 0.5), (0.5, 0.7), (2.0, 0.3)])
def test_ruin_of_a_coin_is_that_of_all_sequences(leverage, threshold):
    exact = exact_ruin(leverage, 12, threshold)
    found = ruin_probability(COIN, leverage, 12, threshold, block=1, n_paths=20_000, seed=5)
    assert found.probability == pytest.approx(exact, abs=4.0 * found.standard_error)
    assert found.lower < found.probability < found.upper


def test_sudden_ruin_is_geometric():
    returns = [0.01] * 99 + [-0.5]
    found = ruin_probability(returns, 2.0, 50, 0.0, block=1, n_paths=20_000)
    assert found.probability == pytest.approx(1.0 - 0.99**50, abs=4.0 * found.standard_error)
    never = ruin_probability(returns, 1.9, 50, 0.0, block=1)
    assert (never.probability, never.standard_error, never.lower) == (0.0, 0.0, 0.0)
    assert never.upper == pytest.approx(1.96**2 / (10_000 + 1.96**2), rel=1e-4)  # Wilson's interval at 0


def test_tail_knows_losses_beyond_the_sample():
    returns = 0.01 * np.random.default_rng(3).standard_t(2.5, 1500)
    worst = -1.0 / float(returns.min())
    leverage = 0.95 * worst
    seen = ruin_probability(returns, leverage, 250, 0.0, seed=1)
    fitted = ruin_probability(returns, leverage, 250, 0.0, method="tail", seed=1)
    assert seen.probability == 0.0
    assert fitted.probability > 0.01
    assert fitted.method is RuinMethod.TAIL
    short = ruin_probability(returns, -leverage, 250, 0.2, method="tail", seed=1)
    assert 0.0 < short.probability <= 1.0


def test_blocks_keep_losses_together():
    returns = np.tile(np.repeat([0.02, -0.02], 10), 30)
    alone, joined = (ruin_probability(returns, 1.0, 40, 0.75, block=block).probability for block in (1, 10))
    assert joined > alone + 0.05
    # blocks of 20 from any row join ten losses and ten gains each: the same product, so that the lowest is 0.98**10
    assert ruin_probability(returns, 1.0, 40, 0.8, block=20).probability == 0.0


def test_same_seed_same_answer():
    one, other = (ruin_probability(COIN, 1.0, 30, seed=seed).probability for seed in (4, 4))
    assert one == other != ruin_probability(COIN, 1.0, 30, seed=5).probability


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (([0.1] * 9, 1.0, 5), CalibrationError, "fewer than 10"),
        (([0.1] * 20, 1.0, 5), CalibrationError, "to rounding"),
        (([0.1, math.nan] * 10, 1.0, 5), ModelError, "row 1 is nan"),
        (([5.0, -3.0] * 10, 1.0, 5), CalibrationError, r"-3 \(row 1\) loses more than everything"),
        ((COIN, math.inf, 5), ModelError, "leverage=inf"),
        ((COIN, 1.0, 0), ModelError, "horizon=0"),
        ((COIN, 1.0, 5, 1.0), ModelError, "threshold=1.0 is outside"),
    ],
)
def test_bad_input(arguments, error, said):
    with pytest.raises(error, match=said):
        ruin_probability(*arguments)


def test_bad_settings():
    with pytest.raises(ModelError, match="method='exact' is none of bootstrap, tail"):
        ruin_probability(COIN, 1.0, 5, method="exact")
    with pytest.raises(ModelError, match="block=101"):
        ruin_probability(COIN, 1.0, 5, block=101)

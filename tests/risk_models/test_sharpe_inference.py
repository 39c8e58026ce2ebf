"""Sharpe ratios: published values, closed forms and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bank_python.errors import ModelError
from bank_python.risk_models import (
    annualised_sharpe,
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    overfitting_probability,
    probabilistic_sharpe,
    sharpe_standard_error,
)

DAYS = 250


@pytest.mark.parametrize(("skew", "kurtosis", "expected"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)])
def test_probabilistic_ratios_are_those_of_the_paper(skew, kurtosis, expected):
    """Bailey and López de Prado (2012), the two-year record."""
    assert probabilistic_sharpe(0.458, 24, skew=skew, kurtosis=kurtosis) == pytest.approx(expected, abs=5e-4)


def test_the_best_of_a_hundred_trials_is_that_of_the_paper():
    """Bailey and López de Prado (2014), worked example."""
    assert expected_maximum_sharpe(100, 0.5 / DAYS) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(("trials", "skew", "kurtosis"), [(46, -3.0, 10.0), (88, 0.0, 3.0)])
def test_deflated_ratios_are_those_of_the_paper(trials, skew, kurtosis):
    best = expected_maximum_sharpe(trials, 0.5 / DAYS)
    found = deflated_sharpe(2.5 / math.sqrt(DAYS), 1_250, best, skew=skew, kurtosis=kurtosis)
    assert found == pytest.approx(0.9505, abs=5e-5)


@pytest.mark.parametrize(
    ("periods", "skew", "kurtosis", "years"), [(252, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, -0.72, 5.78, 4.99)]
)
def test_minimum_track_records_are_those_of_the_paper(periods, skew, kurtosis, years):
    root = math.sqrt(periods)
    found = minimum_track_record(2.0 / root, 1.0 / root, skew=skew, kurtosis=kurtosis) / periods
    assert found == pytest.approx(years, abs=0.005)


@pytest.mark.parametrize(
    ("periods", "rho", "factor"),
    [(12, 0.2, 2.87884869052744), (12, 0.5, 2.1212879755208296), (252, 0.05, 15.10267324170288)],
)
def test_annualisation_allows_for_autocorrelation(periods, rho, factor):
    """Lo (2002), equation 20."""
    assert annualised_sharpe(1.0, periods, autocorrelation=rho) == pytest.approx(factor, rel=1e-12)
    assert annualised_sharpe(1.0, periods) == pytest.approx(math.sqrt(periods))


@pytest.mark.parametrize(("sharpe", "n", "expected"), [(0.5, 60, 0.137), (1.0, 60, 0.158), (0.5, 12, 0.306)])
def test_standard_errors_are_those_of_lo(sharpe, n, expected):
    """Lo (2002), table 1: √((1 + SR²/2)/T), with T in place of T − 1."""
    assert sharpe_standard_error(sharpe, n + 1) == pytest.approx(expected, abs=6e-4)


def test_the_standard_error_is_that_of_simulated_ratios():
    rng = np.random.default_rng(5)
    law = stats.skewnorm(4.0)
    draws = law.rvs((4_000, 250), random_state=rng) + 0.1
    ratios = draws.mean(axis=1) / draws.std(axis=1)
    mean, variance, skew, excess = (float(figure) for figure in law.stats("mvsk"))
    ratio = (mean + 0.1) / math.sqrt(variance)
    assert sharpe_standard_error(ratio, 250, skew=skew, kurtosis=excess + 3.0) == pytest.approx(ratios.std(), rel=0.05)


def test_the_best_of_trials_without_skill_is_that_of_simulation():
    draws = np.random.default_rng(6).standard_normal((20_000, 50)).max(axis=1)
    assert expected_maximum_sharpe(50, 1.0) == pytest.approx(draws.mean(), rel=0.02)  # the formula is asymptotic


def test_ten_trials_of_a_year_without_skill_have_the_best_ratio_of_the_paper():
    """Bailey, Borwein, López de Prado and Zhu (2014), Notices of the AMS 61(5): 1.57."""
    assert expected_maximum_sharpe(10, 1.0) == pytest.approx(1.57, abs=0.005)


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        (2, 1.0 / math.sqrt(math.pi)),
        (3, 0.8462843753216345),
        (5, 1.1629644736405196),
        (10, 1.5387527308351728),
        (100, 2.5075936364416),
    ],
)
def test_the_exact_best_is_that_of_order_statistics_and_the_formula_is_near(trials, expected):
    """David and Nagaraja, Order Statistics: the mean of the largest of n normal figures."""
    assert expected_maximum_sharpe(trials, 4.0, is_exact=True) == pytest.approx(2.0 * expected, rel=1e-12)
    assert expected_maximum_sharpe(trials, 4.0) == pytest.approx(2.0 * expected, rel=0.09)


def test_the_exact_best_of_very_many_trials_is_still_found():
    # The maximum of n normal figures is near the root of 2 ln n; Gumbel's limit with its correction to 0.1 per cent.
    for trials in (1e9, 1e15, 1e30):
        assert expected_maximum_sharpe(trials, 1.0, is_exact=True) == pytest.approx(
            expected_maximum_sharpe(trials, 1.0), rel=2e-3
        )
    assert expected_maximum_sharpe(1, 1.0, is_exact=True) == 0.0


@given(sharpe=st.floats(-0.5, 0.5), benchmark=st.floats(-0.5, 0.5), n=st.integers(2, 5_000))
def test_the_minimum_record_is_where_the_probability_is_reached(sharpe, benchmark, n):
    record = minimum_track_record(sharpe, benchmark)
    if math.isinf(record):
        assert sharpe - benchmark < 1e-100
    elif 1.0 < record < 1e9:
        assert probabilistic_sharpe(sharpe, record, benchmark) == pytest.approx(0.95, abs=1e-6)
    assert 0.0 <= probabilistic_sharpe(sharpe, n, benchmark) <= 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: probabilistic_sharpe(0.1, 1),
        lambda: probabilistic_sharpe(math.nan, 10),
        lambda: probabilistic_sharpe(0.1, 10, skew=2.0, kurtosis=3.0),
        lambda: expected_maximum_sharpe(0, 1.0),
        lambda: expected_maximum_sharpe(10, -1.0),
        lambda: minimum_track_record(0.1, confidence=1.0),
        lambda: annualised_sharpe(0.1, 252, autocorrelation=1.0),
    ],
)
def test_figures_out_of_range_are_refused(call):
    with pytest.raises(ModelError):
        call()


# --- overfitting --------------------------------------------------------------------------------------


def by_hand(returns, blocks):
    """Return the probability of overfitting from the definition, one choice at a time."""
    from itertools import combinations

    parts = np.array_split(returns[: len(returns) // blocks * blocks], blocks)
    logits = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[i] for i in chosen])
        outside = np.concatenate([parts[i] for i in range(blocks) if i not in chosen])
        ratios = [side.mean(axis=0) / side.std(axis=0) for side in (inside, outside)]
        rank = stats.rankdata(ratios[1])[ratios[0].argmax()] / (returns.shape[1] + 1)
        logits.append(math.log(rank / (1.0 - rank)))
    return np.mean(np.array(logits) <= 1e-12), len(logits)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_overfitting_is_that_of_the_definition(seed):
    returns = np.random.default_rng(seed).standard_normal((120, 7)) + 0.05 * np.arange(7)
    found = overfitting_probability(returns, blocks=6)
    assert (found.probability, found.choices) == pytest.approx(by_hand(returns, 6))


def test_sixteen_blocks_have_the_choices_of_the_paper():
    assert overfitting_probability(np.random.default_rng(1).standard_normal((320, 3))).choices == 12_870


def test_skill_is_not_overfitted_and_noise_is_half_the_time():
    noise = np.random.default_rng(4).standard_normal((2_000, 30))
    assert 0.3 < overfitting_probability(noise, blocks=10).probability < 0.7
    noise[:, 0] += 0.2
    found = overfitting_probability(noise, blocks=10)
    assert (found.probability, found.loss_probability) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("returns", "blocks"),
    [
        (np.zeros(10), 2),
        (np.zeros((10, 1)), 2),
        (np.zeros((10, 3)), 3),
        (np.zeros((10, 3)), 16),
        ([[math.nan] * 2] * 9, 2),
    ],
)
def test_returns_that_are_no_trials_are_refused(returns, blocks):
    with pytest.raises(ModelError):
        overfitting_probability(returns, blocks=blocks)


def test_constant_trials_are_taken():
    table = np.zeros((40, 3))
    table[:, 1] = 0.01
    assert 0.0 <= overfitting_probability(table, blocks=4).probability <= 1.0

"""Each metric by published or recomputed figures, and by what must hold for any series."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import make_tearsheet
from bank_python.backtester import metrics as m
from bank_python.numerics import drawdowns

# Definition: peak 120, trough 80, above 120 again at 130.
TINY = [100.0, 120.0, 90.0, 110.0, 80.0, 130.0, 125.0, 140.0]
RETURNS = np.array([0.012, -0.007, 0.003, 0.021, -0.015, 0.0, 0.004, -0.002, 0.009, -0.011])
BENCHMARK = np.array([0.010, -0.004, 0.001, 0.015, -0.012, 0.002, -0.001, -0.003, 0.006, -0.008])
LEVELS = st.lists(st.floats(1.0, 1e4), min_size=2, max_size=25)


def test_drawdown_of_the_definition():
    assert m.max_drawdown(TINY) == pytest.approx(-1.0 / 3.0, abs=1e-15)
    assert m.current_drawdown(TINY) == 0.0
    assert m.ulcer_index(TINY) == pytest.approx(0.15084546956089865, abs=1e-15)


def test_expected_maximum_drawdown_of_a_brownian_motion():
    # Magdon-Ismail, Atiya, Pratap, Abu-Mostafa (2004): without drift E[MDD] = 1.2533 σ √T, in units of the process.
    rng = np.random.default_rng(3)
    steps, paths = 1_000, 2_000
    walks = 0.2 * math.sqrt(1.0 / steps) * rng.standard_normal((steps, paths)).cumsum(axis=0)
    start = np.zeros((1, paths))
    found = (-np.log1p(-drawdowns(np.exp(np.vstack([start, walks]))))).max(axis=0)
    discrete = 2.0 * 0.5826 * 0.2 * math.sqrt(1.0 / steps)  # Broadie, Glasserman, Kou (1997), at peak and trough
    assert found.mean() + discrete == pytest.approx(0.25066, abs=4.0 * found.std() / math.sqrt(paths) + 1e-3)


@pytest.mark.parametrize("rate", [0.0, 0.05])
def test_ratios_by_their_formulas(rate):
    excess = RETURNS - rate / 252
    assert m.sharpe_ratio(RETURNS, rate) == pytest.approx(
        excess.mean() / excess.std(ddof=1) * math.sqrt(252), rel=1e-13
    )
    below = math.sqrt(sum(min(x, 0.0) ** 2 for x in excess) / len(excess))
    assert m.sortino_ratio(RETURNS, rate) == pytest.approx(excess.mean() / below * math.sqrt(252), rel=1e-13)
    gains, losses = sum(x for x in excess if x > 0.0), -sum(x for x in excess if x < 0.0)
    assert m.omega(RETURNS, rate) == pytest.approx(gains / losses, rel=1e-13)


def test_the_usual_sharpe_ratio_is_not_that_of_the_compound_return():
    # A curve with mean daily return 0.02 % and deviation 1.2258 %: 0.259, while compounding first gives 0.18.
    up, down = 0.0002 + 0.0122, 0.0002 - 0.0122
    returns = np.array([up, down] * 126)
    assert m.sharpe_ratio(returns) == pytest.approx(0.0002 / returns.std(ddof=1) * math.sqrt(252), rel=1e-12)
    levels = np.cumprod(np.concatenate([[1.0], 1.0 + returns]))
    assert m.annualized_return(levels) / m.annualized_vol(returns) < 0.9 * m.sharpe_ratio(returns)


def test_moments_and_quantiles_are_those_of_scipy_and_numpy():
    assert m.skew(RETURNS) == pytest.approx(scipy.stats.skew(RETURNS), rel=1e-12)
    assert m.kurtosis(RETURNS) == pytest.approx(scipy.stats.kurtosis(RETURNS, fisher=False), rel=1e-12)
    assert m.var(RETURNS, 0.95) == pytest.approx(-np.quantile(RETURNS, 0.05), rel=1e-12)
    assert m.cvar(RETURNS, 0.95) == pytest.approx(0.015)
    assert m.correlation(RETURNS, BENCHMARK) == pytest.approx(scipy.stats.pearsonr(RETURNS, BENCHMARK)[0], rel=1e-12)
    assert m.tail_ratio(RETURNS) == pytest.approx(np.quantile(RETURNS, 0.95) / -np.quantile(RETURNS, 0.05), rel=1e-12)


# Of RETURNS and BENCHMARK by empyrical-reloaded 0.7.1 and, but for the value at risk, quantstats 0.0.86 too.
PEERS = {
    "sharpe_ratio": 2.0378701622542787,
    "sortino_ratio": 3.5183728296502426,
    "omega": 1.4,
    "annualized_vol": 0.17312192235531582,
    "annualized_return": 0.40371305518326595,
    "calmar_ratio": 26.71913000068839,
    "max_drawdown": -0.015109513489880273,
    "tail_ratio": 1.2840909090909085,
    "total_return": 0.01354813426631929,
    "beta": 1.3105298457411136,
    "alpha": 0.15464788732394374,  # quantstats: not compounded
    "var_95": 0.0132,
    "cvar_95": 0.015,
    "profit_factor": 1.4,
}


@pytest.mark.parametrize("name", PEERS)
def test_figures_of_other_libraries(name):
    sheet = make_tearsheet(np.cumprod([1.0, *(1.0 + RETURNS)]), benchmark=np.cumprod([1.0, *(1.0 + BENCHMARK)]))
    assert sheet[name] == pytest.approx(PEERS[name], rel=1e-10)


def test_ratios_of_other_libraries_with_a_risk_free_rate():
    # empyrical-reloaded 0.7.1, risk_free = required_return = 0.05 / 252
    assert m.sharpe_ratio(RETURNS, 0.05) == pytest.approx(1.7490563637488539, rel=1e-12)
    assert m.sortino_ratio(RETURNS, 0.05) == pytest.approx(2.967805981402436, rel=1e-12)


def test_capture_is_the_ratio_of_geometric_means():
    up = BENCHMARK > 0.0
    ours, theirs = (np.prod(1.0 + x[up]) ** (1.0 / up.sum()) - 1.0 for x in (RETURNS, BENCHMARK))
    assert m.capture(RETURNS, BENCHMARK, up=True) == pytest.approx(ours / theirs, rel=1e-12)
    assert m.capture([-1.0, 0.1], [-0.5, 0.1], up=False) == pytest.approx(2.0)
    assert math.isnan(m.capture([0.1], [0.1], up=False))


def test_active_returns():
    active = RETURNS - BENCHMARK
    assert m.tracking_error(RETURNS, BENCHMARK) == pytest.approx(active.std(ddof=1) * math.sqrt(252), rel=1e-12)
    assert m.information_ratio(RETURNS, BENCHMARK) == pytest.approx(m.sharpe_ratio(active), rel=1e-12)


def test_growth_a_year():
    assert m.annualized_return([100.0] * 252 + [110.0]) == pytest.approx(0.10)
    assert m.annualized_return([1.0, 3.0], 1.0) == 2.0
    assert m.annualized_return([1.0, 0.0]) == -1.0
    assert math.isnan(m.annualized_return([1.0, -0.5]))
    assert m.annualized_return([1.0, 1e6], 1e6) == math.inf


@pytest.mark.parametrize("rate", [0.0, 0.01 * 252.0])
def test_without_volatility_nothing_is_divided_by_a_small_number(rate):
    levels = 100.0 * 1.01 ** np.arange(50)
    returns = levels[1:] / levels[:-1] - 1.0
    found = [m.sharpe_ratio(returns, rate), m.sortino_ratio(returns, rate), m.omega(returns, rate)]
    assert found == [math.inf] * 3 if rate == 0.0 else all(map(math.isnan, found))
    assert m.profit_factor(returns) == math.inf
    assert m.annualized_vol(returns) == 0.0
    assert m.sharpe_ratio(-returns) == -math.inf
    assert math.isnan(m.skew(returns))


def test_of_nothing_nothing_is_known():
    of_returns = (m.sharpe_ratio, m.sortino_ratio, m.omega, m.win_rate, m.profit_factor, m.tail_ratio, m.skew, m.best)
    of_levels = (m.total_return, m.max_drawdown, m.current_drawdown, m.ulcer_index, m.annualized_return, m.calmar_ratio)
    for metric in (*of_returns, m.kurtosis, m.worst, m.annualized_vol, m.autocorrelation, *of_levels):
        assert math.isnan(metric([])), metric
    assert math.isnan(m.var([], 0.95))
    assert math.isnan(m.cvar([], 0.95))
    assert math.isnan(m.sharpe_ratio([0.01]))


@given(LEVELS)
def test_maximum_drawdown_by_brute_force(levels):
    worst = min((levels[j] / levels[i] - 1.0 for i in range(len(levels)) for j in range(i, len(levels))), default=0.0)
    assert m.max_drawdown(levels) == pytest.approx(worst, abs=1e-12)
    assert m.ulcer_index(levels) <= -m.max_drawdown(levels) + 1e-12


@given(LEVELS, st.integers(-8, 8))
def test_figures_do_not_depend_on_the_unit_of_money(levels, power):
    scaled = [2.0**power * level for level in levels]
    for metric in (m.total_return, m.max_drawdown, m.ulcer_index, m.calmar_ratio, m.recovery_factor):
        assert metric(scaled) == metric(levels) or math.isnan(metric(levels))


@given(st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=25), st.floats(0.1, 10.0))
def test_ratios_do_not_depend_on_leverage(returns, leverage):
    given = np.array(returns)
    for metric in (m.sharpe_ratio, m.sortino_ratio, m.omega, m.profit_factor):
        one, other = metric(given), metric(leverage * given)
        # Below the rounding of levels returns count as none, which leverage may pass.
        assert other == pytest.approx(one, rel=1e-6, nan_ok=True) or np.abs(given).min() < 1e-9 or np.ptp(given) < 1e-9


@given(st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=25), st.floats(0.001, 0.1))
def test_more_return_in_every_period_is_better(returns, more):
    better = np.array(returns) + more
    for metric in (m.sortino_ratio, m.omega, m.win_rate, m.best, m.worst):
        before = metric(returns)
        assert not metric(better) < before - 1e-12 * abs(before)  # equal but for rounding if all returns are
    assert m.var(better, 0.95) <= m.var(returns, 0.95) - 0.9 * more


@settings(max_examples=30)
@given(st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=25))
def test_bounds(returns):
    assert 0.0 <= m.win_rate(returns) <= 1.0
    assert m.cvar(returns, 0.95) >= m.var(returns, 0.95) - 1e-15
    assert m.var(returns, 0.99) >= m.var(returns, 0.95) - 1e-15
    levels = np.cumprod(np.concatenate([[1.0], 1.0 + np.array(returns)]))
    assert -1.0 < m.max_drawdown(levels) <= m.current_drawdown(levels) <= 0.0
    falls = sum(b < a for a, b in pairwise(levels))
    assert (m.max_drawdown(levels) < 0.0) == (falls > 0)

"""Largest ratios: the published largest Sharpe ratio, closed forms, equivalent conic programs, cash."""

import math
from itertools import pairwise

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from skfolio.optimization import MaximumDiversification, MeanRisk, ObjectiveFunction

from bank_python.errors import CalibrationError, InfeasibleError
from bank_python.optimizer import (
    Constraints,
    CovarianceData,
    Group,
    MaxDiversificationOptimizer,
    MaxSharpeOptimizer,
    create_optimizer,
)
from tests.optimizer.ten_assets import published

FREE = (-math.inf, math.inf)


def drawn(n, seed=0):
    """Return assets with one common factor and annual figures typical of shares."""
    rng = np.random.default_rng(seed)
    loading, own = rng.normal(1.0, 0.4, n), rng.uniform(0.1, 0.35, n)
    covariance = 0.03 * np.outer(loading, loading) + np.diag(own**2)
    names = [f"A{i}" for i in range(n)]
    return CovarianceData(tickers=names, covariance=covariance, expected_returns=rng.normal(0.09, 0.04, n))


def most_reward(data, low, high):
    """Return the highest return within bounds: the best assets are filled first."""
    left, reward = 1.0 - low * len(data.tickers), low * float(data.expected_returns.sum())
    for expected in sorted(data.expected_returns, reverse=True):
        more = min(high - low, left)
        left, reward = left - more, reward + more * float(expected)
    return reward


def limited(n, seed):
    """Return constraints of every kind that a given portfolio satisfies."""
    rng = np.random.default_rng(seed + 1000)
    held = rng.dirichlet(np.ones(n)) * 1.2 - 0.2 / n
    current = held + rng.normal(0.0, 0.02, n)
    first = float(held[: n // 2].sum())
    return Constraints(
        bounds=(-0.2, 0.8),
        groups=[
            Group("first half", [f"A{i}" for i in range(n // 2)], first - 0.05, first + 0.05),
            Group.equal("pair", {"A0": 1.0, f"A{n - 1}": -1.0}, float(held[0] - held[-1])),
        ],
        turnover=float(np.abs(held - current).sum()) + 0.15,
        leverage=float(np.abs(held).sum()) + 0.05,
        transaction_cost=0.005,
        current={f"A{i}": float(c) for i, c in enumerate(current)},
    )


def best_by_cone(data, reward, floor, constraints):
    """Return the largest ratio by the transformation of Charnes and Cooper (1962): y = κ w with excess reward one."""
    n, names = len(data.tickers), data.tickers
    y, kappa = cp.Variable(n), cp.Variable()
    low, high = constraints.bounds
    current = np.array([(constraints.current or {}).get(name, 0.0) for name in names])
    cost = constraints.transaction_cost * cp.norm1(y - kappa * current)
    rules = [
        reward @ y - floor * kappa - cost >= 1.0,
        cp.sum(y) == constraints.invested * kappa,
        kappa >= 0.0,
        y >= low * kappa,
        y <= high * kappa,
    ]
    for group in constraints.groups:
        row = np.array([group.exposures.get(name, 0.0) for name in names])
        rules += [row @ y <= group.upper * kappa, row @ y >= group.lower * kappa]
    if constraints.turnover is not None:
        rules.append(cp.norm1(y - kappa * current) <= constraints.turnover * kappa)
    if constraints.leverage is not None:
        rules.append(cp.norm1(y) <= constraints.leverage * kappa)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(np.linalg.cholesky(data.covariance).T @ y)), rules)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    return 1.0 / math.sqrt(problem.value), y.value / kappa.value


def ratio(data, weights, reward, floor):
    return float(reward @ weights - floor) / math.sqrt(float(weights @ data.covariance @ weights))


def test_the_published_best_sharpe_ratio():
    found = MaxSharpeOptimizer(published()).optimize()
    # The paper gives 4.4535; return, risk and weights are those of the same portfolio by SLSQP.
    assert found.sharpe == pytest.approx(4.453533476646, abs=1e-10)
    assert found.expected_return == pytest.approx(1.0125752735, abs=2e-8)
    assert found.volatility == pytest.approx(0.2273644689, abs=2e-8)
    expected = [0.084, 0.0489, 0, 0.2183, 0.0017, 0.1812, 0, 0.0312, 0.0079, 0.4269]
    assert found.weights == pytest.approx(expected, abs=6e-5)
    assert found.certificate.at_lower == ("A2", "A6")
    assert found.certificate.kkt_residual < 1e-13


@pytest.mark.parametrize("n", [2, 5, 40])
@pytest.mark.parametrize("rate", [0.0, 0.02, -0.01])
def test_without_bounds_the_tangency_portfolio(n, rate):
    data = drawn(n, seed=n)
    raw = np.linalg.solve(data.covariance, data.expected_returns - rate)
    assert raw.sum() > 0.0  # else the ratio has no largest value
    found = create_optimizer("max_sharpe", data, bounds=FREE, risk_free_rate=rate).optimize()
    assert found.weights == pytest.approx(raw / raw.sum(), rel=1e-9, abs=1e-11)
    assert found.sharpe**2 == pytest.approx(float(raw @ (data.expected_returns - rate)), rel=1e-12)


@pytest.mark.parametrize("n", [2, 5, 40])
def test_without_bounds_the_most_diversified_portfolio(n):
    data = drawn(n, seed=n + 1)
    raw = np.linalg.solve(data.covariance, data.volatilities)
    found = create_optimizer("max_diversification", data, bounds=FREE).optimize()
    assert found.weights == pytest.approx(raw / raw.sum(), rel=1e-10, abs=1e-12)
    assert found.figures["diversification_ratio"] ** 2 == pytest.approx(float(raw @ data.volatilities), rel=1e-12)


@pytest.mark.parametrize("rho", [-0.1, 0.0, 0.3, 0.95])
def test_with_one_correlation_for_all_weights_go_as_one_over_volatility(rho):
    """Choueifaty and Coignard (2008); the ratio is √(n / (1 + (n − 1) ρ))."""
    deviation = np.array([0.05, 0.1, 0.2, 0.3, 0.6])
    correlation = np.full((5, 5), rho) + (1.0 - rho) * np.eye(5)
    data = CovarianceData(tickers=list("ABCDE"), covariance=np.outer(deviation, deviation) * correlation)
    found = MaxDiversificationOptimizer(data).optimize()
    # At a correlation of 0.95 the condition number is 3,200, which costs four digits of sixteen.
    assert found.weights == pytest.approx((1.0 / deviation) / (1.0 / deviation).sum(), rel=1e-10)
    assert found.figures["diversification_ratio"] == pytest.approx(math.sqrt(5.0 / (1.0 + 4.0 * rho)), rel=1e-12)


def test_a_single_asset_is_not_diversified():
    data = CovarianceData(tickers=["A"], covariance=[[0.04]], expected_returns=[0.1])
    assert MaxDiversificationOptimizer(data).optimize().figures["diversification_ratio"] == 1.0
    assert MaxSharpeOptimizer(data, risk_free_rate=0.02).optimize().sharpe == pytest.approx(0.4, rel=1e-15)


@pytest.mark.parametrize("seed", range(8))
def test_all_constraints_against_the_cone(seed):
    data, rules = drawn(10, seed), limited(10, seed)
    true, weights = best_by_cone(data, data.expected_returns, 0.02, rules)
    found = MaxSharpeOptimizer(data, rules, risk_free_rate=0.02).optimize()
    net = found.expected_return - found.figures["transaction_cost"] - 0.02
    assert net / found.volatility == pytest.approx(true, rel=1e-8)
    assert found.weights == pytest.approx(weights, abs=1e-4)
    assert found.figures["turnover"] <= rules.turnover + 1e-9
    assert found.certificate.kkt_residual < 1e-10
    true, weights = best_by_cone(data, data.volatilities, 0.0, rules)
    found = MaxDiversificationOptimizer(data, rules).optimize()
    net = data.volatilities @ found.weights - found.figures["transaction_cost"]
    assert net / found.volatility == pytest.approx(true, rel=1e-8)
    assert found.weights == pytest.approx(weights, abs=1e-4)


@pytest.mark.parametrize("leverage", [None, 1.6])
def test_a_130_30_and_a_market_neutral_portfolio_against_the_cone(leverage):
    data = drawn(9, seed=21)
    long_short = Constraints(bounds=(-0.2, 0.5), leverage=leverage)
    true, weights = best_by_cone(data, data.expected_returns, 0.01, long_short)
    found = MaxSharpeOptimizer(data, long_short, risk_free_rate=0.01).optimize()
    assert found.sharpe == pytest.approx(true, rel=1e-9)
    assert found.weights == pytest.approx(weights, abs=1e-5)
    neutral = Constraints(bounds=(-0.2, 0.3), invested=0.0, leverage=leverage)
    true, _ = best_by_cone(data, data.expected_returns, 0.0, neutral)
    found = MaxSharpeOptimizer(data, neutral).optimize()
    assert found.sharpe == pytest.approx(true, rel=1e-8)
    assert found.weights.sum() == pytest.approx(0.0, abs=1e-13)


def test_the_optima_of_skfolio():
    rng = np.random.default_rng(4)
    past = rng.normal(size=(300, 8)) * 0.01 + rng.normal(size=(300, 1)) * 0.008 + rng.uniform(0.0, 1e-3, 8)
    data = CovarianceData.from_returns(past, [f"A{i}" for i in range(8)], periods_per_year=1.0)
    theirs = MaximumDiversification(max_weights=0.3).fit(past).weights_
    ours = MaxDiversificationOptimizer(data, Constraints(bounds=(0.0, 0.3))).optimize()
    assert ours.weights == pytest.approx(theirs, abs=1e-4)
    assert ours.figures["diversification_ratio"] >= ratio(data, theirs, data.volatilities, 0.0) - 1e-12
    theirs = MeanRisk(objective_function=ObjectiveFunction.MAXIMIZE_RATIO, max_weights=0.3).fit(past).weights_
    ours = MaxSharpeOptimizer(data, Constraints(bounds=(0.0, 0.3))).optimize()
    assert ours.weights == pytest.approx(theirs, abs=1e-3)
    assert ours.sharpe >= ratio(data, theirs / theirs.sum(), data.expected_returns, 0.0) - 1e-9


def test_cash_at_the_riskless_rate_changes_no_ratio():
    """Every mixture of cash and the tangency portfolio has its ratio; one of them is found."""
    data = drawn(6, seed=2)
    alone = MaxSharpeOptimizer(data, risk_free_rate=0.03).optimize()
    mixed = MaxSharpeOptimizer(data.with_cash(0.03), risk_free_rate=0.03).optimize()
    assert mixed.sharpe == pytest.approx(alone.sharpe, rel=1e-10)
    assert mixed.weights[:6] / mixed.weights[:6].sum() == pytest.approx(alone.weights, abs=1e-9)


def test_cash_that_earns_less_than_the_rate_is_not_held():
    data = drawn(6, seed=2)
    alone = MaxSharpeOptimizer(data, risk_free_rate=0.03).optimize()
    mixed = MaxSharpeOptimizer(data.with_cash(0.01), risk_free_rate=0.03).optimize()
    assert mixed.weights == pytest.approx([*alone.weights, 0.0], abs=1e-10)


def test_the_ratio_beats_its_neighbours_on_every_side():
    data = drawn(7, seed=5)
    found = MaxSharpeOptimizer(data, Constraints(bounds=(0.02, 0.4)), risk_free_rate=0.05).optimize()
    for i in range(7):
        for j in range(7):
            moved = found.weights.copy()
            moved[i], moved[j] = moved[i] + 1e-3, moved[j] - 1e-3
            if i != j and moved.min() >= 0.02 and moved.max() <= 0.4:
                assert ratio(data, moved, data.expected_returns, 0.05) < found.sharpe


@given(st.integers(0, 10_000), st.integers(2, 9), st.sampled_from(["max_sharpe", "max_diversification"]))
@settings(max_examples=50, deadline=None)
@example(9845, 2, "max_sharpe")  # nothing allowed earns more than cash
def test_sums_bounds_scale_and_the_order_of_the_assets(seed, n, kind):
    data = drawn(n, seed)
    rng = np.random.default_rng(seed)
    bounds = (0.02, float(rng.uniform(1.0 / n + 0.02, 1.0)))
    if kind == "max_sharpe" and most_reward(data, *bounds) <= 0.0:
        with pytest.raises(InfeasibleError, match="no allowed portfolio earns more than 0"):
            create_optimizer(kind, data, bounds=bounds).optimize()
        return
    found = create_optimizer(kind, data, bounds=bounds).optimize()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-13)
    assert found.weights.min() >= 0.02 - 1e-13
    assert found.weights.max() <= bounds[1] + 1e-13
    assert found.certificate.kkt_residual < 1e-11
    at, unit = rng.permutation(n), 10.0 ** rng.uniform(-3.0, 3.0)
    turned = CovarianceData(
        tickers=[data.tickers[i] for i in at],
        covariance=unit**2 * data.covariance[np.ix_(at, at)],
        expected_returns=unit * data.expected_returns[at],
    )
    again = create_optimizer(kind, turned, bounds=bounds).optimize()
    assert again.weights == pytest.approx(found.weights[at], abs=1e-8)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_more_constraints_are_never_better(seed):
    data = drawn(6, seed)
    exposures = {name: float(1.0 + 0.2 * i) for i, name in enumerate(data.tickers)}
    sets = [
        Constraints(bounds=(-1.0, 1.0)),
        Constraints(bounds=(-0.2, 0.6)),
        Constraints(bounds=(-0.2, 0.6), leverage=1.1),
        Constraints(bounds=(-0.2, 0.6), leverage=1.1, groups=[Group("tilt", exposures, upper=1.5)]),
    ]
    sharpes = [MaxSharpeOptimizer(data, rules).optimize().sharpe for rules in sets]
    assert all(more >= fewer - 1e-9 for more, fewer in pairwise(sharpes))


@given(st.integers(0, 10_000), st.integers(2, 7))
@settings(max_examples=30, deadline=None)
def test_no_portfolio_drawn_at_random_is_better(seed, n):
    data = drawn(n, seed)
    assume(data.expected_returns.max() > 0.011)  # otherwise none earns more than cash, which is an error
    sharpe = MaxSharpeOptimizer(data, risk_free_rate=0.01).optimize().sharpe
    mixed = MaxDiversificationOptimizer(data).optimize().figures["diversification_ratio"]
    for weights in np.random.default_rng(seed).dirichlet(np.full(n, 0.5), size=40):
        assert ratio(data, weights, data.expected_returns, 0.01) <= sharpe + 1e-12
        assert ratio(data, weights, data.volatilities, 0.0) <= mixed + 1e-12


def test_nothing_beats_the_rate():
    data = drawn(4)
    most = float(data.expected_returns.max())
    with pytest.raises(InfeasibleError, match=r"no allowed portfolio earns more than 0\.5: the most is") as told:
        MaxSharpeOptimizer(data, risk_free_rate=0.5).optimize()
    assert told.value.value == pytest.approx(most, rel=1e-6)
    assert f"{most:.6g}" in str(told.value)
    with pytest.raises(InfeasibleError, match="no allowed portfolio earns more"):
        MaxSharpeOptimizer(data, risk_free_rate=most).optimize()
    just = MaxSharpeOptimizer(data, risk_free_rate=most - 1e-4).optimize()
    assert just.weights.max() > 0.99


def test_missing_returns_and_cash_are_rejected():
    bare = CovarianceData(tickers=["A", "B"], covariance=np.diag([0.04, 0.01]))
    with pytest.raises(CalibrationError, match="max_sharpe needs expected returns"):
        MaxSharpeOptimizer(bare).optimize()
    with pytest.raises(CalibrationError, match="max_diversification requires assets with risk, and CASH has none"):
        MaxDiversificationOptimizer(bare.with_cash(0.02)).optimize()
    assert MaxDiversificationOptimizer(bare).optimize().weights == pytest.approx([1.0 / 3.0, 2.0 / 3.0], rel=1e-12)

"""Risk budgets: closed forms, a published example, the convex program, Clarabel with constraints, invalid input."""

import math

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skfolio.optimization import RiskBudgeting

from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.optimizer import (
    Constraints,
    CovarianceData,
    Group,
    RiskParityOptimizer,
    budgeted_weights,
    create_optimizer,
)


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    loading, own = rng.normal(1.0, 0.5, n), rng.uniform(0.05, 0.4, n)
    covariance = 0.03 * np.outer(loading, loading) + np.diag(own**2)
    names = [f"A{i}" for i in range(n)]
    return CovarianceData(tickers=names, covariance=covariance, expected_returns=rng.normal(0.07, 0.05, n))


def given_data(volatilities, correlation):
    names = [f"A{i}" for i in range(len(volatilities))]
    return CovarianceData(tickers=names, covariance=np.outer(volatilities, volatilities) * np.asarray(correlation))


def barrier(data, budgets, scale, weights):
    """Return the objective that is minimised under constraints; the scale is a variance."""
    return 0.5 * float(weights @ data.covariance @ weights) - scale * float(budgets @ np.log(weights))


def scale_of(data, budgets, invested=1.0):
    """Return the variance of the unconstrained solution, by an independent solver."""
    x = cp.Variable(len(budgets))
    risk = cp.sum_squares(np.linalg.cholesky(data.covariance).T @ x)
    cp.Problem(cp.Minimize(0.5 * risk - budgets @ cp.log(x))).solve(solver=cp.CLARABEL)
    held = invested * x.value / x.value.sum()
    return float(held @ data.covariance @ held)


def test_the_example_of_maillard_roncalli_and_teiletche():
    """Volatilities of 10, 20, 30 and 40 %, correlations 0.8 and −0.5 in two pairs, else 0.

    S. Maillard, T. Roncalli and J. Teiletche, "The properties of equally weighted risk contribution portfolios",
    Journal of Portfolio Management 36 (2010), 60-70: 38.4, 19.2, 24.3 and 18.2 %.
    """
    correlation = np.eye(4)
    correlation[0, 1] = correlation[1, 0] = 0.8
    correlation[2, 3] = correlation[3, 2] = -0.5
    data = given_data([0.1, 0.2, 0.3, 0.4], correlation)
    found = RiskParityOptimizer(data).optimize()
    assert 100.0 * found.weights == pytest.approx([38.4, 19.2, 24.3, 18.2], abs=0.05)
    exact = [0.3836125297540429, 0.19180624643862512, 0.24261784234701148, 0.1819633824603204]
    assert found.weights == pytest.approx(exact, abs=1e-7)
    assert found.risk_shares == pytest.approx([0.25] * 4, abs=1e-14)


@pytest.mark.parametrize("rho", [-0.99, -0.4, 0.0, 0.7, 0.999])
def test_two_assets_are_held_by_one_over_volatility(rho):
    found = RiskParityOptimizer(given_data([0.1, 0.3], [[1.0, rho], [rho, 1.0]])).optimize()
    assert found.weights == pytest.approx([0.75, 0.25], rel=1e-12)


@pytest.mark.parametrize(("n", "rho"), [(3, -0.3), (5, 0.0), (20, 0.5), (100, 0.9)])
def test_with_one_correlation_for_all_too(n, rho):
    deviation = np.random.default_rng(n).uniform(0.02, 0.8, n)
    found = RiskParityOptimizer(given_data(deviation, np.full((n, n), rho) + (1.0 - rho) * np.eye(n))).optimize()
    assert found.weights == pytest.approx(1.0 / deviation / (1.0 / deviation).sum(), rel=1e-11)
    assert found.certificate.kkt_residual < 1e-12


def test_without_correlation_budgets_go_by_their_roots():
    deviation, budgets = np.array([0.1, 0.2, 0.4]), np.array([0.7, 0.2, 0.1])
    data = given_data(deviation, np.eye(3))
    parts = dict(zip(data.tickers, 10.0 * budgets, strict=True))  # of any size
    found = RiskParityOptimizer(data, budgets=parts).optimize()
    wanted = np.sqrt(budgets) / deviation
    assert found.weights == pytest.approx(wanted / wanted.sum(), rel=1e-13)
    assert found.risk_shares == pytest.approx(budgets, rel=1e-13)


def test_a_budget_of_one_in_a_million_is_met_to_its_last_digits():
    data = drawn(6, seed=3)
    budgets = {**dict.fromkeys(data.tickers, 1.0), "A2": 1e-6}
    found = RiskParityOptimizer(data, budgets=budgets).optimize()
    assert found.risk_shares == pytest.approx(np.array([*budgets.values()]) / 5.000001, rel=1e-11)


@pytest.mark.parametrize("n", [2, 7, 30])
def test_the_convex_program_finds_the_same(n):
    data = drawn(n, seed=n)
    budgets = np.random.default_rng(n).dirichlet(np.full(n, 3.0))
    x = cp.Variable(n)
    risk = cp.sum_squares(np.linalg.cholesky(data.covariance).T @ x)
    cp.Problem(cp.Minimize(0.5 * risk - budgets @ cp.log(x))).solve(solver=cp.CLARABEL)
    found = RiskParityOptimizer(data, budgets=dict(zip(data.tickers, budgets, strict=True))).optimize()
    assert found.weights == pytest.approx(x.value / x.value.sum(), abs=1e-4)
    assert found.risk_shares == pytest.approx(budgets, rel=1e-12)


def test_the_weights_of_skfolio():
    rng = np.random.default_rng(4)
    past = rng.normal(size=(300, 8)) * 0.01 + rng.normal(size=(300, 1)) * 0.008
    data = CovarianceData.from_returns(past, [f"A{i}" for i in range(8)], periods_per_year=1.0)
    budgets = np.arange(1.0, 9.0)
    theirs = RiskBudgeting(risk_budget=budgets / budgets.sum()).fit(past).weights_
    found = RiskParityOptimizer(data, budgets=dict(zip(data.tickers, budgets, strict=True))).optimize()
    assert found.weights == pytest.approx(theirs, abs=1e-4)


def test_half_the_wealth_is_shared_out_alike():
    data = drawn(5)
    whole = RiskParityOptimizer(data).optimize()
    half = create_optimizer("risk_parity", data, invested=0.5).optimize()
    assert half.weights == pytest.approx(0.5 * whole.weights, rel=1e-13)
    assert half.risk_shares == pytest.approx([0.2] * 5, rel=1e-12)


def test_bounds_that_do_not_bind_change_nothing():
    data = drawn(5)
    whole = RiskParityOptimizer(data).optimize()
    wide = RiskParityOptimizer(data, Constraints(bounds=(-math.inf, math.inf), leverage=2.0)).optimize()
    assert (wide.weights == whole.weights).all()


@pytest.mark.parametrize("seed", range(6))
def test_within_constraints_against_clarabel(seed):
    """The same barrier objective under constraints, minimised by Clarabel with an exponential cone."""
    n = 7
    data, rng = drawn(n, seed), np.random.default_rng(seed)
    raw = rng.uniform(0.5, 1.5, n)
    budgets = raw / raw.sum()
    named = dict(zip(data.tickers, budgets.tolist(), strict=True))
    free = RiskParityOptimizer(data, budgets=named).optimize().weights
    middle = 0.5 * free + 0.5 / n  # satisfies all constraints below
    current = 0.7 * middle + 0.3 * rng.dirichlet(np.full(n, 8.0))
    high = float(middle.max()) + 0.005
    rules = Constraints(
        bounds=(0.01, high),
        groups=[Group("pair", ["A0", "A1"], upper=float(middle[:2].sum()) + 0.002)],
        turnover=float(np.abs(middle - current).sum()) + 0.01,
        transaction_cost=0.001 if seed % 2 else 0.0,
        current=dict(zip(data.tickers, current.tolist(), strict=True)),
    )
    found = RiskParityOptimizer(data, rules, budgets=named).optimize()
    scale = float(free @ data.covariance @ free)
    assert scale == pytest.approx(scale_of(data, budgets), rel=1e-4)
    w = cp.Variable(n)
    objective = 0.5 * cp.sum_squares(np.linalg.cholesky(data.covariance).T @ w) - scale * (budgets @ cp.log(w))
    cost = rules.transaction_cost * cp.norm1(w - current)
    kept = [
        cp.sum(w) == 1.0,
        w >= 0.01,
        w <= high,
        w[0] + w[1] <= rules.groups[0].upper,
        cp.norm1(w - current) <= rules.turnover,
    ]
    problem = cp.Problem(cp.Minimize(objective + cost), kept)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    reached = barrier(data, budgets, scale, found.weights)
    reached += rules.transaction_cost * float(np.abs(found.weights - current).sum())
    assert reached <= problem.value + 1e-9
    assert reached == pytest.approx(problem.value, rel=1e-8)
    assert found.weights == pytest.approx(w.value, abs=1e-4)
    assert found.certificate.kkt_residual < 1e-10


def test_a_capped_asset_leaves_equal_slopes_to_the_rest():
    """Where one cap binds, (Σw)_i − λ b_i / w_i is the same for all the others."""
    data = drawn(5, seed=8)
    free = RiskParityOptimizer(data).optimize()
    most = int(free.weights.argmax())
    cap = 0.7 * float(free.weights[most])
    name = data.tickers[most]
    found = create_optimizer("risk_parity", data, bounds={name: (0.0, cap)}).optimize()
    assert found.weights[most] == pytest.approx(cap, abs=1e-15)
    assert found.certificate.at_upper == (name,)
    slope = data.covariance @ found.weights - 0.2 * free.volatility**2 / found.weights
    rest = np.delete(slope, most)
    assert rest == pytest.approx(np.full(4, rest[0]), rel=1e-9)
    assert slope[most] < rest[0]


@given(st.integers(0, 10_000), st.integers(2, 12))
@settings(max_examples=50, deadline=None)
def test_shares_are_the_budgets_whatever_the_order_and_the_unit(seed, n):
    data, rng = drawn(n, seed), np.random.default_rng(seed)
    budgets = rng.uniform(0.1, 2.0, n)
    found = RiskParityOptimizer(data, budgets=dict(zip(data.tickers, budgets, strict=True))).optimize()
    assert found.risk_shares == pytest.approx(budgets / budgets.sum(), rel=1e-11)
    assert found.weights.min() > 0.0
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-14)
    at, unit = rng.permutation(n), 10.0 ** rng.uniform(-4.0, 4.0)
    turned = budgeted_weights(unit * data.covariance[np.ix_(at, at)], (budgets / budgets.sum())[at])
    assert turned.weights == pytest.approx(found.weights[at], rel=1e-10)
    assert turned.residual < 1e-11
    assert 0.0 <= turned.gap < 1e-12


@given(st.integers(0, 10_000), st.floats(0.22, 0.6))
@settings(max_examples=40, deadline=None)
def test_caps_are_kept_and_never_better(seed, cap):
    data, budgets = drawn(6, seed), np.full(6, 1.0 / 6.0)
    free = RiskParityOptimizer(data).optimize()
    found = create_optimizer("risk_parity", data, bounds=(0.0, cap)).optimize()
    assert found.weights.max() <= cap + 1e-12
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
    scale = free.volatility**2
    best, reached = (barrier(data, budgets, scale, held.weights) for held in (free, found))
    assert reached >= best - 1e-12 * abs(best)
    for other in np.random.default_rng(seed).dirichlet(np.ones(6), size=20):
        mixed = 0.9 * found.weights + 0.1 * np.minimum(other, cap) / np.minimum(other, cap).sum()
        if mixed.max() <= cap and mixed.min() > 0.0:
            assert barrier(data, budgets, scale, mixed) >= reached - 1e-10 * abs(reached)


@pytest.mark.parametrize(
    ("budgets", "message"),
    [
        ({"A0": 1.0, "A1": 1.0}, "the risk budget of A2 is 0; give one above 0"),
        ({"A0": 1.0, "A1": -0.5, "A2": 1.0}, r"the risk budget of A1 is -0\.5"),
        ({"A0": 1.0, "A1": 1.0, "A2": math.nan}, "budgets of A2 is nan"),
        ({"A0": 1.0, "A1": 1.0, "B": 1.0}, "budgets contains the unknown ticker 'B'; there are A0, A1, A2"),
        ({}, "the risk budget of A0 is 0"),
    ],
)
def test_bad_budgets_are_refused(budgets, message):
    with pytest.raises(ModelError, match=message):
        RiskParityOptimizer(drawn(3), budgets=budgets)


@pytest.mark.parametrize("invested", [0.0, -1.0])
def test_nothing_to_invest_is_refused(invested):
    with pytest.raises(ModelError, match=f"invested={invested:g}; risk parity requires a sum of weights above 0"):
        RiskParityOptimizer(drawn(3), Constraints(bounds=(-2.0, 2.0), invested=invested))


def test_cash_has_no_risk_to_share():
    with pytest.raises(CalibrationError, match="risk_parity requires assets with risk, and CASH has none"):
        RiskParityOptimizer(drawn(3).with_cash(0.02)).optimize()


def test_an_asset_that_may_not_be_held_is_named():
    with pytest.raises(
        InfeasibleError, match="risk parity requires positive weights of all assets, and the upper bound of A1 is 0"
    ):
        create_optimizer("risk_parity", drawn(3), bounds={"A1": (0.0, 0.0)}).optimize()
    with pytest.raises(InfeasibleError, match="the upper bound of A2 is"):
        create_optimizer("risk_parity", drawn(3), bounds={"A2": (-1.0, -0.1)}).optimize()


def test_bounds_that_cannot_add_up_are_refused():
    with pytest.raises(InfeasibleError, match=r"the upper bounds add up to 0\.9, 0\.1 less than invested=1") as told:
        create_optimizer("risk_parity", drawn(3), bounds=(0.0, 0.3))
    assert told.value.value == pytest.approx(0.1, abs=1e-12)

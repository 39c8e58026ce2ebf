"""Tracking a benchmark: least squares, its closed form, Clarabel under all constraints, few periods."""

import math

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.optimizer import Constraints, CovarianceData, Group, TrackingOptimizer, create_optimizer

FREE = (-math.inf, math.inf)


def drawn(periods, n, seed=0):
    """Return assets and a benchmark that is close to a basket of them."""
    rng = np.random.default_rng(seed)
    past = 0.01 * rng.normal(size=(periods, n)) + 0.01 * rng.normal(size=(periods, 1)) + 3e-4
    benchmark = past @ rng.dirichlet(np.full(n, 0.5)) + 0.002 * rng.normal(size=periods)
    return CovarianceData.from_returns(past, [f"A{i}" for i in range(n)], estimator="ledoit_wolf"), benchmark


def error_of(data, benchmark, weights):
    return math.sqrt(252.0 * float(((data.returns @ weights - benchmark) ** 2).mean()))


def clarabel(objective, rules):
    problem = cp.Problem(objective, rules)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    return problem.value


def test_without_bounds_it_is_least_squares_on_differences():
    """With weights that add up to one, y − r_n is regressed on r_i − r_n."""
    data, benchmark = drawn(120, 6, seed=1)
    last = data.returns[:, -1:]
    free = np.linalg.lstsq(data.returns[:, :-1] - last, benchmark - last[:, 0], rcond=None)[0]
    found = TrackingOptimizer(data, Constraints(bounds=FREE), benchmark=benchmark).optimize()
    assert found.weights == pytest.approx([*free, 1.0 - free.sum()], abs=1e-11)
    assert found.figures["tracking_error"] == pytest.approx(error_of(data, benchmark, found.weights), rel=1e-12)
    assert found.figures["correlation"] == pytest.approx(
        float(np.corrcoef(data.returns @ found.weights, benchmark)[0, 1]), rel=1e-12
    )
    assert found.figures["holding_cost"] == 0.0


def test_with_a_cost_the_closed_form():
    """½ wᵀHw − gᵀw + κ cᵀw with the weights adding up to one: H w = g − κ c − λ 1."""
    data, benchmark = drawn(120, 5, seed=2)
    costs = np.array([0.02, 0.001, -0.01, 0.0, 0.005])
    found = TrackingOptimizer(
        data,
        Constraints(bounds=FREE),
        benchmark=benchmark,
        holding_cost=dict(zip(data.tickers, costs.tolist(), strict=True)),
        cost_weight=0.3,
    ).optimize()
    curved = 2.0 * 252.0 / 120.0 * data.returns.T @ data.returns
    pull = 2.0 * 252.0 / 120.0 * data.returns.T @ benchmark - 0.3 * costs
    solved = np.linalg.solve(np.block([[curved, np.ones((5, 1))], [np.ones((1, 5)), np.zeros((1, 1))]]), [*pull, 1.0])
    assert found.weights == pytest.approx(solved[:5], rel=1e-9, abs=1e-12)
    assert found.figures["holding_cost"] == pytest.approx(float(costs @ solved[:5]), rel=1e-9)


def test_a_benchmark_that_is_a_basket_is_found_again():
    data, _ = drawn(100, 8, seed=3)
    basket = np.random.default_rng(3).dirichlet(np.ones(8))
    found = TrackingOptimizer(data, benchmark=data.returns @ basket).optimize()
    assert found.weights == pytest.approx(basket, abs=1e-12)
    assert found.figures["tracking_error"] == pytest.approx(0.0, abs=1e-13)
    assert found.figures["correlation"] == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("seed", range(6))
def test_all_constraints_against_clarabel(seed):
    n = 12
    data, benchmark = drawn(90, n, seed)
    rng = np.random.default_rng(seed)
    held = rng.dirichlet(np.full(n, 2.0))
    current = 0.5 * held + 0.5 * rng.dirichlet(np.full(n, 2.0))
    costs, fee = rng.uniform(-0.002, 0.01, n), 1e-4 if seed % 2 else 0.0
    limits = {
        "bounds": (-0.05, 0.35),
        "groups": [Group("four", ["A0", "A1", "A2", "A3"], upper=float(held[:4].sum()) + 0.01)],
        "turnover": float(np.abs(held - current).sum()) + 0.05,
        "leverage": 1.05,
        "transaction_cost": fee,
        "current": dict(zip(data.tickers, current.tolist(), strict=True)),
    }
    named = dict(zip(data.tickers, costs.tolist(), strict=True))
    found = create_optimizer(
        "tracking", data, benchmark=benchmark, holding_cost=named, cost_weight=0.5, **limits
    ).optimize()
    w = cp.Variable(n)
    active = 252.0 / 90.0 * cp.sum_squares(data.returns @ w - benchmark)
    true = clarabel(
        cp.Minimize(active + 0.5 * (costs @ w) + fee * cp.norm1(w - current)),
        [
            cp.sum(w) == 1.0,
            w >= -0.05,
            w <= 0.35,
            cp.sum(w[:4]) <= limits["groups"][0].upper,
            cp.norm1(w - current) <= limits["turnover"],
            cp.norm1(w) <= 1.05,
        ],
    )
    reached = found.figures["tracking_error"] ** 2 + 0.5 * found.figures["holding_cost"]
    reached += fee * float(np.abs(found.weights - current).sum())
    assert reached == pytest.approx(true, rel=1e-8, abs=1e-12)
    assert np.abs(found.weights - current).sum() <= limits["turnover"] + 1e-9
    assert np.abs(found.weights).sum() <= 1.05 + 1e-9
    assert found.certificate.kkt_residual < 1e-9


@pytest.mark.parametrize(("periods", "n"), [(10, 25), (30, 60), (6, 9)])
def test_fewer_periods_than_assets(periods, n):
    """The optimum may not be unique; the tracking error has to be as small as Clarabel's."""
    data, benchmark = drawn(periods, n, seed=periods)
    found = TrackingOptimizer(data, Constraints(bounds=(0.0, 0.3)), benchmark=benchmark).optimize()
    w = cp.Variable(n)
    active = 252.0 / periods * cp.sum_squares(data.returns @ w - benchmark)
    true = clarabel(cp.Minimize(active), [cp.sum(w) == 1.0, w >= 0.0, w <= 0.3])
    assert found.figures["tracking_error"] ** 2 == pytest.approx(true, rel=1e-7, abs=1e-11)
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert found.weights.min() >= -1e-9
    assert found.weights.max() <= 0.3 + 1e-9


def test_two_assets_that_are_the_same_share_what_one_would_have():
    data, benchmark = drawn(60, 3, seed=7)
    past = np.hstack([data.returns, data.returns[:, :1]])
    twins = CovarianceData.from_returns(past, ["A0", "A1", "A2", "TWIN"], estimator="ledoit_wolf")
    alone = TrackingOptimizer(data, benchmark=benchmark).optimize()
    found = TrackingOptimizer(twins, benchmark=benchmark).optimize()
    assert found.weights[0] + found.weights[3] == pytest.approx(alone.weights[0], abs=1e-8)
    assert found.figures["tracking_error"] == pytest.approx(alone.figures["tracking_error"], rel=1e-9)
    cheap = TrackingOptimizer(twins, benchmark=benchmark, holding_cost={"A0": 0.01}).optimize()
    assert cheap.weights[0] == pytest.approx(0.0, abs=1e-8)


def test_a_single_asset_is_held_whatever_it_does():
    data, benchmark = drawn(30, 1)
    found = TrackingOptimizer(data, benchmark=benchmark).optimize()
    assert found.weights.tolist() == [1.0]
    assert found.figures["tracking_error"] == pytest.approx(error_of(data, benchmark, np.ones(1)), rel=1e-12)


def test_cash_follows_nothing():
    data, benchmark = drawn(60, 2)
    cash = data.with_cash(0.0)
    held = create_optimizer(
        "tracking", cash, benchmark=benchmark, bounds={"A0": (0.0, 0.0), "A1": (0.0, 0.0)}
    ).optimize()
    assert held.weights == pytest.approx([0.0, 0.0, 1.0], abs=1e-11)
    assert held.volatility == 0.0
    half = create_optimizer("tracking", cash, benchmark=0.5 * cash.returns[:, 0]).optimize()
    assert half.weights == pytest.approx([0.5, 0.0, 0.5], abs=1e-9)


@given(st.integers(0, 10_000), st.integers(2, 8))
@settings(max_examples=40, deadline=None)
def test_sums_bounds_order_and_unit(seed, n):
    data, benchmark = drawn(40, n, seed)
    rng = np.random.default_rng(seed)
    rules = Constraints(bounds=(0.01, float(rng.uniform(1.0 / n + 0.02, 1.0))))
    found = TrackingOptimizer(data, rules, benchmark=benchmark).optimize()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-13)
    assert found.weights.min() >= 0.01 - 1e-13
    assert found.weights.max() <= rules.bounds[1] + 1e-13
    at, unit = rng.permutation(n), 10.0 ** rng.uniform(-3.0, 3.0)
    turned = CovarianceData.from_returns(unit * data.returns[:, at], data.tickers, estimator="ledoit_wolf")
    again = TrackingOptimizer(turned, rules, benchmark=unit * benchmark).optimize()
    assert again.weights == pytest.approx(found.weights[at], abs=1e-9)
    assert again.figures["tracking_error"] == pytest.approx(unit * found.figures["tracking_error"], rel=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_more_constraints_and_more_weight_on_cost(seed):
    data, benchmark = drawn(50, 6, seed)
    sets = [
        Constraints(bounds=FREE),
        Constraints(bounds=(-0.5, 1.0), leverage=1.3),
        Constraints(),
        Constraints(bounds=(0.0, 0.3)),
    ]
    errors = [TrackingOptimizer(data, rules, benchmark=benchmark).optimize() for rules in sets]
    told = [found.figures["tracking_error"] for found in errors]
    assert told == sorted(told) or np.diff(told).min() > -1e-12
    costs = {name: 0.001 * i for i, name in enumerate(data.tickers)}
    paid = [
        TrackingOptimizer(data, benchmark=benchmark, holding_cost=costs, cost_weight=much).optimize().figures
        for much in (0.0, 0.1, 1.0, 10.0)
    ]
    assert np.diff([figures["holding_cost"] for figures in paid]).max() <= 1e-12
    assert np.diff([figures["tracking_error"] for figures in paid]).min() >= -1e-12


@pytest.mark.parametrize(
    ("benchmark", "message"),
    [
        (np.zeros(29) + np.arange(29), r"a benchmark of shape \(29,\) for 30 periods; give one return for each"),
        (np.ones((30, 1)), r"a benchmark of shape \(30, 1\) for 30 periods"),
        (0.01, r"a benchmark of shape \(\) for 30 periods"),
        (np.r_[0.01, 0.02, math.nan, np.zeros(27)], "the benchmark's return in row 2 is nan; drop that period"),
        (np.r_[math.inf, np.zeros(29)], "the benchmark's return in row 0 is inf"),
        (np.full(30, 0.01), r"the returns of the benchmark are constant, 0\.01"),
    ],
)
def test_bad_benchmarks_are_refused(benchmark, message):
    with pytest.raises(CalibrationError, match=message):
        TrackingOptimizer(drawn(30, 3)[0], benchmark=benchmark)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"cost_weight": -0.1}, r"cost_weight=-0\.1; give a number of at least 0"),
        ({"cost_weight": math.nan}, "cost_weight=nan"),
        ({"cost_weight": math.inf}, "cost_weight=inf"),
        ({"holding_cost": {"B": 0.01}}, "holding_cost contains the unknown ticker 'B'; there are A0, A1, A2"),
        ({"holding_cost": {"A1": math.nan}}, "holding_cost of A1 is nan; correct it"),
        ({"risk_free_rate": math.inf}, "risk_free_rate=inf"),
    ],
)
def test_bad_figures_are_refused(figures, message):
    data, benchmark = drawn(30, 3)
    with pytest.raises(ModelError, match=message):
        TrackingOptimizer(data, benchmark=benchmark, **figures)


def test_past_returns_are_needed_and_contradictions_named():
    bare = CovarianceData(tickers=["A", "B"], covariance=np.diag([0.04, 0.01]))
    with pytest.raises(CalibrationError, match="tracking needs past returns; give returns="):
        TrackingOptimizer(bare, benchmark=[0.01, 0.02])
    data, benchmark = drawn(30, 3)
    with pytest.raises(
        InfeasibleError, match=r"no portfolio satisfies all constraints: .*one and two.* by 0\.25"
    ) as told:
        create_optimizer(
            "tracking",
            data,
            benchmark=benchmark,
            bounds=(0.0, 0.5),
            groups=[Group("one and two", ["A0", "A1"], 0.0, 0.25)],
        ).optimize()
    assert told.value.value == pytest.approx(0.25, abs=1e-6)

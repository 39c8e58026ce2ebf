"""Mean-variance optimisation: the published least variance, closed forms, cash, Clarabel, invalid input."""

import math

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skfolio.measures import RiskMeasure
from skfolio.optimization import MeanRisk, ObjectiveFunction

from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.optimizer import (
    Constraints,
    CovarianceData,
    Group,
    MeanVarianceOptimizer,
    MinVarianceOptimizer,
    create_optimizer,
)
from tests.optimizer.ten_assets import published

LEAST = [0.03697, 0.0269, 0.09494, 0.12578, 0.07675, 0.21936, 0.02999, 0.03596, 0.06135, 0.29201]
FOURTH = [0.12689, 0.07234, 0.0, 0.28125, 0.0, 0.0, 0.0, 0.0, 0.0, 0.51952]
FREE = (-math.inf, math.inf)


def drawn(n, seed=0):
    """Return assets with one common factor and annual figures typical of shares."""
    rng = np.random.default_rng(seed)
    loading, own = rng.normal(1.0, 0.4, n), rng.uniform(0.1, 0.35, n)
    covariance = 0.03 * np.outer(loading, loading) + np.diag(own**2)
    names = [f"A{i}" for i in range(n)]
    return CovarianceData(tickers=names, covariance=covariance, expected_returns=rng.normal(0.07, 0.05, n))


def limited(n, seed):
    """Return constraints of every kind that a given portfolio satisfies."""
    rng = np.random.default_rng(seed + 1000)
    held = rng.dirichlet(np.ones(n)) * 1.3 - 0.3 / n
    current = held + rng.normal(0.0, 0.02, n)
    exposures = {f"A{i}": float(rng.normal(1.0, 0.3)) for i in range(n)}
    factor = sum(exposures[f"A{i}"] * held[i] for i in range(n))
    first = float(held[: n // 2].sum())
    groups = [
        Group("first half", [f"A{i}" for i in range(n // 2)], first - 0.05, first + 0.05),
        Group("beta", exposures, upper=factor + 0.01),
        Group.equal("pair", {"A0": 1.0, f"A{n - 1}": -1.0}, float(held[0] - held[-1])),
    ]
    return Constraints(
        bounds=(-0.3, 0.9),
        groups=groups,
        turnover=float(np.abs(held - current).sum()) + 0.15,
        leverage=float(np.abs(held).sum()) + 0.05,
        transaction_cost={f"A{i}": float(c) for i, c in enumerate(rng.uniform(0.0, 0.01, n))},
        current={f"A{i}": float(c) for i, c in enumerate(current)},
    )


def rules_of(w, data, constraints):
    """Return the constraints in cvxpy's form, and the cost of trading to w."""
    n, names = len(data.tickers), list(data.tickers)
    low, high = constraints.bounds
    current = np.array([(constraints.current or {}).get(name, 0.0) for name in names])
    cost = constraints.transaction_cost
    price = np.array([cost.get(name, 0.0) for name in names]) if isinstance(cost, dict) else np.full(n, cost)
    rules = [cp.sum(w) == constraints.invested]
    rules += [w >= low] if math.isfinite(low) else []
    rules += [w <= high] if math.isfinite(high) else []
    for group in constraints.groups:
        row = np.array([group.exposures.get(name, 0.0) for name in names])
        if group.lower == group.upper:
            rules.append(row @ w == group.lower)
            continue
        rules += [row @ w <= group.upper] if math.isfinite(group.upper) else []
        rules += [row @ w >= group.lower] if math.isfinite(group.lower) else []
    if constraints.turnover is not None:
        rules.append(cp.norm1(w - current) <= constraints.turnover)
    if constraints.leverage is not None:
        rules.append(cp.norm1(w) <= constraints.leverage)
    return rules, price @ cp.abs(w - current)


def clarabel(objective, rules, tolerance=1e-12):
    problem = cp.Problem(objective, rules)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=tolerance, tol_gap_rel=tolerance, tol_feas=tolerance)
    return problem.value


def root_of(data):
    return np.linalg.cholesky(data.covariance).T


def paid(data, constraints, weights):
    cost, held = constraints.transaction_cost, constraints.current or {}
    return sum(
        (cost.get(name, 0.0) if isinstance(cost, dict) else cost) * abs(w - held.get(name, 0.0))
        for name, w in zip(data.tickers, weights.tolist(), strict=True)
    )


def utility(data, weights, aversion=1.0):
    return 0.5 * aversion * float(weights @ data.covariance @ weights) - float(data.expected_returns @ weights)


def test_the_published_least_variance():
    found = MinVarianceOptimizer(published()).optimize()
    assert found.weights == pytest.approx(LEAST, abs=6e-6)
    assert found.expected_return == pytest.approx(0.8032153598, abs=1e-9)
    assert found.volatility == pytest.approx(0.2052376198, abs=1e-10)
    assert found.certificate.kkt_residual < 1e-14
    assert found.certificate.active_bounds == ()


def test_a_published_turning_point_by_return_by_risk_and_by_aversion():
    by_return = MeanVarianceOptimizer(published(), target_return=1.1112622642799617).optimize()
    by_risk = MeanVarianceOptimizer(published(), target_risk=0.2667196142113227).optimize()
    by_aversion = MeanVarianceOptimizer(published(), risk_aversion=1.0 / 0.16458117494477614).optimize()
    for found in (by_return, by_risk, by_aversion):
        assert found.weights == pytest.approx(FOURTH, abs=6e-6)
    assert by_risk.volatility == pytest.approx(0.2667196142113227, rel=1e-13)
    assert by_return.expected_return == pytest.approx(1.1112622642799617, rel=1e-13)


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_without_bounds_the_closed_forms(n):
    data = drawn(n, seed=n)
    inverse = np.linalg.inv(data.covariance)
    ones, means = np.ones(n), data.expected_returns
    least = MinVarianceOptimizer(data, Constraints(bounds=FREE)).optimize()
    assert least.weights == pytest.approx(inverse @ ones / (ones @ inverse @ ones), rel=1e-10, abs=1e-12)
    assert least.volatility**2 == pytest.approx(1.0 / (ones @ inverse @ ones), rel=1e-12)
    weighed = MeanVarianceOptimizer(data, Constraints(bounds=FREE), risk_aversion=3.0).optimize()
    price = (ones @ inverse @ means - 3.0) / (ones @ inverse @ ones)
    assert weighed.weights == pytest.approx(inverse @ (means - price) / 3.0, rel=1e-9, abs=1e-11)


def test_without_bounds_the_hyperbola_of_targets():
    """Merton (1972): the variance at return r is (a r² − 2 b r + c) / (a c − b²)."""
    data = drawn(8, seed=3)
    inverse, means, ones = np.linalg.inv(data.covariance), data.expected_returns, np.ones(8)
    a, b, c = ones @ inverse @ ones, ones @ inverse @ means, means @ inverse @ means
    for earned in (b / a + 0.01, 0.2, 0.9):
        variance = (a * earned**2 - 2.0 * b * earned + c) / (a * c - b**2)
        by_return = MeanVarianceOptimizer(data, Constraints(bounds=FREE), target_return=earned).optimize()
        assert by_return.volatility**2 == pytest.approx(variance, rel=1e-11)
        by_risk = MeanVarianceOptimizer(data, Constraints(bounds=FREE), target_risk=math.sqrt(variance)).optimize()
        assert by_risk.expected_return == pytest.approx(earned, rel=1e-10)
        assert by_risk.weights == pytest.approx(by_return.weights, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_all_constraints_against_clarabel(seed):
    n = 12
    data, rules = drawn(n, seed), limited(n, seed)
    w = cp.Variable(n)
    kept, cost = rules_of(w, data, rules)
    risk, earned = cp.sum_squares(root_of(data) @ w), data.expected_returns @ w
    least = MinVarianceOptimizer(data, rules).optimize()
    reached = 0.5 * least.volatility**2 + paid(data, rules, least.weights)
    assert reached == pytest.approx(clarabel(cp.Minimize(0.5 * risk + cost), kept), rel=1e-9)
    weighed = MeanVarianceOptimizer(data, rules, risk_aversion=4.0).optimize()
    reached = utility(data, weighed.weights, 4.0) + paid(data, rules, weighed.weights)
    true = clarabel(cp.Minimize(2.0 * risk - earned + cost), kept)
    assert reached == pytest.approx(true, rel=1e-9, abs=1e-11)
    target = 0.5 * (least.volatility + weighed.volatility) + 1e-3
    by_risk = MeanVarianceOptimizer(data, rules, target_risk=target).optimize()
    assert by_risk.volatility <= target * (1.0 + 1e-9)
    true = clarabel(cp.Maximize(earned - cost), [*kept, cp.norm(root_of(data) @ w) <= target], 1e-9)
    assert by_risk.expected_return - paid(data, rules, by_risk.weights) == pytest.approx(true, rel=1e-7)
    for found in (least, weighed, by_risk):
        assert found.certificate.kkt_residual < 1e-10
        assert found.certificate.duality_gap < 1e-10
        assert found.figures["transaction_cost"] == pytest.approx(paid(data, rules, found.weights), rel=1e-12)
        turned = sum(abs(w - rules.current[name]) for name, w in found.by_ticker().items())
        assert found.figures["turnover"] == pytest.approx(turned, rel=1e-12)
        assert turned <= rules.turnover + 1e-9
        assert np.abs(found.weights).sum() <= rules.leverage + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_a_target_return_with_all_constraints_against_clarabel(seed):
    n = 10
    data, rules = drawn(n, seed + 50), limited(n, seed + 50)
    w = cp.Variable(n)
    kept, cost = rules_of(w, data, rules)
    most = clarabel(cp.Maximize(data.expected_returns @ w), kept)
    least = MinVarianceOptimizer(data, rules).optimize().expected_return
    target = 0.5 * (least + most)
    found = MeanVarianceOptimizer(data, rules, target_return=target).optimize()
    assert found.expected_return == pytest.approx(target, rel=1e-10)
    risk = cp.sum_squares(root_of(data) @ w)
    true = clarabel(cp.Minimize(0.5 * risk + cost), [*kept, data.expected_returns @ w >= target])
    assert 0.5 * found.volatility**2 + paid(data, rules, found.weights) == pytest.approx(true, rel=1e-9)
    assert f"return at least {target:g}" in found.certificate.binding


def test_the_frontier_of_skfolio():
    rng = np.random.default_rng(4)
    past = rng.normal(size=(300, 8)) * 0.01 + rng.normal(size=(300, 1)) * 0.008 + rng.uniform(0.0, 1e-3, 8)
    data = CovarianceData.from_returns(past, [f"A{i}" for i in range(8)], periods_per_year=1.0)
    params = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
    theirs = MeanRisk(risk_measure=RiskMeasure.VARIANCE, max_weights=0.4, solver_params=params).fit(past)
    ours = MinVarianceOptimizer(data, Constraints(bounds=(0.0, 0.4))).optimize()
    assert ours.weights == pytest.approx(theirs.weights_, abs=1e-4)
    theirs = MeanRisk(
        objective_function=ObjectiveFunction.MAXIMIZE_UTILITY, risk_aversion=3.0, solver_params=params
    ).fit(past)
    ours = MeanVarianceOptimizer(data, risk_aversion=6.0).optimize()  # theirs has no half
    assert ours.weights == pytest.approx(theirs.weights_, abs=1e-4)
    theirs = MeanRisk(min_return=7e-4, solver_params=params).fit(past)
    ours = MeanVarianceOptimizer(data, target_return=7e-4).optimize()
    assert ours.weights == pytest.approx(theirs.weights_, abs=1e-4)


def test_a_return_below_that_of_the_least_risk_is_had_for_nothing():
    data = drawn(6)
    least = MinVarianceOptimizer(data).optimize()
    found = MeanVarianceOptimizer(data, target_return=least.expected_return - 0.01).optimize()
    assert found.weights == pytest.approx(least.weights, abs=1e-12)
    assert found.certificate.binding == ()


def test_more_risk_than_can_be_taken_gives_the_best_asset():
    data = drawn(6)
    found = MeanVarianceOptimizer(data, target_risk=3.0).optimize()
    best = int(data.expected_returns.argmax())
    assert found.weights == pytest.approx(np.eye(6)[best], abs=1e-12)


@pytest.mark.parametrize("cash_bounds", [(0.0, 1.0), FREE])
def test_with_cash_two_funds_are_held(cash_bounds):
    """Tobin (1958): whatever the appetite for risk, the risky part is Σ⁻¹(μ − r)."""
    rate, aversion = 0.02, 4.0
    data = drawn(5, seed=9).with_cash(rate)
    excess = data.expected_returns[:5] - rate
    risky = np.linalg.solve(data.covariance[:5, :5], excess)
    bounds = {**dict.fromkeys(data.tickers, FREE), "CASH": cash_bounds}
    sharpe = math.sqrt(float(excess @ risky))
    weight = risky / aversion
    if cash_bounds[0] == 0.0 and weight.sum() > 1.0:
        weight = risky / (aversion := 2.0 * float(risky.sum()))
    weighed = create_optimizer("mean_variance", data, bounds=bounds, risk_aversion=aversion).optimize()
    assert weighed.weights == pytest.approx([*weight, 1.0 - weight.sum()], rel=1e-9, abs=1e-11)
    by_risk = create_optimizer("mean_variance", data, bounds=bounds, target_risk=0.04, risk_free_rate=rate).optimize()
    assert by_risk.sharpe == pytest.approx(sharpe, rel=1e-10)
    assert by_risk.weights[:5] == pytest.approx(0.04 / sharpe * risky, rel=1e-9, abs=1e-11)
    by_return = create_optimizer("mean_variance", data, bounds=bounds, target_return=rate + 0.01).optimize()
    assert by_return.weights[:5] == pytest.approx(0.01 / sharpe**2 * risky, rel=1e-9, abs=1e-11)
    least = create_optimizer("min_variance", data, bounds=bounds).optimize()
    assert least.weights == pytest.approx([0.0] * 5 + [1.0], abs=1e-12)
    assert least.volatility == 0.0
    assert math.isnan(least.sharpe)


@given(st.integers(0, 10_000), st.integers(2, 9), st.sampled_from(["mean_variance", "min_variance"]))
@settings(max_examples=40, deadline=None)
def test_sums_bounds_and_the_order_of_the_assets(seed, n, kind):
    data = drawn(n, seed)
    rng = np.random.default_rng(seed)
    high = float(rng.uniform(1.0 / n + 0.02, 1.0))
    found = create_optimizer(kind, data, bounds=(0.01, high)).optimize()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-13)
    assert found.weights.min() >= 0.01 - 1e-14
    assert found.weights.max() <= high + 1e-14
    at = rng.permutation(n)
    turned = CovarianceData(
        tickers=[data.tickers[i] for i in at],
        covariance=data.covariance[np.ix_(at, at)],
        expected_returns=data.expected_returns[at],
    )
    again = create_optimizer(kind, turned, bounds=(0.01, high)).optimize()
    assert again.weights == pytest.approx(found.weights[at], abs=1e-10)
    assert set(again.certificate.at_upper) == set(found.certificate.at_upper)


@given(st.integers(0, 10_000), st.floats(-4.0, 4.0))
@settings(max_examples=25, deadline=None)
def test_the_unit_of_risk_does_not_matter(seed, power):
    data, unit = drawn(6, seed), 10.0**power
    other = CovarianceData(
        tickers=data.tickers, covariance=unit**2 * data.covariance, expected_returns=unit * data.expected_returns
    )
    found = create_optimizer("mean_variance", data, risk_aversion=3.0).optimize()
    again = create_optimizer("mean_variance", other, risk_aversion=3.0 / unit).optimize()
    assert again.weights == pytest.approx(found.weights, abs=1e-10)
    least = create_optimizer("min_variance", data).optimize()
    assert create_optimizer("min_variance", other).optimize().weights == pytest.approx(least.weights, abs=1e-10)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_more_constraints_are_never_better(seed):
    """Each row of limits is dropped from a full set; the objective then is no worse."""
    data, full = drawn(8, seed), limited(8, seed)
    some = {
        "bounds": full.bounds,
        "turnover": full.turnover,
        "current": full.current,
        "transaction_cost": full.transaction_cost,
    }

    def objective(constraints):
        found = MeanVarianceOptimizer(data, constraints, risk_aversion=2.0).optimize()
        return utility(data, found.weights, 2.0) + paid(data, constraints, found.weights)

    all_of_them = objective(full)
    without_groups = objective(Constraints(**some, leverage=full.leverage))
    without_leverage = objective(Constraints(**some))
    without_turnover = objective(Constraints(**{**some, "turnover": None}))
    slack = 1e-10
    assert without_turnover <= without_leverage + slack
    assert without_leverage <= without_groups + slack
    assert without_groups <= all_of_them + slack


@given(st.integers(0, 10_000), st.integers(2, 8))
@settings(max_examples=30, deadline=None)
def test_no_other_allowed_portfolio_beats_the_certificate(seed, n):
    data = drawn(n, seed)
    found = MeanVarianceOptimizer(data, risk_aversion=5.0).optimize()
    best = utility(data, found.weights, 5.0)
    assert found.certificate.duality_gap < 1e-12
    for other in np.random.default_rng(seed).dirichlet(np.ones(n), size=50):
        near = 0.99 * found.weights + 0.01 * other
        assert utility(data, near, 5.0) >= best * (1.0 - math.copysign(1e-12, best)) - 1e-15


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"target_return": 0.1, "target_risk": 0.1}, "target_return and target_risk were both given"),
        ({"risk_aversion": 0.0}, r"risk_aversion=0\.0; give a number above 0"),
        ({"risk_aversion": -2.0}, r"risk_aversion=-2\.0"),
        ({"risk_aversion": math.nan}, "risk_aversion=nan"),
        ({"risk_aversion": math.inf}, "risk_aversion=inf"),
        ({"target_return": math.nan}, "target_return=nan; give a finite return per year"),
        ({"target_return": math.inf}, "target_return=inf"),
        ({"target_risk": 0.0}, r"target_risk=0\.0; give a volatility per year above 0"),
        ({"target_risk": -0.1}, r"target_risk=-0\.1"),
        ({"target_risk": math.nan}, "target_risk=nan"),
        ({"risk_free_rate": math.nan}, "risk_free_rate=nan; give a finite rate per year"),
    ],
)
def test_bad_figures_are_refused(figures, message):
    with pytest.raises(ModelError, match=message):
        MeanVarianceOptimizer(drawn(3), **figures)


def test_expected_returns_are_needed_only_where_they_count():
    data = CovarianceData(tickers=["A", "B"], covariance=np.diag([0.04, 0.01]))
    with pytest.raises(CalibrationError, match="mean_variance needs expected returns"):
        MeanVarianceOptimizer(data)
    least = MinVarianceOptimizer(data).optimize()
    assert least.weights == pytest.approx([0.2, 0.8], abs=1e-15)
    assert math.isnan(least.expected_return)


def test_targets_out_of_reach_say_what_can_be_reached():
    data = drawn(5)
    most = float(data.expected_returns.max())
    with pytest.raises(
        InfeasibleError, match=r"target_return=0\.9 is out of reach: the highest return of an allowed portfolio is"
    ) as told:
        MeanVarianceOptimizer(data, target_return=0.9).optimize()
    assert told.value.value == pytest.approx(most, rel=1e-9)
    assert f"{most:.6g}" in str(told.value)
    least = MinVarianceOptimizer(data).optimize().volatility
    with pytest.raises(InfeasibleError, match=r"target_risk=0\.01 is below the least risk") as told:
        MeanVarianceOptimizer(data, target_risk=0.01).optimize()
    assert told.value.value == pytest.approx(least, rel=1e-9)
    assert f"{least:.6g}" in str(told.value)
    exactly = MeanVarianceOptimizer(data, target_risk=least * (1.0 + 1e-12)).optimize()
    assert exactly.volatility == pytest.approx(least, rel=1e-9)
    best = MeanVarianceOptimizer(data, target_return=most).optimize()
    assert best.weights.max() == pytest.approx(1.0, abs=1e-12)

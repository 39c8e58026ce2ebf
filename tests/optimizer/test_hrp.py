"""Hierarchical risk parity as an optimiser: the published example, skfolio, bounds, other constraints."""

import math
import random

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skfolio.optimization import HierarchicalRiskParity

from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.optimizer import (
    AssetDistance,
    Constraints,
    CovarianceData,
    Group,
    HierarchicalRiskParityOptimizer,
    LinkageMethod,
    create_optimizer,
)


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    past = 0.01 * rng.normal(size=(3 * n + 60, 3)) @ rng.normal(size=(3, n))
    past += 0.01 * rng.normal(size=past.shape) * rng.uniform(0.3, 2.0, n)
    return CovarianceData.from_returns(past, [f"A{i}" for i in range(n)])


def nearest(data, wanted, rules, bounds=(0.0, 1.0), cost=None):
    """Return the least of half the variance of the difference, and a cost, that Clarabel finds."""
    w = cp.Variable(len(wanted))
    half = 0.5 * cp.sum_squares(np.linalg.cholesky(data.covariance).T @ (w - wanted))
    problem = cp.Problem(
        cp.Minimize(half + (0.0 if cost is None else cost(w))),
        [cp.sum(w) == 1.0, w >= bounds[0], w <= bounds[1], *rules(w)],
    )
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-12, tol_feas=1e-12)
    return problem.value, w.value


def distance(data, weights, wanted):
    off = weights - wanted
    return 0.5 * float(off @ data.covariance @ off)


def test_the_example_of_the_paper():
    """The weights of HRP, in a table, of assets drawn as by the code in the appendix.

    M. López de Prado, "Building diversified portfolios that outperform out of sample", Journal of Portfolio Management
    42 (2016), 59-69.
    """
    normal, pick = np.random.RandomState(12345), random.Random(12345)
    base = normal.normal(0, 1, (10000, 5))
    chosen = [int(pick.random() * 5) for _ in range(5)]
    past = np.hstack([base, base[:, chosen] + normal.normal(0, 0.25, (10000, 5))])
    data = CovarianceData.from_returns(past, [str(i) for i in range(1, 11)], periods_per_year=1.0)
    found = create_optimizer("hrp", data, distance="rows").optimize()
    published = [7.00, 7.59, 10.84, 19.03, 9.72, 10.19, 6.62, 9.10, 7.12, 12.79]
    assert 100.0 * found.weights == pytest.approx(published, abs=0.00501)
    assert found.method == "hrp"
    assert found.certificate.duality_gap == 0.0
    assert found.certificate.kkt_residual < 1e-14


@pytest.mark.parametrize("variances", [(0.04, 0.01), (1e-6, 4.0)])
def test_two_assets_are_held_by_one_over_variance(variances):
    first, second = variances
    both = 0.3 * math.sqrt(first * second)
    data = CovarianceData(tickers=["A", "B"], covariance=[[first, both], [both, second]])
    found = HierarchicalRiskParityOptimizer(data).optimize()
    assert found.weights == pytest.approx([second / (first + second), first / (first + second)], rel=1e-13)


def test_a_single_asset_is_all_there_is():
    data = CovarianceData(tickers=["A"], covariance=[[0.04]])
    assert HierarchicalRiskParityOptimizer(data).optimize().weights.tolist() == [1.0]


@pytest.mark.parametrize("name", ["single", "complete", "average", "ward"])
def test_linkages_by_name(name):
    data = drawn(9, seed=2)
    by_name = HierarchicalRiskParityOptimizer(data, linkage=name).optimize()
    by_item = create_optimizer("hrp", data, linkage=LinkageMethod.parse(name), distance=AssetDistance.DIRECT).optimize()
    assert (by_name.weights == by_item.weights).all()
    assert by_name.weights.sum() == pytest.approx(1.0, abs=1e-15)


def test_pairs_of_twins_as_skfolio_has_them():
    """Two distant pairs: the tree and the split between them do not depend on the order of its leaves."""
    rng = np.random.default_rng(5)
    common = rng.normal(size=(400, 2))
    past = 0.01 * (common[:, [0, 0, 1, 1]] + 0.3 * rng.normal(size=(400, 4)) * [1.0, 2.0, 3.0, 0.5])
    data = CovarianceData.from_returns(past, list("ABCD"), periods_per_year=1.0)
    theirs = HierarchicalRiskParity().fit(past).weights_  # its default is Ward's
    assert HierarchicalRiskParityOptimizer(data, linkage="ward").optimize().weights == pytest.approx(theirs, rel=1e-9)


def test_bounds_are_respected_at_every_split_and_reported():
    data = drawn(8, seed=1)
    free = HierarchicalRiskParityOptimizer(data).optimize()
    cap = 0.8 * float(free.weights.max())
    found = create_optimizer("hrp", data, bounds=(0.05, cap)).optimize()
    assert found.weights.min() >= 0.05
    assert found.weights.max() <= cap
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-14)
    most = data.tickers[int(free.weights.argmax())]
    assert most in found.certificate.at_upper
    assert all(found.by_ticker()[name] == cap for name in found.certificate.at_upper)
    assert all(found.by_ticker()[name] == 0.05 for name in found.certificate.at_lower)


def test_half_the_wealth_is_shared_out_alike():
    data = drawn(7)
    whole = HierarchicalRiskParityOptimizer(data).optimize()
    half = create_optimizer("hrp", data, invested=0.5).optimize()
    assert half.weights == pytest.approx(0.5 * whole.weights, rel=1e-13)


@pytest.mark.parametrize("seed", range(5))
def test_where_a_group_binds_the_nearest_portfolio_is_returned(seed):
    n = 8
    data = drawn(n, seed)
    wanted = HierarchicalRiskParityOptimizer(data).optimize().weights
    most = 0.6 * float(wanted[:3].sum())
    group = Group("three", ["A0", "A1", "A2"], upper=most)
    found = HierarchicalRiskParityOptimizer(data, Constraints(groups=[group])).optimize()
    least, there = nearest(data, wanted, lambda w: [cp.sum(w[:3]) <= most])
    assert distance(data, found.weights, wanted) == pytest.approx(least, rel=1e-6, abs=1e-14)
    assert found.weights == pytest.approx(there, abs=1e-4)
    assert found.weights[:3].sum() == pytest.approx(most, abs=1e-12)
    assert found.certificate.binding == (f"three at most {most:g}",)
    assert found.certificate.kkt_residual < 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_turnover_and_cost_hold_it_back(seed):
    n = 6
    data, rng = drawn(n, seed), np.random.default_rng(seed)
    wanted = HierarchicalRiskParityOptimizer(data).optimize().weights
    held = rng.dirichlet(np.ones(n))
    current = dict(zip(data.tickers, held.tolist(), strict=True))
    most = 0.5 * float(np.abs(wanted - held).sum())
    found = HierarchicalRiskParityOptimizer(data, Constraints(turnover=most, current=current)).optimize()
    least, _ = nearest(data, wanted, lambda w: [cp.norm1(w - held) <= most])
    assert distance(data, found.weights, wanted) == pytest.approx(least, rel=1e-6)
    assert found.figures["turnover"] == pytest.approx(most, rel=1e-9)
    costly = HierarchicalRiskParityOptimizer(data, Constraints(transaction_cost=0.003, current=current)).optimize()
    least, _ = nearest(data, wanted, lambda w: [w >= 0.0], cost=lambda w: 0.003 * cp.norm1(w - held))
    reached = distance(data, costly.weights, wanted) + costly.figures["transaction_cost"]
    assert reached == pytest.approx(least, rel=1e-7)


@given(st.integers(0, 10_000), st.integers(2, 15))
@settings(max_examples=50, deadline=None)
def test_sums_bounds_and_unit(seed, n):
    data, rng = drawn(n, seed), np.random.default_rng(seed)
    low, high = float(rng.uniform(0.0, 1.0 / n)), float(rng.uniform(1.0 / n, 1.0))
    found = create_optimizer("hrp", data, bounds=(low, high)).optimize()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert found.weights.min() >= low - 1e-12
    assert found.weights.max() <= high + 1e-12
    unit = 10.0 ** rng.uniform(-5.0, 5.0)
    other = CovarianceData(tickers=data.tickers, covariance=unit * data.covariance)
    assert create_optimizer("hrp", other, bounds=(low, high)).optimize().weights == pytest.approx(
        found.weights, abs=1e-11
    )


@pytest.mark.parametrize("invested", [0.0, -0.5])
def test_nothing_to_invest_is_refused(invested):
    with pytest.raises(
        ModelError, match=f"invested={invested:g}; hierarchical risk parity requires a sum of weights above 0"
    ):
        create_optimizer("hrp", drawn(3), invested=invested, bounds=(-1.0, 1.0))


def test_names_that_are_not_known_are_refused():
    with pytest.raises(ModelError, match="no linkage 'median'; there are single, complete, average, ward"):
        HierarchicalRiskParityOptimizer(drawn(3), linkage="median")
    with pytest.raises(ModelError, match="no distance 'far'; there are direct, rows"):
        HierarchicalRiskParityOptimizer(drawn(3), distance="far")


def test_cash_and_contradictions_are_refused():
    with pytest.raises(CalibrationError, match="hrp requires assets with risk, and CASH has none"):
        HierarchicalRiskParityOptimizer(drawn(3).with_cash(0.02)).optimize()
    with pytest.raises(InfeasibleError, match=r"the lower bounds add up to 1\.2, 0\.2 more than invested=1") as told:
        create_optimizer("hrp", drawn(3), bounds=(0.4, 1.0))
    assert told.value.value == pytest.approx(0.2, abs=1e-12)
    with pytest.raises(InfeasibleError, match=r"all at most 0\.9.* by 0\.1; relax one"):
        create_optimizer("hrp", drawn(3), groups=[Group("all", ["A0", "A1", "A2"], upper=0.9)]).optimize()

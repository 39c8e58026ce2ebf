"""Portfolios at the edges: rates beside cash, targets just out of reach, tiny units, tiny shares."""

import math

import numpy as np
import pytest

from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.optimizer import Constraints, CovarianceData, Group, create_optimizer, cvar_frontier, portfolio_of

TWO = CovarianceData(tickers=["A", "B"], covariance=np.diag([0.04, 0.09]), expected_returns=[0.05, 0.10])
THREE = CovarianceData(
    tickers=["A", "B", "C"], covariance=np.diag([0.01, 0.04, 0.09]), expected_returns=[0.03, 0.05, 0.1]
)


def past_of_two():
    past = np.random.default_rng(1).normal(size=(200, 2)) * 0.01
    return CovarianceData.from_returns(past - past.mean(axis=0) + np.array([0.05, 0.10]) / 252.0, ["A", "B"])


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.0299999])
def test_cash_above_the_riskless_rate_has_no_largest_ratio(rate):
    with pytest.raises(InfeasibleError):
        create_optimizer("max_sharpe", TWO.with_cash(0.03), risk_free_rate=rate).optimize()


def test_a_ratio_that_rises_without_end_is_refused():
    """Without bounds, and with a rate above the return of the least variance, it is never reached."""
    with pytest.raises(InfeasibleError):
        create_optimizer("max_sharpe", TWO, bounds=(-math.inf, math.inf), risk_free_rate=0.2).optimize()


def test_a_rate_just_below_the_best_asset_is_proven_too():
    found = create_optimizer("max_sharpe", TWO, risk_free_rate=0.1 - 1e-9).optimize()
    assert found.weights == pytest.approx([0.0, 1.0], abs=1e-12)
    assert found.certificate.kkt_residual < 1e-9


@pytest.mark.parametrize("beyond", [2e-9, 1e-8, 9e-8])
def test_a_return_just_out_of_reach(beyond):
    with pytest.raises(InfeasibleError, match="out of reach"):
        create_optimizer("mean_variance", TWO, target_return=0.1 + beyond).optimize()


def test_what_can_be_reached_is_before_costs():
    with pytest.raises(InfeasibleError) as told:
        create_optimizer("mean_variance", TWO, target_return=0.12, transaction_cost=0.02, current={"A": 1.0}).optimize()
    assert told.value.value == pytest.approx(0.10, rel=1e-9)


def test_returns_that_are_almost_the_same():
    near = CovarianceData(tickers=["A", "B"], covariance=np.diag([0.04, 0.09]), expected_returns=[0.1, 0.1 + 1e-8])
    found = create_optimizer("mean_variance", near, target_risk=0.29).optimize()
    assert found.volatility == pytest.approx(0.29, rel=1e-9)


@pytest.mark.parametrize("target", [math.nan, -math.inf, math.inf])
def test_a_target_that_is_no_number(target):
    with pytest.raises(ModelError, match="target_return="):
        create_optimizer("min_cvar", past_of_two(), target_return=target)


def test_a_target_is_measured_before_costs():
    found = create_optimizer(
        "min_cvar", past_of_two(), target_return=0.09, transaction_cost=0.02, current={"A": 1.0}
    ).optimize()
    assert found.expected_return == pytest.approx(0.09, rel=1e-9)


def test_a_frontier_with_costs_goes_to_the_best_asset():
    frontier = cvar_frontier(past_of_two(), Constraints(transaction_cost=0.02, current={"A": 1.0}), count=4)
    assert len(frontier.portfolios) == 4
    assert frontier.expected_returns[-1] == pytest.approx(0.10, rel=1e-6)


@pytest.mark.parametrize("unit", [1.0, 1e-2, 1e-4])
def test_the_unit_of_returns_does_not_matter(unit):
    rng = np.random.default_rng(153)
    past = 0.01 * rng.standard_t(4, size=(80, 6)) + 0.008 * rng.standard_t(4, size=(80, 1))
    past += rng.uniform(0.0, 1e-3, 6)
    names = [f"A{i}" for i in range(6)]
    one, other = (CovarianceData.from_returns(u * past, names) for u in (100.0, unit))
    found = create_optimizer("min_cvar", other, confidence=0.8).optimize()
    true = create_optimizer("min_cvar", one, confidence=0.8).optimize().figures["cvar"] / 100.0
    assert found.figures["cvar"] / unit == pytest.approx(true, rel=1e-10)
    assert found.certificate.duality_gap < 1e-10


def test_a_group_may_ask_for_very_little_of_an_asset():
    found = create_optimizer("risk_parity", THREE, groups=[Group("a", ["A"], upper=0.001)]).optimize()
    assert found.weights[0] == pytest.approx(0.001, rel=1e-9)
    bounded = create_optimizer("risk_parity", THREE, bounds={"A": (0.0, 0.001)}).optimize()
    assert found.weights == pytest.approx(bounded.weights, abs=1e-9)


def test_a_line_search_is_not_lost_in_rounding():
    rng = np.random.default_rng(40)
    loading, own = rng.normal(1.0, 0.5, 6), rng.uniform(0.05, 0.4, 6)
    names = [f"A{i}" for i in range(6)]
    data = CovarianceData(tickers=names, covariance=0.03 * np.outer(loading, loading) + np.diag(own**2))
    exposures = dict(zip(names, np.random.default_rng(40).normal(size=6).tolist(), strict=True))
    free = create_optimizer("risk_parity", data).optimize().weights
    row = np.array([*exposures.values()])
    side = float(row.min()) + 0.02 * float(row @ free - row.min())
    found = create_optimizer("risk_parity", data, groups=[Group("tilt", exposures, upper=side)]).optimize()
    assert row @ found.weights == pytest.approx(side, abs=1e-10)


@pytest.mark.parametrize("kind", ["risk_parity", "hrp"])
def test_turnover_is_told_where_something_is_held_now(kind):
    assert "turnover" in create_optimizer(kind, THREE, current={"A": 1.0}).optimize().figures


def test_a_cutoff_above_every_weight_is_refused():
    data = CovarianceData(tickers=[f"A{i}" for i in range(200)], covariance=np.eye(200))
    with pytest.raises(ModelError):
        portfolio_of(data, "equal", np.full(200, 0.005)).clean_weights(cutoff=0.01)


def test_cash_at_a_rate_that_is_no_number():
    with pytest.raises(CalibrationError):
        CovarianceData(tickers=["A"], covariance=[[0.04]]).with_cash(math.nan)

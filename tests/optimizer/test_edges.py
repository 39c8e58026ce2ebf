"""Portfolios in edge cases: rates beside cash, targets just out of reach, tiny units, tiny shares."""

import math

import numpy as np
import pytest

from bank_python.errors import CalibrationError, InfeasibleError, MatrixError, ModelError
from bank_python.optimizer import (
    Constraints,
    CovarianceData,
    Group,
    Rebalancer,
    create_optimizer,
    cvar_frontier,
    portfolio_of,
)

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


def test_an_unbounded_ratio_is_rejected():
    """Without bounds, and with a rate above the return of the least variance, there is no maximum."""
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
def test_turnover_is_reported_where_present_weights_are_given(kind):
    assert "turnover" in create_optimizer(kind, THREE, current={"A": 1.0}).optimize().figures


def test_a_cutoff_above_every_weight_is_refused():
    data = CovarianceData(tickers=[f"A{i}" for i in range(200)], covariance=np.eye(200))
    with pytest.raises(ModelError):
        portfolio_of(data, "equal", np.full(200, 0.005)).clean_weights(cutoff=0.01)


def test_cash_at_a_rate_that_is_no_number():
    with pytest.raises(CalibrationError):
        CovarianceData(tickers=["A"], covariance=[[0.04]]).with_cash(math.nan)


@pytest.mark.parametrize("rate", [0.0001, 0.0, -0.00002])
def test_a_deposit_among_prices_never_moves_whatever_its_rounding(rate):
    rng = np.random.default_rng(5)
    prices = 100.0 * np.cumprod(1.0 + 0.01 * rng.normal(size=(300, 2)), axis=0)
    with_deposit = np.column_stack([prices, 100.0 * (1.0 + rate) ** np.arange(300)])
    with pytest.raises(CalibrationError, match="the returns of DEPOSIT are constant"):
        CovarianceData.from_prices(with_deposit, ["A", "B", "DEPOSIT"], estimator="ledoit_wolf")
    returns = with_deposit[1:] / with_deposit[:-1] - 1.0
    with pytest.raises(CalibrationError, match="the returns of DEPOSIT are constant"):
        CovarianceData.from_returns(returns, ["A", "B", "DEPOSIT"])


def test_frames_and_series_are_read_by_their_names():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(6)
    names, turned = ["A", "B", "C"], ["C", "A", "B"]
    past = 0.01 * rng.normal(size=(60, 3)) * [1.0, 2.0, 3.0]
    frame = pd.DataFrame(past, columns=names, index=pd.date_range("2026-01-01", periods=60))
    plain = CovarianceData.from_returns(past, names)
    for tickers in (names, turned, ["B"]):
        at = [names.index(name) for name in tickers]
        read = CovarianceData.from_returns(frame, tickers)
        np.testing.assert_allclose(read.covariance, plain.covariance[np.ix_(at, at)], rtol=1e-14)
    sigma = pd.DataFrame(plain.covariance, index=names, columns=names)
    means = pd.Series([0.1, 0.2, 0.3], index=names)
    told = CovarianceData(tickers=turned, covariance=sigma.loc[["B", "A", "C"]], expected_returns=means, returns=frame)
    np.testing.assert_array_equal(told.expected_returns, [0.3, 0.1, 0.2])
    np.testing.assert_allclose(told.volatilities, plain.volatilities[[2, 0, 1]], rtol=1e-14)
    np.testing.assert_array_equal(told.returns, past[:, [2, 0, 1]])
    with pytest.raises(CalibrationError, match="no 'D' among A, B, C"):
        CovarianceData.from_returns(frame, ["A", "D"])
    numbered = pd.DataFrame(past)
    np.testing.assert_array_equal(CovarianceData.from_returns(numbered, names).covariance, plain.covariance)
    held = pd.Series([0.5, 0.5], index=["C", "A"])
    rules = Constraints(current=held, turnover=0.2)
    best = create_optimizer("min_variance", plain, constraints=rules).optimize()
    assert best.figures["turnover"] <= 0.2 + 1e-12


@pytest.mark.parametrize("bounds", [5, None, "ab", {"A": 0.5}, {"A": (0.0,)}, {"A": None}, [(0.0, 1.0), 0.5]])
def test_bounds_of_no_shape_are_refused_by_name(bounds):
    data = CovarianceData(tickers=["A", "B"], covariance=np.diag([0.04, 0.09]))
    with pytest.raises(ModelError, match="one pair for each asset"):
        create_optimizer("min_variance", data, bounds=bounds)


@pytest.mark.parametrize("slight", [1e-16, 1e-30])
def test_a_variance_next_to_nothing_is_cash(slight):
    with pytest.raises(
        MatrixError, match=r"the variance .* of C is too small beside 0.09 of another asset; add it as cash"
    ):
        CovarianceData(tickers=["A", "B", "C"], covariance=np.diag([0.04, 0.09, slight]))


def test_beside_cash_the_least_variance_has_no_ratio():
    past = np.random.default_rng(3).normal(0.0004, 0.01, (400, 12))
    data = CovarianceData.from_returns(past, [f"A{i}" for i in range(12)]).with_cash(0.03)
    found = create_optimizer("min_variance", data).optimize()
    assert found.weights[-1] == pytest.approx(1.0, abs=1e-9)
    assert (found.volatility, math.isnan(found.sharpe)) == (0.0, True)


def test_a_barbell_is_rebalanced_without_a_price_of_what_is_safe():
    held = create_optimizer("barbell", TWO, risk_free_rate=0.03).optimize()
    plan = Rebalancer(held, lot=0, band=0.0).plan({}, {"A": 10.0, "B": 20.0}, cash=1_000.0)
    assert plan.cash_left == pytest.approx(1_000.0 * held.by_ticker()["SAFE"], rel=1e-9)
    assert {trade.ticker for trade in plan.trades} == {name for name in "AB" if held.by_ticker()[name] > 1e-9}


def test_a_member_that_is_named_twice_is_refused():
    with pytest.raises(ModelError, match="group 'g' names A twice"):
        Group("g", ["A", "B", "A"], upper=0.5)


def test_figures_by_name_go_where_they_belong():
    data = CovarianceData(tickers=["A", "B"], covariance=np.diag([0.04, 0.09]), expected_returns={"B": 0.10, "A": 0.05})
    assert data.expected_returns.tolist() == [0.05, 0.10]
    with pytest.raises(CalibrationError, match="there is no 'B' among A"):
        data.with_expected_returns({"A": 0.05})


@pytest.mark.parametrize("periods", [0.0, -1.0, math.nan, math.inf])
def test_a_year_has_periods(periods):
    with pytest.raises(CalibrationError, match="periods_per_year="):
        CovarianceData(tickers=["A"], covariance=[[0.04]], periods_per_year=periods)


def test_data_of_another_type_is_rejected():
    with pytest.raises(ModelError, match="hrp of a ndarray; give CovarianceData"):
        create_optimizer("hrp", np.eye(3))


@pytest.mark.parametrize("digits", [-1, 2.5])
def test_decimals_are_a_number_from_0_on(digits):
    with pytest.raises(ModelError, match="digits="):
        create_optimizer("min_variance", TWO).optimize().clean_weights(digits=digits)

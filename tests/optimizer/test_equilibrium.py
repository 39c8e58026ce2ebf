"""Equilibrium returns: the security market line by hand, the return of the market, reverse optimisation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError, RiskError
from bank_python.optimizer import (
    Constraints,
    CovarianceData,
    MaxSharpeOptimizer,
    market_shares,
    with_capm_returns,
)


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    loading, own = rng.uniform(0.5, 1.5, n), rng.uniform(0.1, 0.35, n)
    names = [f"A{i}" for i in range(n)]
    return CovarianceData(tickers=names, covariance=0.03 * np.outer(loading, loading) + np.diag(own**2))


def test_a_market_of_two_by_hand():
    """Half of each, variances of 4 and 16 %², uncorrelated: betas of 0.4 and 1.6, and 2 + 6 β per cent."""
    data = CovarianceData(tickers=["A", "B"], covariance=np.diag([0.0004, 0.0016]))
    priced = with_capm_returns(data, {"A": 0.5, "B": 0.5}, risk_free_rate=0.02, market_return=0.08)
    assert priced.expected_returns == pytest.approx([0.044, 0.116], abs=1e-15)
    assert data.expected_returns is None


def test_betas_from_the_markets_past_returns():
    rng = np.random.default_rng(1)
    market = 0.01 * rng.normal(size=250)
    past = np.outer(market, [0.5, 1.0, 1.82]) + 0.002 * rng.normal(size=(250, 3))
    data = CovarianceData.from_returns(past, ["A", "B", "C"])
    priced = with_capm_returns(data, market, risk_free_rate=0.05, market_return=0.12)
    betas = np.array([np.cov(column, market)[0, 1] / np.var(market, ddof=1) for column in past.T])
    assert priced.expected_returns == pytest.approx(0.05 + 0.07 * betas, rel=1e-12)
    exact = CovarianceData.from_returns(
        np.outer(market, [1.82, 1.0]) + np.array([1e-4, -1e-4]), ["A", "B"], estimator="oas"
    )
    asked = with_capm_returns(exact, market, risk_free_rate=0.05, market_return=0.12).expected_returns
    assert asked == pytest.approx([0.1774, 0.12], abs=1e-12)


@given(st.integers(0, 10_000), st.integers(1, 10), st.floats(-0.02, 0.1), st.floats(-0.3, 0.5))
def test_the_market_earns_the_markets_return(seed, n, rate, market_return):
    data = drawn(n, seed)
    sizes = np.random.default_rng(seed).uniform(0.0, 5e9, n)
    sizes[0] += 1.0
    market = dict(zip(data.tickers, sizes.tolist(), strict=True))
    priced = with_capm_returns(data, market, risk_free_rate=rate, market_return=market_return)
    shares = market_shares(data, market)
    assert shares.sum() == pytest.approx(1.0, abs=1e-14)
    assert float(priced.expected_returns @ shares) == pytest.approx(market_return, rel=1e-10, abs=1e-13)
    assert priced.covariance is data.covariance or (priced.covariance == data.covariance).all()
    assert priced.tickers == data.tickers


@pytest.mark.parametrize("n", [2, 6, 20])
def test_the_best_sharpe_ratio_is_the_markets(n):
    """Sharpe (1974), imputing expected returns: the market is optimal for the returns that it implies."""
    data, rng = drawn(n, n), np.random.default_rng(n)
    market = dict(zip(data.tickers, rng.dirichlet(np.full(n, 3.0)).tolist(), strict=True))
    priced = with_capm_returns(data, market, risk_free_rate=0.03, market_return=0.09)
    for rules in (Constraints(), Constraints(bounds=(-math.inf, math.inf))):
        found = MaxSharpeOptimizer(priced, rules, risk_free_rate=0.03).optimize()
        assert found.weights == pytest.approx(market_shares(data, market), abs=1e-9)
        assert found.expected_return == pytest.approx(0.09, rel=1e-9)


def test_shares_of_the_market():
    data = drawn(4)
    assert market_shares(data, None).tolist() == [0.25] * 4
    assert market_shares(data, {"A1": 30.0, "A3": 10.0}).tolist() == [0.0, 0.75, 0.0, 0.25]


def test_cash_has_the_riskless_rate():
    data = drawn(3).with_cash(0.02)
    market = {"A0": 0.5, "A1": 0.3, "A2": 0.2}
    priced = with_capm_returns(data, market, risk_free_rate=0.04, market_return=0.1)
    assert priced.expected_returns[3] == pytest.approx(0.04, abs=1e-16)
    assert priced.riskless == ("CASH",)


@pytest.mark.parametrize(
    ("market", "rates", "error", "message"),
    [
        ({"B": 1.0}, (0.02, 0.08), ModelError, "market_weights contains the unknown ticker 'B'; there are A0, A1, A2"),
        ({"A0": -1.0, "A1": 3.0}, (0.02, 0.08), CalibrationError, "give weights of at least 0"),
        ({"A0": 0.0}, (0.02, 0.08), CalibrationError, "not all of them 0"),
        ({"A0": math.nan}, (0.02, 0.08), ModelError, "market_weights of A0 is nan"),
        (
            {"A0": 1.0},
            (math.nan, 0.08),
            CalibrationError,
            r"risk_free_rate=nan, market_return=0\.08; give finite rates per year",
        ),
        ({"A0": 1.0}, (0.02, math.inf), CalibrationError, r"risk_free_rate=0\.02, market_return=inf"),
        ([0.01, 0.02], (0.02, 0.08), CalibrationError, "needs past returns; give returns="),
    ],
)
def test_bad_input_is_refused(market, rates, error, message):
    rate, market_return = rates
    with pytest.raises(error, match=message):
        with_capm_returns(drawn(3), market, risk_free_rate=rate, market_return=market_return)


@pytest.mark.parametrize("market", [[0.01] * 19 + [0.02] * 2, [0.01] * 20, [0.01, math.nan] * 10])
def test_a_market_whose_returns_do_not_fit_is_refused(market):
    past = 0.01 * np.random.default_rng(0).normal(size=(20, 2))
    data = CovarianceData.from_returns(past, ["A", "B"])
    with pytest.raises(RiskError):
        with_capm_returns(data, market, risk_free_rate=0.02, market_return=0.08)

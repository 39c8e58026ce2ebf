"""Black–Litterman: the tables of He and Litterman, Clarabel, and invalid views."""

import math

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, MatrixError, ModelError
from bank_python.optimizer import (
    BlackLittermanOptimizer,
    Constraints,
    CovarianceData,
    View,
    create_optimizer,
    posterior,
)
from bank_python.risk_models.black_litterman import black_litterman

# G. He and R. Litterman, "The intuition behind Black-Litterman model portfolios" (Goldman Sachs, 1999), tables 1 and 2;
# δ = 2.5, τ = 0.05.
COUNTRIES = ["AU", "CA", "FR", "DE", "JP", "UK", "US"]
VOLATILITIES = np.array([0.160, 0.203, 0.248, 0.271, 0.210, 0.200, 0.187])
MARKET = dict(zip(COUNTRIES, [0.016, 0.022, 0.052, 0.055, 0.116, 0.124, 0.615], strict=True))
CORRELATION = np.eye(7)
CORRELATION[np.tril_indices(7, -1)] = [
    *(0.488,),
    *(0.478, 0.664),
    *(0.515, 0.655, 0.861),
    *(0.439, 0.310, 0.355, 0.354),
    *(0.512, 0.608, 0.783, 0.777, 0.405),
    *(0.491, 0.779, 0.668, 0.653, 0.306, 0.652),
]
CORRELATION = np.maximum(CORRELATION, CORRELATION.T)
SIGMA = np.outer(VOLATILITIES, VOLATILITIES) * CORRELATION
GERMANY = {"DE": 1.0, "FR": -5.2 / 17.6, "UK": -12.4 / 17.6}
CANADA_USA = {"CA": 1.0, "US": -1.0}
FREE = (-math.inf, math.inf)
LAST_DIGIT = 0.06  # of per cent, printed with one decimal from inputs that are rounded too


def world():
    return CovarianceData(tickers=COUNTRIES, covariance=SIGMA)


def optimal(views, invested, **more):
    """Return the portfolio for views with the sum of weights that is optimal without constraint."""
    rules = Constraints(bounds=FREE, invested=invested)
    return BlackLittermanOptimizer(world(), rules, views=views, market_weights=MARKET, **more)


def drawn(n, seed):
    rng = np.random.default_rng(seed)
    loading, own = rng.normal(1.0, 0.4, n), rng.uniform(0.1, 0.35, n)
    names = [f"A{i}" for i in range(n)]
    return CovarianceData(tickers=names, covariance=0.03 * np.outer(loading, loading) + np.diag(own**2))


def test_table_4_germany_against_the_rest_of_europe():
    """The paper's weights add up to 95.2 % = 1/(1 + τ) of the wealth; the view itself has none in sum."""
    found = optimal([View(GERMANY, 0.05)], invested=1.0 / 1.05)
    assert 100 * found.posterior.expected_returns == pytest.approx([4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1], abs=LAST_DIGIT)
    told = found.optimize()
    assert 100 * told.weights == pytest.approx([1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6], abs=LAST_DIGIT)
    assert 100 * told.weights == pytest.approx([1.524, 2.095, -3.968, 35.429, 11.048, -9.462, 58.571], abs=6e-4)
    assert told.weights == pytest.approx(found.posterior.weights, abs=1e-12)
    assert told.expected_return == pytest.approx(float(found.posterior.expected_returns @ told.weights), rel=1e-13)
    covariance = found.posterior.covariance
    assert told.volatility**2 == pytest.approx(float(told.weights @ covariance @ told.weights), rel=1e-13)


@pytest.mark.parametrize("canada", [0.03, 0.04])
def test_tables_5_and_6_a_second_view(canada):
    """A country in no view keeps the market's weight over 1 + τ, here 1.5 and 11.0 % as printed."""
    told = optimal([View(GERMANY, 0.05), View(CANADA_USA, canada)], invested=1.0 / 1.05).optimize()
    held = told.by_ticker()
    assert (100 * held["AU"], 100 * held["JP"]) == pytest.approx((1.5, 11.0), abs=LAST_DIGIT)
    assert held["CA"] + held["US"] == pytest.approx((0.022 + 0.615) / 1.05, rel=1e-11)
    assert held["CA"] > 0.3


def test_without_views_the_market_is_held():
    told = create_optimizer("black_litterman", world(), views={}, market_weights=MARKET, bounds=FREE).optimize()
    # Fully invested instead of 1/(1 + τ): the rest is allocated at the least variance.
    inverse = np.linalg.solve(SIGMA, np.ones(7))
    expected = np.array([*MARKET.values()]) / 1.05 + (1.0 - 1.0 / 1.05) * inverse / inverse.sum()
    assert told.weights == pytest.approx(expected, abs=1e-12)
    exactly = optimal({}, invested=1.0 / 1.05).optimize()
    assert exactly.weights == pytest.approx(np.array([*MARKET.values()]) / 1.05, abs=1e-13)


def test_market_weights_may_be_capitalisations():
    sizes = {name: 3e12 * share for name, share in MARKET.items()}
    views = {"DE": 0.12}
    by_size = BlackLittermanOptimizer(world(), views=views, market_weights=sizes).optimize()
    by_share = BlackLittermanOptimizer(world(), views=views, market_weights=MARKET).optimize()
    assert by_size.weights == pytest.approx(by_share.weights, abs=1e-12)
    equal = BlackLittermanOptimizer(world(), views=views).optimize()
    same = BlackLittermanOptimizer(world(), views=views, market_weights=dict.fromkeys(COUNTRIES, 5.0)).optimize()
    assert equal.weights == pytest.approx(same.weights, abs=1e-12)


def test_views_by_ticker_are_views_of_single_assets():
    sure = {"DE": 0.9}
    short = posterior(world(), {"DE": 0.12, "JP": 0.02}, confidences=sure, market_weights=MARKET)
    long = posterior(world(), [View({"DE": 1}, 0.12, 0.9), View({"JP": 1}, 0.02, 0.5)], market_weights=MARKET)
    assert (short.expected_returns == long.expected_returns).all()
    kernel = black_litterman(
        SIGMA,
        P=np.eye(7)[[3, 4]],
        Q=[0.12, 0.02],
        market_weights=[*MARKET.values()],
        confidences=[0.9, 0.5],
    )
    assert short.expected_returns == pytest.approx(kernel.expected_returns, rel=1e-14)


def test_a_certain_view_is_met_and_two_that_contradict_are_refused():
    found = BlackLittermanOptimizer(world(), views={"JP": 0.2}, confidences={"JP": 1.0}, market_weights=MARKET)
    assert found.posterior.expected_returns[4] == pytest.approx(0.2, abs=1e-14)
    with pytest.raises(MatrixError):
        posterior(world(), [View({"JP": 1.0}, 0.1, 1.0), View({"JP": 2.0}, 0.5, 1.0)])


@pytest.mark.parametrize("seed", range(5))
def test_within_constraints_against_clarabel(seed):
    n = 8
    data, rng = drawn(n, seed), np.random.default_rng(seed)
    views = [View({f"A{i}": 1.0, f"A{i + 1}": -0.5}, float(rng.normal(0.05, 0.1)), 0.7) for i in range(0, n, 2)]
    current = dict(zip(data.tickers, rng.dirichlet(np.ones(n)).tolist(), strict=True))
    rules = Constraints(bounds=(-0.1, 0.5), turnover=0.6, leverage=1.15, transaction_cost=0.003, current=current)
    found = BlackLittermanOptimizer(data, rules, views=views, risk_aversion=3.0, tau=0.1)
    told, means = found.optimize(), found.posterior.expected_returns
    w, held = cp.Variable(n), np.array([*current.values()])
    root = np.linalg.cholesky(found.posterior.covariance).T
    traded = cp.norm1(w - held)
    problem = cp.Problem(
        cp.Minimize(1.5 * cp.sum_squares(root @ w) - means @ w + 0.003 * traded),
        [cp.sum(w) == 1.0, w >= -0.1, w <= 0.5, traded <= 0.6, cp.norm1(w) <= 1.15],
    )
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    reached = 1.5 * told.volatility**2 - told.expected_return + told.figures["transaction_cost"]
    assert reached == pytest.approx(problem.value, rel=1e-8, abs=1e-11)
    assert told.figures["turnover"] <= 0.6 + 1e-9
    assert np.abs(told.weights).sum() <= 1.15 + 1e-9


@given(st.integers(0, 10_000), st.integers(2, 7), st.floats(0.05, 0.95))
@settings(max_examples=40, deadline=None)
def test_a_higher_view_never_lowers_the_covariance_with_its_asset(seed, n, confidence):
    """A higher view moves all means along their covariances with the asset, so the portfolio's does not fall.

    The weight of the asset may fall: under bounds, a correlated asset can be bought in its place.
    """
    data, rng = drawn(n, seed), np.random.default_rng(seed)
    level = float(rng.normal(0.08, 0.1))
    weights = [
        create_optimizer("black_litterman", data, views={"A0": level + more}, confidences={"A0": confidence}).optimize()
        for more in (0.0, 0.02, 0.1)
    ]
    covariances = [float(data.covariance[0] @ found.weights) for found in weights]
    assert covariances[0] <= covariances[1] + 1e-13
    assert covariances[1] <= covariances[2] + 1e-13
    assert weights[0].weights.sum() == pytest.approx(1.0, abs=1e-13)
    assert weights[0].weights.min() >= -1e-14


@given(st.integers(0, 10_000), st.integers(2, 7))
@settings(max_examples=30, deadline=None)
def test_the_order_of_assets_and_the_size_of_a_view_do_not_matter(seed, n):
    data, rng = drawn(n, seed), np.random.default_rng(seed)
    exposures = {name: float(rng.normal()) for name in data.tickers}
    doubled = {name: 2.0 * exposure for name, exposure in exposures.items()}
    found = BlackLittermanOptimizer(data, views=[View(exposures, 0.05, 0.8)]).optimize()
    again = BlackLittermanOptimizer(data, views=[View(doubled, 0.10, 0.8)]).optimize()
    assert again.weights == pytest.approx(found.weights, abs=1e-10)
    at = rng.permutation(n)
    turned = CovarianceData(tickers=[data.tickers[i] for i in at], covariance=data.covariance[np.ix_(at, at)])
    moved = BlackLittermanOptimizer(turned, views=[View(exposures, 0.05, 0.8)]).optimize()
    assert moved.weights == pytest.approx(found.weights[at], abs=1e-10)


@pytest.mark.parametrize(
    ("exposures", "figures", "message"),
    [
        ({}, (0.1,), r"the exposures \{\} of a view are all zero"),
        ({"DE": 0.0}, (0.1,), r"the exposures \{'DE': 0\.0\} of a view are all zero"),
        ({"DE": 1.0}, (math.nan,), "expected_return=nan of a view; give a finite return per year"),
        ({"DE": 1.0}, (math.inf,), "expected_return=inf of a view"),
        ({"DE": 1.0}, (0.1, 0.0), r"confidence=0\.0 lies outside \(0, 1\]; a half is usual"),
        ({"DE": 1.0}, (0.1, 1.1), r"confidence=1\.1 lies outside"),
        ({"DE": 1.0}, (0.1, math.nan), "confidence=nan lies outside"),
    ],
)
def test_bad_views_are_refused(exposures, figures, message):
    with pytest.raises(CalibrationError, match=message):
        View(exposures, *figures)


@pytest.mark.parametrize(
    ("given_figures", "error", "message"),
    [
        (
            {"views": {"XX": 0.1}},
            ModelError,
            "a view contains the unknown ticker 'XX'; there are AU, CA, FR, DE, JP, UK, US",
        ),
        ({"views": [View({"DE": 1.0, "XX": -1.0}, 0.1)]}, ModelError, "a view contains the unknown ticker 'XX'"),
        ({"views": [View({"DE": math.nan}, 0.1)]}, ModelError, "a view of DE is nan; correct it"),
        ({"views": {"DE": math.nan}}, CalibrationError, "expected_return=nan of a view"),
        ({"views": {"DE": 0.1}, "confidences": {"FR": 0.5}}, CalibrationError, "a confidence for 'FR' without a view"),
        ({"views": {"DE": 0.1}, "confidences": {"DE": 2.0}}, CalibrationError, r"confidence=2\.0 lies outside"),
        (
            {"views": [View({"DE": 1.0}, 0.1)], "confidences": {"DE": 0.5}},
            CalibrationError,
            "confidences= is for views by ticker; set the confidence of each View",
        ),
        ({"views": {}, "market_weights": {"XX": 1.0}}, ModelError, "market_weights contains the unknown ticker 'XX'"),
        (
            {"views": {}, "market_weights": {"DE": -1.0}},
            CalibrationError,
            "give weights of at least 0, not all of them 0",
        ),
        ({"views": {}, "market_weights": {}}, CalibrationError, "not all of them 0"),
        ({"views": {}, "tau": 0.0}, CalibrationError, "tau"),
        ({"views": {}, "risk_aversion": -1.0}, CalibrationError, "risk_aversion"),
        ({"views": {}, "risk_free_rate": math.nan}, ModelError, "risk_free_rate=nan"),
    ],
)
def test_bad_opinions_are_refused(given_figures, error, message):
    with pytest.raises(error, match=message):
        BlackLittermanOptimizer(world(), **given_figures)


def test_cash_is_refused():
    with pytest.raises(CalibrationError, match="black_litterman requires assets with risk, and CASH has none"):
        BlackLittermanOptimizer(world().with_cash(0.02), views={"DE": 0.1})

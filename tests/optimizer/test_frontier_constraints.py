"""Frontiers under any constraints: against the critical line, single programs and the optimisers; and their methods.

The block of a user's document runs here as it stands there, on a frontier of expected returns and a covariance.
"""

import math

import numpy as np
import pandas as pd
import pytest

from bank_python.errors import CalibrationError, InfeasibleError, MatrixError, ModelError
from bank_python.optimizer import (
    Constraints,
    CovarianceData,
    EfficientFrontier,
    Group,
    create_optimizer,
    expected_returns,
    risk_models,
)
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.path_trace import PathTracer
from tests.optimizer.ten_assets import NAMES, published

HELD = dict.fromkeys(NAMES, 0.1)
RULES = {
    "group": {"groups": [Group("first", NAMES[:3], upper=0.35), Group("last", NAMES[5:], lower=0.2, upper=0.6)]},
    "equality": {"groups": [Group.equal("tilt", {"A1": 1.0, "A9": -0.5}, 0.02)]},
    "turnover": {"turnover": 0.8, "current": HELD},
    "leverage": {"bounds": (-0.3, 0.8), "leverage": 1.4},
    "cost": {"transaction_cost": 0.03, "current": HELD},
    "neutral": {"bounds": (-0.5, 0.5), "invested": 0.0},
    "everything": {
        "bounds": (-0.2, 0.5),
        "groups": [Group("first", NAMES[:3], upper=0.35)],
        "turnover": 1.1,
        "leverage": 1.3,
        "transaction_cost": 0.01,
        "current": HELD,
    },
}


def asset_prices(names=("BTC", "SPY", "GLD", "QQQ", "ETH", "TLT", "CASH"), days=400):
    rng = np.random.default_rng(5)
    daily = rng.standard_normal((days, len(names))) * np.array([0.03, 0.01, 0.009, 0.013, 0.04, 0.008, 0.001])
    daily += 0.005 * rng.standard_normal((days, 1)) + np.array([14.0, 5.0, 4.0, 6.0, 12.0, 1.0, 1.5]) * 1e-4
    return pd.DataFrame(100.0 * np.cumprod(1.0 + daily, axis=0), columns=list(names))


@pytest.fixture
def prices():
    return asset_prices()


def test_the_block_of_a_document_runs(prices, capsys):
    # Compute mu & covariance matrix
    mu = expected_returns.mean_historical_return(prices)
    S = risk_models.CovarianceShrinkage(prices).ledoit_wolf()
    # Build frontier & maximise Sharpe
    ef = EfficientFrontier(mu, S)
    ef.add_constraint(lambda w: w >= 0.02)
    ef.add_constraint(lambda w: w <= 0.40)
    weights = ef.max_sharpe(risk_free_rate=0.05)
    cleaned = ef.clean_weights()
    # Performance metrics
    ret, vol, sharpe = ef.portfolio_performance(verbose=True)

    shown = capsys.readouterr().out
    for part in ("PORTFOLIO OPTIMISER", "Assets: 7", "Max Sharpe", "Ledoit", "Return:", "Vol:", "Sharpe (rf 5.0%)"):
        assert part.lower() in shown.lower()
    assert list(cleaned) == list(prices.columns)
    assert sum(cleaned.values()) == pytest.approx(1.0, abs=1e-12)
    assert min(cleaned.values()) == 0.02
    assert max(cleaned.values()) <= 0.40
    assert dict(weights) == weights.by_ticker()
    assert sharpe == pytest.approx((ret - 0.05) / vol, rel=1e-12)
    assert (ret, vol, sharpe) == weights.performance()


def test_the_block_gives_what_the_library_it_was_written_for_gives(prices):
    pypfopt = pytest.importorskip("pypfopt")
    mu, S = expected_returns.mean_historical_return(prices), risk_models.CovarianceShrinkage(prices).ledoit_wolf()
    their_mu = pypfopt.expected_returns.mean_historical_return(prices)
    their_S = pypfopt.risk_models.CovarianceShrinkage(prices).ledoit_wolf()
    assert mu == pytest.approx(dict(their_mu), rel=1e-10)
    assert pytest.approx(their_S.to_numpy(), rel=1e-8) == S.covariance
    found = {}
    for name, frontier in {
        "ours": EfficientFrontier(mu, S),
        "theirs": pypfopt.EfficientFrontier(their_mu, their_S),
        "mixed": EfficientFrontier(their_mu, their_S),
    }.items():
        frontier.add_constraint(lambda w: w >= 0.02)
        frontier.add_constraint(lambda w: w <= 0.40)
        frontier.max_sharpe(risk_free_rate=0.05)
        found[name] = frontier.clean_weights(), frontier.portfolio_performance(risk_free_rate=0.05)
    for name in ("ours", "mixed"):
        assert found[name][0] == pytest.approx(dict(found["theirs"][0]), abs=1e-4)
        assert found[name][1] == pytest.approx(found["theirs"][1], rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_a_traced_path_is_the_critical_line(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 14))
    past = rng.standard_normal((80, n)) @ rng.standard_normal((n, n)) + rng.standard_normal(n)
    data = CovarianceData.from_returns(0.01 * past, [f"A{i}" for i in range(n)])
    bounds = [(0.0, 1.0), (-0.3, 0.9)][seed % 2]
    line = EfficientFrontier(data, bounds=bounds).line
    allowed = FeasibleSet.of(data.tickers, Constraints(bounds=bounds))
    traced = PathTracer(allowed, data.covariance, data.expected_returns).trace()
    assert traced.scales == pytest.approx(line.scales, rel=1e-7, abs=1e-9)
    for s in [*line.scales, *(0.5 * (line.scales[1:] + line.scales[:-1])), 2.0 * line.scales[-1] + 1.0]:
        assert traced.at(s) == pytest.approx(line.at(s), abs=1e-9)


@pytest.mark.parametrize("name", RULES)
def test_every_portfolio_on_it_is_the_best_of_its_return(name):
    cvxpy = pytest.importorskip("cvxpy")
    data, rules = published(), Constraints(**RULES[name])
    frontier = EfficientFrontier(data, constraints=rules)
    points = frontier.points(7)
    held = np.array([(rules.current or {}).get(ticker, 0.0) for ticker in NAMES])
    w = cvxpy.Variable(10)
    low, high = rules.bounds
    limits = [cvxpy.sum(w) == rules.invested, w >= low, w <= high]
    for group in rules.groups:
        row = np.array([group.exposures.get(ticker, 0.0) for ticker in NAMES])
        limits += [row @ w >= group.lower] if group.lower > -np.inf else []
        limits += [row @ w <= group.upper] if group.upper < np.inf else []
    limits += [] if rules.turnover is None else [cvxpy.norm1(w - held) <= rules.turnover]
    limits += [] if rules.leverage is None else [cvxpy.norm1(w) <= rules.leverage]
    earned = data.expected_returns @ w - rules.transaction_cost * cvxpy.norm1(w - held)
    least = cvxpy.Parameter()
    problem = cvxpy.Problem(cvxpy.Minimize(cvxpy.quad_form(w, data.covariance)), [*limits, earned >= least])
    for i in range(1, 6):
        least.value = float(points.expected_returns[i])
        problem.solve(solver="CLARABEL")
        assert points.volatilities[i] == pytest.approx(math.sqrt(max(problem.value, 0.0)), rel=1e-5, abs=1e-6)
        found = frontier.at_return(float(points.expected_returns[i]))
        assert found.weights == pytest.approx(points.weights[i], abs=1e-12)
        assert found.certificate.kkt_residual < 1e-8


@pytest.mark.parametrize("name", ["group", "equality", "everything"])
def test_the_best_ratio_is_that_of_the_optimiser(name):
    data, rules = published(), Constraints(**RULES[name])
    best = EfficientFrontier(data, constraints=rules, risk_free_rate=0.4).max_sharpe()
    alone = create_optimizer("max_sharpe", data, constraints=rules, risk_free_rate=0.4).optimize()
    assert best.weights == pytest.approx(alone.weights, abs=1e-8)
    assert best.sharpe == pytest.approx(alone.sharpe, rel=1e-10)
    assert best.certificate.kkt_residual < 1e-8
    assert {key: best.figures[key] for key in alone.figures} == pytest.approx(alone.figures, abs=1e-9)
    assert best.certificate.binding == alone.certificate.binding


@pytest.mark.parametrize("seed", range(3))
def test_between_turning_points_it_is_straight(seed):
    """Solutions of single programs at random points are on the traced path, under any constraints."""
    rng = np.random.default_rng(seed)
    past = rng.standard_normal((60, 5)) @ rng.standard_normal((5, 5)) + rng.standard_normal(5)
    data = CovarianceData.from_returns(0.01 * past, list("ABCDE"))
    held = dict(zip("ABCDE", rng.dirichlet(np.ones(5)).tolist(), strict=True))
    rules = Constraints(
        bounds=(-0.4, 0.9),
        groups=[Group("g", ["A", "B"], upper=held["A"] + held["B"] + 0.05)] if rng.random() < 0.6 else (),
        turnover=float(rng.uniform(0.8, 2.0)) if rng.random() < 0.6 else None,
        leverage=float(rng.uniform(1.1, 2.0)) if rng.random() < 0.6 else None,
        current=held,
    )
    frontier = EfficientFrontier(data, constraints=rules)
    for aversion in 10.0 ** rng.uniform(-1.0, 2.5, 3):
        found = frontier.max_utility(float(aversion))
        alone = create_optimizer("mean_variance", data, constraints=rules, risk_aversion=float(aversion)).optimize()
        assert found.weights == pytest.approx(alone.weights, abs=2e-8)


def test_a_path_without_an_end_under_a_group():
    rules = Constraints(bounds=(-math.inf, math.inf), groups=[Group("first", NAMES[:3], upper=0.5)])
    frontier = EfficientFrontier(published(), constraints=rules)
    assert frontier.line.is_ray
    with pytest.raises(InfeasibleError, match="the return is unbounded"):
        frontier.max_return()
    assert frontier.at_return(3.0).expected_return == pytest.approx(3.0, abs=1e-9)


def test_cash_under_a_group():
    data = published().with_cash(0.3)
    rules = Constraints(groups=[Group("risky", NAMES, upper=0.7)])
    frontier = EfficientFrontier(data, constraints=rules, risk_free_rate=0.3)
    assert frontier.min_volatility().by_ticker()["CASH"] == pytest.approx(1.0, abs=1e-9)
    assert frontier.max_return().by_ticker()["CASH"] == pytest.approx(0.3, abs=1e-9)


MEANS = {"BND": 0.03, "SPY": 0.08, "BTC": 0.2}
SIGMA = np.array([[0.0025, 0.001, 0.0], [0.001, 0.04, 0.02], [0.0, 0.02, 0.36]])
FRAME = pd.DataFrame(SIGMA, index=list(MEANS), columns=list(MEANS))
SHUFFLED = ["BTC", "BND", "SPY"]


@pytest.mark.parametrize(
    ("means", "sigma", "names"),
    [
        (list(MEANS.values()), SIGMA.tolist(), ("0", "1", "2")),
        (np.array(list(MEANS.values())), SIGMA, ("0", "1", "2")),
        (pd.Series(MEANS), FRAME, tuple(MEANS)),
        (pd.Series(MEANS), SIGMA, tuple(MEANS)),
        (MEANS, SIGMA, tuple(MEANS)),
        (list(MEANS.values()), FRAME, tuple(MEANS)),
        (pd.Series(MEANS)[SHUFFLED], FRAME, tuple(MEANS)),
        (MEANS, CovarianceData(tickers=list(MEANS), covariance=SIGMA), tuple(MEANS)),
        (pd.Series(list(MEANS.values())), pd.DataFrame(SIGMA), ("0", "1", "2")),
    ],
)
def test_expected_returns_and_a_covariance_in_any_form(means, sigma, names):
    frontier = EfficientFrontier(means, sigma, risk_free_rate=0.02)
    data = CovarianceData(tickers=list(MEANS), covariance=SIGMA, expected_returns=list(MEANS.values()))
    assert frontier.tickers == names
    same = EfficientFrontier(data, risk_free_rate=0.02).max_sharpe()
    assert frontier.max_sharpe().weights == pytest.approx(same.weights, abs=1e-13)


def test_a_frame_in_another_order_than_the_series():
    frontier = EfficientFrontier(pd.Series(MEANS), FRAME.loc[SHUFFLED, SHUFFLED])
    assert frontier.tickers == tuple(SHUFFLED)
    plain = EfficientFrontier(pd.Series(MEANS), FRAME).max_sharpe()
    assert frontier.max_sharpe().by_ticker() == pytest.approx(plain.by_ticker(), abs=1e-12)


@pytest.mark.parametrize(
    ("given_", "error", "match"),
    [
        ((SIGMA, list(MEANS.values())), CalibrationError, "give the expected returns, then the covariance"),
        ((list(MEANS.values()),), ModelError, "of a list only; give CovarianceData, or expected returns"),
        (([0.1, 0.2], SIGMA), MatrixError, "shape"),
        ((list(MEANS.values()), -SIGMA), MatrixError, "variance of 0"),
        ((pd.Series({"BND": 0.1, "SPY": 0.2}), FRAME), CalibrationError, "there is no 'BTC' among BND, SPY"),
        (
            (CovarianceData(tickers=["A"], covariance=[[1.0]]), SIGMA),
            CalibrationError,
            "the first argument is a covariance",
        ),
    ],
)
def test_moments_that_do_not_fit_are_refused(given_, error, match):
    with pytest.raises(error, match=match):
        EfficientFrontier(*given_)


def test_added_constraints_are_those_given_at_once():
    added = EfficientFrontier(MEANS, SIGMA)
    added.add_constraint(lambda w: w >= 0.05)
    added.add_constraint(lambda w: w["BTC"] <= 0.15)
    added.add_constraint(lambda w: w["SPY"] + w["BTC"] <= 0.6)
    added.add_constraint(Group("bonds and shares", ["BND", "SPY"], lower=0.88))
    rules = Constraints(
        bounds={"BND": (0.05, 1.0), "SPY": (0.05, 1.0), "BTC": (0.05, 0.15)},
        groups=[Group("risky", ["SPY", "BTC"], upper=0.6), Group("bonds and shares", ["BND", "SPY"], lower=0.88)],
    )
    whole = EfficientFrontier(MEANS, SIGMA, constraints=rules)
    assert added.max_return().weights == pytest.approx(whole.max_return().weights, abs=1e-9)
    assert added.max_sharpe().weights == pytest.approx(whole.max_sharpe().weights, abs=1e-9)
    assert "SPY + BTC at most 0.6" in added.max_return().certificate.binding


def test_a_constraint_that_cannot_hold_changes_nothing():
    frontier = EfficientFrontier(MEANS, SIGMA)
    best = frontier.max_sharpe()
    for rule, match in (
        (lambda w: w <= 0.3, "upper bounds add up to 0.9, 0.1 less than invested=1"),
        (lambda w: w["SPY"] >= 1.2, "SPY has its lower bound 1.2 above its upper bound 1"),
    ):
        with pytest.raises(InfeasibleError, match=match):
            frontier.add_constraint(rule)
    with pytest.raises(ModelError, match="the constraint <lambda>"):
        frontier.add_constraint(lambda w: w**2 <= 0.3)
    assert frontier.clean_weights() == best.clean_weights()
    assert frontier.constraints == Constraints()


def test_a_new_constraint_discards_the_chosen_portfolio():
    frontier = EfficientFrontier(MEANS, SIGMA)
    with pytest.raises(ModelError, match=r"no portfolio was chosen .*; call max_sharpe\(\), min_volatility\(\)"):
        frontier.clean_weights()
    frontier.min_volatility()
    frontier.add_constraint(lambda w: w >= 0.1)
    with pytest.raises(ModelError, match="no portfolio was chosen since the last change of constraints"):
        frontier.portfolio_performance()
    frontier.min_volatility()
    assert min(frontier.clean_weights().values()) == pytest.approx(0.1)


def test_what_is_shown_is_not_what_was_chosen():
    frontier = EfficientFrontier(MEANS, SIGMA)
    least = frontier.min_volatility()
    frontier.__rich__()
    assert frontier.tangent is not None
    assert frontier.clean_weights() == least.clean_weights()


def test_the_rate_of_the_performance():
    frontier = EfficientFrontier(MEANS, SIGMA)
    frontier.max_sharpe(risk_free_rate=0.02)
    ret, vol, sharpe = frontier.portfolio_performance()
    assert sharpe == pytest.approx((ret - 0.02) / vol, rel=1e-14)
    assert frontier.portfolio_performance(risk_free_rate=0.01).sharpe == pytest.approx((ret - 0.01) / vol, rel=1e-14)
    with pytest.raises(ModelError, match="risk_free_rate=nan"):
        frontier.portfolio_performance(risk_free_rate=math.nan)


def test_targets_are_least_and_most():
    frontier = EfficientFrontier(MEANS, SIGMA)
    least, most = frontier.min_volatility(), frontier.max_return()
    assert frontier.efficient_return(0.1).expected_return == pytest.approx(0.1, abs=1e-14)
    assert frontier.efficient_return(-1.0).weights == pytest.approx(least.weights, abs=1e-14)
    assert frontier.efficient_risk(0.3).volatility == pytest.approx(0.3, abs=1e-12)
    assert frontier.efficient_risk(9.0).weights == pytest.approx(most.weights, abs=1e-12)
    with pytest.raises(InfeasibleError, match="is not on the frontier"):
        frontier.efficient_return(0.3)
    with pytest.raises(InfeasibleError, match="is not on the frontier"):
        frontier.efficient_risk(0.01)


def test_bounds_and_constraints_are_given_one_way():
    with pytest.raises(ModelError, match="bounds= and constraints= were both given"):
        EfficientFrontier(MEANS, SIGMA, bounds=(0.0, 0.5), constraints=Constraints())
    with pytest.raises(ModelError, match="give Constraints"):
        EfficientFrontier(MEANS, SIGMA, constraints={"bounds": (0.0, 0.5)})


def test_a_portfolio_reads_as_a_dict():
    best = EfficientFrontier(MEANS, SIGMA).max_sharpe()
    assert dict(best) == dict(best.items()) == best.by_ticker()
    assert list(best) == list(best.keys()) == list(MEANS)
    assert len(best) == 3
    with pytest.raises(KeyError, match="QQQ"):
        best["QQQ"]


def test_moments_of_prices(prices):
    plain = prices.to_numpy()
    means = expected_returns.mean_historical_return(plain)
    assert means == pytest.approx((plain[-1] / plain[0]) ** (252.0 / 399.0) - 1.0, rel=1e-10)
    daily = plain[1:] / plain[:-1] - 1.0
    mean = expected_returns.mean_historical_return(daily, returns_data=True, compounding=False)
    assert mean == pytest.approx(252.0 * daily.mean(axis=0), rel=1e-12)
    assert risk_models.sample_cov(prices).covariance == pytest.approx(252.0 * np.cov(daily.T), rel=1e-10)
    shrunk = risk_models.CovarianceShrinkage(daily, returns_data=True)
    assert shrunk.ledoit_wolf("constant_correlation").estimator == "ledoit_wolf_constant"
    assert shrunk.oracle_approximating().estimator == "oas"
    assert shrunk.oracle_approximating().tickers == tuple("0123456")
    with pytest.raises(CalibrationError, match="no shrinkage target 'single_factor'; there are constant_variance"):
        shrunk.ledoit_wolf("single_factor")
    with pytest.raises(CalibrationError, match="1 rows of prices; give at least two"):
        expected_returns.mean_historical_return([[1.0, 2.0]])
    with pytest.raises(CalibrationError, match="BTC has nan in row 3"):
        expected_returns.mean_historical_return(prices.assign(BTC=prices["BTC"].where(prices.index != 3)))

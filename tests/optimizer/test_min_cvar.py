"""The least expected shortfall: by hand, HiGHS, the mean of the worst scenarios, the frontier, invalid input."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from skfolio.measures import RiskMeasure
from skfolio.optimization import MeanRisk

from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.optimizer import (
    Constraints,
    CovarianceData,
    Group,
    MinCvarOptimizer,
    create_optimizer,
    cvar_frontier,
)


def drawn(periods, n, seed=0):
    rng = np.random.default_rng(seed)
    past = 0.01 * rng.standard_t(4, size=(periods, n)) + 0.008 * rng.standard_t(4, size=(periods, 1))
    past += rng.uniform(0.0, 1e-3, n)
    return CovarianceData.from_returns(past, [f"A{i}" for i in range(n)], estimator="ledoit_wolf")


def shortfall(losses, confidence):
    """Return the mean of the worst 1 − confidence of the losses, the last of them in part."""
    worst = np.sort(losses)[::-1]
    count = (1.0 - confidence) * len(worst)
    whole = math.floor(count + 1e-9)
    part = max(count - whole, 0.0)
    total = worst[:whole].sum() + (part * worst[whole] if part > 1e-9 else 0.0)
    return total / count


def by_highs(data, confidence, *, bounds=(0.0, 1.0), least=None, turnover=None, cost=0.0, current=None, rows=()):
    """Return the minimum of Rockafellar and Uryasev's linear program in w, a, excesses and absolute trades.

    Returns are counted in units of their own size, far above the absolute tolerances of HiGHS.
    """
    unit = 1e-3 * float(np.abs(data.returns).mean())
    past, (periods, n) = data.returns / unit, data.returns.shape
    held = np.zeros(n) if current is None else current
    width = n + 1 + periods + n
    c = np.zeros(width)
    c[n] = 1.0
    c[n + 1 : n + 1 + periods] = 1.0 / ((1.0 - confidence) * periods)
    c[n + 1 + periods :] = cost / data.periods_per_year / unit
    tails = np.hstack([-past, -np.ones((periods, 1)), -np.eye(periods), np.zeros((periods, n))])
    one, none = np.eye(n), np.zeros((n, 1 + periods))
    upper = [tails, np.hstack([one, none, -one]), np.hstack([-one, none, -one])]
    sides = [np.zeros(periods), held, -held]
    if least is not None:
        upper.append(np.concatenate([-data.expected_returns, np.zeros(width - n)])[None])
        sides.append(np.array([-least]))
    if turnover is not None:
        upper.append(np.concatenate([np.zeros(n + 1 + periods), np.ones(n)])[None])
        sides.append(np.array([turnover]))
    for row, side in rows:
        upper.append(np.concatenate([row, np.zeros(width - n)])[None])
        sides.append(np.array([side]))
    solved = linprog(
        c,
        A_ub=np.vstack(upper),
        b_ub=np.concatenate(sides),
        A_eq=np.concatenate([np.ones(n), np.zeros(width - n)])[None],
        b_eq=[1.0],
        bounds=[bounds] * n + [(None, None)] + [(0.0, None)] * (periods + n),
        method="highs",
    )
    assert solved.success
    return unit * solved.fun


def test_an_example_by_hand():
    """Of four periods the worse half counts.

    With w in A the losses are 6w − 2, 3w − 1, 3 − 4w and 1 − 2w, per cent. Around w = 3/8 the worst is 3 − 4w, and the
    next the larger of 6w − 2 and 1 − 2w, which meet there: their mean is 1/2 + w above and 2 − 3w below, 7/8 at least.
    """
    past = np.array([[-0.04, 0.02], [-0.02, 0.01], [0.01, -0.03], [0.01, -0.01]])
    data = CovarianceData.from_returns(past, ["A", "B"], estimator="ledoit_wolf")
    found = MinCvarOptimizer(data, confidence=0.5).optimize()
    assert found.weights == pytest.approx([0.375, 0.625], abs=1e-12)
    assert found.figures["cvar"] == pytest.approx(0.00875, abs=1e-15)


@pytest.mark.parametrize(("confidence", "periods"), [(0.95, 200), (0.95, 230), (0.9, 77), (0.5, 41), (0.99, 500)])
def test_highs_finds_the_same_least_and_it_is_the_mean_of_the_worst(confidence, periods):
    """Also where the tail is no whole number of scenarios: 230 times a twentieth is eleven and a half."""
    data = drawn(periods, 6, seed=periods)
    found = MinCvarOptimizer(data, confidence=confidence).optimize()
    assert found.figures["cvar"] == pytest.approx(by_highs(data, confidence), rel=1e-9)
    assert found.figures["cvar"] == pytest.approx(shortfall(-data.returns @ found.weights, confidence), rel=1e-11)
    assert found.certificate.kkt_residual < 1e-11
    assert found.certificate.duality_gap < 1e-11


@pytest.mark.parametrize("seed", range(5))
def test_all_constraints_against_highs(seed):
    n = 7
    data, rng = drawn(150, n, seed), np.random.default_rng(seed)
    held = rng.dirichlet(np.full(n, 4.0))
    current = 0.5 * held + 0.5 * rng.dirichlet(np.full(n, 4.0))
    row = np.r_[np.ones(3), np.zeros(n - 3)]
    least = float(data.expected_returns @ held)
    limits = {"turnover": float(np.abs(held - current).sum()) + 0.05, "current": current}
    found = create_optimizer(
        "min_cvar",
        data,
        bounds=(-0.1, 0.6),
        groups=[Group("three", ["A0", "A1", "A2"], upper=float(held[:3].sum()) + 0.01)],
        turnover=limits["turnover"],
        transaction_cost=0.02,
        current=dict(zip(data.tickers, current.tolist(), strict=True)),
        confidence=0.9,
        target_return=least - 0.25 * abs(least),
    ).optimize()
    true = by_highs(
        *(data, 0.9),
        bounds=(-0.1, 0.6),
        least=least - 0.25 * abs(least),
        cost=0.02,
        rows=[(row, float(held[:3].sum()) + 0.01)],
        **limits,
    )
    paid = 0.02 * float(np.abs(found.weights - current).sum())
    assert found.figures["transaction_cost"] == pytest.approx(paid, rel=1e-12)
    assert found.figures["cvar"] + paid / 252.0 == pytest.approx(true, rel=1e-9)
    assert found.figures["cvar"] == pytest.approx(shortfall(-data.returns @ found.weights, 0.9), rel=1e-10)
    assert np.abs(found.weights - current).sum() <= limits["turnover"] + 1e-9
    assert found.expected_return >= least - 0.25 * abs(least) - 1e-9


def test_more_assets_than_periods():
    data = drawn(30, 50, seed=3)
    found = MinCvarOptimizer(data, Constraints(bounds=(0.0, 0.2)), confidence=0.9).optimize()
    assert found.figures["cvar"] == pytest.approx(by_highs(data, 0.9, bounds=(0.0, 0.2)), rel=1e-9, abs=1e-12)
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-11)


def test_the_weights_of_skfolio():
    data = drawn(400, 6, seed=8)
    theirs = MeanRisk(risk_measure=RiskMeasure.CVAR, cvar_beta=0.9, max_weights=0.5).fit(data.returns).weights_
    found = MinCvarOptimizer(data, Constraints(bounds=(0.0, 0.5)), confidence=0.9).optimize()
    assert found.weights == pytest.approx(theirs, abs=2e-4)
    assert found.figures["cvar"] <= shortfall(-data.returns @ theirs, 0.9) + 1e-9


def test_a_tail_of_one_scenario_is_minimax():
    data = drawn(40, 4, seed=2)
    found = MinCvarOptimizer(data, confidence=0.975).optimize()
    assert found.figures["cvar"] == pytest.approx(float((-data.returns @ found.weights).max()), rel=1e-11)
    best = linprog(
        [0.0] * 4 + [1.0],
        A_ub=np.hstack([-data.returns, -np.ones((40, 1))]),
        b_ub=np.zeros(40),
        A_eq=[[1.0] * 4 + [0.0]],
        b_eq=[1.0],
        bounds=[(0.0, 1.0)] * 4 + [(None, None)],
    )
    assert found.figures["cvar"] == pytest.approx(best.fun, rel=1e-9)


def test_scenarios_that_repeat_count_as_often():
    data = drawn(60, 4, seed=6)
    twice = CovarianceData.from_returns(np.repeat(data.returns, 3, axis=0), data.tickers)
    once, again = (MinCvarOptimizer(given, confidence=0.9).optimize() for given in (data, twice))
    assert again.figures["cvar"] == pytest.approx(once.figures["cvar"], rel=1e-11)
    assert again.weights == pytest.approx(once.weights, abs=1e-9)


def test_cash_is_all_that_is_held_where_it_pays():
    data = drawn(100, 4).with_cash(0.0252)
    found = MinCvarOptimizer(data).optimize()
    assert found.weights == pytest.approx([0.0] * 4 + [1.0], abs=1e-11)
    assert found.figures["cvar"] == pytest.approx(-1e-4, rel=1e-10)
    target = 0.5 * (0.0252 + float(data.expected_returns.max()))
    mixed = MinCvarOptimizer(data, target_return=target).optimize()
    assert mixed.expected_return == pytest.approx(target, rel=1e-10)
    assert mixed.figures["cvar"] == pytest.approx(by_highs(data, 0.95, least=target), rel=1e-9)


@given(st.integers(0, 10_000), st.integers(2, 6), st.sampled_from([0.8, 0.9, 0.95]))
@settings(max_examples=25, deadline=None)
def test_sums_bounds_order_and_unit(seed, n, confidence):
    data, rng = drawn(80, n, seed), np.random.default_rng(seed)
    high = float(rng.uniform(1.0 / n + 0.02, 1.0))
    rules = Constraints(bounds=(0.0, high))
    found = MinCvarOptimizer(data, rules, confidence=confidence).optimize()
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert found.weights.min() >= -1e-12
    assert found.weights.max() <= high + 1e-12
    assert found.figures["cvar"] == pytest.approx(shortfall(-data.returns @ found.weights, confidence), rel=1e-10)
    at, unit = rng.permutation(n), 10.0 ** rng.uniform(0.0, 3.0)
    turned = CovarianceData.from_returns(unit * data.returns[:, at], estimator="ledoit_wolf", tickers=data.tickers)
    again = MinCvarOptimizer(turned, rules, confidence=confidence).optimize()
    assert again.figures["cvar"] == pytest.approx(unit * found.figures["cvar"], rel=1e-8)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_more_constraints_are_never_better(seed):
    data = drawn(100, 6, seed)
    sets = [
        Constraints(bounds=(-1.0, 1.0)),
        Constraints(bounds=(-1.0, 1.0), leverage=1.2),
        Constraints(bounds=(0.0, 1.0)),
        Constraints(bounds=(0.0, 0.3)),
        Constraints(bounds=(0.0, 0.3), groups=[Group("two", ["A0", "A1"], lower=0.45)]),
    ]
    cvars = [MinCvarOptimizer(data, rules).optimize().figures["cvar"] for rules in sets]
    assert all(fewer <= more + 1e-12 for fewer, more in pairwise(cvars))


def test_the_frontier_rises_and_is_convex():
    data = drawn(200, 6, seed=11)
    told = []
    frontier = cvar_frontier(data, confidence=0.9, count=12, progress=lambda done, of: told.append((done, of)))
    cvars, earned = frontier.cvars, frontier.expected_returns
    assert len(frontier.portfolios) == 12
    assert cvars[0] == pytest.approx(by_highs(data, 0.9), rel=1e-9)
    assert earned[-1] == pytest.approx(float(data.expected_returns.max()), rel=1e-8)
    assert np.diff(earned) == pytest.approx(np.full(11, (earned[-1] - earned[0]) / 11), rel=1e-6)
    assert (np.diff(cvars) >= -1e-13).all()
    assert (np.diff(cvars, 2) >= -1e-11).all()
    for portfolio, back in zip(frontier.portfolios[1::4], earned[1::4].tolist(), strict=True):
        assert portfolio.figures["cvar"] == pytest.approx(by_highs(data, 0.9, least=back), rel=1e-8)
    assert told == [(done, 12) for done in range(2, 13)]
    rows = list(frontier.to_table())
    assert len(rows) == 12
    assert rows[3]["cvar"] == cvars[3]
    assert sum(rows[3][name] for name in data.tickers) == pytest.approx(1.0, abs=1e-10)


def test_the_frontier_is_drawn(tmp_path):
    frontier = cvar_frontier(drawn(60, 3), confidence=0.9, count=2)
    frontier.plot(tmp_path / "frontier.png")
    assert (tmp_path / "frontier.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 0, -3])
def test_a_frontier_of_less_than_two_portfolios_is_refused(count):
    with pytest.raises(ModelError, match=f"count={count}; give a whole number of portfolios, at least 2"):
        cvar_frontier(drawn(60, 3), count=count)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 1.5, math.nan])
def test_a_confidence_out_of_range_is_refused(confidence):
    with pytest.raises(ModelError, match=r"lies outside \(0, 1\); 0\.95 is usual"):
        MinCvarOptimizer(drawn(60, 3), confidence=confidence)


def test_a_tail_of_less_than_one_scenario_is_refused():
    with pytest.raises(ModelError, match=r"confidence=0\.99 leaves less than one of 60 scenarios in the tail") as told:
        MinCvarOptimizer(drawn(60, 3), confidence=0.99)
    assert "give at most 0.983333" in str(told.value)
    assert MinCvarOptimizer(drawn(60, 3), confidence=0.983).optimize().figures["cvar"] > 0.0


def test_what_is_needed():
    bare = CovarianceData(tickers=["A", "B"], covariance=np.diag([0.04, 0.01]))
    with pytest.raises(CalibrationError, match="min_cvar needs past returns; give returns="):
        MinCvarOptimizer(bare)
    data = drawn(60, 2)
    no_means = CovarianceData(tickers=["A", "B"], covariance=data.covariance, returns=data.returns)
    assert math.isnan(MinCvarOptimizer(no_means).optimize().expected_return)
    with pytest.raises(CalibrationError, match="target_return needs expected returns"):
        MinCvarOptimizer(no_means, target_return=0.1).optimize()
    with pytest.raises(CalibrationError, match="a frontier needs expected returns"):
        cvar_frontier(no_means)


def test_a_return_out_of_reach_says_what_can_be_reached():
    data = drawn(60, 3)
    most = float(data.expected_returns.max())
    with pytest.raises(
        InfeasibleError, match=r"target_return=9 is out of reach: the highest return of an allowed portfolio is"
    ) as told:
        MinCvarOptimizer(data, target_return=9.0).optimize()
    assert told.value.value == pytest.approx(most, rel=1e-9)
    assert f"{most:.6g}" in str(told.value)
    with pytest.raises(InfeasibleError, match="no portfolio satisfies all constraints"):
        create_optimizer("min_cvar", data, groups=[Group("all", data.tickers, upper=0.9)]).optimize()

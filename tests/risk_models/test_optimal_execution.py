"""Schedules: the paper's example, the quadratic program by brute force, limits, volumes and what is refused."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CallError, ModelError, RiskError
from bank_python.risk_models import (
    execution_cost,
    execution_frontier,
    execution_schedule,
    pov_schedule,
    vwap_schedule,
)

# Almgren and Chriss (2000), table 1: price 50, 30 % a year, a spread of 1/8, 5 million shares a day.
PAPER = {"vol": 0.95, "half_spread": 0.0625, "permanent_impact": 2.5e-7, "temporary_impact": 2.5e-6}


def test_equal_trades_cost_what_the_paper_says():
    plan = execution_schedule(1e6, 5.0, 5, **PAPER)
    assert plan.expected_cost == pytest.approx(662_500.0, rel=1e-14)
    assert plan.holdings.tolist() == [1e6, 8e5, 6e5, 4e5, 2e5, 0.0]
    assert plan.kappa == 0.0
    assert plan.half_life == math.inf


def test_a_tiny_risk_aversion_is_that_of_the_published_run():
    plan = execution_schedule(1e6, 5.0, 5, **PAPER, risk_aversion=1e-9)
    assert plan.expected_cost == pytest.approx(662_500.0, rel=5e-5)
    assert plan.variance == pytest.approx(1.0812e12, rel=5e-5)
    assert round(plan.half_life, 1) == 51.3


def test_the_paper_s_risk_aversion_of_a_millionth():
    plan = execution_schedule(1e6, 5.0, 5, **PAPER, risk_aversion=1e-6)
    assert round(plan.kappa, 2) == 0.61  # section 3.4
    assert plan.kappa == pytest.approx(0.6070761632470627, rel=1e-14)
    left = [1e6, 541955.5543739223, 289854.2194099351, 147897.48782172316, 62141.801605766035, 0.0]
    assert plan.holdings == pytest.approx(left, rel=1e-12)
    assert plan.expected_cost == pytest.approx(911226.9863037932, rel=1e-12)
    assert plan.variance == pytest.approx(364128572058.141, rel=1e-12)


def brute_force(shares, days, count, aversion, vol, half_spread, permanent_impact, temporary_impact):
    """Return the holdings of a linear system: the gradient of E + λV by the holdings in between is 0."""
    tau = days / count
    eta = temporary_impact - 0.5 * permanent_impact * tau
    differences = np.eye(count, count - 1) - np.eye(count, count - 1, -1)
    start = np.zeros(count)
    start[0] = -shares
    matrix = eta / tau * differences.T @ differences + aversion * vol**2 * tau * np.eye(count - 1)
    return np.linalg.solve(matrix, -eta / tau * differences.T @ start)


@pytest.mark.parametrize("aversion", [0.0, 1e-12, 1e-8, 1e-6, 1e-4, 1.0])
@pytest.mark.parametrize("count", [2, 5, 40])
def test_it_is_the_solution_of_the_quadratic_program(aversion, count):
    plan = execution_schedule(1e6, 5.0, count, **PAPER, risk_aversion=aversion)
    assert plan.holdings[1:-1] == pytest.approx(brute_force(1e6, 5.0, count, aversion, **PAPER), rel=1e-9, abs=1e-6)


@settings(max_examples=50)
@given(
    noise=st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3),
    aversion=st.floats(0.0, 1e-3),
    shares=st.sampled_from([-1e6, 1.0, 1e9]),
)
def test_no_other_schedule_is_better(noise, aversion, shares):
    plan = execution_schedule(shares, 2.0, 4, **PAPER, risk_aversion=aversion)
    other = plan.holdings.copy()
    other[1:-1] += 0.1 * shares * np.array(noise)
    cost = execution_cost(other, 2.0, **PAPER)
    best = plan.expected_cost + aversion * plan.variance
    assert best <= (cost.expected + aversion * cost.variance) * (1.0 + 1e-12)


@settings(max_examples=50)
@given(aversion=st.floats(0.0, 1e-2), days=st.floats(1e-3, 1e3), count=st.integers(1, 50), scale=st.floats(1e-6, 1e6))
def test_schedules_fall_to_zero_and_scale(aversion, days, count, scale):
    market = {**PAPER, "permanent_impact": 0.0}
    plan = execution_schedule(1e3, days, count, **market, risk_aversion=aversion)
    assert plan.holdings[0] == 1e3
    assert plan.holdings[-1] == 0.0
    assert (plan.trades >= 0.0).all()
    assert (np.diff(plan.trades) <= 1e-6).all()  # the most first
    assert plan.trades.sum() == pytest.approx(1e3)
    larger = execution_schedule(-1e3 * scale, days, count, **market, risk_aversion=aversion)
    assert larger.holdings == pytest.approx(-scale * plan.holdings)


def test_extremes():
    assert execution_schedule(100, 1, 1, **PAPER, risk_aversion=5.0).holdings.tolist() == [100.0, 0.0]
    at_once = execution_schedule(1e6, 5.0, 5, **PAPER, risk_aversion=1e300)
    assert at_once.trades == pytest.approx([1e6, 0.0, 0.0, 0.0, 0.0])
    still = execution_schedule(1e6, 5.0, 5, **{**PAPER, "vol": 0.0}, risk_aversion=1.0)
    assert (still.kappa, still.variance) == (0.0, 0.0)
    slow = execution_schedule(1e6, 5.0, 5, **PAPER, risk_aversion=1e-40)
    assert slow.holdings == pytest.approx([1e6, 8e5, 6e5, 4e5, 2e5, 0.0], rel=1e-12)


def test_the_frontier_trades_cost_for_risk():
    frontier = execution_frontier(1e6, 5.0, 20, **PAPER)
    assert len(frontier.schedules) == 25
    assert frontier.risk_aversions[0] == 0.0
    assert (np.diff(frontier.expected_costs) > 0.0).all()
    assert (np.diff(frontier.variances) < 0.0).all()
    # The slope of the frontier is the risk aversion: dE = −λ dV.
    near = execution_frontier(1e6, 5.0, 20, **PAPER, risk_aversions=[1.0001e-6, 1e-6, 0.9999e-6])
    slope = (near.expected_costs[2] - near.expected_costs[0]) / (near.variances[0] - near.variances[2])
    assert slope == pytest.approx(1e-6, rel=1e-6)
    one = execution_frontier(1e6, 5.0, 20, **PAPER, risk_aversions=1e-6)
    assert one.schedules[0].expected_cost == near.expected_costs[1]
    assert len(frontier.to_table()) == 25
    assert frontier.to_table().columns[-1] == "half_life"


def test_a_schedule_is_a_table():
    rows = execution_schedule(-900.0, 3.0, 3, **PAPER).to_table().to_list()
    assert rows[0] == {"trade": 1, "day": 1.0, "shares": pytest.approx(-300.0), "left": pytest.approx(-600.0)}
    assert rows[-1]["left"] == 0.0


MARKET = {"vol": 0.95, "temporary_impact": 2.5e-6}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: execution_schedule(0, 5, 5, **MARKET), "shares=0 is no order"),
        (lambda: execution_schedule(math.inf, 5, 5, **MARKET), "shares=inf is not a finite number"),
        (lambda: execution_schedule(1e6, 0, 5, **MARKET), "days=0.0 is not above .*; give the days until"),
        (lambda: execution_schedule(1e6, 5, 0, **MARKET), "n_trades=0 is not a whole number from 1 to 1,000,000"),
        (lambda: execution_schedule(1e6, 5, 2.5, **MARKET), "n_trades=2.5 is not a whole number"),
        (lambda: execution_schedule(1e6, 5, 5, **{**MARKET, "vol": -1.0}), "vol=-1.0 .* price times daily volatility"),
        (lambda: execution_schedule(1e6, 5, 5, **MARKET, risk_aversion=-1.0), "risk_aversion=-1.0 is not at least 0"),
        (lambda: execution_schedule(1e6, 5, 5, **MARKET, half_spread=math.nan), "half_spread=nan .* money per share"),
        (
            lambda: execution_schedule(1e6, 5, 5, **MARKET, permanent_impact=5e-6),
            r"temporary_impact=2.5e-06 is not above 2.5e-06, half of permanent_impact .* give more trades",
        ),
        (lambda: execution_schedule(1e6, 5, 5, vol=1.0, temporary_impact=0.0), "temporary_impact=0.0 is not above 0"),
        (lambda: execution_schedule(1e300, 5, 5, **MARKET), "the cost is too large to be computed"),
        (lambda: execution_frontier(1e6, 5, 5, vol=0.0, temporary_impact=1e-6), "all schedules the same"),
        (lambda: execution_frontier(1e6, 5, 5, **MARKET, risk_aversions=[]), "risk_aversions is empty"),
        (lambda: execution_frontier(1e6, 5, 5, **MARKET, risk_aversions=[1.0, -1.0]), "risk_aversions=-1.0 is not"),
        (lambda: execution_cost([10.0, 5.0], 1.0, **MARKET), "the last of the holdings is 5.0; a schedule ends at 0"),
        (lambda: execution_cost([0.0], 1.0, **MARKET), r"holdings of shape \(1,\); give those before and after"),
        (lambda: vwap_schedule(0, [1.0]), "shares=0 is no order"),
        (lambda: vwap_schedule(10, [0.0, 0.0]), r"volumes of shape \(2,\) with the sum 0; give one volume"),
        (lambda: vwap_schedule(10, [1.0, -1.0]), "volumes=-1.0 is not at least 0"),
        (lambda: pov_schedule(10, [1.0], 20.0), "participation=20.0 is not .*; for 20 per cent give 0.2"),
        (lambda: pov_schedule(10, [1.0], 0.0), "participation=0.0 is not above 0 and at most 1"),
    ],
)
def test_refused(call, said):
    with pytest.raises(ModelError, match=said):
        call()


def test_words_of_the_paper_are_answered():
    with pytest.raises(CallError, match=r"did you mean permanent_impact\?"):
        execution_schedule(1e6, 5, 5, vol=1.0, temporary_impact=1e-6, gamma=1e-7)
    with pytest.raises(CallError, match=r"did you mean half_spread\?"):
        execution_schedule(1e6, 5, 5, vol=1.0, temporary_impact=1e-6, epsilon=0.1)


def test_volume_weighted():
    plan = vwap_schedule(-1_000, [3, 1, 6])
    assert plan.trades.tolist() == [-300.0, -100.0, -600.0]
    assert plan.holdings.tolist() == [-1_000.0, -700.0, -600.0, 0.0]
    assert plan.unfilled == 0.0
    assert plan.participation == pytest.approx(100.0)  # of weights


def test_a_share_of_the_volume():
    plan = pov_schedule(1_000, [3_000, 1_000, 6_000, 5_000], 0.2)
    assert plan.trades.tolist() == [600.0, 200.0, 200.0, 0.0]
    assert plan.participation == pytest.approx(0.1)
    short = pov_schedule(-1_000, [3_000, 1_000], 0.2)
    assert short.trades.tolist() == [-600.0, -200.0]
    assert short.unfilled == pytest.approx(-200.0)
    assert "200 shares unfilled" in repr(short)


@settings(max_examples=50)
@given(
    shares=st.floats(1.0, 1e9),
    volumes=st.lists(st.floats(1.0, 1e9), min_size=1, max_size=20),
    rate=st.floats(0.01, 1.0),
)
def test_volume_schedules_add_up(shares, volumes, rate):
    plan = vwap_schedule(shares, volumes)
    assert plan.trades.sum() == pytest.approx(shares)
    assert plan.trades / plan.volumes == pytest.approx(np.full(len(volumes), shares / sum(volumes)))
    follow = pov_schedule(shares, volumes, rate)
    assert (follow.trades <= rate * follow.volumes * (1.0 + 1e-9) + 1e-6).all()
    assert follow.trades.sum() + follow.unfilled == pytest.approx(shares)
    assert follow.unfilled == pytest.approx(max(0.0, shares - rate * sum(volumes)), abs=1e-9 * shares)


def test_dates_come_from_a_series():
    times = pd.date_range("2026-01-05 14:30", periods=3, freq="h", tz="UTC")
    plan = vwap_schedule(60, pd.Series([1.0, 2.0, 3.0], index=times))
    assert plan.dates == tuple(times.to_pydatetime())
    assert plan.to_table().columns == ("date", "volume", "shares", "left")
    assert pov_schedule(60, [1.0], 0.5, dates=[dt.date(2026, 1, 5)]).dates == (dt.date(2026, 1, 5),)
    with pytest.raises(RiskError, match="1 dates for 2 observations"):
        vwap_schedule(60, [1.0, 2.0], dates=[dt.date(2026, 1, 5)])

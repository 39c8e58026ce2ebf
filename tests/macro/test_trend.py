"""Trends against statsmodels, by brute force, and on series whose trend is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from bank_python.errors import MacroError
from bank_python.macro import drift_break_test, price_trend, read_gauges, simulate_macro, trend_board
from bank_python.macro.months import months_before
from bank_python.macro.trend import newey_west_slope

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(600)]


def prices(drift, n=600, seed=0, volatility=0.01):
    moves = drift + volatility * np.random.default_rng(seed).normal(size=n)
    return list(zip(DAYS[:n], (100.0 * np.exp(np.cumsum(moves))).tolist(), strict=True))


@pytest.mark.parametrize(("n", "lags"), [(40, None), (252, None), (252, 0), (500, 12)])
def test_slope_and_error_are_those_of_statsmodels(n, lags):
    api = pytest.importorskip("statsmodels.api")
    y = np.cumsum(np.random.default_rng(n).normal(size=n))
    slope, error, used = newey_west_slope(y, lags)
    model = api.OLS(y, api.add_constant(np.arange(n)))
    fit = model.fit(cov_type="HAC", cov_kwds={"maxlags": used, "use_correction": False})
    assert (slope, error) == (pytest.approx(fit.params[1], rel=1e-10), pytest.approx(fit.bse[1], rel=1e-10))
    assert used == (int(4 * (n / 100) ** (2 / 9)) if lags is None else lags)


def test_a_strong_trend_is_found_and_a_random_walk_has_none():
    up, down = price_trend(prices(0.004), name="UP"), price_trend(prices(-0.004), name="DOWN")
    assert (up.direction, down.direction) == ("up", "down")
    assert up.verdict.startswith("up, t = ")
    assert up.slope == pytest.approx(0.004 * 365.25, rel=0.25)
    assert up.averages == "50 above 200"
    assert down.averages == "50 below 200"
    walks = [price_trend(prices(0.0, seed=seed), walks=99) for seed in range(60)]
    assert np.mean([walk.direction != "no trend" for walk in walks]) <= 0.15
    assert np.mean([abs(walk.t_statistic) > 2.0 for walk in walks]) > 0.5  # why t alone would not do


def test_the_unit_of_a_price_does_not_matter():
    plain = price_trend(prices(0.001), walks=50)
    for factor in (1e-12, 1e12):
        other = price_trend([(day, factor * price) for day, price in prices(0.001)], walks=50)
        assert other.t_statistic == pytest.approx(plain.t_statistic, rel=1e-6)
        assert (other.direction, other.break_date) == (plain.direction, plain.break_date)


def test_momentum_is_the_return_of_twelve_months_but_the_last():
    given = prices(0.001)
    by_day = dict(given)
    last = given[-1][0]
    ago = {
        months: dt.date.fromisoformat(str(months_before(np.array([last], "datetime64[D]"), months)[0]))
        for months in (1, 12)
    }
    assert price_trend(given, walks=5).momentum == pytest.approx(by_day[ago[1]] / by_day[ago[12]] - 1.0)
    assert price_trend(given[-300:], walks=5).momentum is None
    assert price_trend(given[-60:], walks=5).average_long is None


def test_months_end_where_they_end():
    days = np.array(["2024-03-31", "2025-03-30", "2026-01-15"], dtype="datetime64[D]")
    assert months_before(days, 1).astype(str).tolist() == ["2024-02-29", "2025-02-28", "2025-12-15"]


def brute_force(returns, trim):
    n, first = len(returns), max(int(trim * len(returns)), 1)
    found = {}
    for k in range(first, n - first + 1):
        one, other = returns[:k], returns[k:]
        split = ((one - one.mean()) ** 2).sum() + ((other - other.mean()) ** 2).sum()
        found[k] = (((returns - returns.mean()) ** 2).sum() - split) / (split / (n - 2))
    return max(found.values()), max(found, key=found.get) - 1


@pytest.mark.parametrize("seed", range(5))
def test_the_break_of_a_drift_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    returns = 0.01 * rng.normal(size=80) + np.where(np.arange(80) < 50, 0.004, -0.004)
    found = drift_break_test(returns, permutations=99)
    statistic, at = brute_force(returns, 0.15)
    assert found.statistic == pytest.approx(statistic, rel=1e-9)
    assert found.last_before == at
    assert found.before == pytest.approx(returns[: at + 1].mean())


def test_breaks_are_found_where_they_are_and_seldom_elsewhere():
    rng = np.random.default_rng(3)
    bent = 0.01 * rng.normal(size=300) + np.where(np.arange(300) < 200, 0.004, -0.004)
    found = drift_break_test(bent)
    assert abs(found.last_before - 199) <= 20
    assert found.p_value < 0.01
    p_values = [drift_break_test(0.01 * rng.normal(size=100), permutations=99).p_value for _ in range(100)]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.12
    assert drift_break_test(bent) == found
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(301)]
    levels = 100.0 * np.exp(np.concatenate([[0.0], bent.cumsum()]))
    trend = price_trend(list(zip(days, levels.tolist(), strict=True)), window=301)
    assert trend.has_break
    assert trend.break_date == days[found.last_before + 1]
    assert f"changed after {trend.break_date}" in repr(trend)


def test_a_board_has_a_row_for_each_price():
    history = simulate_macro(years=2, seed=3)
    board = trend_board({name: history[name] for name in ("VIXCLS", "DTWEXBGS")}, walks=50)
    alone = price_trend(history["VIXCLS"], walks=50)
    assert board["VIXCLS"].t_statistic == alone.t_statistic
    assert alone.name == "VIXCLS"
    assert [row["name"] for row in board.to_table()] == ["VIXCLS", "DTWEXBGS"]
    assert alone.line()[0] > 0.0
    assert alone.is_simulated
    assert all("simulated" in repr(shown) for shown in (alone, board))
    assert not price_trend(prices(0.0), walks=5).is_simulated
    with pytest.raises(MacroError, match="there is no trend of 'X'"):
        board["X"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: price_trend(prices(0.0)[:20]), "price has 20 prices; give at least 30"),
        (lambda: price_trend(prices(0.0), window=10), "window=10"),
        (lambda: price_trend(prices(0.0), walks=0), "walks=0"),
        (lambda: price_trend([(day, 100.0) for day in DAYS], name="A"), "A does not vary about a straight line"),
        (lambda: price_trend([(d, np.exp(0.001 * i)) for i, d in enumerate(DAYS)]), "does not vary about a straight"),
        (lambda: price_trend([*prices(0.0)[:-1], (DAYS[-1], 0.0)], name="A"), "A is 0 on 2025-08-22, not above 0"),
        (lambda: price_trend([1.0] * 50), "no \\(date, price\\) pairs"),
        (lambda: trend_board({}), "there are no prices"),
        (lambda: drift_break_test([0.01] * 30), "every return is 0.01"),
        (lambda: drift_break_test([0.01, np.nan] * 30), "finite numbers"),
        (lambda: drift_break_test(np.arange(30.0), trim=0.5), "trim=0.5"),
        (lambda: drift_break_test(np.arange(30.0), permutations=0), "permutations=0"),
    ],
)
def test_what_has_no_trend_is_refused(call, said):
    with pytest.raises(MacroError, match=said):
        call()


def test_boards_are_iterated_by_name():
    trends = trend_board({"UP": prices(0.004), "DOWN": prices(-0.004)})
    assert list(trends) == ["UP", "DOWN"]
    assert "FLAT" not in trends
    gauges = read_gauges(simulate_macro(years=2, seed=7))
    assert [gauges[key].key for key in gauges] == [gauge.key for gauge in gauges.gauges]
    assert "vix" in gauges

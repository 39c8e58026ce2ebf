"""Sweeps: each point is a back-test of its own, whoever runs it, and one that fails costs the others nothing."""

import concurrent.futures
import datetime as dt
import math
import multiprocessing
import pickle
import threading
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bank_python.backtester import (
    Backtester,
    MomentumBacktest,
    SweepInterrupt,
    SweepResult,
    Trials,
    make_tearsheet,
    momentum_weights,
    run_rebalances,
    sma_crossing_equity,
    sweep,
)
from bank_python.backtester.curve_metrics import curve_metrics
from bank_python.backtester.sweep_grid import points_of
from bank_python.errors import BacktestError, CallError, ModelError, SweepCancelledError
from bank_python.risk_models import overfitting_probability

DAYS = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(90)]
RNG = np.random.default_rng(5)
CLOSES = 100.0 * np.exp(np.cumsum(0.001 + 0.01 * RNG.standard_normal((len(DAYS), 3)), axis=0))
DATA = {name: dict(zip(DAYS, CLOSES[:, j].tolist(), strict=True)) for j, name in enumerate("ABC")}
GRID = {"lookback": [5, 10, 20], "top_n": [1, 2]}
MOMENTUM = partial(MomentumBacktest, list(DATA), weight=0.9, every=5)
FIGURES = ("sharpe_ratio", "total_return", "max_drawdown", "n_trades", "cost_share")
SWEPT = sweep(MOMENTUM, GRID, data=DATA, fees_bps=5.0, metrics=FIGURES, risk_free_rate=0.02)


def equal(a, b):
    assert a.parameters == b.parameters
    assert np.array_equal(a.equities, b.equities, equal_nan=True)
    assert a.fingerprints == b.fingerprints
    assert a.problems == b.problems
    for name, figures in a.metrics.items():
        assert np.array_equal(figures, b.metrics[name], equal_nan=True), name


# --- what a point is --------------------------------------------------------------------------------------


def test_each_point_is_the_backtest_of_its_parameters():
    assert [tuple(point.values()) for point in SWEPT.parameters] == [(5, 1), (5, 2), (10, 1), (10, 2), (20, 1), (20, 2)]
    for i, point in enumerate(SWEPT.parameters):
        alone = Backtester(MOMENTUM(**point), data=DATA, fees_bps=5.0).run()
        sheet = alone.tearsheet(risk_free_rate=0.02)
        assert np.array_equal(SWEPT.equities[i], alone.equity)
        assert SWEPT.fingerprints[i] == alone.fingerprint
        assert all(SWEPT.metrics[name][i] == sheet[name] for name in FIGURES)
        assert SWEPT.sharpe_ratios[i] == pytest.approx(sheet["sharpe_ratio"], rel=1e-12)
        assert SWEPT.tearsheet(i)["max_drawdown"] == sheet["max_drawdown"]
    assert SWEPT.dates == alone.dates
    assert SWEPT.notes == ("the data have no opens: orders filled at the next close",)


def test_a_period_is_cut_once_for_all_points():
    cut = sweep(MOMENTUM, GRID, data=DATA, start="2025-02-01", end="2025-03-01")
    assert (cut.dates[0].date(), cut.dates[-1].date()) == (dt.date(2025, 2, 1), dt.date(2025, 3, 1))


def test_a_list_of_points_may_have_different_parameters():
    found = sweep(MOMENTUM, [{"lookback": 5}, {"top_n": 2}], data=DATA)
    assert found.n_run == 2
    assert [row["top_n"] for row in found.to_table()] == [None, 2]


def broken(lookback, *, fails_at=None):
    rule = MOMENTUM(lookback=lookback)

    def decide(window):
        if window.index == fails_at:
            raise RuntimeError("no luck")
        return rule.on_bar(window)

    return decide


def test_a_point_that_cannot_be_made_or_fails_costs_the_others_nothing():
    found = sweep(broken, [{"lookback": 5}, {"lookback": 0}, {"lookback": 5, "fails_at": 30}, {"look": 5}], data=DATA)
    assert found.n_run == 1
    assert np.array_equal(found.equities[0], sweep(broken, {"lookback": [5]}, data=DATA).equities[0])
    assert np.isnan(found.equities[1:]).all()
    made, failed, called = (point.problem for point in found.failed)
    assert made == "lookback=0 is not a whole number of at least 1"
    assert failed == "decide raised RuntimeError at the bar of 2025-01-31 00:00: no luck"
    assert called.startswith("TypeError: broken() got an unexpected keyword argument 'look'")
    assert [row["problem"] for row in found.to_table()] == [None, made, failed, called]
    assert "3 did not run, the first of them lookback=0" in " ".join(str(found).split())
    with pytest.raises(BacktestError, match="point 1 did not run: lookback=0"):
        found.tearsheet(1)
    with pytest.raises(ModelError, match="at least two trials"):
        found.overfitting()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"grid": {}}, "the grid has no points"),
        ({"grid": {"lookback": []}}, "the grid has no points"),
        ({"grid": {"lookback": 5}}, "the values of 'lookback' are 5, no list; write {'lookback': [5]}"),
        ({"grid": {"lookback": "5"}}, "no list"),
        ({"grid": {3: [5]}}, "the parameter 3 is no name"),
        ({"grid": [5]}, "point 0 of the grid is 5"),
        ({"grid": 7}, "grid=7 is no grid"),
        ({"grid": {"lookback": [0, -1]}}, "none of the 2 points ran; the first, lookback=0: lookback=0 is not"),
        ({"metrics": ["sharp_ratio"]}, "no metric 'sharp_ratio' that is a number; did you mean 'sharpe_ratio'"),
        ({"metrics": ["max_dd_peak"]}, "no metric 'max_dd_peak' that is a number"),
        ({"fees_bps": -1.0}, "fees_bps=-1.0"),
        ({"fill": "yesterday"}, "no fill 'yesterday'"),
        ({"start": "2030-01-01"}, "there are no bars from 2030-01-01"),
        ({"strategy": MOMENTUM()}, "cannot be called with the parameters of a point"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_point_runs(arguments, said):
    with pytest.raises(BacktestError) as caught:
        sweep(**{"strategy": MOMENTUM, "grid": GRID, "data": DATA} | arguments)
    assert said in str(caught.value)


def test_a_setting_that_backtests_do_not_have_is_named():
    with pytest.raises(CallError, match=r"sweep\(\) has no argument fee_bps; did you mean 'fees_bps'"):
        sweep(MOMENTUM, GRID, data=DATA, fee_bps=5.0)


def test_a_parameter_that_is_called_like_a_metric_is_refused():
    with pytest.raises(BacktestError, match="both called 'total_return'"):
        sweep(lambda total_return: lambda _window: total_return, {"total_return": [None]}, data=DATA)


def test_without_data_the_simulated_market_is_said():
    found = sweep(partial(MomentumBacktest, ["AAPL"]), {"lookback": [5]}, start="2026-01-01", end="2026-01-31")
    assert found.notes == ("simulated prices, not those of a market",)


# --- executors, progress, cancelling ------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_give_the_same(workers):
    seen = []
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        found = sweep(
            MOMENTUM,
            GRID,
            data=DATA,
            fees_bps=5.0,
            metrics=FIGURES,
            risk_free_rate=0.02,
            executor=pool,
            progress=lambda done, total: seen.append((done, total)),
        )
    equal(found, SWEPT)
    assert seen == [(i + 1, 6) for i in range(6)]


class Elsewhere(concurrent.futures.Executor):
    """An executor that gets and gives only what can be pickled, as other processes do."""

    def submit(self, function, /, *arguments):
        future = concurrent.futures.Future()
        try:
            function, arguments = pickle.loads(pickle.dumps((function, arguments)))  # noqa: S301 - its own bytes
            future.set_result(pickle.loads(pickle.dumps(function(*arguments))))  # noqa: S301 - likewise
        except Exception as error:  # noqa: BLE001 - as every executor
            future.set_exception(error)
        return future


def test_points_can_be_sent_and_what_cannot_is_named():
    settings_ = {"data": DATA, "fees_bps": 5.0, "metrics": FIGURES, "risk_free_rate": 0.02}
    equal(sweep(MOMENTUM, GRID, **settings_, executor=Elsewhere()), SWEPT)
    with pytest.raises(BacktestError, match=r"none of the 2 points ran; .* its worker failed: .*pickle"):
        sweep(lambda lookback: MOMENTUM(lookback=lookback), {"lookback": [5, 6]}, data=DATA, executor=Elsewhere())


@pytest.mark.parametrize("executor", [None, Elsewhere()], ids=["here", "elsewhere"])
def test_each_point_is_recorded_once_as_a_trial(executor):
    settings_ = {"data": DATA, "fees_bps": 5.0, "metrics": FIGURES, "risk_free_rate": 0.02, "executor": executor}
    trials = Trials()
    best = Backtester(MOMENTUM(lookback=20, top_n=1), data=DATA, fees_bps=5.0, trials=trials).run()
    for _ in range(2):
        equal(sweep(MOMENTUM, GRID, **settings_, trials=trials), SWEPT)
    assert {trial.fingerprint for trial in trials} == set(SWEPT.fingerprints)
    assert len(trials) == 6
    assert best.verdict(n_random=20)["deflated Sharpe"].words.count("6 recorded trials on these data") == 1
    with pytest.raises(BacktestError, match="is not a Trials"):
        sweep(MOMENTUM, GRID, data=DATA, trials=[])


@pytest.mark.slow
def test_processes_give_the_same():
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        settings_ = {"data": DATA, "fees_bps": 5.0, "metrics": FIGURES, "risk_free_rate": 0.02}
        equal(sweep(MOMENTUM, GRID, **settings_, executor=pool), SWEPT)


@pytest.mark.slow
def test_a_cluster_gives_the_same(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("DASK_TEMPORARY_DIRECTORY", str(tmp_path))
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = sweep(
            MOMENTUM,
            GRID,
            data=DATA,
            fees_bps=5.0,
            metrics=FIGURES,
            risk_free_rate=0.02,
            executor=client.get_executor(),
        )
    equal(found, SWEPT)


def test_many_points_travel_in_chunks():
    tasks = []

    class Counting(concurrent.futures.ThreadPoolExecutor):
        def submit(self, function, /, *arguments):
            tasks.append(arguments)
            return super().submit(function, *arguments)

    with Counting(2) as pool:
        found = sweep(_still, {"number": range(66)}, data={"A": [1.0, 2.0, 3.0]}, executor=pool)
    assert found.n_run == 66
    assert len(tasks) == 33  # of two points each, as there are at most 64
    assert [point["number"] for point in found.parameters] == list(range(66))


def _still(number):
    del number
    return lambda _window: None


@pytest.mark.parametrize("threads", [False, True])
def test_cancelled_what_has_run_is_kept(threads):
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool, pytest.raises(SweepCancelledError) as caught:
        sweep(
            MOMENTUM,
            GRID,
            data=DATA,
            executor=pool if threads else None,
            cancel=stop,
            progress=lambda done, _total: stop.set() if done == 2 else None,
        )
    error = caught.value
    assert str(error) == "cancelled after 2 of 6 points; .result has those"
    assert (error.done, error.total, error.result.n_run) == (2, 6, 2)
    assert [point.problem for point in error.result.failed] == ["not run"] * 4


def test_ctrl_c_keeps_what_has_run():
    def interrupted(done, _total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        sweep(MOMENTUM, GRID, data=DATA, progress=interrupted)
    assert isinstance(caught.value, SweepInterrupt)
    assert str(caught.value) == "interrupted after 3 of 6 points; .result has those"
    assert caught.value.result.n_run == 3


# --- what the result says -----------------------------------------------------------------------------------


def test_best_table_and_exports():
    best = SWEPT.best("total_return")
    assert best.metrics["total_return"] == SWEPT.metrics["total_return"].max()
    assert SWEPT.best("n_trades", largest=False).metrics["n_trades"] == SWEPT.metrics["n_trades"].min()
    table = SWEPT.to_table()
    assert table.columns == ("point", "lookback", "top_n", *FIGURES, "problem")
    assert list(table)[best.number]["lookback"] == best.parameters["lookback"]
    assert len(SWEPT.to_pandas()) == 6
    with pytest.raises(BacktestError, match=r"the sweep has no metric 'omega'; give metrics=\[…, 'omega'\]"):
        SWEPT.best("omega")
    with pytest.raises(BacktestError, match="did you mean 'sharpe_ratio'"):
        SWEPT.best("sharpe_rati")


def test_heat_maps_take_the_best_or_the_mean_of_other_parameters():
    curves = [[100.0, 100.0 + gain] for gain in range(8)]
    points = points_of({"a": [2, 1], "b": ["x", "y"], "c": [0, 1]})
    found = SweepResult.from_equities(points, curves, metrics=["total_return"])
    best = found.heat_map("b", "a", "total_return")
    assert (best.x_values, best.y_values) == (("x", "y"), (1, 2))
    assert best.figures == pytest.approx(np.array([[0.05, 0.07], [0.01, 0.03]]))
    assert best.title == "total_return by b and a, best over the other parameters"
    assert found.heat_map("b", "a", "total_return", largest=False).figures[0, 0] == pytest.approx(0.04)
    assert found.heat_map("b", "a", "total_return", others="mean").figures[0, 0] == pytest.approx(0.045)
    assert [row["total_return"] for row in best.to_table()] == pytest.approx([0.05, 0.07, 0.01, 0.03])
    with pytest.raises(BacktestError, match="no parameter 'd'"):
        found.heat_map("d", "a", "total_return")
    with pytest.raises(BacktestError, match="choose one of best, mean"):
        found.heat_map("b", "a", "total_return", others="median")


def test_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    axes = SWEPT.plot(tmp_path / "map.png").axes[0]
    assert axes.get_title(loc="left") == "sharpe_ratio by lookback and top_n"
    assert {text.get_text() for text in axes.texts} >= {f"{SWEPT.metrics['sharpe_ratio'][0]:#.3g}"}
    line = sweep(MOMENTUM, {"lookback": [5, 10, 0]}, data=DATA).plot().axes[0]
    assert line.get_xlabel() == "lookback"
    assert np.isnan(line.lines[0].get_ydata()[2])
    flat = SweepResult.from_equities({"a": [1, 2]}, np.full((2, 5), 100.0))
    assert "no figures to draw" in flat.plot().axes[0].texts[0].get_text()


def test_the_view_is_no_wider_than_a_terminal():
    from rich.console import Console

    for shown in (SWEPT, SWEPT.heat_map("lookback", "top_n")):
        console = Console(width=80)
        with console.capture() as captured:
            console.print(shown)
        assert max(map(len, captured.get().splitlines())) <= 80
    assert "[bold]" in str(SweepResult.from_equities([{"[bold]": 1}], [[1.0, 2.0, 3.0]]))


# --- what a search is worth ---------------------------------------------------------------------------------


def test_overfitting_is_that_of_the_returns_of_the_points_that_ran():
    found = sweep(MOMENTUM, {"lookback": [5, 0, 10, 20]}, data=DATA)
    expected = overfitting_probability(found.returns[[0, 2, 3]].T, blocks=8)
    assert found.overfitting(blocks=8).to_dict() == expected.to_dict()
    assert expected.trials == 3


def test_the_deflated_ratio_is_that_of_bailey_and_lopez_de_prado():
    """Written out from their formulas, with quantiles of the normal distribution from tables."""
    rng = np.random.default_rng(1)
    returns = 0.0005 + 0.01 * rng.standard_normal((10, 1_000))
    curves = 100.0 * np.cumprod(np.hstack((np.ones((10, 1)), 1.0 + returns)), axis=1)
    found = SweepResult.from_equities({"a": range(10)}, curves, periods_per_year=252.0)
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    at = ratios.argmax()
    z = (returns[at] - returns[at].mean()) / returns[at].std()
    quantiles = 0.42278433509846713 * 1.2815515655446004 + 0.5772156649015329 * 1.7890  # of 1 - 1/10, 1 - 1/(10 e)
    chance = ratios.std(ddof=1) * quantiles
    error = math.sqrt((1.0 - (z**3).mean() * ratios[at] + ((z**4).mean() - 1.0) / 4.0 * ratios[at] ** 2) / 999.0)
    expected = 0.5 * (1.0 + math.erf((ratios[at] - chance) / error / math.sqrt(2.0)))
    assert found.deflated_sharpe() == pytest.approx(expected, abs=1e-4)


def test_a_search_without_any_ratio_says_so():
    flat = SweepResult.from_equities({"a": [1, 2]}, np.full((2, 5), 100.0))
    with pytest.raises(BacktestError, match="no point has a Sharpe ratio"):
        flat.deflated_sharpe()
    with pytest.raises(BacktestError, match="no point has a finite sharpe_ratio"):
        flat.best()


# --- many points at once ------------------------------------------------------------------------------------


def test_crossings_and_target_weights_are_sweeps_as_well():
    fast, slow = np.array([[3], [5]]), np.array([10, 20])
    run = sma_crossing_equity(CLOSES[:, 0], fast, slow, cash=1_000.0)
    found = SweepResult.from_equities({"fast": fast, "slow": slow}, run.equity(), DAYS, initial_cash=1_000.0)
    assert found.parameters[1] == {"fast": 3, "slow": 20}
    alone = sma_crossing_equity(CLOSES[:, 0], 3, 20, cash=1_000.0)
    assert found.equities[1] == pytest.approx(alone.equity())
    lookback, share = np.array([[10], [20]]), np.array([0.34, 0.67, 1.0])
    rows = range(20, 89, 10)
    moved = run_rebalances(CLOSES, rows, momentum_weights(CLOSES, lookback, 0, share, rows))
    held = SweepResult.from_equities({"lookback": lookback, "top_share": share}, moved.equity, DAYS)
    assert held.heat_map("lookback", "top_share").figures.shape == (3, 2)
    assert len(set(held.fingerprints)) == 6
    again = SweepResult.from_equities({"lookback": lookback, "top_share": share}, moved.equity, DAYS)
    assert again.fingerprints == held.fingerprints


@pytest.mark.parametrize(
    ("parameters", "curves", "dates", "said"),
    [
        ({"a": [1, 2, 3]}, np.ones((2, 4)), None, "do not broadcast to the points (2,)"),
        ([{"a": 1}], np.ones((2, 4)), None, "1 points of parameters for 2 equity curves"),
        ({"a": [1, 2]}, np.full((2, 4), np.nan), None, "not all finite"),
        ({"a": [1, 2]}, np.ones((2, 4)), DAYS[:3], "3 dates for 4 bars"),
    ],
)
def test_curves_that_do_not_fit_are_refused(parameters, curves, dates, said):
    with pytest.raises(BacktestError) as caught:
        SweepResult.from_equities(parameters, curves, dates)
    assert said in str(caught.value)


AT_ONCE = (
    *("total_return", "final_value", "annualized_return", "annualized_vol", "sharpe_ratio", "sortino_ratio"),
    *("max_drawdown", "calmar_ratio", "win_rate", "omega", "sharpe", "max_dd"),
)
LEVELS = st.floats(0.001, 200.0) | st.sampled_from([-5.0, 0.0, 100.0])
CURVES = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 8)), elements=LEVELS)


@given(
    arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 8)), elements=LEVELS), st.sampled_from([0.0, 0.05])
)
@settings(max_examples=25, deadline=None)
def test_metrics_of_many_curves_are_those_of_their_tearsheets(curves, rate):
    curves[:, 0] = np.maximum(curves[:, 0], 1.0)
    found = curve_metrics(curves, AT_ONCE, initial_cash=100.0, risk_free_rate=rate)
    for i, curve in enumerate(curves):
        sheet = make_tearsheet(curve, initial_capital=100.0, risk_free_rate=rate)
        for name in AT_ONCE:
            assert found[name][i] == pytest.approx(sheet[name], rel=1e-9, abs=1e-12, nan_ok=True), name


def test_a_function_of_the_window_is_no_factory():
    def crossing(window, fast=5):
        return {"A": 1.0} if window.mean("A", fast) > window.last("A") else None

    with pytest.raises(BacktestError, match=r"give one of the parameters that returns it: lambda .*partial"):
        sweep(crossing, {"fast": [3, 5]}, data=DATA)
    found = sweep(lambda fast: partial(crossing, fast=fast), {"fast": [3, 5]}, data=DATA)
    assert found.n_run == 2

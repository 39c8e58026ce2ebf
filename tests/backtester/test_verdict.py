"""The verdict: what has no skill fails, what knows the drift passes, and every rung says what it found."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from bank_python.backtester import Backtester, BacktestStrategy, MomentumBacktest, Targets, Trials, Verdict
from bank_python.backtester.verdict import LEVEL
from bank_python.errors import BacktestError
from bank_python.risk_models import (
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    overfitting_probability,
    probabilistic_sharpe,
)
from bank_python.trading_engine import Order

STATISTICS = ("shuffled", "random books", "probabilistic Sharpe", "deflated Sharpe", "minimum track record")


def walk_of(seed, n=200, drift=0.0):
    rng = np.random.default_rng(seed)
    return 100.0 * np.cumprod(1.0 + drift + 0.01 * rng.standard_normal(n))


def coin(seed, every=5):
    """Return a strategy that holds everything or nothing, by a coin."""
    coins = np.random.default_rng([seed, 1]).integers(0, 2, 10_000)
    return lambda window: {"A": float(coins[window.index])} if window.index % every == 0 else None


def flips(seed, n=200, **given):
    return Backtester(coin(seed), data={"A": walk_of(seed, n)}, fees_bps=5.0, **given).run()


def knowing(seed, n=400, trials=None):
    """Return a run of a strategy that knows whether the drift is up or down."""
    up = np.repeat(np.random.default_rng([seed, 2]).integers(0, 2, n // 20), 20)
    data = {"A": walk_of(seed, n, np.where(up, 0.003, -0.003))}
    return Backtester(
        lambda window: {"A": float(up[window.index])}, data=data, fees_bps=2.0, fill="close", trials=trials
    ).run()


def test_coin_flips_fail_in_most_seeds():
    verdicts = [flips(seed).verdict(n_random=20, seed=seed) for seed in range(6)]
    assert sum(verdict.passed for verdict in verdicts) <= 1
    assert sum(verdict["random books"].passed for verdict in verdicts) <= 2
    assert all(verdict.conclusion.startswith("no") for verdict in verdicts if not verdict.passed)


def test_what_knows_the_drift_passes_in_most_seeds():
    verdicts = [knowing(seed, trials=Trials()).verdict(n_random=20, seed=seed) for seed in range(3)]
    assert sum(verdict.passed for verdict in verdicts) >= 2
    best = max(verdicts, key=lambda verdict: verdict.sharpe)
    assert best.conclusion.startswith("evidence beyond costs and chance: ")
    assert best.conclusion.endswith("undecided without more recorded trials: overfitting")


def test_the_statistics_are_those_of_the_models():
    trials, data = Trials(), {"A": walk_of(1, 330)}
    runs = [
        Backtester(MomentumBacktest(["A"], lookback, 1, weight=1.0), data=data, trials=trials).run()
        for lookback in (5, 10, 20, 40)
    ]
    verdict = runs[1].verdict(n_random=19, risk_free_rate=0.01)
    sheet = runs[1].tearsheet(risk_free_rate=0.01)
    one, moments = sheet["sharpe"] / math.sqrt(252.0), {"skew": sheet["skew"], "kurtosis": sheet["kurtosis"]}
    ratios = [run.tearsheet(risk_free_rate=0.01)["sharpe"] / math.sqrt(252.0) for run in runs]
    best = expected_maximum_sharpe(4, float(np.var(ratios, ddof=1)))
    returns = np.column_stack([run.equity[1:] / run.equity[:-1] - 1.0 for run in runs]) - 0.01 / 252.0
    expected = {
        "net of costs": sheet["sharpe"],
        "probabilistic Sharpe": probabilistic_sharpe(one, 329, **moments),
        "deflated Sharpe": deflated_sharpe(one, 329, best, **moments),
        "minimum track record": minimum_track_record(one, **moments),
        "overfitting": overfitting_probability(returns, blocks=16).probability,
    }
    assert {name: verdict[name].figure for name in expected} == pytest.approx(expected)
    assert "4 recorded trials on these data, whose best" in verdict["deflated Sharpe"].words
    assert (verdict.sharpe, verdict.n_returns) == (pytest.approx(sheet["sharpe"]), 329)


def test_trials_on_other_data_are_said_and_do_not_count():
    trials = Trials()
    flips(1, trials=trials)
    verdict = flips(2, trials=trials).verdict(n_random=1)
    assert "1 recorded trial on these data, 1 on others" in verdict["deflated Sharpe"].words
    assert "cannot be known" in verdict["deflated Sharpe"].words
    assert verdict["overfitting"].passed is None


def test_without_a_record_what_depends_on_it_is_open():
    verdict = flips(1).verdict(n_random=1)
    assert verdict["out of sample"].words.endswith("in the second half")
    assert [verdict[name].passed for name in ("deflated Sharpe", "overfitting")] == [None, None]
    assert "give trials=" in verdict["deflated Sharpe"].words


def test_doubled_costs_are_those_of_a_new_run():
    run, trials = flips(3), Trials()
    rung = flips(3, trials=trials).verdict(n_random=1)["costs doubled"]
    twice = Backtester(coin(3), data={"A": walk_of(3)}, fees_bps=10.0).run()
    assert rung.figure == pytest.approx(twice.tearsheet(risk_free_rate=0.0)["sharpe"])
    assert rung.words.endswith("from a new run")
    assert len(trials) == 1  # the new run is no trial
    dear = Backtester(coin(3), data={"A": walk_of(3)}, fees_bps=600.0).run().verdict(n_random=1)
    assert (dear["costs doubled"].passed, dear["costs doubled"].words) == (None, "costs too high to be doubled")
    assert run.verdict(n_random=1).to_json() == run.verdict(n_random=1).to_json()


def rising(n=300):
    """Return bars of a market that rises, with lows more than 1% below some closes before."""
    closes = walk_of(4, n, 0.008)
    opens = np.concatenate([[100.0], closes[:-1]])
    days = np.datetime64("2020-01-01") + np.arange(n)
    return [
        {"date": str(day), "open": o, "high": 1.012 * max(o, c), "low": 0.996 * min(o, c), "close": c}
        for day, o, c in zip(days, opens.tolist(), closes.tolist(), strict=True)
    ]


def stopped(window):
    """Buy every other day, with a stop 1% below."""
    if window.index % 2:
        return [Order("", "", "A", "SELL", abs(window.units["A"]), "MARKET")] if window.units.get("A") else None
    last = float(window["A"][-1])
    bought = Order("", "", "A", "BUY", 5_000, "MARKET")
    return [bought, Order("", "", "A", "SELL", 5_000, "STOP", stop_price=0.99 * last, time_in_force="DAY")]


def test_orders_that_fill_inside_bars_leave_chance_untested():
    run = Backtester(stopped, data={"A": rising()}, fees_bps=0.01).run()
    assert {fill.order.order_type for fill in run.fills} == {"MARKET", "STOP"}
    verdict = run.verdict(n_random=19)
    for name in ("flipped", "lagged", "shuffled", "random books"):
        assert verdict[name].passed is None
        assert verdict[name].words.startswith("orders filled inside bars: the book at closes differs from the run by ")
    assert (verdict.nulls, verdict.passed) == (None, False)
    assert verdict.plot()._repr_png_()
    assert verdict["costs doubled"].passed
    assert verdict.conclusion == f"chance was not tested: {verdict['random books'].words}"


def test_a_run_without_costs_is_no_evidence_beyond_them():
    up = Backtester(lambda w: {"A": float(w.index % 2)}, data={"A": walk_of(4, 300, 0.004)}).run().verdict(n_random=19)
    assert [up[name].passed for name in ("net of costs", "costs doubled")] == [None, None]
    assert up["net of costs"].words.endswith("; the run had no costs")
    assert up["costs doubled"].words == "no costs to double; give fees_bps and slippage_bps"
    assert up.conclusion == "no evidence beyond costs: the run had none; give fees_bps and slippage_bps"
    assert not up.passed
    down = Backtester(lambda w: {"A": float(w.index % 2)}, data={"A": walk_of(4, 300, -0.004)}).run()
    verdict = down.verdict(n_random=19)
    assert (verdict["net of costs"].passed, verdict.conclusion) == (
        False,
        "no evidence: even without costs it earns no more than the risk-free rate",
    )
    lent = Backtester(lambda w: {"A": -float(w.index % 2)}, data={"A": walk_of(4, 300, -0.004)}, borrow_rate=0.01).run()
    assert lent.verdict(n_random=1)["costs doubled"].words.endswith("from a new run")


def test_the_strategy_is_replayed_twice_more():
    bars = []

    def counted(window):
        bars.append(window.index)
        return {"A": float(window.index % 2)}

    run = Backtester(counted, data={"A": walk_of(1, 40)}, fees_bps=1.0).run()
    run.verdict(n_random=1)
    assert len(bars) == 120


def test_options_leave_chance_untested():
    def sells(window):
        return Targets(units={"A 2000-06-16 C 100": -2.0 if window.index % 2 else -1.0})

    run = Backtester(sells, data={"A": walk_of(3, 100)}, fees_bps=1.0, vols=0.5).run()
    verdict = run.verdict(n_random=1)
    assert verdict["random books"].passed is None
    assert verdict.conclusion == "chance was not tested: it held options, of which no null books are made"
    dice = np.random.default_rng(0)

    def thrown(window):
        return Targets(units={"A 2000-06-16 C 100": float(dice.integers(-3, 4))})

    rung = Backtester(thrown, data={"A": walk_of(3, 60)}, fees_bps=1.0, vols=0.5).run().verdict(n_random=1)
    assert rung["costs doubled"].passed is None
    assert rung["costs doubled"].words.startswith("not doubled: the strategy does not repeat itself")


def test_a_strategy_that_does_not_repeat_itself_is_costed_again():
    class Tired(BacktestStrategy):
        """Trades in its first run only."""

        def __init__(self):
            self._left = 130

        def on_bar(self, window):
            self._left -= 1
            return {"A": window.index // 10 % 2} if self._left > 0 else None

    rung = Backtester(Tired(), data={"A": walk_of(1)}, fees_bps=10.0).run().verdict(n_random=1)["costs doubled"]
    assert rung.words.endswith("as the strategy does not repeat itself")
    net = Backtester(Tired(), data={"A": walk_of(1)}, fees_bps=20.0).run().tearsheet(risk_free_rate=0.0)["sharpe"]
    assert rung.figure == pytest.approx(net, rel=1e-9)


@pytest.mark.parametrize(
    ("strategy", "n", "said"),
    [
        (lambda _: None, 100, "nothing to judge: it never traded"),
        (lambda window: {"A": window.index % 2}, 20, "no verdict: too few returns: 19, fewer than 30"),
        (lambda window: {"A": 1.0} if window.index == 0 else None, 300, "it never changes what it holds"),
        (lambda window: {"A": -1.0 * (window.index % 2)}, 100, "no evidence: after costs it earns no more"),
    ],
)
def test_the_sentence_says_what_stands_against_it(strategy, n, said):
    run = Backtester(strategy, data={"A": walk_of(1, n, 0.003)}, fees_bps=1.0).run()
    verdict = run.verdict(n_random=19, trials=Trials())
    assert said in verdict.conclusion
    assert not verdict.passed
    if n == 20:
        assert all(verdict[name].passed is None for name in STATISTICS)


def test_random_books_that_do_as_well_are_counted():
    rng = np.random.default_rng(0)
    changes = rng.permutation(250) < 125
    run = Backtester(lambda w: {"A": float(changes[w.index])}, data={"A": walk_of(5, 250, 0.002)}, fees_bps=0.1).run()
    verdict = run.verdict(n_random=40)
    good = verdict.nulls.as_good("random")
    assert good > 40 * LEVEL
    assert verdict.conclusion == f"no evidence beyond costs: {good} of 40 random books did as well or better"


def test_few_random_books_decide_nothing():
    rung = flips(1).verdict(n_random=18)["random books"]
    assert (rung.passed, "fewer than 19 books" in rung.words) == (None, True)


def test_a_benchmark_is_to_be_beaten():
    run = knowing(0)
    better = [100.0 * 1.01**i for i in range(399)] + [100.0 * 1.01**399.5]
    verdicts = [run.verdict(benchmark=levels, n_random=19) for levels in (run.panel.close[:, 0], better)]
    assert [verdict["benchmark"].passed for verdict in verdicts] == [True, False]
    assert "benchmark" in verdicts[1].conclusion
    assert run.verdict(benchmark={"2000-01-04": 1.0}, n_random=1)["benchmark"].passed is None


def test_a_verdict_is_shown_drawn_and_exported():
    run = flips(1)
    verdict = run.verdict(n_random=19)
    assert isinstance(verdict, Verdict)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(verdict)
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert any(run.fingerprint[:16] in line for line in lines)
    assert verdict.plot()._repr_png_()
    rows = {row["rung"]: row for row in json.loads(verdict.to_json())}
    assert rows["verdict"]["words"] == verdict.conclusion
    assert [rows[name]["words"] for name in ("data hash", "code hash", "fingerprint")] == [
        *(run.data_hash, run.code_hash, run.fingerprint),
    ]
    assert verdict.to_dict()["rungs"][0]["name"] == "net of costs"
    with pytest.raises(KeyError, match="there is no rung 'luck'; there are net of costs"):
        verdict["luck"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_random": 0}, "n_random=0 is below 1"),
        ({"risk_free_rate": math.nan}, "risk_free_rate=nan is not a finite number"),
        ({"trials": 3}, "trials=3 is not a Trials"),
        ({"benchmark": [1.0]}, "1 levels for 60 values"),
    ],
)
def test_bad_settings_are_refused(given, said):
    with pytest.raises(BacktestError, match=said):
        flips(1, 60).verdict(**given)


def test_a_strategy_that_cannot_run_again_is_costed_again():
    signals = iter([0.0, 1.0, 0.5] * 100)
    result = Backtester(lambda _window: {"A": next(signals)}, data={"A": walk_of(1)}, fees_bps=5.0).run()
    for _ in signals:
        pass
    assert "as the strategy does not repeat itself" in result.verdict(n_random=5)["costs doubled"].words

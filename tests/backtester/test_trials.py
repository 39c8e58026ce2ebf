"""The record of trials: each run once, together by data, in memory or in a store."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import Backtester, Trials, make_tearsheet
from bank_python.backtester.return_figures import ReturnFigures, sharpe_ratios
from bank_python.barbara import BarbaraDB
from bank_python.errors import BacktestError
from bank_python.risk_models import deflated_sharpe, expected_maximum_sharpe, probabilistic_sharpe

RNG = np.random.default_rng(0)
CLOSES = {"A": 100.0 * np.cumprod(1.0 + 0.01 * RNG.standard_normal(60))}
SHARES = (0.2, 0.5, 1.0)


def alternating(share, every=5):
    return lambda window: {"A": share * (window.index // every % 2)}


def searched(trials, data=CLOSES, shares=SHARES):
    return [Backtester(alternating(share), data=data, trials=trials, fees_bps=2.0).run() for share in shares]


def test_each_run_is_one_trial():
    trials = Trials()
    results = searched(trials, shares=(*SHARES, 0.5))
    assert (len(trials), results[1].fingerprint in trials) == (3, True)
    assert results[1].origin.trials is trials
    assert len(trials.on(results[0].data_hash)) == 3
    assert "3 on 1 sets" in repr(trials)


def test_a_trial_says_what_the_tearsheet_says():
    trials = Trials()
    result = searched(trials)[0]
    sheet, trial = result.tearsheet(risk_free_rate=0.02), next(iter(trials))
    assert trial.sharpe(0.02) * math.sqrt(252.0) == pytest.approx(sheet["sharpe"], rel=1e-12)
    assert (trial.figures.skew, trial.figures.kurtosis) == pytest.approx((sheet["skew"], sheet["kurtosis"]))
    assert (trial.start, trial.end, trial.n_bars) == (result.dates[0], result.dates[-1], 60)


def test_the_deflated_ratio_is_over_the_trials_on_the_same_data():
    trials = Trials()
    results = searched(trials)
    searched(trials, {"A": CLOSES["A"][:40]})
    found = trials.deflated_sharpe(results[2])
    ratios = [trial.sharpe() for trial in trials.on(results[2].data_hash)]
    best = expected_maximum_sharpe(3, float(np.var(ratios, ddof=1)))
    figures = ReturnFigures.of_equity(results[2].equity, results[2].initial_cash)
    expected = deflated_sharpe(ratios[2], figures.n, best, skew=figures.skew, kurtosis=figures.kurtosis)
    assert (len(trials), found.n_trials, found.probability) == (6, 3, pytest.approx(expected))


def test_a_single_trial_deflates_nothing_and_an_unrecorded_run_counts():
    trials = Trials()
    result = searched(None, shares=(1.0,))[0]
    figures = ReturnFigures.of_equity(result.equity)
    alone = trials.deflated_sharpe(result)
    expected = probabilistic_sharpe(figures.sharpe(0.0, 252.0), figures.n, skew=figures.skew, kurtosis=figures.kurtosis)
    assert (alone.n_trials, alone.probability) == (1, pytest.approx(expected))
    trials.record(searched(None, shares=(0.5,))[0])
    assert (trials.deflated_sharpe(result).n_trials, len(trials)) == (2, 1)


def test_trials_that_never_traded_have_no_ratio_and_do_not_count():
    trials = Trials()
    idle = Backtester(lambda _: None, data=CLOSES, trials=trials).run()
    results = searched(trials)
    assert trials.deflated_sharpe(idle) is None
    assert trials.deflated_sharpe(results[0]).n_trials == 3
    assert next(row["sharpe"] for row in trials.to_table()) is None


def test_a_store_keeps_the_record(tmp_path):
    path = tmp_path / "trials.db"
    times = (dt.datetime(2026, 1, 5, 12, i, tzinfo=dt.UTC) for i in range(60))
    with BarbaraDB.open("default", path=path) as store:
        first = Trials(store, clock=lambda: next(times))
        results = searched(first)
        keys = store.keys("/Backtest/trials/")
        assert keys[0].split("/")[3:] == [results[0].data_hash, min(result.fingerprint for result in results)]
    with BarbaraDB.open("default", path=path) as store:
        again = Trials(store)
        searched(again)  # the same once more
        assert [trial.fingerprint for trial in again] == [result.fingerprint for result in results]
        assert again.to_json() == first.to_json()
        assert np.array_equal(again.returns_on(results[0].data_hash), first.returns_on(results[0].data_hash))
        searched(again, shares=(0.9,))
        assert len(store.keys("/Backtest/trials/")) == 4


def test_returns_are_kept_or_not():
    trials, bare = Trials(), Trials(keep_returns=False)
    result = searched(trials)[0]
    searched(bare)
    assert trials.returns_on(result.data_hash).shape == (59, 3)
    assert trials.returns_on(result.data_hash)[:, 0] == pytest.approx(result.equity[1:] / result.equity[:-1] - 1.0)
    assert (bare.returns_on(result.data_hash).size, trials.returns_on("other").size) == (0, 0)


def test_a_run_that_loses_everything_has_no_returns_after():
    trials = Trials()
    fall = {"A": [100.0, 100.0, 20.0, 10.0, 30.0]}
    result = Backtester(lambda w: {"A": 3.0} if w.index == 0 else None, data=fall, trials=trials).run()
    assert result.equity[2] < 0.0
    returns = trials.returns_on(result.data_hash)[:, 0]
    assert (returns[1] < -1.0, returns[2:].tolist()) == (True, [0.0, 0.0])


def test_what_is_no_run_or_no_store_is_refused():
    with pytest.raises(BacktestError, match="run=3 is no result of a back-test"):
        Trials().record(3)
    with pytest.raises(BacktestError, match=r"db='file.db' is no BarbaraDB"):
        Trials("file.db")


@settings(max_examples=30)
@given(st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=30), st.floats(0.0, 0.1))
def test_ratios_of_many_curves_are_those_of_one(returns, rate):
    equity = 100.0 * np.cumprod(1.0 + np.array([0.0, *returns]))
    one = make_tearsheet(equity, risk_free_rate=rate, periods_per_year=252.0, initial_capital=100.0)["sharpe"]
    figure = ReturnFigures.of_equity(equity, 100.0).sharpe(rate, 252.0)
    many = sharpe_ratios(np.stack([equity, equity]), 100.0, rate, 252.0)
    if math.isfinite(one) and np.ptp(returns) > 1e-6:
        assert [figure, *many] == pytest.approx([one / math.sqrt(252.0)] * 3, rel=1e-6, abs=1e-9)


def test_the_ratio_of_a_lost_account_is_minus_infinity_and_of_none_nan():
    assert sharpe_ratios(np.array([100.0, -5.0, 10.0]), 100.0, 0.0, 252.0) == -math.inf
    assert math.isnan(sharpe_ratios(np.array([100.0, 100.0, 100.0]), 100.0, 0.0, 252.0))
    assert math.isnan(sharpe_ratios(np.array([100.0]), 100.0, 0.0, 252.0))
    assert math.isnan(ReturnFigures.of_equity([100.0]).sharpe(0.0, 252.0))
    assert sharpe_ratios(np.array([101.0, 102.0]), 100.0, 0.0, 1.0) == pytest.approx(
        np.mean([0.01, 1 / 101]) / np.std([0.01, 1 / 101], ddof=1)
    )


@pytest.mark.parametrize("value", [3, {"a": 1}, None, "text", {"figures": {}}])
def test_what_is_no_trial_in_a_store_is_named(value):
    with BarbaraDB.open("desk", path=":memory:") as store:
        store["/Backtest/trials/data/one"] = value
        with pytest.raises(BacktestError, match="'/Backtest/trials/data/one' holds no trial of a back-test"):
            Trials(store)

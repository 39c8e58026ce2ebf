"""A walk forward: choices know the training window only, the stitched equity is out of sample and pays for changes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bank_python.backtester import Backtester, MomentumBacktest, Trials, make_tearsheet, walk_forward
from bank_python.errors import BacktestError
from bank_python.trading_engine import Order

N = 160


def walk_of(seed=0, n=N):
    rng = np.random.default_rng(seed)
    return 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal(n))


def side(sign):
    """Return a strategy that is long or short, at the same share of equity after each bar."""
    return lambda window: {"A": sign} if window.index % 5 == 4 else None


def regimes():
    """Return closes that rise for 60 bars, then fall for 60, and so on."""
    steps = np.where(np.arange(N) // 60 % 2 == 0, 0.01, -0.01) + 0.001 * np.random.default_rng(1).standard_normal(N)
    return {"A": 100.0 * np.cumprod(1.0 + steps)}


def test_the_best_of_each_training_window_is_held_in_the_test():
    walk = walk_forward(side, {"sign": [1.0, -1.0]}, data=regimes(), train=40, test=20, fees_bps=10.0)
    assert [window.parameters["sign"] for window in walk.windows] == [1.0, 1.0, -1.0, -1.0, -1.0, 1.0]
    assert [window.out_of_sample > 0.0 for window in walk.windows] == [True, False, True, True, False, True]
    closes = walk.runs[0].panel.close[:, 0]
    bought = walk.initial_cash / closes[39]  # decided at the close before the test, filled at its first
    cash = walk.initial_cash - bought * closes[40] * 1.001
    assert walk.equity[0] == pytest.approx(cash + bought * closes[40], rel=1e-3)


def test_a_change_of_parameters_is_paid_for():
    free, dear = (
        walk_forward(side, {"sign": [1.0, -1.0]}, data=regimes(), train=40, test=20, fees_bps=bps)
        for bps in (0.0, 100.0)
    )
    paid = np.log(free.equity / dear.equity)
    steps = np.diff(paid, prepend=0.0)
    bars = np.flatnonzero(np.abs(steps) > 0.005).tolist()
    assert bars[:2] == [0, 40]  # in cash before the first test; from long to short at the third
    assert steps[[0, 40]] == pytest.approx([0.01, 0.02], rel=0.1)


def test_without_a_grid_the_halves_are_compared():
    data = {"A": walk_of()}
    strategy = MomentumBacktest(["A"], 5, 1, weight=1.0)
    walk = walk_forward(strategy, data=data, fees_bps=5.0)
    run = Backtester(strategy, data=data, fees_bps=5.0).run()
    (window,) = walk.windows
    halves = [
        make_tearsheet(run.equity[part], run.dates[part])["sharpe"] for part in (slice(0, N // 2), slice(N // 2 - 1, N))
    ]
    assert (window.in_sample, window.parameters, len(walk.equity)) == (pytest.approx(halves[0]), {}, N // 2)
    assert walk.sharpe == pytest.approx(halves[1], abs=0.1)  # but for the purchase of what was held
    assert walk.efficiency == pytest.approx(walk.sharpe / window.in_sample) or window.in_sample <= 0.0


@pytest.mark.parametrize("fill", ["next_close", "close"])
def test_a_poisoned_future_changes_nothing_before_it(fill):
    made = []
    for poison in (1.0, 50.0):
        closes = walk_of(3)
        closes[120:] *= poison ** np.linspace(0.5, 1.0, N - 120)
        made.append(
            walk_forward(
                lambda lookback: MomentumBacktest(["A"], lookback, 1, weight=1.0),
                {"lookback": [2, 20]},
                data={"A": closes},
                train=40,
                test=20,
                purge=5,
                fill=fill,
                fees_bps=5.0,
            )
        )
    seen = 120 - 45
    assert made[0].equity[:seen].tolist() == made[1].equity[:seen].tolist()
    assert made[0].equity[-1] != made[1].equity[-1]
    chosen = [
        [window.parameters for window in walk.windows if window.train_end < walk.runs[0].dates[120]] for walk in made
    ]
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 5


def protected(stop):
    """Return a strategy that buys at each open, and sells where the bar falls by a share."""

    def strategy(window):
        held, last = window.units.get("A", 0.0), float(window["A"][-1])
        size = 0.9 * window.equity / last
        orders = [] if held else [Order("", "", "A", "BUY", size, "MARKET")]
        if stop:
            orders.append(Order("", "", "A", "SELL", held or size, "STOP", stop_price=(1 - stop) * last))
        return orders

    return strategy


def test_orders_inside_bars_are_refused_with_the_parameters():
    closes = walk_of(2, 300)
    days = np.datetime64("2020-01-01") + np.arange(300)
    opens = np.concatenate([[100.0], closes[:-1]])
    data = {
        "A": [
            {"date": str(day), "open": o, "high": 1.01 * max(o, c), "low": 0.985 * min(o, c), "close": c}
            for day, o, c in zip(days, opens.tolist(), closes.tolist(), strict=True)
        ]
    }
    with pytest.raises(
        BacktestError, match=r"no walk forward at stop=0.01: strategy: orders filled inside bars: .* by \d"
    ):
        walk_forward(protected, {"stop": [None, 0.01]}, data=data, train=100, test=50)
    with pytest.raises(BacktestError, match="no walk forward: strategy: orders filled inside bars"):
        walk_forward(protected(0.01), data=data)
    assert len(walk_forward(protected, {"stop": [None]}, data=data, train=100, test=50).windows) == 4


def test_where_the_bars_come_from_is_said_and_all_points_have_theirs():
    walk = walk_forward(
        lambda ticker: MomentumBacktest([ticker], 5, 1),
        {"ticker": ["AAPL", "MSFT"]},
        start="2025-01-01",
        end="2025-03-31",
    )
    assert walk.notes[0] == "simulated prices, not those of a market"
    assert "simulated prices" in repr(walk)
    assert walk.runs[0].panel.tickers == ("AAPL", "MSFT")
    closes = walk_forward(side, {"sign": [1.0, -1.0]}, data=regimes(), train=40, test=20)
    assert closes.notes == ("the data have no opens: orders filled at the next close",)


def test_parameters_that_never_trade_are_not_chosen():
    def sometimes(trades):
        return lambda window: {"A": -0.5 * trades} if window.index == 0 and trades else None

    walk = walk_forward(sometimes, [{"trades": 0}, {"trades": 1}], data={"A": walk_of(2)}, train=40, test=60)
    assert {window.parameters["trades"] for window in walk.windows} == {1}


def test_progress_trials_and_an_interruption():
    trials, seen = Trials(), []
    given = {"data": {"A": walk_of()}, "train": 80, "trials": trials}
    walk_forward(side, {"sign": [1.0, -1.0, 0.5]}, progress=lambda *at: seen.append(at), **given)
    assert (seen, len(trials)) == ([(1, 3), (2, 3), (3, 3)], 3)

    def interrupt(done, total):
        if done == 1:
            raise KeyboardInterrupt(f"{done} of {total}")

    with pytest.raises(KeyboardInterrupt):
        walk_forward(side, {"sign": [0.1, 0.2]}, progress=interrupt, **given)
    assert len(trials) == 4


def test_it_is_shown_drawn_and_exported():
    walk = walk_forward(side, {"sign": [1.0, -1.0]}, data=regimes(), train=40, test=20, start="2000-01-05")
    assert "out of sample" in repr(walk)
    assert walk.plot()._repr_png_()
    assert next(iter(walk.to_table()))["parameters"] == "sign=1.0"
    sheet = walk.tearsheet()
    assert sheet["sharpe"] == pytest.approx(walk.sharpe, rel=0.05)
    assert walk_forward(MomentumBacktest(["AAPL"]), start="2025-01-01", end="2025-03-31").windows[0].parameters == {}


def test_an_efficiency_without_success_in_training_is_none():
    walk = walk_forward(side(-1.0), data={"A": 100.0 * 1.001 ** np.arange(40.0) + np.arange(40) % 2})
    assert walk.in_sample_sharpe < 0.0
    assert math.isnan(walk.efficiency)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"grid": {"sign": []}}, "grid has no set of parameters"),
        ({"grid": []}, "grid has no set of parameters"),
        ({"grid": {"sign": [1.0]}, "train": 160}, "160 bars are too few"),
        ({"grid": {"sign": [1.0]}, "purge": -1}, "purge=-1 is below 0"),
        ({"grid": {}}, "grid has no set of parameters"),
        ({"grid": {"side": [1.0]}}, r"strategy\(side=1.0\) raised TypeError: .* unexpected keyword"),
        ({"grid": 3}, "grid=3 is not a mapping"),
        ({"strategy": 3, "grid": {"sign": [1.0]}}, "strategy=3 cannot be called with the parameters"),
        ({"grid": {"sign": [1.0]}, "train": "x"}, "train='x'"),
    ],
)
def test_bad_input_is_refused(given, said):
    with pytest.raises(BacktestError, match=said):
        walk_forward(**({"strategy": side, "data": {"A": walk_of()}} | given))

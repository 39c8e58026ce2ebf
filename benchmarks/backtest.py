"""Back-tests: momentum portfolios and crossings of moving averages as arrays and bar by bar, and tearsheets.

One process, one thread (linear algebra too, which is settled before numpy is loaded), CPU time, medians of shuffled
turns; a call that is over quickly is repeated until a turn has lasted 20 ms, on every side. All get the same prices,
dates and weights, and a case begins with a check that they find the same equity. Not timed are the compilation by numba
and the making of arrays and frames that a side takes as its input.

Momentum is 12-1: the top fifth by the return from 252 to 21 bars before the last close of a month, in equal weights,
bought at the close of the next bar, with a fee of 10 bp and slippage of 5 bp. Prices of 20 shares come with skfolio,
those of 180 are a seeded walk, those of the crossings (GOOG) come with backtesting.py. Bars are read, checked and
gathered from frames; beside that stands what pandas itself takes to give arrays and dates of Python. Tearsheets: see
``_tearsheet_cases.py``. The event-driven case: see ``_event_peers.py``; nautilus_trader has its own environment
(``make nautilus``) and process, whose runs alternate with ours.

Run it with ``make bench`` or ``python benchmarks/backtest.py --only momentum``; ``--quick`` takes one turn.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _backtest_peers as peers
import _event_peers as events_of
import numpy as np
import pandas as pd
from _command import run_cases, run_on_one_thread
from _tearsheet_cases import figures, page
from _timing import cpu, turn

from bank_python.backtester import bars_of, momentum_weights, run_rebalances, sma_crossing_equity

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

ONE_THREAD = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
)
PACKAGES = (
    *("numpy", "bank-python", "numba", "vectorbt", "vectorbt-rust", "backtesting"),
    *("pandas", "quantstats", "empyrical-reloaded", "matplotlib"),
)
OURS = "bank_python"
COSTS = {"fee": 0.001, "slippage": 0.0005}
BARS = 2_500
POINTS, THEIR_POINTS = 1_000, 20
MOMENTUM_OF_20 = 5302842.097696  # final equity by vectorbt 1.2.0
GOOG_FIGURES = {
    (0.001, True, True): 2314960.112,
    (0.001, False, True): 2348125.2156,
    (0.0, True, True): 2406799.47,
    (0.0, False, True): 2441208.93,
    (0.0015, True, True): 2270289.0658,
    (0.0015, False, True): 2302717.4707,
    (0.0, True, False): 2407230.011,
    (0.0, False, False): 2441619.1337,
}
"""Final equity of 20 and 60 bars from 1,000,000 by fee, fill at the next open and whole shares, by backtesting.py."""


def timed(
    report: Report,
    title: str,
    calls: dict[str, tuple[Callable[[], object], float]],
    rounds: int,
    targets: dict[str, str],
    note: str = "",
) -> None:
    """Time calls, each with the number of runs that it makes, and keep the ratios of the others to ours by run."""
    found = cpu({name: call for name, (call, _) in calls.items()}, rounds)
    medians = {name: 1e6 * seconds / calls[name][1] for name, seconds in found.items()}
    report.case(f"{title}, CPU µs", medians, note)
    for name, micros in medians.items():
        if name != OURS:
            report.ratio(f"{title}: {name} / {OURS}", micros / medians[OURS], targets.get(name, "none"))


def agree(what: str, ours: Any, theirs: Any, tolerance: float) -> str:
    """Return how far two results differ as a share, or end the program if that is too far."""
    gap = float(np.max(np.abs(np.asarray(ours) / np.asarray(theirs) - 1.0)))
    if not gap <= tolerance:
        sys.exit(f"{what}: ours and theirs differ by {gap:.1e}")
    return f"largest difference {gap:.1e}"


def panel() -> tuple[np.ndarray, np.ndarray]:
    """Return the last closes of 20 shares, and the last rows of their months with a year before them."""
    places = find_spec("skfolio").submodule_search_locations
    frame = pd.read_csv(
        Path(places[0]) / "datasets" / "data" / "sp500_dataset.csv.gz", index_col=0, parse_dates=True
    ).iloc[-BARS:]
    months = frame.index.to_period("M")
    rows = np.flatnonzero(months[1:] != months[:-1])
    return np.ascontiguousarray(frame.to_numpy()), rows[rows >= 252]


def walk(assets: int) -> np.ndarray:
    """Return a random walk of prices."""
    steps = np.random.default_rng(1).normal(0.0004, 0.018, size=(BARS, assets))
    return 50.0 * np.exp(np.cumsum(steps, axis=0))


def momentum(report: Report, rounds: int) -> None:
    """Time one portfolio of 20 and of 180 assets, with the equity of each bar."""
    shares, rows = panel()
    for prices, target in ((shares, "≥ 5"), (walk(180), "≥ 15")):
        weights = momentum_weights(prices, 252, 21, 0.2, rows)
        frames = peers.order_frames(prices, rows + 1, weights[None])
        ours = run_rebalances(prices, rows + 1, weights, **COSTS)
        note = agree("momentum", ours.equity, peers.vectorbt_orders(*frames, **COSTS)[:, 0], 1e-10)
        agree("compiled loop", peers.compiled_rebalances(prices, rows + 1, weights, **COSTS), ours.equity, 1e-10)
        if len(prices.T) == 20:
            agree("recorded figure", ours.final_equity, MOMENTUM_OF_20, 1e-12)
        calls = {
            OURS: (partial(run_rebalances, prices, rows + 1, weights, **COSTS), 1.0),
            "vectorbt": (partial(peers.vectorbt_orders, *frames, **COSTS), 1.0),
            "numba, compiled loop": (partial(peers.compiled_rebalances, prices, rows + 1, weights, **COSTS), 1.0),
        }
        title = f"momentum, {len(prices.T)} assets, {BARS:,} bars, {len(rows)} rebalances"
        note = f"final equity {float(ours.final_equity):,.6f}, {int(ours.orders):,} orders; equity of each bar: {note}"
        timed(report, title, calls, rounds, {"vectorbt": target}, note)


def points(report: Report, rounds: int) -> None:
    """Time 1,000 parameter points of momentum on 20 assets; the others a few of them, by point."""
    prices, rows = panel()
    grid = np.meshgrid(np.arange(120, 270, 15), np.arange(0, 50, 5), np.linspace(0.1, 0.55, 10), indexing="ij")
    lookback, skip, share = (axis.ravel() for axis in grid)

    def everything() -> Any:
        weights = momentum_weights(prices, lookback, skip, share, rows)
        return run_rebalances(prices, rows + 1, weights, **COSTS)

    weights = momentum_weights(prices, lookback, skip, share, rows)
    some = np.ascontiguousarray(weights[:: POINTS // THEIR_POINTS])
    frames = peers.order_frames(prices, rows + 1, some)
    ours = run_rebalances(prices, rows + 1, weights, **COSTS)
    found = peers.vectorbt_orders(*frames, **COSTS)
    note = agree("points", ours.equity[:: POINTS // THEIR_POINTS], found.T, 1e-10)

    def loop() -> None:
        for point in some:
            peers.compiled_rebalances(prices, rows + 1, point, **COSTS)

    calls = {
        OURS: (partial(run_rebalances, prices, rows + 1, weights, **COSTS), POINTS),
        "bank_python, with the weights": (everything, POINTS),
        "vectorbt": (partial(peers.vectorbt_orders, *frames, **COSTS), THEIR_POINTS),
        "numba, compiled loop": (loop, THEIR_POINTS),
    }
    title = f"one of {POINTS:,} points of momentum, 20 assets, {BARS:,} bars"
    note = f"all {POINTS:,} of ours take 1,000 times as much; equity of {THEIR_POINTS} points: {note}"
    timed(report, title, calls, rounds, {"vectorbt": "≥ 25"}, note)


def crossings(report: Report, rounds: int) -> None:
    """Time the total returns and the curves of 4,950 pairs of moving averages."""
    close = peers.GOOG.Close
    prices, windows = close.to_numpy(), np.arange(2, 102)
    fast, slow = np.array(list(itertools.combinations(windows, 2))).T
    ours = sma_crossing_equity(prices, fast, slow)
    theirs = np.asarray(peers.vectorbt_crossings(close, windows, 0.001).total_return())
    other = int((np.abs(ours.total_return - theirs) > 1e-9).sum())
    agree("best pair", ours.total_return.max(), theirs.max(), 1e-10)
    agree("recorded figure", ours.total_return.max(), 11.3157747, 1e-8)
    note = (
        f"best {ours.total_return.max():.7f}, mean {ours.total_return.mean():.5f}, theirs {theirs.mean():.5f}: "
        f"{other} pairs differ, by ties of their rounded averages"
    )
    calls = {
        OURS: (lambda: sma_crossing_equity(prices, fast, slow).total_return, 1.0),
        "vectorbt": (lambda: peers.vectorbt_crossings(close, windows, 0.001).total_return(), 1.0),
    }
    title = f"{len(fast):,} crossings, {len(prices):,} bars"
    timed(report, f"{title}, total returns", calls, rounds, {"vectorbt": "≥ 10"}, note)
    calls = {
        OURS: (lambda: sma_crossing_equity(prices, fast, slow).equity(), 1.0),
        "vectorbt": (lambda: peers.vectorbt_crossings(close, windows, 0.001).value(), 1.0),
    }
    timed(report, f"{title}, equity of each bar", calls, rounds, {})


def one_crossing(report: Report, rounds: int) -> None:
    """Time the averages of 20 and 60 bars, long only, in whole shares, and check the recorded figures."""
    bars = peers.GOOG
    prices, opens = bars.Close.to_numpy(), bars.Open.to_numpy()
    worst = 0.0
    for (fee, at_open, whole), figure in GOOG_FIGURES.items():
        terms = {"fee": fee, "whole_shares": whole, "fill_open": opens if at_open else None}
        run = sma_crossing_equity(prices, 20, 60, **terms)
        agree(f"recorded figure {figure}", run.final_equity, figure, 1e-9)
        if (int(run.closed_trades), bool(run.is_open)) != (19, True):
            sys.exit(f"{int(run.closed_trades)} closed trades, not 19 and an open one")
        if whole:
            theirs = peers.backtesting_sma(bars, fee, same_close=not at_open)
            worst = max(worst, abs(float(run.final_equity) / theirs - 1.0))
            agree("backtesting.py", run.final_equity, theirs, 1e-9)
    calls = {
        OURS: (partial(sma_crossing_equity, prices, 20, 60, whole_shares=True, fill_open=opens), 1.0),
        "backtesting.py": (partial(peers.backtesting_sma, bars, 0.001, same_close=False), 1.0),
    }
    note = f"{len(GOOG_FIGURES)} recorded figures found; largest difference to backtesting.py {worst:.1e}"
    timed(report, "one crossing, whole shares, next open", calls, rounds, {}, note)


def bars(report: Report, rounds: int) -> None:
    """Time the reading and checking of bars from frames, beside arrays and dates by pandas alone."""
    minutes = events_of.minute_bars()
    names = ("open", "high", "low", "close", "volume")
    shares = [f"S{j}" for j in range(180)]
    frames = {
        f"one ticker's fields, {events_of.N_BARS:,} bars": pd.DataFrame(
            {name: minutes[name] for name in names}, index=pd.DatetimeIndex(minutes["time"])
        ),
        f"closes, {BARS:,} bars, 180 tickers": pd.DataFrame(
            walk(180), index=pd.bdate_range("2015-01-05", periods=BARS), columns=shares
        ),
    }
    for what, frame in frames.items():
        found, values, dates = bars_of(frame), frame.to_numpy(), frame.index.to_pydatetime()
        closes = values[:, [3]] if len(names) == len(frame.columns) else values
        agree("closes", found.close, closes, 0.0)
        if [when.replace(tzinfo=None) for when in found.dates] != dates.tolist():
            sys.exit("the dates differ")
        calls = {
            OURS: (partial(bars_of, frame), 1.0),
            "pandas, arrays and dates unchecked": (partial(_by_pandas, frame), 1.0),
        }
        timed(report, f"bars read from a frame: {what}", calls, rounds, {}, "same closes and dates")


def _by_pandas(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return frame.to_numpy(copy=True), frame.index.to_pydatetime()


def events(report: Report, rounds: int) -> None:
    """Time one crossing bar by bar through the trading engine."""
    bars = events_of.minute_bars()
    test, theirs = events_of.backtest_of_ours(events_of.panel_of(bars)), events_of.backtesting_crossing(bars)
    result = test.run()
    agree("backtesting.py", result.final_value, theirs(), 1e-12)
    title = f"one crossing bar by bar, {events_of.N_BARS:,} bars, {result.trade_count:,} orders"
    note = f"final equity {result.final_value:,.2f} on all sides"
    calls = {OURS: (test.run, 1.0), "backtesting.py": (theirs, 1.0)}
    timed(report, title, calls, rounds, {"backtesting.py": "≥ 1.5"}, note)
    python = Path(os.environ.get("NAUTILUS_PYTHON", ".venv-nautilus/bin/python"))
    if python.exists():
        _beside_nautilus(report, rounds, str(python), bars, title)
    else:
        print(f"  nautilus_trader is left out: there is no {python}; make nautilus")


def _beside_nautilus(report: Report, rounds: int, python: str, bars: dict[str, np.ndarray], title: str) -> None:
    test = events_of.backtest_of_ours(events_of.panel_of(bars))
    with tempfile.TemporaryDirectory() as folder:
        other = events_of.Nautilus(python, bars, Path(folder))
        agree("nautilus_trader", test.run().final_value, other.run()["equity"], 1e-12)
        pairs = [(turn(test.run), other.run()["seconds"]) for _ in range(rounds)]
        other.close()
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    report.case(f"{title}, beside a process of nautilus_trader", {OURS: 1e6 * ours, "nautilus_trader": 1e6 * theirs})
    report.ratio(f"{title}: nautilus_trader / {OURS}", theirs / ours, "≥ 10")


CASES: dict[str, Callable[[Report, int], None]] = {
    one.__name__: one for one in (momentum, points, crossings, one_crossing, bars, events, figures, page)
}


def main() -> None:
    """Run the chosen cases."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    run_cases(__doc__, CASES, PACKAGES, ONE_THREAD)


if __name__ == "__main__":
    run_on_one_thread(ONE_THREAD, main)

"""Trading beside the other libraries and beside what a user would write: pairs, schedules, lots, orders, options.

One process, one thread (linear algebra too, which is settled before numpy is loaded), CPU time, medians of shuffled
turns; a call that is over quickly is repeated until a turn has lasted 20 ms, on every side. All get the same input, and
a case begins with a check that they find the same figure. Not timed are the compilation by numba and the making of
arrays, frames and orders that a side takes as its input.

Run it with ``make bench`` or ``python benchmarks/trading.py --only pairs,lots``; ``--quick`` takes one turn.
"""

from __future__ import annotations

import datetime as dt
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import _trading_peers as peers
import numpy as np
import pandas as pd
from _command import run_cases, run_on_one_thread
from _plain_peers import GREEKS, ndtr_greeks
from _timing import cpu
from arch.unitroot import ADF
from statsmodels.tsa.stattools import adfuller, coint
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from bank_python.instruments.option_symbol import OptionSymbol
from bank_python.market_data import Bar
from bank_python.risk_models import adf_test, engle_granger, execution_schedule, johansen, scan_pairs
from bank_python.trading_engine import (
    AuditTrail,
    ExecutionModel,
    Lots,
    Order,
    PositionLimits,
    TradeTracker,
    TradingEngine,
    fifo_gains,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
PACKAGES = (
    "numpy",
    "bank-python",
    "statsmodels",
    "arch",
    "scipy",
    "cvxpy",
    "numba",
    "backtrader",
    "vectorbt",
    "vollib",
)
OURS = "bank_python"
DAY = dt.date(2026, 1, 5)
SPOT, RATE, VOL = 570.0, 0.04, 0.2


def timed(
    report: Report, title: str, calls: dict[str, Callable[[], object]], rounds: int, per: float = 1.0, note: str = ""
) -> None:
    """Time calls, report them per unit, and keep the ratios of the others to ours."""
    medians = {name: 1e6 * seconds / per for name, seconds in cpu(calls, rounds).items()}
    report.case(f"{title}, CPU µs", medians, note)
    for name, micros in medians.items():
        if name != OURS:
            report.ratio(f"{title}: {name} / {OURS}", micros / medians[OURS], "none")


def agree(what: str, ours: Any, theirs: Any, tolerance: float) -> str:
    """Return how far two results differ, or end the program if that is too far."""
    first, second = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    gap = float(np.nanmax(np.abs(first - second) / np.maximum(1.0, np.abs(second))))
    if not gap <= tolerance:
        sys.exit(f"{what}: ours and theirs differ by {gap:.1e}")
    return f"largest difference {gap:.1e}"


def cointegrated(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a series that returns slowly to half of a random walk, and the walk."""
    rng = np.random.default_rng(1)
    walk, noise = rng.standard_normal(n).cumsum(), rng.standard_normal(n)
    deviation = np.zeros(n)
    for i in range(1, n):
        deviation[i] = 0.985 * deviation[i - 1] + noise[i]
    return 0.5 * walk + deviation, walk


def pairs(report: Report, rounds: int) -> None:
    """Time tests for unit roots and cointegration of 1,000 observations."""
    y, x = cointegrated(1_000)
    for said, lags, theirs in (("lags by AIC", "aic", {}), ("one lag", 1, {"maxlag": 1, "autolag": None})):
        note = agree(f"ADF, {said}", adf_test(x, lags).p_value, adfuller(x, **theirs)[1], 1e-9)
        calls = {
            OURS: partial(adf_test, x, lags),
            "statsmodels adfuller": partial(adfuller, x, **theirs),
            "arch ADF": lambda lags=lags: ADF(x, lags=None if lags == "aic" else lags).pvalue,
        }
        timed(report, f"ADF, 1,000 observations, {said}", calls, rounds, note=f"p-values: {note}")
        ours = engle_granger(y, x, lags).p_value
        note = f"{ours:.4f}, " + agree(f"Engle-Granger, {said}", ours, coint(y, x, **theirs)[1], 1e-9)
        calls = {OURS: partial(engle_granger, y, x, lags), "statsmodels coint": partial(coint, y, x, **theirs)}
        timed(report, f"Engle-Granger, 1,000 observations, {said}", calls, rounds, note=f"p-values: {note}")
    z = np.random.default_rng(2).standard_normal((1_000, 6)).cumsum(axis=0)
    note = agree("Johansen", johansen(z).trace_statistics, coint_johansen(z, 0, 1).lr1, 1e-8)
    calls = {OURS: partial(johansen, z), "statsmodels coint_johansen": partial(coint_johansen, z, 0, 1)}
    timed(report, "Johansen, six series", calls, rounds, note=f"trace statistics: {note}")


def scan(report: Report, rounds: int) -> None:
    """Time the tests of all pairs of 50 prices, in both directions."""
    logs = 0.01 * np.random.default_rng(3).standard_normal((1_000, 50)).cumsum(axis=0)
    prices = np.exp(logs)
    found, theirs = scan_pairs(prices), peers.numpy_scan_by_name(logs)
    names = {name: i for i, name in enumerate(dict.fromkeys(n for p in found for n in sorted((p.y, p.x))))}
    order = sorted(names, key=lambda name: int("".join(filter(str.isdigit, name)) or 0))
    places = {name: i for i, name in enumerate(order)}
    ours = [pair.statistic for pair in found]
    note = agree("scan", ours, [theirs[places[pair.y], places[pair.x]] for pair in found], 1e-8)
    agree("scan", peers.numpy_scan(logs), theirs, 1e-8)
    calls = {
        OURS: partial(scan_pairs, prices),
        "numpy, all pairs of a name at once": partial(peers.numpy_scan_by_name, logs),
        "numpy, pair after pair": partial(peers.numpy_scan, logs),
        "statsmodels, pair after pair": partial(peers.statsmodels_scan, logs),
    }
    timed(report, "scan of 50 prices, 2,450 tests", calls, max(1, rounds // 2), note=f"statistics: {note}")


def schedules(report: Report, rounds: int) -> None:
    """Time a schedule of Almgren and Chriss."""
    for n in (20, 1_000):
        market = {"vol": 0.95, "permanent_impact": 0.0, "temporary_impact": 2.5e-6}
        terms = (1e6, 5.0, n, 0.95, 2.5e-6, 1e-6)
        ours = partial(execution_schedule, 1e6, 5.0, n, **market, risk_aversion=1e-6)
        others = {
            "numpy, the formula": partial(peers.closed_form_schedule, *terms),
            "scipy solve_banded": partial(peers.banded_schedule, *terms),
            "cvxpy with Clarabel": partial(peers.cvxpy_schedule, *terms),
        }
        gaps = []
        for name, call in others.items():
            said = agree(name, ours().holdings / 1e6, call() / 1e6, 1e-4 if "cvxpy" in name else 1e-9)
            gaps.append(f"{name} {said.split()[-1]}")
        title = f"Almgren-Chriss schedule, {n:,} trades"
        timed(report, title, {OURS: ours, **others}, rounds, note="differences: " + ", ".join(gaps))


def fills(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return purchases and sales of whole shares at prices in cents."""
    rng = np.random.default_rng(4)
    quantities = rng.integers(1, 100, n) * np.where(rng.random(n) < 0.5, 1.0, -1.0)
    return quantities, np.round(100.0 + 0.05 * rng.standard_normal(n).cumsum(), 2)


def lots(report: Report, rounds: int) -> None:
    """Time the realised P&L of 100,000 fills, first in, first out."""
    count = 100_000
    quantities, prices = fills(count)
    plain = quantities.tolist(), prices.tolist()

    def ours() -> float:
        held, gain = Lots("fifo"), 0
        for quantity, price in zip(*plain, strict=True):
            held, closings = held.trade(quantity, price, DAY)
            for one in closings:
                gain += one.gain
        return float(gain)

    note = agree("lots", ours(), peers.deque_fifo(*plain), 1e-9)
    agree("lots", ours(), float(peers.decimal_fifo(*plain)), 1e-12)
    agree("lots", ours(), peers.compiled_fifo(quantities, prices), 1e-9)
    at_once = partial(fifo_gains, quantities, prices)
    agree("fifo_gains", at_once().realised, ours(), 1e-12)
    calls = {
        OURS: at_once,
        "bank_python, Lots.trade one by one": ours,
        "deque of decimals": partial(peers.decimal_fifo, *plain),
        "deque of floats": partial(peers.deque_fifo, *plain),
        "numba, floats": partial(peers.compiled_fifo, quantities, prices),
    }
    timed(report, "lots, FIFO, one of 100,000 fills", calls, max(1, rounds // 2), count, f"realised P&L: {note}")


def orders(report: Report, rounds: int) -> None:
    """Time orders through the engine: limits, fill, books, audit trail."""
    count = 2_000
    quantities, prices = fills(count)
    plain = quantities.tolist(), prices.tolist()
    index = pd.date_range("2000-01-03", periods=count + 1, freq="D")
    shifted = np.concatenate((prices[:1], prices))  # an order on a bar fills at the open of the next
    bars = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), shifted), index=index).assign(volume=1e9)

    def ours() -> float:
        engine = TradingEngine(ExecutionModel(), PositionLimits(max_position=1e12, book_value=1e12))
        for quantity, price in zip(*plain, strict=True):
            engine.submit(Order("", "Alice", "AAPL", "BUY" if quantity > 0 else "SELL", abs(quantity), price=price))
        return float(engine.ledger.cash["USD"])

    series = pd.Series(prices, index=index[1:])
    note = agree("engine", ours(), peers.dictionary_run(*plain, 1e12), 1e-9)
    agree("vectorbt", peers.vectorbt_run(quantities, series), peers.dictionary_run(*plain, 1e12), 1e-6)
    agree("backtrader", peers.backtrader_run(plain[0], bars), peers.dictionary_run(*plain, 1e12), 1e-6)
    calls = {
        OURS: ours,
        "backtrader": partial(peers.backtrader_run, plain[0], bars),
        "vectorbt from_orders, compiled": partial(peers.vectorbt_run, quantities, series),
        "loop with a dictionary": partial(peers.dictionary_run, *plain, 1e12),
    }
    timed(report, "engine, one of 2,000 market orders", calls, max(1, rounds // 2), count, f"cash: {note}")


def held_and_working(report: Report, rounds: int) -> None:
    """Time an engine that holds 20 positions, one with 10,000 working orders, and one that begins on a long trail."""
    free = PositionLimits(max_position=1e12, book_value=1e12)

    def bought(engine: TradingEngine, names: list[str], **terms: Any) -> TradingEngine:
        for name in names:
            engine.submit(Order("", "Alice", name, "BUY", 10.0, price=100.0, **terms))
        return engine

    names = [f"N{i}" for i in range(1_000)]
    holding, count = bought(TradingEngine(limits=free), names[:20]), 1_000
    call = {OURS: partial(bought, holding, ["AAPL"] * count)}
    timed(report, "engine, one of 1,000 market orders, 20 positions held", call, max(1, rounds // 2), count)
    working = bought(TradingEngine(limits=free), names * 10, order_type="LIMIT", limit_price=90.0)
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    call = {OURS: partial(working.on_bar, Bar(moment, 100.0, 101.0, 99.0, 100.0, None), "N5")}
    timed(report, "on_bar, 10 orders of 10,000 that work", call, rounds)
    call = {OURS: partial(working.on_prices, {"N5": 100.0}, moment)}
    timed(report, "on_prices, 10 orders of 10,000 that work", call, rounds)
    long = bought(TradingEngine(limits=free), ["AAPL"] * 50_000)
    call = {OURS: partial(TradingEngine, audit=long.audit)}
    timed(report, "engine that begins on a trail of 100,000 events, one event", call, 1, len(long.audit))


def audit(report: Report, rounds: int) -> None:
    """Time an audit trail of 2,000 events."""
    count = 2_000
    details = [{"quantity": 100.0, "price": 228.0 + i, "status": "FILLED"} for i in range(count)]
    stamp = dt.datetime(2026, 1, 5, tzinfo=dt.UTC).isoformat()
    names = {"event_type": "FILL", "trader": "Alice", "instrument": "AAPL", "order_id": "ORD-1", "why": "momentum"}
    events = [{**names, "number": i, "timestamp": stamp, "details": one} for i, one in enumerate(details, 1)]

    def ours() -> AuditTrail:
        trail = AuditTrail()
        for one in details:
            trail.log("FILL", "Alice", "AAPL", one, "ORD-1", why="momentum")
        return trail

    trail, rows = ours(), peers.chained(events)
    if not (trail.verify().holds and peers.verified(rows)):
        sys.exit("a chain does not hold")
    calls = {OURS: ours, "json and hashlib": partial(peers.chained, events)}
    timed(report, "audit trail, one of 2,000 events appended", calls, max(1, rounds // 2), count)
    calls = {OURS: trail.verify, "json and hashlib": partial(peers.verified, rows)}
    timed(report, "audit trail, one of 2,000 events verified", calls, rounds, count)


def options(report: Report, rounds: int) -> None:
    """Time the Greeks by expiry of 200 options on one underlying."""
    tracker = TradeTracker(today=DAY, spots={"SPY": SPOT}, vols={"SPY": VOL}, rate=RATE)
    listed = []
    for i in range(200):
        days, strike, is_call, size = 30 * (1 + i % 10), 400.0 + 2.5 * (i // 10), i % 2 == 0, 1 + i % 5
        tracker.log(OptionSymbol("SPY", DAY + dt.timedelta(days=days), strike, is_call), size, 4.0)
        listed.append(("c" if is_call else "p", strike, days / 365.0, 100.0 * size))
    strikes, years, units = (np.array([row[i] for row in listed]) for i in (1, 2, 3))
    calls_held = np.array([row[0] == "c" for row in listed])
    groups = np.unique(years, return_inverse=True)[1]

    def plain() -> np.ndarray:
        """Return Greeks by scipy's normal distribution, those of puts by parity."""
        greeks = dict(zip(GREEKS, ndtr_greeks(SPOT, strikes, years, RATE, VOL, 0.0), strict=True))
        put, discount = ~calls_held, np.exp(-RATE * years)
        value = greeks["price"] + put * (strikes * discount - SPOT)
        theta = greeks["theta"] + put * (RATE * strikes * discount)
        columns = (value, greeks["delta"] - put, greeks["gamma"], greeks["vega"], theta)
        return np.array([np.bincount(groups, units * column) for column in columns])

    ladder = tracker.greeks()
    note = agree("options", ladder.columns["value"], plain()[0], 1e-9)
    agree("options", ladder.columns["theta"], plain()[4] / 365.0, 1e-9)
    theirs = peers.vollib_ladder(listed, SPOT, RATE, VOL)
    agree("options", ladder.columns["value"], [theirs[key][0] for key in sorted(theirs)], 1e-9)
    calls = {
        OURS: tracker.greeks,
        "numpy + scipy ndtr, arrays of terms given": plain,
        "vollib, option after option": partial(peers.vollib_ladder, listed, SPOT, RATE, VOL),
    }
    timed(report, "Greeks by expiry of 200 options in a tracker", calls, rounds, note=f"values: {note}")


CASES: dict[str, Callable[[Report, int], None]] = {
    one.__name__: one for one in (pairs, scan, schedules, lots, orders, held_and_working, audit, options)
}


def main() -> None:
    """Run the chosen cases."""
    run_cases(__doc__, CASES, PACKAGES, ONE_THREAD)


if __name__ == "__main__":
    run_on_one_thread(ONE_THREAD, main)

"""Two paths to the same equity, and a third: the vectorised runs, the bar-by-bar replay, and a plain ledger.

Where they can be equal, they are to 1e-10. Where they differ on purpose, the tests say how: the replay lends cash that
a purchase lacks and cuts targets, not orders, to whole units; the vectorised runs buy no more than the cash pays for.
"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import (
    Backtester,
    MomentumBacktest,
    bars_of,
    momentum_weights,
    run_rebalances,
    signal_equity,
    sma_crossing_equity,
)
from bank_python.trading_engine import Order

SEEDS = st.integers(0, 2**32 - 1)
FILLS = st.sampled_from(["next_open", "next_close", "close"])
AGREED = 1e-10


def random_bars(rng, bars, assets, low=5.0, high=200.0):
    """Return opens, highs, lows and closes, shape (bars, assets) each, with gaps between the bars."""
    close = rng.uniform(low, high, size=assets) * np.exp(np.cumsum(rng.normal(0.0, 0.03, size=(bars, assets)), axis=0))
    opened = close * np.exp(rng.normal(0.0, 0.02, size=close.shape))
    wide = np.exp(np.abs(rng.normal(0.0, 0.01, size=(2, *close.shape))))
    return opened, np.maximum(opened, close) * wide[0], np.minimum(opened, close) / wide[1], close


def panel_of(prices, volume=1e6):
    opened, high, low, close = prices
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=t) for t in range(len(close))]
    return bars_of(
        {
            f"T{j}": [
                {"date": day, "open": opened[t, j], "high": high[t, j], "low": low[t, j], "close": close[t, j]}
                | {"volume": volume}
                for t, day in enumerate(days)
            ]
            for j in range(close.shape[1])
        }
    )


def ledger(prices, decisions, fill, *, cash, fee=0.0, slippage=0.0):
    """Return the equity of each close by the slowest of ways: one order after the other, units and cash in lists.

    `decisions` has, by bar, shares of equity by asset; sizes follow from the close of that bar.
    """
    opened, _, _, close = (np.asarray(part).tolist() for part in prices)
    units, waiting, curve = [0.0] * len(close[0]), [], []

    def trade(paid):
        nonlocal cash
        for size, j in waiting:
            price = paid[j] * (1.0 + slippage if size > 0.0 else 1.0 - slippage)
            cash -= size * price + abs(size) * price * fee
            units[j] += size
        waiting.clear()

    for t, marks in enumerate(close):
        trade(opened[t] if fill == "next_open" else marks)
        if t in decisions:
            value = cash + math.fsum(u * p for u, p in zip(units, marks, strict=True))
            waiting.extend((w * value / marks[j] - units[j], j) for j, w in decisions[t].items())
            waiting.sort(key=lambda order: (order[0] > 0.0, abs(order[0]) * marks[order[1]]))
        if fill == "close":
            trade(marks)
        curve.append(cash + math.fsum(u * p for u, p in zip(units, marks, strict=True)))
    return np.array(curve)


def replay(prices, decide, **given):
    return Backtester(decide, data=panel_of(prices), **given).run()


def targets(decisions):
    """Return a strategy that gives weights by asset number on the bars that are named."""
    return lambda window: (
        {f"T{j}": w for j, w in decisions[window.index].items()} if window.index in decisions else None
    )


@st.composite
def rebalanced(draw):
    """Draw bars, rows and weights with enough cash beside them for costs and gaps."""
    rng = np.random.default_rng(draw(SEEDS))
    bars, assets = draw(st.integers(2, 30)), draw(st.integers(1, 5))
    prices = random_bars(rng, bars, assets)
    rows = np.flatnonzero(rng.random(bars - 1) < draw(st.floats(0.05, 1.0)))
    rows = rows if rows.size else np.array([0])
    weights = rng.random((len(rows), assets)) * (rng.random((len(rows), assets)) < 0.7)
    weights *= 0.6 / np.maximum(weights.sum(axis=1, keepdims=True), 0.6)
    costs = {"fee": draw(st.sampled_from([0.0, 0.001, 0.02])), "slippage": draw(st.sampled_from([0.0, 0.0005, 0.01]))}
    return prices, rows, weights, costs


def vectorised(prices, rows, weights, fill, **terms):
    opened, close = prices[0], prices[3]
    fills = {"next_open": opened, "next_close": close}
    paid = None if fill == "close" else fills[fill][rows + 1]
    return run_rebalances(close, rows, weights, fill_prices=paid, **terms)


@settings(max_examples=12, deadline=None)
@given(rebalanced(), FILLS)
def test_rebalances_are_the_replay_and_the_ledger(case, fill):
    prices, rows, weights, costs = case
    decisions = {int(row): dict(enumerate(weights[k].tolist())) for k, row in enumerate(rows)}
    fast = vectorised(prices, rows, weights, fill, cash=50_000.0, **costs)
    slow = replay(
        prices, targets(decisions), initial_cash=50_000.0, fill=fill, fees_bps=1e4 * costs["fee"],
        slippage_bps=1e4 * costs["slippage"],
    )  # fmt: skip
    plain = ledger(prices, decisions, fill, cash=50_000.0, **costs)
    assert np.abs(fast.equity / plain - 1.0).max() < AGREED
    assert np.abs(slow.equity / plain - 1.0).max() < AGREED
    assert np.abs(fast.equity / slow.equity - 1.0).max() < AGREED
    assert slow.cost == pytest.approx(float(fast.costs.sum()), rel=1e-9, abs=1e-9)
    assert slow.trade_count == int(fast.orders)


@settings(max_examples=12, deadline=None)
@given(SEEDS, FILLS, st.sampled_from([0.0, 0.003]))
def test_short_and_lent_positions_of_the_replay_are_those_of_the_ledger(seed, fill, cost):
    rng = np.random.default_rng(seed)
    prices = random_bars(rng, 20, 3)
    decisions = {
        t: {j: float(w) for j, w in enumerate(rng.uniform(-0.5, 0.8, size=3)) if rng.random() < 0.7}
        for t in range(20)
        if rng.random() < 0.5
    }
    slow = replay(prices, targets(decisions), fill=fill, fees_bps=1e4 * cost, slippage_bps=1e4 * cost)
    plain = ledger(prices, decisions, fill, cash=1e6, fee=cost, slippage=cost)
    assert np.abs(slow.equity / plain - 1.0).max() < AGREED


@settings(max_examples=12, deadline=None)
@given(rebalanced())
def test_where_cash_is_short_the_vectorised_run_buys_in_part_and_the_replay_borrows(case):
    prices, rows, weights, costs = case
    costs = {"fee": 0.01 + costs["fee"], "slippage": costs["slippage"]}
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-3)
    fast = vectorised(prices, rows, weights, "close", cash=50_000.0, **costs)
    closes = prices[3]

    def paid_for(window):
        """Return the orders of the rebalance as the vectorised run makes them: sales, then what the cash pays for."""
        k = np.flatnonzero(rows == window.index)
        if not k.size:
            return None
        held = np.array([window.units.get(f"T{j}", 0.0) for j in range(weights.shape[1])])
        marks = closes[window.index]
        left = window.equity - float(held @ marks)
        sizes = weights[k[0]] * window.equity / marks - held
        orders = []
        for j in np.argsort(sizes * marks, kind="stable").tolist():
            buys = sizes[j] > 0.0
            price = marks[j] * (1.0 + costs["slippage"] if buys else 1.0 - costs["slippage"])
            unit = price * (1.0 + costs["fee"] if buys else 1.0 - costs["fee"])
            size = min(sizes[j], left / unit) if buys else -min(-sizes[j], held[j])
            left -= size * unit
            if abs(size) * marks[j] > 1e-9:
                orders.append(Order("", "", f"T{j}", "BUY" if buys else "SELL", abs(size)))
        return orders

    terms = {"fees_bps": 1e4 * costs["fee"], "slippage_bps": 1e4 * costs["slippage"], "initial_cash": 50_000.0}
    slow = replay(prices, paid_for, fill="close", **terms)
    assert np.abs(fast.equity / slow.equity - 1.0).max() < AGREED
    assert slow.cash.min() > -1e-6
    decisions = {int(row): dict(enumerate(weights[k].tolist())) for k, row in enumerate(rows)}
    lent = replay(prices, targets(decisions), fill="close", **terms)
    assert np.abs(lent.equity / ledger(prices, decisions, "close", cash=50_000.0, **costs) - 1.0).max() < AGREED
    if weights[0].sum() > 0.5:  # all of the cash, and the fees on top
        assert lent.cash.min() < 0.0
        assert any("a loan" in note for note in lent.notes)


def test_whole_units_are_cut_from_targets_bar_by_bar_and_from_orders_at_once():
    prices = np.array([[10.0], [11.0], [15.0]])
    rows, weights = np.array([0, 2]), np.array([[0.5], [0.37]])
    fast = run_rebalances(prices, rows, weights, cash=100.0, fee=0.0, slippage=0.0, fractional=False)
    slow = replay(
        [prices] * 4, targets({0: {0: 0.5}, 2: {0: 0.37}}), fill="close", initial_cash=100.0, whole_units=True
    )
    # 0.37 · 125 / 15 = 3.08 units: as a target 3; as an order of 5 - 3.08 = 1.92 units one, which leaves 4.
    assert (fast.holdings[:, 0].tolist(), slow.held[[0, 2], 0].tolist()) == ([5.0, 4.0], [5.0, 3.0])


# --- all in, all out -----------------------------------------------------------------------------------


def all_in(calls, paid, fee, *, whole):
    """Return a strategy that buys for all its cash and sells all; `paid` are the prices at which its orders fill.

    At the next open these are not known yet: no order says "for all the cash", so that the proof has to know them.
    """

    def decide(window):
        call, held = calls[window.index], window.units.get("T0", 0.0)
        at = min(window.index + paid[1], len(paid[0]) - 1)
        if call == "buy" and not held:
            size = window.equity / (paid[0][at] * (1.0 + fee))
            size = math.floor(size * (1.0 + 1e-12)) if whole else size
            return Order("", "", "T0", "BUY", size) if size else None
        return Order("", "", "T0", "SELL", held) if call == "sell" and held else None

    return decide


def plain_all_in(prices, calls, fill, *, cash, fee, whole):
    """Return the equity of each close by a loop over bars."""
    shares, due, curve = 0.0, None, []
    for t, close in enumerate(prices[3][:, 0].tolist()):
        if fill == "close":
            due, price = calls[t], close
        else:
            price = float(prices[0][t, 0])
        if due == "buy" and not shares:
            shares = cash / (price * (1.0 + fee))
            shares = float(math.floor(shares * (1.0 + 1e-12))) if whole else shares
            cash -= shares * price * (1.0 + fee)
        elif due == "sell" and shares:
            cash, shares = cash + shares * price * (1.0 - fee), 0.0
        due = None if fill == "close" else calls[t]
        curve.append(cash + shares * close)
    return np.array(curve)


def three_equities(prices, calls, fill, run, *, whole, fee):
    """Return the equity of the vectorised run, of the replay, and of the plain loop."""
    paid = (prices[3][:, 0].tolist(), 0) if fill == "close" else (prices[0][:, 0].tolist(), 1)
    slow = replay(prices, all_in(calls, paid, fee, whole=whole), fill=fill, fees_bps=1e4 * fee, initial_cash=20_000.0)
    plain = plain_all_in(prices, calls, fill, cash=20_000.0, fee=fee, whole=whole)
    return run.equity(), slow.equity, plain


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.sampled_from(["next_open", "close"]), st.booleans(), st.sampled_from([0.0, 0.001, 0.05]))
def test_entries_and_exits_are_the_replay_and_the_ledger(seed, fill, whole, fee):
    rng = np.random.default_rng(seed)
    prices = random_bars(rng, 40, 1)
    calls = rng.choice(["buy", "sell", ""], size=40, p=[0.3, 0.3, 0.4]).tolist()
    close, opened = prices[3][:, 0], prices[0][:, 0]
    run = signal_equity(
        close, [call == "buy" for call in calls], [call == "sell" for call in calls], cash=20_000.0, fee=fee,
        whole_shares=whole, fill_open=opened if fill == "next_open" else None,
    )  # fmt: skip
    fast, slow, plain = three_equities(prices, calls, fill, run, whole=whole, fee=fee)
    assert np.abs(fast / plain - 1.0).max() < AGREED
    assert np.abs(slow / plain - 1.0).max() < AGREED
    assert np.abs(fast / slow - 1.0).max() < AGREED


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.integers(1, 5), st.integers(1, 8), st.sampled_from(["next_open", "close"]), st.booleans())
def test_crossings_are_the_replay_and_the_ledger(seed, fast, slow, fill, whole):
    rng = np.random.default_rng(seed)
    cents = np.maximum(1_000 + np.cumsum(rng.integers(-30, 31, size=50)), 100)
    close = cents[:, None] / 100.0
    opened = np.round(close * rng.uniform(0.98, 1.02, size=close.shape), 2)
    prices = opened, np.maximum(opened, close), np.minimum(opened, close), close
    calls, last = [], 0
    for t in range(len(cents)):  # in whole numbers, so that equal means are equal
        side = 0
        if t + 1 >= max(fast, slow):
            gap = int(cents[t + 1 - fast : t + 1].sum()) * slow - int(cents[t + 1 - slow : t + 1].sum()) * fast
            side = (gap > 0) - (gap < 0)
        calls.append("buy" if side > 0 > last else "sell" if side < 0 < last else "")
        last = side or last
    at = opened[:, 0] if fill == "next_open" else None
    run = sma_crossing_equity(close[:, 0], fast, slow, cash=20_000.0, fee=0.001, whole_shares=whole, fill_open=at)
    equities = three_equities(prices, calls, fill, run, whole=whole, fee=0.001)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(equities[one] / equities[other] - 1.0).max() < AGREED


# --- momentum --------------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.integers(1, 6), st.integers(1, 4), st.integers(1, 5), FILLS)
def test_momentum_at_once_is_momentum_bar_by_bar(seed, lookback, top, every, fill):
    """Where the two have one definition: the return ends at the row itself, and all returns are above 0."""
    rng = np.random.default_rng(seed)
    opened, high, low, close = random_bars(rng, 30, 4)
    rise = np.exp(0.25 * np.arange(30.0))[:, None]  # more than any fall
    prices = opened * rise, high * rise, low * rise, close * rise
    rows = np.array([t for t in range(lookback, 29) if t % every == 0])
    weights = 0.5 * momentum_weights(prices[3], lookback, 0, top / 4.0, rows)
    tickers = [f"T{j}" for j in range(4)]
    terms = {"fill": fill, "fees_bps": 10.0, "slippage_bps": 5.0}
    strategy = MomentumBacktest(tickers, lookback, top, weight=0.5, every=every)
    slow = replay(prices, strategy, **terms)
    fast = vectorised(prices, rows, weights, fill, fee=0.001, slippage=0.0005)
    assert np.abs(fast.equity / slow.equity - 1.0)[:29].max() < AGREED  # on the last row only the replay trades
    returns = prices[3][rows] / prices[3][rows - lookback]
    best = np.argsort(-returns, axis=1, kind="stable")[:, :top]
    decisions = {
        int(row): {j: 0.5 / top if j in best[k] else 0.0 for j in range(4)} for k, row in enumerate(rows.tolist())
    }
    plain = ledger(prices, decisions, fill, cash=1e6, fee=0.001, slippage=0.0005)
    assert np.abs(fast.equity / plain - 1.0).max() < AGREED

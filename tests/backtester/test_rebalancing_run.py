"""Rebalancing of many weights at once: against a plain loop, recorded figures of vectorbt, and properties."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import momentum_weights, run_rebalances
from bank_python.errors import BacktestError

# vectorbt 1.2.0 (numba, rust) and a plain numpy loop: 12-1 momentum, top 20 %, weights from the last close of each
# month with 252 bars before it, orders at the close of the next bar, 10 bp fee and 5 bp slippage, the last 2,500 bars
# of skfolio's S&P panel of 20 shares.
MOMENTUM_OF_20 = 5302842.097696
COSTS = {"fee": 0.001, "slippage": 0.0005}


def plain_run(prices, rows, weights, *, cash=1e6, fee=0.001, slippage=0.0005, fractional=True, fills=None):
    """Return equity, holdings, cash and number of orders by a loop over bars and orders, one after the other."""
    held, equity, holdings, left, orders = [0.0] * len(prices[0]), [], [], [], 0
    due = None
    for t, marks in enumerate(prices):
        if due is not None:
            cash, orders = plain_orders(held, cash, due, fills[list(rows).index(t - 1)], fee, slippage, orders)
            holdings.append(list(held))
            left.append(cash)
            due = None
        if t in rows:
            k = list(rows).index(t)
            value = cash + sum(h * p for h, p in zip(held, marks, strict=True))
            sizes = [w * value / p - h for w, h, p in zip(weights[k], held, marks, strict=True)]
            if not fractional:
                sizes = [float(int(size)) for size in sizes]
            values = [w * value - h * p for w, h, p in zip(weights[k], held, marks, strict=True)]
            due = (sizes, sorted(range(len(marks)), key=values.__getitem__), fractional)
            if fills is None:
                cash, orders = plain_orders(held, cash, due, marks, fee, slippage, orders)
                holdings.append(list(held))
                left.append(cash)
                due = None
        equity.append(cash + sum(h * p for h, p in zip(held, marks, strict=True)))
    return np.array(equity), np.array(holdings), np.array(left), orders


def plain_orders(held, cash, due, prices, fee, slippage, orders):
    sizes, sequence, fractional = due
    for i in [i for i in sequence if sizes[i] < 0.0] + [i for i in sequence if sizes[i] > 0.0]:
        size = sizes[i]
        if size < 0.0:
            cash += -size * prices[i] * (1.0 - slippage) * (1.0 - fee)
        else:
            unit = prices[i] * (1.0 + slippage) * (1.0 + fee)
            affordable = cash / unit
            size = min(size, affordable if fractional else float(int(affordable * (1 + 1e-12))))
            cash = max(cash - size * unit, 0.0)
        orders += abs(size) > 1e-9 * max(held[i], held[i] + size)
        held[i] += size
        if abs(held[i]) < 1e-12:
            held[i] = 0.0
    return cash, orders


def walk(bars, assets, seed=0):
    steps = np.random.default_rng(seed).normal(0.0003, 0.02, size=(bars, assets))
    return 50.0 * np.exp(np.cumsum(steps, axis=0))


def random_weights(rng, *shape):
    """Return weights of which some are 0, with sums of up to 1."""
    weights = rng.random(shape) * (rng.random(shape) < 0.6)
    total = np.maximum(weights.sum(axis=-1, keepdims=True), 1e-9)
    return weights / total * rng.choice([1.0, 1.0, 0.7], size=(*shape[:-1], 1))


@pytest.fixture(scope="module")
def panel():
    """Return the prices that come with skfolio, without importing the rest of it."""
    found = find_spec("skfolio")
    if found is None:
        pytest.skip("skfolio is not installed")
    path = Path(found.submodule_search_locations[0]) / "datasets" / "data" / "sp500_dataset.csv.gz"
    return pd.read_csv(path, index_col=0, parse_dates=True).iloc[-2_500:]


def test_momentum_on_twenty_shares_has_the_recorded_equity(panel):
    prices, months = panel.to_numpy(), panel.index.to_period("M")
    rows = np.flatnonzero(months[1:] != months[:-1])
    rows = rows[rows >= 252]
    weights = momentum_weights(prices, 252, 21, 0.2, rows)
    run = run_rebalances(prices, rows + 1, weights, cash=1e6, **COSTS)
    assert float(run.final_equity) == pytest.approx(MOMENTUM_OF_20, abs=1e-5)
    equity, holdings, cash, orders = plain_run(prices, (rows + 1).tolist(), weights)
    assert np.abs(run.equity / equity - 1.0).max() < 1e-12
    assert run.holdings == pytest.approx(holdings, rel=1e-9)
    assert run.cash == pytest.approx(cash, abs=1e-6)
    assert run.orders == orders


@pytest.mark.parametrize("fractional", [True, False])
@pytest.mark.parametrize("at_open", [False, True])
@pytest.mark.parametrize("start", [1e6, 5_000.0])
def test_many_points_are_each_the_plain_loop(fractional, at_open, start):
    prices, rng = walk(120, 7), np.random.default_rng(3)
    rows = np.array([0, 1, 15, 40, 41, 90, 118])
    weights = random_weights(rng, 3, 4, len(rows), 7)
    fills = prices[rows + 1] * rng.normal(1.0, 0.01, size=(len(rows), 7)) if at_open else None
    terms = {"cash": start, "fractional": fractional, "fee": 0.003, "slippage": 0.001}
    run = run_rebalances(prices, rows, weights, **terms, fill_prices=fills)
    assert run.equity.shape == (3, 4, 120)
    assert run.orders.shape == run.final_equity.shape == (3, 4)
    assert run.holdings.shape == weights.shape
    for point in np.ndindex(3, 4):
        equity, holdings, cash, orders = plain_run(prices, rows.tolist(), weights[point], **terms, fills=fills)
        assert np.abs(run.equity[point] / equity - 1.0).max() < 1e-11
        assert run.holdings[point] == pytest.approx(holdings, rel=1e-8, abs=1e-9)
        assert run.cash[point] == pytest.approx(cash, abs=1e-6)
        assert run.orders[point] == orders
    alone = run_rebalances(prices, rows, weights[1, 2], **terms, fill_prices=fills)
    assert alone.equity == pytest.approx(run.equity[1, 2], rel=1e-13)


def test_the_largest_purchase_is_made_in_part_and_of_equal_ones_the_last():
    run = run_rebalances(np.full((2, 3), 10.0), [0], [[0.4, 0.2, 0.4]], cash=100.0, fee=0.25, slippage=0.0)
    assert run.holdings.tolist() == [[4.0, 2.0, 2.0]]
    assert (float(run.costs[0]), float(run.turnover[0]), float(run.cash[0])) == (20.0, 0.8, 0.0)
    assert run.equity.tolist() == [80.0, 80.0]


def test_purchases_beyond_the_largest_are_reduced_too():
    run = run_rebalances(np.full((1, 4), 10.0), [0], [[0.25] * 4], cash=100.0, fee=0.9, slippage=0.0)
    assert run.holdings[0] == pytest.approx([2.5, 2.5, 100.0 / 19.0 - 5.0, 0.0], abs=1e-12)
    assert run.orders == 3


def test_sizes_follow_from_the_close_and_fills_from_the_next_open():
    run = run_rebalances([[10.0], [20.0]], [0], [[0.5]], cash=100.0, fee=0.0, slippage=0.0, fill_prices=[[16.0]])
    assert (run.holdings.tolist(), run.cash.tolist(), run.equity.tolist()) == ([[5.0]], [20.0], [100.0, 120.0])


def test_costs_account_for_the_difference_to_a_run_in_shares():
    prices, rows = walk(50, 4), [3, 10, 30]
    weights = random_weights(np.random.default_rng(1), 3, 4)
    run = run_rebalances(prices, rows, weights, fee=0.002, slippage=0.001)
    before = np.zeros(4)
    for i, row in enumerate(rows):
        trade = (run.holdings[i] - before) * prices[row]
        fees = np.where(trade > 0.0, 1.001 * 1.002 - 1.0, 1.0 - 0.999 * 0.998)
        assert run.costs[i] == pytest.approx(np.abs(trade) @ fees, rel=1e-9)
        before = run.holdings[i]


def test_results_show_and_export_themselves():
    run = run_rebalances([[10.0], [11.0]], [0], [[[0.5]], [[0.0]]], cash=100.0, fee=0.0, slippage=0.0)
    assert [row["final_equity"] for row in json.loads(run.to_json())] == [105.0, 100.0]
    assert "2 bars, 1 rebalances" in repr(run)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"prices": [1.0, 2.0]}, "shape"),
        ({"prices": [[1.0], [0.0]]}, "prices=0.0 is not above 0"),
        ({"prices": [[1.0], [np.nan]]}, "finite"),
        ({"rebalance_rows": [0.5]}, "ascending whole"),
        ({"rebalance_rows": []}, "one at least"),
        ({"rebalance_rows": [1, 0]}, "ascending whole"),
        ({"rebalance_rows": [2]}, "can be filled is 1"),
        ({"rebalance_rows": [1], "fill_prices": [[1.0]]}, "can be filled is 0"),
        ({"target_weights": [[1.1]]}, "add up to 1.1"),
        ({"target_weights": [[-0.1]]}, "at least 0"),
        ({"target_weights": [1.0]}, "last axes"),
        ({"fill_prices": [[1.0, 2.0]]}, "one price for each rebalance"),
        ({"fee": 1.0}, "fee=1.0 is not below 1"),
        ({"cash": 0.0}, "cash=0.0 is not above 0"),
    ],
)
def test_bad_input_is_refused(changed, said):
    arguments = {"prices": [[1.0], [2.0]], "rebalance_rows": [0], "target_weights": [[1.0]], **changed}
    with pytest.raises(BacktestError, match=said):
        run_rebalances(**arguments)


SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.floats(0.0, 0.05)


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(SEEDS))
    bars, assets = draw(st.integers(2, 30)), draw(st.integers(1, 6))
    prices = walk(bars, assets, rng)
    count = draw(st.integers(1, bars - 1))
    rows = np.sort(rng.choice(bars - 1, size=count, replace=False))
    fills = prices[rows + 1] * rng.uniform(0.9, 1.1, size=(count, assets)) if draw(st.booleans()) else None
    terms = {"fee": draw(SHARES), "slippage": draw(SHARES), "fractional": draw(st.booleans()), "fill_prices": fills}
    return prices, rows, random_weights(rng, 2, count, assets), terms


@settings(max_examples=60, deadline=None)
@given(cases())
def test_cash_is_never_negative_and_equity_stays_positive(case):
    prices, rows, weights, terms = case
    run = run_rebalances(prices, rows, weights, **terms)
    assert (run.cash >= 0.0).all()
    assert (run.holdings >= 0.0).all()
    assert (run.equity > 0.0).all()
    assert (run.costs >= -1e-6).all()
    for point in range(2):
        equity = plain_run(
            prices,
            rows.tolist(),
            weights[point],
            **{("fills" if name == "fill_prices" else name): value for name, value in terms.items()},
        )[0]
        assert np.abs(run.equity[point] / equity - 1.0).max() < 1e-9


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(0, 29))
def test_equity_depends_on_no_later_price(case, cut):
    prices, rows, weights, terms = case
    known = min(cut, len(prices) - 1) + 1
    later = prices.copy()
    later[known:] *= np.linspace(0.5, 2.0, prices.shape[1])
    fills = terms["fill_prices"]
    if fills is not None:
        fills = np.where((rows + 1 >= known)[:, None], 3.0 * fills, fills)
    before = run_rebalances(prices, rows, weights, **terms)
    after = run_rebalances(later, rows, weights, **{**terms, "fill_prices": fills})
    assert np.array_equal(before.equity[..., :known], after.equity[..., :known])


@settings(max_examples=40, deadline=None)
@given(cases())
def test_without_weights_the_cash_is_constant(case):
    prices, rows, weights, terms = case
    run = run_rebalances(prices, rows, 0.0 * weights, cash=1234.5, **terms)
    assert (run.equity == 1234.5).all()
    assert (run.orders == 0).all()
    assert not run.costs.any()


@settings(max_examples=40, deadline=None)
@given(cases())
def test_without_costs_a_rebalance_keeps_the_equity_and_hits_the_weights(case):
    prices, rows, weights, _ = case
    run = run_rebalances(prices, rows, weights, fee=0.0, slippage=0.0)
    equity = run.equity[..., rows]
    assert (run.holdings * prices[rows]).sum(axis=-1) + run.cash == pytest.approx(equity, rel=1e-12)
    assert run.holdings * prices[rows] / equity[..., None] == pytest.approx(weights, abs=1e-9)
    grown = run.equity[..., 1:] / run.equity[..., :-1]
    assert (grown <= (prices[1:] / prices[:-1]).max(axis=1).clip(1.0) + 1e-12).all()


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from([0.5, 2.0, 4.0]))
def test_a_split_changes_nothing(case, ratio):
    prices, rows, weights, terms = case
    whole = run_rebalances(prices, rows, weights, **{**terms, "fractional": True})
    fills = terms["fill_prices"]
    split = {**terms, "fractional": True, "fill_prices": None if fills is None else fills / ratio}
    assert np.array_equal(run_rebalances(prices / ratio, rows, weights, **split).equity, whole.equity)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_points_do_not_depend_on_each_other(case):
    prices, rows, weights, terms = case
    together = run_rebalances(prices, rows, weights, **terms)
    for point in range(2):
        alone = run_rebalances(prices, rows, weights[point], **terms)
        assert alone.equity == pytest.approx(together.equity[point], rel=1e-10)

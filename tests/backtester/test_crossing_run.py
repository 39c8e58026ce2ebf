"""All-in runs by crossings and signals: against a plain loop in whole numbers, and properties."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import signal_equity, sma_crossing_equity
from bank_python.errors import BacktestError


def plain_signals(close, fast, slow):
    """Return entries and exits by exact fractions: `close` are whole numbers or fractions."""
    entries, exits, last = [], [], 0
    for t in range(len(close)):
        entry = leave = False
        if t + 1 >= max(fast, slow):
            quick = sum(close[t + 1 - fast : t + 1]) * slow
            lazy = sum(close[t + 1 - slow : t + 1]) * fast
            side = (quick > lazy) - (quick < lazy)
            entry, leave = side > 0 > last, side < 0 < last
            last = side or last
        entries.append(entry)
        exits.append(leave)
    return entries, exits


def plain_run(close, entries, exits, *, cash=1e6, fee=0.001, whole_shares=False, fill_open=None):
    """Return the equity of each bar, the number of purchases and whether shares are held."""
    shares, trades, due, curve = 0.0, 0, None, []
    for t, price in enumerate(close):
        orders = []
        if fill_open is not None:
            orders, due = [(due, fill_open[t])], None
        call = "buy" if entries[t] and not exits[t] else "sell" if exits[t] and not entries[t] else None
        if fill_open is None:
            orders = [(call, price)]
        else:
            due = call
        for side, paid in orders:
            if side == "buy" and not trades % 2:
                shares = cash / (paid * (1.0 + fee))
                if whole_shares:
                    shares = float(int(shares * (1 + 1e-12)))
                cash = max(cash - shares * paid * (1.0 + fee), 0.0) if whole_shares else 0.0
                trades += 1
            elif side == "sell" and trades % 2:
                cash += shares * paid * (1.0 - fee)
                shares = 0.0
                trades += 1
        curve.append(cash + shares * price)
    return np.array(curve), (trades + 1) // 2, bool(trades % 2)


def cents(bars, seed=0, step=30):
    """Return a walk in whole cents, which meets itself often."""
    rng = np.random.default_rng(seed)
    return np.maximum(10_000 + np.cumsum(rng.integers(-step, step + 1, size=bars)), 100)


WINDOWS = np.array([(fast, slow) for fast in range(1, 12) for slow in range(fast + 1, 14)])


@pytest.mark.parametrize("whole_shares", [False, True])
@pytest.mark.parametrize("at_open", [False, True])
@pytest.mark.parametrize("step", [2, 30])
def test_every_pair_is_the_plain_loop(whole_shares, at_open, step):
    whole = cents(150, step=step)
    close, opens = whole / 100.0, (whole + 3) / 100.0
    terms = {"cash": 5_000.0, "fee": 0.001, "whole_shares": whole_shares, "fill_open": opens if at_open else None}
    run = sma_crossing_equity(close, WINDOWS[:, 0], WINDOWS[:, 1], **terms)
    curves = run.equity()
    for i, (fast, slow) in enumerate(WINDOWS.tolist()):
        curve, trades, is_open = plain_run(close, *plain_signals(whole.tolist(), fast, slow), **terms)
        assert curves[i] == pytest.approx(curve, rel=1e-12)
        assert run.final_equity[i] == pytest.approx(curve[-1], rel=1e-12)
        assert (run.trades[i], run.is_open[i]) == (trades, is_open)
        assert run.closed_trades[i] == trades - is_open


def test_a_tie_is_no_crossing_and_is_remembered():
    below_equal_above = [3.0, 2.0, 1.0, 1.5, 3.0, 3.5]  # of 1 and 3 bars: below, equal, above
    run = sma_crossing_equity(below_equal_above, 1, 3, cash=90.0, fee=0.0)
    assert (run.entry_rows.tolist(), run.exit_rows.tolist()) == ([4], [6])
    above_equal_above = [1.0, 2.0, 3.0, 2.5, 3.0, 0.9, 3.0]
    run = sma_crossing_equity(above_equal_above, 1, 3, cash=90.0, fee=0.0)
    assert run.entry_rows.tolist() == [6]
    assert sma_crossing_equity([1.0, 2.0, 3.0, 4.0], 1, 2).trades == 0
    assert sma_crossing_equity([2.0, 2.0, 2.0, 3.0, 4.0], 1, 2).trades == 0  # equal from the first bar on, never below


def test_equal_averages_of_cents_are_equal():
    """In binary, 0.1 + 0.2 and 0.15 + 0.15 differ; 0.1 + 0.3 + 0.2 over 3 is 0.2, as is 0.2."""
    close = np.array([0.1, 0.3, 0.2, 0.1, 0.3, 0.2] * 50)
    run = sma_crossing_equity(close, [3, 6, 3], [6, 9, 12])
    assert not run.trades.any()


@pytest.mark.parametrize("price", [0.1, 1.0 / 3.0, np.pi * 1e5, 1e-9 / 3.0, 123456789.123, 1e300, 3e-310])
def test_constant_prices_never_cross(price):
    close = np.full(300, price)
    close[0] = price * 1.5
    close[1] = price / 1.5
    run = sma_crossing_equity(close, *np.meshgrid(range(1, 40), range(1, 40)))
    expected = sma_crossing_equity(np.where(np.arange(300) < 2, close, price)[:90], *np.meshgrid(*[range(1, 40)] * 2))
    assert np.array_equal(run.trades, expected.trades)
    assert (run.entry_rows < 80).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6), st.booleans())
def test_prices_on_no_decimal_grid_cross_by_exact_fractions(seed, fast, slow, repeats):
    rng = np.random.default_rng(seed)
    close = np.exp(rng.normal(size=40))
    if repeats:  # ties
        close = rng.choice(close[:3], size=40)
    exact = [Fraction(price) for price in close.tolist()]
    run = sma_crossing_equity(close, fast, slow, cash=10.0, fee=0.01)
    curve, trades, is_open = plain_run(close, *plain_signals(exact, fast, slow), cash=10.0, fee=0.01)
    assert (int(run.trades), bool(run.is_open)) == (trades, is_open)
    assert run.equity() == pytest.approx(curve, rel=1e-12)


SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def flagged(draw):
    rng = np.random.default_rng(draw(SEEDS))
    bars = draw(st.integers(1, 40))
    close = np.exp(rng.normal(scale=0.1, size=bars).cumsum()) * 20.0
    opens = close * rng.uniform(0.95, 1.05, size=bars) if draw(st.booleans()) else None
    flags = rng.random((2, 3, bars)) < draw(st.floats(0.0, 1.0))
    fee = draw(st.floats(0.0, 0.1))
    return close, flags, {"fee": fee, "whole_shares": draw(st.booleans()), "fill_open": opens, "cash": 1_000.0}


@settings(max_examples=80, deadline=None)
@given(flagged())
def test_signals_are_followed_as_in_the_plain_loop(case):
    close, (entries, exits), terms = case
    run = signal_equity(close, entries, exits, **terms)
    curves = run.equity()
    assert (run.cash_beside >= 0.0).all()
    assert (curves > 0.0).all()
    for i in range(3):
        curve, trades, is_open = plain_run(close, entries[i], exits[i], **terms)
        assert curves[i] == pytest.approx(curve, rel=1e-11)
        assert (run.trades[i], run.is_open[i]) == (trades, is_open)
    assert np.array_equal(curves[:, -1], run.final_equity)


@settings(max_examples=40, deadline=None)
@given(flagged(), st.integers(1, 40))
def test_equity_depends_on_nothing_later(case, known):
    close, flags, terms = case
    later = np.where(np.arange(len(close)) < known, close, 3.0 * close)
    other = np.where(np.arange(len(close)) < known, flags, ~flags)
    opens = terms["fill_open"]
    changed = None if opens is None else np.where(np.arange(len(close)) < known, opens, 0.5 * opens)
    before = signal_equity(close, *flags, **terms).equity()[:, :known]
    after = signal_equity(later, *other, **{**terms, "fill_open": changed}).equity()[:, :known]
    assert np.array_equal(before, after)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.sampled_from([0.0, 0.005, 1.0 / 3.0]))
def test_crossings_depend_on_no_later_price(seed, known, rest):
    close = cents(60, seed, step=3) / 100.0
    later = np.where(np.arange(60) < known, close, 3.0 * close[::-1] + rest)
    before, after = (sma_crossing_equity(prices, [2, 3, 5], [3, 7, 6]).equity() for prices in (close, later))
    assert np.array_equal(before[:, :known], after[:, :known])


@settings(max_examples=40, deadline=None)
@given(flagged(), st.sampled_from([0.5, 2.0, 8.0]))
def test_a_split_changes_nothing(case, ratio):
    close, flags, terms = case
    terms = {**terms, "whole_shares": False}
    opens = terms["fill_open"]
    split = {**terms, "fill_open": None if opens is None else opens / ratio}
    whole = signal_equity(close, *flags, **terms).equity()
    assert np.array_equal(signal_equity(close / ratio, *flags, **split).equity(), whole)


def test_without_entries_the_cash_is_constant():
    run = signal_equity([1.0, 2.0, 3.0], [0, 0, 0], [1, 0, 1], cash=70.0)
    assert run.equity().tolist() == [70.0] * 3
    assert (float(run.total_return), int(run.trades), bool(run.is_open)) == (0.0, 0, False)


def test_without_fees_an_entry_on_the_first_bar_is_the_price():
    close = cents(50) / 100.0
    run = signal_equity(close, np.arange(50) == 0, np.zeros(50), cash=float(close[0]), fee=0.0)
    assert run.equity() == pytest.approx(close, rel=1e-15)


def test_an_order_of_the_last_bar_is_not_filled_at_an_open():
    assert signal_equity([1.0, 2.0], [0, 1], [0, 0], fill_open=[1.0, 2.0]).trades == 0


def test_windows_longer_than_the_series_do_nothing():
    run = sma_crossing_equity(cents(20) / 100.0, [2, 2], [20, 21])
    assert (run.trades.tolist(), run.equity().shape) == ([0, 0], (2, 20))
    assert sma_crossing_equity([1.0], np.empty(0, int), np.empty(0, int)).equity().shape == (0, 1)


def test_results_show_and_export_themselves():
    run = sma_crossing_equity(cents(40) / 100.0, [2, 3], [5, 6])
    assert [row["final_equity"] for row in json.loads(run.to_json())] == run.final_equity.tolist()
    assert "40 bars" in repr(run)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"close": [[1.0]]}, "shape"),
        ({"close": [1.0, -1.0]}, "close=-1.0 is not above 0"),
        ({"fast": 0}, "fast=0.0 is not at least 1"),
        ({"slow": 2.5}, "slow=2.5 is not a whole number"),
        ({"fast": [1, 2], "slow": [3, 4, 5]}, "do not broadcast"),
        ({"fee": 1.0}, "fee=1.0 is not below 1"),
        ({"cash": -1.0}, "cash=-1.0 is not above 0"),
        ({"fill_open": [1.0]}, "one open for each bar"),
    ],
)
def test_bad_input_is_refused(changed, said):
    with pytest.raises(BacktestError, match=said):
        sma_crossing_equity(**{"close": [1.0, 2.0], "fast": 1, "slow": 2, **changed})


@pytest.mark.parametrize(
    ("entries", "exits", "said"),
    [
        ([0, 2], [0, 0], "entries=2.0 is not"),
        ([0, 0.5], [0, 0], "true or false"),
        ([0], [0, 0], "for 2 bars"),
        (np.zeros((2, 2)), np.zeros((3, 2)), "do not broadcast"),
    ],
)
def test_bad_signals_are_refused(entries, exits, said):
    with pytest.raises(BacktestError, match=said):
        signal_equity([1.0, 2.0], entries, exits)

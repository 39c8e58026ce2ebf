"""Null books: the accounting is that of the run, and random books have its turnover and exposures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import Backtester, MacroBacktest, MomentumBacktest, null_books
from bank_python.backtester.books import Book, accounting_difference, book_equity, book_of, stacked
from bank_python.backtester.nulls import random_book, shuffled_book
from bank_python.errors import BacktestError
from bank_python.trading_engine import Order


def bars(seed, n=60, tickers=3, drift=0.0):
    """Return bars of random walks with opens away from the closes before."""
    rng = np.random.default_rng(seed)
    closes = 100.0 * np.cumprod(1.0 + drift + 0.02 * rng.standard_normal((n, tickers)), axis=0)
    opens = closes * (1.0 + 0.01 * rng.standard_normal(closes.shape))
    days = np.datetime64("2026-01-05") + np.arange(n)
    return {
        f"T{j}": [
            {"date": str(day), "open": o, "high": 1.01 * max(o, c), "low": 0.99 * min(o, c), "close": c}
            for day, o, c in zip(days, opens[:, j].tolist(), closes[:, j].tolist(), strict=True)
        ]
        for j in range(tickers)
    }


def at_random(seed, tickers=3, flat=0.3):
    """Return a strategy that holds random shares, or nothing, and changes its mind at random."""
    rng = np.random.default_rng(seed)
    shares = rng.uniform(-0.5, 0.8, (400, tickers)) / tickers * (rng.random((400, 1)) > flat)
    changes = rng.random(400) < 0.4

    def strategy(window):
        if changes[window.index]:
            return {f"T{j}": float(share) for j, share in enumerate(shares[window.index])}
        return None

    return strategy


def book_at_random(seed, flat=0.3, bars=80, tickers=3):
    """Return a book that trades on random bars, and whose shares drift in between."""
    rng = np.random.default_rng(seed)
    traded = np.repeat(rng.random((bars, 1)) < 0.4, tickers, axis=1)
    shares, now = np.zeros((bars, tickers)), np.zeros(tickers)
    for t in range(bars):
        now = rng.uniform(-0.5, 0.8, tickers) * (rng.random() > flat) if traded[t, 0] else now * rng.uniform(0.98, 1.02)
        shares[t] = now
    return Book(shares, traded)


@pytest.mark.parametrize("fill", ["next_open", "next_close", "close"])
@settings(max_examples=3)
@given(seed=st.integers(0, 10_000), rate=st.sampled_from([0.0, 0.05]))
def test_the_accounting_is_that_of_the_event_driven_run(fill, seed, rate):
    given_costs = {"fees_bps": 10.0, "slippage_bps": 5.0, "cash_rate": rate, "borrow_rate": rate}
    run = Backtester(at_random(seed), data=bars(seed, 40), fill=fill, **given_costs).run()
    assert book_equity(run, book_of(run)) == pytest.approx(run.equity, rel=1e-12)
    doubled = run.rerun(run.costs.times(2.0))  # shares of equity are the same, sized at a lower equity
    assert book_equity(run, book_of(run), run.costs.times(2.0)) == pytest.approx(doubled.equity, rel=1e-12)


def test_missing_bars_are_accounted_for_alike():
    data = bars(3)
    del data["T1"][10:13], data["T2"][:5]

    def momentum(window):
        known = [ticker for ticker in window if len(window[ticker]) > 3 and window.is_quoted(ticker)]
        return {ticker: 0.3 * float(window[ticker][-1] > window[ticker][-3]) for ticker in known}

    run = Backtester(momentum, data=data, fees_bps=5.0).run()
    assert null_books(run, n_random=1).accounting_difference < 1e-12


def stopped(window):
    """Buy at each open, with a stop 1% below the last close."""
    if window.units.get("T0"):
        return None
    last = float(window["T0"][-1])
    return [
        Order("", "", "T0", "BUY", 5_000, "MARKET"),
        Order("", "", "T0", "SELL", 5_000, "STOP", stop_price=0.99 * last),
    ]


@pytest.mark.parametrize(
    "strategy",
    [lambda window: Order("", "", "T0", "BUY", 3_000, "LIMIT", 99.0) if window.index == 0 else None, stopped],
)
def test_orders_inside_bars_make_no_books(strategy):
    run = Backtester(strategy, data=bars(1, tickers=1)).run()
    assert run.fills
    difference = accounting_difference(run)
    assert difference > 1e-5
    with pytest.raises(BacktestError, match=rf"inside bars: .* by {100.0 * difference:.2g} %; use market orders"):
        null_books(run, n_random=1)


def test_ruin_is_no_difference_of_accounts():
    closes = {"A": [100.0, 100.0, 20.0, 10.0, 30.0]}  # what is held is not closed, in the book it is
    run = Backtester(lambda window: {"A": 3.0} if window.index == 0 else None, data=closes).run()
    assert run.equity[2] < 0.0
    assert null_books(run, n_random=1).accounting_difference < 1e-12


def test_interest_and_fees_are_of_what_was_held_before_the_fill():
    days = ["2026-01-08", "2026-01-09", "2026-01-12", "2026-01-13"]  # over a weekend
    data = {"A": dict(zip(days, [10.0, 10.0, 12.0, 12.0], strict=True))}
    sells = Backtester(
        lambda window: {"A": -1.0 * (window.index == 0)} if window.index < 2 else None,
        data=data, initial_cash=1_000.0, cash_rate=0.0365, borrow_rate=0.365, fill="next_close",
    ).run()  # fmt: skip
    before = 1_000.0 * (1.0 + 0.0365 / 365.0)  # Thursday to Friday in cash, then short at 10 to Monday's close
    units = 1_000.0 / 10.0
    monday = before + units * 10.0 + 3.0 * (0.0365 * (before + units * 10.0) - 0.365 * units * 10.0) / 365.0
    expected = [1_000.0, before, monday - units * 12.0, (monday - units * 12.0) * (1.0 + 0.0365 / 365.0)]
    assert book_equity(sells, book_of(sells)) == pytest.approx(expected, rel=1e-12)
    assert sells.equity == pytest.approx(expected, rel=1e-12)


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_random_books_of_episodes_keep_turnover_and_exposures(seed):
    book = book_at_random(seed)
    is_flat = (book.shares == 0.0).all(axis=1)
    episodes = int((np.diff(is_flat.astype(int)) == -1).sum())
    made = random_book(book, np.random.default_rng(seed))
    exposures = [np.sort(np.abs(each.shares).sum(axis=1)) for each in (book, made)]
    assert exposures[1] == pytest.approx(exposures[0], abs=1e-15)
    assert np.sort(made.shares.ravel()).tolist() == np.sort(book.shares.ravel()).tolist()  # signs too
    if episodes > 6:
        assert made.turnover == pytest.approx(book.turnover, rel=1e-12)
    first = int((~is_flat).argmax())
    assert not made.shares[:first].any()


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_a_rotation_keeps_exposures_and_trades_more_only_where_it_is_cut(seed):
    book = book_at_random(seed, flat=0.0)
    made = shuffled_book(book, np.random.default_rng(seed))
    gross = [np.sort(np.abs(each.shares).sum(axis=1)) for each in (book, made)]
    assert gross[1] == pytest.approx(gross[0], abs=1e-15)
    assert abs(made.turnover - book.turnover) <= 4.0 * gross[0].max() + 1e-12


def test_what_random_books_trade_in_money_is_near_what_the_strategy_trades():
    run = Backtester(at_random(5), data=bars(5, 200), fees_bps=100.0).run()
    book, rng = book_of(run), np.random.default_rng(0)
    books = stacked([random_book(book, rng) for _ in range(50)])
    free = run.costs.times(0.0)
    paid = np.log(book_equity(run, books, free)[:, -1] / book_equity(run, books)[:, -1])
    own = np.log(book_equity(run, book, free)[-1] / book_equity(run, book)[-1])
    assert own > 0.3
    assert paid / own == pytest.approx(np.ones(50), abs=0.1)


def test_kinds_of_books_are_what_they_are_called():
    run = Backtester(at_random(2), data=bars(2), fees_bps=5.0).run()
    nulls, book = null_books(run, n_random=7, seed=3), book_of(run)
    flipped = book_equity(run, Book(-book.shares, book.traded))
    returns = np.diff(np.concatenate([[run.initial_cash], flipped])) / np.concatenate(
        [[run.initial_cash], flipped[:-1]]
    )
    assert nulls.sharpe["flipped"][0] == pytest.approx(
        math.sqrt(365.0) * returns[1:].mean() / returns[1:].std(ddof=1), rel=1e-9
    )
    assert {kind: len(ratios) for kind, ratios in nulls.sharpe.items()} == {
        "flipped": 1, "lagged": 3, "shuffled": 7, "random": 7
    }  # fmt: skip
    later = Backtester(lambda w: {"T0": 1.0} if w.index == 3 else None, data=bars(2)).run()
    sooner = Backtester(lambda w: {"T0": 1.0} if w.index == 2 else None, data=bars(2)).run()
    assert null_books(sooner, n_random=1).sharpe["lagged"][0] == pytest.approx(null_books(later).strategy_sharpe)


def test_seeds_repeat():
    run = Backtester(MomentumBacktest(["T0", "T1"], 5, 1, weight=1.0), data=bars(4)).run()
    first, again, other = (null_books(run, n_random=9, seed=seed).sharpe["random"] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


def test_holding_for_good_is_no_choice():
    run = Backtester(lambda w: {"T0": 1.0} if w.index == 0 else None, data=bars(1, drift=0.001), fees_bps=5.0).run()
    nulls = null_books(run, n_random=20)
    assert (nulls.has_choices, nulls.as_good("shuffled")) == (False, 20)  # to within the error of the ratio


def test_a_strategy_that_never_trades_has_no_ratio():
    nulls = null_books(Backtester(lambda _: None, data=bars(1, 5)).run(), n_random=3)
    assert math.isnan(nulls.strategy_sharpe)
    assert math.isnan(nulls.p_value("random"))
    assert nulls.plot()._repr_png_()


def test_null_books_are_shown_drawn_and_exported():
    nulls = null_books(Backtester(MacroBacktest(["T0"]), data=bars(1)).run(), n_random=5)
    assert "MacroBacktest" in repr(nulls)
    assert nulls.plot()._repr_png_()
    assert nulls.to_table().columns == ("kind", "books", "median_sharpe", "best_sharpe", "as_good", "p_value")


@pytest.mark.parametrize(("name", "value"), [("n_random", 0), ("seed", -1), ("n_random", 2.5)])
def test_numbers_out_of_range_are_refused(name, value):
    run = Backtester(MacroBacktest(["T0"]), data=bars(1)).run()
    with pytest.raises(BacktestError, match=f"{name}={value}"):
        null_books(run, **{name: value})

"""No look-ahead: a poisoned future changes nothing before it, and fills are where the bars allow them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import (
    Backtester,
    BacktestStrategy,
    MacroBacktest,
    MomentumBacktest,
    StatArbBacktest,
    Targets,
    VolArbBacktest,
    bars_of,
)
from bank_python.backtester.strategy_forms import strategy_of
from bank_python.trading_engine import (
    ContrarianSignal,
    IndexArbSignal,
    MomentumSignal,
    MultiAssetSignal,
    Order,
    PairsTradeSignal,
    StatArbSignal,
    TechMomentumSignal,
)

SEEDS = st.integers(0, 2**32 - 1)
FILLS = ["next_open", "next_close", "close"]
TICKERS = ("A", "B", "C")
BARS = 70


def bars(rng, count, tickers=TICKERS, missing=0.0):
    """Return random bars by ticker as lists of rows, with gaps and, if asked, bars that are not there."""
    data = {}
    for ticker in tickers:
        close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.03, size=count)))
        opened = close * np.exp(rng.normal(0.0, 0.02, size=count))
        high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0.0, 0.01, size=count)))
        low = np.minimum(opened, close) / np.exp(np.abs(rng.normal(0.0, 0.01, size=count)))
        there = rng.random(count) >= missing
        there[0] = True
        data[ticker] = [
            {"date": dt.date(2025, 1, 1) + dt.timedelta(days=t), "volume": float(rng.integers(0, 5)) * 1e5}
            | {"open": opened[t], "high": high[t], "low": low[t], "close": close[t]}
            for t in range(count)
            if there[t]
        ]
    return data


def poisoned(data, after, rng):
    """Return the bars with other ones from a day on: other prices, other days that are missing."""
    other = bars(rng, BARS, tuple(data), missing=0.3)
    return {
        ticker: [row for row in rows if row["date"] <= after]
        + [row | {"open": row["high"]} for row in other[ticker] if row["date"] > after]
        for ticker, rows in data.items()
    }


def by_mean(window):
    """Return weights by the mean of the closes so far; with what it reads of every field."""
    if window.index % 3:
        return None
    steady = [ticker for ticker in window if len(window[ticker]) and window[ticker][-1] > window[ticker].mean()]
    rest = window.open[-1] + window.high[-1] + window.low[-1] + window.volume[-1]
    assert rest.shape == (len(window),)
    return {ticker: 0.3 if ticker in steady else -0.1 for ticker in window if len(window[ticker])}


def orders(window):
    """Return orders of all kinds around the last close of the first ticker."""
    if not window.is_quoted("A") or window.index % 2:
        return None
    close = float(window["A"][-1])
    k = window.index // 2
    side, sign = ("BUY", 1.0) if k % 3 else ("SELL", -1.0)
    kinds = [
        {},
        {"order_type": "LIMIT", "limit_price": close * (1.0 - 0.01 * sign)},
        {"order_type": "STOP", "stop_price": close * (1.0 + 0.01 * sign)},
        {
            "order_type": "STOP_LIMIT",
            "stop_price": close * (1.0 + 0.005 * sign),
            "limit_price": close * (1 + 0.01 * sign),
        },
        {"order_type": "TRAILING_STOP", "trail": 0.02 * close},
    ]
    order = Order("", "", "A", side, 10.0 + k, **kinds[k % 5])
    if k % 4 == 0 and k % 5 < 2:
        order = order.bracketed(stop_loss=close * (1.0 - 0.04 * sign), take_profit=close * (1.0 + 0.04 * sign))
    return [order]


def straddle(window):
    """Return targets of two listed options every tenth bar, hedged by the delta; and read the figures of the window."""
    if window.index % 10 or not window.is_quoted("A"):
        return None
    rise = window.mean("A", 3) > window.mean("A", 9)
    legs = {f"A 2025-04-18 {kind} 50": 2.0 if rise else -1.0 for kind in "CP"}
    hedge = -sum(units * window.delta(name) for name, units in legs.items())
    return Targets(units=legs | {"A": hedge}) if window.index >= 40 else None


def by_volatility(window):
    """Return weights by the volatility of each ticker."""
    known = {ticker: window.volatility(ticker, 10) for ticker in window}
    return {ticker: 0.05 / vol for ticker, vol in known.items() if vol > 0.0 and window.is_quoted(ticker)}


STRATEGIES = {
    "volatility": lambda: by_volatility,
    "options": lambda: straddle,
    "volatility arbitrage": lambda: VolArbBacktest(["A", "B"], 5),
    "momentum": lambda: MomentumBacktest(TICKERS, 5, 2, weight=0.9),
    "momentum in units": lambda: MomentumBacktest(TICKERS, 5, 1, every=3),
    "pair": lambda: StatArbBacktest([("A", "B")], 10, 1.0),
    "macro": lambda: MacroBacktest(TICKERS),
    "function": lambda: by_mean,
    "orders": lambda: orders,
    "rule momentum": lambda: MomentumSignal(TICKERS, 10),
    "rule contrarian": lambda: ContrarianSignal(TICKERS),
    "rule pair": lambda: StatArbSignal([("A", "B")], 20, 1.0),
    "rule distance": lambda: PairsTradeSignal([("A", "B")], 20, trading=5, entry=1.0),
    "rule index": lambda: IndexArbSignal({"C": {"A": 0.5, "B": 0.5}}, 20, 1.0),
    "rule volatility": lambda: MultiAssetSignal(TICKERS, vol_window=10, trend_window=None),
    "rule technology": lambda: TechMomentumSignal(TICKERS, 20, vol_window=10, breakout_window=5, threshold=0.1),
}


class Recorded(BacktestStrategy):
    """A strategy with a record of what it decides."""

    def __init__(self, strategy):
        self.inner, self.decisions = strategy_of(strategy), []

    def on_start(self, window):
        self.inner.on_start(window)

    def on_bar(self, window):
        decision = self.inner.on_bar(window)
        self.decisions.append(repr(decision))
        return decision


def replay(name, data, fill):
    """Return the result, and what the strategy decided."""
    strategy = Recorded(STRATEGIES[name]())
    result = Backtester(strategy, data=data, fill=fill, fees_bps=5.0, slippage_bps=3.0).run()
    return result, strategy.decisions


def before(run, after):
    """Return what has happened up to a day: decisions, fills, equity, cash, holdings."""
    result, decisions = run
    count = sum(when.date() <= after for when in result.dates)
    fills = [
        (fill.when, fill.order.instrument_name, fill.signed_quantity, fill.price, fill.fees)
        for fill in result.fills
        if fill.when.date() <= after
    ]
    return fills, decisions[:count], *(part[:count].tolist() for part in (result.equity, result.cash, result.held))


@pytest.mark.parametrize("name", STRATEGIES)
@settings(max_examples=2, deadline=None)
@given(SEEDS, st.integers(25, 60), st.sampled_from(FILLS))
def test_a_poisoned_future_changes_nothing_before(name, seed, cut, fill):
    rng = np.random.default_rng(seed)
    data = bars(rng, BARS, missing=0.05)
    after = dt.date(2025, 1, 1) + dt.timedelta(days=cut)
    expected = replay(name, data, fill)
    found = replay(name, poisoned(data, after, rng), fill)
    assert before(found, after) == before(expected, after)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_of_the_proof_trades(name):
    assert sum(replay(name, bars(np.random.default_rng(seed), BARS), "close")[0].trade_count for seed in range(3))


# --- strategies that cheat ---------------------------------------------------------------------------------


def closes_to_come(window, later):
    """Return whether an array that a window gives, or what is behind it, has a close that is still to come."""
    arrays = [window[ticker] for ticker in window]
    arrays += [window.open, window.high, window.low, window.close, window.volume]
    while arrays:
        array = arrays.pop()
        if np.isin(later, array).any():
            return True
        if isinstance(array.base, np.ndarray):
            arrays.append(array.base)
    return False


@pytest.mark.parametrize("fill", FILLS)
def test_what_is_behind_the_arrays_has_no_future(fill):
    data = bars(np.random.default_rng(3), 20)
    panel = bars_of(data)

    def look(window):
        later = np.concatenate([getattr(panel, name)[window.index + 1 :].ravel() for name in ("open", "high", "close")])
        assert not closes_to_come(window, later)
        assert len(window.close) == window.index + 1

    Backtester(look, data=data, fill=fill).run()


def test_windows_that_are_kept_show_now_and_arrays_that_are_kept_stay():
    data = bars(np.random.default_rng(4), 20)
    kept = []

    def keep(window):
        kept.append((window.index, window, window["A"], window["A"].copy(), window.close))
        for index, old, closes, copied, table in kept:
            assert closes.tolist() == copied.tolist()
            assert len(table) == index + 1
            assert old.index == window.index  # one window, which moves on

    Backtester(keep, data=data).run()


def scribble(window):
    """Write over everything that can be written over."""
    arrays = [window[ticker] for ticker in window]
    arrays += [window.open, window.high, window.low, window.close, window.volume]
    for array in arrays:
        for each in (array, array.base):
            if each is not None and each.flags.writeable:
                each[...] = 1.0
    if isinstance(window.units, dict):
        window.units.clear()


@pytest.mark.parametrize("fill", FILLS)
def test_writing_over_the_arrays_changes_no_fill_and_no_equity(fill):
    data = bars(np.random.default_rng(5), 30)
    plan = np.random.default_rng(6).uniform(-0.3, 0.3, size=(30, 3))

    def honest(window):
        return dict(zip(TICKERS, plan[window.index].tolist(), strict=True))

    def dishonest(window):
        scribble(window)
        return honest(window)

    expected, found = (Backtester(each, data=data, fill=fill).run() for each in (honest, dishonest))
    assert found.equity.tolist() == expected.equity.tolist()
    assert [fill.price for fill in found.fills] == [fill.price for fill in expected.fills]


def test_the_data_of_the_caller_may_be_written_over_too():
    close = np.linspace(10.0, 20.0, 11)

    def dishonest(window):
        close[:] = 1.0
        return {"A": 1.0} if window.index == 0 else None

    result = Backtester(dishonest, data={"A": close}, initial_cash=110.0).run()
    assert result.final_value == pytest.approx(209.0)  # 11 units, bought at 11


# --- fills ------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from(FILLS))
def test_nothing_fills_on_the_bar_of_its_signal_nor_outside_a_bar(seed, fill):
    rng = np.random.default_rng(seed)
    data = bars(rng, 40, missing=0.1)
    panel = bars_of(data)
    result = Backtester(orders, data=data, fill=fill).run()
    place = {when: t for t, when in enumerate(panel.dates)}
    for done in result.fills:
        t, j = place[done.when], panel.column(done.order.instrument_name)
        low, high, opened, close = (getattr(panel, name)[t, j] for name in ("low", "high", "open", "close"))
        assert low * (1.0 - 1e-12) <= done.price <= high * (1.0 + 1e-12)
        made = place[dt.datetime.fromisoformat(done.order.created_at)]
        if done.order.parent:
            continue  # the stop or target of a position that was opened on this bar or before
        assert t > made or (fill == "close" and t == made and done.price == close)
        if t > made and done.order.order_type.value == "MARKET":
            assert done.price == (close if fill == "next_close" else opened)


def two(*figures):
    """Return bars of one ticker from opens, highs, lows and closes."""
    names = ("open", "high", "low", "close")
    day = dt.date(2026, 1, 5)
    return {
        "A": [
            {"date": day + dt.timedelta(days=t)} | dict(zip(names, map(float, row), strict=True))
            for t, row in enumerate(figures)
        ]
    }


def first_fill(order, *figures, fill="next_open"):
    result = Backtester(lambda window: order if window.index == 0 else None, data=two(*figures), fill=fill).run()
    return result.fills[0].price if result.fills else None


SIGNAL, BAR, GAP = (100, 101, 99, 100), (100, 105, 95, 102), (90, 92, 88, 91)


@pytest.mark.parametrize(
    ("kind", "side", "prices", "bar", "price"),
    [
        # Conventions that backtesting.py, TradingView and LEAN share; pessimistic inside one bar.
        ("STOP", "BUY", {"stop_price": 99.0}, BAR, 100.0),
        ("LIMIT", "BUY", {"limit_price": 97.0}, BAR, 97.0),
        ("STOP", "SELL", {"stop_price": 96.0}, BAR, 96.0),
        ("STOP_LIMIT", "BUY", {"stop_price": 103.0, "limit_price": 104.0}, BAR, 103.0),
        ("MARKET", "BUY", {}, BAR, 100.0),
        ("STOP", "SELL", {"stop_price": 96.0}, GAP, 90.0),  # a gap through the stop
        ("STOP", "BUY", {"stop_price": 85.0}, GAP, 90.0),
        ("LIMIT", "BUY", {"limit_price": 95.0}, BAR, None),  # only touched
        ("LIMIT", "SELL", {"limit_price": 105.0}, BAR, None),
        ("LIMIT", "BUY", {"limit_price": 97.0}, GAP, 90.0),
    ],
)
def test_orders_fill_by_the_shared_conventions(kind, side, prices, bar, price):
    order = Order("", "", "A", side, 10.0, kind, prices.get("limit_price"), stop_price=prices.get("stop_price"))
    assert first_fill(order, SIGNAL, bar) == price


def test_a_bracket_that_both_ends_of_a_bar_reach_is_stopped():
    entry = Order("", "", "A", "BUY", 10.0).bracketed(stop_loss=96.0, take_profit=104.0)
    result = Backtester(lambda window: entry if window.index == 0 else None, data=two(SIGNAL, BAR)).run()
    assert [(done.order.side.value, done.price) for done in result.fills] == [("BUY", 100.0), ("SELL", 96.0)]


def test_targets_are_of_equity_with_the_pending_orders_counted():
    calm = (100, 101, 99, 100)
    waiting = Order("", "", "A", "BUY", 300.0, "LIMIT", 50.0)
    steps = {0: {"A": 0.5}, 2: waiting, 3: {"A": 0.8}, 4: {"A": 0.8}}
    result = Backtester(lambda window: steps.get(window.index), data=two(*[calm] * 7), initial_cash=1e5).run()
    # Half of 100,000 are 500 units; 80 per cent are 800, of which 500 are held and 300 wait for their price.
    assert [done.quantity for done in result.fills] == [500.0]
    assert Backtester(lambda _: Targets(units={"A": 7.0}), data=two(*[calm] * 7)).run().trade_count == 1


# --- calendars --------------------------------------------------------------------------------------------------


def test_coins_of_seven_days_and_shares_of_five_keep_their_own_days():
    days = pd.date_range("2026-01-02", periods=10)  # a Friday
    coin = pd.Series(np.arange(100.0, 110.0), days)
    share = pd.Series(np.arange(50.0, 50.0 + (days.day_of_week < 5).sum()), days[days.day_of_week < 5])
    result = Backtester(
        lambda window: {"COIN": 0.5, "SHARE": 0.5} if window.index == 1 else None,  # on Saturday
        data={"COIN": coin, "SHARE": share},
    ).run()
    assert [(done.order.instrument_name, f"{done.when:%a}") for done in result.fills] == [
        ("COIN", "Sun"),
        ("SHARE", "Mon"),
    ]
    units = {done.order.instrument_name: done.quantity for done in result.fills}
    friday, saturday = result.equity[[7, 8]]  # of the second week: only the coin has moved
    assert saturday - friday == pytest.approx(units["COIN"] * 1.0)
    assert result.tearsheet().periods.value == 365.0


@pytest.mark.parametrize(("zone", "start"), [("America/New_York", "2026-03-05"), ("Europe/London", "2026-10-22")])
def test_hours_over_a_change_of_clocks_are_hours(zone, start):
    index = pd.date_range(start, periods=24 * 7, freq="h", tz=zone)
    result = Backtester(
        lambda window: {"A": 1.0} if window.index == 0 else None,
        data={"A": pd.Series(np.linspace(100.0, 101.0, len(index)), index)},
        cash_rate=0.05,
    ).run()
    gaps = {later - earlier for earlier, later in zip(result.dates, result.dates[1:], strict=False)}
    assert gaps == {dt.timedelta(hours=1)}
    assert result.fills[0].when == result.dates[1]
    assert len(result.equity) == 24 * 7
    assert result.tearsheet().periods.value == 24 * 365

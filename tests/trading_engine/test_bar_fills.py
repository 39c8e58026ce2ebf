"""Fills on bars: the shared convention, paths of single ticks as the oracle, gaps, brackets, what is refused."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bank_python.errors import TradingError
from bank_python.market_data.feed import Bar
from bank_python.trading_engine import BarBracket, BarOrder, FillReason, OrderType, Side, fill_bracket, fill_on_bar

DAY = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


def bar(opening=100.0, high=105.0, low=95.0, close=102.0, volume=1e6):
    return Bar(DAY, opening, high, low, close, volume)


def fill(side, kind, on=None, *, touch=False, **prices):
    return fill_on_bar(BarOrder(side, kind, **prices), on or bar(), fill_on_touch=touch)


def close(side, on=None, *, touch=False, **prices):
    return fill_bracket(BarBracket(side, **prices), on or bar(), fill_on_touch=touch)


GAP = bar(90.0, 92.0, 88.0, 91.0)


# The convention that backtesting.py, TradingView and LEAN share, pessimistic inside a bar.
@pytest.mark.parametrize(
    ("order", "on", "price"),
    [
        (BarOrder("buy", "stop", stop_price=99), bar(), 100.0),
        (BarOrder("buy", "limit", limit_price=97), bar(), 97.0),
        (BarOrder("sell", "stop", stop_price=96), bar(), 96.0),
        (BarOrder("buy", "stop_limit", stop_price=103, limit_price=104), bar(), 103.0),
        (BarOrder("buy", "market"), bar(), 100.0),
        (BarOrder("sell", "stop", stop_price=96), GAP, 90.0),
        (BarOrder("buy", "limit", limit_price=101), bar(), 100.0),
        (BarOrder("sell", "limit", limit_price=89), GAP, 90.0),
        (BarOrder("buy", "limit", limit_price=94), bar(), None),
        (BarOrder("sell", "stop", stop_price=94), bar(), None),
        (BarOrder("buy", "stop_limit", stop_price=106, limit_price=107), bar(), None),
    ],
)
def test_the_shared_convention(order, on, price):
    found = fill_on_bar(order, on)
    assert found.price == price
    assert found.is_filled == (price is not None)


@pytest.mark.parametrize(("side", "price"), [("buy", 95.0), ("sell", 105.0)])
def test_a_limit_that_is_only_touched_does_not_fill_unless_asked(side, price):
    assert fill(side, "limit", limit_price=price).reason is FillReason.NOT_REACHED
    assert fill(side, "limit", touch=True, limit_price=price).price == price
    opening = bar(price)
    assert fill(side, "limit", opening, limit_price=price).price == price


def test_a_stop_fills_when_it_is_touched():
    assert fill("sell", "stop", stop_price=95).price == 95.0
    assert fill("buy", "stop", stop_price=105).price == 105.0


def test_a_stop_limit_becomes_a_limit_order():
    gapped = fill("buy", "stop_limit", stop_price=98, limit_price=99)
    assert gapped.price == 99.0  # triggered at the open of 100, and the low came later
    waiting = fill("buy", "stop_limit", stop_price=98, limit_price=94)
    assert waiting.price is None
    assert waiting.order == BarOrder("buy", "limit", limit_price=94)
    # Bought from 103 on, but for 99 at most: the low may have come before the stop.
    assert fill("buy", "stop_limit", stop_price=103, limit_price=99).price is None
    assert fill("buy", "stop_limit", bar(close=98), stop_price=103, limit_price=99).price == 99.0
    untouched = fill("sell", "stop_limit", stop_price=90, limit_price=89)
    assert untouched.order == BarOrder("sell", "stop_limit", stop_price=90, limit_price=89)


def test_a_trailing_stop_follows_the_price():
    order = BarOrder("sell", "trailing_stop", trail_amount=7.0)
    first = fill_on_bar(order, bar())
    assert first.price is None
    assert first.order.stop_price == 98.0  # 105 less 7, above the low, which is taken to have come before
    assert fill_on_bar(first.order, bar(101, 103, 99, 100)).order.stop_price == 98.0
    assert fill_on_bar(first.order, bar(101, 103, 97, 100)).price == 98.0
    assert fill_on_bar(first.order, GAP).price == 90.0
    closed_below = fill_on_bar(order, bar(close=97.0))
    assert (closed_below.price, closed_below.reason) == (98.0, FillReason.STOP)
    at_the_open = fill_on_bar(replace(order, trail_amount=3.0), bar())
    assert at_the_open.price == 97.0


def test_a_trailing_stop_by_share_mirrors():
    order = BarOrder("buy", "trailing_stop", trail_share=0.1)
    found = fill_on_bar(order, bar(close=100.0))
    assert found.order.stop_price == pytest.approx(95.0 * 1.1)
    assert fill_on_bar(found.order, bar(104.0, 106.0, 103.0, 105.0)).price == pytest.approx(104.5)
    far = fill_on_bar(BarOrder("sell", "trailing_stop", trail_amount=500.0), bar())
    assert (far.price, far.order.stop_price) == (None, None)


def test_a_bracket_of_the_shared_convention():
    found = close("sell", entry_price=100, stop_price=96, target_price=104)
    assert (found.price, found.reason) == (96.0, FillReason.STOP)


def test_a_bracket_opened_on_the_bar_counts_what_is_certain():
    opened_below = {"entry_price": 97.0, "stop_price": 94.0, "target_price": 104.0}
    still = close("sell", **opened_below)
    assert still.reason is FillReason.NOT_REACHED  # 105 may have come before the purchase at 97
    assert still.order.entry_price is None
    assert close("sell", bar(close=104.5), **opened_below).reason is FillReason.TARGET
    opened_above = {"entry_price": 102.0, "stop_price": 94.0, "target_price": 104.0}
    assert close("sell", **opened_above).price == 104.0  # on its way up to 105
    assert close("sell", **{**opened_above, "stop_price": 96.0}).price == 96.0
    assert close("sell", stop_price=80.0, target_price=89.0, on=GAP).price == 90.0
    assert close("buy", stop_price=104.0, target_price=96.0).reason is FillReason.STOP
    assert close("buy", stop_price=106.0, target_price=95.0).price is None
    assert close("buy", touch=True, stop_price=106.0, target_price=95.0).price == 95.0
    assert close("sell", entry_price=102.0, stop_price=90.0, target_price=101.0).price == 102.0  # at once
    with pytest.raises(TradingError, match=r"entry_price=110.0 is outside the bar"):
        close("sell", **{**opened_below, "entry_price": 110.0})


def test_a_bar_without_volume_fills_nothing():
    for order in (BarOrder("buy", "market"), BarOrder("sell", "stop", stop_price=96)):
        found = fill_on_bar(order, bar(volume=0.0))
        assert (found.price, found.reason, found.order) == (None, FillReason.NO_VOLUME, order)
        assert fill_on_bar(order, bar(volume=None)).is_filled


# A path of single ticks, so that no price is jumped over, and the bar that it makes.
steps = st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=40)
sides = st.sampled_from(Side)
offsets = st.integers(-12, 12)


def walked(moves, opening=100):
    path = list(itertools.accumulate(moves, initial=opening))
    return path, bar(float(path[0]), float(max(path)), float(min(path)), float(path[-1]))


def first(path, condition):
    """Return the index of the first tick for which a condition holds, and None if there is none."""
    return next((i for i, tick in enumerate(path) if condition(tick)), None)


def crosses(side, limit):
    """Return whether a tick is at or better than a limit at the open, and better than it later."""
    return lambda i, tick: (limit - tick) * side.sign >= (0 if i == 0 else 1)


def true_limit(path, side, limit):
    for i, tick in enumerate(path):
        if crosses(side, limit)(i, tick):
            return float(tick if i == 0 else limit)
    return None


def true_stop(path, side, stop):
    at = first(path, lambda tick: (tick - stop) * side.sign >= 0)
    return None if at is None else float(path[at])


@settings(max_examples=30)
@given(moves=steps, side=sides, offset=offsets)
def test_limits_and_stops_are_those_of_every_path(moves, side, offset):
    path, on = walked(moves)
    price = 100.0 + offset
    assert fill_on_bar(BarOrder(side, "limit", limit_price=price), on).price == true_limit(path, side, price)
    assert fill_on_bar(BarOrder(side, "stop", stop_price=price), on).price == true_stop(path, side, price)


@settings(max_examples=30)
@given(moves=steps, side=sides, down=st.integers(1, 8), up=st.integers(1, 8))
def test_a_bracket_is_never_better_than_a_path(moves, side, down, up):
    path, on = walked(moves)
    stop, target = 100.0 + side.sign * down, 100.0 - side.sign * up
    found = fill_bracket(BarBracket(side, stop_price=stop, target_price=target), on)
    ends = first(path, lambda tick: (tick - stop) * side.sign >= 0 or (target - tick) * side.sign > 0)
    if ends is None:
        assert found.price is None
    else:
        truth = stop if (path[ends] - stop) * side.sign >= 0 else target
        assert found.is_filled
        assert side.sign * (found.price - truth) >= 0.0
        both = true_stop(path, side, stop) is not None and true_limit(path, side, target) is not None
        assert found.price == truth or both


@settings(max_examples=30)
@given(moves=steps, side=sides, trigger=offsets, offset=offsets)
def test_a_stop_limit_fills_only_where_every_path_does(moves, side, trigger, offset):
    path, on = walked(moves)
    stop, limit = 100.0 + trigger, 100.0 + offset
    found = fill_on_bar(BarOrder(side, "stop_limit", stop_price=stop, limit_price=limit), on)
    at = first(path, lambda tick: (tick - stop) * side.sign >= 0)
    if at is None:
        assert found.price is None
        assert found.order.order_type is OrderType.STOP_LIMIT
        return
    assert found.order == BarOrder(side, "limit", limit_price=limit)
    truth = true_limit(path[at:], side, limit)
    if found.is_filled:
        assert found.price == truth
    if truth is not None and path[at] == truth:
        assert found.price == truth


@settings(max_examples=30)
@given(moves=steps, side=sides, trail=st.integers(1, 10))
def test_a_trailing_stop_is_that_of_the_path_by_the_near_extreme_first(moves, side, trail):
    _, on = walked(moves)
    corners = [on.open, on.high, on.low, on.close] if side is Side.BUY else [on.open, on.low, on.high, on.close]
    path = [int(corners[0])]
    for corner in corners[1:]:
        step = 1 if corner > path[-1] else -1
        path += range(path[-1] + step, int(corner) + step, step) if corner != path[-1] else []
    best, truth = path[0], None
    for tick in path:
        best = (min if side is Side.BUY else max)(best, tick)
        if side.sign * (tick - best) >= trail:
            truth = float(tick)
            break
    found = fill_on_bar(BarOrder(side, "trailing_stop", trail_amount=trail), on)
    assert found.price == truth
    if truth is None:
        assert found.order.stop_price == best + side.sign * trail


figures = st.floats(1.0, 1e6)


@settings(max_examples=30)
@given(
    four=st.lists(figures, min_size=4, max_size=4),
    levels=st.tuples(figures, figures),
    side=sides,
    touch=st.booleans(),
    scale=st.sampled_from([1e-12, 1.0, 1e12]),
)
def test_every_fill_is_inside_its_bar(four, levels, side, touch, scale):
    low, opening, close, high = sorted(price * scale for price in four)
    near, far = sorted(level * scale for level in levels)
    assume(near < far)
    on = bar(opening, high, low, close)
    stop, target = (near, far) if side is Side.SELL else (far, near)
    orders = [
        BarOrder(side, "market"),
        BarOrder(side, "limit", limit_price=near),
        BarOrder(side, "stop", stop_price=near),
        BarOrder(side, "stop_limit", stop_price=near, limit_price=far),
        BarOrder(side, "stop_limit", stop_price=far, limit_price=near),
        BarOrder(side, "trailing_stop", trail_amount=near),
        BarOrder(side, "trailing_stop", trail_share=0.2, stop_price=near),
        BarBracket(side, stop_price=stop, target_price=target),
        BarBracket(side, stop_price=stop, target_price=target, entry_price=close),
    ]
    for order in orders:
        function = fill_bracket if isinstance(order, BarBracket) else fill_on_bar
        found = function(order, on, fill_on_touch=touch)
        assert found.price is None or low <= found.price <= high
        if found.is_filled and getattr(order, "limit_price", None) is not None:
            assert side.sign * (order.limit_price - found.price) >= 0.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: BarOrder("hold", "market"), "'hold' is no Side"),
        (lambda: BarOrder("buy", "iceberg"), "'iceberg' is no OrderType; give one of MARKET, LIMIT"),
        (lambda: BarOrder("buy", "limit"), "a limit order needs a limit_price; give one"),
        (lambda: BarOrder("buy", "stop limit", stop_price=3.0), "a stop limit order needs a limit_price"),
        (lambda: BarOrder("buy", "market", limit_price=3.0), "a market order has no limit_price; leave it out"),
        (lambda: BarOrder("buy", "limit", limit_price=0.0), "limit_price=0.0 is not above 0"),
        (lambda: BarOrder("buy", "limit", limit_price=math.nan), "limit_price=nan is not a finite number"),
        (lambda: BarOrder("buy", "limit", limit_price="3"), "limit_price='3' is not a number"),
        (lambda: BarOrder("buy", "trailing_stop"), "either a trail_amount or a trail_share"),
        (lambda: BarOrder("buy", "trailing_stop", trail_amount=1.0, trail_share=0.1), "give one of the two"),
        (lambda: BarOrder("buy", "trailing_stop", trail_share=5.0), "trail_share=5.0 is not above 0 and at most 1"),
        (
            lambda: BarBracket("sell", stop_price=5.0, target_price=4.0),
            "sell order has to be below its target 4",
        ),
        (
            lambda: BarBracket("buy", stop_price=4.0, target_price=5.0),
            "buy order has to be above its target 5",
        ),
        (lambda: fill_on_bar("buy", bar()), "order='buy' is not a BarOrder"),
        (lambda: fill_on_bar(BarOrder("buy", "market"), 3), "bar=3 is not a Bar"),
        (lambda: fill_on_bar(BarOrder("buy", "market"), bar(None)), "bar of 2026-01-05 has no open"),
        (
            lambda: fill_on_bar(BarOrder("buy", "market"), bar(close=math.nan)),
            "close=nan is not a finite number; correct",
        ),
        (lambda: fill_on_bar(BarOrder("buy", "market"), bar(low=-1.0)), "low=-1.0 is not above 0"),
        (lambda: fill_on_bar(BarOrder("buy", "market"), bar(110.0)), "the open 110 of the bar .* range, 95 to 105"),
        (lambda: fill_on_bar(BarOrder("buy", "market"), bar(high=90.0)), "the high 90 of the bar"),
        (lambda: fill_on_bar(BarOrder("buy", "market"), bar(volume=-1.0)), "volume=-1.0 .* give None if it is unknown"),
        (lambda: fill_on_bar(BarOrder("buy", "market"), bar(volume=math.nan)), "volume=nan is not a finite number"),
    ],
)
def test_refused(call, said):
    with pytest.raises(TradingError, match=said):
        call()

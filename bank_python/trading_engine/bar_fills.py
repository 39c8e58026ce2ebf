"""Fills on bars: whether an order fills on a bar of open, high, low and close, and at which price.

A bar does not say in which order its high and its low came. Where that matters, the worse is assumed:

- A market order fills at the open.
- A limit order fills at its limit if the price goes beyond it, and at the open if that is at the limit or better. A
  limit that is touched and not passed does not fill, unless ``fill_on_touch`` is given.
- A stop order fills at its stop if that is touched, and at the open if the bar opens beyond it (a gap).
- A stop-limit order becomes a limit order at its stop. It fills on the same bar at the stop, or at the open, if its
  limit allows that; otherwise only if the price is certain to have come back to the limit after the stop.
- The stop of a trailing order follows the price from open to close, by way of the extreme on the stop's side first.
- A bracket closes a position at a stop or at a target. If a bar touches both, the stop fills. If the position was
  opened on the same bar, the target fills only if it was certainly reached after that.

A bar without volume fills nothing, and no fill is outside the range of its bar.

Examples
--------
>>> import datetime as dt
>>> from bank_python.market_data.feed import Bar
>>> bar = Bar(dt.datetime(2026, 1, 5, tzinfo=dt.UTC), 90.0, 92.0, 88.0, 91.0, 1e6)
>>> fill_on_bar(BarOrder("sell", "stop", stop_price=96.0), bar).price
90.0
>>> fill_on_bar(BarOrder("buy", "limit", limit_price=88.0), bar).price is None
True
>>> fill_bracket(BarBracket("sell", stop_price=89.0, target_price=91.5), bar).price
89.0
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.market_data.feed import Bar
from bank_python.numerics.ranges import number_in_range
from bank_python.trading_engine.words import OrderType, Side, read_word

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

__all__ = [
    "BarBracket",
    "BarFill",
    "BarOrder",
    "CheckedBar",
    "FillReason",
    "checked_bar",
    "fill_bracket",
    "fill_bracket_on_checked_bar",
    "fill_on_bar",
    "fill_on_checked_bar",
]

_ROUNDED = 1e-9  # adjusted prices may leave the range of their bar by that share
_NEEDED: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("stop_price", "limit_price"),
    OrderType.TRAILING_STOP: (),
}
_OPTIONAL: dict[OrderType, tuple[str, ...]] = {OrderType.TRAILING_STOP: ("stop_price", "trail_amount", "trail_share")}


class FillReason(enum.Enum):
    """Why an order has filled on a bar, or why it has not."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    TARGET = "target"
    NOT_REACHED = "not reached"
    NO_VOLUME = "no volume"


@dataclass(frozen=True)
class _OrderTerms:
    """Checked terms of an order, with members of enumerations in place of their names."""

    side: Side
    order_type: OrderType
    limit_price: float | None
    stop_price: float | None
    trail_amount: float | None
    trail_share: float | None


class BarOrder(_OrderTerms, Record):
    """What decides at which price an order fills on a bar.

    Parameters
    ----------
    side : Side or {"buy", "sell"}
        Side of the order.
    order_type : OrderType or str
        Type of the order: market, limit, stop, stop_limit or trailing_stop.
    limit_price : float, optional
        Worst price at which a limit or stop-limit order fills.
    stop_price : float, optional
        Price at which a stop or stop-limit order is triggered; the present stop of a trailing order, by default the
        open of the first bar less the trail.
    trail_amount, trail_share : float, optional
        Distance of a trailing stop from the best price so far: in money, or as a share of that price in (0, 1).

    Raises
    ------
    TradingError
        A price is missing, not above 0 or not used by this type.
    """

    @admits(TradingError)
    def __init__(
        self,
        side: Side | str,
        order_type: OrderType | str,
        limit_price: float | None = None,
        stop_price: float | None = None,
        trail_amount: float | None = None,
        trail_share: float | None = None,
    ) -> None:
        kind = read_word(OrderType, order_type)
        terms = {
            "limit_price": limit_price,
            "stop_price": stop_price,
            "trail_amount": trail_amount,
            "trail_share": trail_share,
        }
        _check_terms(kind, {name: value for name, value in terms.items() if value is not None})
        super().__init__(read_word(Side, side), kind, **terms)


@dataclass(frozen=True)
class _BracketTerms:
    """Checked terms of a bracket, with the side as a member of its enumeration."""

    side: Side
    stop_price: float
    target_price: float
    entry_price: float | None


class BarBracket(_BracketTerms, Record):
    """A pair of orders that close a position: a stop and a target, of which one cancels the other.

    Parameters
    ----------
    side : Side or {"buy", "sell"}
        Side that closes the position: a sale for a long one.
    stop_price : float
        Price at which the loss is limited, below the target for a sale, above it for a purchase.
    target_price : float
        Price at which the profit is taken.
    entry_price : float, optional
        Price at which the position was opened on the bar itself; None if it was opened before.

    Raises
    ------
    TradingError
        A price is not above 0, or stop and target are on the wrong sides of each other.
    """

    @admits(TradingError)
    def __init__(
        self, side: Side | str, stop_price: float, target_price: float, entry_price: float | None = None
    ) -> None:
        closing = read_word(Side, side)
        for name, price in (("stop_price", stop_price), ("target_price", target_price), ("entry_price", entry_price)):
            if price is not None:
                number_in_range(name, price, TradingError, above=0.0)
        if closing.sign * (stop_price - target_price) <= 0.0:
            where = "below" if closing is Side.SELL else "above"
            raise TradingError(
                f"the stop {stop_price:g} of a bracket that closes by a {closing.value.lower()} order has to be "
                f"{where} its target {target_price:g}; swap them, or the side",
                name="stop_price",
                value=stop_price,
            )
        super().__init__(closing, stop_price, target_price, entry_price)


@dataclass(frozen=True, slots=True)
class BarFill(Record):
    """What a bar makes of an order; returned by :func:`fill_on_bar` and :func:`fill_bracket`.

    Parameters
    ----------
    price : float or None
        Price of the fill before costs; None if the order has not filled.
    reason : FillReason
        Reason of the fill, or why there is none.
    order : BarOrder or BarBracket
        Order as it works on the next bar: a trailing stop with its new stop, a triggered stop-limit as a limit order, a
        bracket without its entry.
    """

    price: float | None
    reason: FillReason
    order: BarOrder | BarBracket

    @property
    def is_filled(self) -> bool:
        """Whether the order has filled."""
        return self.price is not None


@admits(TradingError)
def fill_on_bar(order: BarOrder, bar: Bar, *, fill_on_touch: bool = False) -> BarFill:
    """Return whether and at which price an order fills on a bar.

    Parameters
    ----------
    order : BarOrder
        Order that works from the open of the bar on.
    bar : Bar
        Bar with all four prices; a volume of None is unknown, and does not prevent a fill.
    fill_on_touch : bool, default False
        Whether a limit that is touched, and not passed, fills.

    Raises
    ------
    TradingError
        A price of the bar is missing, not above 0 or outside its range, or the volume is no number.
    """
    return fill_on_checked_bar(order, checked_bar(bar), fill_on_touch=fill_on_touch)


def fill_on_checked_bar(
    order: BarOrder, bar: CheckedBar, *, fill_on_touch: bool = False, at_close: bool = False
) -> BarFill:
    """Return the same as :func:`fill_on_bar` for a bar that was checked.

    Parameters
    ----------
    order : BarOrder
        Order that works from the open of the bar on.
    bar : CheckedBar
        Bar that was checked.
    fill_on_touch : bool, default False
        Whether a limit that is touched, and not passed, fills.
    at_close : bool, default False
        Whether a market order fills at the close, and not at the open.
    """
    if bar.volume == 0.0:
        return BarFill(None, FillReason.NO_VOLUME, order)
    if order.order_type is OrderType.MARKET:
        return BarFill(bar.close if at_close else bar.open, FillReason.MARKET, order)
    day, sign = _seen(order.side, bar, fill_on_touch=fill_on_touch)
    return _signed(_FILLS[order.order_type](order, day, sign), sign)


@admits(TradingError)
def fill_bracket(bracket: BarBracket, bar: Bar, *, fill_on_touch: bool = False) -> BarFill:
    """Return whether and at which price a bracket closes its position on a bar.

    Parameters
    ----------
    bracket : BarBracket
        Stop and target.
    bar : Bar
        Bar with all four prices; a volume of None is unknown, and does not prevent a fill.
    fill_on_touch : bool, default False
        Whether a target that is touched, and not passed, fills.

    Raises
    ------
    TradingError
        A price of the bar is missing, not above 0 or outside its range, the volume is no number, or the entry is
        outside the bar.
    """
    return fill_bracket_on_checked_bar(bracket, checked_bar(bar), fill_on_touch=fill_on_touch)


def fill_bracket_on_checked_bar(bracket: BarBracket, bar: CheckedBar, *, fill_on_touch: bool) -> BarFill:
    """Return the same as :func:`fill_bracket` for a bar that was checked.

    Parameters
    ----------
    bracket : BarBracket
        Stop and target.
    bar : CheckedBar
        Bar that was checked.
    fill_on_touch : bool
        Whether a target that is touched, and not passed, fills.

    Raises
    ------
    TradingError
        The entry is outside the bar.
    """
    day, sign = _seen(bracket.side, bar, fill_on_touch=fill_on_touch)
    if bar.volume == 0.0:
        return BarFill(None, FillReason.NO_VOLUME, bracket)
    return _signed(_bracket(bracket, day, sign), sign)


class CheckedBar(NamedTuple):
    """A bar that can fill orders: all four prices are there, above 0 and within its range.

    Parameters
    ----------
    date : datetime
        Time of the bar.
    open, high, low, close : float
        Prices of the bar, above 0.
    volume : float or None
        Units traded, None if unknown.
    """

    date: dt.datetime
    open: float
    high: float
    low: float
    close: float
    volume: float | None


def checked_bar(bar: Bar) -> CheckedBar:
    """Return a bar that can fill orders.

    Parameters
    ----------
    bar : Bar
        Bar with all four prices; a volume of None is unknown.

    Raises
    ------
    TradingError
        A price of the bar is missing, not above 0 or outside its range, or the volume is no number.
    """
    given: Any = bar
    if not isinstance(given, Bar):
        raise TradingError(f"bar={given!r:.60} is no bar; give a Bar", name="bar", value=given)
    opening, high = _price_of(bar, "open", bar.open), _price_of(bar, "high", bar.high)
    low, close = _price_of(bar, "low", bar.low), _price_of(bar, "close", bar.close)
    if bar.volume is not None:
        number_in_range("volume", bar.volume, TradingError, least=0.0, hint="give None if it is unknown")
    least, most = low * (1.0 - _ROUNDED), high * (1.0 + _ROUNDED)
    if not (least <= high and least <= opening <= most and least <= close <= most):
        name, price = next(
            (name, price)
            for name, price in (("high", high), ("open", opening), ("close", close))
            if not least <= price <= most
        )
        raise TradingError(
            f"the {name} {price:g} of the bar of {bar.date:%Y-%m-%d} is outside its range, {low:g} to {high:g}; "
            "correct that bar",
            name=name,
            value=price,
        )
    return CheckedBar(bar.date, opening, high, low, close, bar.volume)


def _price_of(bar: Bar, name: str, price: float | None) -> float:
    if price is None:
        raise TradingError(f"the bar of {bar.date:%Y-%m-%d} has no {name}; a fill needs all four prices", name=name)
    return number_in_range(name, price, TradingError, above=0.0, hint="correct that bar")


@dataclass(frozen=True, slots=True)
class _Day:
    """A bar as a seller sees it: high is good, low is bad."""

    open: float
    high: float
    low: float
    close: float
    fill_on_touch: bool

    def reaches(self, price: float, limit: float) -> bool:
        """Whether a price lets a limit fill: it is above the limit, or at it where touching is enough."""
        return price > limit or (self.fill_on_touch and price == limit)


def _seen(side: Side, bar: CheckedBar, *, fill_on_touch: bool) -> tuple[_Day, float]:
    """Return a checked bar, and −1 for a purchase: a sale at negated prices, so that each rule is stated once."""
    sign = -side.sign
    prices = sign * bar.open, sign * bar.high, sign * bar.low, sign * bar.close
    return _Day(prices[0], max(prices), min(prices), prices[3], fill_on_touch), sign


def _signed(fill: BarFill, sign: float) -> BarFill:
    return fill if fill.price is None else replace(fill, price=sign * fill.price)


def _check_terms(kind: OrderType, given: dict[str, float]) -> None:
    for name, value in given.items():
        most = 1.0 - _ROUNDED if name == "trail_share" else None
        number_in_range(name, value, TradingError, above=0.0, most=most)
    called = kind.value.replace("_", " ").lower()
    for name in _NEEDED[kind]:
        if name not in given:
            raise TradingError(f"a {called} order needs a {name}; give one", name=name)
    for name in given:
        if name not in (*_NEEDED[kind], *_OPTIONAL.get(kind, ())):
            raise TradingError(f"a {called} order has no {name}; leave it out", name=name)
    if kind is OrderType.TRAILING_STOP and ("trail_amount" in given) == ("trail_share" in given):
        raise TradingError("a trailing stop needs either a trail_amount or a trail_share; give one of the two")


def _limit(order: BarOrder, day: _Day, sign: float) -> BarFill:
    limit = sign * _known(order.limit_price)
    if day.open >= limit:
        return BarFill(day.open, FillReason.LIMIT, order)
    if day.reaches(day.high, limit):
        return BarFill(limit, FillReason.LIMIT, order)
    return BarFill(None, FillReason.NOT_REACHED, order)


def _stop(order: BarOrder, day: _Day, sign: float) -> BarFill:
    stop = sign * _known(order.stop_price)
    if day.low > stop:
        return BarFill(None, FillReason.NOT_REACHED, order)
    return BarFill(min(day.open, stop), FillReason.STOP, order)


def _stop_limit(order: BarOrder, day: _Day, sign: float) -> BarFill:
    stop, limit = sign * _known(order.stop_price), sign * _known(order.limit_price)
    if day.low > stop:
        return BarFill(None, FillReason.NOT_REACHED, order)
    working = BarOrder(order.side, OrderType.LIMIT, limit_price=order.limit_price)
    if day.open <= stop:
        return replace(_limit(working, day, sign), order=working)
    if stop >= limit:
        return BarFill(stop, FillReason.LIMIT, working)
    # The high may have come before the stop, but the close came after it.
    price = limit if day.reaches(day.close, limit) else None
    return BarFill(price, FillReason.NOT_REACHED if price is None else FillReason.LIMIT, working)


def _trailing_stop(order: BarOrder, day: _Day, sign: float) -> BarFill:
    before = -math.inf if order.stop_price is None else sign * order.stop_price
    if day.open <= before:
        return BarFill(day.open, FillReason.STOP, order)
    opening, raised = (max(before, _trailed(order, best, sign)) for best in (day.open, day.high))
    for reached, stop in ((day.low, opening), (day.close, max(opening, raised))):
        if reached <= stop:
            return BarFill(stop, FillReason.STOP, replace(order, stop_price=sign * stop))
    stop = sign * max(opening, raised)
    # A trail longer than the price leaves no stop yet.
    return BarFill(None, FillReason.NOT_REACHED, replace(order, stop_price=stop if stop > 0.0 else None))


def _trailed(order: BarOrder, best: float, sign: float) -> float:
    if order.trail_amount is not None:
        return best - order.trail_amount
    return best * (1.0 - sign * _known(order.trail_share))


def _bracket(order: BarBracket, day: _Day, sign: float) -> BarFill:
    stop, target = sign * order.stop_price, sign * order.target_price
    after = replace(order, entry_price=None)
    entry = day.open if order.entry_price is None else sign * order.entry_price
    if not day.low <= entry <= day.high:
        raise TradingError(
            f"entry_price={order.entry_price!r} is outside the bar; give the price of the fill on this bar, or None",
            name="entry_price",
            value=order.entry_price,
        )
    if day.low <= stop:
        return BarFill(min(entry, stop), FillReason.STOP, after)
    if entry >= target:
        return BarFill(entry, FillReason.TARGET, after)
    # A position opened below the open may have been opened after the high, but the close came after it.
    best = day.high if entry >= day.open else day.close
    if day.reaches(best, target):
        return BarFill(target, FillReason.TARGET, after)
    return BarFill(None, FillReason.NOT_REACHED, after)


_FILLS: dict[OrderType, Callable[[BarOrder, _Day, float], BarFill]] = {
    OrderType.LIMIT: _limit,
    OrderType.STOP: _stop,
    OrderType.STOP_LIMIT: _stop_limit,
    OrderType.TRAILING_STOP: _trailing_stop,
}


def _known(price: float | None) -> float:
    """Return a price that the checks of the order have found to be there."""
    if price is None:
        raise TradingError("the order lacks a price; make it by BarOrder(...)")
    return price

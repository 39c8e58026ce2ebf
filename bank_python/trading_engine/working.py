"""Orders that work: how each kind meets a bar.

A :class:`Resting` order waits for its price, or sells and buys by a schedule. A :class:`Protection` is the stop and the
target of a position, of which the one that fills cancels the other. Both say what they would do on a bar; the engine
fills.

Examples
--------
>>> import datetime as dt
>>> from bank_python.trading_engine.bar_fills import CheckedBar
>>> order = Order("ORD-1", "Alice", "AAPL", "BUY", 100, "LIMIT", 97.0)
>>> bar = CheckedBar(dt.datetime(2026, 1, 5, tzinfo=dt.UTC), 100.0, 105.0, 95.0, 102.0, 1e6)
>>> met = Resting(order).meet(bar)
>>> met.price, met.units
(97.0, 100.0)
"""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from bank_python.trading_engine.bar_fills import (
    BarBracket,
    BarOrder,
    FillReason,
    fill_bracket_on_checked_bar,
    fill_on_checked_bar,
)
from bank_python.trading_engine.order import Order
from bank_python.trading_engine.words import OrderType, Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.trading_engine.bar_fills import CheckedBar


__all__ = ["Meeting", "Protection", "Resting", "Waiting", "bracket_fault", "is_dust", "protection_of"]

_FAR, _NEAR = sys.float_info.max, sys.float_info.min  # prices of no bar, for a bracket with a stop or a target only
_NO_PRICES = None, None, None
_AT_MARKET = {side: BarOrder(side, OrderType.MARKET) for side in Side}  # made once, as most orders are of this kind
_TRIGGERED = frozenset({OrderType.STOP, OrderType.TRAILING_STOP})
_DUST = 1e-9  # share of an order up to which units are rounding


@dataclass(frozen=True, slots=True)
class Meeting:
    """What an order would do on a bar: fill so many units at a price before costs."""

    order: Order
    price: float
    units: float


class Waiting(ABC):
    """What works until a bar reaches it."""

    @property
    @abstractmethod
    def orders(self) -> tuple[Order, ...]:
        """Orders that work, each in its present state."""

    @property
    @abstractmethod
    def pending(self) -> tuple[float, float]:
        """Units that it may buy and sell."""

    @abstractmethod
    def meet(self, bar: CheckedBar, *, fill_on_touch: bool = False, at_close: bool = False) -> Meeting | None:
        """Return what it would do on a bar that was checked, None if nothing; a trailing stop follows the bar."""

    @abstractmethod
    def after_fill(self, order: Order) -> tuple[Order, ...]:
        """Take an order after its fill, and return those that it makes superfluous."""

    @abstractmethod
    def without(self, order_id: str) -> Waiting | None:
        """Return what goes on working after one of the orders has ended, None if nothing does."""

    @property
    def instrument(self) -> str:
        """Name of the instrument."""
        return self.orders[0].instrument_name

    @property
    def trader(self) -> str:
        """Name of the trader."""
        return self.orders[0].trader


class Resting(Waiting):
    """An order that waits for its price, or that is traded by a schedule.

    Parameters
    ----------
    order : Order
        Order with a name.
    delay : int, default 0
        Number of bars that pass before the first one on which it can fill.
    schedule : sequence of float, default ()
        Units to trade on each bar at the market, which add up to the quantity; what a bar did not fill goes on.
    """

    def __init__(self, order: Order, delay: int = 0, schedule: Sequence[float] = ()) -> None:
        self._order, self._delay, self._schedule = order, delay, tuple(schedule)
        done = order.filled_qty
        self._bars = sum(total <= done for total in accumulate(self._schedule)) if done else 0  # parts of before
        prices = order.limit_price, order.stop_price, order.trail
        if order.order_type is OrderType.MARKET and prices == _NO_PRICES:
            self._seen = _AT_MARKET[order.side]
        else:
            self._seen = BarOrder(order.side, order.order_type, *prices)
        if order.filled_qty:
            self._trigger()

    @property
    def orders(self) -> tuple[Order, ...]:
        """The order."""
        return (self._order,)

    @property
    def pending(self) -> tuple[float, float]:
        """What remains of the order."""
        left = self._order.remaining
        return (left, 0.0) if self._order.side is Side.BUY else (0.0, left)

    def meet(self, bar: CheckedBar, *, fill_on_touch: bool = False, at_close: bool = False) -> Meeting | None:
        """Return the fill on a bar, once the delay is over."""
        if self._delay > 0:
            self._delay -= 1
            return None
        self._bars += 1
        met = fill_on_checked_bar(self._seen, bar, fill_on_touch=fill_on_touch, at_close=at_close)
        self._seen = met.order if isinstance(met.order, BarOrder) else self._seen
        units = self._due()
        return None if met.price is None or is_dust(units, self._order) else Meeting(self._order, met.price, units)

    def after_fill(self, order: Order) -> tuple[Order, ...]:
        """Go on with what is left; a triggered stop goes on at the market."""
        self._order = order
        self._trigger()
        return ()

    def without(self, order_id: str) -> Waiting | None:  # noqa: ARG002 - it has one order only
        """Return None: nothing is left."""
        return None

    def _trigger(self) -> None:
        """Go on at the market, or at the limit, with an order whose stop was reached."""
        order = self._order
        if self._seen.order_type in _TRIGGERED:
            self._seen = _AT_MARKET[order.side]
        elif self._seen.order_type is OrderType.STOP_LIMIT:
            self._seen = BarOrder(order.side, OrderType.LIMIT, order.limit_price)

    def _due(self) -> float:
        """Return the units that may be traded by now."""
        if not self._schedule or self._bars >= len(self._schedule):
            return self._order.remaining
        return min(math.fsum(self._schedule[: self._bars]) - self._order.filled_qty, self._order.remaining)


class Protection(Waiting):
    """Stop and target of a position, or one of them: the engine lets them close what is held, and no more.

    Parameters
    ----------
    stop, target : Order, optional
        Orders of one side and quantity; at least one of them.
    entry_price : float, optional
        Price at which the position was opened on the bar that is met first; None if it was opened before.
    """

    def __init__(self, stop: Order | None, target: Order | None, entry_price: float | None = None) -> None:
        self._stop, self._target = stop, target
        self._is_triggered = stop is not None and stop.filled_qty > 0.0
        self._seen = _bracket(self.orders[0].side, stop, target, entry_price)

    @property
    def orders(self) -> tuple[Order, ...]:
        """Those of the two that work."""
        return tuple(order for order in (self._stop, self._target) if order is not None)

    @property
    def pending(self) -> tuple[float, float]:
        """Nothing: it closes what is held, and opens nothing."""
        return 0.0, 0.0

    def meet(self, bar: CheckedBar, *, fill_on_touch: bool = False, at_close: bool = False) -> Meeting | None:
        """Return the fill of the one that the bar reaches; of both, the stop."""
        if self._is_triggered and self._stop is not None:
            price = fill_on_checked_bar(_AT_MARKET[self._stop.side], bar, at_close=at_close).price
            return None if price is None else Meeting(self._stop, price, self._stop.remaining)
        met = fill_bracket_on_checked_bar(self._seen, bar, fill_on_touch=fill_on_touch)
        self._seen = met.order if isinstance(met.order, BarBracket) else self._seen
        order = self._stop if met.reason is FillReason.STOP else self._target
        return None if met.price is None or order is None else Meeting(order, met.price, order.remaining)

    def entered_at(self, price: float) -> Protection:
        """Return the protection of a position that was opened, at a price, on the bar that it meets next."""
        self._seen = _bracket(self.orders[0].side, self._stop, self._target, price)
        return self

    def after_fill(self, order: Order) -> tuple[Order, ...]:
        """Return the other order, which is cancelled; what is left of a stop goes on at the market."""
        self._is_triggered = is_stop = self._stop is not None and order.order_id == self._stop.order_id
        other = self._target if is_stop else self._stop
        self._stop, self._target = (order, None) if is_stop else (None, order)
        self._seen = _bracket(order.side, self._stop, self._target, None)
        return () if other is None else (other,)

    def without(self, order_id: str) -> Waiting | None:
        """Return the other order as a protection of its own."""
        stop, target = (
            None if order is None or order.order_id == order_id else order for order in (self._stop, self._target)
        )
        return None if stop is None and target is None else Protection(stop, target)


def is_dust(units: float, order: Order) -> bool:
    """Return whether units are none, or so small a part of an order that they are the rounding of sums.

    Parameters
    ----------
    units : float
        Units that could fill.
    order : Order
        Order that they are a part of.
    """
    return not units > _DUST * order.quantity


def protection_of(entry: Order, units: float) -> tuple[Order | None, Order | None]:
    """Return the stop and the target for units that an order has opened, without names yet.

    Parameters
    ----------
    entry : Order
        Order that has filled, with the prices of its bracket.
    units : float
        Units to protect, above 0.
    """
    side = Side.SELL if entry.side is Side.BUY else Side.BUY

    def closing(kind: OrderType, what: str, limit: float | None, stop: float | None) -> Order:
        level = limit if stop is None else stop
        return Order(
            "", entry.trader, entry.instrument_name, side, units, kind, limit, stop, price=level,
            strategy=entry.strategy, reason=f"{what} of {entry.order_id}",
        ).protecting(entry.order_id)  # fmt: skip

    return (
        None if entry.stop_loss is None else closing(OrderType.STOP, "stop", None, entry.stop_loss),
        None if entry.take_profit is None else closing(OrderType.LIMIT, "target", entry.take_profit, None),
    )


def bracket_fault(order: Order, price: float) -> str:
    """Return why the stop or the target of an order would be reached at once, empty if neither would.

    Parameters
    ----------
    order : Order
        Order with or without a stop and a target.
    price : float
        Present price, above 0.
    """
    sign = order.side.sign
    asked = order.stop_price if order.limit_price is None else order.limit_price
    entry = price if asked is None else asked
    if order.order_type is OrderType.LIMIT:  # filled at the present price if that is better
        entry = sign * min(sign * entry, sign * price)
    below, above = ("below", "above") if order.side is Side.BUY else ("above", "below")
    for name, level, way, where in (
        ("stop_loss", order.stop_loss, 1.0, below),
        ("take_profit", order.take_profit, -1.0, above),
    ):
        if level is not None and not way * sign * (entry - level) > 0.0:
            return f"{name}={level:g} of a {order.side.value} order has to be {where} {entry:g}, where it would fill"
    return ""


def _bracket(side: Side, stop: Order | None, target: Order | None, entry_price: float | None) -> BarBracket:
    far, near = (_FAR, _NEAR) if side is Side.SELL else (_NEAR, _FAR)
    return BarBracket(
        side,
        near if stop is None or stop.stop_price is None else stop.stop_price,
        far if target is None or target.limit_price is None else target.limit_price,
        entry_price,
    )

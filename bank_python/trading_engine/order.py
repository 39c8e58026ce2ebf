"""Orders: what a trader or a signal wants, with the states of its life.

An order is immutable. A change of state makes a new one, and only the changes of this table are allowed:

================  ========================================================================
PENDING           PARTIALLY_FILLED, FILLED, CANCELLED, REJECTED, EXPIRED
PARTIALLY_FILLED  PARTIALLY_FILLED, FILLED, CANCELLED, EXPIRED
others            none
================  ========================================================================

Examples
--------
>>> order = Order("ORD-000001", "Alice", "AAPL", "BUY", 100, price=228.0, reason="20-day momentum")
>>> part = order.filled(60, 228.1, fees=0.3)
>>> part.status.value, part.remaining
('PARTIALLY_FILLED', 40.0)
>>> done = part.filled(40, 228.2)
>>> done.status.value, round(done.filled_price, 2)
('FILLED', 228.14)
>>> done.cancelled()
Traceback (most recent call last):
    ...
bank_python.errors.TradingError: ORD-000001 is FILLED and cannot become CANCELLED
"""

from __future__ import annotations

import enum
import functools
import math
import numbers
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.trading_engine.words import OrderStatus, OrderType, Side, TimeInForce
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["Order", "check_change"]

_ROUNDED = 1e-9  # share of a quantity up to which what is left of it is rounding
_CHANGES = {
    OrderStatus.PENDING: frozenset(OrderStatus) - {OrderStatus.PENDING},
    OrderStatus.PARTIALLY_FILLED: frozenset(OrderStatus) - {OrderStatus.PENDING, OrderStatus.REJECTED},
}

Price: TypeAlias = float | None

_Word = TypeVar("_Word", bound=enum.Enum)


@dataclass(frozen=True, slots=True)
class Order(Record):
    """An order.

    Parameters
    ----------
    order_id : str
        Name of the order; the engine names orders with an empty one.
    trader, instrument_name : str
        Names of the trader and of the instrument, the latter not empty.
    side : Side or str
        BUY or SELL.
    quantity : float
        Number of units, above 0.
    order_type : OrderType or str, default "MARKET"
        Kind of order.
    limit_price : float, optional
        Limit of a LIMIT or STOP_LIMIT order.
    status : OrderStatus
        State of the order, which begins as PENDING.
    filled_qty, filled_price : float
        Number of units filled so far, and their mean price.
    fill_cost : float
        Fees paid so far.
    created_at, filled_at : str
        Times of submission and of the last fill, ISO 8601.
    reject_reason : str
        Reason of a rejection.
    stop_price : float, optional
        Stop of a STOP or STOP_LIMIT order.
    trail : float, optional
        Distance of a TRAILING_STOP from the best price, in the unit of the price, above 0.
    time_in_force : TimeInForce or str, default "GTC"
        Lifetime of the order.
    price : float, optional
        Last price that the signal saw, at which the order fills unless a market is attached.
    strategy, reason : str, default ""
        Name of the strategy behind the order, and reason in words.
    strength : float, default 1.0
        Strength of the signal behind it, in [0, 1].
    stop_loss, take_profit : float, optional
        Prices at which what the order opens is closed again; see :meth:`bracketed`.
    closes : tuple of str
        Names of the lots that the order closes; see :meth:`closing`.
    parent : str
        Name of the order whose position this one protects; empty for others.

    Raises
    ------
    TradingError
        A word is unknown, a number is out of range, or a price that the kind of order needs is missing.
    """

    order_id: str
    trader: str
    instrument_name: str
    side: Side
    quantity: float
    order_type: OrderType = OrderType.MARKET
    limit_price: Price = None
    status: OrderStatus = field(default=OrderStatus.PENDING, init=False)
    filled_qty: float = field(default=0.0, init=False)
    filled_price: float = field(default=0.0, init=False)
    fill_cost: float = field(default=0.0, init=False)
    created_at: str = field(default="", init=False)
    filled_at: str = field(default="", init=False)
    reject_reason: str = field(default="", init=False)
    stop_price: Price = None
    trail: Price = None
    time_in_force: TimeInForce = TimeInForce.GTC
    price: Price = None
    strategy: str = ""
    reason: str = ""
    strength: float = 1.0
    stop_loss: Price = field(default=None, init=False)
    take_profit: Price = field(default=None, init=False)
    closes: tuple[str, ...] = field(default=(), init=False)
    parent: str = field(default="", init=False)

    def __post_init__(self) -> None:
        for word, kind in (
            ("side", Side),
            ("order_type", OrderType),
            ("time_in_force", TimeInForce),
        ):
            given = getattr(self, word)
            if given.__class__ is not kind:
                object.__setattr__(self, word, _word(kind, given, word))
        name: Any = self.instrument_name
        if not isinstance(name, str) or not name:
            raise TradingError(
                f"instrument_name={self.instrument_name!r}; give the name of what is ordered", name="instrument_name"
            )
        object.__setattr__(self, "quantity", _number("quantity", self.quantity, least=0.0))
        self._require_prices()
        if not 0.0 <= _number("strength", self.strength) <= 1.0:
            raise TradingError(f"strength={self.strength!r} is outside [0, 1]", name="strength", value=self.strength)

    @property
    def signed_quantity(self) -> float:
        """Quantity, negative for a sale."""
        return self.side.sign * self.quantity

    @property
    def remaining(self) -> float:
        """Number of units that are not filled yet."""
        left = self.quantity - self.filled_qty
        return left if left > _ROUNDED * self.quantity else 0.0

    def bracketed(self, *, stop_loss: float | None = None, take_profit: float | None = None) -> Self:
        """Return the order with a stop, a target or both that close what it opens; one that fills cancels the other.

        Parameters
        ----------
        stop_loss : float, optional
            Price of the stop, above 0: below the target for a purchase, above it for a sale.
        take_profit : float, optional
            Price of the target, above 0.

        Raises
        ------
        TradingError
            A price is out of range, both are missing, or they are on the wrong sides of each other.
        """
        given = {"stop_loss": stop_loss, "take_profit": take_profit}
        prices = {name: _number(name, price, least=0.0) for name, price in given.items() if price is not None}
        if not prices:
            raise TradingError("a bracket needs stop_loss, take_profit or both", name="stop_loss")
        if len(prices) > 1 and self.side.sign * (prices["take_profit"] - prices["stop_loss"]) <= 0.0:
            where = "below" if self.side is Side.BUY else "above"
            raise TradingError(
                f"stop_loss={stop_loss!r} of a {self.side.value} order has to be {where} take_profit={take_profit!r}; "
                "swap them, or the side",
                name="stop_loss",
                value=stop_loss,
            )
        return self._with(**prices)

    def closing(self, *lots: str) -> Self:
        """Return the order with the names of the lots that it closes, for a ledger of named lots.

        Parameters
        ----------
        *lots : str
            Names of open lots, closed in their order.

        Raises
        ------
        TradingError
            No name is given, or one is empty.
        """
        given: tuple[Any, ...] = lots
        if not given or not all(isinstance(lot, str) and lot for lot in given):
            raise TradingError(f"closing{lots!r} names no lots; give the names of open lots", name="lots", value=lots)
        return self._with(closes=lots)

    def at_price(self, price: float) -> Self:
        """Return the order with another price that its signal saw.

        Parameters
        ----------
        price : float
            Price per unit; any finite number.

        Raises
        ------
        TradingError
            It is no finite number.
        """
        return self._with(price=_number("price", price))

    def protecting(self, parent: str) -> Self:
        """Return the order as one that protects the position of another.

        Parameters
        ----------
        parent : str
            Name of the other order.
        """
        return self._with(parent=parent)

    def filled(self, quantity: float, price: float, *, fees: float = 0.0, at: str = "") -> Self:
        """Return the order after a fill of a part of it or of the rest.

        Parameters
        ----------
        quantity : float
            Number of units filled, above 0 and at most what remains.
        price : float
            Price per unit; any finite number.
        fees : float, default 0.0
            Fees of the fill.
        at : str, default ""
            Time of the fill, ISO 8601.

        Raises
        ------
        TradingError
            The order is not open, or a number is out of range.
        """
        units, paid = _number("quantity", quantity, least=0.0), _number("price", price)
        if units > self.remaining * (1.0 + _ROUNDED):
            raise TradingError(
                f"{self.order_id} has {self.remaining:g} units left, fewer than {units:g}", name="quantity", value=units
            )
        total = self.filled_qty + units
        whole = total >= self.quantity * (1.0 - _ROUNDED)
        status = OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED
        check_change(self, status)
        mean = self.filled_price + (paid - self.filled_price) * (units / total) if self.filled_qty else paid
        return self._with(
            status=status,
            filled_qty=self.quantity if whole else total,
            filled_price=mean,
            fill_cost=self.fill_cost + _number("fees", fees),
            filled_at=at,
        )

    def submitted(self, order_id: str, at: str) -> Self:
        """Return the order with its name and the time of its submission.

        Parameters
        ----------
        order_id : str
            Name of the order.
        at : str
            Time of submission, ISO 8601.
        """
        return self._with(order_id=order_id, created_at=at)

    def cancelled(self) -> Self:
        """Return the order cancelled.

        Raises
        ------
        TradingError
            The order is not open.
        """
        return self._changed(OrderStatus.CANCELLED)

    def expired(self) -> Self:
        """Return the order expired.

        Raises
        ------
        TradingError
            The order is not open.
        """
        return self._changed(OrderStatus.EXPIRED)

    def rejected(self, reason: str) -> Self:
        """Return the order rejected for a reason.

        Parameters
        ----------
        reason : str
            Reason of the rejection.

        Raises
        ------
        TradingError
            The order is not pending.
        """
        check_change(self, OrderStatus.REJECTED)
        return self._with(status=OrderStatus.REJECTED, reject_reason=reason)

    def _changed(self, status: OrderStatus) -> Self:
        check_change(self, status)
        return self._with(status=status)

    def _with(self, **changes: object) -> Self:
        """Return a copy with some of the fields that only the life of an order changes."""
        changed = object.__new__(type(self))
        for write, value in zip(_WRITERS.values(), _fields_of(self), strict=True):
            write(changed, value)
        for name, value in changes.items():
            _WRITERS[name](changed, value)
        return changed

    def _require_prices(self) -> None:
        for name in ("limit_price", "stop_price", "trail", "price"):
            value = getattr(self, name)
            if value is not None:
                _number(name, value, least=0.0 if name == "trail" else None)
        needed = {
            OrderType.LIMIT: ("limit_price",),
            OrderType.STOP: ("stop_price",),
            OrderType.STOP_LIMIT: ("stop_price", "limit_price"),
            OrderType.TRAILING_STOP: ("trail",),
        }.get(self.order_type, ())
        for name in needed:
            if getattr(self, name) is None:
                raise TradingError(f"a {self.order_type.value} order needs {name}", name=name)


# An order is copied at each step of its life: by its slots, as that is the fastest way.
_WRITERS: dict[str, Callable[[Order, object], None]] = {
    name: Order.__dict__[name].__set__ for name in Order.__dataclass_fields__
}
_fields_of = attrgetter(*_WRITERS)


def check_change(order: Order, status: OrderStatus) -> None:
    """Raise an error unless an order may change to a state.

    Parameters
    ----------
    order : Order
        Order with its present state.
    status : OrderStatus
        State to change to.

    Raises
    ------
    TradingError
        The change is not in the table of the module.
    """
    if status not in _CHANGES.get(order.status, frozenset()):
        raise TradingError(
            f"{order.order_id or 'the order'} is {order.status.value} and cannot become {status.value}",
            name=order.order_id,
            value=status.value,
        )


@functools.cache
def _members(kind: type[enum.Enum]) -> dict[str, enum.Enum]:
    return {member.value: member for member in kind}


def _word(kind: type[_Word], value: Any, name: str) -> _Word:
    if isinstance(value, kind):
        return value
    known = _members(kind)
    if isinstance(value, str) and value.upper() in known:
        return cast("_Word", known[value.upper()])
    advice = did_you_mean(value, known, f"choose one of {', '.join(known)}")
    raise TradingError(f"no {name} {value!r}; {advice}", name=name, value=value)


def _number(name: str, value: Any, least: float | None = None) -> float:
    """Return a finite number, above `least` if that is given."""
    try:
        is_number = value.__class__ is float or (isinstance(value, numbers.Real) and not isinstance(value, bool))
        number = float(value) if is_number else math.nan
    except OverflowError:  # a whole number above all floats
        number = math.inf
    if not math.isfinite(number) or (least is not None and not number > least):
        wanted = "a finite number" if least is None else f"a finite number above {least:g}"
        raise TradingError(f"{name}={value!r:.60} is not {wanted}", name=name, value=value)
    return number

"""The audit trail read again: the books to which its events lead, and its orders in their last states.

Examples
--------
>>> from bank_python.trading_engine.engine import TradingEngine
>>> engine = TradingEngine()
>>> fill = engine.submit(Order("", "Alice", "AAPL", "BUY", 100, price=228.0))
>>> replay(engine.audit).quantity("AAPL"), known_orders(engine.audit)["ORD-000001"] == fill.order
(100.0, True)
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bank_python.errors import TradingError
from bank_python.mntable import Table
from bank_python.trading_engine.audit import AuditTrail
from bank_python.trading_engine.events import event_from_dict
from bank_python.trading_engine.ledger import Ledger
from bank_python.trading_engine.order import Order
from bank_python.trading_engine.words import OrderType
from bank_python.trading_engine.working import Protection, Resting, Waiting
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bank_python.trading_engine.audit import AuditEvent

__all__ = [
    "BOOK",
    "FILL",
    "KILL",
    "RESUME",
    "SUBMIT",
    "fills_in",
    "known_orders",
    "replay",
    "stop_in",
    "terms_of",
    "waiting_in",
]

_FILLS = [
    *((name, str) for name in ("order_id", "trader", "instrument", "side", "strategy", "when")),
    *((name, float) for name in ("quantity", "price", "reference", "fees")),
]
SUBMIT, FILL, BOOK, KILL, RESUME = "ORDER_SUBMIT", "FILL", "BOOK", "KILL", "RESUME"


def replay(audit: AuditTrail, ledger: Ledger | None = None, *, trader: str | None = None) -> Ledger:
    """Return the books to which the fills and other events of an audit trail lead.

    Parameters
    ----------
    audit : AuditTrail
        Trail of an engine.
    ledger : Ledger, optional
        Books before the first event; new ones in USD by default.
    trader : str, optional
        Trader whose events are booked; all by default.

    Raises
    ------
    TradingError
        The trail is broken, or an event cannot be booked.
    """
    if not isinstance(audit, AuditTrail):
        raise TradingError(f"{audit!r:.60} is no audit trail; give that of an engine", value=audit)
    check = audit.verify()
    if not check.holds:
        raise TradingError(
            f"the audit trail is broken at event {check.first_bad}: {check.reason}", value=check.first_bad
        )
    made = Ledger() if ledger is None else ledger
    for event in audit:
        if event.event_type in {FILL, BOOK} and trader in {None, event.trader}:
            with _naming(event):
                made.book(event_from_dict(event.figures["event"]))
    return made


def stop_in(audit: AuditTrail) -> str:
    """Return the reason for which trading is stopped at the end of a trail, empty if it is not.

    Parameters
    ----------
    audit : AuditTrail
        Trail of an engine.
    """
    reason = ""
    for event in audit:
        if event.event_type in {KILL, RESUME}:
            reason = event.why if event.event_type == KILL else ""
    return reason


def fills_in(audit: AuditTrail) -> Table:
    """Return a table with a row for each fill of a trail: names, units, prices, fees, time.

    Parameters
    ----------
    audit : AuditTrail
        Trail of an engine.
    """
    orders = known_orders(audit)
    rows = []
    for event in audit:
        if event.event_type == FILL:
            with _naming(event):
                rows.append(_fill_row(event, orders[event.order_id]))
    return Table.from_rows(_FILLS, rows)


def _fill_row(event: AuditEvent, order: Order) -> dict[str, Any]:
    fill = event.figures["event"]
    words = (order.order_id, order.trader, order.instrument_name, order.side.value, order.strategy, fill["when"])
    price = event.figures.get("price", fill["price"])
    numbers = (abs(fill["quantity"]), price, event.figures.get("reference", price), fill.get("fees", 0.0))
    names = [name for name, _ in _FILLS]
    return dict(zip(names, (*words, *map(float, numbers)), strict=True))


def terms_of(order: Order) -> dict[str, Any]:
    """Return what an order asks for, in the types of JSON; what it leaves out is absent."""
    terms = {
        "side": order.side.value,
        "quantity": order.quantity,
        "order_type": order.order_type.value,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "trail": order.trail,
        "time_in_force": order.time_in_force.value,
        "price": order.price,
        "strategy": order.strategy or None,
        "strength": order.strength,
        "stop_loss": order.stop_loss,
        "take_profit": order.take_profit,
        "closes": list(order.closes) or None,
        "parent": order.parent or None,
        "at": order.created_at,
    }
    return {name: value for name, value in terms.items() if value is not None}


def known_orders(audit: AuditTrail) -> dict[str, Order]:
    """Return the orders of a trail by name, each in its last state.

    Parameters
    ----------
    audit : AuditTrail
        Trail of an engine.
    """
    found: dict[str, Order] = {}
    for event in audit:
        with _naming(event):
            if event.event_type == SUBMIT:
                found[event.order_id] = _order_of(event)
            elif event.order_id in found:
                found[event.order_id] = _changed(found[event.order_id], event)
    return found


def waiting_in(audit: AuditTrail, orders: Mapping[str, Order]) -> dict[str, Waiting]:
    """Return what works at the end of a trail, by the names of its orders; a trailing stop begins anew.

    Parameters
    ----------
    audit : AuditTrail
        Trail of an engine.
    orders : mapping of str to Order
        Orders of the trail by name.
    """
    is_open = {name for name, order in orders.items() if order.status.is_open}
    submitted = (event for event in audit if event.event_type == SUBMIT and event.order_id in is_open)
    schedules = {event.order_id: event.figures.get("schedule", ()) for event in submitted}
    pairs = _pairs_of(orders)
    found: dict[str, Waiting] = {}
    for name, order in orders.items():
        if name not in is_open or name in found:
            continue
        waiting = _protection(pairs[name]) if name in pairs else Resting(order, schedule=schedules.get(name, ()))
        found |= {each.order_id: waiting for each in waiting.orders}
    return {name: found[name] for name in orders if name in found}


def _pairs_of(orders: Mapping[str, Order]) -> dict[str, tuple[Order, ...]]:
    """Return by their names the orders that protect one fill: a stop, a target, or a stop and then its target."""
    found: dict[str, tuple[Order, ...]] = {}
    alone: dict[str, Order] = {}  # stops by the name of their entry, until the target follows
    for order in orders.values():
        entry = orders.get(order.parent)
        if entry is None or not (_is_stop(order, entry) or _is_target(order, entry)):
            continue
        stop = alone.pop(entry.order_id, None) if order.order_type is OrderType.LIMIT else None
        if order.order_type is OrderType.STOP:
            alone[entry.order_id] = order
        pair = (order,) if stop is None else (stop, order)
        found |= {each.order_id: pair for each in pair}
    return found


def _is_stop(order: Order, entry: Order) -> bool:
    return order.order_type is OrderType.STOP and order.stop_price == entry.stop_loss


def _is_target(order: Order, entry: Order) -> bool:
    return order.order_type is OrderType.LIMIT and order.limit_price == entry.take_profit


def _protection(pair: Sequence[Order]) -> Protection:
    stop, target = (
        next((each for each in pair if each.status.is_open and each.order_type is kind), None)
        for kind in (OrderType.STOP, OrderType.LIMIT)
    )
    return Protection(stop, target)


@contextmanager
def _naming(event: AuditEvent) -> Iterator[None]:
    """Name the event of a trail that cannot be read, such as one of other people with the name of ours."""
    try:
        yield
    except TradingError as error:
        error.add_note(f"event {event.number} of the audit trail, {event.event_type}")
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TradingError(
            f"event {event.number} of the audit trail is no {event.event_type} of an engine "
            f"({type(error).__name__}: {message_of(error)}); give events of your own other names",
            name=event.event_type,
            value=event.number,
        ) from error


def _order_of(event: AuditEvent) -> Order:
    terms = event.figures
    words = ("order_type", "limit_price", "stop_price", "trail", "time_in_force", "price", "strategy", "strength")
    given = {name: terms[name] for name in words if name in terms}
    order = Order(
        event.order_id, event.trader, event.instrument, terms["side"], terms["quantity"], reason=event.why, **given
    )
    bracket = {name: terms[name] for name in ("stop_loss", "take_profit") if name in terms}
    order = order.bracketed(**bracket) if bracket else order
    order = order.closing(*terms["closes"]) if "closes" in terms else order
    order = order.protecting(terms["parent"]) if "parent" in terms else order
    return order.submitted(event.order_id, terms.get("at", event.timestamp.isoformat()))


def _changed(order: Order, event: AuditEvent) -> Order:
    """Return an order after an event of its life; events of other kinds leave it as it is."""
    match event.event_type:
        case "FILL":
            fill = event.figures["event"]
            price = event.figures.get("price", fill["price"])
            return order.filled(abs(fill["quantity"]), price, fees=fill.get("fees", 0.0), at=fill["when"])
        case "REJECT":
            return order.rejected(event.why)
        case "CANCEL":
            return order.cancelled()
        case "EXPIRE":
            return order.expired()
        case _:
            return order

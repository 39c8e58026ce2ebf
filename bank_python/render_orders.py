"""Terminal views of orders and the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.sheet import Sheet, names, numbers, words

if TYPE_CHECKING:
    from bank_python.trading_engine.audit import AuditTrail
    from bank_python.trading_engine.engine import TradingEngine
    from bank_python.trading_engine.order import Order

__all__ = ["audit_view", "engine_view", "orders_view"]

_LAST = 12


def engine_view(engine: TradingEngine) -> Sheet:
    """Show the last orders of an engine with their states, and what it holds."""
    shown = _orders(f"Trading engine, {len(engine.orders):,} orders", list(engine.orders.values()))
    held = ", ".join(f"{units:,.6g} {name}" for name, units in list(engine.positions.items())[:_LAST])
    shown.note(f"holds {held}" if held else "holds nothing")
    shown.note(f"{len(engine.working):,} orders work")
    if engine.killed:
        shown.note(f"trading was stopped: {engine.killed}")
    return shown


def orders_view(orders: list[Order]) -> Sheet:
    """Show the last orders of a book with their states."""
    return _orders(f"{len(orders):,} orders", orders)


def _orders(title: str, orders: list[Order]) -> Sheet:
    columns = [names("Order"), words("Trader"), words("Side"), numbers("Quantity"), names("Instrument"), words("Type")]
    shown = Sheet(title, [*columns, words("State"), numbers("Price")])
    for order in orders[-_LAST:]:
        price = f"{order.filled_price:,.6g}" if order.filled_qty else None
        kind, state = order.order_type.value, order.status.value
        who = order.order_id, order.trader, order.side.value
        shown.add(*who, order.quantity, order.instrument_name, kind, state, price)
    if len(orders) > _LAST:
        shown.note(f"{len(orders) - _LAST:,} orders before")
    return shown


def audit_view(trail: AuditTrail) -> Sheet:
    """Show the last events of an audit trail, and whether its chain is intact."""
    columns = [names("Event"), words("Time, UTC"), words("Kind"), words("Trader"), names("Instrument"), words("Why")]
    shown = Sheet(f"Audit trail, {len(trail):,} events", columns)
    events = list(trail)
    for event in events[-_LAST:]:
        moment = f"{event.timestamp:%Y-%m-%d %H:%M:%S}"
        shown.add(event.event_id, moment, event.event_type, event.trader, event.instrument, event.why or event.details)
    if len(events) > _LAST:
        shown.note(f"{len(events) - _LAST:,} events before")
    check = trail.verify()
    shown.note("the chain is intact" if check.holds else f"broken at event {check.first_bad}: {check.reason}")
    return shown

"""Tables of orders, events and signals, as commands show them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bank_python.numerals import number, signed
from bank_python.sheet import Sheet, names, numbers, text, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.desk.trader import Trader
    from bank_python.desk.trading import TraderSignals
    from bank_python.trading_engine import AuditCheck, Fill, Order, Working

__all__ = ["events_view", "facts_view", "orders_view", "problems_view", "reply_view", "signals_view"]

_MOST = 40
_PRICES = {"limit_price": "limit", "stop_price": "stop", "price": "at", "fees": "fees"}
_STYLES = {"REJECTED": "red", "FILLED": "green", "EXPIRED": "yellow", "CANCELLED": "yellow"}


def reply_view(reply: Fill | Working, trader: Trader) -> Sheet:
    """Show what became of an order: price, costs and fees of its fill, and what the trader then holds."""
    order = reply.order
    shown = Sheet(f"{order.order_id} of {order.trader}: {_said(order)}", [names("Figure"), numbers("Value")])
    if not reply.is_filled:
        shown.add("units that wait", order.remaining)
        for name in ("limit_price", "stop_price", "trail"):
            if getattr(order, name) is not None:
                shown.add(name.replace("_", " "), getattr(order, name))
        return shown
    cost = reply.cost  # type: ignore[union-attr]  # it is a fill
    shown.add("units filled", number(order.filled_qty))
    shown.add("price", f"{order.filled_price:,.8g}")
    shown.add("price before costs", f"{cost.reference_price:,.8g}")
    for name in ("spread", "slippage", "impact", "fees"):
        shown.add(f"{name}, money", number(getattr(cost, name), 2))
    held = next((each for each in trader.positions if each.name == f"{trader.name}:{order.instrument_name}"), None)
    if held is not None:
        shown.add(f"{trader.name} holds", number(held.quantity))
    return shown


def facts_view(title: str, facts: Mapping[str, object]) -> Sheet:
    """Show figures or words by name."""
    shown = Sheet(title, [names("Figure"), words("Value")])
    for name, value in facts.items():
        shown.add(name, str(value))
    return shown


def orders_view(orders: Sequence[Order]) -> Sheet:
    """Show orders in their states, the latest last."""
    columns = [names("Order"), words("Trader"), numbers("Quantity"), names("Instrument"), words("Type")]
    shown = Sheet("Orders", [*columns, words("State"), numbers("Price"), words("Why")])
    for order in orders[-_MOST:]:
        state = order.status.value
        price = order.filled_price if order.filled_qty else order.limit_price or order.stop_price
        units = f"{order.side.sign * order.quantity:+,.10g}"
        why = order.reject_reason or order.reason
        kind = order.order_type.value.lower().replace("_", " ")
        said = text(state.lower().replace("_", " "), _STYLES.get(state, ""))
        paid = None if price is None else f"{price:,.6g}"
        shown.add(order.order_id, order.trader, units, order.instrument_name, kind, said, paid, why)
    if len(orders) > _MOST:
        shown.note(f"{len(orders) - _MOST:,} orders before; --csv FILE writes all of them")
    return shown


def events_view(rows: Sequence[Mapping[str, Any]], check: AuditCheck) -> Sheet:
    """Show events of the audit trail, the latest last, and whether its chain is intact."""
    columns = [names("Event"), words("Time, UTC"), words("Kind"), words("Trader"), names("Instrument"), words("What")]
    shown = Sheet(f"{len(rows):,} of {check.events:,} events", columns)
    for row in rows[-_MOST:]:
        moment = f"{row['timestamp']:%Y-%m-%d %H:%M:%S}"
        said = "; ".join(part for part in (_figures(row["details"]), row["why"]) if part)
        shown.add(row["event_id"], moment, row["event_type"], row["trader"], row["instrument"], said)
    if len(rows) > _MOST:
        shown.note(f"{len(rows) - _MOST:,} events before; --csv FILE writes all of them")
    shown.note("the chain is intact" if check.holds else f"broken at event {check.first_bad}: {check.reason}")
    return shown


def signals_view(rows: Sequence[Mapping[str, Any]], found: Sequence[TraderSignals]) -> Sheet:
    """Show the signals by trader, and who has none."""
    columns = [names("Trader"), numbers("Quantity"), names("Instrument"), numbers("Strength"), words("Why")]
    shown = Sheet("Signals", columns)
    for row in rows:
        units = signed(row["quantity"] if row["side"] == "BUY" else -row["quantity"])
        shown.add(row["trader"], units, row["instrument"], f"{row['strength']:.2f}", row["reason"])
    quiet = [each.trader for each in found if not each.signals and not each.problems]
    if quiet:
        shown.note(f"no signal: {', '.join(quiet)}")
    shown.note("a signal below 0.3 gives no order")
    return shown


def problems_view(problems: Mapping[str, Sequence[str]]) -> Sheet:
    """Show what gave no signal because of a fault, by trader."""
    shown = Sheet("Problems", [names("Trader"), words("What")])
    for trader, faults in problems.items():
        for fault in faults:
            shown.add(trader, text(fault, "yellow"))
    return shown


def _said(order: Order) -> str:
    units = f"{order.quantity:,.10g}"
    return f"{order.side.value.lower()} {units} {order.instrument_name}, {order.status.value.lower().replace('_', ' ')}"


def _figures(details: str) -> str:
    """Return the figures of an event that people look for: side, units, type, prices and fees."""
    found: dict[str, Any] = json.loads(details)
    flat = {**found, **found.get("event", {})}
    units = (
        [f"{flat['quantity']:+,.10g}" if "side" not in flat else f"{flat['quantity']:,.10g}"]
        if "quantity" in flat
        else []
    )
    prices = [f"{word} {flat[name]:,.6g}" for name, word in _PRICES.items() if flat.get(name) is not None]
    return " ".join([*([flat["side"].lower()] if "side" in flat else []), *units, *prices])

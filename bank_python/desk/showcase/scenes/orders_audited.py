"""From signal to fill to audit: what the traders' rules want, what limits let through, what the trail has of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.showcase.figures import busiest_underlying, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.desk.trading import DeskTrading
from bank_python.sheet import Sheet, names, numbers, words
from bank_python.trading_engine import AuditTrail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.showcase.stage import Stage
    from bank_python.desk.trading import TraderSignals
    from bank_python.trading_engine import AuditCheck, Order

_SHOWN = 6
_TOO_MANY = 1e6


@scene("ORDERS: FROM SIGNAL TO AUDIT")
def orders_audited(stage: Stage) -> SceneResult:
    """Trade the signals of all traders: an order passes the limits or says why not; a changed byte is found."""
    desk = stage.desk
    require_quotes(desk)
    trading = DeskTrading(desk)
    before = float(desk.firm_pnl.value)
    found = trading.signals()
    done = trading.trade_signals()
    symbol = busiest_underlying(desk)
    refused = trading.order("Alice", symbol, "BUY", _TOO_MANY)
    desk.graph.recalculate()
    engine = trading.engine
    check, tampered = engine.audit.verify(), _tampered(engine.audit)
    facts: dict[str, Any] = {
        "signals": done.signals,
        "by_trader": {each.trader: len(each.signals) for each in found},
        "orders": len(engine.orders),
        "filled": sum(reply.is_filled for reply in done.replies),
        "rejected": refused.order.reject_reason,
        "costs": float(desk.firm_pnl.value) - before,
        "events": check.events,
        "intact": check.holds,
        "tampered_at": tampered.first_bad,
        "problems": list(done.problems),
    }
    trading.remove()
    lines = [
        f"{done.summary}; the P&L is {facts['costs']:+,.2f} by spread, slippage and fees.",
        f"An order for {_TOO_MANY:,.0f} {symbol} was rejected. {refused.order.reject_reason}.",
        _said(check, tampered),
    ]
    return SceneResult(facts, [_signals(found), _orders(list(engine.orders.values())), *lines])


def _said(check: AuditCheck, tampered: AuditCheck) -> str:
    holds = "is intact" if check.holds else f"is broken at event {check.first_bad}"
    return (
        f"{check.events} events are chained by hashes; the chain {holds}. With one byte changed, a copy is broken at "
        f"event {tampered.first_bad}: {tampered.reason}."
    )


def _tampered(trail: AuditTrail) -> AuditCheck:
    """Return the check of a copy of a trail of which one byte of a fill was changed."""
    copy = AuditTrail()
    for event in trail:
        copy.log(event.event_type, event.trader, event.instrument, event.figures, event.order_id, why=event.why)
    rows = list(copy.table.order_by("number"))
    row = next((each for each in rows if each["event_type"] == "FILL"), rows[0])
    row["details"] = row["details"].replace("1", "2", 1)
    copy.table.clear()
    copy.table.extend(rows)
    return copy.verify()


def _signals(found: Sequence[TraderSignals]) -> Sheet:
    columns = [names("Trader"), numbers("Quantity"), names("Instrument"), words("Why")]
    shown = Sheet("A signal of each trader that has one", columns)
    for each in found:
        for signal in each.signals[:1]:
            units = signal.side.sign * signal.quantity
            shown.add(each.trader, f"{units:+,.10g}", signal.instrument, signal.reason)
    quiet = [each.trader for each in found if not each.signals]
    if quiet:
        shown.note(f"no signal: {', '.join(quiet)}")
    return shown


def _orders(orders: Sequence[Order]) -> Sheet:
    columns = [names("Order"), words("Trader"), numbers("Quantity"), names("Instrument"), words("State")]
    shown = Sheet("The last orders", [*columns, numbers("Price")])
    for order in orders[-_SHOWN:]:
        units = order.side.sign * order.quantity
        price = f"{order.filled_price:,.6g}" if order.filled_qty else None
        state = order.status.value.lower()
        shown.add(order.order_id, order.trader, f"{units:+,.10g}", order.instrument_name, state, price)
    return shown

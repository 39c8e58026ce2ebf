"""Terminal views of orders and the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.sheet import Sheet, names, words

if TYPE_CHECKING:
    from bank_python.trading_engine.audit import AuditTrail

__all__ = ["audit_view"]

_LAST = 12


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

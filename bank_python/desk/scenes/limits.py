"""Limits on what may be risked, and the alerts they open."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bank_python.desk.figures import require_quotes
from bank_python.desk.risk import DeskRisk
from bank_python.desk.stage import Shown, scene

if TYPE_CHECKING:
    from bank_python.dagger import Node
    from bank_python.desk.stage import Stage

_PATHS = 20_000


@scene("LIMITS AND ALERTS")
def limits(stage: Stage) -> Shown:
    """Hold VaR, stress, concentration and Greeks against limits; a breach is acknowledged, hedged and closed."""
    desk = stage.desk
    require_quotes(desk)
    risk = DeskRisk(desk, n_paths=_PATHS)
    try:
        opened = risk.check()
        before = risk.board.readings()
        views: list[object] = [risk.board, risk.board.alerts]
        facts = {
            "limits": len(before),
            "opened": {f"{alert.scope}: {alert.rule}": alert.severity.value for alert in opened},
            "fullest": f"{before[0].limit.scope}: {before[0].limit.name}",
        }
        breaches = [alert for alert in opened if alert.rule == "VaR 99" and alert.scope in risk.traders]
        if breaches:
            worst = breaches[0]
            risk.board.alerts.acknowledge(worst.id, by="risk manager")
            who = desk.traders[worst.scope]
            largest = max(who.positions, key=lambda held: abs(cast("float", held.value)))
            desk.trade(who.name, cast("Node", largest.instrument), -0.6 * largest.quantity)
            risk.follow_books()
            desk.graph.recalculate()
            closed = [alert for alert in risk.check() if alert.id == worst.id]
            facts["acted_on"] = f"{worst.scope}: {worst.rule}"
            facts["resolution"] = closed[0].resolution if closed else ""
            views.append(f"{who.name} sells 60% of {largest.name}: {facts['resolution'] or 'still above its limit'}.")
        return Shown(facts, views)
    finally:
        risk.remove()

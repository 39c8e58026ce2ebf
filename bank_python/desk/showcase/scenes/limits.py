"""Risk limits and their alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bank_python.desk.risk import DeskRisk
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.render_risk import alerts_view, limits_view
from bank_python.risk.contracts import underlying_of

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.instruments import Instrument
    from bank_python.risk import Alert

_PATHS = 20_000
_MAX_ROUNDS = 4


@scene("LIMITS AND ALERTS")
def limits(stage: Stage) -> SceneResult:
    """Check VaR, stress loss, concentration and Greeks against limits; a breach is acknowledged, reduced and closed."""
    desk = stage.desk
    require_quotes(desk)
    risk = DeskRisk(desk, n_paths=_PATHS)
    try:
        opened = risk.check()
        before = risk.board.readings()
        views: list[object] = [limits_view(before), alerts_view(risk.open_alerts)]
        facts: dict[str, Any] = {
            "limits": len(before),
            "opened": {f"{alert.scope}: {alert.rule}": alert.severity.value for alert in opened},
            "fullest": f"{before[0].limit.scope}: {before[0].limit.name}",
        }
        breaches = [alert for alert in opened if alert.rule == "VaR 99" and alert.scope in risk.traders]
        if breaches:
            worst = max(breaches, key=lambda alert: alert.severity.rank)
            risk.board.alerts.acknowledge(worst.id, by="risk manager")
            sold, resolution = _reduce(desk, risk, worst)
            facts |= {"acted_on": f"{worst.scope}: {worst.rule}", "sold": sold, "resolution": resolution}
            after = resolution or "still above its limit"
            views.append(f"{worst.scope} closes the positions in {', '.join(sold)}. {worst.rule} is {after}.")
        return SceneResult(facts, views)
    finally:
        risk.remove()


def _reduce(desk: Desk, risk: DeskRisk, alert: Alert) -> tuple[list[str], str]:
    """Close a trader's riskiest positions until the alert is closed; return the closed contracts and the resolution."""
    trader, sold = desk.traders[alert.scope], []
    for _ in range(_MAX_ROUNDS):
        riskiest = risk.traders[trader.name].contributions()[0].name
        for position in trader.positions:
            contract = cast("Instrument", position.instrument)
            if underlying_of(contract) == riskiest and position.quantity:
                desk.trade(trader.name, contract, -position.quantity)
                sold.append(contract.name)
        risk.follow_books()
        desk.graph.recalculate()
        for changed in risk.check():
            if changed.id == alert.id and changed.closed is not None:
                return sold, changed.resolution
    return sold, ""

"""Rebalancing of a trader's book to its optimal weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bank_python.desk.balance import BalancedBook
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.render_risk import alerts_view
from bank_python.risk import AlertBook, Limit, LimitBoard

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.instruments import Instrument
    from bank_python.optimizer import RebalancePlan

_TRADER, _BAND, _COST = "Oscar", 0.05, 0.0005


@scene("PORTFOLIO REBALANCE")
def rebalance(stage: Stage) -> SceneResult:
    """Rebalance a book to risk parity: its drift opens an alert, whole shares are traded, and the alert is closed."""
    desk = stage.desk
    require_quotes(desk)
    balanced = BalancedBook(desk, _TRADER, "risk_parity")
    board = LimitBoard(desk.graph, AlertBook(desk.db))
    try:
        board.watch(Limit("Drift", _TRADER, _BAND), balanced.drift.node, balanced.drift.contributor)
        opened = board.check()
        target, before = balanced.optimal.portfolio, cast("float", balanced.drift.node.value)
        plan = balanced.plan(_BAND, _COST)
        _trade(desk, plan)
        balanced.drift.follow_book()
        desk.graph.recalculate()
        after = cast("float", balanced.drift.node.value)
        closed = [alert.resolution for alert in board.check() if alert.closed is not None]
    finally:
        board.remove()
        balanced.remove()
    facts = {
        "trader": _TRADER,
        "optimal": target.clean_weights(),
        "drift_before": before,
        "drift_after": after,
        "trades": {trade.ticker: trade.shares for trade in plan.trades},
        "cost": plan.cost,
        "cash_left": plan.cash_left,
        "alert": [alert.message for alert in opened],
        "resolution": closed,
    }
    drift = "; ".join(closed) or "still outside its limit"
    summary = f"Drift after the trades: {drift}. Cash left over: {plan.cash_left:,.2f} USD."
    return SceneResult(facts, [target, alerts_view(opened), plan, summary])


def _trade(desk: Desk, plan: RebalancePlan) -> None:
    for trade in plan.trades:
        desk.trade(_TRADER, cast("Instrument", desk.graph.node(trade.ticker)), trade.shares)

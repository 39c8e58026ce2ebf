"""A live book, its optimal weights, and the trades between the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bank_python.desk.balance import BalancedBook
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.render_risk import alerts_view
from bank_python.risk import AlertBook, Limit, LimitBoard

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.instruments import Instrument
    from bank_python.optimizer import RebalancePlan

_WHO, _BAND, _COST = "Oscar", 0.05, 0.0005


@scene("PORTFOLIO REBALANCE")
def rebalance(stage: Stage) -> Shown:
    """Hold a live book to risk parity: drift opens an alert, whole shares are traded, and the alert is closed."""
    desk = stage.desk
    require_quotes(desk)
    balanced = BalancedBook(desk, _WHO, "risk_parity")
    board = LimitBoard(desk.graph, AlertBook(desk.db))
    try:
        board.watch(Limit("Drift", _WHO, _BAND), balanced.drift.node, balanced.drift.contributor)
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
        "who": _WHO,
        "optimal": target.clean_weights(),
        "drift_before": before,
        "drift_after": after,
        "trades": {trade.ticker: trade.shares for trade in plan.trades},
        "cost": plan.cost,
        "cash_left": plan.cash_left,
        "alert": [alert.message for alert in opened],
        "resolution": closed,
    }
    said = f"After the trades: {'; '.join(closed) or 'still outside'}; {plan.cash_left:,.2f} of cash is left over."
    return Shown(facts, [target, alerts_view(opened), plan, said])


def _trade(desk: Desk, plan: RebalancePlan) -> None:
    for trade in plan.trades:
        desk.trade(_WHO, cast("Instrument", desk.graph.node(trade.ticker)), trade.shares)

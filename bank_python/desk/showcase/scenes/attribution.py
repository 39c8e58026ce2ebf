"""P&L attribution: a day's P&L by market move, passing time and new trades."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.risk import PnLAttribution, capture

if TYPE_CHECKING:
    from bank_python.dagger import Node
    from bank_python.desk.showcase.stage import Stage

_TICKS = 6


@scene("P&L ATTRIBUTION")
def attribution(stage: Stage) -> SceneResult:
    """Attribute a day's P&L, with ticks, a trade and one night: delta, vega, theta and so on add up to it exactly."""
    desk = stage.desk
    require_quotes(desk)
    books = [trader.book for trader in desk.traders]
    opening, pnl_before = capture(books), desk.firm_pnl.value
    for _ in range(_TICKS):
        desk.tick()
    first = desk.traders[0]
    desk.trade(first.name, cast("Node", first.positions[0].instrument), 100.0)
    desk.tick()
    desk.roll(desk.clock.date + dt.timedelta(days=1))
    closing, pnl_change = capture(books), desk.firm_pnl.value - pnl_before
    day = PnLAttribution.between(opening, closing)
    steps = PnLAttribution.between(opening, closing, "waterfall")
    facts = {
        "firm_pnl_change": pnl_change,
        "attributed": day.actual,
        "by_factor": day.by_factor(),
        "unexplained_share": day.unexplained_share,
        "waterfall": steps.by_factor(),
        "waterfall_unexplained": steps.unexplained,
    }
    summary = (
        f"Unexplained by the Taylor expansion: {day.unexplained_share:.3%} of the sum of all absolute effects. The "
        "waterfall revalues the books after each step and leaves nothing unexplained."
    )
    return SceneResult(facts, [day, steps, summary])

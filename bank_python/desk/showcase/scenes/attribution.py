"""A day explained: which moves of the market made the P&L."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.risk import PnLAttribution, capture

if TYPE_CHECKING:
    from bank_python.dagger import Node
    from bank_python.desk.showcase.stage import Stage

_TICKS = 6


@scene("P&L ATTRIBUTION")
def attribution(stage: Stage) -> Shown:
    """Explain a day of ticks, a trade and a night: delta, vega, theta and the rest add up to the P&L, exactly."""
    desk = stage.desk
    require_quotes(desk)
    books = [trader.book for trader in desk.traders]
    opening, had = capture(books), desk.firm_pnl.value
    for _ in range(_TICKS):
        desk.tick()
    first = desk.traders[0]
    desk.trade(first.name, cast("Node", first.positions[0].instrument), 100.0)
    desk.tick()
    desk.roll(desk.clock.date + dt.timedelta(days=1))
    closing, made = capture(books), desk.firm_pnl.value - had
    day = PnLAttribution.between(opening, closing)
    steps = PnLAttribution.between(opening, closing, "waterfall")
    facts = {
        "firm_pnl_change": made,
        "attributed": day.actual,
        "by_factor": day.by_factor(),
        "unexplained_share": day.unexplained_share,
        "waterfall": steps.by_factor(),
        "waterfall_unexplained": steps.unexplained,
    }
    said = f"Unexplained: {day.unexplained_share:.3%} of what moved; step by step, revaluing each time, nothing."
    return Shown(facts, [day, steps, said])

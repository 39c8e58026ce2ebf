"""The firm on a ladder: its P&L with one share at many prices, and what moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.desk.showcase.figures import busiest_underlying, require_quotes
from bank_python.desk.showcase.stage import Shown, scene

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_SHOCKS = np.linspace(-0.2, 0.2, 9)


@scene("A LADDER, AND WHERE THE TIME GOES")
def ladder(stage: Stage) -> Shown:
    """One share from 20% down to 20% up: every contract priced for all prices in one call, and nothing touched."""
    desk = stage.desk
    graph = desk.graph
    require_quotes(desk)
    leaf = desk.leaf(busiest_underlying(desk))
    graph.recalculate()
    evaluations = graph.evaluations
    climbed = graph.ladder(desk.firm_pnl, leaf, _SHOCKS, relative=True)
    greeks = graph.greeks(desk.firm_pnl, leaf)
    slope = greeks[desk.firm_pnl.name, leaf.name]
    with graph.scenario({leaf: float(climbed.levels[0])}):
        as_a_what_if = desk.firm_pnl.value
    untouched = graph.evaluations == evaluations
    with graph.profile() as profile:
        desk.tick()
    facts = {
        "share": leaf.name,
        "shocks": climbed.shocks.tolist(),
        "firm_pnl": climbed.values.tolist(),
        "delta": slope.delta,
        "gamma": slope.gamma,
        "equals_the_what_if": as_a_what_if == climbed.values.item(0),
        "graph_untouched": untouched,
        "evaluated_by_a_tick": {row.name: row.evaluations for row in profile.rows},
    }
    return Shown(facts, [climbed, greeks, "Then the whole market ticked; the time went here:", profile])

"""A price ladder: the firm's P&L at several prices of one share, its delta and gamma, and a profile of a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.desk.showcase.figures import busiest_underlying, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_SHOCKS = np.linspace(-0.2, 0.2, 9)


@scene("PRICE LADDER AND PROFILE")
def ladder(stage: Stage) -> SceneResult:
    """Move one share from -20% to +20%, with one pricing call for all prices and no change to the graph."""
    desk = stage.desk
    graph = desk.graph
    require_quotes(desk)
    leaf = desk.leaf(busiest_underlying(desk))
    graph.recalculate()
    evaluations = graph.evaluations
    result = graph.ladder(desk.firm_pnl, leaf, _SHOCKS, relative=True)
    greeks = graph.greeks(desk.firm_pnl, leaf)
    slope = greeks[desk.firm_pnl.name, leaf.name]
    with graph.scenario({leaf: float(result.levels[0])}):
        in_scenario = desk.firm_pnl.value
    unchanged = graph.evaluations == evaluations
    with graph.profile() as profile:
        desk.tick()
    facts = {
        "share": leaf.name,
        "shocks": result.shocks.tolist(),
        "firm_pnl": result.values.tolist(),
        "delta": slope.delta,
        "gamma": slope.gamma,
        "equals_the_what_if": in_scenario == result.values.item(0),
        "graph_untouched": unchanged,
        "evaluated_by_a_tick": {row.name: row.evaluations for row in profile.rows},
    }
    return SceneResult(facts, [result, greeks, "Evaluation time of a tick of the whole market:", profile])

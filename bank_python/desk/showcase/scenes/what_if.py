"""A scenario that leaves the graph unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import pnl_by_trader, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.desk.showcase.views import changes_view
from bank_python.market_data.symbol_spec import SymbolKind

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_CRASH = 0.80
_SHARES = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})


@scene("WHAT-IF SCENARIO")
def what_if(stage: Stage) -> SceneResult:
    """Value the desk with all shares down 20% inside a scenario, which leaves the graph itself unchanged."""
    desk = stage.desk
    graph = desk.graph
    require_quotes(desk)
    quoted = [desk.leaf(item.symbol) for item in desk.listings.values() if item.kind in _SHARES]
    crash = {leaf.name: leaf.price * _CRASH for leaf in quoted if leaf.quoted}
    graph.recalculate()
    before, evaluations, tick = pnl_by_trader(desk), graph.evaluations, graph.tick
    with graph.scenario(crash) as layer:
        inside = pnl_by_trader(desk)
    changes = {name: inside[name] - before[name] for name in before}
    facts = {
        "shares_shocked": len(crash),
        "pnl_change": changes,
        "firm_pnl_change": sum(changes.values()),
        "evaluated_in_layer": layer.evaluations,
        "evaluated_in_graph": graph.evaluations - evaluations,
        "ticks_passed": graph.tick - tick,
        "nodes_dirty_after": graph.dirty,
        "unchanged_after": pnl_by_trader(desk) == before,
    }
    summary = (
        f"{layer.evaluations} nodes were evaluated inside the scenario and {facts['evaluated_in_graph']} in the graph; "
        f"{graph.dirty} nodes are dirty after it."
    )
    return SceneResult(facts, [changes_view(f"P&L if {len(crash)} shares fell by 20%", changes), summary])

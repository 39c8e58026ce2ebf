"""A tick of the whole market and a tick of a single share: the recalculated nodes, and an explanation of a P&L."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import busiest_underlying, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.desk.showcase.views import recalculation_view

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage


@scene("A TICK AND ITS RECALCULATION")
def ticking(stage: Stage) -> SceneResult:
    """Recalculate only the nodes that a tick affects, each of them once, and explain any of the results."""
    desk = stage.desk
    market = desk.tick()
    require_quotes(desk)
    symbol = busiest_underlying(desk)
    leaf = desk.leaf(symbol)
    plan = desk.graph.plan(leaf)
    before, old = desk.firm_pnl.value, leaf.price
    leaf.set_price(old * 1.01)
    one = desk.graph.recalculate(leaf)
    holder = next(trader for trader in desk.traders if any(leaf in _inputs(position) for position in trader.positions))
    why = desk.graph.explain(holder.pnl, depth=4, breadth=3)
    facts = {
        "market_tick": market.recalculation.to_dict(),
        "quotes_updated": len(market.update.updated),
        "share": symbol,
        "old_price": old,
        "new_price": leaf.price,
        "planned": len(plan),
        "share_tick": one.to_dict(),
        "nodes": len(desk.graph),
        "firm_pnl_before": before,
        "firm_pnl_after": desk.firm_pnl.value,
        "explained": why.name,
    }
    return SceneResult(
        facts,
        [
            recalculation_view("Tick of the whole market", market.recalculation, len(desk.graph)),
            recalculation_view(f"Tick of {symbol} only, +1%", one, len(desk.graph)),
            f"Explanation of {why.name}: previous and current value of the node and of its inputs",
            why,
        ],
    )


def _inputs(position: object) -> set[object]:
    from bank_python.dagger import Node

    found: set[object] = set()
    stack = [position]
    while stack:
        node = stack.pop()
        if isinstance(node, Node):
            found.add(node)
            stack.extend(node.underliers)
    return found

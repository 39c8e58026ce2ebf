"""Who trades what, on which market."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bank_python.desk.figures import firm_figures, market_sources, trader_figures
from bank_python.desk.stage import Shown, scene
from bank_python.desk.views import sources_view, traders_view

if TYPE_CHECKING:
    from bank_python.desk.stage import Stage


@scene("DESK OVERVIEW")
def overview(stage: Stage) -> Shown:
    """Fourteen traders, their books, and where every quote comes from."""
    desk = stage.desk
    figures, sources = trader_figures(desk), market_sources(desk)
    kinds = Counter(type(node).__name__ for node in desk.graph)
    facts = {
        "firm": firm_figures(desk),
        "traders": figures,
        "sources": sources,
        "nodes": len(desk.graph),
        "by_class": dict(kinds),
    }
    counts = "  ·  ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    return Shown(facts, [traders_view(figures), sources_view(sources), f"{len(desk.graph):,} nodes: {counts}"])

"""Overview of the desk: traders, books, and the sources of quotes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bank_python.desk.showcase.figures import (
    busiest_underlying,
    firm_figures,
    market_sources,
    market_troubles,
    recent_bars,
    trader_figures,
)
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.desk.showcase.views import bars_view, sources_view, traders_view, troubles_view
from bank_python.desk.view_builder import build_view
from bank_python.errors import FeedError

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage
    from bank_python.desk.view import DeskView


@scene("DESK OVERVIEW")
def overview(stage: Stage) -> SceneResult:
    """Show the fourteen traders with their books, and the source of each kind of quote."""
    desk = stage.desk
    view = build_view(desk)
    figures, sources = trader_figures(view), market_sources(view)
    kinds = Counter(type(node).__name__ for node in desk.graph)
    troubles = market_troubles(view)
    symbol = busiest_underlying(desk)
    past = _past(stage, symbol)
    facts = {
        "firm": firm_figures(view),
        "traders": figures,
        "sources": sources,
        "troubles": troubles,
        "history": {"symbol": symbol, **past},
        "stand_ins": {trader.name: dict(trader.stand_ins) for trader in view.traders if trader.stand_ins},
        "nodes": view.nodes,
        "by_class": dict(kinds),
    }
    counts = "  ·  ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    views: list[Any] = [traders_view(figures), sources_view(sources)]
    views += [troubles_view(troubles)] if troubles else []
    bars = bars_view(symbol, past["bars"]) if past["bars"] else f"No price history of {symbol}: {past['reason']}"
    views += [bars, *_stand_in_lines(view)]
    return SceneResult(facts, [*views, f"The graph has {view.nodes:,} nodes: {counts}"])


def _stand_in_lines(view: DeskView) -> list[str]:
    """Return a line for each trader with shares that the market does not quote."""
    return [
        f"{trader.name}: "
        + ", ".join(f"{symbol} replaced by {other or 'nothing'}" for symbol, other in trader.stand_ins.items())
        + " (not quoted by this market)"
        for trader in view.traders
        if trader.stand_ins
    ]


def _past(stage: Stage, symbol: str) -> dict[str, Any]:
    try:
        return {"bars": recent_bars(stage.desk, symbol), "reason": ""}
    except FeedError as error:
        return {"bars": [], "reason": error.message}

"""Value at risk as a node of the graph, recomputed with each tick."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from bank_python.desk.showcase.figures import busiest_underlying, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.mc_engine import MCConfig, MonteCarloEngine, ReactiveRisk
from bank_python.sheet import Sheet, numbers, words

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.instruments import Instrument

_CONFIG = MCConfig(n_paths=100_000, random_seed=42, stresses=(), validate_greeks=False)
_NAME = "SHOWCASE"


@scene("VALUE AT RISK, UPDATED TICK BY TICK")
def reactive_risk(stage: Stage) -> SceneResult:
    """Tick one quote and update the VaR of 100,000 scenarios, revaluing only the contracts that depend on the quote."""
    desk = stage.desk
    require_quotes(desk)
    risk = ReactiveRisk(desk.traders, desk.graph, config=_CONFIG, name=_NAME)
    try:
        return _result(desk, risk)
    finally:
        risk.remove()


def _result(desk: Desk, risk: ReactiveRisk) -> SceneResult:
    before = cast("float", risk.var_99.value)
    symbol = busiest_underlying(desk)
    leaf = desk.leaf(symbol)
    started = time.perf_counter()
    leaf.set_price(leaf.price * 1.02)
    done = desk.graph.recalculate()
    ticked = time.perf_counter() - started
    after = cast("float", risk.var_99.value)
    started = time.perf_counter()
    full = MonteCarloEngine(desk.traders, desk.graph).run(_CONFIG)
    full_run = time.perf_counter() - started
    share = cast("Instrument", desk.graph.node(symbol))
    traded = risk.if_traded(share, -5_000.0).at_99.var
    with desk.graph.scenario({leaf: leaf.price * 0.9}):
        fallen = cast("float", risk.var_99.value)
    facts = {
        "groups": len(risk.groups),
        "symbol": symbol,
        "var_99_before": before,
        "var_99_after": after,
        "var_99_of_a_full_run": full.var_99,
        "evaluated": done.evaluated,
        "tick_seconds": ticked,
        "full_run_seconds": full_run,
        "var_99_if_5000_were_sold": traded,
        "var_99_if_it_fell_by_10_percent": fallen,
        "largest_groups": {part.name: part.es for part in risk.contributions()[:3]},
    }
    title = f"One-day VaR 99%, {_CONFIG.n_paths:,} scenarios"
    table = Sheet(title, [words("Case"), numbers("VaR, USD"), numbers("Nodes"), numbers("ms")])
    for case, value, *cost in (
        ("before the tick", before, "", ""),
        (f"after a tick of {symbol}, +2%", after, done.evaluated, f"{1e3 * ticked:.0f}"),
        ("the same by a full simulation", full.var_99, "", f"{1e3 * full_run:.0f}"),
        (f"if 5,000 {symbol} were sold", traded, "", ""),
        (f"if {symbol} fell by 10%", fallen, "", ""),
    ):
        table.add(case, f"{value:,.2f}", *cost)
    return SceneResult(facts, [table, desk.graph.explain(risk.var_99, depth=4, breadth=2)])

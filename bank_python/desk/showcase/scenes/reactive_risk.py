"""Value at risk as a node of the graph."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from bank_python.desk.showcase.figures import busiest_underlying, require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.mc_engine import MCConfig, MonteCarloEngine, ReactiveRisk
from bank_python.sheet import Sheet, numbers, words

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.instruments import Instrument

_CONFIG = MCConfig(n_paths=100_000, random_seed=42, stresses=(), validate_greeks=False)
_NAME = "SHOWN"


@scene("VALUE AT RISK THAT FOLLOWS THE TICK")
def reactive_risk(stage: Stage) -> Shown:
    """Tick one quote: the VaR of 100,000 full revaluations is new, and only what depends on the quote was revalued."""
    desk = stage.desk
    require_quotes(desk)
    risk = ReactiveRisk(desk.traders, desk.graph, config=_CONFIG, name=_NAME)
    try:
        return _shown(desk, risk)
    finally:
        risk.remove()


def _shown(desk: Desk, risk: ReactiveRisk) -> Shown:
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
    anew = time.perf_counter() - started
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
        "full_run_seconds": anew,
        "var_99_if_5000_were_sold": traded,
        "var_99_if_it_fell_by_10_percent": fallen,
        "largest_groups": {part.name: part.es for part in risk.contributions()[:3]},
    }
    table = Sheet(f"VaR 99% of a day, {_CONFIG.n_paths:,} scenarios", [words(), numbers("USD")])
    for said, value in (
        ("before the tick", before),
        (f"{symbol} up by 2%: {done.evaluated} nodes, {1e3 * ticked:.0f} ms", after),
        (f"the same by a full run: {1e3 * anew:.0f} ms", full.var_99),
        (f"if 5,000 {symbol} were sold", traded),
        (f"if {symbol} fell by 10%", fallen),
    ):
        table.add(said, f"{value:,.2f}")
    return Shown(facts, [table, desk.graph.explain(risk.var_99, depth=4, breadth=2)])

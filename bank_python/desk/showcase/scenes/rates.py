"""A rate shock on the live graph: the rates are raised, the desk is revalued, and the rates are restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import pnl_by_trader
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.desk.showcase.views import changes_view

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_RATES = ("SOFR", "UST2Y", "UST10Y")
_SHOCK = 0.01


@scene("RATE SHOCK")
def rate_shock(stage: Stage) -> SceneResult:
    """Raise all rates by 100 bp in one batch: bonds, options and credit default swaps are revalued, shares are not."""
    desk = stage.desk
    leaves = [desk.leaf(name) for name in _RATES]
    before, rates = pnl_by_trader(desk), [leaf.price for leaf in leaves]
    try:
        with desk.graph.batch():
            for leaf, rate in zip(leaves, rates, strict=True):
                leaf.set_price(rate + _SHOCK)
        done = desk.graph.recalculate()
        after = pnl_by_trader(desk)
    finally:
        with desk.graph.batch():
            for leaf, rate in zip(leaves, rates, strict=True):
                leaf.set_price(rate)
        desk.graph.recalculate()
    changes = {name: after[name] - before[name] for name in before}
    facts = {
        "shock_bp": _SHOCK * 1e4,
        "rates": dict(zip(_RATES, rates, strict=True)),
        "evaluated": done.evaluated,
        "by_class": done.by_class,
        "pnl_change": changes,
        "firm_pnl_change": sum(changes.values()),
        "restored": pnl_by_trader(desk) == before,
    }
    return SceneResult(facts, [changes_view("P&L of +100 bp on SOFR, UST2Y and UST10Y", changes)])

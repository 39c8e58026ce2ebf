"""Greeks of every trader, in money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.figures import require_quotes
from bank_python.desk.stage import Shown, scene
from bank_python.risk import GREEKS, take_greeks

if TYPE_CHECKING:
    from bank_python.desk.stage import Stage


@scene("GREEKS, BOOK BY BOOK")
def greeks(stage: Stage) -> Shown:
    """Delta to charm of each book and the firm, in dollars for one per cent, one point, one day."""
    desk = stage.desk
    require_quotes(desk)
    taken = take_greeks(desk.traders)
    facts = {
        "positions": len(taken.positions),
        "without_a_value": sorted(taken.errors),
        "firm": {greek: taken.total(greek, "percent") for greek in GREEKS},
        "delta_by_trader": taken.by_trader("delta", "percent"),
    }
    said = "In closed form where a contract has one, else by differences of its own price: one call a class."
    return Shown(facts, [taken, said])

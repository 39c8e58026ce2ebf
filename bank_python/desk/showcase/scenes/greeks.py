"""Greeks of every trader, in money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.desk.view_builder import build_view
from bank_python.jsonable import jsonable
from bank_python.risk import take_greeks

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage


@scene("GREEKS, BOOK BY BOOK")
def greeks(stage: Stage) -> Shown:
    """Delta to charm of each book and the firm, in dollars for one per cent, one point, one day."""
    desk = stage.desk
    require_quotes(desk)
    view = build_view(desk)
    taken = take_greeks(desk.traders)  # position by position, for the table
    facts = {
        "positions": len(taken.positions),
        "without_a_value": sorted(taken.errors),
        "firm": jsonable(view.firm.greeks),
        "delta_by_trader": {trader.name: trader.greeks.delta for trader in view.traders if trader.greeks is not None},
    }
    said = "In closed form where a contract has one, else by differences of its own price: one call a class."
    return Shown(facts, [taken, said])

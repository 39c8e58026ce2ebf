"""Greeks of each trader, in dollars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.desk.view_builder import build_view
from bank_python.jsonable import jsonable
from bank_python.risk import take_greeks

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage


@scene("GREEKS BY BOOK")
def greeks(stage: Stage) -> SceneResult:
    """Compute delta to charm of each book and of the firm, in dollars per one per cent, one point or one day."""
    desk = stage.desk
    require_quotes(desk)
    view = build_view(desk)
    taken = take_greeks(desk.traders)  # by position, for the table
    facts = {
        "positions": len(taken.positions),
        "without_a_value": sorted(taken.errors),
        "firm": jsonable(view.firm.greeks),
        "delta_by_trader": {trader.name: trader.greeks.delta for trader in view.traders if trader.greeks is not None},
    }
    summary = (
        "Greeks come from closed forms where a contract has them, otherwise from finite differences of its price, "
        "with one pricing call for all contracts of a class."
    )
    return SceneResult(facts, [taken, summary])

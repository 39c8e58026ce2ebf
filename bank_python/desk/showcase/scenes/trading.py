"""Trades: booked by traders, stored in Barbara, queried with MnTable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.showcase.figures import busiest_underlying, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.sheet import Sheet, names, words

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage


@scene("TRADES BOOKED, STORED AND QUERIED")
def trading(stage: Stage) -> SceneResult:
    """Book three trades: each changes position and cash in one tick, is stored, and can be queried as a table row."""
    desk = stage.desk
    require_quotes(desk)
    symbol = busiest_underlying(desk)
    before = desk.firm_pnl.value
    first = desk.trade("Alice", symbol, 1_000)
    desk.trade("Alice", symbol, -400)
    desk.trade("Tony", symbol, 2_500)
    totals = desk.blotter.table.aggregate("trader", {"quantity": "sum", "notional": "sum"}).order_by("trader")
    key = f"/Trades/{first.number:08d}"
    facts: dict[str, Any] = {
        "trades": len(desk.blotter),
        "stored_under": key,
        "stored": {name: str(value) for name, value in desk.db[key].items()},
        "by_trader": list(totals),
        "sql": totals.sql,
        "firm_pnl_before": before,
        "firm_pnl_after": desk.firm_pnl.value,
        "alice_versions": len(desk.db.history("/Books/Alice:PNL")),
    }
    record = Sheet(f"Trade {first.number}, stored under {key}", [names("Field"), words("Value")])
    for field, value in facts["stored"].items():
        record.add(field, value)
    return SceneResult(facts, [record, "Totals by trader:", totals, f"The query as one SQL statement: {totals.sql}"])

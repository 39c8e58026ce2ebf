"""A trade: booked by a trader, kept in Barbara, queried through MnTable."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import busiest_underlying, require_quotes
from bank_python.desk.showcase.stage import Shown, scene

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage


@scene("A TRADE BOOKED, STORED AND QUERIED")
def trading(stage: Stage) -> Shown:
    """Book three trades: each moves position and cash in one tick, is kept, and is a row to query."""
    desk = stage.desk
    require_quotes(desk)
    symbol = busiest_underlying(desk)
    before = desk.firm_pnl.value
    first = desk.trade("Alice", symbol, 1_000)
    desk.trade("Alice", symbol, -400)
    desk.trade("Tony", symbol, 2_500)
    totals = desk.blotter.table.aggregate("trader", {"quantity": "sum", "notional": "sum"}).order_by("trader")
    key = f"/Trades/{first.number:08d}"
    facts = {
        "trades": len(desk.blotter),
        "stored_under": key,
        "stored": {name: str(value) for name, value in desk.db[key].items()},
        "by_trader": list(totals),
        "sql": totals.sql,
        "firm_pnl_before": before,
        "firm_pnl_after": desk.firm_pnl.value,
        "alice_versions": len(desk.db.history("/Books/Alice:PNL")),
    }
    said = f"Trade {first.number} is in the store under {key}: {asdict(first)}"
    return Shown(facts, [said, totals, f"as one statement: {totals.sql}"])

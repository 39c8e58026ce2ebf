"""The desk closed, and opened again as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.dagger import Failure, LargeNode
from bank_python.desk.desk import Desk
from bank_python.desk.showcase.stage import Shown, scene

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage


@scene("THE DESK CLOSED AND REOPENED AS IT WAS")
def reopening(stage: Stage) -> Shown:
    """Every node is written with what it depends on, and read back to the same bits."""
    old = stage.desk
    before = _values(old)
    kept = old.save()
    old.close()
    stage.desk = Desk.open(stage.path)
    after = _values(stage.desk)
    same = sum(after.get(name) == value for name, value in before.items())
    facts = {
        "objects_kept": kept,
        "nodes_before": len(before),
        "nodes_after": len(after),
        "values_equal_to_the_bit": same,
        "firm_pnl": stage.desk.firm_pnl.value,
        "trades": len(stage.desk.blotter),
        "store_bytes": stage.path.stat().st_size,
    }
    said = f"{kept:,} objects kept; {same:,} of {len(before):,} values came back equal to the bit."
    return Shown(facts, [said, f"Firm P&L: {stage.desk.firm_pnl.value:+,.2f}"])


def _values(desk: Desk) -> dict[str, str]:
    with desk.graph.snapshot() as snapshot:
        outcomes = {node.name: snapshot.outcome(node) for node in desk.graph if not isinstance(node, LargeNode)}
    return {
        name: str(value.error) if isinstance(value, Failure) else float.hex(value)
        for name, value in outcomes.items()
        if isinstance(value, Failure | float)
    }

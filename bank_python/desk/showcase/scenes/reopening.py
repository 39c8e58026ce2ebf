"""A desk saved, closed and reopened from its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.dagger import Failure, LargeNode
from bank_python.desk.desk import Desk
from bank_python.desk.showcase.stage import SceneResult, scene

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage


@scene("DESK SAVED AND REOPENED")
def reopening(stage: Stage) -> SceneResult:
    """Save all nodes with their dependencies, close the desk, reopen it, and compare all values bit for bit."""
    old = stage.desk
    before = _values(old)
    stored = old.save()
    old.close()
    stage.desk = Desk.open(stage.path)
    after = _values(stage.desk)
    same = sum(after.get(name) == value for name, value in before.items())
    facts = {
        "objects_stored": stored,
        "nodes_before": len(before),
        "nodes_after": len(after),
        "values_bitwise_identical": same,
        "firm_pnl": stage.desk.firm_pnl.value,
        "trades": len(stage.desk.blotter),
        "store_bytes": stage.path.stat().st_size,
    }
    summary = (
        f"{stored:,} objects were stored; {same:,} of {len(before):,} values are bitwise identical after reopening."
    )
    return SceneResult(facts, [summary, f"Firm P&L: {stage.desk.firm_pnl.value:+,.2f} USD"])


def _values(desk: Desk) -> dict[str, str]:
    with desk.graph.snapshot() as snapshot:
        outcomes = {node.name: snapshot.outcome(node) for node in desk.graph if not isinstance(node, LargeNode)}
    return {
        name: str(value.error) if isinstance(value, Failure) else float.hex(value)
        for name, value in outcomes.items()
        if isinstance(value, Failure | float)
    }

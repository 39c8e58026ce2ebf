"""Ticks recorded in a journal and replayed, with bitwise identical values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.dagger import FileJournal
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_TICKS = 5


@scene("RECORD AND REPLAY")
def replay(stage: Stage) -> SceneResult:
    """Record five ticks in a journal and replay them: the firm's P&L is bitwise identical at each tick."""
    desk = stage.desk
    graph = desk.graph
    require_quotes(desk)
    journal = FileJournal(stage.path.with_name(f"{stage.path.stem}-tick-{graph.tick}.jsonl"))
    recorded: dict[int, float] = {}
    with graph.record(journal):
        for _ in range(_TICKS):
            desk.tick()
            recorded[graph.tick] = _firm_pnl(stage)
    replayed: dict[int, float] = {}
    ticks = graph.replay(journal, lambda tick: replayed.update({tick: _firm_pnl(stage)}))
    same = sum(replayed.get(tick) == pnl for tick, pnl in recorded.items())
    size = journal.path.stat().st_size
    journal.path.unlink()
    facts = {
        "ticks_recorded": len(recorded),
        "ticks_replayed": ticks,
        "bitwise_identical": same,
        "firm_pnl": list(recorded.values()),
        "journal_bytes": size,
    }
    summary = (
        f"{len(recorded)} ticks were recorded in {size:,} bytes and {ticks} replayed; the firm's P&L is bitwise "
        f"identical at {same} of them."
    )
    return SceneResult(facts, [summary])


def _firm_pnl(stage: Stage) -> float:
    return stage.desk.firm_pnl.value

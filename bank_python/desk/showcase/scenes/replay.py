"""Ticks recorded in a journal, and played again: the same values, to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.dagger import FileJournal
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_TICKS = 5


@scene("RECORDED AND REPLAYED")
def replay(stage: Stage) -> Shown:
    """Five ticks go into a journal; played again from it, every P&L is the same to the last bit."""
    desk = stage.desk
    graph = desk.graph
    require_quotes(desk)
    journal = FileJournal(stage.path.with_name(f"{stage.path.stem}-tick-{graph.tick}.jsonl"))
    lived: dict[int, float] = {}
    with graph.record(journal):
        for _ in range(_TICKS):
            desk.tick()
            lived[graph.tick] = _firm_pnl(stage)
    replayed: dict[int, float] = {}
    ticks = graph.replay(journal, lambda tick: replayed.update({tick: _firm_pnl(stage)}))
    same = sum(replayed.get(tick) == pnl for tick, pnl in lived.items())
    size = journal.path.stat().st_size
    journal.path.unlink()
    facts = {
        "ticks_recorded": len(lived),
        "ticks_replayed": ticks,
        "same_to_the_bit": same,
        "firm_pnl": list(lived.values()),
        "journal_bytes": size,
    }
    said = f"{len(lived)} ticks recorded in {size:,} bytes, {ticks} replayed, {same} with the same firm P&L to the bit."
    return Shown(facts, [said])


def _firm_pnl(stage: Stage) -> float:
    return stage.desk.firm_pnl.value

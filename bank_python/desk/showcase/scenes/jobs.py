"""Background jobs: a market update followed by a revaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.desk.showcase.views import jobs_view
from bank_python.walpole import JobConfig, JobMode, JobRunner

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_PATIENCE = 30.0


@scene("BACKGROUND JOBS")
def background_job(stage: Stage) -> SceneResult:
    """Run a market update and, after it, a revaluation as jobs of Walpole, which records the runs in the store."""
    desk = stage.desk
    tick = desk.graph.tick
    with JobRunner(barbara=desk.db) as runner:
        runner.add_job(JobConfig(name="market_data", callable=desk.market.update_all, mode=JobMode.ONE_SHOT))
        runner.add_job(
            JobConfig(
                name="revalue", callable=desk.graph.recalculate, mode=JobMode.ONE_SHOT, depends_on=["market_data"]
            )
        )
        runner.start()
        runner.wait_for("revalue", timeout=_PATIENCE)
        runs = {name: runner.history(name) for name in ("market_data", "revalue")}
    facts = {
        "jobs": {name: [run.outcome.name for run in history] for name, history in runs.items()},
        "ticks_passed": desk.graph.tick - tick,
        "stored_under": desk.db.keys("/Jobs/"),
    }
    return SceneResult(facts, [jobs_view(runs)])

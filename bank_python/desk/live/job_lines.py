"""The status of background jobs, for display."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.view import JobView
from bank_python.walpole import JobState

if TYPE_CHECKING:
    from datetime import datetime

    from bank_python.walpole import JobConfig, JobStatus

__all__ = ["job_line"]

_TROUBLED = frozenset({JobState.FAILED, JobState.TIMED_OUT, JobState.RETRYING, JobState.INTERRUPTED})


def job_line(config: JobConfig, status: JobStatus, now: datetime) -> JobView:
    """Return the status of a job at the time `now`.

    Parameters
    ----------
    config : JobConfig
        Configuration of the job.
    status : JobStatus
        Status of the job from its runner.
    now : datetime
        Current time, UTC, from which ages are counted.
    """
    last = status.last_run
    return JobView(
        name=status.name,
        schedule=config.schedule.lower(),
        state=status.state.value.replace("_", " "),
        busy=_since(status.last_started, now) if status.running else None,
        ago=None if last is None else _since(last.finished, now),
        took=None if last is None else last.duration,
        due=None if status.next_run is None else (status.next_run - now).total_seconds(),
        runs=status.runs,
        failures=status.failures + status.timeouts,
        note=status.reason or ((status.last_error or "") if status.state in _TROUBLED else ""),
    )


def _since(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max((now - moment).total_seconds(), 0.0)

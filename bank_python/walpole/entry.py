"""The scheduler's state of one job: its due time, its current runs and its history.

An entry is plain data guarded by the scheduler's lock. Its record form is stored in Barbara, so that the next
runner with the same store continues where this one stopped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bank_python.errors import JobError
from bank_python.walpole.modes import JobMode
from bank_python.walpole.records import FORMAT_VERSION, JobRun, JobState, JobStatus, RunOutcome, moment
from bank_python.walpole.timetable import timetable_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bank_python.walpole.config import JobConfig
    from bank_python.walpole.execution import Execution
    from bank_python.walpole.timetable import Timetable

__all__ = ["HISTORY_LENGTH", "JobEntry", "Launch", "Retry"]

HISTORY_LENGTH = 100
_COUNTED = {
    RunOutcome.SUCCEEDED: "successes",
    RunOutcome.FAILED: "failures",
    RunOutcome.TIMED_OUT: "timeouts",
}


@dataclass(frozen=True, slots=True, eq=False)
class Retry:
    """A further attempt of a run, due after the backoff."""

    attempt: int
    due: float


@dataclass(frozen=True, slots=True, eq=False)
class Launch:
    """A run that starts as soon as its job, its dependencies and a worker allow it.

    Attributes
    ----------
    forced : bool
        Whether the run was requested explicitly, so that it does not wait for dependencies or the end of a pause.
    retry : Retry or None
        Retry that the run carries out; None for a new run.
    single : bool
        Whether the run is never retried (``run_once``).
    """

    entry: JobEntry
    due: float
    attempt: int = 1
    forced: bool = False
    retry: Retry | None = None
    single: bool = False


@dataclass(slots=True, eq=False)
class JobEntry:
    """State of one job.

    Attributes
    ----------
    next_due : float or None
        Earliest due time for which no run has started yet, in seconds since 1970-01-01 UTC.
    ticket : int
        Number of the heap item of `next_due`; items with other numbers are obsolete.
    overdue : bool
        Whether a due time has passed while the job was busy or paused, and is still to be processed.
    pending : Launch or None
        Scheduled run that waits for dependencies or a worker.
    start_order, success_order : int
        Numbers of the events in the scheduler at which a new run last started and a run last succeeded; compared
        instead of times, which may be equal.
    undelivered : int
        Number of runs that have ended and are not yet stored and passed to subscribers.
    completed : int
        Number of runs that have ended in this process, including their retries.
    """

    config: JobConfig
    timetable: Timetable | None = None
    next_due: float | None = None
    ticket: int = 0
    overdue: bool = False
    paused: bool = False
    removed: bool = False
    triggered: bool = False
    pending: Launch | None = None
    retries: list[Retry] = field(default_factory=list)
    active: list[Execution] = field(default_factory=list)
    queued: int = 0
    anchor: float = 0.0
    history: deque[JobRun] = field(default_factory=lambda: deque(maxlen=HISTORY_LENGTH))
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("runs", "successes", "failures", "timeouts", "retries", "misfires", "launches"), 0
        )
    )
    last_number: int = 0
    last_started: float | None = None
    last_success: float | None = None
    last_outcome: RunOutcome | None = None
    last_error: str | None = None
    start_order: int = 0
    success_order: int = 0
    undelivered: int = 0
    completed: int = 0

    @property
    def name(self) -> str:
        """Name of the job."""
        return self.config.name

    @property
    def recurring(self) -> bool:
        """Whether the job is due repeatedly."""
        return self.config.mode in {JobMode.PERIODIC, JobMode.CRON}

    @property
    def busy(self) -> bool:
        """Whether a run or retry is active, queued or waiting for its backoff."""
        return bool(self.active or self.retries or self.queued)

    @property
    def finished(self) -> bool:
        """Whether the job is never due again: a one-shot that succeeded, or `max_runs` reached."""
        limit = self.config.max_runs
        done = self.config.mode is JobMode.ONE_SHOT and self.last_success is not None
        return done or (limit is not None and self.counts["launches"] >= limit)

    def begin_schedule(self, now: float) -> None:
        """Start the timetable at `now`."""
        self.anchor = now
        self.timetable = timetable_of(self.config, now)
        self.next_due = self.timetable.first

    def record_run(self, run: JobRun) -> None:
        """Add a run that has ended to the counts and the history."""
        self.history.append(run)
        self.counts["runs"] += 1
        self.counts["retries"] += run.attempt > 1
        if run.outcome in _COUNTED:
            self.counts[_COUNTED[run.outcome]] += 1
        self.last_outcome = run.outcome
        if run.error is not None:
            self.last_error = run.error
        if run.outcome is RunOutcome.SUCCEEDED and run.finished is not None:
            self.last_success = run.finished.timestamp()

    def status(self, unmet_dependencies: str) -> JobStatus:
        """Return the status of the job, given its unmet dependencies as text."""
        dues = [retry.due for retry in self.retries] + ([] if self.next_due is None else [self.next_due])
        shown = {name: number for name, number in self.counts.items() if name != "launches"}
        state = self._state(unmet_dependencies)
        return JobStatus(
            name=self.name,
            state=state,
            reason=unmet_dependencies if state is JobState.HELD else "",
            last_run=self.history[-1] if self.history else None,
            last_started=None if self.last_started is None else moment(self.last_started),
            last_success=None if self.last_success is None else moment(self.last_success),
            next_run=moment(min(dues)) if dues else None,
            running=len(self.active),
            last_error=self.last_error,
            **shown,
        )

    def _state(self, unmet_dependencies: str) -> JobState:
        ended = JobState.WAITING if self.last_outcome is None else JobState(self.last_outcome.value)
        signs = (
            (self.active, JobState.RUNNING),
            (self.paused, JobState.PAUSED),
            (self.retries, JobState.RETRYING),
            (self.pending and unmet_dependencies, JobState.HELD),
            (self.queued, JobState.QUEUED),
            (not self.config.enabled, JobState.DISABLED),
        )
        return next((state for sign, state in signs if sign), ended)

    def to_record(self) -> dict[str, Any]:
        """Return the state as a dictionary of JSON values."""
        return {
            "version": FORMAT_VERSION,
            "state": self._state("").value,
            "schedule": self.config.schedule,
            "anchor": self.anchor,
            "next_due": self.next_due,
            "paused": self.paused,
            "counts": dict(self.counts),
            "last_number": self.last_number,
            "last_started": self.last_started,
            "last_success": self.last_success,
            "last_outcome": None if self.last_outcome is None else self.last_outcome.value,
            "last_error": self.last_error,
            "start_order": self.start_order,
            "success_order": self.success_order,
            "retries": [{"attempt": retry.attempt, "due": retry.due} for retry in self.retries],
            "running": [
                {
                    "number": execution.number,
                    "attempt": execution.attempt,
                    "due": execution.due,
                    "started": execution.started,
                }
                for execution in self.active
            ],
        }

    def restore(
        self, record: Mapping[str, Any], stored_run: Callable[[int], Mapping[str, Any] | None], now: float
    ) -> tuple[JobRun, ...]:
        """Restore a stored state, and return the runs that were interrupted by the end of the process.

        Parameters
        ----------
        record : mapping
            Stored state, as returned by :meth:`to_record`.
        stored_run : callable
            Function that takes the number of a run and returns its stored record, or ``None``.
        now : float
            Due time of the retries of interrupted runs, in seconds since 1970-01-01 UTC.

        Raises
        ------
        JobError
            The record has another version, or is incomplete.
        """
        try:
            last = _last_number(record)
            found = (stored_run(number) for number in range(max(last - HISTORY_LENGTH, 0) + 1, last + 1))
            runs = [JobRun.from_record(run) for run in found if run is not None]
            return self._restore(record, {run.number: run for run in runs}, now)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise JobError(
                f"job {self.name!r}: its stored state cannot be read ({type(error).__name__}: {error}); "
                f"delete /Jobs/{self.name}/state to start without it",
                name=self.name,
            ) from error

    def _restore(self, record: Mapping[str, Any], runs: dict[int, JobRun], now: float) -> tuple[JobRun, ...]:
        running = {facts["number"]: facts for facts in record["running"]}
        self.paused = record["paused"]
        self.counts.update(record["counts"])
        for name in ("last_number", "last_started", "last_success", "last_error", "start_order", "success_order"):
            setattr(self, name, record[name])
        self.last_outcome = None if record["last_outcome"] is None else RunOutcome(record["last_outcome"])
        self.retries = [Retry(facts["attempt"], facts["due"]) for facts in record["retries"]]
        self.history.extend(run for number, run in sorted(runs.items()) if number not in running)
        if self.recurring and record["schedule"] == self.config.schedule and record["next_due"] is not None:
            self.anchor = record["anchor"]
            self.timetable = timetable_of(self.config, self.anchor)
            self.next_due = record["next_due"]
        return tuple(self._end_interrupted(facts, runs.get(number), now) for number, facts in sorted(running.items()))

    def _end_interrupted(self, facts: Mapping[str, Any], stored: JobRun | None, now: float) -> JobRun:
        """Record a run that was active when the process ended; its end may have been stored nevertheless."""
        run = stored or JobRun(
            job=self.name,
            number=facts["number"],
            attempt=facts["attempt"],
            outcome=RunOutcome.INTERRUPTED,
            due=moment(facts["due"]),
            started=moment(facts["started"]),
            finished=None,
            duration=None,
            error="the process ended during the run",
        )
        self.record_run(run)
        if run.outcome is not RunOutcome.SUCCEEDED and run.attempt <= self.config.retries:
            self.retries.append(Retry(run.attempt + 1, now))
        return run


def _last_number(record: Mapping[str, Any]) -> int:
    if record["version"] != FORMAT_VERSION:
        raise ValueError(f"version {record['version']!r}, not {FORMAT_VERSION}")
    number: int = record["last_number"]
    return number

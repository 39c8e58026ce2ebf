"""What the scheduler knows about one job: its due time, what is going on, what has been.

An entry is plain data guarded by the scheduler's lock. Its record form is what Barbara keeps, so that the next
runner over the same store goes on where this one stopped.
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
    """A next attempt, due after the backoff."""

    attempt: int
    due: float


@dataclass(frozen=True, slots=True, eq=False)
class Launch:
    """A run that may start as soon as nothing stands in its way.

    Attributes
    ----------
    forced : bool
        Asked for by a person: pauses and dependencies do not hold it.
    retry : Retry or None
        The retry it carries out.
    alone : bool
        Never retried (``run_once``).
    """

    entry: JobEntry
    due: float
    attempt: int = 1
    forced: bool = False
    retry: Retry | None = None
    alone: bool = False


@dataclass(slots=True, eq=False)
class JobEntry:
    """One job's state.

    Attributes
    ----------
    next_due : float or None
        The earliest due time for which no run has started yet.
    ticket : int
        Number of the heap item that stands for `next_due`; others are stale.
    overdue : bool
        The due time came while the job was busy or paused; it is looked at again afterwards.
    pending : Launch or None
        The scheduled run that waits for dependencies or a worker.
    start_order, success_order : int
        When a fresh run last started and one last succeeded, in the scheduler's count of events. Compared
        instead of times, which may be equal.
    unsettled : int
        Runs that ended and are not yet stored and announced.
    settled : int
        Fresh runs that ended for good in this process, retries and all.
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
    unsettled: int = 0
    settled: int = 0

    @property
    def name(self) -> str:
        """The job's name."""
        return self.config.name

    @property
    def recurring(self) -> bool:
        """Whether there is a due time after each due time."""
        return self.config.mode in {JobMode.PERIODIC, JobMode.CRON}

    @property
    def busy(self) -> bool:
        """Whether a run, retries included, is going on or about to."""
        return bool(self.active or self.retries or self.queued)

    @property
    def finished(self) -> bool:
        """Whether it is never due again: a one-shot that succeeded, or `max_runs` used up."""
        limit = self.config.max_runs
        done = self.config.mode is JobMode.ONE_SHOT and self.last_success is not None
        return done or (limit is not None and self.counts["launches"] >= limit)

    def begin_schedule(self, now: float) -> None:
        """Fix the grid of due times to `now`."""
        self.anchor = now
        self.timetable = timetable_of(self.config, now)
        self.next_due = self.timetable.first

    def record_run(self, run: JobRun) -> None:
        """Take a run that ended into the counts and the history."""
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

    def status(self, held_because: str) -> JobStatus:
        """Return how the job stands; `held_because` is what its dependencies say."""
        dues = [retry.due for retry in self.retries] + ([] if self.next_due is None else [self.next_due])
        shown = {name: number for name, number in self.counts.items() if name != "launches"}
        state = self._state(held_because)
        return JobStatus(
            name=self.name,
            state=state,
            reason=held_because if state is JobState.HELD else "",
            last_run=self.history[-1] if self.history else None,
            last_started=None if self.last_started is None else moment(self.last_started),
            last_success=None if self.last_success is None else moment(self.last_success),
            next_run=moment(min(dues)) if dues else None,
            running=len(self.active),
            last_error=self.last_error,
            **shown,
        )

    def _state(self, held_because: str) -> JobState:
        ended = JobState.WAITING if self.last_outcome is None else JobState(self.last_outcome.value)
        signs = (
            (self.active, JobState.RUNNING),
            (self.paused, JobState.PAUSED),
            (self.retries, JobState.RETRYING),
            (self.pending and held_because, JobState.HELD),
            (self.queued, JobState.QUEUED),
            (not self.config.enabled, JobState.DISABLED),
        )
        return next((state for sign, state in signs if sign), ended)

    def to_record(self) -> dict[str, Any]:
        """Return the state as a dict of JSON values."""
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
        """Go on from a stored state; return the runs found interrupted.

        Parameters
        ----------
        record : mapping
            What :meth:`to_record` wrote.
        stored_run : callable
            Gives the stored run in the place of a number, or ``None``.
        now : float
            When retries of interrupted runs are due.

        Raises
        ------
        JobError
            The record has another version, or lacks something.
        """
        try:
            last = _last_number(record)
            found = (stored_run(number) for number in range(max(last - HISTORY_LENGTH, 0) + 1, last + 1))
            runs = [JobRun.from_record(run) for run in found if run is not None]
            return self._restore(record, {run.number: run for run in runs}, now)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise JobError(
                f"job {self.name!r}: its stored state cannot be read ({type(error).__name__}: {error}); "
                f"delete /Jobs/{self.name}/state to begin afresh",
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
        """Close a run that was going on when the process ended; it may still have stored its end."""
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

"""Records about a job: its current status, and each of its runs.

Both are frozen. A :class:`JobRun` has a record form for the store, a plain dict of JSON values with a version number;
times are seconds since 1970-01-01 UTC in records, and datetimes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from bank_python.display import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMAT_VERSION", "JobRun", "JobState", "JobStatus", "RunOutcome", "moment"]

FORMAT_VERSION = 1


class RunOutcome(Enum):
    """Outcome of a run."""

    SUCCEEDED = "succeeded"
    """The function returned."""
    FAILED = "failed"
    """The function raised, or is a service and returned without being stopped."""
    TIMED_OUT = "timed_out"
    """The run exceeded the job's timeout, and its thread was abandoned."""
    STOPPED = "stopped"
    """The run ended on request, or was abandoned when the runner stopped."""
    INTERRUPTED = "interrupted"
    """The process ended during the run."""


class JobState(Enum):
    """State of a job; between runs, the outcome of the last one."""

    WAITING = "waiting"
    """The job has not run yet."""
    HELD = "held"
    """The job is due and waits for a dependency; the status gives the reason."""
    QUEUED = "queued"
    """The job is due and waits for a free worker."""
    RUNNING = "running"
    """A run is in progress."""
    RETRYING = "retrying"
    """The last attempt failed; the next one follows after the backoff."""
    SUCCEEDED = "succeeded"
    """The last run succeeded."""
    FAILED = "failed"
    """The last run failed, including its retries."""
    TIMED_OUT = "timed_out"
    """The last run was abandoned after its timeout."""
    STOPPED = "stopped"
    """The last run ended on request."""
    INTERRUPTED = "interrupted"
    """The process ended during the last run."""
    PAUSED = "paused"
    """The job is not due until it is resumed."""
    DISABLED = "disabled"
    """The configuration has ``enabled=False``."""


def moment(seconds: float) -> datetime:
    """Return the UTC datetime of `seconds` since 1970-01-01."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True, repr=False)
class JobRun(Record):
    """One attempt to run a job.

    Parameters
    ----------
    job : str
        Name of the job.
    number : int
        Number of the attempt among all attempts of the job, from 1, across restarts.
    attempt : int
        Number of the attempt in its run: 1 for a new run, 2 for its first retry, and so on.
    outcome : RunOutcome
        Outcome of the attempt.
    due, started : datetime
        Time at which it was due, and time at which it started, in UTC.
    finished : datetime or None
        Time at which it ended, in UTC; ``None`` if that is not known (INTERRUPTED).
    duration : float or None
        Duration in seconds, by the monotonic clock.
    result : str or None
        Shortened ``repr`` of the function's return value.
    error : str or None
        Exception in one line, or the reason why the run was abandoned.
    log : str
        Log records of the run, one per line.
    traceback : str or None
        Traceback of the exception, if there was one.
    """

    job: str
    number: int
    attempt: int
    outcome: RunOutcome
    due: datetime
    started: datetime
    finished: datetime | None
    duration: float | None
    result: str | None = None
    error: str | None = None
    log: str = ""
    traceback: str | None = None

    def to_record(self) -> dict[str, Any]:
        """Return the run as a dictionary of JSON values."""
        return {
            "version": FORMAT_VERSION,
            "job": self.job,
            "number": self.number,
            "attempt": self.attempt,
            "outcome": self.outcome.value,
            "due": self.due.timestamp(),
            "started": self.started.timestamp(),
            "finished": None if self.finished is None else self.finished.timestamp(),
            "duration": self.duration,
            "result": self.result,
            "error": self.error,
            "log": self.log,
            "traceback": self.traceback,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> JobRun:
        """Return the run of a dictionary written by :meth:`to_record`."""
        facts = {name: value for name, value in record.items() if name != "version"}
        facts["outcome"] = RunOutcome(facts["outcome"])
        for name in ("due", "started", "finished"):
            facts[name] = None if facts[name] is None else moment(facts[name])
        return cls(**facts)

    def __repr__(self) -> str:
        error = f", {self.error}" if self.error else ""
        return f"JobRun({self.job!r} #{self.number}, attempt {self.attempt}, {self.outcome.name}{error})"


@dataclass(frozen=True, slots=True, repr=False)
class JobStatus(Record):
    """Status of a job.

    Parameters
    ----------
    name : str
        Name of the job.
    state : JobState
        State of the job; between runs, the outcome of the last one.
    reason : str
        Unmet dependencies of a job that is held; otherwise empty.
    last_run : JobRun or None
        Last attempt that has ended.
    last_started, last_success, next_run : datetime or None
        Time of the last start, time of the last successful end, and next due time (including retries), in UTC.
    runs, successes, failures, timeouts, retries, misfires : int
        Number of attempts that have ended, that succeeded, that failed with an exception, that timed out, and that were
        retries; number of times that the misfire policy skipped or merged due times. All counts include earlier
        processes.
    running : int
        Number of attempts in progress.
    last_error : str or None
        Error of the last attempt that had one.
    """

    name: str
    state: JobState
    reason: str
    last_run: JobRun | None
    last_started: datetime | None
    last_success: datetime | None
    next_run: datetime | None
    runs: int
    successes: int
    failures: int
    timeouts: int
    retries: int
    misfires: int
    running: int
    last_error: str | None

    def __repr__(self) -> str:
        due = f", next {self.next_run:%Y-%m-%d %H:%M:%S}Z" if self.next_run else ""
        reason = f", {self.reason}" if self.reason else ""
        return f"JobStatus({self.name!r}, {self.state.name}, {self.runs} runs, {self.failures} failed{due}{reason})"

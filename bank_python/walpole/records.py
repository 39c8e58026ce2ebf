"""What the runner tells about a job: its status now, and each run it has had.

Both are frozen. A :class:`JobRun` has a record form, a plain dict of JSON values with a version number,
which is what Barbara keeps; times are seconds since 1970-01-01 UTC there, and datetimes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMAT_VERSION", "JobRun", "JobState", "JobStatus", "RunOutcome", "moment"]

FORMAT_VERSION = 1


class RunOutcome(Enum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    """The callable returned."""
    FAILED = "failed"
    """It raised; or it is a service and returned unasked."""
    TIMED_OUT = "timed_out"
    """It was given up after the job's timeout; its thread was abandoned."""
    STOPPED = "stopped"
    """It ended because it was asked to, or was abandoned when the runner stopped."""
    INTERRUPTED = "interrupted"
    """The process ended while it ran."""


class JobState(Enum):
    """What a job is doing; between runs, how the last one ended."""

    WAITING = "waiting"
    """It has not run yet."""
    HELD = "held"
    """It is due, and waits for a dependency; the status says which and why."""
    QUEUED = "queued"
    """It is due, and waits for a free worker."""
    RUNNING = "running"
    """A run is going on."""
    RETRYING = "retrying"
    """The last attempt failed; the next comes after the backoff."""
    SUCCEEDED = "succeeded"
    """The last run succeeded."""
    FAILED = "failed"
    """The last run failed, retries and all."""
    TIMED_OUT = "timed_out"
    """The last run was given up after its timeout."""
    STOPPED = "stopped"
    """The last run ended because it was asked to."""
    INTERRUPTED = "interrupted"
    """The process ended during the last run."""
    PAUSED = "paused"
    """It is never due until it is resumed."""
    DISABLED = "disabled"
    """Its configuration says ``enabled=False``."""


def moment(seconds: float) -> datetime:
    """Return the UTC datetime of `seconds` since 1970-01-01."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True, repr=False)
class JobRun:
    """One attempt at running a job.

    Parameters
    ----------
    job : str
        The job's name.
    number : int
        Counts the job's attempts from 1, over restarts.
    attempt : int
        1 for a fresh run, 2 for its first retry, …
    outcome : RunOutcome
        How it ended.
    due, started : datetime
        When it should have started and when it did, UTC.
    finished : datetime or None
        When it ended, UTC; ``None`` when that is not known (INTERRUPTED).
    duration : float or None
        Seconds on the monotonic clock.
    result : str or None
        The ``repr`` of what the callable returned, shortened.
    error : str or None
        One line: the exception, or why the run was given up.
    log : str
        What the callable logged, a line a record.
    traceback : str or None
        The traceback, if it raised.
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
        """Return the run as a dict of JSON values."""
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
        """Return the run that :meth:`to_record` wrote."""
        facts = {name: value for name, value in record.items() if name != "version"}
        facts["outcome"] = RunOutcome(facts["outcome"])
        for name in ("due", "started", "finished"):
            facts[name] = None if facts[name] is None else moment(facts[name])
        return cls(**facts)

    def __repr__(self) -> str:
        error = f", {self.error}" if self.error else ""
        return f"JobRun({self.job!r} #{self.number}, attempt {self.attempt}, {self.outcome.name}{error})"


@dataclass(frozen=True, slots=True, repr=False)
class JobStatus:
    """How a job stands.

    Parameters
    ----------
    name : str
        The job's name.
    state : JobState
        What it is doing; between runs, how the last one ended.
    reason : str
        Why it is held, else empty.
    last_run : JobRun or None
        The last attempt that ended.
    last_started, last_success, next_run : datetime or None
        When it last started, when it last ended well, when it is next due (a retry included), UTC.
    runs, successes, failures, timeouts, retries, misfires : int
        Attempts that ended; how many ended well, by an exception, by timeout; attempts that were retries;
        times the misfire policy dropped or merged due times. All over restarts.
    running : int
        Attempts going on now.
    last_error : str or None
        The error of the last attempt that had one.
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

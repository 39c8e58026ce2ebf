"""Execution of one attempt: calling the job's function, and recording the outcome."""

from __future__ import annotations

import contextvars
import reprlib
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bank_python.walpole.capture import LogBuffer, LogCapture, RunLogger
from bank_python.walpole.context import JobContext
from bank_python.walpole.modes import JobMode
from bank_python.walpole.records import JobRun, RunOutcome, moment
from bank_python.wording import message_of

if TYPE_CHECKING:
    import threading

    from bank_python.walpole.clock import Clock
    from bank_python.walpole.config import JobConfig
    from bank_python.walpole.workers import Worker

__all__ = ["Ending", "Execution", "open_execution", "perform"]

_MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class Ending:
    """Outcome of an attempt, with its result or error."""

    outcome: RunOutcome
    result: str | None = None
    error: str | None = None
    traceback: str | None = None


@dataclass(slots=True, eq=False)
class Execution:
    """An attempt in progress, guarded by the scheduler's lock.

    Attributes
    ----------
    config : JobConfig
        Configuration of the job.
    number : int
        Number of the attempt among all attempts of the job, from 1, across restarts.
    attempt : int
        Number of the attempt in its run: 1 for a new run, 2 for its first retry, and so on.
    due : float
        Time at which it was due, in seconds since 1970-01-01 UTC.
    single : bool
        Whether the run is never retried (``run_once``).
    started, begun : float
        Start times in seconds, by the wall clock and by the monotonic clock.
    deadline : float or None
        Time at which it times out by the monotonic clock, in seconds; None for no limit.
    run : JobRun or None
        Record of the attempt, after it has ended.
    """

    config: JobConfig
    number: int
    attempt: int
    due: float
    single: bool
    started: float
    begun: float
    deadline: float | None
    context: JobContext
    log: LogBuffer = field(default_factory=LogBuffer)
    worker: Worker | None = None
    run: JobRun | None = None

    @property
    def ended(self) -> bool:
        """Whether the outcome is recorded; a later result of the thread is discarded."""
        return self.run is not None

    def close(self, ending: Ending, now: float, monotonic: float) -> JobRun:
        """Record the outcome of the attempt, at the given wall-clock and monotonic times."""
        self.run = JobRun(
            job=self.config.name,
            number=self.number,
            attempt=self.attempt,
            outcome=ending.outcome,
            due=moment(self.due),
            started=moment(self.started),
            finished=moment(now),
            duration=monotonic - self.begun,
            result=ending.result,
            error=ending.error,
            log=self.log.text(),
            traceback=ending.traceback,
        )
        return self.run


def open_execution(
    config: JobConfig,
    *,
    number: int,
    attempt: int,
    due: float,
    single: bool,
    clock: Clock,
    condition: threading.Condition,
) -> Execution:
    """Return a new attempt of a job, which starts now."""
    begun = clock.monotonic()
    logger = RunLogger(f"bank_python.walpole.jobs.{config.name}")
    return Execution(
        config=config,
        number=number,
        attempt=attempt,
        due=due,
        single=single,
        started=clock.now(),
        begun=begun,
        deadline=None if config.timeout is None else begun + config.timeout,
        context=JobContext(config.name, attempt, logger, condition, clock),
    )


def perform(execution: Execution, capture: LogCapture) -> Ending:
    """Call the job's function in the current thread, and return the outcome; exceptions do not propagate."""
    config = execution.config
    kwargs = dict(config.kwargs)
    if config.wants_context:
        kwargs["context"] = execution.context
    capture.direct(execution.log)
    try:
        # In a copy of the context, so that context variables set by a run do not affect later runs on this thread.
        value = contextvars.copy_context().run(config.function, *config.args, **kwargs)
        return _returned(execution, value)
    except BaseException as error:  # noqa: BLE001  (a job may raise anything, even SystemExit, without other effects)
        return _raised(error)
    finally:
        capture.direct(None)


def _returned(execution: Execution, value: Any) -> Ending:
    if execution.config.mode is not JobMode.SERVICE:
        return Ending(RunOutcome.SUCCEEDED, result=_shorten(_repr(value)))
    if execution.context.cancelled:
        return Ending(RunOutcome.STOPPED, result=_shorten(_repr(value)))
    return Ending(RunOutcome.FAILED, error="the service returned although it was not stopped")


def _raised(error: BaseException) -> Ending:
    # Without the first frame, which belongs to this module.
    own = error.__traceback__.tb_next if error.__traceback__ else None
    text = "".join(traceback.format_exception(type(error), error, own))
    return Ending(RunOutcome.FAILED, error=_shorten(f"{type(error).__name__}: {message_of(error)}"), traceback=text)


def _repr(value: Any) -> str:
    limited = reprlib.Repr()
    limited.maxstring = limited.maxother = _MAX_TEXT
    return limited.repr(value)


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"

"""The job runner: which jobs there are, and all that a program may say to them and ask of them.

A :class:`JobRunner` decides *which*: it finds jobs by name, refuses what cannot be, and answers. *When* a run starts,
and on which thread, is the scheduler's (:mod:`bank_python.walpole.scheduler`), of which each runner has one.


>>> from bank_python.walpole import JobConfig, JobMode, JobRunner
>>> with JobRunner() as runner:
...     runner.add_job(JobConfig(name="close", callable=lambda: "closed", mode=JobMode.ONE_SHOT))
...     runner.wait_for("close").state
<JobState.SUCCEEDED: 'succeeded'>
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any, Self

from bank_python.errors import JobConfigError, JobError, JobTimeoutError, UnknownJobError
from bank_python.guessing import guessable
from bank_python.walpole.clock import Clock, SystemClock
from bank_python.walpole.config import JobConfig
from bank_python.walpole.dependencies import find_cycle, held_because, refuse_unknown
from bank_python.walpole.entry import JobEntry, Launch
from bank_python.walpole.modes import JobMode
from bank_python.walpole.scheduler import Scheduler
from bank_python.wording import did_you_mean, near_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from bank_python.walpole.backoff import UniformSource
    from bank_python.walpole.ledger import JobStore
    from bank_python.walpole.records import JobRun, JobStatus

__all__ = ["JobRunner"]


@guessable
class JobRunner:
    """Runs jobs in the background.

    Parameters
    ----------
    barbara : JobStore or None
        Where state and history are kept: a BarbaraDB, or any mapping. A new runner over the same store
        goes on where the last one stopped. One runner at a time for a store.
    max_workers : int
        Runs that may go on at once, ≥ 1; services do not count.
    clock : Clock or None
        The time; the system's unless given.
    rng : UniformSource or None
        Where the jitter of retries comes from; give a seeded one for repeatable waits.

    Raises
    ------
    JobError
        `max_workers` is not a whole number of at least 1.

    Notes
    -----
    Timeouts of the methods that block their caller are real seconds, whatever the clock.

    Examples
    --------
    >>> runner = JobRunner()
    >>> runner.add_job(JobConfig(name="mark", callable=lambda: 104.33, mode="one_shot"))
    >>> runner.run_once("mark").result
    '104.33'
    """

    def __init__(
        self,
        barbara: JobStore | None = None,
        max_workers: int = 4,
        clock: Clock | None = None,
        rng: UniformSource | None = None,
    ) -> None:
        count: Any = max_workers
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise JobConfigError(f"JobRunner: max_workers={count!r} is not a whole number of at least 1", value=count)
        chance = random.Random() if rng is None else rng  # noqa: S311  (jitter, not secrets)
        self._stopping = threading.Lock()
        self._scheduler = Scheduler(barbara, max_workers, SystemClock() if clock is None else clock, chance)

    # --- the set of jobs ---------------------------------------------------------------------------

    def add_job(self, config: JobConfig) -> None:
        """Add a job; on a running runner it is scheduled at once.

        Raises
        ------
        JobConfigError
            `config` is none, its name is taken, or it would close a circle of dependencies; on a running
            runner also when it depends on a job that is not there.
        JobError
            The job's stored state cannot be read.
        """
        if not isinstance(config, JobConfig):
            raise JobConfigError(f"add_job({config!r}): give a JobConfig", name=None, value=config)
        scheduler = self._scheduler
        entry = JobEntry(config)
        with scheduler.condition:
            self._refuse_misfit(config)
        # Read without the lock: the store may be busy, and the caller may hold it.
        scheduler.ledger.load(entry, scheduler.clock.now())
        with scheduler.condition:
            self._refuse_misfit(config)
            scheduler.entries[config.name] = entry
            scheduler.restore_order(entry)
            if scheduler.running:
                scheduler.enlist(entry, scheduler.clock.now())
            scheduler.condition.notify_all()

    def remove_job(self, name: str) -> None:
        """Take a job out; a run going on is asked to stop, and what it brings is not kept.

        Its stored state stays, so a job added under that name later goes on from it.

        Raises
        ------
        UnknownJobError
            There is no such job.
        JobError
            Another job depends on it.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            entry = self._entry(name)
            dependents = [other.name for other in scheduler.entries.values() if name in other.config.depends_on]
            if dependents:
                raise JobError(
                    f"job {name!r} cannot be removed: {', '.join(dependents)} depend on it; remove them first",
                    name=name,
                    value=dependents,
                )
            entry.removed = True
            del scheduler.entries[name]
            for execution in entry.active:
                execution.context.cancel()
            scheduler.condition.notify_all()

    @property
    def jobs(self) -> tuple[str, ...]:
        """The jobs' names, in the order they were added."""
        with self._scheduler.condition:
            return tuple(self._scheduler.entries)

    # --- life --------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the runner has been started and not stopped."""
        return self._scheduler.running

    def start(self) -> None:
        """Start the scheduler; nothing happens if it is already running.

        Raises
        ------
        JobConfigError
            A job depends on one that is not there.
        """
        with self._scheduler.condition:
            if not self._scheduler.running:
                refuse_unknown(self._scheduler.entries)
                self._scheduler.start()

    def stop(self, timeout: float = 30.0) -> bool:
        """Stop: no new runs, services are asked to end, other runs may finish.

        What still goes on after `timeout` is cancelled, given one more second, and then abandoned and
        recorded as STOPPED. Stopping a runner that does not run does nothing.

        Parameters
        ----------
        timeout : float
            Real seconds that runs may take to finish, ≥ 0.

        Returns
        -------
        bool
            Whether every thread has ended; ``False`` if a stuck one had to be abandoned.

        Raises
        ------
        JobError
            Called by a job of this runner, which would wait for itself.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            if scheduler.owns_current_thread():
                raise JobError("a job cannot stop its own runner: it would wait for itself; signal the main thread")
        with self._stopping:
            return scheduler.stop(timeout) if scheduler.running else True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # --- steering ----------------------------------------------------------------------------------

    def trigger(self, name: str) -> None:
        """Have a job run now, whatever its schedule, pause and dependencies say.

        If it is running, the run comes after that one; several triggers meanwhile are one.

        Raises
        ------
        UnknownJobError
            There is no such job.
        JobError
            The runner is not running.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            entry = self._entry(name)
            if not scheduler.running:
                raise JobError(f"job {name!r} cannot be triggered: call start() first, or use run_once", name=name)
            if entry.triggered:
                return
            entry.triggered = True
            scheduler.enqueue(Launch(entry, scheduler.clock.now(), forced=True))
            scheduler.condition.notify_all()

    def run_once(self, name: str) -> JobRun:
        """Run a job now and return when it has ended; its schedule, pause and dependencies do not matter.

        One attempt, in a thread beside the pool, started or not. What the job raises is in the
        result, not raised here.

        Raises
        ------
        UnknownJobError
            There is no such job.
        JobError
            It is running and may not overlap, or it is a service, which would not end.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            entry = self._entry(name)
            if entry.config.mode is JobMode.SERVICE:
                raise JobError(f"job {name!r} is a service and does not end by itself; use start()", name=name)
            if entry.active and not entry.config.allow_overlap:
                raise JobError(f"job {name!r} is running; wait for it, or allow_overlap", name=name)
            execution = scheduler.begin_alone(entry)
        try:
            run = scheduler.await_end(execution)
            scheduler.deliver()
            scheduler.wait_real(lambda: scheduler.is_settled(entry), None)
        finally:
            scheduler.end_alone()
        return run

    def pause(self, name: str) -> None:
        """Let a job be due no more until :meth:`resume`; a service is asked to end. Kept over restarts.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            entry = self._entry(name)
            entry.paused = True
            if entry.config.mode is JobMode.SERVICE:
                for execution in entry.active:
                    execution.context.cancel()
        self._note(entry)

    def resume(self, name: str) -> None:
        """End a pause; due times that went by meanwhile are treated as the misfire policy says.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            entry = self._entry(name)
            if entry.paused:
                entry.paused = False
                scheduler.resume(entry)
        self._note(entry)

    def subscribe(self, callback: Callable[[JobRun], None]) -> Callable[[], None]:
        """Have every run that ends handed to `callback`; return a function that ends that.

        The callback is called from the runner's threads, after the run is stored; what it raises is logged.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            scheduler.subscribers.append(callback)

        def unsubscribe() -> None:
            with scheduler.condition:
                if callback in scheduler.subscribers:
                    scheduler.subscribers.remove(callback)

        return unsubscribe

    # --- asking ------------------------------------------------------------------------------------

    def status(self, name: str) -> JobStatus:
        """Return how a job stands.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        with self._scheduler.condition:
            entry = self._entry(name)
            return entry.status(held_because(entry, self._scheduler.entries))

    def history(self, name: str) -> tuple[JobRun, ...]:
        """Return a job's last 100 attempts, oldest first, those of earlier processes included.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        with self._scheduler.condition:
            return tuple(self._entry(name).history)

    def wait_for(self, name: str, runs: int = 1, timeout: float | None = None) -> JobStatus:
        """Wait until a job has had `runs` runs in this runner, each with all its retries, and return its status.

        The runs are counted from the runner's making, not from the call, so none is missed; the last one is
        stored and announced when this returns.

        Parameters
        ----------
        name : str
            The job.
        runs : int
            Number of runs to wait for.
        timeout : float or None
            Real seconds to wait at most.

        Raises
        ------
        UnknownJobError
            There is no such job.
        JobTimeoutError
            The runs had not ended after `timeout`.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            entry = self._entry(name)
        if not scheduler.wait_real(lambda: entry.settled >= runs and scheduler.is_settled(entry), timeout):
            raise JobTimeoutError(
                f"job {name!r} has had {entry.settled} of {runs} runs after {timeout} s: {self.status(name)!r}",
                name=name,
                value=timeout,
            )
        return self.status(name)

    def wait_until_idle(self, timeout: float | None = None) -> None:
        """Wait until nothing is due now and nothing but services is running.

        With a :class:`~bank_python.walpole.ManualClock`: until everything that the last advance set off is
        over, stored and announced.

        Raises
        ------
        JobTimeoutError
            There was still something after `timeout` real seconds.
        """
        if not self._scheduler.wait_real(self._scheduler.is_idle, timeout):
            raise JobTimeoutError(f"jobs were still running or due after {timeout} s: {self!r}", value=timeout)

    @property
    def store_error(self) -> Exception | None:
        """The last error of the store, if it ever failed to take a job's state."""
        return self._scheduler.ledger.last_error

    def __repr__(self) -> str:
        state = "running" if self.running else "stopped"
        return f"JobRunner({len(self.jobs)} jobs, {state})"

    # --- inside ------------------------------------------------------------------------------------

    def _entry(self, name: str) -> JobEntry:
        entries = self._scheduler.entries
        if name not in entries:
            hint = did_you_mean(name, entries, f"it has {', '.join(entries) or 'none'}")
            close = near_names(name, entries)
            raise UnknownJobError(f"the runner has no job {name!r}; {hint}", name=name, matches=close)
        return entries[name]

    def _refuse_misfit(self, config: JobConfig) -> None:
        entries = self._scheduler.entries
        if config.name in entries:
            raise JobConfigError(
                f"the runner already has a job {config.name!r}; choose another name, or remove_job it first",
                name=config.name,
                value=config.name,
            )
        cycle = find_cycle(entries, config)
        if cycle is not None:
            raise JobConfigError(
                f"job {config.name!r} would wait for itself: {' → '.join(cycle)}; take one of these out of depends_on",
                name=config.name,
                value=cycle,
                path=cycle,
            )
        if self._scheduler.running:
            refuse_unknown({**entries, config.name: JobEntry(config)})

    def _note(self, entry: JobEntry) -> None:
        """Have a changed entry stored: by the scheduler, or here when none is running."""
        scheduler = self._scheduler
        with scheduler.condition:
            scheduler.ledger.touch(entry)
            scheduler.condition.notify_all()
            if scheduler.running:
                return
        scheduler.deliver()

"""The job runner: the public interface for adding, controlling and monitoring jobs.

A :class:`JobRunner` finds jobs by name, checks arguments and returns statuses. Its scheduler
(:mod:`bank_python.walpole.scheduler`) decides when a run starts, and on which thread.

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

from bank_python.display import Displayed
from bank_python.errors import JobConfigError, JobError, JobTimeoutError, UnknownJobError
from bank_python.guessing import guessable
from bank_python.walpole.clock import Clock, SystemClock
from bank_python.walpole.config import JobConfig
from bank_python.walpole.dependencies import find_cycle, refuse_unknown, unmet_dependencies
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
class JobRunner(Displayed):
    """Runner of jobs in background threads.

    Parameters
    ----------
    barbara : JobStore or None
        Store of states and histories: a BarbaraDB, or any mapping. A new runner with the same store continues where
        the last one stopped. A store can have one runner at a time.
    max_workers : int
        Maximum number of simultaneous runs, ≥ 1; services do not count.
    clock : Clock or None
        Clock of the schedules; by default the system clock.
    rng : UniformSource or None
        Random numbers for the jitter of retries; pass a seeded generator for reproducible waits.

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

    # --- adding and removing jobs ------------------------------------------------------------------

    @guessable
    def add_job(self, config: JobConfig) -> None:
        """Add a job; if the runner is running, the job is scheduled immediately.

        Raises
        ------
        JobConfigError
            `config` is not a JobConfig, its name is taken, or it would close a cycle of dependencies; if the runner is
            running, also if it depends on a job that does not exist.
        JobError
            The job's stored state cannot be read.
        """
        if not isinstance(config, JobConfig):
            raise JobConfigError(
                f"add_job({config!r}): give a JobConfig, as in JobConfig(name=..., callable=..., interval=...)",
                name=None,
                value=config,
            )
        scheduler = self._scheduler
        entry = JobEntry(config)
        with scheduler.condition:
            self._refuse_misfit(config)
        # Read without the lock, as the store may be busy, possibly with a transaction of the caller.
        scheduler.ledger.load(entry, scheduler.clock.now())
        with scheduler.condition:
            self._refuse_misfit(config)
            scheduler.entries[config.name] = entry
            scheduler.restore_order(entry)
            if scheduler.running:
                scheduler.enlist(entry, scheduler.clock.now())
            scheduler.condition.notify_all()

    def remove_job(self, name: str) -> None:
        """Remove a job; a run in progress is cancelled, and its outcome is not stored.

        The stored state is kept, so a job that is added under the same name later continues from it.

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
        """Names of the jobs, in the order in which they were added."""
        with self._scheduler.condition:
            return tuple(self._scheduler.entries)

    # --- starting and stopping ---------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the runner has been started and is not stopped."""
        return self._scheduler.running

    def start(self) -> None:
        """Start the scheduler; without effect if it is running already.

        Raises
        ------
        JobConfigError
            A job depends on one that does not exist.
        """
        with self._scheduler.condition:
            if not self._scheduler.running:
                refuse_unknown(self._scheduler.entries)
                self._scheduler.start()

    def stop(self, timeout: float = 30.0) -> bool:
        """Stop the runner: no new runs start, services are cancelled, other runs may finish.

        Runs that are still in progress after `timeout` are cancelled and, after one more second, abandoned and recorded
        as STOPPED. Stopping a runner that is not running has no effect.

        Parameters
        ----------
        timeout : float
            Time that runs may take to finish, in real seconds, ≥ 0.

        Returns
        -------
        bool
            Whether every thread has ended; ``False`` if one had to be abandoned.

        Raises
        ------
        JobError
            The method was called by a job of this runner, which would wait for itself.
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

    # --- control -----------------------------------------------------------------------------------

    def trigger(self, name: str) -> None:
        """Run a job now in the background, regardless of its schedule, pause and dependencies.

        If the job is running, the new run follows that one; further triggers before it starts have no effect.

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
        """Run a job now, regardless of its schedule, pause and dependencies, and return when it has ended.

        There is one attempt, in a separate thread, whether or not the runner is running. An exception of the job is in
        the result, and not raised here.

        Raises
        ------
        UnknownJobError
            There is no such job.
        JobError
            The job is running and does not allow overlaps, or it is a service, which would not end.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            entry = self._entry(name)
            if entry.config.mode is JobMode.SERVICE:
                raise JobError(f"job {name!r} is a service and does not end by itself; use start()", name=name)
            if entry.active and not entry.config.allow_overlap:
                raise JobError(f"job {name!r} is running; wait for it, or set allow_overlap=True", name=name)
            execution = scheduler.begin_single_run(entry)
        try:
            run = scheduler.await_end(execution)
            scheduler.deliver()
            scheduler.wait_real(lambda: scheduler.is_delivered(entry), None)
        finally:
            scheduler.end_single_run()
        return run

    def pause(self, name: str) -> None:
        """Suspend the schedule of a job until :meth:`resume`, also across restarts; a service is cancelled.

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
        """End the pause of a job; the misfire policy applies to due times that passed in the meantime.

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
        """Call `callback` with every run that ends; return a function that ends the subscription.

        The callback is called in a thread of the runner, after the run is stored; exceptions that it raises are logged.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            scheduler.subscribers.append(callback)

        def unsubscribe() -> None:
            with scheduler.condition:
                if callback in scheduler.subscribers:
                    scheduler.subscribers.remove(callback)

        return unsubscribe

    # --- status ------------------------------------------------------------------------------------

    def status(self, name: str) -> JobStatus:
        """Return the status of a job.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        with self._scheduler.condition:
            entry = self._entry(name)
            return entry.status(unmet_dependencies(entry, self._scheduler.entries))

    def history(self, name: str) -> tuple[JobRun, ...]:
        """Return the last 100 attempts of a job, oldest first, including those of earlier processes.

        Raises
        ------
        UnknownJobError
            There is no such job.
        """
        with self._scheduler.condition:
            return tuple(self._entry(name).history)

    def wait_for(self, name: str, runs: int = 1, timeout: float | None = None) -> JobStatus:
        """Wait until `runs` runs of a job, including their retries, have ended in this runner, and return its status.

        Runs are counted from the construction of the runner, not from the call, so that none is missed. When this
        returns, the last run is stored and passed to subscribers.

        Parameters
        ----------
        name : str
            Name of the job.
        runs : int
            Number of runs to wait for.
        timeout : float or None
            Longest time to wait, in real seconds; None for no limit.

        Raises
        ------
        UnknownJobError
            There is no such job.
        JobTimeoutError
            The runs have not ended within `timeout`.
        """
        scheduler = self._scheduler
        with scheduler.condition:
            entry = self._entry(name)
        if not scheduler.wait_real(lambda: entry.completed >= runs and scheduler.is_delivered(entry), timeout):
            raise JobTimeoutError(
                f"job {name!r} has had {entry.completed} of {runs} runs after {timeout} s: {self.status(name)!r}",
                name=name,
                value=timeout,
            )
        return self.status(name)

    def wait_until_idle(self, timeout: float | None = None) -> None:
        """Wait until no job is due and only services are running.

        With a :class:`~bank_python.walpole.ManualClock` this waits until all runs that became due by the last advance
        have ended, are stored and passed to subscribers.

        Parameters
        ----------
        timeout : float or None
            Longest time to wait, in real seconds; None for no limit.

        Raises
        ------
        JobTimeoutError
            Jobs were still running or due after `timeout`.
        """
        if not self._scheduler.wait_real(self._scheduler.is_idle, timeout):
            raise JobTimeoutError(f"jobs were still running or due after {timeout} s: {self!r}", value=timeout)

    @property
    def store_error(self) -> Exception | None:
        """Last error of the store in writing the state of a job, ``None`` if there was none."""
        return self._scheduler.ledger.last_error

    def __repr__(self) -> str:
        state = "running" if self.running else "stopped"
        return f"JobRunner({len(self.jobs)} jobs, {state})"

    # --- internal ----------------------------------------------------------------------------------

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
                f"job {config.name!r} would wait for itself: {' → '.join(cycle)}; remove one of these from depends_on",
                name=config.name,
                value=cycle,
                path=cycle,
            )
        if self._scheduler.running:
            refuse_unknown({**entries, config.name: JobEntry(config)})

    def _note(self, entry: JobEntry) -> None:
        """Store a changed entry: by the scheduler if it is running, otherwise here."""
        scheduler = self._scheduler
        with scheduler.condition:
            scheduler.ledger.touch(entry)
            scheduler.condition.notify_all()
            if scheduler.running:
                return
        scheduler.deliver()

    def __rich__(self) -> object:
        from bank_python.render_objects import jobs_view

        return jobs_view(self)

"""The scheduler: due times in a heap, launches in a queue, runs in threads.

A :class:`Scheduler` decides when jobs run. It works on entries, not names, and does not check arguments. The
:class:`~bank_python.walpole.JobRunner` is the public interface: it checks the arguments of a call while it holds the
scheduler's lock, and then calls a method of the scheduler.

When a due time comes, it becomes a *launch*. A launch waits for the end of a pause, the end of the job's previous run,
its dependencies and a free worker, and becomes an *execution*. An execution ends as a
:class:`~bank_python.walpole.JobRun`, and the launches that waited for it are checked again. The invariants:

* All state below is read and changed while holding one condition, which is never held while the function of a job, a
  subscriber or the store is called.
* A job has at most one valid heap item for its due times, and one for each retry.
* A due time is consumed when its run starts, not when it comes: a run that is held or queued when the process ends is
  due again in the next process.
* An execution ends once: by its thread, by its timeout, or by the stop of the runner, whichever is first; later results
  are discarded.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from bank_python.walpole.capture import LogCapture
from bank_python.walpole.dependencies import unmet_dependencies
from bank_python.walpole.entry import JobEntry, Launch, Retry
from bank_python.walpole.execution import Ending, Execution, open_execution, perform
from bank_python.walpole.ledger import JobStore, Ledger
from bank_python.walpole.modes import JobMode, MisfirePolicy
from bank_python.walpole.records import JobRun, RunOutcome
from bank_python.walpole.timetable import slot_to_run
from bank_python.walpole.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.walpole.backoff import UniformSource
    from bank_python.walpole.clock import Clock

__all__ = ["Scheduler"]

_LOG = logging.getLogger(__name__)
# Longest wait in seconds between readings of the wall clock, which may be set while the scheduler waits.
_LONGEST_WAIT = 60.0
# Time in real seconds that a run which is cancelled by stop() gets to end.
_CANCEL_TIMEOUT = 1.0

_HeapItem = tuple[float, int, JobEntry, Retry | None]


class Scheduler:
    """Internal part of a :class:`~bank_python.walpole.JobRunner` that runs the jobs of entries when they are due."""

    def __init__(self, store: JobStore | None, max_workers: int, clock: Clock, rng: UniformSource) -> None:
        self.condition = threading.Condition()
        self.entries: dict[str, JobEntry] = {}
        self.subscribers: list[Callable[[JobRun], None]] = []
        self.clock = clock
        self.ledger = Ledger(store, self.condition)
        self.running = False
        self._rng = rng
        self._max_workers = max_workers
        self._pool = WorkerPool(max_workers, self.condition)
        self._capture = LogCapture()
        self._heap: list[_HeapItem] = []
        self._ready: list[Launch] = []
        self._outbox: deque[tuple[JobEntry, JobRun]] = deque()
        self._tickets = 0
        self._order = 0
        self._draining = False
        self._thread: threading.Thread | None = None

    # --- starting and stopping --------------------------------------------------------------------

    def start(self) -> None:
        """Schedule every entry and start the scheduler thread."""
        self._capture.acquire()
        self.running, self._draining = True, False
        now = self.clock.now()
        for entry in self.entries.values():
            self.enlist(entry, now)
        self._thread = threading.Thread(target=self._loop, name="walpole-scheduler", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Wait for runs to end, cancel services, abandon the others; return whether every thread has ended."""
        deadline = time.monotonic() + timeout
        with self.condition:
            self._draining = True
            self._cancel_active(services_only=True)
            self.condition.notify_all()
            self._wait_real(lambda: not self._active(), deadline)
            if self._active():
                self._cancel_active(services_only=False)
                deadline = max(deadline, time.monotonic() + _CANCEL_TIMEOUT)
                self._wait_real(lambda: not self._active(), deadline)
            self._abandon_active()
            self._clear_launches()
            self.running = False
            self.condition.notify_all()
            pool, self._pool = self._pool, WorkerPool(self._max_workers, self.condition)
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        ended = pool.close(max(deadline - time.monotonic(), _CANCEL_TIMEOUT))
        self.deliver()
        self._capture.release()
        return ended

    def owns_current_thread(self) -> bool:
        """Whether the calling thread is one of the scheduler's."""
        return threading.current_thread() is self._thread or self._pool.owns_current_thread()

    def _loop(self) -> None:
        while True:
            with self.condition:
                if not self.running:
                    return
                self._tick()
                if not self.ledger.has_changes and not self._outbox:
                    self.condition.notify_all()  # threads that wait for an idle scheduler check again
                    self.clock.wait(self.condition, self._until_next())
                    continue
            self.deliver()

    def _tick(self) -> None:
        self._expire()
        if not self._draining:
            self._collect_due()
            self._dispatch()

    def _until_next(self) -> float | None:
        now, monotonic = self.clock.now(), self.clock.monotonic()
        waits = [execution.deadline - monotonic for _, execution in self._active() if execution.deadline is not None]
        if self._heap and not self._draining:
            waits.append(self._heap[0][0] - now)
        return max(min(*waits, _LONGEST_WAIT), 0.0) if waits else None

    # --- due times --------------------------------------------------------------------------------

    def enlist(self, entry: JobEntry, now: float) -> None:
        """Schedule an entry, from its restored due time or from now."""
        self.ledger.touch(entry)
        if entry.config.mode is JobMode.SERVICE:
            entry.retries.clear()  # the service is started now instead
        for retry in entry.retries:
            self._push(retry.due, entry, retry)
        if not entry.config.enabled or entry.finished or (entry.retries and not entry.recurring):
            entry.next_due = None
            return
        if entry.next_due is None or not entry.recurring:
            entry.begin_schedule(now)
        self._push_due(entry)

    def resume(self, entry: JobEntry) -> None:
        """Continue the schedule of an entry whose pause has ended."""
        if not self.running:
            return
        now = self.clock.now()
        if entry.config.mode is JobMode.SERVICE and not entry.retries and entry.pending is None:
            if entry.active:
                entry.overdue = True  # its cancelled run has not ended yet: restart it after that
            elif not entry.finished:
                entry.begin_schedule(now)
                self._push_due(entry)
        elif entry.overdue and not entry.busy:
            self.take_overdue(entry, now)

    def take_overdue(self, entry: JobEntry, now: float) -> None:
        """Process a due time that came while the job was busy or paused."""
        entry.overdue = False
        if entry.config.mode is JobMode.SERVICE:
            entry.begin_schedule(now)
        self._come_due(entry, now)

    def _push(self, due: float, entry: JobEntry, retry: Retry | None) -> int:
        self._tickets += 1
        heapq.heappush(self._heap, (due, self._tickets, entry, retry))
        return self._tickets

    def _push_due(self, entry: JobEntry) -> None:
        if entry.next_due is not None:
            entry.ticket = self._push(entry.next_due, entry, None)

    def _collect_due(self) -> None:
        now = self.clock.now()
        while self._heap and self._heap[0][0] <= now:
            due, ticket, entry, retry = heapq.heappop(self._heap)
            if entry.removed:
                continue
            if retry is not None:
                self.enqueue(Launch(entry, due, attempt=retry.attempt, retry=retry))
            elif ticket == entry.ticket:
                self._come_due(entry, now)

    def _come_due(self, entry: JobEntry, now: float) -> None:
        """Turn a due time into a launch, or mark it as overdue while the job is busy or paused."""
        if entry.next_due is None or entry.timetable is None or not self.running:
            return
        if entry.finished:
            entry.next_due = None
            return
        if entry.paused or (entry.busy and not entry.config.allow_overlap):
            entry.overdue = True
            return
        slot = slot_to_run(entry.config, entry.timetable, entry.next_due, now)
        merged = entry.timetable.after(entry.next_due)
        if slot != entry.next_due or (
            entry.config.misfire is MisfirePolicy.RUN_ONCE and merged is not None and merged <= now
        ):
            entry.counts["misfires"] += 1
            self.ledger.touch(entry)
        if slot is None:
            entry.next_due = entry.timetable.after(now)
            self._push_due(entry)
        else:
            entry.next_due = slot
            entry.pending = Launch(entry, slot)
            self.enqueue(entry.pending)

    def _advance(self, entry: JobEntry, now: float) -> None:
        """Advance to the due time after the one whose run has just started."""
        entry.pending = None
        if entry.next_due is None or entry.timetable is None:
            return
        from_when = entry.next_due if entry.config.misfire is MisfirePolicy.RUN_ALL else max(entry.next_due, now)
        entry.next_due = None if entry.finished else entry.timetable.after(from_when)
        self._push_due(entry)

    # --- launches ---------------------------------------------------------------------------------

    def enqueue(self, launch: Launch) -> None:
        """Append a launch to the queue."""
        launch.entry.queued += 1
        self._ready.append(launch)

    def _dispatch(self) -> None:
        waiting: list[Launch] = []
        for launch in self._ready:
            if launch.entry.removed or self._is_moot(launch):
                continue
            if self._may_start(launch):
                self.launch(launch)
            else:
                waiting.append(launch)
        self._ready = waiting

    def _is_moot(self, launch: Launch) -> bool:
        """Whether a scheduled run is no longer needed, as a trigger has finished the job; if so, clear it."""
        entry = launch.entry
        if launch is not entry.pending or not entry.finished:
            return False
        entry.queued -= 1
        entry.pending = entry.next_due = None
        self.ledger.touch(entry)
        return True

    def _may_start(self, launch: Launch) -> bool:
        is_service = launch.entry.config.mode is JobMode.SERVICE
        return self._is_startable(launch) and (is_service or self._pool.has_free)

    def _is_startable(self, launch: Launch) -> bool:
        """Whether a launch waits for nothing but a free worker."""
        entry = launch.entry
        if entry.active and not entry.config.allow_overlap:
            return False
        if entry.paused and not launch.forced:
            return False
        return launch.attempt != 1 or launch.forced or not unmet_dependencies(entry, self.entries)

    def launch(self, launch: Launch) -> Execution:
        """Start a run now, in a separate thread for a service and for ``run_once``."""
        entry = launch.entry
        execution = open_execution(
            entry.config,
            number=entry.last_number + 1,
            attempt=launch.attempt,
            due=launch.due,
            single=launch.single,
            clock=self.clock,
            condition=self.condition,
        )
        entry.queued -= 1
        entry.last_number = execution.number
        entry.last_started = execution.started
        entry.active.append(execution)
        if launch.forced and not launch.single:
            entry.triggered = False
        if launch.retry is not None:
            entry.retries.remove(launch.retry)
        if launch.attempt == 1:
            entry.counts["launches"] += 1
            entry.start_order = self.next_order()
        if launch is entry.pending:
            self._advance(entry, execution.started)
        self.ledger.touch(entry)
        extra = launch.single or entry.config.mode is JobMode.SERVICE
        execution.worker = self._pool.submit(lambda: self._run(entry, execution), extra=extra)
        return execution

    def next_order(self) -> int:
        """Return the number of a new event."""
        self._order += 1
        return self._order

    def restore_order(self, entry: JobEntry) -> None:
        """Continue the numbering of events after those of a restored entry."""
        self._order = max(self._order, entry.start_order, entry.success_order)

    # --- executions -------------------------------------------------------------------------------

    def _run(self, entry: JobEntry, execution: Execution) -> None:
        # Stored before the run begins, so that the next process finds it if this one is killed.
        self.deliver()
        ending = perform(execution, self._capture)
        with self.condition:
            self._end(entry, execution, ending)
        self.deliver()

    def _end(self, entry: JobEntry, execution: Execution, ending: Ending) -> None:
        if execution.ended:
            return
        entry.active.remove(execution)
        run = execution.close(ending, self.clock.now(), self.clock.monotonic())
        entry.record_run(run)
        if run.outcome is RunOutcome.SUCCEEDED:
            entry.success_order = self.next_order()
        if not entry.removed:
            self.ledger.touch(entry, run)
        entry.undelivered += 1
        self._outbox.append((entry, run))
        self._plan_retry(entry, execution, run)
        now = self.clock.now()
        if entry.overdue and not entry.paused and not entry.busy and self.running and not self._draining:
            self.take_overdue(entry, now)
        self.condition.notify_all()

    def _plan_retry(self, entry: JobEntry, execution: Execution, run: JobRun) -> None:
        config = execution.config
        if config.mode is JobMode.SERVICE:
            again = not execution.context.cancelled and not entry.finished and not execution.single
            # After a run that was longer than the longest wait, the backoff starts again with the shortest.
            is_stable = run.duration is not None and run.duration > config.backoff.maximum
            failed = 1 if is_stable else run.attempt
        else:
            again = run.outcome in {RunOutcome.FAILED, RunOutcome.TIMED_OUT} and run.attempt <= config.retries
            again = again and not execution.single
            failed = run.attempt
        if entry.removed or not again:
            entry.completed += 1
            return
        retry = Retry(failed + 1, self.clock.now() + config.backoff.delay(failed, config.jitter, self._rng))
        entry.retries.append(retry)
        if self.running:
            self._push(retry.due, entry, retry)

    def _expire(self) -> None:
        monotonic = self.clock.monotonic()
        for entry, execution in self._active():
            if execution.deadline is not None and execution.deadline <= monotonic:
                error = f"no end after {execution.config.timeout:g} s; its thread was abandoned"
                self._abandon(entry, execution, RunOutcome.TIMED_OUT, error)

    def _abandon(self, entry: JobEntry, execution: Execution, outcome: RunOutcome, error: str) -> None:
        execution.context.cancel()
        if execution.worker is not None:
            self._pool.abandon(execution.worker)
        self._end(entry, execution, Ending(outcome, error=error))

    def await_end(self, execution: Execution) -> JobRun:
        """Wait until an execution has ended, and enforce its timeout, as the scheduler thread may not be running."""
        with self.condition:
            while execution.run is None:
                self._expire()
                if not execution.ended:
                    self.clock.wait(self.condition, self._until_next())
            return execution.run

    # --- stopping ---------------------------------------------------------------------------------

    def _active(self) -> list[tuple[JobEntry, Execution]]:
        return [(entry, execution) for entry in self.entries.values() for execution in entry.active]

    def _cancel_active(self, *, services_only: bool) -> None:
        for _, execution in self._active():
            if not services_only or execution.config.mode is JobMode.SERVICE:
                execution.context.cancel()

    def _abandon_active(self) -> None:
        error = "still running when the runner stopped; its thread was abandoned"
        for entry, execution in self._active():
            self._abandon(entry, execution, RunOutcome.STOPPED, error)

    def _clear_launches(self) -> None:
        """Clear the queue and the heap; due times and retries remain in the entries."""
        for launch in self._ready:
            launch.entry.queued = 0
            launch.entry.triggered = False
            launch.entry.pending = None
        self._ready.clear()
        self._heap.clear()
        for entry in self.entries.values():
            entry.overdue = False
            self.ledger.touch(entry)

    # --- delivery ---------------------------------------------------------------------------------

    def deliver(self) -> None:
        """Store changed states and pass ended runs to subscribers; the condition must not be held."""
        self.ledger.flush()
        while True:
            with self.condition:
                if not self._outbox:
                    return
                entry, run = self._outbox.popleft()
                subscribers = tuple(self.subscribers)
            try:
                for callback in subscribers:
                    self._notify(callback, run)
            finally:
                with self.condition:
                    entry.undelivered -= 1
                    self.condition.notify_all()

    def _notify(self, callback: Callable[[JobRun], None], run: JobRun) -> None:
        try:
            callback(run)
        except KeyboardInterrupt:
            raise  # Ctrl-C in a main thread that waits for a run
        except BaseException:  # noqa: BLE001  (a subscriber may raise anything, even SystemExit)
            _LOG.exception("subscriber %r failed on %r; the jobs continue", callback, run)

    def is_delivered(self, entry: JobEntry) -> bool:
        """Whether all runs of a job that have ended are stored and passed to subscribers."""
        return entry.undelivered == 0 and self.ledger.is_clean(entry.name)

    def is_idle(self) -> bool:
        """Whether no job is due, only services are running, and all ended runs are stored and passed to subscribers."""
        if any(execution.config.mode is not JobMode.SERVICE for _, execution in self._active()):
            return False
        if not all(self.is_delivered(entry) for entry in self.entries.values()):
            return False
        if not self.running:
            return True
        due_now = any(due <= self.clock.now() and self._is_live(item) for item in self._heap for due in item[:1])
        # A worker that has just ended its run may not be free yet: a launch that waits for it is due all the same.
        return not due_now and not any(self._is_startable(launch) for launch in self._ready)

    def _is_live(self, item: _HeapItem) -> bool:
        _, ticket, entry, retry = item
        return not entry.removed and (retry is not None or ticket == entry.ticket)

    def wait_real(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `done()` is true, at most `timeout` real seconds; return its last value."""
        with self.condition:
            return self._wait_real(done, None if timeout is None else time.monotonic() + timeout)

    def _wait_real(self, done: Callable[[], bool], deadline: float | None) -> bool:
        return self.condition.wait_for(done, None if deadline is None else max(deadline - time.monotonic(), 0.0))

    def begin_single_run(self, entry: JobEntry) -> Execution:
        """Start the one attempt of ``run_once``."""
        self._capture.acquire()
        launch = Launch(entry, self.clock.now(), forced=True, single=True)
        entry.queued += 1
        return self.launch(launch)

    def end_single_run(self) -> None:
        """Release the resources acquired by :meth:`begin_single_run`."""
        self._capture.release()

"""The scheduler: due times in a heap, launches in a queue, runs in threads.

A :class:`Scheduler` decides *when*: it knows entries, not names, and refuses nothing. Which jobs there are, and what
may be asked of them, is the :class:`~bank_python.walpole.JobRunner`'s, which checks what programs say under the
scheduler's lock and then calls one of its methods. Neither is of use without the other; programs see the runner.

A due time that comes becomes a *launch*; a launch waits until nothing stands in its way (a pause, the
job's own last run, a dependency, a free worker) and becomes an *execution*; an execution ends as a
:class:`~bank_python.walpole.JobRun`, and what waited for it is looked at again. The invariants:

* Everything below is read and changed holding one condition; it is never held while a job's callable, a
  subscriber or the store is at work.
* A job has at most one live heap item for its due times, and one for each retry.
* A due time is used up when its run starts, not when it comes: what is held or queued when the process
  ends is due again in the next.
* An execution ends once: by its thread, by its timeout, or by the runner's stop, whichever is first;
  what comes later is discarded.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from bank_python.walpole.capture import LogCapture
from bank_python.walpole.dependencies import held_because
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
# The wall clock may be set while the scheduler waits: it looks again at least this often, in seconds.
_LONGEST_WAIT = 60.0
# How long, in real seconds, a run that outlasts stop() gets to notice that it was cancelled.
_LAST_PATIENCE = 1.0

_HeapItem = tuple[float, int, JobEntry, Retry | None]


class Scheduler:
    """Runs the entries' jobs when they are due; the part of a :class:`~bank_python.walpole.JobRunner` with threads."""

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

    # --- life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Schedule every entry and start the scheduler thread."""
        self._capture.acquire()
        self.running, self._draining = True, False
        now = self.clock.now()
        for entry in self.entries.values():
            self.enlist(entry, now)
        self._thread = threading.Thread(target=self._loop, name="walpole-scheduler", daemon=True)
        self._thread.start()

    def stop(self, patience: float) -> bool:
        """Let runs end, ask services to, abandon what is left; say whether every thread has ended."""
        deadline = time.monotonic() + patience
        with self.condition:
            self._draining = True
            self._cancel_active(services_only=True)
            self.condition.notify_all()
            self._wait_real(lambda: not self._active(), deadline)
            if self._active():
                self._cancel_active(services_only=False)
                deadline = max(deadline, time.monotonic() + _LAST_PATIENCE)
                self._wait_real(lambda: not self._active(), deadline)
            self._abandon_active()
            self._clear_launches()
            self.running = False
            self.condition.notify_all()
            pool, self._pool = self._pool, WorkerPool(self._max_workers, self.condition)
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        ended = pool.close(max(deadline - time.monotonic(), _LAST_PATIENCE))
        self.deliver()
        self._capture.release()
        return ended

    def owns_current_thread(self) -> bool:
        """Say whether the calling thread is one of the scheduler's."""
        return threading.current_thread() is self._thread or self._pool.owns_current_thread()

    def _loop(self) -> None:
        while True:
            with self.condition:
                if not self.running:
                    return
                self._tick()
                if not self.ledger.has_changes and not self._outbox:
                    self.condition.notify_all()  # whoever waits for idleness may have it now
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
        """Schedule an entry: from its restored due time, or from now."""
        self.ledger.touch(entry)
        if entry.config.mode is JobMode.SERVICE:
            entry.retries.clear()  # starting is what the retry would do
        for retry in entry.retries:
            self._push(retry.due, entry, retry)
        if not entry.config.enabled or entry.finished or (entry.retries and not entry.recurring):
            entry.next_due = None
            return
        if entry.next_due is None or not entry.recurring:
            entry.begin_schedule(now)
        self._push_due(entry)

    def resume(self, entry: JobEntry) -> None:
        """Take up the schedule of an entry whose pause has ended."""
        if not self.running:
            return
        now = self.clock.now()
        if entry.config.mode is JobMode.SERVICE and not entry.retries and entry.pending is None:
            if entry.active:
                entry.overdue = True  # it is still ending: start it again then
            elif not entry.finished:
                entry.begin_schedule(now)
                self._push_due(entry)
        elif entry.overdue and not entry.busy:
            self.look_again(entry, now)

    def look_again(self, entry: JobEntry, now: float) -> None:
        """Take up a due time that came while the job was busy or paused."""
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
        """Turn a due time into a launch, or set it aside while the job is busy or paused."""
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

    def _use_up(self, entry: JobEntry, now: float) -> None:
        """Go to the due time after the one whose run has just started."""
        entry.pending = None
        if entry.next_due is None or entry.timetable is None:
            return
        from_when = entry.next_due if entry.config.misfire is MisfirePolicy.RUN_ALL else max(entry.next_due, now)
        entry.next_due = None if entry.finished else entry.timetable.after(from_when)
        self._push_due(entry)

    # --- launches ---------------------------------------------------------------------------------

    def enqueue(self, launch: Launch) -> None:
        """Put a launch at the end of the queue."""
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
        """Drop the scheduled run of a job that a trigger has meanwhile finished for good."""
        entry = launch.entry
        if launch is not entry.pending or not entry.finished:
            return False
        entry.queued -= 1
        entry.pending = entry.next_due = None
        self.ledger.touch(entry)
        return True

    def _may_start(self, launch: Launch) -> bool:
        entry = launch.entry
        if entry.active and not entry.config.allow_overlap:
            return False
        if entry.paused and not launch.forced:
            return False
        if launch.attempt == 1 and not launch.forced and held_because(entry, self.entries):
            return False
        return entry.config.mode is JobMode.SERVICE or self._pool.has_free

    def launch(self, launch: Launch) -> Execution:
        """Start a run now, on a thread of its own for a service and for ``run_once``."""
        entry = launch.entry
        execution = open_execution(
            entry.config,
            number=entry.last_number + 1,
            attempt=launch.attempt,
            due=launch.due,
            alone=launch.alone,
            clock=self.clock,
            condition=self.condition,
        )
        entry.queued -= 1
        entry.last_number = execution.number
        entry.last_started = execution.started
        entry.active.append(execution)
        if launch.forced and not launch.alone:
            entry.triggered = False
        if launch.retry is not None:
            entry.retries.remove(launch.retry)
        if launch.attempt == 1:
            entry.counts["launches"] += 1
            entry.start_order = self.next_order()
        if launch is entry.pending:
            self._use_up(entry, execution.started)
        self.ledger.touch(entry)
        extra = launch.alone or entry.config.mode is JobMode.SERVICE
        execution.worker = self._pool.submit(lambda: self._run(entry, execution), extra=extra)
        return execution

    def next_order(self) -> int:
        """Return the next number in the scheduler's count of events."""
        self._order += 1
        return self._order

    def restore_order(self, entry: JobEntry) -> None:
        """Count on from a restored entry's events."""
        self._order = max(self._order, entry.start_order, entry.success_order)

    # --- executions -------------------------------------------------------------------------------

    def _run(self, entry: JobEntry, execution: Execution) -> None:
        # Stored before it begins: if the process is killed, the next one finds it RUNNING.
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
        entry.unsettled += 1
        self._outbox.append((entry, run))
        self._plan_retry(entry, execution, run)
        now = self.clock.now()
        if entry.overdue and not entry.paused and not entry.busy and self.running and not self._draining:
            self.look_again(entry, now)
        self.condition.notify_all()

    def _plan_retry(self, entry: JobEntry, execution: Execution, run: JobRun) -> None:
        config = execution.config
        if config.mode is JobMode.SERVICE:
            again = not execution.context.cancelled and not entry.finished and not execution.alone
            # A service that held out longer than the longest wait begins anew with the shortest.
            held_out = run.duration is not None and run.duration > config.backoff.maximum
            failed = 1 if held_out else run.attempt
        else:
            again = run.outcome in {RunOutcome.FAILED, RunOutcome.TIMED_OUT} and run.attempt <= config.retries
            again = again and not execution.alone
            failed = run.attempt
        if entry.removed or not again:
            entry.settled += 1
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
        """Wait until an execution has ended, watching its timeout: ``run_once`` without a scheduler."""
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
        error = "still going when the runner stopped; its thread was abandoned"
        for entry, execution in self._active():
            self._abandon(entry, execution, RunOutcome.STOPPED, error)

    def _clear_launches(self) -> None:
        """Forget the queue and the heap; due times and retries stay with their entries."""
        for launch in self._ready:
            launch.entry.queued = 0
            launch.entry.triggered = False
            launch.entry.pending = None
        self._ready.clear()
        self._heap.clear()
        for entry in self.entries.values():
            entry.overdue = False
            self.ledger.touch(entry)

    # --- telling ----------------------------------------------------------------------------------

    def deliver(self) -> None:
        """Store what has changed and announce the runs that ended; the condition is not held."""
        self.ledger.flush()
        while True:
            with self.condition:
                if not self._outbox:
                    return
                entry, run = self._outbox.popleft()
                subscribers = tuple(self.subscribers)
            try:
                for callback in subscribers:
                    self._tell(callback, run)
            finally:
                with self.condition:
                    entry.unsettled -= 1
                    self.condition.notify_all()

    def _tell(self, callback: Callable[[JobRun], None], run: JobRun) -> None:
        try:
            callback(run)
        except KeyboardInterrupt:
            raise  # Ctrl-C, in a main thread that waits for a run
        except BaseException:  # noqa: BLE001  (a subscriber may raise anything, SystemExit too; it stays its own)
            _LOG.exception("subscriber %r failed on %r; jobs go on", callback, run)

    def is_settled(self, entry: JobEntry) -> bool:
        """Say whether all of a job's runs that ended are stored and announced."""
        return entry.unsettled == 0 and self.ledger.is_clean(entry.name)

    def is_idle(self) -> bool:
        """Say whether nothing is due now, nothing but services is running, and all is stored and announced."""
        if any(execution.config.mode is not JobMode.SERVICE for _, execution in self._active()):
            return False
        if not all(self.is_settled(entry) for entry in self.entries.values()):
            return False
        if not self.running:
            return True
        due_now = any(due <= self.clock.now() and self._is_live(item) for item in self._heap for due in item[:1])
        return not due_now and not any(self._may_start(launch) for launch in self._ready)

    def _is_live(self, item: _HeapItem) -> bool:
        _, ticket, entry, retry = item
        return not entry.removed and (retry is not None or ticket == entry.ticket)

    def wait_real(self, done: Callable[[], bool], patience: float | None) -> bool:
        """Wait, at most `patience` real seconds, until `done()`; return what it says then."""
        with self.condition:
            return self._wait_real(done, None if patience is None else time.monotonic() + patience)

    def _wait_real(self, done: Callable[[], bool], deadline: float | None) -> bool:
        return self.condition.wait_for(done, None if deadline is None else max(deadline - time.monotonic(), 0.0))

    def begin_alone(self, entry: JobEntry) -> Execution:
        """Start the one attempt of ``run_once``."""
        self._capture.acquire()
        launch = Launch(entry, self.clock.now(), forced=True, alone=True)
        entry.queued += 1
        return self.launch(launch)

    def end_alone(self) -> None:
        """Take back what :meth:`begin_alone` set up."""
        self._capture.release()

"""Worker threads of a runner.

A pool of at most `size` daemon threads executes the runs; a service, which does not end, has a separate thread. A run
that has timed out cannot be killed: its thread is *abandoned*, is no longer counted, and ends when the function
returns. The threads are daemons, so a function that hangs does not prevent the interpreter from exiting, as it would
with :class:`concurrent.futures.ThreadPoolExecutor`.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Worker", "WorkerPool"]


class Worker:
    """One thread and its queue of tasks."""

    def __init__(self, pool: WorkerPool, number: int, *, extra: bool) -> None:
        self.extra = extra
        self.abandoned = False
        self.tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=pool.serve, args=(self,), name=f"walpole-{number}", daemon=True)


class WorkerPool:
    """A pool of at most `size` threads, and additional threads on demand.

    Parameters
    ----------
    size : int
        Maximum number of pooled threads.
    condition : threading.Condition
        Condition that guards the pool (all methods except :meth:`close` and :meth:`serve` are called holding it) and is
        notified when a worker has become free.
    """

    def __init__(self, size: int, condition: threading.Condition) -> None:
        self._size = size
        self._condition = condition
        self._idle: list[Worker] = []
        self._workers: set[Worker] = set()
        self._made = 0

    @property
    def has_free(self) -> bool:
        """Whether a pooled task could start immediately."""
        pooled = sum(not worker.extra and not worker.abandoned for worker in self._workers)
        return bool(self._idle) or pooled < self._size

    def submit(self, task: Callable[[], None], *, extra: bool) -> Worker:
        """Run `task` in a thread of the pool, or in an extra one that does not count towards its size."""
        worker = self._idle.pop() if self._idle and not extra else self._new_worker(extra=extra)
        worker.tasks.put(task)
        return worker

    def abandon(self, worker: Worker) -> None:
        """Stop counting a worker; its thread ends after its current task."""
        worker.abandoned = True

    def serve(self, worker: Worker) -> None:
        """Run the tasks of a worker; the target of its thread."""
        while (task := worker.tasks.get()) is not None:
            task()
            with self._condition:
                leaving = worker.extra or worker.abandoned
                if not leaving:
                    self._idle.append(worker)
                self._condition.notify_all()
            if leaving:
                break
        with self._condition:
            self._workers.discard(worker)
            self._condition.notify_all()

    def close(self, timeout: float) -> bool:
        """End idle threads and wait for all threads, at most `timeout` real seconds; return whether all have ended."""
        with self._condition:
            threads = [worker.thread for worker in self._workers]
            for worker in self._workers:
                worker.tasks.put(None)
            self._idle.clear()
        deadline = time.monotonic() + timeout
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in threads)

    def owns_current_thread(self) -> bool:
        """Whether the calling thread belongs to the pool."""
        return any(worker.thread is threading.current_thread() for worker in self._workers)

    def _new_worker(self, *, extra: bool) -> Worker:
        self._made += 1
        worker = Worker(self, self._made, extra=extra)
        self._workers.add(worker)
        worker.thread.start()
        return worker

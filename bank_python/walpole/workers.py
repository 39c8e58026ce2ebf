"""The runner's own threads.

A pool of at most `size` daemon threads takes the runs; a service, which never ends, has a thread of its
own beside it. A run that has timed out cannot be killed: its thread is *abandoned*, no longer counts, and
ends by itself when the callable returns. Threads are daemons, so a stuck callable cannot keep the
interpreter from exiting, as it would with :class:`concurrent.futures.ThreadPoolExecutor`.
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
    """One thread and the tasks handed to it."""

    def __init__(self, pool: WorkerPool, number: int, *, extra: bool) -> None:
        self.extra = extra
        self.abandoned = False
        self.tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=pool.serve, args=(self,), name=f"walpole-{number}", daemon=True)


class WorkerPool:
    """At most `size` pooled threads, and extra ones on demand.

    Parameters
    ----------
    size : int
        Pooled threads that may be busy at once.
    condition : threading.Condition
        Guards the pool (all methods but :meth:`close` and :meth:`serve` are called holding it) and is
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
        """Whether a pooled task could start at once."""
        pooled = sum(not worker.extra and not worker.abandoned for worker in self._workers)
        return bool(self._idle) or pooled < self._size

    def submit(self, task: Callable[[], None], *, extra: bool) -> Worker:
        """Run `task` on a thread; `extra` ones do not count towards the pool's size."""
        worker = self._idle.pop() if self._idle and not extra else self._new_worker(extra=extra)
        worker.tasks.put(task)
        return worker

    def abandon(self, worker: Worker) -> None:
        """Count a worker no more; its thread ends after its present task."""
        worker.abandoned = True

    def serve(self, worker: Worker) -> None:
        """Do a worker's tasks: the body of its thread."""
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

    def close(self, patience: float) -> bool:
        """End the idle threads and wait for all at most `patience` real seconds; say whether all ended."""
        with self._condition:
            threads = [worker.thread for worker in self._workers]
            for worker in self._workers:
                worker.tasks.put(None)
            self._idle.clear()
        deadline = time.monotonic() + patience
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in threads)

    def owns_current_thread(self) -> bool:
        """Say whether the calling thread is one of the pool's."""
        return any(worker.thread is threading.current_thread() for worker in self._workers)

    def _new_worker(self, *, extra: bool) -> Worker:
        self._made += 1
        worker = Worker(self, self._made, extra=extra)
        self._workers.add(worker)
        worker.thread.start()
        return worker

"""Calls to the outside world, bounded in number and in time.

A client library's own timeout rarely bounds a whole poll: one call may hide several requests (a cookie, a
time zone, a retry), each with a timeout of its own, some of them fixed. :class:`BoundedCalls` runs calls on
a few threads of its own and stops waiting for them at one common deadline:

* at most ``workers`` calls are under way at a time, whatever became of those of earlier polls;
* a call that has not begun at the deadline never begins; one that has is left to its thread, its late
  result is dropped, and its thread takes up new calls when it is free again;
* an exception is an outcome like a result: it is handed over, never raised here.

The threads are daemons, because a program that ends must not wait for a server that does not answer
(``ThreadPoolExecutor`` joins its threads at exit, so it cannot be used here).
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["BoundedCalls"]

T = TypeVar("T")


class BoundedCalls(Generic[T]):
    """A few threads that run calls up to a deadline.

    Parameters
    ----------
    workers : int
        Most calls under way at one time, at least 1.
    name : str
        Prefix of the threads' names.

    Examples
    --------
    >>> calls: BoundedCalls[float] = BoundedCalls(workers=2, name="example")
    >>> calls.run({"AAPL": lambda: 190.5, "BAD": lambda: 1 / 0}, seconds=5.0)
    {'AAPL': 190.5, 'BAD': ZeroDivisionError('division by zero')}
    >>> calls.close()
    """

    def __init__(self, workers: int, name: str) -> None:
        self._limit = workers
        self._name = name
        self._waiting: queue.SimpleQueue[tuple[Future[T], Callable[[], T]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0

    def run(self, calls: Mapping[str, Callable[[], T]], seconds: float) -> dict[str, T | BaseException]:
        """Run `calls` and return each one's result or exception, in the order given.

        Parameters
        ----------
        calls : mapping of str to callable
            What to call, by key.
        seconds : float
            How long to wait for all of them together; a call without an outcome by then gets a
            :class:`TimeoutError`.
        """
        futures: dict[str, Future[T]] = {key: Future() for key in calls}
        self._start_workers(len(calls))
        for key, call in calls.items():
            self._waiting.put((futures[key], call))
        done, late = wait(futures.values(), timeout=seconds)
        for future in late:
            future.cancel()
        outcomes: dict[str, T | BaseException] = {}
        for key, future in futures.items():
            error = future.exception() if future in done else TimeoutError(f"no answer within {seconds:g} s")
            outcomes[key] = future.result() if error is None else error
        return outcomes

    def close(self) -> None:
        """Let the threads end once they are free; a later :meth:`run` starts new ones."""
        with self._lock:
            for _ in range(self._started):
                self._waiting.put(None)
            self._started = 0

    def _start_workers(self, wanted: int) -> None:
        with self._lock:
            while self._started < min(wanted, self._limit):
                self._started += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            future, call = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001  (an exception is an outcome: the caller gets it whole)
                future.set_exception(error)

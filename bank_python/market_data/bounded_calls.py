"""Network calls with a limit on how many run at once and how long they may take.

The timeout of a client library rarely limits a whole poll: one call may make several requests (a cookie, a
time zone, a retry), each with its own timeout, some of them fixed. :class:`BoundedCalls` runs calls in a few
threads and stops waiting for them at one common deadline:

* at most ``workers`` calls run at a time, late calls of earlier polls included;
* a call that has not started by the deadline is cancelled; one that has started continues in its thread, its
  late result is dropped, and the thread takes new calls once it is free;
* an exception is returned as the outcome of its call, not raised.

The threads are daemons, because a program must not wait at exit for a server that does not respond
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
    """A small pool of threads that runs calls up to a deadline.

    Parameters
    ----------
    workers : int
        Maximum number of calls that run at the same time, at least 1.
    name : str
        Prefix of the thread names.

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
        """Run `calls` and return the result or exception of each, in the given order.

        Parameters
        ----------
        calls : mapping of str to callable
            Functions without arguments, by key.
        seconds : float
            Time limit for all calls together, in seconds; the outcome of a call that has not ended by then is a
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
            error = future.exception() if future in done else TimeoutError(f"no response within {seconds:g} s")
            outcomes[key] = future.result() if error is None else error
        return outcomes

    def close(self) -> None:
        """End the threads once they are idle; a later :meth:`run` starts new ones."""
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
            except BaseException as error:  # noqa: BLE001  (the caller receives the exception as the outcome)
                future.set_exception(error)

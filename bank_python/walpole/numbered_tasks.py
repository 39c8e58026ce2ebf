"""Numbered tasks of one calculation in an executor: threads, processes or a cluster.

A few tasks are submitted at a time, so that memory does not grow with their number. They are given as they complete,
each with its number; what a task that failed means is for the caller to say.

Examples
--------
>>> from concurrent.futures import ThreadPoolExecutor
>>> with ThreadPoolExecutor(2) as pool:
...     sorted((number, future.result()) for number, future in completed_tasks(abs, 3, pool))
[(0, 0), (1, 1), (2, 2)]
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

__all__ = ["completed_tasks"]

_MOST_SUBMITTED = 8
_CANCEL_POLL_SECONDS = 0.2

_Result = TypeVar("_Result")


def completed_tasks(
    run: Callable[[int], _Result],
    total: int,
    pool: Executor,
    cancel: threading.Event | None = None,
    *,
    most_submitted: int = _MOST_SUBMITTED,
) -> Iterator[tuple[int, Future[_Result]]]:
    """Give number and future of each task as it completes; end early, without those that are left, when cancelled.

    Parameters
    ----------
    run : callable
        Function of the number of a task, from 0.
    total : int
        Number of tasks.
    pool : concurrent.futures.Executor
        Executor that runs the tasks; it is not shut down.
    cancel : threading.Event, optional
        Event that ends the iteration once it is set.
    most_submitted : int, default 8
        Largest number of tasks that are submitted and not complete.

    Notes
    -----
    A pool that takes no task, as it is shut down or its workers have died, gives a future with that error.
    """
    pending: dict[Future[_Result], int] = {}
    remaining = iter(range(total))
    try:
        while True:
            for number in remaining:
                pending[_submitted(pool, run, number)] = number
                if len(pending) >= most_submitted:
                    break
            if not pending:
                return
            timeout = None if cancel is None else _CANCEL_POLL_SECONDS
            finished, _ = wait(pending, timeout=timeout, return_when=FIRST_COMPLETED)
            for future in finished:
                if cancel is not None and cancel.is_set():
                    return
                yield pending.pop(future), future
            if cancel is not None and cancel.is_set():
                return
    finally:
        for future in pending:
            future.cancel()


def _submitted(pool: Executor, run: Callable[[int], _Result], number: int) -> Future[_Result]:
    try:
        return pool.submit(run, number)
    except RuntimeError as error:  # raised by a pool that is shut down or whose workers have died
        failed: Future[_Result] = Future()
        failed.set_exception(error)
        return failed

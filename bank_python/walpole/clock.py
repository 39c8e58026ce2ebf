"""Clocks: the source of time of a job runner.

The runner reads the time, and waits, through a :class:`Clock` only. Schedules (periodic, cron) follow the wall clock,
``now``; durations and timeouts follow ``monotonic``, which is never set back. :class:`SystemClock` is the clock of the
operating system. A :class:`ManualClock` moves only when it is advanced, so a day of schedules can be tested in
milliseconds and reproducibly.

>>> clock = ManualClock(start=0.0)
>>> clock.advance(90.0)
>>> clock.now(), clock.monotonic()
(90.0, 90.0)
"""

from __future__ import annotations

import math
import threading
import time
from typing import Protocol, runtime_checkable

from bank_python.errors import JobConfigError
from bank_python.guessing import guessable

__all__ = ["Clock", "ManualClock", "SystemClock"]


@runtime_checkable
class Clock(Protocol):
    """Interface of a clock for the runner."""

    def now(self) -> float:
        """Return the wall-clock time, in seconds since 1970-01-01 UTC."""
        ...

    def monotonic(self) -> float:
        """Return a time in seconds that never goes back; only differences are meaningful."""
        ...

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait on a condition until it is notified or `timeout` seconds of this clock have passed.

        Parameters
        ----------
        condition : threading.Condition
            Condition to wait on, held by the caller, who tests its predicate again afterwards: a wait may end early.
        timeout : float or None
            Longest time to wait in seconds; ``None`` waits for a notification only.

        Returns
        -------
        bool
            Whether the wait ended before the timeout.
        """
        ...


class SystemClock:
    """The operating system's clock.

    Examples
    --------
    >>> clock = SystemClock()
    >>> clock.monotonic() <= clock.monotonic()
    True
    """

    def now(self) -> float:
        """Return the wall-clock time, in seconds since 1970-01-01 UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return the time in seconds of a clock that never goes back."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait on a condition for at most `timeout` seconds; see :meth:`Clock.wait`."""
        if timeout is None:
            return condition.wait()
        return condition.wait(min(max(timeout, 0.0), threading.TIMEOUT_MAX))

    def __repr__(self) -> str:
        return "SystemClock()"


@guessable
class ManualClock:
    """A clock that moves only by :meth:`advance`, for tests.

    Parameters
    ----------
    start : float
        Initial value of ``now``, in seconds since 1970-01-01 UTC.

    Notes
    -----
    A thread reads the time, computes how long to wait, and waits. An advance between the reading and the waiting must
    not be lost, so a timeout counts from the waiting thread's own last reading.

    Examples
    --------
    >>> clock = ManualClock(start=100.0)
    >>> clock.advance(2.5)
    >>> clock.now()
    102.5
    """

    def __init__(self, start: float = 0.0) -> None:
        if not _is_number(start) or not math.isfinite(start):
            raise JobConfigError(f"ManualClock: start={start!r} is not a finite number of seconds", value=start)
        self._lock = threading.Lock()
        self._start = float(start)
        self._now = float(start)
        self._waiting: list[threading.Condition] = []
        self._reading = threading.local()

    def now(self) -> float:
        """Return the current time of this clock, in seconds since 1970-01-01 UTC."""
        with self._lock:
            self._reading.at = self._now
            return self._now

    def monotonic(self) -> float:
        """Return the number of seconds by which this clock has been advanced since it was constructed."""
        return self.now() - self._start

    def advance(self, seconds: float) -> None:
        """Move the time forward and wake every thread that waits on this clock.

        Parameters
        ----------
        seconds : float
            Number of seconds to add to the time, finite, ≥ 0.

        Raises
        ------
        JobConfigError
            `seconds` is not a number, or is negative, infinite or NaN.
        """
        if not _is_number(seconds) or not 0.0 <= seconds < math.inf:
            raise JobConfigError(f"a clock cannot be advanced by {seconds!r} seconds; give a finite number ≥ 0")
        with self._lock:
            self._now += seconds
            woken = list(self._waiting)
        for condition in woken:
            with condition:
                condition.notify_all()

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Wait on a condition until notified or advanced past the timeout; see :meth:`Clock.wait`."""
        deadline = self._deadline(timeout)
        with self._lock:
            if self._now >= deadline:
                return False
            self._waiting.append(condition)
        try:
            condition.wait()
        finally:
            with self._lock:
                self._waiting.remove(condition)
                passed = self._now >= deadline
        return not passed

    def _deadline(self, timeout: float | None) -> float:
        reading: float | None = getattr(self._reading, "at", None)
        # Reset, as a later wait without a new reading must not count from this one.
        self._reading.at = None
        if timeout is None:
            return math.inf
        return (self._now if reading is None else reading) + timeout

    def __repr__(self) -> str:
        return f"ManualClock(now={self._now})"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""The context of a running job: cancellation, the number of the attempt, and a logger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    import threading

    from bank_python.walpole.clock import Clock

__all__ = ["JobContext"]


class JobContext:
    """Context of a run, passed to a callable that has a parameter named ``context``.

    A Python thread cannot be killed, so cancellation is cooperative: a long run should check :attr:`cancelled` from
    time to time, or sleep with :meth:`wait`, which returns immediately when the run is cancelled.

    Attributes
    ----------
    job : str
        Name of the job.
    attempt : int
        Number of the attempt: 1 for a new run, 2 for its first retry, and so on.
    logger : logging.Logger
        Logger whose records are stored with the run, from level DEBUG, and passed to the application's logging at the
        levels enabled there.
    """

    def __init__(
        self, job: str, attempt: int, logger: logging.Logger, condition: threading.Condition, clock: Clock
    ) -> None:
        self.job = job
        self.attempt = attempt
        self.logger = logger
        self._condition = condition
        self._clock = clock
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether the run should end, because it timed out or the runner is stopping, pausing or removing the job."""
        return self._cancelled

    def wait(self, seconds: float) -> bool:
        """Wait for `seconds` of the runner's clock or until cancelled; return whether the run was cancelled."""
        with self._condition:
            deadline = self._clock.monotonic() + seconds
            while not self._cancelled:
                remaining = deadline - self._clock.monotonic()
                if remaining <= 0.0:
                    break
                self._clock.wait(self._condition, remaining)
            return self._cancelled

    def cancel(self) -> None:
        """Request that the run ends."""
        with self._condition:
            self._cancelled = True
            self._condition.notify_all()

    def __repr__(self) -> str:
        return f"JobContext({self.job!r}, attempt {self.attempt}{', cancelled' if self._cancelled else ''})"

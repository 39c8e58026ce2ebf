"""What a running job can ask: whether it is cancelled, which attempt it is, where to log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    import threading

    from bank_python.walpole.clock import Clock

__all__ = ["JobContext"]


class JobContext:
    """Given to a callable that has a parameter named ``context``.

    A Python thread cannot be killed, so cancelling is a request: long work looks at :attr:`cancelled` now
    and then, or sleeps with :meth:`wait`, which ends at once when the run is cancelled.

    Attributes
    ----------
    job : str
        The job's name.
    attempt : int
        1 for a fresh run, 2 for its first retry, …
    logger : logging.Logger
        What is logged here is kept with the run from DEBUG up, and handed to the application's logging at
        whatever level that is set to.
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
        """Whether the run should end: it timed out, or the runner stops, pauses or removes the job."""
        return self._cancelled

    def wait(self, seconds: float) -> bool:
        """Wait for `seconds` of the runner's clock, or until cancelled; return whether it was cancelled."""
        with self._condition:
            deadline = self._clock.monotonic() + seconds
            while not self._cancelled:
                left = deadline - self._clock.monotonic()
                if left <= 0.0:
                    break
                self._clock.wait(self._condition, left)
            return self._cancelled

    def cancel(self) -> None:
        """Ask the run to end."""
        with self._condition:
            self._cancelled = True
            self._condition.notify_all()

    def __repr__(self) -> str:
        return f"JobContext({self.job!r}, attempt {self.attempt}{', cancelled' if self._cancelled else ''})"

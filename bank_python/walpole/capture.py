"""Keeping what a run logs, without touching anybody's logging configuration.

A handler on the root logger would change what the application sees: ``logging.basicConfig`` does nothing
once the root logger has a handler, and warnings no longer reach the last-resort one. So records are
noted where they are made, in the log record factory, if the thread that makes one is running a job.
"""

from __future__ import annotations

import logging
import reprlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LogBuffer", "LogCapture", "RunLogger"]

_MAX_LINES = 500
_MAX_LINE_LENGTH = 2000


class LogBuffer:
    """The last 500 lines that one run logged, each cut at 2,000 characters."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_MAX_LINES)
        self._count = 0

    def note(self, record: logging.LogRecord) -> None:
        """Keep a record as a line: level, logger, message."""
        try:
            message = record.getMessage()
        except Exception as error:  # noqa: BLE001  (arguments may raise anything when they are written)
            # The application's own handlers report what cannot be written; it must not fail the run.
            message = f"{reprlib.repr(record.msg)} % {reprlib.repr(record.args)} ({message_of(error)})"
        self._lines.append(f"{record.levelname} {record.name}: {message}"[:_MAX_LINE_LENGTH])
        self._count += 1

    def text(self) -> str:
        """Return the lines kept, after a note of how many earlier ones were not."""
        lines = list(self._lines)
        dropped = self._count - len(lines)
        return "\n".join([f"… {dropped} earlier lines not kept", *lines] if dropped > 0 else lines)


class LogCapture:
    """Notes the log records made by threads that are running a job.

    Between :meth:`acquire` and :meth:`release` a log record factory that calls the one before it is in
    place; these calls nest.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._local = threading.local()
        self._previous: Callable[..., logging.LogRecord] | None = None
        self._installed: Callable[..., logging.LogRecord] | None = None

    def acquire(self) -> None:
        """Start noting records."""
        with self._lock:
            self._users += 1
            if self._users == 1 and self._installed is None:
                self._previous = logging.getLogRecordFactory()
                self._installed = self._factory(self._previous)
                logging.setLogRecordFactory(self._installed)

    def release(self) -> None:
        """Stop noting records, when every :meth:`acquire` has had its release."""
        with self._lock:
            self._users -= 1
            # If somebody else put a factory on top of ours, ours stays beneath it and passes records on.
            if self._users == 0 and self._previous and logging.getLogRecordFactory() is self._installed:
                logging.setLogRecordFactory(self._previous)
                self._previous = self._installed = None

    def direct(self, buffer: LogBuffer | None) -> None:
        """Send what the calling thread logs from now on to `buffer` too, or no longer anywhere."""
        self._local.buffer = buffer

    def _factory(self, previous: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
        def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = previous(*args, **kwargs)
            buffer: LogBuffer | None = getattr(self._local, "buffer", None)
            if buffer is not None:
                buffer.note(record)
            return record

        return make


class RunLogger(logging.Logger):
    """A run's own logger: makes every record, so that it is kept, and hands on what is enabled."""

    def __init__(self, name: str) -> None:
        super().__init__(name, logging.DEBUG)
        self._public = logging.getLogger(name)

    def callHandlers(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's own spelling)
        """Pass the record to the application's logger of the same name, if that is listening."""
        if self._public.isEnabledFor(record.levelno):
            self._public.handle(record)

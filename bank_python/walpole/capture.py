"""Capturing the log records of a run, without changing the application's logging configuration.

A handler on the root logger would change the application's logging: ``logging.basicConfig`` does nothing once the root
logger has a handler, and warnings no longer reach the handler of last resort. Records are therefore captured in the log
record factory, if the thread that creates one is running a job.
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
    """The last 500 log lines of one run, each truncated to 2,000 characters."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_MAX_LINES)
        self._count = 0

    def add(self, record: logging.LogRecord) -> None:
        """Add a record as a line with level, logger and message."""
        try:
            message = record.getMessage()
        except Exception as error:  # noqa: BLE001  (arguments may raise anything when they are formatted)
            # The application's own handlers report the formatting error; it must not fail the run.
            message = f"{reprlib.repr(record.msg)} % {reprlib.repr(record.args)} ({message_of(error)})"
        self._lines.append(f"{record.levelname} {record.name}: {message}"[:_MAX_LINE_LENGTH])
        self._count += 1

    def text(self) -> str:
        """Return the lines, preceded by the number of earlier lines that were dropped, if any."""
        lines = list(self._lines)
        dropped = self._count - len(lines)
        return "\n".join([f"… {dropped} earlier lines dropped", *lines] if dropped > 0 else lines)


class LogCapture:
    """Captures the log records of threads that are running a job.

    Between :meth:`acquire` and :meth:`release` a log record factory is installed that wraps the previous one; these
    calls can be nested.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._local = threading.local()
        self._previous: Callable[..., logging.LogRecord] | None = None
        self._installed: Callable[..., logging.LogRecord] | None = None

    def acquire(self) -> None:
        """Start capturing records."""
        with self._lock:
            self._users += 1
            if self._users == 1 and self._installed is None:
                self._previous = logging.getLogRecordFactory()
                self._installed = self._factory(self._previous)
                logging.setLogRecordFactory(self._installed)

    def release(self) -> None:
        """Stop capturing records, when :meth:`release` has been called for every :meth:`acquire`."""
        with self._lock:
            self._users -= 1
            # If other code has wrapped this factory in another one, it stays installed and passes records on.
            if self._users == 0 and self._previous and logging.getLogRecordFactory() is self._installed:
                logging.setLogRecordFactory(self._previous)
                self._previous = self._installed = None

    def direct(self, buffer: LogBuffer | None) -> None:
        """Capture further records of the calling thread in `buffer`; stop capturing them for ``None``."""
        self._local.buffer = buffer

    def _factory(self, previous: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
        def create_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = previous(*args, **kwargs)
            buffer: LogBuffer | None = getattr(self._local, "buffer", None)
            if buffer is not None:
                buffer.add(record)
            return record

        return create_record


class RunLogger(logging.Logger):
    """Logger of one run: creates all records, so that they are captured, and passes enabled ones to the application."""

    def __init__(self, name: str) -> None:
        super().__init__(name, logging.DEBUG)
        self._public = logging.getLogger(name)

    def callHandlers(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's own spelling)
        """Pass the record to the application's logger of the same name, if the level is enabled there."""
        if self._public.isEnabledFor(record.levelno):
            self._public.handle(record)

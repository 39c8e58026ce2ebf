"""Leaving in good order: Ctrl-C and SIGTERM as a request that the program looks at, not as an exception anywhere."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["quiet_logging", "stop_requests"]


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into an event for the length of the block; to be used in the main thread.

    A ``KeyboardInterrupt`` could strike while the screen is being put back and leave it half restored. Ctrl-Z does
    nothing meanwhile: it would leave the shell on the desk's screen.
    """
    stop = threading.Event()
    handlers = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    if sys.platform != "win32":
        handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        yield stop
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def quiet_logging() -> Iterator[None]:
    """Keep log records that nobody handles off the screen; what matters of them is in the panels."""
    silent = logging.NullHandler()
    logging.getLogger().addHandler(silent)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(silent)

"""Orderly exit: Ctrl-C and SIGTERM set an event that the program checks, instead of raising an exception."""

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
    """Set an event on Ctrl-C and SIGTERM inside the block; to be used in the main thread.

    A ``KeyboardInterrupt`` while the screen is being restored would leave it half restored. Ctrl-Z is ignored inside
    the block, as it would leave the shell on the screen of the desk.
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
    """Discard log records without a handler, which would be written over the screen; the panels show the problems."""
    silent = logging.NullHandler()
    logging.getLogger().addHandler(silent)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(silent)

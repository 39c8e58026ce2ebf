"""Keyboard input while the live desk is shown."""

from __future__ import annotations

import os
import select
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

__all__ = ["key_presses"]

_MOST_BYTES = 64
_ESCAPE = "\x1b"
_END_OF_INPUT = "q"


@contextmanager
def key_presses(stop: threading.Event) -> Iterator[Callable[[float], str]]:
    """Read single keys, without Enter and without echo, and restore the terminal after the block.

    Parameters
    ----------
    stop : Event
        Event that ends a wait early if there is no keyboard.

    Yields
    ------
    callable
        Function ``wait(seconds)``, which waits at most that long and returns the typed characters, ``""`` if none. If
        the terminal has been closed it returns ``"q"``. If stdin is not a terminal there are no keys.
    """
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield lambda seconds: _none_typed(stop, seconds)
        return
    import termios
    import tty

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield lambda seconds: _typed(keyboard, seconds)
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _none_typed(stop: threading.Event, seconds: float) -> str:
    stop.wait(seconds)
    return ""


def _typed(keyboard: int, seconds: float) -> str:
    ready, _, _ = select.select([keyboard], [], [], seconds)
    if not ready:
        return ""
    typed = os.read(keyboard, _MOST_BYTES).decode(errors="replace")
    # An arrow or function key is sent as an escape character followed by letters, which are not typed letters.
    return "" if typed.startswith(_ESCAPE) else typed or _END_OF_INPUT

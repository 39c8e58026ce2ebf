"""Output of the command lines: the console, texts on stdout, remarks and signs of work on stderr."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from bank_python.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["remark", "screen_console", "working", "write"]


def screen_console(*, plain: bool) -> Console:
    """Return the console to draw on.

    Parameters
    ----------
    plain : bool
        Whether to leave out colours and other styles. They are also left out if ``NO_COLOR`` is set, and if stdout is
        not a terminal.
    """
    colourless = plain or bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()
    return Console(
        color_system=None if colourless else "auto",
        force_terminal=sys.stdout.isatty(),  # with FORCE_COLOR set, rich would take a pipe for a terminal
        highlight=False,
        emoji=False,
        markup=False,
    )


@contextmanager
def working(message: str) -> Iterator[None]:
    """Show a message on stderr during the block, if stderr is a terminal, and erase it afterwards.

    Parameters
    ----------
    message : str
        Description of the work, such as ``"Building the desk ..."``.
    """
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True, highlight=False).status(Text(clean(message))):
        yield


def remark(message: str) -> None:
    """Write one line to stderr.

    Parameters
    ----------
    message : str
        Text of the line.
    """
    sys.stderr.write(f"{clean(message)}\n")
    sys.stderr.flush()


def write(page: str) -> bool:
    """Write to stdout; return False if its reader has closed the pipe.

    Parameters
    ----------
    page : str
        Text to write, with its line ends.
    """
    try:
        sys.stdout.write(page)
        sys.stdout.flush()
    except BrokenPipeError:
        # Without this, the flush of the remaining buffer at exit would raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True

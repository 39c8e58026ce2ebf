"""Text that a terminal can be given: what it would obey, or hide, is written out instead.

A ticker, a trader's name or a feed's reason may hold anything: escape sequences that colour or clear the screen, a
bell, a carriage return, marks that turn the direction of writing round, half of a surrogate pair. :func:`clean` is the
one place where such characters become visible; tables (:mod:`bank_python.sheet`), the live desk's frames, error
messages and log lines all go through it.
"""

from __future__ import annotations

import logging
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["CleanFormatter", "clean", "clean_lines"]

_BYTE, _TWO_BYTES = 0x100, 0x1_0000
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def clean(text: str) -> str:
    r"""Return `text` on one line, with every character that has no shape of its own written as an escape.

    Controls, line and paragraph separators, invisible formatting characters (among them all that turn the direction of
    writing), lone surrogates, and characters that are private or unassigned become ``\n``, ``\x1b``, ``\u202e``.
    Letters, wide characters, combining marks and blanks stay as they are, so that they keep their width. What is clean
    stays as it is.

    Examples
    --------
    >>> print(clean("AAPL\x1b[31m"), clean("up\ndown"), clean("[bold]漢[/]"))
    AAPL\x1b[31m up\ndown [bold]漢[/]
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _escape(c) for c in text)


def clean_lines(text: str) -> str:
    """Return `text` with each of its lines clean, for what is meant to have several."""
    return "\n".join(clean(line) for line in text.split("\n"))


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _TWO_BYTES else f"\\U{code:08x}"


class CleanFormatter(logging.Formatter):
    """Log lines for a terminal: a message is one line, a traceback as many as it has, all of them clean."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own spelling
        """Return the record's line."""
        return clean(super().formatMessage(record))

    def formatException(  # noqa: N802 - logging's own spelling
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return the traceback's lines."""
        return clean_lines(super().formatException(ei))

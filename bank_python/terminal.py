"""Cleaning of text for a terminal: control and invisible characters are replaced by escapes.

A ticker, a trader's name or a message from a feed may contain any characters: escape sequences that colour or clear the
screen, a bell, a carriage return, marks that change the direction of writing, half of a surrogate pair. :func:`clean`
makes them visible; it is applied to tables (:mod:`bank_python.sheet`), frames of the live desk, error messages and log
lines.
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
    r"""Return `text` on one line, with unprintable characters replaced by escapes.

    Control characters, line and paragraph separators, invisible formatting characters (including those that change the
    direction of writing), lone surrogates, and private or unassigned characters become ``\n``, ``\x1b``, ``\u202e`` and
    so on. Letters, wide characters, combining marks and blanks are unchanged, and so is text that is already clean.

    Examples
    --------
    >>> print(clean("AAPL\x1b[31m"), clean("up\ndown"), clean("[bold]漢[/]"))
    AAPL\x1b[31m up\ndown [bold]漢[/]
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _escape(c) for c in text)


def clean_lines(text: str) -> str:
    """Return a text of several lines with each line cleaned by :func:`clean`."""
    return "\n".join(clean(line) for line in text.split("\n"))


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _TWO_BYTES else f"\\U{code:08x}"


class CleanFormatter(logging.Formatter):
    """Formatter of log records for a terminal: messages become one clean line, tracebacks several."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own spelling
        """Return the record as one line."""
        return clean(super().formatMessage(record))

    def formatException(  # noqa: N802 - logging's own spelling
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return the lines of the traceback."""
        return clean_lines(super().formatException(ei))

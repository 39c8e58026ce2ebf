"""Names of tables and columns: what is allowed, and how a name is written in a statement.

Any text can be a name: spaces, quotes, keywords and other alphabets included. A name reaches SQL only through
:func:`quote`, so it is never more than a name; what :func:`checked_name` refuses is what SQLite cannot carry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.errors import SchemaError, UnknownColumnError
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["checked_name", "checked_table_name", "fold", "quote", "step_name", "unknown_column"]


def quote(name: str) -> str:
    """Return `name` as an SQL identifier.

    Examples
    --------
    >>> quote('net "clean" price')
    '"net ""clean"" price"'
    """
    return '"' + name.replace('"', '""') + '"'


def fold(name: str) -> str:
    """Return what SQLite compares names by: upper and lower case of A to Z are one letter to it."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def step_name(name: str) -> str:
    """Return what a column is called within a statement, between one step and the next.

    It is the name itself, but for ``true`` and ``false``: SQLite gives a result of that name another, even when quoted.
    Names made of them and underscores move up by one underscore, so that no two columns meet.
    """
    return f"{name}_" if fold(name).rstrip("_") in {"true", "false"} else name


def checked_name(name: Any, what: str = "column") -> str:
    """Return `name` if it can name a `what`.

    Raises
    ------
    SchemaError
        It is not text, is empty, or holds a character that no database file can carry.
    """
    if not isinstance(name, str):
        raise SchemaError(f"a {what} is named by a str, not by {name!r} ({type(name).__name__})", name=name)
    if not name:
        raise SchemaError(f"a {what} needs a name, and '' is none: give it at least one character", name=name)
    if "\0" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
        raise SchemaError(
            f"the {what} name {name!r} holds a NUL or an unpaired surrogate, which SQLite cannot store: leave it out",
            name=name,
        )
    return str(name)


def checked_table_name(name: Any) -> str:
    """Return `name` if it can name a table; names that SQLite or the catalogue keep for themselves are refused."""
    text = checked_name(name, "table")
    if fold(text).startswith(("sqlite_", "bank_python.")):
        raise SchemaError(
            f"the table name {text!r} begins with a reserved prefix ('sqlite_', 'bank_python.'): choose another",
            name=text,
        )
    return text


def unknown_column(name: Any, known: Iterable[str]) -> UnknownColumnError:
    """Return the error for a column that is not there, with the nearest name that is."""
    names = list(known)
    hint = did_you_mean(name, names, f"the columns are {', '.join(map(repr, names))}", most=1)
    return UnknownColumnError(f"there is no column {name!r}: {hint}", column=name)

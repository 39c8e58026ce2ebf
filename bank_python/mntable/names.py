"""Names of tables and columns: validation, and quoting in statements.

Any text can be a name, including spaces, quotes, keywords and other alphabets. Names are inserted into SQL by
:func:`quote` only, which prevents injection; :func:`checked_name` rejects only names that SQLite cannot represent.
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
    """Return the form in which SQLite compares names: the letters A to Z in lower case."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def step_name(name: str) -> str:
    """Return the name of a column inside a statement, between one step and the next.

    It is the name itself, except for ``true`` and ``false``: SQLite renames a result column of that name, even if it is
    quoted. Names that consist of one of these and underscores get one more underscore, so that names stay distinct.
    """
    return f"{name}_" if fold(name).rstrip("_") in {"true", "false"} else name


def checked_name(name: Any, what: str = "column") -> str:
    """Return `name` if it is a valid name of a `what` (a column or table).

    Raises
    ------
    SchemaError
        The name is not text, is empty, or contains a character that SQLite cannot store.
    """
    if not isinstance(name, str):
        raise SchemaError(f"the name of a {what} must be a str, not {name!r} ({type(name).__name__})", name=name)
    if not name:
        raise SchemaError(f"the name of a {what} is empty: give it at least one character", name=name)
    if "\0" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
        raise SchemaError(
            f"the {what} name {name!r} has a NUL or an unpaired surrogate, which SQLite cannot store: remove it",
            name=name,
        )
    return str(name)


def checked_table_name(name: Any) -> str:
    """Return `name` if it is a valid table name; raise if it is reserved by SQLite or the catalogue."""
    text = checked_name(name, "table")
    if fold(text).startswith(("sqlite_", "bank_python.")):
        raise SchemaError(
            f"the table name {text!r} begins with a reserved prefix ('sqlite_', 'bank_python.'): choose another",
            name=text,
        )
    return text


def unknown_column(name: Any, known: Iterable[str]) -> UnknownColumnError:
    """Return the error for an unknown column, with the most similar known name."""
    names = list(known)
    hint = did_you_mean(name, names, f"the columns are {', '.join(map(repr, names))}", most=1)
    return UnknownColumnError(f"there is no column {name!r}: {hint}", column=name)

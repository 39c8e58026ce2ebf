"""What is handed to SQLite, and what a statement has to know of a stored table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bank_python.mntable.names import fold

if TYPE_CHECKING:
    from bank_python.mntable.schema import Schema

__all__ = ["ROWID_SPELLINGS", "Horizon", "Query", "Statement", "StoredTable", "rowid_of"]


class StoredTable(Protocol):
    """A table within the database that is asked; which database that is does not matter here."""

    @property
    def name(self) -> str:
        """The table's name."""

    @property
    def schema(self) -> Schema:
        """The table's columns."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with placeholders, and the values for them."""

    sql: str
    parameters: tuple[Any, ...]


Horizon = Callable[[StoredTable], int]
"""Gives the last row number of a stored table that is to be read."""

Query = Callable[[Horizon | None], Statement]
"""Gives the statement to run, fenced off by a horizon or not."""


ROWID_SPELLINGS = ("rowid", "_rowid_", "oid")
"""What SQLite calls a row's number, where no column is called so."""


def rowid_of(table: StoredTable) -> str:
    """Return the spelling of SQLite's row number that no column of `table` hides."""
    taken = {fold(name) for name in table.schema.names}
    return next(name for name in ROWID_SPELLINGS if name not in taken)

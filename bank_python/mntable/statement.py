"""SQL statements with their parameters, and the interface of stored tables for the compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bank_python.mntable.names import fold

if TYPE_CHECKING:
    from bank_python.mntable.schema import Schema

__all__ = ["ROWID_SPELLINGS", "Horizon", "Query", "Statement", "StoredTable", "rowid_of"]


class StoredTable(Protocol):
    """Interface of a table in the database in which the statement runs."""

    @property
    def name(self) -> str:
        """Name of the table."""

    @property
    def schema(self) -> Schema:
        """Columns of the table."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with placeholders, and their values."""

    sql: str
    parameters: tuple[Any, ...]


Horizon = Callable[[StoredTable], int]
"""Function that returns the number of the last row of a stored table to read."""

Query = Callable[[Horizon | None], Statement]
"""Function that returns the statement to run, with or without a horizon."""


ROWID_SPELLINGS = ("rowid", "_rowid_", "oid")
"""SQLite's names of the row number, each valid unless a column has that name."""


def rowid_of(table: StoredTable) -> str:
    """Return a name of SQLite's row number that no column of `table` has."""
    taken = {fold(name) for name in table.schema.names}
    return next(name for name in ROWID_SPELLINGS if name not in taken)

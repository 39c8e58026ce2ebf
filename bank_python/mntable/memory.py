"""A database in memory: one connection, shared by all threads under one lock.

Readers fetch a few rows at a time under the lock. Rows that are added in the meantime are excluded, because the
statement reads only up to the last row number at its start. Deleted rows cannot be handled in that way: before a
deletion, every open reader loads its remaining rows into memory.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING, Any

from bank_python.errors import TableError
from bank_python.mntable.database import CHUNK, Database, close_cursor, connect, transaction, translated_errors
from bank_python.mntable.names import quote
from bank_python.mntable.statement import rowid_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from bank_python.mntable.statement import Query, StoredTable

__all__ = ["MemoryDatabase"]


class _Reader:
    """An open cursor whose remaining rows can be loaded into memory."""

    __slots__ = ("__weakref__", "_buffer", "_cursor")

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self._buffer: list[tuple[Any, ...]] = []

    def fetch(self) -> list[tuple[Any, ...]]:
        """Return the next rows, an empty list at the end."""
        if self._buffer:
            rows, self._buffer = self._buffer, []
            return rows
        return self._cursor.fetchmany(CHUNK)

    def buffer_all(self) -> None:
        """Load all remaining rows into memory."""
        self._buffer += self._cursor.fetchall()

    def close(self) -> None:
        """Close the cursor."""
        close_cursor(self._cursor)


class MemoryDatabase(Database):
    """A database in memory, which ends with the process."""

    def __init__(self) -> None:
        self._connection = connect(":memory:")
        self._lock = threading.RLock()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()
        self._writing = False
        self._committed: dict[str, int] = {}
        self._finalizer = weakref.finalize(self, self._connection.close)

    @property
    def key(self) -> str:
        """Identifier of the database, unique in the process."""
        return f"memory:{id(self)}"

    @contextlib.contextmanager
    def write(self, appending_to: StoredTable | None = None) -> Iterator[sqlite3.Connection]:
        """Run a block as a write transaction, with the lock held; other threads wait."""
        with self._lock, translated_errors("in memory"):
            if self._writing:
                raise TableError(
                    "the rows being written come from code that writes to the same database: "
                    "collect them in a list first, or write one after the other"
                )
            if appending_to is None:
                for reader in list(self._readers):
                    reader.buffer_all()
            else:
                self._committed[appending_to.name] = self._last_row(appending_to)
            self._writing = True
            try:
                with transaction(self._connection):
                    yield self._connection
            finally:
                self._writing = False
                self._committed.clear()

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Provide the connection, with the lock held."""
        with self._lock, translated_errors("in memory"):
            yield self._connection

    def read(self, query: Query) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of `query`, fetched a few at a time with the lock held."""
        with self._lock, translated_errors("in memory"):
            statement = query(self._last_row)
            reader = _Reader(self._connection.execute(statement.sql, statement.parameters))
            self._readers.add(reader)
        try:
            while rows := self._next_rows(reader):
                yield from rows
        finally:
            with self._lock:
                reader.close()

    def _next_rows(self, reader: _Reader) -> list[tuple[Any, ...]]:
        with self._lock, translated_errors("in memory"):
            return reader.fetch()

    def _last_row(self, table: StoredTable) -> int:
        """Return the number of the table's last committed row."""
        # During a write only the writing thread gets here, and must not see uncommitted rows.
        if table.name in self._committed:
            return self._committed[table.name]
        found = self._connection.execute(f"SELECT max({rowid_of(table)}) FROM main.{quote(table.name)}").fetchone()
        return int(found[0] or 0)

    def close(self) -> None:
        """Close the database; its tables are lost."""
        with self._lock:
            self._finalizer()

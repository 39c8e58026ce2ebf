"""A database in a file, shared by threads and processes.

With SQLite's write-ahead log readers proceed while one writer writes, each reading the state that was committed when
it began. This needs a connection per reader: each running iterator takes one from a pool and returns it. A commit is on
disk when it returns (``synchronous=FULL``), so a killed process loses only uncommitted changes. Writers in several
processes wait for each other for up to 30 seconds.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from typing import TYPE_CHECKING, Any

from bank_python.errors import TableError
from bank_python.mntable.database import (
    BUSY_SECONDS,
    CHUNK,
    Database,
    close_cursor,
    connect,
    transaction,
    translated_errors,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bank_python.mntable.statement import Query, StoredTable

__all__ = ["DiskDatabase"]


class DiskDatabase(Database):
    """Database in a file; the module docstring describes its transactions.

    Parameters
    ----------
    path : Path
        Path of the file, which is created if it does not exist; its directory must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._writing = False
        self._closed = False
        self._idle: list[sqlite3.Connection] = []
        self._connections: list[sqlite3.Connection] = []
        self._finalizer = weakref.finalize(self, _close_all, self._connections)
        with translated_errors(str(path)):
            self._writer = self._open_connection()

    def _open_connection(self) -> sqlite3.Connection:
        connection = connect(str(self._path))
        self._connections.append(connection)
        _enter_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    @property
    def key(self) -> str:
        """Real path of the file."""
        return f"file:{os.path.realpath(self._path)}"

    @contextlib.contextmanager
    def write(self, appending_to: StoredTable | None = None) -> Iterator[sqlite3.Connection]:  # noqa: ARG002  (the write-ahead log isolates readers from any write)
        """Hold the write lock of the file; readers are not blocked."""
        with self._lock, translated_errors(str(self._path)):
            self._check_usable()
            if self._writing:
                raise TableError(
                    "the rows being written come from code that writes to the same database: "
                    "collect them in a list first, or write one after the other"
                )
            self._writing = True
            try:
                with transaction(self._writer):
                    yield self._writer
            finally:
                self._writing = False

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Provide a reader's connection, without waiting for a writer."""
        with translated_errors(str(self._path)):
            connection = self._borrow()
            try:
                yield connection
            finally:
                self._return_connection(connection)

    def read(self, query: Query) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of `query` over a connection of its own."""
        with translated_errors(str(self._path)):
            connection = self._borrow()
        try:
            statement = query(None)
            with translated_errors(str(self._path)):
                cursor = connection.execute(statement.sql, statement.parameters)
            try:
                while rows := self._next_rows(cursor):
                    yield from rows
            finally:
                close_cursor(cursor)
        finally:
            self._return_connection(connection)

    def _next_rows(self, cursor: sqlite3.Cursor) -> list[tuple[Any, ...]]:
        with translated_errors(str(self._path)):
            return cursor.fetchmany(CHUNK)

    def _borrow(self) -> sqlite3.Connection:
        with self._pool_lock:
            self._check_usable()
            if self._idle:
                return self._idle.pop()
            connection = self._open_connection()
            connection.execute("PRAGMA query_only = ON")
            return connection

    def _return_connection(self, connection: sqlite3.Connection) -> None:
        # Without a lock: list.append is atomic, and a lock taken during garbage collection could deadlock.
        self._idle.append(connection)

    def _check_usable(self) -> None:
        if self._closed:
            raise TableError(f"{self._path} was closed: open it again with Table.open", path=self._path)
        if os.getpid() != self._process:
            # SQLite forbids the use of a connection after a fork: the processes would corrupt the file.
            raise TableError(
                f"{self._path} was opened by the parent process: call Table.open in this one", path=self._path
            )

    def close(self) -> None:
        """Close every connection, including those of running iterators."""
        with self._lock, self._pool_lock:
            self._closed = True
            self._finalizer()


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead logging; the mode is stored in the file."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    # If two processes create a file at once, both switch; SQLite may reject the second without waiting.
    attempts = int(BUSY_SECONDS)
    for attempt in range(attempts):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if attempt == attempts - 1:
                raise
            threading.Event().wait(0.05)
        else:
            return


def _close_all(connections: list[sqlite3.Connection]) -> None:
    for connection in connections:
        connection.close()

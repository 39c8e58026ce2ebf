"""A database in a file, shared by threads and processes.

SQLite's write-ahead log lets readers go on while one writer writes, each seeing the state that was committed
when it began. For that a reader needs a connection to itself: each running iterator borrows one and gives it back. A
commit is on disk when it returns (``synchronous=FULL``), so a killed process loses only what it had not
committed. Writers of several processes wait for each other up to 30 seconds.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from typing import TYPE_CHECKING, Any

from bank_python.errors import TableError
from bank_python.mntable.database import BUSY_SECONDS, CHUNK, Database, connect, end, explaining, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bank_python.mntable.statement import Query, StoredTable

__all__ = ["DiskDatabase"]


class DiskDatabase(Database):
    """Tables in a file; see the module.

    Parameters
    ----------
    path : Path
        The file; made if it is not there, in a directory that is.
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
        with explaining(str(path)):
            self._writer = self._open_connection()

    def _open_connection(self) -> sqlite3.Connection:
        connection = connect(str(self._path))
        self._connections.append(connection)
        _enter_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    @property
    def key(self) -> str:
        """The file's real path."""
        return f"file:{os.path.realpath(self._path)}"

    @contextlib.contextmanager
    def write(self, appending_to: StoredTable | None = None) -> Iterator[sqlite3.Connection]:  # noqa: ARG002  (the log keeps every reader's state)
        """Hold the file's write lock; readers go on."""
        with self._lock, explaining(str(self._path)):
            self._check_usable()
            if self._writing:
                raise TableError(
                    "the rows being written come from code that writes to the same database: "
                    "collect them first, or write one after the other"
                )
            self._writing = True
            try:
                with transaction(self._writer):
                    yield self._writer
            finally:
                self._writing = False

    @contextlib.contextmanager
    def look(self) -> Iterator[sqlite3.Connection]:
        """Lend a reader's connection; a writer elsewhere is not waited for."""
        with explaining(str(self._path)):
            connection = self._borrow()
            try:
                yield connection
            finally:
                self._give_back(connection)

    def read(self, query: Query) -> Iterator[tuple[Any, ...]]:
        """Yield rows over a connection of their own."""
        with explaining(str(self._path)):
            connection = self._borrow()
        try:
            statement = query(None)
            with explaining(str(self._path)):
                cursor = connection.execute(statement.sql, statement.parameters)
            try:
                while rows := self._next_rows(cursor):
                    yield from rows
            finally:
                end(cursor)
        finally:
            self._give_back(connection)

    def _next_rows(self, cursor: sqlite3.Cursor) -> list[tuple[Any, ...]]:
        with explaining(str(self._path)):
            return cursor.fetchmany(CHUNK)

    def _borrow(self) -> sqlite3.Connection:
        with self._pool_lock:
            self._check_usable()
            if self._idle:
                return self._idle.pop()
            connection = self._open_connection()
            connection.execute("PRAGMA query_only = ON")
            return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        # list.append is atomic, and a lock taken while a dropped iterator is collected could block its own thread.
        self._idle.append(connection)

    def _check_usable(self) -> None:
        if self._closed:
            raise TableError(f"{self._path} was closed: open it again with Table.open", path=self._path)
        if os.getpid() != self._process:
            # SQLite forbids carrying a connection across a fork: both sides would corrupt the file.
            raise TableError(
                f"{self._path} was opened by the parent process: call Table.open in this one", path=self._path
            )

    def close(self) -> None:
        """Close every connection, also those of running iterators."""
        with self._lock, self._pool_lock:
            self._closed = True
            self._finalizer()


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead logging; the mode stays with the file."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    # Two processes that make one file at once both switch; SQLite may refuse the second without waiting.
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

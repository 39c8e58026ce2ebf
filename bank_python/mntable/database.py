"""What a table asks of the database it lies in.

A :class:`Database` gives one write transaction at a time and any number of reads. The promise to a reader is the same
in memory and on disk: an iterator sees the rows that were committed when its first row was asked for, whatever is
added or deleted while it runs. How each keeps it is told in :mod:`~bank_python.mntable.memory` and
:mod:`~bank_python.mntable.disk`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from bank_python.errors import TableError
from bank_python.mntable import aggregates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from bank_python.mntable.statement import Query, StoredTable

__all__ = ["CHUNK", "Database", "connect", "end", "explaining", "transaction"]

# Rows fetched at a time: enough to make the lock and the call cheap, too few to weigh anything.
CHUNK = 256
BUSY_SECONDS = 30.0


class Database(ABC):
    """A place for tables."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What tells this database from another; two handles on one file have one key."""

    @abstractmethod
    def write(self, appending_to: StoredTable | None = None) -> AbstractContextManager[sqlite3.Connection]:
        """Return a context that holds the one write transaction.

        It commits at the end and rolls back on any exception. A block that only adds rows to a table says so by
        `appending_to`.
        """

    @abstractmethod
    def look(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a context that lends a connection for a short read, such as of the catalogue."""

    @abstractmethod
    def read(self, query: Query) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of `query` as SQLite keeps them, as of the moment the first is asked for."""

    @abstractmethod
    def close(self) -> None:
        """Release the connections; what was committed stays."""


def connect(target: str) -> sqlite3.Connection:
    """Return a connection that leaves transactions to us and may pass from thread to thread."""
    # isolation_level=None: the module's own implicit BEGIN would come where it is not wanted.
    connection = sqlite3.connect(target, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    aggregates.install(connection)
    return connection


def end(cursor: sqlite3.Cursor) -> None:
    """End the statement of `cursor`; closing its connection has ended it already."""
    with contextlib.suppress(sqlite3.ProgrammingError):
        cursor.close()


@contextlib.contextmanager
def explaining(where: str) -> Iterator[None]:
    """Turn what sqlite3 raises into a :class:`~bank_python.errors.TableError` that says where it happened."""
    try:
        yield
    except sqlite3.Error as error:
        raise TableError(f"{where}: {error}{_advice(error)}", reason=str(error)) from error


def _advice(error: sqlite3.Error) -> str:
    text = str(error)
    advice = {
        "locked": "; another process holds the write lock for long: shorten its transaction, then try again",
        "not a database": "; give the path of a file that bank_python wrote",
        "closed database": "; the table was closed: open it again",
        "no such table": "; the table was dropped: make it again",
        "unable to open": "; check that the directory exists and may be written",
        "integer overflow": "; a sum of ints passed 64 bits: sum a float column instead",
    }
    return next((hint for sign, hint in advice.items() if sign in text), "")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block does to `connection`, or undo all of it."""
    # IMMEDIATE: a transaction that starts by reading could not wait for the lock once it wants to write.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise

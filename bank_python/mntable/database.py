"""Interface of the databases that hold tables.

A :class:`Database` allows one write transaction at a time and any number of concurrent reads. Reads are isolated in the
same way in memory and on disk: an iterator returns the rows that were committed when its first row was fetched,
whatever is added or deleted while it runs. :mod:`~bank_python.mntable.memory` and :mod:`~bank_python.mntable.disk`
describe how each implements this.
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

__all__ = ["CHUNK", "Database", "close_cursor", "connect", "transaction", "translated_errors"]

# Rows per fetch: enough to amortise the lock and the call, few enough to use little memory.
CHUNK = 256
BUSY_SECONDS = 30.0


class Database(ABC):
    """A database that holds tables."""

    @property
    @abstractmethod
    def key(self) -> str:
        """Unique identifier of the database; two handles on one file have the same key."""

    @abstractmethod
    def write(self, appending_to: StoredTable | None = None) -> AbstractContextManager[sqlite3.Connection]:
        """Return a context manager that holds the write transaction.

        It commits at the end and rolls back on any exception. `appending_to` names the table if the block only adds
        rows to that table.
        """

    @abstractmethod
    def connection(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a context manager that provides a connection for a short read, such as of the catalogue."""

    @abstractmethod
    def read(self, query: Query) -> Iterator[tuple[Any, ...]]:
        """Yield the stored rows of `query`, as committed when the first row is fetched."""

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""


def connect(target: str) -> sqlite3.Connection:
    """Return a connection in autocommit mode that may be used from several threads."""
    # isolation_level=None, because transactions are begun explicitly and sqlite3 must not begin any.
    connection = sqlite3.connect(target, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    aggregates.install(connection)
    return connection


def close_cursor(cursor: sqlite3.Cursor) -> None:
    """Close `cursor`; nothing happens if its connection is closed already."""
    with contextlib.suppress(sqlite3.ProgrammingError):
        cursor.close()


@contextlib.contextmanager
def translated_errors(where: str) -> Iterator[None]:
    """Convert errors of sqlite3 to a :class:`~bank_python.errors.TableError` that gives the location."""
    try:
        yield
    except sqlite3.Error as error:
        raise TableError(f"{where}: {error}{_advice(error)}", reason=str(error)) from error


def _advice(error: sqlite3.Error) -> str:
    text = str(error)
    advice = {
        "locked": "; another process holds the write lock: shorten its transaction, then try again",
        "not a database": "; give the path of a file that bank_python wrote",
        "closed database": "; the table was closed: open it again",
        "no such table": "; the table was dropped: create it again",
        "unable to open": "; check that the directory exists and is writable",
        "integer overflow": "; a sum of ints exceeded 64 bits: sum a float column instead",
    }
    return next((hint for sign, hint in advice.items() if sign in text), "")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in a transaction that is committed at its end, or rolled back on any exception."""
    # IMMEDIATE, because a transaction that begins with a read cannot wait for the write lock later.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise

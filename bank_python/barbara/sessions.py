"""Sessions: each thread that uses a store has its own.

For a file, every session has its own connection. In SQLite's WAL mode a reader never waits for a writer and sees the
last commit, while one writer at a time holds the write lock (``BEGIN IMMEDIATE``; others wait up to the timeout).
Writers of one process wait for each other at a lock of the store before that: SQLite has waiting connections try again
at growing intervals, so that one thread could write often while another waits until its timeout. A store in
memory exists inside one connection only: the sessions share it, and a thread holds its lock while its transaction runs.

The lock of a session is held during every statement and throughout a transaction, so that closing the store from
another thread waits for them. A connection must not be used across a fork, so a store raises an error in a child
process of the one that opened it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bank_python.barbara.location import IN_MEMORY
from bank_python.barbara.schema import connect, prepare
from bank_python.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bank_python.barbara.versions import Change

__all__ = ["Session", "Sessions"]


class TimeoutLock:
    """A re-entrant lock with a timeout.

    The timeout ends deadlocks: for example, one thread inside a transaction that waits for a graph, and another inside
    a batch of the graph that waits for the store.

    Parameters
    ----------
    timeout : float
        Maximum time to wait for the lock, in seconds.
    """

    def __init__(self, timeout: float) -> None:
        self._lock = threading.RLock()
        self._timeout = min(timeout, threading.TIMEOUT_MAX)

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._timeout):
            raise StoreError(
                f"another thread locked the store for {self._timeout:g} seconds; end its transaction and, if one "
                "thread uses both, open the store's transaction before the graph's batch"
            )

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class Session:
    """Access of one thread to the store: statements, nested transactions, and the changes not yet committed."""

    def __init__(
        self, connection: sqlite3.Connection, lock: threading.RLock | TimeoutLock, writers: TimeoutLock
    ) -> None:
        self.connection = connection
        self.lock = lock
        self.writers = writers
        self.depth = 0
        self.tx = 0
        self.changes: list[Change] = []

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows.

        Raises
        ------
        StoreError
            The statement failed: the file was locked for longer than the timeout, is full, damaged, or closed.
        """
        with self.lock:
            try:
                return self.connection.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise _translated(error) from error

    def insert(self, sql: str, parameters: Sequence[object]) -> int:
        """Run an INSERT and return the id of the new row."""
        with self.lock:
            try:
                return self.connection.execute(sql, parameters).lastrowid or 0
            except sqlite3.Error as error:
                raise _translated(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Make all reads inside see the same committed state (or that of the running transaction)."""
        with self.lock:
            if self.connection.in_transaction:
                yield
                return
            self.rows("BEGIN")
            try:
                yield
            finally:
                self.rows("COMMIT")

    @contextmanager
    def transaction(self, seal: Callable[[Session], None]) -> Iterator[None]:
        """Run a transaction, or a savepoint inside another transaction; `seal` is called just before the commit."""
        if self.depth:
            with self.lock, self._savepoint():
                yield
            return
        with self.writers, self.lock, self._outermost(seal):
            yield

    @contextmanager
    def _outermost(self, seal: Callable[[Session], None]) -> Iterator[None]:
        self.rows("BEGIN IMMEDIATE")
        self.depth = 1
        try:
            self.tx = self.rows("SELECT coalesce(max(id), 0) + 1 FROM transactions")[0][0]
            yield
            seal(self)
            self.rows("COMMIT")
        except BaseException:
            self.changes.clear()
            # After some failures, such as a full disk, SQLite has already rolled back.
            if self.connection.in_transaction:
                self.rows("ROLLBACK")
            raise
        finally:
            self.depth = 0

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        name = f"level{self.depth}"
        mark = len(self.changes)
        self.rows(f"SAVEPOINT {name}")
        self.depth += 1
        try:
            yield
        except BaseException:
            del self.changes[mark:]
            if self.connection.in_transaction:
                self.rows(f"ROLLBACK TO {name}")
            raise
        finally:
            self.depth -= 1
            if self.connection.in_transaction:
                self.rows(f"RELEASE {name}")

    def take_changes(self) -> list[Change]:
        """Return the committed changes and clear the list."""
        taken, self.changes = self.changes, []
        return taken

    def close(self) -> None:
        """Close the connection, once no other thread is using it."""
        with self.lock:
            self.connection.close()


class Sessions:
    """The sessions of one open store, one per thread, opened when a thread first uses the store.

    Parameters
    ----------
    location : str
        Path of the file, or ``":memory:"``.
    timeout : float
        Maximum time to wait for another writer, in seconds.
    """

    def __init__(self, location: str, timeout: float) -> None:
        self.location = location
        self._timeout = timeout
        self._local = threading.local()
        self._guard = threading.Lock()
        self._opened: list[tuple[threading.Thread, Session]] = []
        self._process = os.getpid()
        self.closed = False
        first = connect(location, timeout)
        try:
            prepare(first, location, timeout)
        except StoreError:
            first.close()
            raise
        self._writers = TimeoutLock(timeout)
        self._shared = Session(first, self._writers, self._writers) if location == IN_MEMORY else None
        self._adopt(Session(first, threading.RLock(), self._writers) if self._shared is None else self._shared)

    def current(self) -> Session:
        """Return the calling thread's session.

        Raises
        ------
        StoreError
            The store is closed, or was opened by the parent of this process.
        """
        session: Session | None = getattr(self._local, "session", None)
        # A transaction that was running when another thread closed the store may still finish.
        if self.closed and not (session is not None and session.depth):
            raise self._is_closed()
        if os.getpid() != self._process:
            message = f"the store {self.location} was opened before this process forked: open it again here"
            raise StoreError(message, path=self.location)
        return session if session is not None else self._adopt(self._new())

    def _new(self) -> Session:
        if self._shared is not None:
            return Session(self._shared.connection, self._shared.lock, self._writers)
        return Session(connect(self.location, self._timeout), threading.RLock(), self._writers)

    def _adopt(self, session: Session) -> Session:
        with self._guard:
            if self.closed:
                session.close()
                raise self._is_closed()
            if self._shared is None:
                # Connections of threads that have ended are closed, so that they do not accumulate.
                for thread, left in self._opened:
                    if not thread.is_alive():
                        left.close()
            self._opened = [pair for pair in self._opened if pair[0].is_alive()]
            self._opened.append((threading.current_thread(), session))
        self._local.session = session
        return session

    def _is_closed(self) -> StoreError:
        return StoreError(f"the store {self.location} is closed: open it again", path=self.location)

    def close(self) -> None:
        """Close every connection; waits for transactions in other threads.

        Raises
        ------
        StoreError
            The calling thread is inside a transaction.
        """
        if self.closed:
            return
        session: Session | None = getattr(self._local, "session", None)
        if session is not None and session.depth:
            raise StoreError("the store cannot be closed inside a transaction: leave the with block first")
        self.closed = True
        with self._guard:
            for _, opened in self._opened:
                opened.close()
            self._opened.clear()
        if self._shared is not None:
            self._shared.close()


def _translated(error: sqlite3.Error) -> StoreError:
    # The low byte is the primary error code; the other bits are the extended code.
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        return StoreError(f"another process or thread is writing ({error}): try again, or open with a longer timeout")
    return StoreError(f"the store's file cannot be read or written ({error})")

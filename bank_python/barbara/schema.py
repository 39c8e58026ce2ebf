"""The file of a store: its tables, its format number, and connections to it.

Tables
------
``version``
    Every write, in order (``sequence``), with its transaction (``tx``).
``current``
    The newest version of each (ring, key), used by reads.
``transactions``
    Time of commit of each transaction (microseconds since 1970, UTC, non-decreasing) and the open store that wrote it
    (``writer``). A row appears with the commit, so readers never see half a transaction.
``meta``
    ``pruned``: the transaction before which history is no longer complete.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time

from bank_python.errors import StoreError

__all__ = ["STORE_FORMAT", "connect", "prepare"]

STORE_FORMAT = 1

_APPLICATION = 0x42415242  # "BARB", SQLite's application_id, which distinguishes stores from other SQLite files

_TABLES = """
CREATE TABLE version (
    sequence INTEGER PRIMARY KEY,
    ring TEXT NOT NULL,
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    tx INTEGER NOT NULL,
    record BLOB
);
CREATE INDEX version_of_key ON version (ring, key);
CREATE TABLE current (
    ring TEXT NOT NULL,
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (ring, key)
) WITHOUT ROWID;
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY,
    stored_at INTEGER NOT NULL,
    writer INTEGER NOT NULL
);
CREATE INDEX transaction_by_time ON transactions (stored_at);
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


def connect(location: str, timeout: float) -> sqlite3.Connection:
    """Open a connection with explicit transactions, usable from any thread (sessions lock it).

    Raises
    ------
    StoreError
        The file cannot be opened.
    """
    try:
        connection = sqlite3.connect(
            location, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        # FULL, not NORMAL: in WAL mode both survive a killed process, but NORMAL syncs only at checkpoints, so a write
        # that has returned could be lost in a power failure. A bulk write in one transaction costs one sync.
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        raise _cannot_open(location, error) from error
    return connection


def prepare(connection: sqlite3.Connection, location: str, timeout: float) -> None:
    """Check that the file is a store in a format that this release reads, or create a new one.

    Raises
    ------
    StoreError
        The file belongs to another program, or was written by a newer release; it is not changed.
    """
    try:
        if not _is_store(connection, location):
            connection.execute("BEGIN IMMEDIATE")
            with contextlib.ExitStack() as undo:
                undo.callback(connection.execute, "ROLLBACK")
                if not _is_store(connection, location):  # another process may have created it in the meantime
                    _create(connection)
                connection.execute("COMMIT")
                undo.pop_all()
        _use_wal(connection, time.monotonic() + timeout)
    except sqlite3.Error as error:
        raise _cannot_open(location, error) from error


def _is_store(connection: sqlite3.Connection, location: str) -> bool:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    file_format = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == _APPLICATION:
        if file_format != STORE_FORMAT:
            message = f"{location} has store format {file_format}, this release reads {STORE_FORMAT}: upgrade it"
            raise StoreError(message, path=location, format=file_format)
        return True
    if application or file_format or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreError(f"{location} is another program's SQLite file: choose another path", path=location)
    return False


def _create(connection: sqlite3.Connection) -> None:
    # Single statements, as executescript() would commit the transaction first.
    for statement in _TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {STORE_FORMAT}")


def _use_wal(connection: sqlite3.Connection, deadline: float) -> None:
    # Switching the mode needs exclusive access for a moment, for which SQLite itself does not wait.
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _cannot_open(location: str, error: sqlite3.Error) -> StoreError:
    return StoreError(f"cannot open the store {location} ({error}): check the path and its permissions", path=location)

"""The file: its tables, its format number, and how a connection to it is opened.

Tables
------
``version``
    Every write ever made, in order (``sequence``), with its transaction (``tx``).
``current``
    The newest version of each (ring, key): what reads go through.
``transactions``
    When each transaction was committed (microseconds since 1970, UTC, never falling) and by which open
    store (``writer``). A row appears with the commit, so readers never meet half a transaction.
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

_APPLICATION = 0x42415242  # "BARB", in SQLite's application_id: tells our files from other programs'

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
    """Open a connection: explicit transactions, usable from any thread (sessions lock it).

    Raises
    ------
    StoreError
        The file cannot be opened.
    """
    try:
        connection = sqlite3.connect(
            location, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        # FULL, not NORMAL: in WAL mode both survive a killed process, but NORMAL syncs only at checkpoints,
        # so a power cut could take back a write that was acknowledged. Bulk work goes in one transaction,
        # which costs one sync.
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        raise _cannot_open(location, error) from error
    return connection


def prepare(connection: sqlite3.Connection, location: str, timeout: float) -> None:
    """Check that the file is a store of a format this release reads, or make a new one.

    Raises
    ------
    StoreError
        The file is another program's, or was written by a newer release; it is left untouched.
    """
    try:
        if not _is_store(connection, location):
            connection.execute("BEGIN IMMEDIATE")
            with contextlib.ExitStack() as undo:
                undo.callback(connection.execute, "ROLLBACK")
                if not _is_store(connection, location):  # another process may have made it while we waited
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
    # executescript() would commit first; single statements stay inside the transaction.
    for statement in _TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {STORE_FORMAT}")


def _use_wal(connection: sqlite3.Connection, deadline: float) -> None:
    # Switching needs the file alone for a moment, and SQLite does not wait for that by itself.
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

"""The writing half: entries, the transaction's stamp, and pruning. All of it runs inside a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.barbara.versions import Change, Kind, to_microseconds

if TYPE_CHECKING:
    from datetime import datetime

    from bank_python.barbara.sessions import Session

__all__ = ["entry_kind", "prune_before", "stamp", "write_entry"]


def entry_kind(session: Session, ring: str, key: str) -> Kind:
    """Return what a ring by itself says of a key (``DELETED``: nothing)."""
    rows = session.rows("SELECT kind FROM current WHERE ring = ? AND key = ?", (ring, key))
    return Kind(rows[0][0]) if rows else Kind.DELETED


def write_entry(session: Session, ring: str, key: str, kind: Kind, record: bytes | None) -> None:
    """Add a version of `key` in `ring` and note the change for subscribers."""
    last = session.rows("SELECT number FROM current WHERE ring = ? AND key = ?", (ring, key))
    number = last[0][0] + 1 if last else 1
    # Sequence numbers are taken under the write lock, so they rise in the order of commits.
    sequence = session.insert(
        "INSERT INTO version (ring, key, number, kind, tx, record) VALUES (?, ?, ?, ?, ?, ?)",
        (ring, key, number, int(kind), session.tx, record),
    )
    session.insert(
        "INSERT OR REPLACE INTO current (ring, key, number, kind, sequence) VALUES (?, ?, ?, ?, ?)",
        (ring, key, number, int(kind), sequence),
    )
    session.changes.append(Change(key, ring, number, kind is not Kind.VALUE, sequence))


def stamp(session: Session, now: datetime, writer: int) -> None:
    """Give the transaction its time, at its end: a reader of a time already past finds nothing added later.

    A clock that steps back is held at the last stamp until it catches up, for the same reason.
    """
    session.insert(
        "INSERT INTO transactions (id, stored_at, writer) "
        "VALUES (?, max(?, coalesce((SELECT max(stored_at) FROM transactions), ?)), ?)",
        (session.tx, to_microseconds(now), to_microseconds(now), writer),
    )


def prune_before(session: Session, tx: int) -> int:
    """Drop versions replaced by transaction `tx` or earlier; return how many."""
    newest = f"SELECT max(sequence) FROM version WHERE tx <= {tx:d} GROUP BY ring, key"
    old = f"tx <= {tx:d} AND sequence NOT IN ({newest})"
    count = int(session.rows(f"SELECT count(*) FROM version WHERE {old}")[0][0])
    session.rows(f"DELETE FROM version WHERE {old}")
    session.rows(
        "INSERT INTO meta (name, value) VALUES ('pruned', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        (tx,),
    )
    return count

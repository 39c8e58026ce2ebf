"""Write operations of a store: entries, the time of a transaction, and pruning. All run inside a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.barbara.versions import Change, Kind, to_microseconds

if TYPE_CHECKING:
    from datetime import datetime

    from bank_python.barbara.sessions import Session

__all__ = ["entry_kind", "prune_before", "stamp", "write_entry"]


def entry_kind(session: Session, ring: str, key: str) -> Kind:
    """Return the kind of a key's entry in one ring; ``DELETED`` if there is none."""
    rows = session.rows("SELECT kind FROM current WHERE ring = ? AND key = ?", (ring, key))
    return Kind(rows[0][0]) if rows else Kind.DELETED


def write_entry(session: Session, ring: str, key: str, kind: Kind, record: bytes | None) -> None:
    """Add a version of `key` in `ring` and note the change for subscribers."""
    last = session.rows("SELECT number FROM current WHERE ring = ? AND key = ?", (ring, key))
    number = last[0][0] + 1 if last else 1
    # Sequence numbers are assigned under the write lock, so they increase in the order of commits.
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
    """Record the time of the transaction, just before its commit, so that views of past times never change.

    For the same reason, a clock that goes backwards is replaced by the last transaction's time until it catches up.
    """
    session.insert(
        "INSERT INTO transactions (id, stored_at, writer) "
        "VALUES (?, max(?, coalesce((SELECT max(stored_at) FROM transactions), ?)), ?)",
        (session.tx, to_microseconds(now), to_microseconds(now), writer),
    )


def prune_before(session: Session, tx: int) -> int:
    """Drop versions that were replaced by transaction `tx` or earlier, and return their number."""
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

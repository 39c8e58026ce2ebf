"""Reading through overlaid rings, now or as of a past transaction.

For each key the leftmost ring with an entry decides: a value is the key's value, a tombstone hides the key. A deleted
entry counts as no entry, so the next ring is visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.barbara.keys import end_of_prefix
from bank_python.barbara.versions import Kind, Version, from_microseconds
from bank_python.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bank_python.barbara.sessions import Session

__all__ = ["Overlay", "check_horizon"]

_BATCH = 500  # keys per query, well below SQLite's limit on parameters

_VERSION_COLUMNS = "v.ring, v.key, v.number, t.stored_at, v.kind, v.sequence"


@dataclass(frozen=True, slots=True)
class Overlay:
    """Overlaid rings, read up to a transaction.

    Parameters
    ----------
    rings : tuple of str
        Names of the rings, the leftmost first.
    tx : int or None
        Number of the last transaction to read; None for all.
    """

    rings: tuple[str, ...]
    tx: int | None = None

    def records(self, session: Session, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the visible records of `keys`; keys without one are missing."""
        found: dict[str, bytes] = {}
        with session.snapshot():
            for batch in _batches(keys):
                found.update(
                    self._query(
                        session, "v.key, v.record", _one_of("key", batch), batch, "JOIN version v USING (sequence)"
                    )
                )
        return found

    def keys(self, session: Session, prefix: str, limit: int = -1) -> list[str]:
        """Return the visible keys that start with `prefix`, sorted, each once."""
        where, parameters = _starts_with(prefix)
        return [key for (key,) in self._query(session, "top.key", where, parameters, "", limit)]

    def count(self, session: Session) -> int:
        """Return the number of visible keys."""
        return int(self._query(session, "count(*)", "1", (), "")[0][0])

    def version(self, session: Session, key: str) -> Version | None:
        """Return the visible version of `key`, if any."""
        join = "JOIN version v USING (sequence) LEFT JOIN transactions t ON t.id = v.tx"
        rows = self._query(session, _VERSION_COLUMNS, "key = ?", (key,), join)
        return _version(rows[0]) if rows else None

    def history(self, session: Session, key: str) -> tuple[Version, ...]:
        """Return every stored version of `key` in these rings, oldest first."""
        sql = (
            f"SELECT {_VERSION_COLUMNS} FROM version v LEFT JOIN transactions t ON t.id = v.tx "
            f"WHERE {_one_of('v.ring', self.rings)} AND v.key = ? AND v.tx <= ? ORDER BY v.sequence"
        )
        last = 2**63 - 1 if self.tx is None else self.tx
        return tuple(_version(row) for row in session.rows(sql, (*self.rings, key, last)))

    def _query(
        self, session: Session, columns: str, where: str, parameters: Sequence[object], join: str, limit: int = -1
    ) -> list[tuple[Any, ...]]:
        layers = ", ".join(f"(?, {rank})" for rank in range(len(self.rings)))
        chosen = f"{_one_of('ring', self.rings)} AND {where}"
        if self.tx is None:
            state = f"SELECT ring, key, kind, sequence FROM current WHERE {chosen}"
        else:
            # With max(), SQLite takes the other columns from the row with the maximum.
            state = (
                f"SELECT ring, key, kind, max(sequence) AS sequence FROM version WHERE {chosen} AND tx <= {self.tx:d} "
                "GROUP BY ring, key"
            )
        sql = (
            f"WITH layer(name, rank) AS (VALUES {layers}), state AS ({state}), "
            "top AS (SELECT key, kind, sequence, min(rank) FROM state JOIN layer ON name = ring "  # as for max()
            f"WHERE kind <> {Kind.DELETED:d} GROUP BY key) "
            f"SELECT {columns} FROM top {join} WHERE top.kind = {Kind.VALUE:d} ORDER BY top.key LIMIT ?"
        )
        with session.snapshot():
            if self.tx is not None:
                check_horizon(session, self.tx)
            return session.rows(sql, (*self.rings, *self.rings, *parameters, limit))


def check_horizon(session: Session, tx: int) -> None:
    """Raise if history as of a transaction has been pruned.

    Raises
    ------
    StoreError
        History before a later transaction was pruned.
    """
    rows = session.rows("SELECT value FROM meta WHERE name = 'pruned'")
    if rows and tx < rows[0][0]:
        raise StoreError("history of that time has been pruned: choose a later time, or a backup", tx=tx)


def _one_of(column: str, values: Sequence[object]) -> str:
    return f"{column} IN ({', '.join('?' * len(values))})"


def _starts_with(prefix: str) -> tuple[str, tuple[str, ...]]:
    end = end_of_prefix(prefix)
    return ("key >= ?", (prefix,)) if end is None else ("key >= ? AND key < ?", (prefix, end))


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]


def _version(row: tuple[Any, ...]) -> Version:
    ring, key, number, stored_at, kind, sequence = row
    return Version(
        ring=ring,
        key=key,
        number=number,
        stored_at=None if stored_at is None else from_microseconds(stored_at),
        deleted=kind != Kind.VALUE,
        hidden=kind == Kind.HIDDEN,
        sequence=sequence,
    )

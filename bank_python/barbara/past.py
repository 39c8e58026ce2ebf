"""Read-only views of a store as of a past time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.barbara.overlay import Overlay, check_horizon
from bank_python.barbara.reader import StoreReader
from bank_python.barbara.versions import to_microseconds

if TYPE_CHECKING:
    from datetime import datetime

    from bank_python.barbara.sessions import Session, Sessions

__all__ = ["PastView"]


class PastView(StoreReader):
    """A read-only mapping of a store, through the same rings, as of a time; returned by :meth:`BarbaraDB.as_of`.

    The view is pinned when it is constructed: it contains all transactions committed up to and including `time`.
    References are followed as of the same time.

    Parameters
    ----------
    sessions : Sessions
        Sessions of the open store.
    rings : tuple of str
        Names of the rings, the leftmost first.
    time : datetime
        Time of the view, timezone-aware.
    allow_pickle : bool
        Whether to read pickled parts of records.
    """

    def __init__(self, sessions: Sessions, rings: tuple[str, ...], time: datetime, *, allow_pickle: bool) -> None:
        self._sessions = sessions
        self._allow_pickle = allow_pickle
        self._time = time
        session = sessions.current()
        rows = session.rows(
            "SELECT id FROM transactions WHERE stored_at <= ? ORDER BY stored_at DESC, id DESC LIMIT 1",
            (to_microseconds(time),),
        )
        self._pinned = Overlay(rings, rows[0][0] if rows else 0)
        check_horizon(session, self.last_transaction)

    @property
    def rings(self) -> tuple[str, ...]:
        """Names of the rings, the leftmost first."""
        return self._pinned.rings

    @property
    def allow_pickle(self) -> bool:
        """Whether pickled parts of records are read."""
        return self._allow_pickle

    @property
    def time(self) -> datetime:
        """Time of the view."""
        return self._time

    @property
    def last_transaction(self) -> int:
        """Number of the last transaction in the view; 0 if there is none."""
        return self._pinned.tx or 0

    def _session(self) -> Session:
        return self._sessions.current()

    def _overlay(self) -> Overlay:
        return self._pinned

    def __repr__(self) -> str:
        return f"PastView({';'.join(self.rings)!r}, as of {self._time.isoformat()})"

"""The store as it was: a read-only view of one past moment."""

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
    """All mapping reads, through the same rings, as of a time; made by :meth:`BarbaraDB.as_of`.

    The view is pinned when it is made: it shows the transactions committed up to `time`, whole ones only, and
    of several at the same clock reading all. References are followed as of the same time.

    Parameters
    ----------
    sessions : Sessions
        The open store's.
    rings : tuple of str
        Leftmost first.
    time : datetime
        Timezone-aware.
    allow_pickle : bool
        Whether pickled parts are read.
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
        """Ring names, the leftmost first."""
        return self._pinned.rings

    @property
    def allow_pickle(self) -> bool:
        """Whether pickled parts are read."""
        return self._allow_pickle

    @property
    def time(self) -> datetime:
        """The time asked for."""
        return self._time

    @property
    def last_transaction(self) -> int:
        """Number of the last transaction that the view shows; 0 where it shows none."""
        return self._pinned.tx or 0

    def _session(self) -> Session:
        return self._sessions.current()

    def _overlay(self) -> Overlay:
        return self._pinned

    def __repr__(self) -> str:
        return f"PastView({';'.join(self.rings)!r}, as of {self._time.isoformat()})"

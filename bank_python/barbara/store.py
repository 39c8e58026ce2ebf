"""Barbara: the hierarchical key-value store that a whole desk keeps its things in.

A store is one SQLite file (or memory). Inside it, *rings* are separate namespaces, and opening a store lays
some of them over each other, ``"desk;default"``: a read looks in ``desk``, then in ``default``; a write goes to
``desk``. So a desk can change what it likes while everyone goes on sharing the defaults, and deleting its
own value brings the shared one back.

What holds, whatever happens:

- a write that returned is on disk and whole: it survives a killed process;
- a transaction happens entirely or not at all, also for those who read the past;
- every version is kept until :meth:`BarbaraDB.prune` is asked to drop it;
- reading never runs code from the file (unless the caller allows pickles) and never imports anything.

Examples
--------
>>> db = BarbaraDB.open("desk;default", path=":memory:")
>>> db["/Config/currency"] = "USD"
>>> db["/Config/currency"]
'USD'
>>> db.keys("/Config/")
['/Config/currency']
>>> db.close()
"""

from __future__ import annotations

import secrets
import threading
import weakref
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from bank_python.barbara.encode import encode
from bank_python.barbara.envelope import same_body
from bank_python.barbara.keys import check_key, check_text, parse_rings
from bank_python.barbara.location import resolve
from bank_python.barbara.notify import Subscription, Subscriptions
from bank_python.barbara.overlay import Overlay
from bank_python.barbara.past import PastView
from bank_python.barbara.plan import Plan, plan_write
from bank_python.barbara.reader import StoreReader
from bank_python.barbara.sessions import Session, Sessions
from bank_python.barbara.versions import MISSING, Change, Kind
from bank_python.barbara.writer import entry_kind, prune_before, stamp, write_entry
from bank_python.errors import ConflictError, MissingKeyError, StoreArgumentError, StoreError
from bank_python.guessing import guessable, made_by
from bank_python.wording import words_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

__all__ = ["BarbaraDB"]


def _now() -> datetime:
    return datetime.now(UTC)


_WORDS = {
    **dict.fromkeys(("put", "set", "insert", "write", "store", "save", "add"), "db[key] = value"),
    **dict.fromkeys(("read", "fetch", "find"), "db[key], or db.get(key)"),
    **dict.fromkeys(("remove", "drop"), "del db[key]"),
    **dict.fromkeys(("query", "select", "list", "search", "scan"), "db.items(prefix), or db.keys(prefix)"),
    **dict.fromkeys(("begin", "commit", "rollback"), "with db.transaction(): ..."),
    **dict.fromkeys(("versions", "log"), "db.history(key)"),
}


@made_by('BarbaraDB.open("desk;default", path="desk.db")')
class BarbaraDB(StoreReader):
    """An open store, used like a dict; :meth:`open` makes one.

    One object may be used from many threads, and one file by many processes. A transaction belongs to the
    thread that opened it.

    Parameters
    ----------
    sessions : Sessions
        The threads' connections.
    rings : tuple of str
        Leftmost first.
    allow_pickle : bool
        Whether values without a record form are pickled, and pickles read.
    clock : callable
        Returns the time, timezone-aware.
    """

    def __init__(
        self, sessions: Sessions, rings: tuple[str, ...], *, allow_pickle: bool, clock: Callable[[], datetime]
    ) -> None:
        self._sessions = sessions
        self._visible = Overlay(rings)
        self._allow_pickle = allow_pickle
        self._clock = clock
        self._writer = secrets.randbits(62)  # marks our own transactions, so that polling tells only others'
        self._subscriptions = Subscriptions()
        self._poll_lock = threading.Lock()
        self._polled = self._last_sequence(sessions.current())
        # A store that is dropped without close() lets go of its file; not at exit, where threads may still hold it.
        weakref.finalize(self, sessions.close).atexit = False

    @classmethod
    @guessable
    def open(
        cls,
        rings: str = "default",
        path: str | os.PathLike[str] | None = None,
        *,
        allow_pickle: bool = False,
        clock: Callable[[], datetime] = _now,
        timeout: float = 30.0,
    ) -> Self:
        """Open a store, made if it does not exist.

        Parameters
        ----------
        rings : str
            Ring names separated by ``;``: reads fall through from left to right, writes go to the first.
        path : str or path-like, optional
            The file, or ``":memory:"`` to keep nothing. By default ``barbara.db`` in ``$BANK_PYTHON_HOME``,
            itself by default the user's data directory.
        allow_pickle : bool, default False
            Pickle what has no record form, and read pickles. Reading a pickle can run any code: a store is
            a file that others may write.
        clock : callable, optional
            Returns the time of a commit, timezone-aware; by default the system's, in UTC.
        timeout : float, default 30.0
            Seconds to wait for another writer before giving up.

        Raises
        ------
        StoreArgumentError
            The rings or the path make no sense, or a path stands where the rings go.
        StoreError
            The file cannot be opened, is not a store, or was written by a newer release.
        """
        names = parse_rings(rings)
        if not 0 <= timeout < float("inf"):
            message = f"timeout must be a finite number of seconds from 0, not {timeout!r}"
            raise StoreArgumentError(message, value=timeout)
        sessions = Sessions(resolve(path), timeout)
        return cls(sessions, names, allow_pickle=allow_pickle, clock=clock)

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    # --- the store itself --------------------------------------------------------------------

    @property
    def rings(self) -> tuple[str, ...]:
        """Ring names, the leftmost first: the one that is written to."""
        return self._visible.rings

    @property
    def path(self) -> str:
        """The file's absolute path, or ``":memory:"``."""
        return self._sessions.location

    @property
    def allow_pickle(self) -> bool:
        """Whether values without a record form are pickled, and pickles read."""
        return self._allow_pickle

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._sessions.closed

    @property
    def in_transaction(self) -> bool:
        """Whether the calling thread is inside a :meth:`transaction`."""
        return not self.closed and self._session().depth > 0

    def close(self) -> None:
        """Close the store, once transactions in other threads have ended; again does nothing.

        Raises
        ------
        StoreError
            The calling thread is inside a transaction.
        """
        self._sessions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{len(self)} keys"
        return f"BarbaraDB({';'.join(self.rings)!r}, path={self.path!r}, {state})"

    def _session(self) -> Session:
        return self._sessions.current()

    def _overlay(self) -> Overlay:
        return self._visible

    # --- writing -----------------------------------------------------------------------------

    def __setitem__(self, key: str, value: object) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        self.delete(key)

    def update(self, values: Mapping[str, object], *, changed_only: bool = False) -> None:
        """Write several values in one transaction; what they refer to is written once.

        Each key gets a new version in the first ring. An object they refer to gets one only if the store
        does not already hold an equal record under its key, in whichever ring is visible.

        Parameters
        ----------
        values : mapping of str to object
            What to write.
        changed_only : bool, default False
            Leave out, as for objects referred to, each key under which an equal record is visible: for
            whoever writes a large state often and changes little of it.

        Raises
        ------
        StoreArgumentError
            A key is not a non-empty string.
        UnstorableError
            A value has no record form; nothing is written.
        """
        plan = plan_write({check_key(key): value for key, value in values.items()}, allow_pickle=self._allow_pickle)
        if changed_only:
            plan = Plan({}, {**plan.underliers, **plan.asked})
        with self.transaction():
            self._carry_out(plan)

    def delete(self, key: str, *, hide: bool = False) -> None:
        """Delete `key` in the first ring.

        Parameters
        ----------
        key : str
            The key.
        hide : bool, default False
            Write a tombstone, which hides the key's values in lower rings as well; without it they shine
            through again.

        Raises
        ------
        MissingKeyError
            The key is not visible or, without `hide`, not in the first ring.
        """
        with self.transaction():
            session = self._session()
            found = self.version(key)
            if not hide and found.ring != self.rings[0]:
                message = (
                    f"{key!r} is not in ring {self.rings[0]!r} but in {found.ring!r}, which shines through: "
                    "delete(key, hide=True) hides it"
                )
                raise MissingKeyError(message, key=key, rings=self.rings, suggestions=())
            write_entry(session, self.rings[0], key, Kind.HIDDEN if hide else Kind.DELETED, None)

    def unhide(self, key: str) -> None:
        """Take away the first ring's tombstone, so that lower rings shine through again.

        Raises
        ------
        MissingKeyError
            The first ring does not hide the key.
        """
        with self.transaction():
            session = self._session()
            if entry_kind(session, self.rings[0], check_key(key)) is not Kind.HIDDEN:
                message = f"ring {self.rings[0]!r} does not hide {key!r}: there is nothing to take away"
                raise MissingKeyError(message, key=key, rings=self.rings, suggestions=())
            write_entry(session, self.rings[0], key, Kind.DELETED, None)

    def pop(self, key: str, default: Any = MISSING) -> Any:
        """Delete `key` in the first ring and return the value it had there.

        Raises
        ------
        MissingKeyError
            As :meth:`delete`, unless a default is given.
        """
        with self.transaction():
            if default is not MISSING and key not in self:
                return default
            value = self[key]
            self.delete(key)
            return value

    def setdefault(self, key: str, default: object = None) -> Any:
        """Return the value of `key`; if no ring has it, write `default` first."""
        with self.transaction():
            if key not in self:
                self[key] = default
            return self[key]

    def compare_and_set(self, key: str, expected: object, new: object) -> None:
        """Write `new` if the visible value is exactly `expected`, in one step.

        Values are compared as records: exact to the bit and in type (``1`` is not ``1.0``, NaN is NaN, the
        order of a dict counts, objects with a key of their own are compared by it).

        Parameters
        ----------
        key : str
            The key.
        expected : object
            What must be there now; :data:`MISSING` if the key must not be visible.
        new : object
            What to write.

        Raises
        ------
        ConflictError
            Something else is there; read again and decide again. (An error rather than a returned False,
            which would be easy to overlook.)

        Examples
        --------
        >>> db = BarbaraDB.open("desk", path=":memory:")
        >>> db.compare_and_set("/count", MISSING, 1)
        >>> db.compare_and_set("/count", 1, 2)
        >>> db["/count"]
        2
        """
        plan = plan_write({check_key(key): new}, allow_pickle=self._allow_pickle)
        wanted = None if expected is MISSING else encode(key, expected, allow_pickle=self._allow_pickle).record
        with self.transaction():
            held = self._visible.records(self._session(), [key]).get(key)
            if (held is None) != (wanted is None) or (held and wanted and not same_body(held, wanted)):
                state = "is not there" if held is None else "holds another value"
                message = f"{key!r} {state}, not {expected!r} as expected: read it again and retry"
                raise ConflictError(message, key=key, expected=expected)
            self._carry_out(plan)

    def _carry_out(self, plan: Plan) -> None:
        session, ring = self._session(), self.rings[0]
        held = self._visible.records(session, list(plan.underliers))
        for key, record in plan.underliers.items():
            if key not in held or not same_body(held[key], record):
                write_entry(session, ring, key, Kind.VALUE, record)
        for key, record in plan.asked.items():
            write_entry(session, ring, key, Kind.VALUE, record)

    # --- transactions ------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside happen together when the block ends, or not at all if it raises.

        Blocks nest: an inner one that raises undoes its own writes only, if the outer one catches the error.
        The outermost takes the store's one write lock at once, so what is read inside cannot be changed by
        others before it is written. Over a file, other threads go on reading the last commit; a store in
        memory makes them wait. Subscribers are told after the outermost block.

        Raises
        ------
        StoreError
            Another writer kept the store for longer than the timeout, or the disk refuses; nothing is written.

        Examples
        --------
        >>> db = BarbaraDB.open("desk", path=":memory:")
        >>> with db.transaction():
        ...     db["/Positions/AAPL"] = 100
        ...     db["/Positions/CASH"] = -19000.0
        >>> len(db)
        2
        """
        session = self._session()
        with session.transaction(self._seal):
            yield
        if not session.depth:
            self._subscriptions.deliver(session.take_changes())

    def _seal(self, session: Session) -> None:
        if session.changes:
            stamp(session, self._clock(), self._writer)

    # --- the past ----------------------------------------------------------------------------

    def as_of(self, time: datetime) -> PastView:
        """Return a read-only view of the store as it was at `time` (timezone-aware).

        Raises
        ------
        StoreArgumentError
            `time` is not timezone-aware.
        StoreError
            History of that time has been pruned.
        """
        return PastView(self._sessions, self.rings, time, allow_pickle=self._allow_pickle)

    def get_as_of(self, key: str, time: datetime) -> Any:
        """Return the value that `key` had at `time`.

        Raises
        ------
        MissingKeyError
            It was not there then.
        """
        return self.as_of(time)[key]

    def prune(self, before: datetime) -> int:
        """Drop, in every ring of the file, versions already replaced at `before`; return how many.

        The store as of `before` and later stays readable; earlier times are refused from then on.

        Raises
        ------
        StoreArgumentError
            `before` is not timezone-aware.
        """
        horizon = self.as_of(before).last_transaction
        with self.transaction():
            return prune_before(self._session(), horizon)

    # --- hearing of changes ------------------------------------------------------------------

    def subscribe(self, prefix: str, callback: Callable[[Change], object]) -> Subscription:
        """Call back after each commit, once for each changed key that starts with `prefix`.

        This object's own writes are told as they are committed, in the committing thread; those of other
        processes, and of other stores opened on the same file, when :meth:`poll_changes` finds them.

        Parameters
        ----------
        prefix : str
            ``""`` is every key.
        callback : callable
            Takes a :class:`Change`. If it raises, that is logged and counted (``Subscription.failures``).

        Returns
        -------
        Subscription
            Its ``cancel()`` ends it.
        """
        return self._subscriptions.add(check_text(prefix, "a prefix"), callback)

    def poll_changes(self) -> tuple[Change, ...]:
        """Return, and tell subscribers of, what others changed in these rings since the last poll (or opening).

        Raises
        ------
        StoreError
            The calling thread is inside a transaction.
        """
        session = self._session()
        if session.depth:
            raise StoreError("changes are polled outside transactions: leave the with block first")
        marks = ", ".join("?" * len(self.rings))
        sql = (
            "SELECT v.key, v.ring, v.number, v.kind, v.sequence FROM version v JOIN transactions t ON t.id = v.tx "
            f"WHERE v.sequence > ? AND t.writer <> ? AND v.ring IN ({marks}) ORDER BY v.sequence"
        )
        with self._poll_lock, session.snapshot():
            rows = session.rows(sql, (self._polled, self._writer, *self.rings))
            self._polled = self._last_sequence(session)
        changes = tuple(
            Change(key, ring, number, kind != Kind.VALUE, sequence) for key, ring, number, kind, sequence in rows
        )
        self._subscriptions.deliver(changes)
        return changes

    @staticmethod
    def _last_sequence(session: Session) -> int:
        return int(session.rows("SELECT coalesce(max(sequence), 0) FROM version")[0][0])

"""Barbara: a hierarchical key-value store of typed objects.

A store is one SQLite file (or is in memory). It contains separate namespaces, called *rings*. A store is opened with
one or more of them, overlaid in order, ``"desk;default"``: a read looks in ``desk`` first, then in ``default``; a write
goes to ``desk``. A desk can thus override shared defaults, and deleting its own value makes the shared one visible
again.

Guarantees:

- a write that has returned is completely on disk, and survives a killed process;
- a transaction is applied entirely or not at all, also for readers of the past;
- every version is kept until it is dropped by :meth:`BarbaraDB.prune`;
- reading never runs code from the file (unless the caller allows pickles) and never imports a module.

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
from bank_python.display import Displayed
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
    **dict.fromkeys(("get_version", "at", "version"), "db.as_of(time)[key], or db.read_version(db.history(key)[0])"),
    **dict.fromkeys(("ls", "tree", "list_keys"), "db.keys(prefix)"),
}


@made_by('BarbaraDB.open("desk;default", path="desk.db")')
class BarbaraDB(StoreReader, Displayed):
    """An open store, used like a dictionary; opened by :meth:`open`.

    One object may be used from many threads, and one file by many processes. A transaction belongs to the
    thread that opened it.

    Parameters
    ----------
    sessions : Sessions
        Connections of the threads.
    rings : tuple of str
        Names of the rings, the leftmost first.
    allow_pickle : bool
        Whether values without a record form are pickled, and pickles are read.
    clock : callable
        Function that returns the time, timezone-aware.
    """

    def __init__(
        self, sessions: Sessions, rings: tuple[str, ...], *, allow_pickle: bool, clock: Callable[[], datetime]
    ) -> None:
        self._sessions = sessions
        self._visible = Overlay(rings)
        self._allow_pickle = allow_pickle
        self._clock = clock
        self._writer = secrets.randbits(62)  # marks transactions of this object, which polling leaves out
        self._subscriptions = Subscriptions()
        self._poll_lock = threading.Lock()
        self._polled = self._last_sequence(sessions.current())
        # Closes the file of a store that is garbage-collected; not at exit, when threads may still be using it.
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
        """Open a store, and create it if it does not exist.

        Parameters
        ----------
        rings : str
            Names of the rings, separated by ``;``: reads search them from left to right, writes go to the first.
        path : str or path-like, optional
            Path of the file, or ``":memory:"`` for a store that ends with the process. By default ``barbara.db`` in
            ``$BANK_PYTHON_HOME``, by default the user's data directory.
        allow_pickle : bool, default False
            Whether to pickle values that have no record form, and to read pickles. Reading a pickle can run any code,
            and others may be able to write the file.
        clock : callable, optional
            Function that returns the time of a commit, timezone-aware; by default the system time in UTC.
        timeout : float, default 30.0
            Maximum time to wait for another writer, in seconds.

        Raises
        ------
        StoreArgumentError
            The rings, the path or the timeout are invalid, or a path was given in the place of the rings.
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

    # --- properties of the store -------------------------------------------------------------

    @property
    def rings(self) -> tuple[str, ...]:
        """Names of the rings, the leftmost first, which is the one that is written to."""
        return self._visible.rings

    @property
    def path(self) -> str:
        """Absolute path of the file, or ``":memory:"``."""
        return self._sessions.location

    @property
    def allow_pickle(self) -> bool:
        """Whether values without a record form are pickled, and pickles are read."""
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
        """Close the store when transactions in other threads have ended; further calls have no effect.

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
        """Write several values in one transaction, together with the objects they refer to.

        Each key gets a new version in the first ring. An object that the values refer to gets a new version only if no
        equal record is visible under its key.

        Parameters
        ----------
        values : mapping of str to object
            Values to write, by key.
        changed_only : bool, default False
            Whether to skip keys under which an equal record is visible, as for objects that are referred to; useful for
            a large state that is written often and changes little.

        Raises
        ------
        StoreArgumentError
            A key is not a non-empty string.
        UnstorableError
            A value has no record form; nothing is written.
        """
        plan = plan_write({check_key(key): value for key, value in values.items()}, allow_pickle=self._allow_pickle)
        if changed_only:
            plan = Plan({}, {**plan.underliers, **plan.requested})
        with self.transaction():
            self._carry_out(plan)

    def delete(self, key: str, *, hide: bool = False) -> None:
        """Delete `key` in the first ring.

        Parameters
        ----------
        key : str
            Key to delete.
        hide : bool, default False
            Whether to write a tombstone, which also hides values of the key in lower rings; without it they become
            visible again.

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
                    f"{key!r} is not in ring {self.rings[0]!r} but in the lower ring {found.ring!r}: "
                    "delete(key, hide=True) hides it"
                )
                raise MissingKeyError(message, key=key, rings=self.rings, suggestions=())
            write_entry(session, self.rings[0], key, Kind.HIDDEN if hide else Kind.DELETED, None)

    def unhide(self, key: str) -> None:
        """Remove the tombstone of the first ring, so that values in lower rings become visible again.

        Raises
        ------
        MissingKeyError
            The first ring does not hide the key.
        """
        with self.transaction():
            session = self._session()
            if entry_kind(session, self.rings[0], check_key(key)) is not Kind.HIDDEN:
                message = f"ring {self.rings[0]!r} does not hide {key!r}: there is no tombstone to remove"
                raise MissingKeyError(message, key=key, rings=self.rings, suggestions=())
            write_entry(session, self.rings[0], key, Kind.DELETED, None)

    def pop(self, key: str, default: Any = MISSING) -> Any:
        """Delete `key` in the first ring and return the value it had there.

        Raises
        ------
        MissingKeyError
            The key cannot be deleted (see :meth:`delete`), unless a default is given and the key is not visible.
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
        """Write `new` atomically if the visible value is exactly `expected`.

        Values are compared as records, by bits and by type (``1`` is not ``1.0``, NaN equals NaN, the order of a dict
        counts, and objects with a key of their own are compared by it).

        Parameters
        ----------
        key : str
            Key to write.
        expected : object
            Value that must be visible now; :data:`MISSING` if the key must not be visible.
        new : object
            Value to write.

        Raises
        ------
        ConflictError
            Another value is visible, or none; read the key again and retry. (An error rather than a returned False,
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
            stored = self._visible.records(self._session(), [key]).get(key)
            if (stored is None) != (wanted is None) or (stored and wanted and not same_body(stored, wanted)):
                state = "is missing" if stored is None else "has another value"
                message = f"{key!r} {state}, not {expected!r} as expected: read it again and retry"
                raise ConflictError(message, key=key, expected=expected)
            self._carry_out(plan)

    def _carry_out(self, plan: Plan) -> None:
        session, ring = self._session(), self.rings[0]
        stored = self._visible.records(session, list(plan.underliers))
        for key, record in plan.underliers.items():
            if key not in stored or not same_body(stored[key], record):
                write_entry(session, ring, key, Kind.VALUE, record)
        for key, record in plan.requested.items():
            write_entry(session, ring, key, Kind.VALUE, record)

    # --- transactions ------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block as a transaction: all writes inside are committed when it ends, or none if it raises.

        Blocks can be nested: an inner block that raises undoes its own writes only, if the outer one catches the error.
        The outermost block takes the write lock of the store at its beginning, so values read inside cannot be changed
        by others before the commit. For a file, other threads continue to read the last commit; for a store in memory,
        they wait. Subscribers are notified after the outermost block.

        Raises
        ------
        StoreError
            Another writer locked the store for longer than the timeout, or writing failed; nothing is written.

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
            The key was not visible at `time`.
        """
        return self.as_of(time)[key]

    def prune(self, before: datetime) -> int:
        """Drop versions that were replaced before `before`, in every ring of the file, and return their number.

        The store as of `before` and later stays readable; reading earlier times raises an error from then on.

        Raises
        ------
        StoreArgumentError
            `before` is not timezone-aware.
        """
        horizon = self.as_of(before).last_transaction
        with self.transaction():
            return prune_before(self._session(), horizon)

    # --- notifications -----------------------------------------------------------------------

    def subscribe(self, prefix: str, callback: Callable[[Change], object]) -> Subscription:
        """Call a function after each commit, once for each changed key that starts with `prefix`.

        Changes by this object are notified when they are committed, in the committing thread; changes by other
        processes, and by other stores opened on the same file, when :meth:`poll_changes` finds them.

        Parameters
        ----------
        prefix : str
            Prefix of the keys to watch; ``""`` covers every key.
        callback : callable
            Function that takes a :class:`Change`. Exceptions that it raises are logged and counted
            (``Subscription.failures``).

        Returns
        -------
        Subscription
            Subscription, which is ended by its method ``cancel()``.
        """
        return self._subscriptions.add(check_text(prefix, "a prefix"), callback)

    def poll_changes(self) -> tuple[Change, ...]:
        """Return changes by others in these rings since the last poll (or opening), after notifying the subscribers.

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

    def __rich__(self) -> object:
        from bank_python.render_objects import store_view

        return store_view(self)

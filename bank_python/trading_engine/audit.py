"""The audit trail: who did what, when and why, append-only and chained by hashes.

Every event has the hash of the one before it, and its own hash over all of its fields. Whoever changes, inserts,
removes or reorders an event breaks the chain at that event, and :meth:`AuditTrail.verify` names it. Whoever removes the
last events leaves a valid shorter chain; the number of events and the last hash are therefore kept apart from the
events, in the store too.

Examples
--------
>>> trail = AuditTrail()
>>> event = trail.log("ORDER_SUBMIT", "Alice", "AAPL", {"side": "BUY", "quantity": 100.0}, "ORD-1", why="momentum")
>>> event = trail.log("FILL", "Alice", "AAPL", {"quantity": 100.0, "price": 228.0}, "ORD-1")
>>> trail.verify().holds, len(trail.query(event_type="FILL"))
(True, 1)

References
----------
S. Haber and W. S. Stornetta, "How to time-stamp a digital document", Journal of Cryptology 3 (1991), 99-111: linking.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import zip_longest
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from bank_python.admission import admits
from bank_python.barbara import MISSING
from bank_python.display import Displayed, Record
from bank_python.errors import BankError, ConflictError, StoreError, TradingError
from bank_python.jsonable import jsonable
from bank_python.market_data.utc import utc_now
from bank_python.mntable import Table, View, col
from bank_python.trading_engine.moments import present_time
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bank_python.barbara import BarbaraDB

__all__ = [
    "AUDIT",
    "START",
    "TRADING",
    "AuditCheck",
    "AuditEvent",
    "AuditTrail",
    "details_as_json",
    "event_after",
    "require_texts",
]

TRADING = "/Trading/"
"""Prefix of all keys of trading."""

AUDIT = "/Trading/audit/"
"""Prefix of the stored events' keys, followed by the date and the event."""

_HEAD = "/Trading/audit_head"
START = "0" * 64
"""Hash before the first event."""

_SCHEMA = [
    ("number", int),
    ("event_id", str),
    ("timestamp", dt.datetime),
    ("event_type", str),
    ("trader", str),
    ("instrument", str),
    ("details", str),
    ("order_id", str),
    ("why", str),
    ("previous", str),
    ("hash", str),
]
_FIELDS = tuple(name for name, _ in _SCHEMA)
_HASHED = tuple(name for name in _FIELDS if name != "hash")
_HASHED_TEXT = "".join(f"{name}:%d:%s" for name in _HASHED)
_fields_of, _hashed_of = attrgetter(*_FIELDS), attrgetter(*_HASHED)
_encoded = json.JSONEncoder(sort_keys=True, allow_nan=False).encode  # made once: json.dumps would make one each time
_PLAIN = {str, int, float, bool, type(None)}
Words: TypeAlias = tuple[str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class AuditEvent(Record):
    """An event of the audit trail.

    Parameters
    ----------
    number : int
        Number of the event, from 1.
    event_id : str
        Name of the event, such as ``"EVT-000001"``.
    timestamp : datetime
        Time at which the event was written, UTC.
    event_type : str
        Kind of event: ORDER_SUBMIT, FILL, REJECT, CANCEL, EXPIRE, SIGNAL, KILL, RESUME or one of your own.
    trader, instrument, order_id : str
        Names of the trader, the instrument and the order; empty where there is none.
    details : str
        Figures of the event as JSON.
    why : str
        Reason for the event; empty if none was given.
    previous : str
        Hash of the event before it.
    hash : str
        SHA-256 over the other fields.
    """

    number: int
    event_id: str
    timestamp: dt.datetime
    event_type: str
    trader: str
    instrument: str
    details: str
    order_id: str
    why: str
    previous: str
    hash: str

    @property
    def figures(self) -> dict[str, Any]:
        """Figures of the event by name."""
        return dict(json.loads(self.details))


@dataclass(frozen=True, slots=True)
class AuditCheck(Record):
    """Result of a verification.

    Parameters
    ----------
    holds : bool
        Whether the whole chain is intact.
    events : int
        Number of events in the trail.
    first_bad : int or None
        Number of the first event at fault; ``None`` if there is none.
    reason : str
        Description of the fault; empty if there is none.
    """

    holds: bool
    events: int
    first_bad: int | None = None
    reason: str = ""


class AuditTrail(Displayed):
    """An append-only trail of events.

    Parameters
    ----------
    barbara : BarbaraDB, optional
        Store of the events; those that it has already are loaded and verified. In memory by default.
    clock : callable, optional
        Function that returns the present time in UTC.

    Raises
    ------
    TradingError
        The stored trail is broken, or the store is none.
    """

    def __init__(self, barbara: BarbaraDB | None = None, *, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self._db, self._clock = barbara, clock
        self._lock = threading.RLock()
        self._depth, self._events = 0, list[AuditEvent]()
        self._table, self._in_table = Table(_SCHEMA), 0
        self._kept = self._end = 0, START  # number and hash of the last event that is kept, and of the last one logged
        if barbara is not None:
            self._load(_checked_store(barbara))

    @property
    def table(self) -> Table:
        """A table of the events, a row for each; what was logged since the last reading is added to it now."""
        with self._lock:  # each step can be repeated after an interruption
            self._complete()
            number, _ = self._kept
            if self._in_table < number:
                new, count = self._events[self._in_table : number], len(self._table)
                self._table.extend([_row_of(event) for event in new if event.number > count])
                self._in_table = number
        return self._table

    def __len__(self) -> int:
        return self._end[0] if self._depth else self._kept[0]

    def __iter__(self) -> Iterator[AuditEvent]:
        with self._lock:
            self._complete()
            return iter(self._events[: self._kept[0]])

    @admits(TradingError, members=False)
    def log(
        self,
        event_type: str,
        trader: str = "",
        instrument: str = "",
        details: Mapping[str, Any] | None = None,
        order_id: str = "",
        *,
        why: str = "",
    ) -> AuditEvent:
        """Append an event and return it.

        Parameters
        ----------
        event_type : str
            Kind of event, such as FILL; not empty.
        trader, instrument : str, default ""
            Name of who acted, and of the instrument.
        details : mapping of str to object, optional
            Figures of the event, in the types of JSON.
        order_id : str, default ""
            Name of the order.
        why : str, default ""
            Reason for the event.

        Raises
        ------
        TradingError
            The kind of event is empty, or the details have no JSON; nothing is appended.
        """
        if not event_type:
            raise TradingError("an event needs a type, such as FILL", name="event_type", value=event_type)
        try:
            written = details_as_json(dict(details or {}))
        except (TypeError, ValueError, RecursionError) as error:
            raise TradingError(
                f"the details of {event_type} have no JSON ({message_of(error)}); give names with numbers, texts and "
                "dates",
                name="details",
            ) from error
        require_texts(event_type=event_type, trader=trader, instrument=instrument, order_id=order_id, why=why)
        moment, words = self._present(), (event_type, trader, instrument, written, order_id, why)
        with self._lock:
            if self._depth or self._db is None:  # else a transaction of the store is begun
                return self._append(moment, words)
        with self.together():
            return self._append(moment, words)

    def note(
        self,
        event_type: str,
        trader: str,
        instrument: str,
        details: Callable[[], Mapping[str, Any]],
        order_id: str,
        *,
        why: str,
    ) -> None:
        """Append an event of an engine, whose details are the same whenever they are asked for.

        Parameters
        ----------
        event_type : str
            Kind of event.
        trader, instrument : str
            Name of who acted, and of the instrument.
        details : callable
            Function that returns the figures of the event, in the types of JSON.
        order_id : str
            Name of the order.
        why : str
            Reason for the event.
        """
        self.log(event_type, trader, instrument, details(), order_id, why=why)

    def _append(self, moment: dt.datetime, words: Words) -> AuditEvent:
        """Append an event with its time, and its words from the kind to the reason, and return it."""
        count, before = self._last
        event = event_after(count + 1, moment, words, before)
        self._store(event)
        self._forget_from(event.number)
        self._events.append(event)
        self._end_at(event.number, event.hash)
        return event

    @property
    def _last(self) -> tuple[int, str]:
        """Number and hash of the event before the next one."""
        return self._end if self._depth else self._kept

    def _end_at(self, number: int, last_hash: str) -> None:
        """Take an event as the last one, which is kept unless a block is open."""
        self._end = number, last_hash
        if not self._depth:
            self._kept = self._end

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep all events that are logged inside the block, and what it writes to the store, or none of them.

        Raises
        ------
        TradingError
            A transaction of the store is open already: the trail comes first, then its store.
        """
        with self._lock:
            if self._depth:
                depth = self._depth
                try:
                    self._depth = depth + 1
                    yield
                finally:
                    self._depth = depth
                return
            if self._db is not None and self._db.in_transaction:
                raise TradingError(
                    "a transaction of the trail's store is open; begin with trail.together(), and write inside it",
                    name="audit",
                )
            self._end = self._kept
            self._forget_from(self._end[0] + 1)
            try:
                self._depth = 1
                with nullcontext() if self._db is None else self._db.transaction():
                    yield
                self._kept = self._end
            except BaseException:
                if self._is_stored():
                    self._kept = self._end
                raise
            finally:
                self._depth = 0

    def _complete(self) -> None:
        """Complete the events that are kept before they are read."""

    def _forget_from(self, number: int) -> None:
        """Forget the events from a number on, which an interrupted block has left behind."""
        del self._events[number - 1 :]

    def _is_stored(self) -> bool:
        """Whether the store has the new events although its transaction raised: an interruption after the commit."""
        if self._db is None or self._end == self._kept:
            return False
        try:
            return bool(self._db.get(_HEAD) == dict(zip(("count", "hash"), self._end, strict=True)))
        except StoreError:  # a store that cannot be read has not said that it keeps them
            return False

    def _present(self) -> dt.datetime:
        """Return the time of the clock, which is asked before any lock is taken, as it may be the code of users."""
        return present_time(self._clock, "trail")

    def query(self, trader: str | None = None, event_type: str | None = None, since: dt.datetime | None = None) -> View:
        """Return the events of a trader, of a kind, since a time, as a view in the order in which they were written.

        Parameters
        ----------
        trader, event_type : str, optional
            Name of the trader and kind of event; all if omitted.
        since : datetime, optional
            Earliest time, with a time zone; all if omitted.
        """
        equal = {name: value for name, value in (("trader", trader), ("event_type", event_type)) if value is not None}
        conditions = [] if since is None else [col("timestamp") >= since]
        found = self.table.restrict(*conditions, **equal) if conditions or equal else self.table
        return found.order_by("number")

    def verify(self) -> AuditCheck:
        """Return whether the chain is intact, and if not which event is the first at fault and why."""
        with self._lock:
            self._complete()
            end = self._kept
            events, in_table = self._events[: end[0]], self._in_table
            rows = list(self._table.order_by("number")) if in_table else []
        check = _check(events, end)
        fault = _first_difference(rows, events[:in_table]) if check.holds else None
        return check if fault is None else AuditCheck(False, len(rows), *fault)

    def _store(self, event: AuditEvent) -> None:
        """Write an event and the new end of the chain to the store."""
        if self._db is None:
            return
        number = event.number
        key = f"{AUDIT}{event.timestamp.date().isoformat()}/{event.event_id}"
        head = {"count": number, "hash": event.hash}
        before = {"count": number - 1, "hash": event.previous} if number > 1 else MISSING
        try:
            self._db.compare_and_set(_HEAD, before, head)
        except ConflictError as error:
            raise TradingError(
                "another writer has appended to this audit trail; one trail has one writer, open it again",
                name="audit",
            ) from error
        self._db[key] = _row_of(event)

    def _load(self, db: BarbaraDB) -> None:
        try:
            found = sorted((_event_of(key, record) for key, record in db.items(AUDIT)), key=attrgetter("number"))
            head = db.get(_HEAD)
            end = (0, START) if head is None else (int(head["count"]), str(head["hash"]))
        except (BankError, KeyError, TypeError, ValueError) as error:
            raise TradingError(
                f"the stored audit trail has something that is no event of one ({message_of(error)}); remove it, or "
                f"restore a backup: nothing else belongs under {AUDIT} and {_HEAD}",
                name="audit",
            ) from error
        check = _check(found, end)
        if not check.holds:
            raise TradingError(
                f"the stored audit trail is broken at event {check.first_bad}: {check.reason}; restore a backup, or "
                "keep the trail as evidence and begin another store",
                name="audit",
                value=check.first_bad,
            )
        self._events, self._kept, self._end = found, end, end

    def __rich__(self) -> object:
        from bank_python.render_orders import audit_view

        return audit_view(self)


def _checked_store(given: Any) -> BarbaraDB:
    from bank_python.barbara import BarbaraDB

    if isinstance(given, BarbaraDB):
        return given
    raise TradingError(
        f"AuditTrail({given!r:.60}) takes an open store; give AuditTrail(BarbaraDB.open(path='desk.db'))",
        name="barbara",
        value=given,
    )


def require_texts(**texts: str) -> None:
    """Refuse texts that cannot be written, as half of a pair of surrogates cannot.

    Parameters
    ----------
    **texts : str
        Texts by name.

    Raises
    ------
    TradingError
        One of them cannot be written.
    """
    if "".join(texts.values()).isascii():
        return
    for name, text in texts.items():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise TradingError(
                f"{name}={text!r:.60} has characters that are no text in UTF-8; leave them out", name=name, value=text
            ) from error


def event_after(number: int, moment: dt.datetime, words: Words, previous: str) -> AuditEvent:
    """Return an event with its hash.

    Parameters
    ----------
    number : int
        Number of the event, from 1.
    moment : datetime
        Time of the event, UTC.
    words : tuple of str
        Kind, trader, instrument, details, name of the order, and reason.
    previous : str
        Hash of the event before it.
    """
    name = f"EVT-{number:06d}"
    return AuditEvent(number, name, moment, *words, previous, _hash_of(number, name, moment, *words, previous))


def details_as_json(details: Mapping[Any, Any]) -> str:
    """Return details as JSON, without a look at each of them where they are of its types already.

    Parameters
    ----------
    details : mapping
        Figures of an event by name.
    """
    if _is_plain(details):
        with suppress(ValueError):  # one is no finite number, and becomes null
            return _encoded(details)
    return _encoded(jsonable(details))


def _is_plain(details: Mapping[Any, Any]) -> bool:
    kinds = set(map(type, details.values()))
    if set(map(type, details)) - {str} or kinds - _PLAIN - {dict}:
        return False
    return dict not in kinds or all(_is_plain(each) for each in details.values() if type(each) is dict)


def _row_of(event: AuditEvent) -> dict[str, Any]:
    return dict(zip(_FIELDS, _fields_of(event), strict=True))


def _event_of(key: str, record: Any) -> AuditEvent:
    """Return a stored event, if the record has its fields with their types."""
    values = record if isinstance(record, Mapping) else {}
    if values.keys() != set(_FIELDS) or not all(isinstance(values[name], kind) for name, kind in _SCHEMA):
        raise TypeError(f"{key} has not the fields of an event")
    return AuditEvent(**values)


def _hash_of(
    number: int,
    event_id: str,
    timestamp: dt.datetime,
    event_type: str,
    trader: str,
    instrument: str,
    details: str,
    order_id: str,
    why: str,
    previous: str,
) -> str:
    """Return the hash over the fields of an event, each with its length, so that none can run into the next."""
    figure, at = str(number), timestamp.isoformat()
    values = (figure, event_id, at, event_type, trader, instrument, details, order_id, why, previous)
    text = _HASHED_TEXT % (
        len(figure), figure, len(event_id), event_id, len(at), at, len(event_type), event_type, len(trader), trader,
        len(instrument), instrument, len(details), details, len(order_id), order_id, len(why), why,
        len(previous), previous,
    )  # fmt: skip
    if not text.isascii():  # the lengths are those in bytes
        text = _HASHED_TEXT % tuple(each for value in values for each in (len(value.encode()), value))
    return hashlib.sha256(text.encode()).hexdigest()


def _check(events: Sequence[AuditEvent], end: tuple[int, str]) -> AuditCheck:
    """Return whether events are a chain with a known end."""
    count, last = end
    fault = _first_fault(events)
    if fault is None and (len(events) != count or (events and events[-1].hash != last)):
        fault = len(events) + 1, f"the trail ends after {len(events)} of {count} events"
    return AuditCheck(holds=True, events=count) if fault is None else AuditCheck(False, len(events), *fault)


def _first_fault(events: Iterable[AuditEvent]) -> tuple[int, str] | None:
    """Return the number of the first event at fault and what is wrong with it."""
    last = START
    for expected, event in enumerate(events, 1):
        if event.number != expected:
            return expected, f"event {expected} is missing, event {event.number} follows"
        if _hash_of(*_hashed_of(event)) != event.hash:
            return expected, "its fields do not have its hash: it was changed"
        if event.previous != last:
            return expected, "it does not follow the event before it: one was exchanged"
        last = event.hash
    return None


def _first_difference(rows: Sequence[Mapping[str, Any]], events: Sequence[AuditEvent]) -> tuple[int, str] | None:
    """Return the number of the first event that the table has otherwise than it was logged, and what is wrong."""
    for number, (row, event) in enumerate(zip_longest(rows, events), 1):
        if row is None:
            return number, f"the table of the trail ends after {len(rows)} of {len(events)} events"
        if event is None or tuple(row.values()) != _fields_of(event):
            fault = _first_fault(AuditEvent(**each) for each in rows)
            return fault or (number, "the table of the trail has another event than was logged")
    return None

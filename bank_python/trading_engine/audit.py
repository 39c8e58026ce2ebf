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
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    from collections.abc import Callable, Iterator, Mapping

    from bank_python.barbara import BarbaraDB

__all__ = ["AUDIT", "TRADING", "AuditCheck", "AuditEvent", "AuditTrail"]

TRADING = "/Trading/"
"""Prefix of all keys of trading."""

AUDIT = "/Trading/audit/"
"""Prefix of the stored events' keys, followed by the date and the event."""

_HEAD = "/Trading/audit_head"
_START = "0" * 64
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
_HASHED = tuple(name for name, _ in _SCHEMA if name != "hash")


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
        self._depth, self._table = 0, Table(_SCHEMA)
        self._rows = list[dict[str, Any]]()  # events that the table does not have yet
        self._kept = self._end = 0, _START  # number and hash of the last event that is kept, and of the last one logged
        if barbara is not None:
            self._load(_checked_store(barbara))

    @property
    def table(self) -> Table:
        """The table of the events, a row for each; what was logged since the last reading is added to it now."""
        with self._lock:  # each step can be repeated after an interruption
            number, _ = self._kept
            self._table.extend([row for row in self._rows if len(self._table) < row["number"] <= number])
            self._rows = [row for row in self._rows if row["number"] > number]
        return self._table

    def __len__(self) -> int:
        return self._end[0] if self._depth else self._kept[0]

    def __iter__(self) -> Iterator[AuditEvent]:
        return (AuditEvent(**row) for row in self.table.order_by("number"))

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
            written = json.dumps(jsonable(dict(details or {})), sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise TradingError(
                f"the details of {event_type} have no JSON ({message_of(error)}); give names with numbers, texts and "
                "dates",
                name="details",
            ) from error
        _require_texts(event_type=event_type, trader=trader, instrument=instrument, order_id=order_id, why=why)
        moment = self._present()
        with self.together():
            number, previous = self._end[0] + 1, self._end[1]
            fields: dict[str, Any] = {
                "number": number,
                "event_id": f"EVT-{number:06d}",
                "timestamp": moment,
                "event_type": event_type,
                "trader": trader,
                "instrument": instrument,
                "details": written,
                "order_id": order_id,
                "why": why,
                "previous": previous,
            }
            fields["hash"] = _hash_of(fields)
            self._store(fields)
            self._forget_from(number)
            self._rows.append(fields)
            self._end = number, fields["hash"]
        return AuditEvent(**fields)

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

    def _forget_from(self, number: int) -> None:
        """Forget the events from a number on, which an interrupted block has left behind."""
        while self._rows and self._rows[-1]["number"] >= number:
            self._rows.pop()

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
            rows = list(self.table.order_by("number"))
            count, last = self._kept
        fault = _first_fault(rows)
        if fault is None and (len(rows) != count or (rows and rows[-1]["hash"] != last)):
            fault = len(rows) + 1, f"the trail ends after {len(rows)} of {count} events"
        if fault is None:
            return AuditCheck(holds=True, events=count)
        return AuditCheck(False, len(rows), *fault)

    def _store(self, event: dict[str, Any]) -> None:
        """Write an event and the new end of the chain to the store."""
        if self._db is None:
            return
        number = event["number"]
        key = f"{AUDIT}{event['timestamp'].date().isoformat()}/{event['event_id']}"
        head = {"count": number, "hash": event["hash"]}
        before = {"count": number - 1, "hash": event["previous"]} if number > 1 else MISSING
        try:
            self._db.compare_and_set(_HEAD, before, head)
        except ConflictError as error:
            raise TradingError(
                "another writer has appended to this audit trail; one trail has one writer, open it again",
                name="audit",
            ) from error
        self._db[key] = event

    def _load(self, db: BarbaraDB) -> None:
        try:
            rows = sorted((record for _, record in db.items(AUDIT)), key=lambda row: row["number"])
            head = db.get(_HEAD)
            self.table.extend(rows)
            if head is not None:
                self._kept = self._end = int(head["count"]), str(head["hash"])
        except (BankError, KeyError, TypeError, ValueError) as error:
            raise TradingError(
                f"the stored audit trail has something that is no event of one ({message_of(error)}); remove it, or "
                f"restore a backup: nothing else belongs under {AUDIT} and {_HEAD}",
                name="audit",
            ) from error
        check = self.verify()
        if not check.holds:
            raise TradingError(
                f"the stored audit trail is broken at event {check.first_bad}: {check.reason}; restore a backup, or "
                "keep the trail as evidence and begin another store",
                name="audit",
                value=check.first_bad,
            )

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


def _require_texts(**texts: str) -> None:
    """Refuse texts that cannot be written, as half of a pair of surrogates cannot."""
    for name, text in texts.items():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise TradingError(
                f"{name}={text!r:.60} has characters that are no text in UTF-8; leave them out", name=name, value=text
            ) from error


def _hash_of(fields: Mapping[str, Any]) -> str:
    """Return the hash over the fields of an event, each with its length, so that none can run into the next."""
    digest = hashlib.sha256()
    for name in _HASHED:
        value = fields[name]
        written = (value.isoformat() if isinstance(value, dt.datetime) else str(value)).encode()
        digest.update(f"{name}:{len(written)}:".encode() + written)
    return digest.hexdigest()


def _first_fault(rows: list[dict[str, Any]]) -> tuple[int, str] | None:
    """Return the number of the first event at fault and what is wrong with it."""
    last = _START
    for expected, row in enumerate(rows, 1):
        if row["number"] != expected:
            return expected, f"event {expected} is missing, event {row['number']} follows"
        if _hash_of(row) != row["hash"]:
            return expected, "its fields do not have its hash: it was changed"
        if row["previous"] != last:
            return expected, "it does not follow the event before it: one was exchanged"
        last = row["hash"]
    return None

"""An audit trail in memory whose chain is computed when it is first read, for back-tests with many orders.

What an engine notes is made of immutable records, so that it is the same later. The events, their times and their order
are those of an :class:`~bank_python.trading_engine.audit.AuditTrail`; only the moment at which they are written as JSON
and hashed differs. Until then nothing shows whether memory was changed.

Examples
--------
>>> trail = LateTrail()
>>> trail.note("FILL", "Alice", "AAPL", lambda: {"quantity": 100.0}, "ORD-1", why="momentum")
>>> len(trail), [event.details for event in trail], trail.verify().holds
(1, ['{"quantity": 100.0}'], True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bank_python.market_data.utc import utc_now
from bank_python.trading_engine.audit import START, AuditTrail, details_as_json, event_after, require_texts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from bank_python.trading_engine.audit import AuditEvent, Words

__all__ = ["LateTrail"]


class _Noted(NamedTuple):
    """An event that is not written yet."""

    number: int
    moment: dt.datetime
    subject: tuple[str, str, str]
    details: Callable[[], Mapping[str, Any]]
    order_id: str
    why: str

    def written(self, previous: str) -> AuditEvent:
        """Return the event after one with a hash."""
        kind, trader, instrument = self.subject
        words = kind, trader, instrument, details_as_json(self.details()), self.order_id, self.why
        return event_after(self.number, self.moment, words, previous)


class LateTrail(AuditTrail):
    """A trail in memory that is written and chained when it is read.

    Parameters
    ----------
    clock : callable, optional
        Function that returns the present time in UTC.
    """

    def __init__(self, *, clock: Callable[[], dt.datetime] = utc_now) -> None:
        super().__init__(clock=clock)
        self._noted: list[_Noted] = []

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
        """Append an event of an engine, which is written later."""
        require_texts(event_type=event_type, trader=trader, instrument=instrument, order_id=order_id, why=why)
        moment = self._present()
        with self._lock:
            number = self._last[0] + 1
            if len(self._events) >= number or (self._noted and self._noted[-1].number >= number):
                self._forget_from(number)
            self._noted.append(_Noted(number, moment, (event_type, trader, instrument), details, order_id, why))
            self._end_at(number, "")

    def _append(self, moment: dt.datetime, words: Words) -> AuditEvent:
        """Append an event after those that were noted, which are written first."""
        self._complete()
        return super()._append(moment, words)

    def _complete(self) -> None:
        """Write what was noted; each step can be repeated after an interruption."""
        if not self._noted:
            return
        last = self._last[0]
        for noted in self._noted:
            if len(self._events) < noted.number <= last:
                before = self._events[-1].hash if self._events else START
                self._events.append(noted.written(before))
        self._noted = [noted for noted in self._noted if noted.number > last]
        self._kept, self._end = self._point(self._kept[0]), self._point(self._end[0])

    def _point(self, number: int) -> tuple[int, str]:
        return number, self._events[number - 1].hash if number else START

    def _forget_from(self, number: int) -> None:
        super()._forget_from(number)
        while self._noted and self._noted[-1].number >= number:
            self._noted.pop()

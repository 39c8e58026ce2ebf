"""Purchases and sales matched first in, first out: which exit closed which entry.

Examples
--------
>>> from datetime import date as day
>>> fills = [Fill("A", 10.0, 5.0, day(2026, 1, 5)), Fill("A", 10.0, 6.0, day(2026, 1, 6)),
...          Fill("A", -15.0, 8.0, day(2026, 1, 7))]
>>> found = match_fills(fills)
>>> [(lot.quantity, lot.gain) for lot in found.lots], [(lot.quantity, lot.fill.price) for lot in found.open]
([(10.0, 30.0), (5.0, 10.0)], [(5.0, 6.0)])
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bank_python.display import Record

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

__all__ = ["Fill", "MatchedLot", "Matching", "OpenLot", "match_fills"]

_ROUNDED = 1e-9  # of the larger quantity: a position that small is rounding of fractions that add up


@dataclass(frozen=True, slots=True)
class Fill(Record):
    """A purchase or sale.

    Parameters
    ----------
    instrument : str
        Name of what was traded.
    quantity : float
        Quantity, negative for a sale.
    price : float
        Price per unit.
    time : date or datetime
        Date or time of the fill.
    fees : float, default 0.0
        Fees of the whole fill, in money.
    multiplier : float, default 1.0
        Units per quantity, such as 100 for listed US options.
    reduces : bool, default False
        Whether the fill only closes; what exceeds the open quantity then opens nothing.
    expected : float, optional
        Price at which the decision was made.
    tags : mapping of str to str
        Trader, signal and other words of the fill.
    """

    instrument: str
    quantity: float
    price: float
    time: dt.date
    fees: float = 0.0
    multiplier: float = 1.0
    reduces: bool = False
    expected: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenLot(Record):
    """What is left of a fill.

    Parameters
    ----------
    fill : Fill
        Fill that opened the lot.
    quantity : float
        Quantity left, negative if short.
    episode : int
        Number of the time that the position left zero, from 0.
    """

    fill: Fill
    quantity: float
    episode: int


@dataclass(frozen=True, slots=True)
class MatchedLot(Record):
    """A quantity with its entry and its exit.

    Parameters
    ----------
    entry, exit : Fill
        Fills that opened and closed the lot.
    quantity : float
        Quantity that was closed, above 0.
    episode : int
        Number of the time that the position left zero, from 0.
    """

    entry: Fill
    exit: Fill
    quantity: float
    episode: int

    @property
    def direction(self) -> float:
        """1 for a long lot, -1 for a short one."""
        return 1.0 if self.entry.quantity > 0.0 else -1.0

    @property
    def fees(self) -> float:
        """Fees of both fills, in proportion to the quantity."""
        return sum(fill.fees * self.quantity / abs(fill.quantity) for fill in (self.entry, self.exit))

    @property
    def gain(self) -> float:
        """Gain in money, after fees."""
        moved = self.direction * (self.exit.price - self.entry.price)
        return moved * self.quantity * self.entry.multiplier - self.fees


@dataclass(frozen=True, slots=True)
class Matching(Record):
    """Matched fills of one instrument; returned by :func:`match_fills`.

    Parameters
    ----------
    lots : tuple of MatchedLot
        Closed lots, in the order of the exits.
    open : tuple of OpenLot
        Lots still open, the oldest first.
    unmatched : tuple of OpenLot
        Closing quantities for which nothing was open.
    """

    lots: tuple[MatchedLot, ...]
    open: tuple[OpenLot, ...]
    unmatched: tuple[OpenLot, ...] = ()


def match_fills(fills: Iterable[Fill], held: Iterable[OpenLot] = ()) -> Matching:
    """Match the fills of one instrument, first in, first out.

    Parameters
    ----------
    fills : iterable of Fill
        Fills in the order of time.
    held : iterable of OpenLot, optional
        Lots open before the first fill, the oldest first, all long or all short.
    """
    waiting = deque(held)
    lots: list[MatchedLot] = []
    unmatched: list[OpenLot] = []
    episode = waiting[-1].episode if waiting else -1
    for fill in fills:
        left = _close(fill, waiting, lots)
        if not left:
            continue
        if fill.reduces:
            unmatched.append(OpenLot(fill, left, episode))
            continue
        episode += not waiting
        waiting.append(OpenLot(fill, left, episode))
    return Matching(tuple(lots), tuple(waiting), tuple(unmatched))


def _close(fill: Fill, waiting: deque[OpenLot], lots: list[MatchedLot]) -> float:
    """Close waiting lots on the other side of a fill; return the quantity that is left of it."""
    left = fill.quantity
    while left and waiting and waiting[0].quantity * left < 0.0:
        first = waiting.popleft()
        size = min(abs(first.quantity), abs(left))
        lots.append(MatchedLot(first.fill, fill, size, first.episode))
        sign = 1.0 if left > 0.0 else -1.0
        least = _ROUNDED * max(abs(first.quantity), abs(fill.quantity))
        rest = first.quantity + sign * size
        if abs(rest) > least:
            waiting.appendleft(OpenLot(first.fill, rest, first.episode))
        left -= sign * size
        if abs(left) <= least:
            left = 0.0
    return left

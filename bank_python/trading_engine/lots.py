r"""Lots of one instrument: which units a sale closes, at what cost, and the realised P&L.

A purchase opens a lot; a sale closes units of open lots by one of four methods:

==========  ====================================================================================
average     there is one lot with the mean price; a sale closes part of it
fifo        the lot that was opened first is closed first
lifo        the lot that was opened last is closed first
named       each sale names the lots that it closes
==========  ====================================================================================

Short positions mirror long ones: a sale opens, a purchase closes. A trade larger than the holding closes all of it and
opens what is left on the other side. With the signed quantity q of a lot, the amount c paid for it (received: negative)
and the amount b received for closing the share f of it,

.. math:: \text{realised} = b - f c

so that over any sequence of trades realised + unrealised P&L = value − the sum of all that was paid, by any method:
methods move P&L between realised and unrealised, and agree once the position is closed.

Amounts are decimals, rounded to the cent once for each trade (:mod:`bank_python.trading_engine.money`); the parts of a
lot's cost add up to it exactly. Fees are not part of the cost: a ledger states them on their own.

Examples
--------
>>> lots = Lots("fifo")
>>> lots, _ = lots.trade(100, 10.0, "2026-01-05")
>>> lots, _ = lots.trade(100, 12.0, "2026-02-05")
>>> lots, closed = lots.trade(-150, 15.0, "2026-03-05")
>>> [closing.realised for closing in closed], lots.quantity, lots.price
([500.0, 150.0], 50.0, 12.0)

References
----------
IRS, Publication 550, Investment Income and Expenses, chapter 4: adequate identification, first-in first-out, average
basis.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the types of columns are read at run time
import enum
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.results import Tabular
from bank_python.trading_engine.moments import is_before, moment_of, place_in_time
from bank_python.trading_engine.money import ZERO, checked_number, divided, exact, exactly, rounded, total
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.mntable import Table

__all__ = ["Closing", "Lot", "LotMethod", "Lots"]

_SAME = Decimal("1e-12")  # share of a holding by which a float sum may miss it
_UNIT_DIGITS = 15
_MOST_DIGITS = 18
_SHOWN = 6


class LotMethod(enum.Enum):
    """Which lots a closing trade closes."""

    AVERAGE = "average"
    """Part of the one lot, at the mean price."""
    FIFO = "fifo"
    """First in, first out."""
    LIFO = "lifo"
    """Last in, first out."""
    NAMED = "named"
    """Those that the trade names."""

    @classmethod
    def of(cls, word: str | LotMethod) -> LotMethod:
        """Return the method of a given name, in any case."""
        if isinstance(word, cls):
            return word
        known = {method.value: method for method in cls}
        if isinstance(word, str) and word.strip().lower() in known:
            return known[word.strip().lower()]
        near = did_you_mean(word, known, f"give one of {', '.join(known)}")
        raise TradingError(f"method={word!r} is no way to choose lots; {near}", name="method", value=word)


@dataclass(frozen=True, slots=True)
class Lot(Record):
    """Units that were opened together.

    Parameters
    ----------
    id : str
        Name of the lot, unique among the open lots of its instrument.
    units : Decimal
        Exact number of units, negative for a short lot.
    cost : Decimal
        Amount paid for them, in whole cents; negative if it was received.
    opened : date or datetime
        Time of the opening; of the first one for the lot of the average method.
    multiplier : Decimal, default 1
        Amount of money per unit and per point of the price.
    """

    id: str
    units: Decimal
    cost: Decimal
    opened: dt.date
    multiplier: Decimal = Decimal(1)

    @property
    def quantity(self) -> float:
        """Number of units, negative for a short lot."""
        return float(self.units)

    @property
    def price(self) -> float:
        """Mean price at which the units were opened."""
        return float(self.cost / (self.units * self.multiplier))


@dataclass(frozen=True, slots=True)
class Closing(Record):
    """The closing of a lot, or of a part of it.

    Parameters
    ----------
    lot : str
        Name of the lot.
    units : Decimal
        Exact number of units closed, negative for a short lot; 0 where cash was paid and the units were kept.
    cost : Decimal
        Amount that had been paid for them, in whole cents; negative if it had been received.
    proceeds : Decimal
        Amount received for them, in whole cents; negative if it was paid.
    opened, closed : date or datetime
        Times of the opening and of the closing.
    multiplier : Decimal, default 1
        Amount of money per unit and per point of the price.
    """

    lot: str
    units: Decimal
    cost: Decimal
    proceeds: Decimal
    opened: dt.date
    closed: dt.date
    multiplier: Decimal = Decimal(1)

    @property
    def gain(self) -> Decimal:
        """Realised P&L before fees, exact."""
        return self.proceeds - self.cost

    @property
    def realised(self) -> float:
        """Realised P&L before fees."""
        return float(self.gain)

    @property
    def quantity(self) -> float:
        """Number of units closed, negative for a short lot."""
        return float(self.units)

    @property
    def open_price(self) -> float | None:
        """Mean price of the opening; None where no units were closed."""
        return self._per_unit(self.cost)

    @property
    def close_price(self) -> float | None:
        """Mean price of the closing; None where no units were closed."""
        return self._per_unit(self.proceeds)

    @property
    def days(self) -> int:
        """Number of calendar days from the opening to the closing."""
        return (place_in_time(self.closed).date() - place_in_time(self.opened).date()).days

    def _per_unit(self, amount: Decimal) -> float | None:
        return float(amount / (self.units * self.multiplier)) if self.units else None


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Lots(Tabular):
    """The open lots of one instrument: immutable, each trade returns new ones.

    Parameters
    ----------
    method : LotMethod or str, default "average"
        Method by which closing trades choose lots: average, fifo, lifo or named.
    digits : int, default 2
        Number of digits after the point in which amounts are booked, from 0 to 18.
    multiplier : float, default 1.0
        Amount of money per unit and per point of the price, above 0.
    open_lots : tuple of Lot, default ()
        Open lots, the first opened first, all of one sign.
    n_opened : int, default 0
        Number of lots opened so far, from which the next one is named.

    Attributes
    ----------
    units : Decimal
        Exact number of units held, negative if short.
    quantity : float
        Number of units held as a float.
    """

    method: LotMethod = LotMethod.AVERAGE
    digits: int = 2
    multiplier: Decimal = Decimal(1)
    open_lots: tuple[Lot, ...] = ()
    n_opened: int = 0
    units: Decimal = field(init=False)
    quantity: float = field(init=False, compare=False)
    # Names of open lots that are numbers still to be given: kept, as looking for them takes as long as there are lots.
    _ahead: frozenset[str] = field(init=False, compare=False)

    def __init__(
        self,
        method: LotMethod | str = LotMethod.AVERAGE,
        digits: int = 2,
        multiplier: float | Decimal = 1.0,
        open_lots: tuple[Lot, ...] = (),
        n_opened: int = 0,
    ) -> None:
        places: object = digits
        if isinstance(places, bool) or not isinstance(places, int) or not 0 <= places <= _MOST_DIGITS:
            raise TradingError(
                f"Lots: digits={digits!r} is not a whole number from 0 to 18", name="digits", value=digits
            )
        checked_number(multiplier, "multiplier", "Lots", above_zero=True)
        numbers = (lot.id for lot in open_lots if lot.id.isdecimal())
        ahead, units = frozenset(name for name in numbers if int(name) > n_opened), _units_of(open_lots)
        self._set(LotMethod.of(method), digits, exact(multiplier), open_lots, n_opened, units, float(units), ahead)

    def _set(self, *values: object) -> None:
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

    def _with(self, open_lots: tuple[Lot, ...], units: Decimal, n_opened: int, ahead: frozenset[str]) -> Lots:
        """Return the lots after a trade, whose units are known without adding up the lots."""
        after = object.__new__(Lots)
        after._set(self.method, self.digits, self.multiplier, open_lots, n_opened, units, float(units), ahead)
        return after

    @property
    def cost(self) -> Decimal:
        """Amount paid for what is held, in whole cents; negative if it was received."""
        return total(lot.cost for lot in self.open_lots)

    @property
    def price(self) -> float | None:
        """Mean price at which what is held was opened; None if nothing is held."""
        return float(self.cost / (self.units * self.multiplier)) if self.open_lots else None

    @exactly
    def value(self, price: float) -> Decimal:
        """Return the value at a price, rounded to the cent."""
        return self._amount(self.units, price)

    def unrealised(self, price: float) -> float:
        """Return the unrealised P&L at a price."""
        return float(self.value(price) - self.cost)

    @exactly
    def amount(self, units: Decimal, price: float) -> Decimal:
        """Return what a number of units costs at a price, rounded to the cent."""
        return self._amount(units, price)

    def _amount(self, units: Decimal, price: float) -> Decimal:
        return rounded(units * exact(checked_number(price, "price", "Lots")) * self.multiplier, self.digits)

    @admits(TradingError)
    @exactly
    def trade(
        self,
        quantity: float,
        price: float,
        when: Any,
        *,
        lot: str | None = None,
        closes: Sequence[str] | Mapping[str, float] | None = None,
    ) -> tuple[Lots, tuple[Closing, ...]]:
        """Return the lots after a trade, and what it closed.

        Parameters
        ----------
        quantity : float
            Number of units bought, negative for a sale; not 0.
        price : float
            Price of the trade, finite.
        when : date, datetime or ISO 8601 text
            Time of the trade, not before the last lot was opened.
        lot : str, optional
            Name of the lot that the trade opens; by default a number.
        closes : sequence of str or mapping of str to float, optional
            Names of the lots to close, used up in their order, or the number of units of each; with the method named.

        Raises
        ------
        TradingError
            An argument is not as described, or a lot is not there.
        """
        units = exact(checked_number(quantity, "quantity", "trade", not_zero=True))
        named: dict[str, object] = {"lot": lot, **{f"closes[{i}]": name for i, name in enumerate(closes or ())}}
        for what, name in named.items():
            if not isinstance(name, str | None):
                raise TradingError(f"trade: {what}={name!r} is no name of a lot; give text", name=what, value=name)
        at = moment_of(when, "trade")
        if self.open_lots and is_before(at, self.open_lots[-1].opened):
            last = self.open_lots[-1]
            raise TradingError(
                f"trade: when={at} is before {last.opened}, the opening of lot {last.id!r}; keep the order of time",
                name="when",
                value=at,
            )
        return self.exchange(self.settled(units), price, at, lot=lot, closes=closes)

    def settled(self, units: Decimal) -> Decimal:
        """Return the units of a trade; exactly those held if it closes these but for the rounding of floats."""
        held = self.units
        return -held if held and abs(units + held) <= _SAME * abs(held) else units

    @exactly
    def exchange(
        self,
        units: Decimal,
        price: float | None,
        when: dt.date,
        *,
        amount: Decimal | None = None,
        lot: str | None = None,
        closes: Sequence[str] | Mapping[str, float] | None = None,
        opened: dt.date | None = None,
        oldest_first: bool = False,
    ) -> tuple[Lots, tuple[Closing, ...]]:
        """Return the lots after units were exchanged for an amount, and what was closed; for ledgers.

        Parameters
        ----------
        units : Decimal
            Exact number of units, negative if given away.
        price : float or None
            Price per unit; None if the amount is given.
        when : date or datetime
            Time of the exchange.
        amount : Decimal, optional
            Amount paid for the units, in whole cents; negative if received.
        lot, closes : optional
            Names of lots, as in :meth:`trade`.
        opened : date or datetime, optional
            Time from which a new lot counts as opened; `when` by default.
        oldest_first : bool, default False
            Whether lots are closed in the order of their opening, whatever the method.
        """
        paid = self._amount(units, price) if amount is None and price is not None else amount or ZERO
        held = self.units
        closing = ZERO if held * units >= 0 else min(abs(units), abs(held))
        taken = self._taken(closing, closes, oldest_first=oldest_first)
        opening = abs(units) - closing
        *parts, rest = divided(paid, [*(part for _, part in taken), opening], self.digits)
        after, closings = self._close(taken, parts, when) if closing else (self, ())
        if opening:
            sign = 1 if units > 0 else -1
            after = after.with_lot(sign * opening, rest, opened or when, lot)
        elif lot is not None:
            raise TradingError(f"lot={lot!r} is named, but the trade opens none; leave it out", name="lot", value=lot)
        return after, closings

    def _close(
        self, taken: list[tuple[Lot, Decimal]], parts: list[Decimal], when: dt.date
    ) -> tuple[Lots, tuple[Closing, ...]]:
        closings, kept = [], []
        for (lot, part), paid in zip(taken, parts, strict=True):
            share = part if lot.units > 0 else -part
            whole = share == lot.units
            cost = lot.cost if whole else rounded(lot.cost * share / lot.units, self.digits)
            closings.append(Closing(lot.id, share, cost, -paid, lot.opened, when, self.multiplier))
            kept.append(() if whole else (replace(lot, units=lot.units - share, cost=lot.cost - cost),))
        left, units = self._left([lot for lot, _ in taken], kept), self.units - total(one.units for one in closings)
        ahead = self._ahead - {one.lot for one in closings} if self._ahead else self._ahead
        return self._with(left, units, self.n_opened, ahead), tuple(closings)

    def _left(self, taken: list[Lot], kept: Sequence[tuple[Lot, ...]]) -> tuple[Lot, ...]:
        """Return the open lots with what is kept of those taken; of the first or the last ones without a search."""
        count, held = len(taken), self.open_lots
        if all(lot is one for lot, one in zip(taken, held, strict=False)):
            return (*chain.from_iterable(kept), *held[count:])
        if all(lot is one for lot, one in zip(taken, reversed(held), strict=False)):
            return (*held[:-count], *chain.from_iterable(reversed(kept)))
        changed = dict(zip((lot.id for lot in taken), kept, strict=True))
        return tuple(chain.from_iterable(changed.get(lot.id, (lot,)) for lot in held))

    def with_lot(self, units: Decimal, cost: Decimal, opened: dt.date, lot: str | None = None) -> Lots:
        """Return the lots with one more, on the side of those held; the average method adds it to its one lot."""
        if self.method is LotMethod.AVERAGE and lot is not None:
            said = (
                f"lot={lot!r} is named, but the method average has one lot; leave the name out, or use another method"
            )
            raise TradingError(said, name="lot", value=lot)
        if self.method is LotMethod.AVERAGE and self.open_lots:
            (one,) = self.open_lots
            more = Lot(one.id, one.units + units, one.cost + cost, one.opened, one.multiplier)
            return self._with((more,), self.units + units, self.n_opened, self._ahead)
        name, held, at = self._new_name(lot), self.open_lots, place_in_time(opened)
        place = len(held)
        if held and at < place_in_time(held[-1].opened):
            place = bisect_right(held, at, key=lambda one: place_in_time(one.opened))
        new = Lot(name, units, cost, opened, self.multiplier)
        count = self.n_opened + 1
        ahead = self._ahead | {name} if name.isdecimal() and int(name) > count else self._ahead
        return self._with((*held[:place], new, *held[place:]), self.units + units, count, ahead)

    def _new_name(self, lot: str | None) -> str:
        if lot is not None:
            if not str(lot).strip() or any(held.id == str(lot) for held in self.open_lots):
                raise TradingError(f"lot={lot!r} is open already or is no name; give a new one", name="lot", value=lot)
            return lot
        number = self.n_opened + 1
        while str(number) in self._ahead:
            number += 1
        return str(number)

    def _taken(
        self, closing: Decimal, closes: Sequence[str] | Mapping[str, float] | None, *, oldest_first: bool
    ) -> list[tuple[Lot, Decimal]]:
        """Return which lots are closed, and how many units of each."""
        if closes is not None:
            if self.method is not LotMethod.NAMED:
                said = f"lots {closes!r} are named, but the method is {self.method.value}; use named, or leave them out"
                raise TradingError(said, name="closes", value=closes)
            if not closing:
                said = f"lots {closes!r} are named, but the trade closes none; leave them out"
                raise TradingError(said, name="closes", value=closes)
            return self._chosen(closing, closes)
        if self.method is LotMethod.NAMED and not oldest_first and closing and closing < abs(self.units):
            raise TradingError(
                f"{closing:f} of {abs(self.units):f} units are closed, no lot is named; name lots of {self._listed()}",
                name="closes",
                value=None,
            )
        last_first = self.method is LotMethod.LIFO and not oldest_first
        return _used_up(reversed(self.open_lots) if last_first else self.open_lots, closing)

    def _chosen(self, closing: Decimal, closes: Sequence[str] | Mapping[str, float]) -> list[tuple[Lot, Decimal]]:
        known = {lot.id: lot for lot in self.open_lots}
        names = [closes] if isinstance(closes, str) else list(closes)
        for name in names:
            if name not in known:
                raise TradingError(
                    f"there is no open lot {name!r}; name lots of {self._listed()}", name="lot", value=name
                )
        if len(set(names)) < len(names):
            raise TradingError(f"a lot is named twice in {names}; name each once", name="closes", value=names)
        if not isinstance(closes, Mapping):
            taken = _used_up((known[name] for name in names), closing)
        else:
            units = {n: exact(checked_number(q, f"closes[{n!r}]", "trade", above_zero=True)) for n, q in closes.items()}
            taken = [(known[name], self._of_lot(known[name], part)) for name, part in units.items()]
        found = total(part for _, part in taken)
        if found != closing:
            raise TradingError(
                f"the lots {names} account for {found:f} units of {closing:f} to close; name lots of {self._listed()}",
                name="closes",
                value=names,
            )
        return taken

    def _of_lot(self, lot: Lot, part: Decimal) -> Decimal:
        if part > abs(lot.units):
            said = f"lot {lot.id!r} has {abs(lot.units):f} units, not {part:f}; name further lots of {self._listed()}"
            raise TradingError(said, name="lot", value=lot.id)
        return part

    def _listed(self) -> str:
        shown = ", ".join(f"{lot.id!r} ({lot.quantity:g} at {lot.price:g})" for lot in self.open_lots[:_SHOWN])
        more = len(self.open_lots) - _SHOWN
        return f"{shown} and {more} more" if more > 0 else shown

    @exactly
    def scaled(self, new: Decimal, old: Decimal) -> Lots:
        """Return the lots after each `old` units became `new` units, at the same cost.

        Units are rounded to 15 digits after the point, their total once.

        Raises
        ------
        TradingError
            A lot is so small that nothing would be left of it.
        """
        kept, so_far, before = [], ZERO, ZERO
        for lot in self.open_lots:
            so_far += lot.units
            until = rounded(so_far * new / old, _UNIT_DIGITS)
            if until == before:
                said = f"lot {lot.id!r} of {lot.quantity:g} units would vanish at {new} for {old}; sell it first"
                raise TradingError(said, name="lot", value=lot.id)
            kept.append(replace(lot, units=(until - before).normalize()))
            before = until
        return replace_lots(self, tuple(kept))

    def to_table(self) -> Table:
        """Return a table with a row for each open lot: name, quantity, price, cost, time of opening."""
        from bank_python.mntable import Table

        schema = [("lot", str), ("quantity", float), ("price", float), ("cost", float), ("opened", str)]
        rows = [
            {
                "lot": x.id,
                "quantity": x.quantity,
                "price": x.price,
                "cost": float(x.cost),
                "opened": x.opened.isoformat(),
            }
            for x in self.open_lots
        ]
        return Table.from_rows(schema, rows)

    def __rich__(self) -> object:
        from bank_python.render_ledger import lots_view

        return lots_view(self)


@exactly
def _units_of(lots: Iterable[Lot]) -> Decimal:
    return total(lot.units for lot in lots)


def replace_lots(lots: Lots, open_lots: tuple[Lot, ...], n_opened: int | None = None) -> Lots:
    """Return the lots of an instrument with other open lots."""
    count = lots.n_opened if n_opened is None else n_opened
    return Lots(lots.method, lots.digits, lots.multiplier, open_lots, count)


def _used_up(lots: Iterable[Lot], closing: Decimal) -> list[tuple[Lot, Decimal]]:
    """Take units from lots in turn until as many are taken as are to be closed."""
    taken = []
    for lot in lots:
        if not closing:
            break
        part = min(abs(lot.units), closing)
        taken.append((lot, part))
        closing -= part
    return taken

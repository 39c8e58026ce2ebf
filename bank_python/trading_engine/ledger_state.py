"""The state of an account, and how a booking changes it.

A state is a value: positions, cash by currency, and what was realised, received and charged so far, by instrument, all
exact. An event is turned into a :class:`Booking`, which lists its changes; :meth:`LedgerState.after` returns the state
with them. Nothing changes in place, so an event that is refused has changed nothing.

In each currency, at every event and without any price,

    cash = deposits + conversions + realised + income − fees − cost of what is held and paid for

which :meth:`LedgerState.gaps` evaluates; all of its terms are whole cents, so it holds exactly.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of the records
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.trading_engine.money import ZERO, total
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from bank_python.trading_engine.events import LedgerEvent
    from bank_python.trading_engine.lots import Closing, LotMethod, Lots

__all__ = ["Amounts", "Booking", "HeldPosition", "InstrumentTerms", "LedgerSettings", "LedgerState", "cash_name"]

Amounts: TypeAlias = Mapping[str, Decimal]
"""Exact amounts by currency or by instrument."""

Positions: TypeAlias = "Mapping[str, HeldPosition]"
"""Positions by instrument."""

Changed: TypeAlias = "Mapping[str, HeldPosition | None]"
"""Positions by instrument; None for those that are closed."""

Terms: TypeAlias = "Mapping[str, InstrumentTerms]"
"""Terms by instrument."""

Closings: TypeAlias = "tuple[Closing, ...]"
"""Closed lots."""

Names: TypeAlias = tuple[str, str]
"""Old and new name."""


def cash_name(currency: str) -> str:
    """Return the name under which interest and fees on the cash of a currency are listed."""
    return f"{currency} cash"


@dataclass(frozen=True, slots=True)
class LedgerSettings(Record):
    """What a ledger is made with.

    Parameters
    ----------
    currency : str
        Currency in which the account is valued.
    digits : mapping of str to int
        Digits after the point in which each known currency is booked.
    method : LotMethod
        Method by which closing trades choose lots.
    """

    currency: str
    digits: Mapping[str, int]
    method: LotMethod

    def known(self, currency: str, of: str) -> str:
        """Return a currency if the ledger has it."""
        if currency not in self.digits:
            listed = ", ".join(self.digits)
            near = did_you_mean(
                currency, self.digits, f"give one of {listed}, or open the ledger with it in currencies="
            )
            raise TradingError(
                f"{of}: the ledger has no currency {currency!r}; {near}", name="currency", value=currency
            )
        return currency


@dataclass(frozen=True, slots=True)
class InstrumentTerms(Record):
    """How an instrument is settled.

    Parameters
    ----------
    currency : str
        Currency of its price.
    multiplier : Decimal
        Amount of money per unit and per point of the price.
    margined : bool
        Whether only profits and losses are paid, not the price.
    """

    currency: str
    multiplier: Decimal
    margined: bool


@dataclass(frozen=True, slots=True)
class HeldPosition(Record):
    """A position of a ledger.

    Parameters
    ----------
    instrument : str
        Name of the instrument.
    terms : InstrumentTerms
        Currency, multiplier and settlement of the instrument.
    lots : Lots
        Open lots.
    """

    instrument: str
    terms: InstrumentTerms
    lots: Lots

    @property
    def quantity(self) -> float:
        """Number of units held, negative if short."""
        return self.lots.quantity

    @property
    def currency(self) -> str:
        """Currency of the price."""
        return self.terms.currency

    @property
    def multiplier(self) -> float:
        """Amount of money per unit and per point of the price."""
        return float(self.terms.multiplier)

    @property
    def price(self) -> float | None:
        """Mean price at which the units were opened."""
        return self.lots.price

    @property
    def paid(self) -> Decimal:
        """Cash that was paid for what is held; 0 if only profits and losses are paid."""
        return ZERO if self.terms.margined else self.lots.cost


@dataclass(frozen=True, slots=True)
class Booking(Record):
    """What an event changed.

    Parameters
    ----------
    event : LedgerEvent
        Booked event, with its time and reason.
    number : int, default 0
        Number of the booking in its ledger, from 1.
    cash, deposits, conversions : mapping of str to Decimal
        Changes of cash by currency; the parts of them that are deposits and conversions.
    deposited : Decimal, default 0
        Deposit in the currency of the ledger.
    realised, income, fees : mapping of str to Decimal
        Realised P&L before fees, income and fees by instrument, in its currency.
    positions : mapping of str to HeldPosition or None
        Positions after the event, of the instruments that it changed; None if the position is closed.
    terms : mapping of str to InstrumentTerms
        Terms of the instruments that are new.
    closings : tuple of Closing, default ()
        Lots that were closed.
    renamed : tuple of str, optional
        Old and new name of an instrument.
    """

    event: LedgerEvent
    number: int = 0
    cash: Amounts = field(default_factory=dict)
    deposits: Amounts = field(default_factory=dict)
    conversions: Amounts = field(default_factory=dict)
    deposited: Decimal = ZERO
    realised: Amounts = field(default_factory=dict)
    income: Amounts = field(default_factory=dict)
    fees: Amounts = field(default_factory=dict)
    positions: Changed = field(default_factory=dict)
    terms: Terms = field(default_factory=dict)
    closings: Closings = ()
    renamed: Names | None = None

    @property
    def gain(self) -> float:
        """Realised P&L before fees, of all instruments that the event closed."""
        return float(total(self.realised.values()))


@dataclass(frozen=True, slots=True)
class LedgerState(Record):
    """The state of an account.

    Parameters
    ----------
    settings : LedgerSettings
        Currencies and method.
    last : date or datetime, optional
        Time of the last event.
    n_events : int, default 0
        Number of events so far.
    cash, deposits, conversions : mapping of str to Decimal
        Cash, net deposits, and net amounts received in conversions, by currency.
    deposited : Decimal, default 0
        Net deposits in the currency of the ledger.
    realised, income, fees : mapping of str to Decimal
        Realised P&L before fees, income and fees so far by instrument, in its currency.
    positions : mapping of str to HeldPosition
        Positions by instrument.
    terms : mapping of str to InstrumentTerms
        Terms of all instruments that were ever held.
    """

    settings: LedgerSettings
    last: dt.date | None = None
    n_events: int = 0
    cash: Amounts = field(default_factory=dict)
    deposits: Amounts = field(default_factory=dict)
    conversions: Amounts = field(default_factory=dict)
    deposited: Decimal = ZERO
    realised: Amounts = field(default_factory=dict)
    income: Amounts = field(default_factory=dict)
    fees: Amounts = field(default_factory=dict)
    positions: Positions = field(default_factory=dict)
    terms: Terms = field(default_factory=dict)

    def after(self, booking: Booking) -> LedgerState:
        """Return the state after a booking."""
        known = self if booking.renamed is None else self._renamed(*booking.renamed)
        positions = known.positions
        if booking.positions:
            closed = {name for name, position in booking.positions.items() if position is None}
            opened = {name: position for name, position in booking.positions.items() if position is not None}
            positions = {**positions, **opened}
            for name in closed & positions.keys():
                del positions[name]
        when = booking.event.when
        return LedgerState(
            known.settings,
            last=when,
            n_events=self.n_events + 1,
            cash=_added(known.cash, booking.cash),
            deposits=_added(known.deposits, booking.deposits),
            conversions=_added(known.conversions, booking.conversions),
            deposited=known.deposited + booking.deposited,
            realised=_added(known.realised, booking.realised),
            income=_added(known.income, booking.income),
            fees=_added(known.fees, booking.fees),
            positions=positions,
            terms={**known.terms, **booking.terms} if booking.terms else known.terms,
        )

    def _renamed(self, old: str, new: str) -> LedgerState:
        terms = {name: value for name, value in self.terms.items() if name != old}
        return replace(
            self,
            realised=_moved(self.realised, old, new),
            income=_moved(self.income, old, new),
            fees=_moved(self.fees, old, new),
            terms={**terms, new: self.terms[old]},
        )

    def currency_of(self, name: str) -> str:
        """Return the currency of an instrument, or of the cash that is listed by :func:`cash_name`."""
        terms = self.terms.get(name)
        return name.removesuffix(cash_name("")) if terms is None else terms.currency

    def gap_of(self, booking: Booking) -> dict[str, Decimal]:
        """Return the change of cash by a booking, made in this state, less what explains it, by currency."""
        gaps = dict(booking.cash)
        terms = {**self.terms, **booking.terms}
        for sign, amounts in ((-1, booking.realised), (-1, booking.income), (1, booking.fees)):
            for name, amount in amounts.items():
                currency = terms[name].currency if name in terms else self.currency_of(name)
                gaps[currency] = gaps.get(currency, ZERO) + sign * amount
        for amounts in (booking.deposits, booking.conversions):
            for currency, amount in amounts.items():
                gaps[currency] = gaps.get(currency, ZERO) - amount
        for name, after in booking.positions.items():
            for sign, position in ((-1, self.positions.get(name)), (1, after)):
                if position is not None:
                    gaps[position.currency] = gaps.get(position.currency, ZERO) + sign * position.paid
        return gaps

    def explained(self, currency: str) -> dict[str, Decimal]:
        """Return the parts that the cash of a currency consists of."""
        parts = {"deposits": self.deposits, "conversions": self.conversions}
        explained = {name: amounts.get(currency, ZERO) for name, amounts in parts.items()}
        for name, amounts in (("realised", self.realised), ("income", self.income), ("fees", self.fees)):
            explained[name] = total(v for key, v in amounts.items() if self.currency_of(key) == currency)
        explained["fees"] = -explained["fees"]
        explained["cost"] = -total(p.paid for p in self.positions.values() if p.currency == currency)
        return explained

    def gaps(self) -> dict[str, Decimal]:
        """Return cash less what explains it, by currency: 0 for each, or the books do not reconcile."""
        return {c: self.cash.get(c, ZERO) - total(self.explained(c).values()) for c in self.settings.digits}


def _added(amounts: Amounts, changes: Amounts) -> Amounts:
    if not changes:
        return amounts
    return {**amounts, **{name: amounts.get(name, ZERO) + change for name, change in changes.items()}}


def _moved(amounts: Amounts, old: str, new: str) -> Amounts:
    if old not in amounts:
        return amounts
    rest = {name: amount for name, amount in amounts.items() if name != old}
    return {**rest, new: amounts[old] + amounts.get(new, ZERO)}

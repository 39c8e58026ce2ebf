"""What can happen to an account: fills, dividends, splits, mergers, interest, deposits; immutable records.

Each event says when and why. It is checked when it is made as far as that needs no account: numbers are finite, a
quantity is not 0, a split has a ratio above 0. What it does to positions and cash is stated by
:mod:`bank_python.trading_engine.event_rules`.

Examples
--------
>>> fill = FillEvent("2026-01-05", "AAPL", 100, 228.0, fees=1.0, why="20-day momentum")
>>> event_from_dict(fill.to_dict()) == fill
True
>>> FillEvent("2026-01-05", "AAPL", 0, 228.0)
Traceback (most recent call last):
    ...
bank_python.errors.TradingError: fill: quantity=0 is not a number other than 0; correct it, nothing was booked
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - part of the records
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar

from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.trading_engine.moments import moment_of
from bank_python.trading_engine.money import checked_number
from bank_python.wording import did_you_mean

__all__ = [
    "BorrowFeeEvent",
    "ConversionEvent",
    "DelistingEvent",
    "DepositEvent",
    "DividendEvent",
    "FillEvent",
    "FundingEvent",
    "InterestEvent",
    "LedgerEvent",
    "MergerEvent",
    "SplitEvent",
    "SymbolChangeEvent",
    "event_from_dict",
]


@dataclass(frozen=True, slots=True)
class LedgerEvent(Record):
    """An event of an account.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Date or time of the event; a time without a zone is UTC, midnight without a zone a date.
    why : str, default ""
        Reason of the event, for the record.
    """

    kind: ClassVar[str] = ""
    when: dt.date
    why: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        self._set("when", moment_of(self.when, self.kind))
        if not isinstance(self.why, str):
            raise TradingError(f"{self.kind}: why={self.why!r} is not text; give text", name="why", value=self.why)

    @property
    def subject(self) -> str:
        """Name of the instrument that the event is about; empty if it is about cash."""
        return str(getattr(self, "instrument", ""))

    def to_dict(self) -> dict[str, Any]:
        """Return the event as a dictionary of JSON types, with its kind; :func:`event_from_dict` reads it."""
        values: dict[str, Any] = {"kind": self.kind}
        for name in self.__dataclass_fields__:
            if name != "kind":
                value = getattr(self, name)
                values[name] = list(value) if isinstance(value, tuple) else value
        values["when"] = self.when.isoformat()
        return values

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _text(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise TradingError(f"{self.kind}: {name}={value!r} is not a name; give text", name=name, value=value)

    def _number(self, *names: str, **rules: bool) -> None:
        for name in names:
            given = getattr(self, name)
            number = checked_number(given, name, self.kind, **rules)
            if number is not given:
                self._set(name, number)


@dataclass(frozen=True, slots=True)
class DepositEvent(LedgerEvent):
    """Cash paid into the account from outside, or withdrawn.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Date or time of the payment.
    amount : float
        Amount paid in, negative for a withdrawal; not 0.
    currency : str, optional
        Currency of the amount; by default that of the ledger.
    rate : float, optional
        Value of one unit of a foreign currency in that of the ledger on that day; needed for a foreign currency.
    """

    kind: ClassVar[str] = "deposit"
    amount: float
    currency: str | None = None
    rate: float | None = None

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._number("amount", not_zero=True)
        if self.currency is not None:
            self._text("currency")
        if self.rate is not None:
            self._number("rate", above_zero=True)


@dataclass(frozen=True, slots=True)
class FillEvent(LedgerEvent):
    """Units of an instrument bought or sold.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Date or time of the fill.
    instrument : str
        Name of the instrument.
    quantity : float
        Number of units bought, negative for a sale; not 0.
    price : float
        Price per unit, without fees.
    fees : float, default 0.0
        Fees in the currency of the instrument; negative for a rebate.
    currency : str, optional
        Currency of price and fees; by default that of the instrument's first fill, or that of the ledger.
    multiplier : float, optional
        Amount of money per unit and per point of the price, above 0; by default that of the first fill, or 1.
    margined : bool, optional
        Whether only profits and losses are paid, not the price, as for futures; by default as in the first fill, or no.
    lot : str, optional
        Name of the lot that the fill opens; by default a number.
    closes : sequence of str or mapping of str to float, optional
        Names of the lots to close, or the number of units of each; with the method named.
    """

    kind: ClassVar[str] = "fill"
    instrument: str
    quantity: float
    price: float
    fees: float = 0.0
    currency: str | None = None
    multiplier: float | None = None
    margined: bool | None = None
    lot: str | None = None
    closes: tuple[str, ...] | dict[str, float] | None = None

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._text("instrument")
        self._number("quantity", not_zero=True)
        self._number("price", "fees")
        if self.currency is not None:
            self._text("currency")
        if self.multiplier is not None:
            self._number("multiplier", above_zero=True)
        margined: object = self.margined
        if margined is not None and not isinstance(margined, bool):
            said = f"fill: margined={margined!r} is not true or false; give True or False"
            raise TradingError(said, name="margined", value=margined)
        if self.lot is not None:
            self._text("lot")
        self._set("closes", _read_closes(self.closes))


@dataclass(frozen=True, slots=True)
class DividendEvent(LedgerEvent):
    """A dividend, as cash on the ex-date; a short position pays it.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Ex-date of the dividend.
    instrument : str
        Name of the instrument.
    amount : float
        Dividend per unit, in the currency of the instrument and after taxes withheld; not 0.
    """

    kind: ClassVar[str] = "dividend"
    instrument: str
    amount: float

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._text("instrument")
        self._number("amount", not_zero=True)


@dataclass(frozen=True, slots=True)
class SplitEvent(LedgerEvent):
    """A split, a reverse split or a stock dividend: `new` units for each `old` ones.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        First day on which the instrument trades at the new price.
    instrument : str
        Name of the instrument.
    new : float
        Number of units afterwards for each `old` units, above 0.
    old : float, default 1.0
        Number of units before, above 0.
    cash_in_lieu : float, optional
        Price per new unit at which a fraction of a unit is paid in cash; without it fractions are kept.
    """

    kind: ClassVar[str] = "split"
    instrument: str
    new: float
    old: float = 1.0
    cash_in_lieu: float | None = None

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._text("instrument")
        self._number("new", "old", above_zero=True)
        if self.cash_in_lieu is not None:
            self._number("cash_in_lieu", from_zero=True)


@dataclass(frozen=True, slots=True)
class SymbolChangeEvent(LedgerEvent):
    """Another name for the same instrument; its lots and its P&L so far go on under it.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        First day of the new name.
    instrument, new_name : str
        Old and new name.
    """

    kind: ClassVar[str] = "symbol change"
    instrument: str
    new_name: str

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._text("instrument", "new_name")


@dataclass(frozen=True, slots=True)
class DelistingEvent(LedgerEvent):
    """The end of an instrument: the position is closed at its final value.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Date of the final payment.
    instrument : str
        Name of the instrument.
    price : float, default 0.0
        Final value per unit, at least 0.
    """

    kind: ClassVar[str] = "delisting"
    instrument: str
    price: float = 0.0

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._text("instrument")
        self._number("price", from_zero=True)


@dataclass(frozen=True, slots=True)
class MergerEvent(LedgerEvent):
    """A merger or takeover, for cash, for units of another instrument, or for both.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Date of the exchange.
    instrument : str
        Name of the instrument that ends.
    into : str, optional
        Name of the instrument received.
    ratio : float, default 0.0
        Number of units received for each unit; above 0 with `into`, else 0.
    cash : float, default 0.0
        Cash received for each unit, at least 0.
    price : float, optional
        Price of the instrument received; needed if there is cash as well, to divide the cost between the two.
    cash_in_lieu : float, optional
        Price per unit received at which a fraction of a unit is paid in cash; without it fractions are kept.
    """

    kind: ClassVar[str] = "merger"
    instrument: str
    into: str | None = None
    ratio: float = 0.0
    cash: float = 0.0
    price: float | None = None
    cash_in_lieu: float | None = None

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._text("instrument")
        self._number("ratio", "cash", from_zero=True)
        for name in ("price", "cash_in_lieu"):
            if getattr(self, name) is not None:
                self._number(name, above_zero=name == "price", from_zero=True)
        if self.into is not None:
            self._text("into")
        if (self.into is None) != (self.ratio == 0.0):
            said = f"merger: into={self.into!r} with ratio={self.ratio:g}; give both, or neither for a merger for cash"
            raise TradingError(said, name="ratio", value=self.ratio)
        if self.into == self.instrument:
            said = f"merger: {self.instrument!r} merges into itself; name another instrument, or book a split"
            raise TradingError(said, name="into", value=self.into)
        if self.into is None and self.cash == 0.0:
            said = "merger: neither ratio nor cash is above 0; give the terms, or book a delisting"
            raise TradingError(said, name="cash", value=self.cash)
        if self.ratio and self.cash and self.price is None:
            said = f"merger: price=None; give the price of {self.into!r}, to divide the cost between cash and units"
            raise TradingError(said, name="price", value=None)


@dataclass(frozen=True, slots=True)
class InterestEvent(LedgerEvent):
    """Interest on a cash balance; :func:`~bank_python.trading_engine.cash_interest` computes it.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Date of the payment.
    amount : float
        Interest received, negative if it is paid; not 0.
    currency : str, optional
        Currency of the balance; by default that of the ledger.
    """

    kind: ClassVar[str] = "interest"
    amount: float
    currency: str | None = None

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._number("amount", not_zero=True)
        if self.currency is not None:
            self._text("currency")


@dataclass(frozen=True, slots=True)
class BorrowFeeEvent(LedgerEvent):
    """The fee for the units borrowed for a short position; :func:`~bank_python.trading_engine.borrow_fee` computes it.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Date of the payment.
    instrument : str
        Name of the instrument that is held short.
    amount : float
        Fee in the currency of the instrument, negative for a rebate; not 0.
    """

    kind: ClassVar[str] = "borrow fee"
    instrument: str
    amount: float

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._text("instrument")
        self._number("amount", not_zero=True)


@dataclass(frozen=True, slots=True)
class FundingEvent(LedgerEvent):
    """Funding of a perpetual future: at a positive rate long positions pay short ones.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Time of the payment.
    instrument : str
        Name of the perpetual.
    rate : float
        Funding rate of the interval, a share of the value at the mark price.
    mark : float
        Mark price, above 0.
    """

    kind: ClassVar[str] = "funding"
    instrument: str
    rate: float
    mark: float

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._text("instrument")
        self._number("rate")
        self._number("mark", above_zero=True)


@dataclass(frozen=True, slots=True)
class ConversionEvent(LedgerEvent):
    """Cash of one currency exchanged for cash of another.

    Parameters
    ----------
    when : date, datetime or ISO 8601 text
        Date or time of the exchange.
    sold : float
        Amount of cash given, above 0.
    sold_currency : str
        Currency of the amount given, and of the fees.
    bought : float
        Amount of cash received, above 0.
    bought_currency : str
        Currency of the amount received.
    fees : float, default 0.0
        Fees on top of the amount given.
    """

    kind: ClassVar[str] = "conversion"
    sold: float
    sold_currency: str
    bought: float
    bought_currency: str
    fees: float = 0.0

    def __post_init__(self) -> None:
        LedgerEvent.__post_init__(self)
        self._number("sold", "bought", above_zero=True)
        self._number("fees")
        self._text("sold_currency", "bought_currency")
        if self.sold_currency == self.bought_currency:
            said = f"conversion: {self.sold_currency!r} is sold and bought; give two currencies"
            raise TradingError(said, name="bought_currency", value=self.bought_currency)


_CLASSES: dict[str, type[LedgerEvent]] = {
    event.kind: event
    for event in (
        *(DepositEvent, FillEvent, DividendEvent, SplitEvent, SymbolChangeEvent, DelistingEvent, MergerEvent),
        *(InterestEvent, BorrowFeeEvent, FundingEvent, ConversionEvent),
    )
}


_FIELDS = {kind: {part.name: part for part in fields(event)} for kind, event in _CLASSES.items()}


def event_from_dict(row: Mapping[str, Any]) -> LedgerEvent:
    """Return the event that :meth:`LedgerEvent.to_dict` has written.

    Parameters
    ----------
    row : mapping
        Kind of the event and its fields by name; those that have a default may be absent.

    Raises
    ------
    TradingError
        The kind or a field is unknown, a field is missing, or a value is not valid.
    """
    if not isinstance(row, Mapping):
        raise TradingError(
            f"{row!r} is not an event; give an event, or a dictionary of its fields", name="event", value=row
        )
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in _CLASSES:
        near = did_you_mean(kind, _CLASSES, f"give one of {', '.join(_CLASSES)}")
        raise TradingError(f"kind={kind!r} is no kind of event; {near}", name="kind", value=kind)
    known = _FIELDS[kind]
    given = {name: value for name, value in row.items() if name != "kind"}
    for name, value in given.items():
        if name not in known:
            near = did_you_mean(name, known, f"give {', '.join(known)}")
            raise TradingError(f"{kind}: there is no field {name!r}; {near}", name=name, value=value)
    for name, part in known.items():
        if name not in given and part.default is MISSING:
            raise TradingError(f"{kind}: the field {name!r} is missing; give it", name=name, value=None)
    return _CLASSES[kind](**given)


def _read_closes(closes: Any) -> tuple[str, ...] | dict[str, float] | None:
    if closes is None:
        return None
    names = [closes] if isinstance(closes, str) else closes
    is_list = isinstance(names, Sequence | Mapping)
    if not is_list or not names or not all(isinstance(name, str) and name for name in names):
        said = f"fill: closes={closes!r} are no lots; give the names of lots, or the number of units of each"
        raise TradingError(said, name="closes", value=closes)
    if isinstance(names, Mapping):
        return {
            name: checked_number(part, f"closes[{name!r}]", "fill", above_zero=True) for name, part in names.items()
        }
    return tuple(names)

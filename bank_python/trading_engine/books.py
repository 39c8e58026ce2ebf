"""The books behind an engine: what traders hold, what it is worth, and the booking of fills.

An engine asks for holdings and P&L before an order, and books its fills. :class:`LedgerBooks` keeps them in a ledger of
one account, or in one for each trader. Other books, such as those of a desk, implement :class:`Books`.

Examples
--------
>>> books = LedgerBooks({"Alice": Ledger(), "Bob": Ledger()})
>>> dict(books.units("Alice"))
{}
>>> books.units("Zoe")
Traceback (most recent call last):
    ...
bank_python.errors.TradingError: 'Zoe' has no account; there are those of Alice, Bob
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import contextmanager
from operator import is_
from typing import TYPE_CHECKING, Any

from bank_python.errors import TradingError
from bank_python.trading_engine.ledger import Ledger
from bank_python.trading_engine.ledger_state import InstrumentTerms
from bank_python.trading_engine.market import ContractTerms
from bank_python.trading_engine.moments import place_in_time

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from bank_python.trading_engine.audit import AuditTrail
    from bank_python.trading_engine.events import LedgerEvent
    from bank_python.trading_engine.market import Market
    from bank_python.trading_engine.order import Order

__all__ = ["Books", "LedgerBooks", "books_of"]


class Books(ABC):
    """Base class of the books behind an engine. A trader of ``None`` stands for all of them together."""

    @abstractmethod
    def units(self, trader: str | None) -> Mapping[str, float]:
        """Return the units held by instrument, negative for short positions.

        Parameters
        ----------
        trader : str or None
            Name of the trader.

        Raises
        ------
        TradingError
            There is no such trader.
        """

    @property
    @abstractmethod
    def currency(self) -> str:
        """Currency in which the account is valued, an ISO 4217 code."""

    @abstractmethod
    def terms(self, instrument: str, market: Market) -> ContractTerms:
        """Return how an instrument is paid for: as the books know it, or else the market.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        market : Market
            Market that knows the terms of instruments that were never held.
        """

    def value_per_point(self, instrument: str, market: Market) -> float:
        """Return the money, in the currency of the account, of one unit per point of its price.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        market : Market
            Market that knows terms and exchange rates.

        Raises
        ------
        TradingError
            The rate of a foreign currency is unknown.
        """
        terms = self.terms(instrument, market)
        currency = terms.currency or self.currency
        if currency == self.currency:
            return terms.multiplier
        rate = market.fx(currency)
        if rate is None:
            raise TradingError(
                f"{instrument} is priced in {currency}, whose rate is unknown; let the market return fx({currency!r})",
                name=instrument,
            )
        return terms.multiplier * rate

    def held(self, trader: str | None, instrument: str) -> float:
        """Return the units held of an instrument, negative for a short position.

        Parameters
        ----------
        trader : str or None
            Name of the trader, None for all together.
        instrument : str
            Name of the instrument.
        """
        return self.units(trader).get(instrument, 0.0)

    def values_per_point(self, instruments: Iterable[str], market: Market) -> dict[str, float]:
        """Return the money of one unit per point of what is held, by instrument, NaN where its rate is unknown.

        Parameters
        ----------
        instruments : iterable of str
            Names of the instruments.
        market : Market
            Market that knows terms and exchange rates.
        """
        return {name: self._known_value(name, market) for name in instruments}

    def _known_value(self, instrument: str, market: Market) -> float:
        try:
            return self.value_per_point(instrument, market)
        except TradingError:
            return math.nan

    def prices(self, trader: str | None, known: Mapping[str, float]) -> Mapping[str, float]:  # noqa: ARG002 - see there
        """Return the prices of what is held; by default those that the engine has seen.

        Parameters
        ----------
        trader : str or None
            Name of the trader.
        known : mapping of str to float
            Last prices that the engine has seen, by instrument.
        """
        return known

    @abstractmethod
    def pnl(self, trader: str | None, prices: Mapping[str, float], market: Market) -> float:
        """Return the P&L at given prices, in money.

        Parameters
        ----------
        trader : str or None
            Name of the trader.
        prices : mapping of str to float
            Last known prices.
        market : Market
            Market that knows exchange rates.

        Raises
        ------
        TradingError
            A price or a rate is unknown.
        """

    @abstractmethod
    def equity(self, trader: str | None, prices: Mapping[str, float], market: Market) -> float:
        """Return the equity at given prices, in money.

        Parameters
        ----------
        trader : str or None
            Name of the trader.
        prices : mapping of str to float
            Last known prices.
        market : Market
            Market that knows exchange rates.

        Raises
        ------
        TradingError
            A price or a rate is unknown.
        """

    @abstractmethod
    def lots(self, trader: str, instrument: str) -> tuple[str, ...]:
        """Return the names of the open lots of an instrument.

        Parameters
        ----------
        trader : str
            Name of the trader.
        instrument : str
            Name of the instrument.
        """

    @property
    def last(self) -> dt.date | None:
        """Time of the last event, before which none can be booked; None if there is none, or any time will do."""
        return None

    @abstractmethod
    def check(self, trader: str, event: LedgerEvent) -> None:
        """Raise an error if an event cannot be booked; nothing is changed.

        Parameters
        ----------
        trader : str
            Name of the trader.
        event : LedgerEvent
            Event to check.

        Raises
        ------
        TradingError
            It does not fit the books.
        """

    @abstractmethod
    def booked(self, order: Order, event: LedgerEvent, audit: AuditTrail) -> Any:
        """Return a context in which what is logged to the trail is kept together with the event, both or neither.

        Parameters
        ----------
        order : Order
            Order after the fill.
        event : LedgerEvent
            Fill to book when the block ends.
        audit : AuditTrail
            Trail to which the block logs.
        """


class LedgerBooks(Books):
    """Books in ledgers: one for all traders, or one for each.

    Parameters
    ----------
    ledgers : Ledger or mapping of str to Ledger
        Ledger of the account, or those of the traders.

    Raises
    ------
    TradingError
        There are none, or one of them is no ledger.
    """

    def __init__(self, ledgers: Ledger | Mapping[str, Ledger]) -> None:
        self._shared = ledgers if isinstance(ledgers, Ledger) else None
        self._ledgers: dict[str, Ledger] = {} if isinstance(ledgers, Ledger) else dict(ledgers)
        self._tables, self._points = list[Mapping[str, InstrumentTerms]](), dict[str, float]()
        for name, each in self._ledgers.items():
            given: Any = each
            if not isinstance(given, Ledger):
                raise TradingError(f"the account of {name} is {given!r:.60}; give a Ledger", name=name, value=given)
        if self._shared is None and not self._ledgers:
            raise TradingError("there are no accounts; give a Ledger, or one for each trader", name="ledger")

    def __repr__(self) -> str:
        of = "one account" if self._shared is not None else ", ".join(self._ledgers)
        return f"<LedgerBooks: {of}>"

    def ledger(self, trader: str | None) -> Ledger:
        """Return the ledger of a trader.

        Parameters
        ----------
        trader : str or None
            Name of the trader; ``None`` for the only ledger.

        Raises
        ------
        TradingError
            The trader has no account, or ``None`` is given and there are several.
        """
        if self._shared is not None:
            return self._shared
        if trader is None or trader not in self._ledgers:
            said = "several traders have accounts; name one" if trader is None else f"{trader!r} has no account"
            raise TradingError(f"{said}; there are those of {', '.join(self._ledgers)}", name="trader", value=trader)
        return self._ledgers[trader]

    @property
    def ledgers(self) -> tuple[Ledger, ...]:
        """All ledgers, each once."""
        return (self._shared,) if self._shared is not None else tuple(self._ledgers.values())

    def held(self, trader: str | None, instrument: str) -> float:
        """Return the units held of an instrument, without those of the others."""
        return math.fsum(ledger.quantity(instrument) for ledger in self._of(trader))

    def units(self, trader: str | None) -> Mapping[str, float]:
        """Return the units held by instrument."""
        ledgers = self._of(trader)
        if len(ledgers) == 1:
            return {name: position.quantity for name, position in ledgers[0].state.positions.items()}
        held: dict[str, float] = {}
        for ledger in ledgers:
            for name, position in ledger.state.positions.items():
                held[name] = held.get(name, 0.0) + position.quantity
        return held

    @property
    def currency(self) -> str:
        """Currency of the first ledger."""
        return self.ledgers[0].currency

    def terms(self, instrument: str, market: Market) -> ContractTerms:
        """Return the terms of the first fill, or else those of the market."""
        asked = market.terms(instrument)
        for ledger in self.ledgers:
            known = ledger.state.terms.get(instrument)
            if known is not None:
                return ContractTerms(float(known.multiplier), known.currency, known.margined, asked.par)
        return asked

    def values_per_point(self, instruments: Iterable[str], market: Market) -> dict[str, float]:
        """Return the money by instrument; the market is asked for what is new or foreign only."""
        known = self._own_points()
        return {name: known[name] if name in known else self._known_value(name, market) for name in instruments}

    def _own_points(self) -> Mapping[str, float]:
        """Return the multipliers of what is priced in the currency of the account; anew when terms have changed."""
        tables = [ledger.state.terms for ledger in self.ledgers]
        if len(tables) != len(self._tables) or not all(map(is_, tables, self._tables)):
            first = {name: terms for table in reversed(tables) for name, terms in table.items()}
            own = self.currency
            self._points = {name: float(terms.multiplier) for name, terms in first.items() if terms.currency == own}
            self._tables = tables
        return self._points

    def pnl(self, trader: str | None, prices: Mapping[str, float], market: Market) -> float:
        """Return realised and unrealised P&L, income and fees."""
        ledgers = self._of(trader)
        return math.fsum(each.statement(_values(each, prices, market), _rates(each, market)).pnl for each in ledgers)

    def equity(self, trader: str | None, prices: Mapping[str, float], market: Market) -> float:
        """Return cash and positions."""
        ledgers = self._of(trader)
        return math.fsum(each.equity(_values(each, prices, market), _rates(each, market)) for each in ledgers)

    def lots(self, trader: str, instrument: str) -> tuple[str, ...]:
        """Return the names of the open lots."""
        held = self.ledger(trader).state.positions.get(instrument)
        return () if held is None else tuple(lot.id for lot in held.lots.open_lots)

    @property
    def last(self) -> dt.date | None:
        """Time of the last event of all ledgers."""
        times = [ledger.state.last for ledger in self.ledgers if ledger.state.last is not None]
        return max(times, key=place_in_time, default=None)

    def check(self, trader: str, event: LedgerEvent) -> None:
        """Raise an error if the ledger would refuse the event."""
        self.ledger(trader).check(event)

    @contextmanager
    def booked(self, order: Order, event: LedgerEvent, audit: AuditTrail) -> Iterator[None]:
        """Book the event in the ledger once the trail has what the block logs; it was checked before."""
        ledger = self.ledger(order.trader)
        events, booked = len(audit), len(ledger)
        try:
            with audit.together():
                yield
            ledger.book(event)
        except BaseException:
            if len(audit) > events and len(ledger) == booked:  # interrupted between the two
                ledger.book(event)
            raise

    def _of(self, trader: str | None) -> tuple[Ledger, ...]:
        return self.ledgers if trader is None else (self.ledger(trader),)


def books_of(given: Any) -> Books:
    """Return the books that an engine is given: books, a ledger, or one for each trader.

    Parameters
    ----------
    given : Books, Ledger or mapping of str to Ledger
        Books of the engine.

    Raises
    ------
    TradingError
        It is none of these.
    """
    if isinstance(given, Books):
        return given
    if isinstance(given, Ledger | Mapping):
        return LedgerBooks(given)
    raise TradingError(f"ledger={given!r:.60} is no Ledger; give one, or one for each trader", name="ledger")


def _values(ledger: Ledger, prices: Mapping[str, float], market: Market) -> dict[str, float]:
    """Return what the books are debited at given prices; a ledger says which price it lacks."""
    held = [name for name in ledger.state.positions if name in prices]
    return {name: prices[name] - market.terms(name).par for name in held}


def _rates(ledger: Ledger, market: Market) -> dict[str, float]:
    """Return the rates that the market knows; a statement says which one it lacks."""
    known = {code: market.fx(code) for code in ledger.state.settings.digits if code != ledger.currency}
    return {code: rate for code, rate in known.items() if rate is not None}

"""The books of an account: positions and cash that reconcile with the events to the cent, at every event.

A :class:`Ledger` books events in order of time. Each one is checked against the state before it, and is booked as a
whole or refused with an error; the state after it is a value of its own, and booking the same events again gives the
same state (:meth:`Ledger.replay`).

- Cash is held by currency. It may become negative: that is a loan. A position is paid for in full, unless its
  instrument is margined, where only realised profits and losses move cash.
- P&L is *realised* when lots are closed, by the method of the ledger (:mod:`bank_python.trading_engine.lots`), before
  fees. *Income* is dividends, interest and funding. *Fees* are those of fills and conversions, and borrow fees.
- Amounts are decimals in whole cents (:mod:`bank_python.trading_engine.money`); what methods return as floats are the
  floats nearest to them.

A ledger belongs to one thread at a time.

Examples
--------
>>> ledger = Ledger()
>>> _ = ledger.book(DepositEvent("2026-01-05", 10_000.0))
>>> _ = ledger.book(FillEvent("2026-01-05", "AAPL", 10, 228.0, fees=1.0))
>>> _ = ledger.book(FillEvent("2026-01-07", "AAPL", -4, 230.5, fees=1.0))
>>> _ = ledger.book(DividendEvent("2026-02-09", "AAPL", 0.26))
>>> ledger.cash, ledger.realised, ledger.fees, ledger.income
({'USD': 8641.56}, {'AAPL': 10.0}, {'AAPL': 2.0}, {'AAPL': 1.56})
>>> ledger.equity({"AAPL": 231.0})
10027.56
>>> ledger.reconcile().holds
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.results import Tabular
from bank_python.trading_engine.event_rules import booking_of
from bank_python.trading_engine.events import DepositEvent, DividendEvent, FillEvent, LedgerEvent, event_from_dict
from bank_python.trading_engine.ledger_history import LedgerHistory, history_of
from bank_python.trading_engine.ledger_state import LedgerSettings, LedgerState
from bank_python.trading_engine.lots import LotMethod
from bank_python.trading_engine.money import currency_digits
from bank_python.trading_engine.reconciliation import Reconciliation, reconcile
from bank_python.trading_engine.statement import Statement, statement_of

if TYPE_CHECKING:
    from bank_python.mntable import Table
    from bank_python.trading_engine.ledger_state import Amounts, Booking, HeldPosition

__all__ = ["DepositEvent", "DividendEvent", "FillEvent", "Ledger"]

_MOST_DIGITS = 18


class Ledger(Tabular):
    """Positions and cash of an account, and the events that led to them.

    Parameters
    ----------
    currency : str, default "USD"
        Currency in which the account is valued.
    currencies : iterable of str or mapping of str to int, default ()
        Further currencies, or the digits after the point in which each one is booked, from 0 to 18; by default 2, for
        JPY 0, for BTC 8.
    method : LotMethod or str, default "average"
        Method by which closing trades choose lots: average, fifo, lifo or named.

    Raises
    ------
    TradingError
        A currency, its digits or the method is not as described.
    """

    @admits(TradingError, members=False)
    def __init__(
        self, currency: str = "USD", currencies: Any = (), method: LotMethod | str = LotMethod.AVERAGE
    ) -> None:
        digits = _digits_of(currency, currencies)
        self._state = LedgerState(LedgerSettings(currency, digits, LotMethod.of(method)))
        self._start = self._state
        self._bookings: list[Booking] = []
        self._checked: tuple[LedgerState, Booking | None] = self._state, None

    @classmethod
    def replay(
        cls,
        events: Iterable[LedgerEvent | Mapping[str, Any]],
        currency: str = "USD",
        currencies: Any = (),
        method: LotMethod | str = LotMethod.AVERAGE,
    ) -> Self:
        """Return a ledger in which events are booked from the beginning.

        Parameters
        ----------
        events : iterable of LedgerEvent or mapping
            Events in order of time, or what :meth:`to_dicts` returned.
        currency, currencies, method : optional
            Settings of the ledger, as in its constructor.
        """
        made = cls(currency, currencies, method)
        made.book_all(events)
        return made

    def book(self, event: LedgerEvent | Mapping[str, Any]) -> Booking:
        """Book an event, and return what it changed.

        Parameters
        ----------
        event : LedgerEvent or mapping
            Event, not earlier than the last one, or the dictionary of one.

        Raises
        ------
        TradingError
            The event is not valid or does not fit the state; nothing was booked.
        """
        made = (
            event if isinstance(event, LedgerEvent) and type(event) is not LedgerEvent else event_from_dict(_row(event))
        )
        booking = self.check(made)
        after = self._state.after(booking)
        self._bookings[self._state.n_events :] = [booking]  # also in place of one whose booking was interrupted
        self._state = after
        return booking

    def check(self, event: LedgerEvent) -> Booking:
        """Return what an event would change; nothing is booked.

        Parameters
        ----------
        event : LedgerEvent
            Event, not earlier than the last one.

        Raises
        ------
        TradingError
            The event does not fit the state.
        """
        state, booking = self._checked
        if booking is None or booking.event is not event or state is not self._state:
            booking = booking_of(self._state, event)
            self._checked = self._state, booking  # an engine checks, writes to its trail, and then books
        return booking

    def book_all(self, events: Iterable[LedgerEvent | Mapping[str, Any]]) -> tuple[Booking, ...]:
        """Book events in their order, all of them or none.

        Parameters
        ----------
        events : iterable of LedgerEvent or mapping
            Events in order of time.

        Raises
        ------
        TradingError
            One of them is refused; none was booked. The message gives its number.
        """
        if isinstance(events, str | Mapping | LedgerEvent) or not isinstance(events, Iterable):
            raise TradingError(f"events={events!r} is not a list of events; give a list", name="events", value=events)
        state, count = self._state, len(self)
        try:
            for number, event in enumerate(events, 1):
                try:
                    self.book(event)
                except TradingError as error:
                    error.add_note(f"event {number} of those given; none was booked")
                    raise
        except BaseException:
            self._state = state
            del self._bookings[count:]
            raise
        return tuple(self._bookings[count:])

    @property
    def state(self) -> LedgerState:
        """State after the last event: an immutable value with exact amounts."""
        return self._state

    @property
    def currency(self) -> str:
        """Currency in which the account is valued."""
        return self._state.settings.currency

    @property
    def method(self) -> LotMethod:
        """Method by which closing trades choose lots."""
        return self._state.settings.method

    @property
    def bookings(self) -> tuple[Booking, ...]:
        """What each event changed, in order."""
        return tuple(self._bookings[: len(self)])

    @property
    def events(self) -> tuple[LedgerEvent, ...]:
        """Events booked so far."""
        return tuple(booking.event for booking in self.bookings)

    @property
    def cash(self) -> dict[str, float]:
        """Cash by currency; negative if it is borrowed."""
        return _floats(self._state.cash)

    @property
    def positions(self) -> dict[str, HeldPosition]:
        """Positions by instrument; those that are closed are absent."""
        return dict(self._state.positions)

    @property
    def realised(self) -> dict[str, float]:
        """Realised P&L before fees by instrument, in its currency."""
        return _floats(self._state.realised)

    @property
    def income(self) -> dict[str, float]:
        """Dividends, interest and funding received by instrument, in its currency; interest under "USD cash"."""
        return _floats(self._state.income)

    @property
    def fees(self) -> dict[str, float]:
        """Fees paid by instrument, in its currency; those of conversions under "USD cash"."""
        return _floats(self._state.fees)

    @property
    def deposits(self) -> float:
        """Net deposits in the currency of the ledger, each at the rate of its day."""
        return float(self._state.deposited)

    def quantity(self, instrument: str) -> float:
        """Return the number of units held of an instrument, negative if short; 0 if it is not held."""
        held = self._state.positions.get(instrument)
        return 0.0 if held is None else held.quantity

    def unrealised(self, prices: Any, fx: Any = None) -> dict[str, float]:
        """Return the unrealised P&L by instrument held, in its currency.

        Parameters
        ----------
        prices, fx : mapping of str to float
            Prices and exchange rates, as for :meth:`statement`.
        """
        return {row.instrument: row.unrealised for row in self.statement(prices, fx).rows if row.price is not None}

    def equity(self, prices: Any, fx: Any = None) -> float:
        """Return cash and positions together, in the currency of the ledger.

        Parameters
        ----------
        prices, fx : mapping of str to float
            Prices and exchange rates, as for :meth:`statement`.
        """
        return self.statement(prices, fx).equity

    def statement(self, prices: Any, fx: Any = None) -> Statement:
        """Return the account at given prices: equity, and P&L by instrument and cause.

        Parameters
        ----------
        prices : mapping of str to float, or pandas.Series
            Price of each instrument held, in its currency; those of others are ignored.
        fx : mapping of str to float, optional
            Value of one unit of each foreign currency in that of the ledger ("EUR": 1.08), or pairs ("EURUSD": 1.08).

        Raises
        ------
        TradingError
            A price or a rate is missing or not finite.
        """
        return statement_of(self._state, prices, fx)

    def history(self, prices: Any, dates: Any = None, fx: Any = None) -> LedgerHistory:
        """Return the equity at past dates.

        Parameters
        ----------
        prices : mapping of str to sequence of float, or pandas.DataFrame
            Closing prices by instrument, one for each date; NaN where the instrument is not held.
        dates : sequence of date, optional
            Ascending dates; by default the index of the frame.
        fx : mapping of str to float or to sequence of float, optional
            Exchange rates as for :meth:`statement`, constant or one for each date.

        Raises
        ------
        TradingError
            A price or a rate is missing on a date on which it is needed.
        """
        return history_of(self._start, self.bookings, prices, dates, fx)

    def reconcile(self) -> Reconciliation:
        """Return whether cash and positions agree with the events, computed anew from these.

        The events are booked again from the beginning, and the cash of each currency is compared with the sum of what
        explains it.
        """
        return reconcile(self._start, self.bookings, self._state)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the events as dictionaries of JSON types, which :meth:`replay` reads."""
        return [booking.event.to_dict() for booking in self.bookings]

    def to_table(self) -> Table:
        """Return a table with a row for each event and each currency whose cash it could change."""
        from bank_python.mntable import Table

        schema = [("number", int), ("when", str), ("kind", str), ("instrument", str), ("currency", str)]
        schema += [(name, float) for name in ("cash", "realised", "income", "fees")] + [("why", str)]
        return Table.from_rows(schema, [row for booking in self.bookings for row in self._rows(booking)])

    def _rows(self, booking: Booking) -> list[dict[str, Any]]:
        event, names = booking.event, [*booking.realised, *booking.income, *booking.fees]
        known = {name: self._state.currency_of(name) for name in names}
        currencies = list(booking.cash) or [self._currency_at(event.subject)]
        common = {"number": booking.number, "when": event.when.isoformat(), "kind": event.kind, "why": event.why}
        causes = {"realised": booking.realised, "income": booking.income, "fees": booking.fees}
        return [
            {**common, "instrument": event.subject, "currency": currency, "cash": float(booking.cash.get(currency, 0))}
            | {
                cause: float(sum(v for name, v in amounts.items() if known[name] == currency))
                for cause, amounts in causes.items()
            }
            for currency in currencies
        ]

    def _currency_at(self, instrument: str) -> str:
        return self._state.currency_of(instrument) if instrument in self._state.terms else self.currency

    def __len__(self) -> int:
        return self._state.n_events

    def __rich__(self) -> object:
        from bank_python.render_ledger import ledger_view

        return ledger_view(self)


def _row(event: Any) -> Mapping[str, Any]:
    if not isinstance(event, Mapping):
        said = f"{event!r} is not an event; give one, such as a FillEvent, or a dictionary of its fields"
        raise TradingError(said, name="event", value=event)
    return event


def _floats(amounts: Amounts) -> dict[str, float]:
    return {name: float(amount) for name, amount in amounts.items()}


def _digits_of(currency: str, currencies: Any) -> dict[str, int]:
    """Return the digits of each currency, that of the ledger first."""
    names = [currencies] if isinstance(currencies, str) else currencies
    if not isinstance(names, Iterable):
        said = f"currencies={currencies!r} is not a list of currencies; give their codes, such as ['EUR']"
        raise TradingError(said, name="currencies", value=currencies)
    found: dict[str, int] = {}
    for code in (currency, *names):
        if not isinstance(code, str) or not code.isalnum() or code != code.upper():
            said = f"currency={code!r} is no code of a currency; give one in capitals, such as 'EUR'"
            raise TradingError(said, name="currency", value=code)
        given = names.get(code) if isinstance(names, Mapping) else None
        digits = currency_digits(code) if given is None else given
        if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= _MOST_DIGITS:
            said = f"currencies: the digits of {code} are {digits!r}; give a whole number from 0 to 18"
            raise TradingError(said, name="currencies", value=digits)
        found[code] = digits
    return found

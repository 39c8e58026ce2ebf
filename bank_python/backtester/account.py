"""The account of a back-test: the books behind its engine, and what they were at each close.

Cash and units are floats, which the engine's fills change; the ledger with its lots and exact amounts is what the audit
trail replays into (:func:`~bank_python.trading_engine.replay`). Changes are noted when they happen; the arrays over all
bars are made at the end.

Examples
--------
>>> from bank_python.backtester.bars import bars_of
>>> from bank_python.backtester.option_quotes import OptionQuotes
>>> from bank_python.backtester.tape import Tape
>>> tape = Tape(bars_of({"A": [10.0, 11.0, 12.0]}))
>>> account = Account(tape, OptionQuotes(tape), 100.0)
>>> tape.now = 1
>>> account.change("A", 2.0, -22.0)
>>> account.equity_now, account.history().equity.tolist()
(100.0, [100.0, 100.0, 102.0])
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.trading_engine.books import Books
from bank_python.trading_engine.events import DelistingEvent, FillEvent, InterestEvent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from bank_python.backtester.option_quotes import OptionQuotes
    from bank_python.backtester.tape import Tape
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine import AuditTrail, Order
    from bank_python.trading_engine.events import LedgerEvent
    from bank_python.trading_engine.market import ContractTerms, Market

__all__ = ["Account", "AccountHistory", "Settlement"]


@dataclass(frozen=True, slots=True)
class Settlement(Record):
    """The end of an option that was held, as a trade.

    Parameters
    ----------
    instrument : str
        Name of the option.
    quantity : float
        Contracts taken away, negative for a position that was long.
    price : float
        Final value per unit of the underlying, at least 0.
    time : datetime
        Time of the settlement.
    multiplier : float
        Units of the underlying in one contract.
    trader : str
        Name of the trader who held it.
    """

    instrument: str
    quantity: float
    price: float
    time: dt.date
    multiplier: float
    trader: str


@dataclass(frozen=True, eq=False)
class AccountHistory:
    """What an account was at each close.

    Parameters
    ----------
    equity, cash : ndarray, shape (n_bars,)
        Equity and cash, in money.
    held : ndarray, shape (n_bars, n_tickers)
        Units of each ticker.
    contracts : tuple of str
        Names of the options that were held.
    contract_units, contract_values : ndarray, shape (n_bars, n_contracts)
        Contracts of each option, and their value in money.
    settlements : tuple of Settlement
        Options that were held when they expired.
    """

    equity: FloatArray
    cash: FloatArray
    held: FloatArray
    contracts: tuple[str, ...]
    contract_units: FloatArray
    contract_values: FloatArray
    settlements: tuple[Settlement, ...]


class Account(Books):
    """Cash and units of a replay, of one trader.

    Parameters
    ----------
    tape : Tape
        Bars, up to the present one.
    options : OptionQuotes
        Prices of options.
    cash : float
        Cash at the start, in money.
    """

    def __init__(self, tape: Tape, options: OptionQuotes, cash: float) -> None:
        self._tape, self._options, self._start = tape, options, cash
        self.cash = cash
        self.held_units: dict[str, float] = {}
        self._cash_since = [(0, cash)]
        self._units_since: list[tuple[int, str, float]] = []
        self._marks: list[tuple[int, str, float]] = []
        self._settlements: list[Settlement] = []
        self._traders: dict[str, str] = {}  # whose order was the last one in each instrument

    # --- what a strategy and a replay ask --------------------------------------------------------------

    @property
    def equity_now(self) -> float:
        """Cash and positions at the last closes, in money."""
        return self.cash + sum(self.value(name) for name in self.held_units)

    def value(self, name: str) -> float:
        """Return the value of a position at the last close, in money.

        Parameters
        ----------
        name : str
            Name of the instrument.
        """
        units = self.held_units.get(name, 0.0)
        return units * self._options.value_of_one(name) if units else 0.0

    def change(self, name: str, units: float, cash: float) -> None:
        """Take units and cash.

        Parameters
        ----------
        name : str
            Name of the instrument.
        units : float
            Units bought, negative for a sale.
        cash : float
            Cash received, negative if paid.
        """
        after = self.held_units.get(name, 0.0) + units
        if after:
            self.held_units[name] = after
        else:
            self.held_units.pop(name, None)
        self._units_since.append((self._tape.now, name, after))
        self._receive(cash)

    def _receive(self, cash: float) -> None:
        self.cash += cash
        self._cash_since.append((self._tape.now, self.cash))

    # --- what the engine asks --------------------------------------------------------------------------

    @property
    def currency(self) -> str:
        """Currency of the prices, whatever it is."""
        return "USD"

    def units(self, trader: str | None) -> Mapping[str, float]:  # noqa: ARG002 - there is one trader
        """Return the units held by instrument."""
        return self.held_units

    def terms(self, instrument: str, market: Market) -> ContractTerms:
        """Return the terms of the market."""
        return market.terms(instrument)

    def prices(self, trader: str | None, known: Mapping[str, float]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the last closes of what is held: the engine sees the prices of its orders only."""
        return {**known, **{name: self._options.close(name) for name in self.held_units}}

    def equity(self, trader: str | None, prices: Mapping[str, float], market: Market) -> float:  # noqa: ARG002
        """Return cash and positions at the last closes."""
        return self.equity_now

    def pnl(self, trader: str | None, prices: Mapping[str, float], market: Market) -> float:  # noqa: ARG002
        """Return the equity less the cash at the start."""
        return self.equity_now - self._start

    def lots(self, trader: str, instrument: str) -> tuple[str, ...]:  # noqa: ARG002 - the ledger of the trail has them
        """Return no names of lots."""
        return ()

    def check(self, trader: str, event: LedgerEvent) -> None:
        """Let every event pass: bars and orders were checked."""

    @contextmanager
    def booked(self, order: Order, event: LedgerEvent, audit: AuditTrail) -> Iterator[None]:
        """Take what an event changes once the trail has it."""
        with audit.together():
            yield
        if isinstance(event, FillEvent):
            worth = event.quantity * event.price * (event.multiplier or 1.0)
            self.change(event.instrument, event.quantity, -worth - event.fees)
            self._traders[event.instrument] = order.trader
        elif isinstance(event, DelistingEvent):
            name, units = event.instrument, self.held_units[event.instrument]
            multiplier = self._options.multiplier(name)
            self.change(name, -units, units * event.price * multiplier)
            self._settlements.append(Settlement(name, -units, event.price, event.when, multiplier, self._traders[name]))
        elif isinstance(event, InterestEvent):
            self._receive(event.amount)

    # --- what is left at the end -----------------------------------------------------------------------

    def mark_options(self) -> None:
        """Note the value of the options held at the present close."""
        for name in self._options.among(self.held_units):
            self._marks.append((self._tape.now, name, self.value(name)))

    def history(self) -> AccountHistory:
        """Return the arrays over all bars."""
        tape, options = self._tape, self._options
        names = list(dict.fromkeys(name for _, name, _ in self._units_since))
        contracts = options.among(names)
        closes = tape.last_closes
        cash = _filled_on(((t, 0, value) for t, value in self._cash_since), (len(closes), 1))[:, 0]
        held = self._units_of(tape.tickers, len(closes))
        values = np.zeros((len(closes), len(contracts)))
        place = {name: j for j, name in enumerate(contracts)}
        for t, name, value in self._marks:
            values[t, place[name]] = value
        equity = cash + np.where(held != 0.0, held * closes, 0.0).sum(axis=1) + values.sum(axis=1)
        units = self._units_of(contracts, len(closes))
        return AccountHistory(equity, cash, held, contracts, units, values, tuple(self._settlements))

    def _units_of(self, names: tuple[str, ...], bars: int) -> FloatArray:
        place = {name: j for j, name in enumerate(names)}
        changes = [(t, place[name], units) for t, name, units in self._units_since if name in place]
        return _filled_on(changes, (bars, len(names)))


def _filled_on(changes: Iterable[tuple[int, int, float]], shape: tuple[int, int]) -> FloatArray:
    """Return values that stay as they are from one change to the next; 0 before the first."""
    columns: dict[int, dict[int, float]] = {}
    for t, j, value in changes:
        columns.setdefault(j, {})[t] = value  # the last one of a bar counts
    values = np.zeros(shape)
    for j, found in columns.items():
        times = [*found, shape[0]]
        values[times[0] :, j] = np.repeat(list(found.values()), np.diff(times))
    return values

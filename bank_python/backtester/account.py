"""The account of a back-test: cash and units held, and what they were at each close.

Changes are noted when they happen; the arrays over all bars are made at the end.

Examples
--------
>>> from bank_python.backtester.bars import bars_of
>>> from bank_python.backtester.option_quotes import OptionQuotes
>>> from bank_python.backtester.window import Tape
>>> tape = Tape(bars_of({"A": [10.0, 11.0, 12.0]}))
>>> account = Account(tape, OptionQuotes(tape), 100.0)
>>> tape.now = 1
>>> account.change("A", 2.0, -22.0)
>>> account.equity, account.history().equity.tolist()
(100.0, [100.0, 100.0, 102.0])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.backtester.option_quotes import OptionQuotes
    from bank_python.backtester.window import Tape
    from bank_python.numerics import FloatArray

__all__ = ["Account", "AccountHistory"]


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
    """

    equity: FloatArray
    cash: FloatArray
    held: FloatArray
    contracts: tuple[str, ...]
    contract_units: FloatArray
    contract_values: FloatArray


class Account:
    """Cash and units of a replay.

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
        self._tape, self._options = tape, options
        self.cash = cash
        self.units: dict[str, float] = {}
        self._cash_since = [(0, cash)]
        self._units_since: list[tuple[int, str, float]] = []
        self._marks: list[tuple[int, str, float]] = []

    @property
    def equity(self) -> float:
        """Cash and positions at the last closes, in money."""
        return self.cash + sum(self.value(name) for name in self.units)

    def value(self, name: str) -> float:
        """Return the value of a position at the last close, in money.

        Parameters
        ----------
        name : str
            Name of the instrument.
        """
        units = self.units.get(name, 0.0)
        return units * self._options.value_of_one(name) if units else 0.0

    def change(self, name: str, units: float, cash: float) -> None:
        """Take a fill on the bar after the present one, or at the present close.

        Parameters
        ----------
        name : str
            Name of the instrument.
        units : float
            Units bought, negative for a sale.
        cash : float
            Cash received, negative if paid.
        """
        after = self.units.get(name, 0.0) + units
        if after:
            self.units[name] = after
        else:
            self.units.pop(name, None)
        self._units_since.append((self._tape.now, name, after))
        self.receive(cash)

    def receive(self, cash: float) -> None:
        """Take cash, negative if it is paid.

        Parameters
        ----------
        cash : float
            Amount in money.
        """
        self.cash += cash
        self._cash_since.append((self._tape.now, self.cash))

    def mark_options(self) -> None:
        """Note the value of the options held at the present close."""
        for name in self._options.among(self.units):
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
        return AccountHistory(equity, cash, held, contracts, self._units_of(contracts, len(closes)), values)

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

"""The series that the traders' rules read, as nodes of the desk's graph: they follow the quotes and the books.

========================  =====================================================================================
series                    value
========================  =====================================================================================
``NVDA``, ``SPY_VOL`` …   closes of the last year, and the present quote
bonds of the desk         present value
``NVDA_UNITS``            units of the share, coin, pair or bond that the trader holds; for pairs those that the
                          strategy has opened itself (:data:`~bank_python.desk.strategies.OWN_UNITS`)
``NVDA_DELTA``, ``_GAMMA``  delta in shares and gamma in shares per unit of price of all that the trader holds on it
``TSLA_EVENT``            days to the next event, by a calendar invented for the simulation
========================  =====================================================================================
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import Domain, LargeNode, Leaf
from bank_python.desk.past_closes import PastCloses
from bank_python.desk.strategies import OWN_UNITS, PAST_MOVES, days_to_event
from bank_python.errors import BankError
from bank_python.instruments import Instrument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_python.dagger import Node
    from bank_python.desk.desk import Desk
    from bank_python.desk.trader import Trader
    from bank_python.numerics import FloatArray

__all__ = ["SignalData"]

_PERIOD = "1y"
_RETRIED = 300.0  # seconds until a history that could not be loaded is tried again
_UNITS, _DELTA, _GAMMA, _EVENT = "_UNITS", "_DELTA", "_GAMMA", "_EVENT"
_NAME = "SIGNALS:"


class SignalData:
    """Series by name as nodes, registered when they are first asked for.

    Parameters
    ----------
    desk : Desk
        Desk with the quotes and the books.
    opened : callable
        Function of trader and instrument that returns the units which the trader's strategy has opened.
    """

    def __init__(self, desk: Desk, opened: Callable[[str, str], float]) -> None:
        self._desk, self._opened = desk, opened
        self._pasts: dict[str, PastCloses] = {}
        self._faults: dict[str, str] = {}
        self._again: dict[str, float] = {}
        self._closes: dict[str, Leaf] = {}
        self._series: dict[str, Node] = {}
        self._of_books: dict[tuple[str, str], Leaf] = {}

    def __repr__(self) -> str:
        return f"<SignalData: {len(self._series)} series of quotes, {len(self._of_books)} of books>"

    def load(self, names: Sequence[str], seconds: float | None = None) -> tuple[int, int]:
        """Load the histories of symbols; return how many have been tried, and how many are needed.

        One that cannot be loaded costs the others nothing: it is tried again after five minutes (:meth:`faults`).

        Parameters
        ----------
        names : sequence of str
            Names of series; those that are no quoted symbols need no history.
        seconds : float, optional
            Time limit in seconds, after which loading stops; the next call continues. No limit by default.
        """
        started = time.monotonic()
        wanted = [name for name in dict.fromkeys(names) if self._is_quoted(name)]
        for name in wanted:
            if name in self._pasts or time.monotonic() < self._again.get(name, 0.0):
                continue
            self._load_one(name)
            if seconds is not None and time.monotonic() - started >= seconds:
                break
        return sum(name in self._pasts or name in self._again for name in wanted), len(wanted)

    def faults(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return why histories of some series could not be loaded, in words.

        Parameters
        ----------
        names : sequence of str
            Names of series.
        """
        return tuple(self._faults[name] for name in names if name in self._faults)

    def _load_one(self, name: str) -> None:
        try:
            self._pasts[name] = PastCloses(self._desk, name, _PERIOD)
        except BankError as error:
            self._faults[name] = f"no history of {name}: {error.message}"
            self._again[name] = time.monotonic() + _RETRIED
        else:
            self._faults.pop(name, None)

    def nodes(self, trader: Trader, names: Sequence[str]) -> dict[str, Node]:
        """Return the nodes of the series that a trader's rule reads, without those that there are no data for.

        Parameters
        ----------
        trader : Trader
            Trader whose books the series of books are of.
        names : sequence of str
            Names of series.
        """
        with self._desk.graph.batch():
            found = {name: self._node(trader, name) for name in names}
        return {name: node for name, node in found.items() if node is not None}

    def follow_books(self) -> None:
        """Set units, delta and gamma to those of the present positions, as one tick."""
        traders = {trader.name: trader for trader in self._desk.traders}
        with self._desk.graph.batch():
            for (trader, name), leaf in self._of_books.items():
                figure = self._figure(traders[trader], name)
                if not np.array_equal(cast("FloatArray", leaf.value), figure):
                    leaf.set(figure)

    def follow_market(self) -> None:
        """Add the closes of days that have ended since the last call, as one tick; to be called regularly."""
        ended = [name for name, past in self._pasts.items() if past.follow() and name in self._closes]
        with self._desk.graph.batch():
            for name in ended:
                self._closes[name].set(self._past(name))

    def remove(self) -> None:
        """Remove the nodes from the graph; nothing may depend on them any longer."""
        with self._desk.graph.batch():
            for node in (*self._series.values(), *self._of_books.values(), *self._closes.values()):
                self._desk.graph.unregister(node)
        self._series.clear()
        self._of_books.clear()
        self._closes.clear()

    def _is_quoted(self, name: str) -> bool:
        return name in self._desk.listings and self._desk.leaf(name).quoted

    def _node(self, trader: Trader, name: str) -> Node | None:
        base, _, kind = name.rpartition("_")
        if f"_{kind}" in {_UNITS, _DELTA, _GAMMA}:
            return self._book_leaf(trader, name)
        made = self._series.get(name) or self._new(name, base if f"_{kind}" == _EVENT else "")
        if made is not None:
            self._series[name] = made
        return made

    def _book_leaf(self, trader: Trader, name: str) -> Leaf:
        key = trader.name, name
        if key not in self._of_books:
            leaf = Leaf(f"{_NAME}{trader.name}:{name}", self._figure(trader, name), Domain.ANY)
            self._of_books[key] = self._desk.graph.register(leaf)
        return self._of_books[key]

    def _figure(self, trader: Trader, name: str) -> FloatArray:
        """Return units, delta or gamma of a trader's positions, as a series of one number."""
        base, _, kind = name.rpartition("_")
        if f"_{kind}" != _UNITS:
            return np.array([_greek(self._desk, trader, base, is_delta=f"_{kind}" == _DELTA)])
        if trader.strategy in OWN_UNITS:
            return np.array([self._opened(trader.name, base)])
        held = self._desk.graph.find(base)
        position = None if held is None else trader.position_in(held)
        return np.array([0.0 if position is None else position.quantity])

    def _new(self, name: str, event_of: str) -> Node | None:
        graph = self._desk.graph
        if event_of in PAST_MOVES:
            return graph.register(LargeNode(f"{_NAME}{name}", self._days(event_of), [self._desk.clock]))
        if name in self._pasts:
            closes = Leaf(f"{_NAME}{name}:PAST", self._past(name), Domain.ANY)
            self._closes[name] = graph.register(closes)
            return graph.register(LargeNode(f"{_NAME}{name}", _with_present, [closes, self._desk.leaf(name)]))
        held = graph.find(name)
        if isinstance(held, Instrument) and name not in self._desk.listings:
            return graph.register(LargeNode(f"{_NAME}{name}", np.atleast_1d, [held]))
        return None

    def _days(self, symbol: str) -> Callable[[float], FloatArray]:
        clock = self._desk.clock
        return lambda years: np.array([float(days_to_event(symbol, clock.date_at(years)))])

    def _past(self, name: str) -> FloatArray:
        closes = self._pasts[name].table.closes(name).copy()
        closes.setflags(write=False)  # values of leaves are immutable
        return closes


def _with_present(past: FloatArray, price: float) -> FloatArray:
    return np.append(past, price)


def _greek(desk: Desk, trader: Trader, symbol: str, *, is_delta: bool) -> float:
    """Return delta or gamma of all that a trader holds on a symbol, in shares and in shares per unit of price."""
    total, spot = 0.0, desk.leaf(symbol) if symbol in desk.listings else None
    for position in trader.positions:
        contract = position.instrument
        if isinstance(contract, Instrument) and spot in contract.underliers and contract.error is None:
            greeks = contract.greeks()
            total += position.quantity * position.multiplier * (greeks.delta if is_delta else greeks.gamma)
    return total

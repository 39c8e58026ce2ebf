"""The blotter: booked trades, stored one by one and queried as a table.

A trade gets the first free number of the store, by compare-and-set, so that no trade is overwritten even if several
processes write to the store.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from bank_python.barbara import MISSING
from bank_python.deprecation import warn_of
from bank_python.display import Displayed, Record
from bank_python.errors import ConflictError
from bank_python.mntable import Table, col

if TYPE_CHECKING:
    from bank_python.barbara import BarbaraDB
    from bank_python.desk.trader import Trader
    from bank_python.instruments import Position
    from bank_python.market_data import Clock

__all__ = ["CASH_FLOWS", "TRADES", "Blotter", "Trade"]

_SCHEMA = [
    ("number", int),
    ("valuation_date", dt.date),
    ("trader", str),
    ("strategy", str),
    ("instrument", str),
    ("kind", str),
    ("quantity", float),
    ("price", float),
    ("multiplier", float),
    ("notional", float),
    ("currency", str),
    ("fees", float),
    ("order_id", str),
]
_LATER = {"fees": 0.0, "order_id": ""}  # missing in older stores
TRADES = "/Trades/"
"""Prefix of the stored trades' keys, followed by the number."""

CASH_FLOWS = "/CashFlows/"
"""Prefix of the stored cash postings' keys, followed by date and position."""


@dataclass(frozen=True, slots=True)
class Trade(Record):
    """One trade: trader, instrument, quantity and price; `notional` is quantity times price times multiplier.

    `fees` are not part of the price; `order_id` is the name of the order behind the trade, empty without one.
    """

    number: int
    valuation_date: dt.date
    trader: str
    strategy: str
    instrument: str
    kind: str
    quantity: float
    price: float
    multiplier: float
    notional: float
    currency: str
    fees: float = 0.0
    order_id: str = ""


class Blotter(Displayed):
    """The trades of a desk.

    Parameters
    ----------
    db : BarbaraDB
        Store of the trades, under ``/Trades/``; trades that it has already are loaded.
    clock : Clock
        Valuation date of the desk, which is the date of new trades.
    """

    def __init__(self, db: BarbaraDB, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.table = Table(_SCHEMA)
        self.table.extend({**_LATER, **record} for _, record in db.items(TRADES))
        self._added: set[int] = set()
        self._next = self._first_free()

    def __len__(self) -> int:
        return len(self.table)

    def record(
        self,
        trader: Trader,
        position: Position,
        quantity: float,
        price: float,
        *,
        fees: float = 0.0,
        order_id: str = "",
    ) -> Trade:
        """Write a trade to the store, under the first free number, and return it.

        Inside a transaction of the store, the trade is stored when the transaction is committed; :meth:`add` then adds
        it to the table.

        Parameters
        ----------
        trader : Trader
            Trader of the order.
        position : Position
            Position in the traded instrument.
        quantity : float
            Number of units, negative for a sale.
        price : float
            Price per unit, in the currency of the position, without fees.
        fees : float, default 0.0
            Fees in that currency.
        order_id : str, default ""
            Name of the order behind the trade.
        """
        while True:
            trade = replace(self._trade(self._next, trader, position, quantity, price), fees=fees, order_id=order_id)
            try:
                self._db.compare_and_set(_key(trade.number), MISSING, asdict(trade))
            except ConflictError:
                self._next = self._first_free()
            else:
                return trade

    def add(self, trade: Trade) -> None:
        """Add a stored trade to the table, unless it is there already."""
        if trade.number in self._added:
            return
        self._added.add(trade.number)
        self.table.extend([asdict(trade)])
        self._next = max(self._next, trade.number + 1)

    def keep(self, trader: Trader, position: Position, quantity: float, price: float) -> Trade:
        """Return :meth:`record`, whose former name this is."""
        warn_of("Blotter.keep()", "Blotter.record()")
        return self.record(trader, position, quantity, price)

    def show(self, trade: Trade) -> None:
        """Call :meth:`add`, whose former name this is."""
        warn_of("Blotter.show()", "Blotter.add()")
        self.add(trade)

    def last(self, count: int) -> tuple[Trade, ...]:
        """Return the last `count` trades of the table, the latest last."""
        rows = list(self.table.order_by(col("number").descending()).limit(count))
        return tuple(Trade(**row) for row in reversed(rows))

    def has(self, trade: Trade) -> bool:
        """Whether the store has exactly this trade."""
        return bool(self._db.get(_key(trade.number)) == asdict(trade))

    def _first_free(self) -> int:
        names = [key.removeprefix(TRADES) for key in self._db.keys(TRADES)]
        return max([int(name) for name in names if name.isdecimal()], default=0) + 1

    def _trade(self, number: int, trader: Trader, position: Position, quantity: float, price: float) -> Trade:
        return Trade(
            number=number,
            valuation_date=self._clock.date,
            trader=trader.name,
            strategy=trader.strategy,
            instrument=position.underliers[0].name,
            kind=type(position.underliers[0]).__name__,
            quantity=quantity,
            price=price,
            multiplier=position.multiplier,
            notional=quantity * price * position.multiplier,
            currency=position.currency,
        )

    def __rich__(self) -> object:
        from bank_python.render_objects import blotter_view

        return blotter_view(self)


def _key(number: int) -> str:
    return f"{TRADES}{number:08d}"

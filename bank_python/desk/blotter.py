"""The trades booked: kept one by one in the store, queried as a table.

A trade's number is the first that the store has none under, taken by compare-and-set: whoever else writes trades to the
store, none is ever overwritten.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bank_python.barbara import MISSING
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
]
TRADES = "/Trades/"
"""Where a store keeps trades, each under its number."""

CASH_FLOWS = "/CashFlows/"
"""Where a store keeps the cash that contracts have paid, by day and position."""


@dataclass(frozen=True, slots=True)
class Trade(Record):
    """One trade: who bought how much of what, at which price; `notional` is what was paid for it."""

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


class Blotter(Displayed):
    """Every trade of a desk.

    Parameters
    ----------
    db : BarbaraDB
        Keeps the trades under ``/Trades/``; those it has are taken up.
    clock : Clock
        Dates them.
    """

    def __init__(self, db: BarbaraDB, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.table = Table(_SCHEMA)
        self.table.extend(record for _, record in db.items(TRADES))
        self._shown: set[int] = set()
        self._next = self._first_free()

    def __len__(self) -> int:
        return len(self.table)

    def keep(self, trader: Trader, position: Position, quantity: float, price: float) -> Trade:
        """Write a trade of `quantity` units at `price` in `position` to the store, under a number of its own.

        Inside a transaction of the store's it is kept once that is committed; :meth:`show` then puts it on the table.
        """
        while True:
            trade = self._trade(self._next, trader, position, quantity, price)
            try:
                self._db.compare_and_set(_key(trade.number), MISSING, asdict(trade))
            except ConflictError:
                self._next = self._first_free()
            else:
                return trade

    def show(self, trade: Trade) -> None:
        """Put a trade that is kept on the table; again does nothing."""
        if trade.number in self._shown:
            return
        self._shown.add(trade.number)
        self.table.extend([asdict(trade)])
        self._next = max(self._next, trade.number + 1)

    def last(self, count: int) -> tuple[Trade, ...]:
        """Return the last `count` trades on the table, the latest last."""
        rows = list(self.table.order_by(col("number").descending()).limit(count))
        return tuple(Trade(**row) for row in reversed(rows))

    def has(self, trade: Trade) -> bool:
        """Whether the store keeps this very trade."""
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

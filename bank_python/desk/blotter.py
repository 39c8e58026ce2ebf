"""The trades booked: kept one by one in the store, queried as a table."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bank_python.mntable import Table

if TYPE_CHECKING:
    from bank_python.barbara import BarbaraDB
    from bank_python.desk.trader import Trader
    from bank_python.instruments import Position
    from bank_python.market_data import Clock

__all__ = ["Blotter", "Trade"]

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
_HOME = "/Trades/"


@dataclass(frozen=True, slots=True)
class Trade:
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


class Blotter:
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
        self.table.extend(record for _, record in db.items(_HOME))

    def __len__(self) -> int:
        return len(self.table)

    def book(self, trader: Trader, position: Position, quantity: float, price: float) -> Trade:
        """Keep a trade of `quantity` units at `price` in `position`, and return it."""
        trade = Trade(
            number=len(self.table) + 1,
            valuation_date=self._clock.date,
            trader=trader.name,
            strategy=trader.strategy,
            instrument=position.underliers[0].name,
            kind=type(position.underliers[0]).__name__,
            quantity=float(quantity),
            price=price,
            multiplier=position.multiplier,
            notional=quantity * price * position.multiplier,
            currency=position.currency,
        )
        record = asdict(trade)
        self._db[f"{_HOME}{trade.number:08d}"] = record
        self.table.extend([record])
        return trade

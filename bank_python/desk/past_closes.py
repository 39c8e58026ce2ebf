"""Closes of a symbol up to the day before its present quote, which grow by a close when a day has ended.

Feeds differ in what their history says of the present day: a live one has a bar of it that is not complete, a replay
has its close already, and the simulated market's history ends before the first session. A model that takes the move
from the last close to the present price for a day's return needs the closes of the days before, and of all of them.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bank_python.errors import FeedError
from bank_python.market_data import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable

if TYPE_CHECKING:
    from bank_python.desk.parts import DeskParts

__all__ = ["PastCloses"]


class PastCloses:
    """Closes of a symbol on a desk before the day of its present quote, as a price history.

    Parameters
    ----------
    desk : DeskParts
        Desk that quotes the symbol.
    symbol : str
        Symbol with a quote.
    period : str
        Length of the history.

    Raises
    ------
    FeedError
        The history could not be loaded, or has no day before the present one.
    """

    def __init__(self, desk: DeskParts, symbol: str, period: str) -> None:
        self._desk, self._symbol, self._period = desk, symbol, period
        self._leaf = desk.leaf(symbol)
        self._ended: list[Bar] = []
        self._day, self._price = self._present_day(), self._leaf.price
        self.table = PriceHistoryTable()
        self.table.load(symbol, self._loaded())

    def follow(self) -> bool:
        """Add the close of the day of the last call if it has ended; return whether it has.

        The feed's history has the first say; a day that it does not have ends at the price of the last call.
        """
        day = self._present_day()
        if day is None or day == self._day:
            self._price = self._leaf.price
            return False
        if self._day is not None:
            midnight = dt.datetime.combine(self._day, dt.time(), dt.UTC)
            self._ended.append(Bar(midnight, None, None, None, self._price, None))
        self._day, self._price = day, self._leaf.price
        try:
            known = self._loaded()
        except FeedError:  # the days seen here are known nevertheless
            known = self._with_ended(self._known())
        self.table.load(self._symbol, known)
        return True

    def _present_day(self) -> dt.date | None:
        """Return the day of the present quote by its own market, whose date may differ from the desk's."""
        return None if self._leaf.as_of is None else self._leaf.as_of.date()

    def _loaded(self) -> PriceHistory:
        loaded = self._desk.market.load_history(self._symbol, self._period, into=PriceHistoryTable())
        return self._with_ended(loaded)

    def _with_ended(self, history: PriceHistory) -> PriceHistory:
        """Return a history with the days that have ended since it ends, and without the present one."""
        bars = [bar for bar in history.bars if self._day is None or bar.date.date() < self._day]
        last = bars[-1].date.date() if bars else dt.date.min
        return PriceHistory(
            history.symbol, history.source, (*bars, *(bar for bar in self._ended if bar.date.date() > last))
        )

    def _known(self) -> PriceHistory:
        rows = self.table.query(self._symbol)
        names = ("date", "open", "high", "low", "close", "volume")
        bars = tuple(Bar(*(row[name] for name in names)) for row in rows)
        return PriceHistory(self._symbol, self._leaf.source, bars)

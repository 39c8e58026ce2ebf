"""Present prices and histories from a feed, for a portfolio that is valued in a market."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import MarketDataError, PositionsError
from bank_python.market_data import Feed, feed_named, live_date
from bank_python.portfolio.history import History

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.market_data import Tick

__all__ = ["Quotes", "load_history"]

_OLDEST = 10
"""Days after which the last quote of a live market is not taken for a present one."""


class Quotes:
    """Quotes of a feed, each symbol polled when it is first needed.

    Parameters
    ----------
    market : Feed or str
        A feed, or the name of one: simulated, history, yahoo, ccxt.

    Attributes
    ----------
    feed : Feed
        Source of the quotes.
    failures : dict of str to str
        Reason why a symbol has no quote, by symbol.
    date : date or None
        Day of the latest quote, UTC.

    Raises
    ------
    PositionsError
        It is neither.
    """

    def __init__(self, market: Feed | str) -> None:
        if not isinstance(market, str | Feed):
            raise PositionsError(f"market={market!r} is no feed; give simulated, history, yahoo, ccxt or a Feed")
        self.feed: Feed = feed_named(market) if isinstance(market, str) else market
        self.failures: dict[str, str] = {}
        self.date: dt.date | None = None
        self._prices: dict[str, float | None] = {}

    @property
    def symbols(self) -> frozenset[str]:
        """Symbols that the feed lists; empty if it does not say."""
        return self.feed.symbols or frozenset()

    def load(self, symbols: Iterable[str]) -> None:
        """Poll symbols that have not been polled, all at once."""
        listed = self.feed.symbols
        new = [symbol for symbol in dict.fromkeys(symbols) if symbol not in self._prices]
        wanted = [symbol for symbol in new if listed is None or symbol in listed]
        self._prices |= dict.fromkeys(new)
        if not wanted:
            return
        poll = self.feed.poll(wanted)
        self.failures |= {failure.symbol: failure.reason for failure in poll.failures}
        for tick in poll.ticks:
            fault = self._fault(tick)
            if fault:
                self.failures[tick.symbol] = fault
            else:
                self._prices[tick.symbol] = float(tick.price)
                self.date = max(self.date or dt.date.min, tick.time.astimezone(dt.UTC).date())

    def _fault(self, tick: Tick) -> str:
        if not (math.isfinite(tick.price) and tick.price > 0.0):
            return f"its quote {tick.price!r} is not above 0"
        day, today = tick.time.astimezone(dt.UTC).date(), live_date(self.feed)
        if today is not None and (today - day).days > _OLDEST:
            return f"its last quote is of {day}, {(today - day).days} days ago"
        return ""

    def price(self, symbol: str) -> float | None:
        """Return the price of a symbol, None if the feed has none."""
        self.load([symbol])
        return self._prices[symbol]


def load_history(feed: Feed, tickers: Iterable[str], period: str) -> History:
    """Return the daily closes of some tickers from a feed.

    Parameters
    ----------
    feed : Feed
        Source of the histories.
    tickers : iterable of str
        Symbols as the feed spells them.
    period : str
        Length of the history: ``"2y"``.

    Raises
    ------
    PositionsError
        The feed has no history of a ticker; the message names it.
    """
    closes: dict[str, dict[dt.date, float]] = {}
    for ticker in tickers:
        try:
            bars = feed.history(ticker, period).bars
        except MarketDataError as error:
            raise PositionsError(f"{feed.name} has no history of {ticker}: {error}; give prices=") from error
        closes[ticker] = {bar.date.date(): bar.close for bar in bars}
    dates = sorted({date for column in closes.values() for date in column})
    table = np.array([[column.get(date, np.nan) for column in closes.values()] for date in dates])
    return History(feed.name, tuple(closes), tuple(dates), table, has_levels=True)

"""Market data: quotes as leaves, the feeds that move them, and the manager that decides what to believe."""

from bank_python.market_data.clock import Clock
from bank_python.market_data.feed import Bar, Feed, Poll, PriceHistory, QuoteFailure, Tick
from bank_python.market_data.leaves import MarketData

__all__ = [
    "Bar",
    "Clock",
    "Feed",
    "MarketData",
    "Poll",
    "PriceHistory",
    "QuoteFailure",
    "Tick",
]

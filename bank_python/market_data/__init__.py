"""Market data: quotes as leaves of a graph, the feeds that deliver them, and the manager that checks them."""

from bank_python.completion import public_names
from bank_python.market_data.ccxt_feed import CcxtFeed
from bank_python.market_data.choose import feed_from_environment, feed_named
from bank_python.market_data.clock import Clock
from bank_python.market_data.feed import Bar, Feed, LiveFeed, Poll, PriceHistory, QuoteFailure, Tick, live_date
from bank_python.market_data.history_feed import HistoryFeed
from bank_python.market_data.leaves import MarketData
from bank_python.market_data.manager import MarketDataManager
from bank_python.market_data.quotes import MarketUpdate, Quote, QuoteState
from bank_python.market_data.recording import RecordingFeed
from bank_python.market_data.replay import ReplayFeed
from bank_python.market_data.simulated import SimulatedFeed
from bank_python.market_data.symbol_spec import SymbolKind, SymbolSpec
from bank_python.market_data.yahoo import YahooFeed

__all__ = [
    "Bar",
    "CcxtFeed",
    "Clock",
    "Feed",
    "HistoryFeed",
    "LiveFeed",
    "MarketData",
    "MarketDataManager",
    "MarketUpdate",
    "Poll",
    "PriceHistory",
    "Quote",
    "QuoteFailure",
    "QuoteState",
    "RecordingFeed",
    "ReplayFeed",
    "SimulatedFeed",
    "SymbolKind",
    "SymbolSpec",
    "Tick",
    "YahooFeed",
    "feed_from_environment",
    "feed_named",
    "live_date",
]

__dir__ = public_names(__name__)

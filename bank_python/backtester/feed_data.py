"""Data of a back-test to which none are given: the history of the configured feed."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from bank_python.errors import BacktestError
from bank_python.market_data.choose import FEED_VARIABLE, feed_named
from bank_python.market_data.price_history import PriceHistoryTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bank_python.backtester.strategy import BacktestStrategy
    from bank_python.market_data import Feed

__all__ = ["configured_feed", "feed_history", "history_of", "label_of"]

_SIMULATED = "simulated"


def feed_history(strategy: BacktestStrategy) -> tuple[PriceHistoryTable, str]:
    """Return the bars of a strategy's tickers, and a note that says where they come from.

    Parameters
    ----------
    strategy : BacktestStrategy
        Strategy that says its tickers.

    Raises
    ------
    BacktestError
        The strategy does not say its tickers.
    FeedError
        The feed has no such ticker, or cannot be reached.
    """
    return history_of(strategy.name, strategy.inputs)


def history_of(strategy: str, tickers: Sequence[str]) -> tuple[PriceHistoryTable, str]:
    """Return the bars of some tickers, and a note that says where they come from.

    The feed is that of the environment variable ``BANK_PYTHON_FEED``, by default the simulated market.

    Parameters
    ----------
    strategy : str
        Name of the strategy that looks at them.
    tickers : sequence of str
        Names of the tickers.

    Raises
    ------
    BacktestError
        There are no tickers.
    FeedError
        The feed has no such ticker, or cannot be reached.
    """
    if not tickers:
        raise BacktestError(
            f"data= is not given, and {strategy} does not say its tickers; give bars or closes by ticker, a data "
            "frame or a table",
            name="data",
        )
    found = PriceHistoryTable()
    with configured_feed() as feed:
        for ticker in tickers:
            found.load(ticker, feed.history(ticker, "max"))
        return found, label_of(feed.name)


@contextlib.contextmanager
def configured_feed() -> Iterator[Feed]:
    """Open the feed that ``BANK_PYTHON_FEED`` names, by default the simulated market, and close it afterwards."""
    feed = feed_named(os.environ.get(FEED_VARIABLE, "").strip() or _SIMULATED)
    try:
        yield feed
    finally:
        feed.close()


def label_of(source: str) -> str:
    """Return what a reader has to know of prices of a feed.

    Parameters
    ----------
    source : str
        Name of the feed.
    """
    return "simulated prices, not those of a market" if source == _SIMULATED else f"prices of the feed {source}"

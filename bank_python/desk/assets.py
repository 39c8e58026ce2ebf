"""The assets of the showcase's portfolios, with covariances and mean returns at the desk's current prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.optimizer import CovarianceData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.desk import Desk

__all__ = ["ASSETS", "MARKET", "RATE", "asset_data", "with_common_past"]

ASSETS = ("AAPL", "MSFT", "NVDA", "JPM", "XOM", "KO", "GLD", "TLT")
"""Shares of several sectors, gold and long bonds."""
MARKET = "SPY"
"""Fund that represents the share market."""
RATE = 0.04
"""Risk-free rate per year for Sharpe ratios, as a decimal."""

_PERIOD = "2y"


def with_common_past(desk: Desk, tickers: Sequence[str]) -> tuple[str, ...]:
    """Return the tickers quoted by one feed, that with the most of them: two feeds may have no dates in common."""
    by_feed: dict[str, list[str]] = {}
    for ticker in tickers:
        if ticker in desk.listings:
            by_feed.setdefault(desk.listings[ticker].feed.name, []).append(ticker)
    most = max(by_feed, key=lambda feed: len(by_feed[feed]), default="")
    return tuple(by_feed.get(most, ()))


def asset_data(desk: Desk, tickers: Sequence[str] = ASSETS) -> CovarianceData:
    """Return the covariance matrix (Ledoit–Wolf) and mean returns of two years, with the current prices.

    Raises
    ------
    BankError
        A price or a price history is missing; the message names the ticker.
    """
    chosen = with_common_past(desk, tickers)
    for ticker in chosen:
        desk.market.load_history(ticker, _PERIOD)
    spots = {ticker: desk.leaf(ticker) for ticker in chosen}
    return CovarianceData.from_graph(desk.graph, desk.market.history, chosen, spots=spots, estimator="ledoit_wolf")

"""The assets that the showcase makes portfolios of, and what is known of them at the desk's present prices."""

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
"""What stands for the market of shares."""
RATE = 0.04
"""The riskless rate a year that Sharpe ratios are measured from."""

_PERIOD = "2y"


def with_common_past(desk: Desk, tickers: Sequence[str]) -> tuple[str, ...]:
    """Return the tickers of the feed that quotes most of them: what two feeds quote may have no day in common."""
    by_feed: dict[str, list[str]] = {}
    for ticker in tickers:
        if ticker in desk.listings:
            by_feed.setdefault(desk.listings[ticker].feed.name, []).append(ticker)
    most = max(by_feed, key=lambda feed: len(by_feed[feed]), default="")
    return tuple(by_feed.get(most, ()))


def asset_data(desk: Desk, tickers: Sequence[str] = ASSETS) -> CovarianceData:
    """Return covariance (Ledoit–Wolf) and mean returns of two years and the present prices.

    Raises
    ------
    BankError
        A price or a past is missing; the message says whose.
    """
    chosen = with_common_past(desk, tickers)
    for ticker in chosen:
        desk.market.load_history(ticker, _PERIOD)
    spots = {ticker: desk.leaf(ticker) for ticker in chosen}
    return CovarianceData.from_graph(desk.graph, desk.market.history, chosen, spots=spots, estimator="ledoit_wolf")

"""The market of a back-test as a graph: a leaf for each ticker, set to the closes of the bar that is replayed.

Examples
--------
>>> context = BacktestContext.of_tickers(["A", "B"])
>>> total = context.graph.derive("total", lambda a, b: a + b, list(context.market_data_nodes.values()))
>>> context.prices = {"A": 10.0, "B": 2.5}
>>> context.apply()
>>> total.value
12.5
>>> context.prices = {"A": 11.0, "B": 0.0}  # a price that is not above 0 is none: the leaf keeps the last one
>>> context.apply()
>>> total.value
13.5
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bank_python.dagger import DependencyGraph
from bank_python.display import Record
from bank_python.market_data import MarketData

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

__all__ = ["BacktestContext"]


@dataclass(slots=True, eq=False)
class BacktestContext(Record):
    """What a strategy of the form ``on_bar(context, engine, date)`` sees of the market.

    Parameters
    ----------
    graph : DependencyGraph
        Graph of the leaves, to which a strategy may add its own nodes.
    market_data_nodes : mapping of str to MarketData
        Leaf with the price of each ticker.
    date : str, default ""
        Date of the present bar, ISO 8601; empty before the first.
    prices : mapping of str to float, optional
        Last close of each ticker that has had a bar.
    stale : frozenset of str, optional
        Tickers without a bar at this date, whose price is that of an earlier one.
    """

    graph: DependencyGraph
    market_data_nodes: Mapping[str, MarketData]
    date: str = ""
    prices: Mapping[str, float] = field(default_factory=dict)
    stale: frozenset[str] = frozenset()

    @classmethod
    def of_tickers(cls, tickers: Iterable[str]) -> Self:
        """Return a context with a new graph, and a leaf without a price for each ticker.

        Parameters
        ----------
        tickers : iterable of str
            Names of the tickers.
        """
        graph = DependencyGraph()
        return cls(graph, {ticker: graph.register(MarketData(f"{ticker}_SPOT")) for ticker in tickers})

    def apply(self) -> None:
        """Set the leaves to the prices as one tick; a price that is not finite and above 0 leaves its leaf as it is."""
        with self.graph.batch():
            for ticker, leaf in self.market_data_nodes.items():
                price = self.prices.get(ticker, math.nan)
                if 0.0 < price < math.inf:
                    leaf.set_price(price)

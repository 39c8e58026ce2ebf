"""Optimal portfolios as nodes of a graph, recomputed when prices change.

A :class:`ReactivePortfolio` depends on the spot prices of its assets and on their history. Its covariance and expected
returns are estimated from the past closes, followed by the present prices; the portfolio is a node, and so is every
weight::

    OPTIMAL:CLOSES, A_SPOT, B_SPOT, … → OPTIMAL:PORTFOLIO → OPTIMAL:WEIGHT:A, OPTIMAL:WEIGHT:B, …

A policy can restrict when the portfolio is recomputed (at most every so many seconds, or only after a price has moved
by a given amount); ``as_of_tick`` of the node is the tick of the last computation. What-if layers and ``explain`` work
as for any node. :meth:`ReactivePortfolio.drift` measures the distance of a live book from the portfolio, for risk
limits.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.market_data import MarketData, SimulatedFeed
>>> from bank_python.market_data.price_history import PriceHistoryTable
>>> graph, feed, history = DependencyGraph(), SimulatedFeed(seed=3), PriceHistoryTable()
>>> for ticker in ("AAPL", "KO", "GLD"):
...     bars = feed.history(ticker, "1y")
...     rows, spot = history.load(ticker, bars), graph.register(MarketData(f"{ticker}_SPOT", bars.bars[-1].close))
>>> optimal = ReactivePortfolio(graph, history, ["AAPL", "KO", "GLD"], "risk_parity")
>>> before = optimal.weight("AAPL").value
>>> graph["AAPL_SPOT"].set_price(1.1 * graph["AAPL_SPOT"].value)
>>> optimal.weight("AAPL").value < before  # a jump of the price increases the volatility
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.dagger import Domain, LargeNode, Leaf
from bank_python.errors import CalibrationError
from bank_python.guessing import guessable
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.drift import BookDrift
from bank_python.optimizer.estimators import Estimator
from bank_python.optimizer.factory import create_optimizer
from bank_python.optimizer.inputs import distinct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.dagger import DependencyGraph, DerivedNode, Node, Policy
    from bank_python.instruments import Book
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import Estimation
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["ReactivePortfolio"]


@guessable
class ReactivePortfolio:
    """An optimal portfolio as a node of a graph.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the price nodes.
    history : PriceHistoryTable
        Price history of all assets, such as ``manager.history``.
    tickers : sequence of str
        Tickers of the assets.
    kind : str, default "max_sharpe"
        Kind of optimiser, see :func:`~bank_python.optimizer.create_optimizer`.
    name : str, default "OPTIMAL"
        Prefix of the node names.
    policy : Policy, optional
        Policy that determines when the portfolio is recomputed; after every change of a price if omitted.
    spots : mapping of str to Node or str, optional
        Price nodes or their names by ticker; ``<ticker>_SPOT`` for tickers not listed.
    estimation : mapping, optional
        Keyword arguments of :meth:`CovarianceData.from_prices`; here the estimator defaults to "ledoit_wolf".
    **params
        Parameters of the optimiser: constraints by name, ``risk_free_rate`` and so on.

    Raises
    ------
    UnknownNodeError, UnknownTickerError
        If a price is not in the graph, or a ticker has no history.
    CalibrationError
        If the history is too short.
    ModelError
        If the optimiser rejects a parameter.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        history: PriceHistoryTable,
        tickers: Sequence[str],
        kind: str = "max_sharpe",
        *,
        name: str = "OPTIMAL",
        policy: Policy | None = None,
        spots: Mapping[str, Node | str] | None = None,
        estimation: Estimation | None = None,
        **params: Any,
    ) -> None:
        self.name, self.tickers = name, distinct(tickers)
        self._graph, self._history = graph, history
        self._kind, self._params = kind, params
        self._estimation: Estimation = {"estimator": Estimator.LEDOIT_WOLF, **(estimation or {})}
        known = spots or {}
        self.spots = {ticker: graph.node(known.get(ticker, f"{ticker}_SPOT")) for ticker in self.tickers}
        self._closes = Leaf(f"{name}:CLOSES", self._panel(), Domain.ANY)
        found = self.find(*(float(cast("float", spot.value)) for spot in self.spots.values()))
        inputs = [self._closes, *self.spots.values()]
        with graph.batch():  # registers all nodes, or none if a name is in use
            self.node: DerivedNode = graph.register(
                LargeNode(f"{name}:PORTFOLIO", self._optimize, inputs, None, policy)
            )
            self._weights = {
                ticker: graph.derive(f"{name}:WEIGHT:{ticker}", _picker(i), [self.node])
                for i, ticker in enumerate(found.tickers)
            }

    @property
    def portfolio(self) -> OptimalPortfolio:
        """Value of the portfolio node."""
        return cast("OptimalPortfolio", self.node.value)

    def weight(self, ticker: str) -> DerivedNode:
        """Return the node of an asset's weight.

        Raises
        ------
        CalibrationError
            If the ticker is not one of the assets.
        """
        if ticker not in self._weights:
            raise CalibrationError(f"no weight of {ticker!r}; there are {', '.join(self._weights)}", value=ticker)
        return self._weights[ticker]

    def data(self) -> CovarianceData:
        """Return the covariance data at the present prices."""
        prices = [float(cast("float", spot.value)) for spot in self.spots.values()]
        return self._data(cast("FloatArray", self._closes.value), prices)

    def find(self, *prices: float) -> OptimalPortfolio:
        """Return the optimal portfolio at given prices, in the order of the assets."""
        return self._optimize(cast("FloatArray", self._closes.value), *prices)

    def follow_history(self) -> bool:
        """Update the past closes from the price history, as one tick; return whether they have changed."""
        closes = self._panel()
        if np.array_equal(closes, cast("FloatArray", self._closes.value)):
            return False
        self._closes.set(closes)
        return True

    def drift(self, book: Book) -> BookDrift:
        """Return the drift of a live book from this portfolio, registered as a node of the graph."""
        return BookDrift(self._graph, book, self.spots, self.node)

    def remove(self) -> None:
        """Remove the nodes of the portfolio from the graph.

        Raises
        ------
        GraphError
            If another node, such as a book's drift, depends on one of them; the graph is then unchanged.
        """
        with self._graph.batch():
            for node in (*self._weights.values(), self.node, self._closes):
                self._graph.unregister(node)

    def _optimize(self, closes: FloatArray, *prices: float) -> OptimalPortfolio:
        return create_optimizer(self._kind, self._data(closes, prices), **self._params).optimize()

    def _data(self, closes: FloatArray, prices: Sequence[float]) -> CovarianceData:
        return CovarianceData.from_prices(np.vstack([closes, prices]), self.tickers, **self._estimation)

    def _panel(self) -> FloatArray:
        closes = self._history.panel(self.tickers).closes
        closes.setflags(write=False)  # values of leaves are immutable
        return closes

    def __repr__(self) -> str:
        return f"<ReactivePortfolio {self.name!r}: {self._kind} of {len(self.tickers):,} assets>"


def _picker(i: int) -> Any:
    def weight(portfolio: OptimalPortfolio) -> float:
        return float(portfolio.weights[i])

    return weight

"""Optimal weights as nodes: they follow returns and prices.

A :class:`ReactivePortfolio` depends on the spots of its assets and on their history. Its covariance and its expected
returns are estimated from the past closes and, as the last of them, the present prices; the portfolio is a node, and so
is every weight::

    OPTIMAL:CLOSES, A_SPOT, B_SPOT, … → OPTIMAL:PORTFOLIO → OPTIMAL:WEIGHT:A, OPTIMAL:WEIGHT:B, …

An optimum at every tick is rarely wanted: a policy says when it is found again (at most every so many seconds, or only
when a price has moved by so much), and ``as_of_tick`` of the node how old it is. What-if layers and ``explain`` work as
everywhere. :meth:`drift` is how far a live book is from it, for a limit to depend on.

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
>>> optimal.weight("AAPL").value < before  # a share that jumps is riskier
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.dagger import Domain, LargeNode, Leaf
from bank_python.errors import CalibrationError
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


class ReactivePortfolio:
    """An optimal portfolio on a graph.

    Parameters
    ----------
    graph : DependencyGraph
        Where the prices live.
    history : PriceHistoryTable
        Past prices of every asset; ``manager.history``.
    tickers : sequence of str
        The assets.
    kind : str, default "max_sharpe"
        See :func:`~bank_python.optimizer.create_optimizer`.
    name : str, default "OPTIMAL"
        Of its nodes.
    policy : Policy, optional
        When the portfolio is found again, if not at every tick of a price.
    spots : mapping of str to Node or str, optional
        Each asset's price; ``<ticker>_SPOT`` if left out.
    estimation : mapping, optional
        How covariance and expected returns are estimated: what :meth:`CovarianceData.from_prices` takes by name. By
        default the estimator is "ledoit_wolf".
    **params
        For the optimiser: constraints by name, ``risk_free_rate`` and so on.

    Raises
    ------
    UnknownNodeError, UnknownTickerError
        A price is not in the graph, or a ticker has no history.
    CalibrationError
        There is too little history.
    ModelError
        Whatever the optimiser refuses, found out at once.
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
        with graph.batch():  # all of its nodes, or none where a name is taken
            self.node: DerivedNode = graph.register(LargeNode(f"{name}:PORTFOLIO", self._found, inputs, None, policy))
            self._weights = {
                ticker: graph.derive(f"{name}:WEIGHT:{ticker}", _picker(i), [self.node])
                for i, ticker in enumerate(found.tickers)
            }

    @property
    def portfolio(self) -> OptimalPortfolio:
        """The portfolio as its node has it."""
        return cast("OptimalPortfolio", self.node.value)

    def weight(self, ticker: str) -> DerivedNode:
        """Return the node of an asset's weight.

        Raises
        ------
        CalibrationError
            It is not one of the assets.
        """
        if ticker not in self._weights:
            raise CalibrationError(f"no weight of {ticker!r}; there are {', '.join(self._weights)}", value=ticker)
        return self._weights[ticker]

    def data(self) -> CovarianceData:
        """Return what the optimum stands on at the present prices."""
        prices = [float(cast("float", spot.value)) for spot in self.spots.values()]
        return self._data(cast("FloatArray", self._closes.value), prices)

    def find(self, *prices: float) -> OptimalPortfolio:
        """Return the optimum at given prices of the assets, in their order."""
        return self._found(cast("FloatArray", self._closes.value), *prices)

    def follow_history(self) -> bool:
        """Take in what was loaded into the history since, as a tick; return whether there was anything."""
        closes = self._panel()
        if np.array_equal(closes, cast("FloatArray", self._closes.value)):
            return False
        self._closes.set(closes)
        return True

    def drift(self, book: Book) -> BookDrift:
        """Return how far a live book's shares of the assets are from this portfolio."""
        return BookDrift(self._graph, book, self.spots, self.node)

    def remove(self) -> None:
        """Take its nodes out of the graph.

        Raises
        ------
        GraphError
            Something depends on one of them, such as a book's drift; nothing has changed.
        """
        with self._graph.batch():
            for node in (*self._weights.values(), self.node, self._closes):
                self._graph.unregister(node)

    def _found(self, closes: FloatArray, *prices: float) -> OptimalPortfolio:
        return create_optimizer(self._kind, self._data(closes, prices), **self._params).optimize()

    def _data(self, closes: FloatArray, prices: Sequence[float]) -> CovarianceData:
        return CovarianceData.from_prices(np.vstack([closes, prices]), self.tickers, **self._estimation)

    def _panel(self) -> FloatArray:
        closes = self._history.panel(self.tickers).closes
        closes.setflags(write=False)  # a leaf's value is nobody's to change
        return closes


def _picker(i: int) -> Any:
    def weight(portfolio: OptimalPortfolio) -> float:
        return float(portfolio.weights[i])

    return weight

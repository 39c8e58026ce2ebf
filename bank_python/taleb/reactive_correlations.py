"""Fragility to correlations as a node of a graph: of the mean-variance portfolio of some assets, at present prices.

A :class:`ReactiveCorrelations` depends on the past closes of its assets and on their prices::

    CORRELATIONS:CLOSES, A_SPOT, B_SPOT, … → CORRELATIONS:FRAGILITY

The node is an optimisation for each shift, and so has a policy by default: it is evaluated when it is read.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.market_data import MarketData, SimulatedFeed
>>> from bank_python.market_data.price_history import PriceHistoryTable
>>> graph, feed, history = DependencyGraph(), SimulatedFeed(seed=3), PriceHistoryTable()
>>> for ticker in ("AAPL", "MSFT", "GLD"):
...     bars = feed.history(ticker, "2y")
...     rows, spot = history.load(ticker, bars), graph.register(MarketData(f"{ticker}_SPOT", bars.bars[-1].close))
>>> correlations = ReactiveCorrelations(graph, history, ["AAPL", "MSFT", "GLD"], risk_aversion=5.0)
>>> found = correlations.fragility.value
>>> found.tickers, 0.0 <= found.p_value <= 1.0
(('AAPL', 'MSFT', 'GLD'), True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import Domain, LargeNode, Leaf, OnRead
from bank_python.errors import CalibrationError
from bank_python.guessing import guessable
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.taleb.correlation_fragility import CorrelationFragilityAnalyzer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from bank_python.dagger import DependencyGraph, DerivedNode, Node, Policy
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray
    from bank_python.taleb.correlation_fragility import CorrelationFragility

__all__ = ["ReactiveCorrelations"]

_ON_READ = OnRead()


@guessable
class ReactiveCorrelations:
    """Fragility of a portfolio to its correlations, as a node of a graph.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the price nodes.
    history : PriceHistoryTable
        Price history of all assets, such as ``manager.history``.
    tickers : sequence of str
        Tickers of two assets or more.
    name : str, default "CORRELATIONS"
        Prefix of the names of the nodes.
    policy : Policy, default OnRead()
        Policy that determines when the analysis is made.
    spots : mapping of str to Node or str, optional
        Price nodes or their names by ticker; ``<ticker>_SPOT`` for tickers not listed.
    deltas : array_like, shape (n_deltas,), optional
        Shifts of all correlations; see :meth:`~bank_python.taleb.CorrelationFragilityAnalyzer.analyze`.
    window : int, default 20
        Number of returns in a window of the tests, at least 4.
    bootstrap : int, default 199
        Number of samples drawn for the bootstrap p-value; 0 for none.
    risk_aversion : float, default 1
        Risk aversion of the portfolio, above 0.

    Raises
    ------
    UnknownNodeError, UnknownTickerError
        A price is not in the graph, or a ticker has no history.
    CalibrationError
        There is one ticker only, or the history is too short.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        history: PriceHistoryTable,
        tickers: Sequence[str],
        *,
        name: str = "CORRELATIONS",
        policy: Policy = _ON_READ,
        spots: Mapping[str, Node | str] | None = None,
        deltas: ArrayLike | None = None,
        window: int = 20,
        bootstrap: int = 199,
        risk_aversion: float = 1.0,
    ) -> None:
        self.name, self.tickers = name, tuple(dict.fromkeys(tickers))
        if len(self.tickers) < 2:  # noqa: PLR2004 - a pair
            raise CalibrationError(f"{len(self.tickers)} ticker has no correlation; give two or more", value=tickers)
        self._graph, self._history = graph, history
        self._deltas, self._window, self._bootstrap, self._aversion = deltas, window, bootstrap, risk_aversion
        known = spots or {}
        self.spots = {ticker: graph.node(known.get(ticker, f"{ticker}_SPOT")) for ticker in self.tickers}
        self._closes = Leaf(f"{name}:CLOSES", self._panel(), Domain.ANY)
        prices = [float(cast("float", spot.value)) for spot in self.spots.values()]
        self._analyzer(cast("FloatArray", self._closes.value), prices)  # refuses before anything is added
        with graph.batch():  # registers all nodes, or none if a name is in use
            self.fragility: DerivedNode = graph.register(
                LargeNode(f"{name}:FRAGILITY", self._analyzed, [self._closes, *self.spots.values()], policy=policy)
            )

    def follow_history(self) -> bool:
        """Update the past closes from the price history, as one tick; return whether they have changed."""
        closes = self._panel()
        if np.array_equal(closes, cast("FloatArray", self._closes.value)):
            return False
        self._closes.set(closes)
        return True

    def remove(self) -> None:
        """Remove the nodes from the graph.

        Raises
        ------
        GraphError
            Another node depends on one of them; the graph is then unchanged.
        """
        with self._graph.batch():
            for node in (self.fragility, self._closes):
                self._graph.unregister(node)

    def _analyzed(self, closes: FloatArray, *prices: float) -> CorrelationFragility:
        return self._analyzer(closes, prices).analyze(self._deltas, self._window, bootstrap=self._bootstrap)

    def _analyzer(self, closes: FloatArray, prices: Sequence[float]) -> CorrelationFragilityAnalyzer:
        data = CovarianceData.from_prices(np.vstack([closes, prices]), self.tickers)
        return CorrelationFragilityAnalyzer(data, risk_aversion=self._aversion)

    def _panel(self) -> FloatArray:
        closes = self._history.panel(self.tickers).closes
        closes.setflags(write=False)  # values of leaves are immutable
        return closes

    def __repr__(self) -> str:
        return f"<ReactiveCorrelations {self.name!r}: of {len(self.tickers):,} assets>"

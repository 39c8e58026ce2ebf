"""What models of one price series have in common as nodes: closes as a leaf, the live price, following, removing.

A subclass registers the nodes that depend on :attr:`ReactiveSeries.closes` and on the price, and lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import Domain, Leaf
from bank_python.errors import CalibrationError

if TYPE_CHECKING:
    from bank_python.dagger import DependencyGraph, Node
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray

__all__ = ["ReactiveSeries"]


class ReactiveSeries:
    """Base class of models of one price series as nodes of a graph.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the price node.
    history : PriceHistoryTable
        Price history of the ticker.
    ticker : str
        Ticker of the asset.
    name : str
        Prefix of the node names.
    spot : Node or str, optional
        Price node or its name; ``<ticker>_SPOT`` if omitted.

    Raises
    ------
    UnknownNodeError, UnknownTickerError
        If the price is not in the graph, or the ticker has no history.
    CalibrationError
        If a close is not above 0.
    """

    def __init__(
        self, graph: DependencyGraph, history: PriceHistoryTable, ticker: str, name: str, spot: Node | str | None
    ) -> None:
        self.ticker, self.name = ticker, name
        self.graph, self.history = graph, history
        self.spot = graph.node(f"{ticker}_SPOT" if spot is None else spot)
        self.closes = Leaf(f"{name}:CLOSES", self._past(), Domain.ANY)

    def nodes(self) -> tuple[Node, ...]:
        """Return the registered nodes, each before those that it depends on."""
        return (self.closes,)

    def follow_history(self) -> bool:
        """Update the closes from the price history, as one tick; return whether they have changed."""
        closes = self._past()
        if np.array_equal(closes, self.past):
            return False
        self.closes.set(closes)
        return True

    def remove(self) -> None:
        """Remove the nodes from the graph.

        Raises
        ------
        GraphError
            If another node depends on one of them; the graph is then unchanged.
        """
        with self.graph.batch():
            for node in self.nodes():
                self.graph.unregister(node)

    @property
    def past(self) -> FloatArray:
        """Closes that the model is fitted to, the oldest first; shape (n,)."""
        return cast("FloatArray", self.closes.value)

    def _past(self) -> FloatArray:
        closes = self.history.closes(self.ticker).copy()
        if not (closes > 0.0).all():
            bad = float(closes[int(np.argmin(closes > 0.0))])
            raise CalibrationError(f"a close of {self.ticker} is {bad!r}; prices are above 0", value=bad)
        closes.setflags(write=False)  # values of leaves are immutable
        return closes

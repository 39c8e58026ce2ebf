"""Tails of series as nodes of a graph: of any node with a series, and of a ticker's returns up to its present price.

:func:`tail_node` adds the tails of a node whose value is a series, such as the P&L in past scenarios. A
:class:`ReactiveTails` depends on the closes of a ticker and on its price::

    TAILS:SPY:CLOSES → TAILS:SPY:READING ← SPY_SPOT

A tail moves slowly and its estimate costs more than a price. A policy, such as :class:`~bank_python.dagger.Every` or
:class:`~bank_python.dagger.OnRead`, keeps ticks from paying for it.

Examples
--------
>>> from bank_python.dagger import DependencyGraph, Moved
>>> from bank_python.market_data import MarketData, SimulatedFeed
>>> from bank_python.market_data.price_history import PriceHistoryTable
>>> graph, history, bars = DependencyGraph(), PriceHistoryTable(), SimulatedFeed(seed=3).history("SPY", "5y")
>>> rows, spot = history.load("SPY", bars), graph.register(MarketData("SPY_SPOT", bars.bars[-1].close))
>>> tails = ReactiveTails(graph, history, "SPY", policy=Moved(0.05, relative=True))
>>> before = tails.reading.value
>>> spot.set_price(0.99 * spot.value)  # less than the policy asks for
>>> tails.reading.value is before
True
>>> spot.set_price(0.8 * spot.value)
>>> tails.reading.value.max_to_sum > 5.0 * before.max_to_sum
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import LargeNode
from bank_python.guessing import guessable
from bank_python.risk.reactive_series import ReactiveSeries
from bank_python.taleb.tail_reading import tail_reading

if TYPE_CHECKING:
    from bank_python.dagger import DependencyGraph, DerivedNode, Node, Policy
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray
    from bank_python.taleb.tail_reading import TailReading

__all__ = ["ReactiveTails", "tail_node"]


@guessable
def tail_node(
    graph: DependencyGraph, series: Node | str, *, name: str | None = None, policy: Policy | None = None
) -> DerivedNode:
    """Register a node with the tails of a series, a :class:`~bank_python.taleb.TailReading` as its value.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the node of the series.
    series : Node or str
        Node whose value is a series of returns or P&L, an array of shape (n,), or its name.
    name : str, optional
        Name of the new node; ``<series>:TAILS`` if omitted.
    policy : Policy, optional
        Policy that determines when the tails are evaluated; after every change of the series if omitted.

    Raises
    ------
    UnknownNodeError
        There is no such node.
    DuplicateNodeError
        The name is in use.
    """
    source = graph.node(series)
    return graph.register(
        LargeNode(f"{source.name}:TAILS" if name is None else name, tail_reading, [source], policy=policy)
    )


@guessable
class ReactiveTails(ReactiveSeries):
    """Tails of a ticker's returns as a node of a graph.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the price node.
    history : PriceHistoryTable
        Price history of the ticker, such as ``manager.history``, in equal steps of time.
    ticker : str
        Ticker of the asset.
    name : str, optional
        Prefix of the names of the nodes; ``TAILS:<ticker>`` if omitted.
    policy : Policy, optional
        Policy that determines when the tails are evaluated; after every change of the price if omitted.
    spot : Node or str, optional
        Price node or its name; ``<ticker>_SPOT`` if omitted.

    Raises
    ------
    UnknownNodeError, UnknownTickerError
        The price is not in the graph, or the ticker has no history.
    CalibrationError
        A close is not above 0, or the history is too short or constant.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        history: PriceHistoryTable,
        ticker: str,
        *,
        name: str | None = None,
        policy: Policy | None = None,
        spot: Node | str | None = None,
    ) -> None:
        super().__init__(graph, history, ticker, f"TAILS:{ticker}" if name is None else name, spot)
        _reading(self.past, cast("float", self.spot.value))  # refuses before anything is added
        with graph.batch():  # registers all nodes, or none if a name is in use
            self.reading: DerivedNode = graph.register(
                LargeNode(f"{self.name}:READING", _reading, [self.closes, self.spot], policy=policy)
            )

    def nodes(self) -> tuple[Node, ...]:
        """Return the registered nodes, each before those that it depends on."""
        return (self.reading, *super().nodes())

    def __repr__(self) -> str:
        return f"<ReactiveTails {self.name!r}: {len(self.past):,} closes of {self.ticker}>"


def _reading(closes: FloatArray, spot: float) -> TailReading:
    """Return the tails of the simple returns, of which that to the present price is the last."""
    prices = np.append(closes, spot)
    return tail_reading(prices[1:] / prices[:-1] - 1.0)

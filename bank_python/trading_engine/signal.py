"""Signals: pure functions of the data up to now, to what should be traded, how strongly and why.

A :class:`SignalRule` has one method to write, :meth:`SignalRule.signals`. From it come the orders
(:meth:`SignalRule.generate`), which carry the last price that the signal saw, and a node of a graph
(:meth:`SignalRule.node`), which follows the data.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bank_python.dagger import LargeNode
from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.trading_engine.market_closes import closes_of
from bank_python.trading_engine.order import Order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.dagger import DependencyGraph, DerivedNode, Node, Policy
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.words import Side

__all__ = ["LEAST_STRENGTH", "Signal", "SignalRule", "last_price"]

LEAST_STRENGTH = 0.3
"""Strength from which a signal becomes an order."""


@dataclass(frozen=True, slots=True)
class Signal(Record):
    """What a rule wants.

    Parameters
    ----------
    instrument : str
        Name of the instrument.
    side : Side
        Direction of the trade.
    quantity : float
        Number of units, above 0.
    strength : float
        Strength of the signal, in [0, 1].
    reason : str
        Figures behind the signal, in words.
    price : float or None, default None
        Last price that the rule saw.
    """

    instrument: str
    side: Side
    quantity: float
    strength: float
    reason: str
    price: float | None = None


class SignalRule(ABC):
    """Base class of signals."""

    strategy: ClassVar[str]
    """Name of the strategy, which the orders carry."""

    @abstractmethod
    def from_closes(self, closes: Mapping[str, FloatArray]) -> list[Signal]:
        """Return the signals at the end of closes by name; none where there are too few.

        Parameters
        ----------
        closes : mapping of str to ndarray
            Closes by name, oldest first, up to now.
        """

    def signals(self, market_data: Any) -> tuple[Signal, ...]:
        """Return the signals at the end of the data, none where there are too few.

        Parameters
        ----------
        market_data : mapping, DataFrame, Table or PriceHistoryTable
            Closes up to now; see :func:`~bank_python.trading_engine.market_closes.closes_of`.

        Raises
        ------
        TradingError
            The data cannot be read, or a close that is needed is not a finite number; its name is said.
        """
        return tuple(self.from_closes(closes_of(market_data)))

    def generate(self, market_data: Any, *, trader: str = "") -> list[Order]:
        """Return market orders for the signals whose strength is at least 0.3.

        Parameters
        ----------
        market_data : mapping, DataFrame, Table or PriceHistoryTable
            Closes up to now, as in :meth:`signals`.
        trader : str, default ""
            Name of the trader of the orders.
        """
        return [
            Order(
                "", trader, each.instrument, each.side, each.quantity, price=each.price, strategy=self.strategy,
                reason=each.reason, strength=each.strength,
            )
            for each in self.signals(market_data)
            if each.strength >= LEAST_STRENGTH
        ]  # fmt: skip

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"

    def node(
        self, graph: DependencyGraph, name: str, closes: Mapping[str, Node], policy: Policy | None = None
    ) -> DerivedNode:
        """Register a node whose value is the signals of other nodes' closes.

        Parameters
        ----------
        graph : DependencyGraph
            Graph of the nodes.
        name : str
            Name of the new node.
        closes : mapping of str to Node
            Node of the closes of each ticker, an array with the present price last.
        policy : Policy, optional
            Policy of evaluation; at every change by default.
        """
        tickers = tuple(closes)

        def signals(*values: Any) -> tuple[Signal, ...]:
            return self.signals(dict(zip(tickers, values, strict=True)))

        return graph.register(LargeNode(name, signals, list(closes.values()), None, policy))


def last_price(name: str, closes: FloatArray) -> float:
    """Return the last close.

    Parameters
    ----------
    name : str
        Name of the instrument, for the message.
    closes : ndarray, shape (n,)
        Closes of the instrument, at least one.

    Raises
    ------
    TradingError
        It is not a finite number above 0.
    """
    price = float(closes[-1])
    if not (math.isfinite(price) and price > 0.0):
        raise TradingError(
            f"the last close of {name} is {price!r}; signals need a price above 0", name=name, value=price
        )
    return price

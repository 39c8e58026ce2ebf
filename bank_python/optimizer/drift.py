"""Drift of a live book from its target portfolio, as a node that a risk limit can depend on.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.instruments import Book, Equity, Position
>>> from bank_python.market_data import MarketData
>>> graph = DependencyGraph()
>>> a, b = (graph.register(MarketData(f"{name}_SPOT", 100.0)) for name in ("A", "B"))
>>> positions = [Position(f"P{n}", instrument=Equity(n, spot_source=s), quantity=50) for n, s in (("A", a), ("B", b))]
>>> book = graph.register(Book("ALICE", positions))
>>> drift = BookDrift(graph, book, {"A": a, "B": b}, {"A": 0.5, "B": 0.5})
>>> drift.node.value
0.0
>>> a.set_price(150.0)
>>> round(drift.node.value, 6), drift.contributor()
(0.1, 'A +10.0%')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from bank_python.dagger import Node
from bank_python.errors import RiskError
from bank_python.instruments import Position, quote_of
from bank_python.instruments.currency import find_conversion
from bank_python.optimizer.named import check_tickers
from bank_python.optimizer.portfolio import OptimalPortfolio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_python.dagger import DependencyGraph, DerivedNode
    from bank_python.instruments import Book
    from bank_python.instruments.currency import Conversion

__all__ = ["BookDrift"]


class BookDrift:
    """Largest absolute difference of a book's weights from their targets, as a node of the graph.

    The weights are computed among the book's positions in shares of the given assets only, in the book's currency.
    Other positions (options, bonds, other shares) are ignored, and so are other assets of the target (the safe part of
    a barbell). After a trade that opened a new position, call :meth:`follow_book` to include it.

    Parameters
    ----------
    graph : DependencyGraph
        Graph in which the book is registered.
    book : Book
        Book whose weights are compared with the target.
    spots : mapping of str to Node or str
        Price nodes of the assets, or their names, by ticker.
    target : Node, OptimalPortfolio or mapping of str to float
        Target weights: a node whose value is a portfolio, a fixed portfolio, or fixed weights by ticker.

    Raises
    ------
    ModelError
        If a mapping of target weights contains an unknown ticker.
    GraphError
        If a node ``<book>:DRIFT`` already exists, or a price is not in the graph.
    InstrumentError
        If there is no exchange rate from a position's currency to the book's.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        book: Book,
        spots: Mapping[str, Node | str],
        target: Node | OptimalPortfolio | Mapping[str, float],
    ) -> None:
        self._graph, self._book, self._target = graph, book, target
        if isinstance(target, Mapping):
            check_tickers(tuple(spots), target, "target")
        self._ticker = {graph.node(spot): ticker for ticker, spot in spots.items()}
        self._define(replace=False)

    @property
    def node(self) -> DerivedNode:
        """Node of the drift; replaced by a new one when :meth:`follow_book` finds changed positions."""
        return cast("DerivedNode", self._graph[f"{self._book.name}:DRIFT"])

    def follow_book(self) -> bool:
        """Include the book's present positions in the drift; return whether they have changed."""
        if self._tracked() == self._in_assets():
            return False
        self._define(replace=True)
        return True

    def drifts(self) -> dict[str, float]:
        """Return the present weight less the target by ticker.

        Raises
        ------
        RiskError
            If the book's positions in the assets have no positive value.
        """
        target = self._target.value if isinstance(self._target, Node) else self._target
        positions = self._tracked()
        return self._drifts(target, positions, self._conversions(positions), lambda node: node.value)

    def contributor(self) -> str:
        """Return the asset furthest from its target and its drift, as text."""
        drifts = self.drifts()
        furthest = max(drifts, key=lambda ticker: abs(drifts[ticker]))
        return f"{furthest} {drifts[furthest]:+.1%}"

    def remove(self) -> None:
        """Remove the node from the graph."""
        self._graph.unregister(self.node)

    def _define(self, *, replace: bool) -> None:
        positions = self._in_assets()
        conversions = self._conversions(positions)
        rates = [node for each in conversions.values() for node in (*each.multiply, *each.divide)]
        target = self._target
        inputs = list(dict.fromkeys([*([target] if isinstance(target, Node) else []), *positions, *rates]))

        def furthest(*values: object) -> float:
            read = dict(zip(inputs, values, strict=True)).__getitem__
            present = read(target) if isinstance(target, Node) else target
            return max(abs(drift) for drift in self._drifts(present, positions, conversions, read).values())

        self._graph.derive(f"{self._book.name}:DRIFT", furthest, inputs, replace=replace)

    def _tracked(self) -> tuple[Position, ...]:
        return tuple(node for node in self.node.underliers if isinstance(node, Position))

    def _in_assets(self) -> tuple[Position, ...]:
        return tuple(position for position in self._book.positions if self._asset(position) is not None)

    def _asset(self, position: Position) -> str | None:
        quote = quote_of(position.instrument)
        return self._ticker.get(quote) if isinstance(quote, Node) else None

    def _target_weights(self, target: object) -> dict[str, float]:
        """Return the target weights of the given assets; scaled to a sum of one if the target has other assets."""
        given = target.by_ticker() if isinstance(target, OptimalPortfolio) else cast("Mapping[str, float]", target)
        listed = {ticker: given[ticker] for ticker in given if ticker in self._ticker.values()}
        total = sum(listed.values()) if len(listed) < len(given) else 1.0
        return {ticker: weight / total for ticker, weight in listed.items()} if total > 0.0 else listed

    def _conversions(self, positions: Sequence[Position]) -> dict[str, Conversion]:
        currencies = dict.fromkeys(position.currency for position in positions)
        return {currency: find_conversion(self._graph, currency, self._book.base_currency) for currency in currencies}

    def _drifts(
        self,
        target: object,
        positions: Sequence[Position],
        conversions: Mapping[str, Conversion],
        read: Callable[[Node], object],
    ) -> dict[str, float]:
        weights = self._target_weights(target)
        values = dict.fromkeys(weights, 0.0)
        for position in positions:
            asset = cast("str", self._asset(position))
            value = cast("float", read(position)) * conversions[position.currency].rate(read)
            values[asset] = values.get(asset, 0.0) + value
        total = sum(values.values())
        if not total > 0.0:
            raise RiskError(
                f"the positions of {self._book.name} in {', '.join(weights)} are worth {total:,.2f}; "
                "weights require a total above 0",
                name=self._book.name,
                value=total,
            )
        return {asset: value / total - weights.get(asset, 0.0) for asset, value in values.items()}

    def __repr__(self) -> str:
        return f"<BookDrift of {self._book.name!r}: {len(self._ticker):,} assets>"

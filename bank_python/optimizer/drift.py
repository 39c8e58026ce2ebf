"""How far a live book has drifted from the portfolio it ought to be, as a node that a limit can depend on.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.instruments import Book, Equity, Position
>>> from bank_python.market_data import MarketData
>>> graph = DependencyGraph()
>>> a, b = (graph.register(MarketData(f"{name}_SPOT", 100.0)) for name in ("A", "B"))
>>> held = [Position(f"P{n}", instrument=Equity(n, spot_source=s), quantity=50) for n, s in (("A", a), ("B", b))]
>>> book = graph.register(Book("ALICE", held))
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
from bank_python.optimizer.named import known
from bank_python.optimizer.portfolio import OptimalPortfolio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_python.dagger import DependencyGraph, DerivedNode
    from bank_python.instruments import Book
    from bank_python.instruments.currency import Conversion

__all__ = ["BookDrift"]


class BookDrift:
    """The largest distance of a book's weights from its targets.

    Weights are those of the book's shares of the given assets among themselves, in the book's currency; what else it
    holds (options, bonds, other shares) is left out, and so is what else the target holds (a barbell's safe part).
    After a trade that opened a new position, :meth:`follow_book` takes it in.

    Parameters
    ----------
    graph : DependencyGraph
        Where the book lives.
    book : Book
        The live one.
    spots : mapping of str to Node or str
        Each asset's price.
    target : Node, OptimalPortfolio or mapping of str to float
        The weights there ought to be: a node whose value is a portfolio, or one that stays.

    Raises
    ------
    ModelError
        A target that stays names what is none of the assets.
    GraphError
        There is a node ``<book>:DRIFT`` already, or a price is not in the graph.
    InstrumentError
        A position's currency has no rate into the book's.
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
            known(tuple(spots), target, "target")
        self._ticker = {graph.node(spot): ticker for ticker, spot in spots.items()}
        self._define(replace=False)

    @property
    def node(self) -> DerivedNode:
        """The node; another one after :meth:`follow_book` took something in."""
        return cast("DerivedNode", self._graph[f"{self._book.name}:DRIFT"])

    def follow_book(self) -> bool:
        """Depend on the positions that there are now; return whether they changed."""
        if self._followed() == self._held():
            return False
        self._define(replace=True)
        return True

    def drifts(self) -> dict[str, float]:
        """Return weight less target by ticker, as they are now.

        Raises
        ------
        RiskError
            The book holds none of the assets.
        """
        target = self._target.value if isinstance(self._target, Node) else self._target
        held = self._followed()
        return self._drifts(target, held, self._ways(held), lambda node: node.value)

    def contributor(self) -> str:
        """Say which asset is furthest from its target."""
        drifts = self.drifts()
        furthest = max(drifts, key=lambda ticker: abs(drifts[ticker]))
        return f"{furthest} {drifts[furthest]:+.1%}"

    def remove(self) -> None:
        """Take the node out of the graph."""
        self._graph.unregister(self.node)

    def _define(self, *, replace: bool) -> None:
        held = self._held()
        ways = self._ways(held)
        rates = [node for way in ways.values() for node in (*way.multiply, *way.divide)]
        target = self._target
        inputs = list(dict.fromkeys([*([target] if isinstance(target, Node) else []), *held, *rates]))

        def furthest(*values: object) -> float:
            read = dict(zip(inputs, values, strict=True)).__getitem__
            wanted = read(target) if isinstance(target, Node) else target
            return max(abs(drift) for drift in self._drifts(wanted, held, ways, read).values())

        self._graph.derive(f"{self._book.name}:DRIFT", furthest, inputs, replace=replace)

    def _followed(self) -> tuple[Position, ...]:
        return tuple(node for node in self.node.underliers if isinstance(node, Position))

    def _held(self) -> tuple[Position, ...]:
        return tuple(position for position in self._book.positions if self._asset(position) is not None)

    def _asset(self, position: Position) -> str | None:
        quote = quote_of(position.instrument)
        return self._ticker.get(quote) if isinstance(quote, Node) else None

    def _wanted(self, target: object) -> dict[str, float]:
        """Return the targets of the given assets among themselves."""
        given = target.by_ticker() if isinstance(target, OptimalPortfolio) else cast("Mapping[str, float]", target)
        kept = {ticker: given[ticker] for ticker in given if ticker in self._ticker.values()}
        total = sum(kept.values()) if len(kept) < len(given) else 1.0
        return {ticker: weight / total for ticker, weight in kept.items()} if total > 0.0 else kept

    def _ways(self, held: Sequence[Position]) -> dict[str, Conversion]:
        currencies = dict.fromkeys(position.currency for position in held)
        return {currency: find_conversion(self._graph, currency, self._book.base_currency) for currency in currencies}

    def _drifts(
        self,
        target: object,
        positions: Sequence[Position],
        ways: Mapping[str, Conversion],
        read: Callable[[Node], object],
    ) -> dict[str, float]:
        wanted = self._wanted(target)
        held = dict.fromkeys(wanted, 0.0)
        for position in positions:
            asset = cast("str", self._asset(position))
            value = cast("float", read(position)) * ways[position.currency].rate(read)
            held[asset] = held.get(asset, 0.0) + value
        total = sum(held.values())
        if not total > 0.0:
            raise RiskError(
                f"{self._book.name} holds {total:,.2f} of {', '.join(wanted)}: there are no weights to compare",
                name=self._book.name,
                value=total,
            )
        return {asset: value / total - wanted.get(asset, 0.0) for asset, value in held.items()}

"""How far a live book has drifted from the portfolio it ought to be, as a node that a limit can rest on.

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

from typing import TYPE_CHECKING, cast

from bank_python.dagger import Node
from bank_python.errors import RiskError
from bank_python.instruments import Equity
from bank_python.optimizer.portfolio import OptimalPortfolio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.dagger import DependencyGraph, DerivedNode
    from bank_python.instruments import Book, Position

__all__ = ["BookDrift"]


class BookDrift:
    """The largest distance of a book's weights from its targets.

    Weights are those of the book's shares of the given assets among themselves; what else it holds (options, bonds,
    other shares) is left out. After a trade that opened a new position, :meth:`follow_book` takes it in.

    Parameters
    ----------
    graph : DependencyGraph
        Where the book lives.
    book : Book
        The live one.
    spots : mapping of str to Node
        Each asset's price.
    target : Node, OptimalPortfolio or mapping of str to float
        The weights there ought to be: a node whose value is a portfolio, or one that stays.

    Raises
    ------
    GraphError
        There is a node ``<book>:DRIFT`` already.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        book: Book,
        spots: Mapping[str, Node],
        target: Node | OptimalPortfolio | Mapping[str, float],
    ) -> None:
        self._graph, self._book, self._target = graph, book, target
        self._ticker = {spot: ticker for ticker, spot in spots.items()}
        self._positions: tuple[Position, ...] = ()
        self.node: DerivedNode
        self._define(replace=False)

    def follow_book(self) -> bool:
        """Rest on the positions that there are now; return whether they changed."""
        if self._positions == self._held():
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
        return self._drifts(target, [cast("float", position.value) for position in self._positions])

    def contributor(self) -> str:
        """Say which asset is furthest from its target."""
        drifts = self.drifts()
        furthest = max(drifts, key=lambda ticker: abs(drifts[ticker]))
        return f"{furthest} {drifts[furthest]:+.1%}"

    def remove(self) -> None:
        """Take the node out of the graph."""
        self._graph.unregister(self.node)

    def _define(self, *, replace: bool) -> None:
        self._positions = self._held()
        targets = [self._target] if isinstance(self._target, Node) else []

        def furthest(*values: object) -> float:
            target = values[0] if targets else self._target
            drifts = self._drifts(target, cast("tuple[float, ...]", values[len(targets) :]))
            return max(abs(drift) for drift in drifts.values())

        name = f"{self._book.name}:DRIFT"
        self.node = self._graph.derive(name, furthest, [*targets, *self._positions], replace=replace)

    def _held(self) -> tuple[Position, ...]:
        return tuple(position for position in self._book.positions if self._asset(position) is not None)

    def _asset(self, position: Position) -> str | None:
        contract = position.instrument
        if not isinstance(contract, Equity) or not isinstance(contract.spot, Node):
            return None
        return self._ticker.get(contract.spot)

    def _drifts(self, target: object, values: list[float] | tuple[float, ...]) -> dict[str, float]:
        wanted = target.by_ticker() if isinstance(target, OptimalPortfolio) else cast("Mapping[str, float]", target)
        held = dict.fromkeys(wanted, 0.0)
        for position, value in zip(self._positions, values, strict=True):
            asset = cast("str", self._asset(position))
            held[asset] = held.get(asset, 0.0) + value
        total = sum(held.values())
        if not total > 0.0:
            raise RiskError(
                f"{self._book.name} holds {total:,.2f} of {', '.join(wanted)}: there are no weights to compare",
                name=self._book.name,
                value=total,
            )
        return {asset: value / total - wanted.get(asset, 0.0) for asset, value in held.items()}

"""Measures of books as nodes, for limits to rest on: concentration, stress losses, Greeks.

A :class:`BookMeasure` is a node over the positions of some books whose value is any function of those books. It rests
on the positions that there are when it is made; after a trade that opened a new one, :meth:`BookMeasure.follow_books`
makes it rest on that as well. Costly ones are given a policy.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.instruments import Book, Equity, Position
>>> from bank_python.market_data import MarketData
>>> graph, spot = DependencyGraph(), MarketData("A_SPOT", 100.0)
>>> held = [Position("P", instrument=Equity("A", spot_source=spot), quantity=30, cost=100.0)]
>>> held.append(Position("Q", instrument=Equity("B", spot_source=50.0), quantity=20, cost=50.0))
>>> book = graph.register(Book("ALICE", held))
>>> share = BookMeasure(graph, "ALICE:CONCENTRATION", [book], concentration)
>>> share.node.value
0.75
>>> spot.set_price(200.0)
>>> round(share.node.value, 4)
0.8571
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, cast

from bank_python.dagger import LargeNode, Node
from bank_python.errors import RiskError
from bank_python.instruments import Instrument
from bank_python.risk.contracts import underlying_of
from bank_python.risk.greeks import GREEKS, take_greeks
from bank_python.risk.state import exchange_rate
from bank_python.risk.stress import run_stresses
from bank_python.risk.stress_scenarios import REFERENCE_STRESSES
from bank_python.risk.valuation import plan_valuation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_python.dagger import DependencyGraph, Policy
    from bank_python.instruments import Book, Position

    Measure = Callable[[Sequence[Book]], float]

__all__ = ["BookMeasure", "concentration", "greek_measure", "gross_by_underlying", "stress_measure"]


class BookMeasure:
    """A function of books as a node.

    Parameters
    ----------
    graph : DependencyGraph
        Where the books live.
    name : str
        Of the node.
    books : sequence of Book
        Of which.
    function : callable
        From the books to a float.
    policy : Policy, optional
        When to evaluate it, if not at every tick.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        name: str,
        books: Sequence[Book],
        function: Measure,
        policy: Policy | None = None,
    ) -> None:
        self.name = name
        self._graph = graph
        self._books = tuple(books)
        self._function = function
        self._policy = policy
        self._positions: tuple[Position, ...] = ()
        self.node: Node
        self._define()

    def follow_books(self) -> bool:
        """Rest on the positions that there are now; return whether they changed."""
        if self._positions == self._held():
            return False
        self._define()
        return True

    def _held(self) -> tuple[Position, ...]:
        return tuple(position for book in self._books for position in book.positions)

    def _define(self) -> None:
        self._positions = self._held()
        function, books = self._function, self._books

        def measured(*_values: float) -> float:
            return function(books)

        measured.__qualname__ = getattr(function, "__name__", type(function).__name__)
        node = LargeNode(self.name, measured, self._positions, policy=self._policy)
        self.node = self._graph.register(node, replace=self.name in self._graph)


def gross_by_underlying(books: Sequence[Book], base_currency: str = "USD") -> dict[str, float]:
    """Return what is held on each underlying, by absolute value, longs and shorts of all books netted.

    Raises
    ------
    InstrumentError
        There is no rate from a position's currency to the base currency.
    BankError
        A position has no value.
    """
    net: dict[str, list[float]] = defaultdict(list)
    for book in books:
        for position in book.positions:
            rate = exchange_rate(book, position.currency, base_currency)
            net[_named(position)].append(float(cast("float", position.value)) * rate)
    return {name: abs(math.fsum(values)) for name, values in net.items()}


def concentration(books: Sequence[Book]) -> float:
    """Return the largest underlying's share of what is held, by absolute value: between 0 and 1, 0 if nothing is."""
    held = gross_by_underlying(books)
    total = math.fsum(held.values())
    return max(held.values()) / total if total > 0.0 else 0.0


def stress_measure(keys: Sequence[str] = REFERENCE_STRESSES) -> Measure:
    """Return the measure of the largest loss in some stress scenarios, at least 0."""
    return partial(_worst_stress, keys)


def greek_measure(greek: str) -> Measure:
    """Return the measure of what one per cent of a factor (a point, a day) brings; see :class:`BookGreeks`.

    Raises
    ------
    RiskError
        There is no such Greek.
    """
    if greek not in GREEKS:
        raise RiskError(f"no Greek {greek!r}; there are {', '.join(GREEKS)}", value=greek)
    return partial(_greek, greek)


def _worst_stress(keys: Sequence[str], books: Sequence[Book]) -> float:
    results = run_stresses(plan_valuation(books), keys)
    return max((-result.pnl for result in results), default=0.0)


def _greek(greek: str, books: Sequence[Book]) -> float:
    return take_greeks(books).total(greek, "percent")


def _named(position: Position) -> str:
    held = position.instrument
    return underlying_of(held) if isinstance(held, Instrument) else position.name

"""Risk measures of books as nodes that limits can depend on: concentration, stress losses, Greeks.

A :class:`BookMeasure` is a node whose value is a :class:`Measure` of some books. It depends on the positions that exist
when it is created; after a trade that opens a new position, :meth:`BookMeasure.follow_books` adds the new dependency. A
costly measure is given a policy, so that it is not evaluated at every tick.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.instruments import Book, Equity, Position
>>> from bank_python.market_data import MarketData
>>> graph, spot = DependencyGraph(), MarketData("A_SPOT", 100.0)
>>> held = [Position("P", instrument=Equity("A", spot_source=spot), quantity=30, cost=100.0)]
>>> held.append(Position("Q", instrument=Equity("B", spot_source=50.0), quantity=20, cost=50.0))
>>> book = graph.register(Book("ALICE", held))
>>> share = BookMeasure(graph, "ALICE:CONCENTRATION", [book], Concentration())
>>> share.node.value, share.contributor()
(0.75, 'A_SPOT 3,000')
>>> spot.set_price(200.0)
>>> round(share.node.value, 4)
0.8571
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from bank_python.dagger import Node
from bank_python.dagger.node import inputs_first
from bank_python.deprecation import renamed
from bank_python.display import Record
from bank_python.errors import RiskError, UnstorableError
from bank_python.instruments import Instrument
from bank_python.risk.contracts import underlying_of, value_of
from bank_python.risk.greeks import GREEKS, take_greeks
from bank_python.risk.holders import books_of, holders
from bank_python.risk.state import exchange_rate
from bank_python.risk.stress import run_stresses
from bank_python.risk.stress_scenarios import REFERENCE_STRESSES
from bank_python.risk.valuation import plan_valuation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from bank_python.dagger import DependencyGraph, Policy
    from bank_python.instruments import Book, Position
    from bank_python.risk.holders import Units

__all__ = [
    "BookFunction",
    "BookMeasure",
    "Concentration",
    "GreekExposure",
    "GrossExposures",
    "Measure",
    "StressLoss",
    "gross_by_underlying",
]


class BookMeasure:
    """A risk measure of books, registered as a node of the graph.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that the books are registered in.
    name : str
        Name of the node.
    traders : traders, books, or a mapping
        Traders or books to measure; plain lists of positions are not accepted.
    measure : BookFunction
        Function of the books; a :class:`Measure` for a limit.
    policy : Policy, optional
        Policy of evaluation; at every tick by default.
    """

    @renamed(books="traders")
    def __init__(
        self,
        graph: DependencyGraph,
        name: str,
        traders: Units,
        measure: BookFunction,
        policy: Policy | None = None,
    ) -> None:
        self.name = name
        self._graph = graph
        self._books = books_of(traders)
        self._measure = measure
        self._policy = policy
        self._positions: tuple[Position, ...] = ()
        self._defined = False
        self.node: Node
        self._define()

    def follow_books(self) -> bool:
        """Update the dependencies to the present positions, and return whether they changed."""
        if self._positions == self._held():
            return False
        self._define()
        return True

    def remove(self) -> None:
        """Remove the node from the graph."""
        self._graph.unregister(self.node)

    def contributor(self) -> str:
        """Return the name and the amount of the largest contributor to the present measure."""
        return self._measure.contributor(self._books)

    def _held(self) -> tuple[Position, ...]:
        return tuple(position for book in self._books for position in book.positions)

    def _define(self) -> None:
        self._positions = self._held()
        node = MeasureNode(self.name, self._measure, self._books, self._policy)
        self.node = self._graph.register(node, replace=self._defined)
        self._defined = True

    def __repr__(self) -> str:
        return f"<BookMeasure {self.name!r}: {self._measure!r} of {len(self._books):,} books>"


class MeasureNode(Node):
    """Node of a measure of books; depends on all inputs of their positions, and is not stored."""

    def __init__(self, name: str, measure: BookFunction, books: Sequence[Book], policy: Policy | None) -> None:
        roots: list[Node] = [*(position for book in books for position in book.positions), *books]
        below = inputs_first(roots, lambda node: node.underliers, lambda _: True)
        super().__init__(name, [node for node in below if node not in books])
        self.gate = None if policy is None else policy.gate()
        self._measure = measure
        self._books = books

    def compute(self, read: Callable[[Node], object]) -> object:
        """Return the measure of the books, with the values of nodes from `read`."""
        return self._measure(self._books, read)

    def to_record(self) -> Mapping[str, object]:
        """Raise an error, as the node is created again by its :class:`BookMeasure` instead of being stored.

        Raises
        ------
        UnstorableError
            Always.
        """
        raise UnstorableError(
            f"{self.name} cannot be stored; create the measure again from its books", key=self.record_key
        )

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Raise an error, as there are no records of this class.

        Raises
        ------
        UnstorableError
            Always.
        """
        raise UnstorableError(
            f"a measure cannot be read from a record, {dict(fields)!r}; create it again from its books"
        )

    def describe_(self) -> str:
        return f"{self._measure!r} of {', '.join(book.name for book in self._books)}"


@renamed(books="traders")
def gross_by_underlying(
    traders: Units, base_currency: str = "USD", read: Callable[[Node], object] = value_of
) -> dict[str, float]:
    """Return the absolute net value of all positions on each underlying, in the base currency.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Owners of the positions: ``desk.traders``, any mix of traders and books, or a mapping from a name to a trader,
        a book or a list of positions; see :func:`~bank_python.risk.holders.holders`.
    base_currency : str, default "USD"
        ISO 4217 code of the currency of the figures.
    read : callable, optional
        Function that returns a node's value or raises its error; the present value by default.

    Raises
    ------
    InstrumentError
        There is no exchange rate from a position's currency to the base currency.
    BankError
        A position has no value.
    """
    net: dict[str, list[float]] = defaultdict(list)
    for holder in holders(traders):
        for position in holder.positions:
            rate = exchange_rate(holder, position.currency, base_currency, read)
            net[_underlying(position)].append(float(cast("float", read(position))) * rate)
    return {name: abs(math.fsum(values)) for name, values in net.items()}


class BookFunction(Protocol):
    """Interface of a function of books, with its largest contributor."""

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> object:
        """Return the function's value, with the values of nodes from `read`."""
        ...

    def contributor(self, books: Sequence[Book]) -> str:
        """Return the name and the amount of the largest contributor; empty if there are no positions."""
        ...


class Measure(BookFunction, Protocol):
    """Interface of a risk measure of books: a number that can have a limit."""

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> float:
        """Return the measure, with the values of nodes from `read`."""
        ...


@dataclass(frozen=True, slots=True)
class GrossExposures(Record):
    """Absolute net value of the positions on each underlying; see :func:`gross_by_underlying`.

    Parameters
    ----------
    base_currency : str, default "USD"
        Currency of the values.
    """

    base_currency: str = "USD"

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> dict[str, float]:
        """Return the gross value by underlying."""
        return gross_by_underlying(books, self.base_currency, read)

    def contributor(self, books: Sequence[Book]) -> str:
        """Return the name and the gross value of the largest underlying."""
        return _largest(self(books))


@dataclass(frozen=True, slots=True)
class Concentration(Record):
    """Share of the largest underlying in the gross value of the books: in [0, 1], and 0 if there are no positions.

    Parameters
    ----------
    base_currency : str, default "USD"
        Currency in which values are compared.
    """

    base_currency: str = "USD"

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> float:
        """Return the share of the largest underlying."""
        gross = gross_by_underlying(books, self.base_currency, read)
        total = math.fsum(gross.values())
        return max(gross.values()) / total if total > 0.0 else 0.0

    def contributor(self, books: Sequence[Book]) -> str:
        """Return the name and the gross value of the largest underlying."""
        return _largest(gross_by_underlying(books, self.base_currency))


@dataclass(frozen=True, slots=True)
class GreekExposure(Record):
    """P&L of the books for a move of one per cent, one point or one day; see :class:`~bank_python.risk.BookGreeks`.

    Parameters
    ----------
    greek : str
        Name of the Greek, one of :data:`~bank_python.risk.GREEKS`.
    base_currency : str, default "USD"
        Currency of the figure.

    Raises
    ------
    RiskError
        `greek` is not one of :data:`~bank_python.risk.GREEKS`.
    """

    greek: str
    base_currency: str = "USD"

    def __post_init__(self) -> None:
        if self.greek not in GREEKS:
            raise RiskError(f"no Greek {self.greek!r}; choose one of {', '.join(GREEKS)}", value=self.greek)

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> float:
        """Return the sum of the Greek over all positions."""
        return take_greeks(books, self.base_currency, read).total(self.greek, "percent")

    def contributor(self, books: Sequence[Book]) -> str:
        """Return the name and the amount of the underlying with the largest part."""
        return _largest(take_greeks(books, self.base_currency).by_underlying(self.greek, "percent"))


@dataclass(frozen=True, slots=True)
class StressLoss(Record):
    """Largest loss in a set of stress scenarios, at least 0.

    Parameters
    ----------
    keys : tuple of str, optional
        Keys of the scenarios in the stress library; the eight reference scenarios by default.
    base_currency : str, default "USD"
        Currency of the loss.
    """

    keys: tuple[str, ...] = REFERENCE_STRESSES
    base_currency: str = "USD"

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> float:
        """Return the largest loss in the base currency.

        Raises
        ------
        RiskError
            A scenario has no shock for a factor of a contract, so that the loss is not known.
        """
        results = run_stresses(plan_valuation(books, self.base_currency, read), self.keys)
        for result in results:
            if result.left_out:
                raise RiskError(
                    f"{result.key} has no shock for {', '.join(result.missing[:3])}, so the loss of "
                    f"{result.left_out[0]} is not known; leave the scenario out, or give the factor a rule",
                    name=result.key,
                )
        return max((-result.pnl for result in results if result.pnl < 0.0), default=0.0)

    def contributor(self, books: Sequence[Book]) -> str:
        """Return the title of the worst scenario, and the trader with the largest loss in it."""
        results = run_stresses(plan_valuation(books, self.base_currency), self.keys)
        if not results:
            return ""
        worst = min(results, key=lambda result: result.pnl)
        return f"{worst.title}: {_largest({unit: min(pnl, 0.0) for unit, pnl in worst.by_trader().items()})}"


def _largest(parts: Mapping[str, float]) -> str:
    if not parts:
        return ""
    name, value = max(parts.items(), key=lambda item: abs(item[1]))
    return f"{name} {value:,.0f}"


def _underlying(position: Position) -> str:
    held = position.instrument
    return underlying_of(held) if isinstance(held, Instrument) else position.name

"""Measures of books as nodes, for limits to depend on: concentration, stress losses, Greeks.

A :class:`BookMeasure` is a node over the positions of some books whose value is a :class:`Measure` of those books. It
depends on the positions that there are when it is made; after a trade that opened a new one,
:meth:`BookMeasure.follow_books` makes it depend on that as well. Costly ones are given a policy.

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

__all__ = ["BookMeasure", "Concentration", "GreekExposure", "Measure", "StressLoss", "gross_by_underlying"]


class BookMeasure:
    """A function of books as a node.

    Parameters
    ----------
    graph : DependencyGraph
        Where the books live.
    name : str
        Of the node.
    traders : traders, books, or a mapping
        Of which; a list of positions has to be put in a Book.
    measure : Measure
        What is measured.
    policy : Policy, optional
        When to evaluate it, if not at every tick.
    """

    @renamed(books="traders")
    def __init__(
        self,
        graph: DependencyGraph,
        name: str,
        traders: Units,
        measure: Measure,
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
        """Depend on the positions that there are now; return whether they changed."""
        if self._positions == self._held():
            return False
        self._define()
        return True

    def remove(self) -> None:
        """Take the node out of the graph."""
        self._graph.unregister(self.node)

    def contributor(self) -> str:
        """Say who or what makes most of it now."""
        return self._measure.contributor(self._books)

    def _held(self) -> tuple[Position, ...]:
        return tuple(position for book in self._books for position in book.positions)

    def _define(self) -> None:
        self._positions = self._held()
        node = MeasureNode(self.name, self._measure, self._books, self._policy)
        self.node = self._graph.register(node, replace=self._defined)
        self._defined = True


class MeasureNode(Node):
    """A measure of books, depending on everything that its positions are valued from; made anew, never stored."""

    def __init__(self, name: str, measure: Measure, books: Sequence[Book], policy: Policy | None) -> None:
        roots: list[Node] = [*(position for book in books for position in book.positions), *books]
        below = inputs_first(roots, lambda node: node.underliers, lambda _: True)
        super().__init__(name, [node for node in below if node not in books])
        self.gate = None if policy is None else policy.gate()
        self._measure = measure
        self._books = books

    def compute(self, read: Callable[[Node], object]) -> object:
        """Measure the books as `read` sees them."""
        return self._measure(self._books, read)

    def to_record(self) -> Mapping[str, object]:
        """Refuse: whoever made it makes it again.

        Raises
        ------
        UnstorableError
            Always.
        """
        raise UnstorableError(f"{self.name} is made anew from its books, not stored", key=self.record_key)

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Refuse, as there are no records of it.

        Raises
        ------
        UnstorableError
            Always.
        """
        raise UnstorableError(f"a measure is made anew from its books, not read back: {dict(fields)!r}")

    def describe_(self) -> str:
        return f"{self._measure!r} of {', '.join(book.name for book in self._books)}"


@renamed(books="traders")
def gross_by_underlying(
    traders: Units, base_currency: str = "USD", read: Callable[[Node], object] = value_of
) -> dict[str, float]:
    """Return what is held on each underlying, by absolute value, longs and shorts of all books netted.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Whose: ``desk.traders``, any mix of traders and books, or a mapping from a name to one of them or to positions;
        see :func:`~bank_python.risk.holders.holders`.
    base_currency : str, default "USD"
        Of the figures.
    read : callable, optional
        From a node to its value.

    Raises
    ------
    InstrumentError
        There is no rate from a position's currency to the base currency.
    BankError
        A position has no value.
    """
    net: dict[str, list[float]] = defaultdict(list)
    for holder in holders(traders):
        for position in holder.positions:
            rate = exchange_rate(holder, position.currency, base_currency, read)
            net[_named(position)].append(float(cast("float", read(position))) * rate)
    return {name: abs(math.fsum(values)) for name, values in net.items()}


class Measure(Protocol):
    """A number of some books, and who or what makes most of it."""

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> float:
        """Return the number, of nodes' values as `read` sees them."""
        ...

    def contributor(self, books: Sequence[Book]) -> str:
        """Say who or what makes most of it, and how much; empty if nothing is held."""
        ...


@dataclass(frozen=True, slots=True)
class Concentration:
    """The largest underlying's share of what is held, by absolute value: between 0 and 1, 0 if nothing is.

    Parameters
    ----------
    base_currency : str, default "USD"
        Currency in which values are compared.
    """

    base_currency: str = "USD"

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> float:
        """Return the share."""
        held = gross_by_underlying(books, self.base_currency, read)
        total = math.fsum(held.values())
        return max(held.values()) / total if total > 0.0 else 0.0

    def contributor(self, books: Sequence[Book]) -> str:
        """Name the largest underlying."""
        return _largest(gross_by_underlying(books, self.base_currency))


@dataclass(frozen=True, slots=True)
class GreekExposure:
    """What one per cent of a factor (a point, a day) brings; see :class:`~bank_python.risk.BookGreeks`.

    Parameters
    ----------
    greek : str
        One of :data:`~bank_python.risk.GREEKS`.
    base_currency : str, default "USD"
        Currency of the figure.

    Raises
    ------
    RiskError
        There is no such Greek.
    """

    greek: str
    base_currency: str = "USD"

    def __post_init__(self) -> None:
        if self.greek not in GREEKS:
            raise RiskError(f"no Greek {self.greek!r}; there are {', '.join(GREEKS)}", value=self.greek)

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> float:
        """Return the sum over all positions."""
        return take_greeks(books, self.base_currency, read).total(self.greek, "percent")

    def contributor(self, books: Sequence[Book]) -> str:
        """Name the underlying with the largest part."""
        return _largest(take_greeks(books, self.base_currency).by_underlying(self.greek, "percent"))


@dataclass(frozen=True, slots=True)
class StressLoss:
    """The largest loss in some stress scenarios, at least 0.

    Parameters
    ----------
    keys : tuple of str, optional
        Of the scenarios.
    base_currency : str, default "USD"
        Currency of the loss.
    """

    keys: tuple[str, ...] = REFERENCE_STRESSES
    base_currency: str = "USD"

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> float:
        """Return the loss.

        Raises
        ------
        RiskError
            A scenario says nothing of what some contract depends on: the loss is not known.
        """
        results = run_stresses(plan_valuation(books, self.base_currency, read), self.keys)
        for result in results:
            if result.left_out:
                raise RiskError(
                    f"{result.key} says nothing of {', '.join(result.missing[:3])}, so that of {result.left_out[0]} "
                    "is not known; leave the scenario out, or give the factor a rule",
                    name=result.key,
                )
        return max((-result.pnl for result in results if result.pnl < 0.0), default=0.0)

    def contributor(self, books: Sequence[Book]) -> str:
        """Name the scenario, and the trader who loses most in it."""
        results = run_stresses(plan_valuation(books, self.base_currency), self.keys)
        if not results:
            return ""
        worst = min(results, key=lambda result: result.pnl)
        return f"{worst.title}: {_largest({unit: min(made, 0.0) for unit, made in worst.by_trader().items()})}"


def _largest(parts: Mapping[str, float]) -> str:
    if not parts:
        return ""
    name, value = max(parts.items(), key=lambda item: abs(item[1]))
    return f"{name} {value:,.0f}"


def _named(position: Position) -> str:
    held = position.instrument
    return underlying_of(held) if isinstance(held, Instrument) else position.name

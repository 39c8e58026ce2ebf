"""Dependence of contract inputs on risk factors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from bank_python.dagger import ContractBatch, Leaf, Node
from bank_python.errors import RiskError
from bank_python.instruments import Instrument, TermStructureNode, quote_of
from bank_python.instruments.currency import find_conversion
from bank_python.instruments.factor import Factor
from bank_python.market_data import Clock
from bank_python.risk.contracts import value_of
from bank_python.risk.factors import RiskFactor

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from bank_python.dagger import Graph
    from bank_python.numerics import FloatArray
    from bank_python.risk.holdings import Holding

__all__ = ["Conversion", "Direct", "Linear", "Movement", "SourceReader"]

_BUMP = 1e-3
_SHIFT = 1e-5
_SHIFTED = frozenset({Factor.RATE, Factor.DIVIDEND})
_SECTOR = "sector"
"""Label of an instrument that holds the sector of a share."""


@dataclass(frozen=True, slots=True, eq=False)
class Direct:
    """An input that is itself a factor, one for each contract.

    Parameters
    ----------
    factors : ndarray of int, shape (contracts,)
        Index of the factor that is the input of each contract; of shape (1,) if it is the same for all contracts.
    """

    factors: NDArray[np.intp]

    # The arguments are those of Linear.levels, which needs all three.
    def levels(self, now: FloatArray, levels: NDArray[Any], base: FloatArray) -> NDArray[Any]:  # noqa: ARG002
        """Return the inputs in each scenario, shape (contracts or 1, scenarios)."""
        first, count = int(self.factors[0]), len(self.factors)
        if np.array_equal(self.factors, np.arange(first, first + count)):
            return levels[first : first + count]
        return levels[self.factors]

    def chosen(self, contracts: NDArray[np.bool_]) -> Direct:
        """Return the movement of a subset of the contracts."""
        return self if len(self.factors) == 1 else Direct(self.factors[contracts])

    def renumbered(self, place: Mapping[int, int]) -> Direct:
        """Return the movement with new indices of the factors, given by old ones."""
        return Direct(np.array([place[factor] for factor in self.factors.tolist()], dtype=np.intp))

    def depends_on(self, factor: int, contracts: int) -> NDArray[np.bool_]:
        """Return whether the input of each contract is the factor, shape (contracts,)."""
        return np.broadcast_to(self.factors == factor, (contracts,))


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """An input that moves with factors to first order: a derived node, such as a curve lookup.

    Parameters
    ----------
    factors : ndarray of int, shape (moving,)
        Indices of the factors that the inputs move with.
    slopes : ndarray, shape (contracts, moving)
        Derivatives of each contract's input by each of these factors.
    """

    factors: NDArray[np.intp]
    slopes: FloatArray

    def levels(self, now: FloatArray, levels: NDArray[Any], base: FloatArray) -> NDArray[Any]:
        """Return the inputs in each scenario, shape (contracts, scenarios)."""
        moved = levels[self.factors] - base[self.factors, None]
        return cast("NDArray[Any]", now[:, None] + self.slopes @ moved)

    def chosen(self, contracts: NDArray[np.bool_]) -> Linear:
        """Return the movement of a subset of the contracts."""
        return Linear(self.factors, self.slopes[contracts])

    def renumbered(self, place: Mapping[int, int]) -> Linear:
        """Return the movement with new indices of the factors, given by old ones."""
        return Linear(np.array([place[factor] for factor in self.factors.tolist()], dtype=np.intp), self.slopes)

    def depends_on(self, factor: int, contracts: int) -> NDArray[np.bool_]:  # noqa: ARG002 - Direct needs it
        """Return whether the input of each contract moves with the factor, shape (contracts,)."""
        return np.asarray(np.any(self.slopes[:, self.factors == factor] != 0.0, axis=1))


Movement: TypeAlias = Direct | Linear


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """An exchange rate as a product and quotient of factors; 1 without any factors.

    Parameters
    ----------
    multiply, divide : tuple of int
        Indices of the factors to multiply by and to divide by.
    """

    multiply: tuple[int, ...] = ()
    divide: tuple[int, ...] = ()

    @property
    def factors(self) -> NDArray[np.intp]:
        """Indices of all factors of the rate."""
        return np.array((*self.multiply, *self.divide), dtype=np.intp)

    def renumbered(self, place: Mapping[int, int]) -> Conversion:
        """Return the conversion with new indices of the factors, given by old ones."""
        return Conversion(tuple(place[i] for i in self.multiply), tuple(place[i] for i in self.divide))

    def now(self, base: FloatArray) -> float:
        """Return the present rate."""
        rate = self.then(base[:, None])
        return 1.0 if rate is None else float(rate[0])

    def then(self, levels: NDArray[Any]) -> NDArray[Any] | None:
        """Return the rate in each scenario, shape (scenarios,); None if there is nothing to convert."""
        if not self.multiply and not self.divide:
            return None
        rate = np.ones(levels.shape[1])
        for i in self.multiply:
            rate = rate * levels[i]
        for i in self.divide:
            rate = rate / levels[i]
        return rate


class SourceReader:
    """Finds the risk factors of contracts in a graph and the dependence of their inputs on them.

    Parameters
    ----------
    base_currency : str
        ISO 4217 code of the currency that values are converted to.
    read : callable, optional
        Function that returns a node's value or raises its error; the present value by default.
    """

    def __init__(self, base_currency: str, read: Callable[[Node], object] | None = None) -> None:
        self._base_currency = base_currency
        self._read = value_of if read is None else read
        self._factors: dict[Leaf, RiskFactor] = {}
        self._places: dict[Leaf, int] = {}
        self._slopes: dict[Node, dict[int, float]] = {}
        self._sectors: dict[Graph, dict[Leaf, str]] = {}

    @property
    def factors(self) -> tuple[RiskFactor, ...]:
        """Factors found so far, in the order of their indices."""
        return tuple(self._factors.values())

    def layout(self, holding: Holding) -> Hashable:
        """Return a key that is equal for contracts of one block: class, currency and movement of each source."""
        contract = holding.contract
        kinds = tuple(_movement_kind(getattr(contract, name)) for name in contract.source_names)
        market = None if holding.currency == self._base_currency else holding.graph
        return type(contract), holding.currency, market, kinds

    def batch(self, contracts: Sequence[Instrument]) -> ContractBatch[Instrument]:
        """Return a batch of contracts of one class with the present arguments of their ``price``.

        Raises
        ------
        RiskError
            A contract, or one of its inputs, has no value now.
        """
        batches, errors = ContractBatch.gather(contracts, self._read)
        for contract, error in errors.items():
            raise RiskError(
                f"{contract.name} has no value, and so no risk: {error}; quote its inputs, or leave it out",
                name=contract.name,
            ) from error
        return batches[0].without_nodes()

    def movements(self, contracts: Sequence[Instrument]) -> tuple[tuple[int, Movement], ...]:
        """Return the movements of the sources of contracts of one layout, each with its row of the table."""
        found: list[tuple[int, Movement]] = []
        for row, name in enumerate(contracts[0].source_names):
            sources = [getattr(contract, name) for contract in contracts]
            if _movement_kind(sources[0]) == _DIRECT:
                places = [
                    self._place(source, contract, name) for source, contract in zip(sources, contracts, strict=True)
                ]
                same = len(set(places)) == 1
                found.append((row, Direct(np.array(places[:1] if same else places, dtype=np.intp))))
            elif _movement_kind(sources[0]) == _LINEAR:
                slopes = [
                    self._slopes_of(source, contract, name) for source, contract in zip(sources, contracts, strict=True)
                ]
                moving = sorted({place for by_factor in slopes for place in by_factor})
                matrix = np.array([[by_factor.get(place, 0.0) for place in moving] for by_factor in slopes])
                if moving:
                    found.append((row, Linear(np.array(moving, dtype=np.intp), matrix)))
        return tuple(found)

    def conversion(self, holding: Holding) -> Conversion:
        """Return the conversion from the holding's currency to the base currency.

        Raises
        ------
        InstrumentError
            There is no exchange rate between the currencies.
        RiskError
            The holding is not in a graph with exchange rates, or the rate is not a quoted pair.
        """
        if holding.currency == self._base_currency:
            return Conversion()
        if holding.graph is None:
            raise RiskError(
                f"{holding.unit} holds {holding.currency}; register the book in a graph that has rates to "
                f"{self._base_currency}",
                name=holding.unit,
            )
        rates = find_conversion(holding.graph, holding.currency, self._base_currency)
        return Conversion(tuple(map(self._rate_place, rates.multiply)), tuple(map(self._rate_place, rates.divide)))

    def _rate_place(self, node: Node) -> int:
        source = quote_of(node) if isinstance(node, Instrument) else node
        if not isinstance(source, Leaf):
            raise RiskError(f"the exchange rate {node.name} is not quoted; quote the currency pair", name=node.name)
        return self._add(source, Factor.FX, None)

    def _place(self, leaf: Leaf, contract: Instrument, name: str) -> int:
        return self._add(leaf, contract.risk_factor_of(name), contract)

    def _add(self, leaf: Leaf, kind: Factor, contract: Instrument | None) -> int:
        known = self._factors.get(leaf)
        if known is None:
            if not leaf.quoted and kind not in _SHIFTED:
                raise RiskError(f"{leaf.name} has no quote, so its risk is not known; quote it first", name=leaf.name)
            self._places[leaf] = len(self._places)
            level = float(cast("float", self._read(leaf)))
            self._factors[leaf] = RiskFactor(leaf.name, kind, level, self._sector(leaf, contract))
        elif kind is Factor.FX:  # a currency pair for one contract is one for all
            self._factors[leaf] = replace(known, kind=kind)
        return self._places[leaf]

    def _sector(self, leaf: Leaf, contract: Instrument | None) -> str:
        """Return the sector of the share with this price, from any instrument of the graph that is labelled with it."""
        if contract is not None and _SECTOR in contract.labels:
            return contract.labels[_SECTOR]
        graph = leaf.graph
        if graph is not None and graph not in self._sectors:
            shares = [node for node in graph if isinstance(node, Instrument) and _SECTOR in node.labels]
            quotes = [(quote_of(share), share.labels[_SECTOR]) for share in shares]
            self._sectors[graph] = {quote: sector for quote, sector in quotes if isinstance(quote, Leaf)}
        return self._sectors[graph].get(leaf, "") if graph is not None else ""

    def _slopes_of(self, source: Node, contract: Instrument, name: str) -> dict[int, float]:
        if source not in self._slopes:
            kinds = dict(_leaves_under(source, contract.risk_factor_of(name)))
            if kinds and source.graph is None:
                raise RiskError(
                    f"{contract.name}: {source.name} is not in a graph, so its slopes are not known; register the book",
                    name=contract.name,
                )
            slopes = {leaf: _slope(source, leaf, kind) for leaf, kind in kinds.items()}
            self._slopes[source] = {
                self._add(leaf, kinds[leaf], None): slope for leaf, slope in slopes.items() if slope
            }
        return self._slopes[source]


def _leaves_under(node: Node, kind: Factor) -> Iterator[tuple[Leaf, Factor]]:
    """Yield the leaves that a node depends on, each with the kind of the curve or surface that it belongs to."""
    if isinstance(node, Clock):
        return
    if isinstance(node, Leaf):
        yield node, kind
        return
    if isinstance(node, TermStructureNode | Instrument):
        kind = node.quoted_as or kind
    for source in node.underliers:
        yield from _leaves_under(source, kind)


def _slope(source: Node, leaf: Leaf, kind: Factor) -> float:
    graph = cast("Graph", source.graph)
    by_shift = kind in _SHIFTED
    slopes = graph.greeks(source, leaf, bump=_SHIFT if by_shift else _BUMP, relative=not by_shift)
    return cast("float", slopes[source, leaf].delta)


_CONSTANT, _DIRECT, _LINEAR = "constant", "direct", "linear"


def _movement_kind(source: Node | float) -> str:
    if not isinstance(source, Node) or isinstance(source, Clock):
        return _CONSTANT
    return _DIRECT if isinstance(source, Leaf) else _LINEAR

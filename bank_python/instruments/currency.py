"""Sums of values in several currencies, converted to one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bank_python.dagger import Graph, Node
from bank_python.errors import InstrumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Conversion", "ConvertedSum", "find_conversion"]

_PIVOT = "USD"


@dataclass(frozen=True, slots=True)
class Conversion:
    """Conversion from one currency to another: exchange rates to multiply by and to divide by."""

    multiply: tuple[Node, ...] = ()
    divide: tuple[Node, ...] = ()

    def rate(self, read: Callable[[Node], object]) -> float:
        """Return the number of units of the target currency per unit of the source currency."""
        rate = 1.0
        for node in self.multiply:
            rate *= cast("float", read(node))
        for node in self.divide:
            rate /= cast("float", read(node))
        return rate


def find_conversion(graph: Graph, currency: str, base: str) -> Conversion:
    """Return the pair, or the two pairs over USD, that convert `currency` to `base`.

    Raises
    ------
    InstrumentError
        The graph has neither; the message gives the node names searched for.
    """
    direct = _leg(graph, currency, base)
    if direct is not None:
        return direct
    first, second = _leg(graph, currency, _PIVOT), _leg(graph, _PIVOT, base)
    if first is None or second is None:
        raise InstrumentError(
            f"no rate from {currency} to {base}: the graph has no node {currency}{base} or {base}{currency}, and no "
            f"cross over {_PIVOT}; register an FXRate of that name first",
            currency=currency,
            base=base,
        )
    return Conversion(first.multiply + second.multiply, first.divide + second.divide)


def _leg(graph: Graph, currency: str, base: str) -> Conversion | None:
    if currency == base:
        return Conversion()
    straight, inverse = graph.find(f"{currency}{base}"), graph.find(f"{base}{currency}")
    if straight is not None:
        return Conversion(multiply=(straight,))
    return None if inverse is None else Conversion(divide=(inverse,))


class ConvertedSum(Node):
    """The sum of nodes in several currencies, converted to one.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    parts : mapping of str to sequence of Node
        Summands by currency code.
    base_currency : str
        ISO 4217 code of the currency of the sum.
    """

    wiring_attributes = ("inputs_", "_parts", "_conversions")

    if TYPE_CHECKING:

        @property
        def value(self) -> float:
            """Current value, computed if necessary; errors as for :attr:`Node.value`."""

    def __init__(self, name: str, parts: Mapping[str, list[Node]], base_currency: str) -> None:
        self.base_currency = base_currency
        self._parts = {currency: list(nodes) for currency, nodes in parts.items()}
        self._conversions: dict[str, Conversion] = {}
        super().__init__(name, self._summands())

    @property
    def currency(self) -> str:
        """Currency of the sum."""
        return self.base_currency

    def bind(self, graph: Graph) -> tuple[Node, ...]:
        """Return the summands and the exchange rates they need, which are found in `graph` by name."""
        found = {currency: find_conversion(graph, currency, self.base_currency) for currency in self._parts}
        self._conversions = found
        rates = [node for conversion in found.values() for node in (*conversion.multiply, *conversion.divide)]
        return tuple(dict.fromkeys([*self._summands(), *rates]))

    def compute(self, read: Callable[[Node], object]) -> object:
        """Return the sum: each currency is added up, then converted."""
        return math.fsum(
            math.fsum(cast("list[float]", [read(node) for node in nodes])) * self._rate(currency, read)
            for currency, nodes in self._parts.items()
        )

    def replace_input(self, old: Node, new: Node) -> None:
        """Replace the summand or exchange rate `old` by `new`."""
        super().replace_input(old, new)
        self._parts = {
            currency: [new if node is old else node for node in nodes] for currency, nodes in self._parts.items()
        }
        if self.graph is not None:
            swap = {old: new}
            self._conversions = {
                currency: Conversion(
                    tuple(swap.get(node, node) for node in conversion.multiply),
                    tuple(swap.get(node, node) for node in conversion.divide),
                )
                for currency, conversion in self._conversions.items()
            }

    def _summands(self) -> list[Node]:
        return [node for nodes in self._parts.values() for node in nodes]

    def _rate(self, currency: str, read: Callable[[Node], object]) -> float:
        if currency == self.base_currency:
            return 1.0
        if currency not in self._conversions:
            raise InstrumentError(
                f"{self.name} has values in {currency} and is in {self.base_currency}: register it in a graph that has "
                f"the rate {currency}{self.base_currency}",
                name=self.name,
            )
        return self._conversions[currency].rate(read)

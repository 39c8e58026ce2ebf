"""Nodes priced by one pure array function per class.

A class of contracts declares its market inputs, its terms and one ``price`` function that takes them by name, as
broadcastable float64 arrays (:mod:`bank_python.dagger.contract`)::

    class Forward(ArrayNode):
        spot = Source("price of the underlying")
        strike = Term("delivery price")
        price = staticmethod(lambda spot, strike: spot - strike)

All nodes of a class that are due are then priced in one call, whether there are one or five thousand. There is no
separate scalar code path, so a value is bitwise identical whichever nodes are priced together.

A source is a node or a plain number. In a graph the arguments and the values of a class are stored in columns
(:mod:`bank_python.dagger.columns`); a node outside a graph is priced by itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.dagger.batch import price_nodes
from bank_python.dagger.contract import Contract, Source, Term
from bank_python.dagger.node import Node
from bank_python.errors import NodeArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from bank_python.dagger.outcome import Outcome

__all__ = ["ArrayNode", "Source", "Term", "price_nodes"]


class ArrayNode(Contract, Node):
    """A node valued by its class's ``price`` function.

    Parameters
    ----------
    name : str
        Name of the node, unique in its graph.
    sources : mapping of str to Node or float
        One entry per declared :class:`Source`.
    terms : mapping of str to float
        One entry per declared :class:`Term`.

    Raises
    ------
    GraphError
        An entry is missing, unknown or of the wrong kind.
    """

    wiring_attributes = ("inputs_", "sources_")

    if TYPE_CHECKING:

        @property
        def value(self) -> float:
            """The current value, computed now if need be; errors as :attr:`Node.value`."""

    def __init__(self, name: str, sources: Mapping[str, Node | float], terms: Mapping[str, float]) -> None:
        if tuple(sources) != self.source_names or tuple(terms) != self.term_names:
            _require(name, "source", self.source_names, sources)
            _require(name, "term", self.term_names, terms)
        self.sources_ = {key: _source(name, key, sources[key]) for key in self.source_names}
        self.terms_ = {key: float(terms[key]) for key in self.term_names}
        self.part_: Any = None
        self.row_ = 0
        super().__init__(name, [source for source in self.sources_.values() if isinstance(source, Node)])

    @property
    def terms(self) -> dict[str, float]:
        """The contract's terms by name."""
        return dict(self.terms_)

    @property
    def layout(self) -> tuple[object, ...]:
        """Key of the nodes that are priced in one call: the class and, for each source, whether it is a node."""
        return (type(self), *(isinstance(source, Node) for source in self.sources_.values()))

    # In a graph the outcomes are stored in the columns of the class; outside a graph nothing is stored.

    @property
    def outcome_(self) -> Outcome:
        """The node's current outcome."""
        return None if self.part_ is None else self.part_.outcome(self.row_)

    @outcome_.setter
    def outcome_(self, outcome: Outcome) -> None:
        if self.part_ is not None:
            self.part_.put(self.row_, outcome)

    @property
    def previous_(self) -> Outcome:
        """The node's outcome before the tick that last changed it."""
        return None if self.part_ is None else self.part_.outcome_before(self.row_)

    @previous_.setter
    def previous_(self, outcome: Outcome) -> None:
        if self.part_ is not None:
            self.part_.put_before(self.row_, outcome)

    @property
    def changed_tick_(self) -> int:
        """The tick that last changed the node."""
        return 0 if self.part_ is None else self.part_.changed.item(self.row_)

    @changed_tick_.setter
    def changed_tick_(self, tick: int) -> None:
        if self.part_ is not None:
            self.part_.changed[self.row_] = tick

    def amend(self, **terms: float) -> None:
        """Change some of the contract's terms; in a graph, its dependents become dirty.

        Parameters
        ----------
        **terms : float
            New values of the terms to change.

        Raises
        ------
        GraphError
            There is no such term, or the value is not a finite number; nothing has changed.
        BankError
            The value is outside the range of the term; nothing has changed.
        """
        admitted = self.admit_terms(self.name, terms)
        if self.host_ is None:
            self.terms_.update(admitted)
        else:
            self.host_.amend(self, admitted)

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Price this single node, through the same vectorised call."""
        return price_nodes([self], read)[0]

    def replace_input(self, old: Node, new: Node) -> None:
        """Replace `old` by `new` wherever it is a source."""
        super().replace_input(old, new)
        self.sources_ = {key: new if source is old else source for key, source in self.sources_.items()}

    def to_record(self) -> Mapping[str, object]:
        """Return the name, the sources (nodes are stored by reference) and the terms."""
        return {"name": self.name, "sources": dict(self.sources_), "terms": dict(self.terms_)}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the node from its stored fields, which were checked when the node was constructed."""
        node = cls.__new__(cls)
        ArrayNode.__init__(node, **fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it
        return node

    def describe_(self) -> str:
        """Return the sources and terms for the node's ``repr``."""
        shown = {key: _name_of(source) for key, source in self.sources_.items()}
        shown |= {key: f"{value:g}" for key, value in self.terms_.items()}
        return ", ".join(f"{key}={value}" for key, value in shown.items())


def _source(name: str, key: str, source: object) -> Node | float:
    if isinstance(source, Node):
        return source
    if isinstance(source, bool) or not isinstance(source, int | float | np.floating) or not math.isfinite(source):
        raise NodeArgumentError(f"{name}: {key}_source must be a node or a finite number, not {source!r}", name=name)
    return float(source)


def _require(name: str, kind: str, wanted: Sequence[str], given: Mapping[str, object]) -> None:
    if len(wanted) != len(given) or not all(map(given.__contains__, wanted)):
        raise NodeArgumentError(f"{name}: needs the {kind}s {sorted(wanted)}, got {sorted(given)}", name=name)


def _name_of(source: Node | float) -> str:
    return source.name if isinstance(source, Node) else f"{source:g}"

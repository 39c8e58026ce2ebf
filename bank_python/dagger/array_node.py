"""Nodes priced by one pure array function per class.

A class of contracts declares its market inputs as :class:`Source` and its contract terms as :class:`Term`,
and one ``price`` function that takes them in that order, as broadcastable float64 arrays::

    class Forward(ArrayNode):
        spot = Source("price of the underlying")
        strike = Term("delivery price")
        price = staticmethod(lambda spot, strike: spot - strike)

All dirty nodes of a class are then priced in one call, whether they are one or five thousand. There is no
scalar path beside it, so a value does not depend, to the bit, on which nodes were priced together.

A source is a node or a plain number. Numbers and terms never change by themselves, so each graph keeps them
in columns filled once, at registration (:class:`Lanes`); a node outside a graph gets columns of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, cast, overload

import numpy as np

from bank_python.dagger.node import Node
from bank_python.dagger.outcome import Failure, Outcome, upstream_failure
from bank_python.errors import GraphError, ValuationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from numpy.typing import NDArray

__all__ = ["ArrayNode", "Lanes", "Source", "Term", "evaluate_lanes"]


class Source:
    """A market input of a contract: a node or a number."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, node: None, owner: type) -> Self: ...
    @overload
    def __get__(self, node: ArrayNode, owner: type) -> Node | float: ...
    def __get__(self, node: ArrayNode | None, owner: type) -> Self | Node | float:
        return self if node is None else node._sources[self.name]


class Term:
    """A term of a contract: a number fixed when the contract is made (an amendment sets it anew)."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, node: None, owner: type) -> Self: ...
    @overload
    def __get__(self, node: ArrayNode, owner: type) -> float: ...
    def __get__(self, node: ArrayNode | None, owner: type) -> Self | float:
        return self if node is None else node._terms[self.name]


class ArrayNode(Node):
    """A node valued by its class's ``price`` function.

    Parameters
    ----------
    name : str
        Unique in the graph.
    sources : mapping of str to Node or float
        One entry per declared :class:`Source`.
    terms : mapping of str to float
        One entry per declared :class:`Term`.

    Raises
    ------
    GraphError
        An entry is missing, unknown or of the wrong kind.
    """

    price: ClassVar[Callable[..., Any]]
    source_names: ClassVar[tuple[str, ...]] = ()
    term_names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared = [item for base in reversed(cls.__mro__) for item in vars(base).values()]
        cls.source_names = tuple(dict.fromkeys(item.name for item in declared if isinstance(item, Source)))
        cls.term_names = tuple(dict.fromkeys(item.name for item in declared if isinstance(item, Term)))

    def __init__(self, name: str, sources: Mapping[str, Node | float], terms: Mapping[str, float]) -> None:
        _require(name, "source", self.source_names, sources)
        _require(name, "term", self.term_names, terms)
        self._sources = {key: _source(name, key, sources[key]) for key in self.source_names}
        self._terms = {key: float(terms[key]) for key in self.term_names}
        super().__init__(name, [source for source in self._sources.values() if isinstance(source, Node)])
        self._lanes: Lanes | None = None
        self._row = 0

    @property
    def terms(self) -> dict[str, float]:
        """The contract's terms by name."""
        return dict(self._terms)

    @property
    def lane_key(self) -> tuple[object, ...]:
        """What nodes priced in one call share: the class, the kind of each source, and the columns."""
        return (*self._layout(), self._lanes)

    def _layout(self) -> tuple[object, ...]:
        return (type(self), *(isinstance(source, Node) for source in self._sources.values()))

    def amend(self, **terms: float) -> None:
        """Set some of the contract's terms anew; in a graph, what rests on the node becomes dirty.

        Raises
        ------
        GraphError
            There is no such term, or the value is not a finite number; nothing has changed.
        """
        for key, value in terms.items():
            if key not in self._terms or not math.isfinite(value):
                known = ", ".join(self.term_names)
                raise GraphError(f"{self.name}: cannot set {key}={value!r}; terms are finite numbers: {known}")
        if self._graph is None:
            self._terms.update(terms)
        else:
            self._graph._amend(self, terms)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Say why ``price`` has no number for these inputs and terms; classes know more and override."""
        listed = ", ".join(f"{key}={value!r}" for key, value in inputs.items())
        return f"no finite value for {listed}"

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Price this node alone, through the same vectorised call."""
        return evaluate_lanes([self], read)[0]

    def replace_input(self, old: Node, new: Node) -> None:
        """Take `new` where a source is `old`."""
        super().replace_input(old, new)
        self._sources = {key: new if source is old else source for key, source in self._sources.items()}

    def to_record(self) -> Mapping[str, object]:
        """Return name, sources (nodes by reference) and terms."""
        return {"name": self.name, "sources": dict(self._sources), "terms": dict(self._terms)}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the node from its stored fields, which were checked when it was made."""
        node = cls.__new__(cls)
        ArrayNode.__init__(node, **fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it
        return node

    def _describe(self) -> str:
        shown = {key: _name_of(source) for key, source in self._sources.items()}
        shown |= {key: f"{value:g}" for key, value in self._terms.items()}
        return ", ".join(f"{key}={value}" for key, value in shown.items())


class Lanes:
    """Columns of the numbers that ticks do not touch, for nodes of one class and one kind of sources."""

    def __init__(self, first: ArrayNode) -> None:
        self.constants = [key for key, source in first._sources.items() if not isinstance(source, Node)]
        self.free: list[int] = []
        self.used = 0
        self.table: NDArray[np.float64] = np.empty((len(self.constants) + len(first.term_names), 1))

    def add(self, node: ArrayNode) -> None:
        """Give `node` a row."""
        row = self.free.pop() if self.free else self.used
        self.used = max(self.used, row + 1)
        if row >= self.table.shape[1]:
            self.table = np.concatenate([self.table, np.empty_like(self.table)], axis=1)
        node._lanes, node._row = self, row
        self.refresh(node)

    def refresh(self, node: ArrayNode) -> None:
        """Write the node's numbers into its row."""
        numbers = [cast("float", node._sources[key]) for key in self.constants]
        self.table[:, node._row] = [*numbers, *node._terms.values()]

    def remove(self, node: ArrayNode) -> None:
        """Free the node's row."""
        self.free.append(node._row)
        node._lanes = None

    def columns(self, nodes: Sequence[ArrayNode]) -> dict[str, NDArray[np.float64]]:
        """Return the columns of `nodes` by source or term name, each of shape ``(len(nodes),)``."""
        picked = self.table[:, [node._row for node in nodes]]
        return dict(zip([*self.constants, *nodes[0].term_names], picked, strict=True))


def evaluate_lanes(nodes: Sequence[ArrayNode], read: Callable[[Node], Outcome]) -> list[Outcome]:
    """Price nodes that share a :attr:`~ArrayNode.lane_key` in one call of their class's ``price``.

    A node with a failed input, or whose lane comes out as not a number, fails alone.
    """
    live = [(key, source) for key, source in nodes[0]._sources.items() if isinstance(source, Node)]
    gathered = {key: [read(node._sources[key]) for node in nodes] for key, _ in live}  # type: ignore[arg-type]
    failures = _failed_inputs(nodes, gathered)
    good = [i for i in range(len(nodes)) if i not in failures]
    outcomes: list[Outcome] = [failures.get(i) for i in range(len(nodes))]
    if good:
        priced = _price([nodes[i] for i in good], {key: [column[i] for i in good] for key, column in gathered.items()})
        for i, outcome in zip(good, priced, strict=True):
            outcomes[i] = outcome
    return outcomes


def _failed_inputs(nodes: Sequence[ArrayNode], gathered: Mapping[str, list[Outcome]]) -> dict[int, Failure]:
    failures: dict[int, Failure] = {}
    for key, column in gathered.items():
        if set(map(type, column)) == {float}:
            continue
        for i, outcome in enumerate(column):
            if isinstance(outcome, Failure):
                failures.setdefault(i, upstream_failure(nodes[i].name, outcome))
            elif not isinstance(outcome, float | int | np.floating):
                failures.setdefault(i, _not_a_number(nodes[i], key, outcome))
    return failures


def _price(nodes: Sequence[ArrayNode], inputs: Mapping[str, list[Any]]) -> list[Outcome]:
    cls = type(nodes[0])
    columns = {key: np.array(column, dtype=np.float64) for key, column in inputs.items()}
    columns |= (nodes[0]._lanes or _own_lanes(nodes[0])).columns(nodes)
    arguments = [columns[key] for key in (*cls.source_names, *cls.term_names)]
    try:
        with np.errstate(all="ignore"):  # a bad lane is NaN and is diagnosed below; it does not warn
            values = np.broadcast_to(cls.price(*arguments), (len(nodes),))
    except Exception as error:  # noqa: BLE001 - whatever a price function raises becomes the nodes' value
        return [Failure(error, node.name, error) for node in nodes]
    outcomes: list[Outcome] = values.tolist()
    for i in np.flatnonzero(np.isnan(values)).tolist():
        outcomes[i] = _undefined(nodes[i], {key: float(column[i]) for key, column in columns.items()})
    return outcomes


def _own_lanes(node: ArrayNode) -> Lanes:
    lanes = Lanes(node)
    lanes.add(node)
    node._lanes = None  # nothing is kept outside a graph
    return lanes


def _undefined(node: ArrayNode, inputs: Mapping[str, float]) -> Failure:
    reason = node.diagnose(inputs)
    error = ValuationError(f"{node.name} cannot be valued: {reason}", name=node.name, reason=reason)
    return Failure(error, node.name, error)


def _not_a_number(node: ArrayNode, key: str, outcome: Outcome) -> Failure:
    source = _name_of(node._sources[key])
    reason = f"its {key} source {source} gives {outcome!r}, not a number"
    error = ValuationError(f"{node.name} cannot be valued: {reason}", name=node.name, reason=reason)
    return Failure(error, node.name, error)


def _source(name: str, key: str, source: object) -> Node | float:
    if isinstance(source, Node):
        return source
    if isinstance(source, bool) or not isinstance(source, int | float | np.floating) or not math.isfinite(source):
        raise GraphError(f"{name}: {key}_source must be a node or a finite number, not {source!r}", name=name)
    return float(source)


def _require(name: str, kind: str, wanted: Sequence[str], given: Mapping[str, object]) -> None:
    if set(wanted) != set(given):
        raise GraphError(f"{name}: wants the {kind}s {sorted(wanted)}, got {sorted(given)}", name=name)


def _name_of(source: Node | float) -> str:
    return source.name if isinstance(source, Node) else f"{source:g}"

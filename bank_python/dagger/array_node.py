"""Nodes priced by one pure array function per class.

A class of contracts declares its market inputs as :class:`Source` and its contract terms as :class:`Term`,
and one ``price`` function that takes them in that order, as broadcastable float64 arrays::

    class Forward(ArrayNode):
        spot = Source("price of the underlying")
        strike = Term("delivery price")
        price = staticmethod(lambda spot, strike: spot - strike)

All nodes of a class that are due are then priced in one call, whether they are one or five thousand. There is no
scalar path beside it, so a value does not depend, to the bit, on which nodes were priced together.

A source is a node or a plain number. In a graph the arguments and the values of a class stand in columns
(:mod:`bank_python.dagger.columns`); a node outside a graph is priced by itself.
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


__all__ = ["ArrayNode", "Source", "Term", "call_price", "diagnosis", "input_failure", "price_nodes"]


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
        return self if node is None else node.sources_[self.name]


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
        return self if node is None else node.terms_[self.name]


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

    wiring_attributes = ("inputs_", "sources_")

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
        """What nodes priced in one call share: the class and, for each source, whether it is a node."""
        return (type(self), *(isinstance(source, Node) for source in self.sources_.values()))

    # In a graph a node's outcomes stand in its class's columns; outside one nothing is kept.

    @property
    def outcome_(self) -> Outcome:
        """What the node holds."""
        return None if self.part_ is None else self.part_.outcome(self.row_)

    @outcome_.setter
    def outcome_(self, outcome: Outcome) -> None:
        if self.part_ is not None:
            self.part_.put(self.row_, outcome)

    @property
    def previous_(self) -> Outcome:
        """What the node held before the tick that last changed it."""
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
        """Set some of the contract's terms anew; in a graph, its dependents become dirty.

        Raises
        ------
        GraphError
            There is no such term, or the value is not a finite number; nothing has changed.
        """
        for key, value in terms.items():
            if key not in self.terms_ or not math.isfinite(value):
                known = ", ".join(self.term_names)
                raise GraphError(f"{self.name}: cannot set {key}={value!r}; terms are finite numbers: {known}")
        if self.host_ is None:
            self.terms_.update(terms)
        else:
            self.host_.amend(self, terms)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Say why ``price`` has no number for these inputs and terms; classes know more and override."""
        listed = ", ".join(f"{key}={value!r}" for key, value in inputs.items())
        return f"no finite value for {listed}"

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Price this node alone, through the same vectorised call."""
        return price_nodes([self], read)[0]

    def replace_input(self, old: Node, new: Node) -> None:
        """Take `new` where a source is `old`."""
        super().replace_input(old, new)
        self.sources_ = {key: new if source is old else source for key, source in self.sources_.items()}

    def to_record(self) -> Mapping[str, object]:
        """Return name, sources (nodes by reference) and terms."""
        return {"name": self.name, "sources": dict(self.sources_), "terms": dict(self.terms_)}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the node from its stored fields, which were checked when it was made."""
        node = cls.__new__(cls)
        ArrayNode.__init__(node, **fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it
        return node

    def describe_(self) -> str:
        """Return sources and terms, as they are shown."""
        shown = {key: _name_of(source) for key, source in self.sources_.items()}
        shown |= {key: f"{value:g}" for key, value in self.terms_.items()}
        return ", ".join(f"{key}={value}" for key, value in shown.items())


def price_nodes(nodes: Sequence[ArrayNode], read: Callable[[Node], Outcome]) -> list[Outcome]:
    """Price nodes that share a :attr:`~ArrayNode.layout` in one call of their class's ``price``.

    A node with a failed input, or whose lane comes out as not a number, fails alone.
    """
    failures = {i: failure for i, node in enumerate(nodes) if (failure := input_failure(node, read)) is not None}
    good = [i for i in range(len(nodes)) if i not in failures]
    outcomes: list[Outcome] = [failures.get(i) for i in range(len(nodes))]
    if good:
        for i, outcome in zip(good, _price([nodes[i] for i in good], read), strict=True):
            outcomes[i] = outcome
    return outcomes


def call_price(cls: type[ArrayNode], arguments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Call the class's ``price`` on `arguments`, of shape (arguments, lanes); a bad lane is NaN and does not warn."""
    with np.errstate(all="ignore"):
        values = cls.price(*arguments)
    if type(values) is np.ndarray and values.shape == arguments[0].shape and values.dtype == np.float64:
        return values
    return np.broadcast_to(np.asarray(values, dtype=np.float64), arguments[0].shape)


def input_failure(node: ArrayNode, read: Callable[[Node], Outcome]) -> Failure | None:
    """Return the failure of a node one of whose inputs is not a number, or ``None``."""
    for source in node.inputs_:
        outcome = read(source)
        if outcome.__class__ is Failure:
            return upstream_failure(node.name, outcome)
        if not isinstance(outcome, float | int | np.floating):
            reason = f"its source {source.name} gives {outcome!r}, not a number"
            return _unvalued(node, reason)
    return None


def diagnosis(node: ArrayNode, read: Callable[[Node], Outcome]) -> Failure:
    """Return the failure of a node whose lane came out as not a number."""
    return _unvalued(node, node.diagnose(_arguments(node, read)))


def _unvalued(node: ArrayNode, reason: str) -> Failure:
    error = ValuationError(f"{node.name} cannot be valued: {reason}", name=node.name, reason=reason)
    return Failure(error, node.name, error)


def _arguments(node: ArrayNode, read: Callable[[Node], Outcome]) -> dict[str, float]:
    live = {
        key: cast("float", read(source)) if isinstance(source, Node) else source
        for key, source in node.sources_.items()
    }
    return {**{key: float(value) for key, value in live.items()}, **node.terms_}


def _price(nodes: Sequence[ArrayNode], read: Callable[[Node], Outcome]) -> list[Outcome]:
    given = [_arguments(node, read) for node in nodes]
    table = np.array([list(arguments.values()) for arguments in given], dtype=np.float64).T.copy()
    try:
        values = call_price(type(nodes[0]), table)
    except Exception as error:  # noqa: BLE001 - whatever a price function raises becomes the nodes' value
        return [Failure(error, node.name, error) for node in nodes]
    outcomes: list[Outcome] = values.tolist()
    for i in np.flatnonzero(np.isnan(values)).tolist():
        outcomes[i] = _unvalued(nodes[i], nodes[i].diagnose(given[i]))
    return outcomes


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

"""Nodes: everything that can change.

A :class:`Node` has a name, inputs (its *underliers*) and an outcome: its value or, when it has none, the failure in
the value's place. A node in no graph computes itself when it is read, each time, and keeps nothing. In a graph it
is in one of three states:

``CLEAN``
    its outcome is right for the current leaves, but for those that were set and not yet propagated
    (:mod:`bank_python.dagger.propagate`);
``DIRTY``
    some leaf that it depends on changed; whether the change reaches it is not known yet;
``STALE``
    one of its inputs did change: it must be evaluated again.

Invariants, for nodes in a graph: every dependent of a node that is not clean is itself not clean; a clean node's
outcome is a function of its inputs' outcomes; a node's height is one more than its highest input's.

Of each node two outcomes are kept, the current one and the one before the tick that last changed it. That is what
:meth:`~bank_python.dagger.DependencyGraph.explain` shows, and what a reader sees who looks while a tick that is not
finished has already changed the node.

**The engine's interface.** Attributes and methods whose names end in an underscore are what the graph keeps of a node
and calls on it: its outcomes, state, height, inputs and dependents. Only the modules of this package touch them. A
class of nodes of one's own defines :meth:`Node.compute` and, where it is stored, its record form.
"""

from __future__ import annotations

import enum
from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from bank_python.dagger.outcome import Failure, Outcome, checked, upstream_failure
from bank_python.errors import NodeArgumentError
from bank_python.wording import OtherWord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Self

__all__ = [
    "EvaluationPolicy",
    "Gate",
    "Graph",
    "Host",
    "Node",
    "State",
    "by_height",
    "find_cycle",
    "inputs_first",
    "present",
    "shown",
]

_MOST_SHOWN = 8


class State(enum.IntEnum):
    """How far a node's outcome can be trusted; see the module's docstring."""

    CLEAN = 0
    DIRTY = 1
    STALE = 2


class Graph(Protocol):
    """What a node may ask of the graph it is in; :class:`~bank_python.dagger.DependencyGraph` is the one there is."""

    def __len__(self) -> int: ...
    def __contains__(self, node: object) -> bool: ...
    def __iter__(self) -> Iterator[Node]: ...
    def __getitem__(self, name: str) -> Node: ...
    def find(self, name: str) -> Node | None:
        """Return the node of that name, or ``None``."""

    def node(self, node: Node | str) -> Node:
        """Return the node itself, or the node of that name."""

    def register(self, node: Any, *, replace: bool = False) -> Any:
        """Put a node, and whatever it depends on, into the graph."""

    def rewire(self, node: Node, inputs: Sequence[Node]) -> None:
        """Give a node other inputs."""

    def recalculate(self) -> object:
        """Bring every dirty node up to date."""

    def greeks(self, targets: Any, leaves: Any, *, bump: float = 0.01, relative: bool = True) -> Any:
        """Return first and second derivatives of targets by leaves."""

    def batch(self) -> AbstractContextManager[object]:
        """Make many changes one tick."""

    @property
    def tick(self) -> int:
        """The number of committed ticks."""


class Host(Protocol):
    """What a node needs of the state of its graph."""

    tick: int
    graph: Any

    def read(self, node: Node) -> Outcome:
        """Return the node's outcome, computed now if need be."""

    def is_current(self, node: Node) -> bool:
        """Whether the outcome that the node holds is known to be right."""

    def set_leaf(self, leaf: Any, outcome: Outcome, stamp: object) -> None:
        """Set a leaf."""

    def amend(self, node: Any, terms: Mapping[str, float]) -> None:
        """Set terms of a contract anew."""

    def rewire(self, node: Node, inputs: Sequence[Node]) -> None:
        """Give a node other inputs."""

    def keeps_previous(self) -> bool:
        """Whether a snapshot or an open batch may ask for what a node held before."""


class Gate(Protocol):
    """A policy at work on one node; see :mod:`bank_python.dagger.policy`."""

    lazy: ClassVar[bool]
    as_of_tick: int

    def admits(self, host: Any, node: Node) -> bool:
        """Whether the node, which is due, is evaluated now."""

    def is_ripe(self) -> bool:
        """Whether a node that was held back may be evaluated now without another change of its inputs."""


class EvaluationPolicy(Protocol):
    """When a node is evaluated; the policies that there are stand in :mod:`bank_python.dagger.policy`."""

    def gate(self) -> Gate:
        """Return the policy at work on one node."""


class _NodeType(ABCMeta):
    """The type of node classes: abstract methods, and the plain ``isinstance``, as no virtual subclass exists."""

    __instancecheck__ = type.__instancecheck__


_FOR_CLASSES = frozenset(
    {
        "accept_inputs",
        "admit_terms",
        "argument_names",
        "arguments",
        "bind",
        "bindings",
        "bound_names",
        "call_price",
        "complete",
        "completed",
        "compute",
        "construction",
        "declared",
        "declared_term",
        "diagnose",
        "equal",
        "factor_of",
        "factors",
        "from_record",
        "gate",
        "layout",
        "lookup_terms",
        "lowest_value",
        "make",
        "node_sources",
        "payoff",
        "payoff_slope",
        "price",
        "price_and_greeks",
        "quote_source",
        "quoted_as",
        "record_home",
        "record_tag",
        "record_version",
        "refusal",
        "replace_input",
        "risk_factor_of",
        "risk_factors",
        "simulated_as",
        "source_at",
        "source_names",
        "term_at",
        "term_names",
        "to_record",
        "wiring_attributes",
    }
)
"""What nodes have for those who write classes of them: ``dir`` of a class shows it, ``dir`` of a node does not."""


class Node(metaclass=_NodeType):
    """A named value that knows what it depends on.

    Parameters
    ----------
    name : str
        Unique in the node's graph, and its key in a store.
    inputs : sequence of Node
        The nodes it is computed from, in the order its function takes them.

    Raises
    ------
    GraphError
        The name is empty or not a string, or an input is not a node.
    """

    __slots__ = (
        "__weakref__",
        "changed_tick_",
        "dependents_",
        "due_",
        "fan_",
        "height_",
        "host_",
        "inputs_",
        "lazy_",
        "name",
        "outcome_",
        "previous_",
        "state_",
    )

    record_tag: ClassVar[str] = ""
    record_version: ClassVar[int] = 1
    record_home: ClassVar[str] = "/Nodes/"
    wiring_attributes: ClassVar[tuple[str, ...]] = ("inputs_",)
    """The attributes that :meth:`replace_input` sets, each to a new object."""

    how_to_set_: ClassVar[str] = "it is computed: set the leaves it depends on, leaf.set(value)"
    part_: Any = None  # the contract batch it has a row in: a sum keeps the terms of each batch apart
    equal: Callable[[Any, Any], bool] | None = None  # a cutoff rule of the node's own, in the place of the bits
    gate: Gate | None = None  # its policy at work, if it is not evaluated at every tick that reaches it

    def __init__(self, name: str, inputs: Sequence[Node] = ()) -> None:
        if not isinstance(name, str) or not name.strip():  # type: ignore[redundant-expr]  # checked for untyped callers
            raise NodeArgumentError(f"a node needs a name, a non-empty string; got {name!r}", name=name)
        for node in inputs:
            if not isinstance(node, Node):
                raise NodeArgumentError(
                    f"{name}: {node!r} is not a node; derive from nodes only", name=name, value=node
                )
        self.name = name
        self.inputs_: tuple[Node, ...] = tuple(inputs)
        self.host_: Host | None = None  # the state of the graph it is in
        self.outcome_: Outcome = None
        self.height_ = 0
        self.state_ = State.STALE
        self.dependents_: dict[Node, None] | None = None
        self.fan_: Any = None  # its dependents, sorted by how a change reaches them (dependents.py)
        self.due_ = 0  # the last propagation that scheduled it
        self.lazy_ = False  # whether only reading evaluates it: its policy, or an input's, is on read
        self.changed_tick_ = 0
        self.previous_: Outcome = None

    # --- what every node has -----------------------------------------------------------------

    @property
    def underliers(self) -> tuple[Node, ...]:
        """The nodes this one is computed from."""
        return self.inputs_

    @property
    def graph(self) -> Graph | None:
        """The graph the node is registered in, or ``None``."""
        return None if self.host_ is None else self.host_.graph

    @property
    def value(self) -> object:
        """The current value, computed now if need be.

        Raises
        ------
        UpstreamError
            An input has no value; the message names the root cause.
        BankError, Exception
            The node's own failure, as its function raised it.
        """
        outcome = self.read_()
        if outcome.__class__ is Failure:
            raise outcome.error.with_traceback(None)
        return outcome

    @property
    def error(self) -> Exception | None:
        """The exception reading :attr:`value` would raise, or ``None``."""
        outcome = self.read_()
        return outcome.error if isinstance(outcome, Failure) else None

    @property
    def dependents(self) -> tuple[Node, ...]:
        """The nodes of the graph that are computed from this one."""
        return tuple(self.dependents_ or ())

    @property
    def as_of_tick(self) -> int:
        """The tick that the value belongs to: the present one, unless a policy holds the node back."""
        if self.gate is not None:
            return self.gate.as_of_tick
        return 0 if self.host_ is None else self.host_.tick

    # --- what each class of node defines -----------------------------------------------------

    @abstractmethod
    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Return the node's value from its inputs' outcomes, as `read` gives them."""

    def bind(self, graph: Graph) -> tuple[Node, ...]:  # noqa: ARG002 - for classes that look inputs up
        """Return the node's full inputs in `graph`; some classes find the rest of theirs there by name."""
        return self.inputs_

    def replace_input(self, old: Node, new: Node) -> None:
        """Take `new` where the node refers to `old`; classes that keep inputs of their own extend it."""
        self.inputs_ = tuple(new if source is old else source for source in self.inputs_)

    def accept_inputs(self, inputs: Sequence[Node]) -> None:
        """Refuse, with a GraphError, inputs that the node cannot take in the place of its own."""

    # --- record form (what a store keeps) ----------------------------------------------------

    @property
    def record_key(self) -> str:
        """The key under which a store keeps this node."""
        return f"{self.record_home}{self.name}"

    @abstractmethod
    def to_record(self) -> Mapping[str, object]:
        """Return the fields a store keeps; underliers are nodes, stored by reference."""

    @classmethod
    @abstractmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the node from its stored fields."""

    # --- the engine's interface --------------------------------------------------------------

    def read_(self) -> Outcome:
        """Return the outcome that the running context sees, computed now if need be."""
        if self.host_ is not None:
            return self.host_.read(self)
        return _compute_alone(self)

    def renew_(self) -> Outcome:
        """Return the outcome for the inputs' present outcomes; what the graph calls when the node is due."""
        return self.evaluate_(present)

    def evaluate_(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Return the outcome for inputs as `read` gives them; what :meth:`compute` raises becomes the outcome."""
        for source in self.inputs_:
            outcome = read(source)
            if outcome.__class__ is Failure:
                return upstream_failure(self.name, outcome)
        try:
            return checked(self.name, self.compute(read))
        except Exception as error:  # noqa: BLE001 - whatever a node's function raises becomes the node's value
            return Failure(error, self.name, error)

    def rewired_(self) -> None:
        """Take note that the inputs are others now; for classes that keep something about them."""

    # --- shown -------------------------------------------------------------------------------

    def describe_(self) -> str:
        """Return what is shown between the name and the value."""
        return ", ".join(node.name for node in self.inputs_)

    if not TYPE_CHECKING:
        NPV, npv, pv, market_value, mtm = (OtherWord(".value") for _ in range(5))

        @value.setter
        def value(self, new: object) -> None:
            raise NodeArgumentError(
                f"the value of {self.name} cannot be assigned; {self.how_to_set_}", name=self.name, value=new
            )

        def _refuse_arithmetic(self, *_: object) -> None:
            raise NodeArgumentError(
                f"{self.name} is a node, not a number; use {self.name}.value for its number now, or graph.sum and "
                "graph.derive for a node that follows it",
                name=self.name,
                value=self,
            )

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse_arithmetic
        __truediv__ = __rtruediv__ = __neg__ = __pow__ = __rpow__ = _refuse_arithmetic

    def __dir__(self) -> list[str]:
        """Return what is for users: without the engine's cells and what classes of nodes are made with."""
        kind = type(self)
        return [
            name for name in super().__dir__() if _is_shown(name) and not isinstance(_static(kind, name), OtherWord)
        ]

    def __repr__(self) -> str:
        known = self.host_ is not None and self.host_.is_current(self)
        value = shown(self.outcome_) if known else "not computed yet"
        return f"{type(self).__name__}({self.name!r}, {self.describe_()}) = {value}"


def _static(kind: type, name: str) -> object:
    """Return what a class has under a name, as it is defined; None if nothing."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def _is_shown(name: str) -> bool:
    return name.startswith("__") or not (name[0] == "_" or name[-1] == "_" or name in _FOR_CLASSES)


def present(source: Node) -> Outcome:
    """Return what a node of a graph holds now."""
    return source.outcome_


def shown(outcome: Outcome) -> str:
    """Return an outcome in a few words."""
    if isinstance(outcome, np.ndarray) and outcome.size > _MOST_SHOWN:
        return f"{outcome.size:,} numbers"
    try:
        return f"{outcome:,.6g}" if isinstance(outcome, float) else repr(outcome)
    except Exception as failed:  # noqa: BLE001 - other people's code
        return f"<{type(outcome).__name__}, whose repr raised {type(failed).__name__}>"


def inputs_first(
    targets: Iterable[Node], inputs: Callable[[Node], Sequence[Node]], wanted: Callable[[Node], bool]
) -> list[Node]:
    """Return `targets` and the inputs below them for which `wanted` holds, each after its inputs.

    Iterative, so that a chain of 100,000 nodes needs no deep call stack. A node that is not wanted ends
    the walk there.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [(node, False) for node in targets if wanted(node)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((source, False) for source in inputs(node) if source not in seen and wanted(source))
    return order


def by_height(nodes: Iterable[Node]) -> list[list[Node]]:
    """Split `nodes` by height, lowest first."""
    levels: dict[int, list[Node]] = {}
    for node in nodes:
        levels.setdefault(node.height_, []).append(node)
    return [levels[height] for height in sorted(levels)]


def find_cycle(node: Node, inputs: Iterable[Node]) -> list[str]:
    """Return the names around the circle that giving `node` these inputs would close, or an empty list."""
    reached_from: dict[Node, Node] = {}
    stack = []
    for source in inputs:
        reached_from.setdefault(source, node)
        stack.append(source)
    while stack:
        member = stack.pop()
        if member is node:
            return _trace(node, reached_from)
        for source in member.underliers:
            if source not in reached_from:
                reached_from[source] = member
                stack.append(source)
    return []


def _trace(node: Node, reached_from: Mapping[Node, Node]) -> list[str]:
    names = [node.name]
    member = reached_from[node]
    while member is not node:
        names.append(member.name)
        member = reached_from[member]
    return [*names, node.name][::-1]


def _compute_alone(node: Node) -> Outcome:
    """Return the outcome of a node that is in no graph, computing all that it depends on.

    Nothing is kept: without a graph there is nothing to say when a kept value goes out of date.
    """
    outcomes: dict[Node, Outcome] = {}

    def read(source: Node) -> Outcome:
        return outcomes[source] if source in outcomes else source.read_()

    for member in inputs_first([node], lambda n: n.inputs_, lambda n: n.host_ is None):
        outcomes[member] = member.evaluate_(read)
    return outcomes[node]

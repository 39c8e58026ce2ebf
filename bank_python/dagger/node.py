"""Nodes: the named values of a dependency graph.

A :class:`Node` has a name, inputs (its *underliers*) and an outcome: its value or, if it has none, a failure. A node
outside a graph is evaluated every time it is read, and keeps the outcome of the last reading only for its ``repr``. In
a graph it is in one of three states:

``CLEAN``
    its outcome is up to date, except for leaves that were set and not yet propagated
    (:mod:`bank_python.dagger.propagate`);
``DIRTY``
    a leaf that it depends on has changed, and it is not known yet whether the node changes;
``STALE``
    one of its inputs has changed, and it must be evaluated again.

Invariants, for nodes in a graph: every dependent of a node that is not clean is itself not clean; a clean node's
outcome is a function of its inputs' outcomes; a node's height is one more than its highest input's.

Two outcomes of each node are stored, the current one and the one before the tick that last changed it. The latter is
shown by :meth:`~bank_python.dagger.DependencyGraph.explain`, and returned to readers in other threads while a tick
that has changed the node is under way.

**The engine's interface.** Attributes and methods with a trailing underscore belong to the engine: outcomes, state,
height, inputs and dependents. Only the modules of this package use them. A user-defined class of nodes defines
:meth:`Node.compute` and, if its nodes are stored, their record form.
"""

from __future__ import annotations

import enum
from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from bank_python.dagger.outcome import Failure, Outcome, checked, upstream_failure
from bank_python.display import Displayed
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
_LONGEST = 300


class State(enum.IntEnum):
    """Whether a node's outcome is up to date; see the module's docstring."""

    CLEAN = 0
    DIRTY = 1
    STALE = 2


class Graph(Protocol):
    """Interface of a graph for its nodes, implemented by :class:`~bank_python.dagger.DependencyGraph`."""

    def __len__(self) -> int: ...
    def __contains__(self, node: object) -> bool: ...
    def __iter__(self) -> Iterator[Node]: ...
    def __getitem__(self, name: str) -> Node: ...
    def find(self, name: str) -> Node | None:
        """Return the node of that name, or ``None``."""

    def node(self, node: Node | str) -> Node:
        """Return the node itself, or the node of that name."""

    def register(self, node: Any, *, replace: bool = False) -> Any:
        """Add a node, and all nodes it depends on, to the graph."""

    def rewire(self, node: Node, inputs: Sequence[Node]) -> None:
        """Replace the inputs of a node."""

    def recalculate(self) -> object:
        """Bring every dirty node up to date."""

    def greeks(self, targets: Any, leaves: Any, *, bump: float = 0.01, relative: bool = True) -> Any:
        """Return first and second derivatives of targets by leaves."""

    def batch(self) -> AbstractContextManager[object]:
        """Return a context manager that makes several changes one tick."""

    @property
    def tick(self) -> int:
        """Number of committed ticks."""


class Host(Protocol):
    """Interface of the engine for the nodes of its graph."""

    tick: int
    graph: Any

    def read(self, node: Node) -> Outcome:
        """Return the node's outcome, evaluating it if it is out of date."""

    def is_current(self, node: Node) -> bool:
        """Whether the node's outcome is known to be up to date."""

    def peek(self, node: Node) -> tuple[Outcome, str]:
        """Return what is known of a node without evaluating anything, and how it stands."""

    def set_leaf(self, leaf: Any, outcome: Outcome, stamp: object) -> None:
        """Set a leaf."""

    def amend(self, node: Any, terms: Mapping[str, float]) -> None:
        """Change terms of a contract."""

    def rewire(self, node: Node, inputs: Sequence[Node]) -> None:
        """Replace the inputs of a node."""

    def keeps_previous(self) -> bool:
        """Whether a snapshot or an open batch may need previous outcomes."""


class Gate(Protocol):
    """A policy applied to one node; see :mod:`bank_python.dagger.policy`."""

    lazy: ClassVar[bool]
    as_of_tick: int

    def admits(self, host: Any, node: Node) -> bool:
        """Whether the node, which is due, is evaluated now."""

    def is_ripe(self) -> bool:
        """Whether a throttled node may be evaluated now without another change of its inputs."""


class EvaluationPolicy(Protocol):
    """Interface of evaluation policies; the built-in ones are in :mod:`bank_python.dagger.policy`."""

    def gate(self) -> Gate:
        """Return a gate that applies the policy to one node."""


class _NodeType(ABCMeta):
    """Metaclass of nodes: abstract methods with the plain ``isinstance``, which is faster than that of ABCMeta."""

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
"""Attributes for authors of node classes, which ``dir`` shows for a class but not for a node."""


class Node(Displayed, metaclass=_NodeType):
    """A named value that is computed from other nodes.

    Parameters
    ----------
    name : str
        Name of the node, unique in its graph; also its key in a store.
    inputs : sequence of Node
        Nodes it is computed from, in the order of the arguments of its function.

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
        "seen_",
        "state_",
    )

    record_tag: ClassVar[str] = ""
    record_version: ClassVar[int] = 1
    record_home: ClassVar[str] = "/Nodes/"
    wiring_attributes: ClassVar[tuple[str, ...]] = ("inputs_",)
    """Attributes that :meth:`replace_input` replaces by new objects."""

    how_to_set_: ClassVar[str] = "it is computed: set the leaves it depends on, leaf.set(value)"
    part_: Any = None  # the contract batch in which the node has a row; sums store the terms of each batch separately
    equal: Callable[[Any, Any], bool] | None = None  # cutoff rule in place of the bitwise comparison
    gate: Gate | None = None  # its policy, if it has one

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
        self.fan_: Any = None  # its dependents, sorted by how they are brought up to date (dependents.py)
        self.due_ = 0  # number of the last propagation that scheduled it
        self.lazy_ = False  # whether it is evaluated only when read, by its own policy or that of an input
        self.changed_tick_ = 0
        self.previous_: Outcome = None
        self.seen_: Outcome = None  # its outcome when it was last read outside a graph

    # --- attributes of every node ------------------------------------------------------------

    @property
    def underliers(self) -> tuple[Node, ...]:
        """Nodes that this one is computed from."""
        return self.inputs_

    @property
    def graph(self) -> Graph | None:
        """Graph that the node is registered in, or ``None``."""
        return None if self.host_ is None else self.host_.graph

    @property
    def value(self) -> object:
        """Current value of the node, which is evaluated if it is out of date.

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
        """Exception that reading :attr:`value` would raise, or ``None``."""
        outcome = self.read_()
        return outcome.error if isinstance(outcome, Failure) else None

    @property
    def dependents(self) -> tuple[Node, ...]:
        """Nodes of the graph that are computed from this one."""
        return tuple(self.dependents_ or ())

    @property
    def as_of_tick(self) -> int:
        """Tick of the inputs that the value was computed from: the current one, unless a policy throttles the node."""
        if self.gate is not None:
            return self.gate.as_of_tick
        return 0 if self.host_ is None else self.host_.tick

    # --- methods that subclasses define or extend --------------------------------------------

    @abstractmethod
    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Compute the node's value from the outcomes of its inputs, which `read` returns."""

    def bind(self, graph: Graph) -> tuple[Node, ...]:  # noqa: ARG002 - for classes that look inputs up
        """Return all inputs of the node in `graph`; some classes look up a part of them there by name."""
        return self.inputs_

    def replace_input(self, old: Node, new: Node) -> None:
        """Replace `old` by `new` wherever the node refers to it; classes with further references extend the method."""
        self.inputs_ = tuple(new if source is old else source for source in self.inputs_)

    def accept_inputs(self, inputs: Sequence[Node]) -> None:
        """Raise a GraphError for inputs that cannot replace the node's own."""

    # --- record form, for a store ------------------------------------------------------------

    @property
    def record_key(self) -> str:
        """Key of this node in a store."""
        return f"{self.record_home}{self.name}"

    @abstractmethod
    def to_record(self) -> Mapping[str, object]:
        """Return the fields of the stored record; underliers are nodes, stored by reference."""

    @classmethod
    @abstractmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the node from its stored fields."""

    # --- the engine's interface --------------------------------------------------------------

    def read_(self) -> Outcome:
        """Return the outcome in the running context, evaluating the node if it is out of date."""
        if self.host_ is not None:
            return self.host_.read(self)
        self.seen_ = _compute_without_graph(self)
        return self.seen_

    def peek_(self) -> tuple[Outcome, str]:
        """Return what is known of the outcome without evaluating anything, ``None`` if nothing is, and how it stands.

        The second part is empty for an outcome that is up to date; otherwise it says why there is none, or that the
        node's inputs may have changed since.
        """
        if self.host_ is not None:
            return self.host_.peek(self)
        return self.seen_, "not read yet: .value computes it" if self.seen_ is None else "when last read"

    def renew_(self) -> Outcome:
        """Return the outcome for the current outcomes of the inputs; called by the graph when the node is due."""
        return self.evaluate_(present)

    def evaluate_(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Return the outcome for the input outcomes that `read` returns; an exception becomes a failure."""
        for source in self.inputs_:
            outcome = read(source)
            if outcome.__class__ is Failure:
                return upstream_failure(self.name, outcome)
        try:
            return checked(self.name, self.compute(read))
        except Exception as error:  # noqa: BLE001 - any error of the function becomes the node's outcome
            return Failure(error, self.name, error)

    def rewired_(self) -> None:
        """Reset what was derived from the inputs, after they have changed."""

    # --- display -----------------------------------------------------------------------------

    def describe_(self) -> str:
        """Return the part of the ``repr`` between the name and the value."""
        return ", ".join(node.name for node in self.inputs_)

    if not TYPE_CHECKING:
        explain = OtherWord("graph.explain(node)")
        ladder = OtherWord("graph.ladder(node, leaf, shocks)")
        subscribe, on_change, observe = (OtherWord("graph.subscribe(node, function)") for _ in range(3))
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
        __truediv__ = __rtruediv__ = __neg__ = __pow__ = __rpow__ = __float__ = _refuse_arithmetic

    def __dir__(self) -> list[str]:
        """Return the public names, without those of the engine and those for authors of node classes."""
        kind = type(self)
        return [
            name for name in super().__dir__() if _is_shown(name) and not isinstance(_static(kind, name), OtherWord)
        ]

    def __repr__(self) -> str:
        outcome, remark = self.peek_()
        value = remark if remark and outcome is None else f"{shown(outcome)}{remark and f' ({remark})'}"
        return f"{type(self).__name__}({self.name!r}, {self.describe_()}) = {value}"

    def __rich__(self) -> object:
        from bank_python.render_objects import node_view

        return node_view(self)


def _static(kind: type, name: str) -> object:
    """Return what a class has under a name, as it is defined; None if nothing."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def _is_shown(name: str) -> bool:
    return name.startswith("__") or not (name[0] == "_" or name[-1] == "_" or name in _FOR_CLASSES)


def present(source: Node) -> Outcome:
    """Return the current outcome of a node in a graph."""
    return source.outcome_


def shown(outcome: Outcome) -> str:
    """Return a short text for an outcome, on one line."""
    if isinstance(outcome, np.ndarray) and outcome.size > _MOST_SHOWN:
        return f"{outcome.size:,} numbers"
    if isinstance(outcome, tuple | list | set | frozenset | dict) and len(outcome) > _MOST_SHOWN:
        return f"{len(outcome):,} entries"
    try:
        said = f"{outcome:,.6g}" if isinstance(outcome, float) else repr(outcome)
    except Exception as failed:  # noqa: BLE001 - code of users may raise anything
        return f"<{type(outcome).__name__}, whose repr raised {type(failed).__name__}>"
    if "\n" in said:
        return f"<{type(outcome).__name__}>"
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def inputs_first(
    targets: Iterable[Node], inputs: Callable[[Node], Sequence[Node]], wanted: Callable[[Node], bool]
) -> list[Node]:
    """Return `targets` and the inputs they depend on for which `wanted` is true, each after its own inputs.

    The search is iterative, so that a chain of 100,000 nodes does not overflow the call stack. It does not continue
    below a node for which `wanted` is false.
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
    """Group `nodes` by height, lowest first."""
    levels: dict[int, list[Node]] = {}
    for node in nodes:
        levels.setdefault(node.height_, []).append(node)
    return [levels[height] for height in sorted(levels)]


def find_cycle(node: Node, inputs: Iterable[Node]) -> list[str]:
    """Return the names of the nodes in the cycle that these inputs of `node` would close, or an empty list."""
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


def _compute_without_graph(node: Node) -> Outcome:
    """Return the outcome of a node outside a graph, evaluating all nodes it depends on.

    No value is stored, as only a graph knows when a stored value is out of date.
    """
    outcomes: dict[Node, Outcome] = {}

    def read(source: Node) -> Outcome:
        return outcomes[source] if source in outcomes else source.read_()

    for member in inputs_first([node], lambda n: n.inputs_, lambda n: n.host_ is None):
        outcomes[member] = member.evaluate_(read)
    return outcomes[node]

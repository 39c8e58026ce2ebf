"""Nodes: everything that can change.

A :class:`Node` has a name, inputs (its *underliers*) and an outcome: its value or, when it has none, the failure in
the value's place. A node in no graph computes itself when it is read, each time, and keeps nothing. In a graph it
is in one of three states:

``CLEAN``
    its outcome is right for the current leaves, but for those the graph has not yet followed up
    (:mod:`bank_python.dagger.wave`);
``DIRTY``
    some leaf above it changed; whether the change reaches it is not known yet;
``STALE``
    one of its inputs did change: it must be evaluated again.

Invariants, for nodes in a graph: every dependent of a node that is not clean is itself not clean; a clean node's
outcome is a function of its inputs' outcomes; a node's height is one more than its highest input's.

Of each node two outcomes are kept, the current one and the one before the tick that last changed it. That is what
:meth:`~bank_python.dagger.graph.DependencyGraph.explain` shows, and what a reader sees who looks while a tick that
is not finished has already changed the node.
"""

from __future__ import annotations

import enum
import math
from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.barbara import register_storable
from bank_python.dagger.domain import Domain
from bank_python.dagger.evaluation import compute_alone
from bank_python.dagger.outcome import Failure, Outcome, refuse_nan, upstream_failure
from bank_python.errors import GraphError, NotQuotedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Self

    from bank_python.dagger.fan import Fan
    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.policy import Gate

__all__ = ["Leaf", "Node", "State", "present"]

_MOST_SHOWN = 8
_LOWEST = {
    Domain.FINITE: -math.inf,
    Domain.POSITIVE: 0.0,
    Domain.NON_NEGATIVE: -math.ulp(0.0),
    Domain.ANY: math.inf,  # every value takes the long way, through the domain's own check
}


class State(enum.IntEnum):
    """How far a node's outcome can be trusted; see the module's docstring."""

    CLEAN = 0
    DIRTY = 1
    STALE = 2


class _NodeType(ABCMeta):
    """The type of node classes: abstract methods, and the plain ``isinstance``, as no virtual subclass exists."""

    __instancecheck__ = type.__instancecheck__


class Node(metaclass=_NodeType):
    """A named value that knows what it rests on.

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
        "_changed_tick",
        "_dependents",
        "_due",
        "_fan",
        "_graph",
        "_height",
        "_inputs",
        "_lazy",
        "_outcome",
        "_previous",
        "_state",
        "name",
    )

    record_tag: ClassVar[str] = ""
    record_version: ClassVar[int] = 1
    record_home: ClassVar[str] = "/Nodes/"
    wiring_attributes: ClassVar[tuple[str, ...]] = ("_inputs",)
    """The attributes that :meth:`replace_input` sets, each to a new object."""

    equal: Callable[[Any, Any], bool] | None = None  # a cutoff rule of the node's own, in the place of the bits
    gate: Gate | None = None  # its policy at work, if it is not evaluated at every tick that reaches it

    def __init__(self, name: str, inputs: Sequence[Node] = ()) -> None:
        if not isinstance(name, str) or not name.strip():  # type: ignore[redundant-expr]  # checked for untyped callers
            raise GraphError(f"a node needs a name, a non-empty string; got {name!r}", name=name)
        for node in inputs:
            if not isinstance(node, Node):
                raise GraphError(f"{name}: {node!r} is not a node; derive from nodes only", name=name, value=node)
        self.name = name
        self._inputs: tuple[Node, ...] = tuple(inputs)
        self._graph: DependencyGraph | None = None
        self._outcome: Outcome = None
        self._height = 0
        self._state = State.STALE
        self._dependents: dict[Node, None] | None = None
        self._fan: Fan | None = None
        self._due = 0
        self._lazy = False  # whether only reading evaluates it: it, or what it rests on, is on read
        self._changed_tick = 0
        self._previous: Outcome = None

    # --- what every node answers -------------------------------------------------------------

    @property
    def underliers(self) -> tuple[Node, ...]:
        """The nodes this one is computed from."""
        return self._inputs

    @property
    def graph(self) -> DependencyGraph | None:
        """The graph the node is registered in, or ``None``."""
        return self._graph

    @property
    def value(self) -> object:
        """The current value, computed now if need be.

        Raises
        ------
        UpstreamError
            An input has no value; the message names the first cause.
        BankError, Exception
            The node's own failure, as its function raised it.
        """
        outcome = self._read()
        if outcome.__class__ is Failure:
            raise outcome.error.with_traceback(None)
        return outcome

    @property
    def error(self) -> Exception | None:
        """The exception reading :attr:`value` would raise, or ``None``."""
        outcome = self._read()
        return outcome.error if isinstance(outcome, Failure) else None

    @property
    def dependents(self) -> tuple[Node, ...]:
        """The nodes of the graph that are computed from this one."""
        return tuple(self._dependents or ())

    @property
    def as_of_tick(self) -> int:
        """The tick that the value belongs to: the present one, unless a policy holds the node back."""
        if self.gate is not None:
            return self.gate.as_of_tick
        return 0 if self._graph is None else self._graph.tick

    def _read(self) -> Outcome:
        if self._graph is not None:
            return self._graph._read(self)
        return compute_alone(self)

    def _renew(self) -> Outcome:
        """Return the outcome for the inputs' present outcomes; what the graph calls when the node is due."""
        return self._evaluate(present)

    def _evaluate(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Return the outcome for inputs as `read` gives them; what :meth:`compute` raises becomes the outcome."""
        for source in self._inputs:
            outcome = read(source)
            if outcome.__class__ is Failure:
                return upstream_failure(self.name, outcome)
        try:
            return refuse_nan(self.name, self.compute(read))
        except Exception as error:  # noqa: BLE001 - whatever a node's function raises becomes the node's value
            return Failure(error, self.name, error)

    # --- what each class of node defines -----------------------------------------------------

    @abstractmethod
    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Return the node's value from its inputs' outcomes, as `read` gives them."""

    def bind(self, graph: DependencyGraph) -> tuple[Node, ...]:  # noqa: ARG002 - for classes that look inputs up
        """Return the node's full inputs in `graph`; some classes find the rest of theirs there by name."""
        return self._inputs

    def replace_input(self, old: Node, new: Node) -> None:
        """Take `new` where the node refers to `old`; classes that keep inputs of their own extend it."""
        self._inputs = tuple(new if source is old else source for source in self._inputs)

    def accept_inputs(self, inputs: Sequence[Node]) -> None:
        """Refuse, with a GraphError, inputs that the node cannot take in the place of its own."""

    def _rewired(self) -> None:
        """Take note that the inputs are others now; for classes that keep something about them."""

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

    # --- reading -----------------------------------------------------------------------------

    def _describe(self) -> str:
        return ", ".join(node.name for node in self._inputs)

    def __repr__(self) -> str:
        known = self._graph is not None and self._graph._is_current(self)
        shown = _show(self._outcome) if known else "not computed yet"
        return f"{type(self).__name__}({self.name!r}, {self._describe()}) = {shown}"


@register_storable
class Leaf(Node):
    """A node that is set from outside.

    Parameters
    ----------
    name : str
        Unique in the graph.
    value : float or object, default 0.0
        The first value. A number at exactly 0.0 means *not yet quoted* (:attr:`quoted` is False): in a
        ``positive`` domain whatever rests on the leaf then has no value and says so; in the other
        domains 0.0 is a number like any other.
    domain : {"finite", "positive", "non_negative", "any"}
        Which values the leaf accepts.

    Raises
    ------
    DomainError
        `value` lies outside the domain.

    Examples
    --------
    >>> rate = Leaf("SOFR", 0.05)
    >>> rate.set(0.07)
    >>> rate.value
    0.07
    """

    __slots__ = ("_lowest", "_stamp", "domain")

    record_tag = "Leaf"
    record_home = "/Market/"

    def __init__(self, name: str, value: object = 0.0, domain: str | Domain = Domain.FINITE) -> None:
        super().__init__(name)
        self.domain = Domain.parse(domain)
        self._lowest = _LOWEST[self.domain]
        self._stamp: object = self.domain is Domain.ANY or value != 0.0
        self._outcome = self._accept(value) if self._stamp else self._unquoted()
        self._state = State.CLEAN

    @property
    def quoted(self) -> bool:
        """Whether the leaf has been given a value since it was made at 0.0."""
        return bool(self._stamp)

    def set(self, value: object) -> None:
        """Set the leaf; in a graph, what rests on it is brought up to date when it is next read or recalculated.

        Raises
        ------
        DomainError
            `value` lies outside the domain; nothing has changed.
        """
        graph = self._graph
        if graph is not None and value.__class__ is float and self._lowest < value < math.inf:
            graph._set_leaf(self, value, stamp=True)
        else:
            self._set(value, stamp=True)

    def _set(self, value: object, stamp: object) -> None:
        outcome = value if value.__class__ is float and self._lowest < value < math.inf else self._accept(value)
        if self._graph is None:
            self._outcome, self._stamp = outcome, stamp
        else:
            self._graph._set_leaf(self, outcome, stamp)

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:  # noqa: ARG002 - a leaf has no inputs
        """Return what the leaf was set to."""
        return self._outcome

    def _accept(self, value: object) -> Outcome:
        return self.domain.check(self.name, value)

    def _unquoted(self) -> Outcome:
        if self.domain is not Domain.POSITIVE:
            return 0.0
        error = NotQuotedError(
            f"{self.name} is not yet quoted: set a price, or update it from a feed, before reading it", name=self.name
        )
        return Failure(error, self.name, error)

    def to_record(self) -> Mapping[str, object]:
        """Return the leaf's value (0.0 while not yet quoted) and domain."""
        value = 0.0 if isinstance(self._outcome, Failure) else self._outcome
        return {"name": self.name, "value": value, "domain": self.domain.value}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the leaf from its stored fields."""
        return cls(**fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it

    def _describe(self) -> str:
        return f"domain={self.domain.value!r}"

    def __repr__(self) -> str:
        shown = _show(self._outcome) if self._stamp else "not yet quoted"
        return f"{type(self).__name__}({self.name!r}, {self._describe()}) = {shown}"


def present(source: Node) -> Outcome:
    """Return what a node of a graph holds now."""
    return source._outcome


def _show(outcome: Outcome) -> str:
    if isinstance(outcome, np.ndarray) and outcome.size > _MOST_SHOWN:
        return f"{outcome.size:,} numbers"
    return f"{outcome:,.6g}" if isinstance(outcome, float) else repr(outcome)

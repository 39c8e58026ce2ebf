"""The dependency graph: one object through which a program defines nodes, sets leaves and reads values.

A :class:`DependencyGraph` is a facade. It defines nodes and advances the graph by ticks itself; its other methods
delegate to methods of the same names of these objects:

==================  =====================================================================================
``what_if``         snapshots of one tick, scenarios with other leaf values (:mod:`bank_python.dagger.what_if`)
``bumps``           ladders and Greeks (:mod:`bank_python.dagger.bumps`)
``journal``         recording ticks and replaying them (:mod:`bank_python.dagger.journal`)
``inquiry``         explanations, plans, profiles, pictures (:mod:`bank_python.dagger.explain`)
``wiring``          adding and removing nodes, changing their inputs (this module)
==================  =====================================================================================

**Ticks.** One :meth:`~DependencyGraph.batch`, or one set outside a batch, is one tick. A batch that raises is undone.
**Threads.** Writers (set, batch, recalculate, a read that computes) run one at a time
(:mod:`bank_python.dagger.state`). All other threads read the last committed tick.
"""

from __future__ import annotations

import time
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from bank_python.dagger.bumps import Bumps
from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.engine import Batch, Engine, LeafBlock
from bank_python.dagger.explain import Inquiry
from bank_python.dagger.journal import Journaling
from bank_python.dagger.leaf import Leaf
from bank_python.dagger.node import Node
from bank_python.dagger.nodes import Nodes
from bank_python.dagger.observers import Observers, Subscription
from bank_python.dagger.sums import SumNode
from bank_python.dagger.what_if import WhatIf
from bank_python.display import Displayed
from bank_python.errors import NodeArgumentError
from bank_python.guessing import guessable
from bank_python.wording import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bank_python.dagger.policy import Policy
    from bank_python.dagger.propagate import Recalculation

__all__ = ["DependencyGraph", "Wiring"]

_AnyNode = TypeVar("_AnyNode", bound=Node)
_Part = TypeVar("_Part")
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def _delegate_to(
    method: Callable[Concatenate[_Part, _Given], _Result], part: str
) -> Callable[Concatenate[DependencyGraph, _Given], _Result]:
    """Return a method of the graph that delegates to `method` of its attribute `part`."""

    @wraps(method)
    def delegate(graph: DependencyGraph, *args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        return method(getattr(graph, part), *args, **kwargs)

    return cast("Callable[Concatenate[DependencyGraph, _Given], _Result]", delegate)


class Wiring:
    """Nodes of a graph: lookup, registration, removal, and changes of inputs; ``graph.wiring``.

    Parameters
    ----------
    engine : Engine
        Engine of the graph.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def in_batch(self) -> bool:
        """Whether the running code is inside a batch of changes."""
        return self._engine.log_of_running_code() is not None

    def find(self, name: str) -> Node | None:
        """Return the node of that name, or ``None``."""
        return self._engine.topology.nodes.get(name)

    def node(self, node: Node | str) -> Node:
        """Return the node itself, or the node of that name.

        Raises
        ------
        UnknownNodeError
            The node is not in this graph; the message suggests similar names.
        """
        return self._engine.topology.node(node)

    def resolve(self, nodes: Sequence[Node | str]) -> list[Node]:
        """Return the nodes, looking up those given by name."""
        return [self.node(node) if isinstance(node, str) else node for node in nodes]

    def register(self, node: _AnyNode, *, replace: bool = False) -> _AnyNode:
        """Add a node, and all nodes it depends on, to the graph.

        Parameters
        ----------
        node : Node
            Node to register; a node that is already in the graph is left as it is.
        replace : bool, default False
            Whether `node` replaces a node of the same name, whose dependents then depend on `node`.

        Returns
        -------
        Node
            The argument `node`.

        Raises
        ------
        DuplicateNodeError
            Another node has the name of this one or of one of its inputs.
        CycleError
            The nodes depend on each other in a cycle; ``path`` lists their names.
        GraphError
            One of the nodes is in another graph.
        """
        if not isinstance(node, Node):
            raise NodeArgumentError(
                f"{node!r} is not a node; register a quote, a contract or a book, one at a time",
                value=node,
            )
        self._engine.listeners.refuse_feedback()
        if replace:
            with Batch(self._engine):  # so that a failure undoes all steps
                self._engine.write(lambda: self._engine.register(node, replace=True))
        elif not self._engine.register_at_once(node):
            self._engine.write(lambda: self._engine.register(node, replace=False))
        return node

    def unregister(self, node: Node | str) -> None:
        """Remove a node from the graph; its inputs stay.

        Raises
        ------
        GraphError
            Other nodes depend on it; the message names them. Unregister those first.
        """
        self._engine.write(lambda: self._engine.unregister(self.node(node)))

    def rewire(self, node: Node, inputs: Sequence[Node]) -> None:
        """Replace the inputs of a node; inputs that are not in the graph yet are registered.

        Raises
        ------
        CycleError
            One of `inputs` depends on `node`; nothing has changed.
        """
        self._engine.rewire(self.node(node), inputs)

    def swap(self, node: Node | str, old: Node | str, new: Node | str) -> None:
        """Replace the underlier `old` of a node by `new`: another spot, another curve.

        Raises
        ------
        GraphError
            `node` does not depend on `old`.
        CycleError
            `new` depends on `node`; nothing has changed.
        """
        self._engine.listeners.refuse_feedback()
        found, leaving = self.node(node), self.node(old)
        coming = self.node(new) if isinstance(new, str) else new
        with Batch(self._engine):
            self._engine.write(lambda: self._engine.swap(found, leaving, coming))


_WORDS = {
    **dict.fromkeys(("add", "add_node", "insert", "append"), "graph.register(node)"),
    **dict.fromkeys(("set", "set_value", "set_values", "update"), "graph[name].set(value), several in graph.batch()"),
    **dict.fromkeys(("calculate", "compute", "evaluate", "run", "refresh"), "graph.recalculate()"),
    **dict.fromkeys(("get", "get_node", "lookup"), "graph[name], or graph.find(name)"),
    **dict.fromkeys(("value", "get_value", "values"), "graph[name].value"),
    **dict.fromkeys(("remove", "remove_node", "delete"), "graph.unregister(node)"),
    **dict.fromkeys(("set_price", "set_prices", "set_many"), "graph[name].set(value), several in graph.batch()"),
    **dict.fromkeys(("on_change", "observe", "watch", "listen"), "graph.subscribe(node, function)"),
    **dict.fromkeys(("unsubscribe",), ".cancel() of what graph.subscribe returned"),
    **dict.fromkeys(("throttle", "set_policy"), "graph.derive(name, function, inputs, policy=Every(seconds))"),
    **dict.fromkeys(("stats", "timings", "metrics", "slowest"), "with graph.profile() as profile: ..."),
    **dict.fromkeys(("why", "trace"), "graph.explain(node)"),
    **dict.fromkeys(("stop_recording", "start_recording"), "with graph.record(FileJournal(path)): ..."),
    **dict.fromkeys(("names", "keys", "items", "leaves"), "graph.nodes"),
    **dict.fromkeys(("add_function", "define", "node_function"), "graph.derive(name, function, inputs)"),
    **dict.fromkeys(("what_if_scenario", "bump", "shock"), "graph.scenario({name: value})"),
    **dict.fromkeys(("visualize", "draw", "plot", "show"), "graph.to_dot()"),
}


@guessable
class DependencyGraph(Displayed):
    """A reactive graph of named nodes.

    Examples
    --------
    >>> from bank_python.dagger import Leaf
    >>> graph = DependencyGraph()
    >>> bid, ask = graph.register(Leaf("BID", 99.0)), graph.register(Leaf("ASK", 101.0))
    >>> mid = graph.derive("MID", lambda b, a: (b + a) / 2, [bid, ask])
    >>> mid.value
    100.0
    >>> bid.set(100.0)
    >>> graph.recalculate().evaluated, mid.value
    (1, 100.5)
    >>> with graph.scenario({"ASK": 110.0}):
    ...     mid.value
    105.0
    >>> mid.value
    100.5
    """

    def __init__(self) -> None:
        self._observers = Observers()
        self._engine = Engine(self._observers, self)
        self.wiring = Wiring(self._engine)
        self.what_if = WhatIf(self._engine)
        self.bumps = Bumps(self._engine)
        self.journal = Journaling(self._engine)
        self.inquiry = Inquiry(self._engine)

    # --- contents ----------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._engine.topology.nodes)

    def __contains__(self, node: object) -> bool:
        if isinstance(node, str):
            return self.find(node) is not None
        return isinstance(node, Node) and self.find(node.name) is node

    def __iter__(self) -> Iterator[Node]:
        return iter(tuple(self._engine.topology.nodes.values()))

    def __getitem__(self, name: str) -> Node:
        return self.node(name)

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    def __dir__(self) -> list[str]:
        """Return the public names."""
        return [name for name in super().__dir__() if name.startswith("__") or name[0] != "_"]

    def __repr__(self) -> str:
        leaves = sum(isinstance(node, Leaf) for node in self)
        return f"<DependencyGraph: {len(self)} nodes, {leaves} leaves, {self.dirty} dirty, tick {self.tick}>"

    @property
    def nodes(self) -> Nodes:
        """The nodes by name, in order of registration, as a read-only live mapping.

        Examples
        --------
        >>> from bank_python.dagger import Leaf
        >>> graph = DependencyGraph()
        >>> _ = graph.register(Leaf("SOFR", 0.043))
        >>> list(graph.nodes), graph.nodes["SOFR"].value
        (['SOFR'], 0.043)
        """
        return Nodes(self._engine.topology)

    @property
    def tick(self) -> int:
        """Number of committed ticks."""
        return self._engine.tick

    @property
    def evaluations(self) -> int:
        """Number of node evaluations since the graph was constructed."""
        return self._engine.evaluations

    @property
    def dirty(self) -> int:
        """Number of nodes that may be out of date: dependents of all leaves set since the last recalculation."""
        return self._engine.count_dirty()

    # --- definition --------------------------------------------------------------------------

    @guessable
    def derive(
        self,
        name: str,
        function: Callable[..., Any],
        inputs: Sequence[Node | str],
        policy: Policy | None = None,
        *,
        equal: Callable[[Any, Any], bool] | float | None = None,
        override: bool = False,
        replace: bool = False,
    ) -> DerivedNode:
        """Add a node whose value is a pure function of other nodes.

        Parameters
        ----------
        name : str
            Name of the new node.
        function : callable
            Plain function that takes the inputs' values, in order.
        inputs : sequence of Node or str
            Input nodes, which are registered if they are not in the graph yet, or names of nodes of this graph.
        policy : Policy, optional
            Evaluation policy: :class:`~bank_python.dagger.OnRead`, :class:`~bank_python.dagger.Every`,
            :class:`~bank_python.dagger.Moved` or :class:`~bank_python.dagger.Background`. By default the node is
            evaluated at every recalculation in which an input has changed.
        equal : callable or float, optional
            Cutoff rule, or tolerance, by which two values count as the same; see :class:`DerivedNode`.
        override : bool, default False
            Whether a what-if layer may override the value of the node.
        replace : bool, default False
            Whether to replace an existing node of that name.

        Returns
        -------
        DerivedNode
            The registered node.
        """
        node = DerivedNode(
            name,
            function,
            [self.node(node) if isinstance(node, str) else node for node in inputs],
            equal,
            policy,
            override=override,
        )
        return self.wiring.register(node, replace=replace)

    def sum(
        self, name: str, nodes: Sequence[Node | str], weights: Sequence[float] | None = None, *, replace: bool = False
    ) -> SumNode:
        """Add a node that is the exact sum, optionally weighted, of other nodes."""
        return self.register(
            SumNode(name, self.wiring.resolve(nodes), weights),
            replace=replace,
        )

    def block(self, leaves: Sequence[Leaf | str]) -> LeafBlock:
        """Return a block that sets many leaves at once from an array, as one tick.

        Raises
        ------
        GraphError
            A node is not a leaf that holds a number, or occurs twice.
        """
        return LeafBlock(self._engine, [self.node(leaf) for leaf in leaves])

    # --- ticks -------------------------------------------------------------------------------

    def batch(self) -> Batch:
        """Return a context manager that makes several changes one tick, and undoes them if its block raises.

        The batch belongs to the code that opened it; see :class:`~bank_python.dagger.engine.Batch`.
        """
        return Batch(self._engine)

    def recalculate(self, leaf: Leaf | None = None) -> Recalculation:  # noqa: ARG002 - accepted and ignored, see below
        """Bring every dirty node up to date.

        Parameters
        ----------
        leaf : Leaf, optional
            Leaf that changed; accepted for readability and ignored, as the graph records all changes itself.

        Returns
        -------
        Recalculation
            Counts of the nodes that were evaluated, changed and failed.
        """
        started = time.perf_counter()
        done = self._engine.write(self._engine.update)
        done.seconds = time.perf_counter() - started
        return done

    def subscribe(self, node: Node | str, callback: Callable[[Node], object], *, weak: bool = False) -> Subscription:
        """Call ``callback(node)`` after each recalculation or set that changed the node.

        Several changes before the node is brought up to date result in one call. The callback runs in the thread that
        made the change, when its tick is complete. An exception that it raises is logged and counted
        (``subscription.failures``, ``subscription.error``); the graph and other subscribers are not affected.

        Parameters
        ----------
        node : Node or str
            Node to watch, or its name.
        callback : callable
            Function that takes the node.
        weak : bool, default False
            Whether to hold only a weak reference to `callback` (for a bound method, to its object); the subscription
            ends when it is garbage-collected.
        """
        found = self.node(node)

        def add() -> Subscription:
            self._engine.topology.forget_dependents(found)
            return self._observers.add(found, callback, weak=weak)

        return self._engine.write(add)

    # --- methods of the other objects --------------------------------------------------------

    find = _delegate_to(Wiring.find, "wiring")
    node = _delegate_to(Wiring.node, "wiring")
    register = _delegate_to(Wiring.register, "wiring")
    unregister = _delegate_to(Wiring.unregister, "wiring")
    rewire = _delegate_to(Wiring.rewire, "wiring")
    swap = _delegate_to(Wiring.swap, "wiring")
    scenario = _delegate_to(WhatIf.scenario, "what_if")
    snapshot = _delegate_to(WhatIf.snapshot, "what_if")
    ladder = _delegate_to(Bumps.ladder, "bumps")
    greeks = _delegate_to(Bumps.greeks, "bumps")
    record = _delegate_to(Journaling.record, "journal")
    replay = _delegate_to(Journaling.replay, "journal")
    explain = _delegate_to(Inquiry.explain, "inquiry")
    plan = _delegate_to(Inquiry.plan, "inquiry")
    profile = _delegate_to(Inquiry.profile, "inquiry")
    to_dot = _delegate_to(Inquiry.to_dot, "inquiry")

    def __rich__(self) -> object:
        from bank_python.render_objects import graph_view

        return graph_view(self)

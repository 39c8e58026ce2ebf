"""What-if layers: other values for some leaves, seen by one context and by nobody else.

A :class:`Layer` overrides some leaves. Inside its ``with`` block the nodes that rest on them are computed from the
overrides, on first read, into the layer's own memory, as a tick would have computed them; every other node is read
from the tick the layer is pinned to. The graph itself is never touched, so leaving costs nothing and leaves no trace,
and what others set meanwhile is neither lost nor seen.

A layer opened inside another takes over its overrides, and what it has computed so far that the new ones do not reach.
Which layers are open belongs to the context (:mod:`contextvars`): two threads have two stacks of layers.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from bank_python.dagger.aggregate import SumNode
from bank_python.dagger.evaluation import by_height, evaluate
from bank_python.dagger.outcome import Failure, Outcome, same
from bank_python.dagger.settling import unchanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.node import Node
    from bank_python.dagger.snapshot import Snapshot

__all__ = ["Layer", "active_layer", "cone_of", "enter_layer", "leave_layer", "needed_in"]

_LAYERS: ContextVar[tuple[Layer, ...]] = ContextVar("bank_python_what_if_layers", default=())


class Layer:
    """One what-if layer over a pinned tick.

    Parameters
    ----------
    graph : DependencyGraph
        The graph the layer belongs to.
    base : Snapshot
        The tick it is pinned to.
    overrides : mapping of Node to outcome
        The values inside the layer.
    outer : Layer, optional
        The layer it is opened in, pinned to the same tick.
    """

    def __init__(
        self, graph: DependencyGraph, base: Snapshot, overrides: Mapping[Node, Outcome], outer: Layer | None = None
    ) -> None:
        self.graph = graph
        self.base = base
        self.evaluations = 0
        self._overrides = dict(overrides) if outer is None else {**outer._overrides, **overrides}
        self._touched = cone_of(self._overrides)
        self._known: dict[Node, Outcome] = {}
        self._moved: set[Node] = set()
        if outer is not None:
            self._take_over(outer, cone_of(overrides))
        for node, outcome in self._overrides.items():
            self._keep(node, outcome)

    def _take_over(self, outer: Layer, reached: Mapping[Node, object]) -> None:
        self._known = {node: outcome for node, outcome in outer._known.items() if node not in reached}
        self._moved = {node for node in outer._moved if node in self._known}

    def outcome(self, node: Node) -> Outcome:
        """Return the node's outcome inside the layer, computing what it needs and no more."""
        if node not in self._known:
            if node not in self._touched:
                return self.base.outcome(node)
            self._compute(node)
        return self._known[node]

    def _compute(self, target: Node) -> None:
        for level in by_height(needed_in(self._touched, target, self._known)):
            due = []
            for node in level:
                if self._moved.isdisjoint(self._touched[node]):
                    self._known[node] = self.base.outcome(node)  # nothing that it rests on has moved
                else:
                    due.append(node)
            self.evaluations += len(due)
            for node, outcome in self._evaluate(due):
                self._keep(node, outcome)

    def _keep(self, node: Node, outcome: Outcome) -> None:
        before = None if node._lazy else self.base.outcome(node)  # asking for it would compute it
        if not node._lazy and unchanged(node, before, outcome):
            self._known[node] = before
            self._moved.discard(node)
        else:
            self._known[node] = outcome
            self._moved.add(node)

    def _evaluate(self, nodes: Iterable[Node]) -> Iterable[tuple[Node, Outcome]]:
        others: list[Node] = []
        done: list[tuple[Node, Outcome]] = []
        totals = [node for node in nodes if isinstance(node, SumNode)]
        if totals and self.graph._hold(self.base.tick):
            try:
                done = [(node, self._shifted(node)) for node in totals]
            finally:
                self.graph._lock.leave()
        known = {node for node, outcome in done if outcome is not None}
        others = [node for node in nodes if node not in known]
        return [*(pair for pair in done if pair[0] in known), *evaluate(others, self._read)]

    def _shifted(self, total: SumNode) -> Outcome:
        """Return a sum from its present exact total and what moved; ``None`` if that cannot be."""
        moved = [node for node in self._touched[total] if node in self._moved]
        return total.shifted([(node, node._outcome, self._known[node]) for node in moved])

    def _read(self, node: Node) -> Outcome:
        return self._known[node] if node in self._known else self.base.outcome(node)


def cone_of(sources: Iterable[Node]) -> dict[Node, list[Node]]:
    """Return every node that rests on `sources`, with those of its inputs that do or are among them."""
    pinned = set(sources)
    touched: dict[Node, list[Node]] = {}
    stack = list(pinned)
    while stack:
        source = stack.pop()
        for dependent in source._dependents or ():
            if dependent in pinned:
                continue
            known = touched.get(dependent)
            if known is None:
                touched[dependent] = [source]
                stack.append(dependent)
            else:
                known.append(source)
    return touched


def needed_in(touched: Mapping[Node, list[Node]], target: Node, known: Mapping[Node, object]) -> set[Node]:
    """Return the nodes of a cone that `target` rests on, itself among them, apart from those `known`."""
    needed: set[Node] = set()
    stack = [target]
    while stack:
        node = stack.pop()
        if node not in needed:
            needed.add(node)
            stack.extend([source for source in touched[node] if source in touched and source not in known])
    return needed


def active_layer(graph: DependencyGraph) -> Layer | None:
    """Return the innermost layer of `graph` that this context has open."""
    for layer in reversed(_LAYERS.get()):
        if layer.graph is graph:
            return layer
    return None


def enter_layer(layer: Layer) -> None:
    """Open `layer` in this context."""
    _LAYERS.set((*_LAYERS.get(), layer))


def leave_layer(layer: Layer) -> None:
    """Close `layer`, wherever it stands in this context's stack."""
    _LAYERS.set(tuple(other for other in _LAYERS.get() if other is not layer))

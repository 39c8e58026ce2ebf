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

from bank_python.dagger.evaluation import evaluate
from bank_python.dagger.settling import compared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.dagger.aggregate import SumNode
    from bank_python.dagger.cone import Cone, Level
    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome
    from bank_python.dagger.snapshot import Snapshot

__all__ = ["Layer", "active_layer", "enter_layer", "leave_layer"]

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
        self._overrides: dict[Node, Outcome] = dict(overrides) if outer is None else {**outer._overrides, **overrides}
        self._cone = graph._memory.cone(tuple(self._overrides))
        self._wiring = graph._memory.version
        self._known: dict[Node, Outcome] = {}
        self._moved: set[Node] = set()
        if outer is not None:
            self._take_over(outer, graph._memory.cone(tuple(overrides)))
        for node, outcome in self._overrides.items():
            self._keep(node, outcome)

    def _take_over(self, outer: Layer, reached: Cone) -> None:
        taken = reached.touched.keys() | self._overrides.keys()
        self._known = {node: outcome for node, outcome in outer._known.items() if node not in taken}
        self._moved = {node for node in outer._moved if node in self._known}

    def outcome(self, node: Node) -> Outcome:
        """Return the node's outcome inside the layer, computing what it needs and no more."""
        if node not in self._known:
            if self._wiring != self.graph._memory.version:
                self._look_again()
            if node not in self._cone.touched:
                return self.base.outcome(node)
            for level in self._cone.levels_for(node):
                self._compute(level)
        return self._known[node]

    def _look_again(self) -> None:
        """Take note of nodes that came into the graph since the layer was opened."""
        with self.graph._lock:
            self._wiring = self.graph._memory.version
            self._cone = self.graph._memory.cone(tuple(self._overrides))

    def _compute(self, level: Level) -> None:
        for node in level.others:
            if self._is_due(node):
                self._keep(node, node._evaluate(self._read))
        totals = [node for node in level.totals if self._is_due(node)]
        if totals:
            self._add_up(totals)
        for node, outcome in evaluate([node for node in level.arrays if self._is_due(node)], self._read):
            self._keep(node, outcome)

    def _is_due(self, node: Node) -> bool:
        if node in self._known:
            return False
        if self._moved.isdisjoint(self._cone.touched[node]):
            self._known[node] = self.base.outcome(node)  # nothing that it rests on has moved
            return False
        self.evaluations += 1
        return True

    def _keep(self, node: Node, outcome: Outcome) -> None:
        before = node._outcome  # before looking for a saved one: the writer saves first and overwrites second
        if self.base.saved and not node._lazy:
            before = self.base.outcome(node)
        if node._lazy:  # what it holds need not be what it was, and asking that would compute it
            moved = True
        elif outcome.__class__ is before.__class__ is float and outcome and node.equal is None:
            moved = outcome != before
        else:
            outcome, is_same = compared(node, before, outcome)
            moved = not is_same
        if moved:
            self._known[node] = outcome
            self._moved.add(node)
        else:
            self._known[node] = before

    def _add_up(self, totals: Sequence[SumNode]) -> None:
        """Take sums from their present exact totals and what moved, or else from all their inputs."""
        shifted: list[float | None] = [None] * len(totals)
        if self.graph._hold(self.base.tick):
            try:
                shifted = [total.shifted(self._moves(total)) for total in totals]
            finally:
                self.graph._lock.leave()
        for total, outcome in zip(totals, shifted, strict=True):
            self._keep(total, total._evaluate(self._read) if outcome is None else outcome)

    def _moves(self, total: SumNode) -> list[tuple[Node, Outcome, Outcome]]:
        known, moved = self._known, self._moved
        return [(node, node._outcome, known[node]) for node in self._cone.touched[total] if node in moved]

    def _read(self, node: Node) -> Outcome:
        return self._known[node] if node in self._known else self.base.outcome(node)


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

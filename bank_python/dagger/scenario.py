"""What-if layers: other leaf values, seen by one context and by nobody else.

A :class:`Layer` overrides some leaves. Inside its ``with`` block the nodes that rest on them are computed
from the overrides, on first read, into the layer's own memory; every other node is read from the layer
below or from the tick the layer is pinned to. The graph itself is never touched, so leaving costs nothing
and leaves no trace, and what others set meanwhile is neither lost nor seen.

Which layers are open belongs to the context (:mod:`contextvars`): two threads have two stacks of layers.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from bank_python.dagger.evaluation import by_height, evaluate, inputs_first

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome
    from bank_python.dagger.snapshot import Snapshot

__all__ = ["Layer", "active_layer", "enter_layer", "leave_layer"]

_LAYERS: ContextVar[tuple[Layer, ...]] = ContextVar("bank_python_what_if_layers", default=())


class Layer:
    """One what-if layer over a pinned tick or over another layer.

    Parameters
    ----------
    graph : DependencyGraph
        The graph the layer belongs to.
    below : Layer or Snapshot
        Where nodes that the overrides do not reach are read.
    overrides : mapping of Node to outcome
        The leaves' values inside the layer.
    affected : frozenset of Node
        Every node that rests on an override.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        below: Layer | Snapshot,
        overrides: Mapping[Node, Outcome],
        affected: frozenset[Node],
    ) -> None:
        self.graph = graph
        self._below = below
        self._known: dict[Node, Outcome] = dict(overrides)
        self._affected = affected
        self.evaluations = 0

    def outcome(self, node: Node) -> Outcome:
        """Return the node's outcome inside the layer, computing what it needs and no more."""
        if node in self._known:
            return self._known[node]
        if node not in self._affected:
            return self._below.outcome(node)
        needed = inputs_first([node], lambda n: n.underliers, self._is_open)
        for level in by_height(needed):
            self.evaluations += len(level)
            self._known.update(evaluate(level, self._get))
        return self._known[node]

    def _is_open(self, node: Node) -> bool:
        return node in self._affected and node not in self._known

    def _get(self, node: Node) -> Outcome:
        return self._known[node] if node in self._known else self._below.outcome(node)


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

"""Coming into a graph, leaving it, and changing inputs: what has to be true of the wiring afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.lanes import Lanes
from bank_python.dagger.marking import mark_stale
from bank_python.dagger.node import Leaf, Node, State
from bank_python.dagger.wiring import dependents_of, height_of
from bank_python.errors import CycleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bank_python.dagger.graph import DependencyGraph

__all__ = ["attach", "connect", "detach", "exchange", "forget_fan", "refuse_self_reference"]


def attach(graph: DependencyGraph, node: Node, inputs: tuple[Node, ...]) -> None:
    """Put `node` into `graph`, whose nodes its `inputs` are."""
    if isinstance(node, ArrayNode):
        graph._mark_pending()  # its row is about to be filled from what its inputs hold
    node._graph, node._inputs, node._height = graph, inputs, height_of(inputs)
    node._lazy = _is_lazy(node)
    node._rewired()
    graph._nodes[node.name] = node
    _link(node)
    if isinstance(node, ArrayNode):
        _lanes_for(graph, node).add(node)
    if not isinstance(node, Leaf):
        node._state = State.STALE
        if not node._lazy:
            graph._dirty[node] = None


def detach(graph: DependencyGraph, node: Node) -> None:
    """Take `node` out of `graph`; nothing rests on it."""
    _unlink(node, node._inputs)
    graph._observers.forget(node)
    if isinstance(node, ArrayNode) and node._lanes is not None:
        for source in node._lanes.remove(node)._inputs:
            forget_fan(source)  # it knows the row by its old number
    graph._dirty.pop(node, None)
    graph._waiting.pop(node, None)
    graph._pending.pop(node, None)
    if graph._nodes.get(node.name) is node:
        del graph._nodes[node.name]
    node._graph = node._fan = None


def connect(graph: DependencyGraph, node: Node, before: tuple[Node, ...]) -> None:
    """Take note that a node of the graph has other inputs than `before`: edges, heights, marks."""
    graph._mark_pending()
    _unlink(node, before)
    node._rewired()
    _link(node)
    _repair_heights(node)
    if isinstance(node, ArrayNode) and node._lanes is not None:
        node._lanes.refresh(node)
    mark_stale(graph, [node])


def exchange(graph: DependencyGraph, node: Node, old: Node, new: Node) -> Callable[[], None]:
    """Let `node` rest on `new` in the place of `old`; return what undoes it."""
    before = {attribute: getattr(node, attribute) for attribute in node.wiring_attributes}
    node.replace_input(old, new)
    connect(graph, node, before["_inputs"])

    def undo() -> None:
        present = node._inputs
        for attribute, value in before.items():
            setattr(node, attribute, value)
        connect(graph, node, present)

    return undo


def refuse_self_reference(old: Node, new: Iterable[tuple[Node, tuple[Node, ...]]]) -> None:
    """Refuse to put nodes that rest on `old` in its place.

    Raises
    ------
    CycleError
        One of them does.
    """
    above = {old, *dependents_of([old])}
    for member, inputs in new:
        for source in inputs:
            if source in above:
                path = [source.name, member.name, old.name]
                raise CycleError(
                    f"{old.name} cannot be replaced by a node that rests on it: {' → '.join(path)}", path=path
                )


def forget_fan(node: Node) -> None:
    """Let the node's dependents be sorted anew when that is next needed."""
    node._fan = None
    if isinstance(node, ArrayNode) and node._lanes is not None:
        node._lanes.fan = None
    if node._graph is not None:
        node._graph._memory.forget()


def _link(node: Node) -> None:
    for source in node._inputs:
        if source._dependents is None:
            source._dependents = {}
        source._dependents[node] = None
        forget_fan(source)


def _unlink(node: Node, inputs: tuple[Node, ...]) -> None:
    for source in inputs:
        if source._dependents is not None:
            source._dependents.pop(node, None)
        forget_fan(source)


def _lanes_for(graph: DependencyGraph, node: ArrayNode) -> Lanes:
    layout = node.layout
    if layout not in graph._lanes:
        graph._lanes[layout] = Lanes(node)
    return graph._lanes[layout]


def _repair_heights(node: Node) -> None:
    stack = [node]
    while stack:
        member = stack.pop()
        height = height_of(member._inputs)
        lazy = _is_lazy(member)
        if (height, lazy) != (member._height, member._lazy):
            member._height, member._lazy = height, lazy
            if isinstance(member, ArrayNode) and member._lanes is not None:
                member._lanes.rearranged()
            stack.extend(member.dependents)


def _is_lazy(node: Node) -> bool:
    if node.gate is not None and node.gate.lazy:
        return True
    return any(source._lazy for source in node._inputs)

"""Checking edges before they are made: order of registration, names, cycles, heights."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from bank_python.errors import CycleError, DuplicateNodeError, GraphError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.node import Node

__all__ = ["Reach", "check_names", "dependents_of", "find_cycle", "height_of", "reach_of", "registration_order"]


def registration_order(graph: DependencyGraph, node: Node) -> list[tuple[Node, tuple[Node, ...]]]:
    """Return `node` and the underliers not yet in `graph`, inputs first, each with its bound inputs.

    Raises
    ------
    CycleError
        They rest on each other in a circle.
    GraphError
        One of them is in another graph.
    """
    if node._graph is None:
        inputs = node.bind(graph)
        if all(source._graph is graph for source in inputs):  # most of the time; and no circle can close
            return [(node, inputs)]
    order: list[tuple[Node, tuple[Node, ...]]] = []
    path: dict[Node, tuple[Node, ...]] = {}
    done: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(node, False)]
    while stack:
        member, expanded = stack.pop()
        if expanded:
            order.append((member, path.pop(member)))
            done.add(member)
        elif member in path:
            _refuse_cycle([*path], member)
        elif member not in done and not _is_registered(graph, member):
            path[member] = member.bind(graph)
            stack.append((member, True))
            stack.extend((source, False) for source in path[member])
    return order


def _is_registered(graph: DependencyGraph, node: Node) -> bool:
    if node.graph is not None and node.graph is not graph:
        raise GraphError(
            f"{node.name} is registered in another graph; a node lives in one graph: unregister it there "
            "or make a node of its own for this one",
            name=node.name,
        )
    return node.graph is graph


def _refuse_cycle(path: Sequence[Node], again: Node) -> None:
    names = [node.name for node in path[path.index(again) :]] + [again.name]
    raise CycleError(f"nodes rest on each other in a circle: {' → '.join(names)}", path=names)


def check_names(known: Mapping[str, Node], new: Iterable[tuple[Node, tuple[Node, ...]]], replaced: Node | None) -> None:
    """Refuse a name that another node has.

    Raises
    ------
    DuplicateNodeError
        In `known` (but for `replaced`), or twice among `new`.
    """
    coming: dict[str, Node] = {}
    for node, _ in new:
        taken = known.get(node.name)
        other = coming.setdefault(node.name, node) if taken is None or taken is replaced else taken
        if other is not node:
            raise DuplicateNodeError(
                f"the name {node.name!r} is taken by {other!r}; choose another, reuse that node, or register "
                "with replace=True",
                name=node.name,
            )


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


def dependents_of(nodes: Iterable[Node]) -> list[Node]:
    """Return every node that rests on one of `nodes`, directly or not."""
    found: dict[Node, None] = {}
    stack = list(nodes)
    while stack:
        for dependent in stack.pop()._dependents or ():
            if dependent not in found:
                found[dependent] = None
                stack.append(dependent)
    return list(found)


class Reach(enum.Enum):
    """How much of what rests on some sources a target needs."""

    NONE = enum.auto()
    PART = enum.auto()
    ALL = enum.auto()


def reach_of(sources: Iterable[Node], target: Node) -> Reach:
    """Return how much of what rests on `sources`, lazy nodes apart, reading `target` needs."""
    cone = set(dependents_of(sources))
    if target not in cone:
        return Reach.NONE
    if target._lazy:
        return Reach.PART
    cone = {node for node in cone if not node._lazy}
    needed = {target}
    for node in sorted(cone, key=lambda member: -member._height):
        if node is not target and needed.isdisjoint(node._dependents or ()):
            return Reach.PART
        needed.add(node)
    return Reach.ALL


def height_of(inputs: Iterable[Node]) -> int:
    """Return the height of a node with these inputs: one more than the highest, 0 for a leaf."""
    return max([source._height for source in inputs], default=-1) + 1

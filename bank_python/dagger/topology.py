"""Topology: the nodes of a graph, the edges between them, and cached results about them.

All nodes are added, removed and rewired by :class:`Topology`. It maintains the wiring (edges in both directions,
heights, rows in the contract batches, lazy nodes), rejects cycles and duplicate names before anything has changed, and
caches, until the wiring changes, the *cone* of a node, which is the set of its direct and indirect dependents, and
whether a target needs all of it.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NamedTuple

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.columns import Columns
from bank_python.dagger.node import Node, by_height, find_cycle, inputs_first
from bank_python.dagger.sums import SumNode
from bank_python.errors import CycleError, DuplicateNodeError, GraphError, UnknownNodeError
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from bank_python.dagger.node import Graph, Host

__all__ = [
    "Cone",
    "Level",
    "Reach",
    "Topology",
    "dependents_of",
    "forget_dependents",
    "refuse_cycle",
    "refuse_self_reference",
    "registration_order",
]

_CONES = 100_000  # number of nodes in all cached cones
_PAIRS = 100_000  # number of pairs of sources and target whose reach is cached
_TARGETS = 64  # number of target tuples for which a cone caches its levels


class Topology:
    """Nodes of a graph and their wiring.

    Attributes
    ----------
    nodes : dict of str to Node
        Nodes by name, in order of registration.
    version : int
        Number of changes of the wiring so far.
    shared : dict
        Cache of sorted dependents for the current wiring, used by the dependents module.
    """

    __slots__ = ("_batches", "_cones", "_reaches", "_size", "nodes", "shared", "version")

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.version = 0
        self.shared: dict[Hashable, Any] = {}
        self._batches: dict[tuple[object, ...], Columns] = {}
        self._reaches: dict[tuple[object, Node], Reach] = {}
        self._cones: dict[tuple[Node, ...], Cone] = {}
        self._size = 0

    # --- lookups -----------------------------------------------------------------------------

    def node(self, node: Node | str) -> Node:
        """Return the node itself, or the node of that name.

        Raises
        ------
        UnknownNodeError
            The node is not in this graph; the message suggests similar names.
        """
        found = self.nodes.get(node) if isinstance(node, str) else node
        if found is None or self.nodes.get(found.name) is not found:
            name = node if isinstance(node, str) else node.name
            hint = did_you_mean(name, self.nodes, "register it first")
            raise UnknownNodeError(f"no node {name!r} in this graph; {hint}", name=name)
        return found

    def cone(self, sources: tuple[Node, ...]) -> Cone:
        """Return the cone of `sources`; cones of single nodes are cached."""
        known = self._cones.get(sources)
        if known is None:
            known = Cone(sources)
            if len(sources) == 1:
                self._size += len(known)
                if self._size > _CONES:
                    self._cones, self._size = {}, len(known)
                self._cones[sources] = known
        return known

    def reach(self, key: Hashable, sources: Sequence[Node], target: Node) -> Reach:
        """Return how many of the dependents of `sources` the node `target` needs, cached under `key`."""
        known = self._reaches.get((key, target))
        if known is None:
            if len(self._reaches) > _PAIRS:
                self._reaches = {}
            known = self._reaches[key, target] = _reach_of(sources, target)
        return known

    def forget(self) -> None:
        """Discard all cached results, as the wiring has changed."""
        self.version += 1
        if self._reaches or self._cones or self.shared:
            self._reaches, self._cones, self.shared, self._size = {}, {}, {}, 0

    # --- changes -----------------------------------------------------------------------------

    def attach(self, node: Node, inputs: tuple[Node, ...], host: Host) -> None:
        """Add `node`, whose `inputs` are in the graph already."""
        self.nodes[node.name] = node
        node.host_, node.inputs_, node.seen_ = host, inputs, None
        node.height_, node.lazy_ = _placed(node)
        node.rewired_()
        self._link(node)
        if isinstance(node, ArrayNode):
            self._batch_for(node).add(node)

    def detach(self, node: Node) -> None:
        """Remove `node`, which has no dependents."""
        self._unlink(node, node.inputs_)
        if isinstance(node, ArrayNode) and node.part_ is not None:
            for source in node.part_.remove(node).inputs_:
                self.forget_dependents(source)  # they refer to the old index of the row that was moved
        node.host_ = node.fan_ = None
        if self.nodes.get(node.name) is node:
            del self.nodes[node.name]

    def connect(self, node: Node, before: tuple[Node, ...]) -> None:
        """Rewire `node` from its previous inputs `before` to its current inputs."""
        self._unlink(node, before)
        node.rewired_()
        self._link(node)
        self._repair_heights(node)
        if isinstance(node, ArrayNode) and node.part_ is not None:
            node.part_.refresh(node)

    def forget_dependents(self, node: Node) -> None:
        """Discard the sorted dependents of a node, and all cached results."""
        forget_dependents(node)
        self.forget()

    def rebuild(self, host: Host) -> None:
        """Rebuild the wiring from the nodes' own inputs, after an interrupted change."""
        self._batches = {}
        nodes = list(self.nodes.values())
        for node in nodes:
            node.host_, node.dependents_, node.fan_, node.height_ = host, None, None, 0
            if isinstance(node, ArrayNode):
                node.part_ = None
        for node in inputs_first(nodes, lambda member: member.inputs_, lambda _: True):
            self.attach(node, node.inputs_, host)
        self.forget()

    def _link(self, node: Node) -> None:
        for source in node.inputs_:
            if source.dependents_ is None:
                source.dependents_ = {}
            source.dependents_[node] = None
            if source.fan_ is not None or source.part_ is not None:
                forget_dependents(source)
        self.forget()

    def _unlink(self, node: Node, inputs: tuple[Node, ...]) -> None:
        for source in inputs:
            if source.dependents_ is not None:
                source.dependents_.pop(node, None)
            forget_dependents(source)
        self.forget()

    def _batch_for(self, node: ArrayNode) -> Columns:
        layout = node.layout
        if layout not in self._batches:
            self._batches[layout] = Columns(node)
        return self._batches[layout]

    def _repair_heights(self, node: Node) -> None:
        stack = [node]
        while stack:
            member = stack.pop()
            placed = _placed(member)
            if placed != (member.height_, member.lazy_):
                member.height_, member.lazy_ = placed
                if isinstance(member, ArrayNode) and member.part_ is not None:
                    member.part_.rearranged()
                stack.extend(member.dependents)

    # --- checks ------------------------------------------------------------------------------

    def refuse_taken_names(self, new: Iterable[tuple[Node, tuple[Node, ...]]], replaced: Node | None) -> None:
        """Raise if a name of the new nodes is taken.

        Raises
        ------
        DuplicateNodeError
            Another node of that name is in the graph (and is not `replaced`), or is among `new` as well.
        """
        coming: dict[str, Node] = {}
        for node, _ in new:
            taken = self.nodes.get(node.name)
            other = coming.setdefault(node.name, node) if taken is None or taken is replaced else taken
            if other is not node:
                raise DuplicateNodeError(
                    f"the name {node.name!r} is taken by {other!r}; choose another, reuse that node, or register "
                    "with replace=True",
                    name=node.name,
                )


def refuse_cycle(node: Node, inputs: Sequence[Node]) -> None:
    """Raise if one of the inputs that `node` is to get depends on it.

    Raises
    ------
    CycleError
        There is such a cycle; the message and ``path`` give the names of its nodes.
    """
    path = find_cycle(node, inputs)
    if path:
        raise CycleError(f"{node.name} cannot depend on itself: {' → '.join(path)}", path=path)


def refuse_self_reference(old: Node, new: Iterable[tuple[Node, tuple[Node, ...]]]) -> None:
    """Raise if one of the nodes that are to replace `old` depends on it.

    Raises
    ------
    CycleError
        One of the new nodes depends on `old`.
    """
    above = {old, *dependents_of([old])}
    for member, inputs in new:
        for source in inputs:
            if source in above:
                path = [source.name, member.name, old.name]
                raise CycleError(
                    f"{old.name} cannot be replaced by a node that depends on it: {' → '.join(path)}", path=path
                )


def registration_order(graph: Graph, host: Host, node: Node) -> list[tuple[Node, tuple[Node, ...]]]:
    """Return `node` and the underliers that are not in the graph yet, inputs first, each with its bound inputs.

    Raises
    ------
    CycleError
        The nodes depend on each other in a cycle.
    GraphError
        One of the nodes is in another graph.
    """
    if node.host_ is None:
        inputs = node.bind(graph)
        if all(source.host_ is host for source in inputs):  # the common case, in which there can be no cycle
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
            names = [passed.name for passed in [*path][[*path].index(member) :]] + [member.name]
            raise CycleError(f"nodes depend on each other in a cycle: {' → '.join(names)}", path=names)
        elif member not in done and not _is_registered(host, member):
            path[member] = member.bind(graph)
            stack.append((member, True))
            stack.extend((source, False) for source in path[member])
    return order


def _is_registered(host: Host, node: Node) -> bool:
    if node.host_ is not None and node.host_ is not host:
        raise GraphError(
            f"{node.name} is registered in another graph; a node can be in one graph only: unregister it there, or "
            "make another node for this graph",
            name=node.name,
        )
    return node.host_ is host


def forget_dependents(node: Node) -> None:
    """Discard the sorted dependents of a node."""
    node.fan_ = None
    if node.part_ is not None:
        node.part_.fan = None


def dependents_of(nodes: Iterable[Node]) -> list[Node]:
    """Return every node that depends, directly or indirectly, on one of `nodes`."""
    found: dict[Node, None] = {}
    stack = list(nodes)
    while stack:
        for dependent in stack.pop().dependents_ or ():
            if dependent not in found:
                found[dependent] = None
                stack.append(dependent)
    return list(found)


def _placed(node: Node) -> tuple[int, bool]:
    """Return a node's height, one more than that of its highest input, and whether it is lazy."""
    height, lazy = 0, node.gate is not None and node.gate.lazy
    for source in node.inputs_:
        if source.height_ >= height:
            height = source.height_ + 1
        lazy = lazy or source.lazy_
    return height, lazy


# --- cones ----------------------------------------------------------------------------------------


class Reach(enum.Enum):
    """Share of the dependents of some sources that a target needs: none, a part, or all."""

    NONE = enum.auto()
    PART = enum.auto()
    ALL = enum.auto()


def _reach_of(sources: Iterable[Node], target: Node) -> Reach:
    """Return how many of the dependents of `sources`, without lazy nodes, `target` needs."""
    cone = set(dependents_of(sources))
    if target not in cone:
        return Reach.NONE
    if target.lazy_:
        return Reach.PART
    cone = {node for node in cone if not node.lazy_}
    needed = {target}
    for node in sorted(cone, key=lambda member: -member.height_):
        if node is not target and needed.isdisjoint(node.dependents_ or ()):
            return Reach.PART
        needed.add(node)
    return Reach.ALL


class Level(NamedTuple):
    """Nodes of one height: sums, contracts, and all others."""

    totals: list[SumNode]
    arrays: list[ArrayNode]
    others: list[Node]


class Cone:
    """The nodes that depend, directly or indirectly, on some sources.

    Parameters
    ----------
    sources : iterable of Node
        Sources of the cone; they are not in the cone themselves, even if one depends on another.

    Attributes
    ----------
    touched : dict of Node to list of Node
        Nodes of the cone, each with its inputs that are sources or in the cone.
    """

    def __init__(self, sources: Iterable[Node]) -> None:
        pinned = set(sources)
        self.touched: dict[Node, list[Node]] = {}
        self._levels: dict[tuple[Node, ...], list[Level]] = {}
        stack = list(pinned)
        while stack:
            source = stack.pop()
            for dependent in source.dependents_ or ():
                if dependent in self.touched:
                    self.touched[dependent].append(source)
                elif dependent not in pinned:
                    self.touched[dependent] = [source]
                    stack.append(dependent)

    def __len__(self) -> int:
        return len(self.touched)

    def levels_for(self, *targets: Node) -> list[Level]:
        """Return `targets`, and the nodes of the cone that they depend on, grouped by height."""
        levels = self._levels.get(targets)
        if levels is None:
            if len(self._levels) > _TARGETS:
                self._levels.clear()
            levels = self._levels[targets] = [_level(nodes) for nodes in by_height(self._needed_for(targets))]
        return levels

    def _needed_for(self, targets: Iterable[Node]) -> set[Node]:
        needed: set[Node] = set()
        stack = list(targets)
        while stack:
            node = stack.pop()
            if node not in needed:
                needed.add(node)
                stack.extend([source for source in self.touched[node] if source in self.touched])
        return needed


def _level(nodes: list[Node]) -> Level:
    totals = [node for node in nodes if isinstance(node, SumNode)]
    arrays = [node for node in nodes if isinstance(node, ArrayNode)]
    return Level(totals, arrays, [node for node in nodes if not isinstance(node, SumNode | ArrayNode)])

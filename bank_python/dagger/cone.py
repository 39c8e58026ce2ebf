"""Cones: all that rests on some nodes, and what of it a target needs.

What-if layers and sweeps ask this of the same leaves again and again, so the graph remembers the cones of single
nodes as long as its wiring stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bank_python.dagger.aggregate import SumNode
from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.evaluation import by_height

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.dagger.node import Node

__all__ = ["Cone", "Level"]

_TARGETS = 64  # for which the way up is kept


class Level(NamedTuple):
    """Nodes of one height, by how they are evaluated."""

    totals: list[SumNode]
    arrays: list[ArrayNode]
    others: list[Node]


class Cone:
    """Every node that rests on some sources.

    Parameters
    ----------
    sources : iterable of Node
        Themselves not in the cone, even where one rests on another.

    Attributes
    ----------
    touched : dict of Node to list of Node
        The nodes of the cone, each with those of its inputs that are sources or in the cone.
    """

    def __init__(self, sources: Iterable[Node]) -> None:
        pinned = set(sources)
        self.touched: dict[Node, list[Node]] = {}
        self._levels: dict[tuple[Node, ...], list[Level]] = {}
        stack = list(pinned)
        while stack:
            source = stack.pop()
            for dependent in source._dependents or ():
                if dependent in self.touched:
                    self.touched[dependent].append(source)
                elif dependent not in pinned:
                    self.touched[dependent] = [source]
                    stack.append(dependent)

    def __len__(self) -> int:
        return len(self.touched)

    def levels_for(self, *targets: Node) -> list[Level]:
        """Return the nodes of the cone that `targets`, in the cone too, rest on, and these, height by height."""
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

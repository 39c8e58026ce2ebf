"""The nodes of a graph by name, as a read-only mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.dagger.node import Node
    from bank_python.dagger.topology import Topology

__all__ = ["Nodes"]


class Nodes(Mapping[str, "Node"]):
    """A live, read-only mapping of names to the nodes of a graph, in order of registration.

    An iteration covers the nodes that were in the graph when it began, even if others are registered meanwhile.

    Raises
    ------
    UnknownNodeError
        There is no node of the requested name; the message suggests similar names.
    """

    __slots__ = ("_topology",)

    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    def __getitem__(self, name: str) -> Node:
        return self._topology.node(name)

    def __contains__(self, name: object) -> bool:
        return name in self._topology.nodes

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._topology.nodes))

    def __len__(self) -> int:
        return len(self._topology.nodes)

    def __repr__(self) -> str:
        return f"<{len(self)} nodes of a graph>"

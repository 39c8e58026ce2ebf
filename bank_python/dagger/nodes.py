"""The nodes of a graph by name, as a mapping that is read and never written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.dagger.node import Node
    from bank_python.dagger.topology import Topology

__all__ = ["Nodes"]


class Nodes(Mapping[str, "Node"]):
    """The nodes that are in a graph now, by name, in the order in which they were registered.

    It follows the graph. Iterating goes over those that were there when it began, whoever registers more meanwhile.

    Raises
    ------
    UnknownNodeError
        There is no node of the name that is looked up; close names are suggested.
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

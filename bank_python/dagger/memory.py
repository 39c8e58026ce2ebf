"""What the graph has worked out from its wiring, and forgets when the wiring changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.dagger.cone import Cone
from bank_python.dagger.wiring import Reach, reach_of

if TYPE_CHECKING:
    from bank_python.dagger.block import LeafBlock
    from bank_python.dagger.fan import Fan
    from bank_python.dagger.node import Node

__all__ = ["WiringMemory"]

_CONES = 100_000  # nodes, in the cones that are kept
_PAIRS = 100_000  # of a source and a target, whose reach is kept


class WiringMemory:
    """Cones, reaches and shared fans, valid for the present wiring.

    Attributes
    ----------
    version : int
        Counts the changes of the wiring.
    fans : dict
        The fan of nodes that count in the same sums and in nothing else, by those sums.
    """

    __slots__ = ("_cones", "_reaches", "_size", "fans", "version")

    def __init__(self) -> None:
        self.version = 0
        self.fans: dict[tuple[Node, ...], Fan] = {}
        self._reaches: dict[tuple[Node | LeafBlock, Node], Reach] = {}
        self._cones: dict[tuple[Node, ...], Cone] = {}
        self._size = 0

    def forget(self) -> None:
        """Take note that the wiring has changed."""
        self.version += 1
        if self._reaches or self._cones or self.fans:
            self._reaches, self._cones, self.fans, self._size = {}, {}, {}, 0

    def reach(self, source: Node | LeafBlock, leaves: tuple[Node, ...], target: Node) -> Reach:
        """Return how much of what rests on a source, whose `leaves` these are, `target` needs."""
        known = self._reaches.get((source, target))
        if known is None:
            if len(self._reaches) > _PAIRS:
                self._reaches = {}
            known = self._reaches[source, target] = reach_of(leaves, target)
        return known

    def cone(self, sources: tuple[Node, ...]) -> Cone:
        """Return all that rests on `sources`; the cones of single nodes are kept."""
        known = self._cones.get(sources)
        if known is None:
            known = Cone(sources)
            if len(sources) == 1:
                self._size += len(known)
                if self._size > _CONES:
                    self._cones, self._size = {}, len(known)
                self._cones[sources] = known
        return known

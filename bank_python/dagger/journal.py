"""Recording and replaying ticks (in the making: the hooks the graph calls)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bank_python.dagger.node import Leaf, Node
    from bank_python.dagger.outcome import Outcome

__all__ = ["Recorder"]


class Recorder:
    """Collects what one tick did; the graph calls it, under its write lock, while it records."""

    def note_set(self, leaf: Leaf) -> None:
        """A leaf was set in the tick under way (read its value at commit)."""

    def note_terms(self, node: Node) -> None:
        """An array node was amended in the tick under way."""

    def note_evaluated(self, node: Node, outcome: Outcome) -> None:
        """A node with a policy was evaluated, as of ``node.as_of_tick``."""

    def commit(self, tick: int) -> None:
        """The outermost level of the lock is left; `tick` is committed (nothing may have been noted)."""

    def discard(self) -> None:
        """The batch under way was undone."""

"""Nodes whose values are large: they hold one value, not two.

Every node keeps what it held before its last change, for readers that look while a tick is under way and for
:meth:`~bank_python.dagger.DependencyGraph.explain`. Where a value is a hundred thousand numbers that doubles the
memory. A :class:`LargeNode` lets go of the old value as soon as it has a new one, unless a snapshot or an open batch
may ask for it. A reader that comes in between waits for the tick to end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.dagger.derived import DerivedNode

if TYPE_CHECKING:
    from bank_python.dagger.outcome import Outcome

__all__ = ["LargeNode"]


class LargeNode(DerivedNode):
    """A :class:`DerivedNode` that keeps no previous value; it is never stored."""

    __slots__ = ("_earlier",)

    record_tag = ""

    @property
    def _previous(self) -> Outcome:
        return self._earlier

    @_previous.setter
    def _previous(self, outcome: Outcome) -> None:
        graph = self._graph
        needed = graph is not None and bool(graph._log is not None or graph._snapshots)
        self._earlier = outcome if needed else None

"""One committed tick, held still for a reader while the writer goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.dagger.evaluation import by_height, evaluate, inputs_first
from bank_python.dagger.outcome import Failure

if TYPE_CHECKING:
    from typing import Self

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome

__all__ = ["Snapshot"]

_ABSENT = object()


class Snapshot:
    """All values of one tick: ``with graph.snapshot() as s: s[node]``.

    Copy-on-write the other way round: before the writer overwrites an outcome it saves the old one here.
    Reading looks at the node first and here second; as the writer saves first and overwrites second, a
    reader that caught the new outcome finds the old one here.
    """

    def __init__(self, graph: DependencyGraph, tick: int) -> None:
        self._graph = graph
        self.saved: dict[Node, Outcome] = {}
        self._lazy: dict[Node, Outcome] = {}
        self.tick = tick

    def keep(self, node: Node, outcome: Outcome) -> None:
        """Save a node's outcome of this tick, before the writer replaces it."""
        self.saved.setdefault(node, outcome)

    def outcome(self, node: Node) -> Outcome:
        """Return what the node held at this tick."""
        if self._has_to_compute(node):
            return self._computed(node)
        current = node._outcome
        saved = self.saved.get(node, _ABSENT)
        return current if saved is _ABSENT else saved

    def _has_to_compute(self, node: Node) -> bool:
        """Whether it is a node that only reading evaluates, or one that came into the graph since."""
        return node._lazy or (bool(node._state) and node._outcome is None and node not in self.saved)

    def _computed(self, node: Node) -> Outcome:
        if node not in self._lazy:
            needed = inputs_first([node], lambda member: member.underliers, self._has_to_compute)
            for level in by_height(member for member in needed if member not in self._lazy):
                self._lazy.update(evaluate(level, self.outcome))
        return self._lazy[node]

    def __getitem__(self, node: Node | str) -> object:
        """Return the node's value at this tick.

        Raises
        ------
        UnknownNodeError
            The graph has no such node.
        BankError, Exception
            The node had failed: its error is raised.
        """
        outcome = self.outcome(self._graph.node(node))
        if isinstance(outcome, Failure):
            raise outcome.error.with_traceback(None)
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._graph._release(self)

    def __repr__(self) -> str:
        return f"<Snapshot of tick {self.tick}>"

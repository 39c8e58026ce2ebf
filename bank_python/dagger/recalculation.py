"""What bringing the graph up to date did."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bank_python.dagger.node import Node

__all__ = ["Recalculation"]


class Recalculation:
    """What a recalculation did.

    Attributes
    ----------
    tick : int
        The tick the graph stood at.
    evaluated, changed, failed : int
        How many nodes were evaluated, how many of them came out different, and how many hold an error.
    seconds : float
        Wall-clock time taken.
    """

    __slots__ = ("_kinds", "changed", "evaluated", "failed", "seconds", "tick")

    def __init__(self, tick: int) -> None:
        self.tick = tick
        self.evaluated = 0
        self.changed = 0
        self.failed = 0
        self.seconds = 0.0
        self._kinds: dict[type[Node], int] = {}

    def add(self, kind: type[Node], evaluated: int) -> None:
        """Count evaluations of nodes of one class."""
        self.evaluated += evaluated
        self._kinds[kind] = self._kinds.get(kind, 0) + evaluated

    def add_all(self, nodes: list[Node]) -> None:
        """Count one evaluation of each of `nodes`, which are seldom of more than one class."""
        self.evaluated += len(nodes)
        kinds = self._kinds
        for node in nodes:
            kinds[node.__class__] = kinds.get(node.__class__, 0) + 1

    @property
    def by_class(self) -> dict[str, int]:
        """Evaluations by class of node."""
        return {kind.__name__: count for kind, count in self._kinds.items() if count}

    def to_dict(self) -> dict[str, object]:
        """Return the figures by name."""
        figures = ("tick", "evaluated", "changed", "failed", "by_class", "seconds")
        return {name: getattr(self, name) for name in figures}

    def __repr__(self) -> str:
        classes = ", ".join(f"{count:,} {name}" for name, count in self.by_class.items()) or "nothing"
        return f"<Recalculation at tick {self.tick}: {classes} in {1e6 * self.seconds:,.0f} µs>"

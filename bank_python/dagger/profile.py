"""Where the time goes: evaluations and seconds by class of node, while a ``with graph.profile()`` block is open."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bank_python.dagger.node import Node

__all__ = ["Profile", "ProfileRow"]


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """What nodes of one class took.

    Parameters
    ----------
    name : str
        The class.
    evaluations : int
        How many nodes were evaluated.
    calls : int
        In how many calls: nodes of a vectorised class are priced together.
    seconds : float
        Wall-clock time in those calls.
    """

    name: str
    evaluations: int
    calls: int
    seconds: float


class Profile:
    """Evaluations and time by class of node; made by :meth:`~bank_python.dagger.DependencyGraph.profile`."""

    def __init__(self) -> None:
        self._rows: dict[str, ProfileRow] = {}

    @property
    def rows(self) -> tuple[ProfileRow, ...]:
        """One row a class, the dearest first."""
        return tuple(sorted(self._rows.values(), key=lambda row: -row.seconds))

    @property
    def evaluations(self) -> int:
        """How many nodes were evaluated."""
        return sum(row.evaluations for row in self._rows.values())

    @property
    def seconds(self) -> float:
        """Wall-clock time spent evaluating."""
        return sum(row.seconds for row in self._rows.values())

    def add(self, kind: type[Node], evaluations: int, started: float) -> None:
        """Count one call that evaluated nodes of a class and began at `started` (:func:`time.perf_counter`)."""
        seconds = time.perf_counter() - started
        name = kind.__name__
        row = self._rows.get(name, ProfileRow(name, 0, 0, 0.0))
        self._rows[name] = ProfileRow(name, row.evaluations + evaluations, row.calls + 1, row.seconds + seconds)

    def __rich__(self) -> object:
        from bank_python.render import profile_view

        return profile_view(self)

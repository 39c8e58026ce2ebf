"""What a node comes to under each of many shocks: its column of a sweep.

Numbers stand in an array, whatever else an evaluation can give (failures, objects) beside it, by shock. A column also
knows under which shocks it differs from the base: elsewhere nothing above it has to be evaluated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.dagger.settling import compared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome

__all__ = ["Swept", "as_number", "settled"]


class Swept:
    """A node's outcomes under each shock.

    Parameters
    ----------
    numbers : array of shape (shocks,)
        The outcomes as an array node takes them; NaN where it cannot.
    odd : dict of int to outcome
        By shock, every outcome that is not a float.
    moved : array of bool, of shape (shocks,)
        Where it is not what the node holds at the base.
    """

    __slots__ = ("_outcomes", "moved", "numbers", "odd")

    def __init__(self, numbers: NDArray[np.float64], odd: dict[int, Outcome], moved: NDArray[np.bool_]) -> None:
        self.numbers = numbers
        self.odd = odd
        self.moved = moved
        self._outcomes: list[Outcome] | None = None

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], moved: NDArray[np.bool_]) -> Swept:
        """Return the column of these outcomes, one a shock."""
        odd = {i: outcome for i, outcome in enumerate(outcomes) if outcome.__class__ is not float}
        column = cls(np.array([as_number(outcome) for outcome in outcomes], dtype=np.float64), odd, moved)
        column._outcomes = list(outcomes)
        return column

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes, one a shock."""
        if self._outcomes is None:
            self._outcomes = self.numbers.tolist()
            for i, outcome in self.odd.items():
                self._outcomes[i] = outcome
        return self._outcomes


def as_number(outcome: Outcome) -> float:
    """Return an outcome as an array node takes it, NaN if it is not a number."""
    if not isinstance(outcome, float | int | np.floating):
        return math.nan
    try:
        return float(outcome)
    except OverflowError:  # an int beyond the range of a float
        return math.nan


def settled(node: Node, before: Outcome, outcomes: list[Outcome], due: NDArray[np.bool_]) -> Swept:
    """Return the column of a node that was evaluated, by its own cutoff rule where it has one.

    Parameters
    ----------
    node : Node
        The node.
    before : outcome
        What it holds at the base; not asked of a node that only reading evaluates.
    outcomes : list of outcome
        What the evaluations gave, `before` where there was none.
    due : array of bool, of shape (shocks,)
        Where it was evaluated.
    """
    if node._lazy:
        return Swept.of(outcomes, due)
    moved = due.copy()
    for i in np.flatnonzero(due).tolist():
        outcomes[i], is_same = compared(node, before, outcomes[i])
        if is_same:
            moved[i], outcomes[i] = False, before
    return Swept.of(outcomes, moved)

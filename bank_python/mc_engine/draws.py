"""Draws: scenarios drawn once and kept, factor by factor, for risk that is asked for again and again.

That the same scenarios serve every time (common random numbers) is what makes one value at risk comparable with the
next: it moves when the market or the book does, and not because the dice fell otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bank_python.mc_engine.simulation import Simulation

__all__ = ["Draws", "draw"]


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Moves of factors in many scenarios.

    Parameters
    ----------
    names : tuple of str
        The factors.
    relative : tuple of bool
        Which of them move in proportion to their level.
    moves : ndarray, shape (factors, scenarios)
        Growth, or shifts.
    """

    names: tuple[str, ...]
    relative: tuple[bool, ...]
    moves: NDArray[Any]

    @property
    def n_paths(self) -> int:
        """The number of scenarios."""
        return int(self.moves.shape[1])

    def rows(self, factors: Sequence[str]) -> NDArray[np.intp]:
        """Return where `factors` stand.

        Raises
        ------
        SimulationError
            One of them was not drawn.
        """
        at = {name: i for i, name in enumerate(self.names)}
        for name in factors:
            if name not in at:
                raise SimulationError(
                    f"{name} was not drawn: nothing held depended on it when the scenarios were; draw anew", name=name
                )
        return np.array([at[name] for name in factors], dtype=np.intp)

    def levels(
        self, rows: NDArray[np.intp], base: NDArray[Any], chosen: NDArray[np.intp] | None = None
    ) -> NDArray[Any]:
        """Return where factors stand in all or `chosen` scenarios, given where they stand now."""
        moves = self.moves[rows] if chosen is None else self.moves[np.ix_(rows, chosen)]
        scale = np.array([base[i] if self.relative[row] else 1.0 for i, row in enumerate(rows.tolist())])
        moves *= scale.astype(moves.dtype)[:, None]
        moves += base.astype(moves.dtype)[:, None]
        return moves


def draw(simulation: Simulation, names: Sequence[str]) -> Draws:
    """Draw all scenarios of a simulation, whose factors are `names`: the same that a run of it draws."""
    moves: NDArray[Any] | None = None
    for index in range(simulation.chunks):
        drawn = simulation.moves(index)
        if moves is None:
            moves = np.empty((len(names), simulation.n_paths), dtype=drawn.dtype)
        moves[:, index * simulation.chunk : index * simulation.chunk + drawn.shape[1]] = drawn
    if moves is None:
        raise SimulationError("there is no scenario to draw")
    return Draws(tuple(names), simulation.relative, moves)

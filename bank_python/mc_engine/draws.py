"""Scenarios drawn once and reused for repeated risk calculations.

Reusing the same scenarios (common random numbers) makes successive values at risk comparable: they change with the
market or the book, not with the random numbers.
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
        Factor names, in the order of the rows of `moves`.
    relative : tuple of bool
        Whether each factor moves in proportion to its level rather than by shifts.
    moves : ndarray, shape (factors, scenarios)
        Growth (S/S₀ − 1) of relative factors, shifts of the others.
    """

    names: tuple[str, ...]
    relative: tuple[bool, ...]
    moves: NDArray[Any]

    @property
    def n_paths(self) -> int:
        """Number of scenarios."""
        return int(self.moves.shape[1])

    def rows(self, factors: Sequence[str]) -> NDArray[np.intp]:
        """Return the row indices of `factors` in `moves`, shape (factors,).

        Raises
        ------
        SimulationError
            One of them was not drawn.
        """
        at = {name: i for i, name in enumerate(self.names)}
        for name in factors:
            if name not in at:
                raise SimulationError(
                    f"{name} was not drawn: no holding depended on it when the scenarios were drawn; draw new ones",
                    name=name,
                )
        return np.array([at[name] for name in factors], dtype=np.intp)

    def levels(
        self, rows: NDArray[np.intp], base: NDArray[Any], chosen: NDArray[np.intp] | None = None
    ) -> NDArray[Any]:
        """Return factor levels in all or `chosen` scenarios, shape (factors, scenarios), from present levels `base`."""
        moves = self.moves[rows] if chosen is None else self.moves[np.ix_(rows, chosen)]
        scale = np.array([base[i] if self.relative[row] else 1.0 for i, row in enumerate(rows.tolist())])
        moves *= scale.astype(moves.dtype)[:, None]
        moves += base.astype(moves.dtype)[:, None]
        return moves


def draw(simulation: Simulation, names: Sequence[str]) -> Draws:
    """Draw all scenarios of a simulation of the factors `names`; they are those of :meth:`Simulation.run`."""
    moves: NDArray[Any] | None = None
    for index in range(simulation.chunks):
        drawn = simulation.moves(index)
        if moves is None:
            moves = np.empty((len(names), simulation.n_paths), dtype=drawn.dtype)
        moves[:, index * simulation.chunk : index * simulation.chunk + drawn.shape[1]] = drawn
    if moves is None:
        raise SimulationError("there is no scenario to draw")
    return Draws(tuple(names), simulation.relative, moves)

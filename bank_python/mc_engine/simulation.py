"""A simulation as plain data: what a worker needs to run one chunk of it.

Chunk i draws from a seed of its own, ``SeedSequence(random_seed, spawn_key=(i,))``, and depends on nothing else:
whoever runs it, in whatever order, however often, it gives the same numbers.

A chunk hands back the P&L of all its scenarios, unit by unit, but the factors' levels only of its worst ones. Those are
what contributions of factors are taken from, and a hundred thousand scenarios of all levels would be what fills the
memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from bank_python.errors import SimulationError
    from bank_python.mc_engine.samplers import Sampler
    from bank_python.numerics import FloatArray

__all__ = ["Chunk", "Revaluer", "Simulation", "TailSample", "stand"]

TAIL = 0.1
"""Share of the scenarios, the worst ones, of which the factors' levels are kept."""
_SPREADS = 6.0
_ROWS = 48


class Revaluer(Protocol):
    """Turns levels into P&L: a :class:`~bank_python.risk.valuation.ValuationPlan`, or its fast stand-in."""

    @property
    def base(self) -> FloatArray:
        """The factors' present levels."""
        ...

    def pnl(self, levels: NDArray[Any], years: float = 0.0) -> NDArray[Any]:
        """Return P&L by unit, shape (units, scenarios)."""
        ...

    def single_factor_pnl(self, levels: NDArray[Any], factors: Iterable[int] | None = None) -> FloatArray:
        """Return P&L of one factor's move at a time, shape (factors, scenarios)."""
        ...

    def fault(self, levels: FloatArray, years: float = 0.0) -> SimulationError:
        """Return the error that says what has no price."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TailSample:
    """Some scenarios with the levels of all factors.

    Parameters
    ----------
    scenarios : ndarray of int
        Which, ascending.
    levels : ndarray, shape (factors, scenarios)
        Where the factors stand in them.
    """

    scenarios: NDArray[np.intp]
    levels: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What one chunk gives.

    Parameters
    ----------
    index : int
        Which it is.
    pnl : ndarray, shape (units, scenarios)
        P&L.
    worst : TailSample
        Its worst scenarios.
    alone : ndarray, shape (watched, scenarios)
        What the watched factors make by themselves.
    """

    index: int
    pnl: NDArray[Any]
    worst: TailSample
    alone: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Everything a worker needs.

    Parameters
    ----------
    plan : Revaluer
        What is held.
    relative : tuple of bool
        Which factors move in proportion.
    sampler : Sampler
        Draws their moves.
    n_paths, chunk, random_seed
        As in :class:`~bank_python.mc_engine.MCConfig`.
    years : float
        By how much the clock moves on.
    watched : tuple of int
        Factors that make so much of the risk that what they make alone is wanted in every scenario.
    """

    plan: Revaluer
    relative: tuple[bool, ...]
    sampler: Sampler
    n_paths: int
    chunk: int
    random_seed: int
    years: float
    watched: tuple[int, ...] = ()

    @property
    def chunks(self) -> int:
        """Into how many chunks the scenarios fall."""
        return math.ceil(self.n_paths / self.chunk)

    def size(self, index: int) -> int:
        """Return how many scenarios a chunk has."""
        return min(self.chunk, self.n_paths - index * self.chunk)

    def moves(self, index: int) -> NDArray[Any]:
        """Draw the moves of a chunk, shape (factors, scenarios)."""
        seed = np.random.SeedSequence(self.random_seed, spawn_key=(index,))
        return self.sampler.draw(np.random.Generator(np.random.SFC64(seed)), self.size(index))

    def run(self, index: int, keep: int | None = None) -> Chunk:
        """Run one chunk.

        Parameters
        ----------
        index : int
            Number of the chunk.
        keep : int, optional
            Of how many of its worst scenarios to keep the levels; by default of somewhat more than its share.

        Raises
        ------
        SimulationError
            A contract has no price in some scenario.
        """
        levels = stand(self.moves(index), self.plan.base, self.relative)
        pnl = self.plan.pnl(levels, self.years)
        total = pnl.sum(axis=0)
        if not np.isfinite(total).all():
            raise self.plan.fault(np.asarray(levels[:, ~np.isfinite(total)], dtype=np.float64), self.years)
        count = min(_likely(self.size(index)) if keep is None else keep, len(total))
        worst = np.sort(np.argpartition(total, count - 1)[:count])
        sample = TailSample(worst + index * self.chunk, np.ascontiguousarray(levels[:, worst]))
        return Chunk(index, pnl, sample, self._alone(levels))

    def _alone(self, levels: NDArray[Any]) -> NDArray[Any]:
        return self.plan.single_factor_pnl(levels, self.watched).astype(levels.dtype, copy=False)


def stand(moves: NDArray[Any], base: FloatArray, relative: tuple[bool, ...]) -> NDArray[Any]:
    """Turn moves into levels, in place: growth of relative factors, shifts of the others."""
    scale, start = np.where(relative, base, 1.0).astype(moves.dtype), base.astype(moves.dtype)
    for first in range(0, len(moves), _ROWS):  # in the cache
        rows = slice(first, first + _ROWS)
        moves[rows] *= scale[rows, None]
        moves[rows] += start[rows, None]
    return moves


def _likely(size: int) -> int:
    """Return how many of a chunk's scenarios may be among the worst of all, but for a chance in a billion."""
    return math.ceil(size * TAIL + _SPREADS * math.sqrt(size * TAIL * (1.0 - TAIL))) + 1

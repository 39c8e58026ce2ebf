"""A simulation as plain data, with everything that a worker needs to run one of its chunks.

Chunk i draws from its own seed, ``SeedSequence(random_seed, spawn_key=(i,))``, so that its results do not depend on the
worker or on the order of execution.

A chunk returns the P&L of all its scenarios, by unit, but the factors' levels of its worst scenarios only:
contributions of factors need no more, and the levels of a hundred thousand scenarios would fill the memory.
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

__all__ = ["Chunk", "Revaluer", "Simulation", "TailSample", "to_levels"]

TAIL = 0.1
"""Share of the scenarios, the worst, whose factor levels are kept."""
_MARGIN_DEVIATIONS = 6.0
_CACHED_ROWS = 48


class Revaluer(Protocol):
    """P&L as a function of factor levels: a :class:`~bank_python.risk.valuation.ValuationPlan`, or an approximation."""

    @property
    def base(self) -> FloatArray:
        """Current levels of the factors."""
        ...

    def pnl(self, levels: NDArray[Any], years: float = 0.0) -> NDArray[Any]:
        """Return the P&L of each unit, shape (units, scenarios)."""
        ...

    def single_factor_pnl(self, levels: NDArray[Any], factors: Iterable[int] | None = None) -> FloatArray:
        """Return the total P&L of each factor moved on its own, shape (factors, scenarios)."""
        ...

    def fault(self, levels: FloatArray, years: float = 0.0) -> SimulationError:
        """Return the error that names the contract without a price."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TailSample:
    """Selected scenarios with the levels of all factors.

    Parameters
    ----------
    scenarios : ndarray of int
        Indices of the scenarios in the whole simulation, ascending.
    levels : ndarray, shape (factors, scenarios)
        Levels of the factors in these scenarios.
    """

    scenarios: NDArray[np.intp]
    levels: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Results of one chunk.

    Parameters
    ----------
    index : int
        Number of the chunk, from 0.
    pnl : ndarray, shape (units, scenarios)
        P&L of each unit in the chunk's scenarios.
    worst : TailSample
        Worst scenarios of the chunk, with factor levels.
    single_factor_pnl : ndarray, shape (watched, scenarios)
        P&L of the watched factors, each moved on its own.
    """

    index: int
    pnl: NDArray[Any]
    worst: TailSample
    single_factor_pnl: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Plain data of a simulation, sufficient to run any of its chunks.

    Parameters
    ----------
    plan : Revaluer
        Valuation of the holdings.
    relative : tuple of bool
        Whether each factor moves in proportion to its level rather than by shifts.
    sampler : Sampler
        Sampler of the factors' moves.
    n_paths, chunk, random_seed
        Settings of the same names of :class:`~bank_python.mc_engine.MCConfig`.
    years : float
        Time in years by which the valuation date moves.
    watched : tuple of int
        Indices of the dominant factors, whose single-factor P&L is computed in every scenario.
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
        """Number of chunks."""
        return math.ceil(self.n_paths / self.chunk)

    def size(self, index: int) -> int:
        """Return the number of scenarios in a chunk."""
        return min(self.chunk, self.n_paths - index * self.chunk)

    def moves(self, index: int) -> NDArray[Any]:
        """Draw the factor moves of a chunk, shape (factors, scenarios)."""
        seed = np.random.SeedSequence(self.random_seed, spawn_key=(index,))
        return self.sampler.draw(np.random.Generator(np.random.SFC64(seed)), self.size(index))

    def run(self, index: int, keep: int | None = None) -> Chunk:
        """Run one chunk and return its results.

        Parameters
        ----------
        index : int
            Number of the chunk, from 0.
        keep : int, optional
            Number of worst scenarios whose factor levels are kept; by default a little more than a tenth.

        Raises
        ------
        SimulationError
            A contract has no price in some scenario.
        """
        levels = to_levels(self.moves(index), self.plan.base, self.relative)
        pnl = self.plan.pnl(levels, self.years)
        total = pnl.sum(axis=0)
        if not np.isfinite(total).all():
            raise self.plan.fault(np.asarray(levels[:, ~np.isfinite(total)], dtype=np.float64), self.years)
        count = min(_ample_tail(self.size(index)) if keep is None else keep, len(total))
        worst = np.sort(np.argpartition(total, count - 1)[:count])
        sample = TailSample(worst + index * self.chunk, np.ascontiguousarray(levels[:, worst]))
        return Chunk(index, pnl, sample, self._single_factor_pnl(levels))

    def _single_factor_pnl(self, levels: NDArray[Any]) -> NDArray[Any]:
        return self.plan.single_factor_pnl(levels, self.watched).astype(levels.dtype, copy=False)


def to_levels(moves: NDArray[Any], base: FloatArray, relative: tuple[bool, ...]) -> NDArray[Any]:
    """Convert moves (growth of relative factors, shifts of the others) to levels, in place."""
    scale, start = np.where(relative, base, 1.0).astype(moves.dtype), base.astype(moves.dtype)
    for first in range(0, len(moves), _CACHED_ROWS):  # few rows at a time, so that they stay in the cache
        rows = slice(first, first + _CACHED_ROWS)
        moves[rows] *= scale[rows, None]
        moves[rows] += start[rows, None]
    return moves


def _ample_tail(size: int) -> int:
    """Return the number of a chunk's scenarios that are among the worst of all, at most, with probability 1 − 1e-9."""
    return math.ceil(size * TAIL + _MARGIN_DEVIATIONS * math.sqrt(size * TAIL * (1.0 - TAIL))) + 1

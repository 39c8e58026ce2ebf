r"""Proxy for the P&L of a group of holdings: a polynomial in its spot and its volatility.

A group of options on one underlying has many contracts, but its P&L is a smooth function of one spot and one
volatility. So the group is fully revalued at a few dozen points, the Chebyshev points of the scenarios' ranges of spot
and volatility, and interpolated between them,

.. math:: f(x, y) \approx \sum_{i,j} c_{ij} T_i(x) T_j(y)

which converges faster than any power of the number of points where f is smooth, as a price is before its expiry. The
group's other factors (rates) enter to first order, with a slope that is a polynomial in the spot.
:meth:`ReactiveRisk.value_error` measures the error against full revaluation.

References
----------
L. N. Trefethen, *Approximation Theory and Approximation Practice* (2013), chapters 2, 3 and 8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import SimulationError
from bank_python.instruments import Equity, FXRate
from bank_python.instruments.factor import Factor
from bank_python.mc_engine.scenario_groups import full_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray
    from bank_python.risk.valuation import ValuationPlan

__all__ = ["GridProxy"]

_BLOCK_SIZE = 4_096
_LINEAR = (Equity, FXRate)
_FEWEST_OPTIONS = 3
"""Least number of nonlinear contracts for which the proxy is faster than full revaluation."""


@admits(SimulationError)
@dataclass(frozen=True, slots=True)
class GridProxy(Record):
    """Valuation of a group by interpolation, for the argument ``value`` of :class:`ReactiveRisk`.

    Parameters
    ----------
    spots : int, default 17
        Number of grid points along the spot, at least 2.
    vols : int, default 5
        Number of grid points along the volatility, at least 2.
    """

    spots: int = 17
    vols: int = 5

    def __call__(self, plan: ValuationPlan, levels: NDArray[Any], years: float) -> NDArray[Any]:
        """Return the group's P&L, shape (scenarios,), given `levels` of shape (factors, scenarios)."""
        axes = self._axes(plan, levels)
        options = sum(len(block.names) for block in plan.blocks if not issubclass(block.kind, _LINEAR))
        if not axes or options < _FEWEST_OPTIONS:
            return full_value(plan, levels, years)
        grid = _Grid.of(plan, levels, axes, years)
        pnl = np.empty(levels.shape[1], dtype=levels.dtype)
        for start in range(0, levels.shape[1], _BLOCK_SIZE):
            part = slice(start, start + _BLOCK_SIZE)
            pnl[part] = grid.values(levels[:, part].astype(np.float64, copy=False))
        return pnl

    def _axes(self, plan: ValuationPlan, levels: NDArray[Any]) -> list[_Axis]:
        found = []
        for kind, points in ((Factor.SPOT, self.spots), (Factor.VOL, self.vols)):
            places = [i for i, factor in enumerate(plan.factors) if factor.kind is kind]
            if len(places) > 1:
                return []  # with two spots or two volatilities a grid of two dimensions is not enough
            found += [_Axis.over(i, levels[i], points) for i in places if np.ptp(levels[i]) > 0.0]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """Chebyshev points along one factor."""

    factor: int
    middle: float
    half: float
    points: FloatArray

    @classmethod
    def over(cls, factor: int, levels: NDArray[Any], count: int) -> _Axis:
        low, high = float(levels.min()), float(levels.max())
        roots = np.cos(math.pi * (np.arange(count) + 0.5) / count)
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        return cls(factor, middle, half, middle + half * roots)

    def basis(self, levels: FloatArray) -> FloatArray:
        """Return the Chebyshev polynomials at `levels`, shape (points, scenarios)."""
        x = (levels - self.middle) / self.half
        basis = np.empty((len(self.points), len(x)))
        basis[0] = 1.0
        basis[1] = x
        twice = 2.0 * x
        for i in range(2, len(basis)):
            np.multiply(twice, basis[i - 1], out=basis[i])
            basis[i] -= basis[i - 2]
        return basis

    def coefficients(self, values: FloatArray) -> FloatArray:
        """Return the coefficients of the polynomial through `values` at the points, along the first axis."""
        n = len(self.points)
        angles = math.pi * (np.arange(n) + 0.5) / n
        matrix = 2.0 / n * np.cos(np.outer(np.arange(n), angles))
        matrix[0] *= 0.5
        return np.asarray(np.tensordot(matrix, values, axes=1))


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Polynomials of one group: its P&L, and its slopes by the factors without an axis."""

    axes: tuple[_Axis, ...]
    surface: FloatArray
    slopes: tuple[tuple[int, float, FloatArray], ...]

    @classmethod
    def of(cls, plan: ValuationPlan, levels: NDArray[Any], axes: list[_Axis], years: float) -> _Grid:
        base = plan.base
        first = axes[0]
        mesh = np.meshgrid(*(axis.points for axis in axes), indexing="ij")
        points = np.repeat(base[:, None], mesh[0].size, axis=1)
        for axis, values in zip(axes, mesh, strict=True):
            points[axis.factor] = values.reshape(-1)
        surface = first.coefficients(full_value(plan, points, years).reshape(mesh[0].shape))
        if len(axes) > 1:
            surface = axes[1].coefficients(surface.T).T
        on_axes = {axis.factor for axis in axes}
        slopes = []
        for k in range(len(base)):
            step = float(levels[k].std())
            if k in on_axes or step == 0.0:
                continue
            line = np.repeat(base[:, None], 2 * len(first.points), axis=1)
            line[first.factor] = np.tile(first.points, 2)
            line[k, : len(first.points)] += step
            line[k, len(first.points) :] -= step
            up, down = full_value(plan, line, years).reshape(2, -1)
            slopes.append((k, float(base[k]), first.coefficients((up - down) / (2.0 * step))))
        return cls(tuple(axes), surface, tuple(slopes))

    def values(self, levels: FloatArray) -> FloatArray:
        """Return the P&L at `levels`, shape (scenarios,)."""
        along = self.axes[0].basis(levels[self.axes[0].factor])
        weights = (
            self.surface[:, None]
            if self.surface.ndim == 1
            else self.surface @ self.axes[1].basis(levels[self.axes[1].factor])
        )
        pnl = np.einsum("ij,ij->j", along, np.broadcast_to(weights, along.shape))
        for k, base, slope in self.slopes:
            pnl += (slope @ along) * (levels[k] - base)
        return np.asarray(pnl)

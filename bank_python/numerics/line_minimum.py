"""Global minimum of a smooth function on an interval: a coarse grid, refined around its lowest points.

Arbitrage conditions on a smile are inequalities that must hold at every strike, so they need the minimum over the whole
line and not over the quoted strikes. A wide grid that is dense where the smile bends locates the local minima; the
lowest of them are then refined on finer and finer grids.

Examples
--------
>>> lowest = line_minimum(lambda x: (x - 0.3) ** 2 - 1.0, np.linspace(-4.0, 4.0, 81))
>>> round(lowest.where, 6), round(lowest.value, 12)
(0.3, -1.0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.numerics.columns import FloatArray

__all__ = ["LineMinimum", "line_minimum"]

_BASINS = 3  # number of local minima on the grid that are refined
_ZOOMS = 6
_FINE = 33  # points of a finer grid: each zoom divides the bracket by 16


class LineMinimum(NamedTuple):
    """The lowest value found (`value`) and its argument (`where`)."""

    where: float
    value: float


def line_minimum(function: Callable[[FloatArray], FloatArray], grid: FloatArray) -> LineMinimum:
    """Return the lowest value of `function` between the ends of `grid`.

    Parameters
    ----------
    function : callable
        Smooth function that maps an array of any shape elementwise, with finite values on the grid.
    grid : ndarray, shape (n,)
        Increasing points, n ≥ 3. A local minimum that is narrower than their spacing may be missed.

    Returns
    -------
    LineMinimum
        Minimum and its argument; at most the lowest value on the grid.
    """
    values = function(grid)
    inner = (values[1:-1] <= values[:-2]) & (values[1:-1] <= values[2:])
    basins = np.concatenate([[0], np.flatnonzero(inner) + 1, [len(grid) - 1]])
    basins = basins[np.argsort(values[basins], kind="stable")][:_BASINS]
    left, right = grid[np.maximum(basins - 1, 0)], grid[np.minimum(basins + 1, len(grid) - 1)]
    steps = np.linspace(0.0, 1.0, _FINE)
    best = LineMinimum(float(grid[basins[0]]), float(values[basins[0]]))
    for _ in range(_ZOOMS):
        points = left[:, None] + (right - left)[:, None] * steps
        fine = function(points)
        lowest = np.argmin(fine, axis=1)
        rows = np.arange(len(basins))
        row = int(np.argmin(fine[rows, lowest]))
        if fine[row, lowest[row]] < best.value:
            best = LineMinimum(float(points[row, lowest[row]]), float(fine[row, lowest[row]]))
        left, right = points[rows, np.maximum(lowest - 1, 0)], points[rows, np.minimum(lowest + 1, _FINE - 1)]
    return best

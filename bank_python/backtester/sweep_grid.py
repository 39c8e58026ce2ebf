"""The points of a sweep: all combinations of values, or those that are listed.

Examples
--------
>>> points_of({"fast": [5, 10], "slow": range(20, 41, 20)})
({'fast': 5, 'slow': 20}, {'fast': 5, 'slow': 40}, {'fast': 10, 'slow': 20}, {'fast': 10, 'slow': 40})
>>> points_of([{"fast": 5, "slow": 20}, {"fast": 10, "slow": 40}])[1]
{'fast': 10, 'slow': 40}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from bank_python.errors import BacktestError

__all__ = ["Grid", "points_of"]

Grid: TypeAlias = Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]]
"""Values by parameter, of which all combinations are run, or a list of points."""

_SINGLE = (str, bytes, Mapping)


def points_of(grid: Any) -> tuple[dict[str, Any], ...]:
    """Return the points of a grid, each a mapping from parameter to value; the last parameter changes first.

    Parameters
    ----------
    grid : mapping of str to iterable, or iterable of mappings
        Values by parameter, of which all combinations are meant, or the points one by one.

    Raises
    ------
    BacktestError
        There are no points, the values of a parameter are no list, or a name is no text.
    """
    points = _combined(grid) if isinstance(grid, Mapping) else _listed(grid)
    if not points:
        raise BacktestError("the grid has no points; give at least one value of each parameter", name="grid")
    every: set[Any] = {name for point in points for name in point}
    wrong = next((name for name in every if not isinstance(name, str)), None)
    if wrong is not None:
        raise BacktestError(f"the parameter {wrong!r:.40} is no name; give the names as text", name="grid", value=wrong)
    return tuple({name: _plain(value) for name, value in point.items()} for point in points)


def _combined(grid: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    for name, values in grid.items():
        if isinstance(values, _SINGLE) or not isinstance(values, Iterable):
            raise BacktestError(
                f"the values of {name!r} are {values!r:.40}, no list; write {{{name!r}: [{values!r:.40}]}}",
                name="grid",
                value=name,
            )
    if not grid:
        return []
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def _listed(grid: Any) -> list[Mapping[str, Any]]:
    if isinstance(grid, str | bytes) or not isinstance(grid, Iterable):
        raise BacktestError(
            f"grid={grid!r:.40} is no grid; give values by parameter, such as {{'lookback': [10, 20]}}, or a list of "
            "points",
            name="grid",
        )
    points = list(grid)
    for i, point in enumerate(points):
        if not isinstance(point, Mapping):
            raise BacktestError(
                f"point {i} of the grid is {point!r:.40}; give a mapping from parameter to value", name="grid"
            )
    return points


def _plain(value: Any) -> Any:
    """Return a number of numpy as one of Python, so that it prints and is stored as such."""
    return value.item() if isinstance(value, np.generic) else value

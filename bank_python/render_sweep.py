"""Terminal views of sweeps over parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bank_python.numerals import MISSING, number
from bank_python.sheet import Column, Sheet, names, numbers, words

if TYPE_CHECKING:
    from bank_python.backtester.heat_map import HeatMap
    from bank_python.backtester.sweep_result import SweepResult

__all__ = ["heat_map_view", "sweep_view"]

_MOST_ROWS = 10
_MOST_COLUMNS = 9


def sweep_view(result: SweepResult) -> Sheet:
    """Show the best points by the first metric, how many ran, and what the first that failed said."""
    first = next(iter(result.metrics), None)
    order = _ranked(result)
    columns = [names(name) for name in result.names] + [numbers(_label(name)) for name in result.metrics]
    shown = Sheet(f"Sweep of {len(result):,} points, {result.n_run:,} ran", [numbers("Point", 0), *columns])
    for i in order[:_MOST_ROWS]:
        point = result[i]
        values = [_said(point.parameters.get(name)) for name in result.names]
        shown.add(str(i), *values, *(_figure(point.metrics[name]) for name in result.metrics))
    if first is not None:
        shown.note(
            f"the {min(_MOST_ROWS, len(order))} points with the largest {_label(first)}; the best of a search flatters"
        )
    for point in result.failed[:1]:
        said = ", ".join(f"{name}={value!r:.20}" for name, value in point.parameters.items())
        shown.note(f"{len(result.failed):,} did not run, the first of them {said}: {point.problem}")
    for note in result.notes:
        shown.note(note)
    return shown


def heat_map_view(found: HeatMap) -> Sheet:
    """Show a metric over two parameters, as many columns as a line has room for."""
    chosen = range(0, len(found.x_values), max(1, math.ceil(len(found.x_values) / _MOST_COLUMNS)))
    columns: list[Column] = [words(f"{found.y} by {found.x}", wraps=False)]
    shown = Sheet(found.title, [*columns, *(numbers(_said(found.x_values[j])) for j in chosen)])
    for value, row in zip(found.y_values, found.figures.tolist(), strict=True):
        shown.add(_said(value), *(_figure(row[j]) for j in chosen))
    if len(chosen) < len(found.x_values):
        shown.note(f"{len(chosen)} of {len(found.x_values)} values of {found.x}")
    return shown


def _ranked(result: SweepResult) -> list[int]:
    """Return the numbers of the points that ran, by the first metric from the largest down."""
    ran = [i for i in range(len(result)) if not result.problems[i]]
    if not result.metrics:
        return ran
    figures = next(iter(result.metrics.values())).tolist()
    return sorted(ran, key=lambda i: -figures[i] if math.isfinite(figures[i]) else math.inf)


def _label(name: str) -> str:
    return name.replace("_", " ")


def _said(value: Any) -> str:
    return MISSING if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _figure(value: float) -> str:
    return MISSING if math.isnan(value) else number(value, 2)

"""A metric of a sweep over two of its parameters, as a table and as a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.plotting import Plotted, literal, nothing, row_height
from bank_python.results import Tabular

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["HeatMap"]

_LEGIBLE, _LARGEST = 4.5, 9.0
_MOST_FIGURES = 16  # in a row, below which they are written into the fields
_BRIGHT = 0.6  # of the range of the colours, above which figures are black


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HeatMap(Plotted, Tabular):
    """A metric over two parameters; returned by :meth:`SweepResult.heat_map`.

    Parameters
    ----------
    x, y : str
        Names of the parameters: columns and rows.
    metric : str
        Name of the metric.
    x_values, y_values : tuple
        Values of the parameters in order.
    figures : ndarray, shape (n_y, n_x)
        Metric of each pair of values; NaN where no point ran.
    others : {"best", "mean"}
        Word for how the points of a pair that differ in other parameters make one figure.
    has_others : bool
        Whether some points differ in other parameters.
    """

    x: str
    y: str
    metric: str
    x_values: tuple[Any, ...]
    y_values: tuple[Any, ...]
    figures: FloatArray
    others: str
    has_others: bool

    @property
    def title(self) -> str:
        """Metric, parameters, and what was done with other parameters."""
        said = f"{self.metric} by {self.x} and {self.y}"
        return f"{said}, {self.others} over the other parameters" if self.has_others else said

    def to_table(self) -> Table:
        """Return a table with a row for each pair of values: the two parameters and the metric."""
        from bank_python.backtester.sweep_columns import table_of

        rows = [
            {self.y: row, self.x: column, self.metric: float(self.figures[i, j])}
            for i, row in enumerate(self.y_values)
            for j, column in enumerate(self.x_values)
        ]
        return table_of(rows)

    def _draw_(self, axes: Axes) -> None:
        if not np.isfinite(self.figures).any():
            nothing(axes, f"{self.title}: no figures to draw")
            return
        known = np.where(np.isfinite(self.figures), self.figures, np.nan)
        image = axes.imshow(known, cmap="viridis", aspect="auto", origin="lower")
        axes.set_title(literal(self.title))
        axes.set_xlabel(literal(self.x))
        axes.set_ylabel(literal(self.y))
        room = row_height(axes, len(self.y_values))
        every = max(1, math.ceil(len(self.x_values) / _MOST_FIGURES))
        columns = range(0, len(self.x_values), every)
        rows = range(0, len(self.y_values), max(1, math.ceil(_LARGEST / room)))
        axes.set_xticks(list(columns), [literal(said(self.x_values[j])) for j in columns])
        axes.set_yticks(list(rows), [literal(said(self.y_values[i])) for i in rows])
        axes.grid(visible=False)
        axes.figure.colorbar(image, ax=axes)
        size = min(0.5 * room, _LARGEST)
        if size >= _LEGIBLE and len(self.x_values) <= _MOST_FIGURES:
            low, high = float(np.nanmin(known)), float(np.nanmax(known))
            for (i, j), figure in np.ndenumerate(known):
                if math.isfinite(figure):
                    at = (figure - low) / (high - low) if high > low else 0.0
                    colour = "black" if at > _BRIGHT else "white"
                    axes.text(j, i, f"{figure:#.3g}", ha="center", va="center", fontsize=size, color=colour)

    def __rich__(self) -> object:
        from bank_python.render_sweep import heat_map_view

        return heat_map_view(self)


def said(value: Any) -> str:
    """Return the value of a parameter as short text.

    Parameters
    ----------
    value : object
        Value of a parameter.
    """
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else f"{text[:23]}…"  # noqa: PLR2004 - width of a label

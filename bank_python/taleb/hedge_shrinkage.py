r"""How the error of a hedge shrinks with the number of rebalancings, measure by measure.

A power of n is fitted to each measure by least squares in logarithms. Where steps are lognormal the exponent is −1/2.
With jumps it is near 0, as no rebalancing precedes a jump, however many there are; with independent returns of a heavy
tail it lies between the two, since the sum of many of them becomes Gaussian, slowly.

Examples
--------
>>> from bank_python.taleb.hedging_error import HedgingErrorSimulator
>>> found = HedgingErrorSimulator().shrinkage("gaussian", n_steps=(10, 40, 160), n_paths=20_000, seed=1)
>>> round(found.exponents["std_error"], 1)
-0.5
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.plotting import Plotted, line_styles, logarithmic
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.taleb.hedge_errors import HedgeErrors

__all__ = ["MEASURES", "HedgeShrinkage", "shrinkage_of"]

MEASURES = ("std_error", "mad", "var_95", "var_99", "es_95", "es_99", "worst")
"""Measures that are followed: those that scale with the errors."""

_FEWEST = 3  # points from which a line leaves residuals


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HedgeShrinkage(Plotted, Tabular):
    """Measures by number of rebalancings; returned by :meth:`HedgingErrorSimulator.shrinkage`.

    Parameters
    ----------
    distribution : str
        Law of the moves.
    results : tuple of HedgeErrors
        Results, by increasing number of rebalancings.
    exponents : mapping of str to float
        Exponent of n fitted to each measure of :data:`MEASURES`; NaN where a measure is not above 0 throughout.
    exponent_errors : mapping of str to float
        Their standard errors from the residuals of the line; NaN from two numbers of rebalancings.
    """

    distribution: str
    results: tuple[HedgeErrors, ...]
    exponents: Mapping[str, float]
    exponent_errors: Mapping[str, float]

    @property
    def n_steps(self) -> tuple[int, ...]:
        """Numbers of rebalancings."""
        return tuple(each.n_steps for each in self.results)

    def to_table(self) -> Table:
        """Return a row for each number of rebalancings."""
        from bank_python.taleb.hedge_errors import figures_table

        return figures_table(self.results)

    def __rich__(self) -> object:
        from bank_python.render_hedging import shrinkage_view

        return shrinkage_view(self)

    def _draw_(self, axes: Axes) -> None:
        for name, style in zip(MEASURES, line_styles(len(MEASURES)), strict=True):
            axes.plot(self.n_steps, [getattr(each, name) for each in self.results], label=name, **style)
        logarithmic(axes.xaxis)
        logarithmic(axes.yaxis)
        axes.set(xlabel="rebalancings", ylabel="loss of the seller", title="How the error shrinks")
        axes.legend()


def shrinkage_of(results: Sequence[HedgeErrors]) -> HedgeShrinkage:
    """Return the shrinkage of results at several numbers of rebalancings.

    Parameters
    ----------
    results : sequence of HedgeErrors
        Results of one law, by increasing number of rebalancings.
    """
    logs = np.log([float(each.n_steps) for each in results])
    slopes = {name: _slope(logs, [getattr(each, name) for each in results]) for name in MEASURES}
    first, second = ({name: pair[part] for name, pair in slopes.items()} for part in (0, 1))
    return HedgeShrinkage(results[0].distribution, tuple(results), first, second)


def _slope(logs: np.ndarray, values: Sequence[float]) -> tuple[float, float]:
    """Return the slope of the logarithms of values and its standard error."""
    if min(values) <= 0.0:
        return math.nan, math.nan
    away, heights = logs - logs.mean(), np.log(values)
    spread = float(away @ away)
    slope = float(away @ heights) / spread
    if len(values) < _FEWEST:
        return slope, math.nan
    left = heights - heights.mean() - slope * away
    return slope, math.sqrt(float(left @ left) / (len(values) - 2) / spread)

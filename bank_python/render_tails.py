"""Terminal views of tail indices, of ratios of maximum to sum and of what they say of moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.sheet import Sheet, numbers, shares

if TYPE_CHECKING:
    from bank_python.taleb.hill import HillCurve
    from bank_python.taleb.max_to_sum import MaxToSumCurves
    from bank_python.taleb.sample_pictures import QuantilePoints, SurvivalPoints

__all__ = ["hill_curve_view", "max_to_sum_view", "quantile_view", "survival_view"]

_MOST_ROWS = 12


def hill_curve_view(curve: HillCurve) -> Sheet:
    """Show the estimate at a dozen numbers of largest values, spaced by equal factors."""
    columns = [numbers("Largest values", 0), numbers("α"), numbers("Error"), numbers("95 % from"), numbers("to")]
    shown = Sheet("Hill's tail index", [*columns, numbers("Threshold", 4)])
    for i in _spread(len(curve.k)):
        figures = (curve.k, curve.alpha, curve.alpha_se, curve.low, curve.high, curve.threshold)
        shown.add(*(float(values[i]) for values in figures))
    shown.note(f"{curve.n_tail:,} positive values; read it where it is flat: plot()")
    return shown


def max_to_sum_view(curves: MaxToSumCurves) -> Sheet:
    """Show the ratios at a dozen numbers of observations, spaced by equal factors."""
    shown = Sheet("Maximum to sum", [numbers("Observations", 0), *(numbers(f"p = {p:g}", 4) for p in curves.powers)])
    for i in _spread(curves.n_observations):
        shown.add(float(i + 1), *curves.ratios[:, i].tolist())
    shown.note("a ratio that does not fall to 0 is evidence that the moment of that order is infinite")
    return shown


def survival_view(points: SurvivalPoints) -> Sheet:
    """Show the largest value and a dozen others, at numbers of larger ones spaced by equal factors."""
    shown = Sheet("Survival", [numbers("Size", 4), shares("At least as large", 2)])
    for i in _spread(len(points.size)):
        shown.add(float(points.size[i]), float(points.share[i]))
    shown.note(f"{len(points.size):,} positive of {points.n_observations:,} observations; plot() on logarithmic axes")
    return shown


def quantile_view(points: QuantilePoints) -> Sheet:
    """Show a dozen quantiles of the sample beside those of the distribution."""
    shown = Sheet(f"Quantiles beside {points.law}", [shares("Level", 2), numbers("Sample", 4), numbers(points.law, 4)])
    count = len(points.sample)
    lower = _spread(count // 2)
    for i in [*lower, *(count - 1 - i for i in reversed(lower))]:
        shown.add((i + 0.5) / count, float(points.sample[i]), float(points.theory[i]))
    return shown


def _spread(count: int) -> list[int]:
    """Return a dozen rows out of `count`, by equal factors, the last among them."""
    rows = np.unique(np.geomspace(1.0, count, _MOST_ROWS).round().astype(int)) - 1
    return [int(row) for row in rows]

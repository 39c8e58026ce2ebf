"""The picture of past prices: levels indexed to 100, and their drawdowns below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics import drawdowns
from bank_python.plotting import axes_below, dates, legend_beside, line_styles, literal, nothing, percent, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from bank_python.numerics import FloatArray

__all__ = ["draw_prices"]


def draw_prices(axes: Axes, at: Sequence[object], levels: FloatArray, names: Sequence[str], title: str) -> None:
    """Draw prices indexed to 100, with their drawdowns on axes below.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes to draw on.
    at : sequence of datetime or of numbers, length n
        Times of the prices.
    levels : ndarray, shape (n, m)
        Prices, one column for each series; NaN where there is none.
    names : sequence of str, length m
        Names of the series; the legend is left out if there is one series.
    title : str
        Title of the picture.
    """
    shown = np.where(np.isfinite(levels) & (levels > 0.0), levels, np.nan)
    if not np.isfinite(shown).any():
        nothing(axes, f"{title}: no prices")
        return
    x, lower = places(at), axes_below(axes)
    falls = drawdowns(shown)
    for i, (name, style) in enumerate(zip(names, line_styles(len(names)), strict=True)):
        known = np.isfinite(shown[:, i])
        if known.any():
            axes.plot(x, 100.0 * shown[:, i] / shown[known, i][0], label=literal(name), **style)
            lower.plot(x, -falls[:, i], **style)
    if len(names) == 1:
        lower.fill_between(x, -falls[:, 0], alpha=0.25)
    else:
        legend_beside(axes)
    axes.set(ylabel="first price = 100", title=literal(title))
    lower.set(ylabel="drawdown", xlabel="" if hasattr(at[0], "year") else "observation")
    percent(lower.yaxis)
    if hasattr(at[0], "year"):
        dates(lower.xaxis)

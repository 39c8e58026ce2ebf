"""The picture of regimes: a series over bands of the most probable regime, and the probabilities below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.plotting import axes_below, dates, legend_beside, line_styles, literal, percent, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from bank_python.numerics import FloatArray

__all__ = ["draw_regimes"]

_HATCHES = ("///", "...", "\\\\\\", "xx", "++", "oo")


def draw_regimes(
    axes: Axes, at: Sequence[object], values: FloatArray, probabilities: FloatArray, labels: Sequence[str], title: str
) -> None:
    """Draw a series with bands for all regimes but the most frequent one, hatched, and their probabilities below.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes to draw on.
    at : sequence of date or of numbers, length n
        Times of the values.
    values : ndarray, shape (n,)
        Series to draw.
    probabilities : ndarray, shape (n, k)
        Probability of each regime at each time.
    labels : sequence of str, length k
        Description of each regime.
    title : str
        Title of the picture.
    """
    x, lower = np.asarray(places(at), dtype=float), axes_below(axes)
    edges = np.concatenate([x[:1], 0.5 * (x[1:] + x[:-1]), x[-1:]])
    regimes = probabilities.argmax(axis=1)
    usual = int(np.bincount(regimes).argmax())
    axes.plot(x, values, color="black", linewidth=0.9)
    shaded = [regime for regime in range(len(labels)) if regime != usual]
    for place, regime in enumerate(shaded):
        _bands(axes, edges, regimes == regime, _HATCHES[place % len(_HATCHES)], f"regime {labels[regime]}")
    for regime, style in enumerate(line_styles(len(labels))):
        lower.plot(x, probabilities[:, regime], label=str(regime), **style)
    axes.plot([], [], linestyle="", label=f"unshaded: regime {labels[usual]}")
    axes.set(ylabel="value", title=literal(title))
    lower.set(ylabel="probability", ylim=(-0.03, 1.03), xlabel="" if hasattr(at[0], "year") else "observation")
    percent(lower.yaxis)
    axes.legend(loc="upper left", fontsize="small", framealpha=0.9)
    legend_beside(lower)
    if hasattr(at[0], "year"):
        dates(lower.xaxis)


def _bands(axes: Axes, edges: FloatArray, inside: FloatArray, hatch: str, label: str) -> None:
    """Shade the times that are inside, each run of them as one band."""
    turns = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    for run, (begin, end) in enumerate(zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True)):
        axes.axvspan(
            edges[begin],
            edges[end],
            facecolor="0.85",
            edgecolor="0.6",
            hatch=hatch,
            linewidth=0.0,
            zorder=0,
            label="" if run else label,
        )

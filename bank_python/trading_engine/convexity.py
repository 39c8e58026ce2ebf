"""Convexity of closed trades: many small losses and few large wins, or the reverse.

Examples
--------
>>> found = convexity([-100.0, -100.0, -100.0, 900.0], costs=[100.0] * 4)
>>> found.win_rate, found.convexity_ratio, found.expected_value, found.roi_median
(0.25, 9.0, 150.0, -1.0)
>>> convexity([50.0, 0.0]).convexity_ratio is None  # without a loss there is no ratio
True
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.results import Figures

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["Convexity", "convexity"]

_TAIL = 0.1


@dataclass(frozen=True, slots=True, repr=False)
class Convexity(Figures):
    """Convexity of closed trades; returned by :func:`convexity`.

    Parameters
    ----------
    n_trades, n_wins, n_losses : int
        Number of trades, of those with a gain and of those with a loss; the rest ended at exactly 0.
    win_rate : float
        Share of the trades with a gain.
    avg_win, avg_loss : float, optional
        Mean gain of the winning and of the losing trades, the latter negative; None without one.
    convexity_ratio : float, optional
        Mean win divided by the size of the mean loss; None without a win or without a loss.
    tail_ratio : float, optional
        Mean gain of the best tenth divided by the size of that of the worst; None if the worst tenth lost nothing or
        the best gained nothing.
    top_tail_avg, bottom_tail_avg : float
        Mean gain of the best and of the worst tenth, at least one trade.
    max_win, max_loss : float, optional
        Largest gain, and largest loss as a negative number; None without one.
    expected_value : float
        Mean gain of all trades.
    roi_median : float, optional
        Median of gain divided by cost; None without costs above 0.
    total_gl : float
        Sum of all gains and losses.
    """

    n_trades: int
    n_wins: int
    n_losses: int
    win_rate: float
    avg_win: float | None
    avg_loss: float | None
    convexity_ratio: float | None
    tail_ratio: float | None
    top_tail_avg: float
    bottom_tail_avg: float
    max_win: float | None
    max_loss: float | None
    expected_value: float
    roi_median: float | None
    total_gl: float

    def __rich__(self) -> object:
        from bank_python.render_tracker import convexity_view

        return convexity_view(self)


@admits(TradingError)
def convexity(gains: ArrayLike, costs: ArrayLike | None = None) -> Convexity:
    """Return the convexity of closed trades.

    Parameters
    ----------
    gains : array_like, shape (n,)
        Gain of each trade in money, negative for a loss.
    costs : array_like, shape (n,), optional
        Cost of each trade in money; those not above 0, such as credits received, have no return.

    Raises
    ------
    TradingError
        There is no trade, a figure is not finite, or the lengths differ.
    """
    made = _series("gains", gains)
    if not made.size:
        raise TradingError("there are no closed trades, so there is no convexity; give the gain of at least one")
    wins, losses = made[made > 0.0], made[made < 0.0]
    tail = max(1, math.ceil(_TAIL * made.size))
    ordered = np.sort(made)
    top, bottom = float(ordered[-tail:].mean()), float(ordered[:tail].mean())
    win, loss = _mean(wins), _mean(losses)
    return Convexity(
        n_trades=made.size,
        n_wins=wins.size,
        n_losses=losses.size,
        win_rate=wins.size / made.size,
        avg_win=win,
        avg_loss=loss,
        convexity_ratio=None if win is None or loss is None else -win / loss,
        tail_ratio=-top / bottom if top > 0.0 > bottom else None,
        top_tail_avg=top,
        bottom_tail_avg=bottom,
        max_win=float(wins.max()) if wins.size else None,
        max_loss=float(losses.min()) if losses.size else None,
        expected_value=float(made.mean()),
        roi_median=None if costs is None else _median_return(made, _series("costs", costs)),
        total_gl=math.fsum(made.tolist()),
    )


def _series(name: str, values: ArrayLike) -> FloatArray:
    series = np.array(values, dtype=np.float64)
    if series.ndim != 1:
        raise TradingError(f"{name} of shape {series.shape}; give one figure for each trade", name=name)
    bad = np.flatnonzero(~np.isfinite(series))
    if bad.size:
        value = float(series[bad[0]])
        raise TradingError(f"{name}: {value!r} (number {bad[0]}) is not finite; correct it", name=name, value=value)
    return series


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if values.size else None


def _median_return(gains: FloatArray, costs: FloatArray) -> float | None:
    if len(costs) != len(gains):
        raise TradingError(f"{len(costs)} costs for {len(gains)} gains; give one for each trade", value=len(costs))
    paid = costs > 0.0
    return float(np.median(gains[paid] / costs[paid])) if paid.any() else None

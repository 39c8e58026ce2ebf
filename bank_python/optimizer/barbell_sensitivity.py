r"""Sensitivity of a barbell to the tail index: its share at risk, value at risk and expected shortfall.

Student's t distribution with α degrees of freedom has tails with index α. Over a range of α, with the basket as it is:

- the *share* at risk that the limit on losses allows, and its derivative by α;
- the value at risk and expected shortfall of the barbell that is held, if its tail index were α.

What stays the same when α changes decides the answer. At equal *variance*, the default and the assumption of
:class:`~bank_python.optimizer.BarbellOptimizer`, a fatter tail makes the centre narrower: at a tail probability of 5 %
the value at risk is below the normal one for all α, and the share is not monotone. At equal *mean absolute deviation*,
which is estimated well even where the variance is not, fatter tails always mean larger losses far out. Both are scaled
to the same figure at the normal distribution. At equal variance the derivative has no bound as α falls to 2, so the
most sensitive index is the lower end of a range that begins near 2.

Examples
--------
>>> from bank_python.optimizer.barbell_mix import BarbellMix
>>> barbell = BarbellMix(share=0.4, safe_return=0.0, mean=0.08, deviation=0.2)
>>> found = barbell_sensitivity(barbell, [2.5, 3.0, 4.0, 8.0, 30.0], max_loss=0.1, epsilon=0.01)
>>> found.shares.round(3).tolist()
[0.136, 0.137, 0.152, 0.185, 0.211]
>>> found.cvar.round(3).tolist()  # of the barbell with 0.4 at risk
[0.293, 0.291, 0.263, 0.217, 0.189]
>>> round(found.most_sensitive, 2), round(found.worst, 2)
(2.5, 2.68)

References
----------
A. J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management* (2015), section 2.3: both measures
of Student's t.

N. N. Taleb, *Statistical Consequences of Fat Tails* (2020), chapter 4: mean absolute deviation against the standard
deviation.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.numerics.gamma_functions import half_step
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.optimizer.standard_tails import StandardTail, TailMeasure, student_t_tail, tail_probability
from bank_python.plotting import Plotted, axes_below, logarithmic, percent
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.barbell_mix import BarbellMix

__all__ = ["TAIL_INDICES", "BarbellSensitivity", "TailScale", "barbell_sensitivity"]

TAIL_INDICES = (2.2, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0)
"""Default tail indices: those of daily returns of shares are between 2.5 and 5; from 30 on tails are nearly normal."""

_LEAST = 2.0
_STEP = 1e-4  # of the difference quotient, relative to α − 2
_POINTS, _FINE = 40, 11  # of the grid on which the extremes are sought, and of each finer one around the best point
_ZOOMS = 5


class TailScale(enum.Enum):
    """Figure that stays the same when the tail index changes: the variance, or the mean absolute deviation."""

    VARIANCE = "variance"
    MAD = "mad"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BarbellSensitivity(Plotted, Tabular):
    """Barbell over a range of tail indices; returned by :func:`barbell_sensitivity`.

    Parameters
    ----------
    tail_indices : ndarray, shape (n,)
        Tail indices α, degrees of freedom of Student's t, ascending.
    shares : ndarray, shape (n,)
        Largest share in the basket within the limit at each tail index.
    slopes : ndarray, shape (n,)
        Derivatives of the share by the tail index.
    var, cvar : ndarray, shape (n,)
        Value at risk and expected shortfall over the horizon of the barbell that is held, at each tail index.
    held_share : float
        Share in the basket of the barbell that is held.
    most_sensitive : float
        Tail index within the range at which the share changes most per unit of α.
    worst : float
        Tail index within the range with the smallest share.
    measure : TailMeasure
        Risk measure that is limited.
    max_loss, epsilon : float
        Limit on losses, and tail probability.
    scale : TailScale
        Figure that stays the same when the tail index changes.
    """

    tail_indices: FloatArray
    shares: FloatArray
    slopes: FloatArray
    var: FloatArray
    cvar: FloatArray
    held_share: float
    most_sensitive: float
    worst: float
    measure: TailMeasure
    max_loss: float
    epsilon: float
    scale: TailScale

    def to_table(self) -> Table:
        """Return a table with a row for each tail index."""
        from bank_python.mntable import Table

        names = ("tail_index", "share", "slope", "var", "cvar")
        columns = (self.tail_indices, self.shares, self.slopes, self.var, self.cvar)
        rows = [dict(zip(names, map(float, row), strict=True)) for row in zip(*columns, strict=True)]
        return Table.from_rows([(name, float) for name in names], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the share by the tail index, and below it the losses of the barbell that is held."""
        lower = axes_below(axes)
        axes.plot(self.tail_indices, self.shares, marker="o", markersize=3, label="largest share")
        axes.axhline(self.held_share, color="0.4", linestyle=":", label="held")
        axes.axvline(self.most_sensitive, color="C3", linestyle="--", label="most sensitive")
        axes.set(ylabel="share at risk", title=f"Barbell by tail index, at equal {self.scale.value}")
        logarithmic(axes.xaxis)
        lower.plot(self.tail_indices, self.var, label="VaR, held")
        lower.plot(self.tail_indices, self.cvar, linestyle="--", label="CVaR, held")
        lower.axhline(self.max_loss, color="0.4", linestyle=":", label="limit")
        lower.set(xlabel="tail index α", ylabel="loss")
        for each in (axes, lower):
            percent(each.yaxis)
            each.legend()

    def __rich__(self) -> object:
        from bank_python.render_fragility import barbell_sensitivity_view

        return barbell_sensitivity_view(self)


@guessable
@admits(ModelError)
def barbell_sensitivity(
    barbell: BarbellMix,
    tail_indices: ArrayLike = TAIL_INDICES,
    *,
    max_loss: float = 0.10,
    epsilon: float = 0.05,
    measure: TailMeasure | str = TailMeasure.CVAR,
    scale: TailScale | str = TailScale.VARIANCE,
) -> BarbellSensitivity:
    """Return the share at risk, value at risk and expected shortfall of a barbell over a range of tail indices.

    Parameters
    ----------
    barbell : BarbellMix
        Barbell that is held, over the horizon of the limit.
    tail_indices : array_like, shape (n,), optional
        Tail indices, above 2 and finite, at least two different ones; :data:`TAIL_INDICES` if omitted.
    max_loss : float, default 0.10
        Largest acceptable loss as a decimal share of the wealth, in [0, 1).
    epsilon : float, default 0.05
        Tail probability, in (0, 0.5).
    measure : TailMeasure or str, default "cvar"
        Risk measure that is limited, ``cvar`` or ``var``.
    scale : TailScale or str, default "variance"
        Figure that stays the same when the tail index changes: ``variance`` or ``mad``, the mean absolute deviation.

    Raises
    ------
    ModelError
        An argument is out of range.
    InfeasibleError
        The safe asset alone breaks the limit.
    """
    alphas = np.unique(figures_in_range("tail_indices", tail_indices, ModelError, above=_LEAST).reshape(-1))
    if len(alphas) < 2:  # noqa: PLR2004 - a range
        raise ModelError("tail_indices has fewer than two different ones; give a range", name="tail_indices")
    number_in_range("max_loss", max_loss, ModelError, least=0.0, most=1.0)
    tail_probability(epsilon)
    chosen, same = TailMeasure.parse(measure), _scale(scale)

    def share(alpha: float) -> float:
        return barbell.largest_share(max_loss, _tail(epsilon, alpha, same).of(chosen))

    def slope(alpha: float) -> float:
        h = _STEP * (alpha - _LEAST)
        return (share(alpha + h) - share(alpha - h)) / (2.0 * h)

    found = [_tail(epsilon, alpha, same) for alpha in alphas.tolist()]
    low, high = float(alphas[0]), float(alphas[-1])
    return BarbellSensitivity(
        tail_indices=alphas,
        shares=np.array([barbell.largest_share(max_loss, tail.of(chosen)) for tail in found]),
        slopes=np.array([slope(alpha) for alpha in alphas.tolist()]),
        var=np.array([barbell.loss(tail.value_at_risk) for tail in found]),
        cvar=np.array([barbell.loss(tail.expected_shortfall) for tail in found]),
        held_share=barbell.share,
        most_sensitive=_lowest(lambda alpha: -abs(slope(alpha)), low, high),
        worst=_lowest(share, low, high),
        measure=chosen,
        max_loss=max_loss,
        epsilon=epsilon,
        scale=same,
    )


def _scale(scale: TailScale | str) -> TailScale:
    try:
        return TailScale(scale)
    except ValueError:
        known = ", ".join(item.value for item in TailScale)
        raise ModelError(f"no scale {scale!r}; there are {known}", value=scale) from None


def _tail(epsilon: float, alpha: float, scale: TailScale) -> StandardTail:
    """Return the tail of Student's t in units of the normal distribution with the same variance, or MAD."""
    tail = student_t_tail(epsilon, alpha)
    if scale is TailScale.VARIANCE:
        return tail
    # MAD over standard deviation: √(2/π) for the normal distribution, and for Student's t
    # 2 √(α − 2) Γ((α + 1)/2) / ((α − 1) √π Γ(α/2)).
    ratio = math.sqrt(2.0 * (alpha - _LEAST)) * math.exp(half_step(0.5 * alpha)) / (alpha - 1.0)
    return StandardTail(tail.value_at_risk / ratio, tail.expected_shortfall / ratio)


def _lowest(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function of the tail index is lowest, on a grid of the logarithm of α − 2 that is made finer."""
    ends = math.log(low - _LEAST), math.log(high - _LEAST)
    left, right, points = *ends, _POINTS
    for _ in range(_ZOOMS):
        grid = np.linspace(left, right, points)
        values = [function(_LEAST + math.exp(at)) for at in grid.tolist()]
        best = int(np.argmin(values))
        left, right, points = grid[max(best - 1, 0)], grid[min(best + 1, points - 1)], _FINE
    return min(max(_LEAST + math.exp(grid[best]), low), high)

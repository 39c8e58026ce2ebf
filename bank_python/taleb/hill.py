r"""Hill's estimator of the tail index, at one number of order statistics and at all of them.

If the tail of a distribution is a power law, :math:`P(X > x) \sim C x^{-\alpha}`, the logarithms of the k largest of n
values less that of the next one are nearly exponential with mean 1/α, and the reciprocal of their mean is

.. math:: \hat\alpha_k = \Big(\frac1k \sum_{i=1}^k \ln\frac{X_{(i)}}{X_{(k+1)}}\Big)^{-1},
          \qquad X_{(1)} \ge X_{(2)} \ge \dots

with the standard error :math:`\hat\alpha_k / \sqrt k`. For an exact power law, :math:`2k\alpha/\hat\alpha_k` is χ² with
2k degrees of freedom, from which the interval is taken. A small k has a wide interval, a large k uses values for which
the power law does not hold yet: for Student's t, the estimate falls with k. Hence the curve over all k, which is to be
read where it is flat, and the named rules of :mod:`bank_python.taleb.tail_fraction`.

Examples
--------
>>> losses = np.linspace(0.0005, 0.9995, 1000) ** (-1.0 / 3.0)  # a Pareto distribution with tail index 3
>>> round(hill(losses, 100), 2)
3.0
>>> curve = hill_curve(losses)
>>> round(float(curve.alpha[curve.k == 100][0]), 2), len(curve.k)
(3.0, 999)

References
----------
B. M. Hill, "A simple general approach to inference about the tail of a distribution", Annals of Statistics 3 (1975),
1163-1174.

H. Drees, L. de Haan and S. Resnick, "How to make a Hill plot", Annals of Statistics 28 (2000), 254-274: the logarithmic
axis of the plot.

E. B. Wilson and M. M. Hilferty, "The distribution of chi-square", Proceedings of the National Academy of Sciences 17
(1931), 684-688: the quantiles of the interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.plotting import Plotted, legend_beside, logarithmic
from bank_python.results import Tabular
from bank_python.taleb.sample import largest_first, log_ratios, number_of_largest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["HillCurve", "hill", "hill_curve", "hill_interval", "inverse_hill"]

_QUANTILE = 1.959963984540054  # of the standard normal distribution at 97.5%
_FIRST_DRAWN = 10  # estimates from fewer values would set the scale of the picture


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HillCurve(Plotted, Tabular):
    """Hill's estimate at many numbers of order statistics; returned by :func:`hill_curve`.

    Parameters
    ----------
    k : ndarray, shape (n_k,)
        Numbers of largest values.
    alpha : ndarray, shape (n_k,)
        Tail index at each; infinite where all k largest values equal the threshold.
    alpha_se : ndarray, shape (n_k,)
        Standard errors α/√k.
    low, high : ndarray, shape (n_k,)
        Ends of the 95 % intervals, exact for a power law.
    threshold : ndarray, shape (n_k,)
        The value after the k largest, beyond which the power law is fitted.
    n_tail : int
        Number of positive values in the sample.
    """

    k: FloatArray
    alpha: FloatArray
    alpha_se: FloatArray
    low: FloatArray
    high: FloatArray
    threshold: FloatArray
    n_tail: int

    def to_table(self) -> Table:
        """Return a table with a row for each number of order statistics."""
        from bank_python.mntable import Table

        titles = ("alpha", "alpha_se", "low", "high", "threshold")
        columns = [getattr(self, title).tolist() for title in titles]
        rows = zip(self.k.astype(int).tolist(), *columns, strict=True)
        schema = [("k", int), *((title, float) for title in titles)]
        return Table.from_rows(schema, [dict(zip(("k", *titles), row, strict=True)) for row in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw the stability plot: the estimate with its band over the number of largest values."""
        shown = (self.k >= min(_FIRST_DRAWN, float(self.k.max()))) & np.isfinite(self.alpha)
        k = self.k[shown]
        axes.fill_between(k, self.low[shown], self.high[shown], alpha=0.25, color="C0", label="95 % interval")
        axes.plot(k, self.alpha[shown], color="C0", label="Hill's α")
        logarithmic(axes.xaxis)
        axes.set(xlabel="number of largest values k", ylabel="tail index α", title="Hill plot")
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_tails import hill_curve_view

        return hill_curve_view(self)


@admits(ModelError)
def hill(x: ArrayLike, k: int) -> float:
    """Return Hill's estimate of the tail index from the k largest values.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any order and unit, of which the positive values are the tail: for losses, give -returns.
    k : int
        Number of largest values, from 1 to the number of positive values less 1.

    Returns
    -------
    float
        Tail index α: moments of order below it exist. Scaling the sample does not change it, shifting it does.

    Raises
    ------
    ModelError
        A value is not finite, or `k` is not a whole number from 1.
    CalibrationError
        There are no k + 1 positive values, or the k largest all equal the next one.
    """
    tail = largest_first(x, fewest=1)
    count = number_of_largest(k, len(tail))
    threshold = float(tail[count])
    mean = float(log_ratios(tail[:count], threshold).mean())
    if not mean > 0.0:
        raise CalibrationError(
            f"x: the {count:,} largest values all equal the next one, {threshold:g}; give a larger k, or data that are "
            "rounded less",
            name="x",
            value=threshold,
        )
    return 1.0 / mean


@admits(ModelError)
def hill_curve(x: ArrayLike, ks: ArrayLike | None = None) -> HillCurve:
    """Return Hill's estimate at many numbers of order statistics, in one pass.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any order and unit, of which the positive values are the tail: for losses, give -returns.
    ks : array_like of int, shape (n_k,), optional
        Numbers of largest values; by default all from 1 to the number of positive values less 1.

    Raises
    ------
    ModelError
        A value is not finite, or one of `ks` is not a whole number from 1.
    CalibrationError
        There are too few positive values.
    """
    tail = largest_first(x)
    inverse = inverse_hill(tail)
    if ks is None:
        chosen = np.arange(1.0, len(tail))
    else:
        chosen = np.asarray(ks, dtype=np.float64).reshape(-1)
        if not chosen.size:
            raise ModelError("ks is empty; give numbers of largest values, or leave it out for all", name="ks")
        for k in (float(chosen.min()), float(chosen.max()), *chosen[chosen != np.floor(chosen)].tolist()):
            number_of_largest(k, len(tail), name="ks")
        inverse = inverse[chosen.astype(int) - 1]
    with np.errstate(divide="ignore"):
        alpha = 1.0 / inverse
    low, high = hill_interval(alpha, chosen)
    return HillCurve(chosen, alpha, alpha / np.sqrt(chosen), low, high, tail[chosen.astype(int)], len(tail))


def inverse_hill(tail: FloatArray) -> FloatArray:
    """Return Hill's estimate of 1/α at all k from 1 to n − 1.

    Parameters
    ----------
    tail : ndarray, shape (n,)
        Positive values, the largest first.
    """
    logs = np.log(tail)
    logs -= logs[0]
    k = np.arange(1.0, len(tail))
    mean: FloatArray = np.cumsum(logs[:-1]) / k - logs[1:]
    # Where all k largest values are tied, rounding must not leave a tail.
    mean[: int(np.count_nonzero(tail == tail[0])) - 1] = 0.0
    return mean


def hill_interval(alpha: FloatArray, k: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the 95 % intervals of Hill's estimates, from the χ² distribution with 2k degrees of freedom.

    Parameters
    ----------
    alpha, k : ndarray
        Estimates and their numbers of largest values, of one shape.

    Notes
    -----
    The quantiles are those of Wilson and Hilferty, whose error is below 0.2 % of α from k = 10 on.
    """
    spread = 1.0 / (9.0 * k)
    centre, reach = 1.0 - spread, _QUANTILE * np.sqrt(spread)
    with np.errstate(invalid="ignore"):
        return np.asarray(alpha * np.maximum(centre - reach, 0.0) ** 3), np.asarray(alpha * (centre + reach) ** 3)

r"""Pictures of a sample's tail: survival on logarithmic axes, and quantiles against those of a distribution.

On logarithmic axes the share of values beyond x is a straight line with slope −α for a power law, and bends down for
lighter tails. Quantiles of a sample over those of a normal distribution are a straight line if it is normal; fat tails
leave it at both ends, downwards on the left, upwards on the right.

Examples
--------
>>> returns = np.random.default_rng(7).standard_t(3, 5_000)
>>> points = survival_points(-returns)
>>> round(float(points.size[0]), 2), float(points.share[0])
(24.74, 0.0002)
>>> quantiles = qq_points(returns)
>>> round(float(quantiles.sample[0]), 1), round(float(quantiles.theory[0]), 1)
(-24.7, -4.2)

References
----------
P. Embrechts, C. Klüppelberg and T. Mikosch, *Modelling Extremal Events* (1997), section 6.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.normal import normal_quantile
from bank_python.numerics.ranges import number_in_range
from bank_python.numerics.student_t import student_t_quantile
from bank_python.plotting import Plotted, legend_beside, logarithmic
from bank_python.results import Tabular
from bank_python.taleb.sample import largest_first, read_sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["QuantilePoints", "SurvivalPoints", "qq_points", "survival_points"]

_KNOTS = 400  # quantiles of Student's t, between which the others are interpolated
_FEWEST = 10


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SurvivalPoints(Plotted, Tabular):
    """Empirical survival function of a tail; returned by :func:`survival_points`.

    Parameters
    ----------
    size : ndarray, shape (n,)
        Positive values, the largest first.
    share : ndarray, shape (n,)
        Share of all observations that are at least as large.
    n_observations : int
        Number of observations.
    """

    size: FloatArray
    share: FloatArray
    n_observations: int

    def to_table(self) -> Table:
        """Return a table with a row for each positive value."""
        return _table(("size", "share"), self.size, self.share)

    def _draw_(self, axes: Axes) -> None:
        """Draw the share of values beyond each size on logarithmic axes."""
        axes.plot(self.size, self.share, linestyle="", marker=".", markersize=3, color="C0")
        logarithmic(axes.xaxis)
        logarithmic(axes.yaxis)
        axes.set(xlabel="size", ylabel="share at least as large", title="Survival on logarithmic axes")

    def __rich__(self) -> object:
        from bank_python.render_tails import survival_view

        return survival_view(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class QuantilePoints(Plotted, Tabular):
    """Quantiles of a sample beside those of a distribution; returned by :func:`qq_points`.

    Parameters
    ----------
    theory : ndarray, shape (n,)
        Quantiles of the distribution with the median and the quartiles' distance of the sample, in increasing order.
    sample : ndarray, shape (n,)
        Values of the sample, in increasing order.
    law : str
        Name of the distribution.
    """

    theory: FloatArray
    sample: FloatArray
    law: str

    def to_table(self) -> Table:
        """Return a table with a row for each value of the sample."""
        return _table(("theory", "sample"), self.theory, self.sample)

    def _draw_(self, axes: Axes) -> None:
        """Draw the values of the sample over the quantiles of the distribution, with the line on which they agree."""
        ends = [float(self.theory[0]), float(self.theory[-1])]
        axes.plot(ends, ends, color="0.5", label="equal quantiles")
        axes.plot(self.theory, self.sample, linestyle="", marker=".", markersize=3, color="C0", label="sample")
        axes.set(xlabel=f"quantile of the {self.law} distribution", ylabel="value", title=f"Quantiles, {self.law}")
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_tails import quantile_view

        return quantile_view(self)


@admits(ModelError)
def survival_points(x: ArrayLike) -> SurvivalPoints:
    """Return the empirical survival function of the positive values of a sample.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any order and unit, of which the positive values are the tail: for losses, give -returns.

    Raises
    ------
    ModelError
        A value is not finite.
    CalibrationError
        Fewer than two values are positive.
    """
    sample = read_sample(x, name="x")
    size = largest_first(sample)
    # Tied values share the number of those that are at least as large.
    beyond = len(size) - np.searchsorted(size[::-1], size, "left")
    return SurvivalPoints(size, beyond / len(sample), len(sample))


@admits(ModelError)
def qq_points(x: ArrayLike, alpha: float | None = None) -> QuantilePoints:
    """Return the quantiles of a sample beside those of a normal distribution or of Student's t.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any order and unit; finite, at least ten values.
    alpha : float, optional
        Degrees of freedom of Student's t, above 0; by default a normal distribution.

    Returns
    -------
    QuantilePoints
        Quantiles at (i − 1/2)/n. The distribution has the median and the distance of the quartiles of the sample,
        which, unlike its standard deviation, exist for all tails.

    Raises
    ------
    ModelError
        A value is not finite, or `alpha` is out of range.
    CalibrationError
        There are fewer than ten values, or half of them are equal, so that the quartiles are.
    """
    sample = np.sort(read_sample(x, name="x", fewest=_FEWEST, varying=True))
    levels = (np.arange(len(sample)) + 0.5) / len(sample)
    if alpha is None:
        law, theory, quartile = "normal", np.asarray(normal_quantile(levels)), float(normal_quantile(0.75))
    else:
        df = number_in_range("alpha", alpha, ModelError, above=0.0)
        law, theory, quartile = f"Student t({df:g})", _student_quantiles(levels, df), student_t_quantile(0.75, df)
    low, median, high = np.quantile(sample, [0.25, 0.5, 0.75]).tolist()
    return QuantilePoints(median + (high - low) / (2.0 * quartile) * theory, sample, law)


def _student_quantiles(levels: FloatArray, df: float) -> FloatArray:
    """Return quantiles of Student's t: exact at some, between them interpolated on the scale of the normal ones."""
    normal = np.asarray(normal_quantile(levels))
    # The last values are far apart, so they are all exact.
    chosen = np.unique(
        np.r_[np.arange(min(50, len(levels))), np.geomspace(1, len(levels) // 2 + 1, _KNOTS).astype(int) - 1]
    )
    lower = np.array([student_t_quantile(float(levels[i]), df) for i in chosen])
    at = np.concatenate([normal[chosen], -normal[chosen][::-1]])
    values = np.concatenate([lower, -lower[::-1]])
    scale = np.arcsinh(values)
    return np.asarray(np.sinh(np.interp(normal, at, scale)))


def _table(titles: tuple[str, str], *columns: FloatArray) -> Table:
    from bank_python.mntable import Table

    rows = zip(*(column.tolist() for column in columns), strict=True)
    return Table.from_rows([(title, float) for title in titles], [dict(zip(titles, row, strict=True)) for row in rows])

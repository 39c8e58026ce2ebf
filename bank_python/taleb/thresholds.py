r"""Where a tail begins: the mean excess over a threshold, and the fitted shape and scale over thresholds.

If excesses over u have a generalised Pareto distribution, so have those over every higher threshold, with the same
shape ξ, with the same modified scale :math:`\beta^* = \beta - \xi u`, and with the mean

.. math:: e(u) = \frac{\beta + \xi\,(u - u_0)}{1 - \xi} ,

a straight line in u. A threshold is high enough where ξ and β* are level and the mean excess is straight beyond it; a
higher one wastes data.

The stability table says the lowest of its thresholds from which on no shape differs from the one there by more than
chance: by more than a multiple of the standard error of the difference, which is that of the *additional* sampling
error, as the data beyond the higher threshold are part of those beyond the lower. The multiple is that of all
comparisons jointly (Bonferroni). It is a reading aid: it cannot see what happens beyond the largest observation.

Examples
--------
>>> losses = np.random.default_rng(2).standard_t(3, 4_000)
>>> stability = threshold_stability(losses)
>>> stability.stable_from is not None and stability.stable_from > 0.0
True
>>> curve = mean_excess(losses, [2.0, 4.0])
>>> bool(curve.mean_excess[1] > curve.mean_excess[0])  # heavier than exponential: it rises
True

References
----------
A. C. Davison and R. L. Smith, "Models for exceedances over high thresholds", Journal of the Royal Statistical Society B
52 (1990), 393-442.

S. Coles, *An Introduction to Statistical Modeling of Extreme Values* (2001), sections 4.3.1 and 4.3.4.

J. A. Hausman, "Specification tests in econometrics", Econometrica 46 (1978), 1251-1271: the variance of the difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.ranges import figures_in_range
from bank_python.plotting import Plotted, axes_below
from bank_python.results import Tabular
from bank_python.risk_models.extremes import fit_gpd_excesses
from bank_python.risk_models.gpd_likelihood import gpd_likelihood
from bank_python.taleb.parameter_intervals import require_confidence
from bank_python.taleb.sample import is_constant, read_sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

    _Index = NDArray[np.intp]

__all__ = ["MeanExcess", "ThresholdStability", "mean_excess", "threshold_stability"]

_FEWEST = 10  # excesses for a fit
_FEWEST_IN_GRID = 30
_THRESHOLDS = 30
_LARGEST_SHARE = 0.25  # of the sample beyond the lowest threshold of the grid


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MeanExcess(Plotted, Tabular):
    """The mean excess over thresholds; returned by :func:`mean_excess`.

    Parameters
    ----------
    thresholds : ndarray, shape (n_thresholds,)
        Thresholds u.
    mean_excess : ndarray, shape (n_thresholds,)
        Mean of the values beyond u less u.
    low, high : ndarray, shape (n_thresholds,)
        Ends of the interval by the standard error of a mean, which is too short where the variance is infinite.
    excesses : ndarray of int, shape (n_thresholds,)
        Number of values beyond u.
    confidence : float
        Probability of each interval.
    """

    thresholds: FloatArray
    mean_excess: FloatArray
    low: FloatArray
    high: FloatArray
    excesses: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    confidence: float

    def to_table(self) -> Table:
        """Return a table with a row for each threshold."""
        columns = {"threshold": self.thresholds, "mean_excess": self.mean_excess, "low": self.low, "high": self.high}
        return _table(columns, self.excesses)

    def _draw_(self, axes: Axes) -> None:
        """Draw the mean excess with its band."""
        axes.fill_between(self.thresholds, self.low, self.high, alpha=0.25, color="C0")
        axes.plot(self.thresholds, self.mean_excess, color="C0")
        axes.set(xlabel="threshold u", ylabel="mean excess", title="Mean excess")

    def __rich__(self) -> object:
        from bank_python.render_extremes import mean_excess_view

        return mean_excess_view(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ThresholdStability(Plotted, Tabular):
    """Generalised Pareto fits over thresholds; returned by :func:`threshold_stability`.

    Parameters
    ----------
    thresholds : ndarray, shape (n_thresholds,)
        Thresholds u, increasing.
    excesses : ndarray of int, shape (n_thresholds,)
        Number of values beyond u.
    xi, xi_error : ndarray, shape (n_thresholds,)
        Shapes with their standard errors; NaN where there are fewer than ten excesses.
    modified_scale, modified_scale_error : ndarray, shape (n_thresholds,)
        Modified scales β − ξu with their standard errors.
    stable_from : float or None
        Lowest threshold from which on the shape is level; None if there is none.
    confidence : float
        Probability of each band, and of the rule jointly.
    """

    thresholds: FloatArray
    excesses: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    xi: FloatArray
    xi_error: FloatArray
    modified_scale: FloatArray
    modified_scale_error: FloatArray
    stable_from: float | None
    confidence: float

    @property
    def note(self) -> str:
        """What the table says of the threshold, in words."""
        if self.stable_from is None:
            return "no threshold from which on the shape is level: the fits differ by more than their errors"
        i = int(np.flatnonzero(self.thresholds == self.stable_from)[0])
        return (
            f"the shape is level from {self.stable_from:.4g} on ({self.excesses[i]:,} excesses, ξ = {self.xi[i]:.3f}): "
            f"no later one differs by more than its {100.0 * self.confidence:.4g} % error, jointly"
        )

    def to_table(self) -> Table:
        """Return a table with a row for each threshold."""
        names = ("xi", "xi_error", "modified_scale", "modified_scale_error")
        return _table({"threshold": self.thresholds, **{name: getattr(self, name) for name in names}}, self.excesses)

    def _draw_(self, axes: Axes) -> None:
        """Draw the shape and, below, the modified scale over the threshold, with their bands."""
        lower = axes_below(axes, 0.5)
        parts = (
            (axes, self.xi, self.xi_error, "shape ξ"),
            (lower, self.modified_scale, self.modified_scale_error, "β*"),
        )
        for place, middle, error, title in parts:
            reach = require_confidence(self.confidence) * error
            place.fill_between(self.thresholds, middle - reach, middle + reach, alpha=0.25, color="C0")
            place.plot(self.thresholds, middle, color="C0")
            place.set_ylabel(title)
            if self.stable_from is not None:
                place.axvline(self.stable_from, color="C1", linestyle="--")
        lower.set_xlabel("threshold u")
        axes.set_title("Fits over thresholds")

    def __rich__(self) -> object:
        from bank_python.render_extremes import stability_view

        return stability_view(self)


@admits(ModelError)
def mean_excess(values: ArrayLike, thresholds: ArrayLike | None = None, *, confidence: float = 0.95) -> MeanExcess:
    """Return the mean excess over thresholds: rising for tails heavier than exponential, level for exponential ones.

    Parameters
    ----------
    values : array_like, shape (n,)
        Sample, for example losses as positive numbers; finite.
    thresholds : array_like, shape (n_thresholds,), optional
        Thresholds, with at least two different values beyond each; by default the order statistics, up to 200 of them,
        from the median to the tenth largest.
    confidence : float, default 0.95
        Probability of each interval, in (0, 1).

    Raises
    ------
    ModelError
        A value is not finite, or an argument is out of range.
    CalibrationError
        There are too few values, they are all equal, or too few are beyond a threshold.
    """
    reach = require_confidence(confidence)
    sample = np.sort(read_sample(values, name="values", fewest=2 * _FEWEST, varying=True))
    n = len(sample)
    if thresholds is None:
        ranks = np.unique(np.linspace(n // 2, n - _FEWEST, 200).astype(int)) - 1
        levels = np.unique(sample[ranks])
    else:
        levels = _given(thresholds)
    first = np.searchsorted(sample, levels, side="right")
    counts = n - first
    if counts.min() < 2:  # noqa: PLR2004 - one value has no standard error
        bad = float(levels[counts.argmin()])
        raise CalibrationError(f"{counts.min()} values are beyond {bad:g}; lower the threshold", value=bad)
    means, deviations = _beyond(sample, first, counts)
    means, errors = means - levels, reach * deviations / np.sqrt(counts)
    return MeanExcess(levels, means, means - errors, means + errors, counts, confidence)


@admits(ModelError)
def threshold_stability(
    values: ArrayLike, thresholds: ArrayLike | None = None, *, confidence: float = 0.95
) -> ThresholdStability:
    """Fit generalised Pareto distributions over thresholds, and say from where on the shape is level.

    Parameters
    ----------
    values : array_like, shape (n,)
        Sample, for example losses as positive numbers; finite.
    thresholds : array_like, shape (n_thresholds,), optional
        Thresholds; by default 30 order statistics with from a quarter of the sample to 30 values beyond them, by equal
        factors of their number.
    confidence : float, default 0.95
        Probability of the bands and of the rule, in (0, 1).

    Raises
    ------
    ModelError
        A value is not finite, or an argument is out of range.
    CalibrationError
        There are too few values, they are all equal, or there are fewer than ten beyond every threshold.
    """
    require_confidence(confidence)
    sample = np.sort(read_sample(values, name="values", fewest=2 * _FEWEST, varying=True))
    if thresholds is None:
        most = max(int(_LARGEST_SHARE * len(sample)), _FEWEST)
        fewest = min(_FEWEST_IN_GRID, most)
        beyond = np.unique(np.geomspace(fewest, most, _THRESHOLDS).astype(int))
        levels = np.unique(sample[len(sample) - beyond - 1])
    else:
        levels = _given(thresholds)
    fits = np.array([_fit(sample[sample > level] - level, level) for level in levels.tolist()])
    if np.isnan(fits[:, 0]).all():
        raise CalibrationError(
            f"fewer than {_FEWEST} different values are beyond each threshold from {levels[0]:g} on; lower them",
            value=float(levels[0]),
        )
    counts = len(sample) - np.searchsorted(sample, levels, side="right")
    xi, error, scale, scale_error = fits.T
    stable = _stable_from(levels, xi, error, confidence)
    return ThresholdStability(levels, counts, xi, error, scale, scale_error, stable, confidence)


def _beyond(sample: FloatArray, first: _Index, counts: _Index) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of the values from each index on of a sorted sample, in one pass."""
    # Distances to the largest value, scaled to 1 at most: the sums of a tail have no larger terms than its own.
    width = float(sample[-1] - sample[0])
    below = (sample - sample[-1]) / width
    total, squares = (np.cumsum(part[::-1])[::-1][first] for part in (below, below * below))
    means = total / counts
    variances = np.maximum(squares - counts * means * means, 0.0) / (counts - 1)
    return width * means + sample[-1], width * np.sqrt(variances)


def _given(thresholds: ArrayLike) -> FloatArray:
    """Return given thresholds in ascending order."""
    levels = np.unique(figures_in_range("thresholds", thresholds, ModelError))
    if not levels.size:
        raise ModelError("thresholds is empty; give one or more, or leave it out", name="thresholds")
    return levels


def _fit(excesses: FloatArray, threshold: float) -> tuple[float, float, float, float]:
    """Return ξ, its standard error, the modified scale and its standard error."""
    if len(excesses) < _FEWEST or is_constant(excesses):
        return (math.nan,) * 4
    fit = fit_gpd_excesses(excesses)
    if math.isnan(fit.xi_error):
        return fit.xi, math.nan, fit.beta - fit.xi * threshold, math.nan
    information = -gpd_likelihood(excesses, fit.xi, math.log(fit.beta)).hessian[0]
    slope = np.array([-threshold / fit.beta, 1.0])
    variance = float(slope @ np.linalg.solve(information, slope))
    return fit.xi, fit.xi_error, fit.beta - fit.xi * threshold, fit.beta * math.sqrt(variance)


def _stable_from(levels: FloatArray, xi: FloatArray, error: FloatArray, confidence: float) -> float | None:
    """Return the lowest threshold from which on no shape differs by more than the error of the difference allows."""
    known = np.flatnonzero(np.isfinite(xi) & np.isfinite(error))
    for i in known[:-1].tolist():
        later = known[known > i]
        reach = require_confidence(1.0 - (1.0 - confidence) / len(later))
        allowed = reach * np.sqrt(np.maximum(error[later] ** 2 - error[i] ** 2, 0.0))
        if (np.abs(xi[later] - xi[i]) <= allowed).all():
            return float(levels[i])
    return None


def _table(columns: dict[str, FloatArray], excesses: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Table:
    from bank_python.mntable import Table

    names = (*columns, "excesses")
    cells = [[None if math.isnan(value) else value for value in column.tolist()] for column in columns.values()]
    rows = zip(*cells, excesses.tolist(), strict=True)
    schema: list[tuple[str, Any]] = [*((name, float | None) for name in columns), ("excesses", int)]
    return Table.from_rows(schema, [dict(zip(names, row, strict=True)) for row in rows])

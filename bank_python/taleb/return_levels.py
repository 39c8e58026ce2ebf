r"""Return levels of many periods from one fit, of a tail or of block maxima, with intervals.

The return level of T periods is exceeded once in T periods on average. For block maxima the periods are the blocks. For
a tail beyond a threshold u, of which there are m observations in a period, a share ζ of them beyond u, it solves

.. math:: T\,m\,\zeta\,\theta\;P(X > x_T \mid X > u) = 1 .

The extremal index θ is 1 for independent observations; below 1 exceedances come in clusters of 1/θ on average, and the
level is the one that a *cluster* exceeds once in T periods (:mod:`.declustering`).

Examples
--------
>>> from bank_python.risk_models import fit_tail
>>> tail = fit_tail(np.random.default_rng(3).pareto(4.0, 5_000), share=0.05)
>>> levels = return_levels(tail, [1, 10, 100], observations_per_period=252)
>>> levels.levels.round(2)
array([2.87, 5.49, 9.56])
>>> bool((levels.low < levels.levels).all() and (levels.levels < levels.high).all())
True

References
----------
S. Coles, *An Introduction to Statistical Modeling of Extreme Values* (2001), sections 3.3.3, 4.3.3 and 5.3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.plotting import Plotted, logarithmic
from bank_python.results import Tabular
from bank_python.risk_models.extremes import TailFit
from bank_python.taleb.gev import GevFit, GevMethod
from bank_python.taleb.gev_intervals import MaximaQuantities, intervals_of_maxima
from bank_python.taleb.gpd_intervals import TailQuantities, intervals_of
from bank_python.taleb.parameter_intervals import IntervalMethod, interval_method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.taleb.parameter_intervals import Intervals

__all__ = ["ReturnLevels", "return_levels"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ReturnLevels(Plotted, Tabular):
    """Return levels with their intervals; returned by :func:`return_levels`.

    Parameters
    ----------
    periods : ndarray, shape (n_periods,)
        Return periods.
    levels, low, high : ndarray, shape (n_periods,)
        Return levels and the ends of their intervals; an end is infinite where there is none.
    reasons : tuple of str
        Reason of a missing end for each period; empty where there is none.
    confidence : float
        Probability of each interval.
    method : IntervalMethod
        Method by which the intervals were made.
    observed_periods, observed : ndarray, shape (n,)
        Observations that the fit is of, with the return periods that their ranks give them, for the picture.
    """

    periods: FloatArray
    levels: FloatArray
    low: FloatArray
    high: FloatArray
    reasons: tuple[str, ...]
    confidence: float
    method: IntervalMethod
    observed_periods: FloatArray = field(repr=False)
    observed: FloatArray = field(repr=False)

    def to_table(self) -> Table:
        """Return a table with a row for each period."""
        from bank_python.mntable import Table

        titles = ("period", "level", "low", "high", "reason")
        figures = (column.tolist() for column in (self.periods, self.levels, self.low, self.high))
        reasons = (reason or None for reason in self.reasons)
        rows = [dict(zip(titles, row, strict=True)) for row in zip(*figures, reasons, strict=True)]
        return Table.from_rows([*((title, float) for title in titles[:-1]), ("reason", str | None)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the levels with their band over the period, and the observations."""
        order = np.argsort(self.periods)
        periods, levels = self.periods[order], self.levels[order]
        low, high = self.low[order], self.high[order]
        closed = np.isfinite(low) & np.isfinite(high)
        band = f"{self.confidence:.4g} interval"
        axes.fill_between(periods, low, high, where=closed.tolist(), alpha=0.25, color="C0", label=band)
        axes.plot(periods, levels, color="C0", label="return level")
        axes.plot(self.observed_periods, self.observed, "o", color="C1", markersize=3, label="observed")
        logarithmic(axes.xaxis)
        axes.set(xlabel="return period", ylabel="level", title="Return levels")
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_extremes import return_levels_view

        return return_levels_view(self)


@admits(ModelError)
def return_levels(
    fit: TailFit | GevFit,
    periods: ArrayLike,
    *,
    observations_per_period: float | None = None,
    extremal_index: float = 1.0,
    confidence: float = 0.95,
    method: IntervalMethod | str | None = None,
    n_samples: int = 1000,
    seed: int | None = 0,
) -> ReturnLevels:
    """Return the levels that are exceeded once in some periods on average, with intervals.

    Parameters
    ----------
    fit : TailFit or GevFit
        Fitted tail (:func:`bank_python.risk_models.fit_tail`) or fitted block maxima (:func:`fit_gev`).
    periods : array_like of float
        Return periods: in blocks for maxima, above 1; for a tail, in periods of `observations_per_period`, long enough
        that an exceedance of the threshold is expected.
    observations_per_period : float, optional
        Number of observations in a period, for example 252 for daily returns and years. A tail needs it.
    extremal_index : float, default 1.0
        Extremal index θ in (0, 1] of a tail fitted to all exceedances. For one fitted to the peaks of clusters it is 1.
    confidence : float, default 0.95
        Probability of each interval, in (0, 1).
    method : IntervalMethod or str, optional
        ``"profile"``, ``"wald"`` or ``"bootstrap"``; by default profile likelihood, or the bootstrap for moments.
    n_samples : int, default 1000
        Number of resamples of the bootstrap, at least 100.
    seed : int, optional
        Seed of the bootstrap; None draws a new one.

    Raises
    ------
    ModelError
        An argument is missing, not used by the kind of fit, or out of range.
    """
    asked = np.atleast_1d(np.asarray(periods, dtype=np.float64)).reshape(-1)
    if not asked.size:
        raise ModelError("periods is empty; give one or more", name="periods")
    names = tuple(f"level {i}" for i in range(len(asked)))
    way = None if method is None else interval_method(method)
    if isinstance(fit, TailFit):
        logs, rate = _reduced_levels(fit, asked, observations_per_period, extremal_index)
        of_tail = TailQuantities(fit.threshold, names, logs, (), np.zeros(0), with_parameters=False)
        found = intervals_of(fit, of_tail, confidence, way or IntervalMethod.PROFILE, n_samples, seed)
        excesses = np.zeros(0) if fit.excesses is None else fit.excesses
        return _levels(asked, found, rate, fit.threshold + excesses)
    if observations_per_period is not None or extremal_index != 1.0:
        raise ModelError(
            "observations_per_period= and extremal_index= are for tails: the periods of block maxima are the blocks; "
            "leave them out",
            name="observations_per_period",
            value=observations_per_period,
        )
    figures_in_range("periods", asked, ModelError, above=1.0)
    of_maxima = MaximaQuantities(names, -np.log(-np.log1p(-1.0 / asked)), with_parameters=False)
    usual = IntervalMethod.BOOTSTRAP if fit.method is GevMethod.PWM else IntervalMethod.PROFILE
    return _levels(
        asked, intervals_of_maxima(fit, of_maxima, confidence, way or usual, n_samples, seed), 1.0, fit.maxima
    )


def _reduced_levels(
    tail: TailFit, periods: FloatArray, per_period: float | None, extremal_index: float
) -> tuple[FloatArray, float]:
    """Return log(T·rate) of each period, and the rate: the expected number of clusters of exceedances in a period."""
    if per_period is None:
        raise ModelError(
            "a tail needs observations_per_period=, for example 252 for daily returns and years",
            name="observations_per_period",
        )
    number_in_range("observations_per_period", per_period, ModelError, above=0.0)
    number_in_range("extremal_index", extremal_index, ModelError, above=0.0, most=1.0)
    rate = per_period * tail.share * extremal_index
    figures_in_range(
        "periods",
        periods,
        ModelError,
        above=1.0 / rate,
        hint=f"exceedances of the threshold are expected every {1.0 / rate:.4g} periods; give longer ones",
    )
    return np.log(periods * rate), rate


def _levels(periods: FloatArray, found: Intervals, rate: float, observed: FloatArray) -> ReturnLevels:
    """Return the result, with the periods that the ranks of the observations give them."""
    beyond = 1.0 - np.arange(1.0, len(observed) + 1.0) / (len(observed) + 1.0)
    return ReturnLevels(
        periods,
        found.estimates,
        found.low,
        found.high,
        found.reasons,
        found.confidence,
        found.method,
        1.0 / (rate * beyond),
        np.sort(observed),
    )

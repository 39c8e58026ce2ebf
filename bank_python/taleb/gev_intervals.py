r"""Intervals for a distribution of block maxima: of its parameters and of its return levels.

Profile likelihood is the method to trust for a maximum-likelihood fit; a fit by moments has bootstrap intervals.

Examples
--------
>>> from bank_python.taleb.gev import fit_gev
>>> fit = fit_gev(np.random.default_rng(5).pareto(3.0, (50, 250)).max(axis=1))
>>> level = gev_intervals(fit, periods=[100])["level 100"]
>>> level.high - level.estimate > level.estimate - level.low > 0.0
True

References
----------
S. Coles, *An Introduction to Statistical Modeling of Extreme Values* (2001), section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range
from bank_python.taleb.gev import GevFit, GevMethod
from bank_python.taleb.gev_likelihood import gev_likelihood
from bank_python.taleb.gev_moments import gev_moments
from bank_python.taleb.gpd_intervals import growth, number_of_samples
from bank_python.taleb.parameter_intervals import (
    IntervalMethod,
    Intervals,
    bootstrap_intervals,
    interval_method,
    no_intervals,
    profile_intervals,
    wald_intervals,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.risk_models.gpd_likelihood import Likelihood

__all__ = ["MaximaQuantities", "gev_intervals", "intervals_of_maxima"]

_EDGE = -1.0
_REGULAR = -0.5  # shape above which likelihood ratios have a χ² distribution
_NOT_REGULAR = "ξ = {:.3g} is not above −1/2, where likelihood ratios have no χ² distribution; fit with method='pwm'"


@dataclass(frozen=True, slots=True, eq=False)
class MaximaQuantities:
    """Quantities of a distribution of maxima with parameters (μ, log σ, ξ): for the methods of intervals.

    Parameters
    ----------
    level_names : tuple of str
        Names of the return levels.
    levels : ndarray
        −log(−log(1 − 1/T)) of each return period T.
    with_parameters : bool
        Whether μ, σ and ξ are quantities too, the first three.
    """

    level_names: tuple[str, ...]
    levels: FloatArray
    with_parameters: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities."""
        return (("mu", "sigma", "xi") if self.with_parameters else ()) + self.level_names

    def measure(self, points: FloatArray) -> FloatArray:
        """Return μ, log σ, ξ and the return levels."""
        first = 3 if self.with_parameters else 0
        mu, log_sigma, xi = (points[first:, :, i] for i in range(3))
        levels = mu + np.exp(log_sigma) * growth(xi, self.levels[:, None])
        parameters = [points[i, :, i] for i in range(first)]
        return np.concatenate([np.array(parameters).reshape(first, points.shape[1]), levels])

    def value(self, measures: FloatArray) -> FloatArray:
        """Return the quantities from their measures."""
        values = measures.copy()
        if self.with_parameters:
            values[1] = np.exp(measures[1])
        return values

    def ends(self) -> FloatArray:
        """Return the ranges: σ above 0, the others any number."""
        ends = np.tile([-np.inf, np.inf], (len(self.names), 1))
        if self.with_parameters:
            ends[1, 0] = 0.0
        return ends

    def infinite(self) -> str:
        """Return why a quantity can be infinite."""
        return "the quantity is infinite within the interval of ξ"


@admits(ModelError)
def gev_intervals(
    fit: GevFit,
    *,
    periods: ArrayLike = (10.0, 100.0),
    confidence: float = 0.95,
    method: IntervalMethod | str = "profile",
    n_samples: int = 1000,
    seed: int | None = 0,
) -> Intervals:
    """Return intervals for μ, σ, ξ and return levels of a fit to block maxima.

    Parameters
    ----------
    fit : GevFit
        Fitted distribution, as :func:`fit_gev` returns it.
    periods : array_like of float, default (10, 100)
        Return periods in blocks, above 1.
    confidence : float, default 0.95
        Probability of each interval, in (0, 1).
    method : IntervalMethod or str, default "profile"
        ``"profile"`` likelihood or ``"wald"`` (standard errors) for a maximum-likelihood fit; ``"bootstrap"``
        (percentiles of refitted resamples) for a fit by moments.
    n_samples : int, default 1000
        Number of resamples of the bootstrap, at least 100.
    seed : int, optional
        Seed of the bootstrap; None draws a new one.

    Returns
    -------
    Intervals
        Rows ``"mu"``, ``"sigma"``, ``"xi"``, and ``"level 100"`` for each of `periods`. An end is infinite where there
        is none, with the reason.

    Raises
    ------
    ModelError
        An argument is out of range, or the method does not go with that of the fit.
    """
    asked = np.atleast_1d(figures_in_range("periods", periods, ModelError, above=1.0)).reshape(-1)
    names = tuple(f"level {period:g}" for period in asked.tolist())
    quantities = MaximaQuantities(names, -np.log(-np.log1p(-1.0 / asked)), with_parameters=True)
    return intervals_of_maxima(fit, quantities, confidence, interval_method(method), n_samples, seed)


def intervals_of_maxima(
    fit: GevFit,
    quantities: MaximaQuantities,
    confidence: float,
    method: IntervalMethod,
    n_samples: int = 1000,
    seed: int | None = 0,
) -> Intervals:
    """Return intervals of quantities of a fit to block maxima; as :func:`gev_intervals`."""
    best = np.array([fit.mu, np.log(fit.sigma), fit.xi])
    if (method is IntervalMethod.BOOTSTRAP) is not (fit.method is GevMethod.PWM):
        raise ModelError(
            f"method={method.value!r} does not go with a fit by {fit.method.value}; profile and wald go with mle, "
            "bootstrap with pwm",
            name="method",
            value=method,
        )
    z = fit.maxima
    if method is IntervalMethod.BOOTSTRAP:
        count = number_of_samples(n_samples)
        fitted = gev_moments(z[np.random.default_rng(seed).integers(0, len(z), (count, len(z)))])
        fitted[:, 1] = np.log(fitted[:, 1])
        return bootstrap_intervals(quantities, fitted, best, confidence)
    if fit.xi <= _REGULAR:
        return no_intervals(quantities, best, confidence, method, _NOT_REGULAR.format(fit.xi))

    def likelihood(points: FloatArray) -> Likelihood:
        found = gev_likelihood(z, points)
        return found._replace(value=np.where(points[:, 2] > _EDGE, found.value, -np.inf))

    make = profile_intervals if method is IntervalMethod.PROFILE else wald_intervals
    return make(quantities, likelihood, best, confidence)

r"""Intervals for a fitted tail: of its parameters, its values at risk, expected shortfalls and return levels.

Beyond a threshold u that a share ζ of the sample exceeds, the level that is exceeded with probability p < ζ is

.. math:: x_p = u + \beta\,\frac{e^{\xi L} - 1}{\xi}, \qquad L = \log\frac{\zeta}{p} ,

and the expected shortfall beyond it is :math:`u + (x_p - u + \beta)/(1 - \xi)`. The profile likelihood is the method to
trust: it is not symmetric, and far out its upper ends are much longer than those by standard errors. Neither method
counts the sampling error of ζ, which is small beside that of ξ, nor the choice of the threshold.

Examples
--------
>>> from bank_python.risk_models import fit_tail
>>> losses = np.random.default_rng(3).pareto(4.0, 2_000)
>>> intervals = gpd_intervals(fit_tail(losses, share=0.1), quantiles=[0.99])
>>> intervals.names
('xi', 'beta', 'var 0.99', 'es 0.99')
>>> intervals["xi"].low < 0.25 < intervals["xi"].high  # the distribution has xi = 1/4
True

References
----------
S. Coles, *An Introduction to Statistical Modeling of Extreme Values* (2001), sections 4.3.3 and 4.4.

A. J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management* (2015), section 5.2.

R. L. Smith, "Maximum likelihood estimation in a class of nonregular cases", Biometrika 72 (1985), 67-90: shapes of
−1/2 and less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.risk_models.extremes import TailFit  # noqa: TC001 - admits checks instances
from bank_python.risk_models.gpd_likelihood import Likelihood, gpd_likelihood
from bank_python.risk_models.gpd_profile import EDGE, resampled_gpd
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

__all__ = ["TailQuantities", "gpd_intervals", "growth", "intervals_of", "number_of_samples"]

_FEWEST_SAMPLES = 100  # percentiles of fewer mean nothing
_USUAL = (0.99, 0.995, 0.999)
_REGULAR = -0.5  # shape above which likelihood ratios have a χ² distribution
_NOT_REGULAR = "ξ = {:.3g} is not above −1/2, where likelihood ratios have no χ² distribution; try method='bootstrap'"
_INFINITE = "the interval of ξ reaches 1, from where on the expected shortfall is infinite"


@dataclass(frozen=True, slots=True, eq=False)
class TailQuantities:
    """Quantities of a generalised Pareto tail with parameters (ξ, log β): for the methods of intervals.

    Parameters
    ----------
    threshold : float
        Threshold u of the tail.
    level_names, shortfall_names : tuple of str
        Names of the levels and of the expected shortfalls.
    levels, shortfalls : ndarray
        L = log(ζ/p) of each of them, above 0.
    with_parameters : bool
        Whether ξ and β are quantities too, the first two.
    """

    threshold: float
    level_names: tuple[str, ...]
    levels: FloatArray
    shortfall_names: tuple[str, ...]
    shortfalls: FloatArray
    with_parameters: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities."""
        return (("xi", "beta") if self.with_parameters else ()) + self.level_names + self.shortfall_names

    def measure(self, points: FloatArray) -> FloatArray:
        """Return ξ, log β, logarithms of levels less u, and −1/(shortfall less u), which passes 0 where ξ = 1."""
        xi, log_beta = points[..., 0], points[..., 1]
        first = 2 if self.with_parameters else 0
        middle = first + len(self.levels)
        measures = np.empty_like(xi)
        if first:
            measures[0], measures[1] = xi[0], log_beta[1]
        measures[first:middle] = log_beta[first:middle] + np.log(growth(xi[first:middle], self.levels[:, None]))
        beyond = 1.0 + growth(xi[middle:], self.shortfalls[:, None])
        measures[middle:] = (xi[middle:] - 1.0) * np.exp(-log_beta[middle:]) / beyond
        return measures

    def value(self, measures: FloatArray) -> FloatArray:
        """Return the quantities from their measures."""
        first = 2 if self.with_parameters else 0
        middle = first + len(self.levels)
        values = measures.copy()
        if first:
            values[1] = np.exp(measures[1])
        values[first:middle] = self.threshold + np.exp(measures[first:middle])
        with np.errstate(divide="ignore"):
            excess = np.where(measures[middle:] < 0.0, -1.0 / measures[middle:], np.inf)
        values[middle:] = self.threshold + excess
        return values

    def ends(self) -> FloatArray:
        """Return the ranges: ξ any number, β above 0, the others above the threshold."""
        lowest = [-np.inf, 0.0] if self.with_parameters else []
        count = len(self.levels) + len(self.shortfalls)
        return np.array([[low, np.inf] for low in (*lowest, *([self.threshold] * count))])

    def infinite(self) -> str:
        """Return why a quantity can be infinite."""
        return _INFINITE


@admits(ModelError)
def gpd_intervals(
    tail: TailFit,
    *,
    quantiles: ArrayLike | None = None,
    confidence: float = 0.95,
    method: IntervalMethod | str = "profile",
    n_samples: int = 1000,
    seed: int | None = 0,
) -> Intervals:
    """Return intervals for ξ, β, and the value at risk and expected shortfall at some confidences.

    Parameters
    ----------
    tail : TailFit
        Fitted tail, as :func:`bank_python.risk_models.fit_tail` returns it, with its excesses.
    quantiles : array_like of float, optional
        Confidences of the value at risk and the expected shortfall, each inside the tail: above 1 − `tail.share`. By
        default those of 0.99, 0.995 and 0.999 that are.
    confidence : float, default 0.95
        Probability of each interval, in (0, 1).
    method : IntervalMethod or str, default "profile"
        ``"profile"`` likelihood, ``"wald"`` (standard errors), or ``"bootstrap"`` (percentiles of refitted resamples).
    n_samples : int, default 1000
        Number of resamples of the bootstrap, at least 100.
    seed : int, optional
        Seed of the bootstrap; None draws a new one.

    Returns
    -------
    Intervals
        Rows ``"xi"``, ``"beta"``, and ``"var 0.99"`` and ``"es 0.99"`` for each of `quantiles`. An end is infinite
        where there is none, with the reason.

    Raises
    ------
    ModelError
        The tail has no excesses, or an argument is out of range.
    """
    if quantiles is None:
        quantiles = [q for q in _USUAL if q > 1.0 - tail.share]
    asked = np.atleast_1d(np.asarray(quantiles, dtype=np.float64)).reshape(-1)
    outside = ~((asked > 1.0 - tail.share) & (asked < 1.0))
    if outside.any():
        bad = float(asked[outside][0])
        raise ModelError(
            f"quantiles: {bad:g} is not in the tail, which is beyond {1.0 - tail.share:g}; lower the threshold",
            name="quantiles",
            value=bad,
        )
    logs = np.log(tail.share / (1.0 - asked))
    names = [tuple(f"{kind} {q:g}" for q in asked.tolist()) for kind in ("var", "es")]
    quantities = TailQuantities(tail.threshold, names[0], logs, names[1], logs, with_parameters=True)
    return intervals_of(tail, quantities, confidence, interval_method(method), n_samples, seed)


def intervals_of(
    tail: TailFit,
    quantities: TailQuantities,
    confidence: float,
    method: IntervalMethod,
    n_samples: int = 1000,
    seed: int | None = 0,
) -> Intervals:
    """Return intervals of quantities of a fitted tail; as :func:`gpd_intervals`."""
    excesses = tail.excesses
    if excesses is None:
        raise ModelError("the tail has no excesses, which intervals need; fit it with fit_tail", name="tail")
    best = np.array([tail.fit.xi, np.log(tail.fit.beta)])
    if method is IntervalMethod.BOOTSTRAP:
        fitted = _resampled(excesses, n_samples, seed)
        return bootstrap_intervals(quantities, fitted, best, confidence)
    if tail.fit.xi <= _REGULAR:
        return no_intervals(quantities, best, confidence, method, _NOT_REGULAR.format(tail.fit.xi))

    def likelihood(points: FloatArray) -> Likelihood:
        found = gpd_likelihood(excesses, points[:, 0], points[:, 1])
        return found._replace(value=np.where(points[:, 0] > EDGE, found.value, -np.inf))

    make = profile_intervals if method is IntervalMethod.PROFILE else wald_intervals
    return make(quantities, likelihood, best, confidence)


def growth(xi: FloatArray, logs: FloatArray) -> FloatArray:
    """Return (exp(ξL) − 1)/ξ for shapes ξ and L, which is L at ξ = 0."""
    power = xi * logs
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(power == 0.0, logs, logs * np.expm1(power) / power))


def number_of_samples(n_samples: int) -> int:
    """Return a number of resamples, or raise a :class:`ModelError` if percentiles of so few mean nothing."""
    if n_samples < _FEWEST_SAMPLES:
        raise ModelError(
            f"n_samples={n_samples} is below {_FEWEST_SAMPLES}; 1000 is usual", name="n_samples", value=n_samples
        )
    return n_samples


def _resampled(excesses: FloatArray, n_samples: int, seed: int | None) -> FloatArray:
    """Return (ξ, log β) of resamples, shape (n_samples, 2)."""
    n = len(excesses)
    picks = np.random.default_rng(seed).integers(0, n, (number_of_samples(n_samples), n))
    fitted = resampled_gpd(excesses, picks)
    return np.stack([fitted.xi, np.log(fitted.beta)], axis=1)

r"""Extreme value theory: generalised Pareto distributions fitted to losses beyond a threshold.

For almost all distributions of losses, the excesses over a high threshold u approximately have a generalised Pareto
distribution (GPD) (Pickands, Balkema and de Haan),

.. math:: P(X - u > y \mid X > u) = \Big(1 + \xi\frac{y}{\beta}\Big)^{-1/\xi} ,

with tail index 1/ξ for ξ > 0. Fitted by maximum likelihood, it extrapolates a sample beyond its largest loss. The
likelihood in both parameters reduces to one in θ = ξ/β, for which ξ is the mean of log(1 + θy) (Grimshaw). Its maximum
is bracketed on a grid over all values of θ that the data allow, and then refined (:mod:`.gpd_profile`).

With a share ζ of the sample beyond u, the tail has

.. math:: \mathrm{VaR}_\alpha = u + \frac\beta\xi\Big[\Big(\frac{1 - \alpha}{\zeta}\Big)^{-\xi} - 1\Big], \qquad
          \mathrm{ES}_\alpha = \frac{\mathrm{VaR}_\alpha + \beta - \xi u}{1 - \xi} .

Examples
--------
>>> losses = 2.0 * (np.linspace(0.0005, 0.9995, 1000) ** -0.25 - 1.0)  # a Pareto distribution with xi = 1/4
>>> tail = fit_tail(losses, share=0.2)
>>> round(tail.fit.xi, 2), round(tail.value_at_risk(0.99), 2), round(tail.expected_shortfall(0.99), 2)
(0.24, 4.3, 6.33)
>>> tail.xi == tail.fit.xi, tail.var(0.99) == tail.value_at_risk(0.99)  # short names of the field
(True, True)

References
----------
A. J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management* (2015), section 5.2.

S. D. Grimshaw, "Computing maximum likelihood estimates for the generalized Pareto distribution", Technometrics 35
(1993), 185-191.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.deprecation import renamed
from bank_python.display import Record
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.results import Figures
from bank_python.risk_models.gpd_likelihood import gpd_likelihood
from bank_python.risk_models.gpd_profile import best_gpd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["GpdFit", "TailFit", "fit_gpd_excesses", "fit_tail"]

_FEWEST = 10
_REGULAR = -0.5  # shape above which maximum likelihood is asymptotically normal


@dataclass(frozen=True, slots=True)
class GpdFit(Figures):
    """A generalised Pareto distribution fitted to excesses over a threshold.

    Parameters
    ----------
    xi : float
        Shape parameter ξ: above 0 the tail is a power law with tail index 1/ξ, at 0 exponential, below 0 bounded. At −1
        the distribution is uniform, and the likelihood has no maximum at a higher shape.
    beta : float
        Scale parameter β, above 0, in the unit of the losses.
    log_likelihood : float
        Maximum of the log-likelihood.
    excesses : int
        Number of excesses in the sample.
    xi_error, beta_error : float
        Standard errors of ξ and β from the observed information; NaN if ξ is not above −1/2.
    """

    xi: float
    beta: float
    log_likelihood: float
    excesses: int
    xi_error: float
    beta_error: float


@dataclass(frozen=True, slots=True)
class TailFit(Record):
    """The fitted tail of a sample beyond a threshold.

    Parameters
    ----------
    threshold : float
        Loss beyond which the fitted distribution applies.
    share : float
        Share of the sample beyond the threshold, in (0, 1).
    fit : GpdFit
        Generalised Pareto distribution of the excesses over the threshold.
    excesses : ndarray, shape (n,), optional
        Losses beyond the threshold less the threshold, to which the distribution was fitted; intervals need them.
    """

    threshold: float
    share: float
    fit: GpdFit
    excesses: FloatArray | None = field(default=None, compare=False, repr=False)

    @property
    def xi(self) -> float:
        """Shape parameter ξ of the fit."""
        return self.fit.xi

    @property
    def beta(self) -> float:
        """Scale parameter β of the fit, in the unit of the losses."""
        return self.fit.beta

    @renamed(level="confidence")
    @admits(ModelError)
    def value_at_risk(self, confidence: float) -> float:
        """Return the value at risk: the loss that is exceeded with probability 1 − `confidence`.

        Raises
        ------
        ModelError
            `confidence` is not in the tail.
        """
        if not 1.0 - self.share <= confidence < 1.0:
            raise ModelError(
                f"confidence={confidence!r} is not in the tail, which begins at {1.0 - self.share:g}; "
                "lower the threshold",
                value=confidence,
            )
        rarity = math.log((1.0 - confidence) / self.share)
        return self.threshold + self.fit.beta * _growth(-self.fit.xi * rarity, -rarity)

    @renamed(level="confidence")
    @admits(ModelError)
    def expected_shortfall(self, confidence: float) -> float:
        """Return the expected shortfall: the mean loss beyond :meth:`value_at_risk`; infinite for a shape of 1 or more.

        Raises
        ------
        ModelError
            `confidence` is not in the tail.
        """
        var = self.value_at_risk(confidence)
        if self.fit.xi >= 1.0:
            return math.inf
        return (var + self.fit.beta - self.fit.xi * self.threshold) / (1.0 - self.fit.xi)

    @admits(ModelError)
    def var(self, q: float) -> float:
        """Return the value at risk at confidence `q`; short for :meth:`value_at_risk`.

        Parameters
        ----------
        q : float
            Confidence, for example 0.99; at least one minus the share of the tail, and below 1.

        Raises
        ------
        ModelError
            `q` is not in the tail.
        """
        return self.value_at_risk(q)

    @admits(ModelError)
    def es(self, q: float) -> float:
        """Return the expected shortfall at confidence `q`; short for :meth:`expected_shortfall`.

        Parameters
        ----------
        q : float
            Confidence, for example 0.99; at least one minus the share of the tail, and below 1.

        Raises
        ------
        ModelError
            `q` is not in the tail.
        """
        return self.expected_shortfall(q)


@admits(ModelError)
def fit_tail(losses: ArrayLike, threshold: float | None = None, *, share: float = 0.1) -> TailFit:
    """Fit a generalised Pareto distribution to the tail of a sample of losses.

    Parameters
    ----------
    losses : array_like, shape (n_obs,)
        Sample of losses as positive numbers; finite.
    threshold : float, optional
        Loss beyond which the tail is fitted; by default the order statistic with a share `share` of the sample beyond
        it.
    share : float, default 0.1
        Share of the sample in the tail, in (0, 1). Not used if `threshold` is given.

    Raises
    ------
    CalibrationError
        Fewer than ten losses are beyond the threshold, they are all equal, one is not finite, or `share` is out of
        range.
    """
    sample = np.sort(_finite(losses))
    if not sample.size:
        raise CalibrationError("there are no losses to fit a tail to; give at least ten beyond the threshold")
    if threshold is None:
        if not 0.0 < share < 1.0:
            raise CalibrationError(f"share={share!r} is outside (0, 1); 0.1 is usual", value=share)
        count = int(share * len(sample))
        threshold = float(sample[len(sample) - count - 1]) if count < len(sample) else float(sample[0])
    excesses = sample[sample > threshold] - threshold
    return TailFit(threshold, len(excesses) / len(sample), fit_gpd_excesses(excesses), excesses)


@admits(ModelError)
def fit_gpd_excesses(excesses: ArrayLike) -> GpdFit:
    """Fit a generalised Pareto distribution to excesses by maximum likelihood.

    Parameters
    ----------
    excesses : array_like, shape (n,)
        Losses less the threshold, above 0; at least ten.

    Raises
    ------
    CalibrationError
        There are fewer than ten excesses, they are all equal, or one is not a finite number above 0.
    """
    y = _finite(excesses)
    if len(y) < _FEWEST or (y <= 0.0).any():
        raise CalibrationError(
            f"there are {len(y)} excesses, the smallest {y.min() if len(y) else math.nan:g}; at least ten are needed, "
            "all above 0: lower the threshold",
            value=len(y),
        )
    if np.ptp(y) <= LAST_DIGITS * y.max():
        raise CalibrationError(
            f"all {len(y)} excesses are {y[0]:g}: one value has no tail; lower the threshold",
            value=float(y[0]),
        )
    best = best_gpd(y)
    xi, beta, log_likelihood = float(best.xi[0]), float(best.beta[0]), len(y) * float(best.value[0])
    return GpdFit(xi, beta, log_likelihood, len(y), *_standard_errors(y, xi, beta))


def _standard_errors(y: FloatArray, xi: float, beta: float) -> tuple[float, float]:
    """Return the standard errors of ξ and β from the observed information."""
    if xi <= _REGULAR:
        return math.nan, math.nan
    by_shape, mixed, _, by_scale = gpd_likelihood(y, xi, math.log(beta)).hessian[0].ravel().tolist()
    determinant = by_shape * by_scale - mixed * mixed
    if not determinant > 0.0:
        return math.nan, math.nan
    return math.sqrt(-by_scale / determinant), beta * math.sqrt(-by_shape / determinant)


def _growth(exponent: float, limit: float) -> float:
    """Return (exp(exponent) − 1)/ξ for exponent = −ξ·rarity; `limit` = −rarity is the value at ξ = 0."""
    return limit if exponent == 0.0 else math.expm1(exponent) / exponent * limit


def _finite(values: ArrayLike) -> FloatArray:
    if np.ma.is_masked(values):
        row = int(np.flatnonzero(np.asarray(np.ma.getmask(values)))[0])
        raise CalibrationError(f"loss {row} is masked; give values.compressed() to leave such losses out", value=row)
    array = np.asarray(values, dtype=float).reshape(-1)
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        row = int(bad[0])
        raise CalibrationError(
            f"loss {row} is {array[row]:g}, not a finite number; leave it out, or correct it", value=row
        )
    return array

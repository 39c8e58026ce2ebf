r"""Extremes: the generalised Pareto law of what lies beyond a threshold.

Losses beyond a high threshold u follow, whatever law they come from, nearly one of a single family (Pickands, Balkema
and de Haan),

.. math:: P(X - u > y \mid X > u) = \Big(1 + \xi\frac{y}{\beta}\Big)^{-1/\xi} ,

with tail index 1/ξ for ξ > 0. Fitted by maximum likelihood it extends a sample beyond its largest loss. The likelihood
in both parameters reduces to one in θ = ξ/β, for which ξ is the mean of log(1 + θy) (Grimshaw): the maximum is
bracketed on a grid over all θ that the data allow and then pinned down.

With a share ζ of the sample beyond u, the tail gives

.. math:: \mathrm{VaR}_\alpha = u + \frac\beta\xi\Big[\Big(\frac{1 - \alpha}{\zeta}\Big)^{-\xi} - 1\Big], \qquad
          \mathrm{ES}_\alpha = \frac{\mathrm{VaR}_\alpha + \beta - \xi u}{1 - \xi} .

Examples
--------
>>> losses = 2.0 * (np.linspace(0.0005, 0.9995, 1000) ** -0.25 - 1.0)  # a Pareto law: xi = 1/4
>>> tail = fit_tail(losses, share=0.2)
>>> round(tail.fit.xi, 2), round(tail.value_at_risk(0.99), 2), round(tail.expected_shortfall(0.99), 2)
(0.24, 4.3, 6.33)

References
----------
A. J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management* (2015), section 5.2.

S. D. Grimshaw, "Computing maximum likelihood estimates for the generalized Pareto distribution", Technometrics 35
(1993), 185-191.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.deprecation import renamed
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.line_minimum import line_minimum
from bank_python.results import Figures

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["GpdFit", "TailFit", "fit_gpd", "fit_tail"]

_FEWEST = 10
_GRID = 400
_AROUND = 5  # points between the grid's neighbours of its best one
_LIGHT = 1e-9  # a shape so small is told from 0 by nothing


@dataclass(frozen=True, slots=True)
class GpdFit(Figures):
    """A generalised Pareto law fitted to excesses.

    Parameters
    ----------
    xi : float
        Shape: above 0 a power law of tail index 1/ξ, at 0 exponential, below 0 bounded.
    beta : float
        Scale, above 0.
    log_likelihood : float
        At the maximum.
    excesses : int
        Observations.
    xi_error, beta_error : float
        Standard errors from the observed information; NaN where ξ is not above −1/2.
    """

    xi: float
    beta: float
    log_likelihood: float
    excesses: int
    xi_error: float
    beta_error: float


@dataclass(frozen=True, slots=True)
class TailFit:
    """The tail of a sample beyond a threshold.

    Parameters
    ----------
    threshold : float
        Beyond which the law holds.
    share : float
        Of the sample beyond it.
    fit : GpdFit
        The law of the excesses.
    """

    threshold: float
    share: float
    fit: GpdFit

    @renamed(level="confidence")
    @admits(ModelError)
    def value_at_risk(self, confidence: float) -> float:
        """Return the loss that is exceeded with probability 1 − `confidence`.

        Raises
        ------
        ModelError
            `confidence` does not lie in the tail.
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
        """Return the mean loss beyond :meth:`value_at_risk`; infinite for a shape of 1 or more.

        Raises
        ------
        ModelError
            `confidence` does not lie in the tail.
        """
        var = self.value_at_risk(confidence)
        if self.fit.xi >= 1.0:
            return math.inf
        return (var + self.fit.beta - self.fit.xi * self.threshold) / (1.0 - self.fit.xi)


@admits(ModelError)
def fit_tail(losses: ArrayLike, *, threshold: float | None = None, share: float = 0.1) -> TailFit:
    """Fit the tail of `losses`.

    Parameters
    ----------
    losses : array_like, shape (n_obs,)
        Finite; positive numbers are losses.
    threshold : float, optional
        Beyond which to fit; by default the order statistic that leaves `share` of the sample beyond it.
    share : float, default 0.1
        In (0, 1).

    Raises
    ------
    CalibrationError
        Fewer than ten losses lie beyond the threshold, one is not finite, or `share` is out of range.
    """
    sample = np.sort(_finite(losses))
    if not sample.size:
        raise CalibrationError("there are no losses to fit a tail to; give at least ten beyond the threshold")
    if threshold is None:
        if not 0.0 < share < 1.0:
            raise CalibrationError(f"share={share!r} lies outside (0, 1); 0.1 is usual", value=share)
        count = int(share * len(sample))
        threshold = float(sample[len(sample) - count - 1]) if count < len(sample) else float(sample[0])
    beyond = sample[sample > threshold]
    return TailFit(threshold, len(beyond) / len(sample), fit_gpd(beyond - threshold))


@admits(ModelError)
def fit_gpd(excesses: ArrayLike) -> GpdFit:
    """Fit a generalised Pareto law by maximum likelihood.

    Parameters
    ----------
    excesses : array_like, shape (n,)
        Above 0, at least ten.

    Raises
    ------
    CalibrationError
        There are fewer than ten, or one is not a finite number above 0.
    """
    y = _finite(excesses)
    if len(y) < _FEWEST or (y <= 0.0).any():
        raise CalibrationError(
            f"{len(y)} excesses, the least {y.min() if len(y) else math.nan:g}: at least ten are needed, all above 0; "
            "lower the threshold",
            value=len(y),
        )
    scale = float(y.mean())
    z = y / scale
    theta = _best_theta(z)
    xi = float(np.log1p(theta * z).mean())
    beta = xi / theta if abs(xi) > _LIGHT else 1.0
    xi = xi if abs(xi) > _LIGHT else 0.0
    log_likelihood = -len(y) * (math.log(beta * scale) + xi + 1.0)
    errors = _standard_errors(z, xi, beta)
    return GpdFit(xi, beta * scale, log_likelihood, len(y), errors[0], errors[1] * scale)


def _profile(theta: FloatArray, z: FloatArray) -> FloatArray:
    """Return the mean log-likelihood of θ, the best ξ for it being put in."""
    xi = np.log1p(theta[:, None] * z).mean(axis=1)
    with np.errstate(all="ignore"):
        beta = np.where(np.abs(xi) > _LIGHT, xi / theta, 1.0)
        value = -np.log(beta) - xi - 1.0
    return np.asarray(np.where(np.isfinite(value), value, -np.inf))


def _best_theta(z: FloatArray) -> float:
    # From just inside the bound that the largest excess sets, over 0, up to what only a monstrous tail would need.
    lowest = -(1.0 - 1e-6) / float(z.max())
    grid = np.unique(np.concatenate([lowest * np.geomspace(1.0, 1e-6, _GRID), np.geomspace(1e-6, 1e4, _GRID)]))
    values = _profile(grid, z)
    # A shape below −1 has a likelihood without bound at the wall: the maximum wanted is inside.
    inside = np.log1p(grid[:, None] * z).mean(axis=1) > -1.0
    i = int(np.argmax(np.where(inside, values, -np.inf)))
    low, high = float(grid[max(i - 1, 0)]), float(grid[min(i + 1, len(grid) - 1)])
    around = np.linspace(low, high, _AROUND)
    return line_minimum(lambda theta: -_profile(theta.reshape(-1), z).reshape(theta.shape), around).where or _LIGHT


def _standard_errors(z: FloatArray, xi: float, beta: float) -> tuple[float, float]:
    """Return the standard errors of ξ and β from second differences of the log-likelihood."""
    if xi <= -0.5:  # noqa: PLR2004 - below −1/2 the usual theory does not hold
        return math.nan, math.nan

    def total(shape: float, scale: float) -> float:
        t = z / scale
        if abs(shape) < _LIGHT:
            return -float(len(z) * math.log(scale) + t.sum())
        return -float(len(z) * math.log(scale) + (1.0 + 1.0 / shape) * np.log1p(shape * t).sum())

    h, k = 1e-4, 1e-4 * beta
    middle = total(xi, beta)
    by_shape = (total(xi + h, beta) - 2.0 * middle + total(xi - h, beta)) / (h * h)
    by_scale = (total(xi, beta + k) - 2.0 * middle + total(xi, beta - k)) / (k * k)
    corners = total(xi + h, beta + k) - total(xi + h, beta - k) - total(xi - h, beta + k) + total(xi - h, beta - k)
    mixed = corners / (4.0 * h * k)
    determinant = by_shape * by_scale - mixed * mixed
    if not determinant > 0.0:
        return math.nan, math.nan
    return math.sqrt(-by_scale / determinant), math.sqrt(-by_shape / determinant)


def _growth(exponent: float, limit: float) -> float:
    """Return (exp(exponent) − 1)/ξ for exponent = −ξ·rarity, `limit` being −rarity: its value for a shape of 0."""
    return limit if exponent == 0.0 else math.expm1(exponent) / exponent * limit


def _finite(values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=float).reshape(-1)
    if not np.isfinite(array).all():
        raise CalibrationError("a loss is not a finite number; leave it out, or correct it", value=math.nan)
    return array

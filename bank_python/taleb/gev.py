r"""Generalised extreme value distributions fitted to block maxima, with return levels.

The largest of many observations has, for almost all distributions, nearly the generalised extreme value distribution

.. math:: P(Z \le z) = \exp\Big\{-\Big(1 + \xi\frac{z - \mu}{\sigma}\Big)^{-1/\xi}\Big\} ,

with tail index 1/ξ for ξ > 0, Gumbel's distribution for ξ = 0, and an upper end for ξ < 0. The level that is exceeded
in a block with probability 1/T, the return level of T blocks, is

.. math:: z_T = \mu + \frac\sigma\xi\big[(-\log(1 - 1/T))^{-\xi} - 1\big] .

Examples
--------
>>> worst_days = np.random.default_rng(5).pareto(3.0, (50, 250)).max(axis=1)  # of fifty years
>>> fit = fit_gev(worst_days)
>>> fit.n_maxima, bool(abs(fit.xi - 1 / 3) < 3 * fit.xi_error)
(50, True)
>>> fit.return_level(10.0) < fit.return_level(100.0)
True

References
----------
S. Coles, *An Introduction to Statistical Modeling of Extreme Values* (2001), chapter 3.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.ranges import number_in_range
from bank_python.numerics.scoring import LinearLimits, minimise_by_scoring
from bank_python.numerics.tolerances import EPSILON
from bank_python.results import Figures
from bank_python.taleb.gev_likelihood import gev_likelihood
from bank_python.taleb.gev_moments import gev_moments
from bank_python.taleb.sample import read_sample, standard_deviation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["GevFit", "GevMethod", "fit_gev"]

_FEWEST = 10
_REGULAR = -0.5  # shape above which maximum likelihood is asymptotically normal
_SLOPE = 1e-6  # squared distance from the maximum, in standard errors
_EDGE = LinearLimits(np.array([[0.0, 0.0, 1.0]]), np.array([-1.0]))  # below a shape of −1 the likelihood is unbounded
_SHAPES = (0.25, 0.75, 1.5, -0.25)  # starts where moments are spoilt by one value


class GevMethod(enum.Enum):
    """How a distribution of maxima is fitted."""

    MLE = "mle"
    PWM = "pwm"


@dataclass(frozen=True, slots=True)
class GevFit(Figures):
    """A generalised extreme value distribution fitted to block maxima; returned by :func:`fit_gev`.

    Parameters
    ----------
    mu, sigma, xi : float
        Location μ, scale σ above 0, and shape ξ: above 0 the tail is a power law with tail index 1/ξ.
    log_likelihood : float
        Log-likelihood; −∞ where moments put a maximum beyond the end of the distribution.
    n_maxima : int
        Number of block maxima.
    mu_error, sigma_error, xi_error : float
        Standard errors from the observed information; NaN for moments, and for ξ of −1/2 or less.
    method : GevMethod
        Maximum likelihood or probability-weighted moments.
    maxima : ndarray, shape (n_maxima,)
        The block maxima, which intervals need.
    """

    mu: float
    sigma: float
    xi: float
    log_likelihood: float
    n_maxima: int
    mu_error: float
    sigma_error: float
    xi_error: float
    method: GevMethod
    maxima: FloatArray = field(compare=False, repr=False)

    @admits(ModelError)
    def quantile(self, q: float) -> float:
        """Return the level that a block maximum stays below with probability `q`.

        Parameters
        ----------
        q : float
            Probability of not exceeding the level, in (0, 1).

        Raises
        ------
        ModelError
            `q` is not in (0, 1).
        """
        if not 0.0 < q < 1.0:
            raise ModelError(f"q={q!r} is outside (0, 1); give a probability", name="q", value=q)
        reduced = -math.log(-math.log(q))
        power = self.xi * reduced
        return self.mu + self.sigma * (reduced if power == 0.0 else reduced * math.expm1(power) / power)

    @admits(ModelError)
    def return_level(self, period: float) -> float:
        """Return the level that is exceeded in one block of `period` on average.

        Parameters
        ----------
        period : float
            Return period in blocks, above 1.

        Raises
        ------
        ModelError
            `period` is not above 1.
        """
        return self.quantile(1.0 - 1.0 / number_in_range("period", period, ModelError, above=1.0))


@admits(ModelError)
def fit_gev(maxima: ArrayLike, *, method: GevMethod | str = "mle") -> GevFit:
    """Fit a generalised extreme value distribution to block maxima.

    Parameters
    ----------
    maxima : array_like, shape (n_maxima,)
        Largest value of each block, for example the worst daily loss of each year; at least ten, not all equal. See
        :func:`block_maxima`.
    method : GevMethod or str, default "mle"
        ``"mle"`` (maximum likelihood) or ``"pwm"`` (probability-weighted moments, steadier for fewer than about 25).

    Raises
    ------
    ModelError
        A value is not finite, or there is no such method.
    CalibrationError
        There are fewer than ten maxima, they are all equal, or the likelihood has no maximum with a shape above −1.
    """
    z = read_sample(maxima, name="maxima", fewest=_FEWEST, varying=True)
    try:
        way = GevMethod(method)
    except ValueError:
        raise ModelError(f"method={method!r} is no method of fitting; give 'mle' or 'pwm'", value=method) from None
    centre, spread = float(np.median(z)), standard_deviation(z)
    scaled = (z - centre) / spread
    mu, sigma, xi = gev_moments(scaled[None, :])[0].tolist()
    if way is GevMethod.MLE:
        mu, sigma, xi = _likeliest(scaled, mu, sigma, xi)
    point = np.array([[mu, math.log(sigma), xi]])
    value = float(gev_likelihood(scaled, point).value[0]) - len(z) * math.log(spread)
    errors = _standard_errors(scaled, point, sigma) * spread if way is GevMethod.MLE else np.full(3, np.nan)
    mu_error, sigma_error, xi_error = errors.tolist()
    return GevFit(
        centre + spread * mu,
        spread * sigma,
        xi,
        value,
        len(z),
        mu_error,
        sigma_error,
        xi_error / spread,
        way,
        np.array(z),
    )


def _likeliest(z: FloatArray, mu: float, sigma: float, xi: float) -> tuple[float, float, float]:
    """Return the maximum likelihood, from the moments, from Gumbel's distribution, or from quartiles.

    One maximum far above the others spoils moments, and not quartiles.
    """

    def evaluate(x: FloatArray) -> tuple[float, FloatArray, FloatArray] | None:
        found = gev_likelihood(z, x[None, :])
        known = np.isfinite(found.value[0]) and np.isfinite(found.gradient).all() and np.isfinite(found.hessian).all()
        return (-float(found.value[0]), -found.gradient[0], -found.hessian[0]) if known else None

    spread = math.sqrt(6.0) / math.pi  # of a Gumbel distribution with the variance 1
    gumbel = [float(z.mean()) - np.euler_gamma * spread, math.log(spread), 0.0]
    for start in ([mu, math.log(sigma), xi], gumbel, *(_by_quartiles(z, shape) for shape in _SHAPES)):
        if start[2] < -1.0 or evaluate(np.array(start)) is None:
            continue
        found = minimise_by_scoring(evaluate, np.array(start), _EDGE)
        if found.converged and _is_peak(evaluate(found.parameters)):
            location, log_scale, shape = found.parameters.tolist()
            return location, math.exp(log_scale), shape
    raise CalibrationError(
        f"the likelihood of the {len(z)} maxima has no maximum with a shape above −1, below which it is unbounded; "
        "use method='pwm', or longer blocks",
        value=len(z),
    )


def _by_quartiles(z: FloatArray, xi: float) -> list[float]:
    """Return location, logarithm of the scale, and shape of the distribution of a shape with a sample's quartiles."""
    low, middle, high = (((-math.log(p)) ** -xi - 1.0) / xi for p in (0.25, 0.5, 0.75))
    first, median, third = np.quantile(z, [0.25, 0.5, 0.75]).tolist()
    sigma = max((third - first) / (high - low), EPSILON)
    return [median - sigma * middle, math.log(sigma), xi]


def _is_peak(found: tuple[float, FloatArray, FloatArray] | None) -> bool:
    """Whether a likelihood is defined, has no slope worth a thousandth of a standard error, and curves down."""
    if found is None or not np.linalg.eigvalsh(found[2])[0] > 0.0:
        return False
    return float(found[1] @ np.linalg.solve(found[2], found[1])) < _SLOPE


def _standard_errors(z: FloatArray, point: FloatArray, sigma: float) -> FloatArray:
    """Return the standard errors of μ, σ and ξ from the observed information."""
    information = -gev_likelihood(z, point).hessian[0]
    if point[0, 2] <= _REGULAR or not np.linalg.eigvalsh(information)[0] > 0.0:
        return np.full(3, np.nan)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(information))) * np.array([1.0, sigma, 1.0]))

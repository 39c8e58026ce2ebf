r"""Distributions whose sums have a known mean absolute deviation.

The mean deviation of a sum of n independent draws, :math:`M(n) = E|S_n - E S_n|`, grows like √n for a normal
distribution, and like n for the fattest tails that have a mean. How fast is measured by κ
(:mod:`bank_python.taleb.kappa`), which takes any :class:`SummableLaw`.

Examples
--------
>>> round(StudentT(3.0).mean_deviation(1), 6), round(StudentT(3.0).mean_deviation(2), 6)
(1.102658, 1.653987)
>>> Pareto(1.0)
Traceback (most recent call last):
    ...
bank_python.errors.ModelError: alpha=1.0 is not above 1; give a tail index above 1, without which there is no mean

References
----------
Closed forms for n = 1 and 2: N. N. Taleb, "How much data do you need? An operational, pre-asymptotic metric for
fat-tailedness", International Journal of Forecasting 35 (2019), 677-686.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.gamma_functions import half_step
from bank_python.numerics.normal import normal_cdf
from bank_python.numerics.quadrature import gauss_legendre
from bank_python.numerics.ranges import number_in_range
from bank_python.taleb.sum_deviation import pair_deviation, sum_deviation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

    ComplexArray = NDArray[np.complex128]

__all__ = ["Exponential", "Gaussian", "Lognormal", "Pareto", "StudentT", "SummableLaw"]

_THINNEST = 1e9  # tail index from which on powers of it overflow, and no digit differs from the limit
_STEP = 0.2  # of trapezoidal rules for integrands that are analytic to π/2 from the real line: exact to rounding
_ROUNDED = 38.0  # e^-38 is below rounding
_WIDEST = 2.0  # lognormal deviation up to which Fourier's integral takes a few seconds at most
_SMALL = 0.5  # below it, differences that cancel are computed by series


class SummableLaw(ABC):
    """A distribution with a mean, of which sums of independent draws are taken."""

    __slots__ = ()

    @abstractmethod
    def mean_deviation(self, n: int = 1) -> float:
        """Return the mean absolute deviation of the sum of n independent draws, in the unit of the distribution."""


@dataclass(frozen=True, slots=True)
class Gaussian(Record, SummableLaw):
    """The standard normal distribution."""

    @admits(ModelError)
    def mean_deviation(self, n: int = 1) -> float:
        """Return √(2n/π)."""
        return math.sqrt(2.0 * _draws(n) / math.pi)


@dataclass(frozen=True, slots=True)
class Exponential(Record, SummableLaw):
    """The exponential distribution with mean 1."""

    @admits(ModelError)
    def mean_deviation(self, n: int = 1) -> float:
        """Return 2 n^n e^−n / Γ(n), the mean deviation of a gamma distribution."""
        draws = _draws(n)
        return 2.0 * math.exp(draws * math.log(draws) - draws - math.lgamma(draws))


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class StudentT(Record, SummableLaw):
    """Student's t distribution.

    Parameters
    ----------
    alpha : float
        Degrees of freedom, which are the tail index; above 1.

    Raises
    ------
    ModelError
        `alpha` is not a number above 1, up to 1e9.
    """

    alpha: float

    def __post_init__(self) -> None:
        _check_index(self.alpha)

    @admits(ModelError)
    def mean_deviation(self, n: int = 1) -> float:
        """Return the mean deviation: closed forms up to n = 2, beyond by the characteristic function."""
        draws = _draws(n)
        half = half_step(0.5 * self.alpha)
        single = 2.0 * math.sqrt(self.alpha / math.pi) * math.exp(half) / (self.alpha - 1.0)
        if draws == 1:
            return single
        if draws == 2:  # noqa: PLR2004 - the closed form of a pair
            return 2.0 * single * math.exp(half - half_step(self.alpha - 0.5))
        return sum_deviation(self._excess, draws, alpha=self.alpha, size=single, frequency=0.0)

    def _excess(self, t: FloatArray) -> ComplexArray:
        """Return φ(t) − 1, as the mean of exp(−t²V/2) − 1 over the inverse gamma distribution of the variance V."""
        shape = 0.5 * self.alpha
        quarter = 0.25 * self.alpha * t * t
        deepest = math.log(max(float(quarter.min()), 1e-300))
        if shape > 1.0:
            deepest = max(deepest, -_ROUNDED / (shape - 1.0))
        lowest = min(deepest, math.log(shape)) - _ROUNDED / shape
        highest = math.log(shape + 50.0 + 12.0 * math.sqrt(shape))
        v = np.arange(lowest, highest, min(_STEP, 0.6 / math.sqrt(shape)))
        weights = (v[1] - v[0]) * np.exp(shape * v - np.exp(v) - math.lgamma(shape))
        return np.asarray(np.expm1(-quarter[:, None] * np.exp(-v)) @ weights, dtype=np.complex128)


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class Pareto(Record, SummableLaw):
    """The Pareto distribution of values from 1 on, P(X > x) = x^−α.

    Parameters
    ----------
    alpha : float
        Tail index, above 1.

    Raises
    ------
    ModelError
        `alpha` is not a number above 1, up to 1e9.
    """

    alpha: float

    def __post_init__(self) -> None:
        _check_index(self.alpha)

    @admits(ModelError)
    def mean_deviation(self, n: int = 1) -> float:
        """Return the mean deviation: in closed form for n = 1, by one smooth integral for 2, beyond by Fourier's."""
        draws, above = _draws(n), 1.0 / (self.alpha - 1.0)  # the mean less the least value
        single = 2.0 * above * math.exp((1.0 - self.alpha) * math.log1p(above))
        if draws == 1:
            return single
        if draws == 2:  # noqa: PLR2004 - one smooth integral
            return self._pair(above)
        return sum_deviation(self._excess, draws, alpha=self.alpha, size=single, frequency=above)

    def _pair(self, above: float) -> float:
        """Return M(2) = 4 (m − 1)(2m − 1)^(1−α) + 4 m^(1−2α) ∫ cosh(θ)^(2α−2) dθ up to ½ log(2m − 1)."""
        end = 0.5 * math.log1p(2.0 * above)
        rule = gauss_legendre(64, 0.0, end)
        power = 2.0 * self.alpha - 2.0
        scaled = np.exp(power * np.log(np.cosh(rule.nodes)) + (1.0 - 2.0 * self.alpha) * math.log1p(above))
        beyond = above * math.exp((1.0 - self.alpha) * 2.0 * end)
        return 4.0 * (beyond + float(rule.weights @ scaled))

    def _excess(self, t: FloatArray) -> ComplexArray:
        """Return φ(t) − 1 of X − m: with Z = X − 1, E(e^{itZ} − 1 − itZ) = −it∫e^{−y}(1 + iy/t)^{1−α}dy/(α − 1)."""
        above = 1.0 / (self.alpha - 1.0)
        lowest = min(math.log(float(t.min())), 0.0) - _ROUNDED
        v = np.arange(lowest, 3.8, _STEP)
        y = np.exp(v)
        ratio = y / t[:, None]
        size = np.exp((1.0 - self.alpha) * 0.5 * np.log1p(ratio * ratio))
        angle = (1.0 - self.alpha) * np.arctan(ratio)
        weights = _STEP * y * np.exp(-y)
        rest = -1j * t * above * ((size * np.cos(angle)) @ weights + 1j * ((size * np.sin(angle)) @ weights))
        return _about_mean(t * above, rest)


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class Lognormal(Record, SummableLaw):
    """The lognormal distribution of exp(σZ), Z standard normal.

    Parameters
    ----------
    sigma : float
        Standard deviation σ of the logarithm, in [0.01, 5].

    Raises
    ------
    ModelError
        `sigma` is out of range.
    """

    sigma: float

    def __post_init__(self) -> None:
        number_in_range("sigma", self.sigma, ModelError, least=0.01, most=5.0)

    @admits(ModelError)
    def mean_deviation(self, n: int = 1) -> float:
        """Return the mean deviation: in closed form for n = 1, by quadrature beyond; from n = 3 on for σ up to 2."""
        draws, mean = _draws(n), math.exp(0.5 * self.sigma**2)
        single = 2.0 * mean * math.erf(0.5 * self.sigma / math.sqrt(2.0))
        if draws == 1:
            return single
        if draws == 2:  # noqa: PLR2004 - from the distribution function
            return pair_deviation(self._cdf, lambda u: self._cdf(u, -1.0), mean, (0.0, math.inf), single)
        if self.sigma > _WIDEST:
            raise ModelError(
                f"n={draws} draws with sigma={self.sigma!r}: above {_WIDEST:g} only sums of up to 2 are computed, "
                "since the characteristic function decreases too slowly; give a smaller sigma, or a sample",
                name="sigma",
                value=self.sigma,
            )
        return sum_deviation(self._excess, draws, alpha=math.inf, size=single, frequency=mean)

    def _cdf(self, u: FloatArray, sign: float = 1.0) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.asarray(normal_cdf(sign * np.log(np.maximum(u, 0.0)) / self.sigma))

    def _excess(self, t: FloatArray) -> ComplexArray:
        """Return φ(t) − 1 of X − m by a trapezoidal rule for Z on a line above the real one, where e^{itX} decays."""
        away = min(0.5 * math.pi / self.sigma, 2.0)
        step = min(0.1, 2.0 * math.pi * away / _ROUNDED)
        u = np.arange(-9.0 - self.sigma, 2.0 * self.sigma + 9.0, step)
        weights = step / math.sqrt(2.0 * math.pi) * np.exp(0.5 * (away * away - u * u) - 1j * away * u)
        z = t[:, None] * np.exp(self.sigma * (u + 1j * away))
        return _about_mean(t * math.exp(0.5 * self.sigma**2), _exponential_rest(z) @ weights)


def _about_mean(at: FloatArray, rest: ComplexArray) -> ComplexArray:
    """Return φ − 1 of a variable less its mean from E(e^{itX} − 1 − itX); `at` is t times the mean."""
    small = np.minimum(at, _SMALL)
    # e^{−is}(1 + is) − 1 is the sum of (−i)^k (1 − k) s^k / k! from k = 2 on
    series = sum((-1j) ** k * (1 - k) / math.factorial(k) * small**k for k in range(2, 18))
    direct = np.exp(-1j * at) * (1.0 + 1j * at) - 1.0
    return np.asarray(np.where(at < _SMALL, series, direct) + np.exp(-1j * at) * rest)


def _exponential_rest(z: ComplexArray) -> ComplexArray:
    """Return e^{iz} − 1 − iz, by its series for small z."""
    is_small = np.abs(z) < _SMALL
    small = np.where(is_small, 1j * z, 0.0)
    series = np.ones_like(small)
    for k in range(17, 2, -1):
        series = 1.0 + small / k * series
    series = 0.5 * small * small * series
    return np.asarray(np.where(is_small, series, np.exp(1j * z) - 1.0 - 1j * z))


def _check_index(alpha: float) -> None:
    if alpha <= 1.0:
        raise ModelError(
            f"alpha={alpha!r} is not above 1; give a tail index above 1, without which there is no mean",
            name="alpha",
            value=alpha,
        )
    number_in_range("alpha", alpha, ModelError, above=1.0, most=_THINNEST)


def _draws(n: int) -> int:
    if n < 1:
        raise ModelError(f"n={n!r} draws; give a whole number from 1", name="n", value=n)
    return int(n)

r"""Distributions of maximum entropy under a tail constraint.

A mandate limits the probability that a return falls below a threshold K, and the mean return if it does:

.. math:: P(X \le K) = \varepsilon, \qquad E[X \mid X \le K] = \nu_-

A normal distribution is fully determined by this constraint: its mean and standard deviation follow from K, ν₋ and ε.
If nothing is known beyond the constraint and one expectation, the distribution with the fewest further assumptions is
that of maximum entropy. It is exponential below K for any expectation; above K it depends on the expectation:

=====================  =============================================================================================
given                  above K
=====================  =============================================================================================
E[X]                   exponential from K up (:class:`MaximumEntropyDistribution`)
E[\|X\|]               exponential in the distance from 0, on both sides of it (:class:`AbsoluteMeanDistribution`)
E[log(1 + \|X\|), X>K] a power law of 1 + \|X\|, with the heaviest tail that this mean allows (:class:`PowerLawUpside`)
=====================  =============================================================================================

Under the same constraint and mean, the two exponentials have more entropy than the normal distribution: the downside is
limited, and the uncertainty is on the upside. This is a *barbell* strategy.

Examples
--------
A loss of 10 % or more with probability 5 %, of 15 % on average:

>>> limit = TailConstraint(threshold=-0.10, tail_mean=-0.15, epsilon=0.05)
>>> normal = GaussianUnderTail(limit)
>>> round(normal.mean, 6), round(normal.standard_deviation, 6)
(0.096819, 0.119658)
>>> free = MaximumEntropyDistribution(limit, normal.mean)
>>> free.entropy > normal.entropy
True

References
----------
D. Geman, H. Geman and N. N. Taleb, "Tail risk constraints and maximum entropy", Entropy 17 (2015), 3724-3737: the
constraint, the normal distribution that it determines, and distributions of maximum entropy under it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.numerics import normal_cdf, normal_pdf, normal_quantile
from bank_python.numerics.columns import from_column, to_columns
from bank_python.numerics.roots import find_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = [
    "AbsoluteMeanDistribution",
    "GaussianUnderTail",
    "MaximumEntropyDistribution",
    "PowerLawUpside",
    "TailConstraint",
]

_HALF = 0.5
_HALF_STEP = 2.0**-54


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class TailConstraint(Record):
    """A constraint on the lower tail of a return: its probability and its mean.

    Parameters
    ----------
    threshold : float
        Upper end K of the tail, a return such as −0.10.
    tail_mean : float
        Mean return ν₋ in the tail, below the threshold.
    epsilon : float
        Probability ε of the tail, in (0, 0.5).

    Raises
    ------
    CalibrationError
        A value is not finite, or out of range.
    """

    threshold: float
    tail_mean: float
    epsilon: float

    def __post_init__(self) -> None:
        if not 0.0 < self.epsilon < _HALF:
            raise CalibrationError(f"epsilon={self.epsilon!r} is outside (0, 0.5); 0.05 is usual", value=self.epsilon)
        if not -math.inf < self.tail_mean < self.threshold < math.inf:
            raise CalibrationError(
                f"the mean of the tail is {self.tail_mean!r} and its threshold {self.threshold!r}; give two finite "
                "returns, the mean below the threshold",
                value=self.tail_mean,
            )

    @property
    def depth(self) -> float:
        """The mean distance K − ν₋ of the tail below the threshold."""
        return self.threshold - self.tail_mean

    @property
    def eta(self) -> float:
        """The standard normal quantile η = Φ⁻¹(ε), below 0."""
        return cast("float", normal_quantile(self.epsilon))

    @property
    def shape(self) -> float:
        """The ratio B(ε) = φ(η)/(ε η): minus the mean of a standard normal tail over its end η; −1 as ε goes to 0."""
        eta = self.eta
        return cast("float", normal_pdf(eta)) / (self.epsilon * eta)


@dataclass(frozen=True, slots=True)
class GaussianUnderTail(Record):
    r"""The normal distribution that satisfies a tail constraint with equality.

    Parameters
    ----------
    tail : TailConstraint
        Constraint on the lower tail, which determines mean and standard deviation.

    Notes
    -----
    With η and B as in :class:`TailConstraint`,

    .. math:: \mu = \frac{\nu_- + K B}{1 + B}, \qquad \sigma = \frac{K - \nu_-}{\eta (1 + B)}

    Examples
    --------
    >>> normal = GaussianUnderTail(TailConstraint(threshold=-0.10, tail_mean=-0.125, epsilon=0.01))
    >>> round(normal.cdf(-0.10), 12)
    0.01
    """

    tail: TailConstraint

    @property
    def standard_deviation(self) -> float:
        """The standard deviation σ."""
        return self.tail.depth / (self.tail.eta * (1.0 + self.tail.shape))

    @property
    def mean(self) -> float:
        """The mean μ."""
        # K − η σ, as the quotient in the notes divides two small numbers for small ε.
        return self.tail.threshold - self.tail.eta * self.standard_deviation

    @property
    def entropy(self) -> float:
        """The differential entropy, in nats."""
        return 0.5 * math.log(2.0 * math.pi * math.e) + math.log(self.standard_deviation)

    def density(self, x: ArrayLike) -> Numbers:
        """Return the density at `x`, in the same shape."""
        return normal_pdf(self._standard(x)) / self.standard_deviation

    def cdf(self, x: ArrayLike) -> Numbers:
        """Return the distribution function at `x`, in the same shape."""
        return normal_cdf(self._standard(x))

    def quantile(self, p: ArrayLike) -> Numbers:
        """Return the quantile at probability `p`, in [0, 1]; NaN outside."""
        return self.mean + self.standard_deviation * normal_quantile(p)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` random draws."""
        return self.mean + self.standard_deviation * rng.standard_normal(_count(n))

    def _standard(self, x: ArrayLike) -> FloatArray:
        return (np.asarray(x, dtype=np.float64) - self.mean) / self.standard_deviation


@dataclass(frozen=True, slots=True)
class MaximumEntropyDistribution(Record):
    r"""The distribution of maximum entropy under a tail constraint and a mean, with an exponential on each side.

    Parameters
    ----------
    tail : TailConstraint
        Constraint on the lower tail.
    mean : float
        Mean of the distribution; the mean above the threshold, which follows from it, must exceed the threshold.

    Raises
    ------
    InfeasibleError
        The mean above the threshold would not exceed the threshold.
    CalibrationError
        The mean is not finite.

    Notes
    -----
    With :math:`a = K - \nu_-`, :math:`\nu_+ = (\mu - \varepsilon \nu_-)/(1 - \varepsilon)` and :math:`b = \nu_+ - K`,
    the density is :math:`\frac{\varepsilon}{a} e^{-(K - x)/a}` below K and
    :math:`\frac{1 - \varepsilon}{b} e^{-(x - K)/b}` above, and its entropy

    .. math:: 1 + \varepsilon \log\frac{a}{\varepsilon} + (1 - \varepsilon) \log\frac{b}{1 - \varepsilon}

    Examples
    --------
    >>> limit = TailConstraint(threshold=-0.10, tail_mean=-0.15, epsilon=0.05)
    >>> distribution = MaximumEntropyDistribution(limit, mean=0.05)
    >>> round(distribution.upside_mean, 9), round(distribution.standard_deviation, 9)
    (0.060526316, 0.163433553)
    """

    tail: TailConstraint
    mean: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean):
            raise CalibrationError(f"mean={self.mean!r}; give a finite return", value=self.mean)
        if not self.upside_mean > self.tail.threshold:
            least = self.tail.threshold - self.tail.epsilon * self.tail.depth
            raise InfeasibleError(
                f"the upside is empty: a mean of {self.mean:g} implies an upside mean of {self.upside_mean:g}, not "
                f"above the threshold {self.tail.threshold:g}; give a mean above {least:g}",
                value=self.mean,
            )

    @property
    def upside_mean(self) -> float:
        """The mean ν₊ above the threshold."""
        return (self.mean - self.tail.epsilon * self.tail.tail_mean) / (1.0 - self.tail.epsilon)

    @property
    def upside(self) -> float:
        """The mean distance ν₊ − K of the upside above the threshold."""
        return self.upside_mean - self.tail.threshold

    @property
    def standard_deviation(self) -> float:
        """The standard deviation of the distribution."""
        epsilon, below, above = self.tail.epsilon, self.tail.depth, self.upside
        between = epsilon * (1.0 - epsilon) * (above + below) ** 2
        return math.sqrt(epsilon * below**2 + (1.0 - epsilon) * above**2 + between)

    @property
    def entropy(self) -> float:
        """The differential entropy, in nats."""
        return _joined_entropy(self.tail, 1.0 + math.log(self.upside))

    def density(self, x: ArrayLike) -> Numbers:
        """Return the density at `x`, in the same shape; at the threshold, that of the tail."""
        return _either(self.tail, x, _tail_density, lambda at: self._survival(at) / self.upside)

    def cdf(self, x: ArrayLike) -> Numbers:
        """Return the distribution function at `x`, in the same shape."""
        return _either(self.tail, x, _tail_probability, lambda at: 1.0 - self._survival(at))

    def quantile(self, p: ArrayLike) -> Numbers:
        """Return the quantile at probability `p`, in [0, 1]; NaN outside."""
        return _inverse(self.tail, p, lambda left: self.tail.threshold - self.upside * np.log(left))

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` random draws."""
        return _drawn(self.quantile, rng, n)

    def _survival(self, x: FloatArray) -> FloatArray:
        distance = (x - self.tail.threshold) / self.upside
        return np.asarray((1.0 - self.tail.epsilon) * np.exp(-distance))


@dataclass(frozen=True)
class AbsoluteMeanDistribution(Record):
    r"""The distribution of maximum entropy under a tail constraint and an absolute mean E[\|X\|].

    Parameters
    ----------
    tail : TailConstraint
        Constraint on the lower tail, with a threshold below 0.
    absolute_mean : float
        Mean E[\|X\|] of the absolute return, above the contribution of the tail to it.

    Attributes
    ----------
    rate : float
        Exponential rate λ at which the density decays with the distance from 0.

    Raises
    ------
    InfeasibleError
        The contribution of the tail is equal to the absolute mean or exceeds it.
    CalibrationError
        The absolute mean is not finite, or the threshold is not below 0.

    Notes
    -----
    Above K the density is :math:`(1 - \varepsilon)\,\lambda e^{-\lambda |x|} / (2 - e^{\lambda K})`. Its absolute mean
    decreases from ∞ to 0 as λ increases, so λ is unique.

    Examples
    --------
    >>> limit = TailConstraint(threshold=-0.10, tail_mean=-0.15, epsilon=0.05)
    >>> distribution = AbsoluteMeanDistribution(limit, absolute_mean=0.08)
    >>> round(distribution.rate, 6), round(distribution.mean, 6)
    (10.1609, 0.034159)
    """

    tail: TailConstraint
    absolute_mean: float

    def __post_init__(self) -> None:
        _ = self.rate  # computed now, as it raises an error if there is no such distribution

    @cached_property
    def rate(self) -> float:
        """The exponential rate λ at which the density decays with the distance from 0."""
        reach = _reach(self.tail)
        if not math.isfinite(self.absolute_mean):
            raise CalibrationError(f"absolute_mean={self.absolute_mean!r}; give a finite number", value=math.nan)
        part = -self.tail.epsilon * self.tail.tail_mean
        if self.absolute_mean <= part:
            raise InfeasibleError(
                f"an absolute mean of {self.absolute_mean:g} does not exceed the contribution {part:g} of the tail; "
                "give a larger one",
                value=self.absolute_mean,
            )
        spread = (self.absolute_mean - part) / (1.0 - self.tail.epsilon)
        return _rate(reach, spread)

    @property
    def upside_mean(self) -> float:
        """The mean above the threshold."""
        return self._mirrored.mean

    @property
    def mean(self) -> float:
        """The mean of the distribution."""
        return self.tail.epsilon * self.tail.tail_mean + (1.0 - self.tail.epsilon) * self.upside_mean

    @property
    def standard_deviation(self) -> float:
        """The standard deviation of the distribution."""
        return _deviation(self.tail, self._mirrored.square, self.mean)

    @property
    def entropy(self) -> float:
        """The differential entropy, in nats."""
        return _joined_entropy(self.tail, self._mirrored.entropy)

    def density(self, x: ArrayLike) -> Numbers:
        """Return the density at `x`, in the same shape; at the threshold, that of the tail."""
        rest = 1.0 - self.tail.epsilon
        return _either(self.tail, x, _tail_density, lambda at: rest * self._mirrored.density(at))

    def cdf(self, x: ArrayLike) -> Numbers:
        """Return the distribution function at `x`, in the same shape."""
        rest = 1.0 - self.tail.epsilon
        return _either(self.tail, x, _tail_probability, lambda at: 1.0 - rest * self._mirrored.survival(at))

    def quantile(self, p: ArrayLike) -> Numbers:
        """Return the quantile at probability `p`, in [0, 1]; NaN outside."""
        return _inverse(self.tail, p, self._mirrored.above)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` random draws."""
        return _drawn(self.quantile, rng, n)

    @property
    def _mirrored(self) -> _Mirrored:
        return _Mirrored(-self.tail.threshold, self.rate)


@dataclass(frozen=True)
class PowerLawUpside(Record):
    r"""The distribution of maximum entropy under a tail constraint and a mean of log(1 + \|X\|) above the threshold.

    Parameters
    ----------
    tail : TailConstraint
        Constraint on the lower tail, with a threshold below 0.
    log_mean : float
        Conditional mean A = E[log(1 + \|X\|) \| X > K], above 0.

    Attributes
    ----------
    alpha : float
        Tail index α of the upside, which has an infinite mean for α ≤ 1 and an infinite variance for α ≤ 2.

    Raises
    ------
    CalibrationError
        `log_mean` is not finite and above 0, or the threshold is not below 0.

    Notes
    -----
    Above K the density is :math:`(1 - \varepsilon)\,(1 + |x|)^{-1-\alpha} / C`, with
    :math:`C = (2 - (1 - K)^{-\alpha})/\alpha`. In :math:`y = \pm\log(1 + |x|)` it is the upside of an
    :class:`AbsoluteMeanDistribution`.

    Examples
    --------
    >>> limit = TailConstraint(threshold=-0.10, tail_mean=-0.15, epsilon=0.05)
    >>> distribution = PowerLawUpside(limit, log_mean=0.25)
    >>> round(distribution.alpha, 6), round(distribution.cdf(-0.10), 12)
    (3.278967, 0.05)
    """

    tail: TailConstraint
    log_mean: float

    def __post_init__(self) -> None:
        _ = self.alpha  # computed now, as it raises an error if there is no such distribution

    @cached_property
    def alpha(self) -> float:
        """The tail index α of the upside."""
        reach = _reach(self.tail)
        if not 0.0 < self.log_mean < math.inf:
            raise CalibrationError(f"log_mean={self.log_mean!r}; give a finite number above 0", value=self.log_mean)
        return _rate(math.log1p(reach), self.log_mean)

    @property
    def upside_mean(self) -> float:
        """The mean above the threshold; infinite for an α of 1 or less."""
        if self.alpha <= 1.0:
            return math.inf
        a, reach = self.alpha, -self.tail.threshold
        return self._far * (1.0 + a * reach) / ((a - 1.0) * self._mirrored.share)

    @property
    def mean(self) -> float:
        """The mean of the distribution; infinite for an α of 1 or less."""
        return self.tail.epsilon * self.tail.tail_mean + (1.0 - self.tail.epsilon) * self.upside_mean

    @property
    def standard_deviation(self) -> float:
        """The standard deviation of the distribution; infinite for an α of 2 or less."""
        if self.alpha <= 2.0:  # noqa: PLR2004 - the second moment is infinite
            return math.inf
        a, reach = self.alpha, -self.tail.threshold
        cut = self._far * (2.0 + 2.0 * a * reach + a * (a - 1.0) * reach**2)
        return _deviation(self.tail, (4.0 - cut) / ((a - 1.0) * (a - 2.0) * self._mirrored.share), self.mean)

    @property
    def entropy(self) -> float:
        """The differential entropy, in nats."""
        return _joined_entropy(self.tail, self._mirrored.entropy + self.log_mean)

    def density(self, x: ArrayLike) -> Numbers:
        """Return the density at `x`, in the same shape; at the threshold, that of the tail."""
        rest = 1.0 - self.tail.epsilon
        return _either(
            self.tail, x, _tail_density, lambda at: rest * self._mirrored.density(_logged(at)) / (1.0 + np.abs(at))
        )

    def cdf(self, x: ArrayLike) -> Numbers:
        """Return the distribution function at `x`, in the same shape."""
        rest = 1.0 - self.tail.epsilon
        return _either(self.tail, x, _tail_probability, lambda at: 1.0 - rest * self._mirrored.survival(_logged(at)))

    def quantile(self, p: ArrayLike) -> Numbers:
        """Return the quantile at probability `p`, in [0, 1]; NaN outside."""
        return _inverse(self.tail, p, lambda left: _unlogged(self._mirrored.above(left)))

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` random draws."""
        return _drawn(self.quantile, rng, n)

    @property
    def _mirrored(self) -> _Mirrored:
        return _Mirrored(math.log1p(-self.tail.threshold), self.alpha)

    @property
    def _far(self) -> float:
        """The mass (1 − K)^−α that the truncation at K removes from the left of 0."""
        return math.exp(-self.alpha * math.log1p(-self.tail.threshold))


@dataclass(frozen=True, slots=True)
class _Mirrored:
    """A distribution that is exponential in the distance from 0 on both sides, truncated at −`reach`."""

    reach: float
    rate: float

    @property
    def share(self) -> float:
        """The mass before normalisation, relative to that of a one-sided exponential of this rate."""
        return 2.0 - math.exp(-self.rate * self.reach)

    @property
    def mean(self) -> float:
        z = self.rate * self.reach
        return math.exp(-z) * (1.0 + z) / (self.rate * self.share)

    @property
    def square(self) -> float:
        z = self.rate * self.reach
        return (4.0 - math.exp(-z) * (z * z + 2.0 * z + 2.0)) / (self.rate**2 * self.share)

    @property
    def entropy(self) -> float:
        z = self.rate * self.reach
        return math.log(self.share / self.rate) + 1.0 - z * math.exp(-z) / self.share

    def density(self, y: FloatArray) -> FloatArray:
        return np.asarray(self.rate * np.exp(-self.rate * np.abs(y)) / self.share)

    def survival(self, y: FloatArray) -> FloatArray:
        one_side = np.exp(-self.rate * np.abs(y))
        return np.asarray(np.where(y < 0.0, 2.0 - one_side, one_side) / self.share)

    def above(self, left: FloatArray) -> FloatArray:
        """Return the point that is exceeded with probability `left`; the inverse of :meth:`survival`."""
        mass = left * self.share
        one_side = np.log(np.where(mass > 1.0, 2.0 - mass, mass)) / self.rate
        return np.asarray(np.where(mass > 1.0, one_side, -one_side))


def _reach(tail: TailConstraint) -> float:
    if tail.threshold >= 0.0:
        raise CalibrationError(
            f"threshold={tail.threshold!r} is not below 0, so the absolute mean is a mean above it; use "
            "MaximumEntropyDistribution",
            value=tail.threshold,
        )
    return -tail.threshold


def _rate(reach: float, spread: float) -> float:
    """Return the rate at which the absolute mean of a :class:`_Mirrored` distribution is `spread`."""
    ratio = spread / reach

    def excess(log_z: float) -> float:
        z = math.exp(log_z)
        return 1.0 / z - math.exp(-z) / (2.0 - math.exp(-z)) - ratio

    # z = λ reach. The second term is between 0 and 1, so 1/z is between the ratio and the ratio plus 1. The bracket is
    # twice as wide, so that rounding cannot hide the change of sign.
    low, high = math.log(0.5 / (1.0 + ratio)), math.log(2.0 / ratio)
    return math.exp(find_root(excess, low, high)) / reach


def _logged(x: FloatArray) -> FloatArray:
    return np.asarray(np.copysign(np.log1p(np.abs(x)), x))


def _unlogged(y: FloatArray) -> FloatArray:
    return np.asarray(np.copysign(np.expm1(np.abs(y)), y))


def _joined_entropy(tail: TailConstraint, above: float) -> float:
    """Return the entropy of the mixture of the exponential tail and an upside with entropy `above`."""
    epsilon, rest = tail.epsilon, 1.0 - tail.epsilon
    return epsilon * (1.0 + math.log(tail.depth / epsilon)) + rest * (above - math.log(rest))


def _deviation(tail: TailConstraint, square: float, mean: float) -> float:
    """Return the standard deviation of a distribution whose upside has the mean square `square`."""
    below = tail.tail_mean**2 + tail.depth**2
    return math.sqrt(tail.epsilon * below + (1.0 - tail.epsilon) * square - mean**2)


def _tail_probability(tail: TailConstraint, x: FloatArray) -> FloatArray:
    return np.asarray(tail.epsilon * np.exp((x - tail.threshold) / tail.depth))


def _tail_density(tail: TailConstraint, x: FloatArray) -> FloatArray:
    return _tail_probability(tail, x) / tail.depth


def _either(
    tail: TailConstraint,
    x: ArrayLike,
    below: Callable[[TailConstraint, FloatArray], FloatArray],
    above: Callable[[FloatArray], FloatArray],
) -> Numbers:
    """Return the function `below` up to the threshold and `above` beyond it; NaN gives NaN."""
    shape, (column,) = to_columns(x)
    threshold = tail.threshold
    low, high = below(tail, np.minimum(column, threshold)), above(np.maximum(column, threshold))
    return from_column(np.where(column > threshold, high, low), shape)


def _inverse(tail: TailConstraint, p: ArrayLike, above: Callable[[FloatArray], FloatArray]) -> Numbers:
    """Return the quantile, given that of the upside as a function of its survival probability in (0, 1]."""
    shape, (column,) = to_columns(p)
    possible = np.where((column >= 0.0) & (column <= 1.0), column, np.nan)
    with np.errstate(divide="ignore"):
        low = tail.threshold + tail.depth * np.log(np.minimum(possible / tail.epsilon, 1.0))
        high = above(np.minimum((1.0 - possible) / (1.0 - tail.epsilon), 1.0))
    return from_column(np.where(possible > tail.epsilon, high, low), shape)


def _drawn(quantile: Callable[[ArrayLike], Numbers], rng: np.random.Generator, n: int) -> FloatArray:
    # A draw of 0, whose quantile is infinite, represents all numbers below one step of the generator.
    return np.asarray(quantile(np.maximum(rng.random(_count(n)), _HALF_STEP)))


def _count(n: int) -> int:
    if n < 0:
        raise CalibrationError(f"n={n!r} draws; give 0 or more", value=n)
    return n

r"""What a limit on losses leaves open: the laws of least presumption under a tail constraint.

A mandate says how often a portfolio may fall below a threshold K, and how bad it may be on average when it does:

.. math:: P(X \le K) = \varepsilon, \qquad E[X \mid X \le K] = \nu_-

If the law is normal, that fixes it altogether: mean and deviation follow from K, ν₋ and ε, and nothing is left to
choose. If nothing is known beyond the constraint and one expectation, the law to reason with is that of maximum
entropy. It is exponential below K whatever the expectation is, and above K what the expectation makes it:

=====================  =============================================================================================
given                  above K
=====================  =============================================================================================
E[X]                   exponential from K up (:class:`MaximumEntropyDistribution`)
E[\|X\|]               exponential in the distance from 0, on both sides of it (:class:`AbsoluteMeanDistribution`)
E[log(1 + \|X\|), X>K] a power law of 1 + \|X\|, a tail as fat as that mean allows (:class:`PowerLawUpside`)
=====================  =============================================================================================

Under the same constraint and mean the exponential pair is the wider law: the downside is held and all uncertainty is
moved to the upside. That is a *barbell*: as safe as asked on one side, as open as can be on the other.

Examples
--------
Five times in a hundred a loss of a tenth or worse, then of 15 % on average:

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
constraint, the normal law that it fixes, and laws of maximum entropy under it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.admission import admits
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
class TailConstraint:
    """How often, and how bad.

    Parameters
    ----------
    threshold : float
        K, a return such as −0.10.
    tail_mean : float
        ν₋, the mean return at and below the threshold; below it.
    epsilon : float
        Probability of the tail, in (0, 0.5).

    Raises
    ------
    CalibrationError
        A figure is not finite, or out of range.
    """

    threshold: float
    tail_mean: float
    epsilon: float

    def __post_init__(self) -> None:
        if not 0.0 < self.epsilon < _HALF:
            raise CalibrationError(f"epsilon={self.epsilon!r} lies outside (0, 0.5); 0.05 is usual", value=self.epsilon)
        if not -math.inf < self.tail_mean < self.threshold < math.inf:
            raise CalibrationError(
                f"the mean of the tail is {self.tail_mean!r} and its threshold {self.threshold!r}; give two finite "
                "returns, the mean below the threshold",
                value=self.tail_mean,
            )

    @property
    def depth(self) -> float:
        """K − ν₋: how far below the threshold the tail is on average."""
        return self.threshold - self.tail_mean

    @property
    def eta(self) -> float:
        """η = Φ⁻¹(ε), below 0."""
        return cast("float", normal_quantile(self.epsilon))

    @property
    def shape(self) -> float:
        """B(ε) = φ(η)/(ε η): minus the mean of a standard normal's tail, relative to where it begins; −1 far out."""
        eta = self.eta
        return cast("float", normal_pdf(eta)) / (self.epsilon * eta)


@dataclass(frozen=True, slots=True)
class GaussianUnderTail:
    r"""The one normal law that keeps a constraint with equality.

    Parameters
    ----------
    tail : TailConstraint
        The constraint.

    Notes
    -----
    With η and B as in :class:`TailConstraint`,

    .. math:: \mu = \frac{\nu_- + K B}{1 + B}, \qquad \sigma = \frac{K - \nu_-}{\eta (1 + B)}

    Examples
    --------
    >>> law = GaussianUnderTail(TailConstraint(threshold=-0.10, tail_mean=-0.125, epsilon=0.01))
    >>> round(law.cdf(-0.10), 12)
    0.01
    """

    tail: TailConstraint

    @property
    def standard_deviation(self) -> float:
        """σ."""
        return self.tail.depth / (self.tail.eta * (1.0 + self.tail.shape))

    @property
    def mean(self) -> float:
        """μ."""
        # K − η σ; the quotient of the notes divides two small numbers where ε is small.
        return self.tail.threshold - self.tail.eta * self.standard_deviation

    @property
    def entropy(self) -> float:
        """Differential entropy, in nats."""
        return 0.5 * math.log(2.0 * math.pi * math.e) + math.log(self.standard_deviation)

    def density(self, x: ArrayLike) -> Numbers:
        """Return the density at `x`, of the same shape."""
        return normal_pdf(self._standard(x)) / self.standard_deviation

    def cdf(self, x: ArrayLike) -> Numbers:
        """Return the probability of at most `x`, of the same shape."""
        return normal_cdf(self._standard(x))

    def quantile(self, p: ArrayLike) -> Numbers:
        """Return the return that is not exceeded with probability `p`, in [0, 1]; NaN outside."""
        return self.mean + self.standard_deviation * normal_quantile(p)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` draws."""
        return self.mean + self.standard_deviation * rng.standard_normal(_count(n))

    def _standard(self, x: ArrayLike) -> FloatArray:
        return (np.asarray(x, dtype=np.float64) - self.mean) / self.standard_deviation


@dataclass(frozen=True, slots=True)
class MaximumEntropyDistribution:
    r"""The law of maximum entropy under a tail constraint and a mean: an exponential on each side of the threshold.

    Parameters
    ----------
    tail : TailConstraint
        The constraint.
    mean : float
        Of the whole; it must leave the upside a mean above the threshold.

    Raises
    ------
    InfeasibleError
        The upside would be empty: with this mean all of it would lie at or below the threshold.
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
    >>> law = MaximumEntropyDistribution(TailConstraint(threshold=-0.10, tail_mean=-0.15, epsilon=0.05), mean=0.05)
    >>> round(law.upside_mean, 9), round(law.standard_deviation, 9)
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
                f"the upside is empty: a mean of {self.mean:g} leaves it a mean of {self.upside_mean:g}, not above the "
                f"threshold {self.tail.threshold:g}; give a mean above {least:g}",
                value=self.mean,
            )

    @property
    def upside_mean(self) -> float:
        """ν₊, the mean above the threshold."""
        return (self.mean - self.tail.epsilon * self.tail.tail_mean) / (1.0 - self.tail.epsilon)

    @property
    def upside(self) -> float:
        """ν₊ − K: how far above the threshold the upside is on average."""
        return self.upside_mean - self.tail.threshold

    @property
    def standard_deviation(self) -> float:
        """Of the whole law."""
        epsilon, below, above = self.tail.epsilon, self.tail.depth, self.upside
        between = epsilon * (1.0 - epsilon) * (above + below) ** 2
        return math.sqrt(epsilon * below**2 + (1.0 - epsilon) * above**2 + between)

    @property
    def entropy(self) -> float:
        """Differential entropy, in nats."""
        return _joined_entropy(self.tail, 1.0 + math.log(self.upside))

    def density(self, x: ArrayLike) -> Numbers:
        """Return the density at `x`, of the same shape; at the threshold the tail's."""
        return _either(self.tail, x, _tail_density, lambda at: self._survival(at) / self.upside)

    def cdf(self, x: ArrayLike) -> Numbers:
        """Return the probability of at most `x`, of the same shape."""
        return _either(self.tail, x, _tail_probability, lambda at: 1.0 - self._survival(at))

    def quantile(self, p: ArrayLike) -> Numbers:
        """Return the return that is not exceeded with probability `p`, in [0, 1]; NaN outside."""
        return _inverse(self.tail, p, lambda left: self.tail.threshold - self.upside * np.log(left))

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` draws."""
        return _drawn(self.quantile, rng, n)

    def _survival(self, x: FloatArray) -> FloatArray:
        gone = (x - self.tail.threshold) / self.upside
        return np.asarray((1.0 - self.tail.epsilon) * np.exp(-gone))


@dataclass(frozen=True)
class AbsoluteMeanDistribution:
    r"""The law of maximum entropy under a tail constraint and an absolute mean E[\|X\|].

    Parameters
    ----------
    tail : TailConstraint
        The constraint; its threshold below 0.
    absolute_mean : float
        E[\|X\|] of the whole, above the tail's part of it.

    Attributes
    ----------
    rate : float
        λ, how fast the density falls with the distance from 0.

    Raises
    ------
    InfeasibleError
        The tail alone has the absolute mean, or more.
    CalibrationError
        The absolute mean is not finite, or the threshold not below 0.

    Notes
    -----
    Above K the density is :math:`(1 - \varepsilon)\,\lambda e^{-\lambda |x|} / (2 - e^{\lambda K})`. Its absolute mean
    falls from ∞ to 0 as λ grows, so there is one λ.

    Examples
    --------
    >>> limit = TailConstraint(threshold=-0.10, tail_mean=-0.15, epsilon=0.05)
    >>> law = AbsoluteMeanDistribution(limit, absolute_mean=0.08)
    >>> round(law.rate, 6), round(law.mean, 6)
    (10.1609, 0.034159)
    """

    tail: TailConstraint
    absolute_mean: float

    def __post_init__(self) -> None:
        _ = self.rate  # found at once, because it refuses what no law has

    @cached_property
    def rate(self) -> float:
        """λ, how fast the density falls with the distance from 0."""
        reach = _reach(self.tail)
        if not math.isfinite(self.absolute_mean):
            raise CalibrationError(f"absolute_mean={self.absolute_mean!r}; give a finite figure", value=math.nan)
        part = -self.tail.epsilon * self.tail.tail_mean
        if self.absolute_mean <= part:
            raise InfeasibleError(
                f"an absolute mean of {self.absolute_mean:g} is no more than the {part:g} that the tail has alone; "
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
        """Of the whole law."""
        return self.tail.epsilon * self.tail.tail_mean + (1.0 - self.tail.epsilon) * self.upside_mean

    @property
    def standard_deviation(self) -> float:
        """Of the whole law."""
        return _deviation(self.tail, self._mirrored.square, self.mean)

    @property
    def entropy(self) -> float:
        """Differential entropy, in nats."""
        return _joined_entropy(self.tail, self._mirrored.entropy)

    def density(self, x: ArrayLike) -> Numbers:
        """Return the density at `x`, of the same shape; at the threshold the tail's."""
        rest = 1.0 - self.tail.epsilon
        return _either(self.tail, x, _tail_density, lambda at: rest * self._mirrored.density(at))

    def cdf(self, x: ArrayLike) -> Numbers:
        """Return the probability of at most `x`, of the same shape."""
        rest = 1.0 - self.tail.epsilon
        return _either(self.tail, x, _tail_probability, lambda at: 1.0 - rest * self._mirrored.survival(at))

    def quantile(self, p: ArrayLike) -> Numbers:
        """Return the return that is not exceeded with probability `p`, in [0, 1]; NaN outside."""
        return _inverse(self.tail, p, self._mirrored.above)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` draws."""
        return _drawn(self.quantile, rng, n)

    @property
    def _mirrored(self) -> _Mirrored:
        return _Mirrored(-self.tail.threshold, self.rate)


@dataclass(frozen=True)
class PowerLawUpside:
    r"""The law of maximum entropy under a tail constraint and a mean of log(1 + \|X\|) above the threshold.

    Parameters
    ----------
    tail : TailConstraint
        The constraint; its threshold below 0.
    log_mean : float
        A = E[log(1 + \|X\|) \| X > K], above 0.

    Attributes
    ----------
    alpha : float
        Tail index of the upside. Its mean is infinite up to 1, its deviation up to 2.

    Raises
    ------
    CalibrationError
        `log_mean` is not finite and above 0, or the threshold not below 0.

    Notes
    -----
    Above K the density is :math:`(1 - \varepsilon)\,(1 + |x|)^{-1-\alpha} / C`, with
    :math:`C = (2 - (1 - K)^{-\alpha})/\alpha`. In :math:`y = \pm\log(1 + |x|)` it is :class:`AbsoluteMeanDistribution`'s upside.

    Examples
    --------
    >>> limit = TailConstraint(threshold=-0.10, tail_mean=-0.15, epsilon=0.05)
    >>> law = PowerLawUpside(limit, log_mean=0.25)
    >>> round(law.alpha, 6), round(law.cdf(-0.10), 12)
    (3.278967, 0.05)
    """

    tail: TailConstraint
    log_mean: float

    def __post_init__(self) -> None:
        _ = self.alpha  # found at once, because it refuses what no law has

    @cached_property
    def alpha(self) -> float:
        """Tail index of the upside."""
        reach = _reach(self.tail)
        if not 0.0 < self.log_mean < math.inf:
            raise CalibrationError(f"log_mean={self.log_mean!r}; give a figure above 0", value=self.log_mean)
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
        """Of the whole law; infinite for an α of 1 or less."""
        return self.tail.epsilon * self.tail.tail_mean + (1.0 - self.tail.epsilon) * self.upside_mean

    @property
    def standard_deviation(self) -> float:
        """Of the whole law; infinite for an α of 2 or less."""
        if self.alpha <= 2.0:  # noqa: PLR2004 - where the second moment ends
            return math.inf
        a, reach = self.alpha, -self.tail.threshold
        cut = self._far * (2.0 + 2.0 * a * reach + a * (a - 1.0) * reach**2)
        return _deviation(self.tail, (4.0 - cut) / ((a - 1.0) * (a - 2.0) * self._mirrored.share), self.mean)

    @property
    def entropy(self) -> float:
        """Differential entropy, in nats."""
        return _joined_entropy(self.tail, self._mirrored.entropy + self.log_mean)

    def density(self, x: ArrayLike) -> Numbers:
        """Return the density at `x`, of the same shape; at the threshold the tail's."""
        rest = 1.0 - self.tail.epsilon
        return _either(
            self.tail, x, _tail_density, lambda at: rest * self._mirrored.density(_logged(at)) / (1.0 + np.abs(at))
        )

    def cdf(self, x: ArrayLike) -> Numbers:
        """Return the probability of at most `x`, of the same shape."""
        rest = 1.0 - self.tail.epsilon
        return _either(self.tail, x, _tail_probability, lambda at: 1.0 - rest * self._mirrored.survival(_logged(at)))

    def quantile(self, p: ArrayLike) -> Numbers:
        """Return the return that is not exceeded with probability `p`, in [0, 1]; NaN outside."""
        return _inverse(self.tail, p, lambda left: _unlogged(self._mirrored.above(left)))

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return `n` draws."""
        return _drawn(self.quantile, rng, n)

    @property
    def _mirrored(self) -> _Mirrored:
        return _Mirrored(math.log1p(-self.tail.threshold), self.alpha)

    @property
    def _far(self) -> float:
        """(1 − K)^−α, what the cut at K takes from the mass on the left of 0."""
        return math.exp(-self.alpha * math.log1p(-self.tail.threshold))


@dataclass(frozen=True, slots=True)
class _Mirrored:
    """Exponential in the distance from 0, on both sides of it, from −`reach` up."""

    reach: float
    rate: float

    @property
    def share(self) -> float:
        """The mass, where a one-sided exponential of this rate has 1."""
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
        """Return the point beyond which `left` lies; the inverse of :meth:`survival`."""
        mass = left * self.share
        one_side = np.log(np.where(mass > 1.0, 2.0 - mass, mass)) / self.rate
        return np.asarray(np.where(mass > 1.0, one_side, -one_side))


def _reach(tail: TailConstraint) -> float:
    if tail.threshold >= 0.0:
        raise CalibrationError(
            f"threshold={tail.threshold!r} is not below 0: an absolute mean is a mean there; use MaximumEntropyDistribution",
            value=tail.threshold,
        )
    return -tail.threshold


def _rate(reach: float, spread: float) -> float:
    """Return the rate at which a mirrored exponential has the absolute mean `spread`."""
    ratio = spread / reach

    def excess(log_z: float) -> float:
        z = math.exp(log_z)
        return 1.0 / z - math.exp(-z) / (2.0 - math.exp(-z)) - ratio

    # z = λ reach. The second term lies between 0 and 1, so 1/z lies between the ratio and one more; twice as wide a
    # bracket keeps rounding from hiding the change of sign.
    low, high = math.log(0.5 / (1.0 + ratio)), math.log(2.0 / ratio)
    return math.exp(find_root(excess, low, high)) / reach


def _logged(x: FloatArray) -> FloatArray:
    return np.asarray(np.copysign(np.log1p(np.abs(x)), x))


def _unlogged(y: FloatArray) -> FloatArray:
    return np.asarray(np.copysign(np.expm1(np.abs(y)), y))


def _joined_entropy(tail: TailConstraint, above: float) -> float:
    """Return the entropy of the tail's exponential and an upside of that entropy, by their probabilities."""
    epsilon, rest = tail.epsilon, 1.0 - tail.epsilon
    return epsilon * (1.0 + math.log(tail.depth / epsilon)) + rest * (above - math.log(rest))


def _deviation(tail: TailConstraint, square: float, mean: float) -> float:
    """Return the deviation of a law whose upside has that mean square."""
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
    """Return one function at and below the threshold and another above it; NaN gives NaN."""
    shape, (lanes,) = to_columns(x)
    threshold = tail.threshold
    low, high = below(tail, np.minimum(lanes, threshold)), above(np.maximum(lanes, threshold))
    return from_column(np.where(lanes > threshold, high, low), shape)


def _inverse(tail: TailConstraint, p: ArrayLike, above: Callable[[FloatArray], FloatArray]) -> Numbers:
    """Return the quantile, given that of the upside by what is left above it as a share of the upside, in (0, 1]."""
    shape, (lanes,) = to_columns(p)
    possible = np.where((lanes >= 0.0) & (lanes <= 1.0), lanes, np.nan)
    with np.errstate(divide="ignore"):
        low = tail.threshold + tail.depth * np.log(np.minimum(possible / tail.epsilon, 1.0))
        high = above(np.minimum((1.0 - possible) / (1.0 - tail.epsilon), 1.0))
    return from_column(np.where(possible > tail.epsilon, high, low), shape)


def _drawn(quantile: Callable[[ArrayLike], Numbers], rng: np.random.Generator, n: int) -> FloatArray:
    # A draw of exactly 0 stands for all below one step, and the quantile of 0 is infinite.
    return np.asarray(quantile(np.maximum(rng.random(_count(n)), _HALF_STEP)))


def _count(n: int) -> int:
    if n < 0:
        raise CalibrationError(f"n={n!r} draws; give 0 or more", value=n)
    return n

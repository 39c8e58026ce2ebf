r"""Arithmetic returns with heavy tails, of the same size as Gaussian ones: Student's t and the power law.

Each law is a martingale, so that no hedge earns or loses by a drift it was not told of, and each has the size of the
Gaussian one, as it is asked: the same variance, or the same mean absolute deviation (MAD), computed from the law and
never from the sample, whose own deviation is another number in every sample where tails are heavy. Returns are
arithmetic, since the exponential of a log return with such a tail has no mean.

The power law is symmetric with :math:`P(|x| > u) = (1 + u)^{-\alpha}` (Lomax), so that

.. math:: E x^2 = \frac{2}{(\alpha - 1)(\alpha - 2)} \ (\alpha > 2), \qquad E|x| = \frac{1}{\alpha - 1} \ (\alpha > 1) .

A price cannot fall below zero: where a return s x is below −1 the price is zero from then on. That raises the mean of a
step by :math:`E(-1 - s x)^+`, in closed form for both laws, and the step is divided by it.

Examples
--------
>>> law = arithmetic_law(HedgeLaw.POWER_LAW, 3.0, 0.01, None, 0.0)
>>> round(law.scale, 6), law.mean_step - 1.0 < 1e-6
(0.01, True)

References
----------
R. W. Bailey, "Polar generation of random variates with the t-distribution", Mathematics of Computation 62 (1994),
779-781: :math:`\sqrt{\nu(u^{-2/\nu} - 1)}\cos 2\pi v` is exactly Student's t. The cosine is drawn from a tangent, as
:math:`\pm 1/\sqrt{1 + \tan^2\theta}` with the sign of the tangent, which is independent of its size.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics.gamma_functions import half_step
from bank_python.numerics.ranges import number_in_range
from bank_python.numerics.student_t import student_t_cdf
from bank_python.taleb.hedge_law import HedgeLaw, Scaling, StepLaw, Walk

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["ArithmeticLaw", "PowerLaw", "StudentLaw", "arithmetic_law"]

_MAD_OF_NORMAL = math.sqrt(2.0 / math.pi)
_TWO = 2.0


@dataclass(frozen=True, slots=True)
class ArithmeticLaw(StepLaw):
    """Symmetric arithmetic returns, a multiple of a standard law.

    Parameters
    ----------
    tail : float
        Degrees of freedom, or tail index.
    deviation : float
        Standard deviation of a Gaussian step of the same size.
    scaling : Scaling
        Measure of size that is the same as that of the Gaussian step.
    drift : float
        Growth of the mean over a step, beyond the rate, as a log.
    """

    tail: float
    deviation: float
    scaling: Scaling
    drift: float = 0.0

    @property
    def scale(self) -> float:
        """Factor from a draw of the standard law to a return."""
        if self.scaling is Scaling.VARIANCE:
            return self.deviation / math.sqrt(self.variance)
        return self.deviation * _MAD_OF_NORMAL / self.mean_size

    @property
    @abstractmethod
    def variance(self) -> float:
        """Variance of the standard law."""

    @property
    @abstractmethod
    def mean_size(self) -> float:
        """Mean absolute value of the standard law."""

    @abstractmethod
    def excess(self, start: float) -> float:
        """Return the mean of (x − start)⁺ under the standard law, start at least 0."""

    @property
    def mean_step(self) -> float:
        """Mean of a step whose returns are cut off at −1, 1 or slightly more."""
        return 1.0 + self.scale * self.excess(1.0 / self.scale)

    @property
    def _size(self) -> str:
        return "the variance" if self.scaling is Scaling.VARIANCE else "the mean absolute deviation"


class StudentLaw(ArithmeticLaw):
    """Arithmetic returns with Student's t distribution; `tail` are its degrees of freedom, above 1."""

    __slots__ = ()

    @property
    def said(self) -> str:
        """The law in words."""
        return f"Student t, {self.tail:g} degrees of freedom, arithmetic returns with {self._size} of the Gaussian"

    @property
    def variance(self) -> float:
        """Variance of the standard law: ν/(ν − 2)."""
        return self.tail / (self.tail - _TWO)

    @property
    def mean_size(self) -> float:
        """Mean absolute value of the standard law: 2 (ν/(ν − 1)) f(0)."""
        return _TWO * self.tail / (self.tail - 1.0) * self._density(0.0)

    def excess(self, start: float) -> float:
        """Return the mean of (x − start)⁺: (ν + c²)/(ν − 1) f(c) − c P(x > c)."""
        nu = self.tail
        return (nu + start**2) / (nu - 1.0) * self._density(start) - start * student_t_cdf(-start, nu)

    def _density(self, x: float) -> float:
        nu = self.tail
        log_level = half_step(0.5 * nu) - 0.5 * math.log(nu * math.pi)
        return math.exp(log_level - 0.5 * (nu + 1.0) * math.log1p(x * x / nu))

    def walk(self, rng: np.random.Generator, paths: int) -> Walk:
        """Return the moves of a block of paths."""
        return _StudentWalk(self, rng, paths)


class PowerLaw(ArithmeticLaw):
    """Arithmetic returns with a symmetric Lomax law; `tail` is its index α, above 1."""

    __slots__ = ()

    @property
    def said(self) -> str:
        """The law in words."""
        return f"power law, α = {self.tail:g}, arithmetic returns with {self._size} of the Gaussian"

    @property
    def variance(self) -> float:
        """Variance of the standard law: 2/((α − 1)(α − 2))."""
        return _TWO / ((self.tail - 1.0) * (self.tail - _TWO))

    @property
    def mean_size(self) -> float:
        """Mean absolute value of the standard law: 1/(α − 1)."""
        return 1.0 / (self.tail - 1.0)

    def excess(self, start: float) -> float:
        """Return the mean of (x − start)⁺: (1 + start)^(1 − α)/(2(α − 1))."""
        return 0.5 * math.pow(1.0 + start, 1.0 - self.tail) / (self.tail - 1.0)

    def walk(self, rng: np.random.Generator, paths: int) -> Walk:
        """Return the moves of a block of paths."""
        return _PowerWalk(self, rng, paths)


class _ArithmeticWalk(Walk):
    """Multiplies prices by 1 + return, cut off at zero and divided by its mean."""

    def __init__(self, law: ArithmeticLaw, rng: np.random.Generator, paths: int) -> None:
        growth = math.exp(law.drift) / law.mean_step
        self._tail = law.tail
        self._factor = law.scale * growth
        self._level = growth
        self._rng = rng
        self._move = np.empty(paths)
        self._other = np.empty(paths)
        self._square = np.empty(paths)

    @abstractmethod
    def _draw(self) -> FloatArray:
        """Return draws from the standard law, to be overwritten."""

    def advance(self, prices: FloatArray, logs: FloatArray) -> None:
        move = self._draw()
        move *= self._factor
        move += self._level
        np.maximum(move, 0.0, out=move)
        prices *= move
        np.log(prices, out=logs)


class _StudentWalk(_ArithmeticWalk):
    def _draw(self) -> FloatArray:
        move, tangent = self._rng.standard_exponential(out=self._move), self._rng.random(out=self._other)
        move *= _TWO / self._tail
        np.expm1(move, out=move)  # u^(−2/ν) − 1
        move *= self._tail
        tangent -= 0.5
        tangent *= math.pi
        np.tan(tangent, out=tangent)
        square = np.multiply(tangent, tangent, out=self._square)
        square += 1.0
        move /= square
        np.sqrt(move, out=move)
        return np.copysign(move, tangent, out=move)


class _PowerWalk(_ArithmeticWalk):
    def _draw(self) -> FloatArray:
        move, sign = self._rng.standard_exponential(out=self._move), self._rng.random(out=self._other)
        move *= 1.0 / self._tail  # U^(−1/α) − 1, U in (0, 1)
        np.expm1(move, out=move)
        sign -= 0.5
        return np.copysign(move, sign, out=move)


def arithmetic_law(
    kind: HedgeLaw, tail: float, deviation: float, scaling: Scaling | None, drift: float
) -> ArithmeticLaw:
    """Return a law of arithmetic returns, of the same size as a Gaussian one.

    Parameters
    ----------
    kind : HedgeLaw
        Student t or the power law.
    tail : float
        Degrees of freedom, or tail index, above 1.
    deviation : float
        Standard deviation of the Gaussian step.
    scaling : Scaling, optional
        Measure of size that is the same as that of the Gaussian; by default the variance, or the MAD where there is
        none.
    drift : float
        Growth of the mean over a step, beyond the rate, as a log.

    Raises
    ------
    ModelError
        There is no mean, or the variance is asked for where there is none.
    """
    name = "df" if kind is HedgeLaw.STUDENT_T else "alpha"
    known = number_in_range(
        name,
        tail,
        ModelError,
        above=1.0,
        hint="give a number above 1: at 1 and below returns have no mean to hedge around",
    )
    if scaling is Scaling.VARIANCE and known <= _TWO:
        raise ModelError(
            f"{name}={known:g}: at 2 and below there is no variance to scale by; take scaling='mad'",
            name=name,
            value=known,
        )
    chosen = scaling or (Scaling.VARIANCE if known > _TWO else Scaling.MAD)
    law = StudentLaw if kind is HedgeLaw.STUDENT_T else PowerLaw
    return law(known, deviation, chosen, drift)

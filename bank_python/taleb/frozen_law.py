"""Distributions of other libraries, known by their distribution functions, as laws whose sums have a mean deviation.

Any object with the methods ``cdf``, ``sf``, ``ppf``, ``mean`` and ``support`` of a frozen distribution of scipy will
do, as long as it is continuous. From these the mean deviations of one draw and of the sum of two follow by quadrature,
to a relative error of 1e-9 for smooth distribution functions; those of longer sums do not, and are refused.

Examples
--------
>>> class Uniform:
...     def cdf(self, x): return np.clip(x, 0.0, 1.0)
...     def sf(self, x): return 1.0 - self.cdf(x)
...     def ppf(self, q): return q
...     def mean(self): return 0.5
...     def support(self): return 0.0, 1.0
>>> law = FrozenLaw(Uniform())
>>> round(law.mean_deviation(1), 10), round(law.mean_deviation(2), 10)  # 1/4 and 1/3
(0.25, 0.3333333333)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.taleb.laws import SummableLaw
from bank_python.taleb.sum_deviation import pair_deviation, single_deviation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["FrozenDistribution", "FrozenLaw"]

_LONGEST = 2


@runtime_checkable
class FrozenDistribution(Protocol):
    """The methods of a frozen distribution of scipy that are used."""

    def cdf(self, x: ArrayLike, /) -> FloatArray:
        """Return the distribution function, elementwise."""

    def sf(self, x: ArrayLike, /) -> FloatArray:
        """Return its complement, elementwise."""

    def ppf(self, q: ArrayLike, /) -> FloatArray:
        """Return the quantile, elementwise."""

    def mean(self) -> float:
        """Return the mean."""

    def support(self) -> tuple[float, float]:
        """Return the ends of the range of values."""


@dataclass(frozen=True, slots=True, eq=False)
class FrozenLaw(Record, SummableLaw):
    """A distribution of another library, for sums of up to two draws.

    Parameters
    ----------
    distribution : FrozenDistribution
        Object with ``cdf``, ``sf``, ``ppf``, ``mean`` and ``support``, as a frozen distribution of scipy; continuous.

    Raises
    ------
    ModelError
        The distribution has no mean, or is constant.
    """

    distribution: FrozenDistribution

    def __post_init__(self) -> None:
        mean = float(self.distribution.mean())
        if not math.isfinite(mean):
            raise ModelError(
                f"the distribution has the mean {mean!r}, so its sums have no mean deviation; give one with a mean",
                name="distribution",
                value=mean,
            )
        if not 0.0 < self._scale < math.inf:
            raise ModelError(
                f"the quartiles of the distribution are {self._scale:g} apart; give a continuous distribution",
                name="distribution",
                value=self._scale,
            )

    @property
    def _scale(self) -> float:
        low, high = np.asarray(self.distribution.ppf([0.25, 0.75])).tolist()
        return float(high - low)

    @admits(ModelError)
    def mean_deviation(self, n: int = 1) -> float:
        """Return the mean deviation of one draw or of the sum of two, by quadrature."""
        if n not in (1, _LONGEST):
            raise ModelError(
                f"n={n!r}: from a distribution function only the sums of 1 and 2 draws are known; give a law of "
                "bank_python.taleb, or a sample",
                name="n",
                value=n,
            )
        given = self.distribution
        deviation = single_deviation if n == 1 else pair_deviation
        ends = tuple(float(end) for end in given.support())
        return deviation(given.cdf, given.sf, float(given.mean()), (ends[0], ends[1]), self._scale)

r"""Value at risk and expected shortfall of distributions with mean 0 and variance 1.

For a location-scale family of return distributions, value at risk and expected shortfall at a tail probability ε are
:math:`\kappa \sigma - \mu`, where κ depends only on the shape of the distribution:

==========  =========================================  ==============================================================
shape       κ of the value at risk                     κ of the expected shortfall
==========  =========================================  ==============================================================
gaussian    :math:`-\Phi^{-1}(\varepsilon)`            :math:`\varphi(\Phi^{-1}(\varepsilon))/\varepsilon`
student_t   :math:`-s\,q`                              :math:`s\,\frac{f(q)}{\varepsilon}\,\frac{\nu+q^2}{\nu-1}`
empirical   minus the                                  minus the mean of the :math:`\varepsilon n` smallest
            :math:`\lceil \varepsilon n \rceil`-th     observations, the last one in part
            smallest observation
==========  =========================================  ==============================================================

with q the quantile and f the density of Student's t with ν degrees of freedom, and :math:`s = \sqrt{(\nu - 2)/\nu}`,
which scales its variance to 1.

Examples
--------
>>> normal, fat = gaussian_tail(0.05), student_t_tail(0.05, 4.0)
>>> round(normal.value_at_risk, 4), round(normal.expected_shortfall, 4)
(1.6449, 2.0627)
>>> round(fat.value_at_risk, 4), round(fat.expected_shortfall, 4)
(1.5074, 2.2648)

References
----------
A. J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management* (2015), section 2.3: both measures in closed form
for the normal distribution and Student's t.

C. Acerbi and D. Tasche, "On the coherence of expected shortfall", Journal of Banking & Finance 26 (2002), 1487-1503:
the mean of a sample's worst part.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.deprecation import renamed
from bank_python.errors import CalibrationError
from bank_python.numerics import normal_pdf, normal_quantile, student_t_quantile
from bank_python.numerics.tolerances import LAST_DIGITS

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = [
    "StandardTail",
    "TailDistribution",
    "TailMeasure",
    "empirical_tail",
    "gaussian_tail",
    "student_t_tail",
    "tail_probability",
]

_LEAST_DF = 2.0


class TailMeasure(enum.Enum):
    """Risk measure of a tail: value at risk or expected shortfall (CVaR)."""

    VAR = "var"
    CVAR = "cvar"

    @classmethod
    def parse(cls, measure: TailMeasure | str) -> TailMeasure:
        """Return the measure with the given name.

        Raises
        ------
        CalibrationError
            If there is none; the message lists the measures.
        """
        try:
            return cls(measure)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise CalibrationError(f"no measure {measure!r}; there are {known}", value=measure) from None


class TailDistribution(enum.Enum):
    """Shape of a return distribution's tail; see :mod:`bank_python.optimizer.standard_tails`."""

    GAUSSIAN = "gaussian"
    STUDENT_T = "student_t"
    EMPIRICAL = "empirical"

    @classmethod
    @renamed(law="distribution")
    def parse(cls, distribution: TailDistribution | str) -> TailDistribution:
        """Return the distribution with the given name.

        Raises
        ------
        CalibrationError
            If there is none; the message lists the distributions.
        """
        try:
            return cls(distribution)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise CalibrationError(
                f"no tail distribution {distribution!r}; there are {known}", value=distribution
            ) from None


@dataclass(frozen=True, slots=True)
class StandardTail:
    """Risk measures of a standardised distribution, in standard deviations, positive for a loss.

    Parameters
    ----------
    value_at_risk : float
        Loss that is exceeded with probability ε.
    expected_shortfall : float
        Mean loss beyond the value at risk; at least the value at risk.
    """

    value_at_risk: float
    expected_shortfall: float

    def of(self, measure: TailMeasure) -> float:
        """Return the value at risk or the expected shortfall."""
        return self.value_at_risk if measure is TailMeasure.VAR else self.expected_shortfall


def tail_probability(epsilon: float) -> float:
    """Return a tail probability, checked to be in (0, 0.5).

    Raises
    ------
    CalibrationError
        If it is outside of this range.
    """
    if not 0.0 < epsilon < 0.5:  # noqa: PLR2004 - a tail is less than half
        raise CalibrationError(f"epsilon={epsilon!r} lies outside (0, 0.5); 0.05 is usual", value=epsilon)
    return epsilon


def gaussian_tail(epsilon: float) -> StandardTail:
    """Return the tail of the normal distribution at the probability `epsilon` in (0, 0.5).

    Raises
    ------
    CalibrationError
        If `epsilon` is out of range.
    """
    tail_probability(epsilon)
    q = cast("float", normal_quantile(epsilon))
    return StandardTail(-q, cast("float", normal_pdf(q)) / epsilon)


def student_t_tail(epsilon: float, df: float) -> StandardTail:
    """Return the tail of Student's t distribution scaled to variance 1.

    Parameters
    ----------
    epsilon : float
        Tail probability, in (0, 0.5).
    df : float
        Degrees of freedom, finite and above 2, so that the variance is finite.

    Raises
    ------
    CalibrationError
        If a parameter is out of range.
    """
    tail_probability(epsilon)
    if not _LEAST_DF < df < math.inf:
        raise CalibrationError(
            f"degrees_of_freedom={df!r}; give a finite number above 2, for a finite variance; 4 is usual", value=df
        )
    q = student_t_quantile(epsilon, df)
    scale = math.sqrt((df - _LEAST_DF) / df)
    shortfall = _student_t_density(q, df) / epsilon * (df + q * q) / (df - 1.0)
    return StandardTail(-scale * q, scale * shortfall)


def empirical_tail(epsilon: float, sample: FloatArray) -> StandardTail:
    """Return the tail of a sample, standardised by its mean and standard deviation.

    Parameters
    ----------
    epsilon : float
        Tail probability, in (0, 0.5).
    sample : ndarray, shape (n_obs,)
        Finite observations of a return, at least 1/ε of them.

    Raises
    ------
    CalibrationError
        If `epsilon` is out of range, there are too few observations, or they are constant.
    """
    tail_probability(epsilon)
    n, most = len(sample), epsilon * len(sample)
    if most < 1.0 - LAST_DIGITS:
        raise CalibrationError(
            f"{n} observations are too few for a tail probability of {epsilon:g}; give at least "
            f"{math.ceil(1.0 / epsilon - LAST_DIGITS)}, or a larger epsilon",
            value=n,
        )
    deviation = float(sample.std())
    if deviation <= LAST_DIGITS * float(np.abs(sample).max()):
        raise CalibrationError(
            f"the observations are constant, {sample[0]:g}; give a sample that varies", value=float(sample[0])
        )
    # A product that is a whole number up to rounding may not include a further observation.
    count = max(math.ceil(most * (1.0 - LAST_DIGITS)), 1)
    worst = np.sort(np.partition(sample, count - 1)[:count])
    worst = (worst - sample.mean()) / deviation
    at = float(worst[-1])
    return StandardTail(-at, -at + float((at - worst).sum()) / most)


def _student_t_density(x: float, df: float) -> float:
    """Return the density of Student's t; the relative error is about 1e-16 times `df`."""
    log_scale = math.lgamma(0.5 * (df + 1.0)) - math.lgamma(0.5 * df) - 0.5 * math.log(df * math.pi)
    return math.exp(log_scale - 0.5 * (df + 1.0) * math.log1p(x * x / df))

r"""Tails of laws with mean 0 and variance 1: how many deviations a loss is, at a probability.

Where the law of returns is one of location and scale, its value at risk and its expected shortfall are
:math:`\kappa \sigma - \mu`, and only κ knows the shape:

==========  =========================================  ==============================================================
law         κ of the value at risk                     κ of the expected shortfall
==========  =========================================  ==============================================================
gaussian    :math:`-\Phi^{-1}(\varepsilon)`            :math:`\varphi(\Phi^{-1}(\varepsilon))/\varepsilon`
student_t   :math:`-s\,q`                              :math:`s\,\frac{f(q)}{\varepsilon}\,\frac{\nu+q^2}{\nu-1}`
empirical   the :math:`\lceil \varepsilon n \rceil`-th mean of the worst :math:`\varepsilon n`, the last in part
            smallest of a sample, with −
==========  =========================================  ==============================================================

with q the quantile of Student's t, f its density, and :math:`s = \sqrt{(\nu - 2)/\nu}`, which makes its variance 1.

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
for the normal law and Student's.

C. Acerbi and D. Tasche, "On the coherence of expected shortfall", Journal of Banking & Finance 26 (2002), 1487-1503:
the mean of a sample's worst part.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

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
    """What is measured of a tail."""

    VAR = "var"
    CVAR = "cvar"

    @classmethod
    def parse(cls, measure: TailMeasure | str) -> TailMeasure:
        """Return the measure of that name.

        Raises
        ------
        CalibrationError
            There is none; the message lists them.
        """
        try:
            return cls(measure)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise CalibrationError(f"no measure {measure!r}; there are {known}", value=measure) from None


class TailDistribution(enum.Enum):
    """Which law a tail is of; see :mod:`bank_python.optimizer.standard_tails`."""

    GAUSSIAN = "gaussian"
    STUDENT_T = "student_t"
    EMPIRICAL = "empirical"

    @classmethod
    def parse(cls, law: TailDistribution | str) -> TailDistribution:
        """Return the law of that name.

        Raises
        ------
        CalibrationError
            There is none; the message lists them.
        """
        try:
            return cls(law)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise CalibrationError(f"no tails {law!r}; there are {known}", value=law) from None


@dataclass(frozen=True, slots=True)
class StandardTail:
    """A tail in deviations, positive for a loss.

    Parameters
    ----------
    value_at_risk : float
        The loss that is exceeded with probability ε.
    expected_shortfall : float
        The mean loss from there on; at least the value at risk.
    """

    value_at_risk: float
    expected_shortfall: float

    def of(self, measure: TailMeasure) -> float:
        """Return the measure asked for."""
        return self.value_at_risk if measure is TailMeasure.VAR else self.expected_shortfall


def tail_probability(epsilon: float) -> float:
    """Return a tail's probability; refuse what is not in (0, 0.5).

    Raises
    ------
    CalibrationError
        It is not.
    """
    if not 0.0 < epsilon < 0.5:  # noqa: PLR2004 - a tail is less than half
        raise CalibrationError(f"epsilon={epsilon!r} lies outside (0, 0.5); 0.05 is usual", value=epsilon)
    return epsilon


def gaussian_tail(epsilon: float) -> StandardTail:
    """Return the tail of the normal law; `epsilon` in (0, 0.5).

    Raises
    ------
    CalibrationError
        `epsilon` is out of range.
    """
    tail_probability(epsilon)
    q = cast("float", normal_quantile(epsilon))
    return StandardTail(-q, cast("float", normal_pdf(q)) / epsilon)


def student_t_tail(epsilon: float, df: float) -> StandardTail:
    """Return the tail of Student's t with variance 1.

    Parameters
    ----------
    epsilon : float
        In (0, 0.5).
    df : float
        Degrees of freedom, above 2 (else there is no variance) and finite.

    Raises
    ------
    CalibrationError
        A figure is out of range.
    """
    tail_probability(epsilon)
    if not _LEAST_DF < df < math.inf:
        raise CalibrationError(
            f"degrees_of_freedom={df!r}; give a finite number above 2, where the variance begins; 4 is usual", value=df
        )
    q = student_t_quantile(epsilon, df)
    scale = math.sqrt((df - _LEAST_DF) / df)
    shortfall = _student_t_density(q, df) / epsilon * (df + q * q) / (df - 1.0)
    return StandardTail(-scale * q, scale * shortfall)


def empirical_tail(epsilon: float, sample: FloatArray) -> StandardTail:
    """Return the tail of a sample, standardised by its own mean and deviation.

    Parameters
    ----------
    epsilon : float
        In (0, 0.5).
    sample : ndarray, shape (n_obs,)
        Finite; at least 1/ε observations.

    Raises
    ------
    CalibrationError
        `epsilon` is out of range, there are too few observations, or they are all the same.
    """
    tail_probability(epsilon)
    n, most = len(sample), epsilon * len(sample)
    if most < 1.0 - LAST_DIGITS:
        raise CalibrationError(
            f"{n} observations have {most:.2g} beyond a probability of {epsilon:g}; give at least "
            f"{math.ceil(1.0 / epsilon - LAST_DIGITS)}, or a larger epsilon",
            value=n,
        )
    deviation = float(sample.std())
    if deviation <= LAST_DIGITS * float(np.abs(sample).max()):
        raise CalibrationError(f"the sample never moves: every observation is {sample[0]:g}", value=float(sample[0]))
    # A product that is whole but for rounding has no part of one more observation in it.
    count = max(math.ceil(most * (1.0 - LAST_DIGITS)), 1)
    worst = np.sort(np.partition(sample, count - 1)[:count])
    worst = (worst - sample.mean()) / deviation
    at = float(worst[-1])
    return StandardTail(-at, -at + float((at - worst).sum()) / most)


def _student_t_density(x: float, df: float) -> float:
    """Return the density of Student's t; the relative error is about 1e-16 times `df`."""
    log_scale = math.lgamma(0.5 * (df + 1.0)) - math.lgamma(0.5 * df) - 0.5 * math.log(df * math.pi)
    return math.exp(log_scale - 0.5 * (df + 1.0) * math.log1p(x * x / df))

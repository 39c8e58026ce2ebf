r"""Distributions of standardised innovations: log-likelihoods and their slopes, for volatility models.

A residual :math:`\varepsilon` with variance h has, with :math:`q = \varepsilon^2 / h`, the log-density

.. math:: -\tfrac12 (\ln 2\pi + \ln h + q)

under the normal distribution, and with ν degrees of freedom under Student's t distribution scaled to unit variance

.. math:: \ln\Gamma(\tfrac{\nu+1}2) - \ln\Gamma(\tfrac\nu2) - \tfrac12\ln(\pi(\nu-2)) - \tfrac12 \ln h
          - \tfrac{\nu+1}2 \ln\Big(1 + \frac q{\nu - 2}\Big) .

The slopes are with respect to the residual, ln h, and the shape η = 1/ν, in which the likelihood is close to quadratic
up to the normal distribution at η = 0.

References
----------
T. Bollerslev, "A conditionally heteroskedastic time series model for speculative prices and rates of return", Review
of Economics and Statistics 69 (1987), 542-547: equation 1.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.numerics.gamma_functions import digamma, half_step, trigamma

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["FEWEST_DEGREES", "MOST_DEGREES", "Innovation", "Slopes", "innovation_slopes", "mean_absolute"]

FEWEST_DEGREES, MOST_DEGREES = 2.05, 500.0
"""Range of the degrees of freedom that are fitted: above the variance's existence, below the normal distribution."""


class Innovation(enum.Enum):
    """Distribution of standardised innovations."""

    NORMAL = "normal"
    STUDENT_T = "t"


@dataclass(frozen=True, slots=True, eq=False)
class Slopes(Record):
    """Log-likelihoods of observations and their slopes.

    Parameters
    ----------
    log_likelihoods : ndarray, shape (n,)
        Logarithms of the densities.
    by_residual, by_log_variance : ndarray, shape (n,)
        Derivatives with respect to the residual and to the logarithm of its variance.
    residual_curvature, variance_curvature : ndarray, shape (n,)
        Expected and observed second derivatives with respect to them, with the sign changed; not below 0.
    by_shape, shape_by_variance : ndarray or None, shape (n,)
        Derivative with respect to η = 1/ν, and of that with respect to the log-variance; None for the normal.
    shape_curvature : float
        Sum of the second derivatives with respect to η, with the sign changed; 0 for the normal distribution.
    """

    log_likelihoods: FloatArray
    by_residual: FloatArray
    by_log_variance: FloatArray
    residual_curvature: FloatArray
    variance_curvature: FloatArray
    by_shape: FloatArray | None = None
    shape_by_variance: FloatArray | None = None
    shape_curvature: float = 0.0


def innovation_slopes(residuals: FloatArray, log_variances: FloatArray, shape: float | None) -> Slopes:
    """Return the log-likelihoods of residuals and their slopes.

    Parameters
    ----------
    residuals, log_variances : ndarray, shape (n,)
        Residuals and the logarithms of their variances.
    shape : float or None
        Shape η = 1/ν of Student's t distribution, in (0, 1/2); None for the normal distribution.
    """
    return _normal(residuals, log_variances) if shape is None else _student(residuals, log_variances, shape)


def mean_absolute(shape: float | None) -> float:
    """Return the mean absolute value of an innovation of unit variance.

    Parameters
    ----------
    shape : float or None
        Shape η = 1/ν of Student's t distribution, in (0, 1/2); None for the normal distribution.
    """
    if shape is None:
        return math.sqrt(2.0 / math.pi)
    degrees = 1.0 / shape
    return 2.0 * math.sqrt((degrees - 2.0) / math.pi) * math.exp(half_step(0.5 * degrees)) / (degrees - 1.0)


def _normal(residuals: FloatArray, log_variances: FloatArray) -> Slopes:
    precision = np.exp(-log_variances)
    by_residual = -residuals * precision
    q = -residuals * by_residual
    return Slopes(
        -0.5 * (math.log(2.0 * math.pi) + log_variances + q),
        by_residual,
        0.5 * (q - 1.0),
        precision,
        0.5 * q,
    )


def _student(residuals: FloatArray, log_variances: FloatArray, shape: float) -> Slopes:
    nu, n = 1.0 / shape, len(residuals)
    m, half = nu - 2.0, 0.5 * (nu + 1.0)
    precision = np.exp(-log_variances)
    ratio = residuals * residuals * precision / m
    share = ratio / (1.0 + ratio)
    rest = share / (1.0 + ratio)
    logs = np.log1p(ratio)
    constant = half_step(0.5 * nu) - 0.5 * math.log(math.pi * m)
    by_nu = 0.5 * (digamma(half) - digamma(0.5 * nu) - 1.0 / m) - 0.5 * logs + half * share / m
    curvature = n * (0.25 * (trigamma(half) - trigamma(0.5 * nu)) + 0.5 / m**2)
    curvature += float((share / m - half * (rest + share) / m**2).sum())
    return Slopes(
        constant - 0.5 * log_variances - half * logs,
        -2.0 * half * residuals * precision / (m * (1.0 + ratio)),
        half * share - 0.5,
        2.0 * half * nu / ((nu + 3.0) * m) * precision,
        half * rest,
        -(nu**2) * by_nu,
        -(nu**2) * (0.5 * share - half * rest / m),
        -(nu**4 * curvature + 2.0 * nu**3 * float(by_nu.sum())),
    )

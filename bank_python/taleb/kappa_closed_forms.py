r"""Closed forms of Taleb's κ for the sum of two draws.

With the mean deviations M(1) and M(2) of one draw and of the sum of two, κ₁ = 2 − ln 2 / ln(M(2)/M(1)), and

.. math:: \text{Student:}\quad \ln\frac{M(2)}{M(1)} = \ln 2 + \ln\frac{\Gamma(\frac{\alpha + 1}2)}{\Gamma(\frac\alpha2)}
          - \ln\frac{\Gamma(\alpha)}{\Gamma(\alpha - \frac12)}, \qquad
          \text{exponential:}\quad \frac{M(2)}{M(1)} = \frac4e .

The form for Student's t equals that of the paper by the duplication formula, and loses no digits for a large α.

For the lognormal distribution, the paper has an approximation only, in which the sum of two is taken to be lognormal
with its own mean and variance. It is too high: by 0.6 % at σ = 0.1, 11 % at 0.5, 22 % at 1, 16 % at 2. The exact value,
by quadrature, is ``kappa_n(Lognormal(sigma))``.

Examples
--------
>>> round(student_kappa_1(3.0), 3), round(pareto_kappa_1(3.0), 3), round(exponential_kappa_1(), 4)
(0.29, 0.465, 0.2057)
>>> round(lognormal_kappa_1_approximation(1.0), 3)  # exact: 0.430
0.524

References
----------
N. N. Taleb, "How much data do you need? An operational, pre-asymptotic metric for fat-tailedness", International
Journal of Forecasting 35 (2019), 677-686 (arXiv:1802.05495), table 1.
"""

from __future__ import annotations

import math

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import number_in_range
from bank_python.taleb.laws import Pareto, StudentT

__all__ = ["exponential_kappa_1", "lognormal_kappa_1_approximation", "pareto_kappa_1", "student_kappa_1"]


@admits(ModelError)
def student_kappa_1(alpha: float) -> float:
    """Return κ of the sum of two draws from Student's t distribution.

    Parameters
    ----------
    alpha : float
        Degrees of freedom, which are the tail index; above 1.

    Raises
    ------
    ModelError
        `alpha` is not a number above 1, up to 1e9.
    """
    return _kappa_1(StudentT(alpha))


@admits(ModelError)
def pareto_kappa_1(alpha: float) -> float:
    """Return κ of the sum of two draws from the Pareto distribution of values from 1 on.

    Parameters
    ----------
    alpha : float
        Tail index, above 1.

    Raises
    ------
    ModelError
        `alpha` is not a number above 1, up to 1e9.
    """
    return _kappa_1(Pareto(alpha))


def exponential_kappa_1() -> float:
    """Return κ of the sum of two draws from an exponential distribution, 2 − ln 2/(2 ln 2 − 1) = 0.2057."""
    return 2.0 - math.log(2.0) / (2.0 * math.log(2.0) - 1.0)


@admits(ModelError)
def lognormal_kappa_1_approximation(sigma: float) -> float:
    """Return the published approximation of κ of the sum of two lognormal draws, which is too high.

    Parameters
    ----------
    sigma : float
        Standard deviation of the logarithm, above 0.

    Raises
    ------
    ModelError
        `sigma` is not a finite number above 0.
    """
    width = number_in_range("sigma", sigma, ModelError, above=0.0)
    of_sum = math.sqrt(math.log(0.5 * (math.exp(width**2) + 1.0)))
    ratio = 2.0 * math.erf(of_sum / math.sqrt(8.0)) / math.erf(width / math.sqrt(8.0))
    return 2.0 - math.log(2.0) / math.log(ratio)


def _kappa_1(law: StudentT | Pareto) -> float:
    return 2.0 - math.log(2.0) / math.log(law.mean_deviation(2) / law.mean_deviation(1))

r"""Upper tail of the chi-squared distribution with a whole number of degrees of freedom.

The tail follows from those of one and two degrees of freedom by the recurrence of the incomplete gamma function,

.. math:: Q\bigl(\tfrac\nu2 + 1, \tfrac x2\bigr) = Q\bigl(\tfrac\nu2, \tfrac x2\bigr)
          + \frac{(x/2)^{\nu/2}\, e^{-x/2}}{\Gamma(\nu/2 + 1)} ,

a sum of positive terms, which keeps its digits in the far tail.

Examples
--------
>>> round(chi_squared_tail(3.841458820694124, 1), 12), round(chi_squared_tail(10.0, 4), 12)
(0.05, 0.040427681995)

References
----------
NIST Digital Library of Mathematical Functions, 8.8.2 (the recurrence), 8.4.6 and 8.4.8 (its first terms).
"""

from __future__ import annotations

import math

from bank_python.errors import ModelError

__all__ = ["chi_squared_tail"]


def chi_squared_tail(x: float, degrees: int) -> float:
    """Return the probability that a chi-squared variable exceeds `x`.

    Parameters
    ----------
    x : float
        Value of the variable, at least 0.
    degrees : int
        Degrees of freedom, at least 1.

    Raises
    ------
    ModelError
        `x` is below 0 or NaN, or there are no degrees of freedom.
    """
    if not x >= 0.0:
        raise ModelError(f"x={x!r} is not at least 0; give a value of a chi-squared statistic", value=x)
    if degrees < 1:
        raise ModelError(f"degrees={degrees!r} is not at least 1; give a number of degrees of freedom", value=degrees)
    half = 0.5 * x
    if half == 0.0:
        return 1.0
    if math.isinf(half):
        return 0.0
    tail = math.erfc(math.sqrt(half)) if degrees % 2 else math.exp(-half)
    for below in range(1 if degrees % 2 else 2, degrees, 2):
        tail += math.exp(0.5 * below * math.log(half) - half - math.lgamma(0.5 * below + 1.0))
    return min(tail, 1.0)

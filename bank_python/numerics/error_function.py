r"""The error function near zero, and the scaled complementary error function for all arguments.

.. math:: \operatorname{erfcx}(x) = e^{x^2}\operatorname{erfc}(x)
          = \frac{2}{\sqrt\pi} e^{x^2} \int_x^\infty e^{-t^2}\,dt

erfcx is a normal tail probability with its exponential decay divided out: a smooth function that decreases like
1/(x √π) and never underflows. The tail probabilities of :mod:`bank_python.numerics.normal` and the time value of
options are products of erfcx and one exponential, and so have full relative precision.

References
----------
W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23
(1969), 631-637: erf near zero, with the coefficients published in Netlib's SPECFUN (CALERF).

M. M. Shepherd and J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 <= x < ∞",
Mathematics of Computation 36 (1981), 249-253: one expansion from zero to infinity, in the variable
t = (x − k)/(x + k).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.columns import from_column, to_columns
from bank_python.numerics.exp_square import exp_square
from bank_python.numerics.horner import horner

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray, Numbers

__all__ = ["CENTRE", "erf_centre", "erfcx", "erfcx_column", "erfcx_right"]

CENTRE = 0.46875
"""Largest |x| for which erf has an approximation of its own, as 1 − erfc would cancel."""

_FOLD = 4.0

# erf(x) = x P(x²)/Q(x²), |x| <= 0.46875
_ERF_P = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_ERF_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)

# (1 + 2x) erfcx(x) = P(t) with t = (x − 4)/(x + 4), x >= 0.46875: the Chebyshev expansion over t in [−1, 1], truncated
# where the remainder is below 3e-18 and written in powers of t; computed with 60 digits. Cody's rational functions
# for this range approximate it as well, but rounding in their evaluation adds up to 4.5 ulp.
_SCALED = (
    -1.374652989001164e-10,
    -2.659599690242689e-10,
    1.7903326159489847e-09,
    3.1695881915648173e-09,
    -1.4709550868669278e-08,
    -2.05606492756992e-08,
    1.1009737295274889e-07,
    7.746992727017941e-08,
    -8.249198427508354e-07,
    2.919733377963012e-07,
    5.709206053072183e-06,
    -1.1221287012353486e-05,
    -2.4398944545280832e-05,
    0.0001506214900124047,
    -0.0001992567757633648,
    -0.0007577732613730956,
    0.005031969992669933,
    -0.016197734059799265,
    0.03716751553592911,
    -0.06633036581218697,
    0.09373283499843826,
    -0.10103906603630056,
    0.0680970542546904,
    0.015379652102619604,
    -0.1396211168405625,
    1.2329951186255526,
)


def erf_centre(x: FloatArray) -> FloatArray:
    """Return erf(x) for |x| <= :data:`CENTRE`, shape (n_rows,)."""
    square = x * x
    return x * (horner(_ERF_P, square) / horner(_ERF_Q, square))


def erfcx_right(x: FloatArray) -> FloatArray:
    """Return erfcx(x) for a column of x >= 0, shape (n_rows,), by one expansion; infinity gives 0."""
    # Written so that an infinite x gives t = 1 and a result of 0.
    t = 1.0 - 2.0 * _FOLD / (x + _FOLD)
    return horner(_SCALED, t) / (1.0 + 2.0 * x)


def erfcx_column(x: FloatArray) -> FloatArray:
    """Return erfcx(x) of a column, shape (n_rows,); the caller suppresses numpy's warnings."""
    size = np.abs(x)
    value = np.full_like(x, np.nan)
    centre = size <= CENTRE
    outer = size > CENTRE
    value[centre] = exp_square(x[centre], 1.0) * (1.0 - erf_centre(x[centre]))
    value[outer] = erfcx_right(size[outer])
    left = x < -CENTRE
    # erfc(-x) = 2 - erfc(x), scaled.
    value[left] = 2.0 * exp_square(x[left], 1.0) - value[left]
    return value


def erfcx(x: ArrayLike) -> Numbers:
    r"""Return the scaled complementary error function, :math:`e^{x^2}\operatorname{erfc}(x)`.

    Parameters
    ----------
    x : array_like
        Real arguments. Below about −26.6 the result overflows to infinity; NaN gives NaN.

    Returns
    -------
    float or ndarray
        Positive values, decreasing in `x`, in the shape of `x`, with a relative error of a few ulp.

    References
    ----------
    Cody (1969) and Shepherd and Laframboise (1981), see the references of the module.

    Examples
    --------
    >>> erfcx([0.0, 1.0, 1e6])
    array([1.00000000e+00, 4.27583576e-01, 5.64189584e-07])
    """
    shape, (column,) = to_columns(x)
    with np.errstate(all="ignore"):
        return from_column(erfcx_column(column), shape)

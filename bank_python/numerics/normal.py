r"""The standard normal distribution: density, distribution function and quantile, accurate in both tails.

Risk figures depend on the tails. There ``1 - cdf(x)`` has no accurate digits, and ``cdf(-37)`` is usually wrong by
hundreds of ulp, because −x²/2 is rounded before it is exponentiated. Here a tail probability is

.. math:: \Phi(-x) = \tfrac12 e^{-x^2/2} \operatorname{erfcx}(x/\sqrt2), \qquad x > 0,

with the exponential of the exact square (:mod:`bank_python.numerics.exp_square`) and the smooth factor erfcx, so that
the relative error is a few ulp over the whole range of float64 (down to x of about −38.5). Compute an upper tail
probability as ``normal_cdf(-x)``, never as ``1 - normal_cdf(x)``.

Examples
--------
>>> f"{normal_cdf(-37.0):.13e}"
'5.7255712225246e-300'
>>> round(normal_quantile(normal_cdf(-37.0)), 12)
-37.0

References
----------
The error functions: see :mod:`bank_python.numerics.error_function`.

M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics
37 (1988), 477-484: PPND16, the quantile's three rational approximations.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.columns import from_column, to_columns
from bank_python.numerics.error_function import CENTRE, erf_centre, erfcx_column
from bank_python.numerics.exp_square import exp_square
from bank_python.numerics.horner import horner

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray, Numbers

__all__ = ["cdf_column", "normal_cdf", "normal_pdf", "normal_quantile", "pdf_column", "quantile_column"]

_INVERSE_SQRT_2 = math.sqrt(0.5)
_INVERSE_SQRT_2PI = 0.39894228040143267794

# AS 241: the quantile is q A(r)/B(r) with q = p − 1/2 and r = 0.425² − q² for |q| <= 0.425. Otherwise, with
# r = √(−log min(p, 1 − p)), it is ±C(r − 1.6)/D(r − 1.6) for r <= 5 and ±E(r − 5)/F(r − 5) for r > 5.
_CENTRE_HALF_WIDTH = 0.425
_CENTRE_SHIFT = 0.180625
_MIDDLE_SHIFT = 1.6
_FAR_SHIFT = 5.0
_A = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
_B = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
_C = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
_D = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
_E = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
_F = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)


def pdf_column(x: FloatArray) -> FloatArray:
    """Return the density of a column, shape (n_rows,); the caller suppresses numpy's warnings."""
    return _INVERSE_SQRT_2PI * exp_square(x, -0.5)


def cdf_column(x: FloatArray) -> FloatArray:
    """Return the distribution function of a column, shape (n_rows,); the caller suppresses numpy's warnings."""
    scaled = x * _INVERSE_SQRT_2
    centre = np.abs(scaled) <= CENTRE
    tail = ~centre
    value = np.empty_like(x)
    value[centre] = 0.5 + 0.5 * erf_centre(scaled[centre])
    value[tail] = 0.5 * (exp_square(x[tail], -0.5) * erfcx_column(np.abs(scaled[tail])))
    right = tail & (x > 0.0)
    value[right] = 1.0 - value[right]
    return value


def quantile_column(p: FloatArray) -> FloatArray:
    """Return the quantile of a column, shape (n_rows,); the caller suppresses numpy's warnings."""
    q = p - 0.5
    value = np.full_like(p, np.nan)
    centre = np.abs(q) <= _CENTRE_HALF_WIDTH
    r = _CENTRE_SHIFT - q[centre] * q[centre]
    value[centre] = q[centre] * (horner(_A, r) / horner(_B, r))
    tail = np.minimum(p, 1.0 - p)
    distance = np.sqrt(-np.log(tail))
    middle = ~centre & (distance <= _FAR_SHIFT)
    r = distance[middle] - _MIDDLE_SHIFT
    value[middle] = np.copysign(horner(_C, r) / horner(_D, r), q[middle])
    far = ~centre & (distance > _FAR_SHIFT) & (tail > 0.0)
    r = distance[far] - _FAR_SHIFT
    value[far] = np.copysign(horner(_E, r) / horner(_F, r), q[far])
    edge = tail == 0.0
    value[edge] = np.copysign(np.inf, q[edge])
    return value


def normal_pdf(x: ArrayLike) -> Numbers:
    r"""Return the standard normal density, :math:`e^{-x^2/2}/\sqrt{2\pi}`.

    Parameters
    ----------
    x : array_like
        Real arguments; NaN gives NaN.

    Returns
    -------
    float or ndarray
        Density in the shape of `x`, with a relative error of at most 3 ulp if it is a normal number.

    Examples
    --------
    >>> normal_pdf(0.0)
    0.3989422804014327
    """
    shape, (column,) = to_columns(x)
    with np.errstate(all="ignore"):
        return from_column(pdf_column(column), shape)


def normal_cdf(x: ArrayLike) -> Numbers:
    """Return the standard normal distribution function.

    Parameters
    ----------
    x : array_like
        Real arguments; NaN gives NaN.

    Returns
    -------
    float or ndarray
        Probabilities in [0, 1] in the shape of `x`, with a relative error of at most 4 ulp down to the smallest normal
        number (x of about −37.5), and with the same absolute error below it.

    Examples
    --------
    >>> normal_cdf([-1.0, 0.0, 1.0])
    array([0.15865525, 0.5       , 0.84134475])
    """
    shape, (column,) = to_columns(x)
    with np.errstate(all="ignore"):
        return from_column(cdf_column(column), shape)


def normal_quantile(p: ArrayLike) -> Numbers:
    """Return the x at which the standard normal distribution function is `p`.

    Parameters
    ----------
    p : array_like
        Probabilities in [0, 1]; 0 and 1 give −∞ and ∞, values outside (and NaN) give NaN. Near 1 the spacing of
        float64 limits the precision of `p`; for a small upper tail probability use ``-normal_quantile(tail)``.

    Returns
    -------
    float or ndarray
        Quantiles in the shape of `p`, with a relative error of at most 6 ulp.

    References
    ----------
    Wichura (1988), see the references of the module.

    Examples
    --------
    >>> normal_quantile([0.01, 0.5, 0.975])
    array([-2.32634787,  0.        ,  1.95996398])
    """
    shape, (column,) = to_columns(p)
    with np.errstate(all="ignore"):
        return from_column(quantile_column(column), shape)

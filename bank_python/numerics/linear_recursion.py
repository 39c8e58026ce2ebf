r"""Linear recursions of first order over long series, without a loop over time.

.. math:: x_t = a_t\,x_{t-1} + u_t , \qquad x_{-1} = 0

is solved by doubling: after k passes every value contains the last :math:`2^k` inputs. As the products of the
coefficients become negligible after some passes, few are needed. Exponentially weighted averages, variances of GARCH
models and their derivatives are such recursions.

Examples
--------
>>> constant_recursion(0.5, np.array([1.0, 0.0, 0.0, 2.0]))
array([1.   , 0.5  , 0.25 , 2.125])
>>> varying_recursion(np.array([0.0, 0.5, 0.5, -1.0]), np.array([1.0, 0.0, 0.0, 2.0]))
array([1.  , 0.5 , 0.25, 1.75])

References
----------
W. D. Hillis and G. L. Steele, "Data parallel algorithms", Communications of the ACM 29 (1986), 1170-1183: the scan of
page 1173, for the associative composition of affine maps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bank_python.numerics.columns import FloatArray

__all__ = ["constant_recursion", "varying_recursion"]

_NEGLIGIBLE = 2.0**-60
"""Product of coefficients below which older inputs are left out: a 256th of the rounding error of the largest one."""


def constant_recursion(coefficient: float, inputs: FloatArray) -> FloatArray:
    """Return the solution of :math:`x_t = a x_{t-1} + u_t` with :math:`x_{-1} = 0`.

    Parameters
    ----------
    coefficient : float
        Coefficient :math:`a` of the last value, in [-1, 1].
    inputs : ndarray, shape (..., n)
        Inputs :math:`u_t` with the time in the last axis.

    Returns
    -------
    ndarray, shape (..., n)
        Solution :math:`x_t` as a new array, to rounding relative to the largest input.

    Notes
    -----
    A start :math:`x_{-1}` other than 0 is added to the first input, times `coefficient`.
    """
    x = inputs.copy()
    lag, product, n = 1, coefficient, inputs.shape[-1]
    while lag < n and abs(product) > _NEGLIGIBLE:
        x[..., lag:] += product * x[..., :-lag]
        lag, product = 2 * lag, product * product
    return x


def varying_recursion(coefficients: FloatArray, inputs: FloatArray) -> FloatArray:
    """Return the solution of :math:`x_t = a_t x_{t-1} + u_t` with :math:`x_{-1} = 0`.

    Parameters
    ----------
    coefficients : ndarray, shape (n,)
        Coefficient :math:`a_t` of the last value at each time; the first one has no effect.
    inputs : ndarray, shape (..., n)
        Inputs :math:`u_t` with the time in the last axis.

    Returns
    -------
    ndarray, shape (..., n)
        Solution :math:`x_t` as a new array, to rounding relative to the largest partial product times its input.
    """
    x, products = inputs.copy(), coefficients.copy()
    lag, n = 1, inputs.shape[-1]
    while lag < n and np.abs(products[lag:]).max() > _NEGLIGIBLE:
        x[..., lag:] += products[lag:] * x[..., :-lag]
        products[lag:] = products[lag:] * products[:-lag]
        lag *= 2
    return x

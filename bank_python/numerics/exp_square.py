"""The exponential of a square, accurate to about two ulp.

The direct form ``exp(-x*x/2)`` loses three digits in the tail: the square is rounded to 53 bits, and this *relative*
error of x² is an *absolute* error of the exponent, so that at x = 37 the result is off by some 700 ulp. Here the
square is the unevaluated sum of its rounded value and the exact remainder (Dekker's product), and the remainder is
applied as a first-order factor.

References
----------
T. J. Dekker, "A floating-point technique for extending the available precision", Numerische Mathematik
18 (1971), 224-242: the splitting and the exact product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bank_python.numerics.columns import FloatArray

__all__ = ["exp_square"]

_SPLITTER = 2.0**27 + 1.0
# Beyond this every result is 0 or infinite, and for far larger arguments the splitting would overflow.
_LARGEST = 64.0


def exp_square(x: FloatArray, scale: float) -> FloatArray:
    """Return ``exp(scale * x**2)``, within about two ulp as long as the result is a normal number.

    Parameters
    ----------
    x : ndarray
        Real arguments; infinities give 0 or infinity, NaN gives NaN.
    scale : {-1.0, -0.5, 0.5, 1.0}
        Factor of the square; plus or minus a power of two, so that the product is exact.

    Examples
    --------
    >>> exp_square(np.array([0.0, 2.0]), -0.5)
    array([1.        , 0.13533528])
    """
    clipped = np.clip(x, -_LARGEST, _LARGEST)
    shifted = _SPLITTER * clipped
    high = shifted - (shifted - clipped)
    low = clipped - high
    square = clipped * clipped
    remainder = ((high * high - square) + 2.0 * high * low) + low * low
    return np.exp(scale * square) * (1.0 + scale * remainder)

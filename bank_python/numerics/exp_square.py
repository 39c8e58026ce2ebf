"""The exponential of a square, right to an ulp or two.

``exp(-x*x/2)`` looks harmless and loses three digits in the tail: the square is rounded to 53 bits, and
the exponential turns that *relative* error of x² into an *absolute* one in the exponent, so at x = 37
the result is wrong by some 700 units of its own rounding. Here the square is kept as the unevaluated sum
of its rounded value and the exact remainder (Dekker's product), and the remainder is applied as a
first-order factor.

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
# Beyond this every result is 0 or infinite; the splitting itself would overflow for far larger arguments.
_LARGEST = 64.0


def exp_square(x: FloatArray, scale: float) -> FloatArray:
    """Return ``exp(scale * x**2)``, within about two ulp while the result is a normal number.

    Parameters
    ----------
    x : ndarray
        Any values; infinities give 0 or infinity, NaN gives NaN.
    scale : {-1.0, -0.5, 0.5, 1.0}
        A power of two up to sign, so that scaling the square is exact.

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

"""Polynomials on arrays, by Horner's rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.numerics.columns import FloatArray

__all__ = ["horner"]


def horner(coefficients: Sequence[float], x: FloatArray) -> FloatArray:
    """Return the values of a polynomial, whose coefficients start with that of the highest power.

    Examples
    --------
    >>> horner((2.0, 0.0, 1.0), np.array([3.0]))  # 2x² + 1
    array([19.])
    """
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value

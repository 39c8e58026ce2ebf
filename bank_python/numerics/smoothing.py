r"""Exponential smoothing of whole series at once.

.. math:: y_t = (1 - \alpha)\, y_{t-1} + \alpha\, x_t

It is a linear recursion with a constant coefficient (:mod:`bank_python.numerics.linear_recursion`).

Examples
--------
>>> smoothed([4.0, 0.0, 8.0], 0.5, 2.0).tolist()
[3.0, 1.5, 4.75]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.linear_recursion import constant_recursion

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["smoothed"]


def smoothed(values: ArrayLike, weight: float, start: float) -> FloatArray:
    """Return the exponentially smoothed series of some values.

    Parameters
    ----------
    values : array_like, shape (n,)
        Values to smooth, oldest first; finite.
    weight : float
        Weight α of the newest value, in (0, 1].
    start : float
        Smoothed value before the first one.
    """
    inputs = weight * np.array(values, dtype=np.float64)
    if not inputs.size:
        return inputs
    inputs[0] += (1.0 - weight) * start
    return constant_recursion(1.0 - weight, inputs)

"""How far to go along a direction: to where a value would reach 0, and back until a function has fallen enough.

Examples
--------
>>> step_to_zero(np.array([1.0, 2.0]), np.array([-2.0, 1.0]))
0.5
>>> backtracked(lambda step: (3.0 * step - 1.0) ** 2, start=1.0, slope=-6.0)
0.5

References
----------
L. Armijo, "Minimization of functions having Lipschitz continuous first partial derivatives", Pacific Journal of
Mathematics 16 (1966), 1-3.

J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd edition, Springer 2006: algorithm 3.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.numerics.columns import FloatArray

__all__ = ["backtracked", "step_to_zero"]

_ENOUGH = 0.1  # of the fall that the slope promises; any share below a half lets Newton's full steps pass at the end
_BACK = 0.5
_SHORTEST = 1e-12  # a shorter step changes nothing but last digits


def step_to_zero(values: FloatArray, changes: FloatArray) -> float:
    """Return the longest multiple of changes that leaves all values at 0 or above; infinite where none falls.

    Parameters
    ----------
    values, changes : ndarray, shape (n,)
        Values of 0 and above, and by how much each changes in a step of 1.
    """
    falls = changes < 0.0
    return float((values[falls] / -changes[falls]).min(initial=np.inf))


def backtracked(value: Callable[[float], float], *, start: float, slope: float, first: float = 1.0) -> float:
    """Return a step after which a function has fallen by a tenth of what its slope promises (Armijo's condition).

    Steps are halved until one does. Where none does, as at a minimum where rounding is all that is left, the step is
    the first that is shorter than 1e-12.

    Parameters
    ----------
    value : callable
        From a step to the function's value there; NaN counts as no fall.
    start : float
        The value at a step of 0, with what rounding may add to it.
    slope : float
        The derivative there, below 0.
    first : float, default 1
        The step to begin with, above 0.
    """
    step = first
    while step > _SHORTEST and not value(step) <= start + _ENOUGH * step * slope:
        step *= _BACK
    return step

"""Step lengths: the largest step that keeps values positive, and backtracking to a sufficient decrease.

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

_ENOUGH = 0.1  # share of the decrease that the slope predicts; below a half, so that full Newton steps are accepted
_BACK = 0.5
_SHORTEST = 1e-12  # a shorter step only changes last digits


def step_to_zero(values: FloatArray, changes: FloatArray) -> float:
    """Return the largest step along `changes` that leaves all `values` at least 0; infinite if none decreases.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Present values, at least 0.
    changes : ndarray, shape (n,)
        Change of each value in a step of 1.
    """
    falls = changes < 0.0
    return float((values[falls] / -changes[falls]).min(initial=np.inf))


def backtracked(value: Callable[[float], float], *, start: float, slope: float, first: float = 1.0) -> float:
    """Return a step that decreases a function by a tenth of what its slope predicts (Armijo's condition).

    Steps are halved until one satisfies the condition. If none does, as at a minimum up to rounding, the result is the
    first step shorter than 1e-12.

    Parameters
    ----------
    value : callable
        Function from a step length to the value of the function there; NaN counts as no decrease.
    start : float
        Value at a step of 0, plus an allowance for rounding.
    slope : float
        Derivative at a step of 0, below 0.
    first : float, default 1
        Step length that is tried first, above 0.
    """
    step = first
    while step > _SHORTEST and not value(step) <= start + _ENOUGH * step * slope:
        step *= _BACK
    return step

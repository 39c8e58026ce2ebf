"""The hazard rate at which a swap is worth what it should be.

What protection is worth less what the premium costs rises with the hazard rate and is nearly a straight line in it, so
the root is found in a few steps from the credit triangle, once a bracket around it has been.

Examples
--------
>>> round(hazard_root(lambda hazard: hazard**2 - 4.0, 1.0), 12)
2.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.errors import RootError
from bank_python.numerics.roots import find_root
from bank_python.numerics.tolerances import ROUNDED_SUM

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["hazard_root"]

# Above this, a chance of default of one half every six hours, no market quotes.
_HIGHEST = 1000.0


def hazard_root(excess: Callable[[float], float], guess: float) -> float:
    """Return the hazard rate, at least 0, where `excess` of protection over premium is zero.

    Parameters
    ----------
    excess : callable
        Of a hazard rate, for a notional of 1; below zero for those under the root, above zero for those
        over it.
    guess : float
        Above 0, where to begin.

    Raises
    ------
    RootError
        `excess` is above zero without hazard, or still below zero at 1000 a year; `value` is that excess.
    """
    at_zero = excess(0.0)
    if abs(at_zero) <= ROUNDED_SUM:
        return 0.0
    if at_zero > 0.0:
        raise RootError("protection is worth more than the premium without any hazard", value=at_zero)
    low, high = 0.0, min(guess, _HIGHEST)
    while (at_high := excess(high)) < 0.0:
        if high >= _HIGHEST:
            raise RootError(f"the premium is worth more than protection at a hazard of {high:g}", value=at_high)
        low, high = high, 4.0 * high
    return find_root(excess, low, high)

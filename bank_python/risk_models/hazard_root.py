"""The hazard rate at which a credit default swap has a given value.

The value of protection less that of the premium increases with the hazard rate and is nearly linear in it. So the root
is bracketed from the credit triangle, and then found in a few steps.

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

# A default probability of one half in six hours, above which no market quotes.
_HIGHEST = 1000.0


def hazard_root(excess: Callable[[float], float], guess: float) -> float:
    """Return the hazard rate, at least 0, at which the value of protection less that of the premium is 0.

    Parameters
    ----------
    excess : callable
        Function from a hazard rate to the value of protection less that of the premium, for a notional of 1;
        increasing.
    guess : float
        Hazard rate from which the root is bracketed, above 0.

    Raises
    ------
    RootError
        `excess` is above zero at a hazard rate of 0, or still below zero at 1000 per year or more; ``error.value`` is
        the excess.
    """
    at_zero = excess(0.0)
    if abs(at_zero) <= ROUNDED_SUM:
        return 0.0
    if at_zero > 0.0:
        raise RootError("protection is worth more than the premium at a hazard rate of 0", value=at_zero)
    low, high = 0.0, min(guess, _HIGHEST)
    while (at_high := excess(high)) < 0.0:
        if high >= _HIGHEST:
            raise RootError(f"the premium is worth more than protection at a hazard rate of {high:g}", value=at_high)
        low, high = high, 4.0 * high
    return find_root(excess, low, high)

"""Roots of rising functions: the hazard rate, or the interest rate, at which a swap is worth what it should be.

What protection is worth less what the premium costs rises with the hazard rate and is nearly a straight
line in it, so the secant finds its root in four or five steps from the credit triangle; a bracket around
the root, halved whenever three secants have not shrunk it by half, makes it certain.

Examples
--------
>>> round(hazard_root(lambda hazard: hazard**2 - 4.0, 1.0), 12)
2.0
>>> round(rising_root(lambda rate: rate**3 + 8.0, -3.0, 1.0), 12)
-2.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.errors import RootError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["hazard_root", "rising_root"]

# Above this, a chance of default of one half every six hours, no market quotes.
_HIGHEST = 1000.0
# Of a value per notional of 1: what rounding leaves of an excess that should be zero.
_ROUNDING = 1e-14
_STEPS = 300
# After so many secants the bracket must have halved.
_PATIENCE = 3
# A rate wrong by this moves a thirty-year swap by 3e-15 of its notional.
_RESOLUTION = 1e-16


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
    if abs(at_zero) <= _ROUNDING:
        return 0.0
    if at_zero > 0.0:
        raise RootError("protection is worth more than the premium without any hazard", value=at_zero)
    low, high = 0.0, min(guess, _HIGHEST)
    while (at_high := excess(high)) < 0.0:
        if high >= _HIGHEST:
            raise RootError(f"the premium is worth more than protection at a hazard of {high:g}", value=at_high)
        low, high = high, 4.0 * high
    return rising_root(excess, low, high)


def rising_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where `function` is zero between `low` and `high`, to 1e-16 or the last digits.

    Parameters
    ----------
    function : callable
        At most 0 at `low`, at least 0 at `high`.
    low, high : float
        The bracket.

    Raises
    ------
    RootError
        The function has the wrong sign at an end, or is not a number inside.
    """
    under, over = (low, function(low)), (high, function(high))
    if not under[1] <= 0.0 <= over[1]:
        raise RootError(f"no root between {low:g} and {high:g}, where the function is {under[1]:g} and {over[1]:g}")
    older, newer, width = under, over, high - low
    for step in range(1, _STEPS):
        reviewed = step % _PATIENCE == 0
        trial = _secant(older, newer)
        if (reviewed and over[0] - under[0] > 0.5 * width) or not under[0] < trial < over[0]:
            trial = 0.5 * (under[0] + over[0])
        width = over[0] - under[0] if reviewed else width
        resolution = _RESOLUTION + 4e-16 * abs(trial)
        if newer[1] == 0.0 or abs(trial - newer[0]) <= resolution or over[0] - under[0] <= resolution:
            return newer[0] if newer[1] == 0.0 else trial
        older, newer = newer, (trial, function(trial))
        under, over = (newer, over) if newer[1] < 0.0 else (under, newer)
    raise RootError(f"no root found between {under[0]} and {over[0]}", value=newer[1])


def _secant(older: tuple[float, float], newer: tuple[float, float]) -> float:
    rise = newer[1] - older[1]
    return newer[0] - newer[1] * (newer[0] - older[0]) / rise if rise != 0.0 else newer[0]

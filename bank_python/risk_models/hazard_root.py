"""The hazard rate at which a swap is worth nothing.

What protection is worth less what the premium costs rises with the hazard rate and is nearly a straight
line in it, so the secant finds its root in four or five steps from the credit triangle; a bracket around
the root, halved whenever the secant does not shrink it enough, makes it certain.

Examples
--------
>>> round(hazard_root(lambda hazard: hazard**2 - 4.0, 1.0), 12)
2.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.errors import RootError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["hazard_root"]

# Above this, a chance of default of one half every six hours, no market quotes.
_HIGHEST = 1000.0
_STEPS = 300
# After so many secants the bracket must have halved.
_PATIENCE = 3
# A hazard rate wrong by this moves a thirty-year swap by 3e-15 of its notional.
_RESOLUTION = 1e-16


def hazard_root(excess: Callable[[float], float], guess: float) -> float:
    """Return the hazard rate, at least 0, where `excess` of protection over premium is zero.

    Parameters
    ----------
    excess : callable
        Of a hazard rate; below zero for those under the root, above zero for those over it.
    guess : float
        Above 0, where to begin.

    Raises
    ------
    RootError
        `excess` is above zero without hazard, or still below zero at 1000 a year; `value` is that excess.
    """
    low, at_low = 0.0, excess(0.0)
    if at_low == 0.0:
        return 0.0
    if at_low > 0.0:
        raise RootError("protection is worth more than the premium without any hazard", value=at_low)
    high, at_high = guess, excess(guess)
    while at_high < 0.0:
        if high >= _HIGHEST:
            raise RootError(f"the premium is worth more than protection at a hazard of {high:g}", value=at_high)
        low, at_low, high = high, at_high, 4.0 * high
        at_high = excess(high)
    return _close_in(excess, (low, at_low), (high, at_high))


def _close_in(excess: Callable[[float], float], low: tuple[float, float], high: tuple[float, float]) -> float:
    older, newer = low, high
    width = high[0] - low[0]
    for step in range(1, _STEPS):
        if newer[1] == 0.0:
            return newer[0]
        trial = newer[0] - newer[1] * (newer[0] - older[0]) / (newer[1] - older[1]) if newer[1] != older[1] else low[0]
        reviewed = step % _PATIENCE == 0
        if (reviewed and high[0] - low[0] > 0.5 * width) or not low[0] < trial < high[0]:
            trial = 0.5 * (low[0] + high[0])
        if reviewed:
            width = high[0] - low[0]
        resolution = _RESOLUTION + 4e-16 * trial
        if abs(trial - newer[0]) <= resolution or high[0] - low[0] <= resolution:
            return trial
        older, newer = newer, (trial, excess(trial))
        low, high = (newer, high) if newer[1] < 0.0 else (low, newer)
    raise RootError(f"no hazard rate found between {low[0]} and {high[0]}", value=newer[1])

"""How many scenarios can be revalued in a given time."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import SimulationError

if TYPE_CHECKING:
    from bank_python.risk.valuation import ValuationPlan

__all__ = ["choose_paths"]

_PROBE = 512
_STEP = 1_000


@admits(SimulationError)
def choose_paths(plan: ValuationPlan, seconds: float, *, least: int = 2_000, most: int = 100_000) -> int:
    """Return how many scenarios of `plan` can be revalued in full in so many seconds, in whole thousands.

    Parameters
    ----------
    plan : ValuationPlan
        What is revalued; a few hundred scenarios of it are timed.
    seconds : float
        Above 0.
    least, most : int
        Bounds of the answer.

    Raises
    ------
    SimulationError
        `seconds` is not above 0.
    """
    if not 0.0 < seconds < math.inf:
        raise SimulationError(f"seconds={seconds!r}: give a number of seconds above 0", value=seconds)
    levels = np.repeat(plan.base[:, None], _PROBE, axis=1)
    plan.pnl(levels[:, :2])  # what is done once, such as loading a formula, does not count
    started = time.perf_counter()
    plan.pnl(levels)
    each = (time.perf_counter() - started) / _PROBE
    affordable = int(seconds / each) if each > 0.0 else most
    return max(least, min(most, affordable // _STEP * _STEP))

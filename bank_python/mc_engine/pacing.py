"""Number of scenarios that fit into a given run time."""

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
    """Return the number of scenarios, in whole thousands, whose full revaluation takes about a given time.

    Parameters
    ----------
    plan : ValuationPlan
        Valuation plan of the holdings; the time is measured on 512 scenarios.
    seconds : float
        Run time in seconds, above 0.
    least, most : int
        Bounds of the number returned.

    Raises
    ------
    SimulationError
        `seconds` is not above 0.
    """
    if not 0.0 < seconds < math.inf:
        raise SimulationError(f"seconds={seconds!r}: give a number of seconds above 0", value=seconds)
    levels = np.repeat(plan.base[:, None], _PROBE, axis=1)
    plan.pnl(levels[:, :2])  # warms up: one-off costs such as imports are not measured
    started = time.perf_counter()
    plan.pnl(levels)
    each = (time.perf_counter() - started) / _PROBE
    affordable = int(seconds / each) if each > 0.0 else most
    return max(least, min(most, affordable // _STEP * _STEP))

"""Diagnosis of infeasible problems: the constraints that contradict each other, and by how much.

The sum of the violations of all constraints is minimised. If the minimum is above 0, it is the amount by which the
constraints contradict each other, and those with a non-zero multiplier are the ones involved (the multipliers are a
Farkas certificate of infeasibility).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError
from bank_python.numerics import solve_penalties

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.feasible import FeasibleSet

__all__ = ["contradiction"]

_FEASIBLE = 1e-7  # largest sum of violations that counts as none: nine digits, for programs of about a hundred rows
_CURVATURE = 1e-5  # makes the solution unique; too small to change which rows are violated
_INVOLVED = 1e-3  # least multiplier, relative to the penalty of 1, of a constraint that is named
_SHOWN = 3


def contradiction(allowed: FeasibleSet) -> InfeasibleError | None:
    """Return an error that names the constraints that contradict each other; None if a portfolio satisfies all."""
    system = allowed.system(allowed.limits)
    unit = np.eye(system.width)
    high, low = np.flatnonzero(np.isfinite(allowed.upper)), np.flatnonzero(np.isfinite(allowed.lower))
    soft = np.vstack([system.A, -system.A, system.G, unit[high], -unit[low]])
    sides = np.concatenate([system.b, -system.b, system.h, allowed.upper[high], -allowed.lower[low]])
    solved = solve_penalties(
        _CURVATURE * unit,
        np.zeros(system.width),
        E=np.vstack([soft, system.definitions]),
        f=np.concatenate([sides, system.sides]),
        penalty=np.concatenate([np.ones(len(sides)), np.full(len(system.sides), np.inf)]),
    )
    missing = float(np.maximum(soft @ solved.x - sides, 0.0).sum())
    if missing < _FEASIBLE:
        return None
    equal, rows = len(system.b), len(system.h)
    multipliers = solved.z[: len(sides)].copy()
    multipliers[:equal] -= multipliers[equal : 2 * equal]  # the two rows of an equality have opposite signs
    parts = np.split(np.abs(multipliers) > _INVOLVED, np.cumsum([equal, equal, rows, len(high)]))
    names = [
        *(name for name, is_involved in zip(system.equal_names, parts[0], strict=True) if is_involved),
        *(name for name, is_involved in zip(system.row_names, parts[2], strict=True) if is_involved),
        *_bounds("upper", allowed.tickers, high[parts[3]], allowed.upper),
        *_bounds("lower", allowed.tickers, low[parts[4]], allowed.lower),
    ]
    return InfeasibleError(
        f"no portfolio satisfies all constraints: {', '.join(names)} contradict each other by {missing:.6g}; relax one",
        value=missing,
    )


def _bounds(which: str, tickers: tuple[str, ...], at: NDArray[np.intp], bound: FloatArray) -> list[str]:
    if not len(at):
        return []
    shown = ", ".join(f"{tickers[i]} {bound[i]:g}" for i in at[:_SHOWN])
    more = f" and {len(at) - _SHOWN} more" if len(at) > _SHOWN else ""
    return [f"{which} bounds ({shown}{more})"]

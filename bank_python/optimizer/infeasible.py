"""Which constraints contradict each other, and by how much.

Every constraint is given the price 1 for what it is exceeded by, and the sum is made as small as it can be. What is
left is how much must give way; and the constraints whose multipliers are above 0 are those that contradict each other
(the multipliers are Farkas' proof that nothing satisfies them all).
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

_NOTHING = 1e-7  # a sum of violations that is none: nine digits, of programs of some hundred rows
_SLIGHT = 1e-5  # curvature, so that there is one answer; too little to change which rows give way
_LOUD = 1e-3  # of the price 1: a multiplier that takes part in the proof
_SHOWN = 3


def contradiction(allowed: FeasibleSet) -> InfeasibleError | None:
    """Return an error that names the constraints which contradict each other; None where some portfolio obeys all."""
    sized = allowed.system(allowed.limits)
    unit = np.eye(sized.width)
    high, low = np.flatnonzero(np.isfinite(allowed.upper)), np.flatnonzero(np.isfinite(allowed.lower))
    soft = np.vstack([sized.A, -sized.A, sized.G, unit[high], -unit[low]])
    sides = np.concatenate([sized.b, -sized.b, sized.h, allowed.upper[high], -allowed.lower[low]])
    solved = solve_penalties(
        _SLIGHT * unit,
        np.zeros(sized.width),
        E=np.vstack([soft, sized.definitions]),
        f=np.concatenate([sides, sized.sides]),
        penalty=np.concatenate([np.ones(len(sides)), np.full(len(sized.sides), np.inf)]),
    )
    missing = float(np.maximum(soft @ solved.x - sides, 0.0).sum())
    if missing < _NOTHING:
        return None
    equal, rows = len(sized.b), len(sized.h)
    loud = solved.z[: len(sides)].copy()
    loud[:equal] -= loud[equal : 2 * equal]  # both rows of an equality may pull, and against each other
    parts = np.split(np.abs(loud) > _LOUD, np.cumsum([equal, equal, rows, len(high)]))
    names = [
        *(name for name, is_loud in zip(sized.equal_names, parts[0], strict=True) if is_loud),
        *(name for name, is_loud in zip(sized.row_names, parts[2], strict=True) if is_loud),
        *_bounds("upper", allowed.tickers, high[parts[3]], allowed.upper),
        *_bounds("lower", allowed.tickers, low[parts[4]], allowed.lower),
    ]
    return InfeasibleError(
        f"nothing satisfies all constraints: {', '.join(names)} contradict each other by {missing:.6g}; loosen one",
        value=missing,
    )


def _bounds(which: str, tickers: tuple[str, ...], at: NDArray[np.intp], bound: FloatArray) -> list[str]:
    if not len(at):
        return []
    shown = ", ".join(f"{tickers[i]} {bound[i]:g}" for i in at[:_SHOWN])
    more = f" and {len(at) - _SHOWN} more" if len(at) > _SHOWN else ""
    return [f"{which} bounds ({shown}{more})"]

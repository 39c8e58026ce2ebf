"""The last digits of a program with prices: one linear system of the rows that are just on their sides.

An interior point comes close to the solution, and tells which rows are below their sides, which are exceeded, and which
are just on them. With the last as equalities what is left is linear, and solved exactly; if a multiplier then says that
a row was taken for the wrong kind, it is put right, a few times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.penalty_program import PenaltySolution
from bank_python.numerics.tolerances import EXACT, NINE_DIGITS, TINY
from bank_python.numerics.triangular import solved_or_nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics.columns import FloatArray
    from bank_python.numerics.penalty_program import PenaltyProgram

__all__ = ["InteriorPoint", "finished"]

_REFINEMENTS = 12  # rows taken for the wrong kind are put right in fewer, or never
_LEAST = 1e-10  # of the widest row: one that is nearer to its side is on it
_ROUNDS = 2  # of scaling, and of solving for what is left: the second wins the last digits
_LITTLE = 1e-8  # the root of rounding: as a ridge it is made good by one more solution, with nothing lost
_NOTHING = 1e-16  # a right side that is 0 but for rounding
_SMALL = 400  # rows of a system whose singular values are cheap


@dataclass(slots=True)
class InteriorPoint:
    """Where the interior point is: room below (v) and excess above (u) every side, and the multipliers (z).

    What these leave of the prices (spare) is kept apart, since it would be lost in rounding.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    spare: FloatArray
    v: FloatArray
    u: FloatArray


def finished(rows: PenaltyProgram, point: InteriorPoint, steps: int) -> PenaltySolution:
    """Solve once more with the rows that are just on their sides as equalities; keep whichever is closer."""
    spare = np.where(np.isfinite(rows.price), point.spare, np.inf)
    wide = max(float(np.abs(rows.ahead(point.x) - rows.side).max(initial=0.0)), TINY)
    size = np.where(np.isfinite(rows.price), rows.price, max(float(point.z.max(initial=0.0)), TINY))
    near = np.maximum(point.z / size, _LEAST)  # a row may be on its side and hold nothing
    on = (point.v / wide < near) & (point.u / wide < np.maximum(spare / size, _LEAST))
    above = ~on & np.isfinite(rows.price) & (point.u / wide >= spare / size)
    z = np.clip(point.z, 0.0, rows.price)
    best = _told(rows, point.x, point.y, z, on, above, steps)
    for _ in range(_REFINEMENTS):
        solved = _on_rows(rows, on, above, point)
        if solved is None:
            break
        steps += 1
        x, y, z = solved
        found = _told(rows, x, y, np.clip(z, 0.0, rows.price), on, above, steps)
        best = found if found.kkt_residual < best.kkt_residual else best
        if best.kkt_residual <= EXACT:
            break
        over = rows.ahead(x) - rows.side
        room = EXACT * max(float(np.abs(x).max(initial=0.0)), TINY)
        joins = (~on & ~above & (over > room)) | (above & (over < -room))
        falls, rises = on & (z < 0.0), on & (z > rows.price)
        if not (joins.any() or falls.any() or rises.any()):
            break
        on, above = (on | joins) & ~falls & ~rises, (above & ~joins) | rises
    return best


def _on_rows(
    rows: PenaltyProgram, on: NDArray[np.bool_], above: NDArray[np.bool_], near: InteriorPoint
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return x and all multipliers where some rows hold with equality and some are exceeded.

    Where rows depend on each other there are many multipliers: those nearest to the point's are taken.
    """
    n, m = len(rows.q), len(rows.b)
    z = np.where(above, rows.price, 0.0)
    held = np.flatnonzero(on)
    unit = np.eye(n)
    normals = np.vstack([rows.E[held[held < rows.count]], unit[rows.high], -unit[rows.low]])
    normals = np.vstack([rows.A, normals[_kept(rows, held)]])
    size = n + len(normals)
    system = np.zeros((size, size))
    system[:n, :n] = rows.P
    system[:n, n:] = normals.T
    system[n:, :n] = normals
    right = np.concatenate([-rows.q - rows.back(z), rows.b, rows.side[held]])
    unit = _equilibrium(system)
    scaled = system * unit[:, None] * unit
    solved = np.concatenate([near.x, near.y, near.z[held]])
    for _ in range(_ROUNDS):
        solved = solved + unit * _nearest(scaled, unit * (right - system @ solved), n)
    if not np.isfinite(solved).all():
        return None
    z[held] = solved[n + m :]
    return solved[:n], solved[n : n + m], z


def _nearest(matrix: FloatArray, right: FloatArray, n: int) -> FloatArray:
    """Solve the system; where its rows depend on each other, for the least of its solutions.

    A little that is added to the variables' diagonal and taken from the multipliers' makes it regular, and what that is
    off by is made good at once (the proximal method of multipliers). Singular values, which do the same and better,
    cost twenty times as much; they are for small systems, and for what is not solved so.
    """
    if len(matrix) <= _SMALL:
        return solved_or_nearest(matrix, right)
    regular = matrix.copy()
    diagonal = np.einsum("ii->i", regular)
    diagonal[:n] += _LITTLE
    diagonal[n:] -= _LITTLE
    try:
        found = np.linalg.solve(regular, right)
        found = found + np.linalg.solve(regular, right - matrix @ found)
    except np.linalg.LinAlgError:
        found = np.full(len(right), np.nan)
    off = np.abs(matrix @ found - right).max(initial=0.0)
    return (
        np.asarray(found)
        if off <= max(_LITTLE * np.abs(right).max(initial=0.0), _NOTHING)
        else solved_or_nearest(matrix, right)
    )


def _equilibrium(matrix: FloatArray) -> FloatArray:
    """Return a scaling of rows and columns that makes their largest entries about one."""
    unit = np.ones(len(matrix))
    for _ in range(_ROUNDS):
        largest = np.abs(matrix * unit[:, None] * unit).max(axis=1, initial=0.0)
        unit /= np.sqrt(np.where(largest > 0.0, largest, 1.0))
    return unit


def _kept(rows: PenaltyProgram, held: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where the held rows stand below those of E that were taken."""
    taken = int((held < rows.count).sum())
    return np.concatenate([np.arange(taken), held[taken:] - rows.count + taken])


def _told(
    rows: PenaltyProgram,
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    on: NDArray[np.bool_],
    above: NDArray[np.bool_],
    steps: int,
) -> PenaltySolution:
    residual, objective, gap = _proof(rows, x, y, z)
    count, most = rows.count, rows.count + len(rows.high)
    bounds = np.zeros(len(x))
    bounds[rows.high] += z[count:most]
    bounds[rows.low] -= z[most:]
    return PenaltySolution(
        x=x,
        objective=objective,
        y=y,
        z=z[:count],
        bounds=bounds,
        on=on[:count],
        above=above[:count],
        at_lower=rows.low[on[most:]],
        at_upper=rows.high[on[count:most]],
        kkt_residual=residual,
        duality_gap=gap,
        iterations=steps,
        converged=residual <= NINE_DIGITS,
    )


def _proof(rows: PenaltyProgram, x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[float, float, float]:
    """Return the largest violation of an optimality condition, the objective, and the duality gap."""
    pull, over, soft = rows.P @ x, rows.ahead(x) - rows.side, np.isfinite(rows.price)
    paid = float(rows.price[soft] @ np.maximum(over[soft], 0.0))
    quadratic, linear = float(x @ pull), float(rows.q @ x)
    objective = 0.5 * quadratic + linear + paid
    proven = -0.5 * quadratic - float(rows.b @ y) - float(rows.side @ z)
    short, flat, far = rows.floors()  # a point that runs off may not excuse what it breaks
    wide = max(min(float(np.abs(x).max(initial=0.0)), far), float(np.abs(rows.b).max(initial=0.0)), short)
    size = max(abs(objective), 0.5 * quadratic, abs(linear), paid, wide * flat)
    slopes = (pull, rows.q, y @ rows.A, rows.weighed(z))
    steep = max(flat, *(float(np.abs(part).max(initial=0.0)) for part in slopes))
    residual = max(
        float(np.abs(pull + rows.q + y @ rows.A + rows.back(z)).max(initial=0.0)) / steep,
        float(np.abs(rows.A @ x - rows.b).max(initial=0.0)) / wide,
        float(np.maximum(over[~soft], 0.0).max(initial=0.0)) / wide,
        _slack(over, z, rows.price, soft) / (wide * steep),
    )
    return residual, objective, abs(objective - proven) / size


def _slack(over: FloatArray, z: FloatArray, price: FloatArray, soft: NDArray[np.bool_]) -> float:
    """Return the largest product of room and multiplier that ought to be 0."""
    below = np.maximum(-over, 0.0) * z
    beyond = np.maximum(over, 0.0)[soft] * (price - z)[soft]
    return max(float(below.max(initial=0.0)), float(beyond.max(initial=0.0)))

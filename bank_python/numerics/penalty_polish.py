"""Polishing of an interior point: the exact solution, by one linear system of the active rows.

An interior point is close to the solution and shows which rows are below their right sides, which exceed them, and
which are active: equal to them. With the active rows as equalities the optimality conditions are linear and are solved
exactly. If a multiplier then has the wrong sign or size, its row is reclassified and the system is solved again, a few
times at most.
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

__all__ = ["InteriorPoint", "polished"]

_REFINEMENTS = 12  # wrongly classified rows are corrected in fewer rounds, or never
_LEAST = 1e-10  # relative to the largest distance: a row nearer than this to its right side is active
_ROUNDS = 2  # rounds of scaling, and of iterative refinement, the second of which gives the last digits
_RIDGE = 1e-8  # the square root of the rounding unit: one refinement step removes the error of such a ridge
_NOTHING = 1e-16  # a right side that is 0 up to rounding
_SMALL = 400  # size up to which the singular values of a system are cheap


@dataclass(slots=True)
class InteriorPoint:
    """A point of the iteration: slack below (v) and excess above (u) each right side, and the multipliers (y, z).

    ``spare`` is the penalty weight less the multiplier of each row; computed as a difference it would be lost in
    rounding.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    spare: FloatArray
    v: FloatArray
    u: FloatArray


def polished(rows: PenaltyProgram, point: InteriorPoint, steps: int) -> PenaltySolution:
    """Solve with the active rows as equalities; return the solution with the smallest residual."""
    spare = np.where(np.isfinite(rows.penalty), point.spare, np.inf)
    wide = max(float(np.abs(rows.values(point.x) - rows.side).max(initial=0.0)), TINY)
    size = np.where(np.isfinite(rows.penalty), rows.penalty, max(float(point.z.max(initial=0.0)), TINY))
    near = np.maximum(point.z / size, _LEAST)  # an active row may have a multiplier of 0
    on = (point.v / wide < near) & (point.u / wide < np.maximum(spare / size, _LEAST))
    above = ~on & np.isfinite(rows.penalty) & (point.u / wide >= spare / size)
    z = np.clip(point.z, 0.0, rows.penalty)
    best = _solution(rows, point.x, point.y, z, on, above, steps)
    for _ in range(_REFINEMENTS):
        solved = _solve_active(rows, on, above, point)
        if solved is None:
            break
        steps += 1
        x, y, z = solved
        found = _solution(rows, x, y, np.clip(z, 0.0, rows.penalty), on, above, steps)
        best = found if found.kkt_residual < best.kkt_residual else best
        if best.kkt_residual <= EXACT:
            break
        over = rows.values(x) - rows.side
        room = EXACT * max(float(np.abs(x).max(initial=0.0)), TINY)
        joins = (~on & ~above & (over > room)) | (above & (over < -room))
        falls, rises = on & (z < 0.0), on & (z > rows.penalty)
        if not (joins.any() or falls.any() or rises.any()):
            break
        on, above = (on | joins) & ~falls & ~rises, (above & ~joins) | rises
    return best


def _solve_active(
    rows: PenaltyProgram, on: NDArray[np.bool_], above: NDArray[np.bool_], near: InteriorPoint
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return x, y and z for given active and exceeded rows; None if they are not finite.

    Multipliers of linearly dependent rows are not unique: those nearest to the interior point's are returned.
    """
    n, m = len(rows.q), len(rows.b)
    z = np.where(above, rows.penalty, 0.0)
    active = np.flatnonzero(on)
    unit = np.eye(n)
    normals = np.vstack([rows.E[active[active < rows.count]], unit[rows.high], -unit[rows.low]])
    normals = np.vstack([rows.A, normals[_normal_rows(rows, active)]])
    size = n + len(normals)
    system = np.zeros((size, size))
    system[:n, :n] = rows.P
    system[:n, n:] = normals.T
    system[n:, :n] = normals
    right = np.concatenate([-rows.q - rows.combination(z), rows.b, rows.side[active]])
    unit = _equilibrium(system)
    scaled = system * unit[:, None] * unit
    solved = np.concatenate([near.x, near.y, near.z[active]])
    for _ in range(_ROUNDS):
        solved = solved + unit * _nearest(scaled, unit * (right - system @ solved), n)
    if not np.isfinite(solved).all():
        return None
    z[active] = solved[n + m :]
    return solved[:n], solved[n : n + m], z


def _nearest(matrix: FloatArray, right: FloatArray, n: int) -> FloatArray:
    """Solve the system; if it is singular, return its solution of least norm.

    A ridge, added to the diagonal of the variables and subtracted from that of the multipliers, makes the system
    regular, and one refinement step removes its error (the proximal method of multipliers). Singular values are more
    accurate but take twenty times as long, so they are for small systems and for those that the ridge does not solve.
    """
    if len(matrix) <= _SMALL:
        return solved_or_nearest(matrix, right)
    regular = matrix.copy()
    diagonal = np.einsum("ii->i", regular)
    diagonal[:n] += _RIDGE
    diagonal[n:] -= _RIDGE
    try:
        found = np.linalg.solve(regular, right)
        found = found + np.linalg.solve(regular, right - matrix @ found)
    except np.linalg.LinAlgError:
        found = np.full(len(right), np.nan)
    off = np.abs(matrix @ found - right).max(initial=0.0)
    return (
        np.asarray(found)
        if off <= max(_RIDGE * np.abs(right).max(initial=0.0), _NOTHING)
        else solved_or_nearest(matrix, right)
    )


def _equilibrium(matrix: FloatArray) -> FloatArray:
    """Return a scaling of rows and columns under which their largest entries are about one."""
    unit = np.ones(len(matrix))
    for _ in range(_ROUNDS):
        largest = np.abs(matrix * unit[:, None] * unit).max(axis=1, initial=0.0)
        unit /= np.sqrt(np.where(largest > 0.0, largest, 1.0))
    return unit


def _normal_rows(rows: PenaltyProgram, active: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the indices of the active rows in the matrix of the active rows of E and all bounds."""
    taken = int((active < rows.count).sum())
    return np.concatenate([np.arange(taken), active[taken:] - rows.count + taken])


def _solution(
    rows: PenaltyProgram,
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    on: NDArray[np.bool_],
    above: NDArray[np.bool_],
    steps: int,
) -> PenaltySolution:
    residual, objective, gap = _certificate(rows, x, y, z)
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


def _certificate(rows: PenaltyProgram, x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[float, float, float]:
    """Return the largest violation of an optimality condition, the objective, and the duality gap."""
    curved, over, soft = rows.P @ x, rows.values(x) - rows.side, np.isfinite(rows.penalty)
    penalties = float(rows.penalty[soft] @ np.maximum(over[soft], 0.0))
    quadratic, linear = float(x @ curved), float(rows.q @ x)
    objective = 0.5 * quadratic + linear + penalties
    dual = -0.5 * quadratic - float(rows.b @ y) - float(rows.side @ z)
    short, flat, far = rows.scale_limits()  # a diverging point may not make its own violations look small
    wide = max(min(float(np.abs(x).max(initial=0.0)), far), float(np.abs(rows.b).max(initial=0.0)), short)
    size = max(abs(objective), 0.5 * quadratic, abs(linear), penalties, wide * flat)
    slopes = (curved, rows.q, y @ rows.A, rows.absolute_combination(z))
    steep = max(flat, *(float(np.abs(part).max(initial=0.0)) for part in slopes))
    residual = max(
        float(np.abs(curved + rows.q + y @ rows.A + rows.combination(z)).max(initial=0.0)) / steep,
        float(np.abs(rows.A @ x - rows.b).max(initial=0.0)) / wide,
        float(np.maximum(over[~soft], 0.0).max(initial=0.0)) / wide,
        _slack(over, z, rows.penalty, soft) / (wide * steep),
    )
    return residual, objective, abs(objective - dual) / size


def _slack(over: FloatArray, z: FloatArray, penalty: FloatArray, soft: NDArray[np.bool_]) -> float:
    """Return the largest violation of complementary slackness."""
    below = np.maximum(-over, 0.0) * z
    beyond = np.maximum(over, 0.0)[soft] * (penalty - z)[soft]
    return max(float(below.max(initial=0.0)), float(beyond.max(initial=0.0)))

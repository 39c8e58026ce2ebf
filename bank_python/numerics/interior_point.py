r"""Convex quadratic programs with piecewise linear penalties (soft constraints), by an interior point method.

.. math:: \min_x\ \tfrac12 x^\top P x + q^\top x + \sum_k p_k\,(E_k x - f_k)_+
          \quad\text{subject to}\quad A x = b,\quad l \le x \le u

with P positive semidefinite. :math:`p_k` is the penalty weight of row k. A row with an infinite weight is a hard
constraint; one with a finite weight is a soft constraint, whose violation is penalised in proportion. Two soft rows
express an absolute value, one row per scenario an expected shortfall, and n rows a limit on turnover.

The multiplier of row k lies between 0 and its penalty weight. So a soft row costs no more than a hard one: the Newton
step reduces to a system in the variables alone, :math:`(P + E^\top D E)\,dx`, however many rows there are. The steps
are those of Mehrotra's predictor-corrector method. The interior point shows which rows are below their right side,
above it or equal to it; one linear system with the last as equalities then gives the solution to the last digit.

Examples
--------
>>> solved = solve_penalties(  # the median of three numbers minimises the sum of absolute distances
...     np.zeros((1, 1)),
...     np.zeros(1),
...     E=[[1.0], [1.0], [1.0], [-1.0], [-1.0], [-1.0]],
...     f=[1.0, 2.0, 9.0, -1.0, -2.0, -9.0],
...     penalty=np.full(6, 0.5),
... )
>>> solved.x.round(9).tolist(), round(solved.objective, 9)
([2.0], 4.0)

References
----------
S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM Journal on Optimization 2 (1992),
575-601.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.deprecation import renamed
from bank_python.numerics.line_search import step_to_zero
from bank_python.numerics.penalty_polish import InteriorPoint, polished
from bank_python.numerics.penalty_program import PenaltyProgram, PenaltySolution
from bank_python.numerics.penalty_system import NewtonSystem
from bank_python.numerics.tolerances import EXACT, TINY

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["PenaltySolution", "solve_penalties"]

_MOST = 100  # steps; rarely are more than thirty needed
_CLOSE = 1e-11  # relative residual at which the active rows can be identified; polishing does the rest
_BACK = 0.995  # share of the step to the boundary, so that the next step has room
_LEAST = 1e-10  # relative to the first gap or multiplier: the least size that residuals are measured against
_NARROW = 2  # most variables of a row that is eliminated even if it is hard
_PROGRESS = 0.9  # largest ratio of the gap after a corrected step to the gap before it
_MIDDLE = 0.3  # share of the gap that a plain centring step aims at


@renamed(price="penalty")
def solve_penalties(
    P: ArrayLike,
    q: ArrayLike,
    *,
    E: ArrayLike,
    f: ArrayLike,
    penalty: ArrayLike,
    A: ArrayLike | None = None,
    b: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> PenaltySolution:
    """Solve a convex quadratic program with piecewise linear penalties.

    Parameters
    ----------
    P : array_like, shape (n, n)
        Symmetric, positive semidefinite matrix of the quadratic term; positive definite together with the rows and the
        bounds.
    q : array_like, shape (n,)
        Coefficients of the linear term.
    E, f : array_like, shape (rows, n) and (rows,)
        Hard and soft constraints ``E x <= f``.
    penalty : array_like, shape (rows,)
        Penalty weight per unit by which a row exceeds its right side, above 0; infinite for hard constraints.
    A, b : array_like, shape (equalities, n) and (equalities,), optional
        Equality constraints ``A x = b``.
    lower, upper : array_like, shape (n,) or (), optional
        Bounds of the variables; infinite where there is none.

    Raises
    ------
    ModelError
        The shapes do not match, a value is not finite, or a penalty weight is not above 0.
    """
    rows = PenaltyProgram.of(P, q, E, f, penalty, A, b, lower, upper)
    point, steps = _Path(rows).run()
    return polished(rows, point, steps)


class _Path:
    """Mehrotra's predictor-corrector iteration."""

    def __init__(self, rows: PenaltyProgram) -> None:
        self._rows = rows
        self._soft = np.isfinite(rows.penalty)
        self._wide = np.flatnonzero(~self._soft[: rows.count] & ((rows.E != 0.0).sum(axis=1) > _NARROW))
        self._weights = np.where(self._soft, rows.penalty, 0.0)
        self._pairs = len(rows.side) + int(self._soft.sum())
        self._at = self._start()
        self._floor = _LEAST * self._gap() * self._pairs  # least objective that the gap is measured against
        self._short, flat, _ = rows.scale_limits()
        self._flat = max(flat, _LEAST * float(self._at.z.max(initial=0.0)))  # the same for gradients

    def run(self) -> tuple[InteriorPoint, int]:
        """Iterate until the optimality conditions hold or there is no more progress."""
        best, least = self._at, np.inf
        for step in range(_MOST):
            residuals = self._residuals()
            error = self._error(residuals)
            if error < least:
                best, least = self._at, error
            spent = self._gap() * self._pairs <= EXACT * self._floor
            if error <= _CLOSE or spent or not self._advance(residuals):
                return best, step
        return best, _MOST

    def _start(self) -> InteriorPoint:
        rows = self._rows
        x = np.zeros(len(rows.q))
        x[rows.high] = rows.side[rows.count : rows.count + len(rows.high)]
        x[rows.low] = -rows.side[rows.count + len(rows.high) :]
        both = np.intersect1d(rows.high, rows.low)
        middle = np.zeros(len(rows.q))
        np.add.at(middle, rows.high, 0.5 * rows.side[rows.count : rows.count + len(rows.high)])
        np.add.at(middle, rows.low, -0.5 * rows.side[rows.count + len(rows.high) :])
        x[both] = middle[both]
        over = rows.values(x) - rows.side
        wide = max(float(np.abs(over).mean()) if over.size else 1.0, 1e-3)
        steep = max(float(np.abs(rows.q + rows.P @ x).max(initial=0.0)), 1e-3)
        v = np.maximum(-over, 0.0) + wide
        u = np.where(self._soft, np.maximum(over, 0.0) + wide, 0.0)
        half = np.where(self._soft, 0.5 * rows.penalty, 1.0)
        return InteriorPoint(x, np.zeros(len(rows.b)), np.where(self._soft, half, steep), half, v, u)

    def _residuals(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        rows, at = self._rows, self._at
        dual = rows.P @ at.x + rows.q + at.y @ rows.A + rows.combination(at.z)
        return dual, rows.A @ at.x - rows.b, rows.values(at.x) - rows.side - at.u + at.v

    def _error(self, residuals: tuple[FloatArray, FloatArray, FloatArray]) -> float:
        dual, equal, row = residuals
        at, rows = self._at, self._rows
        slopes = (rows.q, rows.P @ at.x, rows.combination(at.z))
        steep = max(self._flat, TINY, *(float(np.abs(part).max(initial=0.0)) for part in slopes))
        wide = max(float(np.abs(at.x).max(initial=0.0)), self._short)
        cost = abs(float(rows.q @ at.x)) + abs(float(at.x @ rows.P @ at.x)) + float(at.u @ self._weights)
        return max(
            float(np.abs(dual).max(initial=0.0)) / steep,
            max(float(np.abs(equal).max(initial=0.0)), float(np.abs(row).max(initial=0.0))) / wide,
            self._gap() * self._pairs / max(cost, self._floor, self._short * self._flat, TINY),
        )

    def _gap(self) -> float:
        at = self._at
        return float(at.v @ at.z + at.u @ at.spare) / max(self._pairs, 1)

    def _advance(self, residuals: tuple[FloatArray, FloatArray, FloatArray]) -> bool:
        """Take one step. Return False if it is negligible, not finite or cannot be computed."""
        at = self._at
        weight = 1.0 / (at.v / at.z + at.u / at.spare)
        try:
            system = NewtonSystem(self._rows, weight, self._wide)
        except np.linalg.LinAlgError:
            return False
        mu = self._gap()
        below, above = -at.v * at.z, -at.u * at.spare
        guess = self._move(system, residuals, below, above)
        reach = self._reach(guess, 1.0)
        ahead = self._ahead_gap(guess, reach)
        aim = mu * (ahead / mu) ** 3 if mu > 0.0 else 0.0
        corrected = np.where(self._soft, above + aim - guess.u * guess.spare, 0.0)
        move = self._move(system, residuals, below + aim - guess.v * guess.z, corrected)
        step = self._reach(move, _BACK)
        if self._ahead_gap(move, step) > _PROGRESS * mu:
            # The corrector may cycle; a plain centring step does not.
            middle = _MIDDLE * mu
            move = self._move(system, residuals, below + middle, np.where(self._soft, above + middle, 0.0))
            step = self._reach(move, _BACK)
        self._at = InteriorPoint(*(now + step * change for now, change in zip(_parts(at), _parts(move), strict=True)))
        return step > 1e-10 and all(np.isfinite(part).all() for part in _parts(self._at))  # noqa: PLR2004 - no progress

    def _move(
        self,
        system: NewtonSystem,
        residuals: tuple[FloatArray, FloatArray, FloatArray],
        below: FloatArray,
        above: FloatArray,
    ) -> InteriorPoint:
        dual, equal, row = residuals
        at = self._at
        lifted = row + below / at.z - above / at.spare
        dx, dy, dz = system.solve(dual, equal, lifted)
        dv = (below - at.v * dz) / at.z
        du = np.where(self._soft, (above + at.u * dz) / at.spare, 0.0)
        return InteriorPoint(dx, dy, dz, np.where(self._soft, -dz, 0.0), dv, du)

    def _reach(self, move: InteriorPoint, part: float) -> float:
        at, soft = self._at, self._soft
        ends = (
            step_to_zero(at.v, move.v),
            step_to_zero(at.z, move.z),
            step_to_zero(at.u[soft], move.u[soft]),
            step_to_zero(at.spare[soft], move.spare[soft]),
        )
        return min(1.0, part * min(ends))

    def _ahead_gap(self, move: InteriorPoint, step: float) -> float:
        at = self._at
        below = (at.v + step * move.v) @ (at.z + step * move.z)
        above = (at.u + step * move.u) @ (at.spare + step * move.spare)
        return float(below + above) / max(self._pairs, 1)


def _parts(point: InteriorPoint) -> tuple[FloatArray, ...]:
    return point.x, point.y, point.z, point.spare, point.v, point.u

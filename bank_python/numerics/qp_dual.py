"""The dual active set method of Goldfarb and Idnani: slower than block pivoting, but certain to terminate.

It starts at the minimum subject to the equalities only and adds the most violated constraint, one at a time, dropping
constraints whose multiplier would become negative. The dual objective increases with every step, so no active set
occurs twice. If no step is possible, the violated constraint contradicts the active ones.

References
----------
D. Goldfarb and A. Idnani, "A numerically stable dual method for solving strictly convex quadratic programs",
Mathematical Programming 27 (1983), 1-33: algorithm of section 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError
from bank_python.numerics.tolerances import LAST_DIGITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics.columns import FloatArray
    from bank_python.numerics.qp_program import QuadraticProgram

__all__ = ["dual_active_set"]

_MOST = 100_000  # steps; reached only if rounding keeps the method from terminating


def dual_active_set(program: QuadraticProgram) -> tuple[NDArray[np.int8], NDArray[np.bool_], int]:
    """Return which variables are at their lower (-1) or upper (+1) bound, which rows are active, and the steps taken.

    Raises
    ------
    InfeasibleError
        The constraints contradict each other.
    """
    return _Search(program).run()


class _Search:
    """The state of the method. Constraints are numbered in the order rows, upper bounds, lower bounds."""

    def __init__(self, program: QuadraticProgram) -> None:
        n = len(program.q)
        self._program = program
        self._normals = np.vstack([program.G, np.eye(n), -np.eye(n)])
        self._sides = np.concatenate([program.h, program.upper, -program.lower])
        self._inverse = np.linalg.inv(program.P)
        self._active: list[int] = []
        self._duals = np.zeros(0)
        self._x = -self._inverse @ program.q
        if len(program.b):
            spread = self._inverse @ program.A.T
            self._x += spread @ np.linalg.lstsq(program.A @ spread, program.b - program.A @ self._x, rcond=None)[0]
            self._require_equalities()

    def run(self) -> tuple[NDArray[np.int8], NDArray[np.bool_], int]:
        """Add constraints until none is violated."""
        for step in range(_MOST):
            violated = self._normals @ self._x - self._sides
            violated[~np.isfinite(violated)] = -np.inf
            allowed = LAST_DIGITS * np.maximum(1.0, np.abs(np.where(np.isfinite(self._sides), self._sides, 1.0)))
            violated[self._active] = -np.inf
            worst = int(np.argmax(violated - allowed))
            if violated[worst] <= allowed[worst]:
                return (*self._active_set(), step + 1)
            self._add(worst)
        raise InfeasibleError(
            f"no solution after {_MOST} steps; the constraints may contradict each other up to rounding, relax one"
        )

    def _add(self, added: int) -> None:
        normal, dual = self._normals[added], 0.0
        while True:
            along, change = self._directions(normal)
            falls = np.flatnonzero(change < -LAST_DIGITS)
            limits = -self._duals[falls] / change[falls]
            partial = float(limits.min(initial=np.inf))
            steepness = -float(normal @ along)
            excess = float(normal @ self._x - self._sides[added])
            full = excess / steepness if steepness > LAST_DIGITS * float(normal @ self._inverse @ normal) else np.inf
            step = min(partial, full)
            if step == np.inf:
                raise self._contradiction(added, excess)
            if full < np.inf:
                self._x = self._x + step * along
            self._duals = self._duals + step * change
            dual += step
            if step == full:
                self._active.append(added)
                self._duals = np.append(self._duals, dual)
                return
            dropped = int(falls[int(np.argmin(limits))])
            del self._active[dropped]
            self._duals = np.delete(self._duals, dropped)

    def _directions(self, normal: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the changes of x and of the active multipliers per unit of the new constraint's multiplier."""
        active = np.vstack([self._program.A, self._normals[self._active]])
        free = self._inverse @ normal
        if not len(active):
            return -free, np.zeros(0)
        spread = self._inverse @ active.T
        weights = np.linalg.lstsq(active @ spread, active @ free, rcond=None)[0]
        return -(free - spread @ weights), -weights[len(self._program.b) :]

    def _active_set(self) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        n, m = len(self._program.q), len(self._program.h)
        fixed, rows = np.zeros(n, dtype=np.int8), np.zeros(m, dtype=bool)
        for number in self._active:
            if number < m:
                rows[number] = True
            else:
                fixed[(number - m) % n] = 1 if number < m + n else -1
        return fixed, rows

    def _name(self, number: int) -> str:
        n, m = len(self._program.q), len(self._program.h)
        if number < m:
            return f"row {number} (at most {self._program.h[number]:g})"
        i = (number - m) % n
        if number < m + n:
            return f"the upper bound {self._program.upper[i]:g} of variable {i}"
        return f"the lower bound {self._program.lower[i]:g} of variable {i}"

    def _contradiction(self, added: int, excess: float) -> InfeasibleError:
        names = [self._name(number) for number in self._active[:4]]
        others = f" with {', '.join(names)}" if names else ""
        more = f" and {len(self._active) - 4} more" if len(self._active) > 4 else ""  # noqa: PLR2004 - keep it short
        equal = " and the equalities" if len(self._program.b) else ""
        return InfeasibleError(
            f"{self._name(added)} cannot hold{others}{more}{equal}: it is exceeded by {excess:.6g} at best",
            value=excess,
        )

    def _require_equalities(self) -> None:
        off = np.abs(self._program.A @ self._x - self._program.b)
        allowed = 1e-9 * max(1.0, float(np.abs(self._program.b).max()))
        if off.max() > allowed:
            row = int(np.argmax(off))
            raise InfeasibleError(
                f"equality {row} contradicts the others: it is off by {off[row]:.6g} at best", value=float(off[row])
            )

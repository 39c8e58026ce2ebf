"""The linear system of a step of the interior point method, reduced by elimination of most rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.tolerances import EXACT, TINY
from bank_python.numerics.triangular import cholesky_solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics.columns import FloatArray
    from bank_python.numerics.penalty_program import PenaltyProgram

__all__ = ["NewtonSystem"]

_RIDGE = 1e-14  # added to the unit diagonal of a matrix without a Cholesky factor; tenfold until it has one


class NewtonSystem:
    """The factored Newton system, in which only the equalities and the wide rows are not eliminated.

    A hard row over many variables (a target, a group limit) has a large weight, which would swamp the other rows in
    rounding, so it is treated like an equality. Where variables are interchangeable, such as two identical assets, the
    reduced matrix is singular except for their bounds: a ridge is then added to its diagonal, and the next step
    corrects its error.
    """

    def __init__(self, rows: PenaltyProgram, weight: FloatArray, wide: NDArray[np.intp]) -> None:
        self._rows, self._wide, self._weight = rows, wide, weight.copy()
        self._weight[wide] = 0.0
        self._border = np.vstack([rows.A, rows.E[wide]])
        curved = rows.curvature(self._weight)
        self._border_weight = _border_weight(curved, self._border)
        self._weight[wide] = np.minimum(0.5 * weight[wide], self._border_weight)
        part = np.append(np.full(len(rows.b), self._border_weight), self._weight[wide])
        curved = curved + (self._border * part[:, None]).T @ self._border
        self._unit = 1.0 / np.sqrt(np.maximum(np.diag(curved), TINY))
        self._factor = _factor(curved * self._unit[:, None] * self._unit)
        self._spread = self._inverted(self._border.T)
        give = np.concatenate([np.zeros(len(rows.b)), 1.0 / (weight[wide] - self._weight[wide])])
        self._schur = self._border @ self._spread + np.diag(give)

    def solve(self, dual: FloatArray, equal: FloatArray, lifted: FloatArray) -> tuple[FloatArray, ...]:
        """Return the step of the variables, of the equalities' multipliers and of the rows'."""
        right = -dual - self._rows.combination(self._weight * lifted) - self._border_weight * equal @ self._rows.A
        dx = self._inverted(right[:, None])[:, 0]
        duals = np.zeros(0)
        if len(self._border):
            duals = self._border_duals(self._border @ dx + np.concatenate([equal, lifted[self._wide]]))
            dx = dx - self._spread @ duals
        dz = self._weight * (self._rows.values(dx) + lifted)
        dz[self._wide] += duals[len(equal) :]
        return dx, duals[: len(equal)], dz

    def _border_duals(self, right: FloatArray) -> FloatArray:
        """Return the multipliers of the border's rows: those of least norm, so that dependent rows do not diverge."""
        unit = 1.0 / np.sqrt(np.maximum(np.diag(self._schur), TINY))
        scaled = self._schur * unit[:, None] * unit
        return np.asarray(unit * np.linalg.lstsq(scaled, unit * right, rcond=EXACT)[0])

    def _inverted(self, right: FloatArray) -> FloatArray:
        return self._unit[:, None] * cholesky_solve(self._factor, self._unit[:, None] * right)


def _border_weight(curved: FloatArray, border: FloatArray) -> float:
    """Return a weight that makes the border's outer products about as large as the curvature they are added to.

    For an equality this addition does not change the step; for a wide row it is a part of its weight. Without it the
    curvature is singular if these rows alone determine a variable.
    """
    size, trace = float((border * border).sum()), float(np.trace(curved))
    return trace / size if size > 0.0 and trace > 0.0 else 1.0


def _factor(matrix: FloatArray) -> FloatArray:
    """Return the Cholesky factor of a matrix with a unit diagonal, with a ridge added if it has none."""
    ridge = 0.0
    while ridge < 1.0:
        try:
            return np.asarray(np.linalg.cholesky(matrix + ridge * np.eye(len(matrix))))
        except np.linalg.LinAlgError:
            ridge = max(_RIDGE, 10.0 * ridge)
    raise np.linalg.LinAlgError("the matrix has a value that is not finite")

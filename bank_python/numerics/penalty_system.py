"""The linear system of a step of the interior point, with all rows that can be eliminated eliminated."""

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

_RIDGE = 1e-14  # added to a diagonal of ones that has no Cholesky factor; ten times as much each time it has none


class NewtonSystem:
    """The Newton system with all rows eliminated but the equalities and the wide rows, factored.

    A row that must hold and is over many variables (a target, a group) would drown in its own weight what the others
    say, so it stands beside the equalities. Where variables do the same, as two equal assets, what is left is singular
    but for what their bounds add: then a little is added to its diagonal, and what that is off by is made good at the
    next step.
    """

    def __init__(self, rows: PenaltyProgram, weight: FloatArray, wide: NDArray[np.intp]) -> None:
        self._rows, self._wide, self._weight = rows, wide, weight.copy()
        self._weight[wide] = 0.0
        self._border = np.vstack([rows.A, rows.E[wide]])
        curved = rows.curved(self._weight)
        self._push = _push(curved, self._border)
        self._weight[wide] = np.minimum(0.5 * weight[wide], self._push)
        part = np.append(np.full(len(rows.b), self._push), self._weight[wide])
        curved = curved + (self._border * part[:, None]).T @ self._border
        self._unit = 1.0 / np.sqrt(np.maximum(np.diag(curved), TINY))
        self._factor = _factor(curved * self._unit[:, None] * self._unit)
        self._spread = self._inverted(self._border.T)
        give = np.concatenate([np.zeros(len(rows.b)), 1.0 / (weight[wide] - self._weight[wide])])
        self._schur = self._border @ self._spread + np.diag(give)

    def solve(self, dual: FloatArray, equal: FloatArray, lifted: FloatArray) -> tuple[FloatArray, ...]:
        """Return the step of the variables, of the equalities' multipliers and of the rows'."""
        right = -dual - self._rows.back(self._weight * lifted) - self._push * equal @ self._rows.A
        dx = self._inverted(right[:, None])[:, 0]
        held = np.zeros(0)
        if len(self._border):
            held = self._nearest(self._border @ dx + np.concatenate([equal, lifted[self._wide]]))
            dx = dx - self._spread @ held
        dz = self._weight * (self._rows.ahead(dx) + lifted)
        dz[self._wide] += held[len(equal) :]
        return dx, held[: len(equal)], dz

    def _nearest(self, right: FloatArray) -> FloatArray:
        """Return the multipliers; where equalities depend on each other the least of them, so that none drifts off."""
        unit = 1.0 / np.sqrt(np.maximum(np.diag(self._schur), TINY))
        scaled = self._schur * unit[:, None] * unit
        return np.asarray(unit * np.linalg.lstsq(scaled, unit * right, rcond=EXACT)[0])

    def _inverted(self, right: FloatArray) -> FloatArray:
        return self._unit[:, None] * cholesky_solve(self._factor, self._unit[:, None] * right)


def _push(curved: FloatArray, border: FloatArray) -> float:
    """Return how much of the border's squares to put into the curvature, about as much as is there.

    Of an equality's squares that changes no step; of a wide row it is that part of its weight. It is wanted where
    nothing but these rows holds a variable.
    """
    size, there = float((border * border).sum()), float(np.trace(curved))
    return there / size if size > 0.0 and there > 0.0 else 1.0


def _factor(matrix: FloatArray) -> FloatArray:
    """Return the Cholesky factor of a matrix with ones on its diagonal, or of one that is a little more definite."""
    ridge = 0.0
    while ridge < 1.0:
        try:
            return np.asarray(np.linalg.cholesky(matrix + ridge * np.eye(len(matrix))))
        except np.linalg.LinAlgError:
            ridge = max(_RIDGE, 10.0 * ridge)
    raise np.linalg.LinAlgError("a figure is not finite")

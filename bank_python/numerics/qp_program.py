"""What a convex quadratic program is, for all the methods that solve one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bank_python.numerics.columns import FloatArray

__all__ = ["QuadraticProgram"]


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticProgram:
    """A program, all its parts given as arrays; made by :func:`~bank_python.numerics.solve_qp`, which checks them.

    Parameters
    ----------
    P : ndarray, shape (n, n)
        Symmetric, positive definite.
    q : ndarray, shape (n,)
        Linear cost.
    A, b : ndarray, shape (equalities, n) and (equalities,)
        Equalities.
    G, h : ndarray, shape (rows, n) and (rows,)
        Inequalities.
    lower, upper : ndarray, shape (n,)
        Bounds; infinite where there is none.
    factor : ndarray, shape (n, n), optional
        The Cholesky factor of P, where it is at hand.
    """

    P: FloatArray
    q: FloatArray
    A: FloatArray
    b: FloatArray
    G: FloatArray
    h: FloatArray
    lower: FloatArray
    upper: FloatArray
    factor: FloatArray | None

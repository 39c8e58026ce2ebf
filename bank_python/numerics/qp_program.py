"""The data of a convex quadratic program, shared by all methods that solve one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.display import Record

if TYPE_CHECKING:
    from bank_python.numerics.columns import FloatArray

__all__ = ["QuadraticProgram"]


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticProgram(Record):
    """A quadratic program as arrays, which :func:`~bank_python.numerics.solve_qp` has checked.

    Parameters
    ----------
    P : ndarray, shape (n, n)
        Symmetric, positive definite matrix of the quadratic term.
    q : ndarray, shape (n,)
        Coefficients of the linear term.
    A, b : ndarray, shape (equalities, n) and (equalities,)
        Equality constraints ``A x = b``.
    G, h : ndarray, shape (rows, n) and (rows,)
        Inequality constraints ``G x <= h``.
    lower, upper : ndarray, shape (n,)
        Bounds of the variables; infinite where there is none.
    factor : ndarray, shape (n, n), optional
        Cholesky factor of P, if it is already computed.
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

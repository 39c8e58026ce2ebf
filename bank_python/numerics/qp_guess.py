r"""A guess of the active bounds of a large quadratic program, in a fraction of the time that one linear system takes.

Block pivoting uses every linear system but the last only to find which variables leave their bounds. So the first
systems are solved to two digits: by conjugate gradients with a diagonal preconditioner, in single precision, each
started from the solution of the previous one. Inequality rows are ignored, and pivoting corrects wrong guesses.

References
----------
J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd edition, Springer 2006: algorithm 5.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics.qp_program import QuadraticProgram

__all__ = ["guessed_bounds"]

_CLOSER = (0.03, 0.01, 0.003)
_STEPS = 60
_TINY = np.float32(1e-30)


def guessed_bounds(program: QuadraticProgram) -> NDArray[np.int8]:
    """Return a guess of the variables at their lower (-1) and upper (+1) bounds; 0 for the others.

    Parameters
    ----------
    program : QuadraticProgram
        Program of many variables, with a positive diagonal of P.
    """
    P, A, lower, upper = program.P, program.A, program.lower, program.upper
    fixed = np.zeros(len(lower), dtype=np.int8)
    solved = np.zeros((len(lower), 1 + len(A)), dtype=np.float32)
    light = P.astype(np.float32)
    for close in _CLOSER:
        free = fixed == 0
        if not free.any():
            return fixed
        at = np.where(fixed < 0, lower, np.where(fixed > 0, upper, 0.0))
        cost = program.q + (P @ at if at.any() else 0.0)
        with np.errstate(all="ignore"):  # an overflow of single precision ends the guessing below
            solved = _solved(light, np.column_stack([-cost, A.T]).astype(np.float32), free, solved, close)
        if not np.isfinite(solved).all():
            return fixed
        duals = np.linalg.lstsq(A @ solved[:, 1:], A @ (solved[:, 0] + at) - program.b, rcond=None)[0]
        x = solved[:, 0] - solved[:, 1:] @ duals + at
        pull = P @ x + program.q
        # The gradients of the free variables would be 0 in an exact solution: their part due to A is subtracted.
        slope = pull - A.T @ np.linalg.lstsq(A[:, free].T, pull[free], rcond=None)[0]
        low, high = free & (x < lower), free & (x > upper)
        leave = ((fixed < 0) & (slope < 0.0)) | ((fixed > 0) & (slope > 0.0))
        fixed = np.where(low, -1, np.where(high, 1, np.where(leave, 0, fixed))).astype(np.int8)
    return fixed


def _solved(
    P: NDArray[Any], right: NDArray[Any], free: NDArray[np.bool_], start: NDArray[Any], close: float
) -> NDArray[Any]:
    """Solve for the free variables, all right sides at once, until residuals have fallen by the factor `close`."""
    mask = free[:, None].astype(np.float32)
    weight = mask / np.diag(P)[:, None]
    x = start * mask
    left = (right - _times(P, x)) * mask
    size = np.einsum("ij,ij->j", right * weight, right)
    way = ahead = weight * left
    now = np.einsum("ij,ij->j", left, ahead)
    for _ in range(_STEPS):
        if (now <= close**2 * size).all():
            break
        pull = _times(P, way) * mask
        step = now / np.maximum(np.einsum("ij,ij->j", way, pull), _TINY)
        x, left = x + step * way, left - step * pull
        ahead = weight * left
        before, now = now, np.einsum("ij,ij->j", left, ahead)
        way = ahead + now / np.maximum(before, _TINY) * way
    return x


def _times(P: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """Multiply column by column, which is as fast as a product with a matrix of two columns."""
    return np.column_stack([P @ column if column.any() else column for column in np.ascontiguousarray(x.T)])

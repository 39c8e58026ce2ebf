"""Linear systems: with a given Cholesky factor, positive definite ones, and possibly singular ones.

Examples
--------
>>> matrix = np.array([[4.0, 2.0], [2.0, 5.0]])
>>> cholesky_solve(np.linalg.cholesky(matrix), np.array([[8.0], [12.0]])).ravel().tolist()
[1.0, 2.0]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bank_python.numerics.columns import FloatArray

__all__ = ["cholesky_solve", "definite_solve", "solved_or_nearest"]

_BLOCK = 64
_SMALL = 128
_OFF = 1e-6


def cholesky_solve(factor: FloatArray, right: FloatArray) -> FloatArray:
    """Solve :math:`L L^T x = r` by blocks.

    Parameters
    ----------
    factor : ndarray, shape (n, n)
        Cholesky factor L: lower triangular with a positive diagonal.
    right : ndarray, shape (n, k)
        Right sides r, one in each column.
    """
    x, n = np.array(right, dtype=np.float64), len(factor)
    starts = range(0, n, _BLOCK)
    for start in starts:
        stop = min(start + _BLOCK, n)
        x[start:stop] = np.linalg.solve(factor[start:stop, start:stop], x[start:stop])
        x[stop:] -= factor[stop:, start:stop] @ x[start:stop]
    for start in reversed(starts):
        stop = min(start + _BLOCK, n)
        x[start:stop] = np.linalg.solve(factor[start:stop, start:stop].T, x[start:stop])
        x[:start] -= factor[start:stop, :start].T @ x[start:stop]
    return x


def definite_solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a symmetric, positive definite system by the factorisation that is faster for its size.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Symmetric, positive definite matrix of the system.
    right : ndarray, shape (n, k)
        Right sides, one in each column.

    Raises
    ------
    numpy.linalg.LinAlgError
        A large matrix is not positive definite, or a small one is singular.
    """
    if len(matrix) <= _SMALL:  # one LAPACK call is faster than the blocks of cholesky_solve, despite twice the work
        return np.asarray(np.linalg.solve(matrix, right))
    return cholesky_solve(np.asarray(np.linalg.cholesky(matrix)), right)


def solved_or_nearest(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a linear system; if it is singular, return the least-squares solution of least norm.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Square matrix of the system, which may be singular.
    right : ndarray, shape (n,)
        Right side of the system.
    """
    try:
        found = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        found = np.full(len(right), np.nan)
    off = np.abs(matrix @ found - right).max(initial=0.0)
    if off <= _OFF * np.abs(right).max(initial=0.0):
        return np.asarray(found)
    return np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0])

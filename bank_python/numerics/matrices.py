r"""Covariance and correlation matrices: repair of indefinite ones, and matrix square roots.

Correlations that were estimated pair by pair, rounded or shocked may form a matrix with a negative eigenvalue, which is
not positive semidefinite and so not the correlation matrix of any distribution. The nearest correlation matrix in the
Frobenius norm is found by Higham's method: alternating projections onto the positive semidefinite matrices (negative
eigenvalues are set to 0) and onto the matrices with a unit diagonal, with Dykstra's correction, without which the
iteration would converge to a correlation matrix that is not the nearest.

Examples
--------
>>> broken = np.array([[1.0, 0.9, 0.7], [0.9, 1.0, -0.4], [0.7, -0.4, 1.0]])
>>> repaired = nearest_correlation(broken)
>>> repaired.round(4).tolist()[0], bool(np.linalg.eigvalsh(repaired)[0] > -1e-12)
([1.0, 0.6942, 0.5259], True)

References
----------
N. J. Higham, "Computing a nearest symmetric positive semidefinite matrix", Linear Algebra and its Applications 103
(1988), 103-118.

N. J. Higham, "Computing the nearest correlation matrix: a problem from finance", IMA Journal of Numerical Analysis 22
(2002), 329-343: algorithm 3.3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import MatrixError
from bank_python.numerics.tolerances import EPSILON, SYMMETRIC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["cholesky", "nearest_correlation", "nearest_psd", "semidefinite_root"]


def nearest_psd(matrix: ArrayLike) -> FloatArray:
    """Return the positive semidefinite matrix nearest to a symmetric one, in the Frobenius norm.

    Parameters
    ----------
    matrix : array_like, shape (n, n)
        Symmetric matrix of finite values.

    Raises
    ------
    MatrixError
        The matrix is not square, symmetric and finite.
    """
    return _projected(_symmetric(matrix), 0.0)


def nearest_correlation(
    matrix: ArrayLike, *, least_eigenvalue: float = 0.0, tolerance: float = 1e-12, max_iterations: int = 10_000
) -> FloatArray:
    """Return the correlation matrix nearest to a symmetric matrix, in the Frobenius norm.

    Parameters
    ----------
    matrix : array_like, shape (n, n)
        Symmetric matrix of finite values; its diagonal is replaced by ones.
    least_eigenvalue : float, default 0.0
        Lower limit of the eigenvalues of the result, in [0, 1). A value slightly above 0 gives a matrix with a
        Cholesky factor.
    tolerance : float, default 1e-12
        Largest change of an element in the last iteration.
    max_iterations : int, default 10,000
        Maximum number of iterations.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric matrix with a unit diagonal, whose eigenvalues are at least `least_eigenvalue` up to rounding.

    Raises
    ------
    MatrixError
        The matrix is not square, symmetric and finite, `least_eigenvalue` is out of range, or the iteration did not
        converge.

    Examples
    --------
    >>> nearest_correlation([[1, 1, 0], [1, 1, 1], [0, 1, 1]]).round(4)  # Higham (2002), section 4
    array([[1.    , 0.7607, 0.1573],
           [0.7607, 1.    , 0.7607],
           [0.1573, 0.7607, 1.    ]])
    """
    if not 0.0 <= least_eigenvalue < 1.0:
        raise MatrixError(f"least_eigenvalue={least_eigenvalue!r} is outside [0, 1)", value=least_eigenvalue)
    given = _symmetric(matrix).copy()
    np.fill_diagonal(given, 1.0)
    current, correction = given, np.zeros_like(given)
    for _ in range(max_iterations):
        target = current - correction
        projected = _projected(target, least_eigenvalue)
        correction = projected - target
        moved = projected.copy()
        np.fill_diagonal(moved, 1.0)
        change = max(float(np.abs(moved - current).max()), float(np.abs(np.diag(projected) - 1.0).max()))
        current = moved
        if change <= tolerance:
            return _with_unit_diagonal(_projected(current, least_eigenvalue))
    raise MatrixError(
        f"no convergence to {tolerance:g} after {max_iterations} iterations; raise max_iterations or tolerance",
        value=max_iterations,
    )


def cholesky(matrix: ArrayLike) -> FloatArray:
    """Return the Cholesky factor of a positive definite matrix, which is lower triangular.

    Parameters
    ----------
    matrix : array_like, shape (n, n)
        Symmetric, positive definite matrix.

    Raises
    ------
    MatrixError
        The matrix is not symmetric and positive definite; the message gives its least eigenvalue, and the size of the
        first leading block that is not.

    Examples
    --------
    >>> cholesky([[4.0, 2.0], [2.0, 5.0]])
    array([[2., 0.],
           [1., 2.]])
    """
    given = _symmetric(matrix)
    try:
        return np.asarray(np.linalg.cholesky(given))
    except np.linalg.LinAlgError:
        least = float(np.linalg.eigvalsh(given)[0])
        first = next(k for k in range(1, len(given) + 1) if not _is_definite(given[:k, :k]))
        raise MatrixError(
            f"the matrix is not positive definite: its least eigenvalue is {least:.3g}, and the block of its first "
            f"{first} rows and columns is not either; repair it with nearest_correlation or nearest_psd, or use "
            "semidefinite_root",
            value=least,
        ) from None


def semidefinite_root(matrix: ArrayLike) -> FloatArray:
    """Return a matrix A with A Aᵀ equal to a positive semidefinite matrix, which may be singular.

    Parameters
    ----------
    matrix : array_like, shape (n, n)
        Symmetric matrix whose eigenvalues are at least 0 up to rounding.

    Raises
    ------
    MatrixError
        The matrix is not symmetric, or an eigenvalue is negative by more than rounding.
    """
    given = _symmetric(matrix)
    values, vectors = np.linalg.eigh(given)
    scale = max(float(np.abs(values).max()), 0.0)
    if values[0] < -len(given) * 64.0 * EPSILON * scale:
        raise MatrixError(
            f"the matrix is not positive semidefinite: its least eigenvalue is {values[0]:.3g}; repair it with "
            "nearest_psd or nearest_correlation",
            value=float(values[0]),
        )
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _symmetric(matrix: ArrayLike) -> FloatArray:
    given = np.asarray(matrix, dtype=float)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:  # noqa: PLR2004 - a matrix has two axes
        raise MatrixError(f"an array of shape {given.shape} is not a square matrix; give one", value=given.shape)
    if not np.isfinite(given).all():
        raise MatrixError("the matrix has a value that is not finite; correct it", value=math.nan)
    off = float(np.abs(given - given.T).max())
    if off > SYMMETRIC * max(float(np.abs(given).max()), 1.0):
        raise MatrixError(
            f"the matrix is not symmetric: it differs from its transpose by up to {off:.3g}; correct it", value=off
        )
    return np.asarray(0.5 * (given + given.T))


def _projected(matrix: FloatArray, least: float) -> FloatArray:
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= least:
        return matrix
    clipped = (vectors * np.maximum(values, least)) @ vectors.T
    return np.asarray(0.5 * (clipped + clipped.T))


def _with_unit_diagonal(matrix: FloatArray) -> FloatArray:
    """Return the matrix scaled to a diagonal of exactly ones, which the last projection meets up to rounding only."""
    root = np.sqrt(np.diag(matrix))
    scaled = np.asarray(matrix / np.outer(root, root))
    np.fill_diagonal(scaled, 1.0)
    return scaled


def _is_definite(matrix: FloatArray) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True

r"""Shifts of all correlations by the same amount, and the range in which they leave a correlation matrix.

The shifted matrix :math:`R + \delta A`, with A = 11ᵀ − I, has no negative eigenvalue exactly for δ in an interval
around 0. With the eigenvalues of :math:`R^{-1/2} A R^{-1/2}`, of which the largest is above 0 and the least below,

.. math:: -\frac{1}{\lambda_{\max}} \le \delta \le -\frac{1}{\lambda_{\min}} .

If all n assets have the same correlation ρ, the interval is that in which ρ + δ is at least −1/(n − 1) and at most 1.
Clipping single correlations to [−1, 1] is not enough: they may all lie inside while the matrix has a negative
eigenvalue, and so a portfolio a negative variance.

Examples
--------
>>> equal = 0.3 * np.ones((4, 4)) + 0.7 * np.eye(4)
>>> [round(end, 6) for end in shift_range(equal)]  # -1/3 - 0.3 and 1 - 0.3
[-0.633333, 0.7]

References
----------
N. J. Higham, "Computing the nearest correlation matrix: a problem from finance", IMA Journal of Numerical Analysis 22
(2002), 329-343: what takes the place of a shift beyond the range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import MatrixError
from bank_python.numerics.matrices import cholesky, nearest_correlation

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["common_shift", "nearest_shift", "shift_range"]

LEAST_EIGENVALUE = 1e-8
"""Smallest eigenvalue of a matrix that takes the place of an invalid shift, so that weights are determined."""


def shift_range(correlation: FloatArray) -> tuple[float, float]:
    """Return the smallest and the largest shift of all correlations that leave a correlation matrix.

    Parameters
    ----------
    correlation : ndarray, shape (n, n)
        Positive definite correlation matrix of two assets or more.

    Raises
    ------
    MatrixError
        The matrix is not positive definite, or has one row only.
    """
    n = len(correlation)
    if n < 2:  # noqa: PLR2004 - a pair
        raise MatrixError("one asset has no correlations to shift; give two or more", value=n)
    factor = cholesky(correlation)
    half = np.linalg.solve(factor, np.ones((n, n)) - np.eye(n))
    values = np.linalg.eigvalsh(np.linalg.solve(factor, half.T))
    return -1.0 / float(values[-1]), -1.0 / float(values[0])


def common_shift(correlation: FloatArray, shift: float) -> FloatArray:
    """Return the matrix with all correlations shifted by the same amount, valid or not."""
    moved = correlation + shift
    np.fill_diagonal(moved, 1.0)
    return np.asarray(moved)


def nearest_shift(correlation: FloatArray, shift: float) -> tuple[FloatArray, float]:
    """Return the correlation matrix nearest to a shifted one, and its distance from it in the Frobenius norm.

    Parameters
    ----------
    correlation : ndarray, shape (n, n)
        Positive definite correlation matrix.
    shift : float
        Amount that is added to all correlations, finite.

    Raises
    ------
    MatrixError
        The nearest matrix was not found.
    """
    moved = common_shift(correlation, shift)
    if np.linalg.eigvalsh(moved)[0] >= LEAST_EIGENVALUE:
        return moved, 0.0
    nearest = nearest_correlation(moved, least_eigenvalue=LEAST_EIGENVALUE)
    return nearest, float(np.linalg.norm(nearest - moved))

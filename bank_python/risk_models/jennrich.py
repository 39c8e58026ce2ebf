r"""Jennrich's statistic of the equality of several correlation matrices.

With correlation matrices :math:`R_i` of k independent samples of :math:`n_i` observations each, and

.. math:: \bar R = \frac{\sum_i n_i R_i}{\sum_i n_i} , \qquad Z_i = \sqrt{n_i}\,\bar R^{-1} (R_i - \bar R) , \qquad
          S = I + \bar R \circ \bar R^{-1} ,

the statistic

.. math:: \sum_i \Bigl(\tfrac12 \operatorname{tr} Z_i^2
          - \operatorname{diag}(Z_i)^\top S^{-1} \operatorname{diag}(Z_i)\Bigr)

has for large samples of independent normal observations with equal correlations a chi-squared distribution with
(k − 1) p (p − 1)/2 degrees of freedom.

Examples
--------
For two samples of two assets it is :math:`\frac{n_1 n_2}{n_1 + n_2} \frac{(r_1 - r_2)^2}{(1 - \bar r^2)^2}`:

>>> two = np.array([[[1.0, 0.8], [0.8, 1.0]], [[1.0, 0.6], [0.6, 1.0]]])
>>> round(float(jennrich_statistic(two, np.array([250, 250]))), 10), jennrich_degrees(2, 2)
(19.2233756248, 1)

References
----------
R. I. Jennrich, "An asymptotic chi-square test for the equality of two correlation matrices", Journal of the American
Statistical Association 65 (1970), 904-912.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import MatrixError
from bank_python.numerics.tolerances import EPSILON

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["jennrich_degrees", "jennrich_statistic"]

_WORST_CONDITION = 1.0 / (16.0 * EPSILON)


def jennrich_statistic(correlations: FloatArray, counts: FloatArray) -> FloatArray:
    """Return Jennrich's statistic of samples, or of many sets of samples at once.

    Parameters
    ----------
    correlations : ndarray, shape (..., samples, assets, assets)
        Correlation matrices of the samples; single ones may be singular.
    counts : ndarray, shape (samples,)
        Number of observations of each sample.

    Returns
    -------
    ndarray, shape (...)
        Statistic of each set of samples.

    Raises
    ------
    MatrixError
        The mean correlation matrix of a set is singular.
    """
    n = np.asarray(counts, dtype=np.float64)
    mean = np.einsum("...kij,k->...ij", correlations, n / n.sum())
    condition = float(np.max(np.linalg.cond(mean)))
    if not condition <= _WORST_CONDITION:
        raise MatrixError(
            "the mean of the correlation matrices is singular; leave out an asset that others make up, or give more "
            "observations",
            value=condition,
        )
    inverse = np.linalg.inv(mean)
    scaled = np.sqrt(n)[:, None, None] * (inverse[..., None, :, :] @ (correlations - mean[..., None, :, :]))
    squares = 0.5 * np.einsum("...kij,...kji->...", scaled, scaled)
    diagonal = np.einsum("...kii->...ki", scaled)
    weights = np.eye(mean.shape[-1]) + mean * inverse
    within = np.linalg.solve(weights, np.swapaxes(diagonal, -1, -2))
    return np.asarray(np.maximum(squares - np.einsum("...ki,...ik->...", diagonal, within), 0.0))


def jennrich_degrees(samples: int, assets: int) -> int:
    """Return the degrees of freedom of the statistic, (samples − 1) × the number of pairs of assets."""
    return (samples - 1) * assets * (assets - 1) // 2

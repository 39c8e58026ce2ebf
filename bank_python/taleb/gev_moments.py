r"""Generalised extreme value distributions by probability-weighted moments, for one sample or for many at once.

With the moments :math:`b_r = E[Z F(Z)^r]`, the shape solves

.. math:: \frac{3b_2 - b_0}{2b_1 - b_0} = \frac{3^\xi - 1}{2^\xi - 1} ,

and scale and location follow. The left side is between 1 and 2 for every sample, so that the estimate always exists,
with ξ below 1.

Examples
--------
>>> maxima = -np.log(-np.log((np.arange(1, 200) - 0.35) / 199.0))  # a Gumbel distribution
>>> abs(gev_moments(maxima[None, :]) - [0.0, 1.0, 0.0]).max() < 0.02
np.True_

References
----------
J. R. M. Hosking, J. R. Wallis and E. F. Wood, "Estimation of the generalized extreme-value distribution by the method
of probability-weighted moments", Technometrics 27 (1985), 251-261.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.roots import find_roots

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["gev_moments"]

_LEAST, _MOST = -60.0, 1.0 - 1e-12  # shapes at which the ratio of moments is 1 and 2 to rounding
_LIGHT = 1e-7  # a smaller shape is taken as this one, so that no difference cancels


def gev_moments(samples: FloatArray) -> FloatArray:
    """Return the estimates (μ, σ, ξ) of samples, shape (rows, 3).

    Parameters
    ----------
    samples : ndarray, shape (rows, n)
        Samples of block maxima, one a row; n ≥ 3, not all equal in a row.
    """
    ordered = np.sort(samples, axis=1)
    n = ordered.shape[1]
    rank = np.arange(n, dtype=np.float64)
    zero = ordered.mean(axis=1)
    one = ordered @ rank / (n * (n - 1))
    two = ordered @ (rank * (rank - 1.0)) / (n * (n - 1) * (n - 2))
    spread = 2.0 * one - zero
    ratio = np.clip((3.0 * two - zero) / spread, 1.0 + 1e-12, _ratio(np.array([_MOST]))[0])
    xi = find_roots(lambda shape: _ratio(shape) - ratio, np.full(len(ratio), _LEAST), np.full(len(ratio), _MOST))
    xi = _away_from_zero(xi)
    gamma = np.array([math.gamma(1.0 - shape) for shape in xi.tolist()])
    sigma = spread * xi / (gamma * np.expm1(xi * math.log(2.0)))
    return np.stack([zero - sigma * (gamma - 1.0) / xi, sigma, xi], axis=1)


def _ratio(xi: FloatArray) -> FloatArray:
    used = _away_from_zero(xi)
    return np.asarray(np.expm1(used * math.log(3.0)) / np.expm1(used * math.log(2.0)))


def _away_from_zero(xi: FloatArray) -> FloatArray:
    return np.where(np.abs(xi) < _LIGHT, np.copysign(_LIGHT, xi), xi)

r"""Log-likelihood of a generalised extreme value distribution, with its gradient and Hessian, at many parameters.

With :math:`y = (z - \mu)/\sigma` and :math:`a = \log(1 + \xi y)/\xi`, an observation z has the log-likelihood

.. math:: -\log\sigma - (1 + \xi)\,a - e^{-a} .

Examples
--------
>>> found = gev_likelihood(np.array([0.5, 1.0, 2.5]), np.array([[1.0, 0.0, 0.1], [1.0, 0.0, 0.0]]))
>>> found.value.round(4)
array([-3.8905, -3.8719])

References
----------
P. Prescott and A. T. Walden, "Maximum likelihood estimation of the parameters of the generalized extreme-value
distribution", Biometrika 67 (1980), 723-724.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.risk_models.gpd_likelihood import Likelihood

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["gev_likelihood"]

_LIGHT = 1e-5  # nearer to 0, the derivatives are those at this shape: terms in 1/ξ² would cancel


def gev_likelihood(maxima: FloatArray, points: FloatArray) -> Likelihood:
    """Return the log-likelihood in (μ, log σ, ξ) with its derivatives.

    Parameters
    ----------
    maxima : ndarray, shape (n,)
        Block maxima.
    points : ndarray, shape (rows, 3)
        Locations, logarithms of scales, and shapes.
    """
    mu, tau, given = (points[:, i, None] for i in range(3))
    xi = np.where(np.abs(given) < _LIGHT, np.copysign(_LIGHT, given), given)
    with np.errstate(all="ignore"):
        sigma = np.exp(tau)
        y = (maxima - mu) / sigma
        x = xi * y
        allowed = x.min(axis=1) > -1.0
        v = 1.0 / (1.0 + x)
        a = np.log1p(x) / xi
        t = np.exp(-a)
        by_a, b = t - 1.0 - xi, (y * v - a) / xi  # b is the derivative of a in ξ
        by_y, by_xi = by_a * v, by_a * b - a
        twice_y = -v * v * (t + xi * by_a)
        y_and_xi = -v * (1.0 + t * b + by_a * y * v)
        twice_xi = -2.0 * b - t * b * b - by_a * (y * y * v * v + 2.0 * b) / xi
        value = (-tau - (1.0 + xi) * a - t).sum(axis=1) + (given - xi)[:, 0] * by_xi.sum(axis=1)
        gradient = np.stack([-by_y / sigma, -1.0 - by_y * y, by_xi], axis=1).sum(axis=-1)
        parts = {
            (0, 0): twice_y / (sigma * sigma),
            (0, 1): (twice_y * y + by_y) / sigma,
            (0, 2): -y_and_xi / sigma,
            (1, 1): (twice_y * y + by_y) * y,
            (1, 2): -y_and_xi * y,
            (2, 2): twice_xi,
        }
        hessian = np.empty((len(points), 3, 3))
        for (i, j), part in parts.items():
            hessian[:, i, j] = hessian[:, j, i] = part.sum(axis=1)
    return Likelihood(np.where(allowed, value, -np.inf), gradient, hessian)

r"""Log-likelihood of a generalised Pareto distribution with its gradient and Hessian, for many parameters at once.

With :math:`x_i = \xi z_i/\beta` and :math:`\tau = \log\beta`,

.. math:: \ell(\xi, \tau) = -n\tau - \Big(1 + \frac1\xi\Big)\sum_i \log(1 + x_i) ,

whose derivatives need two more sums, of :math:`q_i = (z_i/\beta)/(1 + x_i)` and of its square.

Examples
--------
>>> found = gpd_likelihood(np.array([0.5, 1.0, 2.5]), [0.2, 0.0], [0.1, 0.1])
>>> found.value.round(4)
array([-4.0571, -3.9193])

References
----------
R. L. Smith, "Estimating tails of probability distributions", Annals of Statistics 15 (1987), 1174-1207.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["Likelihood", "gpd_likelihood"]

_LIGHT = 1e-5  # nearer to 0, the derivatives are those at this shape: terms in 1/ξ² would cancel


class Likelihood(NamedTuple):
    """A log-likelihood for rows of parameters.

    Parameters
    ----------
    value : ndarray, shape (rows,)
        Log-likelihood; −∞ outside the support.
    gradient : ndarray, shape (rows, p)
        First derivatives.
    hessian : ndarray, shape (rows, p, p)
        Second derivatives.
    """

    value: FloatArray
    gradient: FloatArray
    hessian: FloatArray


def gpd_likelihood(excesses: FloatArray, xi: ArrayLike, log_beta: ArrayLike) -> Likelihood:
    """Return the log-likelihood in ξ and log β with its derivatives.

    Parameters
    ----------
    excesses : ndarray, shape (n,)
        Losses less the threshold, above 0.
    xi, log_beta : array_like, shape (rows,)
        Shapes and logarithms of scales.
    """
    xi, tau = np.atleast_1d(np.asarray(xi, dtype=np.float64)), np.atleast_1d(np.asarray(log_beta, dtype=np.float64))
    used = np.where(np.abs(xi) < _LIGHT, np.copysign(_LIGHT, xi), xi)
    n = len(excesses)
    with np.errstate(all="ignore"):
        w = np.multiply.outer(np.exp(-tau), excesses)
        x = used[:, None] * w
        allowed = x.min(axis=1) > -1.0
        w /= 1.0 + x
        logs, q, q2 = np.log1p(x, out=x).sum(axis=1), w.sum(axis=1), np.einsum("ij,ij->i", w, w)
        inverse = 1.0 / used
        by_xi = inverse * (inverse * logs - q) - q
        value = -n * tau - (1.0 + inverse) * logs + (xi - used) * by_xi
        mixed = q - (1.0 + used) * q2
        by_xi_twice = 2.0 * inverse * inverse * (q - inverse * logs) + (1.0 + inverse) * q2
        by_tau_twice = (1.0 + used) * (used * q2 - q)
        gradient = np.stack([by_xi, (1.0 + used) * q - n], axis=1)
    hessian = np.stack([by_xi_twice, mixed, mixed, by_tau_twice], axis=1).reshape(-1, 2, 2)
    return Likelihood(np.where(allowed, value, -np.inf), gradient, hessian)

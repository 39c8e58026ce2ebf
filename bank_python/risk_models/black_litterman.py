r"""Expected returns from an equilibrium and a few views (Black and Litterman).

Means estimated from the past are too noisy for an optimiser. Here one starts from those under which the market
portfolio would be optimal, :math:`\pi = \delta \Sigma w`, known up to an error of covariance τ Σ, and adds *views*:
some portfolios P (a row each) are expected to return Q, up to an error of covariance Ω. By Bayes' rule

.. math::
   \mu = \pi + \tau \Sigma P^\top (\tau P \Sigma P^\top + \Omega)^{-1} (Q - P \pi), \qquad
   M = \tau \Sigma - \tau \Sigma P^\top (\tau P \Sigma P^\top + \Omega)^{-1} P \tau \Sigma

and returns have covariance Σ + M. A system of as many equations as there are views is all that is solved: no inverse of
Σ, nor of Ω, which may hold zeros for views that are certain.

Examples
--------
Two assets, and the view that the first will do 2 % better than the second:

>>> posterior = black_litterman(
...     [[0.04, 0.01], [0.01, 0.09]], market_weights=[0.6, 0.4], P=[[1.0, -1.0]], Q=[0.02], tau=0.05
... )
>>> posterior.prior.round(4).tolist(), posterior.expected_returns.round(4).tolist()
([0.07, 0.105], [0.0775, 0.085])

Without views the market is held, a little less of it as its returns are uncertain:

>>> none = black_litterman([[0.04, 0.01], [0.01, 0.09]], market_weights=[0.6, 0.4], P=np.empty((0, 2)), Q=[], tau=0.05)
>>> (none.weights * 1.05).round(12).tolist()
[0.6, 0.4]

References
----------
F. Black and R. Litterman, "Global portfolio optimization", Financial Analysts Journal 48 (September 1992), 28-43.

G. He and R. Litterman, "The intuition behind Black-Litterman model portfolios", Goldman Sachs (1999): the default Ω,
the covariance Σ + M, and the tilt λ that each view gives the weights.

J. Walters, "The Black-Litterman model in detail" (2014): the form without inverses, and Ω from confidences.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, MatrixError, ModelError
from bank_python.numerics import cholesky, semidefinite_root
from bank_python.numerics.triangular import cholesky_solve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["BlackLitterman", "black_litterman"]

_INDEPENDENT = 1e-10
_AGREE = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class BlackLitterman:
    """A prior with views worked in; made by :func:`black_litterman`.

    Parameters
    ----------
    prior : ndarray, shape (n_assets,)
        π, a year's expected returns before the views.
    expected_returns : ndarray, shape (n_assets,)
        μ, after them.
    uncertainty : ndarray, shape (n_assets, n_assets)
        M, the covariance of the error that is left in μ.
    covariance : ndarray, shape (n_assets, n_assets)
        Σ + M, of returns.
    omega : ndarray, shape (views, views)
        Ω, the covariance of the views' errors.
    tilts : ndarray, shape (views,)
        λ: each view's portfolio is held so many times, before all is divided by 1 + τ.
    views : ndarray, shape (views, n_assets)
        P.
    prior_weights : ndarray, shape (n_assets,)
        Optimal for π and Σ: the market's.
    tau, risk_aversion : float
        As given.
    """

    prior: FloatArray
    expected_returns: FloatArray
    uncertainty: FloatArray
    covariance: FloatArray
    omega: FloatArray
    tilts: FloatArray
    views: FloatArray
    prior_weights: FloatArray
    tau: float
    risk_aversion: float

    @property
    def weights(self) -> FloatArray:
        r"""Optimal without constraints, :math:`(\delta (\Sigma + M))^{-1} \mu`; shape (n_assets,)."""
        # Which is, with He and Litterman's tilts:
        return np.asarray((self.prior_weights + self.tilts @ self.views) / (1.0 + self.tau))


@admits(ModelError)
def black_litterman(
    covariance: ArrayLike,
    *,
    P: ArrayLike,
    Q: ArrayLike,
    market_weights: ArrayLike | None = None,
    prior: ArrayLike | None = None,
    omega: ArrayLike | None = None,
    confidences: ArrayLike | None = None,
    tau: float = 0.05,
    risk_aversion: float = 2.5,
) -> BlackLitterman:
    r"""Work views into a prior.

    Parameters
    ----------
    covariance : array_like, shape (n_assets, n_assets)
        Σ, of a year's returns; symmetric, positive definite.
    P : array_like, shape (views, n_assets)
        A portfolio for each view: a 1 for an absolute view, 1 and −1 for a relative one. There may be none.
    Q : array_like, shape (views,)
        What each is expected to return in a year, beyond the riskless rate as the prior.
    market_weights : array_like, shape (n_assets,), optional
        w; the prior is then :math:`\delta \Sigma w`. They need not add up to one.
    prior : array_like, shape (n_assets,), optional
        π, in the place of market weights: one of the two.
    omega : array_like, shape (views, views) or (views,), optional
        Ω or its diagonal, at least 0; by default the diagonal of :math:`\tau P \Sigma P^\top`.
    confidences : array_like, shape (views,), optional
        In (0, 1], in the place of `omega`: :math:`\Omega_{kk} = \tau \frac{1 - c_k}{c_k} P_k \Sigma P_k^\top`.
        A half is the default Ω; 1 is certain, and then met exactly.
    tau : float, default 0.05
        How uncertain the prior is, above 0.
    risk_aversion : float, default 2.5
        δ, above 0.

    Raises
    ------
    MatrixError
        The covariance is not symmetric and positive definite, Ω has a negative eigenvalue, or certain views follow from
        each other.
    CalibrationError
        Shapes do not fit, a figure is not finite or out of range, or a view holds nothing.

    Notes
    -----
    With :math:`A = \Omega/\tau + P \Sigma P^\top/(1 + \tau)` the tilts are
    :math:`\lambda = A^{-1} (Q/\delta - P \Sigma w/(1 + \tau))`, which is He and Litterman's formula without the inverse
    of Ω that they have in it.
    """
    _above_zero("tau", tau)
    _above_zero("risk_aversion", risk_aversion)
    given = np.array(covariance, dtype=np.float64)
    factor = cholesky(given)
    sigma = np.asarray(0.5 * (given + given.T))
    start, held = _start(sigma, factor, market_weights, prior, risk_aversion)
    views, returns = _views(P, Q, len(sigma))
    pull = views @ sigma
    spread = pull @ views.T
    errors = _errors(np.diag(spread), omega, confidences, tau)
    known = _factor(tau * spread + errors, returns)
    gain = cholesky_solve(known, np.column_stack([returns - views @ start, tau * pull]))
    left = tau * sigma - tau * pull.T @ gain[:, 1:]
    uncertainty = np.asarray(0.5 * (left + left.T))
    tilt = np.asarray(np.linalg.cholesky(errors / tau + spread / (1.0 + tau)), dtype=np.float64)
    wanted = (returns - views @ start / (1.0 + tau)) / risk_aversion
    return BlackLitterman(
        prior=start,
        expected_returns=np.asarray(start + tau * pull.T @ gain[:, 0]),
        uncertainty=uncertainty,
        covariance=sigma + uncertainty,
        omega=errors,
        tilts=cholesky_solve(tilt, wanted[:, None])[:, 0],
        views=views,
        prior_weights=held,
        tau=tau,
        risk_aversion=risk_aversion,
    )


def _start(
    sigma: FloatArray,
    factor: FloatArray,
    market_weights: ArrayLike | None,
    prior: ArrayLike | None,
    risk_aversion: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the prior's returns and weights, one from the other."""
    n = len(sigma)
    if prior is None and market_weights is not None:
        held = _vector("market_weights", market_weights, n)
        return np.asarray(risk_aversion * (sigma @ held)), held
    if prior is not None and market_weights is None:
        start = _vector("prior", prior, n)
        return start, np.asarray(cholesky_solve(factor, start[:, None])[:, 0] / risk_aversion)
    raise CalibrationError("give market_weights= or prior=, one of the two")


def _views(P: ArrayLike, Q: ArrayLike, n: int) -> tuple[FloatArray, FloatArray]:
    views = np.array(P, dtype=np.float64)
    if views.ndim != 2 or views.shape[1] != n:  # noqa: PLR2004 - a matrix has two axes
        raise CalibrationError(f"P of shape {views.shape}; give a row for each view, of {n} assets", value=views.shape)
    if not np.isfinite(views).all():
        row, column = np.argwhere(~np.isfinite(views))[0]
        raise CalibrationError(f"view {row} holds {views[row, column]} of asset {column}; give a finite number")
    empty = np.flatnonzero(~views.any(axis=1))
    if len(empty):
        raise CalibrationError(f"view {empty[0]} holds no asset; leave it out", value=int(empty[0]))
    return views, _vector("Q", Q, len(views))


def _errors(variances: FloatArray, omega: ArrayLike | None, confidences: ArrayLike | None, tau: float) -> FloatArray:
    """Return Ω, shape (views, views)."""
    k = len(variances)
    if omega is not None and confidences is not None:
        raise CalibrationError("give omega= or confidences=, not both")
    if confidences is not None:
        sure = _vector("confidences", confidences, k)
        wrong = np.flatnonzero(~((sure > 0.0) & (sure <= 1.0)))
        if len(wrong):
            raise CalibrationError(
                f"the confidence in view {wrong[0]} is {sure[wrong[0]]:g}, outside (0, 1]; leave a view out that has "
                "none, 0.5 is the default",
                value=float(sure[wrong[0]]),
            )
        return np.diag(tau * (1.0 - sure) / sure * variances)
    if omega is None:
        return np.diag(tau * variances)
    return _given_errors(np.array(omega, dtype=np.float64), k)


def _given_errors(errors: FloatArray, k: int) -> FloatArray:
    if errors.shape == (k,):
        errors = np.diag(errors)
    if errors.shape != (k, k):
        raise CalibrationError(f"omega of shape {errors.shape} for {k} views", value=errors.shape)
    if k:
        semidefinite_root(errors)  # which refuses what is no covariance
    return np.asarray(0.5 * (errors + errors.T))


def _factor(system: FloatArray, returns: FloatArray) -> FloatArray:
    """Return the Cholesky factor of τ P Σ Pᵀ + Ω; refuse views that leave it singular."""
    scale = np.sqrt(np.diag(system))
    scaled = system / np.outer(scale, scale)
    try:
        root = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        raise _dependent(scaled, scale, returns) from None
    if (np.diag(root) ** 2 < _INDEPENDENT).any():
        raise _dependent(scaled, scale, returns)
    return np.asarray(root * scale[:, None])


def _dependent(scaled: FloatArray, scale: FloatArray, returns: FloatArray) -> MatrixError:
    """Return what is wrong with the first view that follows from those before it."""
    k = 0
    mix: FloatArray = np.empty(0)
    for k in range(1, len(scaled)):
        mix = np.asarray(np.linalg.lstsq(scaled[:k, :k], scaled[:k, k], rcond=None)[0], dtype=np.float64)
        if 1.0 - float(scaled[k, :k] @ mix) < _INDEPENDENT:
            break
    implied, given = float(scale[k] * (mix / scale[:k]) @ returns[:k]), float(returns[k])
    if abs(implied - given) <= _AGREE * max(abs(implied), abs(given), 1.0):
        return MatrixError(f"view {k} says what the certain views before it say: {given:g}; leave it out", value=k)
    return MatrixError(
        f"view {k} is certain of {given:g}, and the certain views before it make that {implied:g}; correct one, or "
        "give a confidence below 1",
        value=k,
    )


def _vector(name: str, given: ArrayLike, length: int) -> FloatArray:
    vector = np.array(given, dtype=np.float64)
    if vector.shape != (length,):
        raise CalibrationError(f"{name} of shape {vector.shape}; give {length} numbers", value=vector.shape)
    wrong = np.flatnonzero(~np.isfinite(vector))
    if len(wrong):
        raise CalibrationError(f"{name} holds {vector[wrong[0]]} at {wrong[0]}; give finite numbers")
    return vector


def _above_zero(name: str, given: float) -> None:
    if not 0.0 < given < math.inf:
        raise CalibrationError(f"{name}={given!r}; give a finite number above 0", value=given)

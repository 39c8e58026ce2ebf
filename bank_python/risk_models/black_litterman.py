r"""Expected returns from market equilibrium and views, by the model of Black and Litterman.

Means estimated from past returns are too noisy for an optimiser. The model starts from the *prior*: the returns under
which the market portfolio would be optimal, :math:`\pi = \delta \Sigma w`, with an error of covariance τ Σ. It combines
them with *views*: expected returns Q of some portfolios P (one in each row), with an error of covariance Ω. By Bayes'
rule

.. math::
   \mu = \pi + \tau \Sigma P^\top (\tau P \Sigma P^\top + \Omega)^{-1} (Q - P \pi), \qquad
   M = \tau \Sigma - \tau \Sigma P^\top (\tau P \Sigma P^\top + \Omega)^{-1} P \tau \Sigma

and returns have the covariance Σ + M. Only a linear system with as many equations as views is solved. It needs no
inverse of Σ or of Ω, which may have zeros for views that are certain.

Examples
--------
Two assets, and the view that the first will return 2 % more than the second:

>>> posterior = black_litterman(
...     [[0.04, 0.01], [0.01, 0.09]], market_weights=[0.6, 0.4], P=[[1.0, -1.0]], Q=[0.02], tau=0.05
... )
>>> posterior.prior.round(4).tolist(), posterior.expected_returns.round(4).tolist()
([0.07, 0.105], [0.0775, 0.085])

Without views the weights are those of the market, divided by 1 + τ because its expected returns are uncertain:

>>> none = black_litterman([[0.04, 0.01], [0.01, 0.09]], market_weights=[0.6, 0.4], P=np.empty((0, 2)), Q=[], tau=0.05)
>>> (none.weights * 1.05).round(12).tolist()
[0.6, 0.4]

References
----------
F. Black and R. Litterman, "Global portfolio optimization", Financial Analysts Journal 48 (September 1992), 28-43.

G. He and R. Litterman, "The intuition behind Black-Litterman model portfolios", Goldman Sachs (1999): the default Ω,
the covariance Σ + M, and the tilts λ of the weights due to the views.

J. Walters, "The Black-Litterman model in detail" (2014): the form without inverses, and Ω from confidences.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
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
class BlackLitterman(Record):
    """The posterior distribution of returns, as returned by :func:`black_litterman`.

    Parameters
    ----------
    prior : ndarray, shape (n_assets,)
        Expected annual returns π before the views, as decimals.
    expected_returns : ndarray, shape (n_assets,)
        Expected annual returns μ after the views, as decimals.
    uncertainty : ndarray, shape (n_assets, n_assets)
        Covariance M of the error of `expected_returns`.
    covariance : ndarray, shape (n_assets, n_assets)
        Covariance Σ + M of annual returns.
    omega : ndarray, shape (views, views)
        Covariance Ω of the errors of the views.
    tilts : ndarray, shape (views,)
        Multiples λ of the views' portfolios that are added to the prior weights before the division by 1 + τ.
    views : ndarray, shape (views, n_assets)
        Portfolios P of the views, one in each row.
    prior_weights : ndarray, shape (n_assets,)
        Optimal weights for π and Σ: those of the market.
    tau : float
        Uncertainty τ of the prior.
    risk_aversion : float
        Risk aversion δ.
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
        r"""Optimal weights without constraints, :math:`(\delta (\Sigma + M))^{-1} \mu`; shape (n_assets,)."""
        # The same in terms of He and Litterman's tilts:
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
    r"""Combine an equilibrium prior with views.

    Parameters
    ----------
    covariance : array_like, shape (n_assets, n_assets)
        Covariance Σ of annual returns; symmetric, positive definite.
    P : array_like, shape (views, n_assets)
        Portfolios of the views, one in each row: a single 1 for an absolute view, 1 and −1 for a relative one. There
        may be none.
    Q : array_like, shape (views,)
        Expected annual returns of these portfolios, in excess of the riskless rate if the prior is, as decimals.
    market_weights : array_like, shape (n_assets,), optional
        Market weights w, for the prior :math:`\delta \Sigma w`. They need not add up to one.
    prior : array_like, shape (n_assets,), optional
        Expected annual returns π of the prior, as decimals. Give either this or `market_weights`.
    omega : array_like, shape (views, views) or (views,), optional
        Covariance Ω of the errors of the views, or its diagonal, at least 0; by default the diagonal of
        :math:`\tau P \Sigma P^\top`.
    confidences : array_like, shape (views,), optional
        Confidence in each view, in (0, 1], instead of `omega`:
        :math:`\Omega_{kk} = \tau \frac{1 - c_k}{c_k} P_k \Sigma P_k^\top`. A confidence of 0.5 is the default Ω; one of
        1 makes the view certain, so that the expected returns satisfy it exactly.
    tau : float, default 0.05
        Uncertainty τ of the prior, above 0.
    risk_aversion : float, default 2.5
        Risk aversion δ of the market, above 0.

    Raises
    ------
    MatrixError
        The covariance is not symmetric and positive definite, Ω has a negative eigenvalue, or certain views are
        linearly dependent.
    CalibrationError
        The shapes do not match, a value is not finite or out of range, or the portfolio of a view is empty.

    Notes
    -----
    With :math:`A = \Omega/\tau + P \Sigma P^\top/(1 + \tau)` the tilts are
    :math:`\lambda = A^{-1} (Q/\delta - P \Sigma w/(1 + \tau))`, which is the formula of He and Litterman without their
    inverse of Ω.
    """
    _above_zero("tau", tau)
    _above_zero("risk_aversion", risk_aversion)
    given = np.array(covariance, dtype=np.float64)
    factor = cholesky(given)
    sigma = np.asarray(0.5 * (given + given.T))
    start, weights = _start(sigma, factor, market_weights, prior, risk_aversion)
    views, returns = _views(P, Q, len(sigma))
    cross = views @ sigma
    spread = cross @ views.T
    errors = _errors(np.diag(spread), omega, confidences, tau)
    root = _factor(tau * spread + errors, returns)
    gain = cholesky_solve(root, np.column_stack([returns - views @ start, tau * cross]))
    left = tau * sigma - tau * cross.T @ gain[:, 1:]
    uncertainty = np.asarray(0.5 * (left + left.T))
    tilt = np.asarray(np.linalg.cholesky(errors / tau + spread / (1.0 + tau)), dtype=np.float64)
    right = (returns - views @ start / (1.0 + tau)) / risk_aversion
    return BlackLitterman(
        prior=start,
        expected_returns=np.asarray(start + tau * cross.T @ gain[:, 0]),
        uncertainty=uncertainty,
        covariance=sigma + uncertainty,
        omega=errors,
        tilts=cholesky_solve(tilt, right[:, None])[:, 0],
        views=views,
        prior_weights=weights,
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
    """Return the expected returns and the weights of the prior, one computed from the other."""
    n = len(sigma)
    if prior is None and market_weights is not None:
        weights = _vector("market_weights", market_weights, n)
        return np.asarray(risk_aversion * (sigma @ weights)), weights
    if prior is not None and market_weights is None:
        start = _vector("prior", prior, n)
        return start, np.asarray(cholesky_solve(factor, start[:, None])[:, 0] / risk_aversion)
    raise CalibrationError("give either market_weights= or prior=, one of the two")


def _views(P: ArrayLike, Q: ArrayLike, n: int) -> tuple[FloatArray, FloatArray]:
    views = np.array(P, dtype=np.float64)
    if views.ndim != 2 or views.shape[1] != n:  # noqa: PLR2004 - a matrix has two axes
        raise CalibrationError(f"P of shape {views.shape}; give a row for each view, of {n} assets", value=views.shape)
    if not np.isfinite(views).all():
        row, column = np.argwhere(~np.isfinite(views))[0]
        raise CalibrationError(f"view {row} has weight {views[row, column]} of asset {column}; give a finite number")
    empty = np.flatnonzero(~views.any(axis=1))
    if len(empty):
        raise CalibrationError(f"all weights of view {empty[0]} are 0; leave the view out", value=int(empty[0]))
    return views, _vector("Q", Q, len(views))


def _errors(variances: FloatArray, omega: ArrayLike | None, confidences: ArrayLike | None, tau: float) -> FloatArray:
    """Return Ω, shape (views, views)."""
    k = len(variances)
    if omega is not None and confidences is not None:
        raise CalibrationError("give omega= or confidences=, not both")
    if confidences is not None:
        share = _vector("confidences", confidences, k)
        wrong = np.flatnonzero(~((share > 0.0) & (share <= 1.0)))
        if len(wrong):
            raise CalibrationError(
                f"the confidence in view {wrong[0]} is {share[wrong[0]]:g}, outside (0, 1]; leave out views without "
                "confidence, 0.5 is the default",
                value=float(share[wrong[0]]),
            )
        return np.diag(tau * (1.0 - share) / share * variances)
    if omega is None:
        return np.diag(tau * variances)
    return _given_errors(np.array(omega, dtype=np.float64), k)


def _given_errors(errors: FloatArray, k: int) -> FloatArray:
    if errors.shape == (k,):
        errors = np.diag(errors)
    if errors.shape != (k, k):
        raise CalibrationError(f"omega of shape {errors.shape} for {k} views; give {(k, k)}", value=errors.shape)
    if k:
        semidefinite_root(errors)  # raises an error if errors is not a covariance matrix
    return np.asarray(0.5 * (errors + errors.T))


def _factor(system: FloatArray, returns: FloatArray) -> FloatArray:
    """Return the Cholesky factor of τ P Σ Pᵀ + Ω; raise an error for views under which it is singular."""
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
    """Return an error that names the first view that depends linearly on those before it."""
    k = 0
    mix: FloatArray = np.empty(0)
    for k in range(1, len(scaled)):
        mix = np.asarray(np.linalg.lstsq(scaled[:k, :k], scaled[:k, k], rcond=None)[0], dtype=np.float64)
        if 1.0 - float(scaled[k, :k] @ mix) < _INDEPENDENT:
            break
    implied, given = float(scale[k] * (mix / scale[:k]) @ returns[:k]), float(returns[k])
    if abs(implied - given) <= _AGREE * max(abs(implied), abs(given), 1.0):
        return MatrixError(
            f"view {k} ({given:g}) already follows from the certain views before it; leave it out", value=k
        )
    return MatrixError(
        f"view {k} is {given:g} with certainty, but the certain views before it imply {implied:g}; correct one of "
        "them, or give a confidence below 1",
        value=k,
    )


def _vector(name: str, given: ArrayLike, length: int) -> FloatArray:
    vector = np.array(given, dtype=np.float64)
    if vector.shape != (length,):
        raise CalibrationError(f"{name} of shape {vector.shape}; give {length} numbers", value=vector.shape)
    wrong = np.flatnonzero(~np.isfinite(vector))
    if len(wrong):
        raise CalibrationError(f"{name} has the value {vector[wrong[0]]} at {wrong[0]}; give finite numbers")
    return vector


def _above_zero(name: str, given: float) -> None:
    if not 0.0 < given < math.inf:
        raise CalibrationError(f"{name}={given!r}; give a finite number above 0", value=given)

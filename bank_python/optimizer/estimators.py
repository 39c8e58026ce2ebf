r"""Covariance matrices from returns.

The sample covariance of many assets over few days is unbiased, but its smallest eigenvalues are too small, and an
optimiser favours the portfolios whose risk is underestimated. Shrinkage estimators average the sample covariance with a
target that has few parameters; the weight of the target increases with the uncertainty of the sample.

===========================  =========================================================================================
sample                       sample covariance with divisor n - 1
ewma                         exponentially weighted covariance
ledoit_wolf                  shrunk to the identity times the mean variance (Ledoit and Wolf 2004)
ledoit_wolf_constant         shrunk to equal correlations with the sample variances (Ledoit and Wolf 2003)
oas                          shrunk to the identity, for normal returns (oracle approximating, Chen et al. 2010)
pca                          first principal components, plus the residual variances on the diagonal
===========================  =========================================================================================

References
----------
O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of Multivariate
Analysis 88 (2004), 365-411: lemma 3.1 and section 3.3.

O. Ledoit and M. Wolf, "Honey, I shrunk the sample covariance matrix", Journal of Portfolio Management 30 (2004),
110-119: appendix B.

Y. Chen, A. Wiesel, Y. C. Eldar and A. O. Hero, "Shrinkage algorithms for MMSE covariance estimation", IEEE Transactions
on Signal Processing 58 (2010), 5016-5029: equation 23.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import CalibrationError

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

_FEWEST_ROWS = 2

__all__ = ["CovarianceEstimate", "Estimator", "decayed_weights", "estimate_covariance"]


class Estimator(enum.Enum):
    """Estimator of a covariance matrix; see :mod:`bank_python.optimizer.estimators`."""

    SAMPLE = "sample"
    EWMA = "ewma"
    LEDOIT_WOLF = "ledoit_wolf"
    LEDOIT_WOLF_CONSTANT = "ledoit_wolf_constant"
    OAS = "oas"
    PCA = "pca"

    @classmethod
    def parse(cls, estimator: Estimator | str) -> Estimator:
        """Return the estimator with the given name.

        Raises
        ------
        CalibrationError
            If there is none; the message lists the estimators.
        """
        try:
            return cls(estimator.replace("-", "_") if isinstance(estimator, str) else estimator)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise CalibrationError(f"no estimator {estimator!r}; there are {known}", value=estimator) from None


@dataclass(frozen=True, slots=True, eq=False)
class CovarianceEstimate(Record):
    """Estimate of a covariance matrix, with its shrinkage.

    Parameters
    ----------
    covariance : ndarray, shape (n_assets, n_assets)
        Covariance matrix of the returns per period.
    shrinkage : float
        Weight of the shrinkage target, in [0, 1]; 0 for estimators without a target.
    """

    covariance: FloatArray
    shrinkage: float = 0.0


def estimate_covariance(
    returns: FloatArray, estimator: Estimator | str, *, decay: float = 0.97, components: int = 5
) -> CovarianceEstimate:
    """Estimate the covariance of returns.

    Parameters
    ----------
    returns : ndarray, shape (n_obs, n_assets)
        Returns per period, oldest first; finite, at least two rows.
    estimator : Estimator or str
        Estimator to use.
    decay : float, default 0.97
        Decay factor per period of the weights of ``ewma``, in (0, 1).
    components : int, default 5
        Number of principal components of ``pca``; at least 1 and less than the number of assets.

    Raises
    ------
    CalibrationError
        If the estimator is unknown, a parameter is out of range, the returns are not at least two rows of finite
        numbers, or ``ledoit_wolf_constant`` meets an asset with constant returns.

    Examples
    --------
    >>> returns = np.random.default_rng(0).standard_normal((60, 3)) * [0.01, 0.02, 0.03]
    >>> estimate_covariance(returns, "ledoit_wolf").shrinkage > estimate_covariance(returns, "sample").shrinkage
    True
    """
    chosen = Estimator.parse(estimator)
    _check_returns(returns)
    if chosen is Estimator.SAMPLE:
        return CovarianceEstimate(_sample(returns))
    if chosen is Estimator.EWMA:
        return CovarianceEstimate(_ewma(returns, decay))
    if chosen is Estimator.PCA:
        return CovarianceEstimate(_principal(returns, components))
    centred = returns - returns.mean(axis=0)
    if chosen is Estimator.LEDOIT_WOLF:
        return _ledoit_wolf(centred)
    return _oas(centred) if chosen is Estimator.OAS else _constant_correlation(centred)


def decayed_weights(count: int, decay: float) -> FloatArray:
    """Return exponentially decaying weights with a sum of one, the last one largest, shape (count,).

    Parameters
    ----------
    count : int
        Number of weights, at least 1.
    decay : float
        Ratio of each weight to the next, in (0, 1).

    Raises
    ------
    CalibrationError
        If `decay` is out of range.
    """
    if not 0.0 < decay < 1.0:
        raise CalibrationError(f"decay={decay!r} lies outside (0, 1); 0.97 is usual", value=decay)
    weights = decay ** np.arange(count)[::-1]
    return np.asarray(weights / weights.sum())


def _check_returns(returns: FloatArray) -> None:
    if returns.ndim != 2 or len(returns) < _FEWEST_ROWS or not returns.size:  # noqa: PLR2004 - a matrix has two axes
        raise CalibrationError(
            f"returns of shape {returns.shape}; give an array of shape (n_obs, n_assets) with at least two rows"
        )
    gaps = np.argwhere(~np.isfinite(returns))
    if len(gaps):
        row, column = gaps[0]
        raise CalibrationError(
            f"{len(gaps)} returns are not finite, the first in row {row}, column {column}; drop or fill those rows"
        )


def _sample(returns: FloatArray) -> FloatArray:
    centred = returns - returns.mean(axis=0)
    return np.asarray(centred.T @ centred / (len(returns) - 1))


def _ewma(returns: FloatArray, decay: float) -> FloatArray:
    weights = decayed_weights(len(returns), decay)
    scaled = (returns - weights @ returns) * np.sqrt(weights)[:, None]
    return np.asarray(scaled.T @ scaled)


def _principal(returns: FloatArray, components: int) -> FloatArray:
    n = returns.shape[1]
    if not 1 <= components < max(n, 2):
        raise CalibrationError(
            f"components={components!r} for {n} assets; give at least 1 and fewer than the number of assets"
        )
    sample = _sample(returns)
    values, vectors = np.linalg.eigh(sample)
    loadings = vectors[:, -components:] * np.sqrt(values[-components:])
    common = loadings @ loadings.T
    np.fill_diagonal(common, np.diag(sample))
    return np.asarray(common)


def _ledoit_wolf(centred: FloatArray) -> CovarianceEstimate:
    n, p = centred.shape
    sample = centred.T @ centred / n
    mean = float(np.trace(sample)) / p
    distance = float(((sample - mean * np.eye(p)) ** 2).sum())
    squares = centred**2
    spread = float((squares.T @ squares / n - sample**2).sum()) / n
    weight = min(spread / distance, 1.0) if distance > 0.0 else 0.0
    return CovarianceEstimate(_blend(sample, mean * np.eye(p), weight), weight)


def _oas(centred: FloatArray) -> CovarianceEstimate:
    n, p = centred.shape
    sample = centred.T @ centred / n
    mean = float(np.trace(sample)) / p
    square = float((sample**2).mean())
    numerator = square + mean**2
    denominator = (n + 1.0) * (square - mean**2 / p)
    weight = min(numerator / denominator, 1.0) if denominator > 0.0 else 1.0
    return CovarianceEstimate(_blend(sample, mean * np.eye(p), weight), weight)


def _constant_correlation(centred: FloatArray) -> CovarianceEstimate:
    n, p = centred.shape
    sample = centred.T @ centred / n
    deviation = np.sqrt(np.diag(sample))
    still = np.flatnonzero(deviation == 0.0)
    if len(still):
        raise CalibrationError(
            f"the returns in column {still[0]} are constant, so their correlations are undefined; leave the asset out"
        )
    size = np.outer(deviation, deviation)
    mean = (float((sample / size).sum()) - p) / (p * (p - 1)) if p > 1 else 0.0
    target = mean * size
    np.fill_diagonal(target, np.diag(sample))
    squares = centred**2
    variances = squares.T @ squares / n - sample**2
    cubes = (centred**3).T @ centred / n - np.diag(sample)[:, None] * sample
    np.fill_diagonal(cubes, 0.0)
    rho = float(np.trace(variances)) + mean * float((cubes * deviation[None, :] / deviation[:, None]).sum())
    distance = float(((target - sample) ** 2).sum())
    weight = min(max((float(variances.sum()) - rho) / distance / n, 0.0), 1.0) if distance > 0.0 else 0.0
    return CovarianceEstimate(_blend(sample, target, weight), weight)


def _blend(sample: FloatArray, target: FloatArray, weight: float) -> FloatArray:
    return np.asarray((1.0 - weight) * sample + weight * target)

r"""Regimes of a hidden Markov chain from given likelihoods: the filter of Hamilton and the smoother of Kim.

With the likelihood :math:`l_t(j)` of the observation at time t in regime j and the transition matrix P, the filter
multiplies the prediction by the likelihood and scales it to sum to one,

.. math:: p_{t|t}(j) \propto p_{t|t-1}(j)\,l_t(j), \qquad p_{t+1|t}(j) = \sum_i p_{t|t}(i)\,P_{ij} ,

and the smoother goes back from the last filtered probabilities,

.. math:: p_{t|n}(i) = p_{t|t}(i) \sum_j P_{ij}\,\frac{p_{t+1|n}(j)}{p_{t+1|t}(j)} .

Examples
--------
Russell and Norvig's umbrella: rain or not, and an umbrella on both days.

>>> seen, weather = [[0.9, 0.2], [0.9, 0.2]], [[0.7, 0.3], [0.3, 0.7]]
>>> found = hamilton_filter(seen, weather, prior=[0.5, 0.5])
>>> found.filtered[:, 0].round(3).tolist(), found.predicted[:, 0].round(3).tolist()
([0.818, 0.883], [0.5, 0.627])
>>> kim_smoother(seen, weather, prior=[0.5, 0.5])[:, 0].round(3).tolist()
[0.883, 0.883]

References
----------
J. D. Hamilton, *Time Series Analysis* (1994), section 22.4.

C.-J. Kim, "Dynamic linear models with Markov-switching", Journal of Econometrics 60 (1994), 1-22.

S. Russell and P. Norvig, *Artificial Intelligence: A Modern Approach*, 3rd edition (2010), section 15.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["FilteredRegimes", "hamilton_filter", "kim_smoother"]

_SUMS_TO_ONE = 1e-8
_SINGULAR = 1e-12
_MATRIX = 2


@dataclass(frozen=True, slots=True, eq=False)
class FilteredRegimes(Record):
    """Regimes as they are known at each time; returned by :func:`hamilton_filter`.

    Parameters
    ----------
    filtered : ndarray, shape (n, k)
        Probability of each regime given the observations until each time, that one included.
    predicted : ndarray, shape (n, k)
        Probability of each regime given the observations before each time.
    loglikelihood : float
        Log-likelihood of all observations.
    """

    filtered: FloatArray
    predicted: FloatArray
    loglikelihood: float


@admits(ModelError)
def hamilton_filter(
    likelihoods: ArrayLike, transition: ArrayLike, prior: ArrayLike | None = None, *, log: bool = False
) -> FilteredRegimes:
    """Return the probability of each regime of a hidden Markov chain given the observations so far.

    Parameters
    ----------
    likelihoods : array_like, shape (n, k)
        Likelihood of each observation in each regime, at least 0, oldest first.
    transition : array_like, shape (k, k)
        Transition matrix: ``transition[i, j]`` is the probability that regime i is followed by regime j.
    prior : array_like, shape (k,), optional
        Probability of each regime at the first observation, before it is seen; by default the stationary distribution.
    log : bool, default False
        Whether `likelihoods` are logarithms, which do not underflow.

    Raises
    ------
    ModelError
        Shapes do not match, probabilities do not sum to one, a likelihood is below 0 or NaN, or an observation is
        impossible in all regimes.
    """
    weights, shift, matrix, start = _checked(likelihoods, transition, prior, is_log=log)
    filtered, predicted = np.empty_like(weights), np.empty_like(weights)
    scales = np.empty(len(weights))
    probabilities = start
    for at, weight in enumerate(weights):
        predicted[at] = probabilities
        joint = probabilities * weight
        scales[at] = joint.sum()
        if not scales[at] > 0.0:
            raise ModelError(
                f"observation {at} is impossible: its likelihood is 0 in each regime that can be reached; check the "
                "transition matrix, or give logarithms with log=True",
                value=at,
            )
        filtered[at] = joint / scales[at]
        probabilities = filtered[at] @ matrix
    return FilteredRegimes(filtered, predicted, float(np.log(scales).sum() + shift))


@admits(ModelError)
def kim_smoother(
    likelihoods: ArrayLike, transition: ArrayLike, prior: ArrayLike | None = None, *, log: bool = False
) -> FloatArray:
    """Return the probability of each regime of a hidden Markov chain given all observations, shape (n, k).

    Parameters
    ----------
    likelihoods : array_like, shape (n, k)
        Likelihood of each observation in each regime, at least 0, oldest first; not filtered probabilities.
    transition : array_like, shape (k, k)
        Transition matrix: ``transition[i, j]`` is the probability that regime i is followed by regime j.
    prior : array_like, shape (k,), optional
        Probability of each regime at the first observation, before it is seen; by default the stationary distribution.
    log : bool, default False
        Whether `likelihoods` are logarithms, which do not underflow.

    Raises
    ------
    ModelError
        As :func:`hamilton_filter`.
    """
    found = hamilton_filter(likelihoods, transition, prior, log=log)
    matrix = np.asarray(transition, dtype=np.float64)
    smoothed = found.filtered.copy()
    for at in range(len(smoothed) - 2, -1, -1):
        ahead = found.predicted[at + 1]
        ratio = np.divide(smoothed[at + 1], ahead, out=np.zeros_like(ahead), where=ahead > 0.0)
        smoothed[at] *= matrix @ ratio
        smoothed[at] /= smoothed[at].sum()
    return smoothed


def _checked(
    likelihoods: ArrayLike, transition: ArrayLike, prior: ArrayLike | None, *, is_log: bool
) -> tuple[FloatArray, float, FloatArray, FloatArray]:
    """Return likelihoods over the largest of each time, the sum of the logarithms of those, and the probabilities."""
    given = np.asarray(likelihoods, dtype=np.float64)
    matrix = np.asarray(transition, dtype=np.float64)
    if given.ndim != _MATRIX or not given.size:
        raise ModelError(f"likelihoods of shape {given.shape}; give a row for each observation", value=given.shape)
    k = given.shape[1]
    if matrix.shape != (k, k):
        raise ModelError(f"a transition matrix of shape {matrix.shape} for {k} regimes; give {k} by {k}")
    _require_distributions("row of the transition matrix", matrix)
    bad = np.isnan(given) | (given == np.inf) if is_log else ~(np.isfinite(given) & (given >= 0.0))
    if bad.any():
        at, regime = (int(place) for place in np.argwhere(bad)[0])
        value = float(given[at, regime])
        kind = "no logarithm of a likelihood" if is_log else "no likelihood, which is a finite number of at least 0"
        raise ModelError(f"observation {at} has {value!r} in regime {regime}, which is {kind}; correct it", value=value)
    start = _stationary(matrix) if prior is None else np.asarray(prior, dtype=np.float64)
    if start.shape != (k,):
        raise ModelError(f"a prior of shape {start.shape} for {k} regimes; give {k} probabilities", value=start.shape)
    _require_distributions("prior", start[None])
    largest = given.max(axis=1, keepdims=True)
    if is_log:
        known = np.isfinite(largest)
        shift = np.where(known, largest, 0.0)
        return np.exp(given - shift), float(shift.sum()), matrix, start
    shift = np.where(largest > 0.0, largest, 1.0)
    return given / shift, float(np.log(shift).sum()), matrix, start


def _require_distributions(name: str, rows: FloatArray) -> None:
    sums = rows.sum(axis=1)
    bad = ~((np.abs(sums - 1.0) <= _SUMS_TO_ONE) & (rows >= 0.0).all(axis=1))
    if bad.any():
        row = rows[np.flatnonzero(bad)[0]].tolist()
        raise ModelError(f"{name} {row} is no distribution; give probabilities of at least 0 that sum to 1", value=row)


def _stationary(matrix: FloatArray) -> FloatArray:
    k = len(matrix)
    system = np.eye(k) - matrix.T + 1.0
    if np.linalg.svd(system, compute_uv=False)[-1] < _SINGULAR:
        raise ModelError("the chain has several stationary distributions; give a prior", value=matrix.tolist())
    return np.asarray(np.maximum(np.linalg.solve(system, np.ones(k)), 0.0))

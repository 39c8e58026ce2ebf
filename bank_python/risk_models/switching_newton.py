"""Newton steps at the end of the search for a maximum of the likelihood, and the covariance of the estimates.

Second derivatives are central differences of the exact score, for all parameters in one call. Transitions that
are never expected to happen are put to probability 0, and held there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.risk_models.switching_model import LEAST_LOGIT, Expectation, SwitchingParameters, SwitchingSeries

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["NewtonEnd", "bounded", "newton_steps", "shortened"]

_TOLERANCE = 1e-10
_STEPS = 30
_SHORTEST = 1e-3
_BACK = 0.25
_DIFFERENCE = 1e-3  # step of differences, in standard errors if the regimes were known
_FLAT = 1e-7  # a smaller curvature, relative to that of each parameter by itself, is none
_NEVER = 0.01  # expected number of transitions
_RELEASED = 0.001
_STEEP = 0.01
_ROUNDED = 1e-13
_LONGEST, _LONGEST_LOGIT = 1.0, 3.0


@dataclass(frozen=True, slots=True)
class NewtonEnd:
    """Where Newton steps have ended.

    Parameters
    ----------
    found : Expectation
        Parameters, log-likelihood and expected sums there, of one start.
    covariance : ndarray, shape (size, size)
        Inverse of the observed information of the vector of parameters of ``found.model``; 0 for transitions held at
        probability 0, NaN for all if the likelihood is flat in some direction.
    gap : float
        Gain in log-likelihood that the quadratic approximation promises still.
    is_peak : bool
        Whether the second derivatives are those of a maximum, flat directions allowed.
    steps : int
        Number of steps.
    """

    found: Expectation
    covariance: FloatArray
    gap: float
    is_peak: bool
    steps: int


def newton_steps(series: SwitchingSeries, vector: FloatArray, most: int) -> NewtonEnd:
    """Return the maximum near a vector of parameters.

    Parameters
    ----------
    series : SwitchingSeries
        Standardised series with its model.
    vector : ndarray, shape (size,)
        Parameters to begin with.
    most : int
        Largest number of steps.
    """
    series, vector = _compared_to_the_largest(series, vector)
    vector, found = _without_never(series, vector)
    last = min(_STEPS, most)
    for step in range(last + 1):
        hessian, score = _hessian(series, vector, found), found.score()[0]
        free = vector > LEAST_LOGIT + 1.0
        direction, gap, is_peak = _newton(hessian, score, free)
        if step == last:
            break
        moved = _released(series, vector, found) if gap < _TOLERANCE else _uphill(series, vector, found, direction)
        if moved is None:
            break
        vector, found = moved
    return NewtonEnd(found, _covariance(hessian, free), gap, is_peak, step)


def shortened(directions: FloatArray, series: SwitchingSeries) -> FloatArray:
    """Return steps of which none moves a parameter by more than one unit, or a logit by more than three."""
    limits = np.full(series.model.size, _LONGEST)
    limits[series.model.logits] = _LONGEST_LOGIT
    return np.asarray(directions / np.maximum(np.abs(directions / limits).max(axis=-1, keepdims=True), 1.0))


def bounded(vectors: FloatArray, series: SwitchingSeries) -> FloatArray:
    """Return vectors of parameters with their logits inside the bounds."""
    inside = vectors.copy()
    inside[..., series.model.logits] = np.clip(vectors[..., series.model.logits], LEAST_LOGIT, -LEAST_LOGIT)
    return inside


def _expect(series: SwitchingSeries, vectors: FloatArray) -> Expectation:
    return series.expect(SwitchingParameters.of_vectors(vectors, series.model))


def _compared_to_the_largest(series: SwitchingSeries, vector: FloatArray) -> tuple[SwitchingSeries, FloatArray]:
    """Return the series and the parameters with the largest probability of each row as reference, as it is not 0."""
    parameters = SwitchingParameters.of_vectors(vector[None], series.model)
    model = replace(series.model, references=tuple(parameters.transition[0].argmax(axis=1).tolist()))
    return series.under(model), parameters.vectors(model)[0]


def _without_never(series: SwitchingSeries, vector: FloatArray) -> tuple[FloatArray, Expectation]:
    """Return the parameters with unexpected transitions at probability 0, unless that lowers the likelihood."""
    found = _expect(series, vector[None])
    never = np.zeros(len(vector), dtype=bool)
    never[series.model.logits] = found.transitions[0][series.model.compared] < _NEVER
    if not never.any():
        return vector, found
    tried = np.where(never, LEAST_LOGIT, vector)
    without = _expect(series, tried[None])
    better = without.loglikelihood[0] >= found.loglikelihood[0] * (1.0 - np.sign(found.loglikelihood[0]) * _ROUNDED)
    return (tried, without) if better else (vector, found)


def _released(series: SwitchingSeries, vector: FloatArray, found: Expectation) -> tuple[FloatArray, Expectation] | None:
    """Return the parameters with transitions off probability 0 where that raises the likelihood, or None."""
    slope = found.score()[0] * np.exp(-np.minimum(vector, 0.0))  # by the probability over that of the reference
    wanted = (vector <= LEAST_LOGIT + 1.0) & (slope > _STEEP)
    if not wanted.any():
        return None
    rows = np.repeat(found.transitions[0].sum(axis=1), series.model.regimes - 1)
    off = vector.copy()
    off[series.model.logits] = np.log(_RELEASED / np.maximum(rows, 1.0))
    off = np.where(wanted, off, vector)
    there = _expect(series, off[None])
    return (off, there) if there.loglikelihood[0] > found.loglikelihood[0] else None


def _hessian(series: SwitchingSeries, vector: FloatArray, found: Expectation) -> FloatArray:
    steps = _DIFFERENCE / np.sqrt(np.maximum(found.information()[0], 1.0))
    moves = np.diag(steps)
    scores = _expect(series, np.concatenate([vector + moves, vector - moves])).score()
    hessian = (scores[: len(vector)] - scores[len(vector) :]) / (2.0 * steps[:, None])
    return np.asarray(0.5 * (hessian + hessian.T))


def _newton(hessian: FloatArray, score: FloatArray, free: NDArray[np.bool_]) -> tuple[FloatArray, float, bool]:
    """Return the Newton step, the gain that it promises, and whether the second derivatives are those of a maximum.

    Where the likelihood curves upwards the step is turned uphill; flat directions are left alone.
    """
    places = np.flatnonzero(free)
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)[places]), _FLAT))
    values, vectors = np.linalg.eigh(hessian[np.ix_(places, places)] * scale[:, None] * scale)
    along = vectors.T @ (scale * score[places])
    curved = np.abs(values) > _FLAT
    length = np.divide(along, np.abs(values), out=np.zeros_like(along), where=curved)
    step = np.zeros(len(score))
    step[places] = scale * (vectors @ length)
    return step, 0.5 * float(along @ length), bool(values.max(initial=0.0) <= _FLAT)


def _uphill(
    series: SwitchingSeries, vector: FloatArray, found: Expectation, direction: FloatArray
) -> tuple[FloatArray, Expectation] | None:
    """Return the parameters after a step that raises the likelihood, or None if there is none but for rounding."""
    length = 1.0
    while length > _SHORTEST:
        trial = bounded(vector + length * shortened(direction, series), series)
        there = _expect(series, trial[None])
        if there.loglikelihood[0] >= found.loglikelihood[0]:
            return trial, there
        length *= _BACK
    return None


def _covariance(hessian: FloatArray, free: NDArray[np.bool_]) -> FloatArray:
    covariance = np.zeros(hessian.shape)
    places = np.ix_(np.flatnonzero(free), np.flatnonzero(free))
    information = -hessian[places]
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(information)), np.finfo(float).tiny))
    correlation = information * scale[:, None] * scale
    if not np.linalg.eigvalsh(correlation)[0] > _FLAT:
        return np.full(hessian.shape, np.nan)
    covariance[places] = np.linalg.inv(correlation) * scale[:, None] * scale
    return covariance

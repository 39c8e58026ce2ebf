r"""Markov-switching autoregressions, estimated by maximum likelihood.

The model is that of :mod:`bank_python.risk_models.switching_model`. A series is standardised first, so that its unit
does not matter, and the likelihood is maximised from several starts at once
(:mod:`bank_python.risk_models.switching_search`).

Examples
--------
>>> rng = np.random.default_rng(3)
>>> calm = np.repeat([True, False, True], [200, 100, 200])
>>> moves = np.where(calm, 0.01, 0.04) * rng.standard_normal(500)
>>> found = estimate_switching(moves, SwitchingModel(regimes=2, order=0, switching_variance=True), n_starts=5, seed=0)
>>> np.sort(np.sqrt(found.variances)).round(3).tolist()
[0.01, 0.039]

References
----------
J. D. Hamilton, "A new approach to the economic analysis of nonstationary time series and the business cycle",
Econometrica 57 (1989), 357-384.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import CalibrationError
from bank_python.risk_models.switching_model import SwitchingModel, SwitchingParameters, SwitchingSeries
from bank_python.risk_models.switching_search import Optimum, SwitchingSearch
from bank_python.risk_models.switching_starts import starting_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["SearchReport", "SwitchingErrors", "SwitchingEstimate", "SwitchingModel", "estimate_switching"]

_CONSTANT = 1e-12  # range of a series over its largest value, below which it is constant but for rounding
_NEVER = 1e-11
_CONVERGED = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class SwitchingErrors(Record):
    """Standard errors of the parameters of a Markov-switching model, from the observed information.

    Parameters
    ----------
    means, variances : ndarray, shape (k,)
        Standard errors of the means and of the variances of the regimes.
    ar : ndarray, shape (r,)
        Standard errors of the autoregressive coefficients.
    transition : ndarray, shape (k, k)
        Standard errors of the transition probabilities; 0 for a transition that never happens.
    """

    means: FloatArray
    variances: FloatArray
    ar: FloatArray
    transition: FloatArray


@dataclass(frozen=True, slots=True)
class SearchReport(Record):
    """How the search for a maximum of the likelihood went.

    Parameters
    ----------
    converged : bool
        Whether the log-likelihood is within 1e-6 of a maximum.
    gap : float
        Log-likelihood by which the maximum is higher, by the quadratic approximation.
    iterations : int
        Number of steps, over all starts together.
    n_starts : int
        Number of starts.
    reached : int
        Number of starts that led to the result, those that merged into one of them included.
    collapsed : int
        Number of starts left because a regime had shrunk to a single value.
    """

    converged: bool
    gap: float
    iterations: int
    n_starts: int
    reached: int
    collapsed: int


@dataclass(frozen=True, slots=True)
class SwitchingEstimate:
    """A Markov-switching model fitted to a series, in the unit of the series; regimes in the order of the search.

    Parameters
    ----------
    means, variances : ndarray, shape (k,)
        Mean and variance of each regime.
    ar : ndarray, shape (r,)
        Autoregressive coefficients.
    transition : ndarray, shape (k, k)
        Transition probabilities, the present regime in rows.
    filtered, smoothed : ndarray, shape (n - r, k)
        Probabilities of the regimes given the series until each time, and given all of it.
    loglikelihood : float
        Log-likelihood, given the first r observations.
    single_loglikelihood : float
        Log-likelihood of an autoregression with one regime, of the same observations.
    errors : SwitchingErrors
        Standard errors.
    search : SearchReport
        Convergence of the search.
    """

    means: FloatArray
    variances: FloatArray
    ar: FloatArray
    transition: FloatArray
    filtered: FloatArray
    smoothed: FloatArray
    loglikelihood: float
    single_loglikelihood: float
    errors: SwitchingErrors
    search: SearchReport

    def ordered(self, places: NDArray[np.int64]) -> SwitchingEstimate:
        """Return the same estimate with the regimes in another order, given by their present numbers."""
        square = np.ix_(places, places)
        errors = self.errors
        return replace(
            self,
            means=self.means[places],
            variances=self.variances[places],
            transition=self.transition[square],
            filtered=self.filtered[:, places],
            smoothed=self.smoothed[:, places],
            errors=SwitchingErrors(
                errors.means[places], errors.variances[places], errors.ar, errors.transition[square]
            ),
        )


def estimate_switching(
    values: FloatArray, model: SwitchingModel, *, n_starts: int, seed: int, max_iterations: int = 200
) -> SwitchingEstimate:
    """Fit a Markov-switching model to a series by maximum likelihood.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Observations, oldest first; finite.
    model : SwitchingModel
        Model to fit.
    n_starts : int
        Number of starts of the search.
    seed : int
        Seed of the starts that are drawn.
    max_iterations : int, default 200
        Largest number of steps of each kind.

    Raises
    ------
    CalibrationError
        The series is constant, its squares are beyond the range of numbers, or in all starts a regime shrinks to one
        value.
    """
    centre, scale = _centre_and_scale(values)
    standard = (values - centre) / scale
    series = SwitchingSeries(standard, model)
    starts = starting_values(standard, model, n_starts, np.random.default_rng(seed))
    with np.errstate(all="ignore"):  # parameters that explain nothing give NaN, and the search goes elsewhere
        optimum = SwitchingSearch(series, max_iterations).run(starts)
    if optimum is None:
        raise CalibrationError(
            f"all {n_starts} starts end with a regime on a single value, where the likelihood has no bound; remove "
            "outliers or values that repeat exactly, take fewer regimes, or switching_variance=False",
            value=n_starts,
        )
    return _in_units(optimum, series, centre, scale, n_starts)


def _centre_and_scale(values: FloatArray) -> tuple[float, float]:
    largest = float(np.abs(values).max())
    width = float(values.max() / largest - values.min() / largest) if largest else 0.0
    if width <= _CONSTANT:
        raise CalibrationError(
            f"the series is constant at {float(values[0]):.6g}; regimes need a series that moves",
            value=float(values[0]),
        )
    scaled = values / largest
    centre, scale = float(scaled.mean()) * largest, float(scaled.std()) * largest
    if not (scale * scale > np.finfo(float).tiny and math.isfinite(scale * scale)):
        raise CalibrationError(
            f"the series has a standard deviation of {scale:g}, whose square is no number; give it in another unit",
            value=scale,
        )
    return centre, scale


def _in_units(
    optimum: Optimum, series: SwitchingSeries, centre: float, scale: float, n_starts: int
) -> SwitchingEstimate:
    end = optimum.end
    converged = end.gap < _CONVERGED and end.is_peak
    parameters = end.found.parameters
    filtered, smoothed = series.probabilities(parameters)
    transition = np.where(parameters.transition[0] < _NEVER, 0.0, parameters.transition[0])
    shift = series.size * math.log(scale)
    return SwitchingEstimate(
        centre + scale * parameters.means[0],
        scale * scale * parameters.variances[0],
        parameters.ar[0],
        transition / transition.sum(axis=1, keepdims=True),
        filtered,
        smoothed,
        float(end.found.loglikelihood[0]) - shift,
        _single(series) - shift,
        _errors(end.covariance, parameters, end.found.model, scale),
        SearchReport(converged, end.gap, optimum.iterations, n_starts, optimum.reached, optimum.collapsed),
    )


def _single(series: SwitchingSeries) -> float:
    """Return the log-likelihood of an autoregression with one regime: least squares on a constant and the lags."""
    order, moments = series.model.order, series.moments
    known = [0, *range(2, order + 2)]
    right = moments[known, 1]
    squares = moments[1, 1] - right @ np.linalg.lstsq(moments[np.ix_(known, known)], right, rcond=None)[0]
    variance = max(float(squares), np.finfo(float).tiny) / series.size
    return -0.5 * series.size * (math.log(2.0 * math.pi * variance) + 1.0)


def _errors(
    covariance: FloatArray, parameters: SwitchingParameters, model: SwitchingModel, scale: float
) -> SwitchingErrors:
    """Return standard errors by the delta method, from the covariance of the parameters without bounds."""
    k, order = model.regimes, model.order
    spread = np.sqrt(np.diag(covariance))
    logs = np.broadcast_to(spread[model.log_variances], (k,))
    transition = parameters.transition[0]
    of_rows = np.full((k, k), np.nan)
    for i in range(k):
        places = model.logits.start + i * (k - 1) + np.arange(k - 1)
        slopes = transition[i][:, None] * (np.eye(k) - transition[i])[:, model.compared[i]]
        variances = np.einsum("ij,jl,il->i", slopes, covariance[np.ix_(places, places)], slopes)
        of_rows[i] = np.sqrt(np.maximum(variances, 0.0))
    variances = scale * scale * parameters.variances[0]
    return SwitchingErrors(scale * spread[:k], variances * logs, spread[k : k + order], of_rows)

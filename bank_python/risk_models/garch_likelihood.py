"""The likelihood of a GARCH model for one sample, with its gradient and the information about its parameters.

The parameters are ordered mean (if fitted), variance recursion, shape η = 1/ν of Student's t distribution (if chosen).
The approximate Hessian leaves out the second derivatives of the log-variance, whose expected contribution is 0.

References
----------
G. Fiorentini, G. Calzolari and L. Panattoni, "Analytic derivatives and the computation of GARCH estimates", Journal of
Applied Econometrics 11 (1996), 399-417: the derivatives, and the information used for scoring.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.scoring import LinearLimits, ScoringResult, minimise_by_scoring
from bank_python.risk_models.innovations import (
    FEWEST_DEGREES,
    MOST_DEGREES,
    Innovation,
    Slopes,
    innovation_slopes,
)
from bank_python.risk_models.variance_recursions import Presample

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray
    from bank_python.risk_models.variance_recursions import VarianceModel, VariancePath

__all__ = ["GarchLikelihood", "MeanModel", "Startup"]

_BACKCAST_LENGTH, _BACKCAST_DECAY = 75, 0.94
_LEAST_BACKCAST = 1e-6  # of a sample of unit variance
_FLAT = 1e-12
_NEAR = 0.01  # decrement below which a step that must be shortened is taken to cross a kink
_CELLS = 100  # between neighbouring kinks that are searched
_INSIGNIFICANT = 20.0  # gain of the log-likelihood over that of a constant variance
_SAME = 1e-8  # difference of log-likelihoods that are equal but for rounding
_TIED, _MARGIN = 1e-10, 1e-6
_FIRST_SHAPE = 0.125


class MeanModel(enum.Enum):
    """Mean of the returns: fitted, or 0."""

    CONSTANT = "constant"
    ZERO = "zero"


class Startup(enum.Enum):
    """Variance before the sample; see :mod:`bank_python.risk_models.garch`."""

    BACKCAST = "backcast"
    MEAN_SQUARE = "mean_square"


class GarchLikelihood:
    """The negative log-likelihood of a GARCH model, for a sample of about unit variance.

    Parameters
    ----------
    sample : ndarray, shape (n,)
        Returns divided by their standard deviation.
    model : VarianceModel
        Variance recursion.
    innovation : Innovation
        Distribution of the standardised residuals.
    mean : MeanModel
        Mean of the returns.
    startup : Startup
        Variance before the sample.

    Attributes
    ----------
    starts_still : bool
        Whether the sample begins with returns of 0, so that the least backcast is used in place of theirs.
    """

    def __init__(
        self, sample: FloatArray, model: VarianceModel, innovation: Innovation, mean: MeanModel, startup: Startup
    ) -> None:
        self.sample, self.model = sample, model
        self._fits_mean = mean is MeanModel.CONSTANT
        self._fits_shape = innovation is Innovation.STUDENT_T
        backcast = self._weighted_square()
        self.starts_still = startup is Startup.BACKCAST and backcast < _LEAST_BACKCAST
        self._backcast = max(backcast, _LEAST_BACKCAST) if startup is Startup.BACKCAST else None
        self.names = (
            *(("mu",) if self._fits_mean else ()),
            *model.names,
            *(("nu",) if self._fits_shape else ()),
        )

    @property
    def limit_notes(self) -> tuple[str, ...]:
        """What it means that each of the limits is reached."""
        shape = (
            f"nu is at its most, {MOST_DEGREES:g}: the innovations are normal",
            f"nu is at its least, {FEWEST_DEGREES:g}: the innovations have hardly a variance",
        )
        return (*self.model.limit_notes, *(shape if self._fits_shape else ()))

    def fit(self) -> ScoringResult:
        """Maximise the likelihood from the first start, and from others too if that does not end inside the limits."""
        best = self._nothing()
        for start in self._starts():
            found = self._maximum(start)
            best = found if found.value < best.value - _SAME else best  # the first of equals, in every unit
            if best.converged and not self._is_doubtful(best):
                break
        return best

    @cached_property
    def limits(self) -> LinearLimits:
        """Limits on all parameters."""
        inner, k = self.model.limits(), len(self.names)
        first = int(self._fits_mean)
        normals = np.zeros((len(inner.sides) + 2 * self._fits_shape, k))
        normals[: len(inner.sides), first : first + len(self.model.names)] = inner.normals
        if not self._fits_shape:
            return LinearLimits(normals, inner.sides)
        normals[-2:, -1] = 1.0, -1.0
        return LinearLimits(normals, np.append(inner.sides, [1.0 / MOST_DEGREES, -1.0 / FEWEST_DEGREES]))

    def value(self, parameters: FloatArray) -> float:
        """Return the negative log-likelihood; infinite where the variances diverge."""
        mu, recursion, shape = self._parts(parameters)
        residuals = self.sample - mu
        logs = self.model.log_variances(recursion, residuals, self._presample(residuals).variance)
        if logs is None:
            return math.inf
        return -float(innovation_slopes(residuals, logs, shape).log_likelihoods.sum())

    def evaluate(self, parameters: FloatArray) -> tuple[float, FloatArray, FloatArray] | None:
        """Return the negative log-likelihood, its gradient and its approximate Hessian."""
        found = self._slopes(parameters)
        if found is None:
            return None
        path, slopes = found
        rows = path.slopes if self._fits_mean else path.slopes[1:]
        k = len(rows)
        gradient, metric = np.empty(len(parameters)), np.zeros((len(parameters), len(parameters)))
        gradient[:k] = rows @ slopes.by_log_variance
        metric[:k, :k] = (rows * slopes.variance_curvature) @ rows.T
        if self._fits_mean:
            gradient[0] -= slopes.by_residual.sum()
            metric[0, 0] += slopes.residual_curvature.sum()
        if slopes.by_shape is not None and slopes.shape_by_variance is not None:
            gradient[k] = slopes.by_shape.sum()
            metric[k, :k] = metric[:k, k] = -(rows @ slopes.shape_by_variance)
            metric[k, k] = slopes.shape_curvature
        return -float(slopes.log_likelihoods.sum()), -gradient, metric

    def scores(self, parameters: FloatArray) -> FloatArray:
        """Return the gradient of each observation's log-likelihood, shape (k, n)."""
        found = self._slopes(parameters)
        if found is None:
            return np.full((len(parameters), len(self.sample)), np.nan)
        path, slopes = found
        scores = path.slopes * slopes.by_log_variance
        scores[0] -= slopes.by_residual
        scores = scores if self._fits_mean else scores[1:]
        return scores if slopes.by_shape is None else np.vstack([scores, slopes.by_shape])

    def hessian(self, parameters: FloatArray, free: FloatArray) -> FloatArray | None:
        """Return the Hessian in given directions by central differences of the gradient; None where it fails.

        Parameters
        ----------
        parameters : ndarray, shape (k,)
            Parameters at which the Hessian is computed.
        free : ndarray, shape (k, m)
            Directions, one per column.
        """
        here = self.evaluate(parameters)
        if here is None:
            return None
        curvature = np.einsum("ij,ik,kj->j", free, here[2], free)
        columns = []
        for direction, bend in zip(free.T, curvature, strict=True):
            length = self.model.difference / math.sqrt(max(abs(float(bend)), _FLAT))
            if self._fits_shape:  # which stays well inside of 0 to 1/2
                room = 0.5 * min(float(parameters[-1]), 0.5 - float(parameters[-1]))
                length = min(length, room / max(abs(float(direction[-1])), _FLAT))
            above = self.evaluate(parameters + length * direction)
            below = self.evaluate(parameters - length * direction)
            if above is None or below is None:
                return None
            columns.append(free.T @ (above[1] - below[1]) / (2.0 * length))
        hessian = np.column_stack(columns)
        return np.asarray(0.5 * (hessian + hessian.T))

    def log_variances(self, parameters: FloatArray) -> FloatArray | None:
        """Return the log-variances of the sample, shape (n,)."""
        mu, recursion, _ = self._parts(parameters)
        residuals = self.sample - mu
        return self.model.log_variances(recursion, residuals, self._presample(residuals).variance)

    def _slopes(self, parameters: FloatArray) -> tuple[VariancePath, Slopes] | None:
        mu, recursion, shape = self._parts(parameters)
        residuals = self.sample - mu
        path = self.model.path(recursion, residuals, self._presample(residuals))
        return None if path is None else (path, innovation_slopes(residuals, path.log_variances, shape))

    def _parts(self, parameters: FloatArray) -> tuple[float, FloatArray, float | None]:
        first = int(self._fits_mean)
        last = len(parameters) - int(self._fits_shape)
        mu = float(parameters[0]) if self._fits_mean else 0.0
        return mu, parameters[first:last], float(parameters[-1]) if self._fits_shape else None

    def _presample(self, residuals: FloatArray) -> Presample:
        if self._backcast is not None:
            return Presample(self._backcast, 0.0)
        return Presample(float(residuals @ residuals) / len(residuals), -2.0 * float(residuals.mean()))

    def _weighted_square(self) -> float:
        first = self.sample[:_BACKCAST_LENGTH] - (self.sample.mean() if self._fits_mean else 0.0)
        weights = _BACKCAST_DECAY ** np.arange(len(first))
        return float((weights * first * first).sum() / weights.sum())

    def _starts(self) -> list[FloatArray]:
        mean = [float(self.sample.mean())] if self._fits_mean else []
        shape = [_FIRST_SHAPE] if self._fits_shape else []
        return [np.array([*mean, *start, *shape]) for start in self.model.starts()]

    def _maximum(self, start: FloatArray) -> ScoringResult:
        """Return the maximum found from a start."""
        if not (self._fits_mean and self.model.has_kinks):
            return minimise_by_scoring(self.evaluate, start, self.limits)
        found = minimise_by_scoring(self.evaluate, start, self.limits, kinks_below=_NEAR)
        if found.converged or found.blocked or not math.isfinite(found.value):
            return found
        among = self._maximum_among_kinks(found)
        return among if among.converged or among.value < found.value else found

    def _maximum_among_kinks(self, found: ScoringResult) -> ScoringResult:
        """Return the maximum near a result where the likelihood has a kink at each return, in the mean.

        Between two neighbouring returns it is smooth. If it is highest at the upper one, and above that at the lower
        one, the maximum is that kink.
        """
        limits, x = self.limits, found.parameters
        kinks, rows = _distinct(self.sample), len(limits.sides)
        cell, before, steps = int(np.searchsorted(kinks, x[0])), 0, found.iterations
        for _ in range(_CELLS):
            inner = _with_mean_between(limits, *_inside(kinks, cell))
            start = np.concatenate([np.clip(x[:1], inner.sides[-2], -inner.sides[-1]), x[1:]])
            found = minimise_by_scoring(self.evaluate, start, inner)
            side = int(rows + 1 in found.active) - int(rows in found.active)
            x, steps = found.parameters, steps + found.iterations
            at_kink = side != 0 and side == -before
            if not found.converged or side == 0 or at_kink:
                break
            cell, before = cell + side, side
        else:
            found = dataclasses.replace(found, converged=False)
        if at_kink:
            x = np.concatenate([[kinks[cell - (side < 0)]], x[1:]])
            found = dataclasses.replace(found, parameters=x, value=self.value(x))
        active = tuple(row for row in found.active if row < rows)
        return dataclasses.replace(found, active=active, iterations=steps)

    def _is_doubtful(self, found: ScoringResult) -> bool:
        """Whether a fit may be a local maximum: at some limits, or hardly better than a constant variance."""
        if any(row in self.model.doubtful_limits for row in found.active):
            return True
        mu, _, shape = self._parts(found.parameters)
        constant = innovation_slopes(self.sample - mu, np.zeros(len(self.sample)), shape)
        return found.value > -float(constant.log_likelihoods.sum()) - _INSIGNIFICANT

    def _nothing(self) -> ScoringResult:
        return ScoringResult(self._starts()[0], math.inf, (), 0, math.inf, converged=False)


def _distinct(sample: FloatArray) -> FloatArray:
    """Return the values of a sample in ascending order, one of those that differ by rounding only."""
    values = np.unique(sample)
    apart = np.append(True, np.diff(values) > _TIED * max(1.0, float(np.abs(values).max())))
    return np.asarray(values[apart])


def _inside(kinks: FloatArray, cell: int) -> tuple[float, float]:
    """Return the limits of the mean between the kinks before and after a place, a little inside of them."""
    low = float(kinks[cell - 1]) if cell > 0 else float(kinks[0]) - 1.0
    high = float(kinks[cell]) if cell < len(kinks) else float(kinks[-1]) + 1.0
    margin = _MARGIN * (high - low)
    return low + margin, high - margin


def _with_mean_between(limits: LinearLimits, low: float, high: float) -> LinearLimits:
    """Return limits to which those of the mean, the first parameter, are added."""
    normals = np.zeros((2, limits.normals.shape[1]))
    normals[:, 0] = 1.0, -1.0
    return LinearLimits(np.vstack([limits.normals, normals]), np.append(limits.sides, [low, -high]))

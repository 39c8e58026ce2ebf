r"""The search for the maximum of the likelihood of a Markov-switching model, from several starts at once.

1. A few steps of the EM algorithm from all starts, which are robust far from a maximum.
2. Quasi-Newton steps (BFGS) with the exact score. The first metric is the information that series and regimes
   together would have, so that the first step is about one of EM; the steps learn what the regimes hide.
3. Newton steps from the best end (:mod:`bank_python.risk_models.switching_newton`), until the log-likelihood is within
   1e-10 of its maximum by the quadratic approximation.

A start is left before it has converged if

- it has *collapsed*: a regime has shrunk to a single value, where the likelihood has no bound, or to no observation;
- it has *merged*: another one is better and nearer than 0.1 in units of the log-likelihood;
- it is *dominated*: a hundred times the gain that the quadratic approximation promises it, plus one, would not make
  it the best.

References
----------
J. Nocedal and S. J. Wright, *Numerical Optimization*, 2nd edition (2006), chapter 6.

K. Lange, "A quasi-Newton acceleration of the EM algorithm", Statistica Sinica 5 (1995), 1-18.

R. J. Hathaway, "A constrained formulation of maximum-likelihood estimation for normal mixture distributions", Annals of
Statistics 13 (1985), 795-800: the likelihood without bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bank_python.risk_models.switching_model import Expectation, SwitchingParameters, SwitchingSeries
from bank_python.risk_models.switching_newton import NewtonEnd, bounded, newton_steps, shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["Optimum", "SwitchingSearch"]

_EM_STEPS = 6
_COLLAPSED = 1e-8  # variance of a regime over the largest one
_FEW, _SPIKE = 3.0, 1e-3  # with fewer observations, a smaller ratio of variances is a coincidence of values
_EMPTY = 1e-3
_EXACT = 1e-13  # of the variance of the series: what remains of a series whose values are the means themselves
_NEAR = 0.1
_PATIENCE = 100.0
_SETTLED = 3  # quasi-Newton steps before the approximation is believed
_CLOSE = 1e-5  # promised gain at which quasi-Newton steps end
_SAME = 1e-3  # difference of log-likelihoods below which two starts have reached the same maximum
_ENOUGH = 1e-4  # share of the gain that the slope predicts (Armijo's condition)
_BACK = 0.25
_SHORTEST = 1e-6
_CURVED = 1e-8
_ROUNDED = 1e-11
_LEAST_INFORMATION = 1e-6


@dataclass(frozen=True, slots=True)
class Optimum:
    """The maximum that a search has found.

    Parameters
    ----------
    end : NewtonEnd
        Parameters and log-likelihood at the maximum, and the covariance of the estimates.
    iterations : int
        Number of steps of all kinds.
    reached : int
        Number of starts that led to the maximum.
    collapsed : int
        Number of starts that were left because a regime had shrunk to a value.
    """

    end: NewtonEnd
    iterations: int
    reached: int
    collapsed: int


@dataclass(slots=True)
class _Climb:
    """The starts that are on their way up, by quasi-Newton steps; `reached` counts those that have merged into each."""

    vectors: FloatArray
    values: FloatArray
    scores: FloatArray
    inverse: FloatArray
    metric: FloatArray
    reached: NDArray[np.int64]
    age: int = 0
    steps: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.steps = np.ones(len(self.vectors))

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Leave all starts but some."""
        for name in ("vectors", "values", "scores", "inverse", "metric", "reached", "steps"):
            setattr(self, name, getattr(self, name)[kept])

    def merge(self) -> None:
        """Merge starts into better ones that are near."""
        kept = np.ones(len(self.values), dtype=bool)
        for best in np.argsort(-self.values, kind="stable").tolist():
            if kept[best]:
                apart = 0.5 * (self.metric[best] * (self.vectors - self.vectors[best]) ** 2).sum(axis=1)
                near = kept & (apart < _NEAR)
                near[best] = False
                self.reached[best] += self.reached[near].sum()
                kept &= ~near
        if not kept.all():
            self.keep(kept)

    @property
    def directions(self) -> FloatArray:
        """Steps to the maximum by the quadratic approximation, shape (starts, size)."""
        return np.asarray((self.inverse @ self.scores[:, :, None])[:, :, 0])

    def move(self, trials: FloatArray, found: Expectation, better: NDArray[np.bool_]) -> None:
        """Go on to the trials that are better, and learn from them; try nearer ones for the others."""
        chosen = better[:, None]
        scores = np.where(chosen, np.nan_to_num(found.score()), self.scores)
        self.metric = np.where(chosen, np.maximum(found.information(), _LEAST_INFORMATION), self.metric)
        self._learn(np.where(chosen, trials - self.vectors, 0.0), self.scores - scores)
        self.vectors, self.scores = np.where(chosen, trials, self.vectors), scores
        self.values = np.where(better, found.loglikelihood, self.values)
        self.steps = np.where(better, 1.0, _BACK * self.steps)
        self.age += 1

    def _learn(self, moves: FloatArray, falls: FloatArray) -> None:
        """Update the inverse second derivatives by steps and the fall of the score along them (BFGS)."""
        curvature = (moves * falls).sum(axis=1)
        most = np.sqrt((moves**2 * self.metric).sum(axis=1) * (falls**2 / self.metric).sum(axis=1))
        learned = curvature > _CURVED * most
        s, y, old = moves[learned], falls[learned], self.inverse[learned]
        rho = (1.0 / curvature[learned])[:, None, None]
        across = (old @ y[:, :, None])[:, :, 0]
        outer = s[:, :, None] * across[:, None, :]
        along = s[:, :, None] * s[:, None, :]
        weight = rho * (1.0 + rho * (across * y).sum(axis=1)[:, None, None])
        self.inverse[learned] = old - rho * (outer + outer.transpose(0, 2, 1)) + weight * along


class SwitchingSearch:
    """A search for the maximum of the likelihood of a model of a series.

    Parameters
    ----------
    series : SwitchingSeries
        Standardised series with its model.
    max_iterations : int
        Largest number of steps of each kind.
    """

    def __init__(self, series: SwitchingSeries, max_iterations: int) -> None:
        self._series = series
        self._model = series.model
        self._most = max_iterations
        self._collapsed = 0
        self._iterations = 0
        self._ends: list[tuple[float, int, FloatArray]] = []

    def run(self, starts: SwitchingParameters) -> Optimum | None:
        """Return the best maximum that is reached from some starts, or None if all of them collapse."""
        climb = self._explore(starts)
        while climb is not None and len(climb.vectors):
            self._advance(climb)
        while self._ends:
            best, count, vector = max(self._ends, key=lambda end: end[0])
            end = newton_steps(self._series, vector, self._most)
            self._iterations += end.steps
            if self._sound(end.found)[0][0]:
                reached = sum(count for value, count, _ in self._ends if value > best - _SAME)
                return Optimum(end, self._iterations, reached, self._collapsed)
            self._ends = [each for each in self._ends if each[2] is not vector]
            self._collapsed += count
        return None

    def _explore(self, starts: SwitchingParameters) -> _Climb | None:
        """Return the starts after a few steps of EM, with regimes in one order so that they can be compared."""
        parameters, reached = starts, np.ones(len(starts.means), dtype=np.int64)
        for step in range(min(_EM_STEPS, self._most) + 1):
            sorts = parameters.variances if self._model.switching_variance else parameters.means
            found = self._series.expect(parameters.ordered(np.argsort(sorts, axis=1)))
            sound, _ = self._sound(found)
            self._collapsed += int((~sound).sum())
            found, reached = found.take(sound), reached[sound]
            if not sound.any():
                return None
            self._iterations += step > 0
            parameters = found.improved()
        metric = np.maximum(found.information(), _LEAST_INFORMATION)
        inverse = np.eye(self._model.size) / metric[:, :, None]
        vectors = found.parameters.vectors(self._model)
        climb = _Climb(vectors, found.loglikelihood, found.score(), inverse, metric, reached)
        climb.merge()
        return climb

    def _sound(self, found: Expectation) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return whether each start is sound, and whether one of its regimes has shrunk to a value."""
        variances, weights = found.parameters.variances, found.weights
        ratios = variances / variances.max(axis=1, keepdims=True)
        spikes = (ratios < _COLLAPSED) | ((weights < _FEW) & (ratios < _SPIKE))
        filled = np.isfinite(variances) & (weights > _EMPTY)
        collapsed = (spikes | (variances < _EXACT)).any(axis=1)
        return np.isfinite(found.loglikelihood) & filled.all(axis=1) & ~collapsed, collapsed

    def _advance(self, climb: _Climb) -> None:
        """Make a quasi-Newton step with each start, and leave those that are done."""
        directions = climb.directions
        trials = bounded(climb.vectors + climb.steps[:, None] * shortened(directions, self._series), self._series)
        found = self._series.expect(SwitchingParameters.of_vectors(trials, self._model))
        self._iterations += 1
        sound, collapsed = self._sound(found)
        predicted = ((trials - climb.vectors) * climb.scores).sum(axis=1)
        gained = found.loglikelihood - climb.values
        better = sound & (gained >= _ENOUGH * predicted - _ROUNDED)
        lost = collapsed & (gained > 0.0)
        climb.move(trials, found, better)
        self._collapsed += int(climb.reached[lost].sum())
        climb.keep(~lost)
        self._leave(climb)

    def _leave(self, climb: _Climb) -> None:
        """Note the starts that have converged, and leave them, those that are dominated and those that have merged."""
        promised = 0.5 * (climb.directions * climb.scores).sum(axis=1)
        done = (promised < _CLOSE) | (climb.steps < _SHORTEST) | (climb.age >= self._most)
        for start in np.flatnonzero(done).tolist():
            self._ends.append((float(climb.values[start]), int(climb.reached[start]), climb.vectors[start]))
        best = max([*climb.values.tolist(), *(value for value, _, _ in self._ends)], default=-np.inf)
        dominated = (climb.values + _PATIENCE * promised + 1.0 < best) & (climb.age >= _SETTLED)
        climb.keep(~(done | dominated))
        climb.merge()

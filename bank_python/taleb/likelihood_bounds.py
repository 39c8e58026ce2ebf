r"""The ends of profile-likelihood intervals: the extremes of a quantity where the likelihood is high enough.

A profile-likelihood interval of a quantity g of the parameters holds the values that g takes where the log-likelihood
is at most :math:`r^2/2` below its maximum, with r the normal quantile of the confidence (1.96 for 95 %). At its ends

.. math:: \nabla \ell + \lambda \nabla g = 0, \qquad \ell = \hat\ell - \tfrac12 r^2 ,

which are found by Newton steps along the path from the maximum (r = 0) to the r wanted, for all quantities and both
ends at once. The parameters are measured in standard errors, in which the path begins as a straight line. An end that
the path does not reach is open: the likelihood does not fall that far before the parameters leave their range.

Examples
--------
>>> def normal(points):  # mean 3 and standard deviation 2 as the log-likelihood of one parameter
...     x = (points - 3.0) / 2.0
...     return Likelihood(-0.5 * (x * x)[:, 0], -0.5 * x, np.full((len(x), 1, 1), -0.25))
>>> ends = likelihood_bounds(normal, lambda points: np.exp(points[..., 0]), np.array([3.0]), 1, 1.96)
>>> ends.points[0, :, 0].round(6), ends.closed.all()
(array([-0.92,  6.92]), np.True_)

References
----------
D. J. Venzon and S. H. Moolgavkar, "A method for computing profile-likelihood-based confidence intervals", Applied
Statistics 37 (1988), 87-94.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.risk_models.gpd_likelihood import Likelihood

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.numerics import FloatArray

__all__ = ["Likelihood", "LikelihoodBounds", "likelihood_bounds"]

_STAGES = (2, 8, 32)  # along a path: more where the Newton steps of a longer one fail
_NEWTON = 12
_CONVERGED = 3e-5  # a Newton step in standard errors, which leaves an error of about its square
_ON_THE_WAY = 0.3  # the same before the last stage, whose first guess it gives
_LONGEST = 1.0  # Newton step in standard errors
_DIFFERENCE = 1e-4  # step in standard errors of the differences of a quantity


class LikelihoodBounds(NamedTuple):
    """Parameters at the lower and upper ends of intervals.

    Parameters
    ----------
    points : ndarray, shape (n_quantities, 2, p)
        Parameters at the ends; where an end is open, the last point of its path.
    closed : ndarray of bool, shape (n_quantities, 2)
        Whether the end was reached.
    """

    points: FloatArray
    closed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def likelihood_bounds(
    likelihood: Callable[[FloatArray], Likelihood],
    measure: Callable[[FloatArray], FloatArray],
    best: FloatArray,
    quantities: int,
    reach: float,
) -> LikelihoodBounds | None:
    """Return the parameters at the ends of profile-likelihood intervals, or None if the maximum is not a peak.

    Parameters
    ----------
    likelihood : callable
        Function from parameters, shape (rows, p), to the log-likelihood with its derivatives; −∞ out of their range.
    measure : callable
        Function from points, shape (n_quantities, m, p), to the values of each quantity at its own m points; smooth,
        increasing functions of the quantities do as well.
    best : ndarray, shape (p,)
        Parameters of the maximum.
    quantities : int
        Number of quantities.
    reach : float
        Normal quantile r of the intervals, above 0.
    """
    top = likelihood(best[None, :])
    information = -top.hessian[0]
    if not (np.isfinite(information).all() and np.linalg.eigvalsh(information)[0] > 0.0):
        return None
    scale = np.linalg.inv(np.linalg.cholesky(information)).T
    paths = _Paths(likelihood, measure, best, scale, float(top.value[0]), (quantities, 2))
    steepest = np.abs(paths.differences(np.zeros((quantities, 2, len(best))))[0]).max(axis=(1, 2))
    unit = np.where(steepest > 0.0, steepest, 1.0)[:, None]  # so that squares of slopes are numbers in any currency
    paths = replace(paths, measure=lambda points: measure(points) / unit)
    points, closed = paths.walked(reach, _STAGES[0])
    for stages in _STAGES[1:]:
        if closed.all():
            break
        again, reached = paths.walked(reach, stages)
        points, closed = np.where(closed[..., None], points, again), closed | reached
    return LikelihoodBounds(best + points @ scale.T, closed)


@dataclass(frozen=True, slots=True)
class _Paths:
    """The paths of all ends; points are in standard errors from the maximum."""

    likelihood: Callable[[FloatArray], Likelihood]
    measure: Callable[[FloatArray], FloatArray]
    best: FloatArray
    scale: FloatArray
    top: float
    ends: tuple[int, int]

    def walked(self, reach: float, stages: int) -> tuple[FloatArray, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
        """Return the points at the ends of the paths, and whether each was reached."""
        slope = self.differences(np.zeros((*self.ends, len(self.best))))[0]
        sign = np.array([-1.0, 1.0])[:, None]
        outward = sign * slope / np.linalg.norm(slope, axis=-1, keepdims=True)
        points, older = np.zeros_like(slope), np.zeros_like(slope)
        alive = np.ones(self.ends, dtype=bool)
        for stage in range(1, stages + 1):
            r = reach * stage / stages
            guess = r * outward if stage == 1 else 2.0 * points - older
            if stage == 2:  # noqa: PLR2004 - the parabola that leaves the maximum outward and goes through the first
                guess = 4.0 * points - r * outward
            found, converged = self.end(guess, points, r, sign, _CONVERGED if stage == stages else _ON_THE_WAY)
            alive &= converged
            if not alive.any():
                break
            older, points = (np.where(alive[..., None], now, was) for now, was in ((points, older), (found, points)))
        return points, alive

    def end(
        self, guess: FloatArray, safe: FloatArray, r: float, sign: FloatArray, tolerance: float
    ) -> tuple[FloatArray, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
        """Return the points where the quantities are extreme at the level of r, and whether Newton steps converged."""
        y, weight, p = guess, np.full(self.ends, np.nan), len(self.best)
        done = np.zeros(self.ends, dtype=bool)
        system = np.zeros((*self.ends, p + 1, p + 1))
        side = np.empty((*self.ends, p + 1, 1))
        for _ in range(_NEWTON):
            value, gradient, hessian = self.at(y)
            inside = np.isfinite(value)
            slope, bend = self.differences(y)
            slope *= sign
            if np.isnan(weight).any():  # the multiplier that fits best
                fitting = -(gradient * slope).sum(axis=-1) / (slope * slope).sum(axis=-1)
                weight = np.where(np.isnan(weight), fitting, weight)
            system[..., :p, :p] = hessian + weight[..., None, None] * sign[..., None] * bend
            system[..., :p, p], system[..., p, :p] = slope, gradient
            side[..., :p, 0], side[..., p, 0] = -gradient - weight[..., None] * slope, self.top - 0.5 * r * r - value
            step = _solved(system, side, inside)
            length = np.linalg.norm(step[..., :p], axis=-1)
            share = np.minimum(1.0, _LONGEST / np.maximum(length, _LONGEST))
            done |= inside & (length < tolerance) & (weight > 0.0)
            moved = y + share[..., None] * step[..., :p]
            safe = np.where(inside[..., None], y, safe)
            y = np.where(inside[..., None], moved, 0.5 * (y + safe))
            weight = np.where(inside, weight + share * step[..., p], np.nan)
            if done.all():
                break
        return y, done

    def at(self, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the log-likelihood at points with its derivatives in standard errors."""
        p = len(self.best)
        value, gradient, hessian = self.likelihood((self.best + y @ self.scale.T).reshape(-1, p))
        turned = self.scale.T @ hessian.reshape(*self.ends, p, p) @ self.scale
        return value.reshape(self.ends), gradient.reshape(*self.ends, p) @ self.scale, turned

    def differences(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the first and second derivatives of the quantities in standard errors, by central differences."""
        p, h = len(self.best), _DIFFERENCE
        unit = np.eye(p)
        pairs = [(i, j) for i in range(p) for j in range(i)]
        arms = np.concatenate([unit, *(unit[None, i] + unit[None, j] for i, j in pairs)])
        stencil = np.concatenate([np.zeros((1, p)), h * arms, -h * arms])
        near = (self.best + (y[:, :, None, :] + stencil) @ self.scale.T).reshape(self.ends[0], -1, p)
        values = self.measure(near).reshape(*self.ends, -1)
        forward, backward = values[..., 1 : 1 + len(arms)], values[..., 1 + len(arms) :]
        along = (forward + backward - 2.0 * values[..., :1]) / (h * h)
        bend = np.empty((*self.ends, p, p))
        bend[..., np.arange(p), np.arange(p)] = along[..., :p]
        for k, (i, j) in enumerate(pairs):
            bend[..., i, j] = bend[..., j, i] = 0.5 * (along[..., p + k] - along[..., i] - along[..., j])
        return (forward[..., :p] - backward[..., :p]) / (2.0 * h), bend


def _solved(
    system: FloatArray, side: FloatArray, inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> FloatArray:
    """Return the Newton steps, NaN where the system is singular or the point is out of range."""
    step = np.full(side.shape[:-1], np.nan)
    usable = inside & np.isfinite(system).all(axis=(-1, -2)) & np.isfinite(side).all(axis=(-1, -2))
    try:
        step[usable] = np.linalg.solve(system[usable], side[usable])[..., 0]
    except np.linalg.LinAlgError:
        usable[usable] = np.abs(np.linalg.det(system[usable])) > 0.0
        step[usable] = np.linalg.solve(system[usable], side[usable])[..., 0]
    return step

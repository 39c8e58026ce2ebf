r"""Nonlinear least squares in a box: the method of Levenberg and Marquardt.

.. math:: (J^\top J + \lambda\,\mathrm{diag}(J^\top J))\,\delta = -J^\top r

A step that lowers the sum of squares is taken and makes the next one bolder; one that does not is taken back and makes
it more careful. Steps end at the box's walls, and a parameter that is held there by its gradient sits out the step.
The Jacobian is by forward differences, a call of the residuals for each parameter.

Examples
--------
>>> t = np.linspace(0.0, 2.0, 9)
>>> data = 3.0 * np.exp(-1.5 * t)
>>> fit = least_squares(lambda p: p[0] * np.exp(-p[1] * t) - data, [1.0, 1.0], [0.0, 0.0], [10.0, 10.0])
>>> fit.parameters.round(9), fit.converged
(array([3. , 1.5]), True)

References
----------
J. J. Moré, "The Levenberg-Marquardt algorithm: implementation and theory", in *Numerical Analysis*, Lecture Notes in
Mathematics 630 (1978), 105-116.

J. Nocedal and S. J. Wright, *Numerical Optimization* (2006), section 10.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import CalibrationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["LeastSquares", "least_squares"]

_BUMP = 2.0**-26
_FIRST_DAMPING = 1e-3
_LEAST_DAMPING, _MOST_DAMPING = 1e-12, 1e12
_BOLDER, _MORE_CAREFUL = 0.2, 4.0
_SETTLED = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """Where a search ended.

    Parameters
    ----------
    parameters : ndarray, shape (n,)
        The best found.
    residuals : ndarray, shape (m,)
        There.
    iterations : int
        Steps tried.
    converged : bool
        Whether no step lowers the sum of squares any more; otherwise the iterations ran out.
    """

    parameters: FloatArray
    residuals: FloatArray
    iterations: int
    converged: bool

    @property
    def cost(self) -> float:
        """The sum of squares."""
        return float(self.residuals @ self.residuals)


def least_squares(
    residuals: Callable[[FloatArray], FloatArray],
    start: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    max_iterations: int = 200,
) -> LeastSquares:
    """Minimise the sum of squares of `residuals` within a box.

    Parameters
    ----------
    residuals : callable
        From parameters, shape (n,), to residuals, shape (m,). Where it is not finite no step is taken.
    start, lower, upper : array_like, shape (n,)
        The first parameters, and the box they stay in.
    max_iterations : int, default 200
        Steps tried at most.

    Raises
    ------
    CalibrationError
        The start lies outside the box, or the residuals there are not finite.
    """
    low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    x = np.asarray(start, dtype=float).copy()
    if not ((low <= x) & (x <= high)).all():
        raise CalibrationError(f"the start {x.tolist()} lies outside its box; choose one inside", value=x)
    r = residuals(x)
    if not np.isfinite(r).all():
        raise CalibrationError(f"the residuals at the start {x.tolist()} are not finite; choose another", value=x)
    cost, damping, iteration = float(r @ r), _FIRST_DAMPING, 0
    while iteration < max_iterations:
        jacobian = _jacobian(residuals, x, r, low, high)
        while iteration < max_iterations:
            iteration += 1
            moved = np.clip(x + _step(jacobian, r, x, low, high, damping), low, high)
            new = residuals(moved)
            new_cost = float(new @ new) if np.isfinite(new).all() else math.inf
            still = bool((np.abs(moved - x) <= _SETTLED * (np.abs(x) + _SETTLED)).all())
            if new_cost < cost:
                gain, x, r, cost = (cost - new_cost) / cost, moved, new, new_cost
                damping = max(damping * _BOLDER, _LEAST_DAMPING)
                if still or gain < _SETTLED:
                    return LeastSquares(x, r, iteration, converged=True)
                break
            if still or damping > _MOST_DAMPING:
                return LeastSquares(x, r, iteration, converged=True)
            damping *= _MORE_CAREFUL
    return LeastSquares(x, r, iteration, converged=False)


def _jacobian(
    residuals: Callable[[FloatArray], FloatArray], x: FloatArray, r: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    columns = []
    for i in range(len(x)):
        size = _BUMP * max(abs(x[i]), _BUMP * (high[i] - low[i]), _BUMP)
        moved = x.copy()
        moved[i] += size if x[i] + size <= high[i] else -size
        columns.append((residuals(moved) - r) / (moved[i] - x[i]))
    return np.array(columns).T


def _step(
    jacobian: FloatArray, r: FloatArray, x: FloatArray, low: FloatArray, high: FloatArray, damping: float
) -> FloatArray:
    gradient = jacobian.T @ r
    held = ((x <= low) & (gradient > 0.0)) | ((x >= high) & (gradient < 0.0))
    free = np.flatnonzero(~held & np.isfinite(gradient))
    step = np.zeros_like(x)
    if free.size:
        part = jacobian[:, free]
        scale = np.sqrt(damping * np.maximum((part * part).sum(axis=0), np.finfo(float).tiny))
        # The damped normal equations as a least-squares problem of their own, which does not square the condition.
        stacked, target = np.vstack([part, np.diag(scale)]), np.concatenate([-r, np.zeros(free.size)])
        step[free] = np.linalg.lstsq(stacked, target, rcond=None)[0]
    return step

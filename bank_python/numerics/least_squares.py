r"""Nonlinear least squares with bounds on the parameters, by the Levenberg-Marquardt method.

.. math:: (J^\top J + \lambda\,\mathrm{diag}(J^\top J))\,\delta = -J^\top r

A step that lowers the sum of squares is accepted and the damping λ reduced; one that does not is rejected and the
damping raised. Steps are clipped to the bounds, and a parameter at a bound whose gradient points outwards is fixed for
the step. The Jacobian is computed by forward differences, with one evaluation of the residuals for each parameter.

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

from bank_python.display import Record
from bank_python.errors import CalibrationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["LeastSquares", "least_squares"]

_BUMP = 2.0**-26
_FIRST_DAMPING = 1e-3
_LEAST_DAMPING, _MOST_DAMPING = 1e-12, 1e12
_LESS_DAMPING, _MORE_DAMPING = 0.2, 4.0
_CONVERGED = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares(Record):
    """The result of a least-squares fit.

    Parameters
    ----------
    parameters : ndarray, shape (n,)
        Parameters with the smallest sum of squares found.
    residuals : ndarray, shape (m,)
        Residuals at these parameters.
    iterations : int
        Number of steps tried.
    converged : bool
        Whether the fit converged: no step lowers the sum of squares further. If False, the iterations ran out.
    """

    parameters: FloatArray
    residuals: FloatArray
    iterations: int
    converged: bool

    @property
    def cost(self) -> float:
        """The sum of squared residuals."""
        return float(self.residuals @ self.residuals)


def least_squares(
    residuals: Callable[[FloatArray], FloatArray],
    start: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    max_iterations: int = 200,
) -> LeastSquares:
    """Minimise the sum of squared `residuals` within bounds.

    Parameters
    ----------
    residuals : callable
        Function from parameters, shape (n,), to residuals, shape (m,). Steps to parameters with residuals that are not
        finite are rejected.
    start : array_like, shape (n,)
        Initial parameters, within the bounds.
    lower, upper : array_like, shape (n,)
        Bounds of the parameters.
    max_iterations : int, default 200
        Maximum number of steps tried.

    Raises
    ------
    CalibrationError
        The start is outside the bounds, or the residuals there are not finite.
    """
    low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    x = np.asarray(start, dtype=float).copy()
    if not ((low <= x) & (x <= high)).all():
        raise CalibrationError(f"the start {x.tolist()} is outside the bounds; choose one within them", value=x)
    r = residuals(x)
    if not np.isfinite(r).all():
        raise CalibrationError(f"the residuals at the start {x.tolist()} are not finite; choose another start", value=x)
    cost, damping, iteration = float(r @ r), _FIRST_DAMPING, 0
    while iteration < max_iterations:
        jacobian = _jacobian(residuals, x, r, low, high)
        while iteration < max_iterations:
            iteration += 1
            moved = np.clip(x + _step(jacobian, r, x, low, high, damping), low, high)
            new = residuals(moved)
            new_cost = float(new @ new) if np.isfinite(new).all() else math.inf
            still = bool((np.abs(moved - x) <= _CONVERGED * (np.abs(x) + _CONVERGED)).all())
            if new_cost < cost:
                gain, x, r, cost = (cost - new_cost) / cost, moved, new, new_cost
                damping = max(damping * _LESS_DAMPING, _LEAST_DAMPING)
                if still or gain < _CONVERGED:
                    return LeastSquares(x, r, iteration, converged=True)
                break
            if still or damping > _MOST_DAMPING:
                return LeastSquares(x, r, iteration, converged=True)
            damping *= _MORE_DAMPING
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
    fixed = ((x <= low) & (gradient > 0.0)) | ((x >= high) & (gradient < 0.0))
    free = np.flatnonzero(~fixed & np.isfinite(gradient))
    step = np.zeros_like(x)
    if free.size:
        part = jacobian[:, free]
        scale = np.sqrt(damping * np.maximum((part * part).sum(axis=0), np.finfo(float).tiny))
        # The damped normal equations as a least-squares problem, which does not square the condition number.
        stacked, target = np.vstack([part, np.diag(scale)]), np.concatenate([-r, np.zeros(free.size)])
        step[free] = np.linalg.lstsq(stacked, target, rcond=None)[0]
    return step

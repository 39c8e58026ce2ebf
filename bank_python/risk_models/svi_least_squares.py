r"""Least squares in the five parameters of raw SVI, from several starting points at once.

The raw parameters are badly scaled for a search: `a` and `b` have similar effects, and the constraints are nonlinear.
So the search uses coordinates in which the constraints are simple bounds,

.. math:: w = v + \tfrac12 (q^2 - p^2)\,x + \tfrac12 (q^2 + p^2) \sqrt{x^2 + \sigma^2} - \sigma p q, \qquad
          x = k - m,\ \sigma = e^s

where `v` is the lowest total variance and `p²`, `q²` are the slopes of the left and right wings. A positive variance is
a bound on `v`, Lee's condition a bound on `p` and `q`, and wings at least as steep as those of the previous expiry
another bound.

*Starting points.* For a given vertex and roundness the smile is linear in the other parameters, so the best smile for
each pair (m, σ) of a coarse grid takes one small linear system (the quasi-explicit method of De Marco and Martini). The
best few smiles are the starting points.

*Search.* A projected Levenberg–Marquardt iteration runs from all starting points in one array. Derivatives are exact:
the residuals are evaluated at :math:`\theta + i h e_j` with :math:`h = 10^{-30}`, and their imaginary part over `h` is
the derivative without cancellation (the complex step).

References
----------
Zeliade Systems (S. De Marco, C. Martini), "Quasi-explicit calibration of Gatheral's SVI model", white paper
ZWP-0005 (2009).

W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40 (1998),
110-112.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.risk_models.svi import LEE_SLOPE, SviSlice

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray
    from bank_python.risk_models.smile_quotes import SmileQuotes

__all__ = ["Box", "coordinates", "raw_parameters", "search", "slice_at", "starts"]

_STEP = 1.0e-30
_SIZE = 5
_BEST = 4  # number of starting points
_ROUNDS = 100
_ENOUGH = 1.0e-30  # a cost, relative to the squared scale of the smile, that is due to rounding
_STALL = 1.0e-12  # the relative decrease of the cost below which a search ends
_MOST_DAMPING = 1.0e12
_CAP = 1.0e15  # prevents an overflow in a finished search while others continue
_SLACK = 1.0e-10


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Bounds of the coordinates (v, p, q, m, s); arrays of shape (5,)."""

    lower: FloatArray
    upper: FloatArray

    @classmethod
    def around(
        cls, quotes: SmileQuotes, least_slopes: tuple[float, float] = (0.0, 0.0), least_share: float = 1e-9
    ) -> Box:
        """Return the bounds for a smile fitted to these quotes.

        The slopes of the wings are at least `least_slopes`, and the lowest variance is at least `least_share` times the
        lowest quoted one.
        """
        k, variance = quotes.log_moneyness, quotes.total_variance
        width = float(k[-1] - k[0])
        # Slightly inside the constraints, which rounding in the conversion to raw parameters could violate otherwise.
        steepest = (LEE_SLOPE * (1.0 - _SLACK)) ** 0.5
        left, right = (min((slope * (1.0 + _SLACK)) ** 0.5, steepest) for slope in least_slopes)
        least, most = least_share * float(variance.min()), 2.0 * float(variance.max())
        return cls(
            np.array([least, left, right, k[0] - width, np.log(1e-4 * width)]),
            np.array([most, steepest, steepest, k[-1] + width, np.log(10.0 * width)]),
        )

    def clip(self, theta: FloatArray) -> FloatArray:
        """Return the nearest point within the bounds."""
        return np.clip(theta, self.lower, self.upper)


def raw_parameters(theta: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return a, b, rho, m, sigma for coordinates along the last axis, real or complex, each of shape (..., 1)."""
    v, p, q, m, s = (theta[..., j : j + 1] for j in range(_SIZE))
    sigma, b = np.exp(s), 0.5 * (p * p + q * q)
    # The asymmetry of a flat smile is arbitrary and set to 0.
    rho = 0.5 * (q * q - p * p) / np.where(b == 0.0, 1.0, b)
    return v - sigma * p * q, b, rho, m, sigma


def coordinates(smile: SviSlice) -> FloatArray:
    """Return the search coordinates of a smile, shape (5,)."""
    left, right = smile.wing_slopes
    return np.array([smile.minimum_variance, left**0.5, right**0.5, smile.m, np.log(smile.sigma)])


def slice_at(theta: FloatArray) -> SviSlice:
    """Return the smile at these coordinates, shape (5,)."""
    a, b, rho, m, sigma = (float(value[0]) for value in raw_parameters(theta))
    return SviSlice(a, b, min(max(rho, -1.0), 1.0), m, sigma)


def starts(quotes: SmileQuotes, box: Box) -> FloatArray:
    """Return the starting points, shape (4, 5): the best smiles of a coarse grid of vertices and roundnesses."""
    k, variance, weights = quotes.log_moneyness, quotes.total_variance, quotes.weights
    width = k[-1] - k[0]
    m, sigma = np.meshgrid(
        np.linspace(k[0] - 0.2 * width, k[-1] + 0.2 * width, 11), width * np.geomspace(0.02, 2.0, 7), indexing="ij"
    )
    m, sigma = m.ravel(), sigma.ravel()
    y = (k - m[:, None]) / sigma[:, None]
    design = np.stack([np.ones_like(y), y, np.sqrt(1.0 + y * y)], axis=-1)
    weighted = design * weights[:, None]
    normal = weighted.swapaxes(1, 2) @ design
    ridge = 1e-11 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    a, d, c = np.linalg.solve(normal + ridge, weighted.swapaxes(1, 2) @ variance[:, None])[..., 0].T
    left, right = np.maximum((c - d) / sigma, 0.0), np.maximum((c + d) / sigma, 0.0)
    p, q = np.sqrt(left), np.sqrt(right)
    theta = box.clip(np.stack([a + sigma * p * q, p, q, m, np.log(sigma)], axis=-1))
    cost = ((_smiles(theta, k) - variance) ** 2) @ weights
    return theta[np.argsort(cost, kind="stable")[:_BEST]]


def _smiles(theta: FloatArray, k: FloatArray) -> FloatArray:
    a, b, rho, m, sigma = raw_parameters(theta)
    x = k - m
    return np.asarray(a + b * (rho * x + np.sqrt(x * x + sigma * sigma)))


def search(residuals: Callable[[NDArray[Any]], NDArray[Any]], theta: FloatArray, box: Box) -> FloatArray:
    """Minimise the sum of squared residuals from all starting points and return the best point found.

    Parameters
    ----------
    residuals : callable
        Function from complex coordinates, shape (..., 5), to residuals, shape (..., n), of order 1 for a bad fit.
    theta : ndarray, shape (starts, 5)
        Coordinates of the starting points, within the bounds.
    box : Box
        Bounds of the coordinates, which every point of the search satisfies.

    Returns
    -------
    ndarray, shape (5,)
        Coordinates with the smallest sum of squares.
    """
    values, slopes = _linearise(residuals, theta)
    cost = np.einsum("ij,ij->i", values, values)
    damping = np.full(len(theta), 1e-3)
    growth = np.full(len(theta), 2.0)
    live = np.ones(len(theta), dtype=bool)
    for _ in range(_ROUNDS):
        step = _step(theta, values, slopes, damping, box)
        trial = box.clip(theta + step)
        trial_values, trial_slopes = _linearise(residuals, trial)
        trial_cost = np.einsum("ij,ij->i", trial_values, trial_values)
        better = live & (trial_cost < cost)
        live &= ~((better & (cost - trial_cost <= _STALL * cost)) | (damping > _MOST_DAMPING))
        live &= np.where(better, trial_cost, cost) > _ENOUGH
        theta = np.where(better[:, None], trial, theta)
        values = np.where(better[:, None], trial_values, values)
        slopes = np.where(better[:, None, None], trial_slopes, slopes)
        cost = np.where(better, trial_cost, cost)
        damping = np.where(better, np.maximum(damping * 0.15, 1e-15), np.minimum(damping * growth, _CAP))
        growth = np.where(better, 2.0, np.minimum(2.0 * growth, _CAP))
        if not live.any() or cost.min() <= _ENOUGH:
            break
    return np.asarray(theta[np.argmin(cost)])


def _linearise(residuals: Callable[[NDArray[Any]], NDArray[Any]], theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return residuals, shape (starts, n), and their derivatives, shape (starts, 5, n)."""
    shifted = residuals(theta[:, None, :] + 1j * _STEP * np.eye(_SIZE))
    return shifted[:, 0].real, shifted.imag / _STEP


def _step(theta: FloatArray, values: FloatArray, slopes: FloatArray, damping: FloatArray, box: Box) -> FloatArray:
    gradient = np.einsum("ijn,in->ij", slopes, values)
    fixed = ((theta <= box.lower) & (gradient > 0.0)) | ((theta >= box.upper) & (gradient < 0.0))
    free = ~fixed
    slopes = slopes * free[:, :, None]
    normal = slopes @ slopes.swapaxes(1, 2)
    scale = np.einsum("ijj->ij", normal)
    diagonal = damping[:, None] * scale + 1e-18 * (1.0 + scale.max(axis=1, keepdims=True)) + fixed
    normal = normal + diagonal[:, :, None] * np.eye(_SIZE)
    return np.asarray(-np.linalg.solve(normal, (gradient * free)[..., None])[..., 0])

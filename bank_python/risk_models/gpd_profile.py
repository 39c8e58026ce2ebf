r"""Maximum likelihood of generalised Pareto distributions, for one sample or for many resamples of it at once.

The likelihood in both parameters reduces to one in θ = ξ/β, for which ξ is the mean of log(1 + θz) (Grimshaw):

.. math:: p(\theta) = -\log\frac{\xi(\theta)}{\theta} - \xi(\theta) - 1 ,
          \qquad \xi(\theta) = \frac1n \sum_i \log(1 + \theta z_i)

is the log-likelihood per observation. All θ above −1/max z are allowed; in s = log(1 + θ max z) these are all numbers,
and p is analytic in a strip of half-width π around them, so that a grid of steps of a half misses no maximum that
matters. The best one on the grid is refined by Newton steps, which never leave its bracket.

For ξ below −1 the likelihood is unbounded, so that these shapes are left out; on the edge ξ = −1 the distribution is
uniform on (0, max z). Where no maximum within has a higher likelihood than that, the edge is the answer.

Resamples are rows of weights on the same excesses. The grid of all rows is one product of matrices.

Examples
--------
>>> excesses = np.linspace(0.05, 0.95, 10) ** -0.25 - 1.0
>>> best = best_gpd(excesses)
>>> best.xi.round(4), best.beta.round(4)
(array([0.0807]), array([0.2818]))

References
----------
S. D. Grimshaw, "Computing maximum likelihood estimates for the generalized Pareto distribution", Technometrics 35
(1993), 185-191.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from bank_python.numerics.columns import FloatArray

__all__ = ["EDGE", "BestGpd", "best_gpd", "resampled_gpd"]

EDGE = -1.0
"""Shape below which the likelihood has no maximum: it is unbounded where the support ends at the largest excess."""

_STEP = 0.5  # of the grid, a sixth of the half-width of the strip where the profile is analytic
_LOWEST = -14.0  # 1 + θ max z is a millionth
_HEAVIEST = 1e6  # largest θ in units of 1/median
_NEWTON = 60  # bisection alone halves a bracket of width 1 to rounding in 52 steps
_CONVERGED = 1e-7  # a Newton step so short leaves an error of its square
_NEAR = 1e-5  # |θ| max z below which the derivative is a series
_LIGHT = 1e-9  # a smaller shape is taken as 0
_ROWS = 2_000_000  # numbers in the largest array of a block of resamples: 16 MB


class BestGpd(NamedTuple):
    """Shapes `xi`, scales `beta` and maxima of the log-likelihood per observation `value`, each of shape (rows,)."""

    xi: FloatArray
    beta: FloatArray
    value: FloatArray


def best_gpd(excesses: FloatArray) -> BestGpd:
    """Return the maximum likelihood of one sample, as arrays of one row.

    Parameters
    ----------
    excesses : ndarray, shape (n,)
        Numbers above 0, not all equal.
    """
    scale = float(excesses.mean())
    z = excesses / scale
    found = _best(z, None, _grid(z), z[None, :])
    return BestGpd(found.xi, found.beta * scale, found.value - np.log(scale))


def resampled_gpd(excesses: FloatArray, picks: np.ndarray[tuple[int, int], np.dtype[np.integer]]) -> BestGpd:
    """Return the maximum likelihood of resamples of one sample, each as if it were fitted alone.

    Parameters
    ----------
    excesses : ndarray, shape (n,)
        Numbers above 0.
    picks : ndarray of int, shape (rows, m)
        Positions of the excesses in each resample; at least two different excesses in each.
    """
    scale = float(excesses.mean())
    z = excesses / scale
    grid, n = _grid(z), len(z)
    parts = []
    for rows in np.array_split(picks, max(1, -(-picks.size // _ROWS))):
        places = rows + n * np.arange(len(rows))[:, None]
        counts = np.bincount(places.ravel(), minlength=n * len(rows)).reshape(len(rows), n)
        parts.append(_best(z, counts / rows.shape[1], grid, z[rows]))
    xi, beta, value = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return BestGpd(xi, beta * scale, value - np.log(scale))


def _grid(z: FloatArray) -> FloatArray:
    highest = float(np.log1p(_HEAVIEST * z.max() / np.median(z)))
    return np.linspace(_LOWEST, highest, 1 + int(np.ceil((highest - _LOWEST) / _STEP)))


def _best(z: FloatArray, weights: FloatArray | None, grid: FloatArray, drawn: FloatArray) -> BestGpd:
    """Return the maxima of rows: `weights` of the excesses z, or equal ones, and the rows written out."""
    largest = float(z.max())
    theta = np.expm1(grid) / largest
    logs = np.log1p(np.multiply.outer(theta, z))
    shapes = logs.mean(axis=1)[None, :] if weights is None else weights @ logs.T
    values = np.where(shapes > EDGE, _profile(shapes, theta), -np.inf)
    inner = (values[:, 1:-1] >= values[:, :-2]) & (values[:, 1:-1] >= values[:, 2:])
    top = 1 + np.argmax(np.where(inner, values[:, 1:-1], -np.inf), axis=1)
    xi, beta, value = _refined(drawn, largest, grid[top - 1], grid[top], grid[top + 1])
    highest = drawn.max(axis=1)
    on_edge = ~(inner.any(axis=1) & (value > -np.log(highest)))
    xi, beta = np.where(on_edge, EDGE, xi), np.where(on_edge, highest, beta)
    value = np.where(on_edge, -np.log(highest), value)
    if weights is not None:
        # A row without the largest excess allows smaller θ than the grid has; where they matter, it has its own grid.
        for row in np.flatnonzero((on_edge | (values[:, 0] >= values[:, 1])) & (highest < largest)):
            alone = best_gpd(drawn[row])
            xi[row], beta[row], value[row] = alone.xi[0], alone.beta[0], alone.value[0]
    return BestGpd(xi, beta, value)


def _profile(shapes: FloatArray, theta: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        beta = np.where(np.abs(shapes) > _LIGHT, shapes / theta, 1.0)
        return np.asarray(-np.log(beta) - shapes - 1.0)


def _refined(
    drawn: FloatArray, largest: float, low: FloatArray, start: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return shape, scale and value at the root of the profile's derivative in s between `low` and `high`."""
    s, low, high = start.copy(), low.copy(), high.copy()
    active, rows = np.arange(len(s)), drawn
    for _ in range(_NEWTON):
        at = s[active]
        slope, curvature = _slopes(rows, largest, at)
        low[active] = np.where(slope > 0.0, at, low[active])
        high[active] = np.where(slope > 0.0, high[active], at)
        with np.errstate(all="ignore"):
            moved = at - slope / curvature
        reliable = (curvature < 0.0) & (moved > low[active]) & (moved < high[active])
        s[active] = moved = np.where(reliable | (slope == 0.0), moved, 0.5 * (low[active] + high[active]))
        going = ~(np.abs(moved - at) <= _CONVERGED) & (slope != 0.0)
        if not going.any():
            break
        if not going.all():
            active, rows = active[going], rows[going]
    theta = np.expm1(s) / largest
    xi = np.log1p(theta[:, None] * drawn).mean(axis=1)
    light = np.abs(xi) <= _LIGHT
    with np.errstate(all="ignore"):
        beta = np.where(light, drawn.mean(axis=1), xi / theta)
    return np.where(light, 0.0, xi), beta, -np.log(beta) - xi - 1.0


def _slopes(z: FloatArray, largest: float, s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the first and second derivatives of the profile in s."""
    n = z.shape[1]
    theta, stretch = np.expm1(s) / largest, np.exp(s) / largest
    x = theta[:, None] * z
    q = z / (1.0 + x)
    xi = np.log1p(x, out=x).sum(axis=1) / n
    first, second = q.sum(axis=1) / n, -np.einsum("ij,ij->i", q, q) / n
    with np.errstate(all="ignore"):
        share = first / xi
        slope = 1.0 / theta - first - share
        bend = -second / xi + share * share - 1.0 / (theta * theta) - second
    near = np.abs(theta) * largest < _NEAR
    if near.any():
        slope[near], bend[near] = _slopes_near_zero(z[near], theta[near])
    return slope * stretch, (bend * stretch + slope) * stretch


def _slopes_near_zero(z: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the derivatives of the profile in θ by its series, as 1/θ cancels there against another large term."""
    one, two, three = ((z**power).mean(axis=1) for power in (1, 2, 3))
    half = 0.5 * two / one
    bend = half * half - three / (1.5 * one) + two
    return half - one + theta * bend, bend

r"""Maximum likelihood of generalised Pareto distributions, for one sample or for many resamples of it at once.

The likelihood in both parameters reduces to one in θ = ξ/β, for which ξ is the mean of log(1 + θz) (Grimshaw):

.. math:: p(\theta) = -\log\frac{\xi(\theta)}{\theta} - \xi(\theta) - 1 ,
          \qquad \xi(\theta) = \frac1n \sum_i \log(1 + \theta z_i)

is the log-likelihood per observation. All θ above −1/max z are allowed; in s = log(1 + θ max z) these are all numbers,
and p is analytic in a strip of half-width π around them, so that a grid of steps of a half misses no maximum that
matters. The best one on the grid is refined by Newton steps, which never leave its bracket.

For ξ below −1 the likelihood is unbounded, so that these shapes are left out; on the edge ξ = −1 the distribution is
uniform on (0, max z). Where no maximum within has a higher likelihood than that, the edge is the answer.

Resamples are rows of weights on the same excesses. The grid of all rows is a product of matrices.

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

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics.columns import FloatArray

    _Array = NDArray[Any]

__all__ = ["EDGE", "BestGpd", "best_gpd", "resampled_gpd"]

EDGE = -1.0
"""Shape below which the likelihood has no maximum: it is unbounded where the support ends at the largest excess."""

_STEP = 0.5  # of the grid, a sixth of the half-width of the strip where the profile is analytic
_LOWEST = -14.0  # 1 + θ max z is a millionth
_HEAVIEST = 1e6  # largest θ in units of 1/median
_NEWTON = 60  # bisection alone halves a bracket of width 1 to rounding in 52 steps
_CONVERGED = 1e-6  # a Newton step so short leaves an error of its square
_NEAR = 1e-5  # |θ| max z below which the derivative is a series
_LIGHT = 1e-9  # a smaller shape is taken as 0
_SMALL_BLOCK = 60_000  # numbers in an array of a Newton step: 480 KB, so that it stays in the cache
_LARGE_BLOCK = 2_000_000  # numbers in the largest array, 16 MB
_SMALL_PRODUCT = 250_000  # multiplications below which OpenBLAS has one thread: waking others costs ten times as much


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
        Losses less the threshold, above 0 and not all equal.
    """
    scale = float(excesses.mean())
    found = _apart(excesses[None, :] / scale)
    return BestGpd(found.xi, found.beta * scale, found.value - np.log(scale))


def resampled_gpd(excesses: FloatArray, picks: NDArray[np.int64]) -> BestGpd:
    """Return the maximum likelihood of resamples of one sample, each as if it were fitted alone.

    Parameters
    ----------
    excesses : ndarray, shape (n,)
        Losses less the threshold, above 0.
    picks : ndarray of int, shape (rows, m)
        Positions of the excesses in each resample; at least two different excesses in each.
    """
    scale = float(excesses.mean())
    z = excesses / scale
    grid = _grid(z[None, :])
    logs = np.log1p(np.multiply.outer(np.expm1(grid) / z.max(), z)).T
    parts = [_together(z, logs, grid, rows) for rows in _blocks(picks, _LARGE_BLOCK)]
    xi, beta, value = _joined(parts)
    return BestGpd(xi, beta * scale, value - np.log(scale))


def _blocks(rows: _Array, size: int) -> list[_Array]:
    """Return rows in blocks of about `size` numbers."""
    return np.array_split(rows, max(1, min(len(rows), -(-rows.size // size))))


def _joined(parts: list[BestGpd]) -> BestGpd:
    return BestGpd(*(np.concatenate([part[i] for part in parts]) for i in range(3)))


def _grid(rows: FloatArray) -> FloatArray:
    highest = float(np.log1p(_HEAVIEST * (rows.max(axis=1) / np.median(rows, axis=1)).max()))
    return np.linspace(_LOWEST, highest, 1 + int(np.ceil((highest - _LOWEST) / _STEP)))


def _apart(rows: FloatArray) -> BestGpd:
    """Return the maxima of rows of numbers, each with a grid of its own."""
    grid = _grid(rows)
    largest = rows.max(axis=1)
    theta = np.expm1(grid) / largest[:, None]
    shapes = np.log1p(theta[:, :, None] * rows[:, None, :]).mean(axis=2)
    return _best(rows, largest, grid, _profile(shapes, theta))


def _together(z: FloatArray, logs: FloatArray, grid: FloatArray, picks: NDArray[np.int64]) -> BestGpd:
    """Return the maxima of resamples of z by one grid, where `logs`, shape (n, n_grid), are those of 1 + θz."""
    count, n = picks.shape[0], len(z)
    weights = np.bincount((picks + n * np.arange(count)[:, None]).ravel(), minlength=n * count).reshape(count, n)
    values = _profile(_product(weights / picks.shape[1], logs), np.expm1(grid) / z.max())
    largest = np.full(count, z.max())
    blocks = [block.ravel() for block in _blocks(np.arange(count)[:, None], max(1, _SMALL_BLOCK // picks.shape[1]))]
    found = _joined([_best(z[picks[rows]], largest[rows], grid, values[rows]) for rows in blocks])
    # A row without the largest excess allows smaller θ than the grid has; where they matter, it has its own grid.
    lower = np.flatnonzero((found.xi == EDGE) | (values[:, 0] >= values[:, 1]))
    lower = lower[z[picks[lower]].max(axis=1) < z.max()] if lower.size else lower
    for rows in _blocks(lower[:, None], max(1, _LARGE_BLOCK // logs.size)) if lower.size else []:
        for whole, part in zip(found, _apart(z[picks[rows.ravel()]]), strict=True):
            whole[rows.ravel()] = part
    return found


def _product(weights: FloatArray, logs: FloatArray) -> FloatArray:
    """Return a product of matrices in parts, each so small that the linear algebra library starts no threads for it."""
    rows = max(1, _SMALL_PRODUCT // logs.size)
    return np.concatenate([weights[i : i + rows] @ logs for i in range(0, len(weights), rows)])


def _best(rows: FloatArray, largest: FloatArray, grid: FloatArray, values: FloatArray) -> BestGpd:
    """Return the maxima of rows of numbers, from the `values` of the profile where 1 + θ·largest = exp(grid)."""
    inner = (values[:, 1:-1] >= values[:, :-2]) & (values[:, 1:-1] >= values[:, 2:])
    top = 1 + np.argmax(np.where(inner, values[:, 1:-1], -np.inf), axis=1)
    around = top + np.array([[-1], [0], [1]])
    xi, beta, value = _refined(rows, largest, grid[around], np.take_along_axis(values.T, around, axis=0))
    edge = rows.max(axis=1)
    on_edge = ~(inner.any(axis=1) & (value > -np.log(edge)))
    return BestGpd(np.where(on_edge, EDGE, xi), np.where(on_edge, edge, beta), np.where(on_edge, -np.log(edge), value))


def _profile(shapes: FloatArray, theta: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        beta = np.where(np.abs(shapes) > _LIGHT, shapes / theta, 1.0)
        return np.asarray(np.where(shapes > EDGE, -np.log(beta) - shapes - 1.0, -np.inf))


def _refined(
    drawn: FloatArray, largest: FloatArray, bracket: FloatArray, values: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return shape, scale and value at the root of the profile's derivative in s.

    The root is between the first and the last of three points of the grid, `bracket`, and near the top of the parabola
    through the `values` there; both have shape (3, rows).
    """
    low, middle, high = bracket
    with np.errstate(all="ignore"):
        lift = 0.5 * (values[2] - values[0]) / (2.0 * values[1] - values[0] - values[2])
    s = np.where(np.abs(lift) < 1.0, middle + lift * (high - middle), middle)
    xi, beta = np.empty_like(s), np.empty_like(s)
    active, rows = np.arange(len(s)), drawn
    for _ in range(_NEWTON):
        found = _slopes(rows, largest[active], s)
        low, high = np.where(found.slope > 0.0, s, low), np.where(found.slope > 0.0, high, s)
        with np.errstate(all="ignore"):
            moved = s - found.slope / found.bend
        reliable = (found.bend < 0.0) & (moved > low) & (moved < high)
        moved = np.where(reliable, moved, 0.5 * (low + high))
        step = moved - s
        xi[active] = shape = found.xi + found.rise * step  # the error is of the order of the square of the step
        with np.errstate(all="ignore"):
            beta[active] = np.where(np.abs(shape) <= _LIGHT, found.mean, shape * largest[active] / np.expm1(moved))
        going = ~(np.abs(step) <= _CONVERGED) & (found.slope != 0.0)
        if not going.any():
            break
        s = moved
        if not going.all():
            active, rows = active[going], rows[going]
            s, low, high = s[going], low[going], high[going]
    xi[np.abs(xi) <= _LIGHT] = 0.0
    return xi, beta, -np.log(beta) - xi - 1.0


class _Slopes(NamedTuple):
    """Derivatives `slope`, `bend` of the profile in s, the shape and its derivative `rise`, the mean excess."""

    slope: FloatArray
    bend: FloatArray
    xi: FloatArray
    rise: FloatArray
    mean: FloatArray


def _slopes(z: FloatArray, largest: FloatArray, s: FloatArray) -> _Slopes:
    n = z.shape[1]
    theta, stretch = np.expm1(s) / largest, np.exp(s) / largest
    x = theta[:, None] * z
    q = 1.0 + x
    np.divide(z, q, out=q)
    xi = np.log1p(x, out=x).sum(axis=1) / n
    first, second = q.sum(axis=1) / n, np.einsum("ij,ij->i", q, q) / -n
    with np.errstate(all="ignore"):
        share, inverse = first / xi, 1.0 / theta
        slope = inverse - first - share
        bend = share * share - second / xi - inverse * inverse - second
    near = np.abs(theta) * largest < _NEAR
    mean = first
    if near.any():
        slope[near], bend[near] = _slopes_near_zero(z[near], theta[near])
        mean = z.mean(axis=1)
    return _Slopes(slope * stretch, (bend * stretch + slope) * stretch, xi, first * stretch, mean)


def _slopes_near_zero(z: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the derivatives of the profile in θ by its series, as 1/θ cancels there against another large term."""
    one, two, three = ((z**power).mean(axis=1) for power in (1, 2, 3))
    half = 0.5 * two / one
    bend = half * half - three / (1.5 * one) + two
    return half - one + theta * bend, bend

r"""Mean absolute deviation of a sum of independent draws: by quadrature for distributions, exactly for a sample.

For independent draws with mean m and distribution function F, the mean deviation of two is

.. math:: E|X_1 + X_2 - 2m| = 2\int_m^\infty F(u) F(2m - u) + \bar F(u) \bar F(2m - u) \, du, \qquad \bar F = 1 - F,

and that of n follows from the characteristic function φ of X − m,

.. math:: E|S_n - nm| = \frac2\pi \int_0^\infty \frac{1 - \operatorname{Re} \varphi(t)^n}{t^2} \, dt .

Near 0 the second integrand behaves like :math:`t^{\min(\alpha, 2) - 2}`, which for a tail index α near 1 needs values
far below the rounding of φ: the functions here take φ − 1 to full relative accuracy.

For a sample, the draws are from its empirical distribution. That of the sum of n − 1 is the sample itself for n = 2,
and for larger n is computed by a Fourier transform on a grid.

Examples
--------
>>> def beyond(u):  # the exponential distribution
...     return np.exp(-np.maximum(u, 0.0))
>>> round(pair_deviation(lambda u: 1.0 - beyond(u), beyond, 1.0, (0.0, math.inf), 1.0), 9)
1.082682266
>>> round(8.0 * math.exp(-2.0), 9)
1.082682266

References
----------
B. von Bahr, "On the convergence of moments in the central limit theorem", Annals of Mathematical Statistics 36 (1965),
808-818, lemma 2: the absolute moment from the characteristic function.

H. Takahasi and M. Mori, "Double exponential formulas for numerical integration", Publications of the RIMS 9 (1974),
721-741.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics.quadrature import gauss_legendre
from bank_python.numerics.tolerances import EPSILON

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["SumDeviation", "pair_deviation", "sample_deviation", "single_deviation", "sum_deviation"]

_NODES = 12  # of a panel of at most half a period: exact to rounding
_LEAST_T = 1e-16
_NEGLIGIBLE = 1e-10
_PANELS = 64  # evaluated at a time
_MOST_PANELS = 8_000  # some seconds
_DOUBLINGS = 9
_AGREED = 1e-10  # relative difference of two steps of the double exponential rule, whose error is its square
_ACCEPTED = 1e-7
_REACH = 3.6  # of the variable of the double exponential rule: beyond it weights are below rounding
_CELLS = 2**16


def single_deviation(
    cdf: Callable[[FloatArray], FloatArray],
    sf: Callable[[FloatArray], FloatArray],
    mean: float,
    support: tuple[float, float],
    scale: float,
) -> float:
    """Return the mean absolute deviation of one draw, twice the integral of F below or of 1 − F above the mean.

    The parameters and the error are those of :func:`pair_deviation`; the side with the shorter range is taken.
    """
    if mean - support[0] < support[1] - mean:
        return 2.0 * _upward(lambda u: cdf(2.0 * mean - u), mean, 2.0 * mean - support[0], scale)
    return 2.0 * _upward(sf, mean, support[1], scale)


def pair_deviation(
    cdf: Callable[[FloatArray], FloatArray],
    sf: Callable[[FloatArray], FloatArray],
    mean: float,
    support: tuple[float, float],
    scale: float,
) -> float:
    """Return the mean absolute deviation of the sum of two independent draws.

    Parameters
    ----------
    cdf, sf : callable
        Distribution function and its complement, elementwise; both with full relative accuracy in their tails.
    mean : float
        Mean of the distribution.
    support : tuple of float
        Ends of the range of values, infinite where there are none.
    scale : float
        Typical size of a deviation, above 0: the unit of the outermost part of the integral.

    Raises
    ------
    ModelError
        The integral does not converge to seven digits, because the distribution is not smooth or has hardly a mean.
    """

    def integrand(u: FloatArray) -> FloatArray:
        other = 2.0 * mean - u
        return np.asarray(cdf(u) * cdf(other) + sf(u) * sf(other))

    near, far = sorted((support[1], 2.0 * mean - support[0]))  # where one of the two factors ends
    inner = _upward(integrand, mean, near, scale)
    return 2.0 * (inner if math.isinf(near) or near == far else inner + _upward(integrand, near, far, scale))


def _upward(function: Callable[[FloatArray], FloatArray], low: float, high: float, scale: float) -> float:
    return _beyond(function, low, scale) if math.isinf(high) else _between(function, low, high)


def _between(function: Callable[[FloatArray], FloatArray], low: float, high: float) -> float:
    """Return an integral over an interval, by the tanh-sinh rule."""

    def node(v: FloatArray) -> tuple[FloatArray, FloatArray]:
        inner = 0.5 * math.pi * np.sinh(v)
        share = 1.0 / (1.0 + np.exp(-2.0 * inner))
        slope = (high - low) * 0.5 * math.pi * np.cosh(v) * 2.0 * share * (1.0 - share)
        return low + (high - low) * share, slope

    return _doubled(function, node)


def _beyond(function: Callable[[FloatArray], FloatArray], low: float, scale: float) -> float:
    """Return an integral from `low` to infinity, by the exp-sinh rule."""

    def node(v: FloatArray) -> tuple[FloatArray, FloatArray]:
        wide = 2.0 * v  # reaches e^1100, where even tails with an index near 1 are integrated
        away = scale * np.exp(np.minimum(0.5 * math.pi * np.sinh(wide), 600.0))
        return low + away, np.where(away < math.inf, away * math.pi * np.cosh(wide), 0.0)

    return _doubled(function, node)


def _doubled(
    function: Callable[[FloatArray], FloatArray], node: Callable[[FloatArray], tuple[FloatArray, FloatArray]]
) -> float:
    """Return an integral by a trapezoidal rule whose step is halved until two results agree."""
    step, before, gap = 0.25, math.nan, math.inf
    for _ in range(_DOUBLINGS):
        v = np.arange(-_REACH, _REACH + step, step)
        places, slopes = node(v)
        value = step * float((function(places) * slopes).sum())
        gap = abs(value - before) / abs(value) if value else 0.0
        if gap < _AGREED:
            return value
        step, before = 0.5 * step, value
    if gap < _ACCEPTED:
        return before
    raise ModelError(
        f"the mean deviation of a sum of two is not known to seven digits (two steps differ by {gap:.1g}); give a "
        "smooth distribution with a mean, or a sample of it",
        value=gap,
    )


def sum_deviation(
    excess: Callable[[FloatArray], NDArray[np.complex128]], n: int, *, alpha: float, size: float, frequency: float
) -> float:
    """Return the mean absolute deviation of the sum of n independent draws from a characteristic function.

    Parameters
    ----------
    excess : callable
        Function from t above 0, elementwise, to φ(t) − 1 of the centred distribution, with full relative accuracy.
    n : int
        Number of draws.
    alpha : float
        Tail index, above 1; infinite for tails lighter than any power law.
    size : float
        Mean absolute deviation of one draw, or its order of magnitude.
    frequency : float
        Frequency with which φ oscillates at large t: distance of the mean from the end of the distribution; 0 for a
        symmetric one.

    Raises
    ------
    ModelError
        The characteristic function decreases so slowly that the integral takes too long.
    """

    def integrand(t: FloatArray) -> tuple[FloatArray, FloatArray]:
        d = excess(t)
        log_size = 0.5 * n * np.log1p(np.maximum(2.0 * d.real + d.real**2 + d.imag**2, -1.0 + EPSILON))
        half_angle = 0.5 * n * np.arctan2(d.imag, 1.0 + d.real)
        complement = 2.0 * np.sin(half_angle) ** 2 - np.expm1(log_size) * np.cos(2.0 * half_angle)
        return complement / (t * t), np.exp(log_size)

    least = _LEAST_T / (n * size)
    first, _ = integrand(np.array([least]))
    total = float(first[0]) * least / (min(alpha, 2.0) - 1.0)
    ratio, width = 2.0, math.pi / (n * frequency) if frequency > 0.0 else math.inf
    low = least
    for _ in range(_MOST_PANELS // _PANELS):
        edges = low * ratio ** np.arange(_PANELS + 1.0)
        if edges[-1] - edges[-2] > width:
            grown = np.cumsum(np.minimum(np.diff(edges), width))
            edges = low + np.concatenate([[0.0], grown])
        rule = gauss_legendre(_NODES, 0.0, 1.0)
        t = edges[:-1, None] + np.diff(edges)[:, None] * rule.nodes
        values, sizes = integrand(t.reshape(-1))
        total += float((values.reshape(t.shape) @ rule.weights) @ np.diff(edges))
        low = float(edges[-1])
        if sizes[-_NODES:].max() / low < _NEGLIGIBLE * total:
            return 2.0 / math.pi * (total + 1.0 / low)
    raise ModelError(
        f"the characteristic function of the sum of {n} has not decreased at t={low:.3g}; give a larger n, or a sample",
        value=n,
    )


@dataclass(frozen=True, slots=True, eq=False)
class SumDeviation:
    """Mean absolute deviation of sums of n draws from a sample, and what each observation adds to it.

    Parameters
    ----------
    value : float
        Mean absolute deviation.
    influence : ndarray, shape (n_obs,)
        Change of the value by a weight added to each observation, of mean 0: its standard deviation over √n_obs is the
        standard error.
    """

    value: float
    influence: FloatArray


def sample_deviation(centred: FloatArray, n: int) -> SumDeviation:
    """Return the mean absolute deviation of sums of n draws with replacement from a sample.

    Parameters
    ----------
    centred : ndarray, shape (n_obs,)
        Sample less its mean, in increasing order.
    n : int
        Number of draws, at least 1.

    Notes
    -----
    Exact for n up to 2; from n = 3 on, the relative error by the grid is below 1e-6.
    """
    if n == 1:
        distance, balance, smoothing = np.abs(centred), np.sign(centred), 0.0
    else:
        points, weights, spread = _law_of_sum(centred, n - 1)
        distance, balance, density = _mean_distance(points, weights, centred)
        smoothing = spread * density
    value = float(distance.mean()) - smoothing
    influence = n * (distance - distance.mean() - float(balance.mean()) * centred)
    return SumDeviation(value, influence)


def _law_of_sum(centred: FloatArray, draws: int) -> tuple[FloatArray, FloatArray | None, float]:
    """Return the sum of draws from a sample: places, their weights, and the variance that the grid has added.

    One draw is the sample itself, without weights.
    """
    if draws == 1:
        return centred, None, 0.0
    lowest, highest = float(centred[0]), float(centred[-1])
    cell = draws * (highest - lowest) / (_CELLS - draws - 2)
    places: FloatArray = centred / cell
    below = np.floor(places)
    share = places - below
    index = below.astype(np.int64)
    law = np.bincount(index % _CELLS, 1.0 - share, _CELLS) + np.bincount((index + 1) % _CELLS, share, _CELLS)
    of_sum = np.fft.irfft(np.fft.rfft(law / len(centred)) ** draws, _CELLS)
    first = math.floor(draws * lowest / cell) - 1
    weights: FloatArray = np.roll(of_sum, -(first % _CELLS))
    grid: FloatArray = (first + np.arange(_CELLS, dtype=np.float64)) * cell
    return grid, weights, draws * float((share * (1.0 - share)).mean()) * cell * cell


def _mean_distance(
    points: FloatArray, weights: FloatArray | None, at: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """Return E|a + P| and E sign(a + P) for each a, and the mean density of P at −a on a grid.

    Points are in increasing order; without weights all weigh the same.
    """
    known = np.full(len(points), 1.0 / len(points)) if weights is None else weights
    below = np.concatenate([[0.0], np.cumsum(known)])
    first = np.concatenate([[0.0], np.cumsum(known * points)])
    left, right = (np.searchsorted(points, -at, side) for side in ("left", "right"))
    distance: FloatArray = at * (below[-1] - 2.0 * below[left]) + first[-1] - 2.0 * first[left]
    if weights is None:
        return distance, below[-1] - below[left] - below[right], 0.0
    density = weights[np.minimum(left, len(points) - 1)].mean() / (points[1] - points[0])
    return distance, below[-1] - below[left] - below[right], float(density)

r"""Hierarchical risk parity: capital is handed down a tree of assets that move together.

No matrix is inverted. The correlations become distances, single linkage makes a tree of them, and the tree's leaves,
read from left to right, put assets that move alike side by side. That row is cut in half again and again; at each cut
the two halves share their capital in inverse proportion to their variances,

.. math:: d_{ij} = \sqrt{\tfrac12(1 - \rho_{ij})}, \qquad
   \alpha_{left} = \frac{V_{right}}{V_{left} + V_{right}}, \qquad
   V = \frac{u^\top \Sigma u}{(\mathbf 1^\top u)^2},\quad u_i = 1 / \Sigma_{ii}

Bounds are kept at every cut: a half is given no more than the upper bounds in it add up to, no less than its lower
bounds, and neither so much nor so little that the other half cannot take the rest. So if the bounds can be met at all,
they are met.

The row is cut by number, not where the tree branches, and two assets joined to each other stand in the order in which
they were given. An odd cut can fall between them; then the weights depend on that order, here as in the paper.

Examples
--------
>>> covariance = [[0.04, 0.03, 0.0], [0.03, 0.09, 0.0], [0.0, 0.0, 0.01]]
>>> hierarchical_weights(covariance).round(4)
array([0.1372, 0.061 , 0.8019])
>>> hierarchical_weights(covariance, upper=0.5).round(4)
array([0.3462, 0.1538, 0.5   ])

References
----------
M. López de Prado, "Building diversified portfolios that outperform out of sample", Journal of Portfolio Management 42
(2016), 59-69.

J. Pfitzinger and N. Katzke, "A constrained hierarchical risk parity algorithm with cluster-based capital allocation",
Stellenbosch Economic Working Papers WP14/2019.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, MatrixError, ModelError
from bank_python.numerics.linkage import LinkageMethod, linkage, quasi_diagonal
from bank_python.numerics.tolerances import LAST_DIGITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray

__all__ = [
    "AssetDistance",
    "asset_distances",
    "hierarchical_weights",
]


class AssetDistance(enum.Enum):
    """How far apart two assets are.

    ``direct`` is the correlation distance of the two. ``rows`` is the Euclidean distance of their two rows in the
    matrix of such distances, so how differently they stand to all assets; the code printed in the paper does that.
    """

    DIRECT = "direct"
    ROWS = "rows"

    @classmethod
    def parse(cls, distance: AssetDistance | str) -> AssetDistance:
        """Return the distance of that name.

        Raises
        ------
        ModelError
            There is none; the message lists them.
        """
        try:
            return cls(distance)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise ModelError(f"no distance {distance!r}; there are {known}", value=distance) from None


def hierarchical_weights(
    covariance: ArrayLike,
    lower: ArrayLike = 0.0,
    upper: ArrayLike = 1.0,
    invested: float = 1.0,
    *,
    distance: AssetDistance | str = AssetDistance.DIRECT,
    method: LinkageMethod | str = LinkageMethod.SINGLE,
    tickers: Sequence[str] | None = None,
) -> FloatArray:
    """Return the weights of hierarchical risk parity within bounds.

    Parameters
    ----------
    covariance : array_like, shape (n_assets, n_assets)
        Symmetric, finite, every variance above 0.
    lower, upper : array_like, shape () or (n_assets,), default 0 and 1
        Bounds of the weights; infinite where there is none.
    invested : float, default 1
        What the weights add up to, above 0.
    distance : AssetDistance or str, default "direct"
        By what the tree is made.
    method : LinkageMethod or str, default "single"
        How the tree is made.
    tickers : sequence of str, optional
        The assets' names, for messages.

    Returns
    -------
    ndarray, shape (n_assets,)
        Inside the bounds to the last digit; the sum is right to rounding.

    Raises
    ------
    MatrixError
        The covariance is not square, symmetric and finite, an asset is riskless, or a cluster has no variance above 0.
    InfeasibleError
        The bounds cannot add up to `invested`, or a lower bound lies above the upper one.
    ModelError
        A bound or `invested` is out of range, or a name is unknown.
    """
    given = np.array(covariance, dtype=np.float64)
    names = _names(given, tickers)
    low, high = _bounds(names, lower, upper, invested)
    order = quasi_diagonal(linkage(asset_distances(given, distance, tickers=names), method))
    shares = _bisect(given[np.ix_(order, order)], low[order], high[order], invested)
    weights = np.empty(len(order))
    weights[order] = shares
    return weights


def asset_distances(
    covariance: ArrayLike,
    distance: AssetDistance | str = AssetDistance.DIRECT,
    *,
    tickers: Sequence[str] | None = None,
) -> FloatArray:
    """Return the distances of assets by their correlations, shape (n_assets, n_assets).

    Parameters
    ----------
    covariance : array_like, shape (n_assets, n_assets)
        Symmetric, finite, every variance above 0.
    distance : AssetDistance or str, default "direct"
        Which one.
    tickers : sequence of str, optional
        The assets' names, for messages.

    Raises
    ------
    MatrixError
        The covariance is not square, symmetric and finite, or an asset is riskless: it has no correlation with others.
    ModelError
        There is no such distance.
    """
    chosen = AssetDistance.parse(distance)
    given = np.array(covariance, dtype=np.float64)
    names = _names(given, tickers)
    variance = given.diagonal()
    riskless = np.flatnonzero(variance <= 0.0)
    if len(riskless):
        i = int(riskless[0])
        raise MatrixError(
            f"the variance of {names[i]} is {variance[i]:g}: what has no risk has no correlation, and no place in a "
            "tree of correlations; leave it out and hold it beside",
            value=float(variance[i]),
            name=names[i],
        )
    deviation = np.sqrt(variance)
    correlation = 0.5 * (given + given.T) / np.outer(deviation, deviation)
    apart = np.sqrt(np.clip(0.5 * (1.0 - correlation), 0.0, 1.0))
    # A variance over its own root squared is one only to rounding, and the root would make 1e-8 of that.
    np.fill_diagonal(apart, 0.0)
    if chosen is AssetDistance.DIRECT:
        return np.asarray(apart)
    # Differences, not the products of rows: those lose half the digits of two rows that are nearly the same.
    return np.array([np.sqrt(((apart - row) ** 2).sum(axis=1)) for row in apart])


def _names(covariance: FloatArray, tickers: Sequence[str] | None) -> tuple[str, ...]:
    n = len(covariance) if covariance.ndim else 0
    if not n or covariance.shape != (n, n):
        raise MatrixError(f"a covariance of shape {covariance.shape}; give a square one", value=covariance.shape)
    names = tuple(f"asset {i}" for i in range(n)) if tickers is None else tuple(tickers)
    if len(names) != n:
        raise MatrixError(f"{len(names)} tickers for a covariance of {n} assets; give one each", value=len(names))
    if not np.isfinite(covariance).all():
        row, column = np.argwhere(~np.isfinite(covariance))[0]
        raise MatrixError(
            f"the covariance of {names[row]} and {names[column]} is {covariance[row, column]}; correct it"
        )
    off = np.abs(covariance - covariance.T)
    if off.max() > LAST_DIGITS * np.abs(covariance).max():
        row, column = np.unravel_index(int(off.argmax()), off.shape)
        raise MatrixError(
            f"the covariance of {names[row]} with {names[column]} is {covariance[row, column]:g} and the other way "
            f"round {covariance[column, row]:g}; they must agree",
            value=float(off[row, column]),
        )
    return names


def _bounds(
    names: tuple[str, ...], lower: ArrayLike, upper: ArrayLike, invested: float
) -> tuple[FloatArray, FloatArray]:
    if not 0.0 < invested < math.inf:
        raise ModelError(f"invested={invested!r}; give a share above 0, 1 is usual", value=invested)
    sides = []
    for side, given in (("lower", lower), ("upper", upper)):
        bound = np.asarray(given, dtype=np.float64)
        if bound.shape not in {(), (len(names),)} or np.isnan(bound).any():
            raise ModelError(f"{side} of shape {bound.shape} for {len(names)} assets; give one number, or one each")
        sides.append(np.broadcast_to(bound, len(names)))
    low, high = sides
    crossed = np.flatnonzero((low > high) | (low == np.inf) | (high == -np.inf))
    if len(crossed):
        i = int(crossed[0])
        raise InfeasibleError(f"no weight of {names[i]} is at least {low[i]:g} and at most {high[i]:g}", name=names[i])
    least, most, slack = math.fsum(low), math.fsum(high), LAST_DIGITS * max(1.0, invested)
    if least > invested + slack:
        raise InfeasibleError(
            f"the lower bounds add up to {least:.6g}, {least - invested:.3g} more than the {invested:g} to be "
            "invested; lower them by as much",
            value=least,
        )
    if most < invested - slack:
        raise InfeasibleError(
            f"the upper bounds add up to {most:.6g}, {invested - most:.3g} less than the {invested:g} to be "
            "invested; raise them by as much",
            value=most,
        )
    return low, high


def _bisect(covariance: FloatArray, low: FloatArray, high: FloatArray, invested: float) -> FloatArray:
    """Hand capital down the halves of a row of assets, all cuts of a level at once."""
    starts = _cuts(len(covariance))
    variances = _variances(covariance, starts)
    capital = np.array([invested])
    for k in range(len(starts) - 1):
        above, below = starts[k], starts[k + 1]
        least, most = np.add.reduceat(low, below), np.add.reduceat(high, below)
        handed = np.empty(len(below))
        first = np.searchsorted(below, above)
        last = np.append(first[1:], len(below)) - 1
        cut = last > first
        handed[first[~cut]] = capital[~cut]
        left, right, whole = first[cut], last[cut], capital[cut]
        handed[left], handed[right] = _halves(whole, variances[k + 1], least, most, left, right)
        capital = handed
    return np.asarray(np.clip(capital, low, high))


def _cuts(n: int) -> list[NDArray[np.intp]]:
    """Return where the stretches begin, level by level, from one of all to one of each."""
    starts = [np.zeros(1, dtype=np.intp)]
    while len(starts[-1]) < n:
        ends = np.append(starts[-1][1:], n)
        starts.append(np.union1d(starts[-1], starts[-1] + (ends - starts[-1]) // 2))
    return starts


def _variances(covariance: FloatArray, starts: list[NDArray[np.intp]]) -> list[FloatArray]:
    """Return the variances of the stretches, each held by inverse variances; level by level.

    Sums of the products go up from the level below, so all levels together cost little more than the first. Prefix sums
    would be as quick, and lose the digits of a stretch of small products behind one of large.
    """
    inverse = 1.0 / covariance.diagonal()
    products = covariance * inverse * inverse[:, None]
    levels = [covariance.diagonal()]
    for above, below in zip(starts[-2::-1], starts[:0:-1], strict=True):
        first = np.searchsorted(below, above)
        products = np.add.reduceat(np.add.reduceat(products, first, axis=0), first, axis=1)
        inverse = np.add.reduceat(inverse, first)
        levels.append(products.diagonal() / inverse**2)
    if min(float(level.min()) for level in levels) <= 0.0:
        raise MatrixError(
            "assets held by their inverse variances have no variance left: the covariance is not positive definite; "
            "shrink it (estimator='ledoit_wolf')"
        )
    return levels[::-1]


def _halves(
    whole: FloatArray,
    variance: FloatArray,
    least: FloatArray,
    most: FloatArray,
    left: NDArray[np.intp],
    right: NDArray[np.intp],
) -> tuple[FloatArray, FloatArray]:
    """Share capital between neighbours by inverse variance, as far as both can hold it."""
    total = variance[left] + variance[right]
    wanted = whole * (variance[right] / total)
    floor = np.maximum(least[left], whole - most[right])
    ceiling = np.minimum(most[left], whole - least[right])
    held = np.clip(wanted, floor, ceiling)
    # Not what is left over: a share of 1e-9 would have lost nine digits.
    rest = np.where(held == wanted, whole * (variance[left] / total), whole - held)
    return held, rest

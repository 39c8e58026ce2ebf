r"""Hierarchical risk parity: capital is allocated down a tree of assets clustered by correlation.

No matrix is inverted. Correlations are converted to distances and clustered into a tree, by default with single
linkage; the leaves of the tree, from left to right, place correlated assets next to each other. This sequence is
bisected recursively, and at each split the two halves share their capital in inverse proportion to their variances,

.. math:: d_{ij} = \sqrt{\tfrac12(1 - \rho_{ij})}, \qquad
   \alpha_{left} = \frac{V_{right}}{V_{left} + V_{right}}, \qquad
   V = \frac{u^\top \Sigma u}{(\mathbf 1^\top u)^2},\quad u_i = 1 / \Sigma_{ii}

Bounds are respected at every split: the capital of each half stays between the sums of its lower and upper bounds, and
leaves an amount that the other half can hold. So the weights satisfy the bounds whenever that is possible.

The sequence is split by number of assets, not at the branches of the tree, and two assets that are joined to each other
keep the order in which they were given. A split can separate them; then the weights depend on that order, as in the
paper.

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
    """Distance between two assets.

    ``direct`` is the correlation distance of the two assets. ``rows`` is the Euclidean distance between their rows in
    the matrix of correlation distances, which compares their distances to all assets, as in the code of the paper.
    """

    DIRECT = "direct"
    ROWS = "rows"

    @classmethod
    def parse(cls, distance: AssetDistance | str) -> AssetDistance:
        """Return the distance with the given name.

        Raises
        ------
        ModelError
            If there is none; the message lists the distances.
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
        Bounds of the weights; infinite where a weight is unbounded.
    invested : float, default 1
        Sum of the weights, above 0.
    distance : AssetDistance or str, default "direct"
        Distance between assets for the clustering.
    method : LinkageMethod or str, default "single"
        Linkage method of the clustering.
    tickers : sequence of str, optional
        Names of the assets for error messages.

    Returns
    -------
    ndarray, shape (n_assets,)
        Weights exactly within the bounds; their sum is exact up to rounding.

    Raises
    ------
    MatrixError
        If the covariance is not square, symmetric and finite, or the variance of an asset or a cluster is not above 0.
    InfeasibleError
        If no weights within the bounds add up to `invested`, or a lower bound is above the upper bound.
    ModelError
        If a bound or `invested` is out of range, or the name of a distance or linkage method is unknown.
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
    """Return the distances between assets, from their correlations, shape (n_assets, n_assets).

    Parameters
    ----------
    covariance : array_like, shape (n_assets, n_assets)
        Symmetric, finite, every variance above 0.
    distance : AssetDistance or str, default "direct"
        Distance to compute.
    tickers : sequence of str, optional
        Names of the assets for error messages.

    Raises
    ------
    MatrixError
        If the covariance is not square, symmetric and finite, or an asset is riskless, so its correlations are
        undefined.
    ModelError
        If the name of the distance is unknown.
    """
    chosen = AssetDistance.parse(distance)
    given = np.array(covariance, dtype=np.float64)
    names = _names(given, tickers)
    variance = given.diagonal()
    riskless = np.flatnonzero(variance <= 0.0)
    if len(riskless):
        i = int(riskless[0])
        raise MatrixError(
            f"the variance of {names[i]} is {variance[i]:g}, so its correlations are undefined; leave the asset out of "
            "the tree",
            value=float(variance[i]),
            name=names[i],
        )
    deviation = np.sqrt(variance)
    correlation = 0.5 * (given + given.T) / np.outer(deviation, deviation)
    apart = np.sqrt(np.clip(0.5 * (1.0 - correlation), 0.0, 1.0))
    # The diagonal of the correlations is one only up to rounding, which the square root would turn into 1e-8.
    np.fill_diagonal(apart, 0.0)
    if chosen is AssetDistance.DIRECT:
        return np.asarray(apart)
    # Computed from differences: inner products would lose half the digits of two nearly equal rows.
    return np.array([np.sqrt(((apart - row) ** 2).sum(axis=1)) for row in apart])


def _names(covariance: FloatArray, tickers: Sequence[str] | None) -> tuple[str, ...]:
    n = len(covariance) if covariance.ndim else 0
    if not n or covariance.shape != (n, n):
        raise MatrixError(f"a covariance of shape {covariance.shape}; give a square matrix", value=covariance.shape)
    names = tuple(f"asset {i}" for i in range(n)) if tickers is None else tuple(tickers)
    if len(names) != n:
        raise MatrixError(f"{len(names)} tickers for a covariance of {n} assets; give one for each", value=len(names))
    if not np.isfinite(covariance).all():
        row, column = np.argwhere(~np.isfinite(covariance))[0]
        raise MatrixError(
            f"the covariance of {names[row]} and {names[column]} is {covariance[row, column]}; correct it"
        )
    off = np.abs(covariance - covariance.T)
    if off.max() > LAST_DIGITS * np.abs(covariance).max():
        row, column = np.unravel_index(int(off.argmax()), off.shape)
        raise MatrixError(
            f"the covariance of {names[row]} with {names[column]} is {covariance[row, column]:g} and that of "
            f"{names[column]} with {names[row]} is {covariance[column, row]:g}; give a symmetric matrix",
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
            raise ModelError(f"{side} of shape {bound.shape} for {len(names)} assets; give one number, or one for each")
        sides.append(np.broadcast_to(bound, len(names)))
    low, high = sides
    crossed = np.flatnonzero((low > high) | (low == np.inf) | (high == -np.inf))
    if len(crossed):
        i = int(crossed[0])
        raise InfeasibleError(f"no weight of {names[i]} is at least {low[i]:g} and at most {high[i]:g}", name=names[i])
    least, most, slack = math.fsum(low), math.fsum(high), LAST_DIGITS * max(1.0, invested)
    if least > invested + slack:
        raise InfeasibleError(
            f"the lower bounds add up to {least:.6g}, {least - invested:.3g} more than invested={invested:g}; lower "
            "some",
            value=least,
        )
    if most < invested - slack:
        raise InfeasibleError(
            f"the upper bounds add up to {most:.6g}, {invested - most:.3g} less than invested={invested:g}; raise some",
            value=most,
        )
    return low, high


def _bisect(covariance: FloatArray, low: FloatArray, high: FloatArray, invested: float) -> FloatArray:
    """Allocate capital by recursive bisection of a sequence of assets, all splits of a level at once."""
    starts = _cuts(len(covariance))
    variances = _variances(covariance, starts)
    capital = np.array([invested])
    for k in range(len(starts) - 1):
        above, below = starts[k], starts[k + 1]
        least, most = np.add.reduceat(low, below), np.add.reduceat(high, below)
        allocated = np.empty(len(below))
        first = np.searchsorted(below, above)
        last = np.append(first[1:], len(below)) - 1
        cut = last > first
        allocated[first[~cut]] = capital[~cut]
        left, right, whole = first[cut], last[cut], capital[cut]
        allocated[left], allocated[right] = _halves(whole, variances[k + 1], least, most, left, right)
        capital = allocated
    return np.asarray(np.clip(capital, low, high))


def _cuts(n: int) -> list[NDArray[np.intp]]:
    """Return the first indices of the sections level by level, from one section of all assets to single assets."""
    starts = [np.zeros(1, dtype=np.intp)]
    while len(starts[-1]) < n:
        ends = np.append(starts[-1][1:], n)
        starts.append(np.union1d(starts[-1], starts[-1] + (ends - starts[-1]) // 2))
    return starts


def _variances(covariance: FloatArray, starts: list[NDArray[np.intp]]) -> list[FloatArray]:
    """Return the variances of the sections under inverse-variance weights, level by level.

    Sums of products are accumulated from the level below, so all levels together cost little more than the first.
    Prefix sums would be as fast, but lose digits in a section of small products after one of large products.
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
            "weights by inverse variance have no variance above 0: the covariance is not positive definite; "
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
    """Share capital between neighbouring sections by inverse variance, within the bounds of both."""
    total = variance[left] + variance[right]
    wanted = whole * (variance[right] / total)
    floor = np.maximum(least[left], whole - most[right])
    ceiling = np.minimum(most[left], whole - least[right])
    first = np.clip(wanted, floor, ceiling)
    # A difference would lose nine digits of a share of 1e-9.
    second = np.where(first == wanted, whole * (variance[left] / total), whole - first)
    return first, second

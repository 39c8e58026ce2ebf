"""Hierarchical clustering, in the order and format of scipy's ``linkage``.

Examples
--------
>>> distances = [[0.0, 1.0, 5.0], [1.0, 0.0, 4.0], [5.0, 4.0, 0.0]]
>>> linkage(distances).tolist()  # the two clusters merged, their distance, the size of the new cluster
[[0.0, 1.0, 1.0, 2.0], [2.0, 3.0, 4.0, 3.0]]
>>> quasi_diagonal(linkage(distances)).tolist()
[2, 0, 1]

References
----------
D. Müllner, "Modern hierarchical, agglomerative clustering algorithms", arXiv:1109.2378 (2011).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics.tolerances import LAST_DIGITS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics.columns import FloatArray

__all__ = ["LinkageMethod", "linkage", "quasi_diagonal", "single_linkage"]


class LinkageMethod(enum.Enum):
    """The distance between clusters: of the nearest pair, of the farthest pair, the mean, or Ward's."""

    SINGLE = "single"
    COMPLETE = "complete"
    AVERAGE = "average"
    WARD = "ward"

    @classmethod
    def parse(cls, method: LinkageMethod | str) -> LinkageMethod:
        """Return the method of a name.

        Raises
        ------
        ModelError
            No method has that name; the message lists them.
        """
        try:
            return cls(method)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise ModelError(f"no linkage {method!r}; there are {known}", value=method) from None


def linkage(distance: ArrayLike, method: LinkageMethod | str = LinkageMethod.SINGLE) -> FloatArray:
    """Cluster hierarchically: merge the two nearest clusters until one is left.

    Parameters
    ----------
    distance : array_like, shape (n, n)
        Symmetric matrix of distances, finite and at least 0; the diagonal is ignored.
    method : LinkageMethod or str, default "single"
        Definition of the distance between two clusters.

    Returns
    -------
    ndarray, shape (n - 1, 4)
        One row for each merge, by increasing distance: the numbers of the two clusters, the smaller first (below n a
        leaf, n + k the cluster of row k), their distance, and the number of leaves in the new cluster. Ties are in
        scipy's order.

    Raises
    ------
    ModelError
        The distances are not a symmetric matrix of finite values of at least 0, or the method is not known.
    """
    chosen = LinkageMethod.parse(method)
    if chosen is LinkageMethod.SINGLE:
        return single_linkage(distance)
    return _neighbour_chain(_distances(distance), chosen)


def single_linkage(distance: ArrayLike) -> FloatArray:
    """Cluster by single linkage, by Prim's minimum spanning tree in O(n²); the result is that of :func:`linkage`.

    Parameters
    ----------
    distance : array_like, shape (n, n)
        Symmetric matrix of distances, finite and at least 0; the diagonal is ignored.

    Raises
    ------
    ModelError
        The distances are not a symmetric matrix of finite values of at least 0.

    Examples
    --------
    >>> single_linkage([[0.0, 3.0, 1.0], [3.0, 0.0, 2.0], [1.0, 2.0, 0.0]]).tolist()
    [[0.0, 2.0, 1.0, 2.0], [1.0, 3.0, 2.0, 3.0]]
    """
    apart = _distances(distance)
    n = len(apart)
    pairs, heights = np.empty((n - 1, 2), dtype=np.intp), np.empty(n - 1)
    nearest, taken, open_only = np.full(n, np.inf), np.zeros(n), np.empty(n)
    here = 0
    for k in range(n - 1):
        taken[here] = np.inf
        np.minimum(nearest, apart[here], out=nearest)
        np.add(nearest, taken, out=open_only)
        there = int(open_only.argmin())
        # The pair is consecutive nodes of the walk instead of an edge of the tree: the clusters at each height are the
        # same, as each is a stretch of the walk.
        pairs[k], heights[k] = (here, there), nearest[there]
        here = there
    return _labelled(pairs, heights)


def quasi_diagonal(merges: ArrayLike) -> NDArray[np.intp]:
    """Return the leaves of a cluster tree from left to right, so that leaves merged early are adjacent.

    Parameters
    ----------
    merges : array_like, shape (n - 1, 4)
        Merges in the format of :func:`linkage`.

    Examples
    --------
    >>> quasi_diagonal([[0.0, 2.0, 1.0, 2.0], [1.0, 3.0, 2.0, 3.0]]).tolist()
    [1, 0, 2]
    """
    children = np.asarray(merges)[:, :2].astype(np.intp).tolist()
    n = len(children) + 1
    row, waiting = [], [2 * n - 2]
    while waiting:
        cluster = waiting.pop()
        if cluster < n:
            row.append(cluster)
        else:
            left, right = children[cluster - n]
            waiting += (right, left)
    return np.array(row, dtype=np.intp)


def _distances(distance: ArrayLike) -> FloatArray:
    apart = np.array(distance, dtype=np.float64)
    if apart.ndim != 2 or not len(apart) or apart.shape[0] != apart.shape[1]:  # noqa: PLR2004 - a matrix has two axes
        raise ModelError(f"distances have shape {apart.shape}; give a square matrix", value=apart.shape)
    np.fill_diagonal(apart, 0.0)
    if not (np.isfinite(apart).all() and apart.min() >= 0.0):
        raise ModelError("a distance is not finite or is below 0; correct it")
    off = float(np.abs(apart - apart.T).max())
    if off > LAST_DIGITS * apart.max():
        raise ModelError(
            f"the distances are not symmetric: they differ from their transpose by up to {off:g}; correct them",
            value=off,
        )
    upper = np.triu(apart)
    return np.asarray(upper + upper.T)


def _labelled(pairs: NDArray[np.intp], heights: FloatArray) -> FloatArray:
    """Sort merges by height and replace leaves by the numbers of the clusters that contain them."""
    n = len(heights) + 1
    order = heights.argsort(kind="stable")
    merges = np.empty((n - 1, 4))
    merges[:, 2] = heights[order]
    above, sizes = list(range(2 * n - 1)), [1] * n
    rows = []
    for k, (one, other) in enumerate(pairs[order].tolist()):
        left, right = sorted((_top(above, one), _top(above, other)))
        above[left] = above[right] = n + k
        sizes.append(sizes[left] + sizes[right])
        rows.append((left, right, sizes[-1]))
    merges[:, [0, 1, 3]] = np.array(rows, dtype=np.float64).reshape(n - 1, 3)
    return merges


def _top(above: list[int], cluster: int) -> int:
    """Return the root of a cluster in the union-find forest `above`, and compress the path to it."""
    top = cluster
    while above[top] != top:
        top = above[top]
    while above[cluster] != top:
        above[cluster], cluster = top, above[cluster]
    return top


def _neighbour_chain(apart: FloatArray, method: LinkageMethod) -> FloatArray:
    """Merge along chains of nearest neighbours (Müllner 2011), in time n²."""
    n = len(apart)
    np.fill_diagonal(apart, np.inf)
    sizes = np.ones(n)
    pairs, heights = np.empty((n - 1, 2), dtype=np.intp), np.empty(n - 1)
    chain: list[int] = []
    for k in range(n - 1):
        if not chain:
            chain.append(int(np.flatnonzero(sizes)[0]))
        while True:
            there = int(apart[chain[-1]].argmin())
            # Ties are decided for the previous cluster of the chain, as the chain could cycle otherwise.
            if len(chain) > 1 and apart[chain[-1], chain[-2]] <= apart[chain[-1], there]:
                break
            chain.append(there)
        removed, kept = sorted((chain.pop(), chain.pop()))
        pairs[k], heights[k] = (removed, kept), apart[removed, kept]
        merged = _merged(apart, removed, kept, sizes, method)
        sizes[kept] += sizes[removed]
        sizes[removed] = 0.0
        merged[(sizes == 0.0) | (np.arange(n) == kept)] = np.inf
        apart[kept], apart[:, kept] = merged, merged
        apart[removed], apart[:, removed] = np.inf, np.inf
    return _labelled(pairs, heights)


def _merged(apart: FloatArray, removed: int, kept: int, sizes: FloatArray, method: LinkageMethod) -> FloatArray:
    """Return the distances of all clusters from the union of two; entries of merged clusters are arbitrary."""
    one, other = apart[removed], apart[kept]
    if method is LinkageMethod.COMPLETE:
        return np.asarray(np.maximum(one, other))
    m, n = sizes[removed], sizes[kept]
    if method is LinkageMethod.AVERAGE:
        return np.asarray((m * one + n * other) / (m + n))
    present = np.isfinite(one) & np.isfinite(other)
    one, other, rest = (np.where(present, side, 0.0) for side in (one, other, sizes))
    part, height = 1.0 / (m + n + rest), apart[removed, kept]
    # The order of the products is scipy's, so that rounding is the same.
    squared = (rest + m) * part * one * one + (rest + n) * part * other * other - rest * part * height * height
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))

"""Trees of what is near: hierarchical clustering, in the order and form of scipy's ``linkage``.

Examples
--------
>>> apart = [[0.0, 1.0, 5.0], [1.0, 0.0, 4.0], [5.0, 4.0, 0.0]]
>>> linkage(apart).tolist()  # who joins whom, at what distance, and how many they are then
[[0.0, 1.0, 1.0, 2.0], [2.0, 3.0, 4.0, 3.0]]
>>> quasi_diagonal(linkage(apart)).tolist()
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
    """What the distance of two clusters is: that of the nearest pair, of the farthest, the mean, or Ward's."""

    SINGLE = "single"
    COMPLETE = "complete"
    AVERAGE = "average"
    WARD = "ward"

    @classmethod
    def parse(cls, method: LinkageMethod | str) -> LinkageMethod:
        """Return the method of that name.

        Raises
        ------
        ModelError
            There is none; the message lists them.
        """
        try:
            return cls(method)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise ModelError(f"no linkage {method!r}; there are {known}", value=method) from None


def linkage(distance: ArrayLike, method: LinkageMethod | str = LinkageMethod.SINGLE) -> FloatArray:
    """Return the tree of clusters that are nearest to each other, merge by merge.

    Parameters
    ----------
    distance : array_like, shape (n, n)
        Symmetric, finite, at least 0; the diagonal is not looked at.
    method : LinkageMethod or str, default "single"
        What the distance of two clusters is.

    Returns
    -------
    ndarray, shape (n - 1, 4)
        A row a merge, nearest first: the two clusters (a cluster below n is that leaf, n + k the one made in row k; the
        smaller number first), their distance, the leaves in both. Of ties the order is scipy's.

    Raises
    ------
    ModelError
        The distances are not of that kind, or there is no such method.
    """
    chosen = LinkageMethod.parse(method)
    if chosen is LinkageMethod.SINGLE:
        return single_linkage(distance)
    return _neighbour_chain(_distances(distance), chosen)


def single_linkage(distance: ArrayLike) -> FloatArray:
    """Return the tree of single linkage by Prim's minimum spanning tree, in time n²; as :func:`linkage`.

    Parameters
    ----------
    distance : array_like, shape (n, n)
        Symmetric, finite, at least 0; the diagonal is not looked at.

    Raises
    ------
    ModelError
        The distances are not of that kind.

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
        # Not the tree's edge but the step of the walk: what a height joins is a stretch of the walk all the same.
        pairs[k], heights[k] = (here, there), nearest[there]
        here = there
    return _labelled(pairs, heights)


def quasi_diagonal(merges: ArrayLike) -> NDArray[np.intp]:
    """Return the leaves of a tree from left to right, so that what was merged early stands side by side.

    Parameters
    ----------
    merges : array_like, shape (n - 1, 4)
        As of :func:`linkage`.

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
        raise ModelError(f"distances of shape {apart.shape}; give a square matrix", value=apart.shape)
    np.fill_diagonal(apart, 0.0)
    if not (np.isfinite(apart).all() and apart.min() >= 0.0):
        raise ModelError("a distance is not finite or below 0; correct it")
    off = float(np.abs(apart - apart.T).max())
    if off > LAST_DIGITS * apart.max():
        raise ModelError(f"distances there and back differ by {off:g}; make them the same", value=off)
    upper = np.triu(apart)
    return np.asarray(upper + upper.T)


def _labelled(pairs: NDArray[np.intp], heights: FloatArray) -> FloatArray:
    """Put merges of leaves in the order of their heights, and number the clusters that they make."""
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
    """Return the cluster that another is in by now; the way there is shortened."""
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
            # Of equally near ones the one before: else the chain could go round in a circle.
            if len(chain) > 1 and apart[chain[-1], chain[-2]] <= apart[chain[-1], there]:
                break
            chain.append(there)
        gone, kept = sorted((chain.pop(), chain.pop()))
        pairs[k], heights[k] = (gone, kept), apart[gone, kept]
        merged = _merged(apart, gone, kept, sizes, method)
        sizes[kept] += sizes[gone]
        sizes[gone] = 0.0
        merged[(sizes == 0.0) | (np.arange(n) == kept)] = np.inf
        apart[kept], apart[:, kept] = merged, merged
        apart[gone], apart[:, gone] = np.inf, np.inf
    return _labelled(pairs, heights)


def _merged(apart: FloatArray, gone: int, kept: int, sizes: FloatArray, method: LinkageMethod) -> FloatArray:
    """Return the distances of all clusters from two that become one; of those that are no more, anything."""
    one, other = apart[gone], apart[kept]
    if method is LinkageMethod.COMPLETE:
        return np.asarray(np.maximum(one, other))
    m, n = sizes[gone], sizes[kept]
    if method is LinkageMethod.AVERAGE:
        return np.asarray((m * one + n * other) / (m + n))
    there = np.isfinite(one) & np.isfinite(other)
    one, other, rest = (np.where(there, side, 0.0) for side in (one, other, sizes))
    part, height = 1.0 / (m + n + rest), apart[gone, kept]
    # The order of the products is scipy's, so that the last digit is too.
    squared = (rest + m) * part * one * one + (rest + n) * part * other * other - rest * part * height * height
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))

"""Sums of many vectors that change one at a time: a fixed pairwise tree.

The vectors are the leaves of a binary tree; an inner vertex is the sum of its two children. When one vector changes,
only the sums on its path to the root are added up again. Because the tree is fixed, the root is bitwise identical to a
sum computed from scratch.

Each stored vertex takes the memory of one vector, and most vertices are at the lowest levels. So only every fourth
level is stored: a stored vertex adds up to sixteen vectors, pair by pair, as the full tree would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["WIDTH", "pairwise_sum"]

WIDTH = 16
"""Most vectors that one stored vertex adds up."""


def pairwise_sum(*vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the sum of vectors, added pair by pair, then pairs of pairs, and so on.

    Examples
    --------
    >>> pairwise_sum(*(np.array([value, 1.0]) for value in (1e16, 1.0, -1e16, 1.0)))  # (1e16 + 1) + (-1e16 + 1)
    array([0., 4.])
    """
    level: Sequence[NDArray[Any]] = vectors
    while len(level) > 1:
        pairs = [np.add(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = [*pairs, level[-1]] if len(level) % 2 else pairs
    return level[0]

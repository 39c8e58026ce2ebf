"""Sums of many vectors that change one at a time: a fixed pairwise tree.

The vectors are leaves of a binary tree; an inner vertex is the sum of its two. When one vector changes, the sums on its
way to the root change, and no other: a handful of additions, not as many as there are vectors. And because the tree is
fixed, the root is the same, to the bit, as if all had been added anew.

A vertex that is kept costs a vector, and the lowest ones are the most. So only every fourth level is: a kept vertex
adds up to sixteen below it, pair by pair, as the tree would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["WIDTH", "pairwise_sum"]

WIDTH = 16
"""How many vectors a kept vertex adds up."""


def pairwise_sum(*vectors: NDArray[Any]) -> NDArray[Any]:
    """Add vectors pair by pair, pairs of pairs, and so on.

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

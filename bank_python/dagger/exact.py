"""Sums without rounding: what lets an aggregate be kept up to date and still be right to the last bit.

A sum is held as a list of *terms* whose exact, unrounded total it is. When an input goes from `old` to `new`, the
terms ``new`` and ``-old`` are appended: no digit is lost, so the terms always add up to exactly the current
inputs, by whatever route they came to be what they are. :func:`math.fsum` of the terms, correctly rounded, is then
:func:`math.fsum` of the inputs. :func:`compress` turns a list that has grown long into a few terms with the same
total.

:func:`grouped` does the same for whole columns: it splits every number into pieces so coarse that adding them up
in float64 is exact, and returns for each group a few terms with the group's exact total.

References
----------
J. R. Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric predicates", Discrete &
Computational Geometry 18 (1997) 305-363 (expansions). S. M. Rump, T. Ogita, S. Oishi, "Accurate floating-point
summation part I: faithful rounding", SIAM J. Sci. Comput. 31 (2008) 189-224, algorithm 3.1 (error-free extraction).
"""

from __future__ import annotations

import math
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LIMIT", "compress", "grouped"]

LIMIT = 16
"""How many terms a sum may hold before they are compressed; measured, flat between 12 and 20."""

_MANTISSA = 53
_LARGEST = 1e290


def compress(terms: list[float], total: float) -> None:
    """Replace `terms`, in place, by a few with the same exact sum.

    Parameters
    ----------
    terms : list of float
        Finite, their exact sum within the range of a float.
    total : float
        ``fsum(terms)``.

    Examples
    --------
    >>> terms = [1e16, 1.0, -1e16, 1e-20]
    >>> compress(terms, fsum(terms))
    >>> terms
    [1.0, 1e-20]
    """
    parts = []
    rest = total
    while rest:
        parts.append(rest)
        terms.append(-rest)
        rest = fsum(terms)
    terms[:] = parts


def grouped(values: NDArray[np.float64], offsets: NDArray[np.intp]) -> list[list[float]] | None:
    """Return, for each group of consecutive `values`, terms whose exact sum is the group's.

    Parameters
    ----------
    values : array of shape (n,)
        At least one; overwritten.
    offsets : array of shape (groups,)
        Where each group begins; groups are not empty.

    Returns
    -------
    list of list of float, or None
        One list of terms a group; ``None`` if a value is not a number, infinite, or above 1e290 in size, where the
        room that the pieces need is not there.

    Examples
    --------
    >>> terms = grouped(np.array([1e16, 1.0, -1e16, 0.1, 0.2]), np.array([0, 3]))
    >>> [fsum(group) for group in terms]
    [1.0, 0.30000000000000004]
    """
    sums = []
    bits = math.ceil(math.log2(len(values) + 2))
    piece = np.abs(values)
    largest = piece.max()
    if not largest < _LARGEST:
        return None
    while largest:
        # Adding and taking away 2^k rounds each value to a multiple of 2^(k-53); sums of those pieces are exact
        # as long as they stay below 2^k, which the `bits` of room guarantee.
        exponent = math.frexp(largest)[1] + bits
        coarse = math.ldexp(1.0, exponent)
        np.add(values, coarse, out=piece)
        piece -= coarse
        values -= piece
        sums.append(np.add.reduceat(piece, offsets))
        largest = math.ldexp(1.0, exponent - _MANTISSA) if values.any() else 0.0
    if not sums:
        return [[] for _ in offsets]
    return [list(group) for group in zip(*[column.tolist() for column in sums], strict=True)]

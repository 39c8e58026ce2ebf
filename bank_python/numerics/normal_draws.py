r"""Random normals, in double and in single precision.

Doubles are numpy's own (the ziggurat). Singles are drawn here, because numpy draws them no faster than doubles: by Box
and Muller's transform of pairs of 32-bit integers,

.. math:: \sqrt{-2\log u}\,\cos 2\pi v, \qquad \sqrt{-2\log u}\,\sin 2\pi v, \qquad u = (k + \tfrac12)\,2^{-32} .

A single has a relative precision, so that a small u, which makes a far normal, is as fine as a large one: the tail
reaches to 6.76 standard deviations, and is thinned nowhere before.

References
----------
G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates", Annals of Mathematical Statistics
29 (1958), 610-611.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fill_normals"]

_SCALE = np.float32(2.0**-32)
_HALF = np.float32(2.0**-33)
_TURN = np.float32(2.0 * math.pi * 2.0**-32)
_PAIRS = 32_768
"""Pairs made at a time, so that they stay in the cache; part of what a seed means."""


def fill_normals(rng: np.random.Generator, out: NDArray[Any]) -> None:
    """Fill `out` with independent standard normals.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where they come from.
    out : ndarray of float64 or float32, contiguous
        Of any shape.

    Examples
    --------
    >>> draws = np.empty(100_000, dtype=np.float32)
    >>> fill_normals(np.random.default_rng(1), draws)
    >>> bool(abs(draws.mean()) < 0.01), bool(abs(draws.std() - 1.0) < 0.01)
    (True, True)
    """
    if out.dtype == np.float64:
        rng.standard_normal(out=out)
        return
    flat = out.reshape(-1)
    for start in range(0, flat.size, 2 * _PAIRS):
        _fill_singles(rng, flat[start : start + 2 * _PAIRS])


def _fill_singles(rng: np.random.Generator, out: NDArray[np.float32]) -> None:
    pairs = (out.size + 1) // 2
    bits = rng.integers(0, 2**32, (2, pairs), dtype=np.uint32)
    radius = bits[0].astype(np.float32)
    radius *= _SCALE
    radius += _HALF
    np.log(radius, out=radius)
    radius *= np.float32(-2.0)
    np.maximum(radius, np.float32(0.0), out=radius)  # the largest u rounds to 1 and its logarithm to 0
    np.sqrt(radius, out=radius)
    angle = bits[1].astype(np.float32)
    angle *= _TURN
    np.multiply(radius, np.cos(angle), out=out[:pairs])
    rest = out.size - pairs
    np.multiply(radius[:rest], np.sin(angle[:rest]), out=out[pairs:])

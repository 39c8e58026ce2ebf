r"""Standard normal random numbers that are the same in double and in single precision.

The Box-Muller transform gives two normals for two uniforms,

.. math:: \sqrt{-2\log u}\,\cos 2\pi v, \qquad \sqrt{-2\log u}\,\sin 2\pi v, \qquad u = (k + \tfrac12)\,2^{-32} ,

here from pairs of 32-bit integers and in single precision, where a sine and a logarithm together take a nanosecond. It
takes a third of the time of numpy's normals, which are no faster in single precision. In double precision the draws are
the same numbers, converted, so that a simulation in single precision can be compared with one in double precision
scenario by scenario. The 24 bits of a draw are far more than the sampling error of any number of scenarios can
resolve. Since the precision is relative, a small u, which gives a normal far in the tail, is as fine as a large one:
the tail has no gaps up to its end at 6.76 standard deviations.

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
_BLOCK = 65_536
"""Number of draws per block, so that they stay in the cache; changing it changes the draws of a seed."""


def fill_normals(rng: np.random.Generator, out: NDArray[Any]) -> None:
    """Fill `out` with independent standard normals.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the random bits.
    out : ndarray of float64 or float32, contiguous
        Array of any shape, which is overwritten.

    Raises
    ------
    ValueError
        `out` is not contiguous.

    Examples
    --------
    >>> draws, widened = np.empty(100_000, dtype=np.float32), np.empty(100_000)
    >>> fill_normals(np.random.default_rng(1), draws)
    >>> fill_normals(np.random.default_rng(1), widened)
    >>> bool(abs(draws.mean()) < 0.01), bool(abs(draws.std() - 1.0) < 0.01), bool((draws == widened).all())
    (True, True, True)
    """
    if not out.flags.c_contiguous:
        raise ValueError(f"an array with strides {out.strides} cannot be filled in place; give a contiguous array")
    flat = out.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        flat[start : start + _BLOCK] = _singles(rng, min(_BLOCK, flat.size - start))


def _singles(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    pairs = (count + 1) // 2
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
    drawn = np.empty((2, pairs), dtype=np.float32)
    np.cos(angle, out=drawn[0])
    np.sin(angle, out=drawn[1])
    drawn *= radius
    return drawn.reshape(-1)[:count]

r"""Hurwitz zeta function, in a form that neither overflows nor underflows, with its derivative by the exponent.

The function

.. math:: \zeta(s, q) = \sum_{k \ge 0} (q + k)^{-s} , \qquad s > 1,\ q > 0,

normalises the power law of whole numbers from q. Divided by its first term it is of the order of 1 or q/s, whatever s
and q are:

.. math:: h(s, q) = q^s \zeta(s, q) = \sum_{k \ge 0} \Big(1 + \frac kq\Big)^{-s} .

A few terms are summed until q + k is large relative to s, and the rest is the Euler–Maclaurin formula at Q = q + N:

.. math:: \sum_{k \ge N} (q + k)^{-s} \approx Q^{-s} \Big[\frac Q{s - 1} + \frac12 + \sum_{j \ge 1}
          \frac{B_{2j}}{(2j)!}\, \frac{s (s + 1) \cdots (s + 2j - 2)}{Q^{2j - 1}}\Big] .

Examples
--------
>>> round(float(scaled_zeta(2.0, 1.0)[0]), 12) == round(np.pi**2 / 6, 12)
True

References
----------
NIST Digital Library of Mathematical Functions, 25.11.1 (definition) and 2.10.1 (the Euler–Maclaurin formula).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["scaled_zeta"]

_ABOVE = 12.0  # Q less s from which the terms below are exact to the last digits
_MOST = 45  # terms after which the rest is below the last digit where s is above q
# B_2j / (2j)!
_TERMS = (
    *(1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000),
    *(1 / 74724249600, -3617 / 10670622842880000, 43867 / 5109094217170944000),
)


def scaled_zeta(s: ArrayLike, q: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return q**s times the Hurwitz zeta function of s and q, and its derivative by s.

    Parameters
    ----------
    s : array_like
        Exponent of the sum, above 1.
    q : array_like
        First number that is summed, at least 1.

    Returns
    -------
    tuple of ndarray
        Values and derivatives, in the broadcast shape of the arguments.

    Raises
    ------
    ModelError
        `s` or `q` is out of range or not finite.
    """
    exponents = figures_in_range("s", s, ModelError, above=1.0)
    starts = figures_in_range("q", q, ModelError, least=1.0)
    flat_s, flat_q = (part.ravel() for part in np.broadcast_arrays(exponents, starts))
    terms = np.where(flat_s > flat_q, _MOST, np.maximum(np.ceil(_ABOVE + flat_s - flat_q), 0.0))
    value, slope = _beyond(flat_s, flat_q, terms)
    rows = np.flatnonzero(terms > 0.0)
    if rows.size:
        k = np.arange(terms[rows].max())
        log = np.log1p(k / flat_q[rows, None])
        term = np.exp(-flat_s[rows, None] * log) * (k < terms[rows, None])
        value[rows] += term.sum(axis=1)
        slope[rows] -= (log * term).sum(axis=1)
    shape = np.broadcast_shapes(exponents.shape, starts.shape)
    return value.reshape(shape), slope.reshape(shape)


def _beyond(s: FloatArray, q: FloatArray, terms: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what is left after a number of terms, by the Euler–Maclaurin formula, and its derivative by s."""
    start = q + terms
    log = np.log1p(terms / q)
    weight = np.exp(-s * log)
    whole = start / (s - 1.0)
    total, change = whole + 0.5, -whole / (s - 1.0)
    factor, growth = s / start, 1.0 / s  # of s(s + 1)…/Q^(2j − 1), and the sum of 1/s + 1/(s + 1) + …
    for j, coefficient in enumerate(_TERMS):
        if j:
            a, b = s + (2 * j - 1), s + 2 * j
            factor = factor * (a / start) * (b / start)
            growth = growth + 1.0 / a + 1.0 / b
        total = total + coefficient * factor
        change = change + coefficient * factor * growth
    return weight * total, weight * (change - log * total)

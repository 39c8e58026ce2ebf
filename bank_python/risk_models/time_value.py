r"""The time value of a European option, to full accuracy, and the tails of the normal law under it.

With A the discounted forward and B the discounted strike, a call is worth max(A − B, 0) and a put
max(B − A, 0) of intrinsic value, plus one and the same time value

.. math:: \theta = \min(A, B)\,[\Phi(-u) - e^{|x|}\,\Phi(-w)], \qquad
          u = h - t,\quad w = h + t,\quad h = \frac{|x|}{\sigma\sqrt T},\quad t = \tfrac12 \sigma\sqrt T ,

where x = log(A/B). Put-call parity then holds by construction, and a price can never fall below intrinsic
value. What remains is to compute θ without cancellation, since far from the money the two terms agree in most
of their digits. They share a factor: :math:`e^{|x|}\varphi(w) = \varphi(u)`, so with Mills' ratio
M(z) = Φ(−z)/φ(z)

.. math:: \theta = \min(A, B)\,\varphi(u)\,[M(u) - M(w)] .

Where t is small even this cancels, and the difference is expanded in t, its odd derivatives following from
M' = zM − 1. So the relative error stays below some 1e-14, or a few ε(1 + h²) further out, which is what
rounding the inputs costs anyway: from at the money to prices of 1e-300. That is what an implied volatility
far out needs. Beyond u = 0, Φ(−u) is above a half and nothing cancels.

References
----------
P. Jäckel, "Let's be rational", Wilmott 75 (2015), 40-53: the factored form in erfcx and the expansion for
small t, here with simpler regions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.mills import mills_column
from bank_python.numerics.normal import pdf_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["Tails", "drop_expanded", "is_small"]

# The expansion serves t below the first and |x| = 2ht below the second: its recurrence multiplies rounding
# errors by about sinh(ht)/(ht). Its terms, at most t^2k/(2k + 1)!!, are summed to k = 4; the next one is below
# 1e-15 of the first.
_SMALL_T = 0.06
_SMALL_LOG = 2.0
_LAST_TERM = 4
# Beyond this distance the density is 0.
_FAR = 64.0


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """Time value and tails for options at a distance from the money; every array has the shape (n_rows,).

    Attributes
    ----------
    time_value : ndarray
        As a share of min(A, B), in [0, 1].
    density : ndarray
        φ(u).
    near : ndarray
        Φ(−u).
    far : ndarray
        exp(|x|) Φ(−w).
    """

    time_value: FloatArray
    density: FloatArray
    near: FloatArray
    far: FloatArray

    @classmethod
    def of(cls, log_ratio: FloatArray, deviation: FloatArray) -> Tails:
        """Take the logarithm of forward over strike and σ√T; the caller has silenced numpy's warnings.

        Examples
        --------
        >>> Tails.of(np.array([0.0]), np.array([0.2])).time_value
        array([0.07965567])
        """
        x = np.abs(log_ratio)
        t = 0.5 * deviation
        h = np.where(x == 0.0, 0.0, x / deviation)
        u = h - t
        density = pdf_column(u)
        at_u, at_w = mills_column(np.abs(u)), mills_column(h + t)
        out = u >= 0.0
        share, far = density * at_u, density * at_w
        near = np.where(out, share, 1.0 - share)
        value = np.where(out, density * (at_u - at_w), near - far)
        small = is_small(h, t)
        if small.any():
            value[small] = density[small] * drop_expanded(h[small], t[small])
        return cls(value, density, near, far)


def is_small(h: FloatArray, t: FloatArray) -> NDArray[np.bool_]:
    """Return where the drop of Mills' ratio from h − t to h + t is to be expanded in t."""
    return (t < _SMALL_T) & (h * t < 0.5 * _SMALL_LOG) & (h < _FAR)


def drop_expanded(h: FloatArray, t: FloatArray) -> FloatArray:
    """Return M(h − t) − M(h + t), which is −2 Σ M⁽ⁿ⁾(h) tⁿ/n! over odd n, for small t; h may be below t."""
    even = mills_column(h)
    odd = h * even - 1.0
    weight = t.copy()
    square = t * t
    total = odd * weight
    for k in range(1, _LAST_TERM + 1):
        n = 2 * k
        # M⁽ⁿ⁾ = z M⁽ⁿ⁻¹⁾ + (n − 1) M⁽ⁿ⁻²⁾ for n >= 2
        even = h * odd + (n - 1) * even
        odd = h * even + n * odd
        weight *= square / (n * (n + 1))
        total += odd * weight
    return -2.0 * total

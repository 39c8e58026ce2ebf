r"""The time value of a European option, to full precision, and the normal tail probabilities in it.

With A the discounted forward and B the discounted strike, the intrinsic value of a call is max(A − B, 0) and that of a
put max(B − A, 0). Both have the same time value

.. math:: \theta = \min(A, B)\,[\Phi(-u) - e^{|x|}\,\Phi(-w)], \qquad
          u = h - t,\quad w = h + t,\quad h = \frac{|x|}{\sigma\sqrt T},\quad t = \tfrac12 \sigma\sqrt T ,

where x = log(A/B). Put-call parity then holds by construction, and a price cannot fall below the intrinsic value. In θ
itself, far from the money, the two terms agree in most of their digits. They have a common factor, since
:math:`e^{|x|}\varphi(w) = \varphi(u)`, so with Mills' ratio M(z) = Φ(−z)/φ(z)

.. math:: \theta = \min(A, B)\,\varphi(u)\,[M(u) - M(w)] .

For small t this difference cancels as well, and is expanded in t, with odd derivatives from M' = zM − 1. So the
relative error is below about 1e-14, or a few ε(1 + h²) further from the money, which is the effect of rounding the
inputs, for all prices down to 1e-300. Implied volatilities far from the money need this accuracy. For u < 0, Φ(−u) is
above a half and there is no cancellation.

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

# The expansion is used for t below the first number and |x| = 2ht below the second, as its recurrence amplifies
# rounding errors by a factor of about sinh(ht)/(ht). Its terms, at most t^2k/(2k + 1)!!, are summed to k = 4; the next
# one is below 1e-15 of the first.
_SMALL_T = 0.06
_SMALL_LOG = 2.0
_LAST_TERM = 4
# For a larger distance the density is 0.
_FAR = 64.0


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """The time value of options and the normal tails in it; every array has the shape (n_rows,).

    Attributes
    ----------
    time_value : ndarray
        Time value as a share of min(A, B), in [0, 1].
    density : ndarray
        Standard normal density φ(u).
    near : ndarray
        Tail probability Φ(−u).
    far : ndarray
        Scaled tail probability exp(|x|) Φ(−w).
    """

    time_value: FloatArray
    density: FloatArray
    near: FloatArray
    far: FloatArray

    @classmethod
    def of(cls, log_ratio: FloatArray, deviation: FloatArray) -> Tails:
        """Compute from the logarithm of forward over strike and σ√T; the caller suppresses numpy's warnings.

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
    """Return where the difference of Mills' ratio at h − t and h + t is to be expanded in t."""
    return (t < _SMALL_T) & (h * t < 0.5 * _SMALL_LOG) & (h < _FAR)


def drop_expanded(h: FloatArray, t: FloatArray) -> FloatArray:
    """Return M(h − t) − M(h + t) for small t, as −2 Σ M⁽ⁿ⁾(h) tⁿ/n! over odd n; h may be below t."""
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

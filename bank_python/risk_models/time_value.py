r"""The time value of a European option: the smaller of call and put on the forward, to full accuracy.

With A the discounted forward and B the discounted strike, a call is worth max(A − B, 0) and a put
max(B − A, 0) of intrinsic value, plus one and the same time value

.. math:: \theta = \min(A, B)\,\Phi(t - h) - \max(A, B)\,\Phi(-t - h),
          \qquad h = \frac{|\log(A/B)|}{\sigma\sqrt T},\quad t = \tfrac12 \sigma\sqrt T .

Put-call parity then holds by construction, and a price can never fall below intrinsic value. What remains
is to compute θ without cancellation, since far from the money the two terms agree in most of their
digits. They share a factor, min(A, B) φ(t − h), and what is left is a difference of Mills' ratios:

.. math:: \theta = \min(A, B)\,\varphi(h - t)\,[M(h - t) - M(h + t)], \qquad
          M(z) = \sqrt{\pi/2}\,\operatorname{erfcx}(z/\sqrt2).

Where t is small even this cancels, and the difference is expanded in t, its odd derivatives following
from M' = zM − 1. So the relative error stays within a few ε(1 + h²), which is what rounding the inputs
costs anyway, from at the money to prices of 1e-300. That is what an implied volatility far out needs.

References
----------
P. Jäckel, "Let's be rational", Wilmott 75 (2015), 40-53: the factored form in erfcx and the expansion for
small t, here with simpler regions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.error_function import erfcx_lanes
from bank_python.numerics.normal import cdf_lanes, pdf_lanes

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["time_value"]

_SQRT_HALF = math.sqrt(0.5)
_SQRT_HALF_PI = math.sqrt(0.5 * math.pi)
# The expansion serves t below the first and |log(A/B)| = 2ht below the second: its recurrence multiplies
# rounding errors by about sinh(ht)/(ht). Its terms, at most t^2k/(2k + 1)!!, are summed to k = 6; the next
# one is below 1e-16.
_SMALL_T = 0.2
_SMALL_LOG = 2.0
_LAST_TERM = 6


def _mills(z: FloatArray) -> FloatArray:
    return _SQRT_HALF_PI * erfcx_lanes(z * _SQRT_HALF)


def _mills_drop_expanded(h: FloatArray, t: FloatArray) -> FloatArray:
    """Return M(h − t) − M(h + t) = −2 Σ M⁽ⁿ⁾(h) tⁿ/n! over odd n."""
    even = _mills(h)
    odd = h * even - 1.0
    weight = t.copy()
    total = odd * weight
    for k in range(1, _LAST_TERM + 1):
        n = 2 * k
        # M⁽ⁿ⁾ = z M⁽ⁿ⁻¹⁾ + (n − 1) M⁽ⁿ⁻²⁾ for n >= 2
        even = h * odd + (n - 1) * even
        odd = h * even + n * odd
        weight *= t * t / (n * (n + 1))
        total += odd * weight
    return -2.0 * total


def time_value(forward: FloatArray, strike: FloatArray, log_ratio: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return the time value of a European option.

    Parameters
    ----------
    forward, strike : ndarray, shape (n_lanes,)
        Discounted forward and discounted strike, not negative.
    log_ratio : ndarray, shape (n_lanes,)
        Logarithm of forward over strike, taken from undiscounted inputs.
    deviation : ndarray, shape (n_lanes,)
        Standard deviation of the log price at expiry, σ√T, not negative.

    Returns
    -------
    ndarray, shape (n_lanes,)
        Not negative; 0 where the deviation, the forward or the strike is 0.

    Notes
    -----
    The caller has silenced numpy's floating-point warnings.

    Examples
    --------
    >>> at = np.array([100.0])
    >>> time_value(at, at, np.array([0.0]), np.array([0.2]))
    array([7.96556746])
    """
    small = np.minimum(forward, strike)
    t = 0.5 * deviation
    h = np.abs(log_ratio) / deviation
    density = pdf_lanes(h - t)
    live = (deviation > 0.0) & (small > 0.0)
    expand = live & (t < _SMALL_T) & (np.abs(log_ratio) < _SMALL_LOG) & (density > 0.0)
    factored = live & ~expand & (h >= t) & (density > 0.0)
    plain = live & ~expand & (h < t)
    value = np.zeros_like(forward)
    value[expand] = (small * density)[expand] * _mills_drop_expanded(h[expand], t[expand])
    near, far = (h - t)[factored], (h + t)[factored]
    value[factored] = (small * density)[factored] * (_mills(near) - _mills(far))
    # Here the first Φ is above a half and the second small: nothing cancels.
    near, far = (t - h)[plain], (-t - h)[plain]
    value[plain] = small[plain] * cdf_lanes(near) - np.maximum(forward, strike)[plain] * cdf_lanes(far)
    return value

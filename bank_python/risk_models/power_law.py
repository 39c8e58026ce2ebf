r"""Prices of far out-of-the-money options under power-law tails, scaled from the price of one option.

The tail of the underlying is assumed to be a power law, P(move > x) ∝ x^{−α}. Integrating the tail gives the price of
every option in it up to a constant, which is determined by the price of one option, the *anchor*. With spot S and
anchor strike K₁, calls and puts further out of the money are

.. math::
   C(K) = C(K_1) \Bigl(\frac{K - S}{K_1 - S}\Bigr)^{1-\alpha}, \qquad
   P(K) = P(K_1)\,\frac{g(K)}{g(K_1)}, \qquad
   g(K) = (S - K)^{1-\alpha} - S^{-\alpha}\bigl((\alpha - 1)K + S\bigr).

The second term for puts accounts for the fact that a price cannot fall below zero: the distribution of the decline is
truncated at S. Only the tail index α and one quote are needed, but no volatility surface and no dynamic hedging.

Notes
-----
g is evaluated as S^{1−α} q(K/S) with q(x) = (1 − x)^{1−α} − 1 − (α − 1)x, so that prices are homogeneous in spot and
strikes. (Published versions with S^{1−α} instead of S^{−α} are correct only for S = 1.) For small x, q is of order x²
and its three terms cancel, so it is computed as a power series, whose terms are all positive.

References
----------
N. N. Taleb, B. Yarckin, C. Mann, D. Delic and M. Spitznagel, "Tail option pricing under power laws",
arXiv:1908.02347 (2019): the call and the put relative to an anchor.

Examples
--------
At twice the distance from the spot and α = 3, a call is worth a quarter:

>>> round(power_law_price(100.0, 120.0, anchor_price=4.0, anchor_strike=110.0, alpha=3.0), 12)
1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["power_law_price"]

# The series is used where the ratio of its first terms, about (β + 2)x/3, is below a fifth. Later ratios tend to x,
# here below 0.3, so the error after thirty terms is below an ulp.
_SERIES_BOUND = 0.6
_SERIES_TERMS = 30
_HALF = 0.5
_LARGEST = 700.0  # exponent up to which exp does not overflow


def _series(x: FloatArray, beta: FloatArray) -> FloatArray:
    """Return q(x)/(x² β(β + 1)/2) as the sum over k = 2, 3, … of (β + 2)…(β + k − 1) 2x^(k−2)/k!."""
    term = np.ones_like(x)
    total = np.ones_like(x)
    for k in range(3, _SERIES_TERMS + 3):
        term = term * ((beta + (k - 1)) * x / k)
        total = total + term
    return total


def _exponent(spot: FloatArray, strike: FloatArray, beta: FloatArray) -> FloatArray:
    """Return the logarithm of (1 − x)^(−β), x = strike/spot."""
    x = strike / spot
    # Where it is small, S − K is exact, unlike 1 − K/S.
    return -(beta * np.where(x > _HALF, np.log((spot - strike) / spot), np.log1p(-x)))


def _direct(spot: FloatArray, strike: FloatArray, beta: FloatArray, shift: FloatArray) -> FloatArray:
    """Return e^(−shift) q(x)/(x² β(β + 1)/2) from its definition, x = strike/spot."""
    x, exponent = strike / spot, _exponent(spot, strike, beta)
    q = np.where(shift > 0.0, np.exp(exponent - shift), np.expm1(exponent) - beta * x)
    return q / (x * x) * 2.0 / (beta * (beta + 1.0))


def _put_shape(spot: FloatArray, strike: FloatArray, beta: FloatArray, shift: FloatArray) -> FloatArray:
    """Return g(K)/K² up to a factor that depends only on S, α and the shift, which keeps it from overflowing."""
    x = strike / spot
    small = (beta + 2.0) * x < _SERIES_BOUND
    return np.where(small, np.exp(-shift) * _series(x, beta), _direct(spot, strike, beta, shift))


@guessable
def power_law_price(
    spot: ArrayLike,
    strike: ArrayLike,
    *,
    anchor_price: ArrayLike,
    anchor_strike: ArrayLike,
    alpha: ArrayLike,
    is_call: ArrayLike = True,
) -> Numbers:
    """Return the price of an option in a power-law tail, scaled from an anchor option.

    Parameters
    ----------
    spot : array_like
        Price of the underlying, above 0.
    strike, anchor_strike : array_like
        Strikes of the option and of the anchor, above the spot for calls, between 0 and the spot for puts. The power
        law is meant for strikes at least as far from the spot as the anchor.
    anchor_price : array_like
        Price of the anchor option, which is of the same type as the option, at least 0.
    alpha : array_like
        Tail index, above 1 (otherwise the tail has no mean and options have no price).
    is_call : array_like of bool, default True
        Whether the options are calls (any number but 0) or puts (0).

    Returns
    -------
    float or ndarray
        Price in the broadcast shape of the arguments; a float if all are scalars. NaN where an argument is outside its
        range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    References
    ----------
    Taleb et al. (2019), see the references of the module.

    Examples
    --------
    >>> power_law_price(100.0, [105.0, 110.0, 120.0], anchor_price=3.5, anchor_strike=105.0, alpha=2.5).round(4)
    array([3.5   , 1.2374, 0.4375])
    >>> power_law_price(100.0, 95.0, anchor_price=3.5, anchor_strike=105.0, alpha=2.5)  # in the money
    nan
    """
    shape, terms = to_columns(spot, anchor_price, anchor_strike, strike, alpha, is_call)
    S, anchor, K1, K, tail_index, call_flag = terms
    with np.errstate(all="ignore"):
        call = call_flag != 0.0
        beta = tail_index - 1.0
        in_tail = np.where(call, (K > S) & (K1 > S), (K > 0.0) & (K < S) & (K1 > 0.0) & (K1 < S))
        valid = all_finite(terms) & (S > 0.0) & (anchor >= 0.0) & (beta > 0.0) & in_tail
        call_ratio = np.exp(-(beta * np.log((K - S) / (K1 - S))))
        shift = np.maximum(_exponent(S, np.maximum(K, K1), beta) - _LARGEST, 0.0)
        put_ratio = (K / K1) * (K / K1) * (_put_shape(S, K, beta, shift) / _put_shape(S, K1, beta, shift))
        price = anchor * np.where(call, call_ratio, put_ratio)
        return from_column(np.where(valid, price, np.nan), shape)

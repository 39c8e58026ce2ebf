r"""Prices and values of forwards on assets with a yield: currencies, indices, shares with a dividend yield.

.. math:: F = S e^{(r - q) T}, \qquad V = S e^{-qT} - K e^{-rT}

Examples
--------
>>> round(forward_price(1.10, 0.5, 0.05, 0.03), 6), round(forward_value(1.10, 1.12, 0.5, 0.05, 0.03), 6)
(1.111055, -0.008724)

References
----------
J. C. Hull, *Options, Futures, and Other Derivatives*, chapter on forward and futures prices; the yield of a currency is
its interest rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import Numbers

__all__ = ["forward_price", "forward_value"]


@guessable
def forward_price(spot: ArrayLike, expiry: ArrayLike, rate: ArrayLike, dividend: ArrayLike = 0.0) -> Numbers:
    """Return the forward price: the strike at which the value of a forward is 0.

    Parameters
    ----------
    spot, expiry, rate, dividend : array_like
        Market data and expiry, as for :func:`forward_value`.

    Returns
    -------
    float or ndarray
        Forward price in the broadcast shape of the arguments; NaN where one is outside its range, infinite or NaN.
    """
    shape, terms = to_columns(spot, expiry, rate, dividend)
    S, T, r, q = terms
    with np.errstate(all="ignore"):
        return from_column(np.where(all_finite(terms) & (T >= 0.0), S * np.exp((r - q) * T), np.nan), shape)


@guessable
def forward_value(
    spot: ArrayLike, strike: ArrayLike, expiry: ArrayLike, rate: ArrayLike, dividend: ArrayLike = 0.0
) -> Numbers:
    """Return the value of a long forward: the obligation to buy the underlying at `strike` at expiry.

    Parameters
    ----------
    spot : array_like
        Price of the underlying.
    strike : array_like
        Agreed delivery price.
    expiry : array_like
        Years to expiry, at least 0.
    rate, dividend : array_like
        Continuously compounded interest rate and dividend yield, decimals. For a currency the yield is the foreign
        interest rate.

    Returns
    -------
    float or ndarray
        Value in the broadcast shape of the arguments; NaN where one is outside its range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.
    """
    shape, terms = to_columns(spot, strike, expiry, rate, dividend)
    S, K, T, r, q = terms
    with np.errstate(all="ignore"):
        value = S * np.exp(-(q * T)) - K * np.exp(-(r * T))
        return from_column(np.where(all_finite(terms) & (T >= 0.0), value, np.nan), shape)

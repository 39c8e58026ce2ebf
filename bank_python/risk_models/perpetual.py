r"""Perpetual futures: unrealised P&L and funding payments.

A *linear* contract has a fixed amount of the underlying and settles in the quote currency; an *inverse* contract has a
fixed amount of the quote currency and settles in the underlying. With entry price E, mark price M and size c,

.. math:: V_{linear} = c\,(M - E), \qquad V_{inverse} = c\,\Big(\frac1E - \frac1M\Big) .

As there is no expiry, funding ties the price to the index: at each funding time holders of long positions pay the
funding rate on the value of the position, c·M or c/M, to holders of short positions; with a negative rate they receive
it.

Examples
--------
>>> perpetual_value(61_000.0, 60_000.0, 0.1), round(perpetual_value(61_000.0, 60_000.0, 100.0, is_inverse=True), 8)
(100.0, 2.732e-05)
>>> round(funding_payment(61_000.0, 0.0001, 0.1), 9)
-0.61

References
----------
BitMEX, "Perpetual Contracts Guide": inverse contracts and funding; Binance Futures, "Introduction to funding rates".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import Numbers

__all__ = ["funding_payment", "perpetual_value"]


@guessable
def perpetual_value(mark: ArrayLike, entry: ArrayLike, size: ArrayLike, is_inverse: ArrayLike = False) -> Numbers:
    """Return the unrealised P&L of a long position in one contract.

    Parameters
    ----------
    mark, entry : array_like
        Mark price now and entry price, above 0.
    size : array_like
        Size of one contract, in units of the underlying if linear, of the quote currency if inverse.
    is_inverse : array_like of bool, default False
        Whether the contract is inverse instead of linear.

    Returns
    -------
    float or ndarray
        P&L in the quote currency if linear, in the underlying if inverse; NaN where an argument is outside its range.
    """
    shape, terms = to_columns(mark, entry, size, is_inverse)
    M, E, c, inverse = terms
    with np.errstate(all="ignore"):
        value = c * np.where(inverse != 0.0, (M - E) / (M * E), M - E)
        return from_column(np.where(all_finite(terms) & (M > 0.0) & (E > 0.0), value, np.nan), shape)


@guessable
def funding_payment(mark: ArrayLike, funding: ArrayLike, size: ArrayLike, is_inverse: ArrayLike = False) -> Numbers:
    """Return the cash that a long position in one contract receives at the next funding time; negative if it pays.

    Parameters
    ----------
    mark, size, is_inverse : array_like
        Mark price and terms of the contract, as for :func:`perpetual_value`.
    funding : array_like
        Funding rate of the interval, a decimal.

    Returns
    -------
    float or ndarray
        Cash in the settlement currency of the contract; NaN where an argument is outside its range.
    """
    shape, terms = to_columns(mark, funding, size, is_inverse)
    M, f, c, inverse = terms
    with np.errstate(all="ignore"):
        value = -f * c * np.where(inverse != 0.0, 1.0 / M, M)
        return from_column(np.where(all_finite(terms) & (M > 0.0), value, np.nan), shape)

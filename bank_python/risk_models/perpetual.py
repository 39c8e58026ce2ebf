r"""Perpetual futures: what a contract has made, and what it pays or gets as funding.

A *linear* contract is on so many units of the underlying and settles in the quote currency; an *inverse* one is on so
much quote currency and settles in the underlying. With entry E, mark M and size c,

.. math:: V_{linear} = c\,(M - E), \qquad V_{inverse} = c\,\Big(\frac1E - \frac1M\Big) .

Nothing expires, so funding ties the price to the index: at each funding time a long pays the funding rate on the value
of the position, c·M or c/M, to the shorts; a negative rate turns the direction round.

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
    """Return the unrealised P&L of one contract held long.

    Parameters
    ----------
    mark, entry : array_like
        Prices now and at entry, above 0.
    size : array_like
        Of one contract: units of the underlying if linear, of the quote currency if inverse.
    is_inverse : array_like of bool, default False
        Which of the two.

    Returns
    -------
    float or ndarray
        In the quote currency if linear, in the underlying if inverse; NaN where an argument is outside its range.
    """
    shape, terms = to_columns(mark, entry, size, is_inverse)
    M, E, c, inverse = terms
    with np.errstate(all="ignore"):
        value = c * np.where(inverse != 0.0, (M - E) / (M * E), M - E)
        return from_column(np.where(all_finite(terms) & (M > 0.0) & (E > 0.0), value, np.nan), shape)


@guessable
def funding_payment(mark: ArrayLike, funding: ArrayLike, size: ArrayLike, is_inverse: ArrayLike = False) -> Numbers:
    """Return what one contract held long receives at the next funding time; negative where it pays.

    Parameters
    ----------
    mark, size, is_inverse : array_like
        As for :func:`perpetual_value`.
    funding : array_like
        The funding rate for the interval, a decimal.

    Returns
    -------
    float or ndarray
        In the currency the contract settles in; NaN where an argument is outside its range.
    """
    shape, terms = to_columns(mark, funding, size, is_inverse)
    M, f, c, inverse = terms
    with np.errstate(all="ignore"):
        value = -f * c * np.where(inverse != 0.0, 1.0 / M, M)
        return from_column(np.where(all_finite(terms) & (M > 0.0), value, np.nan), shape)

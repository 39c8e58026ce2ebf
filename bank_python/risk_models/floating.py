r"""Floating-rate notes and swaps off flat rates: array functions of scalar columns.

Between two resets a note pays what was fixed at the last one, and is worth its face at the next. So two rates value it:
the zero rate z to the next payment at t₁, and, for a margin over the floating rate, a yield for the rest:

.. math:: P = N\,\Big[(1 + c/f)\,e^{-z t_1} + m\,A(y)\Big], \qquad
          V_{swap} = N\,\Big[(1 + c/f)\,e^{-z t_1} - B(y; K)\Big] ,

A being the annuity and B the fixed bond of coupon K at the yield y, continuously compounded.

Examples
--------
>>> fixing = 4.0 * np.expm1(0.03 / 4.0)
>>> round(floating_price(0.03, 0.03, 100.0, 0.0, 5.0, frequency=4.0, current_fixing=fixing), 9)  # at a reset
100.0
>>> round(swap_value(0.03, 0.03, 1e6, 0.03, 5.0, current_fixing=fixing), 2)
1042.08
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import from_column, to_columns
from bank_python.risk_models.bond import bond_price
from bank_python.risk_models.bond_flows import BondFlows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["floating_price", "swap_value"]


@guessable
def floating_price(
    short_rate: ArrayLike,
    rate: ArrayLike,
    face: ArrayLike,
    margin: ArrayLike,
    maturity: ArrayLike,
    elapsed: ArrayLike = 0.0,
    frequency: ArrayLike = 4.0,
    *,
    current_fixing: ArrayLike,
) -> Numbers:
    """Return the dirty price of a floating-rate note.

    Parameters
    ----------
    short_rate : array_like
        Zero rate to the next payment, continuously compounded.
    rate : array_like
        Flat yield at which the margin is valued, continuously compounded.
    face : array_like
        Amount repaid at maturity; negative for a note owed.
    margin : array_like
        Over the floating rate, a decimal a year.
    maturity, elapsed, frequency : array_like
        As for :func:`~bank_python.risk_models.bond.bond_price`.
    current_fixing : array_like
        The simple rate of the payment under way, without the margin, a decimal a year.

    Returns
    -------
    float or ndarray
        Of the arguments' broadcast shape; 0 from maturity on, NaN where an argument is outside its range, infinite or
        NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.
    """
    shape, (z, y, N, m, c, T, gone, f) = to_columns(
        short_rate, rate, face, margin, current_fixing, maturity, elapsed, frequency
    )
    with np.errstate(all="ignore"):
        extra = np.asarray(bond_price(y, N, m, T, gone, f, 0.0)) - np.asarray(bond_price(y, N, 0.0, T, gone, f, 0.0))
        return from_column(N * _next_reset(z, c, T, gone, f) + extra, shape)


@guessable
def swap_value(
    short_rate: ArrayLike,
    rate: ArrayLike,
    notional: ArrayLike,
    fixed_rate: ArrayLike,
    maturity: ArrayLike,
    elapsed: ArrayLike = 0.0,
    fixed_frequency: ArrayLike = 2.0,
    floating_frequency: ArrayLike = 4.0,
    *,
    current_fixing: ArrayLike,
) -> Numbers:
    """Return the value of a swap that pays fixed and receives floating.

    Parameters
    ----------
    short_rate : array_like
        Zero rate to the next floating payment, continuously compounded.
    rate : array_like
        Flat yield of the fixed leg with its notional, continuously compounded.
    notional : array_like
        Negative for a swap that receives fixed.
    fixed_rate : array_like
        A decimal a year.
    maturity, elapsed : array_like
        Years from the making of the swap to its end, and to now.
    fixed_frequency, floating_frequency : array_like
        Payments a year.
    current_fixing : array_like
        The simple rate of the floating payment under way.

    Returns
    -------
    float or ndarray
        Of the arguments' broadcast shape; 0 from maturity on, NaN where an argument is outside its range, infinite or
        NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.
    """
    shape, (z, y, N, K, c, T, gone, g, f) = to_columns(
        short_rate, rate, notional, fixed_rate, current_fixing, maturity, elapsed, fixed_frequency, floating_frequency
    )
    with np.errstate(all="ignore"):
        fixed = np.asarray(bond_price(y, N, K, T, gone, g, 0.0))
        return from_column(N * _next_reset(z, c, T, gone, f) - fixed, shape)


def _next_reset(z: FloatArray, c: FloatArray, T: FloatArray, gone: FloatArray, f: FloatArray) -> FloatArray:
    """Return what the next floating payment is worth, with the 1 that the note is worth after it."""
    flows = BondFlows.of(np.ones_like(z), c, T, gone, f)
    value = (1.0 + c / f) * np.exp(-(z * flows.first / f))
    return np.where(flows.valid, np.where(flows.count > 0.0, value, 0.0), np.nan)

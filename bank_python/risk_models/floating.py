r"""Prices of floating-rate notes and swaps at flat rates, as array functions.

Between two resets the next payment of a note is fixed, and after it the note is worth its face. So its value depends on
two rates: the zero rate z to the next payment at t₁, and a yield y at which a margin over the floating rate is valued:

.. math:: P = N\,\Big[(1 + c/f)\,e^{-z t_1} + m\,A(y)\Big], \qquad
          V_{swap} = N\,\Big[(1 + c/f)\,e^{-z t_1} - B(y; K)\Big] ,

with A the annuity and B the fixed bond with coupon K at the yield y, continuously compounded.

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
        Zero rate to the next payment, continuously compounded, a decimal.
    rate : array_like
        Flat yield at which the margin is valued, continuously compounded, a decimal.
    face : array_like
        Face amount repaid at maturity, in currency units; negative for a short position.
    margin : array_like
        Margin over the floating rate, as a decimal per year.
    maturity, elapsed, frequency : array_like
        Terms of the note, as for :func:`~bank_python.risk_models.bond.bond_price`.
    current_fixing : array_like
        Simple rate of the next payment, without the margin, as a decimal per year.

    Returns
    -------
    float or ndarray
        Dirty price in the broadcast shape of the arguments; 0 from maturity on, NaN where an argument is outside its
        range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.
    """
    shape, (z, y, N, m, c, T, age, f) = to_columns(
        short_rate, rate, face, margin, current_fixing, maturity, elapsed, frequency
    )
    with np.errstate(all="ignore"):
        margins = np.asarray(bond_price(y, N, m, T, age, f, 0.0)) - np.asarray(bond_price(y, N, 0.0, T, age, f, 0.0))
        return from_column(N * _next_reset(z, c, T, age, f) + margins, shape)


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
    """Return the value of a swap that pays a fixed rate and receives a floating rate.

    Parameters
    ----------
    short_rate : array_like
        Zero rate to the next floating payment, continuously compounded, a decimal.
    rate : array_like
        Flat yield at which the fixed leg and the notional are valued, continuously compounded, a decimal.
    notional : array_like
        Notional amount in currency units; negative for a swap that receives the fixed rate.
    fixed_rate : array_like
        Fixed rate as a decimal per year.
    maturity, elapsed : array_like
        Years from the start of the swap to its maturity, and from the start to now.
    fixed_frequency, floating_frequency : array_like
        Number of payments per year of the fixed and of the floating leg.
    current_fixing : array_like
        Simple rate of the next floating payment, as a decimal per year.

    Returns
    -------
    float or ndarray
        Value in the broadcast shape of the arguments; 0 from maturity on, NaN where an argument is outside its range,
        infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.
    """
    shape, (z, y, N, K, c, T, age, g, f) = to_columns(
        short_rate, rate, notional, fixed_rate, current_fixing, maturity, elapsed, fixed_frequency, floating_frequency
    )
    with np.errstate(all="ignore"):
        fixed = np.asarray(bond_price(y, N, K, T, age, g, 0.0))
        return from_column(N * _next_reset(z, c, T, age, f) - fixed, shape)


def _next_reset(z: FloatArray, c: FloatArray, T: FloatArray, age: FloatArray, f: FloatArray) -> FloatArray:
    """Return the value of the next floating payment and of the note after it, for a face of 1."""
    flows = BondFlows.of(np.ones_like(z), c, T, age, f)
    value = (1.0 + c / f) * np.exp(-(z * flows.first / f))
    return np.where(flows.valid, np.where(flows.count > 0.0, value, 0.0), np.nan)

r"""Valuation of bonds, floating-rate notes and swaps on a discount curve.

The value of a fixed bond is the sum of its flows times their discount factors. The value of a floating-rate note whose
rates are those of the curve is its face on a reset date; between resets, with the next payment at t₁ fixed at c, it is
(1 + c/f)·D(t₁). A payer swap is the note less the bond:

.. math:: V = N\,\Big[(1 + c/f)\,D(t_1) - D(T) - \sum_i \frac{K}{g}\,D(t_i)\Big] .

Contracts are priced with flat rates, so that one array function prices a batch. :func:`curve_yield` returns the flat
yield that gives a contract the same value as the curve.

Examples
--------
>>> from bank_python.risk_models.curve import Curve
>>> curve = Curve.from_zero_rates([1.0, 5.0, 10.0], [0.02, 0.03, 0.035])
>>> par = par_swap_rate(curve, 5.0, fixed_frequency=1.0)
>>> round(par, 6), round(swap_value_on_curve(curve, 1e6, par, 5.0, fixed_frequency=1.0), 6) + 0.0
(0.030298, 0.0)

References
----------
J. C. Hull, *Options, Futures, and Other Derivatives*, chapter on swaps: valuation in terms of bond prices.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.risk_models.bond_analytics import bond_yield
from bank_python.risk_models.bond_flows import flow_times

if TYPE_CHECKING:
    from bank_python.risk_models.curve import Curve

__all__ = [
    "bond_value_on_curve",
    "curve_annuity",
    "curve_yield",
    "next_payment",
    "par_fixing",
    "par_swap_rate",
    "swap_value_on_curve",
]


@admits(ModelError)
def bond_value_on_curve(
    curve: Curve, face: float, coupon_rate: float, maturity: float, elapsed: float = 0.0, frequency: float = 1.0
) -> float:
    """Return the dirty value of a fixed-coupon bond.

    Parameters
    ----------
    curve : Curve
        Discount curve from the valuation date.
    face, coupon_rate, maturity, elapsed, frequency : float
        Terms of the bond, as for :func:`~bank_python.risk_models.bond.bond_price`.

    Returns
    -------
    float
        Value in currency units; 0 from maturity on.
    """
    times = flow_times(maturity, elapsed, frequency)
    if not times.size:
        return 0.0
    amounts = np.full(times.shape, coupon_rate / frequency)
    amounts[-1] += 1.0
    return face * math.fsum(amounts * np.exp(curve.log_discount(times)))


def curve_annuity(curve: Curve, maturity: float, elapsed: float = 0.0, frequency: float = 1.0) -> float:
    """Return the value of an annuity of 1 per year, paid in equal parts `frequency` times per year until maturity."""
    times = flow_times(maturity, elapsed, frequency)
    return math.fsum(np.exp(curve.log_discount(times))) / frequency


@admits(ModelError)
def curve_yield(
    curve: Curve,
    coupon_rate: float,
    maturity: float,
    elapsed: float = 0.0,
    frequency: float = 1.0,
    compounding: float = 0.0,
) -> float:
    """Return the flat yield at which a bond has its value on a curve; 0 from maturity on.

    Parameters
    ----------
    curve : Curve
        Discount curve from the valuation date.
    coupon_rate, maturity, elapsed, frequency : float
        Terms of the bond, as for :func:`bond_value_on_curve`.
    compounding : float, default 0.0
        Number of compounding periods of the yield per year; 0 means continuous.
    """
    value = bond_value_on_curve(curve, 1.0, coupon_rate, maturity, elapsed, frequency)
    if value == 0.0:
        return 0.0
    return cast("float", bond_yield(value, 1.0, coupon_rate, maturity, elapsed, frequency, compounding))


def next_payment(maturity: float, elapsed: float = 0.0, frequency: float = 1.0) -> float:
    """Return the years to the next payment of a leg; 0 from maturity on."""
    times = flow_times(maturity, elapsed, frequency)
    return float(times[0]) if times.size else 0.0


def par_fixing(curve: Curve, maturity: float, elapsed: float = 0.0, frequency: float = 1.0) -> float:
    """Return the simple rate, fixed now, at which the value of a floating leg is its face."""
    first = next_payment(maturity, elapsed, frequency)
    return frequency * math.expm1(-float(curve.log_discount(first)))


@admits(ModelError)
def swap_value_on_curve(
    curve: Curve,
    notional: float,
    fixed_rate: float,
    maturity: float,
    elapsed: float = 0.0,
    fixed_frequency: float = 2.0,
    floating_frequency: float = 4.0,
    current_fixing: float | None = None,
) -> float:
    """Return the value of a swap that pays a fixed rate and receives a floating rate.

    Parameters
    ----------
    curve : Curve
        Curve for discounting and for projecting the floating rates.
    notional : float
        Notional amount in currency units; negative for a swap that receives the fixed rate.
    fixed_rate : float
        Fixed rate as a decimal per year.
    maturity, elapsed : float
        Years from the start of the swap to its maturity, and from the start to now.
    fixed_frequency, floating_frequency : float
        Number of payments per year of the fixed and of the floating leg.
    current_fixing : float, optional
        Simple rate of the next floating payment, as a decimal per year; by default the rate at which it would be fixed
        now.

    Returns
    -------
    float
        Value in currency units; 0 from maturity on.
    """
    first = next_payment(maturity, elapsed, floating_frequency)
    if first == 0.0:
        return 0.0
    if current_fixing is None:
        current_fixing = par_fixing(curve, maturity, elapsed, floating_frequency)
    floating = (1.0 + current_fixing / floating_frequency) * math.exp(float(curve.log_discount(first)))
    return notional * (floating - bond_value_on_curve(curve, 1.0, fixed_rate, maturity, elapsed, fixed_frequency))


@admits(ModelError)
def par_swap_rate(
    curve: Curve,
    maturity: float,
    elapsed: float = 0.0,
    fixed_frequency: float = 2.0,
    floating_frequency: float = 4.0,
    current_fixing: float | None = None,
) -> float:
    """Return the fixed rate at which the value of a swap is 0; parameters as for :func:`swap_value_on_curve`.

    Raises
    ------
    ModelError
        The swap has matured, or a value is out of range.
    """
    at_zero = swap_value_on_curve(
        curve, 1.0, 0.0, maturity, elapsed, fixed_frequency, floating_frequency, current_fixing
    )
    annuity = curve_annuity(curve, maturity, elapsed, fixed_frequency)
    if annuity == 0.0:
        raise ModelError(
            f"maturity={maturity!r}, elapsed={elapsed!r}: the swap has matured and has no par rate", value=maturity
        )
    return at_zero / annuity

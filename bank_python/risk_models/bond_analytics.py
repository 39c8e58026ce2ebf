r"""Bond analytics: accrued interest, yield, duration, convexity and DV01.

With P the dirty price as a function of the yield y,

.. math:: D_{mod} = -\frac{P'}{P}, \qquad \text{convexity} = \frac{P''}{P}, \qquad
          D_{Mac} = \frac{\sum t\,PV_t}{P}, \qquad DV01 = -P' \cdot 10^{-4} .

The yield of a price is found by Newton's method on log P as a function of the log discount per period. This function is
convex and nearly linear, so a handful of steps from any start give the last digit.

Examples
--------
>>> bond = bond_analytics(0.12, 100.0, 0.10, 3.0, frequency=2.0, compounding=0.0)  # Hull, "Duration"
>>> round(bond.dirty, 3), round(bond.macaulay, 3), round(bond.dv01 * 1e4, 2)
(94.213, 2.653, 249.95)
>>> round(bond_yield(94.213, 100.0, 0.10, 3.0, frequency=2.0, compounding=0.0), 5)
0.12

References
----------
J. C. Hull, *Options, Futures, and Other Derivatives*, chapter on interest rates: duration and convexity.

F. J. Fabozzi, *Bond Markets, Analysis, and Strategies*, chapter on price volatility.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import from_column, to_columns
from bank_python.results import Figures
from bank_python.risk_models.bond import bond_price, period_discount
from bank_python.risk_models.bond_flows import BondFlows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["BASIS_POINT", "BondAnalytics", "accrued_interest", "annuity_yield", "bond_analytics", "bond_yield"]

BASIS_POINT = 1e-4
"""A basis point: a hundredth of a per cent."""
_MOST_STEPS = 60
_CONVERGED = 2.0**-50
_PERCENT = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class BondAnalytics(Figures):
    """Prices and sensitivities of a bond at a yield, as floats or as arrays of the shape of the arguments.

    Parameters
    ----------
    dirty : float or ndarray
        Price paid, in currency units: the present value of the flows ahead.
    clean : float or ndarray
        Quoted price, in currency units: the dirty price less accrued interest.
    accrued : float or ndarray
        Accrued interest, in currency units.
    rate : float or ndarray
        Yield, as a decimal.
    macaulay : float or ndarray
        Macaulay duration in years: the mean time of the flows, weighted by present value.
    modified : float or ndarray
        Modified duration in years: the relative decrease of the dirty price per 1.00 of yield.
    convexity : float or ndarray
        Second derivative of the dirty price by the yield, divided by the price, in years squared.
    dv01 : float or ndarray
        Decrease of the dirty price per basis point of yield, in currency units.
    """

    dirty: Numbers
    clean: Numbers
    accrued: Numbers
    rate: Numbers
    macaulay: Numbers
    modified: Numbers
    convexity: Numbers
    dv01: Numbers


@guessable
def accrued_interest(
    face: ArrayLike,
    coupon_rate: ArrayLike,
    maturity: ArrayLike,
    elapsed: ArrayLike = 0.0,
    frequency: ArrayLike = 1.0,
) -> Numbers:
    """Return the accrued interest of a bond, linear within the coupon period.

    Parameters
    ----------
    face, coupon_rate, maturity, elapsed, frequency : array_like
        Terms of the bond, as for :func:`~bank_python.risk_models.bond.bond_price`.

    Returns
    -------
    float or ndarray
        Accrued interest in currency units, in the broadcast shape of the arguments; 0 on a coupon date and from
        maturity on, NaN where an argument is outside its range, infinite or NaN.

    Examples
    --------
    >>> accrued_interest(100.0, 0.06, 5.0, [0.0, 0.25, 1.0])
    array([0. , 1.5, 0. ])
    """
    shape, columns = to_columns(face, coupon_rate, maturity, elapsed, frequency)
    with np.errstate(all="ignore"):
        flows = BondFlows.of(*columns)
        return from_column(np.where(flows.valid, _accrued(flows), np.nan), shape)


@guessable
def bond_analytics(
    rate: ArrayLike,
    face: ArrayLike,
    coupon_rate: ArrayLike,
    maturity: ArrayLike,
    elapsed: ArrayLike = 0.0,
    frequency: ArrayLike = 1.0,
    compounding: ArrayLike | None = None,
) -> BondAnalytics:
    """Return prices and sensitivities of fixed-coupon bonds at given yields.

    Parameters
    ----------
    rate, face, coupon_rate, maturity, elapsed, frequency, compounding : array_like
        Yield and terms of the bond, as for :func:`~bank_python.risk_models.bond.bond_price`.

    Returns
    -------
    BondAnalytics
        Prices and sensitivities; NaN where an argument is outside its range, infinite or NaN. Durations and convexity
        are also NaN where the price is 0.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.
    """
    periods = frequency if compounding is None else compounding
    shape, (r, principal, c, T, age, f, m) = to_columns(rate, face, coupon_rate, maturity, elapsed, frequency, periods)
    dirty = np.atleast_1d(bond_price(r, principal, c, T, age, f, m))
    with np.errstate(all="ignore"):
        flows = BondFlows.of(principal, c, T, age, f)
        moments = flows.moments(period_discount(r, f, m))
        # The log discount per period has the derivatives slope and −slope · bend by the yield.
        slope = 1.0 / (f * np.where(m == 0.0, 1.0, 1.0 + r / m))
        bend = np.where(m == 0.0, 0.0, 1.0 / (m + r))
        decrease = slope * moments.first
        curvature = slope * slope * moments.second + slope * bend * moments.first
        accrued = _accrued(flows)
        values = (
            dirty,
            dirty - accrued,
            np.where(np.isnan(dirty), np.nan, accrued),
            r,
            moments.first / (f * dirty),
            decrease / dirty,
            curvature / dirty,
            np.where(np.isnan(dirty), np.nan, decrease * BASIS_POINT),
        )
        return BondAnalytics(*(from_column(np.asarray(value), shape) for value in values))


@guessable
def bond_yield(
    price: ArrayLike,
    face: ArrayLike,
    coupon_rate: ArrayLike,
    maturity: ArrayLike,
    elapsed: ArrayLike = 0.0,
    frequency: ArrayLike = 1.0,
    compounding: ArrayLike | None = None,
) -> Numbers:
    """Return the yield of a bond at a dirty price: the inverse of ``bond_price``.

    Parameters
    ----------
    price : array_like
        Dirty price in currency units, with the sign of `face`; the clean price plus accrued interest.
    face, coupon_rate, maturity, elapsed, frequency, compounding : array_like
        Terms of the bond, as for :func:`~bank_python.risk_models.bond.bond_price`; coupons at least 0.

    Returns
    -------
    float or ndarray
        Yield as a decimal, in the broadcast shape of the arguments. NaN if there is none: for a price of the wrong
        sign, a bond without flows ahead, or an argument that is outside its range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Examples
    --------
    >>> bond_yield([95.0, 100.0, 104.3295], 100.0, 0.06, 5.0).round(6)
    array([0.072269, 0.06    , 0.05    ])
    """
    periods = frequency if compounding is None else compounding
    shape, (P, principal, c, T, age, f, m) = to_columns(price, face, coupon_rate, maturity, elapsed, frequency, periods)
    with np.errstate(all="ignore"):
        flows = BondFlows.of(np.ones_like(principal), c, T, age, f)
        target = P / principal
        valid = flows.valid & np.isfinite(target) & (target > 0.0) & (c >= 0.0) & (flows.count > 0.0) & (m >= 0.0)
        L = _solved(flows, np.log(np.where(valid, target, 1.0)))
        rate = np.where(m == 0.0, L * f, m * np.expm1(L * f / m))
        return from_column(np.where(valid & np.isfinite(m), rate, np.nan), shape)


def annuity_yield(
    value: ArrayLike, maturity: ArrayLike, elapsed: ArrayLike = 0.0, frequency: ArrayLike = 1.0
) -> Numbers:
    """Return the continuously compounded yield at which an annuity of 1 per year has a value.

    Parameters
    ----------
    value : array_like
        Present value of an annuity that pays 1 per year in equal parts on the coupon dates of a bond, above 0.
    maturity, elapsed, frequency : array_like
        Terms of the bond, as for :func:`~bank_python.risk_models.bond.bond_price`.

    Returns
    -------
    float or ndarray
        Yield as a decimal, in the broadcast shape of the arguments; NaN as for :func:`bond_yield`.
    """
    shape, (target, T, age, f) = to_columns(value, maturity, elapsed, frequency)
    with np.errstate(all="ignore"):
        flows = replace(BondFlows.of(np.ones_like(T), np.ones_like(T), T, age, f), face=np.zeros_like(T))
        valid = flows.valid & np.isfinite(target) & (target > 0.0) & (flows.count > 0.0)
        L = _solved(flows, np.log(np.where(valid, target, 1.0)))
        return from_column(np.where(valid, L * f, np.nan), shape)


def _solved(flows: BondFlows, target: FloatArray) -> FloatArray:
    """Return the log discount per period at which the logarithm of the price is `target`."""
    L = np.zeros_like(target)
    converged = np.zeros(target.shape, dtype=bool)
    for _ in range(_MOST_STEPS):
        moments = flows.moments(L)
        step = (np.log(moments.value) - target) * moments.value / moments.first
        # A converged row is not iterated further, so that its result does not depend on the other rows.
        L = np.where(converged | ~np.isfinite(step), L, L + step)
        converged |= ~(np.abs(step) > _CONVERGED * (np.abs(L) + _PERCENT))
        if converged.all():
            break
    return L


def _accrued(flows: BondFlows) -> FloatArray:
    earned = np.clip(1.0 - flows.first, 0.0, 1.0)
    return np.where(flows.count > 0.0, flows.coupon * earned, 0.0)

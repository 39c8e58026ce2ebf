r"""What a bond's price says: its yield, and how it moves with it.

With P the dirty price as a function of the yield y,

.. math:: D_{mod} = -\frac{P'}{P}, \qquad \text{convexity} = \frac{P''}{P}, \qquad
          D_{Mac} = \frac{\sum t\,PV_t}{P}, \qquad DV01 = -P' \cdot 10^{-4} .

The yield of a price is found by Newton's method on log P as a function of the discount a period: that is convex and
nearly a straight line, so a handful of steps from anywhere give the last digit.

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
"""A hundredth of a per cent, the unit in which rates are quoted to move."""
_MOST_STEPS = 60
_SETTLED = 2.0**-50
_PERCENT = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class BondAnalytics(Figures):
    """A bond at a yield; floats, or arrays of the shape of the arguments.

    Parameters
    ----------
    dirty, clean, accrued : float or ndarray
        What is paid for it, what is quoted, and the interest between the two.
    rate : float or ndarray
        The yield, a decimal.
    macaulay : float or ndarray
        Mean time of the flows, weighted by present value, years.
    modified : float or ndarray
        Relative fall of the dirty price for 1.00 of yield, years.
    convexity : float or ndarray
        Second derivative of the dirty price by the yield, over the price, years squared.
    dv01 : float or ndarray
        Fall of the dirty price for a basis point of yield.
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
    """Return the part of the coupon under way that has been earned, linear within its period.

    Parameters
    ----------
    face, coupon_rate, maturity, elapsed, frequency : array_like
        As for :func:`~bank_python.risk_models.bond.bond_price`.

    Returns
    -------
    float or ndarray
        Of the arguments' broadcast shape; 0 on a coupon date and from maturity on, NaN where an argument is outside its
        range, infinite or NaN.

    Examples
    --------
    >>> accrued_interest(100.0, 0.06, 5.0, [0.0, 0.25, 1.0])
    array([0. , 1.5, 0. ])
    """
    shape, lanes = to_columns(face, coupon_rate, maturity, elapsed, frequency)
    with np.errstate(all="ignore"):
        flows = BondFlows.of(*lanes)
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
        As for :func:`~bank_python.risk_models.bond.bond_price`.

    Returns
    -------
    BondAnalytics
        NaN where an argument is outside its range, infinite or NaN; durations and convexity also where the price is 0.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.
    """
    periods = frequency if compounding is None else compounding
    shape, (r, principal, c, T, gone, f, m) = to_columns(rate, face, coupon_rate, maturity, elapsed, frequency, periods)
    dirty = np.atleast_1d(bond_price(r, principal, c, T, gone, f, m))
    with np.errstate(all="ignore"):
        flows = BondFlows.of(principal, c, T, gone, f)
        moments = flows.moments(period_discount(r, f, m))
        # By the yield, the discount a period has the derivatives slope and −slope · bend.
        slope = 1.0 / (f * np.where(m == 0.0, 1.0, 1.0 + r / m))
        bend = np.where(m == 0.0, 0.0, 1.0 / (m + r))
        falls = slope * moments.first
        curves = slope * slope * moments.second + slope * bend * moments.first
        accrued = _accrued(flows)
        values = (
            dirty,
            dirty - accrued,
            np.where(np.isnan(dirty), np.nan, accrued),
            r,
            moments.first / (f * dirty),
            falls / dirty,
            curves / dirty,
            np.where(np.isnan(dirty), np.nan, falls * BASIS_POINT),
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
    """Return the yield at which a bond has a dirty price: the inverse of ``bond_price``.

    Parameters
    ----------
    price : array_like
        Dirty, of the sign of `face`; a clean price plus the accrued interest.
    face, coupon_rate, maturity, elapsed, frequency, compounding : array_like
        As for :func:`~bank_python.risk_models.bond.bond_price`; coupons not negative.

    Returns
    -------
    float or ndarray
        A decimal, of the arguments' broadcast shape; NaN where no yield gives the price: a price of the wrong sign, a
        bond without flows ahead, an argument outside its range, infinite or NaN.

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
    shape, (P, principal, c, T, gone, f, m) = to_columns(
        price, face, coupon_rate, maturity, elapsed, frequency, periods
    )
    with np.errstate(all="ignore"):
        flows = BondFlows.of(np.ones_like(principal), c, T, gone, f)
        wanted = P / principal
        valid = flows.valid & np.isfinite(wanted) & (wanted > 0.0) & (c >= 0.0) & (flows.count > 0.0) & (m >= 0.0)
        L = _solved(flows, np.log(np.where(valid, wanted, 1.0)))
        rate = np.where(m == 0.0, L * f, m * np.expm1(L * f / m))
        return from_column(np.where(valid & np.isfinite(m), rate, np.nan), shape)


def annuity_yield(
    value: ArrayLike, maturity: ArrayLike, elapsed: ArrayLike = 0.0, frequency: ArrayLike = 1.0
) -> Numbers:
    """Return the continuously compounded yield at which 1 a year, paid on a bond's coupon dates, is worth `value`.

    Parameters
    ----------
    value : array_like
        Above 0.
    maturity, elapsed, frequency : array_like
        As for :func:`~bank_python.risk_models.bond.bond_price`.

    Returns
    -------
    float or ndarray
        A decimal, of the arguments' broadcast shape; NaN as for :func:`bond_yield`.
    """
    shape, (wanted, T, gone, f) = to_columns(value, maturity, elapsed, frequency)
    with np.errstate(all="ignore"):
        flows = replace(BondFlows.of(np.ones_like(T), np.ones_like(T), T, gone, f), face=np.zeros_like(T))
        valid = flows.valid & np.isfinite(wanted) & (wanted > 0.0) & (flows.count > 0.0)
        L = _solved(flows, np.log(np.where(valid, wanted, 1.0)))
        return from_column(np.where(valid, L * f, np.nan), shape)


def _solved(flows: BondFlows, target: FloatArray) -> FloatArray:
    """Return the discount a period at which the logarithm of the price is `target`."""
    L = np.zeros_like(target)
    settled = np.zeros(target.shape, dtype=bool)
    for _ in range(_MOST_STEPS):
        moments = flows.moments(L)
        step = (np.log(moments.value) - target) * moments.value / moments.first
        # A lane stays where it has settled, whatever the others need.
        L = np.where(settled | ~np.isfinite(step), L, L + step)
        settled |= ~(np.abs(step) > _SETTLED * (np.abs(L) + _PERCENT))
        if settled.all():
            break
    return L


def _accrued(flows: BondFlows) -> FloatArray:
    earned = np.clip(1.0 - flows.first, 0.0, 1.0)
    return np.where(flows.count > 0.0, flows.coupon * earned, 0.0)

r"""A fixed-coupon bullet bond off a flat yield.

Coupons of face × coupon_rate / f fall due at maturity, maturity − 1/f, maturity − 2/f and so on back to
when the bond was made; the face is repaid with the last. With n flows ahead, the first in w periods, and a
discount of L per period (v = e^{−L}), they form a geometric series:

.. math:: P = v^w \Bigl( c\,\frac{1 - v^n}{1 - v} + \text{face}\cdot v^{\,n-1} \Bigr)

so the sum is taken in closed form, with expm1 so that nothing cancels at low yields. A lane costs the same
whatever its maturity, nothing is padded to the longest bond of a batch, and no order of summation can make
a lane's last bit depend on its neighbours.

Examples
--------
>>> round(bond_price(rate=0.05, face=100.0, coupon_rate=0.06, maturity=5.0), 4)
104.3295

A semi-annual 10 % bond off a continuously compounded yield of 12 % (Hull):

>>> round(bond_price(0.12, 100.0, 0.10, 3.0, frequency=2.0, compounding=0.0), 3)
94.213

References
----------
J. C. Hull, *Options, Futures, and Other Derivatives*, chapter on interest rates, "Duration".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import from_column, to_columns
from bank_python.risk_models.bond_flows import BondFlows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["bond_price", "period_discount"]


def period_discount(rate: FloatArray, frequency: FloatArray, compounding: FloatArray) -> FloatArray:
    """Return L, the logarithm of growth over one coupon period; NaN where the yield compounds to ruin."""
    growth = np.where(1.0 + rate / compounding > 0.0, np.log1p(rate / compounding), np.nan)
    return np.where(compounding == 0.0, rate / frequency, compounding / frequency * growth)


@guessable
def bond_price(
    rate: ArrayLike,
    face: ArrayLike,
    coupon_rate: ArrayLike,
    maturity: ArrayLike,
    elapsed: ArrayLike = 0.0,
    frequency: ArrayLike = 1.0,
    compounding: ArrayLike | None = None,
) -> Numbers:
    """Return the dirty price of a fixed-coupon bullet bond: the present value of the flows ahead.

    Parameters
    ----------
    rate : array_like
        Flat yield, a decimal; may be negative, as long as 1 + rate/compounding is positive.
    face : array_like
        Amount repaid at maturity, in currency; negative for a bond owed.
    coupon_rate : array_like
        Annual coupon, a decimal of the face; 0 for a zero-coupon bond.
    maturity : array_like
        Years from the making of the contract to the last flow, at least 0.
    elapsed : array_like, default 0.0
        Years gone since the contract was made. Flows due up to and including now are paid and drop out.
        When negative, the contract is valued ahead of its making, with all its flows.
    frequency : array_like, default 1.0
        Coupons a year, positive.
    compounding : array_like, optional
        Compounding periods a year of the yield, at least 0; 0 means continuous. By default the yield is
        compounded as often as coupons are paid, the street's convention.

    Returns
    -------
    float or ndarray
        Of the arguments' broadcast shape; a float if all are scalars. 0 from maturity on. NaN where an
        argument is outside its range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Notes
    -----
    The first coupon is paid in full even when the maturity is no whole number of periods: the bond is one
    bought between coupon dates. Accrued interest is not taken off.

    Examples
    --------
    The day before and the moment after a coupon of 6:

    >>> bond_price(0.05, 100.0, 0.06, 5.0, elapsed=[1 - 1 / 365, 1.0]).round(4)
    array([109.5313, 103.546 ])
    """
    periods = frequency if compounding is None else compounding
    shape, terms = to_columns(rate, face, coupon_rate, maturity, elapsed, frequency, periods)
    r, principal, c, T, gone, f, m = terms
    with np.errstate(all="ignore"):
        flows = BondFlows.of(principal, c, T, gone, f)
        valid = flows.valid & np.isfinite(r) & np.isfinite(m) & (m >= 0.0)
        L = period_discount(r, f, m)
        annuity = np.where(L == 0.0, flows.count, np.expm1(-(flows.count * L)) / np.expm1(-L))
        price = flows.coupon * annuity * np.exp(-(flows.first * L)) + principal * np.exp(-(flows.last * L))
        price = np.where(flows.count > 0.0, price, np.where(np.isnan(L), np.nan, 0.0))
        return from_column(np.where(valid, price, np.nan), shape)

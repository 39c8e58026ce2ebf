r"""The price of a fixed-coupon bullet bond at a flat yield.

Coupons of face × coupon_rate / f are due at maturity, maturity − 1/f, maturity − 2/f and so on back to the start of the
contract; the face is repaid with the last. With n flows ahead, the first in w periods, and the discount factor v =
e^{−L} per period, the present values form a geometric series:

.. math:: P = v^w \Bigl( c\,\frac{1 - v^n}{1 - v} + \text{face}\cdot v^{\,n-1} \Bigr)

so the sum has a closed form, evaluated with expm1 to avoid cancellation at low yields. The cost of a row does not
depend on its maturity, flows need not be padded to the longest bond of a batch, and the result of a row does not depend
on an order of summation.

Examples
--------
>>> round(bond_price(rate=0.05, face=100.0, coupon_rate=0.06, maturity=5.0), 4)
104.3295

A semi-annual 10 % bond at a continuously compounded yield of 12 % (Hull):

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
    """Return L, the log discount per coupon period; NaN for a yield of −100 % per compounding period or less."""
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
        Face amount repaid at maturity, in currency units; negative for a short position.
    coupon_rate : array_like
        Annual coupon as a decimal of the face; 0 for a zero-coupon bond.
    maturity : array_like
        Years from the start of the contract to the last flow, at least 0.
    elapsed : array_like, default 0.0
        Years elapsed since the start of the contract. Flows due up to and including now are paid and not valued. If
        negative, the bond is valued before its start, with all its flows.
    frequency : array_like, default 1.0
        Number of coupons per year, above 0.
    compounding : array_like, optional
        Number of compounding periods of the yield per year, at least 0; 0 means continuous. By default the coupon
        frequency, as in the market convention.

    Returns
    -------
    float or ndarray
        Dirty price in the broadcast shape of the arguments; a float if all are scalars. 0 at and after maturity. NaN
        where an argument is outside its range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Notes
    -----
    The first coupon is paid in full even if the maturity is not a whole number of periods, as for a bond bought between
    coupon dates. Accrued interest is not subtracted.

    Examples
    --------
    One day before a coupon of 6, and immediately after it:

    >>> bond_price(0.05, 100.0, 0.06, 5.0, elapsed=[1 - 1 / 365, 1.0]).round(4)
    array([109.5313, 103.546 ])
    """
    periods = frequency if compounding is None else compounding
    shape, terms = to_columns(rate, face, coupon_rate, maturity, elapsed, frequency, periods)
    r, principal, c, T, age, f, m = terms
    with np.errstate(all="ignore"):
        flows = BondFlows.of(principal, c, T, age, f)
        valid = flows.valid & np.isfinite(r) & np.isfinite(m) & (m >= 0.0)
        L = period_discount(r, f, m)
        annuity = np.where(L == 0.0, flows.count, np.expm1(-(flows.count * L)) / np.expm1(-L))
        price = flows.coupon * annuity * np.exp(-(flows.first * L)) + principal * np.exp(-(flows.last * L))
        price = np.where(flows.count > 0.0, price, np.where(np.isnan(L), np.nan, 0.0))
        return from_column(np.where(valid, price, np.nan), shape)

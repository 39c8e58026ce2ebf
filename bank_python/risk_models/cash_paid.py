r"""Cash that contracts have paid since they were made: cumulative sums of their flows, as array functions.

With flows :math:`c_k` due at :math:`t_k`, a contract made at 0 has paid :math:`C(t) = \sum_{t_k \le t} c_k` by the time
t, and :math:`C(t_1) - C(t_0)` falls due after :math:`t_0` and not after :math:`t_1`. The prices of
:mod:`bank_python.risk_models.bond` and :mod:`bank_python.risk_models.floating` leave out a flow from the moment in
which it is due, so that price and cash together neither lose it nor count it twice.

Examples
--------
>>> bond_paid(face=100.0, coupon_rate=0.06, maturity=2.0, elapsed=[0.4, 0.5, 1.9, 2.0], frequency=2.0)
array([  0.,   3.,   9., 112.])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns
from bank_python.risk_models.bond_flows import BondFlows
from bank_python.risk_models.premium_schedule import DAYS_OF_YEAR_OVER_360, QUARTER

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import Numbers

__all__ = ["bond_paid", "cds_premium_paid"]

# As for bonds: a flow due within this part of a period is due now, as times are differences of floats.
_PAID = 1e-9


@guessable
def bond_paid(
    face: ArrayLike, coupon_rate: ArrayLike, maturity: ArrayLike, elapsed: ArrayLike, frequency: ArrayLike = 1.0
) -> Numbers:
    """Return the coupons that a bullet bond has paid, and its face from maturity on.

    Parameters
    ----------
    face, coupon_rate, maturity, elapsed, frequency : array_like
        As for :func:`~bank_python.risk_models.bond.bond_price`; coupons fall due at maturity and whole periods before.

    Returns
    -------
    float or ndarray
        Cash in the bond's currency, of the arguments' broadcast shape; 0 before the bond was made, NaN where an
        argument is outside its range, infinite or NaN.
    """
    shape, terms = to_columns(face, coupon_rate, maturity, elapsed, frequency)
    principal, rate, T, gone, f = terms
    with np.errstate(all="ignore"):
        now, made = (BondFlows.of(principal, rate, T, at, f) for at in (gone, np.zeros_like(gone)))
        coupons = made.count - np.maximum(now.count, 0.0)
        paid = now.coupon * coupons + np.where(now.count > 0.0, 0.0, principal)
        return from_column(np.where(now.valid, paid, np.nan), shape)


@guessable
def cds_premium_paid(notional: ArrayLike, coupon: ArrayLike, maturity: ArrayLike, elapsed: ArrayLike) -> Numbers:
    """Return the premium that the buyer of protection has paid: quarterly, counted back from maturity.

    Parameters
    ----------
    notional, coupon, maturity, elapsed : array_like
        As for :func:`~bank_python.risk_models.cds.cds_value`.

    Returns
    -------
    float or ndarray
        Cash in the notional's currency, of the arguments' broadcast shape; 0 before the first payment, NaN where an
        argument is outside its range, infinite or NaN.

    Notes
    -----
    Days are counted over 360. The first payment is for the days since the contract was made alone: what the standard
    contract gives back at settlement for the days before is taken off it.

    Examples
    --------
    A quarter of 1 % on a million, days over 360, and nothing before it is over:

    >>> cds_premium_paid(1e6, 0.01, 5.0, [0.2, 0.25, 0.3]).round(2)
    array([   0.  , 2534.72, 2534.72])
    """
    shape, terms = to_columns(notional, coupon, maturity, elapsed)
    N, c, T, gone = terms
    with np.errstate(all="ignore"):
        ahead = np.ceil(np.maximum(T - gone, 0.0) / QUARTER - _PAID)
        years = np.maximum(T - QUARTER * ahead, 0.0)
        paid = N * c * DAYS_OF_YEAR_OVER_360 * np.where(gone > 0.0, years, 0.0)
        return from_column(np.where(all_finite(terms) & (T >= 0.0), paid, np.nan), shape)

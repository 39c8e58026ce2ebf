r"""Cumulative cash paid by contracts since their start, as array functions.

With flows :math:`c_k` due at :math:`t_k`, a contract has paid :math:`C(t) = \sum_{t_k \le t} c_k` by the time t after
its start, and :math:`C(t_1) - C(t_0)` is due after :math:`t_0` and up to :math:`t_1`. The prices of
:mod:`bank_python.risk_models.bond` and :mod:`bank_python.risk_models.floating` exclude a flow from the moment at which
it is due, so that it is counted exactly once in price and cash together.

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

# As for bonds: a flow due within this share of a period counts as due now, as times are differences of floats.
_PAID = 1e-9


@guessable
def bond_paid(
    face: ArrayLike, coupon_rate: ArrayLike, maturity: ArrayLike, elapsed: ArrayLike, frequency: ArrayLike = 1.0
) -> Numbers:
    """Return the cumulative coupons that a bullet bond has paid, and its face from maturity on.

    Parameters
    ----------
    face, coupon_rate, maturity, elapsed, frequency : array_like
        Terms of the bond, as for :func:`~bank_python.risk_models.bond.bond_price`; coupons are due at maturity and
        whole periods before.

    Returns
    -------
    float or ndarray
        Cash in the bond's currency, in the broadcast shape of the arguments; 0 before the start of the bond, NaN where
        an argument is outside its range, infinite or NaN.
    """
    shape, terms = to_columns(face, coupon_rate, maturity, elapsed, frequency)
    principal, rate, T, age, f = terms
    with np.errstate(all="ignore"):
        now, start = (BondFlows.of(principal, rate, T, at, f) for at in (age, np.zeros_like(age)))
        coupons = start.count - np.maximum(now.count, 0.0)
        paid = now.coupon * coupons + np.where(now.count > 0.0, 0.0, principal)
        return from_column(np.where(now.valid, paid, np.nan), shape)


@guessable
def cds_premium_paid(notional: ArrayLike, coupon: ArrayLike, maturity: ArrayLike, elapsed: ArrayLike) -> Numbers:
    """Return the cumulative premium that the buyer of protection has paid.

    Parameters
    ----------
    notional, coupon, maturity, elapsed : array_like
        Terms of the swap, as for :func:`~bank_python.risk_models.cds.cds_value`.

    Returns
    -------
    float or ndarray
        Cash in the notional's currency, in the broadcast shape of the arguments; 0 before the first payment, NaN where
        an argument is outside its range, infinite or NaN.

    Notes
    -----
    Premiums are quarterly, counted back from maturity, ACT/360. The first payment is for the days since the start of
    the contract only, that is, net of the accrued premium that the standard contract refunds at settlement.

    Examples
    --------
    A quarter of a year of 1 % on a million, ACT/360, and nothing before its end:

    >>> cds_premium_paid(1e6, 0.01, 5.0, [0.2, 0.25, 0.3]).round(2)
    array([   0.  , 2534.72, 2534.72])
    """
    shape, terms = to_columns(notional, coupon, maturity, elapsed)
    N, c, T, age = terms
    with np.errstate(all="ignore"):
        ahead = np.ceil(np.maximum(T - age, 0.0) / QUARTER - _PAID)
        years = np.maximum(T - QUARTER * ahead, 0.0)
        paid = N * c * DAYS_OF_YEAR_OVER_360 * np.where(age > 0.0, years, 0.0)
        return from_column(np.where(all_finite(terms) & (T >= 0.0), paid, np.nan), shape)

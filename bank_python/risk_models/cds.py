r"""A credit default swap under a flat hazard rate, its premium paid continuously.

The market's spread is the premium at which a swap is worth nothing. With a flat hazard h, default by t has
probability 1 − e^{−ht}; protection pays (1 − R) at default and the premium runs until then, so both legs
are multiples of one annuity

.. math:: A = \int_0^T e^{-(r+h)t}\,dt = \frac{1 - e^{-(r+h)T}}{r + h},

protection is worth (1 − R) h A and a premium of s is worth s A. They balance at s = (1 − R) h, the "credit
triangle", which turns a spread into a hazard rate; and a swap struck at another coupon is worth to the
buyer of protection

.. math:: V = N (s - \text{coupon})\, A .

This is the textbook model: premiums on a quarterly schedule, accrual on default and a bootstrapped curve,
as the ISDA standard model has them, refine it later behind the same names.

Examples
--------
>>> round(cds_value(spread=0.02, rate=0.05, notional=10e6, coupon=0.01, maturity=5.0, recovery=0.4))
408911

References
----------
D. O'Kane and S. Turnbull, "Valuation of credit default swaps", Lehman Brothers Quantitative Credit
Research (2003): the legs, and the credit triangle.

J. C. Hull, *Options, Futures, and Other Derivatives*, chapter on credit risk: hazard from spread and
recovery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.lanes import all_finite, from_lanes, to_lanes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["cds_value", "risky_annuity", "survival_probability"]


def _credit_domain(spread: FloatArray, recovery: FloatArray) -> NDArray[np.bool_]:
    return (spread >= 0.0) & (recovery >= 0.0) & (recovery < 1.0)


def _annuity_lanes(
    spread: FloatArray, rate: FloatArray, maturity: FloatArray, recovery: FloatArray, elapsed: FloatArray
) -> FloatArray:
    left = np.maximum(maturity - elapsed, 0.0)
    decay = (rate + spread / (1.0 - recovery)) * left
    # expm1(x)/x is right to the last digits however small x is; only at 0 has it to be told.
    annuity = left * np.where(decay == 0.0, 1.0, -np.expm1(-decay) / decay)
    return np.where(_credit_domain(spread, recovery) & (maturity >= 0.0), annuity, np.nan)


def survival_probability(spread: ArrayLike, recovery: ArrayLike, time: ArrayLike) -> Numbers:
    """Return the probability of no default within `time`.

    Parameters
    ----------
    spread : array_like
        Par spread, a decimal a year, at least 0.
    recovery : array_like
        Part of the notional recovered on default, in [0, 1).
    time : array_like
        Years, at least 0.

    Returns
    -------
    float or ndarray
        In [0, 1], of the arguments' broadcast shape; NaN where an argument is outside its range, infinite
        or NaN.

    Examples
    --------
    >>> round(survival_probability(0.012, 0.4, 5.0), 6)  # a hazard of 2 % a year
    0.904837
    """
    shape, terms = to_lanes(spread, recovery, time)
    s, R, t = terms
    with np.errstate(all="ignore"):
        valid = all_finite(terms) & _credit_domain(s, R) & (t >= 0.0)
        return from_lanes(np.where(valid, np.exp(-(s / (1.0 - R) * t)), np.nan), shape)


def risky_annuity(
    spread: ArrayLike, rate: ArrayLike, maturity: ArrayLike, recovery: ArrayLike, elapsed: ArrayLike = 0.0
) -> Numbers:
    """Return the value of 1 a year, paid continuously until default or maturity.

    Parameters
    ----------
    spread, rate, maturity, recovery, elapsed : array_like
        As for :func:`cds_value`.

    Returns
    -------
    float or ndarray
        In years, of the arguments' broadcast shape; 0 from maturity on, NaN where an argument is outside
        its range, infinite or NaN.

    Examples
    --------
    >>> round(risky_annuity(0.012, 0.03, 5.0, 0.4), 6)  # (1 − exp(−0.05·5))/0.05
    4.423984
    """
    shape, terms = to_lanes(spread, rate, maturity, recovery, elapsed)
    with np.errstate(all="ignore"):
        annuity = _annuity_lanes(*terms)
        return from_lanes(np.where(all_finite(terms), annuity, np.nan), shape)


def cds_value(
    spread: ArrayLike,
    rate: ArrayLike,
    notional: ArrayLike,
    coupon: ArrayLike,
    maturity: ArrayLike,
    recovery: ArrayLike,
    elapsed: ArrayLike = 0.0,
) -> Numbers:
    """Return the value of a credit default swap to the buyer of protection.

    Parameters
    ----------
    spread : array_like
        Par spread now, a decimal a year, at least 0.
    rate : array_like
        Flat continuously compounded rate, a decimal; may be negative.
    notional : array_like
        In currency; negative for the seller of protection.
    coupon : array_like
        Premium the contract pays, a decimal a year of the notional.
    maturity : array_like
        Years from the making of the contract, at least 0.
    recovery : array_like
        Part of the notional recovered on default, in [0, 1).
    elapsed : array_like, default 0.0
        Years gone since the contract was made.

    Returns
    -------
    float or ndarray
        In the notional's currency, of the arguments' broadcast shape; a float if all are scalars. 0 from
        maturity on, NaN where an argument is outside its range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Examples
    --------
    At a spread equal to the coupon the swap is worth nothing; wider is a gain to the buyer:

    >>> cds_value([0.01, 0.03], 0.05, 1e6, 0.01, 5.0, 0.4).round(2)
    array([    0.  , 78693.87])
    """
    shape, terms = to_lanes(spread, rate, notional, coupon, maturity, recovery, elapsed)
    s, r, N, c, T, R, gone = terms
    with np.errstate(all="ignore"):
        # Adding 0 turns the −0 of an expired swap into 0.
        value = N * (s - c) * _annuity_lanes(s, r, T, R, gone) + 0.0
        return from_lanes(np.where(all_finite(terms), value, np.nan), shape)

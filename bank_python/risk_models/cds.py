r"""The value of a credit default swap under a flat spread and a flat rate: the ISDA standard model in years.

The par spread s of the market is the premium at which a swap has the value 0. The model assumes a constant hazard rate
h per year. The hazard rate is the one at which the premium leg, which pays s quarterly, counted back from maturity,
ACT/360, and the accrued premium at default, has the value of the protection leg:

.. math:: (1 - R)\,h \int_0^T e^{-(r+h)t}\,dt = s\,A(h),

with A the *risky annuity*, the value of a premium of 1 per year. A swap with another coupon then has, for the buyer of
protection, the value

.. math:: V = N (s - \text{coupon})\, A(h) .

This is the *clean* value: A excludes the premium accrued in the current quarter, which the standard contract refunds at
settlement. So the value of a swap whose coupon is the par spread is exactly 0 on any day, and the value does not jump
when a premium is paid.

All quarters have the same length, so their sum is a geometric series, and valuation takes the same time for any
maturity. At a rate of 0 the accrual on default makes A = (365/360) ∫ e^{−ht} dt, and the hazard rate is
(365/360) s/(1 − R), the *credit triangle*; at a rate r it is smaller by a relative amount of about r/8. The fixed-point
iteration starts from the credit triangle, and each iteration reduces the error by a factor of about a thousand.

The model in years ignores the features of the standard contract that depend on dates: weekends, the extra day of the
last period, and settlement after three days. :mod:`bank_python.risk_models.isda_cds` has them.

Examples
--------
>>> round(cds_value(spread=0.02, rate=0.05, notional=10e6, coupon=0.01, maturity=5.0, recovery=0.4))
411766

References
----------
R. White, "The Pricing and Risk Management of Credit Default Swaps, with a Focus on the ISDA Model",
OpenGamma Quantitative Research 16 (2013), section 4.

J. C. Hull, *Options, Futures, and Other Derivatives*, chapter on credit risk: hazard from spread and
recovery.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns
from bank_python.risk_models.cds_legs import first_moment, mean_decay
from bank_python.risk_models.premium_schedule import DAYS_OF_YEAR_OVER_360, QUARTER

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["Quarters", "cds_accrued", "cds_value", "risky_annuity", "survival_probability"]

_STEPS = 60
# After a step this small, the next one changes the last digit at most.
_CLOSE = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Quarters:
    """The remaining quarters of contracts with quarterly payments, one contract per row.

    Parameters
    ----------
    left : ndarray, shape (n_rows,)
        Years to maturity, above 0.
    first : ndarray, shape (n_rows,)
        Years to the end of the current quarter.
    further : ndarray, shape (n_rows,)
        Number of whole quarters after the current one.
    """

    left: FloatArray
    first: FloatArray
    further: FloatArray

    @classmethod
    def of(cls, left: FloatArray) -> Quarters:
        """Return the quarters counted back from maturity."""
        # 0.25 is a power of two, so the count is exact.
        further = np.maximum(np.ceil(left / QUARTER) - 1.0, 0.0)
        return cls(left, left - QUARTER * further, further)

    def annuity(self, rate: FloatArray, hazard: FloatArray) -> FloatArray:
        """Return the value of a premium of 1 per year, ACT/360, without its accrued part."""
        decay = rate + hazard
        # Both kinds of period in one call, as for a few rows numpy's overhead exceeds the arithmetic.
        both = np.concatenate([self.first, np.full_like(rate, QUARTER)])
        current, whole = np.split(_period(np.tile(rate, 2), np.tile(hazard, 2), both), 2)
        y = decay * QUARTER
        # The ratio of expm1 is the geometric series to the last digits, except at 0.
        series = np.where(y == 0.0, self.further, np.expm1(-y * self.further) / np.expm1(-y))
        return DAYS_OF_YEAR_OVER_360 * (current + np.exp(-(decay * self.first)) * whole * series)

    def hazard(self, spread: FloatArray, rate: FloatArray, recovery: FloatArray) -> FloatArray:
        """Return the hazard rate at which premiums of `spread` have the value of the protection."""
        triangle = spread / (1.0 - recovery)
        hazard = DAYS_OF_YEAR_OVER_360 * triangle
        converged = ~(hazard > 0.0)
        for _ in range(_STEPS):
            protected = self.left * mean_decay((rate + hazard) * self.left)
            better = triangle * self.annuity(rate, hazard) / protected
            close = np.abs(better - hazard) <= _CLOSE * hazard
            # A converged row is not iterated further, so that its last digits do not depend on slower rows.
            hazard = np.where(converged, hazard, better)
            converged |= close
            if (converged | np.isnan(hazard)).all():
                break
        return np.where(converged & (hazard >= 0.0), hazard, np.nan)


def _period(rate: FloatArray, hazard: FloatArray, left: FloatArray) -> FloatArray:
    r"""Return the value of the premium of a quarter now under way, less what had accrued before now.

    With q the length of the quarter, x the time `left` of it and t the time from now,
    :math:`q e^{-(r+h)x} + \int_0^x (q - x + t) h e^{-(r+h)t} dt - (q - x)`, in a form without its cancellation.
    """
    decay = (rate + hazard) * left
    lost = mean_decay(decay) * (rate * QUARTER + hazard * left) - hazard * left * first_moment(decay)
    return left * (1.0 - lost)


def _credit_domain(spread: FloatArray, recovery: FloatArray) -> NDArray[np.bool_]:
    return (spread >= 0.0) & (recovery >= 0.0) & (recovery < 1.0)


def _annuity_column(
    spread: FloatArray, rate: FloatArray, maturity: FloatArray, recovery: FloatArray, elapsed: FloatArray
) -> FloatArray:
    left = np.maximum(maturity - elapsed, 0.0)
    # Expired rows are computed with a quarter left; their result is set to 0 below.
    quarters = Quarters.of(np.where(left > 0.0, left, QUARTER))
    annuity = quarters.annuity(rate, quarters.hazard(spread, rate, recovery))
    valid = _credit_domain(spread, recovery) & (maturity >= 0.0)
    return np.where(valid, np.where(left > 0.0, annuity, 0.0), np.nan)


@guessable
def survival_probability(spread: ArrayLike, *, recovery: ArrayLike, time: ArrayLike, rate: ArrayLike = 0.0) -> Numbers:
    """Return the probability of survival to a time, implied by the spread of a swap with that maturity.

    Parameters
    ----------
    spread : array_like
        Par spread, as a decimal per year, at least 0.
    recovery : array_like
        Share of the notional recovered on default, in [0, 1).
    time : array_like
        Years to the time of survival, at least 0.
    rate : array_like, default 0.0
        Flat continuously compounded rate, a decimal. It has little effect: see the docstring of the module.

    Returns
    -------
    float or ndarray
        Probability in [0, 1], in the broadcast shape of the arguments; NaN where an argument is outside its range,
        infinite or NaN.

    Examples
    --------
    >>> round(survival_probability(0.012, recovery=0.4, time=5.0), 6)  # a hazard rate of 365/360 · 2 % per year
    0.903582
    """
    shape, terms = to_columns(spread, recovery, time, rate)
    s, R, t, r = terms
    with np.errstate(all="ignore"):
        valid = all_finite(terms) & _credit_domain(s, R) & (t >= 0.0)
        hazard = Quarters.of(np.where(t > 0.0, t, QUARTER)).hazard(s, r, R)
        return from_column(np.where(valid, np.exp(-(hazard * t)), np.nan), shape)


@guessable
def risky_annuity(
    spread: ArrayLike, rate: ArrayLike, maturity: ArrayLike, recovery: ArrayLike, elapsed: ArrayLike = 0.0
) -> Numbers:
    """Return the risky annuity: the clean value of a premium of 1 per year until default or maturity.

    Parameters
    ----------
    spread, rate, maturity, recovery, elapsed : array_like
        Market data and terms of the swap, as for :func:`cds_value`.

    Returns
    -------
    float or ndarray
        Annuity in years, in the broadcast shape of the arguments; 0 from maturity on, NaN where an argument is outside
        its range, infinite or NaN.

    Examples
    --------
    >>> round(risky_annuity(0.012, 0.03, 5.0, 0.4), 6)
    4.466482
    """
    shape, terms = to_columns(spread, rate, maturity, recovery, elapsed)
    with np.errstate(all="ignore"):
        annuity = _annuity_column(*terms)
        return from_column(np.where(all_finite(terms), annuity, np.nan), shape)


@guessable
def cds_accrued(maturity: ArrayLike, elapsed: ArrayLike = 0.0) -> Numbers:
    """Return the accrued part of a premium of 1 per year in the current quarter.

    Parameters
    ----------
    maturity, elapsed : array_like
        Terms of the swap, as for :func:`cds_value`.

    Returns
    -------
    float or ndarray
        Years, ACT/360, in the broadcast shape of the arguments; 0 from maturity on, NaN where an argument is outside
        its range, infinite or NaN.

    Examples
    --------
    >>> cds_accrued(5.0, [0.0, 0.1]).round(6)
    array([0.      , 0.101389])
    """
    shape, terms = to_columns(maturity, elapsed)
    T, age = terms
    with np.errstate(all="ignore"):
        left = np.maximum(T - age, 0.0)
        accrued = np.where(left > 0.0, QUARTER - Quarters.of(left).first, 0.0) * DAYS_OF_YEAR_OVER_360
        return from_column(np.where(all_finite(terms) & (T >= 0.0), accrued, np.nan), shape)


@guessable
def cds_value(
    spread: ArrayLike,
    rate: ArrayLike,
    notional: ArrayLike,
    coupon: ArrayLike,
    maturity: ArrayLike,
    recovery: ArrayLike,
    elapsed: ArrayLike = 0.0,
) -> Numbers:
    """Return the clean value of a credit default swap to the buyer of protection.

    Parameters
    ----------
    spread : array_like
        Par spread of a swap with the same maturity, as a decimal per year, at least 0.
    rate : array_like
        Flat continuously compounded rate, a decimal; may be negative.
    notional : array_like
        Notional amount in currency units; negative for the seller of protection.
    coupon : array_like
        Premium of the contract, as a decimal of the notional per year.
    maturity : array_like
        Years from the start of the contract to its maturity, at least 0.
    recovery : array_like
        Share of the notional recovered on default, in [0, 1).
    elapsed : array_like, default 0.0
        Years elapsed since the start of the contract.

    Returns
    -------
    float or ndarray
        Value in the notional's currency, in the broadcast shape of the arguments; a float if all are scalars. 0 from
        maturity on, NaN where an argument is outside its range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Notes
    -----
    The value is without accrued premium; the dirty value to the buyer is lower by ``notional * coupon *
    cds_accrued(maturity, elapsed)``.

    Examples
    --------
    The value is 0 at a spread equal to the coupon, and positive for the buyer at a wider one:

    >>> cds_value([0.01, 0.03], 0.05, 1e6, 0.01, 5.0, 0.4).round(2)
    array([    0.  , 79221.42])
    """
    shape, terms = to_columns(spread, rate, notional, coupon, maturity, recovery, elapsed)
    s, r, N, c, T, R, age = terms
    with np.errstate(all="ignore"):
        # Adding 0 turns −0, which expired swaps can have, into 0.
        value = N * (s - c) * _annuity_column(s, r, T, R, age) + 0.0
        return from_column(np.where(all_finite(terms), value, np.nan), shape)

r"""A credit default swap under a flat spread and a flat rate: the ISDA standard model in years.

The market's spread s is the premium at which a swap is worth nothing. The model takes the hazard rate h,
the chance of default per year, to be constant, and finds the one at which a swap that pays s quarterly,
counted back from maturity, over 360 days, and what has accrued of it on default, costs what it protects:

.. math:: (1 - R)\,h \int_0^T e^{-(r+h)t}\,dt = s\,A(h),

with A the *risky annuity*, the worth of a premium of 1 a year. A swap struck at another coupon is then
worth to the buyer of protection

.. math:: V = N (s - \text{coupon})\, A(h) .

This is the *clean* value: the premium accrued in the quarter under way is left out of A, as the standard
contract gives it back at settlement. So a swap whose coupon is its spread is worth exactly 0, on any day,
and the value does not jump when a premium is paid.

The quarters are alike, so their sum is a geometric series, and a swap of forty quarters costs no more to
value than one of two. Without interest, accrual on default pays precisely for the time that was protected,
A = (365/360) ∫ e^{−ht} dt, and the hazard rate is (365/360) s/(1 − R), the *credit triangle*; with a rate
r it is smaller by about the part r/8. The solution begins there, and each step that puts h back into A and
the integral brings one that is some thousand times closer.

What is left out of the standard contract is what only dates can tell: weekends, the extra day of the last
period, and settlement after three days. :mod:`bank_python.risk_models.isda_cds` has them.

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
# The step after one so small changes the last digit at most.
_CLOSE = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Quarters:
    """The time left of quarterly contracts, in lanes.

    Parameters
    ----------
    left : ndarray, shape (n_rows,)
        Years to maturity, above 0.
    first : ndarray, shape (n_rows,)
        Years to the end of the quarter under way.
    further : ndarray, shape (n_rows,)
        How many whole quarters follow it.
    """

    left: FloatArray
    first: FloatArray
    further: FloatArray

    @classmethod
    def of(cls, left: FloatArray) -> Quarters:
        """Count the quarters back from maturity."""
        # A quarter of a year is a power of two: the count is exact.
        further = np.maximum(np.ceil(left / QUARTER) - 1.0, 0.0)
        return cls(left, left - QUARTER * further, further)

    def annuity(self, rate: FloatArray, hazard: FloatArray) -> FloatArray:
        """Return the worth of 1 a year, days over 360, less what has accrued."""
        decay = rate + hazard
        # Both kinds of period in one go: for a few lanes numpy's calls cost more than its arithmetic.
        both = np.concatenate([self.first, np.full_like(rate, QUARTER)])
        begun, whole = np.split(_period(np.tile(rate, 2), np.tile(hazard, 2), both), 2)
        y = decay * QUARTER
        # expm1 over expm1 is the geometric series, right to the last digits; only at 0 has it to be told.
        series = np.where(y == 0.0, self.further, np.expm1(-y * self.further) / np.expm1(-y))
        return DAYS_OF_YEAR_OVER_360 * (begun + np.exp(-(decay * self.first)) * whole * series)

    def hazard(self, spread: FloatArray, rate: FloatArray, recovery: FloatArray) -> FloatArray:
        """Return the hazard rate at which a premium of `spread` costs what it protects."""
        triangle = spread / (1.0 - recovery)
        hazard = DAYS_OF_YEAR_OVER_360 * triangle
        settled = ~(hazard > 0.0)
        for _ in range(_STEPS):
            protected = self.left * mean_decay((rate + hazard) * self.left)
            better = triangle * self.annuity(rate, hazard) / protected
            close = np.abs(better - hazard) <= _CLOSE * hazard
            # A lane that has settled stays, so that its last digits do not depend on slower ones in its batch.
            hazard = np.where(settled, hazard, better)
            settled |= close
            if (settled | np.isnan(hazard)).all():
                break
        return np.where(settled & (hazard >= 0.0), hazard, np.nan)


def _period(rate: FloatArray, hazard: FloatArray, left: FloatArray) -> FloatArray:
    r"""Return what the rest of a quarter pays, at its beginning now, less what had accrued before.

    With q the quarter, x the time `left` of it and t the time from now,
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
    # A lane without time left is put through as one of a quarter: its zero comes at the end.
    quarters = Quarters.of(np.where(left > 0.0, left, QUARTER))
    annuity = quarters.annuity(rate, quarters.hazard(spread, rate, recovery))
    valid = _credit_domain(spread, recovery) & (maturity >= 0.0)
    return np.where(valid, np.where(left > 0.0, annuity, 0.0), np.nan)


@guessable
def survival_probability(spread: ArrayLike, *, recovery: ArrayLike, time: ArrayLike, rate: ArrayLike = 0.0) -> Numbers:
    """Return the probability of no default within `time` that the spread of a swap ending then implies.

    Parameters
    ----------
    spread : array_like
        Par spread, a decimal a year, at least 0.
    recovery : array_like
        Part of the notional recovered on default, in [0, 1).
    time : array_like
        Years, at least 0.
    rate : array_like, default 0.0
        Flat continuously compounded rate, a decimal. It matters little: see the module.

    Returns
    -------
    float or ndarray
        In [0, 1], of the arguments' broadcast shape; NaN where an argument is outside its range, infinite
        or NaN.

    Examples
    --------
    >>> round(survival_probability(0.012, recovery=0.4, time=5.0), 6)  # a hazard of 365/360 · 2 % a year
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
    """Return the value of a premium of 1 a year, paid until default or maturity, without what has accrued.

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
    >>> round(risky_annuity(0.012, 0.03, 5.0, 0.4), 6)
    4.466482
    """
    shape, terms = to_columns(spread, rate, maturity, recovery, elapsed)
    with np.errstate(all="ignore"):
        annuity = _annuity_column(*terms)
        return from_column(np.where(all_finite(terms), annuity, np.nan), shape)


@guessable
def cds_accrued(maturity: ArrayLike, elapsed: ArrayLike = 0.0) -> Numbers:
    """Return what a premium of 1 a year has accrued in the quarter under way.

    Parameters
    ----------
    maturity, elapsed : array_like
        As for :func:`cds_value`.

    Returns
    -------
    float or ndarray
        Years, days over 360, of the arguments' broadcast shape; 0 from maturity on, NaN where an argument
        is outside its range, infinite or NaN.

    Examples
    --------
    >>> cds_accrued(5.0, [0.0, 0.1]).round(6)
    array([0.      , 0.101389])
    """
    shape, terms = to_columns(maturity, elapsed)
    T, gone = terms
    with np.errstate(all="ignore"):
        left = np.maximum(T - gone, 0.0)
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
    """Return the value of a credit default swap to the buyer of protection, without accrued premium.

    Parameters
    ----------
    spread : array_like
        Par spread now, of a swap that ends with this one; a decimal a year, at least 0.
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

    Notes
    -----
    The clean value: with what has accrued, the swap is worth ``notional * coupon * cds_accrued(maturity,
    elapsed)`` less to the buyer.

    Examples
    --------
    At a spread equal to the coupon the swap is worth nothing; wider is a gain to the buyer:

    >>> cds_value([0.01, 0.03], 0.05, 1e6, 0.01, 5.0, 0.4).round(2)
    array([    0.  , 79221.42])
    """
    shape, terms = to_columns(spread, rate, notional, coupon, maturity, recovery, elapsed)
    s, r, N, c, T, R, gone = terms
    with np.errstate(all="ignore"):
        # Adding 0 turns the −0 of an expired swap into 0.
        value = N * (s - c) * _annuity_column(s, r, T, R, gone) + 0.0
        return from_column(np.where(all_finite(terms), value, np.nan), shape)

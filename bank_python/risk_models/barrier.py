r"""European options with a single, continuously monitored barrier: knock-in and knock-out, with a rebate.

All prices are combinations of four values: the European call and put, A(±); a forward that is knocked in,

.. math:: G = S e^{-qT} p' - K e^{-rT} p,

where p is the probability that the barrier is touched and p′ that probability with the asset as numeraire
(:mod:`bank_python.risk_models.first_passage`); and, by the reflection principle, an option on the spot reflected at the
barrier,

.. math:: R = \Big(\frac HS\Big)^{2\mu} A(H^2/S, K), \qquad \mu = \frac{r - q - \sigma^2/2}{\sigma^2} .

A knock-in whose barrier is on the out-of-the-money side of the spot (down-and-in call, up-and-in put) has the value R
if the strike is on the spot's side of the barrier. If the strike is beyond the barrier its value is
:math:`\pm G + A(\mp)`: the forward, plus the option of the other type, which can only end in the money through the
barrier. The knock-in of the other type with the same strike has this value less the forward. A knock-out is the
European option less the knock-in. These are the formulas of Reiner and Rubinstein (A to F in Haug), with terms
collected so that small values are not differences of large ones.

Examples
--------
>>> round(barrier_price(100.0, 90.0, 0.5, 0.08, 0.25, 0.04, barrier=95.0, rebate=3.0), 4)  # Haug, down-and-out call
9.0246

References
----------
E. Reiner and M. Rubinstein, "Breaking down the barriers", Risk 4 (1991), no. 8, 28-35.

E. G. Haug, *The Complete Guide to Option Pricing Formulas*, 2nd edition (2007), section 4.17.1 and table 4-13.

M. Broadie, P. Glasserman and S. Kou, "A continuity correction for discrete barrier options", Mathematical Finance 7
(1997), 325-349.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns
from bank_python.numerics.normal import pdf_column
from bank_python.risk_models.first_passage import Passage, mills_drop, touch_discount
from bank_python.risk_models.option_columns import OptionColumns, log_ratio
from bank_python.risk_models.time_value import Tails, is_small

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["barrier_price"]

# Replaces σ√T if the volatility or the time is 0: all distances are then very many standard deviations, which gives the
# limits.
_LEAST_DEVIATION = 1e-150


@guessable
def barrier_price(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    vol: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
    *,
    barrier: ArrayLike,
    is_up: ArrayLike = False,
    is_in: ArrayLike = False,
    rebate: ArrayLike = 0.0,
    touched: ArrayLike = False,
) -> Numbers:
    r"""Return the price of a European option with one barrier.

    Parameters
    ----------
    spot : array_like
        Price of the underlying, at least 0. If it is at the barrier or beyond, the barrier is touched now.
    strike : array_like
        Strike price of the option, at least 0.
    expiry : array_like
        Years to expiry, at least 0.
    rate : array_like
        Continuously compounded rate, a decimal; may be negative.
    vol : array_like
        Annual volatility, a decimal, at least 0.
    dividend : array_like, default 0.0
        Continuous dividend yield, a decimal; may be negative.
    is_call : array_like of bool, default True
        Whether the option is a call (any number but 0) or a put (0); numbers are read in this way for all flags.
    barrier : array_like
        Barrier level, at least 0.
    is_up : array_like of bool, default False
        Whether the barrier is touched from below (up) or from above (down).
    is_in : array_like of bool, default False
        Whether the option is a knock-in or a knock-out.
    rebate : array_like, default 0.0
        Amount paid when a knock-out is knocked out, or at expiry if a knock-in has not been knocked in; any finite
        number, in the currency of the spot.
    touched : array_like of bool, default False
        Whether the barrier was touched before now. A knock-in then is the European option, and a knock-out has the
        value 0, as its rebate has been paid.

    Returns
    -------
    float or ndarray
        Array of the arguments' broadcast shape; a float if all are scalars. NaN where an argument is outside
        its range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Notes
    -----
    The price is for a continuously monitored barrier. A barrier monitored at n equidistant times is approximated by
    moving it away from the spot, by the continuity correction of Broadie, Glasserman and Kou,

    .. math:: H \to H \exp(\pm 0.5826\,\sigma\sqrt{T/n})

    (+ for an up barrier; the constant is −ζ(1/2)/√(2π)). Pass this level as `barrier`, and `touched` according to the
    contractual barrier.

    Compared with results of 60 digits, the absolute error is within 1e-15 of the larger of spot and strike, and within
    1e-14 of the rebate, for σ√T from 2e-5 to 10, expiries from half a minute to decades, and barriers at a log distance
    of 1e-8 σ√T and more. The relative error is also within about 1e-13, increasing with the square of the distance in
    standard deviations and like 1/σ√T below 0.01, for: knock-ins with the barrier on the out-of-the-money side and the
    strike on the spot's side of it (down to 1e-300); knock-outs with the barrier on the out-of-the-money side and the
    strike beyond it (even with the spot close to it); and rebates. Other values have the absolute accuracy only where
    they are small compared with the European option: an up-and-out call or a down-and-out put of 1e-9 at a spot of 100
    has four correct digits, as has a down-and-out call of that value with its strike above a barrier close to the spot.

    Rates may be negative; the value of a rebate paid when the barrier is touched is NaN only if rate times expiry is
    below −8.

    Examples
    --------
    >>> barrier_price(100.0, [90.0, 100.0, 110.0], 0.5, 0.08, 0.25, 0.04, barrier=95.0, rebate=3.0).round(4)
    array([9.0246, 6.7924, 4.8759])
    >>> barrier_price(100.0, 100.0, 0.5, 0.08, 0.25, 0.04, barrier=105.0, is_up=True, is_in=[True, False]).round(4)
    array([7.8368, 0.0127])
    """
    shape, columns = to_columns(
        spot, strike, barrier, expiry, rate, vol, dividend, is_call, is_up, is_in, rebate, touched
    )
    with np.errstate(all="ignore"):
        S, K, H, T, r, sigma, q, call, up, inward, paid, past = columns
        option = OptionColumns.of([S, K, T, r, q, call])
        valid = option.valid & all_finite([H, sigma, up, inward, paid, past]) & (H >= 0.0) & (sigma >= 0.0)
        is_down, is_in_row, before = up == 0.0, inward != 0.0, past != 0.0
        now = np.where(is_down, S <= H, S >= H)
        terms = _Terms.of(option, H, sigma, is_down)
        european, knock_in, knock_out = _values(option, terms, sigma, is_down)
        untouched = np.where(is_in_row, knock_in, knock_out)
        due = np.flatnonzero(paid)
        if due.size:
            untouched[due] += paid[due] * _rebate(terms.take(due), (r * T)[due], is_in_row[due])
        afterwards = np.where(is_in_row, european, np.where(before, 0.0, paid))
        price = np.where(now | before, afterwards, untouched)
        return from_column(np.where(valid, price, np.nan), shape)


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """Terms of barrier options, in logarithms and over the whole term; arrays of shape (n_rows,)."""

    forward: FloatArray  # discounted, like the strike
    strike: FloatArray
    moneyness: FloatArray  # log of forward over strike
    distance: FloatArray  # absolute log of spot over barrier
    reach: FloatArray  # log distance of the strike from the barrier, positive on the spot's side
    side: FloatArray  # 1 for a barrier below the spot, −1 for one above
    drift: FloatArray  # log drift of the forward, away from the barrier
    deviation: FloatArray

    @classmethod
    def of(cls, option: OptionColumns, barrier: FloatArray, sigma: FloatArray, is_down: NDArray[np.bool_]) -> _Terms:
        side = np.where(is_down, 1.0, -1.0)
        return cls(
            option.forward,
            option.discounted_strike,
            option.log_ratio,
            np.abs(log_ratio(option.spot, barrier)),
            side * log_ratio(option.strike, barrier),
            side,
            side * ((option.rate - option.dividend) * option.expiry),
            np.maximum(sigma * np.sqrt(option.expiry), _LEAST_DEVIATION),
        )

    def take(self, chosen: NDArray[np.intp]) -> _Terms:
        return _Terms(*(getattr(self, field.name).take(chosen) for field in fields(self)))

    @property
    def half(self) -> FloatArray:
        """Half of the total variance, with the sign of a drift away from the barrier."""
        return self.side * (0.5 * self.deviation * self.deviation)


def _values(
    option: OptionColumns, terms: _Terms, sigma: FloatArray, is_down: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the European option, and the knock-in and knock-out before the barrier is touched."""
    time_value = option.smaller * Tails.of(option.log_ratio, sigma * np.sqrt(option.expiry)).time_value
    european = option.intrinsic + time_value
    inside = terms.reach >= 0.0
    outward = option.is_call == is_down  # the barrier is on the out-of-the-money side
    knock_in = np.where(outward, time_value + _intrinsic(option, ~option.is_call), european)
    reflected = np.flatnonzero(inside)
    if reflected.size:
        knock_in[reflected] = _mirrored(terms.take(reflected))
    knock_out = np.zeros_like(knock_in)
    through = np.flatnonzero(outward != inside)  # options whose value includes the forward
    if through.size:
        sign = np.where(option.is_call[through], 1.0, -1.0)
        forward_in, forward_out = _forwards(terms.take(through))
        knock_in[through] += sign * forward_in
        knock_out[through] = sign * forward_out
    knock_in = np.clip(knock_in, 0.0, european)  # rounding may exceed the bounds
    knock_out = np.where(outward & ~inside, np.clip(knock_out, 0.0, european), european - knock_in)
    return european, knock_in, knock_out


def _intrinsic(option: OptionColumns, is_call: NDArray[np.bool_]) -> FloatArray:
    difference = option.forward - option.discounted_strike
    return np.maximum(np.where(is_call, difference, -difference), 0.0)


def _forwards(terms: _Terms) -> tuple[FloatArray, FloatArray]:
    """Return the values of a knock-in and of a knock-out forward."""
    by_asset = Passage.of(terms.distance, terms.drift + terms.half, terms.deviation)
    by_cash = Passage.of(terms.distance, terms.drift - terms.half, terms.deviation)
    return (
        terms.forward * by_asset.touched - terms.strike * by_cash.touched,
        terms.forward * by_asset.untouched - terms.strike * by_cash.untouched,
    )


def _rebate(terms: _Terms, interest: FloatArray, is_in: NDArray[np.bool_]) -> FloatArray:
    """Return the value of a rebate of 1: paid at expiry for a knock-in, when touched for a knock-out."""
    drift = terms.drift - terms.half
    passage = Passage.of(terms.distance, drift, terms.deviation)
    at_touch = touch_discount(terms.distance, drift, terms.deviation, interest, passage.density)
    return np.where(is_in, np.exp(-interest) * passage.untouched, at_touch)


def _mirrored(terms: _Terms) -> FloatArray:
    """Return R: an option on the reflected spot, for strikes on the spot's side of the barrier.

    Its two tails are multiples of the density φ(d₂) at the strike times exp(−2 distance reach/σ²T), the probability
    that a path which ends at the strike has touched the barrier, so nothing overflows.
    """
    deviation, distance, side = terms.deviation, terms.distance / terms.deviation, terms.side
    half = 0.5 * deviation
    mirrored = (terms.drift - (terms.distance + terms.reach)) / deviation  # moneyness of the reflected forward
    h = np.abs(mirrored)
    bridge = np.exp(-2.0 * distance * (terms.reach / deviation))
    weight = terms.strike * pdf_column(terms.moneyness / deviation - half) * bridge
    inner, outer, drop = mills_drop(h, half)
    beyond = (h >= half) | is_small(h, half)
    # (H/S)^2μ times strike and mirrored forward
    power = -2.0 * (terms.drift / deviation - side * half) * distance
    strike, forward = terms.strike * np.exp(power), terms.forward * np.exp(power - 2.0 * side * terms.distance)
    intrinsic = np.where(mirrored > 0.0, side * (forward - strike), 0.0)
    return intrinsic + np.where(beyond, weight * drop, np.minimum(forward, strike) - weight * (inner + outer))

r"""European options after Black, Scholes and Merton, with a continuous dividend yield.

.. math:: C = S e^{-qT}\Phi(d_1) - K e^{-rT}\Phi(d_2), \qquad
          d_{1,2} = \frac{\log(S/K) + (r - q)T}{\sigma\sqrt T} \pm \tfrac12\sigma\sqrt T

The price is computed as intrinsic value on the forward plus time value
(:mod:`bank_python.risk_models.time_value`), which is the same number without its cancellations: call and
put share their time value, so put-call parity is exact, and an option a hundred times out of the money
keeps its digits. The same function prices an option on a currency (dividend = foreign rate, Garman and
Kohlhagen 1983) or on a future (dividend = rate, Black 1976).

Examples
--------
>>> round(black_scholes_price(42.0, 40.0, 0.5, 0.10, 0.20), 2)  # Hull
4.76
>>> round(black_scholes_price(42.0, 40.0, 0.5, 0.10, 0.20, is_call=False), 2)
0.81

References
----------
F. Black and M. Scholes, "The pricing of options and corporate liabilities", Journal of Political Economy
81 (1973), 637-654; R. C. Merton, "Theory of rational option pricing", Bell Journal of Economics 4 (1973),
141-183.

E. G. Haug, *The Complete Guide to Option Pricing Formulas* (1998), chapter 1: the generalised formula and
its Greeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.lanes import all_finite, from_lanes, to_lanes
from bank_python.numerics.normal import cdf_lanes, pdf_lanes
from bank_python.risk_models.time_value import time_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["Greeks", "black_scholes_greeks", "black_scholes_price"]

# Within this of the strike, log(S/K) is taken from the exact difference S − K.
_NEAR_THE_MONEY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Greeks:
    """Sensitivities of an option's price; floats, or arrays of the shape of the arguments.

    Parameters
    ----------
    delta : float or ndarray
        Price change for one unit of spot.
    gamma : float or ndarray
        Delta change for one unit of spot.
    vega : float or ndarray
        Price change for 1.00 of volatility (a point is a hundredth of it).
    theta : float or ndarray
        Price change for a year gone by at the present rate (a day is a 365th of it).
    rho : float or ndarray
        Price change for 1.00 of the rate (a basis point is a ten-thousandth of it).
    """

    delta: Numbers
    gamma: Numbers
    vega: Numbers
    theta: Numbers
    rho: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class _Contract:
    """The arguments as flat lanes, with what price and Greeks both need."""

    spot: FloatArray
    strike: FloatArray
    expiry: FloatArray
    rate: FloatArray
    vol: FloatArray
    dividend: FloatArray
    is_call: NDArray[np.bool_]
    valid: NDArray[np.bool_]

    @classmethod
    def of(cls, terms: list[FloatArray]) -> _Contract:
        spot, strike, expiry, rate, vol, dividend, is_call = terms
        valid = all_finite(terms)
        for term in (spot, strike, expiry, vol):
            valid &= term >= 0.0
        return cls(spot, strike, expiry, rate, vol, dividend, is_call != 0.0, valid)

    @property
    def carry_factor(self) -> FloatArray:
        return np.exp(-(self.dividend * self.expiry))

    @property
    def discounted_forward(self) -> FloatArray:
        return self.spot * self.carry_factor

    @property
    def discounted_strike(self) -> FloatArray:
        return self.strike * np.exp(-(self.rate * self.expiry))

    @property
    def deviation(self) -> FloatArray:
        return self.vol * np.sqrt(self.expiry)

    @property
    def log_ratio(self) -> FloatArray:
        """Logarithm of forward over strike; a strike of 0 counts as infinitely far in the money."""
        S, K = self.spot, self.strike
        near = np.abs(S - K) < _NEAR_THE_MONEY * K
        log_moneyness = np.where(near, np.log1p((S - K) / K), np.log(S / K))
        ratio = log_moneyness + (self.rate - self.dividend) * self.expiry
        return np.where(K == 0.0, np.inf, ratio)


def black_scholes_price(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    vol: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
) -> Numbers:
    """Return the price of a European option.

    Parameters
    ----------
    spot : array_like
        Price of the underlying, at least 0.
    strike : array_like
        At least 0; a call struck at 0 is worth the discounted spot.
    expiry : array_like
        Years to expiry, at least 0; at 0 the price is the intrinsic value.
    rate : array_like
        Continuously compounded rate, a decimal; may be negative.
    vol : array_like
        Annual volatility, a decimal, at least 0; at 0 the price is the discounted intrinsic value of the
        forward.
    dividend : array_like, default 0.0
        Continuous dividend yield, a decimal; may be negative.
    is_call : array_like of bool, default True
        Call or put; numbers are read as non-zero for a call.

    Returns
    -------
    float or ndarray
        Of the arguments' broadcast shape; a float if all are scalars. NaN where an argument is outside
        its range, infinite or NaN.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Examples
    --------
    >>> black_scholes_price(100.0, [90.0, 100.0, 110.0], 0.5, 0.10, 0.25, dividend=0.10).round(4)
    array([12.2149,  6.6997,  3.2734])
    >>> black_scholes_price(-1.0, 100.0, 0.5, 0.10, 0.25)
    nan
    """
    shape, terms = to_lanes(spot, strike, expiry, rate, vol, dividend, is_call)
    with np.errstate(all="ignore"):
        contract = _Contract.of(terms)
        A, B = contract.discounted_forward, contract.discounted_strike
        intrinsic = np.maximum(np.where(contract.is_call, A - B, B - A), 0.0)
        price = intrinsic + time_value(A, B, contract.log_ratio, contract.deviation)
        return from_lanes(np.where(contract.valid, price, np.nan), shape)


def _per_deviation(density: FloatArray, divisor: FloatArray) -> FloatArray:
    # A density that has vanished wins over a divisor that has: the limit away from the strike.
    return np.where(density == 0.0, 0.0, density / divisor)


def black_scholes_greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    vol: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
) -> Greeks:
    """Return delta, gamma, vega, theta and rho of a European option.

    Parameters
    ----------
    spot, strike, expiry, rate, vol, dividend, is_call : array_like
        As for :func:`black_scholes_price`.

    Returns
    -------
    Greeks
        Floats if all arguments are scalars, else arrays of their broadcast shape; NaN where the price is.

    Notes
    -----
    At expiry, or without volatility, the values are the limits. Exactly on the strike of the forward the
    limit of delta is a half of the carry factor, gamma is infinite, and theta has no finite value.

    References
    ----------
    Haug (1998), section 1.3.

    Examples
    --------
    >>> greeks = black_scholes_greeks(49.0, 50.0, 20 / 52, 0.05, 0.20)  # Hull, chapter on the Greek letters
    >>> round(greeks.delta, 3), round(greeks.gamma, 3), round(greeks.vega, 1), round(greeks.theta, 2)
    (0.522, 0.066, 12.1, -4.31)
    >>> round(greeks.rho, 2)
    8.91
    """
    shape, terms = to_lanes(spot, strike, expiry, rate, vol, dividend, is_call)
    with np.errstate(all="ignore"):
        c = _Contract.of(terms)
        A, B = c.discounted_forward, c.discounted_strike
        deviation, log_ratio = c.deviation, c.log_ratio
        h = np.where(log_ratio == 0.0, 0.0, log_ratio / deviation)
        d1, d2 = h + 0.5 * deviation, h - 0.5 * deviation
        sign = np.where(c.is_call, 1.0, -1.0)
        forward_part = sign * cdf_lanes(sign * d1)
        strike_part = sign * B * cdf_lanes(sign * d2)
        density = pdf_lanes(d1)
        decay = A * 0.5 * c.vol * _per_deviation(density, np.sqrt(c.expiry))
        values = (
            c.carry_factor * forward_part,
            c.carry_factor * _per_deviation(density, c.spot * deviation),
            A * density * np.sqrt(c.expiry),
            c.dividend * A * forward_part - c.rate * strike_part - decay,
            c.expiry * strike_part,
        )
        return Greeks(*(from_lanes(np.where(c.valid, value, np.nan), shape) for value in values))

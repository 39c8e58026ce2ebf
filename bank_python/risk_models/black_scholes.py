r"""Prices and Greeks of European options by the Black-Scholes-Merton formula, with a continuous dividend yield.

.. math:: C = S e^{-qT}\Phi(d_1) - K e^{-rT}\Phi(d_2), \qquad
          d_{1,2} = \frac{\log(S/K) + (r - q)T}{\sigma\sqrt T} \pm \tfrac12\sigma\sqrt T

The price is computed as intrinsic value on the forward plus time value
(:mod:`bank_python.risk_models.time_value`), which avoids the cancellation in the formula. Call and put have the same
time value, so put-call parity is exact, and options far out of the money are priced with full relative precision. The
same function prices options on a currency (dividend = foreign rate, Garman and Kohlhagen 1983) and on a future
(dividend = rate, Black 1976).

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

from bank_python.guessing import guessable
from bank_python.numerics.columns import from_column, to_columns
from bank_python.results import Figures
from bank_python.risk_models.option_columns import OptionColumns
from bank_python.risk_models.time_value import Tails

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["Greeks", "black_scholes_greeks", "black_scholes_price"]


@dataclass(frozen=True, slots=True, eq=False)
class Greeks(Figures):
    """The price of an option and its sensitivities, as floats or as arrays of the shape of the arguments.

    Parameters
    ----------
    price : float or ndarray
        Price for one unit of the underlying.
    delta : float or ndarray
        Derivative of the price by the spot.
    gamma : float or ndarray
        Second derivative of the price by the spot.
    vega : float or ndarray
        Derivative of the price by the volatility, per 1.00 (divide by 100 for one point).
    theta : float or ndarray
        Derivative of the price by the passage of time, per year (divide by 365 for one day).
    rho : float or ndarray
        Derivative of the price by the rate, per 1.00 (divide by 10,000 for a basis point).
    dividend_rho : float or ndarray
        Derivative of the price by the dividend yield, per 1.00.
    vanna : float or ndarray
        Derivative of delta by the volatility, per 1.00; equal to that of vega by the spot.
    volga : float or ndarray
        Derivative of vega by the volatility, per 1.00.
    charm : float or ndarray
        Derivative of delta by the passage of time, per year.
    """

    price: Numbers
    delta: Numbers
    gamma: Numbers
    vega: Numbers
    theta: Numbers
    rho: Numbers
    dividend_rho: Numbers
    vanna: Numbers
    volga: Numbers
    charm: Numbers


@guessable
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
        Strike, at least 0; at 0 a call is worth the spot discounted by the dividend yield.
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
        Whether the option is a call (any number but 0) or a put (0).

    Returns
    -------
    float or ndarray
        Price in the broadcast shape of the arguments; a float if all are scalars. NaN where an argument is outside its
        range, infinite or NaN.

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
    shape, (S, K, T, r, sigma, q, call) = to_columns(spot, strike, expiry, rate, vol, dividend, is_call)
    with np.errstate(all="ignore"):
        option = OptionColumns.of([S, K, T, r, q, call])
        tails = Tails.of(option.log_ratio, sigma * np.sqrt(T))
        return from_column(np.where(_valid(option, sigma), _price(option, tails), np.nan), shape)


def _valid(option: OptionColumns, sigma: FloatArray) -> NDArray[np.bool_]:
    return option.valid & (sigma >= 0.0) & (sigma < np.inf)


def _price(option: OptionColumns, tails: Tails) -> FloatArray:
    return option.intrinsic + option.smaller * tails.time_value


@guessable
def black_scholes_greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    vol: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
) -> Greeks:
    """Return the price of a European option and its sensitivities.

    Parameters
    ----------
    spot, strike, expiry, rate, vol, dividend, is_call : array_like
        Market data and terms of the option, as for :func:`black_scholes_price`.

    Returns
    -------
    Greeks
        Floats if all arguments are scalars, else arrays of their broadcast shape; NaN where the price is.

    Notes
    -----
    At expiry, or at a volatility of 0, the values are the limits. If the forward is equal to the strike, the limit of
    delta is half of the carry factor, gamma is infinite, and theta has no finite value.

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
    shape, (S, K, T, r, sigma, q, call) = to_columns(spot, strike, expiry, rate, vol, dividend, is_call)
    with np.errstate(all="ignore"):
        option = OptionColumns.of([S, K, T, r, q, call])
        root = np.sqrt(T)
        tails = Tails.of(option.log_ratio, sigma * root)
        values = (_price(option, tails), *_sensitivities(option, tails, sigma, root))
        valid = _valid(option, sigma)
        return Greeks(*(from_column(np.where(valid, value, np.nan), shape) for value in values))


def _sensitivities(option: OptionColumns, tails: Tails, sigma: FloatArray, root: FloatArray) -> tuple[FloatArray, ...]:
    """Return delta, gamma, vega, theta, rho, dividend_rho, vanna, volga and charm, as defined in :class:`Greeks`."""
    S, T, r, q, x = option.spot, option.expiry, option.rate, option.dividend, option.log_ratio
    deviation = sigma * root
    sign = np.where(option.is_call, 1.0, -1.0)
    N1, N2 = _exercise(option, tails)
    density = option.smaller * tails.density  # forward times φ(d₁), which is discounted strike times φ(d₂)
    h = np.where((x == 0.0) | (density == 0.0), 0.0, x / deviation)  # without density the distance has no effect
    d1, d2 = h + 0.5 * deviation, h - 0.5 * deviation
    unit = _over(density, deviation)
    vega = density * root
    decay = 0.5 * sigma * _over(density, root)
    vanna = -_over(density * d2, S * sigma)
    return (
        sign * option.carry_factor * N1,
        _over(unit, S * S),
        vega,
        sign * (q * option.forward * N1 - r * option.discounted_strike * N2) - decay,
        sign * T * option.discounted_strike * N2,
        -sign * T * option.forward * N1,
        vanna,
        _over(vega * d1 * d2, sigma),
        sign * q * option.carry_factor * N1 - _over(unit, S) * ((r - q) - 0.5 * d2 * _over(sigma, root)),
    )


def _exercise(option: OptionColumns, tails: Tails) -> tuple[FloatArray, FloatArray]:
    """Return Φ(±d₁) and Φ(±d₂) with the sign of the option, small values to full relative precision."""
    below = option.log_ratio < 0.0
    far = tails.far * np.exp(-np.abs(option.log_ratio))
    N1, N2 = np.where(below, tails.near, far), np.where(below, far, tails.near)
    direct = below == option.is_call
    return np.where(direct, N1, 1.0 - N1), np.where(direct, N2, 1.0 - N2)


def _over(vanishing: FloatArray, divisor: FloatArray) -> FloatArray:
    # 0 over 0 is taken as 0, which is the limit away from the strike.
    return np.where(vanishing == 0.0, 0.0, vanishing / divisor)

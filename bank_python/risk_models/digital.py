r"""European digital (binary) options, which pay a fixed amount or the asset if they expire in the money.

.. math:: \text{cash} = c\,e^{-rT}\,\Phi(\pm d_2), \qquad \text{asset} = S e^{-qT}\,\Phi(\pm d_1), \qquad
          d_{1,2} = \frac{\log(S/K) + (r - q)T}{\sigma\sqrt T} \pm \tfrac12\sigma\sqrt T

with the upper sign for a call. A European call is an asset-or-nothing call less a cash-or-nothing call that pays the
strike. The Greeks of both kinds have the same form: with w the discounted payment, d the argument of its probability
(d₂ or d₁) and o the other of the two, every sensitivity is a multiple of w φ(d), for some plus a multiple of the price.

Examples
--------
>>> round(digital_price(100.0, 80.0, 0.75, 0.06, 0.35, 0.06, is_call=False, cash=10.0), 4)  # Haug
2.671
>>> round(asset_digital_price(70.0, 65.0, 0.5, 0.07, 0.27, 0.05, is_call=False), 4)
20.2069

References
----------
M. Rubinstein and E. Reiner, "Unscrambling the binary code", Risk 4 (1991), no. 9, 75-83.

E. G. Haug, *The Complete Guide to Option Pricing Formulas*, 2nd edition (2007), sections 4.19.2 and 4.19.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import from_column, to_columns
from bank_python.numerics.mills import mills_column
from bank_python.numerics.normal import pdf_column
from bank_python.risk_models.black_scholes import Greeks
from bank_python.risk_models.option_columns import OptionColumns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["asset_digital_greeks", "asset_digital_price", "digital_greeks", "digital_price"]


@guessable
def digital_price(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    vol: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
    cash: ArrayLike = 1.0,
) -> Numbers:
    """Return the price of a cash-or-nothing option.

    Parameters
    ----------
    spot : array_like
        Price of the underlying, at least 0.
    strike : array_like
        Strike, at least 0; at 0 a call always pays.
    expiry : array_like
        Years to expiry, at least 0; at 0 the price is the payment.
    rate : array_like
        Continuously compounded rate, a decimal; may be negative.
    vol : array_like
        Annual volatility, a decimal, at least 0.
    dividend : array_like, default 0.0
        Continuous dividend yield, a decimal; may be negative.
    is_call : array_like of bool, default True
        Whether the option pays above the strike (call, any number but 0) or below it (put, 0).
    cash : array_like, default 1.0
        Amount paid at expiry, in the currency of the spot; any finite number.

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
    If the spot is equal to the strike at expiry, or the forward equal to the strike at a volatility of 0, the price is
    the limit: half of the discounted amount, for call and put alike.

    Compared with results of 50 digits the relative error is below 1e-15 (1 + d²), even for prices of 1e-300. For a very
    small σ√T the rounding of the log of forward over strike dominates: the error is then up to 1e-17 (1 + |d|)/(σ√T),
    6e-14 for 1e-4.

    Examples
    --------
    >>> digital_price(100.0, [90.0, 100.0, 110.0], 0.5, 0.05, 0.2, cash=100.0).round(4)
    array([78.282 , 52.8847, 27.8021])
    """
    shape, columns = to_columns(spot, strike, expiry, rate, vol, dividend, is_call, cash)
    with np.errstate(all="ignore"):
        digital = _Digital.of(columns[:7], columns[7])
        return from_column(np.where(digital.valid, digital.price, np.nan), shape)


@guessable
def asset_digital_price(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    vol: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
) -> Numbers:
    """Return the price of an asset-or-nothing option, which pays one unit of the underlying.

    Parameters
    ----------
    spot, strike, expiry, rate, vol, dividend, is_call : array_like
        Market data and terms of the option, as for :func:`digital_price`.

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
    Limits and accuracy are as for :func:`digital_price`.

    Examples
    --------
    >>> asset_digital_price(100.0, [90.0, 100.0, 110.0], 0.5, 0.05, 0.2).round(4)
    array([83.9523, 59.7734, 33.4887])
    """
    shape, columns = to_columns(spot, strike, expiry, rate, vol, dividend, is_call)
    with np.errstate(all="ignore"):
        digital = _Digital.of(columns, None)
        return from_column(np.where(digital.valid, digital.price, np.nan), shape)


@guessable
def digital_greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    vol: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
    cash: ArrayLike = 1.0,
) -> Greeks:
    """Return the price of a cash-or-nothing option and its sensitivities, in closed form.

    Parameters
    ----------
    spot, strike, expiry, rate, vol, dividend, is_call, cash : array_like
        Market data and terms of the option, as for :func:`digital_price`.

    Returns
    -------
    Greeks
        Floats if all arguments are scalars, else arrays of their broadcast shape; NaN where the price is.

    Notes
    -----
    At expiry, or at a volatility of 0, the values are the limits. If the forward is equal to the strike, the price has
    a jump: delta is infinite, and sensitivities without a limit are infinite or NaN.

    Examples
    --------
    >>> greeks = digital_greeks(100.0, 100.0, 0.5, 0.05, 0.2, cash=100.0)
    >>> round(greeks.delta, 4), round(greeks.gamma, 4), round(greeks.vega, 2)
    (2.7359, -0.0479, -47.88)
    """
    shape, columns = to_columns(spot, strike, expiry, rate, vol, dividend, is_call, cash)
    with np.errstate(all="ignore"):
        return _Digital.of(columns[:7], columns[7]).greeks(shape)


@guessable
def asset_digital_greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    vol: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
) -> Greeks:
    """Return the price of an asset-or-nothing option and its sensitivities, in closed form.

    Parameters
    ----------
    spot, strike, expiry, rate, vol, dividend, is_call : array_like
        Market data and terms of the option, as for :func:`digital_price`.

    Returns
    -------
    Greeks
        Floats if all arguments are scalars, else arrays of their broadcast shape; NaN where the price is.

    Notes
    -----
    Limits are as for :func:`digital_greeks`.

    Examples
    --------
    >>> greeks = asset_digital_greeks(100.0, 100.0, 0.5, 0.05, 0.2)
    >>> round(greeks.delta, 4), round(greeks.gamma, 4), round(greeks.vega, 2)
    (3.3336, -0.0205, -20.52)
    """
    shape, columns = to_columns(spot, strike, expiry, rate, vol, dividend, is_call)
    with np.errstate(all="ignore"):
        return _Digital.of(columns, None).greeks(shape)


@dataclass(frozen=True, slots=True, eq=False)
class _Digital:
    """Digital options as columns of shape (n_rows,); the caller suppresses numpy's warnings."""

    option: OptionColumns
    pays_asset: bool
    payment: FloatArray  # discounted to now
    vol: FloatArray
    moneyness: FloatArray  # log of forward over strike, in standard deviations
    deviation: FloatArray

    @classmethod
    def of(cls, terms: list[FloatArray], cash: FloatArray | None) -> _Digital:
        spot, strike, expiry, rate, vol, dividend, is_call = terms
        option = OptionColumns.of([spot, strike, expiry, rate, dividend, is_call])
        deviation = vol * np.sqrt(expiry)
        x = option.log_ratio
        moneyness = np.where(x == 0.0, 0.0, x / deviation)
        payment = option.forward if cash is None else cash * np.exp(-(rate * expiry))
        return cls(option, cash is None, payment, vol, moneyness, deviation)

    @property
    def valid(self) -> NDArray[np.bool_]:
        return self.option.valid & (self.vol >= 0.0) & np.isfinite(self.vol) & np.isfinite(self.payment)

    @property
    def distance(self) -> FloatArray:
        half = 0.5 * self.deviation
        return self.moneyness + half if self.pays_asset else self.moneyness - half

    @property
    def price(self) -> FloatArray:
        d = self.distance
        return self.payment * self.probability(d, pdf_column(d))

    def probability(self, d: FloatArray, density: FloatArray) -> FloatArray:
        """Return Φ(±d), small values to full relative precision."""
        tail = density * mills_column(np.abs(d))
        return np.where((d > 0.0) == self.option.is_call, 1.0 - tail, tail)

    def greeks(self, shape: tuple[int, ...]) -> Greeks:
        d = self.distance
        density = pdf_column(d)
        probability = self.probability(d, density)
        weight = np.where(self.option.is_call, density, -density) * self.payment
        values = (self.payment * probability, *self._sensitivities(probability, weight))
        valid = self.valid
        return Greeks(*(from_column(np.where(valid, value, np.nan), shape) for value in values))

    def _sensitivities(self, probability: FloatArray, weight: FloatArray) -> tuple[FloatArray, ...]:
        """Return delta, gamma, vega, theta, rho, dividend_rho, vanna, volga and charm as in :class:`Greeks`."""
        S, T, r, q = self.option.spot, self.option.expiry, self.option.rate, self.option.dividend
        sigma, half = self.vol, 0.5 * self.deviation
        h = np.where(weight == 0.0, 0.0, self.moneyness)  # without density the distance has no effect
        d1, d2 = h + half, h - half
        d, o = (d1, d2) if self.pays_asset else (d2, d1)
        unit = _over(weight, self.deviation)
        slope = _over(unit, S)
        price = self.payment * probability
        delta = slope + self.option.carry_factor * probability if self.pays_asset else slope
        decay = _over(weight * o, 2.0 * T)  # the effect of the decreasing deviation
        carry = (r - q) * unit
        growth = q if self.pays_asset else r
        discounting = T * price
        return (
            delta,
            -_over(_over(slope * o, self.deviation), S),
            -_over(weight * o, sigma),
            growth * price - carry + decay,
            T * unit - (0.0 if self.pays_asset else discounting),
            -T * unit - (discounting if self.pays_asset else 0.0),
            _over(slope * (o * d2 - 1.0), sigma),
            -_over(_over(weight * (d * o * o - d - o), sigma), sigma),
            growth * delta + _over(slope * (1.0 - o * d2), 2.0 * T) + (r - q) * _over(slope * d2, self.deviation),
        )


def _over(vanishing: FloatArray, divisor: FloatArray) -> FloatArray:
    # 0 over 0 is taken as 0, which is the limit away from the strike.
    return np.where(vanishing == 0.0, 0.0, vanishing / divisor)

"""European options on a spot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.barbara import register_storable
from bank_python.instruments.implied import lognormal_implied_vol
from bank_python.instruments.vanilla import VanillaOption, time_left
from bank_python.risk_models import Greeks, black_scholes_greeks, black_scholes_price

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Option"]


@register_storable
class Option(VanillaOption):
    """A European call or put, valued by Black–Scholes–Merton.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source : Node or float
        Spot price of the underlying.
    vol_source : Node or float
        Annual volatility, as a decimal; or a surface, which gives the volatility at strike and expiry.
    rate_source : Node or float
        Interest rate per year, as a decimal, continuously compounded; or a curve, which gives the zero rate to expiry.
    strike : float
        Strike price, above 0, in `currency`.
    expiry : float, str or datetime.date
        Time to expiry in years from now, a tenor, or the expiry date (which needs a clock). From expiry on, the value
        is the intrinsic value.
    is_call : bool, default True
        Whether the option is a call (true) or a put (false).
    dividend_source : Node or float, default 0.0
        Dividend yield per year, as a decimal, continuously compounded; or a curve of yields.
    currency : str, default "USD"
        ISO 4217 code of the currency of the value.
    clock_source : Clock or float, default 0.0
        Valuation clock, or a fixed valuation time in years.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

    Examples
    --------
    >>> call = Option("C", spot_source=42, vol_source=0.2, rate_source=0.1, strike=40, expiry=0.5)
    >>> round(call.value, 2)  # Hull, Options, Futures, and Other Derivatives, example 15.6
    4.76
    """

    record_tag = "Option"

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any, spot: Any, vol: Any, rate: Any, dividend: Any, made_at: Any, strike: Any, expiry: Any, is_call: Any
    ) -> Any:
        return black_scholes_price(spot, strike, time_left(expiry, clock, made_at), rate, vol, dividend, is_call)

    @staticmethod
    def price_and_greeks(
        clock: Any, spot: Any, vol: Any, rate: Any, dividend: Any, made_at: Any, strike: Any, expiry: Any, is_call: Any
    ) -> Greeks:
        """Return price and Greeks; see :func:`~bank_python.risk_models.black_scholes.black_scholes_greeks`."""
        return black_scholes_greeks(spot, strike, time_left(expiry, clock, made_at), rate, vol, dividend, is_call)

    @staticmethod
    def payoff(spot: Any, strike: Any, is_call: Any) -> Any:
        """Return the payoff at expiry."""
        return np.maximum(np.where(is_call, spot - strike, strike - spot), 0.0)

    @staticmethod
    def payoff_slope(spot: Any, strike: Any, is_call: Any) -> Any:
        """Return the derivative of the payoff by the price at expiry."""
        return np.where(is_call, 1.0 * (spot > strike), -1.0 * (spot < strike))

    implied_vol = lognormal_implied_vol

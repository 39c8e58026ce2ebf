"""European options on a forward or future."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.barbara import register_storable
from bank_python.dagger import Flag, Source, Term
from bank_python.instruments.checks import negative
from bank_python.instruments.declarations import Expiry
from bank_python.instruments.implied import lognormal_implied_vol
from bank_python.instruments.instrument import DatedInstrument, Lognormal
from bank_python.instruments.lookup import zero_rate
from bank_python.instruments.option import Option
from bank_python.instruments.vanilla import time_left
from bank_python.risk_models import black_scholes_price

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["ForwardOption"]


@register_storable
class ForwardOption(DatedInstrument):
    """A European call or put on a forward price, valued by Black's formula of 1976.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    forward_source : Node or float
        Forward or futures price.
    vol_source : Node or float
        Annual volatility of the forward price, as a decimal.
    rate_source : Node or float
        Discount rate per year, as a decimal, continuously compounded; or a curve, which gives the zero rate to expiry.
    strike : float
        Strike price, above 0, in `currency`.
    expiry : float, str or datetime.date
        Time to expiry in years from now, a tenor, or the expiry date (which needs a clock).
    is_call : bool, default True
        Whether the option is a call (true) or a put (false).
    currency : str, default "USD"
        ISO 4217 code of the currency of the value.
    clock_source : Clock or float, default 0.0
        Valuation clock, or a fixed valuation time in years.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

    References
    ----------
    F. Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976), 167-179.

    Examples
    --------
    >>> put = ForwardOption(
    ...     "CRUDE", forward_source=20, vol_source=0.25, rate_source=0.09, strike=20, expiry=4 / 12, is_call=False
    ... )
    >>> round(put.value, 2)  # Hull, Options, Futures, and Other Derivatives, example on crude oil futures
    1.12
    """

    record_tag = "ForwardOption"
    lowest_value: ClassVar[float] = 0.0
    simulated_as: ClassVar[Lognormal] = Lognormal(spot="forward", dividend="rate")

    forward: Source = Source("forward or futures price", alias="forward_source")
    vol: Source = Source("annual volatility of the forward, a decimal", alias="vol_source")
    rate: Source = Source("discount rate to expiry, continuously compounded", alias="rate_source", lookup=zero_rate)
    strike: Term = Term("strike price", positive=True)
    expiry: Expiry = Expiry("years from the creation of the contract")
    is_call: Flag = Flag("1 for a call, 0 for a put", default=True)

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any, forward: Any, vol: Any, rate: Any, made_at: Any, strike: Any, expiry: Any, is_call: Any
    ) -> Any:
        # A forward has no cost of carry: its yield equals the rate.
        return black_scholes_price(forward, strike, time_left(expiry, clock, made_at), rate, vol, rate, is_call)

    @staticmethod
    def payoff(forward: Any, strike: Any, is_call: Any) -> Any:
        """Return the payoff at expiry."""
        return Option.payoff(forward, strike, is_call)

    @staticmethod
    def payoff_slope(forward: Any, strike: Any, is_call: Any) -> Any:
        """Return the derivative of the payoff by the price at expiry."""
        return Option.payoff_slope(forward, strike, is_call)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Return which input is out of range, in words."""
        return negative(inputs, "forward", "vol") or super().diagnose(inputs)

    implied_vol = lognormal_implied_vol

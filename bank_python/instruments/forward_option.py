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
        Unique in the graph.
    forward_source : Node or float
        The forward or futures price.
    vol_source : Node or float
        Its volatility, a decimal for a year.
    rate_source : Node or float
        Discount rate, continuously compounded; or a curve, which is asked for the one to expiry.
    strike : float
        Above zero, in `currency`.
    expiry : float or datetime.date
        Years from now, or the date (which needs a clock).
    is_call : bool, default True
        Call or put.
    currency : str, default "USD"
        ISO 4217 code.
    clock_source : Clock or float, default 0.0
        The valuation time.

    Raises
    ------
    InstrumentError
        A term makes no sense; the message names it.

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
    vol: Source = Source("volatility of the forward, a decimal for a year", alias="vol_source")
    rate: Source = Source("discount rate to expiry, continuously compounded", alias="rate_source", lookup=zero_rate)
    strike: Term = Term("strike price", positive=True)
    expiry: Expiry = Expiry("years from the making of the contract")
    is_call: Flag = Flag("1 for a call, 0 for a put", default=True)

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any, forward: Any, vol: Any, rate: Any, made_at: Any, strike: Any, expiry: Any, is_call: Any
    ) -> Any:
        # A forward costs nothing to carry: its yield is the rate itself.
        return black_scholes_price(forward, strike, time_left(expiry, clock, made_at), rate, vol, rate, is_call)

    @staticmethod
    def payoff(forward: Any, strike: Any, is_call: Any) -> Any:
        """Return what is paid at expiry."""
        return Option.payoff(forward, strike, is_call)

    @staticmethod
    def payoff_slope(forward: Any, strike: Any, is_call: Any) -> Any:
        """Return how what is paid moves with the price."""
        return Option.payoff_slope(forward, strike, is_call)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Say which input is out of range."""
        return negative(inputs, "forward", "vol") or super().diagnose(inputs)

    implied_vol = lognormal_implied_vol

"""European options on a forward or future."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.barbara import register_storable
from bank_python.dagger import Source, Term
from bank_python.instruments.answer import ask
from bank_python.instruments.instrument import DatedInstrument, end_on, negative, positive, years_to
from bank_python.instruments.vanilla import time_left
from bank_python.risk_models import black_scholes_price

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from typing import Any

    from bank_python.dagger import Node
    from bank_python.market_data import Clock

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
    asked_terms: ClassVar[frozenset[str]] = frozenset({"expiry", "made_at"})

    forward = Source("forward or futures price")
    vol = Source("volatility of the forward, a decimal for a year")
    rate = Source("discount rate to expiry, continuously compounded")
    strike = Term("strike price")
    expiry = Term("years from the making of the contract")
    is_call = Term("1 for a call, 0 for a put")

    def __init__(
        self,
        name: str,
        *,
        forward_source: Node | float,
        vol_source: Node | float,
        rate_source: Node | float,
        strike: float,
        expiry: float | dt.date,
        is_call: bool = True,
        currency: str = "USD",
        clock_source: Clock | float = 0.0,
    ) -> None:
        terms = {
            "strike": positive(name, "strike", strike),
            "expiry": years_to(name, "expiry", expiry, clock_source),
            "is_call": float(bool(is_call)),
        }
        rate = ask("zero_rate", rate_source, clock_source, end_on(clock_source, terms["expiry"]))
        sources = {"forward": forward_source, "vol": vol_source, "rate": rate}
        super().__init__(name, sources, terms, currency, clock_source)

    @staticmethod
    def price(  # noqa: D102 - documented by ArrayNode
        clock: Any, forward: Any, vol: Any, rate: Any, made_at: Any, strike: Any, expiry: Any, is_call: Any
    ) -> Any:
        # A forward costs nothing to carry: its yield is the rate itself.
        return black_scholes_price(forward, strike, time_left(expiry, clock, made_at), rate, vol, rate, is_call)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Say which input is out of range."""
        return negative(inputs, "forward", "vol") or super().diagnose(inputs)

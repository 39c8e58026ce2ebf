"""What calls and puts on a spot share: market inputs, terms, and how they are made of what a desk gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.dagger import Source, Term
from bank_python.instruments.answer import ask
from bank_python.instruments.instrument import DatedInstrument, end_on, negative, positive, years_to

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from typing import Any

    from bank_python.dagger import Node
    from bank_python.market_data import Clock

__all__ = ["VanillaOption", "time_left"]


class VanillaOption(DatedInstrument):
    """A call or put on a spot that pays a yield; :class:`Option` and :class:`AmericanOption` say how it is priced."""

    asked_terms: ClassVar[frozenset[str]] = frozenset({"strike", "expiry", "made_at"})

    spot = Source("price of the underlying")
    vol = Source("volatility, a decimal for a year")
    rate = Source("rate to expiry, continuously compounded")
    dividend = Source("dividend yield, continuously compounded")
    strike = Term("strike price")
    expiry = Term("years from the making of the contract")
    is_call = Term("1 for a call, 0 for a put")

    def __init__(
        self,
        name: str,
        *,
        spot_source: Node | float,
        vol_source: Node | float,
        rate_source: Node | float,
        strike: float,
        expiry: float | dt.date,
        is_call: bool,
        dividend_source: Node | float,
        currency: str,
        clock_source: Clock | float,
        **more: float,
    ) -> None:
        terms = {
            "strike": positive(name, "strike", strike),
            "expiry": years_to(name, "expiry", expiry, clock_source),
            "is_call": float(bool(is_call)),
        }
        end = end_on(clock_source, terms["expiry"])
        rate = ask("zero_rate", rate_source, clock_source, end)
        dividend = ask("zero_rate", dividend_source, clock_source, end)
        vol = ask("surface_vol", vol_source, spot_source, rate, dividend, clock_source, terms["strike"], end)
        sources = {"spot": spot_source, "vol": vol, "rate": rate, "dividend": dividend}
        super().__init__(name, sources, {**terms, **more}, currency, clock_source)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Say which input is out of range."""
        return negative(inputs, "spot", "vol") or super().diagnose(inputs)


def time_left(expiry: Any, clock: Any, made_at: Any) -> Any:
    """Return the years to expiry; an expired option is worth what it was worth at expiry."""
    return np.maximum(expiry - (clock - made_at), 0.0)

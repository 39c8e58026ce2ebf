"""What calls and puts on a spot share: market inputs and terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.dagger import Flag, Source, Term
from bank_python.instruments.checks import negative
from bank_python.instruments.declarations import Expiry
from bank_python.instruments.instrument import DatedInstrument
from bank_python.instruments.lookup import zero_rate
from bank_python.instruments.vol_surface import surface_vol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["VanillaOption", "time_left"]


class VanillaOption(DatedInstrument):
    """A call or put on a spot that pays a yield; :class:`Option` and :class:`AmericanOption` say how it is priced."""

    lowest_value: ClassVar[float] = 0.0

    spot: Source = Source("price of the underlying", alias="spot_source")
    vol: Source = Source("volatility, a decimal for a year", alias="vol_source", lookup=surface_vol)
    rate: Source = Source("rate to expiry, continuously compounded", alias="rate_source", lookup=zero_rate)
    dividend: Source = Source(
        "dividend yield, continuously compounded", alias="dividend_source", default=0.0, lookup=zero_rate
    )
    strike: Term = Term("strike price", positive=True)
    expiry: Expiry = Expiry("years from the making of the contract")
    is_call: Flag = Flag("1 for a call, 0 for a put", default=True)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Say which input is out of range."""
        return negative(inputs, "spot", "vol") or super().diagnose(inputs)


def time_left(expiry: Any, clock: Any, made_at: Any) -> Any:
    """Return the years to expiry; an expired option is worth what it was worth at expiry."""
    return np.maximum(expiry - (clock - made_at), 0.0)

"""Base class of calls and puts on a spot: market inputs and terms."""

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
    """A call or put on a spot that pays a yield; subclasses such as :class:`Option` define its price."""

    lowest_value: ClassVar[float] = 0.0

    spot: Source = Source("price of the underlying", alias="spot_source")
    vol: Source = Source("annual volatility, a decimal", alias="vol_source", lookup=surface_vol)
    rate: Source = Source("rate to expiry, continuously compounded", alias="rate_source", lookup=zero_rate)
    dividend: Source = Source(
        "dividend yield, continuously compounded", alias="dividend_source", default=0.0, lookup=zero_rate
    )
    strike: Term = Term("strike price", positive=True)
    expiry: Expiry = Expiry("years from the creation of the contract")
    is_call: Flag = Flag("1 for a call, 0 for a put", default=True)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Return which input is out of range, in words."""
        return negative(inputs, "spot", "vol") or super().diagnose(inputs)


def time_left(expiry: Any, clock: Any, made_at: Any) -> Any:
    """Return the years to expiry, 0 for an expired option, which keeps its value at expiry."""
    return np.maximum(expiry - (clock - made_at), 0.0)

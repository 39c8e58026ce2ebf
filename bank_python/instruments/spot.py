"""Things held for their own price: shares and currencies."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from bank_python.barbara import register_storable
from bank_python.dagger import Node, Source
from bank_python.errors import InstrumentError
from bank_python.instruments.factor import Factor
from bank_python.instruments.instrument import Instrument, known_currency

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self


__all__ = ["Equity", "FXRate"]


def _since_version_1(fields: Mapping[str, object], version: int) -> Mapping[str, object]:  # noqa: ARG001 - there is one
    sources = cast("Mapping[str, object]", fields["sources"])
    return {**fields, "sources": {**sources, "dividend": 0.0}}  # shares had no dividend yield


@partial(register_storable, upgrade=_since_version_1)
class Equity(Instrument):
    """One share (or one unit of an index fund or a coin).

    Parameters
    ----------
    name : str
        Unique in the graph.
    spot_source : Node or float
        Its price in `currency`.
    dividend_source : Node or float, default 0.0
        Its dividend yield, continuously compounded: what it brings beside its price, and what options on it rest on.
    sector : str, default ""
        For grouping.
    currency : str, default "USD"
        ISO 4217 code.

    Examples
    --------
    >>> Equity("AAPL", spot_source=190.0).value
    190.0
    """

    record_tag = "Equity"
    record_version = 2

    spot = Source("price of one share")
    dividend = Source("dividend yield, continuously compounded")

    def __init__(
        self,
        name: str,
        *,
        spot_source: Node | float,
        dividend_source: Node | float = 0.0,
        sector: str = "",
        currency: str = "USD",
    ) -> None:
        super().__init__(name, {"spot": spot_source, "dividend": dividend_source}, {}, currency)
        self.sector = sector

    @staticmethod
    def price(spot: Any, dividend: Any) -> Any:  # noqa: ARG004, D102 - dividends are cash beside the value; documented by ArrayNode
        return spot

    def income(self, years: float) -> float:
        """Return what dividends at the present price and yield bring in so many years."""
        sources = (self.spot, self.dividend)
        spot, dividend = (cast("float", source.value) if isinstance(source, Node) else source for source in sources)
        return spot * math.expm1(dividend * years)

    def to_record(self) -> Mapping[str, object]:
        """Return name, source, currency and sector."""
        return {**super().to_record(), "sector": self.sector}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the share from its stored fields."""
        contract = super().from_record({key: value for key, value in fields.items() if key != "sector"})
        contract.sector = str(fields["sector"])
        return contract


@register_storable
class FXRate(Instrument):
    """One unit of `base` currency, valued in `quote` currency.

    Parameters
    ----------
    name : str
        Unique in the graph; books find a pair by the name ``BASEQUOTE``, e.g. ``EURUSD``.
    rate_source : Node or float
        Units of `quote` for one unit of `base`.
    base, quote : str
        ISO 4217 codes.

    Raises
    ------
    InstrumentError
        A code is not one, or both are the same.

    Examples
    --------
    >>> FXRate("EURUSD", rate_source=1.1, base="EUR", quote="USD").value
    1.1
    """

    record_tag = "FXRate"

    factors: ClassVar[Mapping[str, Factor]] = {"rate": Factor.FX}

    rate = Source("units of quote currency for one unit of base currency")

    def __init__(self, name: str, *, rate_source: Node | float, base: str, quote: str) -> None:
        if base == quote:
            raise InstrumentError(f"{name}: base and quote are both {base!r}; a pair has two currencies", name=name)
        super().__init__(name, {"rate": rate_source}, {}, quote)
        self.base = known_currency(name, base)

    @property
    def quote(self) -> str:
        """The currency the rate is expressed in."""
        return self.currency

    @staticmethod
    def price(rate: Any) -> Any:  # noqa: D102 - documented by ArrayNode
        return rate

    def to_record(self) -> Mapping[str, object]:
        """Return name, source and the two currencies."""
        return {**super().to_record(), "base": self.base}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the pair from its stored fields."""
        contract = super().from_record({key: value for key, value in fields.items() if key != "base"})
        contract.base = str(fields["base"])
        return contract

"""Spot assets: shares and currencies."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from bank_python.barbara import register_storable
from bank_python.dagger import Node, Source
from bank_python.errors import InstrumentError
from bank_python.instruments.checks import known_currency, number
from bank_python.instruments.declarations import Label
from bank_python.instruments.factor import Factor
from bank_python.instruments.instrument import Instrument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


__all__ = ["Equity", "FXRate"]


def _since_version_1(fields: Mapping[str, object], version: int) -> Mapping[str, object]:  # noqa: ARG001 - there is only one older version
    sources = cast("Mapping[str, object]", fields["sources"])
    return {**fields, "sources": {**sources, "dividend": 0.0}}  # version 1 had no dividend yield


@partial(register_storable, upgrade=_since_version_1)
class Equity(Instrument):
    """One share, or one unit of an index fund or a coin.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source : Node or float
        Price of one share, in `currency`.
    dividend_source : Node or float, default 0.0
        Dividend yield per year, as a decimal, continuously compounded. The price does not depend on it; options on the
        share and :meth:`income` do.
    sector : str, default ""
        Sector name by which stress tests and reports group shares.
    currency : str, default "USD"
        ISO 4217 code of the currency of the value.

    Examples
    --------
    >>> Equity("AAPL", spot_source=190.0).value
    190.0
    """

    record_tag = "Equity"
    lowest_value: ClassVar[float] = 0.0
    record_version = 2

    quote_source: ClassVar[str] = "spot"

    spot: Source = Source("price of one share", alias="spot_source")
    dividend: Source = Source(
        "dividend yield, continuously compounded", alias="dividend_source", default=0.0, priced=False
    )
    sector: Label = Label("sector by which shares are grouped", default="")

    @staticmethod
    def price(spot: Any) -> Any:  # noqa: D102 - documented by Contract
        return spot  # dividends are cash flows, not part of the value

    def income(self, years: float) -> float:
        """Return the dividends of `years` years at the current price and yield."""
        sources = (self.spot, self.dividend)
        spot, dividend = (cast("float", source.value) if isinstance(source, Node) else source for source in sources)
        return spot * math.expm1(dividend * years)


@register_storable
class FXRate(Instrument):
    """One unit of `base` currency, valued in `quote` currency.

    Parameters
    ----------
    name : str
        Node name, unique in its graph; books find a pair by the name ``BASEQUOTE``, such as ``EURUSD``.
    rate_source : Node or float
        Exchange rate: units of `quote` per unit of `base`.
    base, quote : str
        ISO 4217 codes of the two currencies.

    Raises
    ------
    InstrumentError
        A code is invalid, or both are the same.

    Examples
    --------
    >>> FXRate("EURUSD", rate_source=1.1, base="EUR", quote="USD").value
    1.1
    """

    record_tag = "FXRate"
    lowest_value: ClassVar[float] = 0.0

    quote_source: ClassVar[str] = "rate"
    quoted_as: ClassVar[Factor | None] = Factor.FX

    rate: Source = Source("units of quote currency for one unit of base currency", alias="rate_source", kind=Factor.FX)
    base: Label = Label("ISO 4217 code of the base currency", check=known_currency)
    currency: Label = Label("ISO 4217 code of the quote currency", alias="quote", check=known_currency)

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:  # noqa: ARG003 - the signature of the base class
        """Raise an error if both currencies are the same."""
        base = arguments["base"]
        if base == arguments["quote"]:
            raise InstrumentError(f"{name}: base and quote are both {base!r}; a pair has two currencies", name=name)

    @property
    def quote(self) -> str:
        """Quote currency, in which the rate is expressed."""
        return self.currency

    def convert(self, amount: float, from_currency: str) -> float:
        """Return an amount of one of the pair's currencies, converted to the other at the current rate.

        Parameters
        ----------
        amount : float
            Amount to convert, finite.
        from_currency : str
            Currency of `amount`: the base or the quote currency.

        Raises
        ------
        InstrumentError
            The pair does not have that currency, the amount is not a finite number, or the rate is 0 and the conversion
            divides by it.

        Examples
        --------
        >>> pair = FXRate("EURUSD", rate_source=1.25, base="EUR", quote="USD")
        >>> pair.convert(100.0, "EUR"), pair.convert(100.0, "USD")
        (125.0, 80.0)
        """
        units = number(amount)
        if not math.isfinite(units):
            raise InstrumentError(f"{self.name}: amount={amount!r} is not a finite number; correct it", name=self.name)
        if from_currency not in {self.base, self.quote}:
            raise InstrumentError(
                f"{self.name} converts {self.base} and {self.quote}, not {from_currency!r}; use a pair that "
                "has this currency",
                name=self.name,
            )
        rate = self.value
        if from_currency == self.base:
            return units * rate
        if rate == 0.0:
            raise InstrumentError(
                f"{self.name} is 0, so {self.quote} cannot be converted to {self.base}", name=self.name
            )
        return units / rate

    @staticmethod
    def price(rate: Any) -> Any:  # noqa: D102 - documented by Contract
        return rate

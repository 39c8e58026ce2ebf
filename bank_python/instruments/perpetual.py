"""Perpetual futures, as traded on crypto exchanges."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, cast

from bank_python.barbara import register_storable
from bank_python.dagger import Flag, Node, Source, Term
from bank_python.instruments.checks import present
from bank_python.instruments.instrument import Instrument
from bank_python.risk_models.perpetual import funding_payment, perpetual_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["PerpetualFuture"]

_HOURS_A_YEAR = 365.0 * 24.0
_TOLERANCE = 1e-6  # share of a funding interval: times are differences of floats


def _since_version_1(fields: Mapping[str, object], version: int) -> Mapping[str, object]:  # noqa: ARG001 - there is only one older version
    sources = cast("Mapping[str, object]", fields["sources"])
    return {**fields, "sources": {**sources, "clock": 0.0}}  # version 1 had no clock


@partial(register_storable, upgrade=_since_version_1)
class PerpetualFuture(Instrument):
    """A long position in one contract of a perpetual future: unrealised P&L and funding.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    mark_source : Node or float
        Mark price of the exchange.
    entry_price : float
        Price at which the contract was entered, above 0.
    funding_source : Node or float, default 0.0
        Funding rate of the next interval, as a decimal; long positions pay it when positive.
    contract_size : float, default 1.0
        Size of one contract in units of the underlying (linear) or of the quote currency (inverse).
    is_inverse : bool, default False
        Whether the contract is settled in the underlying.
    funding_hours : float, default 8.0
        Hours between funding times, above 0.
    currency : str, default "USD"
        Settlement currency: ISO 4217 code of the quote currency, or the underlying's code if inverse.
    clock_source : Clock or float, default 0.0
        Valuation clock: funding is due every `funding_hours` from midnight of its first day. With a fixed time no
        funding is paid.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

    Examples
    --------
    >>> terms = {"mark_source": 61_000, "funding_source": 1e-4, "contract_size": 0.1}
    >>> perp = PerpetualFuture("BTC_PERP", entry_price=60_000, **terms)
    >>> perp.value, round(perp.next_funding, 9), round(perp.carry, 4)
    (100.0, -0.61, -0.1095)
    """

    record_tag = "PerpetualFuture"
    record_version = 2

    mark: Source = Source("mark price", alias="mark_source")
    funding: Source = Source(
        "funding rate of the next interval, a decimal", alias="funding_source", default=0.0, priced=False
    )
    entry_price: Term = Term("price at entry", positive=True)
    contract_size: Term = Term(
        "units of the underlying, or of the quote currency if inverse", positive=True, default=1.0
    )
    is_inverse: Flag = Flag("1 if the contract is settled in the underlying", default=False)
    funding_hours: Term = Term("hours between funding times", positive=True, default=8.0, priced=False)
    clock: Source = Source(
        "valuation time in years: a Clock, or a number for a fixed time",
        alias="clock_source",
        default=0.0,
        priced=False,
    )

    @staticmethod
    def price(mark: Any, entry_price: Any, contract_size: Any, is_inverse: Any) -> Any:  # noqa: D102 - documented by Contract
        # Funding is a cash flow, not part of the value.
        return perpetual_value(mark, entry_price, contract_size, is_inverse)

    @property
    def next_funding(self) -> float:
        """Cash received at the next funding time; negative if the long position pays."""
        return self._funding(present)

    def cash_flow(self, since: float, until: float, read: Callable[[Node | float], float]) -> float:
        """Return the funding due after `since` and up to `until`, all at the current mark price and funding rate."""
        if not isinstance(self.clock, Node):
            return 0.0
        passed = [math.floor(years * _HOURS_A_YEAR / self.funding_hours + _TOLERANCE) for years in (since, until)]
        return (passed[1] - passed[0]) * self._funding(read)

    def _funding(self, read: Callable[[Node | float], float]) -> float:
        mark, rate = read(self.mark), read(self.funding)
        return cast("float", funding_payment(mark, rate, self.contract_size, self.is_inverse))

    @property
    def carry(self) -> float:
        """Annual carry from funding at the current rate, as a share of the position's notional."""
        return -present(self.funding) * _HOURS_A_YEAR / self.funding_hours

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Return which input is out of range, in words."""
        if not inputs["mark"] > 0.0:
            return f"mark={inputs['mark']!r} is not above zero"
        return super().diagnose(inputs)

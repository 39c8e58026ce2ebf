"""Perpetual futures, as crypto exchanges trade them."""

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
_ON_TIME = 1e-6  # of an interval: times are differences of floats


def _since_version_1(fields: Mapping[str, object], version: int) -> Mapping[str, object]:  # noqa: ARG001 - there is one
    sources = cast("Mapping[str, object]", fields["sources"])
    return {**fields, "sources": {**sources, "clock": 0.0}}  # perpetuals knew no time


@partial(register_storable, upgrade=_since_version_1)
class PerpetualFuture(Instrument):
    """One contract of a perpetual future held long: its unrealised P&L, and its funding.

    Parameters
    ----------
    name : str
        Unique in the graph.
    mark_source : Node or float
        The mark price.
    entry_price : float
        At which it was entered, above zero.
    funding_source : Node or float, default 0.0
        The funding rate of the next interval, a decimal; longs pay it when positive.
    contract_size : float, default 1.0
        Units of the underlying (linear), or of the quote currency (inverse).
    is_inverse : bool, default False
        Whether it settles in the underlying.
    funding_hours : float, default 8.0
        Hours between funding times.
    currency : str, default "USD"
        In which it settles: the quote currency, or the underlying's code if inverse.
    clock_source : Clock or float, default 0.0
        The valuation time: as it passes, funding falls due every `funding_hours` from midnight of its first day. With a
        number time stands still, and no funding is paid.

    Raises
    ------
    InstrumentError
        A term makes no sense; the message names it.

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
    is_inverse: Flag = Flag("1 if it settles in the underlying", default=False)
    funding_hours: Term = Term("hours between funding times", positive=True, default=8.0, priced=False)
    clock: Source = Source(
        "valuation time in years; a Clock, or a number for a clock that stands still",
        alias="clock_source",
        default=0.0,
        priced=False,
    )

    @staticmethod
    def price(mark: Any, entry_price: Any, contract_size: Any, is_inverse: Any) -> Any:  # noqa: D102 - documented by Contract
        return perpetual_value(mark, entry_price, contract_size, is_inverse)  # funding is cash beside the value

    @property
    def next_funding(self) -> float:
        """The cash that the contract brings at the next funding time; negative when a long pays."""
        return self._funding(present)

    def cash_flow(self, since: float, until: float, read: Callable[[Node | float], float]) -> float:
        """Return the funding of all funding times after `since` and not after `until`, at the mark and rate of now."""
        if not isinstance(self.clock, Node):
            return 0.0
        passed = [math.floor(years * _HOURS_A_YEAR / self.funding_hours + _ON_TIME) for years in (since, until)]
        return (passed[1] - passed[0]) * self._funding(read)

    def _funding(self, read: Callable[[Node | float], float]) -> float:
        mark, rate = read(self.mark), read(self.funding)
        return cast("float", funding_payment(mark, rate, self.contract_size, self.is_inverse))

    @property
    def carry(self) -> float:
        """What funding at the present rate would bring in a year, as a share of the position."""
        return -present(self.funding) * _HOURS_A_YEAR / self.funding_hours

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Say which input is out of range."""
        if not inputs["mark"] > 0.0:
            return f"mark={inputs['mark']!r} is not above zero"
        return super().diagnose(inputs)

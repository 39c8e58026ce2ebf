"""Credit default swaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.barbara import register_storable
from bank_python.dagger import Source, Term
from bank_python.errors import InstrumentError
from bank_python.instruments.instrument import DatedInstrument, finite, years_to
from bank_python.risk_models import cds_value

if TYPE_CHECKING:
    import datetime as dt
    from typing import Any

    from bank_python.dagger import Node
    from bank_python.market_data import Clock

__all__ = ["CreditDefaultSwap"]


@register_storable
class CreditDefaultSwap(DatedInstrument):
    """Protection bought on a name, valued with a flat hazard rate.

    Parameters
    ----------
    name : str
        Unique in the graph.
    spread_source : Node or float
        The par spread, a decimal a year.
    rate_source : Node or float
        The flat discount rate, continuously compounded.
    notional : float
        Protected amount, in `currency`; a negative one is protection sold.
    coupon : float, default 0.01
        Running premium, a decimal a year.
    maturity : float or datetime.date, default 5.0
        Years from now, or the date (which needs a clock).
    recovery : float, default 0.4
        Recovered share of the notional, in [0, 1).
    currency : str, default "USD"
        ISO 4217 code.
    clock_source : Clock or float, default 0.0
        The valuation time.

    Raises
    ------
    InstrumentError
        A term makes no sense; the message names it.

    Examples
    --------
    >>> CreditDefaultSwap("F_5Y", spread_source=0.01, rate_source=0.03, notional=1e6).value
    0.0
    """

    record_tag = "CreditDefaultSwap"

    spread = Source("par spread, a decimal a year")
    rate = Source("flat discount rate, continuously compounded")
    notional = Term("protected amount, in the swap's currency")
    coupon = Term("running premium, a decimal a year")
    maturity = Term("years from the making of the contract")
    recovery = Term("recovered share of the notional")

    def __init__(
        self,
        name: str,
        *,
        spread_source: Node | float,
        rate_source: Node | float,
        notional: float,
        coupon: float = 0.01,
        maturity: float | dt.date = 5.0,
        recovery: float = 0.4,
        currency: str = "USD",
        clock_source: Clock | float = 0.0,
    ) -> None:
        if not 0.0 <= recovery < 1.0:
            raise InstrumentError(f"{name}: recovery={recovery!r} is not a share in [0, 1); 0.4 is usual", name=name)
        terms = {
            "notional": finite(name, "notional", notional),
            "coupon": finite(name, "coupon", coupon),
            "maturity": years_to(name, "maturity", maturity, clock_source),
            "recovery": recovery,
        }
        super().__init__(name, {"spread": spread_source, "rate": rate_source}, terms, currency, clock_source)

    @staticmethod
    def price(  # noqa: D102 - documented by ArrayNode
        clock: Any, spread: Any, rate: Any, made_at: Any, notional: Any, coupon: Any, maturity: Any, recovery: Any
    ) -> Any:
        return cds_value(spread, rate, notional, coupon, maturity, recovery, clock - made_at)

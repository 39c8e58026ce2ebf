"""Credit default swaps.

A swap is valued by one flat spread and one flat rate. Where a market has curves instead, the swap asks them: the
credit curve for the spread, the discount curve for the rate, under which it is worth what the two curves say
(:mod:`bank_python.risk_models.cds_equivalents`). So one formula values all swaps, in one call.

Examples
--------
>>> swap = CreditDefaultSwap("F_5Y", spread_source=0.02, rate_source=0.03, notional=10e6)
>>> analytics = swap.analytics()
>>> round(analytics.upfront), round(analytics.cs01), round(analytics.jump_to_default)
(432550, 4151, 5567450)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.barbara import register_storable
from bank_python.dagger import Node, Source, Term
from bank_python.errors import InstrumentError
from bank_python.instruments.answer import ask, question
from bank_python.instruments.instrument import DatedInstrument, end_on, finite, present, years_to
from bank_python.risk_models.cds import cds_value
from bank_python.risk_models.cds_analytics import CdsAnalytics, cds_analytics
from bank_python.risk_models.cds_equivalents import cds_flat_rate, cds_quoted_spread
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.survival import SurvivalCurve

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from typing import Any

    from bank_python.market_data import Clock

__all__ = ["CreditDefaultSwap", "flat_rate", "quoted_spread"]


@register_storable
class CreditDefaultSwap(DatedInstrument):
    """Protection bought on a name, valued by the ISDA standard model in years, without accrued premium.

    Parameters
    ----------
    name : str
        Unique in the graph.
    spread_source : Node or float
        The par spread, a decimal a year; or a credit curve, which is asked for the equivalent one.
    rate_source : Node or float
        The flat discount rate, continuously compounded; or a discount curve, which is asked for the
        equivalent one.
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
    asked_terms: ClassVar[frozenset[str]] = frozenset({"coupon", "maturity", "recovery", "made_at"})

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
        end = end_on(clock_source, terms["maturity"])
        contract = (clock_source, end, terms["coupon"], recovery)
        spread = ask("cds_quoted_spread", spread_source, rate_source, *contract)
        rate = ask("cds_flat_rate", rate_source, spread, clock_source, end, recovery)
        super().__init__(name, {"spread": spread, "rate": rate}, terms, currency, clock_source)

    @staticmethod
    def price(  # noqa: D102 - documented by ArrayNode
        clock: Any, spread: Any, rate: Any, made_at: Any, notional: Any, coupon: Any, maturity: Any, recovery: Any
    ) -> Any:
        return cds_value(spread, rate, notional, coupon, maturity, recovery, clock - made_at)

    def analytics(self) -> CdsAnalytics:
        """Return the swap's price and sensitivities for the present market.

        The par spread of a swap on a credit curve is its equivalent quoted spread, and its sensitivities are to
        that spread and to the equivalent flat rate.

        Raises
        ------
        BankError
            The swap has no value; as reading it would raise.
        """
        _ = self.value
        terms = self.terms
        spread, rate, clock = (present(source) for source in (self.spread, self.rate, self.clock))
        return cds_analytics(
            spread,
            rate,
            terms["notional"],
            terms["coupon"],
            terms["maturity"],
            terms["recovery"],
            clock - terms["made_at"],
        )

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Say which input is out of range."""
        if not inputs["spread"] >= 0.0:
            return f"spread={inputs['spread']!r} is negative"
        if not 0.0 <= inputs["recovery"] < 1.0:
            return f"recovery={inputs['recovery']!r} is not a share in [0, 1)"
        return super().diagnose(inputs)


@question("cds_quoted_spread", of=SurvivalCurve)
def quoted_spread(
    survival: SurvivalCurve, discount: float | Curve, now: float, end: float, coupon: float, recovery: float
) -> float:
    """Return the spread that values a swap until `end` as the curve does; times as the clock reads, in years."""
    return cds_quoted_spread(survival, discount, end - now, coupon, recovery) if now < end else 0.0


@question("cds_flat_rate", of=Curve)
def flat_rate(discount: Curve, spread: float, now: float, end: float, recovery: float) -> float:
    """Return the flat rate that values swaps until `end` as the curve does; times as the clock reads, in years."""
    return cds_flat_rate(discount, spread, end - now, recovery) if now < end else 0.0

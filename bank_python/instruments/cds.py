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

from typing import TYPE_CHECKING

from bank_python.barbara import register_storable
from bank_python.dagger import Source, Term
from bank_python.instruments.checks import present
from bank_python.instruments.declarations import Expiry
from bank_python.instruments.instrument import DatedInstrument
from bank_python.instruments.lookup import Lookup, question
from bank_python.risk_models.cash_paid import cds_premium_paid
from bank_python.risk_models.cds import cds_value
from bank_python.risk_models.cds_analytics import CdsAnalytics, cds_analytics
from bank_python.risk_models.cds_equivalents import cds_flat_rate, cds_quoted_spread
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.survival import SurvivalCurve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["CreditDefaultSwap", "flat_rate", "quoted_spread"]


@question("cds_quoted_spread", of=SurvivalCurve)
def quoted_spread(
    survival: SurvivalCurve, discount: float | Curve, clock: float, end: float, coupon: float, recovery: float
) -> float:
    """Return the spread that values a swap until `end` as the curve does; times as the clock reads, in years."""
    return cds_quoted_spread(survival, discount, end - clock, coupon, recovery) if clock < end else 0.0


@question("cds_flat_rate", of=Curve)
def flat_rate(discount: Curve, spread: float, clock: float, end: float, recovery: float) -> float:
    """Return the flat rate that values swaps until `end` as the curve does; times as the clock reads, in years."""
    return cds_flat_rate(discount, spread, end - clock, recovery) if clock < end else 0.0


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

    spread: Source = Source(
        "par spread, a decimal a year", alias="spread_source", lookup=Lookup(quoted_spread, discount="rate_source")
    )
    rate: Source = Source("flat discount rate, continuously compounded", alias="rate_source", lookup=flat_rate)
    notional: Term = Term("protected amount, in the swap's currency")
    coupon: Term = Term("running premium, a decimal a year", default=0.01)
    maturity: Expiry = Expiry("years from the making of the contract", default=5.0)
    recovery: Term = Term(
        "recovered share of the notional",
        default=0.4,
        at_least=0.0,
        below=1.0,
        says="is not a share in [0, 1); 0.4 is usual",
    )

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any, spread: Any, rate: Any, made_at: Any, notional: Any, coupon: Any, maturity: Any, recovery: Any
    ) -> Any:
        return cds_value(spread, rate, notional, coupon, maturity, recovery, clock - made_at)

    @staticmethod
    def paid(clock: Any, made_at: Any, notional: Any, coupon: Any, maturity: Any) -> Any:
        """Return the cash that the swap has paid by now: minus the premiums, to the buyer of protection."""
        return -cds_premium_paid(notional, coupon, maturity, clock - made_at)

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

"""Credit default swaps.

A swap is valued by one flat spread and one flat rate. Given curves instead, it looks up an equivalent spread from the
credit curve and an equivalent rate from the discount curve, at which its value is that on the two curves
(:mod:`bank_python.risk_models.cds_equivalents`). So one formula values all swaps in one call.

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
from bank_python.instruments.lookup import Lookup, lookup_function
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


@lookup_function("cds_quoted_spread", of=SurvivalCurve)
def quoted_spread(
    survival: SurvivalCurve, discount: float | Curve, clock: float, end: float, coupon: float, recovery: float
) -> float:
    """Return the flat spread at which a swap until `end` has its value on the curves; clock times are in years."""
    return cds_quoted_spread(survival, discount, end - clock, coupon, recovery) if clock < end else 0.0


@lookup_function("cds_flat_rate", of=Curve)
def flat_rate(discount: Curve, spread: float, clock: float, end: float, recovery: float) -> float:
    """Return the flat rate at which a swap until `end` has its value on the curve; clock times are in years."""
    return cds_flat_rate(discount, spread, end - clock, recovery) if clock < end else 0.0


@register_storable
class CreditDefaultSwap(DatedInstrument):
    """Protection bought on a name, valued by the ISDA standard model in years, without accrued premium.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spread_source : Node or float
        Par spread per year, as a decimal; or a credit curve, which gives the equivalent spread.
    rate_source : Node or float
        Flat discount rate per year, as a decimal, continuously compounded; or a discount curve, which gives the
        equivalent rate.
    notional : float
        Protected amount in `currency`, negative for protection sold.
    coupon : float, default 0.01
        Running premium per year, as a decimal fraction of the notional.
    maturity : float, str or datetime.date, default 5.0
        Time to maturity in years from now, a tenor, or the maturity date (which needs a clock).
    recovery : float, default 0.4
        Recovery rate, a share of the notional in [0, 1).
    currency : str, default "USD"
        ISO 4217 code of the currency of the value.
    clock_source : Clock or float, default 0.0
        Valuation clock, or a fixed valuation time in years.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

    Examples
    --------
    >>> CreditDefaultSwap("F_5Y", spread_source=0.01, rate_source=0.03, notional=1e6).value
    0.0
    """

    record_tag = "CreditDefaultSwap"

    spread: Source = Source(
        "par spread per year, a decimal", alias="spread_source", lookup=Lookup(quoted_spread, discount="rate_source")
    )
    rate: Source = Source("flat discount rate, continuously compounded", alias="rate_source", lookup=flat_rate)
    notional: Term = Term("protected amount, in the swap's currency")
    coupon: Term = Term("running premium per year, a decimal", default=0.01)
    maturity: Expiry = Expiry("years from the creation of the contract", default=5.0)
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
        """Return the cash that the swap has paid so far to the protection buyer: minus the premiums."""
        return -cds_premium_paid(notional, coupon, maturity, clock - made_at)

    def analytics(self) -> CdsAnalytics:
        """Return the swap's price and sensitivities in the current market.

        The par spread of a swap on a credit curve is its equivalent quoted spread; its sensitivities are to that spread
        and to the equivalent flat rate.

        Raises
        ------
        BankError
            The swap has no value; the error is that of :attr:`value`.
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
        """Return which input is out of range, in words."""
        if not inputs["spread"] >= 0.0:
            return f"spread={inputs['spread']!r} is negative"
        if not 0.0 <= inputs["recovery"] < 1.0:
            return f"recovery={inputs['recovery']!r} is not a share in [0, 1)"
        return super().diagnose(inputs)

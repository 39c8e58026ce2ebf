"""Fixed-coupon bonds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.barbara import register_storable
from bank_python.dagger import Inferred, Source, Term
from bank_python.instruments.checks import present
from bank_python.instruments.declarations import Expiry
from bank_python.instruments.instrument import DatedInstrument
from bank_python.instruments.lookup import lookup_function
from bank_python.risk_models import bond_price
from bank_python.risk_models.bond_analytics import BondAnalytics, bond_analytics
from bank_python.risk_models.cash_paid import bond_paid
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.curve_bonds import curve_yield
from bank_python.wording import OtherWord

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Bond"]


@lookup_function("bond_yield", of=Curve)
def yield_on_curve(
    curve: Curve,
    clock: float,
    made_at: float,
    maturity: float,
    coupon_rate: float,
    frequency: float,
    compounding: float,
) -> float:
    """Return the yield at which a bond is worth its value on the curve; clock times are in years."""
    return curve_yield(curve, coupon_rate, maturity, clock - made_at, frequency, compounding)


@register_storable
class Bond(DatedInstrument):
    """A bullet bond with fixed coupons, valued at a flat yield.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    rate_source : Node or float
        Yield per year, as a decimal, compounded `compounding` times a year; or a curve, which gives the yield
        equivalent to discounting the bond's cash flows on it.
    face : float
        Amount repaid at maturity, in `currency`.
    coupon_rate : float
        Annual coupon as a decimal fraction of `face`.
    maturity : float, str or datetime.date
        Time to maturity in years from now, a tenor, or the maturity date (which needs a clock).
    frequency : float, default 1.0
        Number of coupons per year: 1, 2, 4 or 12.
    compounding : float, optional
        Number of compounding periods of the yield per year, 0 for continuous compounding; by default `frequency`. Then
        a bond of five years with an annual coupon of 6 % at a yield of 5 % is worth 104.33.
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
    >>> round(Bond("VODA", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5).value, 4)
    104.3295
    """

    record_tag = "Bond"
    lowest_value: ClassVar[float] = 0.0

    rate: Source = Source("flat yield, a decimal", alias="rate_source", lookup=yield_on_curve)
    face: Term = Term("amount repaid at maturity, in the bond's currency")
    coupon_rate: Term = Term("annual coupon, a decimal of face")
    maturity: Expiry = Expiry("years from the creation of the contract")
    frequency: Term = Term(
        "coupons per year",
        default=1.0,
        among=(1.0, 2.0, 4.0, 12.0),
        says="is not an allowed number of coupons per year; choose 1, 2, 4 or 12",
    )
    compounding: Inferred = Inferred(
        "compounding periods of the yield per year; 0 is continuous", default=None, at_least=0.0
    )

    @classmethod
    def complete(
        cls,
        name: str,  # noqa: ARG003 - the signature of the base class
        arguments: dict[str, Any],  # noqa: ARG003 - as above
        terms: dict[str, float],
    ) -> None:
        """Set the default compounding frequency: that of the coupons."""
        terms.setdefault("compounding", terms["frequency"])

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any,
        rate: Any,
        made_at: Any,
        face: Any,
        coupon_rate: Any,
        maturity: Any,
        frequency: Any,
        compounding: Any,
    ) -> Any:
        return bond_price(rate, face, coupon_rate, maturity, clock - made_at, frequency, compounding)

    @staticmethod
    def paid(clock: Any, made_at: Any, face: Any, coupon_rate: Any, maturity: Any, frequency: Any) -> Any:
        """Return the cash that one bond has paid so far: coupons, and the face from maturity on."""
        return bond_paid(face, coupon_rate, maturity, clock - made_at, frequency)

    if not TYPE_CHECKING:
        duration, modified_duration, convexity, ytm, clean_price, accrued = (
            OtherWord(".analytics()") for _ in range(6)
        )

    def analytics(self) -> BondAnalytics:
        """Return dirty and clean price, yield, durations, convexity and DV01 in the current market.

        Raises
        ------
        BankError
            The bond has no value; the error gives the reason.

        Examples
        --------
        >>> figures = Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5).analytics()
        >>> round(figures.modified, 4), round(figures.dv01, 6), figures.accrued
        (4.2645, 0.044492, 0.0)
        """
        rate, clock = (present(source) for source in (self.rate, self.clock))
        terms = (self.face, self.coupon_rate, self.maturity, clock - self.made_at, self.frequency, self.compounding)
        return bond_analytics(rate, *terms)

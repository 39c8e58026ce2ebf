"""Fixed-coupon bonds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.barbara import register_storable
from bank_python.dagger import Source, Term
from bank_python.errors import InstrumentError
from bank_python.instruments.answer import ask, question
from bank_python.instruments.instrument import DatedInstrument, end_on, finite, present, years_to
from bank_python.risk_models import bond_price
from bank_python.risk_models.bond_analytics import BondAnalytics, bond_analytics
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.curve_bonds import curve_yield

if TYPE_CHECKING:
    import datetime as dt
    from typing import Any

    from bank_python.dagger import Node
    from bank_python.market_data import Clock

__all__ = ["Bond"]

_MOST_COUPONS = 12.0
_ASKED = ("maturity", "coupon_rate", "frequency", "compounding")


@register_storable
class Bond(DatedInstrument):
    """A bullet bond with fixed coupons, valued off a flat yield.

    Parameters
    ----------
    name : str
        Unique in the graph.
    rate_source : Node or float
        The yield, a decimal, compounded `compounding` times a year; or a curve, which is asked for the yield that
        values the bond's flows as it does.
    face : float
        Amount repaid at maturity, in `currency`.
    coupon_rate : float
        Annual coupon as a decimal of `face`.
    maturity : float or datetime.date
        Years from now, or the date (which needs a clock).
    frequency : float, default 1.0
        Coupons a year: 1, 2, 4 or 12.
    compounding : float, optional
        Compounding periods a year of the yield; 0 means continuous. By default as the coupons: then 6 %
        annual for five years at a yield of 5 % is worth 104.33.
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
    >>> round(Bond("VODA", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5).value, 4)
    104.3295
    """

    record_tag = "Bond"
    asked_terms: ClassVar[frozenset[str]] = frozenset({"made_at", *_ASKED})

    rate = Source("flat yield, a decimal")
    face = Term("amount repaid at maturity, in the bond's currency")
    coupon_rate = Term("annual coupon, a decimal of face")
    maturity = Term("years from the making of the contract")
    frequency = Term("coupons a year")
    compounding = Term("compounding periods a year of the yield; 0 is continuous")

    def __init__(
        self,
        name: str,
        *,
        rate_source: Node | float,
        face: float,
        coupon_rate: float,
        maturity: float | dt.date,
        frequency: float = 1.0,
        compounding: float | None = None,
        currency: str = "USD",
        clock_source: Clock | float = 0.0,
    ) -> None:
        if frequency not in {1.0, 2.0, 4.0, _MOST_COUPONS}:
            raise InstrumentError(f"{name}: frequency={frequency!r} coupons a year; choose 1, 2, 4 or 12", name=name)
        terms = {
            "face": finite(name, "face", face),
            "coupon_rate": finite(name, "coupon_rate", coupon_rate),
            "maturity": years_to(name, "maturity", maturity, clock_source),
            "frequency": frequency,
            "compounding": finite(name, "compounding", frequency if compounding is None else compounding, at_least=0.0),
        }
        asked = (clock_source, end_on(clock_source, 0.0), *(terms[key] for key in _ASKED))
        super().__init__(name, {"rate": ask("bond_yield", rate_source, *asked)}, terms, currency, clock_source)

    @staticmethod
    def price(  # noqa: D102 - documented by ArrayNode
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

    def analytics(self) -> BondAnalytics:
        """Return dirty and clean price, yield, durations, convexity and DV01, for the present market.

        Raises
        ------
        BankError
            The bond has no value; the error says why.

        Examples
        --------
        >>> figures = Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5).analytics()
        >>> round(figures.modified, 4), round(figures.dv01, 6), figures.accrued
        (4.2645, 0.044492, 0.0)
        """
        rate, clock = (present(source) for source in (self.rate, self.clock))
        terms = (self.face, self.coupon_rate, self.maturity, clock - self.made_at, self.frequency, self.compounding)
        return bond_analytics(rate, *terms)


@question("bond_yield", of=Curve)
def yield_on_curve(
    curve: Curve, now: float, made_at: float, maturity: float, coupon_rate: float, frequency: float, compounding: float
) -> float:
    """Return the yield that values a bond as the curve does; times as the clock reads, in years."""
    return curve_yield(curve, coupon_rate, maturity, now - made_at, frequency, compounding)

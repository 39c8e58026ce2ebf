"""Floating-rate notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bank_python.barbara import register_storable
from bank_python.dagger import Inferred, Source, Term
from bank_python.errors import BankError, InstrumentError
from bank_python.instruments.checks import present
from bank_python.instruments.declarations import Expiry
from bank_python.instruments.instrument import DatedInstrument
from bank_python.instruments.lookup import lookup_function
from bank_python.risk_models.bond_analytics import annuity_yield
from bank_python.risk_models.cash_paid import bond_paid
from bank_python.risk_models.curve import Curve, as_curve
from bank_python.risk_models.curve_bonds import curve_annuity, next_payment, par_fixing
from bank_python.risk_models.floating import floating_price

if TYPE_CHECKING:
    from typing import Any

    from bank_python.dagger import Node

__all__ = ["FREQUENCIES", "PAYMENTS", "FloatingBond", "first_fixing", "reset_rate"]

FREQUENCIES = (1.0, 2.0, 4.0, 12.0)
"""Allowed numbers of payments per year."""
PAYMENTS = "is not an allowed number of payments per year; choose 1, 2, 4 or 12"
"""Error text for any other number."""


@lookup_function("reset_rate", of=Curve)
def reset_rate(curve: Curve, clock: float, made_at: float, maturity: float, frequency: float) -> float:
    """Return the zero rate to the next payment of a floating leg; clock times are in years."""
    return float(curve.zero_rate(next_payment(maturity, clock - made_at, frequency)))


@lookup_function("annuity_yield", of=Curve)
def yield_of_annuity(curve: Curve, clock: float, made_at: float, maturity: float, frequency: float) -> float:
    """Return the yield at which an annuity to maturity has its value on the curve; clock times are in years."""
    terms = (maturity, clock - made_at, frequency)
    value = curve_annuity(curve, *terms)
    return cast("float", annuity_yield(value, *terms)) if value else 0.0


def first_fixing(name: str, rate_source: Node | float, years: float, frequency: float) -> float:
    """Return the fixing of the first floating payment from the current rate or curve.

    Raises
    ------
    InstrumentError
        The rate has no value yet.
    """
    try:
        curve = as_curve(present(rate_source))
    except BankError as error:
        message = f"{name}: the rate for the first fixing is not quoted yet; quote it, or give current_fixing="
        raise InstrumentError(message, name=name) from error
    return par_fixing(curve, years, frequency=frequency)


@register_storable
class FloatingBond(DatedInstrument):
    """A floating-rate note: it pays the floating rate of its curve plus a margin.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    rate_source : Node or float
        Flat rate per year, as a decimal, continuously compounded; or a curve, which gives the zero rate to the next
        payment and the yield equivalent to discounting the margin on it.
    face : float
        Amount repaid at maturity, in `currency`.
    maturity : float, str or datetime.date
        Time to maturity in years from now, a tenor, or the maturity date (which needs a clock).
    margin : float, default 0.0
        Margin over the floating rate per year, as a decimal.
    frequency : float, default 4.0
        Number of payments per year: 1, 2, 4 or 12.
    current_fixing : float, optional
        Simple rate of the current payment period per year, as a decimal; by default fixed at the current rate.
    currency : str, default "USD"
        ISO 4217 code of the currency of the value.
    clock_source : Clock or float, default 0.0
        Valuation clock, or a fixed valuation time in years.

    Raises
    ------
    InstrumentError
        A term is out of range, or the rate for the first fixing is not quoted yet; the message says which.

    Notes
    -----
    When the clock passes a payment date, set the fixing of the next period: ``note.amend(current_fixing=...)``.

    Examples
    --------
    >>> note = FloatingBond("FRN", rate_source=0.03, face=100, maturity=5)
    >>> round(note.value, 9), round(note.current_fixing, 6)
    (100.0, 0.030113)
    """

    record_tag = "FloatingBond"

    short_rate: Source = Source(
        "zero rate to the next payment, continuously compounded", alias="rate_source", init=False, lookup=reset_rate
    )
    rate: Source = Source(
        "yield at which the margin is valued, continuously compounded", alias="rate_source", lookup=yield_of_annuity
    )
    face: Term = Term("amount repaid at maturity, in the note's currency")
    margin: Term = Term("margin over the floating rate per year, a decimal", default=0.0)
    current_fixing: Inferred = Inferred("simple rate of the current payment period", default=None)
    maturity: Expiry = Expiry("years from the creation of the contract")
    frequency: Term = Term("payments per year", default=4.0, among=FREQUENCIES, says=PAYMENTS)

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:
        """Set the default fixing of the first payment, from the current rate."""
        if "current_fixing" not in terms:
            rate = arguments["rate_source"]
            terms["current_fixing"] = first_fixing(name, rate, terms["maturity"], terms["frequency"])

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any,
        short_rate: Any,
        rate: Any,
        made_at: Any,
        face: Any,
        margin: Any,
        current_fixing: Any,
        maturity: Any,
        frequency: Any,
    ) -> Any:
        return floating_price(
            short_rate, rate, face, margin, maturity, clock - made_at, frequency, current_fixing=current_fixing
        )

    @staticmethod
    def paid(
        clock: Any, made_at: Any, face: Any, margin: Any, current_fixing: Any, maturity: Any, frequency: Any
    ) -> Any:
        """Return the cash that one note has paid so far: payments, all at the current fixing, and the face."""
        return bond_paid(face, current_fixing + margin, maturity, clock - made_at, frequency)

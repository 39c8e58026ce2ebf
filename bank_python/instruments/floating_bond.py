"""Floating-rate notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bank_python.barbara import register_storable
from bank_python.dagger import Inferred, Source, Term
from bank_python.errors import BankError, InstrumentError
from bank_python.instruments.checks import present
from bank_python.instruments.declarations import Expiry
from bank_python.instruments.instrument import DatedInstrument
from bank_python.instruments.lookup import question
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
"""Payments a year that contracts may have."""
PAYMENTS = "payments a year; choose 1, 2, 4 or 12"
"""What an error says of any other number."""


@question("reset_rate", of=Curve)
def reset_rate(curve: Curve, clock: float, made_at: float, maturity: float, frequency: float) -> float:
    """Return the zero rate to a leg's next payment; times as the clock reads, in years."""
    return float(curve.zero_rate(next_payment(maturity, clock - made_at, frequency)))


@question("annuity_yield", of=Curve)
def yield_of_annuity(curve: Curve, clock: float, made_at: float, maturity: float, frequency: float) -> float:
    """Return the yield that values equal payments until maturity as the curve does; times as the clock reads."""
    terms = (maturity, clock - made_at, frequency)
    value = curve_annuity(curve, *terms)
    return cast("float", annuity_yield(value, *terms)) if value else 0.0


def first_fixing(name: str, rate_source: Node | float, years: float, frequency: float) -> float:
    """Return the rate of the first floating payment as the present rate or curve fixes it.

    Raises
    ------
    InstrumentError
        The rate has no value to fix at.
    """
    try:
        curve = as_curve(present(rate_source))
    except BankError as error:
        message = f"{name}: there is no rate yet to fix the first payment at; quote it, or give current_fixing="
        raise InstrumentError(message, name=name) from error
    return par_fixing(curve, years, frequency=frequency)


@register_storable
class FloatingBond(DatedInstrument):
    """A note that pays the floating rate of its curve and a margin.

    Parameters
    ----------
    name : str
        Unique in the graph.
    rate_source : Node or float
        Flat rate, continuously compounded; or a curve, which is asked for the zero rate to the next payment and for the
        yield that values the margin as it does.
    face : float
        Amount repaid at maturity, in `currency`.
    maturity : float or datetime.date
        Years from now, or the date (which needs a clock).
    margin : float, default 0.0
        Over the floating rate, a decimal a year.
    frequency : float, default 4.0
        Payments a year: 1, 2, 4 or 12.
    current_fixing : float, optional
        The simple rate of the payment under way, a decimal a year; by default fixed now, at the present rate.
    currency : str, default "USD"
        ISO 4217 code.
    clock_source : Clock or float, default 0.0
        The valuation time.

    Raises
    ------
    InstrumentError
        A term makes no sense, or there is no rate yet to fix at; the message says which.

    Notes
    -----
    When the clock passes a payment, say what the next one was fixed at: ``note.amend(current_fixing=...)``.

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
        "yield that values the margin, continuously compounded", alias="rate_source", lookup=yield_of_annuity
    )
    face: Term = Term("amount repaid at maturity, in the note's currency")
    margin: Term = Term("over the floating rate, a decimal a year", default=0.0)
    current_fixing: Inferred = Inferred("simple rate of the payment under way", default=None)
    maturity: Expiry = Expiry("years from the making of the contract")
    frequency: Term = Term("payments a year", default=4.0, among=FREQUENCIES, says=PAYMENTS)

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:
        """Fix the first payment at the present rate, unless told otherwise."""
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
        """Return the cash that one note has paid by now, payments at the present fixing, and the face."""
        return bond_paid(face, current_fixing + margin, maturity, clock - made_at, frequency)

"""Floating-rate notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from bank_python.barbara import register_storable
from bank_python.dagger import Source, Term
from bank_python.errors import BankError, InstrumentError
from bank_python.instruments.answer import ask, question
from bank_python.instruments.instrument import DatedInstrument, end_on, finite, present, years_to
from bank_python.risk_models.bond_analytics import annuity_yield
from bank_python.risk_models.curve import Curve, as_curve
from bank_python.risk_models.curve_bonds import curve_annuity, next_payment, par_fixing
from bank_python.risk_models.floating import floating_price

if TYPE_CHECKING:
    import datetime as dt
    from typing import Any

    from bank_python.dagger import Node
    from bank_python.market_data import Clock

__all__ = ["FREQUENCIES", "FloatingBond", "first_fixing", "known_frequency"]

FREQUENCIES = (1.0, 2.0, 4.0, 12.0)
"""Payments a year that contracts may have."""


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
    asked_terms: ClassVar[frozenset[str]] = frozenset({"made_at", "maturity", "frequency"})

    short_rate = Source("zero rate to the next payment, continuously compounded")
    rate = Source("yield that values the margin, continuously compounded")
    face = Term("amount repaid at maturity, in the note's currency")
    margin = Term("over the floating rate, a decimal a year")
    current_fixing = Term("simple rate of the payment under way")
    maturity = Term("years from the making of the contract")
    frequency = Term("payments a year")

    def __init__(
        self,
        name: str,
        *,
        rate_source: Node | float,
        face: float,
        maturity: float | dt.date,
        margin: float = 0.0,
        frequency: float = 4.0,
        current_fixing: float | None = None,
        currency: str = "USD",
        clock_source: Clock | float = 0.0,
    ) -> None:
        years = years_to(name, "maturity", maturity, clock_source)
        often = known_frequency(name, "frequency", frequency)
        terms = {
            "face": finite(name, "face", face),
            "margin": finite(name, "margin", margin),
            "current_fixing": first_fixing(name, current_fixing, rate_source, years, often),
            "maturity": years,
            "frequency": often,
        }
        made_at = end_on(clock_source, 0.0)
        sources = {
            "short_rate": ask("reset_rate", rate_source, clock_source, made_at, years, often),
            "rate": ask("annuity_yield", rate_source, clock_source, made_at, years, often),
        }
        super().__init__(name, sources, terms, currency, clock_source)

    @staticmethod
    def price(  # noqa: D102 - documented by ArrayNode
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
        return floating_price(short_rate, rate, face, margin, current_fixing, maturity, clock - made_at, frequency)


@question("reset_rate", of=Curve)
def reset_rate(curve: Curve, now: float, made_at: float, maturity: float, frequency: float) -> float:
    """Return the zero rate to a leg's next payment; times as the clock reads, in years."""
    return float(curve.zero_rate(next_payment(maturity, now - made_at, frequency)))


@question("annuity_yield", of=Curve)
def yield_of_annuity(curve: Curve, now: float, made_at: float, maturity: float, frequency: float) -> float:
    """Return the yield that values equal payments until maturity as the curve does; times as the clock reads."""
    terms = (maturity, now - made_at, frequency)
    value = curve_annuity(curve, *terms)
    return cast("float", annuity_yield(value, *terms)) if value else 0.0


def first_fixing(name: str, given: float | None, rate_source: Node | float, years: float, frequency: float) -> float:
    """Return the rate of the first floating payment: as given, or as the present rate or curve fixes it.

    Raises
    ------
    InstrumentError
        It is not a finite number, or the rate has no value to fix at.
    """
    if given is not None:
        return finite(name, "current_fixing", given)
    try:
        curve = as_curve(present(rate_source))
    except BankError as error:
        message = f"{name}: there is no rate yet to fix the first payment at; quote it, or give current_fixing="
        raise InstrumentError(message, name=name) from error
    return par_fixing(curve, years, frequency=frequency)


def known_frequency(name: str, term: str, frequency: float) -> float:
    """Return `frequency` if contracts may have so many payments a year.

    Raises
    ------
    InstrumentError
        They may not.
    """
    if frequency not in FREQUENCIES:
        raise InstrumentError(f"{name}: {term}={frequency!r} payments a year; choose 1, 2, 4 or 12", name=name)
    return float(frequency)

"""Interest-rate swaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bank_python.barbara import register_storable
from bank_python.dagger import Inferred, Node, Source, Term
from bank_python.instruments.bond import yield_on_curve
from bank_python.instruments.checks import present
from bank_python.instruments.declarations import Argument, Expiry
from bank_python.instruments.floating_bond import FREQUENCIES, PAYMENTS, first_fixing, reset_rate
from bank_python.instruments.instrument import DatedInstrument
from bank_python.instruments.lookup import Answer, Lookup
from bank_python.risk_models.bond_analytics import BASIS_POINT
from bank_python.risk_models.cash_paid import bond_paid
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.curve_bonds import curve_annuity, par_swap_rate, swap_value_on_curve
from bank_python.risk_models.floating import swap_value

if TYPE_CHECKING:
    from typing import Any

__all__ = ["InterestRateSwap"]


@register_storable
class InterestRateSwap(DatedInstrument):
    """Fixed against floating, projected and discounted on one curve.

    Parameters
    ----------
    name : str
        Unique in the graph.
    rate_source : Node or float
        Flat rate, continuously compounded; or a curve, which is asked for the zero rate to the next floating payment
        and for the yield that values the fixed leg as it does.
    notional : float
        In `currency`.
    fixed_rate : float
        A decimal a year.
    maturity : float or datetime.date
        Years from now, or the date (which needs a clock).
    pay_fixed : bool, default True
        Whether fixed is paid and floating received.
    fixed_frequency, floating_frequency : float, default 2.0 and 4.0
        Payments a year: 1, 2, 4 or 12.
    current_fixing : float, optional
        The simple rate of the floating payment under way; by default fixed now, at the present rate.
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
    When the clock passes a floating payment, say what the next one was fixed at: ``swap.amend(current_fixing=...)``.

    Examples
    --------
    >>> swap = InterestRateSwap("IRS", rate_source=0.03, notional=1e6, fixed_rate=0.03, maturity=5)
    >>> round(swap.value, 2), round(swap.par_rate, 6), round(swap.dv01, 2)
    (1042.08, 0.030226, 442.4)
    """

    record_tag = "InterestRateSwap"

    short_rate: Source = Source(
        "zero rate to the next floating payment, continuously compounded",
        alias="rate_source",
        init=False,
        lookup=Lookup(reset_rate, frequency="floating_frequency"),
    )
    rate: Source = Source(
        "yield of the fixed leg with its notional, continuously compounded",
        alias="rate_source",
        lookup=Lookup(yield_on_curve, coupon_rate="fixed_rate", frequency="fixed_frequency", compounding=0.0),
    )
    notional: Term = Term("in the swap's currency; negative receives fixed")
    pay_fixed: Argument[bool] = Argument("whether fixed is paid and floating received", hint=bool, default=True)
    fixed_rate: Term = Term("fixed rate, a decimal a year")
    current_fixing: Inferred = Inferred("simple rate of the floating payment under way", default=None)
    maturity: Expiry = Expiry("years from the making of the contract")
    fixed_frequency: Term = Term("fixed payments a year", default=2.0, among=FREQUENCIES, says=PAYMENTS)
    floating_frequency: Term = Term("floating payments a year", default=4.0, among=FREQUENCIES, says=PAYMENTS)

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:
        """Turn the notional by the side, and fix the first payment at the present rate, unless told otherwise."""
        if not arguments["pay_fixed"]:
            terms["notional"] *= -1.0
        if "current_fixing" not in terms:
            rate = arguments["rate_source"]
            terms["current_fixing"] = first_fixing(name, rate, terms["maturity"], terms["floating_frequency"])

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any,
        short_rate: Any,
        rate: Any,
        made_at: Any,
        notional: Any,
        fixed_rate: Any,
        current_fixing: Any,
        maturity: Any,
        fixed_frequency: Any,
        floating_frequency: Any,
    ) -> Any:
        gone = clock - made_at
        legs = (fixed_frequency, floating_frequency)
        return swap_value(short_rate, rate, notional, fixed_rate, maturity, gone, *legs, current_fixing=current_fixing)

    @staticmethod
    def paid(
        clock: Any,
        made_at: Any,
        notional: Any,
        fixed_rate: Any,
        current_fixing: Any,
        maturity: Any,
        fixed_frequency: Any,
        floating_frequency: Any,
    ) -> Any:
        """Return the cash that the swap has paid by now: floating, at the present fixing, less fixed."""
        gone = clock - made_at  # the face, in both legs, cancels
        floating = bond_paid(notional, current_fixing, maturity, gone, floating_frequency)
        return floating - bond_paid(notional, fixed_rate, maturity, gone, fixed_frequency)

    @property
    def elapsed(self) -> float:
        """Years since the swap was made."""
        return present(self.clock) - self.made_at

    @property
    def par_rate(self) -> float:
        """The fixed rate at which the swap would be worth nothing now."""
        legs = (self.fixed_frequency, self.floating_frequency, self.current_fixing)
        return par_swap_rate(self._curve(), self.maturity, self.elapsed, *legs)

    @property
    def annuity(self) -> float:
        """What 1 a year on the fixed leg's dates is worth, for a notional of 1."""
        return curve_annuity(self._curve(), self.maturity, self.elapsed, self.fixed_frequency)

    @property
    def dv01(self) -> float:
        """Change of the value when all zero rates rise by a basis point."""
        curve = self._curve()
        legs = (self.fixed_frequency, self.floating_frequency, self.current_fixing)
        terms = (self.notional, self.fixed_rate, self.maturity, self.elapsed, *legs)
        return swap_value_on_curve(curve.shifted(BASIS_POINT), *terms) - swap_value_on_curve(curve, *terms)

    def _curve(self) -> Curve:
        if isinstance(self.rate, Answer):
            return cast("Curve", cast("Node", self.rate.arguments[0]).value)
        return Curve.flat(present(self.rate))

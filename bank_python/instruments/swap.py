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
from bank_python.instruments.lookup import Lookup, LookupNode
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
    """A fixed-for-floating interest-rate swap, projected and discounted on one curve.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    rate_source : Node or float
        Flat rate per year, as a decimal, continuously compounded; or a curve, which gives the zero rate to the next
        floating payment and the yield equivalent to discounting the fixed leg on it.
    notional : float
        Notional amount, in `currency`.
    fixed_rate : float
        Fixed rate per year, as a decimal.
    maturity : float, str or datetime.date
        Time to maturity in years from now, a tenor, or the maturity date (which needs a clock).
    pay_fixed : bool, default True
        Whether the fixed leg is paid (true) or received (false).
    fixed_frequency, floating_frequency : float, default 2.0 and 4.0
        Number of payments per year of each leg: 1, 2, 4 or 12.
    current_fixing : float, optional
        Simple rate of the current floating period per year, as a decimal; by default fixed at the current rate.
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
    When the clock passes a floating payment date, set the next fixing: ``swap.amend(current_fixing=...)``.

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
    notional: Term = Term("notional amount in the swap's currency, negative to receive fixed")
    pay_fixed: Argument[bool] = Argument("whether fixed is paid and floating received", hint=bool, default=True)
    fixed_rate: Term = Term("fixed rate per year, a decimal")
    current_fixing: Inferred = Inferred("simple rate of the current floating period", default=None)
    maturity: Expiry = Expiry("years from the creation of the contract")
    fixed_frequency: Term = Term("fixed payments per year", default=2.0, among=FREQUENCIES, says=PAYMENTS)
    floating_frequency: Term = Term("floating payments per year", default=4.0, among=FREQUENCIES, says=PAYMENTS)

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:
        """Set the notional's sign by the side, and the default fixing of the first payment."""
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
        elapsed = clock - made_at
        legs = (fixed_frequency, floating_frequency)
        return swap_value(
            short_rate, rate, notional, fixed_rate, maturity, elapsed, *legs, current_fixing=current_fixing
        )

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
        """Return the cash that the swap has paid so far: floating at the current fixing, less fixed."""
        elapsed = clock - made_at  # the notional, in both legs, cancels
        floating = bond_paid(notional, current_fixing, maturity, elapsed, floating_frequency)
        return floating - bond_paid(notional, fixed_rate, maturity, elapsed, fixed_frequency)

    @property
    def elapsed(self) -> float:
        """Years since the creation of the swap."""
        return present(self.clock) - self.made_at

    @property
    def par_rate(self) -> float:
        """Fixed rate at which the swap's current value would be 0."""
        legs = (self.fixed_frequency, self.floating_frequency, self.current_fixing)
        return par_swap_rate(self._curve(), self.maturity, self.elapsed, *legs)

    @property
    def annuity(self) -> float:
        """Value of payments of 1 per year on the fixed leg's dates."""
        return curve_annuity(self._curve(), self.maturity, self.elapsed, self.fixed_frequency)

    @property
    def dv01(self) -> float:
        """Change of the value when all zero rates rise by a basis point."""
        curve = self._curve()
        legs = (self.fixed_frequency, self.floating_frequency, self.current_fixing)
        terms = (self.notional, self.fixed_rate, self.maturity, self.elapsed, *legs)
        return swap_value_on_curve(curve.shifted(BASIS_POINT), *terms) - swap_value_on_curve(curve, *terms)

    def _curve(self) -> Curve:
        if isinstance(self.rate, LookupNode):
            return cast("Curve", cast("Node", self.rate.arguments[0]).value)
        return Curve.flat(present(self.rate))

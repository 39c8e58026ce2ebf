"""Options that a barrier brings to life, or ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.barbara import register_storable
from bank_python.dagger import Flag, Term
from bank_python.instruments.vanilla import VanillaOption, time_left
from bank_python.risk_models.barrier import barrier_price

if TYPE_CHECKING:
    from typing import Any

__all__ = ["BarrierOption"]


@register_storable
class BarrierOption(VanillaOption):
    """A European option with one barrier, watched continuously, valued by Reiner and Rubinstein's formulas.

    Parameters
    ----------
    name : str
        Unique in the graph.
    spot_source, vol_source, rate_source, dividend_source : Node or float
        As for :class:`~bank_python.instruments.option.Option`; a surface or curve too.
    strike : float
        Above zero, in `currency`.
    barrier : float
        Level that knocks the option in or out, above zero, in `currency`.
    is_up : bool
        Whether the barrier is reached from below (up) or from above (down).
    expiry : float or datetime.date
        Years from now, or the date (which needs a clock).
    is_call : bool, default True
        Call or put.
    is_in : bool, default False
        Whether the option begins (knock-in) or ends (knock-out) when the barrier is reached.
    rebate : float, default 0.0
        Amount paid when a knock-out is reached, or at expiry if a knock-in has not been, in `currency`.
    touched : bool, default False
        Whether the barrier has been reached before now.
    currency : str, default "USD"
        ISO 4217 code.
    clock_source : Clock or float, default 0.0
        The valuation time.

    Raises
    ------
    InstrumentError
        A term makes no sense; the message names it.

    Notes
    -----
    A spot at the barrier or beyond it counts as reaching it now. That it has been there remains to be said, or the
    option comes back to life when the spot does: ``option.amend(touched=True)``. Scenarios of risk look at the price at
    their end, not at the way there.

    Examples
    --------
    >>> terms = {"spot_source": 100.0, "vol_source": 0.25, "rate_source": 0.08, "dividend_source": 0.04}
    >>> option = BarrierOption("B", strike=90, barrier=95, is_up=False, expiry=0.5, rebate=3.0, **terms)
    >>> round(option.value, 4)  # Haug, The Complete Guide to Option Pricing Formulas, table 4-13
    9.0246
    >>> option.amend(touched=True)
    >>> option.value
    0.0
    """

    record_tag = "BarrierOption"

    barrier: Term = Term("level that knocks the option in or out", positive=True)
    is_up: Flag = Flag("1 if the barrier is reached from below, 0 from above")
    is_in: Flag = Flag("1 if the barrier brings the option to life, 0 if it ends it", default=False)
    rebate: Term = Term("amount paid if the option does not come to life, or is ended", default=0.0)
    touched: Flag = Flag("1 if the barrier has been reached before now", default=False)

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        spot: Any,
        strike: Any,
        barrier: Any,
        vol: Any,
        rate: Any,
        dividend: Any,
        is_call: Any,
        is_up: Any,
        is_in: Any,
        rebate: Any,
        touched: Any,
        expiry: Any,
        clock: Any,
        made_at: Any,
    ) -> Any:
        left = time_left(expiry, clock, made_at)
        return barrier_price(
            spot,
            strike,
            left,
            rate,
            vol,
            dividend,
            is_call,
            barrier=barrier,
            is_up=is_up,
            is_in=is_in,
            rebate=rebate,
            touched=touched,
        )

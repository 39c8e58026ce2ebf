"""Barrier options: knock-in and knock-out."""

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
    """A European option with one barrier, monitored continuously, valued by Reiner and Rubinstein's formulas.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source, vol_source, rate_source, dividend_source : Node or float
        Spot price, volatility, rate and dividend yield, or a surface or curves, as for
        :class:`~bank_python.instruments.option.Option`.
    strike : float
        Strike price, above 0, in `currency`.
    barrier : float
        Level that knocks the option in or out, above zero, in `currency`.
    is_up : bool
        Whether the barrier is reached from below (up, true) or from above (down, false).
    expiry : float, str or datetime.date
        Time to expiry in years from now, a tenor, or the expiry date (which needs a clock).
    is_call : bool, default True
        Whether the option is a call (true) or a put (false).
    is_in : bool, default False
        Whether the option comes into existence (knock-in, true) or ceases to exist (knock-out, false) when the barrier
        is reached.
    rebate : float, default 0.0
        Rebate in `currency`, paid when a knock-out barrier is reached, or at expiry if a knock-in barrier was not.
    touched : bool, default False
        Whether the barrier has been reached in the past.
    currency : str, default "USD"
        ISO 4217 code of the currency of the value.
    clock_source : Clock or float, default 0.0
        Valuation clock, or a fixed valuation time in years.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

    Notes
    -----
    A spot at or beyond the barrier counts as reaching it now. The option does not record that the barrier was reached:
    set ``option.amend(touched=True)``, or a knock-out revives when the spot returns. Risk scenarios check the barrier
    at the scenario's final price only, not along the path.

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
    is_in: Flag = Flag("1 for a knock-in, 0 for a knock-out", default=False)
    rebate: Term = Term("amount paid if a knock-in barrier is not reached, or a knock-out barrier is", default=0.0)
    touched: Flag = Flag("1 if the barrier has been reached in the past", default=False)

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

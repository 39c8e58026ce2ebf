"""American options on a spot, such as single-name options listed on US exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.barbara import register_storable
from bank_python.dagger import Term
from bank_python.instruments.implied import searched_implied_vol
from bank_python.instruments.vanilla import VanillaOption, time_left
from bank_python.risk_models.leisen_reimer import american_greeks, american_price

if TYPE_CHECKING:
    from typing import Any

    from bank_python.risk_models import Greeks

__all__ = ["AmericanOption"]

_FEWEST, _MOST = 3, 100_001


@register_storable
class AmericanOption(VanillaOption):
    """A call or put that may be exercised at any time, valued on Leisen and Reimer's tree.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source, vol_source, rate_source, dividend_source : Node or float
        Spot price, volatility, rate and dividend yield, or a surface or curves, as for
        :class:`~bank_python.instruments.option.Option`.
    strike : float
        Strike price, above 0, in `currency`.
    expiry : float, str or datetime.date
        Time to expiry in years from now, a tenor, or the expiry date (which needs a clock).
    is_call : bool, default True
        Whether the option is a call (true) or a put (false).
    steps : int, default 101
        Number of steps of the tree, from 3 to 100,001.
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
    >>> terms = {"spot_source": 90.0, "vol_source": 0.2, "rate_source": 0.05, "strike": 100.0, "expiry": 0.5}
    >>> put = AmericanOption("P", is_call=False, **terms)
    >>> round(put.value, 2)
    10.66
    """

    record_tag = "AmericanOption"

    steps: Term = Term(
        "number of steps of the tree",
        default=101,
        whole=True,
        at_least=_FEWEST,
        at_most=_MOST,
        says=f"is not a number of steps of the tree; give a whole number from {_FEWEST} to {_MOST}",
    )

    @staticmethod
    def price(  # noqa: D102 - documented by Contract
        clock: Any,
        spot: Any,
        vol: Any,
        rate: Any,
        dividend: Any,
        made_at: Any,
        strike: Any,
        expiry: Any,
        is_call: Any,
        steps: Any,
    ) -> Any:
        left = time_left(expiry, clock, made_at)
        return american_price(spot, strike, left, rate, vol, dividend, is_call, steps=steps)

    @staticmethod
    def price_and_greeks(
        clock: Any,
        spot: Any,
        vol: Any,
        rate: Any,
        dividend: Any,
        made_at: Any,
        strike: Any,
        expiry: Any,
        is_call: Any,
        steps: Any,
    ) -> Greeks:
        """Return price and Greeks; see :func:`~bank_python.risk_models.leisen_reimer.american_greeks`."""
        left = time_left(expiry, clock, made_at)
        return american_greeks(spot, strike, left, rate, vol, dividend, is_call, steps=steps)

    implied_vol = searched_implied_vol

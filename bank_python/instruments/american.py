"""American options on a spot: single-name options as US exchanges list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.barbara import register_storable
from bank_python.dagger import Term
from bank_python.errors import InstrumentError
from bank_python.instruments.vanilla import VanillaOption, time_left
from bank_python.risk_models.leisen_reimer import american_greeks, american_price

if TYPE_CHECKING:
    import datetime as dt
    from typing import Any

    from bank_python.dagger import Node
    from bank_python.market_data import Clock
    from bank_python.risk_models import Greeks

__all__ = ["AmericanOption"]

_FEWEST, _MOST = 3, 100_001


@register_storable
class AmericanOption(VanillaOption):
    """A call or put that may be exercised at any time, valued on Leisen and Reimer's tree.

    Parameters
    ----------
    name : str
        Unique in the graph.
    spot_source, vol_source, rate_source, dividend_source : Node or float
        As for :class:`~bank_python.instruments.option.Option`; a surface or curve too.
    strike : float
        Above zero, in `currency`.
    expiry : float or datetime.date
        Years from now, or the date (which needs a clock).
    is_call : bool, default True
        Call or put.
    steps : int, default 101
        Of the tree, at least 3.
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
    >>> terms = {"spot_source": 90.0, "vol_source": 0.2, "rate_source": 0.05, "strike": 100.0, "expiry": 0.5}
    >>> put = AmericanOption("P", is_call=False, **terms)
    >>> round(put.value, 2)
    10.66
    """

    record_tag = "AmericanOption"

    steps = Term("steps of the tree")

    def __init__(
        self,
        name: str,
        *,
        spot_source: Node | float,
        vol_source: Node | float,
        rate_source: Node | float,
        strike: float,
        expiry: float | dt.date,
        is_call: bool = True,
        dividend_source: Node | float = 0.0,
        steps: int = 101,
        currency: str = "USD",
        clock_source: Clock | float = 0.0,
    ) -> None:
        if not isinstance(steps, int) or not _FEWEST <= steps <= _MOST:  # type: ignore[redundant-expr]
            raise InstrumentError(f"{name}: steps={steps!r} of the tree; give a whole number from {_FEWEST} to {_MOST}")
        super().__init__(
            name,
            spot_source=spot_source,
            vol_source=vol_source,
            rate_source=rate_source,
            strike=strike,
            expiry=expiry,
            is_call=is_call,
            dividend_source=dividend_source,
            currency=currency,
            clock_source=clock_source,
            steps=float(steps),
        )

    @staticmethod
    def price(  # noqa: D102 - documented by ArrayNode
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
    def greeks(
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

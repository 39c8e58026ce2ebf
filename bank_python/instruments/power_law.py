"""Far out-of-the-money options priced by power-law scaling from one traded option."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.barbara import register_storable
from bank_python.dagger import Flag, Source, Term
from bank_python.instruments.factor import Factor
from bank_python.instruments.instrument import Instrument
from bank_python.risk_models import power_law_price

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["PowerLawOption"]


@register_storable
class PowerLawOption(Instrument):
    """A far out-of-the-money option, priced by scaling the price of a traded option nearer to the spot.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source : Node or float
        Spot price of the underlying.
    anchor_source : Node or float
        Price of the traded option with strike `anchor_strike`.
    anchor_strike, strike : float
        Strikes of the traded option and of this one, above the spot for calls and below it for puts.
    alpha : float
        Tail index of the price distribution, above 1.
    is_call : bool, default True
        Whether the option is a call (true) or a put (false).
    currency : str, default "USD"
        ISO 4217 code of the currency of the value.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

    Examples
    --------
    >>> PowerLawOption("T", spot_source=100, anchor_source=4.0, anchor_strike=110, strike=120, alpha=3).value
    1.0
    """

    record_tag = "PowerLawOption"
    lowest_value: ClassVar[float] = 0.0

    spot: Source = Source("spot price", alias="spot_source")
    anchor: Source = Source("price of the option at the anchor strike", alias="anchor_source", kind=Factor.VOL)
    anchor_strike: Term = Term("strike of the traded option", positive=True)
    strike: Term = Term("strike of this option", positive=True)
    alpha: Term = Term("tail index", above=1.0, says=": a finite mean needs a tail index above 1")
    is_call: Flag = Flag("1 for a call, 0 for a put", default=True)

    @staticmethod
    def price(spot: Any, anchor: Any, anchor_strike: Any, strike: Any, alpha: Any, is_call: Any) -> Any:  # noqa: D102 - documented by Contract
        return power_law_price(
            spot, strike, anchor_price=anchor, anchor_strike=anchor_strike, alpha=alpha, is_call=is_call
        )

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Return the reason for a missing price: the spot has crossed a strike."""
        side = "above" if inputs["is_call"] else "below"
        return (
            f"spot={inputs['spot']!r}, but power-law scaling holds with both strikes "
            f"({inputs['anchor_strike']:g} and {inputs['strike']:g}) {side} the spot"
        )

"""Far out-of-the-money options priced by power-law scaling from one traded option."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bank_python.barbara import register_storable
from bank_python.dagger import Flag, Inferred, Node, Source, Term
from bank_python.errors import InstrumentError
from bank_python.instruments.declarations import Argument
from bank_python.instruments.factor import Factor
from bank_python.instruments.instrument import Instrument
from bank_python.instruments.position import is_quoted
from bank_python.risk_models import power_law_price

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["PowerLawOption"]

_DEFAULT_PRICE = 5.0
_OUT = 0.05  # distance of the default anchor from the spot


@register_storable
class PowerLawOption(Instrument):
    """A far out-of-the-money option, priced by scaling the price of a traded option nearer to the spot.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source : Node or float
        Spot price of the underlying.
    anchor_source : Node or float, optional
        Price of the traded option with strike `anchor_strike`; a node, so that the value follows the market.
    anchor_strike : float, optional
        Strike of the traded option, above the spot for calls and below it for puts; by default 5 % away from the spot
        at the time of the contract's creation.
    strike : float, default 100.0
        Strike of this option, on the same side of the spot.
    alpha : float, default 3.0
        Tail index of the price distribution, above 1.
    is_call : bool, default True
        Whether the option is a call (true) or a put (false).
    anchor_price : float, default 5.0
        Price of the traded option where it is a constant, in place of `anchor_source`.
    currency : str, default "USD"
        ISO 4217 code of the currency of the value.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it. Or both `anchor_source` and `anchor_price` are given, or there is
        no spot yet from which the default `anchor_strike` could be found.

    Examples
    --------
    >>> PowerLawOption("T", spot_source=100, anchor_source=4.0, anchor_strike=110, strike=120, alpha=3).value
    1.0
    """

    record_tag = "PowerLawOption"
    lowest_value: ClassVar[float] = 0.0

    spot: Source = Source("spot price", alias="spot_source")
    anchor: Source = Source(
        "price of the option at the anchor strike", default=None, alias="anchor_source", kind=Factor.VOL
    )
    anchor_strike: Inferred = Inferred("strike of the traded option", default=None, positive=True)
    strike: Term = Term("strike of this option", positive=True, default=100.0)
    alpha: Term = Term("tail index", above=1.0, says=": a finite mean needs a tail index above 1", default=3.0)
    is_call: Flag = Flag("1 for a call, 0 for a put", default=True)
    anchor_price: Argument[float] = Argument(
        "constant price of the traded option, in place of a source", hint=float, default=_DEFAULT_PRICE
    )

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:
        """Set the price of the anchor, if it is a constant, and the default strike of the anchor."""
        if arguments["anchor_source"] is None:
            arguments["anchor_source"] = arguments["anchor_price"]
        elif arguments["anchor_price"] != _DEFAULT_PRICE:
            raise InstrumentError(
                f"{name}: anchor_source= and anchor_price= are both the price of the traded option; give one of them",
                name=name,
            )
        if "anchor_strike" not in terms:
            terms["anchor_strike"] = _default_strike(name, arguments["spot_source"], is_call=bool(terms["is_call"]))

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


def _default_strike(name: str, source: Node | float, *, is_call: bool) -> float:
    """Return a strike out of the money by a share of the present spot."""
    value: Any = source
    if isinstance(source, Node):
        value = source.value if is_quoted(source) and source.error is None else 0.0
    spot = float(value)
    if not spot > 0.0:
        raise InstrumentError(
            f"{name}: without a spot above 0 there is no default anchor_strike; quote the spot first, or give "
            "anchor_strike=",
            name=name,
        )
    return spot * (1.0 + _OUT if is_call else 1.0 - _OUT)

"""Checks of a trade's parameters: trader, instrument, quantity, price and multiplier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from bank_python.dagger import LargeNode, Leaf, Node, SumNode
from bank_python.errors import DeskError
from bank_python.instruments import Instrument, Position
from bank_python.instruments.cash_flows import has_ended
from bank_python.instruments.checks import number
from bank_python.instruments.currency import ConvertedSum
from bank_python.instruments.position import is_quoted

if TYPE_CHECKING:
    from bank_python.desk.trader import Trader, Traders

__all__ = ["checked_instrument", "checked_multiplier", "checked_price", "checked_quantity", "checked_trader"]


def checked_trader(traders: Traders, name: str) -> Trader:
    """Return the trader of a given name.

    Raises
    ------
    DeskError
        `name` is not a string, or there is no such trader.
    """
    given: Any = name
    if not isinstance(given, str):
        raise DeskError(f"trader={given!r} is not a name; the desk has {', '.join(traders.names)}", value=given)
    return traders[given]


def checked_instrument(node: Node) -> Node:
    """Return `node` if it can be traded: a contract, or a user-defined function that values one.

    Raises
    ------
    DeskError
        It is a quote, a clock, a position, a book or another total, or a contract that has ended.
    """
    if not isinstance(node, Node) or isinstance(node, Leaf | LargeNode | Position | SumNode | ConvertedSum):  # type: ignore[redundant-expr]  # untyped callers
        raise DeskError(
            f"{getattr(node, 'name', repr(node))} is a {type(node).__name__}, which cannot be traded; give a share, a "
            "coin, a currency pair or another contract",
            value=node,
        )
    if isinstance(node, Instrument) and has_ended(node):
        raise DeskError(f"{node.name} has ended and been settled; it can no longer be traded", name=node.name)
    return node


def checked_quantity(instrument: Node, quantity: object) -> float:
    """Return the quantity of a trade.

    Raises
    ------
    DeskError
        It is not a finite number, or 0.
    """
    units = number(quantity)
    if not math.isfinite(units) or units == 0.0:
        raise DeskError(
            f"a trade in {instrument.name} cannot have quantity={_brief(quantity)}; give a finite number of units "
            "other than 0, negative to sell",
            name=instrument.name,
            value=quantity,
        )
    return units


def checked_price(instrument: Node, price: object) -> float:
    """Return the price of a trade: the given one, or else the contract's current value.

    Raises
    ------
    DeskError
        It is not a finite number, or is below the lowest possible value of the contract.
    BankError
        The contract has no current value; the error says why.
    """
    unit_price = cast("float", instrument.value) if price is None else number(price)
    if price is None and not is_quoted(instrument):
        raise DeskError(
            f"{instrument.name} depends on a symbol that has had no quote yet; wait for one, or give price=",
            name=instrument.name,
        )
    lowest = instrument.lowest_value if isinstance(instrument, Instrument) else -math.inf
    if not math.isfinite(unit_price) or unit_price < lowest:
        bound = "" if lowest == -math.inf else f" of at least {lowest:g}"
        shown = _brief(price if price is not None else unit_price)
        raise DeskError(
            f"{instrument.name} cannot be traded at price={shown}; give a finite number{bound} for one unit",
            name=instrument.name,
            value=price,
        )
    return unit_price


def checked_multiplier(instrument: Node, position: Position | None, multiplier: object) -> float:
    """Return the multiplier of a trade: that of the position, or for a new position the given one, or else 1.

    Raises
    ------
    DeskError
        It is not a finite number above 0, or differs from that of the position.
    """
    if multiplier is None:
        return 1.0 if position is None else position.multiplier
    factor = number(multiplier)
    if not 0.0 < factor < math.inf:
        raise DeskError(
            f"a trade in {instrument.name} cannot have multiplier={_brief(multiplier)}; give a finite number above 0",
            name=instrument.name,
            value=multiplier,
        )
    if position is not None and factor != position.multiplier:
        raise DeskError(
            f"{position.name} has a multiplier of {position.multiplier:g}, not {factor:g}; leave multiplier= out",
            name=instrument.name,
            value=multiplier,
        )
    return factor


def _brief(value: object) -> str:
    """Return the repr of a value, shortened if it is long, such as that of an integer with hundreds of digits."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:12]}… ({len(text)} characters)"  # noqa: PLR2004 - fits a line

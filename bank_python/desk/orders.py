"""What a trade may be: of a contract, in a quantity that moves something, at a price that the contract can have."""

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
    """Return the trader of that name.

    Raises
    ------
    DeskError
        There is none, or it is no name.
    """
    given: Any = name
    if not isinstance(given, str):
        raise DeskError(f"trader={given!r} is no name; the desk has {', '.join(traders.names)}", value=given)
    return traders[given]


def checked_instrument(node: Node) -> Node:
    """Return `node` if it can change hands: a contract, or a function of one's own that values one.

    Raises
    ------
    DeskError
        It is a quote or a clock, a position, a book or another total; or it has ended.
    """
    if not isinstance(node, Node) or isinstance(node, Leaf | LargeNode | Position | SumNode | ConvertedSum):  # type: ignore[redundant-expr]  # untyped callers
        raise DeskError(
            f"{getattr(node, 'name', repr(node))} is a {type(node).__name__}, which nobody can trade; name a share, a "
            "coin, a currency pair or another contract",
            value=node,
        )
    if isinstance(node, Instrument) and has_ended(node):
        raise DeskError(f"{node.name} has ended and been settled; nobody can trade it any more", name=node.name)
    return node


def checked_quantity(instrument: Node, quantity: object) -> float:
    """Return the quantity of a trade.

    Raises
    ------
    DeskError
        It is no finite number, or 0.
    """
    units = number(quantity)
    if not math.isfinite(units) or units == 0.0:
        raise DeskError(
            f"a trade in {instrument.name} cannot be of quantity={_shown(quantity)}; give a finite number of units "
            "other than 0, negative to sell",
            name=instrument.name,
            value=quantity,
        )
    return units


def checked_price(instrument: Node, price: object) -> float:
    """Return the price of a trade: the one given, or else the contract's present value.

    Raises
    ------
    DeskError
        It is no finite number, or less than the contract can be worth.
    BankError
        The contract has no value now; the error says why.
    """
    at = cast("float", instrument.value) if price is None else number(price)
    if price is None and not is_quoted(instrument):
        raise DeskError(
            f"{instrument.name} depends on what has had no quote yet; wait for one, or give price=",
            name=instrument.name,
        )
    lowest = instrument.lowest_value if isinstance(instrument, Instrument) else -math.inf
    if not math.isfinite(at) or at < lowest:
        bound = "" if lowest == -math.inf else f" of at least {lowest:g}"
        raise DeskError(
            f"{instrument.name} cannot be traded at price={_shown(price if price is not None else at)}; give a finite "
            f"number{bound} for one unit",
            name=instrument.name,
            value=price,
        )
    return at


def checked_multiplier(instrument: Node, held: Position | None, multiplier: object) -> float:
    """Return the multiplier of a trade: the position's, or for a new position the one given, or else 1.

    Raises
    ------
    DeskError
        It is not a finite number above 0, or not the position's.
    """
    if multiplier is None:
        return 1.0 if held is None else held.multiplier
    factor = number(multiplier)
    if not 0.0 < factor < math.inf:
        raise DeskError(
            f"a trade in {instrument.name} with multiplier={_shown(multiplier)}; give a finite number above 0",
            name=instrument.name,
            value=multiplier,
        )
    if held is not None and factor != held.multiplier:
        raise DeskError(
            f"{held.name} is held with a multiplier of {held.multiplier:g}, not {factor:g}; leave multiplier= out",
            name=instrument.name,
            value=multiplier,
        )
    return factor


def _shown(value: object) -> str:
    """Return a value as an error shows it: a number of four hundred digits does not fit."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:12]}… ({len(text)} characters)"  # noqa: PLR2004 - a line's worth

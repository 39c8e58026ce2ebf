"""What some books hold at one moment, and what it is priced from: all that explaining a P&L needs to remember.

A state holds numbers, not nodes: quantities, cost, the arguments of each contract's ``price``, rates of exchange. So it
stays as it was while the market moves on, and two of them can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bank_python.deprecation import renamed
from bank_python.errors import InstrumentError
from bank_python.instruments import Instrument
from bank_python.instruments.cash_flows import is_over
from bank_python.instruments.currency import find_conversion
from bank_python.risk.contracts import value_of
from bank_python.risk.holders import holders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bank_python.dagger import Node
    from bank_python.instruments import Position
    from bank_python.risk.holders import Holder, Units

__all__ = ["DeskState", "PositionState", "capture", "exchange_rate"]


@dataclass(frozen=True, slots=True)
class PositionState:
    """A position at one moment.

    Parameters
    ----------
    name, book, instrument : str
        Of the position, the book it is in, and what it holds.
    kind : type of Instrument, optional
        The class of what it holds.
    arguments : mapping of str to float
        The arguments of that class's ``price``: sources, then terms.
    quantity, multiplier, cost_basis : float
        Units held, units of the instrument in one, and cash paid less cash received, in the position's currency.
    rate : float
        Units of the base currency for one of the position's.
    error : Exception, optional
        Why it has no value.
    received : float, default 0.0
        Cash that what it holds has paid it, in the position's currency; `cost_basis` is net of it.
    """

    name: str
    book: str
    instrument: str
    kind: type[Instrument] | None
    arguments: Mapping[str, float]
    quantity: float
    multiplier: float
    cost_basis: float
    rate: float
    error: Exception | None = None
    received: float = 0.0

    @property
    def over(self) -> bool:
        """Whether its contract has come to its end and none of it is left."""
        return self.quantity == 0.0 and self.kind is not None and is_over(self.kind, self.arguments)


@dataclass(frozen=True, slots=True)
class DeskState:
    """The positions of some books at one moment.

    Parameters
    ----------
    currency : str
        The base currency.
    positions : mapping of str to PositionState
        By the positions' names.
    """

    currency: str
    positions: Mapping[str, PositionState]


@renamed(books="traders")
def capture(traders: Units, base_currency: str = "USD") -> DeskState:
    """Note down what traders or books hold, and what it is priced from, at this moment.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Whose: ``desk.traders``, any mix of traders and books, or a mapping from a name to one of them or to positions;
        see :func:`~bank_python.risk.holders.holders`.
    base_currency : str, default "USD"
        In which P&L is told.

    Raises
    ------
    InstrumentError
        There is no rate from a position's currency to the base currency.
    """
    states = [
        _position_state(holder, position, base_currency) for holder in holders(traders) for position in holder.positions
    ]
    return DeskState(base_currency, {state.name: state for state in states})


def exchange_rate(holder: Holder, currency: str, base: str, read: Callable[[Node], object] = value_of) -> float:
    """Return the units of `base` for one of `currency`, as the holder's graph has it.

    Raises
    ------
    InstrumentError
        The holder is in no graph, or the graph has no such rate.
    """
    if currency == base:
        return 1.0
    if holder.graph is None:
        raise InstrumentError(f"{holder.name} holds {currency}: register it in a graph that has rates to {base}")
    return find_conversion(holder.graph, currency, base).rate(read)


def _position_state(holder: Holder, position: Position, base: str) -> PositionState:
    held = cast("Node", position.instrument)
    contract = held if isinstance(held, Instrument) else None
    error = _why_not(position, contract)
    return PositionState(
        position.name,
        holder.name,
        held.name,
        None if contract is None else type(contract),
        _arguments(contract) if contract is not None and error is None else {},
        position.quantity,
        position.multiplier,
        position.cost_basis if position.marked else 0.0,
        exchange_rate(holder, position.currency, base),
        error,
        position.received,
    )


def _why_not(position: Position, contract: Instrument | None) -> Exception | None:
    if contract is None:
        return InstrumentError(f"{position.name} holds a node that is no instrument", name=position.name)
    if position.error is None and not position.marked:
        return InstrumentError(f"{position.name} has no opening mark", name=position.name)
    return position.error


def _arguments(contract: Instrument) -> dict[str, float]:
    return dict(zip(contract.argument_names, contract.arguments(value_of), strict=True))

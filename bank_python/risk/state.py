"""States of positions at one moment, with all inputs of their prices, from which P&L is attributed.

A state holds numbers, not nodes: quantities, cost bases, the arguments of each contract's ``price`` and exchange rates.
So it does not change as the market moves, and two states can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bank_python.deprecation import renamed
from bank_python.display import Record
from bank_python.errors import InstrumentError
from bank_python.guessing import guessable
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
class PositionState(Record):
    """State of a position at one moment.

    Parameters
    ----------
    name, book, instrument : str
        Names of the position, of its book (on a desk, the trader) and of its instrument.
    kind : type of Instrument, optional
        Class of the instrument; None for a node that is not an instrument.
    arguments : mapping of str to float
        Arguments of the class's ``price``, sources first, then terms.
    quantity, multiplier, cost_basis : float
        Quantity held, units of the instrument per unit of quantity, and cash paid less cash received in the position's
        currency.
    rate : float
        Exchange rate, in units of the base currency per unit of the position's currency.
    error : Exception, optional
        Error of a position without a value.
    received : float, default 0.0
        Cash that the instrument has paid to the position, in the position's currency; `cost_basis` is net of it.
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
        """Whether the contract has expired and its position is closed."""
        return self.quantity == 0.0 and self.kind is not None and is_over(self.kind, self.arguments)


@dataclass(frozen=True, slots=True)
class DeskState(Record):
    """State of the positions of some books at one moment; returned by :func:`capture`.

    Parameters
    ----------
    currency : str
        ISO 4217 code of the base currency.
    positions : mapping of str to PositionState
        States of the positions by name.
    """

    currency: str
    positions: Mapping[str, PositionState]


@renamed(books="traders")
@guessable
def capture(traders: Units, base_currency: str = "USD") -> DeskState:
    """Return the present state of the positions of traders or books, with the inputs of their prices.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Owners of the positions: ``desk.traders``, any mix of traders and books, or a mapping from a name to a trader,
        a book or a list of positions; see :func:`~bank_python.risk.holders.holders`.
    base_currency : str, default "USD"
        ISO 4217 code of the currency of the P&L.

    Raises
    ------
    InstrumentError
        There is no exchange rate from a position's currency to the base currency.
    """
    states = [
        _position_state(holder, position, base_currency) for holder in holders(traders) for position in holder.positions
    ]
    return DeskState(base_currency, {state.name: state for state in states})


def exchange_rate(holder: Holder, currency: str, base: str, read: Callable[[Node], object] = value_of) -> float:
    """Return the price of one unit of `currency` in units of `base`, from the holder's graph.

    Raises
    ------
    InstrumentError
        The holder is not in a graph, or the graph has no exchange rate between the currencies.
    """
    if currency == base:
        return 1.0
    if holder.graph is None:
        raise InstrumentError(f"{holder.name} holds {currency}; register it in a graph that has rates to {base}")
    return find_conversion(holder.graph, currency, base).rate(read)


def _position_state(holder: Holder, position: Position, base: str) -> PositionState:
    held = cast("Node", position.instrument)
    contract = held if isinstance(held, Instrument) else None
    error = _valuation_error(position, contract)
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


def _valuation_error(position: Position, contract: Instrument | None) -> Exception | None:
    if contract is None:
        return InstrumentError(f"{position.name} holds a node that is not an instrument", name=position.name)
    if position.error is None and not position.marked:
        return InstrumentError(f"{position.name} has no opening mark", name=position.name)
    return position.error


def _arguments(contract: Instrument) -> dict[str, float]:
    return dict(zip(contract.argument_names, contract.arguments(value_of), strict=True))

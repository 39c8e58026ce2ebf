"""Holdings: the amount and cost of a contract held by a trader or a position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.errors import RiskError
from bank_python.instruments import Instrument
from bank_python.risk.holders import holders

if TYPE_CHECKING:
    from bank_python.dagger import Graph
    from bank_python.instruments import Position
    from bank_python.risk.holders import Holder, Units

__all__ = ["Holding", "holding_of", "list_holdings"]


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """An amount of one contract.

    Parameters
    ----------
    unit : str
        Name of the trader, or of the single position, that P&L is reported for.
    contract : Instrument
        Contract of the holding.
    amount : float
        Units of the contract, quantity times multiplier; negative for a short position.
    cost : float
        Cost basis in the currency of the contract.
    currency : str
        ISO 4217 code of the currency of the contract's value.
    graph : Graph, optional
        Graph that has the exchange rates.
    """

    unit: str
    contract: Instrument
    amount: float
    cost: float
    currency: str
    graph: Graph | None


def list_holdings(units: Units) -> list[Holding]:
    """Return the holdings of traders or books.

    Raises
    ------
    RiskError
        A position holds a node that is not an instrument, or has no opening mark.
    """
    return [holding_of(position, holder) for holder in holders(units) for position in holder.positions]


def holding_of(position: Position, holder: Holder) -> Holding:
    """Return a position as a holding of its holder.

    Raises
    ------
    RiskError
        The position holds a node that is not an instrument, or has no opening mark.
    """
    contract = position.instrument
    if not isinstance(contract, Instrument):
        raise RiskError(
            f"{position.name} holds a node that is not an instrument, so it cannot be revalued", name=position.name
        )
    if not position.mark_open():
        raise RiskError(
            f"{position.name} has no opening mark, as its instrument is not quoted yet; quote it, or give cost=",
            name=position.name,
        )
    amount = position.quantity * position.multiplier
    return Holding(holder.name, contract, amount, position.cost_basis, position.currency, holder.graph)

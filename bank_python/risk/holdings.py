"""Holdings: how much of which contract somebody has, as risk looks at it."""

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
    """So much of a contract.

    Parameters
    ----------
    unit : str
        Who has it: the trader, or the position by itself.
    contract : Instrument
        What it is in.
    amount : float
        Units of the contract: quantity times multiplier.
    cost : float
        What it cost, in the contract's currency.
    currency : str
        Of the value.
    graph : Graph, optional
        Which has the rates of exchange.
    """

    unit: str
    contract: Instrument
    amount: float
    cost: float
    currency: str
    graph: Graph | None


def list_holdings(units: Units) -> list[Holding]:
    """Return what traders or books hold, each a unit.

    Raises
    ------
    RiskError
        A position is in what is no instrument, or has no opening mark.
    """
    return [holding_of(position, holder) for holder in holders(units) for position in holder.positions]


def holding_of(position: Position, holder: Holder) -> Holding:
    """Return a position as a holding of whoever has it.

    Raises
    ------
    RiskError
        It is in what is no instrument, or has no opening mark.
    """
    contract = position.instrument
    if not isinstance(contract, Instrument):
        raise RiskError(
            f"{position.name} holds a node that is no instrument: it cannot be revalued", name=position.name
        )
    if not position.mark_open():
        raise RiskError(
            f"{position.name} has no opening mark: what it holds is not quoted yet; quote it, or give cost=",
            name=position.name,
        )
    amount = position.quantity * position.multiplier
    return Holding(holder.name, contract, amount, position.cost_basis, position.currency, holder.graph)

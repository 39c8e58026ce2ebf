"""Booking of a trade: position, cash, blotter and store change together, or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.desk.orders import checked_multiplier
from bank_python.desk.persistence import save_trader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from bank_python.dagger import Node
    from bank_python.desk.blotter import Trade
    from bank_python.desk.parts import DeskParts
    from bank_python.desk.trader import Trader

__all__ = ["Ticket", "booking"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is traded.

    Parameters
    ----------
    units : float
        Number of units, not 0; negative for a sale.
    price : float
        Price per unit without fees, in the contract's currency.
    multiplier : float, optional
        Units of the instrument per unit; by default that of the position, and 1 for a new one.
    fees : float, default 0.0
        Fees in the contract's currency, which are part of the position's cost.
    order_id : str, default ""
        Name of the order behind the trade.
    """

    units: float
    price: float
    multiplier: float | None = None
    fees: float = 0.0
    order_id: str = ""

    def paid(self, multiplier: float) -> float:
        """Return the price per unit with fees.

        Parameters
        ----------
        multiplier : float
            Units of the instrument per unit of quantity.
        """
        return self.price + self.fees / (self.units * multiplier)


@contextmanager
def booking(
    desk: DeskParts, buyer: Trader, contract: Node, ticket: Ticket, within: AbstractContextManager[None] | None = None
) -> Iterator[Trade]:
    """Book a trade when the block ends: all of it, and what the block writes to the store, or nothing.

    Parameters
    ----------
    desk : DeskParts
        Desk whose books change.
    buyer : Trader
        Trader of the order.
    contract : Node
        Traded contract.
    ticket : Ticket
        Units, price and fees, all checked.
    within : context manager, optional
        Context around the store's transaction, such as that of an audit trail in the same store.

    Raises
    ------
    DeskError
        The multiplier differs from that of the position.
    StoreError
        The store cannot be written.
    """
    trade, before, factor = None, 0.0, 1.0
    try:
        with desk.changing(within):
            before = _quantity(buyer, contract)
            factor = checked_multiplier(contract, buyer.position_in(contract), ticket.multiplier)
            position = buyer.buy(contract, ticket.units, ticket.paid(factor), factor)
            trade = desk.blotter.record(
                buyer, position, ticket.units, ticket.price, fees=ticket.fees, order_id=ticket.order_id
            )
            save_trader(desk, buyer)
            yield trade
        desk.blotter.add(trade)
    except BaseException:
        if trade is not None and desk.blotter.has(trade):  # interrupted after the store had committed
            if _quantity(buyer, contract) == before:
                buyer.buy(contract, ticket.units, ticket.paid(factor), factor)
            desk.blotter.add(trade)
        raise


def _quantity(trader: Trader, instrument: Node) -> float:
    position = trader.position_in(instrument)
    return 0.0 if position is None else position.quantity

"""Several trades of one trader, booked together: all of them, or none.

Examples
--------
>>> from bank_python.desk import build_desk
>>> desk = build_desk(seed=7)
>>> [trade.quantity for trade in desk.trade_all("Alice", {"NVDA": 100.0, "AMD": -50.0})]
[100.0, -50.0]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.desk.orders import checked_instrument, checked_price, checked_quantity, checked_trader
from bank_python.desk.persistence import save_trader
from bank_python.errors import DeskError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.dagger import Node
    from bank_python.desk.blotter import Trade
    from bank_python.desk.parts import DeskParts
    from bank_python.desk.trader import Trader

__all__ = ["book_all"]


@dataclass(frozen=True, slots=True, eq=False)
class _Purchase:
    """A checked order: contract, units, price and multiplier, and the quantity held before."""

    contract: Node
    units: float
    price: float
    factor: float
    before: float

    @classmethod
    def checked(cls, desk: DeskParts, buyer: Trader, instrument: Node | str, quantity: float) -> _Purchase:
        contract = checked_instrument(desk.graph.node(instrument) if isinstance(instrument, str) else instrument)
        held = buyer.position_in(contract)
        units, price = checked_quantity(contract, quantity), checked_price(contract, None)
        return cls(contract, units, price, 1.0 if held is None else held.multiplier, _quantity(buyer, contract))

    def book(self, buyer: Trader) -> None:
        buyer.buy(self.contract, self.units, self.price, self.factor)


def book_all(desk: DeskParts, trader: str, quantities: Mapping[Node | str, float]) -> tuple[Trade, ...]:
    """Book trades at present prices in one transaction, and return them in the given order.

    Parameters
    ----------
    desk : DeskParts
        Desk that owns its store.
    trader : str
        Name of the trader.
    quantities : mapping of Node or str to float
        Number of units by contract or its name, not 0; negative for a sale.

    Raises
    ------
    DeskError
        The trader, a contract or a quantity is invalid, or there are no trades; nothing has changed.
    BankError
        A contract has no current value, or the store cannot be written; nothing has changed.
    """
    buyer = checked_trader(desk.traders, trader)
    if not quantities:
        raise DeskError("there are no trades to book; give a quantity for at least one instrument")
    orders = [_Purchase.checked(desk, buyer, instrument, units) for instrument, units in quantities.items()]
    trades: list[Trade] = []
    try:
        with desk.changing():
            trades.extend(_recorded(desk, buyer, order) for order in orders)
            save_trader(desk, buyer)
        _add(desk, trades)
    except BaseException:
        if trades and all(map(desk.blotter.has, trades)):  # interrupted after the store had committed
            for order in orders:
                if _quantity(buyer, order.contract) == order.before:
                    order.book(buyer)
            _add(desk, trades)
        raise
    return tuple(trades)


def _recorded(desk: DeskParts, buyer: Trader, order: _Purchase) -> Trade:
    position = buyer.buy(order.contract, order.units, order.price, order.factor)
    return desk.blotter.record(buyer, position, order.units, order.price)


def _add(desk: DeskParts, trades: list[Trade]) -> None:
    for trade in trades:
        desk.blotter.add(trade)


def _quantity(trader: Trader, contract: Node) -> float:
    position = trader.position_in(contract)
    return 0.0 if position is None else position.quantity

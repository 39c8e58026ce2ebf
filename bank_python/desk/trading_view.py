"""Orders and signals as a view shows them: the last orders in their states, and how many there are in all."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.trading_engine import OrderStatus

if TYPE_CHECKING:
    from bank_python.desk.trading import DeskTrading
    from bank_python.trading_engine import Order

__all__ = ["LAST_ORDERS", "OrderView", "TradingView", "trading_view"]

LAST_ORDERS = 40
"""Number of orders in a view."""


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order.

    Parameters
    ----------
    order_id, trader, strategy, instrument : str
        Names of order, trader, strategy and contract; the strategy is empty for an order by hand.
    side, order_type, status : str
        Words of the order.
    quantity, filled : float
        Units ordered and units filled.
    price : float or None
        Mean price of the fills, without fees; ``None`` before the first.
    fees : float
        Fees so far, in the contract's currency.
    submitted : datetime
        Time of submission, UTC.
    why : str
        Reason of the rejection, or else of the order.
    """

    order_id: str
    trader: str
    strategy: str
    instrument: str
    side: str
    order_type: str
    status: str
    quantity: float
    filled: float
    price: float | None
    fees: float
    submitted: dt.datetime
    why: str


@dataclass(frozen=True, slots=True)
class TradingView:
    """Orders and their trail.

    Parameters
    ----------
    orders, filled, working, rejected : int
        Numbers of all orders, of filled ones, of those that work, and of rejected ones.
    events : int
        Number of events in the audit trail.
    last : tuple of OrderView
        Last orders, the latest last.
    killed : str
        Reason why trading was stopped; empty if it was not.
    """

    orders: int
    filled: int
    working: int
    rejected: int
    events: int
    last: tuple[OrderView, ...]
    killed: str


def trading_view(trading: DeskTrading) -> TradingView:
    """Return the orders of a desk for display.

    Parameters
    ----------
    trading : DeskTrading
        Trading of the desk.
    """
    engine = trading.engine
    orders = list(engine.orders.values())
    states = Counter(order.status for order in orders)
    return TradingView(
        orders=len(orders),
        filled=states[OrderStatus.FILLED],
        working=states[OrderStatus.PENDING] + states[OrderStatus.PARTIALLY_FILLED],
        rejected=states[OrderStatus.REJECTED],
        events=len(engine.audit),
        last=tuple(map(_line, orders[-LAST_ORDERS:])),
        killed=engine.killed,
    )


def _line(order: Order) -> OrderView:
    return OrderView(
        order_id=order.order_id,
        trader=order.trader,
        strategy=order.strategy,
        instrument=order.instrument_name,
        side=order.side.value,
        order_type=order.order_type.value,
        status=order.status.value,
        quantity=order.quantity,
        filled=order.filled_qty,
        price=order.filled_price if order.filled_qty else None,
        fees=order.fill_cost,
        submitted=dt.datetime.fromisoformat(order.created_at),
        why=order.reject_reason or order.reason,
    )

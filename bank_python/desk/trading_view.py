"""Orders and signals as a view shows them: the last orders in their states, and how many there are in all."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from bank_python.desk.view import OrderView, TradingView
from bank_python.trading_engine import OrderStatus

if TYPE_CHECKING:
    from bank_python.desk.trading import DeskTrading
    from bank_python.trading_engine import Order

__all__ = ["LAST_ORDERS", "trading_view"]

LAST_ORDERS = 40
"""Number of orders in a view."""


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

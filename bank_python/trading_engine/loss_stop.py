"""The loss stop: which entries are to be cancelled once a loss has reached it.

Examples
--------
>>> from bank_python.trading_engine import Order, PositionLimits, TradingEngine
>>> engine = TradingEngine(limits=PositionLimits(max_loss=500.0))
>>> fill = engine.submit(Order("", "Alice", "AAPL", "BUY", 100, price=228.0))
>>> entry = engine.submit(Order("", "Alice", "AAPL", "BUY", 100, "LIMIT", 200.0, price=228.0))
>>> fills = engine.on_prices({"AAPL": 222.0})
>>> engine.working, [*engine.audit][-1].why
((), 'the loss of 600.00 has reached the stop')
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.errors import TradingError
from bank_python.trading_engine.limits import PositionLimits
from bank_python.trading_engine.working import Protection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.trading_engine.books import Books
    from bank_python.trading_engine.market import Market
    from bank_python.trading_engine.order import Order
    from bank_python.trading_engine.order_book import OrderBook

__all__ = ["entries_beyond_the_stop"]


def entries_beyond_the_stop(
    order_book: OrderBook,
    books: Books,
    market: Market,
    limits: PositionLimits | Mapping[str, PositionLimits],
    firm: PositionLimits | None,
    prices: Mapping[str, float],
) -> list[tuple[Order, str]]:
    """Return the working orders that could open positions although a loss has reached its stop, each with the reason.

    Parameters
    ----------
    order_book : OrderBook
        Orders that work; stops and targets of positions are none of those that are returned.
    books : Books
        Books of the account.
    market : Market
        Market that knows exchange rates.
    limits : PositionLimits or mapping of str to PositionLimits
        Limits of all traders, or of each.
    firm : PositionLimits or None
        Limits of all traders together.
    prices : mapping of str to float
        Last known prices.
    """
    each = [limits] if isinstance(limits, PositionLimits) else list(limits.values())
    if not any(math.isfinite(one.max_loss) for one in (*each, firm) if one is not None):
        return []
    whole = None if firm is None else _loss_beyond(firm, books, market, None, prices)
    losses: dict[str, float | None] = {}
    for trader in {waiting.trader: None for waiting in order_book.waiting}:
        own = limits if isinstance(limits, PositionLimits) else limits.get(trader)
        loss = None if own is None else _loss_beyond(own, books, market, trader, prices)
        losses[trader] = whole if loss is None else loss
    found = []
    for waiting in order_book.waiting:
        loss, order = losses.get(waiting.trader), waiting.orders[0]
        if loss is not None and not isinstance(waiting, Protection) and _adds(order, books):
            found.append((order, f"the loss of {loss:,.2f} has reached the stop"))
    return found


def _loss_beyond(
    limits: PositionLimits, books: Books, market: Market, trader: str | None, prices: Mapping[str, float]
) -> float | None:
    """Return the loss that has reached the stop, None while it has not, or is unknown."""
    if not math.isfinite(limits.max_loss):
        return None
    try:
        pnl = books.pnl(trader, books.prices(trader, prices), market)
    except TradingError:  # a price or a rate is unknown: nothing new passes the limit, and what works goes on
        return None
    return -pnl if pnl <= -limits.max_loss else None


def _adds(order: Order, books: Books) -> bool:
    """Return whether an order could do more than reduce what is held."""
    return order.remaining > max(0.0, -order.side.sign * books.held(order.trader, order.instrument_name))

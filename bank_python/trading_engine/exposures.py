"""What an order meets when its limits are checked: holdings, open orders, P&L and Greeks, as far as the limits ask."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.errors import TradingError
from bank_python.trading_engine.limits import Exposure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bank_python.trading_engine.books import Books
    from bank_python.trading_engine.limits import PositionLimits
    from bank_python.trading_engine.market import Market
    from bank_python.trading_engine.order import Order
    from bank_python.trading_engine.working import Waiting

__all__ = ["exposure_of"]


def exposure_of(
    order: Order,
    books: Books,
    market: Market,
    limits: PositionLimits,
    prices: Mapping[str, float],
    waiting: Iterable[Waiting],
    *,
    of_all: bool = False,
) -> Exposure:
    """Return what the account of an order's trader holds and has ordered.

    Parameters
    ----------
    order : Order
        Order to be checked.
    books : Books
        Books of the account.
    market : Market
        Market that knows terms, sectors and Greeks.
    limits : PositionLimits
        Limits; what they do not ask for is not computed.
    prices : mapping of str to float
        Last known prices.
    waiting : iterable of Waiting
        Orders that work for the account.
    of_all : bool, default False
        Whether all traders are meant together.

    Raises
    ------
    TradingError
        There is no such trader, or the market's answers are not valid.
    """
    trader = None if of_all else order.trader
    units = books.units(trader)
    pending: dict[str, tuple[float, float]] = {}
    for each in waiting:
        bought, sold = pending.get(each.instrument, (0.0, 0.0))
        more, less = each.pending
        if more or less:
            pending[each.instrument] = bought + more, sold + less
    names = {*units, *pending, order.instrument_name}
    return Exposure(
        units,
        prices,
        pending,
        _known(books.pnl, trader, prices, market) if math.isfinite(limits.max_loss) else 0.0,
        _greeks(market, units) if limits.max_greeks else {},
        _pending_greeks(market, pending) if limits.max_greeks else {},
        {name: market.sector(name) for name in names} if math.isfinite(limits.max_sector) else {},
        order_greeks=_scaled(market, order.instrument_name, order.side.sign * order.remaining)
        if limits.max_greeks
        else {},
        equity=_known(books.equity, trader, prices, market) if limits.margin is not None else math.nan,
        points={
            **books.values_per_point({*units, *pending}, market),
            order.instrument_name: books.value_per_point(order.instrument_name, market),
        },
    )


def _known(
    figure: Callable[[str | None, Mapping[str, float], Market], float],
    trader: str | None,
    prices: Mapping[str, float],
    market: Market,
) -> float:
    """Return a figure of the books, NaN where a price or a rate is unknown: that passes no limit."""
    try:
        return figure(trader, prices, market)
    except TradingError:
        return math.nan


def _greeks(market: Market, units: Mapping[str, float]) -> dict[str, float]:
    """Return the Greeks of what is held."""
    total: dict[str, float] = {}
    for name, held in units.items():
        for greek, value in _scaled(market, name, held).items():
            total[greek] = total.get(greek, 0.0) + value
    return total


def _pending_greeks(market: Market, pending: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return the least and the largest Greeks that open orders can add, as any of them may fill."""
    total: dict[str, tuple[float, float]] = {}
    for name, (bought, sold) in pending.items():
        for greek, value in _scaled(market, name, 1.0).items():
            less, more = total.get(greek, (0.0, 0.0))
            ends = bought * value, -sold * value
            total[greek] = less + min(0.0, *ends), more + max(0.0, *ends)
    return total


def _scaled(market: Market, name: str, units: float) -> dict[str, float]:
    return {greek: units * value for greek, value in market.greeks(name).items()}

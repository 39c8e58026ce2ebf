"""Figures of the desk for scenes and JSON lines, taken from the desk's view or, in a scenario, from its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bank_python.desk.assets import MARKET
from bank_python.errors import DeskError
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.symbol_spec import SymbolKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.dagger import Node
    from bank_python.desk.desk import Desk
    from bank_python.desk.view import DeskView

__all__ = [
    "SHARES",
    "busiest_underlying",
    "firm_figures",
    "market_sources",
    "market_troubles",
    "past_prices",
    "pnl_by_trader",
    "quoted_shares",
    "quoted_value",
    "recent_bars",
    "require_quotes",
    "share_index",
    "trader_figures",
]

SHARES = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})


def firm_figures(view: DeskView) -> dict[str, Any]:
    """Return the firm's value and P&L in USD, the valuation date, the tick and the feed."""
    return {
        "value": view.firm.value,
        "pnl": view.firm.pnl,
        "date": view.valuation_date.isoformat(),
        "tick": view.tick,
        "feed": view.feed,
    }


def trader_figures(view: DeskView) -> list[dict[str, Any]]:
    """Return strategy, number of positions, book value and P&L of each trader."""
    return [
        {
            "trader": trader.name,
            "strategy": trader.strategy,
            "focus": trader.focus,
            "positions": trader.positions,
            "waiting": trader.waiting,
            "value": trader.value,
            "pnl": trader.pnl,
        }
        for trader in view.traders
    ]


def pnl_by_trader(desk: Desk) -> dict[str, float]:
    """Return the P&L of every trader that has one, in USD; inside a scenario, that of the scenario."""
    pnl = {trader.name: _amount(trader.pnl) for trader in desk.traders}
    return {name: value for name, value in pnl.items() if value is not None}


def market_sources(view: DeskView) -> list[dict[str, Any]]:
    """Return the source of each kind of quote, with the number of quotes by state."""
    return [
        {"kind": line.kind, "source": line.source, "quoted": line.quoted, "states": dict(line.states)}
        for line in view.sources
    ]


def market_troubles(view: DeskView) -> list[dict[str, Any]]:
    """Return the reasons why quotes are stale or missing, each with the tickers concerned."""
    return [
        {"state": trouble.state, "reason": trouble.reason, "tickers": list(trouble.symbols)}
        for trouble in view.status.reasons
    ]


def recent_bars(desk: Desk, symbol: str, period: str = "5d") -> list[dict[str, Any]]:
    """Return the last daily bars of a symbol; figures that its source does not have are ``None``."""
    bars = PriceHistoryTable()  # a separate table, as the desk's own must keep its longer history
    desk.market.load_history(symbol, period, into=bars)
    return [{**row, "date": row["date"].date().isoformat()} for row in bars.query(symbol)]


def past_prices(desk: Desk, symbols: Iterable[str], period: str = "5y") -> PriceHistoryTable:
    """Return the daily bars of some symbols, in a table that is separate from those of the desk."""
    bars = PriceHistoryTable()
    for symbol in symbols:
        desk.market.load_history(symbol, period, into=bars)
    return bars


def share_index(desk: Desk) -> str:
    """Return the symbol of the fund on a share index, or the first share of a market without it."""
    return MARKET if MARKET in desk.listings else quoted_shares(desk)[0]


def quoted_value(desk: Desk, symbol: str) -> float | None:
    """Return the present quote of a symbol, in a scenario that of the scenario; None if there is no quote."""
    if symbol not in desk.listings or not desk.leaf(symbol).quoted:
        return None
    return float(desk.leaf(symbol).value)


def quoted_shares(desk: Desk) -> list[str]:
    """Return the symbols of all shares and funds that have a quote."""
    shares = [item.symbol for item in desk.listings.values() if item.kind in SHARES]
    return [symbol for symbol in shares if desk.leaf(symbol).quoted]


def require_quotes(desk: Desk) -> None:
    """Raise an error if no share has a quote yet.

    Raises
    ------
    DeskError
        No share has a quote; the message gives the reason from the feed.
    """
    if not quoted_shares(desk):
        reasons = [quote.reason for quote in desk.market.stale] or ["it has not been polled yet"]
        raise DeskError(f"no share has a quote from {desk.feed.name}: {reasons[0]}", feed=desk.feed.name)


def busiest_underlying(desk: Desk) -> str:
    """Return the quoted share with the most dependent nodes; of all shares if none has a quote."""
    shares = [item.symbol for item in desk.listings.values() if item.kind in SHARES]
    return max(quoted_shares(desk) or shares, key=lambda symbol: len(desk.graph.plan(desk.leaf(symbol))))


def _amount(node: Node) -> float | None:
    return None if node.error is not None else cast("float", node.value)

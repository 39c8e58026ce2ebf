"""The desk's figures as JSON lines and scenes write them: all from the desk's view, but for what a what-if would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bank_python.errors import DeskError
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.symbol_spec import SymbolKind

if TYPE_CHECKING:
    from bank_python.dagger import Node
    from bank_python.desk.desk import Desk
    from bank_python.desk.view import DeskView

__all__ = [
    "busiest_underlying",
    "firm_figures",
    "market_sources",
    "market_troubles",
    "pnl_by_trader",
    "quoted_shares",
    "recent_bars",
    "require_quotes",
    "trader_figures",
]

_HELD_DIRECTLY = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})


def firm_figures(view: DeskView) -> dict[str, Any]:
    """Return the firm's value and P&L in USD, the valuation date and the tick."""
    return {
        "value": view.firm.value,
        "pnl": view.firm.pnl,
        "date": view.valuation_date.isoformat(),
        "tick": view.tick,
        "feed": view.feed,
    }


def trader_figures(view: DeskView) -> list[dict[str, Any]]:
    """Return each trader's strategy, book value, P&L and number of positions."""
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
    """Return the P&L in USD of every trader that has one; inside a what-if, what it would be."""
    pnl = {trader.name: _amount(trader.pnl) for trader in desk.traders}
    return {name: value for name, value in pnl.items() if value is not None}


def market_sources(view: DeskView) -> list[dict[str, Any]]:
    """Return, for each kind of quote, who quotes it and how many are fresh."""
    return [
        {"kind": line.kind, "source": line.source, "quoted": line.quoted, "states": dict(line.states)}
        for line in view.sources
    ]


def market_troubles(view: DeskView) -> list[dict[str, Any]]:
    """Return why quotes are stale or missing: one entry a reason, with the tickers it concerns."""
    return [
        {"state": trouble.state, "reason": trouble.reason, "tickers": list(trouble.symbols)}
        for trouble in view.status.reasons
    ]


def recent_bars(desk: Desk, symbol: str, period: str = "5d") -> list[dict[str, Any]]:
    """Return a symbol's last daily bars; what its source does not carry is ``None``."""
    bars = PriceHistoryTable()  # of its own: a few days are no past to measure risk by
    desk.market.load_history(symbol, period, into=bars)
    return [{**row, "date": row["date"].date().isoformat()} for row in bars.query(symbol)]


def quoted_shares(desk: Desk) -> list[str]:
    """Return the shares and funds that have a quote."""
    shares = [item.symbol for item in desk.listings.values() if item.kind in _HELD_DIRECTLY]
    return [symbol for symbol in shares if desk.leaf(symbol).quoted]


def require_quotes(desk: Desk) -> None:
    """Refuse to go on with a market that has quoted no share yet.

    Raises
    ------
    DeskError
        The message gives the feed's reason.
    """
    if not quoted_shares(desk):
        reasons = [quote.reason for quote in desk.market.stale] or ["it was not polled yet"]
        raise DeskError(f"no share has a quote from {desk.feed.name}: {reasons[0]}", feed=desk.feed.name)


def busiest_underlying(desk: Desk) -> str:
    """Return the share on which most nodes depend, among the quoted ones if there are any."""
    shares = [item.symbol for item in desk.listings.values() if item.kind in _HELD_DIRECTLY]
    return max(quoted_shares(desk) or shares, key=lambda symbol: len(desk.graph.plan(desk.leaf(symbol))))


def _amount(node: Node) -> float | None:
    return None if node.error is not None else cast("float", node.value)

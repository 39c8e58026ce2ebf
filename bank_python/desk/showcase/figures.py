"""The desk's figures as plain values, read off the graph: what panels, scenes and JSON lines show."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from bank_python.errors import DeskError
from bank_python.market_data.symbol_spec import SymbolKind

if TYPE_CHECKING:
    from bank_python.dagger import Node
    from bank_python.desk.desk import Desk

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


def amount(node: Node) -> float | None:
    """Return a node's value, or ``None`` where it has none (its error says why)."""
    return None if node.error is not None else cast("float", node.value)


def firm_figures(desk: Desk) -> dict[str, Any]:
    """Return the firm's value and P&L in USD, the valuation date and the tick."""
    return {
        "value": amount(desk.firm_value),
        "pnl": amount(desk.firm_pnl),
        "date": desk.clock.date.isoformat(),
        "tick": desk.graph.tick,
        "feed": desk.feed.name,
    }


def trader_figures(desk: Desk) -> list[dict[str, Any]]:
    """Return each trader's strategy, book value, P&L and number of positions."""
    return [
        {
            "trader": trader.name,
            "strategy": trader.strategy,
            "focus": trader.focus,
            "positions": len(trader.positions),
            "waiting": len(trader.waiting),
            "value": amount(trader.book),
            "pnl": amount(trader.pnl),
        }
        for trader in desk.traders
    ]


def pnl_by_trader(desk: Desk) -> dict[str, float]:
    """Return the P&L in USD of every trader that has one."""
    pnl = {trader.name: amount(trader.pnl) for trader in desk.traders}
    return {name: value for name, value in pnl.items() if value is not None}


def market_sources(desk: Desk) -> list[dict[str, Any]]:
    """Return, for each kind of quote, who quotes it and how many are fresh."""
    groups: dict[tuple[str, str], Counter[str]] = {}
    for symbol, listing in desk.listings.items():
        quote = desk.market.quote(symbol)
        counter = groups.setdefault((listing.kind.value, listing.feed.name), Counter())
        counter[quote.state.name.lower()] += 1
    return [
        {"kind": kind, "source": source, "quoted": sum(states.values()), "states": dict(states)}
        for (kind, source), states in groups.items()
    ]


def market_troubles(desk: Desk) -> list[dict[str, Any]]:
    """Return why quotes are stale or missing: one entry a reason, with the tickers it concerns."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for quote in desk.market.stale:
        by_reason.setdefault((quote.state.name.lower(), quote.reason), []).append(quote.ticker)
    return [{"state": state, "reason": reason, "tickers": tickers} for (state, reason), tickers in by_reason.items()]


def recent_bars(desk: Desk, symbol: str, period: str = "5d") -> list[dict[str, Any]]:
    """Return a symbol's last daily bars; what its source does not carry is ``None``."""
    desk.market.load_history(symbol, period)
    return [{**row, "date": row["date"].date().isoformat()} for row in desk.market.history.query(symbol)]


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
        reasons = [trouble["reason"] for trouble in market_troubles(desk)] or ["it was not asked yet"]
        raise DeskError(f"no share has a quote from {desk.feed.name}: {reasons[0]}", feed=desk.feed.name)


def busiest_underlying(desk: Desk) -> str:
    """Return the share on which most nodes rest, among the quoted ones if there are any."""
    shares = [item.symbol for item in desk.listings.values() if item.kind in _HELD_DIRECTLY]
    return max(quoted_shares(desk) or shares, key=lambda symbol: len(desk.graph.plan(desk.leaf(symbol))))

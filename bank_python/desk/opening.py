"""Opening of positions: each at the first quote of its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.contracts import BONDS
from bank_python.desk.holdings import stand_in
from bank_python.errors import DeskError
from bank_python.instruments.position import is_quoted
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.market_data.unknown_ticker import unknown_ticker

if TYPE_CHECKING:
    from bank_python.dagger import DependencyGraph
    from bank_python.desk.holdings import Holding
    from bank_python.desk.market_plan import Listing
    from bank_python.desk.trader import Trader, Traders
    from bank_python.market_data import Clock

__all__ = ["open_holding", "open_waiting", "require_quoted", "resolve_underlyings"]

_SHARES = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})


def require_quoted(trader: str, holdings: tuple[Holding, ...], listings: dict[str, Listing]) -> None:
    """Raise an error for holdings in symbols that the market does not quote.

    Raises
    ------
    UnknownTickerError
        The market has no such symbol; the message suggests similar ones.
    DeskError
        The market quotes the symbol, but not the volatility that options need.
    """
    for holding in holdings:
        known = listings if holding.is_listed else BONDS
        if holding.symbol not in known:
            where, way_out = (
                f"the market for {trader}'s holdings",
                "give a symbol of the market, or a feed that quotes it",
            )
            raise unknown_ticker(holding.symbol, known, where, way_out)
        if holding.has_volatility and f"{holding.symbol}_VOL" not in listings:
            raise DeskError(
                f"{trader} holds options on {holding.symbol}, but the market does not quote its volatility "
                f"({holding.symbol}_VOL); give a feed that does, or hold options on another share",
                name=trader,
                value=holding,
            )


def resolve_underlyings(
    holdings: tuple[Holding, ...], listings: dict[str, Listing], sectors: dict[str, str]
) -> tuple[list[Holding], dict[str, str]]:
    """Replace every share that the market does not quote by one that it quotes.

    Different shares of one trader are replaced by different ones as long as there are enough.

    Returns
    -------
    (list of Holding, dict of str to str)
        The holdings after replacement, and the replacement of each symbol that is not quoted: "" if there is none, in
        which case the holding is left out.
    """
    quoted = [symbol for symbol, listing in listings.items() if listing.kind in _SHARES]
    optionable = [symbol for symbol in quoted if f"{symbol}_VOL" in listings]
    chosen: dict[tuple[str, bool], str] = {}
    resolved = []
    stand_ins: dict[str, str] = {}
    for holding in holdings:
        symbol: str | None = holding.symbol
        if holding.is_listed and holding.symbol not in listings:
            key = (holding.symbol, holding.has_volatility)
            choices = optionable if holding.has_volatility else quoted
            taken = {choice for (name, _), choice in chosen.items() if name != holding.symbol}
            taken |= {other.symbol for other in holdings}
            free = [name for name in choices if name not in taken] or choices
            symbol = chosen.get(key) or stand_in(holding.symbol, sectors, free)
            if symbol is not None:
                chosen[key] = symbol
        if symbol is not None:
            resolved.append(holding.moved_to(symbol))
        if symbol != holding.symbol:
            stand_ins[holding.symbol] = symbol or ""
    return resolved, stand_ins


def open_waiting(traders: Traders, graph: DependencyGraph, clock: Clock) -> int:
    """Open all waiting holdings whose contract has a value now; return how many were opened."""
    opened = 0
    for trader in traders:
        for holding in list(trader.waiting):
            if open_holding(trader, holding, graph, clock):
                trader.waiting.remove(holding)
                opened += 1
    return opened


def open_holding(trader: Trader, holding: Holding, graph: DependencyGraph, clock: Clock) -> bool:
    """Open a holding at the current value of its contract, if there is one; return whether it was opened."""
    if not _is_quoted(holding, graph):
        return False
    contract = holding.contract(graph, clock)
    if not is_quoted(contract) or contract.error is not None:
        return False
    trader.buy(contract, holding.units, multiplier=holding.multiplier)
    return True


def _is_quoted(holding: Holding, graph: DependencyGraph) -> bool:
    if not holding.has_volatility:
        return True
    return all(graph.node(name).error is None for name in (f"{holding.symbol}_SPOT", f"{holding.symbol}_VOL"))

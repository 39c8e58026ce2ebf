"""Opening positions: at the first quote of what they are in, at that quote."""

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

__all__ = ["open_holding", "open_waiting", "require_quoted", "settle_underlyings"]

_SHARES = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})


def require_quoted(trader: str, holdings: tuple[Holding, ...], listings: dict[str, Listing]) -> None:
    """Refuse holdings in what the market does not quote.

    Raises
    ------
    UnknownTickerError
        It has no such symbol; the message names those that look like it.
    DeskError
        It quotes the symbol, but no volatility to value options at.
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
                f"{trader} holds options on {holding.symbol}, of which the market quotes no volatility "
                f"({holding.symbol}_VOL); give a feed that does, or hold options on another share",
                name=trader,
                value=holding,
            )


def settle_underlyings(
    holdings: tuple[Holding, ...], listings: dict[str, Listing], sectors: dict[str, str]
) -> tuple[list[Holding], dict[str, str]]:
    """Let every share that the market does not quote be stood in for by another.

    Holdings of one trader that would then be in the same thing keep to different names while there are any.

    Returns
    -------
    (list of Holding, dict of str to str)
        What is held, and for each symbol that is not quoted the one that stands in for it, or "" if there is none and
        the holding is left out.
    """
    quoted = [symbol for symbol, listing in listings.items() if listing.kind in _SHARES]
    optionable = [symbol for symbol in quoted if f"{symbol}_VOL" in listings]
    places: dict[tuple[str, bool], str] = {}
    settled = []
    stand_ins: dict[str, str] = {}
    for holding in holdings:
        symbol: str | None = holding.symbol
        if holding.is_listed and holding.symbol not in listings:
            key = (holding.symbol, holding.has_volatility)
            choices = optionable if holding.has_volatility else quoted
            taken = {place for (name, _), place in places.items() if name != holding.symbol}
            taken |= {other.symbol for other in holdings}
            free = [name for name in choices if name not in taken] or choices
            symbol = places.get(key) or stand_in(holding.symbol, sectors, free)
            if symbol is not None:
                places[key] = symbol
        if symbol is not None:
            settled.append(holding.moved_to(symbol))
        if symbol != holding.symbol:
            stand_ins[holding.symbol] = symbol or ""
    return settled, stand_ins


def open_waiting(traders: Traders, graph: DependencyGraph, clock: Clock) -> int:
    """Open every waiting holding whose contract can be valued by now; return how many were opened."""
    opened = 0
    for trader in traders:
        for holding in list(trader.waiting):
            if open_holding(trader, holding, graph, clock):
                trader.waiting.remove(holding)
                opened += 1
    return opened


def open_holding(trader: Trader, holding: Holding, graph: DependencyGraph, clock: Clock) -> bool:
    """Open one position at its contract's present value, if it has one; say whether it did."""
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

"""The symbols of a desk and the feed of each: the given feed if it quotes the symbol, else the simulated one.

Symbols that a feed does not quote are either left out of the desk (shares that a price table does not have) or
simulated (rates, spreads and implied volatilities with Yahoo, which has no free source of them). A simulated quote is
marked with ``source="simulated"`` wherever it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.market_data import CcxtFeed, SimulatedFeed
from bank_python.market_data.symbol_spec import SymbolKind, SymbolSpec
from bank_python.market_data.universe import REGIME_SYMBOL

if TYPE_CHECKING:
    from bank_python.market_data import Feed

__all__ = ["Listing", "domain_of", "plan_market"]

_SHARES = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})
# Kinds requested from a feed that does not list its symbols: those of Yahoo, without rates, spreads and volatilities.
_UNLISTED = _SHARES | {SymbolKind.INDEX, SymbolKind.FX, SymbolKind.CRYPTO}
_EXCHANGE = frozenset({SymbolKind.CRYPTO, SymbolKind.FUNDING})


@dataclass(frozen=True, slots=True)
class Listing:
    """A symbol of the desk: its kind, its sector and its feed."""

    symbol: str
    kind: SymbolKind
    sector: str
    feed: Feed


def domain_of(kind: SymbolKind) -> str:
    """Return the domain of a kind of quote: any finite number for rates and funding, else positive numbers."""
    return "finite" if kind in {SymbolKind.RATE, SymbolKind.FUNDING} else "positive"


def plan_market(feed: Feed, fallback: SimulatedFeed) -> tuple[Listing, ...]:
    """Return the desk's listings with `feed`, and with `fallback` for symbols that it does not quote."""
    if isinstance(feed, SimulatedFeed):
        return tuple(_listing(spec, feed) for spec in feed.universe)
    if isinstance(feed, CcxtFeed):
        return _by_kind(feed, fallback, _EXCHANGE)
    if feed.symbols is None:
        return _by_kind(feed, fallback, _UNLISTED, also=REGIME_SYMBOL)
    return _by_symbol(feed, fallback)


def _by_kind(feed: Feed, fallback: SimulatedFeed, kinds: frozenset[SymbolKind], also: str = "") -> tuple[Listing, ...]:
    return tuple(
        _listing(spec, feed if spec.kind in kinds or spec.symbol == also else fallback) for spec in fallback.universe
    )


def _by_symbol(feed: Feed, fallback: SimulatedFeed) -> tuple[Listing, ...]:
    quoted = feed.symbols or frozenset()
    known = {spec.symbol: spec for spec in fallback.universe}
    others = [Listing(symbol, SymbolKind.EQUITY, "", feed) for symbol in sorted(quoted - known.keys())]
    has_shares = bool(others) or any(known[symbol].kind in _SHARES for symbol in quoted & known.keys())
    listings = [
        _listing(spec, feed if spec.symbol in quoted else fallback)
        for spec in fallback.universe
        if spec.symbol in quoted or not (has_shares and spec.kind in _SHARES)
    ]
    return (*others, *listings)


def _listing(spec: SymbolSpec, feed: Feed) -> Listing:
    return Listing(spec.symbol, spec.kind, spec.sector, feed)

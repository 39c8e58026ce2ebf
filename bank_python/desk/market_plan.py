"""Which symbols a desk quotes, and which feed quotes each: the given one where it can, else the simulated one.

Whatever a feed does not carry is either left out of the desk (shares that a price table does not have) or
simulated (rates, spreads, implied volatilities under Yahoo, which has no free source of them). A simulated
quote says ``source="simulated"`` wherever it is shown.
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
# What a feed that does not list its symbols is asked for: Yahoo's kinds. It has no free rates, spreads or vols.
_UNLISTED = _SHARES | {SymbolKind.INDEX, SymbolKind.FX, SymbolKind.CRYPTO}
_EXCHANGE = frozenset({SymbolKind.CRYPTO, SymbolKind.FUNDING})


@dataclass(frozen=True, slots=True)
class Listing:
    """A symbol the desk quotes: what it is, and who quotes it."""

    symbol: str
    kind: SymbolKind
    sector: str
    feed: Feed


def domain_of(kind: SymbolKind) -> str:
    """Return the domain of a quote of this kind: prices are positive, rates and funding any finite number."""
    return "finite" if kind in {SymbolKind.RATE, SymbolKind.FUNDING} else "positive"


def plan_market(feed: Feed, fallback: SimulatedFeed) -> tuple[Listing, ...]:
    """Return the desk's listings under `feed`, with `fallback` for what it does not carry."""
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
    carried = feed.symbols or frozenset()
    known = {spec.symbol: spec for spec in fallback.universe}
    named = [Listing(symbol, SymbolKind.EQUITY, "", feed) for symbol in sorted(carried - known.keys())]
    own_shares = bool(named) or any(known[symbol].kind in _SHARES for symbol in carried & known.keys())
    kept = [
        _listing(spec, feed if spec.symbol in carried else fallback)
        for spec in fallback.universe
        if spec.symbol in carried or not (own_shares and spec.kind in _SHARES)
    ]
    return (*named, *kept)


def _listing(spec: SymbolSpec, feed: Feed) -> Listing:
    return Listing(spec.symbol, spec.kind, spec.sector, feed)

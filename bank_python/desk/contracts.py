"""The desk's contracts: what a quoted symbol is by itself, and the options, swaps and bonds with terms of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bank_python.instruments import Bond, CreditDefaultSwap, Equity, FXRate, Instrument, Option
from bank_python.market_data.symbol_spec import SymbolKind

if TYPE_CHECKING:
    from bank_python.dagger import DependencyGraph, Node
    from bank_python.desk.market_plan import Listing
    from bank_python.market_data import Clock

__all__ = [
    "BONDS",
    "OPTION_MULTIPLIER",
    "PROTECTION_NOTIONAL",
    "BondSpec",
    "bond_named",
    "leaf_name",
    "listed",
    "option_on",
    "protection_on",
]

OPTION_MULTIPLIER = 100.0
PROTECTION_NOTIONAL = 1_000_000.0
_DISCOUNT_RATE = "SOFR"


@dataclass(frozen=True, slots=True)
class BondSpec:
    """Terms of a bond the desk trades: which rate it yields, coupon, years, coupons a year."""

    rate: str
    coupon_rate: float
    maturity: float
    frequency: float = 2.0


BONDS: dict[str, BondSpec] = {
    "UST2Y_NOTE": BondSpec("UST2Y", 0.0400, 2.0),
    "UST10Y_NOTE": BondSpec("UST10Y", 0.0425, 10.0),
    "F_2031": BondSpec("UST10Y", 0.0610, 5.0),
}


def leaf_name(symbol: str, kind: SymbolKind) -> str:
    """Return the name of the leaf that holds the quotes of `symbol`."""
    quoted_directly = {SymbolKind.RATE, SymbolKind.CREDIT, SymbolKind.VOL, SymbolKind.FUNDING, SymbolKind.INDEX}
    return symbol if kind in quoted_directly else f"{symbol}_SPOT"


def listed(listing: Listing, leaf: Node) -> Instrument | None:
    """Return the instrument that a quoted symbol is by itself: a share, a coin, a currency pair."""
    symbol = listing.symbol
    if listing.kind in {SymbolKind.EQUITY, SymbolKind.ETF, SymbolKind.CRYPTO}:
        return Equity(symbol, spot_source=leaf, sector=listing.sector)
    if listing.kind is SymbolKind.FX:
        return FXRate(symbol, rate_source=leaf, base=symbol[:3], quote=symbol[3:])
    return None


def option_on(
    symbol: str, moneyness: float, years: float, graph: DependencyGraph, clock: Clock, *, is_call: bool
) -> Instrument:
    """Return the listed option on a share: the one that the graph has, or a new one, which is not registered.

    Parameters
    ----------
    symbol : str
        The share.
    moneyness : float
        Strike over the present spot, before the strike is rounded as exchanges list them.
    years : float
        To expiry, from the clock's reading.
    graph : DependencyGraph
        Holds spot, volatility and discount rate.
    clock : Clock
        The valuation time.
    is_call : bool
        Call or put.
    """
    spot = graph.node(f"{symbol}_SPOT")
    strike = _round_strike(cast("float", spot.value) * moneyness)
    name = f"{symbol}_{years:g}Y_{strike:g}{'C' if is_call else 'P'}"
    return _known(graph, name) or Option(
        name,
        spot_source=spot,
        vol_source=graph.node(f"{symbol}_VOL"),
        rate_source=graph.node(_DISCOUNT_RATE),
        strike=strike,
        expiry=years,
        is_call=is_call,
        clock_source=clock,
    )


def _known(graph: DependencyGraph, name: str) -> Instrument | None:
    found = graph.find(name)
    return found if isinstance(found, Instrument) else None


def _round_strike(strike: float) -> float:
    """Round as exchanges list strikes: by about one in a hundred."""
    for step in (50.0, 10.0, 5.0, 2.5, 1.0, 0.5):
        if strike >= 80.0 * step:
            return round(strike / step) * step
    return max(round(strike / 0.25) * 0.25, 0.25)


def protection_on(symbol: str, graph: DependencyGraph, clock: Clock) -> Instrument:
    """Return the five-year swap on a name or an index, from the graph if it is there; a new one is not registered."""
    name = f"{symbol}_5Y"
    return _known(graph, name) or CreditDefaultSwap(
        name,
        spread_source=graph.node(symbol),
        rate_source=graph.node(_DISCOUNT_RATE),
        notional=PROTECTION_NOTIONAL,
        coupon=0.05 if symbol == "CDX_HY" else 0.01,
        clock_source=clock,
    )


def bond_named(symbol: str, graph: DependencyGraph, clock: Clock) -> Instrument:
    """Return one of the desk's bonds (:data:`BONDS`), from the graph if it is there; a new one is not registered."""
    spec = BONDS[symbol]
    return _known(graph, symbol) or Bond(
        symbol,
        rate_source=graph.node(spec.rate),
        face=100.0,
        coupon_rate=spec.coupon_rate,
        maturity=spec.maturity,
        frequency=spec.frequency,
        clock_source=clock,
    )

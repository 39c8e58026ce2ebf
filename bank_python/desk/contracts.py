"""The contracts of the desk: instruments of the quoted symbols, and options, credit default swaps and bonds."""

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
    "listed_strike",
    "option_expiring",
    "option_on",
    "protection_on",
]

OPTION_MULTIPLIER = 100.0
PROTECTION_NOTIONAL = 1_000_000.0
_DISCOUNT_RATE = "SOFR"


@dataclass(frozen=True, slots=True)
class BondSpec:
    """Terms of a bond: symbol of its yield, coupon rate, maturity in years, coupons per year."""

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
    """Return the instrument of a share, fund, coin or currency pair; ``None`` for other symbols."""
    symbol = listing.symbol
    if listing.kind in {SymbolKind.EQUITY, SymbolKind.ETF, SymbolKind.CRYPTO}:
        return Equity(symbol, spot_source=leaf, sector=listing.sector)
    if listing.kind is SymbolKind.FX:
        return FXRate(symbol, rate_source=leaf, base=symbol[:3], quote=symbol[3:])
    return None


def option_on(
    symbol: str, moneyness: float, years: float, graph: DependencyGraph, clock: Clock, *, is_call: bool
) -> Instrument:
    """Return the listed option on a share: that of the graph, or a new one, which is not registered.

    Parameters
    ----------
    symbol : str
        Symbol of the share.
    moneyness : float
        Strike divided by the current spot, before the strike is rounded to a listed one.
    years : float
        Time to expiry in years, from the current valuation date.
    graph : DependencyGraph
        Graph with the share's spot and volatility and the discount rate.
    clock : Clock
        Valuation date.
    is_call : bool
        Whether the option is a call; a put otherwise.
    """
    spot = graph.node(f"{symbol}_SPOT")
    strike = listed_strike(cast("float", spot.value) * moneyness)
    name = f"{symbol}_{years:g}Y_{strike:g}{'C' if is_call else 'P'}"
    return _existing(graph, name) or option_expiring(name, symbol, strike, years, graph, clock, is_call=is_call)


def option_expiring(
    name: str, symbol: str, strike: float, years: float, graph: DependencyGraph, clock: Clock, *, is_call: bool
) -> Instrument:
    """Return a new option on a share, which is not registered.

    Parameters
    ----------
    name : str
        Name of the option.
    symbol : str
        Symbol of the share.
    strike : float
        Strike in the share's currency, above 0.
    years : float
        Time to expiry in years, from the current valuation date.
    graph : DependencyGraph
        Graph with the share's spot and volatility and the discount rate.
    clock : Clock
        Valuation date.
    is_call : bool
        Whether the option is a call; a put otherwise.
    """
    return Option(
        name,
        spot_source=graph.node(f"{symbol}_SPOT"),
        vol_source=graph.node(f"{symbol}_VOL"),
        rate_source=graph.node(_DISCOUNT_RATE),
        strike=strike,
        expiry=years,
        is_call=is_call,
        clock_source=clock,
    )


def _existing(graph: DependencyGraph, name: str) -> Instrument | None:
    found = graph.find(name)
    return found if isinstance(found, Instrument) else None


def listed_strike(strike: float) -> float:
    """Return the nearest strike that exchanges list, in steps of about one per cent.

    Parameters
    ----------
    strike : float
        Strike to round, above 0.
    """
    for step in (50.0, 10.0, 5.0, 2.5, 1.0, 0.5):
        if strike >= 80.0 * step:
            return round(strike / step) * step
    return max(round(strike / 0.25) * 0.25, 0.25)


def protection_on(symbol: str, graph: DependencyGraph, clock: Clock) -> Instrument:
    """Return the five-year credit default swap on a name or index: that of the graph, or a new, unregistered one."""
    name = f"{symbol}_5Y"
    return _existing(graph, name) or CreditDefaultSwap(
        name,
        spread_source=graph.node(symbol),
        rate_source=graph.node(_DISCOUNT_RATE),
        notional=PROTECTION_NOTIONAL,
        coupon=0.05 if symbol == "CDX_HY" else 0.01,
        clock_source=clock,
    )


def bond_named(symbol: str, graph: DependencyGraph, clock: Clock) -> Instrument:
    """Return one of the desk's bonds (:data:`BONDS`): that of the graph, or a new, unregistered one."""
    spec = BONDS[symbol]
    return _existing(graph, symbol) or Bond(
        symbol,
        rate_source=graph.node(spec.rate),
        face=100.0,
        coupon_rate=spec.coupon_rate,
        maturity=spec.maturity,
        frequency=spec.frequency,
        clock_source=clock,
    )

"""Assembly of a desk: its market, totals, blotter and factor model are connected to its graph.

A desk is built (:mod:`bank_python.desk.build`) or resumed from a store (:mod:`bank_python.desk.persistence`). Both
create its parts and assemble them with the functions of this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from bank_python.dagger import SumNode
from bank_python.desk.blotter import Blotter
from bank_python.desk.contracts import leaf_name
from bank_python.desk.factor_model import register_factor_model
from bank_python.desk.parts import DeskParts
from bank_python.market_data import MarketDataManager

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.barbara import BarbaraDB
    from bank_python.barbara.claim import Claim
    from bank_python.dagger import DependencyGraph, Node
    from bank_python.desk.market_plan import Listing
    from bank_python.desk.trader import Traders
    from bank_python.market_data import Clock, Feed, MarketData, SimulatedFeed

__all__ = ["open_market", "put_together"]

FIRM_VALUE, FIRM_PNL = "FIRM", "FIRM_PNL"

_Desk = TypeVar("_Desk", bound=DeskParts)


def open_market(
    graph: DependencyGraph, db: BarbaraDB, feed: Feed, listings: Mapping[str, Listing]
) -> MarketDataManager:
    """Return a market data manager with the leaf and the feed of each listing registered.

    Parameters
    ----------
    graph : DependencyGraph
        Graph with a leaf for each listing.
    db : BarbaraDB
        Store for the last valid quotes.
    feed : Feed
        Feed of the market.
    listings : mapping of str to Listing
        Quoted symbols by name.
    """
    market = MarketDataManager(graph, db, feed=feed)
    for listing in listings.values():
        leaf = cast("MarketData", graph.node(leaf_name(listing.symbol, listing.kind)))
        market.register_ticker(listing.symbol, leaf, feed=listing.feed)
    return market


def put_together(
    make: type[_Desk],
    *,
    graph: DependencyGraph,
    db: BarbaraDB,
    fallback: SimulatedFeed,
    market: MarketDataManager,
    listings: dict[str, Listing],
    traders: Traders,
    clock: Clock,
    lease: Claim | None,
) -> _Desk:
    """Return a desk of these parts, and add the firm's totals, the blotter and the factor model.

    Parameters
    ----------
    make : type
        Class of the desk.
    graph, db, fallback, market, listings, traders, clock, lease
        Parts of the desk; see :class:`~bank_python.desk.parts.DeskParts`. The feed is that of `market`.
    """
    desk = make(
        graph=graph,
        db=db,
        feed=market.feed,
        fallback=fallback,
        market=market,
        listings=listings,
        traders=traders,
        clock=clock,
        firm_value=_total(graph, FIRM_VALUE, [trader.book for trader in traders]),
        firm_pnl=_total(graph, FIRM_PNL, [trader.pnl for trader in traders]),
        blotter=Blotter(db, clock),
        lease=lease,
    )
    register_factor_model(desk)
    return desk


def _total(graph: DependencyGraph, name: str, nodes: Sequence[Node]) -> SumNode:
    found = graph.find(name)  # exists already if a node loaded from the store depends on it
    return found if isinstance(found, SumNode) else graph.sum(name, nodes)

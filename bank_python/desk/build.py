"""Construction of a new desk: market, contracts, traders and the firm's totals, in one graph."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bank_python.barbara import BarbaraDB
from bank_python.barbara.location import IN_MEMORY
from bank_python.dagger import DependencyGraph
from bank_python.desk.assembly import open_market, put_together
from bank_python.desk.contracts import leaf_name, listed
from bank_python.desk.desk import Desk
from bank_python.desk.lease import take_lease
from bank_python.desk.market_plan import Listing, domain_of, plan_market
from bank_python.desk.opening import open_waiting, require_quoted, resolve_underlyings
from bank_python.desk.persistence import RINGS, prepare_store, save
from bank_python.desk.rolling import opening_date
from bank_python.desk.trader import Trader, Traders
from bank_python.desk.traders import TRADERS, TraderSpec
from bank_python.errors import DeskError
from bank_python.guessing import guessable
from bank_python.instruments import Book, ProfitAndLoss
from bank_python.market_data import Clock, Feed, MarketData, SimulatedFeed, feed_named

if TYPE_CHECKING:
    from bank_python.barbara.claim import Claim

__all__ = ["build_desk"]

_LOG = logging.getLogger(__name__)


@guessable
def build_desk(
    *,
    seed: int = 0,
    feed: Feed | str | None = None,
    db: BarbaraDB | str | os.PathLike[str] | None = None,
    traders: Sequence[TraderSpec] | None = None,
    replace: bool = False,
) -> Desk:
    """Build a desk: poll the market once, open the traders' positions at these quotes, and save the desk.

    Parameters
    ----------
    seed : int, default 0
        Seed of the simulated market, at least 0; also used for the symbols that `feed` does not quote.
    feed : Feed or {"simulated", "history", "yahoo", "ccxt"}, optional
        Feed of the market; simulated by default. Symbols that it does not quote are simulated and marked as such.
    db : BarbaraDB, str or path-like, optional
        Store of the desk; in memory by default. A path is the file of the store, which is opened with the rings of a
        desk. The desk owns the store until it is closed; a store that was given as a path is closed with the desk.
    traders : sequence of TraderSpec, optional
        Traders with their opening holdings; the fourteen of :mod:`bank_python.desk.traders` by default. If the market
        does not quote a share of a built-in trader, another share of the same sector takes its place
        (:attr:`Trader.stand_ins`); holdings of user-defined traders are never replaced.
    replace : bool, default False
        Whether to replace a desk that the store already has. Its trades and positions are removed (their versions
        stay in the store's history).

    Returns
    -------
    Desk
        The desk. A holding whose contract has no quote yet waits (``trader.waiting``) and is opened by the first tick
        that brings one.

    Raises
    ------
    DeskError
        The store has a desk already and `replace` is not set; another process owns it; or a user-defined trader holds
        something that the market does not quote. Nothing has changed, and a store that was given as a path is closed.
    StoreError
        The file of the store cannot be opened, or its directory does not exist.

    Examples
    --------
    >>> desk = build_desk(seed=7)
    >>> len(desk.traders), desk.firm_pnl.value
    (14, 0.0)
    >>> step = desk.tick()
    >>> desk.firm_pnl.value != 0.0
    True
    """
    who = TRADERS if traders is None else traders
    _require_traders(who)
    store = _opened(db)
    try:
        return _kept(store, feed, seed, who, replace=replace)
    except BaseException:
        if store is not db:
            store.close()
        raise


def _opened(db: BarbaraDB | str | os.PathLike[str] | None) -> BarbaraDB:
    if isinstance(db, BarbaraDB):
        return db
    if db is None or isinstance(db, str | os.PathLike):
        return BarbaraDB.open(RINGS, path=IN_MEMORY if db is None else db)
    raise DeskError(f"db={db!r} is not a store; give the path of its file, such as 'desk.db', or a BarbaraDB", value=db)


def _kept(
    store: BarbaraDB, feed: Feed | str | None, seed: int, traders: Sequence[TraderSpec], *, replace: bool
) -> Desk:
    _require_rings(store)
    owned = take_lease(store)
    try:
        with store.transaction():  # the old desk stays in the store until the new one is committed
            prepare_store(store, replace=replace)
            desk = _built(store, owned, feed, seed, traders)
            save(desk)
    except BaseException:
        owned.release()
        raise
    return desk


def _require_rings(store: BarbaraDB) -> None:
    """Raise an error for a store opened with other rings than those of :meth:`Desk.open`."""
    if store.path != IN_MEMORY and ";".join(store.rings) != RINGS:
        raise DeskError(
            f"the store was opened with the rings {';'.join(store.rings)!r}, but Desk.open reads {RINGS!r}; give "
            f"db=BarbaraDB.open({RINGS!r}, path=...)",
            value=store.rings,
        )


def _built(store: BarbaraDB, owned: Claim, feed: Feed | str | None, seed: int, traders: Sequence[TraderSpec]) -> Desk:
    fallback = SimulatedFeed(seed=seed)
    market_feed = _chosen(feed, fallback, seed)
    graph = DependencyGraph()
    listings = {listing.symbol: listing for listing in plan_market(market_feed, fallback)}
    for listing in listings.values():
        leaf = MarketData(leaf_name(listing.symbol, listing.kind), domain=domain_of(listing.kind))
        graph.register(leaf)
        contract = listed(listing, leaf)
        if contract is not None:
            graph.register(contract)
    market = open_market(graph, store, market_feed, listings)
    market.update_all()
    clock = graph.register(Clock("CLOCK", origin=opening_date(market)))
    desk = put_together(
        Desk,
        graph=graph,
        db=store,
        fallback=fallback,
        market=market,
        listings=listings,
        traders=Traders([_create_trader(spec, graph, listings, fallback) for spec in traders]),
        clock=clock,
        lease=owned,
    )
    open_waiting(desk.traders, graph, clock)
    graph.recalculate()
    return desk


def _require_traders(traders: Sequence[TraderSpec]) -> None:
    """Raise an error unless `traders` is a sequence of traders with distinct names."""
    given: Any = traders
    if isinstance(given, str | TraderSpec) or not isinstance(given, Sequence):
        raise DeskError(f"traders={given!r} is not a sequence of TraderSpec; put one trader into a list", value=given)
    invalid = [spec for spec in given if not isinstance(spec, TraderSpec)]
    if invalid:
        raise DeskError(
            f"{invalid[0]!r} is not a TraderSpec; give TraderSpec(name, strategy, focus, holdings)", value=invalid[0]
        )
    names = [spec.name for spec in traders]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise DeskError(f"two traders have the name {duplicate!r}; give each a distinct name", name=duplicate)
    if not names:
        raise DeskError("the desk has no traders; give at least one TraderSpec", value=traders)


def _chosen(feed: Feed | str | None, fallback: SimulatedFeed, seed: int) -> Feed:
    if feed is None or feed == fallback.name:
        return fallback
    return feed_named(feed, seed=seed) if isinstance(feed, str) else feed


def _create_trader(
    spec: TraderSpec, graph: DependencyGraph, listings: dict[str, Listing], fallback: SimulatedFeed
) -> Trader:
    sectors = {item.symbol: item.sector for item in fallback.universe}
    book = Book(spec.name, positions=[])
    pnl = ProfitAndLoss(f"{spec.name}:PNL", book)
    graph.register(pnl)
    if spec not in TRADERS:
        require_quoted(spec.name, spec.holdings, listings)
    waiting, stand_ins = resolve_underlyings(spec.holdings, listings, sectors)
    for symbol, replacement in stand_ins.items():
        action = f"{replacement} takes its place" if replacement else "it is left out"
        _LOG.info("%s: the market does not quote %s; %s", spec.name, symbol, action)
    return Trader(spec.name, spec.strategy, spec.focus, graph.register(book), pnl, waiting, stand_ins)

"""Building a desk: market, contracts, traders, firm, all hanging off one graph."""

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
from bank_python.desk.opening import open_waiting, require_quoted, settle_underlyings
from bank_python.desk.persistence import RINGS, make_room, save
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
    """Build a desk, look at the market once, open the traders' positions at what it says, and keep it.

    Parameters
    ----------
    seed : int, default 0
        Of the simulated market: the whole one, or the part of it that `feed` does not carry.
    feed : Feed or {"simulated", "history", "yahoo", "ccxt"}, optional
        The market; simulated by default. Symbols it cannot quote are simulated, and marked so.
    db : BarbaraDB, str or path-like, optional
        Store of the desk, from the start; in memory by default. A path is the store's file, which is opened with the
        rings of a desk. The desk owns the store's desk until it is closed, and closes the store with itself.
    traders : sequence of TraderSpec, optional
        Who trades; the fourteen of :mod:`bank_python.desk.traders` by default. These take another share of the same
        sector where the market does not quote theirs (:attr:`Trader.stand_ins`); traders of one's own never do.
    replace : bool, default False
        Begin anew over a desk that the store keeps, whose trades and positions are removed (their versions stay in the
        store's history).

    Raises
    ------
    DeskError
        The store keeps a desk already and `replace` is not set; somebody else owns it; or a trader of one's own holds
        what the market does not quote. Nothing has changed, and a store that was given as a path is closed.
    StoreError
        The store's file cannot be opened, or its directory does not exist.

    Returns
    -------
    Desk
        With ``.traders``, ``.graph``, ``.db``, ``.feed``. A holding whose contract has no quote yet waits
        (``trader.waiting``) and is opened by the tick that brings one.

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
        with store.transaction():  # a desk that is replaced is there until the new one is
            make_room(store, replace=replace)
            desk = _built(store, owned, feed, seed, traders)
            save(desk)
    except BaseException:
        owned.release()
        raise
    return desk


def _require_rings(store: BarbaraDB) -> None:
    """Refuse a store in whose rings :meth:`Desk.open` would not find the desk."""
    if store.path != IN_MEMORY and ";".join(store.rings) != RINGS:
        raise DeskError(
            f"a desk lives in the rings {RINGS!r}, where Desk.open finds it, not in {';'.join(store.rings)!r}; give "
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
    people = Traders([_hire(spec, graph, listings, fallback) for spec in traders])
    desk = put_together(
        Desk,
        graph=graph,
        db=store,
        fallback=fallback,
        market=market,
        listings=listings,
        traders=people,
        clock=clock,
        lease=owned,
    )
    open_waiting(desk.traders, graph, clock)
    graph.recalculate()
    return desk


def _require_traders(traders: Sequence[TraderSpec]) -> None:
    """Refuse what is no list of traders with names of their own."""
    given: Any = traders
    if isinstance(given, str | TraderSpec) or not isinstance(given, Sequence):
        raise DeskError(f"traders={given!r} is not a sequence of TraderSpec; put one trader into a list", value=given)
    strange = [spec for spec in given if not isinstance(spec, TraderSpec)]
    if strange:
        raise DeskError(
            f"{strange[0]!r} is not a TraderSpec; give TraderSpec(name, strategy, focus, holdings)", value=strange[0]
        )
    names = [spec.name for spec in traders]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DeskError(f"two traders are called {twice!r}; give each a name of its own", name=twice)
    if not names:
        raise DeskError("nobody trades on this desk; give at least one TraderSpec", value=traders)


def _chosen(feed: Feed | str | None, fallback: SimulatedFeed, seed: int) -> Feed:
    if feed is None or feed == fallback.name:
        return fallback
    return feed_named(feed, seed=seed) if isinstance(feed, str) else feed


def _hire(spec: TraderSpec, graph: DependencyGraph, listings: dict[str, Listing], fallback: SimulatedFeed) -> Trader:
    sectors = {item.symbol: item.sector for item in fallback.universe}
    book = Book(spec.name, positions=[])
    pnl = ProfitAndLoss(f"{spec.name}:PNL", book)
    graph.register(pnl)
    if spec not in TRADERS:
        require_quoted(spec.name, spec.holdings, listings)
    waiting, stand_ins = settle_underlyings(spec.holdings, listings, sectors)
    for wanted, given in stand_ins.items():
        said = f"{given} stands in" if given else "it is left out"
        _LOG.info("%s: the market does not quote %s; %s", spec.name, wanted, said)
    return Trader(spec.name, spec.strategy, spec.focus, graph.register(book), pnl, waiting, stand_ins)

"""Keeping a desk: everything it is goes into its store, and comes back as it was.

Nodes are stored by their own records, each once, with what they depend on by reference. Beside them one record
under ``/Desk/state`` says which market the desk was on and how far that had got, so that a simulated or replayed
market goes on where it stopped.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bank_python.barbara import BarbaraDB
from bank_python.barbara.copying import copy_store
from bank_python.dagger import DependencyGraph, DerivedNode, LargeNode
from bank_python.dagger.node import inputs_first
from bank_python.desk.assembly import open_market, put_together
from bank_python.desk.blotter import CASH_FLOWS, TRADES
from bank_python.desk.lease import take_lease
from bank_python.desk.market_plan import Listing
from bank_python.desk.parts import DeskParts
from bank_python.desk.trader import Trader, Traders
from bank_python.errors import DeskError, UnstorableError
from bank_python.instruments import Instrument, ProfitAndLoss
from bank_python.market_data import (
    CcxtFeed,
    Clock,
    Feed,
    HistoryFeed,
    MarketData,
    SimulatedFeed,
    SymbolKind,
    YahooFeed,
    feed_named,
)
from bank_python.market_data.choose import FEED_NAMES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from os import PathLike

    from bank_python.barbara.claim import Claim
    from bank_python.dagger import Node

__all__ = ["RINGS", "keep_trader", "make_room", "resume", "save"]

_LOG = logging.getLogger(__name__)
_STATE = "/Desk/state"
_STATE_VERSION = 1
_REPLAYED = frozenset({"simulated", "history"})  # sources whose quotes come again when their market is set back
RINGS = "desk;default"
"""The rings of a desk's store: what it changes is its own, beside what everybody shares."""

_Desk = TypeVar("_Desk", bound=DeskParts)


def save(desk: DeskParts) -> int:
    """Write the desk to its store in one transaction; return how many objects were written.

    A derived node whose function has no registered name (a lambda, say) cannot be stored: it and what depends on
    it are left out, and the log says so.

    Raises
    ------
    UnstorableError
        A trader holds something that cannot be stored; nothing has been written.
    """
    with desk.db.transaction(), desk.graph.snapshot():
        kept = {node.record_key: node for node in _storable(desk.graph)}
        state = _state(desk, list(kept))
        desk.db.update({**kept, _STATE: state}, changed_only=True)
    return len(kept)


def keep_trader(desk: DeskParts, trader: Trader) -> None:
    """Write what a trader holds; inside a transaction, with what else happens there."""
    desk.db.update({node.record_key: node for node in (*trader.positions, trader.book, trader.pnl)})


def make_room(db: BarbaraDB, *, replace: bool) -> None:
    """Make sure that a store has no desk, or remove the one it has.

    Raises
    ------
    DeskError
        It has one, and that is not to be replaced.
    """
    state = cast("Mapping[str, Any] | None", db.get(_STATE))
    if state is None:
        return
    if not replace:
        raise DeskError(
            f"{db.path} keeps a desk already: open it with Desk.open(path), or begin anew with "
            "build_desk(db=..., replace=True)",
            path=db.path,
        )
    with db.transaction():
        for key in {*state["nodes"], *db.keys(TRADES), *db.keys(CASH_FLOWS), _STATE}.intersection(db.keys()):
            db.delete(key)


def _storable(graph: DependencyGraph) -> list[Node]:
    """Return the nodes to write; books, totals and cash accounts come with what refers to them, or are built anew."""
    refused: set[Node] = set()
    for node in inputs_first(graph, lambda node: node.underliers, lambda _: True):
        if not refused.isdisjoint(node.underliers):
            refused.add(node)
        elif isinstance(node, LargeNode):
            refused.add(node)  # whoever made it makes it again
        elif isinstance(node, DerivedNode):
            try:
                node.to_record()
            except UnstorableError as error:
                _LOG.warning("%s is not kept with the desk: %s", node.name, error)
                refused.add(node)
    books = {node for node in graph if isinstance(node, ProfitAndLoss)}
    kept = Instrument | MarketData | Clock | ProfitAndLoss | DerivedNode
    # A book that holds something unstorable is not left out in silence: writing it raises.
    return [node for node in graph if isinstance(node, kept) and (node not in refused or node in books)]


def _state(desk: DeskParts, keys: list[str]) -> dict[str, Any]:
    return {
        "version": _STATE_VERSION,
        "feed": desk.feed.name,
        "family": _family(desk.feed),
        "feed_state": _progress(desk.feed),
        "fallback_state": desk.fallback.state(),
        "listings": [
            [item.symbol, item.kind.value, item.sector, item.feed is desk.fallback] for item in desk.listings.values()
        ],
        "traders": [
            {
                "name": trader.name,
                "strategy": trader.strategy,
                "focus": trader.focus,
                "pnl": trader.pnl.record_key,
                "waiting": list(trader.waiting),
                "stand_ins": trader.stand_ins,
            }
            for trader in desk.traders
        ],
        "clock": desk.clock.record_key,
        "nodes": keys,
    }


def _family(feed: Feed) -> str:
    """Return the name under which a market of this kind is made again, or "" for one of the user's own."""
    kinds = {SimulatedFeed: "simulated", HistoryFeed: "history", YahooFeed: "yahoo", CcxtFeed: "ccxt"}
    return kinds.get(type(feed), "")


def _progress(feed: Feed) -> dict[str, Any] | None:
    return feed.state() if isinstance(feed, SimulatedFeed | HistoryFeed) else None


def resume(path: str | PathLike[str], feed: Feed | None, make: type[_Desk], *, read_only: bool) -> _Desk:
    """Return the desk kept in the store at `path`.

    Parameters
    ----------
    path : path
        The store's file.
    feed : Feed, optional
        The market to go on with; by default the one the desk was on, where it had got to.
    make : type
        The class of desk to put its parts into.
    read_only : bool
        Whether it is only looked at: it then lives in memory, and the store stays as it is.

    Raises
    ------
    DeskError
        There is no store at `path`, no desk in it, one of a newer format, or one that somebody else owns.
    """
    if not Path(path).is_file():
        raise DeskError(f"there is no store at {path}; build_desk(db=BarbaraDB.open(..., path=...)) makes one")
    if not read_only:
        return _opened(BarbaraDB.open(RINGS, path=path), feed, make, own=True)
    with tempfile.TemporaryDirectory(prefix="bank_python_") as folder:
        copy = Path(folder) / "desk.db"
        copy_store(path, copy)
        return _opened(BarbaraDB.open(RINGS, path=copy), feed, make, own=False)


def _opened(db: BarbaraDB, feed: Feed | None, make: type[_Desk], *, own: bool) -> _Desk:
    owned = None
    try:
        _checked_state(db)
        owned = take_lease(db) if own else None
        return _resume(db, owned, feed, make)
    except BaseException:
        if owned is not None:
            owned.release()
        db.close()
        raise


def _in_memory(db: BarbaraDB) -> BarbaraDB:
    """Return a store in memory with what has happened on the desk of another, which is closed."""
    copy = BarbaraDB.open(RINGS, path=":memory:")
    copy.update({**dict(db.items(TRADES)), **dict(db.items(CASH_FLOWS))})
    db.close()
    return copy


def _resume(db: BarbaraDB, owned: Claim | None, feed: Feed | None, make: type[_Desk]) -> _Desk:
    state = _checked_state(db)
    loaded = db.load_many(state["nodes"])
    if feed is None:
        _set_back(db, loaded)
    db = _in_memory(db) if owned is None else db
    graph = DependencyGraph()
    for node in loaded.values():
        graph.register(cast("Node", node))
    fallback = SimulatedFeed.resume(state["fallback_state"])
    market_feed = _market(state, fallback) if feed is None else feed
    listings = {
        symbol: Listing(symbol, SymbolKind(kind), sector, fallback if simulated else market_feed)
        for symbol, kind, sector, simulated in state["listings"]
    }
    clock = cast("Clock", loaded[state["clock"]])
    traders = Traders([_rehire(record, loaded) for record in state["traders"]])
    desk = put_together(
        make,
        graph=graph,
        db=db,
        fallback=fallback,
        market=open_market(graph, db, market_feed, listings),
        listings=listings,
        traders=traders,
        clock=clock,
        lease=owned,
    )
    graph.recalculate()
    return desk


def _set_back(db: BarbaraDB, loaded: Mapping[str, object]) -> None:
    """Let simulated and replayed quotes be those of the moment to which their markets go back.

    A trade keeps what its contract depends on, quotes included. If the owner died before the desk was saved again,
    those quotes are of a later moment than all others, and than the market that goes on.
    """
    saved_at = _stored_at(db, _STATE)
    for key, node in loaded.items():
        if isinstance(node, MarketData) and node.source in _REPLAYED and _stored_at(db, key) > saved_at:
            before = cast("MarketData", db.get_as_of(key, saved_at))
            node.set_price(before.price, time=before.as_of, source=before.source)


def _stored_at(db: BarbaraDB, key: str) -> dt.datetime:
    return cast("dt.datetime", db.history(key)[-1].stored_at)  # committed, as this is no transaction


def _checked_state(db: BarbaraDB) -> Mapping[str, Any]:
    state = cast("Mapping[str, Any] | None", db.get(_STATE))
    if state is None:
        raise DeskError("there is no desk in this store: save one with desk.save() or desk.close() first")
    if state["version"] > _STATE_VERSION:
        raise DeskError(
            f"this desk was kept in format {state['version']}, and this bank_python knows up to {_STATE_VERSION}: "
            "upgrade bank_python to open it"
        )
    return state


def _market(state: Mapping[str, Any], fallback: SimulatedFeed) -> Feed:
    if state["feed"] == fallback.name:
        return fallback
    if state["family"] == "ccxt":
        return CcxtFeed(state["feed"])
    if state["family"] not in FEED_NAMES:
        raise DeskError(f"the desk was on the market {state['feed']!r}: open it with feed=, the market to go on with")
    feed = feed_named(state["family"])
    if isinstance(feed, HistoryFeed) and state["feed_state"] is not None:
        feed.advance_to(state["feed_state"])
    return feed


def _rehire(record: Mapping[str, Any], loaded: Mapping[str, object]) -> Trader:
    pnl = cast("ProfitAndLoss", loaded[record["pnl"]])
    waiting, stand_ins = list(record["waiting"]), dict(record.get("stand_ins", {}))  # which older desks did not keep
    return Trader(record["name"], record["strategy"], record["focus"], pnl.book, pnl, waiting, stand_ins)

"""Persistence of a desk: saving it to its store and restoring it.

Each node is stored once, as its own record, with references to the nodes it depends on. One more record, under
``/Desk/state``, has the feed of the desk and its position, so that a simulated or replayed market continues where it
was saved.
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
from bank_python.desk.settings import CONFIG
from bank_python.desk.trader import Trader, Traders
from bank_python.errors import DeskError, StoreError, UnstorableError
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
from bank_python.trading_engine.audit import TRADING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from os import PathLike

    from bank_python.barbara.claim import Claim
    from bank_python.dagger import Node

__all__ = ["RINGS", "STATE", "feed_family", "open_copy", "prepare_store", "resume", "save", "save_trader"]

_LOG = logging.getLogger(__name__)
_STATE_VERSION = 1
_NO_NODES = (TRADES, CASH_FLOWS, TRADING, CONFIG)  # prefixes of what a desk stores beside its nodes
_REPLAYED = frozenset({"simulated", "history"})  # sources that repeat their quotes when they are reset
RINGS = "desk;default"
"""The rings of a desk's store: the desk's own records over the shared ones."""
STATE = "/Desk/state"
"""Key of the record with a desk's feed, its position, and the keys of its nodes."""

_Desk = TypeVar("_Desk", bound=DeskParts)


def save(desk: DeskParts) -> int:
    """Write the desk to its store in one transaction; return the number of stored objects.

    A derived node whose function has no registered name (a lambda, for example) cannot be stored: it and its dependents
    are left out, with a warning in the log.

    Raises
    ------
    UnstorableError
        A position of a trader cannot be stored; nothing has been written.
    """
    with desk.db.transaction(), desk.graph.snapshot():
        stored = {node.record_key: node for node in _storable(desk.graph)}
        state = _state(desk, list(stored))
        desk.db.update({**stored, STATE: state}, changed_only=True)
    return len(stored)


def save_trader(desk: DeskParts, trader: Trader) -> None:
    """Write the positions, book and P&L of a trader to the store, as part of an open transaction if there is one."""
    desk.db.update({node.record_key: node for node in (*trader.positions, trader.book, trader.pnl)})


def prepare_store(db: BarbaraDB, *, replace: bool) -> None:
    """Check that a store has no desk, or remove the one it has.

    Raises
    ------
    DeskError
        The store has a desk, and `replace` is not set.
    """
    state = cast("Mapping[str, Any] | None", db.get(STATE))
    if state is None:
        return
    if not replace:
        raise DeskError(
            f"{db.path} has a desk already: open it with Desk.open(path), or replace it with "
            "build_desk(db=..., replace=True)",
            path=db.path,
        )
    with db.transaction():
        for key in {*state["nodes"], *db.keys(TRADES), *db.keys(CASH_FLOWS), STATE}.intersection(db.keys()):
            db.delete(key)


def _storable(graph: DependencyGraph) -> list[Node]:
    """Return the nodes to write; books, totals and cash accounts are stored with their dependents, or are rebuilt."""
    left_out: set[Node] = set()
    for node in inputs_first(graph, lambda node: node.underliers, lambda _: True):
        if not left_out.isdisjoint(node.underliers):
            left_out.add(node)
        elif isinstance(node, LargeNode):
            left_out.add(node)  # rebuilt by the code that registered it
        elif isinstance(node, DerivedNode):
            try:
                node.to_record()
            except UnstorableError as error:
                _LOG.warning("%s is not saved with the desk: %s", node.name, error)
                left_out.add(node)
    books = {node for node in graph if isinstance(node, ProfitAndLoss)}
    stored = Instrument | MarketData | Clock | ProfitAndLoss | DerivedNode
    # A book with an unstorable position is not left out silently: writing it raises.
    return [node for node in graph if isinstance(node, stored) and (node not in left_out or node in books)]


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
    """Return the name from which a feed of this kind can be recreated, or "" for a user-defined one."""
    kinds = {SimulatedFeed: "simulated", HistoryFeed: "history", YahooFeed: "yahoo", CcxtFeed: "ccxt"}
    return kinds.get(type(feed), "")


def _progress(feed: Feed) -> dict[str, Any] | None:
    return feed.state() if isinstance(feed, SimulatedFeed | HistoryFeed) else None


def resume(path: str | PathLike[str], feed: Feed | None, make: type[_Desk], *, read_only: bool) -> _Desk:
    """Return the desk saved in the store at `path`.

    Parameters
    ----------
    path : path
        File of the store.
    feed : Feed, optional
        Feed of the market; by default that of the saved desk, at the position where it was saved.
    make : type
        Class of the desk.
    read_only : bool
        Whether to return a copy in memory, which leaves the store unchanged.

    Raises
    ------
    DeskError
        There is no store at `path`, it has no desk or one of a newer format, or another process owns the desk.
    """
    if not Path(path).is_file():
        raise DeskError(f"there is no store at {path}; build_desk(db=BarbaraDB.open(..., path=...)) creates one")
    if not read_only:
        return _opened(BarbaraDB.open(RINGS, path=path), feed, make, own=True)
    with tempfile.TemporaryDirectory(prefix="bank_python_") as folder:
        return _opened(open_copy(path, folder), feed, make, own=False)


def open_copy(path: str | PathLike[str], folder: str) -> BarbaraDB:
    """Copy the store at `path` into a folder and open the copy.

    Parameters
    ----------
    path : path
        File of the store, which stays as it is.
    folder : str
        Folder for the copy.

    Raises
    ------
    StoreError
        The file cannot be read, or is not a store; the message names it, not the copy.
    """
    copy = Path(folder) / "desk.db"
    copy_store(path, copy)
    try:
        return BarbaraDB.open(RINGS, path=copy)
    except StoreError as error:
        raise StoreError(error.message.replace(str(copy), str(path)), path=path) from error


def feed_family(path: str | PathLike[str]) -> str:
    """Return the name of the kind of feed that a stored desk was saved with, "" for a user-defined one.

    Raises
    ------
    DeskError
        The store has no desk, or one of a newer format.
    """
    with tempfile.TemporaryDirectory(prefix="bank_python_") as folder:
        db = open_copy(path, folder)
        try:
            return str(_checked_state(db)["family"])
        finally:
            db.close()


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
    """Return a store in memory with the trades, cash postings, orders and settings of `db`, and close `db`."""
    copy = BarbaraDB.open(RINGS, path=":memory:")
    copy.update({key: value for prefix in _NO_NODES for key, value in db.items(prefix)})
    db.close()
    return copy


def _resume(db: BarbaraDB, owned: Claim | None, feed: Feed | None, make: type[_Desk]) -> _Desk:
    state = _checked_state(db)
    loaded = db.load_many(state["nodes"])
    if feed is None:
        _reset_quotes(db, loaded)
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
    traders = Traders([_restored_trader(record, loaded) for record in state["traders"]])
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


def _reset_quotes(db: BarbaraDB, loaded: Mapping[str, object]) -> None:
    """Reset simulated and replayed quotes to the time at which the desk was saved, where their markets continue.

    Booking a trade stores the nodes that its contract depends on, quotes included. If the process was killed before
    the desk was saved again, these quotes are later than all others and than the position of the market.
    """
    saved_at = _stored_at(db, STATE)
    for key, node in loaded.items():
        if isinstance(node, MarketData) and node.source in _REPLAYED and _stored_at(db, key) > saved_at:
            before = cast("MarketData", db.get_as_of(key, saved_at))
            node.set_price(before.price, time=before.as_of, source=before.source)


def _stored_at(db: BarbaraDB, key: str) -> dt.datetime:
    return cast("dt.datetime", db.history(key)[-1].stored_at)  # committed, as no transaction is open


def _checked_state(db: BarbaraDB) -> Mapping[str, Any]:
    state = cast("Mapping[str, Any] | None", db.get(STATE))
    if state is None:
        raise DeskError("there is no desk in this store: save one with desk.save() or desk.close() first")
    if state["version"] > _STATE_VERSION:
        raise DeskError(
            f"this desk was saved in format {state['version']}, but this version of bank_python reads formats up to "
            f"{_STATE_VERSION}: upgrade bank_python to open it"
        )
    return state


def _market(state: Mapping[str, Any], fallback: SimulatedFeed) -> Feed:
    if state["feed"] == fallback.name:
        return fallback
    if state["family"] == "ccxt":
        return CcxtFeed(state["feed"])
    if state["family"] not in FEED_NAMES:
        raise DeskError(
            f"the desk was saved with the user-defined feed {state['feed']!r}: open it with feed=, the feed to "
            "continue with"
        )
    feed = feed_named(state["family"])
    if isinstance(feed, HistoryFeed) and state["feed_state"] is not None:
        feed.advance_to(state["feed_state"])
    return feed


def _restored_trader(record: Mapping[str, Any], loaded: Mapping[str, object]) -> Trader:
    pnl = cast("ProfitAndLoss", loaded[record["pnl"]])
    waiting, stand_ins = list(record["waiting"]), dict(record.get("stand_ins", {}))  # missing in older stores
    return Trader(record["name"], record["strategy"], record["focus"], pnl.book, pnl, waiting, stand_ins)

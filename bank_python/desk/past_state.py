"""The state of a stored desk at an earlier time, from the versions that its store has kept.

Examples
--------
>>> from bank_python.desk import build_desk
>>> from bank_python.risk import PnLAttribution, capture
>>> desk = build_desk(seed=7)
>>> step = desk.tick()
>>> opening = past_state(desk.db)
>>> day = PnLAttribution.between(opening.state, capture(desk.traders))
>>> abs(day.actual - desk.firm_pnl.value) < 1e-6
True
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from bank_python.dagger import DependencyGraph
from bank_python.desk.persistence import STATE, open_copy
from bank_python.display import Record
from bank_python.errors import DeskError, StoreError
from bank_python.guessing import guessable
from bank_python.risk import DeskState, capture

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from os import PathLike

    from bank_python.barbara import BarbaraDB
    from bank_python.barbara.past import PastView
    from bank_python.dagger import Node
    from bank_python.instruments import ProfitAndLoss
    from bank_python.market_data import Clock

__all__ = ["PastState", "past_state", "store_copy"]


@dataclass(frozen=True, slots=True)
class PastState(Record):
    """The positions of a desk as they were saved at an earlier time.

    Parameters
    ----------
    saved_at : datetime
        Time at which the desk was saved, in UTC.
    date : date
        Valuation date of the desk then.
    state : DeskState
        Positions of all traders, with the inputs of their prices.
    """

    saved_at: dt.datetime
    date: dt.date
    state: DeskState


@guessable
def past_state(db: BarbaraDB, since: dt.datetime | None = None) -> PastState:
    """Return the state of a desk when it was saved last by an earlier time.

    Parameters
    ----------
    db : BarbaraDB
        Store of the desk.
    since : datetime, optional
        Earlier time, timezone-aware; by default the earliest at which the store still has the desk.

    Raises
    ------
    DeskError
        The store has no desk at that time, or its versions were dropped.
    """
    if since is not None and since.tzinfo is None:
        raise DeskError(f"since={since.isoformat()} has no time zone; give a time in UTC, for example", value=since)
    saved = [entry.stored_at for entry in db.history(STATE) if entry.stored_at is not None]
    wanted = saved if since is None else [time for time in saved if time <= since][-1:]
    for time in wanted:
        try:
            return _state_at(db.as_of(time), time)
        except StoreError:  # pruned
            continue
    kept = f"the store has it from {saved[0].isoformat(timespec='seconds')} on" if saved else "there is none in it"
    raise DeskError(f"the desk in {db.path} cannot be read as of {since or 'its opening'}; {kept}", value=since)


def _state_at(past: PastView, time: dt.datetime) -> PastState:
    saved = cast("Mapping[str, Any]", past[STATE])
    loaded = past.load_many(saved["nodes"])
    graph = DependencyGraph()
    for node in loaded.values():
        graph.register(cast("Node", node))
    books = [
        graph.register(cast("ProfitAndLoss", loaded[trader["pnl"]]).book)  # which has the exchange rates then
        for trader in saved["traders"]
    ]
    return PastState(time, cast("Clock", loaded[saved["clock"]]).date, capture(books))


@contextmanager
def store_copy(path: str | PathLike[str]) -> Iterator[BarbaraDB]:
    """Open a copy of the store at `path`, with its versions, for the length of the block.

    Parameters
    ----------
    path : path
        File of the store, which stays as it is.

    Raises
    ------
    StoreError
        The file cannot be read, or is not a store.
    """
    with tempfile.TemporaryDirectory(prefix="bank_python_") as folder, open_copy(path, folder) as db:
        yield db

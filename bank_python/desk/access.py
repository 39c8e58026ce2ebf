"""The desk that a command line works on: one stored in a file, to read or to own, or a new one in memory.

A command that reads a stored desk opens a copy, so that it works beside the process that owns the desk; a file that is
not there is an error. A command that changes a desk owns it until it ends, and builds a new desk where there is none.
Without a file there is a new desk in memory, which ends with the command.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bank_python.desk.build import build_desk
from bank_python.desk.console import remark, working
from bank_python.desk.desk import Desk
from bank_python.desk.persistence import feed_family
from bank_python.display import Record
from bank_python.errors import DeskError
from bank_python.market_data import HistoryFeed, ReplayFeed, SimulatedFeed, feed_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.market_data import Feed

__all__ = ["DeskSource", "is_local", "owned_desk", "read_desk"]

_FEW_TICKS = 5
_SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class DeskSource(Record):
    """Where a command's desk comes from.

    Parameters
    ----------
    path : str, optional
        File of a stored desk; by default the desk is new, in memory.
    feed : str, optional
        Name of the market's feed, one of :data:`~bank_python.market_data.choose.FEED_NAMES`. By default a new desk has
        the simulated one, and a stored desk the feed that it was saved with.
    seed : int, default 7
        Seed of the simulated market of a new desk, at least 0.
    ticks : int, optional
        Number of polls of the market before the command, at least 0. By default five for a new desk, none for a stored
        one, and one for either on a live market.
    """

    path: str | None = None
    feed: str | None = None
    seed: int = 7
    ticks: int | None = None

    @property
    def stored(self) -> bool:
        """Whether the file of the desk is there."""
        return self.path is not None and Path(self.path).exists()


def is_local(feed: Feed) -> bool:
    """Return whether the quotes and price histories of a feed need no network.

    Parameters
    ----------
    feed : Feed
        Feed of a market.
    """
    return isinstance(feed, SimulatedFeed | HistoryFeed | ReplayFeed)


@contextmanager
def read_desk(source: DeskSource) -> Iterator[Desk]:
    """Open a desk to read: a copy of a stored one, or a new one in memory.

    Parameters
    ----------
    source : DeskSource
        File or settings of the desk.

    Raises
    ------
    DeskError
        The file is not there, or has no desk.
    """
    if source.path is None:
        with _in_memory(source) as desk:
            yield desk
        return
    if not source.stored:
        raise DeskError(
            f"there is no desk at {source.path}; prop_desk.py --once --db {source.path} builds one, and "
            "--live keeps it running",
            path=source.path,
        )
    with working(f"Reading the desk in {source.path} ..."):
        desk = Desk.open(source.path, _feed(source), read_only=True)
    with desk:
        _poll(desk, source, few=0)
        yield desk


@contextmanager
def owned_desk(source: DeskSource) -> Iterator[Desk]:
    """Open a desk to change, and save and release it at the end; where there is none, a new one is built.

    Parameters
    ----------
    source : DeskSource
        File or settings of the desk.

    Raises
    ------
    DeskError
        Another process owns the desk, which ``holder`` identifies, or the file has no desk.
    """
    if source.path is None:
        with _in_memory(source) as desk:
            yield desk
        return
    stored = source.stored
    with working(f"{'Opening' if stored else 'Building'} the desk in {source.path} ..."):
        desk = Desk.open(source.path, _feed(source)) if stored else _built(source)
    if not stored:
        remark(f"there was no desk at {source.path}: a new one is kept there now ({desk.feed.name} market)")
    with desk:
        _poll(desk, source, few=0 if stored else _FEW_TICKS)
        yield desk


@contextmanager
def _in_memory(source: DeskSource) -> Iterator[Desk]:
    remark("a new desk in memory, of which nothing is kept; --db FILE, or BANK_PYTHON_DB=FILE, names one that is")
    with working(f"Building the desk on the {source.feed or _SIMULATED} market ..."):
        desk = _built(source)
    try:
        _poll(desk, source, few=_FEW_TICKS)
        yield desk
    finally:
        desk.feed.close()
        desk.db.close()


def _built(source: DeskSource) -> Desk:
    return build_desk(seed=source.seed, feed=source.feed, db=source.path)


def _feed(source: DeskSource) -> Feed | None:
    """Return another feed than that of a stored desk, whose own goes on where it was saved, also if it is named."""
    if source.feed is None or (source.path is not None and feed_family(source.path) == source.feed):
        return None
    return feed_named(source.feed, seed=source.seed)


def _poll(desk: Desk, source: DeskSource, *, few: int) -> None:
    usual = few if is_local(desk.feed) else 1
    ticks = usual if source.ticks is None else source.ticks
    if not ticks:
        return
    with working(f"Polling the {desk.feed.name} market ..."):
        for _ in range(ticks):
            desk.tick()

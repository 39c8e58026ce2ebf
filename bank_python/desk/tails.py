"""Tails of a desk as nodes of its graph: tail index and fragility of each trader's book and of the firm.

Each book is revalued, as it is now, in the moves of the past year's days; its tail indices are those of this P&L. The
book's own past P&L would have the tails of positions that it no longer has, and simulated scenarios those of their
model. Its fragility is the second-order heuristic of shocks to spots, credit spreads and exchange rates; see
:class:`~bank_python.taleb.BookTails`.

The settings ``tails_every`` and ``tails_every_ticks`` are the policy of these nodes: other ticks do not evaluate them.

Examples
--------
>>> from bank_python.desk import build_desk
>>> desk = build_desk(seed=7)
>>> tails = DeskTails(desk)
>>> tails.traders["Bob"].fragility.value.firm.verdict.value, tails.pace.words
('fragile', 'every 60 s')
>>> before = tails.firm.pnl.value
>>> step = desk.tick()
>>> tails.firm.pnl.value is before
True
>>> tails.renew()
>>> tails.firm.pnl.value is before
False
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from bank_python.dagger import Every
from bank_python.desk.factor_model import load_past
from bank_python.desk.past_moves import PastMoves
from bank_python.desk.settings import read_settings
from bank_python.errors import DeskError
from bank_python.taleb.book_tails import BookTails

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.dagger import DependencyGraph, Policy
    from bank_python.desk.parts import DeskParts
    from bank_python.desk.settings import DeskSettings
    from bank_python.instruments import Book

__all__ = ["DeskTails", "TailPace"]

_FIRM = "TAILS"


class TailPace:
    """How often tails are evaluated: at most once in a time or in a number of ticks, or only when asked for.

    Parameters
    ----------
    graph : DependencyGraph
        Graph whose ticks are counted.
    settings : DeskSettings
        Settings of the desk, with ``tails_every`` and ``tails_every_ticks``.
    clock : callable, default time.monotonic
        Function that returns the time in seconds.
    """

    def __init__(
        self, graph: DependencyGraph, settings: DeskSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._words = _in_words(settings)
        ticks, seconds = settings.tails_every_ticks, settings.tails_every
        self._count: Callable[[], float] = (lambda: float(graph.tick)) if ticks else clock
        self._period = ticks or seconds
        if self._period == math.inf:
            self._count, self._period = float, 1.0  # no time passes
        self._asked = 0.0

    @property
    def words(self) -> str:
        """The pace in words."""
        return self._words

    @property
    def policy(self) -> Policy:
        """The pace as a policy of nodes."""
        return Every(self._period, clock=self._passed)

    def renew(self) -> None:
        """Let the nodes be evaluated at the next recalculation or read, if their inputs have changed."""
        self._asked += self._period

    def _passed(self) -> float:
        return self._asked + self._count()


def _in_words(settings: DeskSettings) -> str:
    ticks, seconds = settings.tails_every_ticks, settings.tails_every
    if (ticks or seconds) == math.inf:
        return "only when asked for"
    return f"every {ticks:,.10g} ticks" if ticks else f"every {seconds:,.10g} s"


class DeskTails:
    """Tail index and fragility of each trader and of the firm, as nodes of a desk's graph.

    Parameters
    ----------
    desk : DeskParts
        Desk with at least one open position. Its price histories are loaded if they are not there.
    settings : DeskSettings, optional
        Settings with the pace; those in the desk's store by default.
    clock : callable, default time.monotonic
        Function that returns the time in seconds.

    Raises
    ------
    DeskError
        The desk has no position, or there are no past days that the factors have in common.
    FeedError
        A price history could not be loaded.
    """

    def __init__(
        self, desk: DeskParts, settings: DeskSettings | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._desk = desk
        self.pace = TailPace(desk.graph, read_settings(desk.db) if settings is None else settings, clock)
        self.traders: dict[str, BookTails] = {}
        self._behind: dict[BookTails, list[Book]] = {}  # with positions whose past moves are not set yet
        if not any(trader.positions for trader in desk.traders):
            raise DeskError("the desk has no open position; its tails cannot be known")
        load_past(desk)
        with desk.graph.batch():  # registers all nodes, or none
            moves = PastMoves(desk)
            self.firm = self._tails(_FIRM, self._books(), moves)
            self._add_traders(moves)

    @property
    def as_of_tick(self) -> int:
        """Oldest tick whose quotes are in the figures."""
        return min(tails.as_of_tick for tails in (self.firm, *self.traders.values()))

    @property
    def is_simulated(self) -> bool:
        """Whether any of the histories is simulated."""
        return any(
            self._desk.listings[symbol].feed is self._desk.fallback
            for symbol in self._desk.past.tickers
            if symbol in self._desk.listings
        )

    def renew(self) -> None:
        """Evaluate all figures at the next recalculation or read, whatever the pace."""
        self.pace.renew()

    def follow_books(self) -> bool:
        """Update the nodes after trades that open or close positions; return whether there were any.

        Raises
        ------
        FeedError
            The price history of a new position could not be loaded.
        """
        own = {tails: [self._desk.traders[name].book] for name, tails in self.traders.items()}
        for tails, books in {**own, self.firm: self._books()}.items():
            if tails.follow_books():
                self._behind[tails] = books
        if not self._behind:  # a trader's first position is one of the firm
            return False
        load_past(self._desk)
        moves = PastMoves(self._desk)
        for tails, books in self._behind.items():
            tails.follow_moves(moves.of(books))
        self._behind.clear()
        self._add_traders(moves)
        return True

    def remove(self) -> None:
        """Remove the nodes from the graph."""
        with self._desk.graph.batch():
            for tails in (*self.traders.values(), self.firm):
                tails.remove()

    def _books(self) -> list[Book]:
        return [trader.book for trader in self._desk.traders]

    def _add_traders(self, moves: PastMoves) -> None:
        for trader in self._desk.traders:
            if trader.positions and trader.name not in self.traders:
                self.traders[trader.name] = self._tails(f"{_FIRM}:{trader.name}", [trader.book], moves)

    def _tails(self, name: str, books: list[Book], moves: PastMoves) -> BookTails:
        return BookTails(self._desk.graph, books, moves.of(books), name=name, policy=self.pace.policy)

    def __repr__(self) -> str:
        return f"<DeskTails: {len(self.traders)} traders, {self.pace.words}>"

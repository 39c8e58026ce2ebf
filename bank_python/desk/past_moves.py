"""Moves of the risk factors of some books on past days, from the histories that the desk's factor model is made of.

Factors that one feed quotes move together, on the dates that they have in common. Two feeds, such as a panel of real
shares and simulated rates, have no dates in common: their days are paired from the last one back, as independent moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import DeskError
from bank_python.mc_engine.draws import Draws
from bank_python.risk import plan_valuation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from bank_python.desk.parts import DeskParts
    from bank_python.instruments import Book
    from bank_python.numerics import FloatArray

__all__ = ["PastMoves"]


class PastMoves:
    """Daily moves of factors in one year of closes, each history being read once.

    Parameters
    ----------
    desk : DeskParts
        Desk that quotes the factors, with their histories in ``desk.past``; see
        :func:`~bank_python.desk.factor_model.load_past`.
    """

    def __init__(self, desk: DeskParts) -> None:
        self._desk = desk
        self._symbols = {desk.leaf(symbol).name: symbol for symbol in desk.listings}
        self._read: dict[str, dict[datetime, float]] = {}

    def of(self, books: Sequence[Book]) -> Draws:
        """Return the moves of all factors of some books, an array of shape (factors, days).

        Parameters
        ----------
        books : sequence of Book
            Books with positions.

        Raises
        ------
        UnknownTickerError
            The history of a factor has not been loaded.
        DeskError
            The desk does not quote a factor, or the factors of a feed have fewer than two dates in common.
        """
        factors = plan_valuation(books).factors
        relative = np.array([factor.relative for factor in factors], dtype=bool)
        by_feed: dict[str, list[int]] = {}
        for i, factor in enumerate(factors):
            feed = self._desk.listings[self._symbol(factor.name)].feed.name
            by_feed.setdefault(feed, []).append(i)
        found = [
            self._moves([self._symbol(factors[i].name) for i in members], relative[members])
            for members in by_feed.values()
        ]
        days = min((moves.shape[1] for moves in found), default=0)
        together = np.empty((len(factors), days))
        for members, moves in zip(by_feed.values(), found, strict=True):
            together[members] = moves[:, moves.shape[1] - days :]
        return Draws(tuple(factor.name for factor in factors), tuple(relative.tolist()), together)

    def _symbol(self, factor: str) -> str:
        if factor not in self._symbols:
            raise DeskError(f"the desk does not quote {factor}, so its past moves are not known")
        return self._symbols[factor]

    def _moves(self, symbols: Sequence[str], relative: NDArray[np.bool_]) -> FloatArray:
        """Return growth or shifts between consecutive common dates, shape (symbols, days)."""
        histories = [self._history(symbol) for symbol in symbols]
        common = sorted(set.intersection(*map(set, histories)))
        if len(common) < 2:  # noqa: PLR2004 - a move is from a day to the next
            others = f" and {len(symbols) - 1} more" if len(symbols) > 1 else ""
            raise DeskError(f"the histories of {symbols[0]}{others} have {len(common)} dates in common: no daily moves")
        closes = np.array([[history[date] for date in common] for history in histories], dtype=np.float64)
        shifts = np.diff(closes, axis=1)
        return np.asarray(np.where(relative[:, None], shifts / closes[:, :-1], shifts))

    def _history(self, symbol: str) -> dict[datetime, float]:
        if symbol not in self._read:
            self._read[symbol] = {row["date"]: row["close"] for row in self._desk.past.query(symbol)}
        return self._read[symbol]

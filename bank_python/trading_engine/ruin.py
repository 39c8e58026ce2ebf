"""Distance to ruin: the smallest move, and the time, at which the loss of a book reaches a budget.

For each of a number of days ahead, moves of the spot are searched from 0 outwards, both ways, up to a factor of twenty;
the strikes are among the places searched, and the first loss beyond the budget is located by bisection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.results import Tabular
from bank_python.trading_engine.option_book import TRADING_DAYS
from bank_python.trading_engine.vol_rule import as_rule

if TYPE_CHECKING:
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.option_book import OptionBook
    from bank_python.trading_engine.vol_rule import VolRule

__all__ = ["RuinDistance", "RuinPoint", "ruin_distance"]

_LARGEST_LOG = 3.0
_PER_SIDE = 240
_TIMES = 24
_DAYS = 365.0
_LONGEST = 3650
_HALVINGS = 50


@dataclass(frozen=True, slots=True)
class RuinPoint(Record):
    """A move and a time at which the loss reaches the budget.

    Parameters
    ----------
    days : int
        Calendar days from now.
    move : float
        Move in standard deviations over the book's horizon; 0 if time alone is enough.
    relative_move : float, optional
        Relative move of the spot; None for several underlyings.
    deviations : float, optional
        Size of the move in standard deviations over these days; None for 0 days.
    """

    days: int
    move: float
    relative_move: float | None
    deviations: float | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RuinDistance(Tabular):
    """Moves and times at which the loss reaches a budget; returned by ``TradeTracker.ruin``.

    Parameters
    ----------
    budget : float
        Loss in money, above 0.
    points : tuple of RuinPoint
        Nearest moves downwards and upwards for each number of days, where there are such.
    days : tuple of int
        Numbers of days that were searched.
    bleed_days : int, optional
        Days until the loss reaches the budget with spots unchanged; None if it does not.
    worst : float
        Smallest P&L that was found.
    horizon_days : float
        Trading days over which a standard deviation is measured.
    rule : VolRule
        How volatilities follow the spot.
    """

    budget: float
    points: tuple[RuinPoint, ...]
    days: tuple[int, ...]
    bleed_days: int | None
    worst: float
    horizon_days: float
    rule: VolRule

    @property
    def smallest(self) -> RuinPoint | None:
        """Point with the smallest move, the earliest of equal ones; None if the loss never reaches the budget."""
        return min(self.points, key=lambda point: (abs(point.move), point.days), default=None)

    @property
    def immediate(self) -> tuple[RuinPoint, ...]:
        """Points at which the loss reaches the budget today."""
        return tuple(point for point in self.points if point.days == 0)

    @property
    def likeliest(self) -> RuinPoint | None:
        """Point with the fewest standard deviations over its days; None if there is none after today."""
        timed = [point for point in self.points if point.deviations is not None]
        return min(timed, key=lambda point: (point.deviations or 0.0, point.days), default=None)

    def to_table(self) -> Table:
        """Return a table with a row for each point."""
        from bank_python.mntable import Table

        names = ("days", "move", "relative_move", "deviations")
        schema = [("days", int), ("move", float), ("relative_move", float | None), ("deviations", float | None)]
        return Table.from_rows(schema, [{name: getattr(point, name) for name in names} for point in self.points])

    def __rich__(self) -> object:
        from bank_python.render_tracker import ruin_view

        return ruin_view(self)


def ruin_distance(book: OptionBook, budget: float, rule: VolRule | None = None) -> RuinDistance:
    """Return the moves and times at which the loss of a book reaches a budget.

    Parameters
    ----------
    book : OptionBook
        Open options with their market data.
    budget : float
        Loss in money, above 0.
    rule : VolRule, optional
        How volatilities follow the spot; by default with an elasticity of 1.

    Raises
    ------
    TradingError
        The budget is not a finite number above 0.
    """
    if not 0.0 < budget < np.inf:
        raise TradingError(f"budget={budget!r} is not a finite number above 0; give a loss in money", name="budget")
    rule = as_rule(rule)
    last = min(int(np.ceil(_DAYS * max(line.years for line in book.lines))), _LONGEST)
    days = _searched_days(book, last)
    moves = _searched_moves(book)
    pnl = book.pnl(moves, days / _DAYS, rule)
    points = []
    for side in (moves <= 0.0, moves >= 0.0):
        points += _crossings(book, rule, budget, days, moves[side], pnl[:, side])
    still = book.pnl([0.0], np.arange(last + 1) / _DAYS, rule)[:, 0]
    bled = np.flatnonzero(still <= -budget)
    bleed_days = int(bled[0]) if bled.size else None
    if bleed_days is not None:
        points = [point for point in points if point.days < bleed_days]
        points.append(_point(book, bleed_days, 0.0))
    points.sort(key=lambda point: (point.days, point.move))
    worst = float(min(pnl.min(), still.min()))
    return RuinDistance(budget, tuple(points), tuple(days.tolist()), bleed_days, worst, book.horizon_days, rule)


def _searched_days(book: OptionBook, last: int) -> FloatArray:
    """Return days from today to the last expiry, those of all expiries among them."""
    expiries = [round(_DAYS * line.years) for line in book.lines]
    spread = np.linspace(0.0, last, _TIMES).round().astype(np.int64)
    return np.unique(np.concatenate([spread, np.minimum(expiries, last)]))


def _searched_moves(book: OptionBook) -> FloatArray:
    """Return moves that are dense near 0, and those to each strike."""
    widest = _LARGEST_LOG / float(book.deviations.max())
    side = widest * np.linspace(0.0, 1.0, _PER_SIDE) ** 2
    strikes = np.array([np.log(line.strike / line.spot) for line in book.lines]) / book.deviations
    return np.unique(np.concatenate([-side, side, strikes[np.abs(strikes) <= widest]]))


def _crossings(
    book: OptionBook, rule: VolRule, budget: float, days: FloatArray, moves: FloatArray, pnl: FloatArray
) -> list[RuinPoint]:
    """Return for each day the nearest move on one side of 0 with such a loss, located between two places searched."""
    outwards = np.argsort(np.abs(moves))
    reached = pnl[:, outwards] <= -budget
    rows = np.flatnonzero(reached.any(axis=1) & ~reached[:, 0])
    first = reached[rows].argmax(axis=1)
    near, far = moves[outwards[first - 1]], moves[outwards[first]]
    elapsed = days[rows] / _DAYS
    for _ in range(_HALVINGS):
        middle = 0.5 * (near + far)
        beyond = book.pnl_at(middle, elapsed, rule) <= -budget
        near, far = np.where(beyond, near, middle), np.where(beyond, middle, far)
    return [_point(book, int(day), float(move)) for day, move in zip(days[rows], far, strict=True)]


def _point(book: OptionBook, days: int, move: float) -> RuinPoint:
    scale = np.sqrt(book.horizon_days / TRADING_DAYS * _DAYS / days) if days else None
    return RuinPoint(days, move, book.relative_move(move), None if scale is None else float(abs(move) * scale))

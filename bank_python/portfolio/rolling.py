"""Rolling of a portfolio's valuation date: coupons and premiums are booked, contracts that end are settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.instruments import Instrument
from bank_python.instruments.cash_flows import ROUNDING, cash_between, end_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from bank_python.dagger import DependencyGraph
    from bank_python.instruments import Book, Position, ProfitAndLoss
    from bank_python.market_data import Clock

__all__ = ["roll_books"]


def roll_books(
    graph: DependencyGraph, books: Iterable[Book], pnls: Iterable[ProfitAndLoss], clock: Clock, day: dt.date
) -> None:
    """Move the valuation date, as one tick.

    Cash that falls due lowers the cost of its position, so that it stays in the P&L; the position in a contract that
    has ended gets a quantity of 0. Options are settled at the present prices.

    Parameters
    ----------
    graph : DependencyGraph
        Graph of the books.
    books : iterable of Book
        Books whose positions are rolled.
    pnls : iterable of ProfitAndLoss
        P&L of the books.
    clock : Clock
        Valuation date.
    day : date
        New valuation date.

    Raises
    ------
    DomainError
        `day` lies before the valuation date.
    BankError
        A payment has no value. Nothing is changed.
    """
    since, until = clock.years, clock.years_at(day)
    due = [(position, *_due(position.instrument, since, until)) for book in books for position in book.positions]
    with graph.batch():
        clock.roll(day)
        for position, paid, ended in due:
            _book(position, paid, ended=ended)
        for pnl in pnls:
            pnl.update_cash()
    graph.recalculate()


def _due(contract: object, since: float, until: float) -> tuple[float, bool]:
    """Return the cash that one unit pays, and whether the contract ends."""
    if not isinstance(contract, Instrument):
        return 0.0, False
    end = end_of(contract)
    return cash_between(contract, min(since, end), until), end + ROUNDING < until


def _book(position: Position, paid: float, *, ended: bool) -> None:
    cash = position.quantity * position.multiplier * paid + 0.0  # turns −0.0 into 0.0
    if ended and position.quantity:
        position.close_out(cash)
    elif cash:
        position.collect(cash)

r"""Books at shares of equity: what an account that trades on given bars is worth, for many such books at once.

A :class:`Book` has, for each bar and ticker, a *share* of equity and whether the ticker is *traded* on the bar. Where
it is, an order brings it to that share, sized as orders of a back-test are: by equity and price at the close before the
fill (with ``fill="close"`` at that close itself). Where it is not, its units stay. A purchase of x units at the price p
takes :math:`x p (1 + s)(1 + f)` from the cash and a sale adds :math:`x p (1 - s)(1 - f)`, with the slippage s and the
fee f; interest and borrow fees accrue from bar to bar on what was held before the orders of the bar. So
:func:`book_of` and :func:`book_equity` together reproduce the equity of an event-driven run, to rounding, if all its
fills are at the open or close that ``fill`` says.

An order that waits for its price, such as a stop, fills inside a bar, by what happens in that bar. In a book it would
trade at the open, before that is known, so that such a book looks ahead. :func:`accounting_difference` shows it, and
:func:`exact_book` refuses it.

The bars are a loop, the books one array axis. A ticker without a bar is not traded, and a book whose equity is not
above 0 closes its positions and trades no more.

Examples
--------
>>> from bank_python.backtester.backtester import Backtester
>>> result = Backtester(lambda window: {"A": 0.5} if window.index == 0 else None, data={"A": [10.0, 11.0, 12.0]}).run()
>>> book = book_of(result)
>>> book.traded[:, 0].tolist(), bool(abs(book_equity(result, book) / result.equity - 1.0).max() < 1e-12)
([False, True, False], True)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bank_python.backtester.costs import BPS, SECONDS_A_YEAR
from bank_python.backtester.replay_settings import FillAt
from bank_python.errors import BacktestError

if TYPE_CHECKING:
    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.costs import Costs
    from bank_python.backtester.finished_run import FinishedRun
    from bank_python.numerics import FloatArray

__all__ = ["Book", "BoolArray", "accounting_difference", "book_equity", "book_of", "exact_book", "inexact", "stacked"]

BoolArray: TypeAlias = NDArray[np.bool_]

_SAME = 1e-6  # relative difference of equities up to which two accounts are one
_LEAST = 1e-6  # share of the cash at the start that differences are measured by at least


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """Shares of equity by bar and ticker, and where they are traded for.

    Parameters
    ----------
    shares : ndarray, shape (…, n_bars, n_tickers)
        Value of the position in each ticker as a share of equity, negative for a short position.
    traded : ndarray of bool, shape (…, n_bars, n_tickers)
        Whether an order brings the ticker to its share on the bar.
    """

    shares: FloatArray
    traded: BoolArray

    @property
    def turnover(self) -> FloatArray:
        """Sum of the changes of shares on bars that trade, and of the shares at the end, as if closed; shape (…)."""
        before = np.concatenate([np.zeros_like(self.shares[..., :1, :]), self.shares[..., :-1, :]], axis=-2)
        changes = np.where(self.traded, np.abs(self.shares - before), 0.0).sum(axis=(-2, -1))
        return np.asarray(changes + np.abs(self.shares[..., -1, :]).sum(axis=-1))


def stacked(books: list[Book]) -> Book:
    """Return books as one, with a leading axis.

    Parameters
    ----------
    books : list of Book
        Books of one shape, at least one.
    """
    return Book(np.stack([book.shares for book in books]), np.stack([book.traded for book in books]))


def book_of(run: FinishedRun) -> Book:
    """Return what a run has held as shares of equity.

    Parameters
    ----------
    run : FinishedRun
        Result of a back-test.

    Raises
    ------
    BacktestError
        The run held options, whose prices at other times are not known.
    """
    if run.contracts:
        raise BacktestError(
            f"{run.strategy} held options such as {run.contracts[0]}: a book of shares cannot be made of them",
            name=run.contracts[0],
        )
    before = np.concatenate([np.zeros_like(run.held[:1]), run.held[:-1]])
    marks, equity = _marks(run.panel, run.fill), _equity_before_orders(run)
    alive = equity > 0.0
    safe = np.where(alive, equity, 1.0)
    shares = np.where(alive[:, None], run.held * marks / safe[:, None], 0.0)
    return Book(shares, run.held != before)


def _marks(panel: BarPanel, fill: FillAt) -> FloatArray:
    """Return the closes that orders are sized by, those of fills where there are none before."""
    closes = np.nan_to_num(panel.last_closes)
    if fill is FillAt.CLOSE:
        return closes
    marks = _before(closes)
    return np.where(marks > 0.0, marks, np.nan_to_num(_paid(panel, fill)))


def _paid(panel: BarPanel, fill: FillAt) -> FloatArray:
    return panel.open if fill is FillAt.NEXT_OPEN else panel.close


def _years(panel: BarPanel) -> FloatArray:
    """Return the years since the bar before, 0 for the first."""
    times = np.array([when.timestamp() for when in panel.dates])
    return np.diff(times, prepend=times[:1]) / SECONDS_A_YEAR


def _equity_before_orders(run: FinishedRun) -> FloatArray:
    """Return the equity that the orders filled on each bar are sized by."""
    if run.fill is not FillAt.CLOSE:
        return np.concatenate([[run.initial_cash], run.equity[:-1]])
    cash = np.concatenate([[run.initial_cash], run.cash[:-1]])
    held, closes = np.concatenate([np.zeros_like(run.held[:1]), run.held[:-1]]), np.nan_to_num(run.panel.last_closes)
    short = np.minimum(held * _before(closes), 0.0).sum(axis=1)
    interest = [run.costs.accrued(*each) for each in zip(_years(run.panel), cash, short, strict=True)]
    return np.asarray(cash + interest + (held * closes).sum(axis=1))


def _before(closes: FloatArray) -> FloatArray:
    """Return the closes of the bar before, 0 for the first."""
    return np.concatenate([np.zeros_like(closes[:1]), closes[:-1]])


class _Accounts:
    """Accounts that trade side by side: units (n_books, n_tickers), cash (n_books,)."""

    def __init__(self, count: int, tickers: int, cash: float, costs: Costs) -> None:
        self.units, self.cash = np.zeros((count, tickers)), np.full(count, cash)
        fees, slippage = costs.fees_bps * BPS, costs.slippage_bps * BPS
        self._bought, self._sold = (1.0 + slippage) * (1.0 + fees), (1.0 - slippage) * (1.0 - fees)
        self._costs = costs

    def trade(
        self, shares: FloatArray, traded: BoolArray, equity: FloatArray, marks: FloatArray, paid: FloatArray
    ) -> None:
        """Bring tickers to shares of equity."""
        can = traded & (paid > 0.0) & (marks > 0.0)
        wanted = shares * np.maximum(equity, 0.0)[:, None] / np.where(marks > 0.0, marks, 1.0)
        change = np.where(can, wanted - self.units, 0.0)
        flows = change * np.nan_to_num(paid)
        self.cash -= np.where(flows > 0.0, flows * self._bought, flows * self._sold).sum(axis=1)
        self.units += change

    def accrue(self, years: float, closes: FloatArray) -> None:
        """Book interest and borrow fees for the time since the closes of the bar before."""
        costs = self._costs
        if years and (costs.cash_rate or costs.borrow_rate):
            short = np.minimum(self.units * closes, 0.0).sum(axis=1)
            self.cash += costs.accrued(years, self.cash, short)

    def equity(self, closes: FloatArray) -> FloatArray:
        """Return cash and positions at prices."""
        return np.asarray(self.cash + self.units @ closes)


def book_equity(run: FinishedRun, book: Book, costs: Costs | None = None) -> FloatArray:
    """Return the equity at each close of books that trade the bars of a run, shape (…, n_bars).

    Parameters
    ----------
    run : FinishedRun
        Run whose bars, cash at the start, costs and kind of fill count.
    book : Book
        One book, or several on leading axes.
    costs : Costs, optional
        Costs in place of those of the run.
    """
    panel, fill = run.panel, run.fill
    bars, tickers = panel.close.shape
    shares, traded = book.shares.reshape(-1, bars, tickers), book.traded.reshape(-1, bars, tickers)
    accounts = _Accounts(len(shares), tickers, run.initial_cash, run.costs if costs is None else costs)
    marks, paid, years = _marks(panel, fill), _paid(panel, fill), _years(panel)
    closes = np.nan_to_num(panel.last_closes)
    active = np.asarray(traded.any(axis=(0, 2)))
    found = np.empty((len(shares), bars))
    equity = np.full(len(shares), run.initial_cash)
    for t in range(bars):
        at_close = fill is FillAt.CLOSE
        accounts.accrue(float(years[t]), closes[max(t - 1, 0)])
        if active[t] and not at_close:
            accounts.trade(shares[:, t], _or_ruined(traded[:, t], equity), equity, marks[t], paid[t])
        equity = accounts.equity(closes[t])
        if active[t] and at_close:
            accounts.trade(shares[:, t], _or_ruined(traded[:, t], equity), equity, marks[t], paid[t])
            equity = accounts.equity(closes[t])
        found[:, t] = equity
    return found.reshape(*book.shares.shape[:-2], bars)


def _or_ruined(traded: BoolArray, equity: FloatArray) -> BoolArray:
    """Return where books trade; one without equity closes everything."""
    return traded | (equity <= 0.0)[:, None]


def accounting_difference(run: FinishedRun, equity: FloatArray | None = None) -> float:
    """Return the largest relative difference between the equity of a run and that of its book, before any ruin.

    Parameters
    ----------
    run : FinishedRun
        Result of a back-test, without options.
    equity : ndarray, shape (n_bars,), optional
        Equity of the book, if it is known.

    Raises
    ------
    BacktestError
        The run held options.
    """
    booked = book_equity(run, book_of(run)) if equity is None else equity
    solvent = np.logical_and.accumulate(run.equity > 0.0)
    gaps = np.abs(booked - run.equity) / np.maximum(np.abs(run.equity), _LEAST * run.initial_cash)
    return float(gaps[solvent].max(initial=0.0))


def inexact(difference: float) -> str:
    """Return why a book is no account of its run, or nothing if it is.

    Parameters
    ----------
    difference : float
        Accounting difference of the book.
    """
    if difference <= _SAME:
        return ""
    return f"orders filled inside bars: the book at closes differs from the run by {100.0 * difference:.2g} %"


def exact_book(run: FinishedRun) -> Book:
    """Return what a run has held as shares of equity, if that is the run to rounding.

    Parameters
    ----------
    run : FinishedRun
        Result of a back-test.

    Raises
    ------
    BacktestError
        The run held options, or orders filled inside bars.
    """
    book = book_of(run)
    why = inexact(accounting_difference(run, book_equity(run, book)))
    if why:
        raise BacktestError(
            f"{run.strategy}: {why}; use market orders in place of stops and limits to compare books", name="run"
        )
    return book

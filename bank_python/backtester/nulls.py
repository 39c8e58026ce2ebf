"""Null books: what books without the strategy's judgement earn on the same bars, at the same costs.

They are made from the shares of equity that the strategy held (:mod:`~bank_python.backtester.books`), in the bars from
its first position on, so that a strategy that waits for its data is not compared with books that do not wait.

flipped
    Every position with the other sign.
lagged
    The same book 1, 2 or 5 bars later.
shuffled
    The book from a random bar on, and then its beginning (a rotation): same positions in the same order, at other
    times. It moves by at least a tenth of the bars, as a book that is moved a little ahead looks into the future. Its
    gross exposures are those of the strategy, bar for bar in another order. Turnover is the same but for the orders at
    the two places where the book is cut and joined.
random
    A book that was held in *episodes* with no position in between: the episodes in random order, the bars without a
    position dealt out between them at random, and the columns of the tickers exchanged at random. Gross exposures are
    the same in another order, and so is the length of each holding. Turnover, as the sum of the changes of shares with
    the last position closed, is equal to rounding (:attr:`Book.turnover <bank_python.backtester.books.Book.turnover>`);
    the value that is traded differs by how the prices drift in between, and where a ticker has no bar. A book that is
    always in the market, or that has too few different orders of episodes, is rotated instead, as the shuffled ones,
    with the tickers exchanged.

All have the same accounting, the strategy itself included; ``accounting_difference`` is how far that is from the
equity of the run. A run whose orders filled inside bars, such as stops, is refused, as its book would look ahead.
Long stays long: the random books keep the signs, so that a rising market helps them as much.

Examples
--------
>>> from bank_python.backtester.backtester import Backtester
>>> import numpy as np
>>> closes = 100.0 * np.cumprod(1.0 + 0.01 * np.random.default_rng(0).standard_normal(300))
>>> def coin(window):
...     return {"A": float(hash((window.index // 10, 7)) % 2)} if window.index % 10 == 0 else None
>>> nulls = null_books(Backtester(coin, data={"A": closes}, fees_bps=5.0).run(), n_random=50)
>>> sorted(nulls.sharpe), len(nulls.sharpe["random"]), nulls.accounting_difference < 1e-9
(['flipped', 'lagged', 'random', 'shuffled'], 50, True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.backtester.books import Book, accounting_difference, book_equity, exact_book, stacked
from bank_python.backtester.finished_run import checked_run
from bank_python.backtester.periods import given_periods, periods_of
from bank_python.backtester.return_figures import sharpe_ratios
from bank_python.errors import BacktestError
from bank_python.numerics.ranges import number_in_range
from bank_python.plotting import Plotted, literal, nothing
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes

    from bank_python.backtester.books import BoolArray
    from bank_python.backtester.finished_run import FinishedRun
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["NullBooks", "null_books", "random_book", "shuffled_book"]

LAGS = (1, 2, 5)
_TIE = 0.05  # standard errors of a Sharpe ratio up to which two books are as good as each other
_MOST_AT_ONCE = 4_000_000  # shares that are held in memory together
_ENOUGH = 1_000  # different orders of episodes that make random books
_MANY = 6  # episodes, whose orders are enough
_TWO = 2
_NEAR = 10  # share of the bars, its inverse, by which a rotation moves a book at least


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NullBooks(Plotted, Tabular):
    """Sharpe ratios a year of a strategy and of its null books; returned by :func:`null_books`.

    Parameters
    ----------
    strategy : str
        Name of the strategy.
    strategy_sharpe : float
        Sharpe ratio a year of the strategy in the accounting of the books; NaN if it never held anything.
    sharpe : mapping of str to ndarray
        Sharpe ratios a year by kind: flipped, lagged, shuffled, random; minus infinity of books that lost everything.
    lags : tuple of int
        Numbers of bars of the lagged books.
    tie : float
        Difference of Sharpe ratios a year up to which a book did as well: a twentieth of their standard error.
    accounting_difference : float
        Largest relative difference between the equity of the run and that of the same book in the accounting here, a
        rounding.
    has_choices : bool
        Whether the strategy changed what it held, so that other books can differ from it.
    """

    strategy: str
    strategy_sharpe: float
    sharpe: Mapping[str, FloatArray]
    lags: tuple[int, ...]
    tie: float
    accounting_difference: float
    has_choices: bool

    def as_good(self, kind: str) -> int:
        """Return how many books of a kind did as well as the strategy or better.

        Parameters
        ----------
        kind : str
            Kind of null books: flipped, lagged, shuffled or random.
        """
        return int((self.sharpe[kind] >= self.strategy_sharpe - self.tie).sum())

    def p_value(self, kind: str) -> float:
        """Return the chance of so good a result among books of a kind: (as good + 1) / (books + 1).

        Parameters
        ----------
        kind : str
            Kind of null books: flipped, lagged, shuffled or random.
        """
        if math.isnan(self.strategy_sharpe):
            return math.nan
        return (self.as_good(kind) + 1) / (len(self.sharpe[kind]) + 1)

    def to_table(self) -> Table:
        """Return a table with a row for each kind: books, median and best Sharpe ratio, how many did as well."""
        from bank_python.mntable import Table

        is_known = not math.isnan(self.strategy_sharpe)
        rows = [
            {"kind": kind, "books": len(ratios), "median_sharpe": float(np.median(ratios))}
            | {"best_sharpe": float(ratios.max()), "as_good": self.as_good(kind)}
            | {"p_value": self.p_value(kind) if is_known else None}
            for kind, ratios in self.sharpe.items()
        ]
        figures = [(name, float) for name in ("median_sharpe", "best_sharpe")]
        columns = [("kind", str), ("books", int), *figures, ("as_good", int), ("p_value", float | None)]
        return Table.from_rows(columns, rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw a histogram of the random books' Sharpe ratios, with the strategy's."""
        known = self.sharpe["random"][np.isfinite(self.sharpe["random"])]
        if not known.size or math.isnan(self.strategy_sharpe):
            nothing(axes, f"{self.strategy}: no books to compare")
            return
        axes.hist(known, bins=min(30, max(5, known.size // 4)), color="C0", alpha=0.6, label="random books")
        axes.axvline(self.strategy_sharpe, color="C1", linestyle="--", label=literal(self.strategy))
        axes.set_title(f"{literal(self.strategy)} and {len(self.sharpe['random'])} random books")
        axes.set_xlabel("Sharpe ratio a year")
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_verdict import null_books_view

        return null_books_view(self)


@admits(BacktestError)
def null_books(
    run: FinishedRun,
    *,
    n_random: int = 100,
    seed: int = 0,
    risk_free_rate: float = RISK_FREE_RATE,
    periods_per_year: float | None = None,
) -> NullBooks:
    """Return the Sharpe ratios of null books of a run.

    Parameters
    ----------
    run : BacktestResult
        Result of a back-test.
    n_random : int, default 100
        Number of random books, at least 1, and of shuffled ones.
    seed : int, default 0
        Seed of the random numbers, at least 0.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal.
    periods_per_year : float, optional
        Number of periods in a year; by default inferred from the dates.

    Raises
    ------
    BacktestError
        A number is out of range, or the run held options, or orders of it filled inside bars.
    """
    checked_run(run)
    number_in_range("risk_free_rate", risk_free_rate, BacktestError, hint="give a decimal such as 0.04")
    for name, value, least in (("n_random", n_random, 1), ("seed", seed, 0)):
        if value < least:
            raise BacktestError(f"{name}={value} is below {least}; give at least {least}", name=name, value=value)
    dates = run.panel.dates
    periods = (periods_of(dates) if periods_per_year is None else given_periods(periods_per_year, dates)).value
    book, rng = exact_book(run), np.random.default_rng(seed)
    equity = book_equity(run, book)
    made = {
        "flipped": (Book(-book.shares, book.traded) for _ in range(1)),
        "lagged": (_lagged(book, lag) for lag in LAGS),
        "shuffled": (shuffled_book(book, rng) for _ in range(n_random)),
        "random": (random_book(book, rng) for _ in range(n_random)),
    }
    found = _sharpes(run, chain.from_iterable(made.values()), risk_free_rate, periods)
    ends = np.cumsum([1, len(LAGS), n_random])
    yearly = math.sqrt(periods)
    return NullBooks(
        run.strategy,
        yearly * float(sharpe_ratios(equity, run.initial_cash, risk_free_rate, periods)),
        dict(zip(made, np.split(yearly * found, ends), strict=True)),
        LAGS,
        yearly * _TIE / math.sqrt(max(len(dates) - 1, 1)),
        accounting_difference(run, equity),
        int(book.traded.any(axis=1).sum()) > 1,
    )


def _sharpes(run: FinishedRun, books: Iterator[Book], risk_free_rate: float, periods: float) -> FloatArray:
    """Return the Sharpe ratios of one bar of books, of as many at once as memory has room for."""
    at_once = max(1, _MOST_AT_ONCE // run.held.size)
    found = []
    while some := list(islice(books, at_once)):
        equity = book_equity(run, stacked(some))
        found.append(sharpe_ratios(equity, run.initial_cash, risk_free_rate, periods))
    return np.nan_to_num(
        np.concatenate(found), nan=0.0, neginf=-math.inf
    )  # 0 of a book that earns the rate and no more


def _lagged(book: Book, lag: int) -> Book:
    """Return a book some bars later."""
    bars = len(book.shares)
    kept, before = max(bars - lag, 0), min(lag, bars)
    shares, traded = np.zeros_like(book.shares), np.zeros_like(book.traded)
    shares[before:], traded[before:] = book.shares[:kept], book.traded[:kept]
    return Book(shares, traded)


def shuffled_book(book: Book, rng: np.random.Generator) -> Book:
    """Return a book rotated by a random number of bars, from its first position on.

    Parameters
    ----------
    book : Book
        One book, without leading axes.
    rng : numpy.random.Generator
        Generator of random numbers.
    """
    first = _first(book)
    length = len(book.shares) - first
    if length < _TWO:
        return book
    near = min(length // _NEAR, (length - 1) // 2)
    cut = int(rng.integers(max(near, 1), length - max(near, 1) + 1))
    order = first + (np.arange(length) + cut) % length
    shares, traded = book.shares.copy(), book.traded.copy()
    shares[first:], traded[first:] = book.shares[order], book.traded[order]
    traded[[first, len(shares) - cut]] = True  # the beginning, and where the old end meets the old beginning
    return Book(shares, traded)


def random_book(book: Book, rng: np.random.Generator) -> Book:
    """Return a random book of the same turnover and exposures.

    Parameters
    ----------
    book : Book
        One book, without leading axes.
    rng : numpy.random.Generator
        Generator of random numbers.
    """
    first = _first(book)
    is_flat = (book.shares[first:] == 0.0).all(axis=1)
    episodes = _episodes(is_flat)
    free = int(is_flat.sum()) - (len(episodes) - 1)
    if _are_enough(len(episodes), free):
        made = _dealt_out(book, first, episodes, free, rng)
    else:
        made = shuffled_book(book, rng)
    columns = rng.permutation(book.shares.shape[1])
    return Book(made.shares[:, columns], made.traded[:, columns])


def _first(book: Book) -> int:
    """Return the first bar with a position, or the number of bars."""
    held = (book.shares != 0.0).any(axis=1)
    return int(held.argmax()) if held.any() else len(held)


def _episodes(is_flat: BoolArray) -> list[tuple[int, int]]:
    """Return the first bar of each spell with a position, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], is_flat, [True]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _are_enough(count: int, free: int) -> bool:
    """Whether so many episodes, with so many bars to deal out between them, have enough different orders."""
    if not count:
        return False
    return count > _MANY or math.factorial(count) * math.comb(free + count, count) >= _ENOUGH


def _dealt_out(book: Book, first: int, episodes: list[tuple[int, int]], free: int, rng: np.random.Generator) -> Book:
    """Return a book with its episodes in random order, at least one bar without a position between two."""
    count = len(episodes)
    cuts = np.sort(rng.choice(free + count, count, replace=False))
    gaps = np.diff(cuts, prepend=-1) - 1
    shares, traded = np.zeros_like(book.shares), np.zeros_like(book.traded)
    at = first - 1
    for gap, chosen in zip(gaps.tolist(), rng.permutation(count).tolist(), strict=True):
        start, end = episodes[chosen]
        at += gap + 1
        here, there = slice(at, at + end - start), slice(first + start, first + end)
        shares[here], traded[here] = book.shares[there], book.traded[there]
        at += end - start
        traded[at : at + 1] = True  # closes what was held
    return Book(shares, traded)

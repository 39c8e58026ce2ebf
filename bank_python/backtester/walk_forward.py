"""A walk forward: parameters are chosen in one window, and what they earn is measured in the next.

Each set of parameters is run once over all bars; as a replay sees no future, what it did up to a bar depends on no
later one. In each training window the set with the best Sharpe ratio is chosen, and in the test window that follows
the account holds what that set holds. At the first bar of a test window it trades from what it has to that, at the
costs of the back-test, so that changing parameters is paid for. The stitched equity is out of sample throughout;
before the first test the account is in cash. It trades at the open or close that ``fill`` says, so that a run whose
orders filled inside bars, as stops do, is refused: its holdings would be traded before the bar shows that. All runs of
a walk forward are trials: give ``trials=`` to record them.

Without a grid there is nothing to choose, and the halves before and after the middle are compared.

Examples
--------
>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> closes = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal(400))
>>> from bank_python.backtester.momentum_backtest import MomentumBacktest
>>> walk = walk_forward(
...     lambda lookback: MomentumBacktest(["A"], lookback=lookback, top_n=1, weight=1.0),
...     {"lookback": [5, 20]}, data={"A": closes}, train=200, test=50, purge=5,
... )
>>> len(walk.windows), set(walk.windows[0].parameters), walk.equity.shape
(4, {'lookback'}, (195,))
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.backtester.backtester import Backtester
from bank_python.backtester.bars import bars_of
from bank_python.backtester.books import Book, book_equity, exact_book
from bank_python.backtester.feed_data import history_of
from bank_python.backtester.periods import periods_of
from bank_python.backtester.return_figures import ReturnFigures, finite_or_none
from bank_python.backtester.run_identity import settings_of
from bank_python.backtester.splits import walk_forward_splits
from bank_python.backtester.strategy_forms import require_factory, strategy_of
from bank_python.backtester.tearsheet import make_tearsheet
from bank_python.display import Record
from bank_python.errors import BacktestError
from bank_python.numerics.ranges import number_in_range
from bank_python.plotting import Plotted, literal, money, places
from bank_python.plotting import dates as label_dates
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.wording import message_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from matplotlib.axes import Axes

    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.result import BacktestResult
    from bank_python.backtester.splits import Split
    from bank_python.backtester.tearsheet import Tearsheet
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["WalkForward", "WalkForwardWindow", "walk_forward"]


@dataclass(frozen=True, slots=True)
class WalkForwardWindow(Record):
    """A training window with its choice, and the test that follows.

    Parameters
    ----------
    parameters : dict
        Parameters that were best in training.
    train_start, train_end, test_start, test_end : datetime
        Times of the first and last bar of training and test.
    in_sample, out_of_sample : float
        Sharpe ratios a year of the chosen parameters in training, and of the account in the test; NaN where nothing
        moved.
    """

    parameters: dict[str, Any]
    train_start: dt.datetime
    train_end: dt.datetime
    test_start: dt.datetime
    test_end: dt.datetime
    in_sample: float
    out_of_sample: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WalkForward(Plotted, Tabular):
    """What parameters chosen in one window earn in the next; returned by :func:`walk_forward`.

    Parameters
    ----------
    strategy : str
        Name of the strategy.
    windows : tuple of WalkForwardWindow
        Windows in the order of time.
    dates : tuple of datetime
        Bars of all tests.
    equity : ndarray, shape (n_test_bars,)
        Equity out of sample at each close, after all costs.
    initial_cash : float
        Cash before the first test.
    sharpe : float
        Sharpe ratio a year of the whole equity out of sample.
    runs : tuple of BacktestResult
        Runs over all bars, one for each set of parameters.
    notes : tuple of str, default ()
        Notes that all runs have in common, for the reader; first where the bars come from, if none were given.
    """

    strategy: str
    windows: tuple[WalkForwardWindow, ...]
    dates: tuple[dt.datetime, ...]
    equity: FloatArray
    initial_cash: float
    sharpe: float
    runs: tuple[BacktestResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def in_sample_sharpe(self) -> float:
        """Mean of the Sharpe ratios a year in training, of windows that have one."""
        known = [window.in_sample for window in self.windows if not math.isnan(window.in_sample)]
        return float(np.mean(known)) if known else math.nan

    @property
    def efficiency(self) -> float:
        """Sharpe ratio out of sample divided by the mean one in training; NaN if that is not above 0."""
        inside = self.in_sample_sharpe
        return self.sharpe / inside if inside > 0.0 else math.nan

    def tearsheet(self, benchmark: Any = None, *, risk_free_rate: float = RISK_FREE_RATE) -> Tearsheet:
        """Return the tearsheet of the equity out of sample.

        Parameters
        ----------
        benchmark : array_like, pandas.Series, mapping, list of pairs or PriceHistory, optional
            Levels of a benchmark; those on common dates count.
        risk_free_rate : float, default RISK_FREE_RATE
            Risk-free rate per year, as a decimal.

        Raises
        ------
        BacktestError
            The benchmark or the rate cannot be read.
        """
        return make_tearsheet(
            self.equity,
            self.dates,
            benchmark=benchmark,
            risk_free_rate=risk_free_rate,
            initial_capital=self.initial_cash,
            title=f"{self.strategy}, out of sample",
        )

    def to_table(self) -> Table:
        """Return a table with a row for each window: its dates, the parameters chosen, Sharpe ratios in and out."""
        import datetime as dt

        from bank_python.mntable import Table

        times = ("train_start", "train_end", "test_start", "test_end")
        rows = [
            {"window": number, **{name: getattr(window, name) for name in times}}
            | {"parameters": said_parameters(window.parameters)}
            | {name: finite_or_none(getattr(window, name)) for name in ("in_sample", "out_of_sample")}
            for number, window in enumerate(self.windows, start=1)
        ]
        figures = [(name, float | None) for name in ("in_sample", "out_of_sample")]
        return Table.from_rows(
            [("window", int), *((name, dt.datetime) for name in times), ("parameters", str), *figures], rows
        )

    def _draw_(self, axes: Axes) -> None:
        axes.plot(np.array(self.dates), self.equity)
        for window in self.windows:
            axes.axvline(places([window.test_start])[0], color="0.7", linewidth=0.6)
        axes.set_title(f"{literal(self.strategy)}, out of sample")
        money(axes.yaxis)
        label_dates(axes.xaxis)

    def __rich__(self) -> object:
        from bank_python.render_verdict import walk_forward_view

        return walk_forward_view(self)


@admits(BacktestError)
def walk_forward(
    strategy: Any,
    grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | None = None,
    *,
    data: Any = None,
    train: int | None = None,
    test: int | None = None,
    purge: int = 0,
    embargo: int = 0,
    expanding: bool = False,
    risk_free_rate: float = RISK_FREE_RATE,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> WalkForward:
    """Choose parameters in each training window, and measure them in the test window that follows.

    Parameters
    ----------
    strategy : callable, BacktestStrategy or SignalRule
        Function or class that makes a strategy of parameters; without a grid, the strategy itself.
    grid : mapping or sequence of mappings, optional
        Values of each parameter, all combinations of which are tried, or the sets of parameters one by one.
    data : mapping, DataFrame, Table or BarPanel, optional
        Bars or closes, as a :class:`Backtester` takes them; by default the history of all tickers of all strategies.
    train, test : int, optional
        Number of bars of training and of test; by default half of all, and a quarter of that, or without a grid all the
        others.
    purge, embargo : int, default 0
        Numbers of bars left out between training and test.
    expanding : bool, default False
        Whether training begins with the first bar each time.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal.
    progress : callable, optional
        Function called after each run with the number of finished runs and that of all.
    **settings : object
        Other arguments of :class:`Backtester`, such as ``start``, ``fees_bps`` or ``trials``. With ``whole_units`` the
        runs hold whole units, and the stitched account the same shares of its own equity, in fractions of units.

    Raises
    ------
    BacktestError
        The grid is empty, there are too few bars, a run fails or held options, or orders of it filled inside bars; the
        message names the parameters.

    Notes
    -----
    An interruption, such as Ctrl-C, leaves no walk forward; the runs that were finished are in ``trials``.
    """
    number_in_range("risk_free_rate", risk_free_rate, BacktestError, hint="give a decimal such as 0.04")
    points = _points(grid)
    panel, source = _panel((_made(strategy, point, grid is not None) for point in points), data, settings)
    length = len(panel) // 2 if train is None else train
    ahead = test if test is not None else max(length // 4, 1) if grid is not None else max(len(panel) - length, 1)
    splits = walk_forward_splits(
        len(panel), train=length, test=ahead, purge=purge, embargo=embargo, expanding=expanding
    )
    runs, books = [], []
    for number, point in enumerate(points, start=1):
        runs.append(Backtester(_made(strategy, point, grid is not None), data=panel, **settings).run())
        books.append(_exact_book(runs[-1], point))
        if progress is not None:
            progress(number, len(points))
    notes = [note for note in runs[0].notes if all(note in run.notes for run in runs)]
    made = _stitched(points, runs, books, splits, risk_free_rate)
    return replace(made, notes=(*([source] if source else []), *notes))


def _exact_book(run: BacktestResult, point: dict[str, Any]) -> Book:
    """Return the book of a run, which has to be the run to rounding."""
    try:
        return exact_book(run)
    except BacktestError as error:
        at = f" at {said_parameters(point)}" if point else ""
        raise BacktestError(f"no walk forward{at}: {message_of(error)}", name="strategy") from error


def _points(grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Return the sets of parameters of a grid."""
    if grid is None:
        return [{}]
    if isinstance(grid, Mapping):
        axes = [list(values) for values in grid.values()]
        points = [dict(zip(grid, values, strict=True)) for values in product(*axes) if values]
    else:
        points = [dict(point) for point in grid]
    if not points:
        raise BacktestError("grid has no set of parameters; give at least one value of each", name="grid")
    return points


def _made(strategy: Any, point: dict[str, Any], is_factory: bool) -> Any:
    """Return the strategy of a set of parameters."""
    if not is_factory:
        return strategy
    require_factory(strategy)
    try:
        return strategy(**point)
    except Exception as error:  # the code of users, which may raise anything
        said = f"strategy({said_parameters(point)}) raised {type(error).__name__}: {message_of(error)}"
        raise BacktestError(said, name="strategy") from error


def _panel(made: Iterable[Any], data: Any, settings: dict[str, Any]) -> tuple[BarPanel, str]:
    """Return the bars of all runs, cut to the period, and a note on their source; `settings` loses start and end."""
    start, end = settings.pop("start", None), settings.pop("end", None)
    source = ""
    if data is None:
        known = [strategy_of(each) for each in made]
        data, source = history_of(
            known[0].name, list(dict.fromkeys(chain.from_iterable(each.inputs for each in known)))
        )
    return bars_of(data, start, end), source


def _stitched(
    points: list[dict[str, Any]],
    runs: list[BacktestResult],
    books: list[Book],
    splits: tuple[Split, ...],
    risk_free_rate: float,
) -> WalkForward:
    """Return the walk forward of finished runs."""
    first, dates = runs[0], runs[0].dates
    periods = periods_of(dates).value
    yearly = math.sqrt(periods)
    inside = np.array([[_sharpe(run.equity[split.train], risk_free_rate, periods) for run in runs] for split in splits])
    chosen = np.where(np.isnan(inside), -math.inf, inside).argmax(axis=1)
    equity = book_equity(first, _book(books, splits, chosen.tolist()))
    windows = []
    for number, (split, best) in enumerate(zip(splits, chosen.tolist(), strict=True)):
        around = np.concatenate([[split.test[0] - 1], split.test])
        figure = _sharpe(equity[around], risk_free_rate, periods)
        windows.append(
            WalkForwardWindow(
                points[best],
                dates[split.train[0]],
                dates[split.train[-1]],
                dates[split.test[0]],
                dates[split.test[-1]],
                yearly * float(inside[number, best]),
                yearly * figure,
            )
        )
    begin = int(splits[0].test[0])
    return WalkForward(
        first.strategy,
        tuple(windows),
        dates[begin:],
        equity[begin:],
        first.initial_cash,
        yearly * _sharpe(equity[begin - 1 :], risk_free_rate, periods),
        tuple(runs),
    )


def _sharpe(equity: FloatArray, risk_free_rate: float, periods: float) -> float:
    """Return the Sharpe ratio of a bar, NaN for a curve that begins without equity."""
    if not equity[0] > 0.0:
        return math.nan
    return ReturnFigures.of_equity(equity).sharpe(risk_free_rate, periods)


def _book(books: list[Book], splits: tuple[Split, ...], chosen: list[int]) -> Book:
    """Return the book that holds in each test what the chosen run holds."""
    shares, traded = np.zeros_like(books[0].shares), np.zeros_like(books[0].traded)
    for split, best in zip(splits, chosen, strict=True):
        shares[split.test], traded[split.test] = books[best].shares[split.test], books[best].traded[split.test]
        traded[split.test[0]] = True  # from what the set before held
    return Book(shares, traded)


def said_parameters(parameters: Mapping[str, Any]) -> str:
    """Return parameters as text.

    Parameters
    ----------
    parameters : mapping of str to object
        Parameters by name.
    """
    return ", ".join(
        f"{name}={settings_of(value) if callable(value) else value!r}" for name, value in parameters.items()
    )

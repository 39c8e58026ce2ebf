"""Correlations between assets: now, over time, and whether they have changed.

Each pair has a rolling and an exponentially weighted correlation of its changes on the common dates, the place of the
present one in its own history, and two tests: Fisher's z of the last window against the one before, and the test of
Wied, Krämer and Dehling for a change at an unknown date (:mod:`bank_python.macro.stability`). As there are many pairs,
p-values are also given adjusted by Holm's method; verdicts use those.

Examples
--------
>>> import datetime as dt
>>> rng = np.random.default_rng(0)
>>> days = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(300)]
>>> gold, dollar = rng.normal(size=(2, 300))
>>> walks = {"GOLD": gold, "USD": dollar - 0.8 * gold}
>>> prices = {name: list(zip(days, 100 * np.exp(0.01 * walk.cumsum()))) for name, walk in walks.items()}
>>> board = correlation_board(prices, window=63)
>>> pair = board.pair("USD", "GOLD")
>>> round(pair.rolling, 2), pair.verdict
(-0.66, 'stable')
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import MacroError
from bank_python.macro.moving_correlation import MovingMoments, clipped_correlation, ewma_correlations
from bank_python.macro.panel import align, any_simulated, as_moments, series_changes
from bank_python.macro.stability import (
    CorrelationBreak,
    CorrelationTest,
    correlation_break_test,
    fisher_z_test,
)
from bank_python.numerics.multiple_tests import holm_p_values
from bank_python.plotting import Plotted, draw_correlations, legend_beside, literal, nothing, places
from bank_python.plotting import dates as label_dates
from bank_python.results import Figures, Tabular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes

    from bank_python.macro.frequency import Frequency
    from bank_python.macro.panel import Panel
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["CorrelationBoard", "CorrelationHistory", "PairCorrelation", "correlation_board"]

_FEWEST = 3
_FEWEST_FOR_FISHER = 4
_FEWEST_FOR_BREAK = 20
_SIGNIFICANCE = 0.05
_ONE = 1.0 - 1e-9  # beyond that a pair is one series twice, and no test applies


@dataclass(frozen=True, slots=True)
class PairCorrelation(Figures):
    """The correlation of two assets: now, in its history, and whether it has changed.

    Parameters
    ----------
    first, second : str
        Names of the two assets.
    rolling, ewma : float
        Present correlation over the last window, and with exponential weights; in [-1, 1].
    percentile : float
        Share of the rolling correlations in the history that lie below the present one, in [0, 1]; equal ones count
        half.
    low, high : float
        Smallest and largest rolling correlation.
    change : CorrelationTest, optional
        Fisher's test of the last window against the observations before it, at most as many; None if there are fewer
        than four, or if one series is a linear function of the other.
    structural_break : CorrelationBreak, optional
        Test for a change at an unknown date; None for fewer than twenty observations, or if one series is a linear
        function of the other.
    change_p, break_p : float, optional
        P-values of the two tests, adjusted for the number of pairs by Holm's method.
    """

    first: str
    second: str
    rolling: float
    ewma: float
    percentile: float
    low: float
    high: float
    change: CorrelationTest | None
    structural_break: CorrelationBreak | None
    change_p: float | None = None
    break_p: float | None = None

    @property
    def verdict(self) -> str:
        """What the two tests say together, in words, at a significance of 5 % over all pairs."""
        if self.structural_break is not None and self.break_p is not None and self.break_p < _SIGNIFICANCE:
            moment = self.structural_break.last_before
            day = f"{moment:%Y-%m-%d}" if isinstance(moment, dt.date) else str(moment)
            return (
                f"changed after {day}, from {self.structural_break.before:+.2f} to {self.structural_break.after:+.2f}"
            )
        if self.change_p is not None and self.change_p < _SIGNIFICANCE:
            return "changed in the last window"
        return "stable" if self.break_p is not None else "not tested"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CorrelationHistory(Plotted, Tabular):
    """The correlation of two assets over time.

    Parameters
    ----------
    pair : PairCorrelation
        Present correlation and its tests.
    dates : tuple of date or datetime, length n
        Last date of each window.
    rolling, ewma : ndarray, shape (n,)
        Correlations over each window, and with exponential weights up to its end.
    window : int
        Number of changes in a window.
    decay : float
        Decay of the exponential weights.
    frequency : Frequency
        Frequency of the changes.
    is_simulated : bool, default False
        Whether any of the panel's series is simulated.
    """

    pair: PairCorrelation
    dates: tuple[dt.date, ...]
    rolling: FloatArray
    ewma: FloatArray
    window: int
    decay: float
    frequency: Frequency
    is_simulated: bool = False

    def to_table(self) -> Table:
        """Return a table with a row for each window: date of its end, rolling and weighted correlation."""
        from bank_python.mntable import Table

        rows = zip(self.dates, self.rolling.tolist(), self.ewma.tolist(), strict=True)
        schema = [("date", type(self.dates[0])), ("rolling", float), ("ewma", float)]
        return Table.from_rows(schema, [dict(zip(("date", "rolling", "ewma"), row, strict=True)) for row in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw both correlations by date, and the date of the change if there is one."""
        x = places(self.dates)
        axes.plot(x, self.rolling, linestyle="-", label=f"{self.window} {self.frequency.value} changes")
        axes.plot(x, self.ewma, linestyle="--", label=f"decay {self.decay:g}")
        axes.axhline(0.0, color="black", linewidth=0.8)
        found = self.pair.structural_break
        changed = self.pair.break_p is not None and self.pair.break_p < _SIGNIFICANCE
        if found is not None and changed and isinstance(found.last_before, dt.date):
            axes.axvline(places([found.last_before])[0], color="black", linestyle=":", label="change")
        label_dates(axes.xaxis)
        simulated = ", simulated" if self.is_simulated else ""
        title = f"{self.pair.first} and {self.pair.second}: {self.pair.rolling:+.2f}{simulated}"
        axes.set(ylim=(-1.05, 1.05), ylabel="correlation", title=literal(title))
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_macro import correlation_history_view

        return correlation_history_view(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CorrelationBoard(Plotted, Tabular):
    """Correlations of several assets; returned by :func:`correlation_board`.

    Parameters
    ----------
    names : tuple of str
        Names of the assets.
    dates : tuple of date or datetime, length n
        Last date of each window.
    window : int
        Number of changes in a window.
    decay : float
        Decay of the exponential weights.
    frequency : Frequency
        Frequency of the changes.
    observations : int
        Number of changes.
    dropped : mapping of str to int
        Number of dates of each asset that others lack.
    differences : tuple of str
        Names whose changes are differences; the others have log returns.
    matrix, ewma_matrix : ndarray, shape (k, k)
        Present correlations over the last window, and with exponential weights.
    pairs : tuple of PairCorrelation
        All pairs, in the order of the names.
    rolling, ewma : ndarray, shape (n, n_pairs)
        Histories of the correlations of each pair.
    is_simulated : bool, default False
        Whether any of the series is simulated.
    """

    names: tuple[str, ...]
    dates: tuple[dt.date, ...]
    window: int
    decay: float
    frequency: Frequency
    observations: int
    dropped: Mapping[str, int]
    differences: tuple[str, ...]
    matrix: FloatArray
    ewma_matrix: FloatArray
    pairs: tuple[PairCorrelation, ...]
    rolling: FloatArray
    ewma: FloatArray
    is_simulated: bool = False

    def pair(self, first: str, second: str) -> PairCorrelation:
        """Return a pair, in either order.

        Parameters
        ----------
        first, second : str
            Names of two assets.

        Raises
        ------
        MacroError
            There is no such pair.
        """
        return self.pairs[self._place(first, second)]

    def history(self, first: str, second: str) -> CorrelationHistory:
        """Return the correlation of a pair over time.

        Parameters
        ----------
        first, second : str
            Names of two assets.

        Raises
        ------
        MacroError
            There is no such pair.
        """
        at = self._place(first, second)
        return CorrelationHistory(
            pair=self.pairs[at],
            dates=self.dates,
            rolling=self.rolling[:, at],
            ewma=self.ewma[:, at],
            window=self.window,
            decay=self.decay,
            frequency=self.frequency,
            is_simulated=self.is_simulated,
        )

    def _place(self, first: str, second: str) -> int:
        wanted = {first, second}
        found = next((i for i, pair in enumerate(self.pairs) if {pair.first, pair.second} == wanted), None)
        if found is None:
            raise MacroError(f"there is no pair of {first!r} and {second!r}; the assets are {', '.join(self.names)}")
        return found

    def to_table(self) -> Table:
        """Return a table with a row for each pair: present correlations, percentile, range, tests."""
        from bank_python.mntable import Table

        return Table.from_rows(_SCHEMA, [_row(pair) for pair in self.pairs])

    def _draw_(self, axes: Axes) -> None:
        """Draw the correlations of the last window as a heat map, with their figures if they are few."""
        if not self.pairs:
            nothing(axes, "no pairs")
            return
        labels = [literal(name) for name in self.names]
        draw_correlations(axes, self.matrix, labels, labels)
        simulated = ", simulated" if self.is_simulated else ""
        axes.set(title=f"Correlations over {self.window} {self.frequency.value} changes{simulated}")

    def __rich__(self) -> object:
        from bank_python.render_macro import correlation_board_view

        return correlation_board_view(self)


@admits(MacroError)
def correlation_board(
    prices: Any, window: int = 63, decay: float = 0.97, *, differences: Sequence[str] = ()
) -> CorrelationBoard:
    """Return the correlations of several assets.

    Parameters
    ----------
    prices : DataFrame, mapping, PriceHistoryTable, PricePanel or MacroHistory
        Prices of two assets or more, each with its dates: a frame whose index is the dates, or a mapping from name to
        a series, a macro series, a price history or (date, price) pairs. Missing prices are left out.
    window : int, default 63
        Number of changes in a window, at least 3; 63 daily ones are a quarter.
    decay : float, default 0.97
        Weight of a change relative to the next one, in (0, 1).
    differences : sequence of str, default ()
        Names of series that are rates, whose changes are differences and not log returns. Macro series in per cent,
        points or standard deviations are so anyway.

    Returns
    -------
    CorrelationBoard
        Correlations of the changes between consecutive dates that all assets have.

    Raises
    ------
    MacroError
        There are fewer than two assets, too few common dates, a price not above 0, or a pair of which one asset does
        not vary in some window.
    """
    if window < _FEWEST:
        raise MacroError(f"window={window!r} changes are too few; give at least {_FEWEST}", name="window", value=window)
    panel = align(prices, differences, fewest=window + 1)
    if len(panel.names) < 2:  # noqa: PLR2004 - a pair
        raise MacroError(f"{', '.join(panel.names)} alone has no correlation; give two assets or more")
    changes = series_changes(panel)
    moments = as_moments(panel.dates)[1:]
    rolling = _rolling(panel, changes, moments, window)
    weighted = ewma_correlations(changes, decay)[window - 1 :]
    at = list(combinations(range(len(panel.names)), 2))
    ewma = np.column_stack([weighted[:, i, j] for i, j in at])
    pairs = [
        _pair(panel.names[i], panel.names[j], changes[:, [i, j]], moments, rolling[:, m], float(ewma[-1, m]), window)
        for m, (i, j) in enumerate(at)
    ]
    matrix = np.eye(len(panel.names))
    for m, (i, j) in enumerate(at):
        matrix[i, j] = matrix[j, i] = rolling[-1, m]
    latest = weighted[-1].copy()
    np.fill_diagonal(latest, 1.0)
    for array in (matrix, latest, rolling, ewma):
        array.setflags(write=False)
    return CorrelationBoard(
        names=panel.names,
        dates=tuple(moments[window - 1 :]),
        window=window,
        decay=decay,
        frequency=panel.frequency,
        observations=len(changes),
        dropped=dict(panel.dropped),
        differences=tuple(name for name in panel.names if name in panel.differences),
        matrix=matrix,
        ewma_matrix=latest,
        pairs=tuple(_adjusted(pairs)),
        rolling=rolling,
        ewma=ewma,
        is_simulated=any_simulated(prices),
    )


def _rolling(panel: Panel, changes: FloatArray, moments: Sequence[dt.date], window: int) -> FloatArray:
    """Return the rolling correlations, shape (n_windows, n_pairs)."""
    sums = MovingMoments(changes, window)
    count = len(panel.names)
    for i, name in enumerate(panel.names):
        flat = np.flatnonzero(sums.is_constant(i))
        if flat.size:
            other = panel.names[1 if i == 0 else 0]
            begin, end = moments[flat[0]], moments[flat[0] + window - 1]
            raise MacroError(
                f"{name} does not vary from {begin} to {end}, so the pair of {name} and {other} has no correlation "
                f"over that window of {window}; widen the window, or leave {name} out",
                name=name,
                value=begin,
            )
    squares = [sums.comoment(i, i) for i in range(count)]
    columns = [
        clipped_correlation(sums.comoment(i, j), squares[i], squares[j]) for i, j in combinations(range(count), 2)
    ]
    return np.column_stack(columns)


def _pair(
    first: str,
    second: str,
    changes: FloatArray,
    moments: Sequence[dt.date],
    history: FloatArray,
    ewma: float,
    window: int,
) -> PairCorrelation:
    now = float(history[-1])
    percentile = float((history < now).mean() + 0.5 * (history == now).mean())
    whole = _correlation(changes)
    tested = abs(whole) < _ONE
    change = _last_against_before(changes, window) if tested else None
    found = None
    if tested and len(changes) >= _FEWEST_FOR_BREAK:
        found = correlation_break_test(changes[:, 0], changes[:, 1], list(moments))
    low, high = float(history.min()), float(history.max())
    return PairCorrelation(first, second, now, ewma, percentile, low, high, change, found)


def _correlation(changes: FloatArray) -> float:
    sums = MovingMoments(changes, len(changes))
    return float(clipped_correlation(sums.comoment(0, 1), sums.comoment(0, 0), sums.comoment(1, 1))[0])


def _last_against_before(changes: FloatArray, window: int) -> CorrelationTest | None:
    before = changes[max(len(changes) - 2 * window, 0) : len(changes) - window]
    if min(len(before), window) < _FEWEST_FOR_FISHER or MovingMoments(before, len(before)).is_any_constant():
        return None
    last = changes[len(changes) - window :]
    one, other = _correlation(last), _correlation(before)
    if not max(abs(one), abs(other)) < _ONE:
        return None
    return fisher_z_test(one, other, window, len(before))


def _adjusted(pairs: Iterable[PairCorrelation]) -> list[PairCorrelation]:
    """Return the pairs with p-values adjusted for their number."""
    listed = list(pairs)
    changed = _holm({i: pair.change.p_value for i, pair in enumerate(listed) if pair.change is not None})
    broken = _holm(
        {i: pair.structural_break.p_value for i, pair in enumerate(listed) if pair.structural_break is not None}
    )
    return [replace(pair, change_p=changed.get(i), break_p=broken.get(i)) for i, pair in enumerate(listed)]


def _holm(p_values: dict[int, float]) -> dict[int, float]:
    return dict(zip(p_values, holm_p_values(list(p_values.values())), strict=True))


_SCHEMA: list[tuple[str, Any]] = [
    *((name, str) for name in ("first", "second")),
    *((name, float) for name in ("rolling", "ewma", "percentile", "low", "high")),
    *((name, float | None) for name in ("change_statistic", "change_p_value", "change_p_adjusted")),
    *((name, float | None) for name in ("break_statistic", "break_p_value", "break_p_adjusted")),
    ("last_before_break", dt.date | None),
    ("verdict", str),
]


def _row(pair: PairCorrelation) -> dict[str, Any]:
    change, found = pair.change, pair.structural_break
    moment = None if found is None else found.last_before
    day = moment.date() if isinstance(moment, dt.datetime) else moment if isinstance(moment, dt.date) else None
    cells = (
        *(pair.first, pair.second, pair.rolling, pair.ewma, pair.percentile, pair.low, pair.high),
        *(None if change is None else change.statistic, None if change is None else change.p_value, pair.change_p),
        *(None if found is None else found.statistic, None if found is None else found.p_value, pair.break_p),
        *(day, pair.verdict),
    )
    return dict(zip([name for name, _ in _SCHEMA], cells, strict=True))

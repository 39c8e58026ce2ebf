"""The bars that a back-test replays: one panel of prices for all tickers on one row of times.

:func:`bars_of` reads what people have: a mapping from ticker to rows, histories, series or closes; a data frame with a
column of closes for each ticker, of one ticker's open, high, low, close and volume, or with both on two levels as
Yahoo's; a table or frame with a row for each ticker and date. Times are sorted and unique for each ticker, or the error
names the first that is not. A ticker without a bar at a time has NaN there. Columns are read and checked as a whole:
see ``bar_reading.py``, ``bar_columns.py`` and ``bar_checks.py``.

Examples
--------
>>> rows = [{"date": f"2026-01-0{day}", "open": 9.0 + day, "high": 11.0 + day, "low": 8.0 + day, "close": 10.0 + day}
...         for day in range(5, 9)]
>>> panel = bars_of({"A": rows}, start="2026-01-06")
>>> panel.close[:, 0].tolist(), panel.has_ranges
([16.0, 17.0, 18.0], True)
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.backtester.bar_adjustment import adjusted_figures
from bank_python.backtester.bar_checks import have_ranges, require_ascending, require_possible, require_same_fields
from bank_python.backtester.bar_columns import ADJUSTED, FIELDS, datetimes_of
from bank_python.backtester.bar_reading import read_bars
from bank_python.backtester.run_identity import array_hash
from bank_python.errors import BacktestError
from bank_python.market_data.feed import Bar
from bank_python.mntable import Table
from bank_python.numerics.dates import as_date
from bank_python.results import Tabular
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["FIELDS", "BarPanel", "bars_of", "read_only"]

_NAMED = 10  # tickers in a message


@dataclass(frozen=True, eq=False, repr=False)
class BarPanel(Tabular):
    """Bars of several tickers on one row of times.

    Parameters
    ----------
    tickers : tuple of str
        Names of the columns.
    dates : tuple of datetime
        Start of each bar, UTC, ascending; daily bars of any zone at midnight of their own day.
    open, high, low, close, volume : ndarray, shape (n_bars, n_tickers)
        Prices and volumes, NaN where a ticker has no bar; read-only.
    has_ranges : bool
        Whether open, high and low of some ticker are data; a ticker with closes only has these in their place.
    source : str
        Name of the data.
    """

    tickers: tuple[str, ...]
    dates: tuple[dt.datetime, ...]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    has_ranges: bool
    source: str = ""

    def __len__(self) -> int:
        return len(self.dates)

    @cached_property
    def closes_only(self) -> tuple[str, ...]:
        """Tickers whose open, high and low are no other figures than their closes."""
        known = ~np.isnan(self.close)
        same = (self.open == self.close) & (self.high == self.close) & (self.low == self.close)
        return tuple(ticker for ticker, alike in zip(self.tickers, (same | ~known).all(axis=0), strict=True) if alike)

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 over tickers, times, prices and volumes."""
        times = [when.isoformat() for when in self.dates]
        return array_hash((getattr(self, name) for name in FIELDS), self.tickers, times)

    @cached_property
    def last_closes(self) -> FloatArray:
        """Last known close at each time, shape (n_bars, n_tickers), NaN before a ticker's first bar."""
        rows = np.where(np.isnan(self.close), 0, np.arange(len(self.close))[:, None])
        return read_only(np.take_along_axis(self.close, np.maximum.accumulate(rows, axis=0), axis=0))

    def column(self, ticker: str) -> int:
        """Return the number of a ticker's column.

        Parameters
        ----------
        ticker : str
            Name of the ticker.

        Raises
        ------
        BacktestError
            The panel does not have it.
        """
        try:
            return self.tickers.index(ticker)
        except ValueError:
            known = ", ".join(self.tickers[:_NAMED]) + (" …" if len(self.tickers) > _NAMED else "")
            advice = did_you_mean(ticker, self.tickers, f"there are those of {known}")
            raise BacktestError(f"there are no bars of {ticker!r:.40}; {advice}", name=ticker) from None

    def bar(self, t: int, j: int) -> Bar | None:
        """Return a bar, None where the ticker has none.

        Parameters
        ----------
        t, j : int
            Number of the time and of the column.
        """
        close = float(self.close[t, j])
        if np.isnan(close):
            return None
        volume = float(self.volume[t, j])
        prices = (float(self.open[t, j]), float(self.high[t, j]), float(self.low[t, j]))
        return Bar(self.dates[t], *prices, close, None if np.isnan(volume) else volume)

    def select(self, tickers: Sequence[str]) -> BarPanel | None:
        """Return the bars of some tickers, at the times at which one of them has a bar; None if none has any.

        Parameters
        ----------
        tickers : sequence of str
            Names of the tickers; the columns of those without bars are NaN.
        """
        names = tuple(dict.fromkeys(tickers))
        found = [(at, self.tickers.index(name)) for at, name in enumerate(names) if name in self.tickers]
        places, columns = [at for at, _ in found], [j for _, j in found]
        rows = np.flatnonzero(~np.isnan(self.close[:, columns]).all(axis=1))
        if not rows.size:
            return None
        kept = {name: np.full((len(rows), len(names)), np.nan) for name in FIELDS}
        for name, values in kept.items():
            values[:, places] = getattr(self, name)[rows][:, columns]
            read_only(values)
        dates = tuple(self.dates[t] for t in rows.tolist())
        return BarPanel(names, dates, **kept, has_ranges=self.has_ranges, source=self.source)

    def between(self, start: dt.date | str | None, end: dt.date | str | None) -> BarPanel:
        """Return the bars of a period, both days included.

        Parameters
        ----------
        start, end : date or ISO 8601 text, optional
            First and last day; those of the data by default.

        Raises
        ------
        BacktestError
            The period has no bars.
        """
        first = dt.date.min if start is None else as_date(start, BacktestError, "start")
        last = dt.date.max if end is None else as_date(end, BacktestError, "end")
        if first > last:
            raise BacktestError(f"start={first} is after end={last}; swap them", name="start", value=start)
        begin = bisect_left(self.dates, first, key=dt.datetime.date)
        stop = bisect_right(self.dates, last, key=dt.datetime.date)
        if begin >= stop:
            span = f"{self.dates[0].date()} to {self.dates[-1].date()}"
            raise BacktestError(f"there are no bars from {first} to {last}; the data have {span}", name="start")
        kept = {name: read_only(getattr(self, name)[begin:stop].copy()) for name in FIELDS}
        return BarPanel(self.tickers, self.dates[begin:stop], **kept, has_ranges=self.has_ranges, source=self.source)

    def to_table(self) -> Table:
        """Return a table with a row for each bar: ticker, date, open, high, low, close, volume."""
        schema = [("ticker", str), ("date", dt.datetime), *((name, float | None) for name in FIELDS)]
        rows = [
            {"ticker": ticker, "date": when} | {name: _known(getattr(self, name)[t, j]) for name in FIELDS}
            for t, when in enumerate(self.dates)
            for j, ticker in enumerate(self.tickers)
            if not np.isnan(self.close[t, j])
        ]
        return Table.from_rows(schema, rows)

    def __rich__(self) -> object:
        from bank_python.render import table_view

        return table_view(self.to_table(), f"{len(self):,} bars of {', '.join(self.tickers)}")


def bars_of(data: Any, start: dt.date | str | None = None, end: dt.date | str | None = None) -> BarPanel:
    """Return the bars in some data, cut to a period.

    Parameters
    ----------
    data : mapping, DataFrame, Table, PriceHistoryTable or BarPanel
        Bars or closes; see the module.
    start, end : date or ISO 8601 text, optional
        First and last day, both included.

    Raises
    ------
    BacktestError
        The data cannot be read, times are not ascending or occur twice, a price is not a number above 0 or outside its
        bar, or the period has no bars; the message names ticker and time.
    """
    if isinstance(data, BarPanel):
        return data.between(start, end)
    bars, source = read_bars(data, start)
    if all(np.isnan(columns.figures["close"]).all() for columns in bars.values()):
        raise BacktestError("there are no bars; give closes or bars of at least one ticker", name="data")
    times = {ticker: columns.times.settled() for ticker, columns in bars.items()}
    for ticker, (_, figures) in bars.items():
        require_ascending(ticker, times[ticker])
        require_possible(ticker, times[ticker], figures)
        require_same_fields(ticker, times[ticker], figures)
    found = {ticker: adjusted_figures(ticker, times[ticker], columns.figures) for ticker, columns in bars.items()}
    if any(is_adjusted for _, is_adjusted in found.values()):
        source = f"{source}, {ADJUSTED} by its adjusted closes"
    return _panel(times, {ticker: figures for ticker, (figures, _) in found.items()}, source).between(start, end)


def _panel(
    times: Mapping[str, NDArray[np.int64]], figures: Mapping[str, Mapping[str, FloatArray]], source: str
) -> BarPanel:
    """Return the bars of all tickers on the row of times that any of them has."""
    first = next(iter(times.values()))
    shared = all(np.array_equal(first, each) for each in times.values())
    row = first if shared else np.unique(np.concatenate(list(times.values())))
    values = np.full((len(FIELDS), len(row), len(times)), np.nan)
    for j, ticker in enumerate(times):
        at = slice(None) if shared else np.searchsorted(row, times[ticker])
        for name, column in figures[ticker].items():
            values[FIELDS.index(name), at, j] = column
    ranged = np.array([have_ranges(columns) for columns in figures.values()], dtype=bool)
    close = values[FIELDS.index("close")]
    values[:3, :, ~ranged] = close[:, ~ranged]
    values[:, np.isnan(close)] = np.nan
    kept = {name: read_only(values[i]) for i, name in enumerate(FIELDS)}
    return BarPanel(
        tuple(times),
        datetimes_of(row),
        **kept,
        has_ranges=bool(ranged[~np.isnan(close).all(axis=0)].any()),
        source=source,
    )


def read_only(values: FloatArray) -> FloatArray:
    """Return an array after it was made read-only.

    Parameters
    ----------
    values : ndarray
        Array of its own, or a view.
    """
    values.setflags(write=False)
    return values


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

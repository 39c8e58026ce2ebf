"""Reading what people have: mappings, frames and tables of bars or closes become columns by ticker.

A data frame has a column of closes for each ticker, or one ticker's open, high, low, close and volume, or both on two
levels in either order as Yahoo's, or a row for each ticker and date. Frames are known by what they offer, not by their
class: pandas is never imported.

Examples
--------
>>> columns, source = read_bars({"A": {"2026-01-05": 10.0, "2026-01-06": 11.0}}, start=None)
>>> columns["A"].figures["close"].tolist(), source
([10.0, 11.0], 'mapping')
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import as_numbers
from bank_python.backtester.bar_columns import FIGURES, BarColumns, BarTimes, read_columns, read_rows, word_of
from bank_python.errors import BacktestError
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.mntable import Table, View
from bank_python.numerics.dates import as_date

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_bars"]

_FIRST_DAY = dt.date(2000, 1, 3)  # of closes without dates
_NAMES = ("date", *FIGURES)
_ABSENT = object()
_LEVELS = 2


def read_bars(data: Any, start: dt.date | str | None) -> tuple[dict[str, BarColumns], str]:
    """Return the bars of each ticker, and the name of their source.

    Parameters
    ----------
    data : mapping, DataFrame, Table or PriceHistoryTable
        Bars or closes; see the module.
    start : date or ISO 8601 text, optional
        First day of closes without dates.

    Raises
    ------
    BacktestError
        The data cannot be read; the message names ticker, time and value.
    """
    if isinstance(data, PriceHistoryTable):
        return {ticker: _of_rows(ticker, data.query(ticker)) for ticker in data.tickers}, "price histories"
    if isinstance(data, Table | View):
        _require_columns(data.columns)
        rows = list(data)
        tickers = [str(row["ticker"]) for row in rows]
        return _split(tickers, _of_mappings(tickers, rows)), "table"
    if isinstance(data, Mapping):
        _require_distinct(data)
        _require_dates(data, start)
        return {str(ticker): _of_ticker(str(ticker), given, start) for ticker, given in data.items()}, "mapping"
    if _is_frame(data):
        return _of_frame(data), "data frame"
    raise BacktestError(
        f"{type(data).__name__} is no market data; give a mapping of ticker to bars or closes, a data frame or a table",
        name="data",
    )


def _is_frame(data: Any) -> bool:
    return hasattr(data, "columns") and hasattr(data, "to_dict")


# --- one ticker -----------------------------------------------------------------------------------------


def _of_ticker(ticker: str, given: Any, start: dt.date | str | None) -> BarColumns:
    if isinstance(given, PriceHistory):
        given = given.bars
    if _is_frame(given):
        return next(iter(_of_frame(given, ticker).values()), read_rows(()))
    if hasattr(given, "index") and hasattr(given, "to_numpy"):
        return _of_closes(ticker, BarTimes(given.index), given.to_numpy())
    if isinstance(given, Mapping):
        return _of_closes(ticker, BarTimes(list(given)), list(given.values()))
    if isinstance(given, Sequence) and given and isinstance(given[0], Mapping | Bar):
        return _of_rows(ticker, given)
    closes = as_numbers(given)
    if closes is None or closes.ndim != 1:
        raise BacktestError(f"the bars of {ticker} are no rows, closes or history", name=ticker, value=given)
    first = _FIRST_DAY if start is None else as_date(start, BacktestError, "start")
    return _of_closes(ticker, BarTimes(_weekdays(first, len(closes))), closes)


def _of_closes(ticker: str, times: BarTimes, closes: Any) -> BarColumns:
    return read_columns(repeat(ticker), times, {"close": closes})


def _of_rows(ticker: str, rows: Iterable[Any]) -> BarColumns:
    bars = [_of_bar(row) if isinstance(row, Bar) else row for row in rows]
    return _of_mappings([ticker] * len(bars), bars)


def _of_mappings(tickers: list[str], rows: list[Any]) -> BarColumns:
    cells = _cells(rows)
    if cells is None:
        return read_rows(zip(tickers, rows, strict=True))
    columns = dict(zip(_NAMES, zip(*cells, strict=True), strict=True)) if cells else dict.fromkeys(_NAMES, ())
    return read_columns(tickers, BarTimes(columns.pop("date")), columns)


def _cells(rows: list[Any]) -> list[tuple[Any, ...]] | None:
    """Return date, open, high, low, close and volume of each bar, None for what it lacks; None if one is no bar."""
    found = []
    names = dict[tuple[Any, ...], list[Any]]()
    for row in rows:
        if not isinstance(row, Mapping):
            return None
        given = tuple(row)
        if given not in names:
            words = {word_of(name): name for name in given}
            if not {"date", "close"} <= words.keys():
                return None
            names[given] = [words.get(name, _ABSENT) for name in _NAMES]
        found.append(tuple(map(row.get, names[given])))
    return found


def _of_bar(bar: Bar) -> dict[str, Any]:
    return {name: getattr(bar, name, None) for name in _NAMES}


def _weekdays(first: dt.date, count: int) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """Return so many days from Monday to Friday."""
    return np.busday_offset(np.datetime64(first, "D"), np.arange(count), roll="forward")


# --- frames ---------------------------------------------------------------------------------------------


def _of_frame(frame: Any, alone: str = "ASSET") -> dict[str, BarColumns]:
    """Return the bars of each ticker; those of one without a name are named `alone`."""
    _require_distinct(frame.columns)
    names = [column if isinstance(column, tuple) else (column,) for column in frame.columns]
    if {len(name) for name in names} == {_LEVELS}:
        return _of_two_levels(frame, names)
    words = {word_of(name[0]): column for name, column in zip(names, frame.columns, strict=True)}
    if {"ticker", "close", "date"} <= words.keys():
        return _of_long_frame(frame, words)
    times = BarTimes(frame.index)
    if "close" in words:
        cells = {word: _column(frame, words[word]) for word in _NAMES if word in words}
        dates = cells.pop("date", None)
        return {alone: read_columns(repeat(alone), times if dates is None else BarTimes(dates), cells)}
    return {
        str(name[0]): _of_closes(str(name[0]), times, frame[column])
        for name, column in zip(names, frame.columns, strict=True)
    }


def _of_two_levels(frame: Any, names: list[tuple[Any, ...]]) -> dict[str, BarColumns]:
    field_first = any(word_of(name[0]) == "close" for name in names)
    by_ticker: dict[str, dict[str, Any]] = {}
    for name, column in zip(names, frame.columns, strict=True):
        field, ticker = (name[0], name[1]) if field_first else (name[1], name[0])
        by_ticker.setdefault(str(ticker), {})[word_of(field)] = column
    times, found = BarTimes(frame.index), {}
    for ticker, words in by_ticker.items():
        cells = {word: frame[column].to_numpy() for word, column in words.items()}
        dates = cells.pop("date", None)
        found[ticker] = read_columns(repeat(ticker), times if dates is None else BarTimes(dates), cells)
    return found


def _of_long_frame(frame: Any, words: Mapping[str, Any]) -> dict[str, BarColumns]:
    tickers = list(map(str, _column(frame, words["ticker"])))
    cells = {name: _column(frame, words[name]) for name in FIGURES if name in words}
    return _split(tickers, read_columns(tickers, BarTimes(_column(frame, words["date"])), cells))


def _column(frame: Any, column: Any) -> Any:
    """Return the cells of a column; as its records have them, None for pandas' NA, unless it is of numbers or times."""
    cells = frame[column]
    if cells.dtype.kind == "M" or (isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "iuf"):
        return cells
    return [cell for record in frame[[column]].to_dict("records") for cell in record.values()]


# --- a row for each ticker and date ---------------------------------------------------------------------


def _split(tickers: list[str], columns: BarColumns) -> dict[str, BarColumns]:
    """Return the bars of each ticker, in the order given."""
    places = {ticker: j for j, ticker in enumerate(dict.fromkeys(tickers))}
    column = np.array([places[ticker] for ticker in tickers], dtype=np.intp)
    ends = np.cumsum(np.bincount(column, minlength=len(places)))
    rows = np.split(np.argsort(column, kind="stable"), ends[:-1])
    return {ticker: columns.taken(taken) for ticker, taken in zip(places, rows, strict=False)}


def _require_columns(columns: Sequence[str]) -> None:
    missing = [name for name in ("ticker", "date", "close") if name not in columns]
    if missing:
        raise BacktestError(f"the table has no column {missing[0]}; bars need ticker, date and close", name=missing[0])


# --- what goes together ---------------------------------------------------------------------------------


def _require_distinct(tickers: Iterable[Any]) -> None:
    seen = set[str]()
    for ticker in map(str, tickers):
        if ticker in seen:
            raise BacktestError(f"the data have {ticker} twice; give each ticker once", name=ticker)
        seen.add(ticker)


def _require_dates(data: Mapping[Any, Any], start: dt.date | str | None) -> None:
    """Raise an error where some tickers have dates and others closes alone, which could be on any."""
    if start is not None:
        return
    alone = [ticker for ticker, given in data.items() if not _has_dates(given)]
    if 0 < len(alone) < len(data):
        said = f"the closes of {alone[0]} have no dates, other bars do; give a mapping or series with dates"
        raise BacktestError(said, name=str(alone[0]))


def _has_dates(given: Any) -> bool:
    if isinstance(given, Sequence):
        return not given or isinstance(given[0], Mapping | Bar)
    return isinstance(given, Mapping | PriceHistory) or hasattr(given, "index")

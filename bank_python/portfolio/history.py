"""Own price histories: a frame or a file becomes closes by date and ticker, or is refused with line and column."""

from __future__ import annotations

import csv
import datetime as dt
import enum
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.display import Record
from bank_python.errors import PositionsError
from bank_python.guessing import guessable
from bank_python.market_data.picture import draw_prices
from bank_python.mntable import Relation, Table
from bank_python.plotting import Plotted
from bank_python.portfolio.cells import CellError, as_date, as_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from bank_python.numerics import FloatArray

__all__ = ["History", "HistoryForm", "read_history"]

_DATE = ("date", "day", "time", "datetime", "timestamp", "index", "")
_TICKER = ("ticker", "symbol")
_CLOSE = ("close", "price", "adj_close", "adj close", "adjusted_close", "return")
_LARGEST_MOVE = 10.0
_WEEKLY = 4.0


class HistoryForm(enum.Enum):
    """What the figures of a history are: prices, simple returns or log returns."""

    PRICES = "prices"
    SIMPLE = "simple"
    LOG = "log"


@dataclass(frozen=True, slots=True, eq=False)
class History(Plotted, Record):
    """Daily closes.

    Parameters
    ----------
    source : str
        Name of the file, or kind of the object.
    tickers : tuple of str
        Columns of `closes`.
    dates : tuple of date
        Rows of `closes`, ascending.
    closes : ndarray, shape (days, tickers)
        Prices, or levels built from returns that begin at 1; NaN where there is none.
    has_levels : bool
        Whether the closes are prices, so that the last one is the present price.
    """

    source: str
    tickers: tuple[str, ...]
    dates: tuple[dt.date, ...]
    closes: FloatArray
    has_levels: bool

    def _draw_(self, axes: Axes) -> None:
        """Draw the closes indexed to 100, with their drawdowns below."""
        draw_prices(axes, self.dates, self.closes, self.tickers, f"History of {self.source}")

    def last(self, ticker: str) -> float | None:
        """Return the last close of a ticker, None without one."""
        if not self.has_levels or ticker not in self.tickers:
            return None
        column = self.closes[:, self.tickers.index(ticker)]
        known = column[np.isfinite(column)]
        return float(known[-1]) if known.size else None

    def common(self, tickers: Sequence[str]) -> FloatArray:
        """Return the closes of some tickers on the days that all of them have, shape (days, tickers)."""
        columns = self.closes[:, [self.tickers.index(ticker) for ticker in tickers]]
        kept: FloatArray = columns[np.isfinite(columns).all(axis=1)]
        return kept


_Cell = tuple[int, dt.date, str, float]


@guessable
def read_history(prices: Any, form: HistoryForm | str = HistoryForm.PRICES) -> History:
    """Return a history.

    Parameters
    ----------
    prices : path, DataFrame, Table or mapping
        Dates down and tickers across, or rows with date, ticker and close; a CSV or Parquet file of either; a frame
        whose index is the dates; or a mapping from ticker to ``(date, close)`` pairs. Dates are ISO and may run either
        way.
    form : HistoryForm or {"prices", "simple", "log"}, default "prices"
        Prices, or daily returns of either kind, as decimals.

    Raises
    ------
    PositionsError
        The message names the line and the column: a date that is not ISO, later than today or there twice, a figure
        that is no number, a price that is not above 0, a move by a factor of 10, rows that are not daily.
    """
    wanted = _form(form)
    source, cells = _cells(prices)
    if not cells:
        raise PositionsError(f"{source} holds no price; give dates and closes")
    _check(source, cells, wanted)
    dates = tuple(sorted({date for _, date, _, _ in cells}))
    tickers = tuple(dict.fromkeys(ticker for _, _, ticker, _ in cells))
    _check_daily(source, dates)
    rows, columns = {date: i for i, date in enumerate(dates)}, {ticker: j for j, ticker in enumerate(tickers)}
    table = np.full((len(dates), len(tickers)), np.nan)
    for line, date, ticker, value in cells:
        place = rows[date], columns[ticker]
        if np.isfinite(table[place]):
            raise PositionsError(f"{source}, line {line}: {ticker} has two figures on {date}; keep one")
        table[place] = value
    if wanted is HistoryForm.PRICES:
        _check_moves(source, dates, tickers, table)
        return History(source, tickers, dates, table, has_levels=True)
    return History(source, tickers, dates, _levels(table, wanted), has_levels=False)


def _form(form: HistoryForm | str) -> HistoryForm:
    try:
        return form if isinstance(form, HistoryForm) else HistoryForm(form)
    except ValueError:
        raise PositionsError(f"form={form!r}; choose prices, simple (returns) or log (returns)") from None


def _cells(prices: Any) -> tuple[str, list[_Cell]]:
    if isinstance(prices, str | os.PathLike):
        path = Path(prices)
        if not path.is_file():
            raise PositionsError(f"there is no file {path}; give a CSV or Parquet file of prices, or a DataFrame")
        if path.suffix.lower() == ".parquet":
            return path.name, _of_records(path.name, Table.from_parquet(path).to_list())
        return path.name, _of_csv(path)
    if isinstance(prices, Relation):
        return "the table", _of_records("the table", prices.to_list())
    if hasattr(prices, "columns") and hasattr(prices, "index") and hasattr(prices, "to_numpy"):
        return "the frame", _of_frame(prices)
    if isinstance(prices, Mapping):
        return "the mapping", [
            _cell("the mapping", i, str(ticker), date, close)
            for ticker, pairs in prices.items()
            for i, (date, close) in enumerate(pairs, start=1)
        ]
    raise PositionsError(
        f"prices={prices!r} is a {type(prices).__name__}; give a DataFrame, a CSV or Parquet path, or a mapping"
    )


def _of_csv(path: Path) -> list[_Cell]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    delimiter = max(",;\t|", key=(lines[0] if lines else "").count)
    reader = csv.reader(lines, delimiter=delimiter)
    names = next(reader, [])
    records = ((reader.line_num, dict(zip(names, cells, strict=False))) for cells in reader if any(cells))
    return _of_numbered(path.name, names, records)


def _of_records(source: str, records: Sequence[Mapping[str, object]]) -> list[_Cell]:
    names = list(records[0]) if records else []
    return _of_numbered(source, names, enumerate(records, start=1))


def _of_frame(frame: Any) -> list[_Cell]:
    lowered = [str(name).lower() for name in frame.columns]
    if any(name in _DATE for name in lowered):
        return _of_records("the frame", frame.to_dict("records"))
    table = frame.to_numpy()
    return [
        _cell("the frame", i + 1, str(ticker), date, table[i, j])
        for j, ticker in enumerate(frame.columns)
        for i, date in enumerate(frame.index)
        if not _is_missing(table[i, j])
    ]


def _of_numbered(source: str, names: list[str], records: Iterable[tuple[int, Mapping[str, object]]]) -> list[_Cell]:
    by_word = {name.strip().lower(): name for name in names}
    date = next((by_word[word] for word in _DATE if word in by_word), None)
    if date is None:
        raise PositionsError(f"{source} has no column date among {', '.join(names)}; name it date")
    ticker = next((by_word[word] for word in _TICKER if word in by_word), None)
    if ticker is None:
        across = [name for name in names if name != date]
        return [
            _cell(source, line, name, record[date], record[name])
            for line, record in records
            for name in across
            if not _is_missing(record.get(name))
        ]
    close = next((by_word[word] for word in _CLOSE if word in by_word), None)
    if close is None:
        raise PositionsError(f"{source} has a ticker and a date, but no column close among {', '.join(names)}")
    return [
        _cell(source, line, str(record[ticker]), record[date], record[close])
        for line, record in records
        if not _is_missing(record.get(close))
    ]


def _is_missing(cell: object) -> bool:
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return True
    return isinstance(cell, str) and cell.strip().lower() in {"", "nan", "na", "n/a", "null"}


def _cell(source: str, line: int, ticker: str, date: object, value: object) -> _Cell:
    try:
        day = as_date(date)
    except CellError as error:
        raise PositionsError(f"{source}, line {line}, date: {date!r} {error}") from error
    try:
        figure = as_number(value)
    except CellError as error:
        raise PositionsError(f"{source}, line {line}, column {ticker}: {value!r} {error}") from error
    return line, day, ticker.strip().upper(), figure


def _check(source: str, cells: Sequence[_Cell], form: HistoryForm) -> None:
    today = dt.datetime.now(dt.UTC).date()
    least, what = (0.0, "price") if form is HistoryForm.PRICES else (-1.0, "simple return")
    for line, date, ticker, value in cells:
        if date > today + dt.timedelta(days=1):
            raise PositionsError(f"{source}, line {line}: {date} has not come yet; correct the date")
        if form is not HistoryForm.LOG and value <= least:
            raise PositionsError(
                f"{source}, line {line}, column {ticker}: the {what} {value:g} is not above {least:g}; correct it, or "
                "leave the cell empty"
            )


def _check_daily(source: str, dates: Sequence[dt.date]) -> None:
    steps = [(later - earlier).days for earlier, later in pairwise(dates)]
    if steps and median(steps) > _WEEKLY:
        raise PositionsError(
            f"{source} is not daily: most rows are {median(steps):g} days apart; give daily prices, as risk is per day"
        )


def _check_moves(source: str, dates: Sequence[dt.date], tickers: Sequence[str], table: FloatArray) -> None:
    for j, ticker in enumerate(tickers):
        days = np.flatnonzero(np.isfinite(table[:, j]))
        ratio = table[days[1:], j] / table[days[:-1], j]
        wild = np.flatnonzero((ratio > _LARGEST_MOVE) | (ratio < 1.0 / _LARGEST_MOVE))
        if wild.size:
            day = dates[days[int(wild[0]) + 1]]
            raise PositionsError(
                f"{source}, column {ticker}: the price moves by a factor of {ratio[wild[0]]:.4g} on {day}; a split, or "
                "pence and pounds in one column? Adjust the prices before it"
            )


def _levels(returns: FloatArray, form: HistoryForm) -> FloatArray:
    known = np.isfinite(returns)
    logs = np.where(known, returns if form is HistoryForm.LOG else np.log1p(np.where(known, returns, 0.0)), 0.0)
    levels: FloatArray = np.exp(np.vstack([np.zeros((1, logs.shape[1])), np.cumsum(logs, axis=0)]))
    levels[1:][~known] = np.nan
    return levels

"""Own price histories: a frame or a file becomes closes by date and ticker, or is refused with line and column."""

from __future__ import annotations

import datetime as dt
import enum
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.cells import CellError, DecimalMark, as_date, as_number, is_blank, is_missing
from bank_python.display import Record
from bank_python.errors import PositionsError
from bank_python.guessing import guessable
from bank_python.market_data.picture import draw_prices
from bank_python.plotting import Plotted
from bank_python.source_records import check_frame, numbered, read_csv, read_parquet, records_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray
    from bank_python.source_records import Records

__all__ = ["History", "HistoryForm", "read_history"]

_DATE = ("date", "day", "time", "datetime", "timestamp", "index", "__index_level_0__", "")
_TICKER = ("ticker", "symbol")
_CLOSE = ("close", "price", "adj_close", "adj close", "adjusted_close", "return")
_LARGEST_MOVE = 10.0
_LARGEST_PRICE = 1e12
_LARGE_RETURN = 0.1  # half of the days move by more only if the figures are per cent
_SPLIT = 1.9
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
        known = self.lasts().get(ticker)
        return None if known is None else known[1]

    def lasts(self) -> dict[str, tuple[dt.date, float]]:
        """Return day and figure of the last close of every ticker; empty if the closes are no prices."""
        if not self.has_levels:
            return {}
        known = np.isfinite(self.closes)
        rows = len(self.dates) - 1 - np.argmax(known[::-1], axis=0)
        closes = self.closes[rows, np.arange(len(self.tickers))].tolist()
        return {
            ticker: (self.dates[row], close)
            for ticker, row, close in zip(self.tickers, rows.tolist(), closes, strict=True)
            if np.isfinite(close)
        }

    def jump(self, ticker: str) -> tuple[dt.date, float] | None:
        """Return the first day on which a price about halves or doubles, as in a split, and the factor."""
        known = self._known(ticker)
        closes = self.closes[known, self.tickers.index(ticker)] if known.size else np.empty(0)
        ratio = closes[1:] / closes[:-1]
        jumps = np.flatnonzero((ratio > _SPLIT) | (ratio < 1.0 / _SPLIT))
        return (self.dates[int(known[jumps[0] + 1])], float(ratio[jumps[0]])) if jumps.size else None

    def until(self, day: dt.date) -> History:
        """Return the history up to a day.

        Raises
        ------
        PositionsError
            It begins after that day.
        """
        count = sum(date <= day for date in self.dates)
        if not count:
            raise PositionsError(f"{self.source} begins on {self.dates[0]}, after as_of={day}; give a later as_of")
        return replace(self, dates=self.dates[:count], closes=self.closes[:count])

    def common(self, tickers: Sequence[str]) -> FloatArray:
        """Return the closes of some tickers on the days that all of them have, shape (days, tickers)."""
        columns = self.closes[:, [self.tickers.index(ticker) for ticker in tickers]]
        kept: FloatArray = columns[np.isfinite(columns).all(axis=1)]
        return kept

    def common_dates(self, tickers: Sequence[str]) -> tuple[dt.date, ...]:
        """Return the days on which all of some tickers have a close."""
        columns = self.closes[:, [self.tickers.index(ticker) for ticker in tickers]]
        return tuple(self.dates[i] for i in np.flatnonzero(np.isfinite(columns).all(axis=1)))

    def _known(self, ticker: str) -> NDArray[np.intp]:
        if not self.has_levels or ticker not in self.tickers:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(np.isfinite(self.closes[:, self.tickers.index(ticker)]))


_Cell = tuple[int, dt.date, str, float]


@guessable
def read_history(
    prices: Any, form: HistoryForm | str = HistoryForm.PRICES, decimal: DecimalMark | None = None
) -> History:
    """Return a history.

    Parameters
    ----------
    prices : path, frame, table or mapping
        Dates down and tickers across, or rows with date, ticker and close; a CSV or Parquet file of either; a frame
        whose index is the dates; an Arrow or MnTable table; or a mapping from ticker to ``(date, close)`` pairs or to a
        series. Dates are ISO and may run either way; empty cells, ``N/A`` and ``--`` are days without a price.
    form : HistoryForm or {"prices", "simple", "log"}, default "prices"
        Prices, or daily returns of either kind, as decimals.
    decimal : DecimalMark, optional
        Decimal mark of numbers that are text.

    Raises
    ------
    PositionsError
        The message names the line and the column: a date that is not ISO, later than today or there twice, a figure
        that is no number, a price that is not above 0, a move by a factor of 10, rows that are not daily.
    """
    wanted = _form(form)
    source, cells = _cells(prices, decimal)
    if not cells:
        raise PositionsError(f"{source} holds no price; give dates and closes")
    _check(source, cells, wanted)
    _check_size(source, cells, wanted)
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
    days = (dates[0] - dt.timedelta(days=1), *dates)  # the level 1 before the first return
    return History(source, tickers, days, _levels(table, wanted), has_levels=False)


def _form(form: HistoryForm | str) -> HistoryForm:
    try:
        return form if isinstance(form, HistoryForm) else HistoryForm(form)
    except ValueError:
        raise PositionsError(f"form={form!r}; choose prices, simple (returns) or log (returns)") from None


def _cells(prices: Any, decimal: DecimalMark | None) -> tuple[str, list[_Cell]]:
    if isinstance(prices, str | os.PathLike):
        return _of_records(_of_file(Path(prices), decimal), decimal)
    if hasattr(prices, "columns") and hasattr(prices, "index") and hasattr(prices, "to_numpy"):
        return _of_frame(prices, decimal)
    table = records_of(prices)
    if table is not None:
        return _of_records(table, decimal)
    if isinstance(prices, Mapping):
        return "the mapping", [
            _cell("the mapping", i, str(ticker), date, close, decimal or DecimalMark.POINT)
            for ticker, pairs in prices.items()
            for i, date, close in _pairs(str(ticker), pairs)
            if not is_missing(close)
        ]
    raise PositionsError(
        f"prices= is a {type(prices).__name__}, which has no dates; give a DataFrame whose index is the dates, a CSV "
        "or Parquet path, or a mapping"
    )


def _of_file(path: Path, decimal: DecimalMark | None) -> Records:
    if not path.is_file():
        raise PositionsError(f"there is no file {path}; give a CSV or Parquet file of prices, or a DataFrame")
    return read_parquet(path) if path.suffix.lower() == ".parquet" else read_csv(path, decimal)


def _pairs(ticker: str, pairs: Any) -> list[tuple[int, object, object]]:
    items = pairs.items() if hasattr(pairs, "items") else pairs
    try:
        return [(i, date, close) for i, (date, close) in enumerate(items, start=1)]
    except (TypeError, ValueError):
        raise PositionsError(
            f"the mapping, {ticker}: a {type(pairs).__name__} without dates; give (date, close) pairs, a series whose "
            "index is the dates, or a DataFrame"
        ) from None


def _of_frame(frame: Any, decimal: DecimalMark | None) -> tuple[str, list[_Cell]]:
    check_frame(frame)
    if any(str(name).lower() in _DATE for name in frame.columns):
        return _of_records(numbered("the frame", frame.to_dict("records"), frame.columns), decimal)
    table = frame.to_numpy()
    return "the frame", [
        _cell("the frame", i + 1, str(ticker), date, table[i, j], decimal or DecimalMark.POINT)
        for j, ticker in enumerate(frame.columns)
        for i, date in enumerate(frame.index)
        if not is_missing(table[i, j])
    ]


def _of_records(records: Records, decimal: DecimalMark | None) -> tuple[str, list[_Cell]]:
    source, names, mark = records.source, records.names, decimal or records.mark
    by_word = {name.strip().lower(): name for name in names}
    date = next((by_word[word] for word in _DATE if word in by_word), None)
    if date is None:
        raise PositionsError(f"{source} has no column date among {', '.join(names) or 'no columns'}; name it date")
    ticker = next((by_word[word] for word in _TICKER if word in by_word), None)
    if ticker is None:
        across = [name for name in names if name != date]
        return source, [
            _cell(source, line, name, record.get(date), record[name], mark)
            for line, record in records.records
            for name in across
            if not is_missing(record.get(name))
        ]
    close = next((by_word[word] for word in _CLOSE if word in by_word), None)
    if close is None:
        raise PositionsError(f"{source} has a ticker and a date, but no column close among {', '.join(names)}")
    return source, [
        _cell(source, line, _ticker(source, line, record.get(ticker)), record.get(date), record[close], mark)
        for line, record in records.records
        if not is_missing(record.get(close))
    ]


def _ticker(source: str, line: int, cell: object) -> str:
    if is_blank(cell):
        raise PositionsError(f"{source}, line {line}: a close without a ticker; give the ticker, or remove the row")
    return str(cell)


def _cell(source: str, line: int, ticker: str, date: object, value: object, mark: DecimalMark) -> _Cell:
    try:
        day = as_date(date)
    except CellError as error:
        raise PositionsError(f"{source}, line {line}, date: {date!r} {error}") from error
    try:
        figure = as_number(value, mark)
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


def _check_size(source: str, cells: Sequence[_Cell], form: HistoryForm) -> None:
    largest = {
        HistoryForm.PRICES: _LARGEST_PRICE,
        HistoryForm.SIMPLE: _LARGEST_MOVE,
        HistoryForm.LOG: np.log(_LARGEST_MOVE),
    }
    for line, _, ticker, value in cells:
        if abs(value) > largest[form]:
            what = "price" if form is HistoryForm.PRICES else f"{form.value} return"
            raise PositionsError(f"{source}, line {line}, column {ticker}: {value:g} is too large a {what}; correct it")
    if form is not HistoryForm.PRICES and median([abs(value) for _, _, _, value in cells]) > _LARGE_RETURN:
        raise PositionsError(f"{source}: half of the daily returns are beyond 10 %; give decimals, 0.01 for 1 %")


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

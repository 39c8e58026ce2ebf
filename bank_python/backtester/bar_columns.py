"""Bars as columns: from the cells that people have, whatever their kind, to arrays of times and of figures.

Whole columns are read at once. Where a cell cannot be read, the bars are read again one by one, in their order, so that
the error names the first bad one with ticker, time and value.

A time without a zone is taken for UTC. Times are kept by the clock of their own zone and in UTC: bars of midnights are
bars of days, which keep the date of their zone, and others are bars of moments.

Examples
--------
>>> import datetime as dt
>>> from itertools import repeat
>>> columns = read_columns(repeat("A"), BarTimes([dt.date(2026, 1, 5), dt.date(2026, 1, 6)]), {"close": [10, None]})
>>> columns.figures["close"].tolist(), [f"{when:%d %B}" for when in datetimes_of(columns.times.settled())]
([10.0, nan], ['05 January', '06 January'])
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bank_python.errors import BacktestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = [
    "ADJUSTED",
    "FIELDS",
    "FIGURES",
    "BarColumns",
    "BarTimes",
    "Times",
    "datetimes_of",
    "first_of",
    "read_columns",
    "read_rows",
    "said_time",
    "word_of",
]

FIELDS = ("open", "high", "low", "close", "volume")
ADJUSTED = "adjusted"
FIGURES = (*FIELDS, ADJUSTED)
"""Fields of bars, and the adjusted close that some sources give beside the close."""

_ADJUSTED_CLOSES = {"adj close", "adj_close", "adjclose", "adjusted close", "adjusted_close", ADJUSTED}
_DAY = 86_400_000_000  # microseconds
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NO_ZONE = _EPOCH.replace(tzinfo=None)
_FIRST = np.datetime64("0001-01-01", "us").astype(np.int64)
_AFTER_LAST = np.datetime64("10000-01-01", "us").astype(np.int64)
_NUMBERS = (float, int, np.floating, np.integer, Decimal, type(None))
_NO_NUMBERS = (bool, np.timedelta64)  # though of those classes
_Figures = tuple[float, ...]


class Times(NamedTuple):
    """Starts of bars in microseconds since 1970, by the clock of their own zone and in UTC."""

    local: NDArray[np.int64]
    utc: NDArray[np.int64]

    def settled(self) -> NDArray[np.int64]:
        """Return the times in UTC; where all are midnights of their zone, they are days, and keep their date."""
        return self.utc if (self.local % _DAY).any() else self.local


class BarColumns(NamedTuple):
    """Times and figures of bars in the order given; a field that no bar has is left out."""

    times: Times
    figures: dict[str, FloatArray]

    def taken(self, rows: NDArray[np.intp]) -> BarColumns:
        """Return some of the bars.

        Parameters
        ----------
        rows : ndarray of int
            Numbers of the bars.
        """
        times = Times(self.times.local[rows], self.times.utc[rows])
        return BarColumns(times, {name: column[rows] for name, column in self.figures.items()})


class BarTimes:
    """Times as they were given, read once for all columns that share them.

    Parameters
    ----------
    cells : iterable of date, datetime, str, numpy.datetime64 or pandas.Timestamp
        Starts of bars; an index or a column of a frame is read as a whole.
    """

    def __init__(self, cells: Iterable[Any]) -> None:
        self.cells = cells

    @cached_property
    def read(self) -> Times | None:
        """Times of all bars; None if one of them is no time."""
        array = getattr(self.cells, "array", self.cells)  # what a pandas index or column contains
        whole = _of_array(array) if getattr(getattr(array, "dtype", None), "kind", "") == "M" else None
        return _of_cells(list(self.cells)) if whole is None else whole


# --- columns --------------------------------------------------------------------------------------------


def read_columns(tickers: Iterable[str], times: BarTimes, figures: Mapping[str, Any]) -> BarColumns:
    """Return bars whose cells are given by column.

    Parameters
    ----------
    tickers : iterable of str
        Ticker of each bar, for messages.
    times : BarTimes
        Starts of the bars.
    figures : mapping of str to sequence
        Cells of each field, named in lower case; what is no field is passed over.

    Raises
    ------
    BacktestError
        A cell is no time or no number; the first such bar is named.
    """
    given = {name: figures[name] for name in FIGURES if name in figures}
    read = {name: _numbers(cells) for name, cells in given.items()}
    known = {name: column for name, column in read.items() if column is not None}
    if times.read is not None and "close" in known and len(known) == len(given):
        return BarColumns(times.read, _without_absent(known))
    cells = zip(times.cells, *figures.values(), strict=True)
    rows = (dict(zip(("date", *figures), row, strict=True)) for row in cells)
    return read_rows(zip(tickers, rows, strict=False))


def _numbers(cells: Any) -> FloatArray | None:
    """Return a column of figures, NaN for None; None if one of them is no number."""
    dtype = getattr(cells, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        return np.asarray(cells).astype(np.float64)
    values = list(cells)
    kinds = set(map(type, values))
    try:
        if kinds.isdisjoint(_NO_NUMBERS) and all(issubclass(kind, _NUMBERS) for kind in kinds):
            return np.array(values, dtype=np.float64)
        return np.array([_figure("", _EPOCH, "", value) for value in values], dtype=np.float64)
    except (BacktestError, TypeError, ValueError, OverflowError):
        return None


def _of_array(array: Any) -> Times | None:
    """Return the times in an array of datetime64, or of pandas' with a zone; None if not all are kept by doing so."""
    if getattr(array, "tz", None) is not None:
        local, utc = _micros(array.tz_localize(None)), _micros(array.tz_convert(None))
    else:
        local = utc = _micros(array)
    return None if local is None or utc is None else Times(local, utc)


def _micros(array: Any) -> NDArray[np.int64] | None:
    """Return times as microseconds since 1970; None if one is missing, finer than that, or beyond Python's years."""
    values = np.asarray(array)
    if values.dtype.kind != "M" or np.isnat(values).any():
        return None
    times = values.astype("datetime64[us]")
    micros = times.astype(np.int64)
    kept = (times.astype(values.dtype) == values) & (micros >= _FIRST) & (micros < _AFTER_LAST)
    return micros if kept.all() else None


def _of_cells(cells: list[Any]) -> Times | None:
    """Return the times of a list of dates, datetimes, text or what else stands for one."""
    kinds = set(map(type, cells))
    if kinds <= {dt.date}:
        days = np.array([day.toordinal() for day in cells], dtype=np.int64) - _EPOCH.toordinal()
        return Times(_DAY * days, _DAY * days)
    try:
        if kinds == {str}:
            cells = [dt.datetime.fromisoformat(text) for text in cells]
        elif kinds != {dt.datetime}:
            cells = [_moment("", cell) for cell in cells]
    except (BacktestError, ValueError):
        return None
    return _of_datetimes(cells)


def _of_datetimes(moments: Sequence[dt.datetime]) -> Times:
    zones = {id(when.tzinfo): when.tzinfo for when in moments}.values()
    if all(zone is None or zone is dt.UTC for zone in zones):
        utc = _elapsed([when - (_NO_ZONE if when.tzinfo is None else _EPOCH) for when in moments])
        return Times(utc, utc)
    local = _elapsed([when.replace(tzinfo=None) - _NO_ZONE for when in moments])
    return Times(local, local - _elapsed([when.utcoffset() or dt.timedelta() for when in moments]))


def _elapsed(spans: Sequence[dt.timedelta]) -> NDArray[np.int64]:
    """Return spans in microseconds, for which numpy takes ten times as long."""
    return np.array([_DAY * span.days + 1_000_000 * span.seconds + span.microseconds for span in spans], dtype=np.int64)


# --- bar by bar --------------------------------------------------------------------------------------------


def word_of(name: object) -> str:
    """Return the name of a column in lower case; that of an adjusted close in any of its spellings as one.

    Parameters
    ----------
    name : object
        Name of a column.
    """
    word = str(name).strip().lower()
    return ADJUSTED if word in _ADJUSTED_CLOSES else word


def read_rows(named: Iterable[tuple[str, Any]]) -> BarColumns:
    """Return bars that are given one by one, each with its ticker.

    Parameters
    ----------
    named : iterable of (str, mapping)
        Tickers and bars, which have the date and the figures with names of any case.

    Raises
    ------
    BacktestError
        A bar has no date or close, or a cell is no time or no number; the first such bar is named.
    """
    rows = [_row(ticker, row) for ticker, row in named]
    figures = np.array([found for _, found in rows], dtype=np.float64).reshape(-1, len(FIGURES)).T
    read = _without_absent(dict(zip(FIGURES, figures, strict=True)))
    return BarColumns(_of_datetimes([when for when, _ in rows]), read)


def _without_absent(figures: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Return columns without that of adjusted closes if there are none."""
    is_absent = ADJUSTED in figures and bool(np.isnan(figures[ADJUSTED]).all())
    return {name: column for name, column in figures.items() if not (is_absent and name == ADJUSTED)}


def _row(ticker: str, row: Any) -> tuple[dt.datetime, _Figures]:
    if not isinstance(row, Mapping):
        raise BacktestError(f"a bar of {ticker} is {row!r:.40}; give date and close with names", name=ticker, value=row)
    words = {word_of(name): value for name, value in row.items()}
    if "date" not in words or "close" not in words:
        lacking = "date" if "date" not in words else "close"
        raise BacktestError(f"a bar of {ticker} has no {lacking}; it has {', '.join(words)}", name=ticker)
    when = _moment(ticker, words["date"])
    figures = tuple(_figure(ticker, when, name, words.get(name)) for name in FIGURES)
    return when, figures


def _moment(ticker: str, given: Any) -> dt.datetime:
    """Return the start of a bar; a plain date is its midnight in UTC, a time without a zone is taken for UTC."""
    value = given.to_pydatetime() if hasattr(given, "to_pydatetime") else given
    if value is not None and value != value:  # noqa: PLR0124 - pandas' missing time, which is a datetime
        raise BacktestError(f"a bar of {ticker} has no date; leave it out", name=ticker, value=given)
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError as error:
            raise BacktestError(f"a bar of {ticker} has the date {given!r:.40}; give ISO 8601", name=ticker) from error
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time(), dt.UTC)
    raise BacktestError(f"a bar of {ticker} has {given!r:.40} in place of a date", name=ticker, value=given)


def _figure(ticker: str, when: dt.datetime, name: str, given: Any) -> float:
    if given is None:
        return np.nan
    try:
        return float(given if not isinstance(given, bool | np.bool_) else str(given))
    except (TypeError, ValueError, OverflowError) as error:
        said = f"the {name} of {ticker} at {said_time(when)} is {given!r:.40}, not a number"
        raise BacktestError(said, name=ticker, value=given) from error


# --- times as people read them --------------------------------------------------------------------------


def datetimes_of(times: NDArray[np.int64]) -> tuple[dt.datetime, ...]:
    """Return times as datetimes in UTC.

    Parameters
    ----------
    times : ndarray of int
        Times in microseconds since 1970.
    """
    return tuple([_EPOCH + span for span in times.astype("timedelta64[us]").tolist()])


def first_of(wrong: NDArray[np.bool_], times: NDArray[np.int64]) -> tuple[int, str]:
    """Return the number and the time of the first bar at fault.

    Parameters
    ----------
    wrong : ndarray of bool
        Bars at fault, at least one.
    times : ndarray of int
        Starts of the bars in microseconds since 1970.
    """
    t = int(wrong.argmax())
    (when,) = datetimes_of(times[t : t + 1])
    return t, said_time(when)


def said_time(when: dt.datetime) -> str:
    """Return a time as text for messages, without its clock at midnight.

    Parameters
    ----------
    when : datetime
        Start of a bar.
    """
    return f"{when:%Y-%m-%d}" if when.time() == dt.time() else f"{when:%Y-%m-%d %H:%M}"

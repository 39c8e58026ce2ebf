"""The bars that a back-test replays: one panel of prices for all tickers on one row of times.

:func:`bars_of` reads what people have: a mapping from ticker to rows, histories, series or closes; a data frame with a
column of closes for each ticker, of one ticker's open, high, low, close and volume, or with both on two levels as
Yahoo's; a table or frame with a row for each ticker and date. Times are sorted and unique for each ticker, or the error
names the first that is not. A ticker without a bar at a time has NaN there.

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.admission import as_numbers
from bank_python.backtester.run_identity import array_hash
from bank_python.errors import BacktestError
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.mntable import Table, View
from bank_python.numerics.dates import as_date
from bank_python.results import Tabular
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.numerics import FloatArray

__all__ = ["FIELDS", "BarPanel", "bars_of", "read_only"]

FIELDS = ("open", "high", "low", "close", "volume")
_Row: TypeAlias = tuple[dt.datetime, tuple[float, float, float, float, float]]
_Rows: TypeAlias = "list[_Row]"
_NAMED = 10  # tickers in a message
_RANGES = ("open", "high", "low")
_ROUNDED = 1e-9  # adjusted prices may leave the range of their bar by that share


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
        Whether open, high and low are data; otherwise there are closes only, which stand for them.
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
        rows = np.array([first <= when.date() <= last for when in self.dates], dtype=bool)
        if not rows.any():
            span = f"{self.dates[0].date()} to {self.dates[-1].date()}"
            raise BacktestError(f"there are no bars from {first} to {last}; the data have {span}", name="start")
        kept = {name: read_only(getattr(self, name)[rows]) for name in FIELDS}
        dates = tuple(when for when, keep in zip(self.dates, rows, strict=True) if keep)
        return BarPanel(self.tickers, dates, **kept, has_ranges=self.has_ranges, source=self.source)

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
    rows, has_ranges, source = _read(data, start)
    if all(np.isnan(figures[3]) for found in rows.values() for _, figures in found):
        raise BacktestError("there are no bars; give closes or bars of at least one ticker", name="data")
    rows = {ticker: _in_utc(found) for ticker, found in rows.items()}
    for ticker, found in rows.items():
        _check(ticker, found)
        _require_ranges(ticker, found)
    return _panel(rows, has_ranges=has_ranges, source=source).between(start, end)


# --- reading what people have -----------------------------------------------------------------------


def _read(data: Any, start: dt.date | str | None) -> tuple[dict[str, _Rows], bool, str]:
    """Return rows by ticker, whether they have ranges, and the name of the source."""
    if isinstance(data, PriceHistoryTable):
        found = {ticker: [_of_mapping(ticker, row) for row in data.query(ticker)] for ticker in data.tickers}
        return found, _have_ranges(found), "price histories"
    if isinstance(data, Table | View):
        return _of_long(list(data), tuple(data.columns), "table")
    if isinstance(data, Mapping):
        _require_distinct(data)
        _require_dates(data, start)
        found = {str(ticker): _of_ticker(str(ticker), given, start) for ticker, given in data.items()}
        return found, _have_ranges(found), "mapping"
    if hasattr(data, "columns") and hasattr(data, "to_dict"):
        return _of_frame(data)
    raise BacktestError(
        f"{type(data).__name__} is no market data; give a mapping of ticker to bars or closes, a data frame or a table",
        name="data",
    )


def _of_ticker(ticker: str, given: Any, start: dt.date | str | None) -> _Rows:
    if isinstance(given, PriceHistory):
        given = given.bars
    if hasattr(given, "columns") and hasattr(given, "to_dict"):
        return next(iter(_of_frame(given)[0].values()))
    if hasattr(given, "index") and hasattr(given, "to_numpy"):
        return [_closed(ticker, when, price) for when, price in zip(given.index, given.to_numpy(), strict=True)]
    if isinstance(given, Mapping):
        return [_closed(ticker, when, price) for when, price in given.items()]
    if isinstance(given, Sequence) and given and isinstance(given[0], Mapping | Bar):
        return [_of_mapping(ticker, _of_bar(row) if isinstance(row, Bar) else row) for row in given]
    closes = as_numbers(given)
    if closes is None or closes.ndim != 1:
        raise BacktestError(f"the bars of {ticker} are no rows, closes or history", name=ticker, value=given)
    first = dt.date(2000, 1, 3) if start is None else as_date(start, BacktestError, "start")
    return [_closed(ticker, when, price) for when, price in zip(_weekdays(first, len(closes)), closes, strict=True)]


def _of_frame(frame: Any) -> tuple[dict[str, _Rows], bool, str]:
    _require_distinct(frame.columns)
    names = [column if isinstance(column, tuple) else (column,) for column in frame.columns]
    if {len(name) for name in names} == {2}:
        return _of_two_levels(frame, names)
    words = {str(name[0]).strip().lower(): column for name, column in zip(names, frame.columns, strict=True)}
    if {"ticker", "close"} <= words.keys() and ({"date"} & words.keys()):
        renamed = frame.rename(columns={column: word for word, column in words.items()})
        return _of_long(renamed.to_dict("records"), tuple(words), "data frame")
    if "close" in words:
        renamed = frame.rename(columns={column: word for word, column in words.items()})
        rows = [
            _of_mapping("ASSET", {"date": when} | row) for when, row in zip(frame.index, _records(renamed), strict=True)
        ]
        return {"ASSET": rows}, _have_ranges({"ASSET": rows}), "data frame"
    found = {
        str(name[0]): [_closed(str(name[0]), *pair) for pair in zip(frame.index, frame[column], strict=True)]
        for name, column in zip(names, frame.columns, strict=True)
    }
    return found, False, "data frame"


def _records(frame: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in frame.to_dict("records")]


def _of_two_levels(frame: Any, names: list[tuple[Any, ...]]) -> tuple[dict[str, _Rows], bool, str]:
    field_first = any(str(name[0]).strip().lower() == "close" for name in names)
    by_ticker: dict[str, dict[str, Any]] = {}
    for name, column in zip(names, frame.columns, strict=True):
        field, ticker = (name[0], name[1]) if field_first else (name[1], name[0])
        by_ticker.setdefault(str(ticker), {})[str(field).strip().lower()] = frame[column].to_numpy()
    found = {}
    for ticker, columns in by_ticker.items():
        rows = [{word: values[t] for word, values in columns.items()} for t in range(len(frame))]
        found[ticker] = [_of_mapping(ticker, {"date": when} | row) for when, row in zip(frame.index, rows, strict=True)]
    return found, _have_ranges(found), "data frame"


def _of_long(
    rows: Iterable[Mapping[str, Any]], columns: tuple[str, ...], source: str
) -> tuple[dict[str, _Rows], bool, str]:
    missing = [name for name in ("ticker", "date", "close") if name not in columns]
    if missing:
        raise BacktestError(
            f"the {source} has no column {missing[0]}; bars need ticker, date and close", name=missing[0]
        )
    found: dict[str, _Rows] = {}
    for row in rows:
        found.setdefault(str(row["ticker"]), []).append(_of_mapping(str(row["ticker"]), row))
    return found, _have_ranges(found), source


def _of_bar(bar: Bar) -> dict[str, Any]:
    return {"date": bar.date} | {name: getattr(bar, name) for name in FIELDS}


def _of_mapping(ticker: str, row: Any) -> _Row:
    if not isinstance(row, Mapping):
        raise BacktestError(f"a bar of {ticker} is {row!r:.40}; give date and close with names", name=ticker, value=row)
    words = {str(name).strip().lower(): value for name, value in row.items()}
    if "date" not in words or "close" not in words:
        lacking = "date" if "date" not in words else "close"
        raise BacktestError(f"a bar of {ticker} has no {lacking}; it has {', '.join(words)}", name=ticker)
    when = _moment(ticker, words["date"])
    figures = tuple(_figure(ticker, when, name, words.get(name)) for name in FIELDS)
    return when, figures  # type: ignore[return-value]  # there are five


def _closed(ticker: str, when: Any, price: Any) -> _Row:
    return _of_mapping(ticker, {"date": when, "close": price})


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
        said = f"the {name} of {ticker} at {_said(when)} is {given!r:.40}, not a number"
        raise BacktestError(said, name=ticker, value=given) from error


def _weekdays(first: dt.date, count: int) -> list[dt.date]:
    day, days = first, list[dt.date]()
    while len(days) < count:
        if day.weekday() < 5:  # noqa: PLR2004 - Monday to Friday
            days.append(day)
        day += dt.timedelta(days=1)
    return days


# --- checks and the panel -----------------------------------------------------------------------------


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


def _in_utc(rows: _Rows) -> _Rows:
    """Return rows with times in UTC; where all are midnights of another zone, they are days, and keep their date."""
    if all(when.time() == dt.time() for when, _ in rows):
        return [(when.replace(tzinfo=dt.UTC), figures) for when, figures in rows]
    return [(when.astimezone(dt.UTC), figures) for when, figures in rows]


def _check(ticker: str, rows: _Rows) -> None:
    """Raise an error for times that are not ascending, and for bars that cannot be."""
    for (before, _), (when, _) in pairwise(rows):
        if when <= before:
            said = "occurs twice" if when == before else f"comes after {_said(before)}"
            raise BacktestError(
                f"the bar of {ticker} at {_said(when)} {said}; sort the bars, each time once", name=ticker
            )
    for when, (opened, high, low, close, volume) in rows:
        for name, price in zip(FIELDS, (opened, high, low, close), strict=False):
            if not np.isnan(price) and not 0.0 < price < np.inf:
                raise BacktestError(f"the {name} of {ticker} at {_said(when)} is {price!r}, not above 0", name=ticker)
        if volume < 0.0 or np.isinf(volume):
            raise BacktestError(f"the volume of {ticker} at {_said(when)} is {volume!r}, not from 0 on", name=ticker)
        known = [price for price in (opened, high, low, close) if not np.isnan(price)]
        if not np.isnan(high) and high * (1.0 + _ROUNDED) < max(known):
            raise BacktestError(f"the high {high:g} of {ticker} at {_said(when)} is below another price", name=ticker)
        if not np.isnan(low) and low * (1.0 - _ROUNDED) > min(known):
            raise BacktestError(f"the low {low:g} of {ticker} at {_said(when)} is above another price", name=ticker)


def _require_ranges(ticker: str, rows: _Rows) -> None:
    """Raise an error where some bars of a ticker have an open, a high or a low, and others do not."""
    known = [(when, figures) for when, figures in rows if not np.isnan(figures[3])]
    for i, name in enumerate(_RANGES):
        lacking = [when for when, figures in known if np.isnan(figures[i])]
        if 0 < len(lacking) < len(known):
            said = f"the {name} of {ticker} at {_said(lacking[0])} is missing, others are there; give it"
            raise BacktestError(f"{said}, or leave the bar out", name=ticker)


def _have_ranges(rows: Mapping[str, _Rows]) -> bool:
    """Whether every bar has an open, a high and a low."""
    return bool(rows) and all(
        not np.isnan(figures[:3]).any() for found in rows.values() for _, figures in found if not np.isnan(figures[3])
    )


def _panel(rows: Mapping[str, _Rows], *, has_ranges: bool, source: str) -> BarPanel:
    dates = sorted({when for found in rows.values() for when, _ in found})
    place = {when: t for t, when in enumerate(dates)}
    values = np.full((len(FIELDS), len(dates), len(rows)), np.nan)
    for j, found in enumerate(rows.values()):
        at = [place[when] for when, _ in found]
        values[:, at, j] = np.array([figures for _, figures in found]).T
    if not has_ranges:
        values[:3] = values[3]
    missing = np.isnan(values[3])
    values[:, missing] = np.nan
    kept = {name: read_only(values[i]) for i, name in enumerate(FIELDS)}
    return BarPanel(tuple(rows), tuple(dates), **kept, has_ranges=has_ranges, source=source)


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


def _said(when: dt.datetime) -> str:
    return f"{when:%Y-%m-%d}" if when.time() == dt.time() else f"{when:%Y-%m-%d %H:%M}"

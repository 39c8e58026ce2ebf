"""Bars for back-tests by ticker and date: from rows, from the store, or from the configured feed.

============================================  ==================================================================
key                                           value
============================================  ==================================================================
/Backtest/data/{ticker}/{start}_{end}         bars of the period: date, open, high, low, close, volume, source
============================================  ==================================================================

What was stored for a ticker and a period is loaded again for that very period, so that a back-test can be repeated
without the feed; the key is deleted to ask the feed anew.

Examples
--------
>>> rows = [{"date": f"2026-01-0{day}", "open": 9.0 + day, "high": 11.0 + day, "low": 8.0 + day, "close": 10.0 + day}
...         for day in range(5, 9)]
>>> loader = HistoricalDataLoader()
>>> found = loader.load_from_arrays({"AAPL": rows})
>>> loader.get_price("AAPL", "2026-01-06"), loader.get_price("A", "2026-01-06"), loader.get_dates()[0]
(16.0, None, '2026-01-05')
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

import numpy as np

from bank_python.backtester.bars import FIELDS, bars_of
from bank_python.backtester.feed_data import configured_feed, label_of
from bank_python.errors import BacktestError, UnknownTickerError
from bank_python.numerics.dates import as_date
from bank_python.trading_engine.checks import names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bank_python.backtester.bars import BarPanel
    from bank_python.barbara import BarbaraDB
    from bank_python.numerics import FloatArray

__all__ = ["HistoricalDataLoader", "days_between"]

_PREFIX = "/Backtest/data/"
_MIDNIGHT = dt.time()
_RANGES = ("open", "high", "low")
_Row: TypeAlias = dict[str, Any]
_Day: TypeAlias = dt.date | str


class HistoricalDataLoader:
    """Bars of several tickers, found by ticker and date.

    Parameters
    ----------
    barbara : BarbaraDB, optional
        Store that bars are loaded from and written to; none by default.
    """

    def __init__(self, barbara: BarbaraDB | None = None) -> None:
        self.barbara = barbara
        self.panel: BarPanel | None = None
        self.notes: tuple[str, ...] = ()
        self._sources: dict[str, str] = {}
        self._places: dict[dt.datetime, int] = {}

    def load(self, tickers: Sequence[str], start_date: _Day, end_date: _Day) -> dict[str, list[_Row]]:
        """Load the bars of a period from the store, those that it lacks from the configured feed; return them.

        Parameters
        ----------
        tickers : sequence of str
            Names of the tickers; those that the feed does not know have no bars, which a note says.
        start_date, end_date : date or ISO 8601 text
            First and last day, both included.

        Raises
        ------
        BacktestError
            A day cannot be read, or stored bars are not valid.
        FeedError
            The feed cannot be reached.
        """
        first, last = days_between(start_date, end_date)
        named = names_of("tickers", tickers)
        found = {ticker: rows for ticker in named if (rows := self._stored(ticker, first, last))}
        labels = {
            str(rows[0].get("source", "")): f"bars from the store: {rows[0]['source']}" for rows in found.values()
        }
        missing = [ticker for ticker in named if ticker not in found]
        fed, label = _from_feed(missing) if missing else ({}, "")
        self._sources = {ticker: str(rows[0].get("source", "")) for ticker, rows in found.items()}
        self._sources |= {ticker: history.source for ticker, history in fed.items()}
        self.notes = (*labels.values(), *([label] if fed else []))
        self._take({**found, **fed})
        self.keep(named, first, last)
        return self.rows()

    def load_from_arrays(self, data: Any) -> dict[str, list[_Row]]:
        """Load bars that are given, and return them; nothing is written to the store.

        Parameters
        ----------
        data : mapping, DataFrame, Table or BarPanel
            Bars or closes; see :func:`~bank_python.backtester.bars_of`. Tickers without rows are left out.

        Raises
        ------
        BacktestError
            The data cannot be read.
        """
        self.notes, self._sources = (), {}
        self._take(data)
        return self.rows()

    def keep(self, tickers: Sequence[str], start_date: _Day, end_date: _Day) -> BarPanel | None:
        """Keep the bars of some tickers and a period only, write them to the store, and return them; None without any.

        Parameters
        ----------
        tickers : sequence of str
            Names of the tickers.
        start_date, end_date : date or ISO 8601 text
            First and last day, both included.

        Raises
        ------
        BacktestError
            A day cannot be read, or the last is before the first.
        """
        first, last = days_between(start_date, end_date)
        named = names_of("tickers", tickers)
        kept = None if self.panel is None else self.panel.select(named)
        if kept is not None and any(first <= when.date() <= last for when in kept.dates):
            kept = kept.between(first, last).select(kept.tickers)
        else:
            kept = None
        self._show(kept)
        rows = self.rows()
        absent = [ticker for ticker in named if not rows.get(ticker)]
        if absent:
            self.notes = (*self.notes, f"no bars of {', '.join(absent)} from {first} to {last}")
        if self.barbara is not None:
            bars = {_key(ticker, first, last): found for ticker, found in rows.items() if found}
            self.barbara.update(bars, changed_only=True)
        return kept

    def rows(self) -> dict[str, list[_Row]]:
        """Return all bars by ticker, oldest first: date as ISO 8601 text, open, high, low, close, volume, source."""
        panel = self.panel
        if panel is None:
            return {}
        known = ~np.isnan(panel.close)
        return {ticker: self._rows(panel, np.flatnonzero(known[:, j]), j) for j, ticker in enumerate(panel.tickers)}

    def get_bar(self, ticker: str, date: _Day) -> _Row | None:
        """Return the bar of a ticker at a date; None if there is none.

        Parameters
        ----------
        ticker : str
            Name of the ticker, exactly.
        date : date, datetime or ISO 8601 text
            Date of the bar; bars within a day need their time.

        Raises
        ------
        BacktestError
            The date cannot be read.
        """
        t = self._places.get(_moment(date))
        if self.panel is None or t is None or ticker not in self.panel.tickers:
            return None
        j = self.panel.tickers.index(ticker)
        return None if np.isnan(self.panel.close[t, j]) else self._rows(self.panel, np.array([t]), j)[0]

    def get_price(self, ticker: str, date: _Day) -> float | None:
        """Return the close of a ticker at a date; None if there is none.

        Parameters
        ----------
        ticker : str
            Name of the ticker, exactly.
        date : date, datetime or ISO 8601 text
            Date of the bar; bars within a day need their time.

        Raises
        ------
        BacktestError
            The date cannot be read.
        """
        bar = self.get_bar(ticker, date)
        return None if bar is None else float(bar["close"])

    def get_dates(self) -> list[str]:
        """Return the dates of all bars, ascending, as ISO 8601 text."""
        return [] if self.panel is None else [_text(when) for when in self.panel.dates]

    def __repr__(self) -> str:
        return f"<HistoricalDataLoader: {'no bars' if self.panel is None else f'{len(self.panel):,} dates'}>"

    def _take(self, data: Any) -> None:
        if isinstance(data, Mapping):
            data = {ticker: rows for ticker, rows in data.items() if _has_rows(rows)}
            if not data:
                self._show(None)
                return
        self._show(bars_of(data))

    def _show(self, panel: BarPanel | None) -> None:
        self.panel = panel
        self._places = {} if panel is None else {when: t for t, when in enumerate(panel.dates)}

    def _rows(self, panel: BarPanel, times: NDArray[np.int64], j: int) -> list[_Row]:
        """Return the bars of a ticker at some times; what is not known is None."""
        source = self._sources.get(panel.tickers[j], panel.source)
        columns = [
            [None] * len(times) if name in _RANGES and not panel.has_ranges else _known(getattr(panel, name)[times, j])
            for name in FIELDS
        ]
        return [
            {"date": _text(panel.dates[t]), **dict(zip(FIELDS, figures, strict=True)), "source": source}
            for t, *figures in zip(times.tolist(), *columns, strict=True)
        ]

    def _stored(self, ticker: str, first: dt.date, last: dt.date) -> list[_Row]:
        found = None if self.barbara is None else self.barbara.get(_key(ticker, first, last))
        return list(found) if found else []


def days_between(start_date: _Day, end_date: _Day) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a period.

    Parameters
    ----------
    start_date, end_date : date or ISO 8601 text
        First and last day, both included.

    Raises
    ------
    BacktestError
        A day cannot be read, or the last is before the first.
    """
    first, last = as_date(start_date, BacktestError, "start_date"), as_date(end_date, BacktestError, "end_date")
    if first > last:
        raise BacktestError(f"start_date={first} is after end_date={last}; swap them", name="start_date", value=first)
    return first, last


def _from_feed(tickers: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Return the histories of the tickers that the configured feed knows, and what to know of it."""
    found: dict[str, Any] = {}
    with configured_feed() as feed:
        for ticker in tickers:
            try:
                found[ticker] = feed.history(ticker, "max")
            except UnknownTickerError:
                continue
        return found, label_of(feed.name)


def _has_rows(given: Any) -> bool:
    rows = getattr(given, "bars", given)
    return bool(np.size(rows)) if isinstance(rows, np.ndarray) else len(rows) > 0


def _known(values: FloatArray) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def _key(ticker: str, first: dt.date, last: dt.date) -> str:
    return f"{_PREFIX}{quote(ticker, safe=' ^=')}/{first.isoformat()}_{last.isoformat()}"


def _moment(date: _Day) -> dt.datetime:
    """Return the start of a bar, UTC; a day is its midnight."""
    try:
        given = dt.datetime.fromisoformat(date) if isinstance(date, str) else date
    except ValueError:
        raise BacktestError(f"date={date!r:.40} is not a date; give ISO 8601 text", name="date", value=date) from None
    if not isinstance(given, dt.datetime):
        given = dt.datetime.combine(as_date(given, BacktestError, "date"), _MIDNIGHT)
    return given.replace(tzinfo=dt.UTC) if given.tzinfo is None else given.astimezone(dt.UTC)


def _text(when: dt.datetime) -> str:
    return when.date().isoformat() if when.time() == _MIDNIGHT else when.isoformat()

"""A table of past prices, which a :class:`~bank_python.market_data.history_feed.HistoryFeed` replays.

Prices may be given as a pandas frame, as sequences by symbol or as the rows of an MnTable view. The table has one
column of bars per symbol and an ascending list of all dates on which some symbol has a price. Prices are stored
unchanged; missing ones (NaN, ``None``, no row) stay missing and are never filled in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.errors import FeedConfigError
from bank_python.market_data.feed import Bar
from bank_python.market_data.utc import as_utc

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["PriceTable"]

_OPTIONAL = ("open", "high", "low", "volume")


@dataclass(frozen=True, slots=True)
class _Column:
    """The bars of one symbol, by date."""

    dates: tuple[datetime, ...]
    bars: Mapping[datetime, Bar]


class PriceTable:
    """Bars by symbol and date.

    Parameters
    ----------
    bars : mapping of str to iterable of Bar
        Bars of each symbol in any order, with distinct dates in UTC.

    Raises
    ------
    FeedConfigError
        There are no prices, or a symbol has two bars on one date.

    Examples
    --------
    >>> from datetime import date
    >>> table = PriceTable.of({"ACME": [(date(2020, 1, 2), 10.0), (date(2020, 1, 3), float("nan"))]})
    >>> table.symbols, len(table.dates)
    (('ACME',), 1)
    """

    def __init__(self, bars: Mapping[str, Iterable[Bar]]) -> None:
        self._columns = {symbol: _column(symbol, of_symbol) for symbol, of_symbol in bars.items()}
        self._dates = sorted({date for column in self._columns.values() for date in column.dates})
        if not self._dates:
            raise FeedConfigError("the price table is empty: give at least one price", value=tuple(self._columns))

    @classmethod
    def of(cls, prices: Any) -> PriceTable:
        """Return `prices`, in any of the accepted forms, as a table.

        Parameters
        ----------
        prices : PriceTable, DataFrame, mapping or iterable of rows
            Closes as a frame with dates as index and symbols as columns; a mapping from symbol to bars or
            ``(date, close)`` pairs; or rows (dicts, as an MnTable view yields) with ``date``, ``ticker``, ``close``
            and optionally ``open``, ``high``, ``low``, ``volume``.

        Raises
        ------
        FeedConfigError
            `prices` has none of these forms, or its content is inconsistent.
        """
        if isinstance(prices, PriceTable):
            return prices
        if isinstance(prices, Mapping):
            return cls({symbol: _bars_of_pairs(symbol, pairs) for symbol, pairs in prices.items()})
        # pandas is optional, so a frame is recognised by its attributes without importing pandas.
        if hasattr(prices, "columns") and hasattr(prices, "to_numpy") and hasattr(prices, "index"):
            return cls(_bars_of_frame(prices))
        if isinstance(prices, Iterable) and not isinstance(prices, (str, bytes)):
            return cls(_bars_of_rows(prices))
        raise FeedConfigError(
            f"a {type(prices).__name__} is not a price table: give a DataFrame, a mapping or rows", value=prices
        )

    @classmethod
    def from_ohlc(cls, symbol: str, frame: Any) -> PriceTable:
        """Return the table of one symbol from a frame with columns Open, High, Low, Close and optionally Volume.

        Raises
        ------
        FeedConfigError
            The frame has no column Close.
        """
        names = {str(name).lower(): position for position, name in enumerate(frame.columns)}
        if "close" not in names:
            raise FeedConfigError(f"{symbol}: no column Close among {list(frame.columns)}", value=list(frame.columns))
        cells = frame.to_numpy().tolist()
        rows = (
            {"date": date, "ticker": symbol, **{name: row[at] for name, at in names.items()}}
            for date, row in zip(frame.index, cells, strict=True)
        )
        return cls(_bars_of_rows(rows))

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, in the order given."""
        return tuple(self._columns)

    @property
    def dates(self) -> list[datetime]:
        """All dates on which some symbol has a price, ascending."""
        return self._dates

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._columns

    def dates_of(self, symbol: str) -> tuple[datetime, ...]:
        """Return the dates on which `symbol` has a price, ascending."""
        return self._columns[symbol].dates

    def bar(self, symbol: str, date: datetime) -> Bar | None:
        """Return the bar of a symbol on a date, ``None`` if there is none."""
        return self._columns[symbol].bars.get(date)


def _column(symbol: str, bars: Iterable[Bar]) -> _Column:
    by_date: dict[datetime, Bar] = {}
    for bar in bars:
        if bar.date in by_date:
            raise FeedConfigError(f"{symbol} has two prices on {bar.date.isoformat()}: keep one", value=bar.date)
        by_date[bar.date] = bar
    return _Column(tuple(sorted(by_date)), by_date)


def _number(value: Any, symbol: str, field: str) -> float | None:
    """Return a cell as a float, ``None`` if it is missing."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise FeedConfigError(f"{symbol}: {field} {value!r} is not a number", value=value) from error
    return None if math.isnan(number) else number


def _closing(symbol: str, date: Any, close: Any) -> Iterable[Bar]:
    number = _number(close, symbol, "close")
    if number is not None:
        yield Bar(as_utc(date), None, None, None, number, None)


def _bars_of_pairs(symbol: str, pairs: Any) -> Iterable[Bar]:
    for pair in pairs:
        if isinstance(pair, Bar):
            yield pair
            continue
        try:
            date, close = pair
        except (TypeError, ValueError) as error:
            raise FeedConfigError(
                f"{symbol}: {pair!r} is neither a Bar nor a (date, close) pair", value=pair
            ) from error
        yield from _closing(symbol, date, close)


def _bars_of_frame(frame: Any) -> dict[str, list[Bar]]:
    dates = [as_utc(date) for date in frame.index]
    cells = frame.to_numpy()
    bars: dict[str, list[Bar]] = {}
    for position, name in enumerate(frame.columns):
        if not isinstance(name, str) or name in bars:
            raise FeedConfigError(
                f"column {name!r} is not a unique symbol: give each column a distinct name", value=name
            )
        closes = zip(dates, cells[:, position].tolist(), strict=True)
        bars[name] = [bar for date, close in closes for bar in _closing(name, date, close)]
    return bars


def _bars_of_rows(rows: Iterable[Any]) -> dict[str, list[Bar]]:
    bars: dict[str, list[Bar]] = {}
    for row in rows:
        try:
            date, symbol, close = row["date"], row["ticker"], row["close"]
        except (TypeError, KeyError, IndexError) as error:
            raise FeedConfigError(f"row {row!r} lacks date, ticker or close", value=row) from error
        number = _number(close, symbol, "close")
        of_symbol = bars.setdefault(symbol, [])
        if number is not None:
            extra = {field: _number(row.get(field), symbol, field) for field in _OPTIONAL}
            of_symbol.append(Bar(date=as_utc(date), close=number, **extra))
    return bars

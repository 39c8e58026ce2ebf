"""Closes by name, from whatever holds them: what signals read.

Examples
--------
>>> closes, faults = closes_of({"AAPL": [226.0, 228.0], "KO": ["dear"]})
>>> closes["AAPL"].tolist(), faults
([226.0, 228.0], {'KO': 'the closes of KO are no row of numbers'})
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import as_numbers
from bank_python.errors import TradingError
from bank_python.market_data.feed import PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.mntable import Table, View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.numerics import FloatArray

__all__ = ["DatedCloses", "closes_of"]

_PATIENCE = dt.timedelta(days=5)  # a weekend and a holiday
_GAPS = 3  # times the usual distance of two dates after which a series has ended


class DatedCloses(dict[str, "FloatArray"]):
    """Closes by name, with their dates where the data have any.

    Parameters
    ----------
    dates : mapping of str to list
        Dates of the closes by name, ascending.
    """

    def __init__(self, dates: Mapping[str, list[Any]] | None = None) -> None:
        super().__init__()
        self.dates = dict(dates or {})


def closes_of(market_data: Any) -> tuple[DatedCloses, dict[str, str]]:
    """Return closes by name, oldest first, and the names that have something else, with what is wrong.

    Parameters
    ----------
    market_data : mapping, DataFrame, Table or PriceHistoryTable
        Closes by ticker: a mapping of ticker to numbers or histories; a data frame with a column for each ticker, or
        with the columns ticker, date and close; a table with a row for each ticker and date, and these columns. A
        series that ends long before the others is a fault.

    Raises
    ------
    TradingError
        It is none of these.
    """
    columns, dates = _columns(market_data)
    closes, faults = DatedCloses(dates), _ended(dates)
    for name, values in columns:
        numbers = as_numbers([bar.close for bar in values.bars] if isinstance(values, PriceHistory) else values)
        if numbers is None or numbers.ndim > 1:
            faults[name] = f"the closes of {name} are no row of numbers"
        elif name not in faults:
            closes[name] = np.atleast_1d(numbers)
    return closes, faults


def _columns(market_data: Any) -> tuple[list[tuple[str, Any]], dict[str, list[Any]]]:
    """Return the closes and the dates by name, without dates where there are none."""
    if isinstance(market_data, DatedCloses):
        return list(market_data.items()), market_data.dates
    if isinstance(market_data, PriceHistoryTable):
        rows = {ticker: list(market_data.query(ticker)) for ticker in market_data.tickers}
        dates = {ticker: [row["date"] for row in known] for ticker, known in rows.items()}
        return [(ticker, [row["close"] for row in known]) for ticker, known in rows.items()], dates
    if isinstance(market_data, Table | View):
        _require_columns("table", market_data.columns)
        return _of_rows(market_data.order_by("date"))
    if isinstance(market_data, Mapping):
        histories = {str(name): values for name, values in market_data.items() if isinstance(values, PriceHistory)}
        dates = {name: [bar.date for bar in values.bars] for name, values in histories.items()}
        return [(str(name), values) for name, values in market_data.items()], dates
    if hasattr(market_data, "columns") and hasattr(market_data, "to_numpy"):
        return _of_frame(market_data)
    raise TradingError(
        f"{type(market_data).__name__} is no market data; give a mapping of ticker to closes, a data frame or a table",
        value=market_data,
    )


def _of_frame(frame: Any) -> tuple[list[tuple[str, Any]], dict[str, list[Any]]]:
    words = {str(name).lower(): name for name in frame.columns}
    if {"ticker", "close"} <= words.keys():
        _require_columns("data frame", words)
        named = frame.rename(columns={name: word for word, name in words.items()}).sort_values("date")
        return _of_rows(named.to_dict("records"))
    return [(str(name), frame[name].to_numpy()) for name in frame.columns], {}


def _require_columns(what: str, columns: Iterable[str]) -> None:
    missing = [name for name in ("ticker", "date", "close") if name not in columns]
    if missing:
        said = f"the {what} has no column {missing[0]}; closes need ticker, date and close"
        raise TradingError(said, name=missing[0])


def _of_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[list[tuple[str, Any]], dict[str, list[Any]]]:
    closes: dict[str, list[Any]] = {}
    dates: dict[str, list[Any]] = {}
    for row in rows:
        closes.setdefault(str(row["ticker"]), []).append(row["close"])
        dates.setdefault(str(row["ticker"]), []).append(row["date"])
    return list(closes.items()), dates


def _ended(dates: Mapping[str, list[Any]]) -> dict[str, str]:
    """Return why series are faults that end long before the latest of them."""
    if any(_moment(days[0]) is None for days in dates.values() if days):  # at once: this is asked on each bar
        return {}
    moments = {name: [_moment(day) for day in days] for name, days in dates.items() if days}
    if not moments or any(day is None for days in moments.values() for day in days):
        return {}
    known = {name: [day for day in days if day is not None] for name, days in moments.items()}
    late = max(days[-1] for days in known.values())
    faults = {}
    for name, days in known.items():
        gaps = sorted(later - earlier for earlier, later in pairwise(days))
        usual = gaps[len(gaps) // 2] if gaps else dt.timedelta(0)
        if late - days[-1] > max(_PATIENCE, _GAPS * usual):
            faults[name] = f"the closes of {name} end at {days[-1]:%Y-%m-%d}, others at {late:%Y-%m-%d}"
    return faults


def _moment(day: Any) -> dt.datetime | None:
    """Return a date as a time without a zone, None for something else."""
    given = day.to_pydatetime() if hasattr(day, "to_pydatetime") else day
    if isinstance(given, str):
        try:
            given = dt.datetime.fromisoformat(given)
        except ValueError:
            return None
    if isinstance(given, dt.datetime):
        return given.replace(tzinfo=None)
    return dt.datetime.combine(given, dt.time()) if isinstance(given, dt.date) else None

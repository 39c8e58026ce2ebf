"""Bars as columns of prices, from whatever holds them, and the length of a bar from their times.

Examples
--------
>>> bars = price_bars({"high": [2.0, 2.5], "low": [1.0, 1.5], "close": [1.5, 2.0]})
>>> bars.close.tolist(), bars.times
([1.5, 2.0], None)
>>> hours_between(np.array(["2026-01-05T00", "2026-01-05T04"], dtype="datetime64[h]"))
4.0
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import as_numbers
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.risk_models.observations import price_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["PriceBars", "hours_between", "price_bars"]

_TIMES = ("date", "datetime", "time", "timestamp")
_PRICES = ("high", "low", "close")
_FEWEST = 2
_MICROSECONDS = 3_600_000_000


@dataclass(frozen=True, slots=True, eq=False)
class PriceBars(Record):
    """High, low and close of successive bars.

    Parameters
    ----------
    high, low, close : ndarray, shape (n_bars,)
        Prices, oldest bar first, above 0.
    times : ndarray of datetime64, shape (n_bars,), optional
        Time of each bar, in UTC.
    """

    high: FloatArray
    low: FloatArray
    close: FloatArray
    times: NDArray[np.datetime64] | None


def price_bars(bars: Any) -> PriceBars:
    """Return bars as columns.

    Parameters
    ----------
    bars : PriceHistory, pandas.DataFrame or mapping
        History with its bars; or columns ``high``, ``low``, ``close`` (in upper or lower case), with times in the index
        or in a column ``date``, ``datetime``, ``time`` or ``timestamp``, if there are any.

    Raises
    ------
    ModelError
        A column is missing, a price is not a finite number above 0, a bar is impossible, or the times do not ascend;
        the message names the row.
    """
    if isinstance(bars, PriceBars):
        return bars
    columns, times = _columns(bars)
    missing = [name for name in _PRICES if name not in columns]
    if missing:
        raise ModelError(f"the bars have no {', '.join(missing)}; give columns high, low and close", name=missing[0])
    prices = {name: as_numbers(columns[name]) for name in _PRICES}
    for name, values in prices.items():
        if values is None:
            raise ModelError(f"the bars have a {name} that is not a number; give numbers", name=name)
    high, low, close = price_columns({name: values for name, values in prices.items() if values is not None})
    known = None if times is None else _moments(times)
    if known is not None and len(known) != len(close):
        raise ModelError(f"{len(known)} times for {len(close)} bars; give one time for each", value=len(known))
    if known is not None:
        _require_ascending(known)
    return PriceBars(high, low, close, known)


def hours_between(times: NDArray[np.datetime64]) -> float:
    """Return the hours from each bar to the next one.

    Parameters
    ----------
    times : ndarray of datetime64, shape (n_bars,)
        Time of each bar, ascending.

    Raises
    ------
    ModelError
        There are fewer than two bars, or the time between them is not always the same.
    """
    if len(times) < _FEWEST:
        raise ModelError("one bar does not tell its length; state bar_hours")
    gaps = np.diff(times.astype("datetime64[us]")).astype(np.int64)
    usual = int(np.median(gaps))
    odd = np.flatnonzero(gaps != (usual if usual > 0 else -1))
    if odd.size:
        row = int(odd[0])
        raise ModelError(
            f"rows {row} and {row + 1} are {gaps[row] / _MICROSECONDS:g} hours apart, and most rows "
            f"{usual / _MICROSECONDS:g}; fill the gap, or state bar_hours, the hours of trading in a bar",
            name="bar_hours",
            value=gaps[row] / _MICROSECONDS,
        )
    return usual / _MICROSECONDS


def _columns(bars: Any) -> tuple[dict[str, Any], Any]:
    """Return the columns of bars by lower-case name, and their times or None."""
    listed = getattr(bars, "bars", None)
    if listed is not None:
        names = (*_PRICES, "date")
        found = {name: [getattr(bar, name) for bar in listed] for name in names}
        return found, found["date"]
    if not (isinstance(bars, Mapping) or hasattr(bars, "columns")):
        raise ModelError(
            f"{type(bars).__name__} holds no bars; give a price history, or columns high, low and close", value=bars
        )
    keys = bars.keys() if isinstance(bars, Mapping) else bars.columns
    found = {str(key).lower(): bars[key] for key in keys}
    index = getattr(bars, "index", None)
    if getattr(getattr(index, "dtype", None), "kind", "") == "M":
        return found, index
    return found, next((found[name] for name in _TIMES if name in found), None)


def _moments(times: Any) -> NDArray[np.datetime64]:
    """Return times as datetime64 in UTC, in which those with a time zone are converted."""
    try:
        if hasattr(times, "dtype") and times.dtype.kind == "M":
            known = np.asarray(times, dtype="datetime64[us]")
        else:
            known = np.array([_plain(time) for time in times], dtype="datetime64[us]")
    except (TypeError, ValueError) as error:
        raise ModelError(f"the times of the bars cannot be read: {error}; give dates or datetimes") from error
    if np.isnat(known).any():
        raise ModelError(f"the time of row {int(np.isnat(known).argmax())} is missing; give one for each bar")
    return known


def _require_ascending(times: NDArray[np.datetime64]) -> None:
    late = np.flatnonzero(times[1:] <= times[:-1])
    if late.size:
        row = int(late[0])
        raise ModelError(
            f"the time of row {row + 1}, {times[row + 1]}, is not after that of row {row}, {times[row]}; sort the bars "
            "by time, the oldest first, and keep each once",
            value=times[row + 1],
        )


def _plain(time: Any) -> Any:
    if isinstance(time, str):
        time = dt.datetime.fromisoformat(time)
    if isinstance(time, dt.datetime) and time.tzinfo is not None:
        return time.astimezone(dt.UTC).replace(tzinfo=None)
    if not isinstance(time, dt.date | np.datetime64):
        raise TypeError(f"{time!r} is not a date")
    return time

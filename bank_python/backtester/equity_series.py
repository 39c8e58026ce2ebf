"""An equity curve as numbers and dates, from whatever holds it, and a benchmark on the same dates.

Levels are money, or anything that grows like it. The return of a period is its last level divided by that of the period
before, less 1. Returns end with the first level that is not above 0, as nothing can be earned on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import as_numbers
from bank_python.backtester.series_dates import days_of, read_dates, times_of
from bank_python.errors import BacktestError
from bank_python.market_data.feed import PriceHistory

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["Comparison", "EquitySeries", "compare", "read_benchmark", "read_equity"]

_PAIR = 2
_MOST_GROWTH = 1e60
_MOST_NAMED = 3


@dataclass(frozen=True, eq=False)
class EquitySeries:
    """Levels of an equity curve, oldest first.

    Parameters
    ----------
    levels : ndarray, shape (n,)
        Levels, the first above 0.
    dates : tuple of date or datetime, optional
        A date for each level; None if none were given.
    places : ndarray of int, shape (n,)
        Number of each level among the values that were given, from 0; −1 for an initial capital before them.
    n_given : int
        Number of values that were given, those left out included.
    is_led : bool
        Whether the first level is the initial capital, put before the values that were given, on the first date.
    notes : tuple of str
        Remarks on what was left out.
    """

    levels: FloatArray
    dates: tuple[dt.date, ...] | None
    places: NDArray[np.int64]
    n_given: int
    is_led: bool = False
    notes: tuple[str, ...] = ()

    @property
    def n_values(self) -> int:
        """Number of values that were given, without the initial capital before them."""
        return len(self.levels) - self.is_led

    @property
    def n_alive(self) -> int:
        """Number of levels up to the first that is not above 0, which counts."""
        ruined = np.flatnonzero(self.levels <= 0.0)
        return int(ruined[0]) + 1 if ruined.size else len(self.levels)

    @cached_property
    def days(self) -> NDArray[np.datetime64] | None:
        """Day of each level."""
        return None if self.dates is None else days_of(self.dates)

    @cached_property
    def returns(self) -> FloatArray:
        """Simple returns of the periods; shape (n − 1,), fewer if the equity falls to 0 or below."""
        return simple_returns(self.levels[: self.n_alive])

    @property
    def return_dates(self) -> tuple[dt.date, ...] | None:
        """Dates at the ends of the periods of the returns."""
        return None if self.dates is None else self.dates[1 : self.n_alive]

    def moment(self, at: int) -> dt.date | int:
        """Return the date of a level, or its number, from 0, without dates.

        Parameters
        ----------
        at : int
            Number of the level.
        """
        return int(self.places[at]) if self.dates is None else self.dates[at]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Levels of an equity curve and of its benchmark on their common dates.

    Parameters
    ----------
    levels, benchmark : ndarray, shape (n,)
        Levels of the equity curve and of the benchmark.
    dates : tuple of date or datetime, optional
        Common dates.
    dropped : int
        Number of dates of the equity curve that the benchmark lacks.
    """

    levels: FloatArray
    benchmark: FloatArray
    dates: tuple[dt.date, ...] | None
    dropped: int = 0

    @property
    def returns(self) -> tuple[FloatArray, FloatArray]:
        """Simple returns of both between common dates, until the equity is no longer above 0."""
        ruined = np.flatnonzero(self.levels <= 0.0)
        alive = int(ruined[0]) + 1 if ruined.size else len(self.levels)
        return simple_returns(self.levels[:alive]), simple_returns(self.benchmark[:alive])


def simple_returns(levels: FloatArray) -> FloatArray:
    """Return the change from each level to the next, as a share of the former; all but the last above 0.

    Parameters
    ----------
    levels : ndarray, shape (n,)
        Levels, oldest first.
    """
    return np.asarray(levels[1:] / levels[:-1] - 1.0)


def read_equity(equity: Any, dates: Any = None, initial_capital: float | None = None) -> EquitySeries:
    """Return an equity curve from whatever holds it.

    Parameters
    ----------
    equity : array_like, pandas.Series, mapping, list of pairs, PriceHistory, or object with ``to_arrays``
        Values of an account, oldest first.
    dates : iterable of dates, optional
        A date for each value; by default those that `equity` holds.
    initial_capital : float, optional
        Money at the start; put before the values if the first value differs from it.

    Raises
    ------
    BacktestError
        Values or dates cannot be read, or the first level is not above 0.
    """
    series = _series("equity", *_parts("equity", equity, dates))
    if initial_capital is None:
        initial_capital = getattr(equity, "initial_capital", None)
    capital = None if initial_capital is None else float(initial_capital)
    if capital is not None and not 0.0 < capital < math.inf:
        raise BacktestError(
            f"initial_capital={capital!r} is not finite and above 0; give the money at the start",
            name="initial_capital",
            value=capital,
        )
    if capital is not None and series.levels.size and series.levels[0] != capital:
        series = _led_by(series, capital)
    if series.levels.size and not series.levels[0] > 0.0:
        raise BacktestError(
            f"the first equity is {series.levels[0]:g}, so there are no returns; give initial_capital=",
            name="equity",
            value=float(series.levels[0]),
        )
    series.levels.setflags(write=False)
    return series


def _led_by(series: EquitySeries, capital: float) -> EquitySeries:
    return replace(
        series,
        levels=np.concatenate([[capital], series.levels]),
        dates=None if series.dates is None else (series.dates[0], *series.dates),
        places=np.concatenate([[-1], series.places]),
        is_led=True,
    )


def read_benchmark(benchmark: Any) -> EquitySeries:
    """Return the levels of a benchmark, all above 0.

    Parameters
    ----------
    benchmark : array_like, pandas.Series, mapping, list of pairs or PriceHistory
        Levels such as prices of an index, oldest first.

    Raises
    ------
    BacktestError
        Levels or dates cannot be read, or a level is not above 0.
    """
    series = _series("benchmark", *_parts("benchmark", benchmark, None))
    low = np.flatnonzero(series.levels <= 0.0)
    if low.size:
        value = float(series.levels[low[0]])
        raise BacktestError(
            f"benchmark: level {value:g} (number {low[0]}) is not above 0; of returns r give np.cumprod(1 + r)",
            name="benchmark",
            value=value,
        )
    return series


def compare(series: EquitySeries, benchmark: EquitySeries) -> Comparison:
    """Return an equity curve and its benchmark on their common dates.

    Parameters
    ----------
    series, benchmark : EquitySeries
        Equity curve, and levels of the benchmark. Of curves with times and others with days the last level of a day
        counts.

    Raises
    ------
    BacktestError
        One of the two has no dates, and their lengths differ.
    """
    at = slice(int(series.is_led), None)
    levels, dates = series.levels[at], None if series.dates is None else series.dates[at]
    if dates is not None and benchmark.dates is not None:
        first, second = _keys(dates, benchmark.dates)
    elif series.n_given == benchmark.n_given:
        first, second = series.places[at], benchmark.places
    else:
        raise BacktestError(
            f"benchmark: {benchmark.n_given} levels for {series.n_given} values of equity, and no dates for both; "
            "give as many levels, or dates for both",
            name="benchmark",
            value=benchmark.n_given,
        )
    (ours, our_at), (theirs, their_at) = _last_of_each(first), _last_of_each(second)
    _, mine, others = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    kept = our_at[mine]
    common = None if dates is None else tuple(dates[i] for i in kept.tolist())
    return Comparison(levels[kept], benchmark.levels[their_at[others]], common, len(ours) - len(kept))


def _keys(first: Sequence[dt.date], second: Sequence[dt.date]) -> tuple[Any, Any]:
    """Return what the dates of two series are compared by: times if both have them, else days."""
    timed = all(hasattr(dates[0], "hour") if dates else True for dates in (first, second))
    read = times_of if timed else days_of
    return read(first), read(second)


def _last_of_each(keys: Any) -> tuple[Any, Any]:
    """Return the distinct keys of an ascending array, and where each stands last."""
    if not len(keys):
        return keys, np.zeros(0, dtype=np.int64)
    last = np.flatnonzero(np.append(keys[1:] != keys[:-1], True))
    return keys[last], last


def _parts(name: str, given: Any, dates: Any) -> tuple[Any, Any]:
    """Return values and dates of what holds them."""
    if isinstance(given, PriceHistory):
        return [bar.close for bar in given.bars], dates or [bar.date for bar in given.bars]
    if hasattr(given, "to_arrays"):
        arrays = given.to_arrays()
        if isinstance(arrays, Mapping):
            return arrays["values"], arrays["dates"] if dates is None else dates
        return arrays[1], arrays[0] if dates is None else dates
    if isinstance(given, Mapping):
        return list(given.values()), list(given) if dates is None else dates
    index = getattr(given, "index", None)
    if dates is None and index is not None and not callable(index):
        dates = index if (len(index) and hasattr(index[0], "year")) or isinstance(_first(index), str) else None
    if dates is None and isinstance(given, list | tuple) and given and _is_pair(given[0]):
        if not all(map(_is_pair, given)):
            raise BacktestError(f"{name}: some entries are pairs of date and value, others are not", name=name)
        return [value for _, value in given], [date for date, _ in given]
    return given, dates


def _first(index: Any) -> Any:
    return index[0] if len(index) else None


def _is_pair(entry: Any) -> bool:
    is_dated = isinstance(entry, list | tuple) and len(entry) == _PAIR
    return is_dated and (isinstance(entry[0], str) or hasattr(entry[0], "year") or isinstance(entry[0], np.datetime64))


def _series(name: str, values: Any, dates: Any) -> EquitySeries:
    levels = as_numbers(values)
    if levels is not None and levels.ndim == _PAIR and levels.shape[1] == 1:
        levels = levels[:, 0]
    if levels is None or levels.ndim != 1:
        said = type(values).__name__ if levels is None else f"an array of shape {levels.shape}"
        raise BacktestError(f"{name} is {said}, not one series of numbers; give a value for each date", name=name)
    known = None if dates is None else read_dates(dates)
    if known is not None and len(known) != len(levels):
        raise BacktestError(
            f"{name}: {len(known)} dates for {len(levels)} values; give one for each", name="dates", value=len(known)
        )
    good = np.flatnonzero(np.isfinite(levels))
    kept = levels[good]
    _refuse_jumps(name, kept)
    if good.size == levels.size:
        return EquitySeries(kept, known, good, levels.size)
    bad = np.flatnonzero(~np.isfinite(levels)).tolist()
    named = [str(i if known is None else known[i]) for i in bad[:_MOST_NAMED]]
    more = f" and {len(bad) - len(named)} more" if len(bad) > len(named) else ""
    note = f"{name}: left out as not finite: {', '.join(named)}{more}"
    kept_dates = None if known is None else tuple(known[i] for i in good.tolist())
    return EquitySeries(kept, kept_dates, good, levels.size, notes=(note,))


def _refuse_jumps(name: str, levels: FloatArray) -> None:
    """Refuse a growth of which squares and products would not be numbers."""
    with np.errstate(all="ignore"):
        growth = np.where(levels[:-1] > 0.0, np.abs(levels[1:] / levels[:-1]), 0.0)
    wild = np.flatnonzero(growth > _MOST_GROWTH)
    if wild.size:
        at = int(wild[0])
        raise BacktestError(
            f"{name}: {levels[at]:g} becomes {levels[at + 1]:g} in one period, which no return describes; correct it",
            name=name,
            value=float(levels[at + 1]),
        )

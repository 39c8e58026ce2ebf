"""Prices and other series in whatever they come as, aligned on the dates that all of them have.

Markets keep different calendars: coins trade at weekends, shares do not. Changes are taken between consecutive *common*
dates, so that both sides of a correlation cover the same time; what is dropped for that is counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.errors import FeedConfigError, MacroError
from bank_python.macro.frequency import Frequency
from bank_python.macro.history import MacroHistory, MacroSeries
from bank_python.market_data.feed import PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable, PricePanel
from bank_python.market_data.utc import as_utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["Panel", "align", "any_simulated", "as_moments", "dated_series", "series_changes"]

Dated: TypeAlias = "tuple[NDArray[Any], FloatArray]"
"""Dates (datetime64) and figures of a series."""

_FORMS = (
    "a data frame whose index is the dates, a mapping from name to a series or to (date, price) pairs, a price history "
    "table or a macro history"
)
_PAIR = 2
_SIMULATED = "simulated"  # source of the histories of a simulated feed


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Several series on their common dates.

    Parameters
    ----------
    names : tuple of str
        Names of the columns.
    dates : ndarray of datetime64, shape (n,)
        Common dates, ascending.
    values : ndarray, shape (n, k)
        Figures of each series on each date.
    dropped : mapping of str to int
        Number of dates of each series that others lack.
    differences : frozenset of str
        Names of series that are rates, whose changes are differences.
    frequency : Frequency
        Frequency of the common dates.
    """

    names: tuple[str, ...]
    dates: NDArray[Any]
    values: FloatArray
    dropped: Mapping[str, int]
    differences: frozenset[str]
    frequency: Frequency


def align(prices: Any, differences: Sequence[str] = (), fewest: int = 2) -> Panel:
    """Return series on their common dates.

    Parameters
    ----------
    prices : DataFrame, mapping, PriceHistoryTable, PricePanel or MacroHistory
        Series by name, each with its dates.
    differences : sequence of str, default ()
        Names of series that are rates or may be negative. Series of a macro history in per cent, points or standard
        deviations are so anyway.
    fewest : int, default 2
        Smallest number of common dates.

    Raises
    ------
    MacroError
        A form, a date or a figure is not usable, a name in `differences` is unknown, or too few dates are common.
    """
    series = dated_series(prices)
    if not series:
        raise MacroError("there are no series; give at least one with dates and figures")
    unknown = [name for name in differences if name not in series]
    if unknown:
        raise MacroError(f"differences names {unknown[0]!r}; the series are {', '.join(series)}", name=unknown[0])
    every = iter(series.values())
    common = next(every)[0]
    for dates, _ in every:
        common = np.intersect1d(common, dates, assume_unique=True)
    if len(common) < fewest:
        counts = ", ".join(f"{name} {len(dates):,}" for name, (dates, _) in series.items())
        raise MacroError(
            f"{len(common):,} dates are common to all series ({counts}), and {fewest:,} are needed; give series that "
            "overlap for longer",
            value=len(common),
        )
    columns = [values[np.searchsorted(dates, common)] for dates, values in series.values()]
    dropped = {name: len(dates) - len(common) for name, (dates, _) in series.items()}
    rates = frozenset(differences) | _rates(prices)
    return Panel(tuple(series), common, np.column_stack(columns), dropped, rates, Frequency.of(common))


def series_changes(panel: Panel) -> FloatArray:
    """Return log returns of prices and differences of rates between consecutive dates, shape (n - 1, k).

    Raises
    ------
    MacroError
        A price is not above 0; the message names the series and the date.
    """
    changes = np.diff(panel.values, axis=0)
    for j, name in enumerate(panel.names):
        if name in panel.differences:
            continue
        bad = np.flatnonzero(panel.values[:, j] <= 0.0)
        if bad.size:
            day, value = as_moments(panel.dates[bad[:1]])[0], float(panel.values[bad[0], j])
            raise MacroError(
                f"{name} is {value:g} on {day}, not above 0, so it has no log return; correct it, or name {name} in "
                "differences=, if it is a rate",
                name=name,
                value=value,
            )
        changes[:, j] = np.diff(np.log(panel.values[:, j]))
    return changes


def as_moments(dates: NDArray[Any]) -> list[dt.date]:
    """Return dates as plain dates if all are at midnight, else as datetimes in UTC."""
    days = dates.astype("datetime64[D]")
    if (days == dates).all():
        plain: list[dt.date] = days.tolist()
        return plain
    return [moment.replace(tzinfo=dt.UTC) for moment in dates.astype("datetime64[us]").tolist()]


def dated_series(prices: Any) -> dict[str, Dated]:
    """Return dates and figures by name, from any of the accepted forms.

    Raises
    ------
    MacroError
        The form is not one of these, a date is none or is not after the one before, or a figure is not a number.
    """
    if isinstance(prices, MacroHistory):
        return {one.name: (one.dates, one.values) for one in prices.series}
    if isinstance(prices, PriceHistoryTable):
        return {ticker: _of_pairs(ticker, _closes(prices, ticker)) for ticker in prices.tickers}
    if isinstance(prices, PricePanel):
        return {
            ticker: _checked(ticker, list(prices.dates), prices.closes[:, j]) for j, ticker in enumerate(prices.tickers)
        }
    if isinstance(prices, Mapping):
        return {str(name): _of_any(str(name), one) for name, one in prices.items()}
    if hasattr(prices, "columns") and hasattr(prices, "index") and hasattr(prices, "to_numpy"):
        return _of_frame(prices)
    raise MacroError(f"a {type(prices).__name__} has no series with dates; give {_FORMS}", name="prices")


def any_simulated(prices: Any) -> bool:
    """Return whether any series is known to be simulated: a macro series, or a price history of a simulated feed."""
    if isinstance(prices, MacroHistory):
        return prices.is_simulated
    if isinstance(prices, PriceHistoryTable):
        return any(next(iter(prices.query(ticker)))["source"] == _SIMULATED for ticker in prices.tickers)
    members = prices.values() if isinstance(prices, Mapping) else (prices,)
    return any(
        (isinstance(one, MacroSeries) and one.is_simulated)
        or (isinstance(one, PriceHistory) and one.source == _SIMULATED)
        for one in members
    )


def _rates(prices: Any) -> frozenset[str]:
    members: Any = prices.by_name if isinstance(prices, MacroHistory) else prices
    if not isinstance(members, Mapping):
        return frozenset()
    return frozenset(
        str(name) for name, one in members.items() if isinstance(one, MacroSeries) and one.unit.is_difference
    )


def _closes(table: PriceHistoryTable, ticker: str) -> list[tuple[Any, Any]]:
    return [(row["date"], row["close"]) for row in table.query(ticker)]


def _of_any(name: str, one: Any) -> Dated:
    if isinstance(one, MacroSeries):
        return one.dates, one.values
    if isinstance(one, PriceHistory):
        return _of_pairs(name, [(bar.date, bar.close) for bar in one.bars])
    if hasattr(one, "index") and hasattr(one, "to_numpy"):
        return _checked(name, one.index, _figures(name, one.to_numpy()))
    if isinstance(one, Mapping):
        return _of_pairs(name, list(one.items()))
    return _of_pairs(name, one)


def _of_pairs(name: str, pairs: Any) -> Dated:
    if not isinstance(pairs, Iterable) or isinstance(pairs, str | bytes):
        raise MacroError(f"{name} is a {type(pairs).__name__} without dates; give {_FORMS}", name=name)
    listed = list(pairs)
    if not all(isinstance(pair, tuple | list) and len(pair) == _PAIR for pair in listed):
        raise MacroError(f"{name} has no (date, price) pairs; give {_FORMS}", name=name)
    return _checked(name, [day for day, _ in listed], _figures(name, [figure for _, figure in listed]))


def _of_frame(frame: Any) -> dict[str, Dated]:
    names = [str(name) for name in frame.columns]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise MacroError(f"the frame has two columns {twice!r}; rename or remove one", name=twice)
    return {
        name: _checked(name, frame.index, _figures(name, frame.iloc[:, j].to_numpy())) for j, name in enumerate(names)
    }


def _figures(name: str, values: Any) -> FloatArray:
    """Return figures as floats, None as NaN."""
    try:
        plain = [np.nan if value is None else value for value in values] if _holds_objects(values) else values
        return np.array(plain, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MacroError(f"{name} has a figure that is no number ({error}); give numbers", name=name) from error


def _holds_objects(values: Any) -> bool:
    return isinstance(values, list) or getattr(getattr(values, "dtype", None), "kind", "") == "O"


def _checked(name: str, dates: Any, values: FloatArray) -> Dated:
    """Return dates and figures without missing ones, after checks."""
    moments = _moments(name, dates)
    if values.ndim != 1 or len(values) != len(moments):
        raise MacroError(f"{name} has {len(moments)} dates and figures of shape {values.shape}; give one for each date")
    late = np.flatnonzero(np.diff(moments) <= np.timedelta64(0, "us"))
    if late.size:
        after, before = moments[late[0] + 1], moments[late[0]]
        raise MacroError(
            f"{name}: the date {_said(after)} follows {_said(before)}; sort by date, and keep each date once", name=name
        )
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise MacroError(f"{name} is {values[infinite[0]]} on {_said(moments[infinite[0]])}; correct it", name=name)
    known = ~np.isnan(values)
    return moments[known], values[known]


def _moments(name: str, dates: Any) -> NDArray[Any]:
    kind = getattr(getattr(dates, "dtype", None), "kind", "")
    zone = getattr(dates, "tz", None)
    if kind == "M" and zone is None:
        moments = np.asarray(dates).astype("datetime64[us]")
        if np.isnat(moments).any():
            raise MacroError(f"{name} has a figure without a date; leave that row out", name=name)
        return moments
    try:
        return np.array([as_utc(day).replace(tzinfo=None) for day in dates], dtype="datetime64[us]")
    except FeedConfigError as error:
        raise MacroError(f"{name}: {error}", name=name) from error


def _said(moment: Any) -> str:
    day = moment.astype("datetime64[D]")
    return str(day) if day == moment else str(moment)

"""Several series in whatever they come as, aligned on the dates that all of them have.

Series with dates are aligned by them: dates that not all series have are left out and counted. Series without dates are
aligned by position and need the same length. Both kinds together are refused, as nothing says how they match.

Examples
--------
>>> found = align_series({"A": [1.0, 2.0, 3.0], "B": [4.0, 5.0, 7.0]})
>>> found.values.tolist(), found.dropped
([[1.0, 4.0], [2.0, 5.0], [3.0, 7.0]], 0)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import as_numbers
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.observation_dates import checked_dates, dates_of

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["AlignedSeries", "align_series", "logarithms", "named_columns"]

_MATRIX = 2
_MOST_LISTED = 5
_FORMS = "a data frame, a mapping from name to series, or an array with a column for each series"


@dataclass(frozen=True, slots=True, eq=False)
class AlignedSeries(Record):
    """Several series on their common dates.

    Parameters
    ----------
    names : tuple of str, length k
        Names of the series.
    values : ndarray, shape (n, k)
        Finite values, a column for each series, oldest first.
    dates : tuple of date, length n, optional
        Common dates, ascending; None for series without dates.
    dropped : int
        Number of dates that some series have and others lack.
    """

    names: tuple[str, ...]
    values: FloatArray
    dates: tuple[dt.date, ...] | None
    dropped: int


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """One series as it was given: values, and dates or the labels of an index."""

    values: FloatArray
    dates: tuple[dt.date, ...] | None
    labels: list[Any] | None


def named_columns(given: Any, names: Sequence[str] | None = None, default: str = "series") -> dict[str, Any]:
    """Return series by name from a data frame, a mapping, an array with a column for each, or a list of pandas series.

    Parameters
    ----------
    given : object
        Series of numbers, one or several.
    names : sequence of str, optional
        Names of the series; by default those that they have.
    default : str, default "series"
        Beginning of the names of series that have none.

    Raises
    ------
    ModelError
        The form is not one of these, or the number of names is another one.
    """
    found = _columns(given)
    if names is None:
        numbered = [default] if len(found) == 1 else [f"{default}{i}" for i in range(1, len(found) + 1)]
        chosen = [other if name is None else name for (name, _), other in zip(found, numbered, strict=True)]
    else:
        chosen = [str(name) for name in names]
    if len(chosen) != len(found):
        raise ModelError(f"{len(chosen)} names for {len(found)} series; give one for each", name="names", value=chosen)
    twice = [name for i, name in enumerate(chosen) if name in chosen[:i]]
    if twice:
        raise ModelError(
            f"two series are called {twice[0]!r}; give each a name of its own", name="names", value=twice[0]
        )
    return dict(zip(chosen, (one for _, one in found), strict=True))


def _columns(given: Any) -> list[tuple[str | None, Any]]:
    if hasattr(given, "columns") and hasattr(given, "index") and hasattr(given, "iloc"):
        return [(str(name), given.iloc[:, j]) for j, name in enumerate(given.columns)]
    if hasattr(given, "index") and hasattr(given, "to_numpy"):
        return [(_own_name(given), given)]
    if isinstance(given, Mapping):
        if given and all(isinstance(key, dt.date) for key in given):
            return [(None, given)]
        return [(str(name), one) for name, one in given.items()]
    if isinstance(given, list | tuple) and given and all(hasattr(one, "to_numpy") for one in given):
        return [(_own_name(one), one) for one in given]
    numbers = as_numbers(given)
    if numbers is None or numbers.ndim not in {1, _MATRIX}:
        shape = "" if numbers is None else f" of shape {numbers.shape}"
        raise ModelError(f"a {type(given).__name__}{shape} holds no series; give {_FORMS}", value=given)
    return [(None, column) for column in (numbers[None] if numbers.ndim == 1 else numbers.T)]


def _own_name(series: Any) -> str | None:
    name = getattr(series, "name", None)
    return name if isinstance(name, str) and name else None


def align_series(series: Mapping[str, Any], least: int = 1) -> AlignedSeries:
    """Return series on their common dates, or by position if none has dates.

    Parameters
    ----------
    series : mapping of str to series
        Series by name, oldest first: arrays, pandas series, or mappings from date to value.
    least : int, default 1
        Smallest number of common rows.

    Raises
    ------
    ModelError
        A value is not a finite number, lengths or indexes differ, or too few dates are common.
    RiskError
        A date is none, or not after the one before it.
    """
    if not series:
        raise ModelError(f"there are no series; give {_FORMS}")
    read: dict[int, tuple[Any, tuple[dt.date, ...]]] = {}
    known = {name: _read(name, one, read) for name, one in series.items()}
    dated = [name for name, one in known.items() if one.dates is not None]
    if dated and len(dated) < len(known):
        bare = next(name for name in known if name not in dated)
        raise ModelError(f"{dated[0]} has dates and {bare} has none; give dates for all series, or for none", name=bare)
    found = _by_date(known) if dated else _by_position(known)
    if len(found.values) < least:
        counts = ", ".join(f"{name} {len(one.values):,}" for name, one in list(known.items())[:_MOST_LISTED])
        common = " common dates" if dated else " values"
        more = " …" if len(known) > _MOST_LISTED else ""
        raise ModelError(
            f"{len(found.values):,}{common} are fewer than {least:,} ({counts}{more}); give longer series, in columns",
            value=len(found.values),
        )
    _refuse_gaps(found)
    return found


def _read(name: str, one: Any, read: dict[int, tuple[Any, tuple[dt.date, ...]]]) -> _Series:
    """Return a series; dates of an index that several share are read once.

    The index is kept beside its dates: the number of an object that has gone may be that of the next one.
    """
    dates: Any
    values: Any
    if isinstance(one, Mapping):
        dates, values = list(one), list(one.values())
    else:
        dates, values = dates_of(one), one.to_numpy() if hasattr(one, "to_numpy") else one
    numbers = as_numbers(values)
    if numbers is None or numbers.ndim != 1 or numbers.size == 0:
        shape = "no numbers" if numbers is None else f"shape {numbers.shape}"
        raise ModelError(f"{name} has {shape}; give one series of numbers, oldest first", name=name, value=one)
    if dates is None:
        index = getattr(one, "index", None)
        return _Series(numbers, None, list(index) if hasattr(one, "to_numpy") and index is not None else None)
    if id(dates) not in read:
        read[id(dates)] = dates, checked_dates(dates, len(numbers))
    return _Series(numbers, read[id(dates)][1], None)


def _by_position(known: Mapping[str, _Series]) -> AlignedSeries:
    (first, one), *others = known.items()
    for name, other in others:
        if len(other.values) != len(one.values):
            raise ModelError(
                f"{first} has {len(one.values):,} values and {name} {len(other.values):,}; give series of the same "
                "periods, or with their dates",
                name=name,
                value=len(other.values),
            )
        if one.labels is not None and other.labels is not None and one.labels != other.labels:
            raise ModelError(
                f"the indexes of {first} and {name} differ and hold no dates; give both with dates, or as arrays of "
                "the same periods",
                name=name,
            )
    return AlignedSeries(tuple(known), np.column_stack([one.values for one in known.values()]), None, 0)


def _by_date(known: Mapping[str, _Series]) -> AlignedSeries:
    listed = [one.dates or () for one in known.values()]
    if all(dates == listed[0] for dates in listed):
        return AlignedSeries(tuple(known), np.column_stack([one.values for one in known.values()]), listed[0], 0)
    common, every = set(listed[0]).intersection(*listed[1:]), set().union(*listed)
    if not common:
        spans = "; ".join(f"{name} {dates[0]} to {dates[-1]}" for name, dates in zip(known, listed, strict=True))
        raise ModelError(f"the series have no date in common ({spans}); give series of the same dates")
    dates = tuple(date for date in listed[0] if date in common)
    columns = []
    for one, own in zip(known.values(), listed, strict=True):
        columns.append(one.values[[date in common for date in own]])
    return AlignedSeries(tuple(known), np.column_stack(columns), dates, len(every) - len(common))


def _refuse_gaps(found: AlignedSeries) -> None:
    bad = ~np.isfinite(found.values)
    if bad.any():
        row, column = (int(place) for place in np.argwhere(bad)[0])
        _refuse(found, row, column, "leave that row out, or correct it")


def logarithms(found: AlignedSeries) -> FloatArray:
    """Return the logarithms of all values, shape (n, k).

    Parameters
    ----------
    found : AlignedSeries
        Prices by name.

    Raises
    ------
    ModelError
        A value is not above 0; the message names the series and the row or date.
    """
    bad = found.values <= 0.0
    if bad.any():
        row, column = (int(place) for place in np.argwhere(bad)[0])
        _refuse(found, row, column, "it has no logarithm: give prices above 0, or take_logs=False")
    return np.asarray(np.log(found.values))


def _refuse(found: AlignedSeries, row: int, column: int, remedy: str) -> None:
    name, value = found.names[column], float(found.values[row, column])
    where = f"row {row}" if found.dates is None else f"row {row} ({found.dates[row]})"
    raise ModelError(f"{name}: {where} is {value!r}; {remedy}", name=name, value=value)

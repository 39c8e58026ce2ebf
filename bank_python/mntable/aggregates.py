"""Aggregate functions, which reduce a group of rows to one value.

Every function ignores None. Of an empty group, ``count`` and ``count_distinct`` are 0 and the other functions are None.
``std`` is the sample standard deviation (divisor n − 1; None for fewer than two values). SQLite has no such function,
so it is registered on every connection as ``mntable_std`` (Welford's update; Knuth, *The Art of Computer Programming*,
vol. 2, 3rd ed., section 4.2.2, equations 15 and 16).

``sum`` and ``mean`` of floats are SQLite's own: plain summation before its version 3.43, Kahan-Babuška-Neumaier
compensated summation since. Where full precision matters, convert the column with ``to_numpy`` and use ``math.fsum``.
A ``sum`` of ints is exact, and raises an error if it exceeds 64 bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.errors import ColumnTypeError, SchemaError
from bank_python.mntable.column_types import FLOAT, INT, ColumnType
from bank_python.mntable.expressions import Fragment

if TYPE_CHECKING:
    import sqlite3

__all__ = ["AGGREGATES", "Aggregate", "SampleDeviation", "aggregate_named", "install"]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate function.

    Parameters
    ----------
    template : str
        SQL of the function, with ``{}`` for the column.
    result : ColumnType or None
        Type of the result; ``None`` for the type of the column.
    numeric : bool
        Whether the function takes int and float columns only.
    counts : bool
        Whether the result is a count, which is never None.
    """

    template: str
    result: ColumnType | None = None
    numeric: bool = False
    counts: bool = False

    def apply(self, column: Fragment, *, may_be_empty: bool) -> Fragment:
        """Return the SQL fragment of the function applied to `column`.

        `may_be_empty` says whether a group can have no rows, which is so when there are no grouping columns.
        """
        kind = self.result or column.type
        # A float result can be NaN (inf - inf), which SQLite turns into NULL.
        nullable = not self.counts and (may_be_empty or column.nullable or kind is FLOAT)
        return Fragment(self.template.format(column.sql), column.parameters, kind, nullable)


AGGREGATES = {
    "sum": Aggregate("sum({})", numeric=True),
    "mean": Aggregate("avg({})", result=FLOAT, numeric=True),
    "avg": Aggregate("avg({})", result=FLOAT, numeric=True),
    "min": Aggregate("min({})"),
    "max": Aggregate("max({})"),
    "count": Aggregate("count({})", result=INT, counts=True),
    "count_distinct": Aggregate("count(DISTINCT {})", result=INT, counts=True),
    "std": Aggregate("mntable_std({})", result=FLOAT, numeric=True),
}


def aggregate_named(name: Any, column: str, fragment: Fragment) -> Aggregate:
    """Return the aggregate function `name`, checked against the type of the column.

    Raises
    ------
    SchemaError
        There is no such function.
    ColumnTypeError
        The function takes numbers and the column has another type.
    """
    function = AGGREGATES.get(name) if isinstance(name, str) else None
    if function is None:
        raise SchemaError(f"there is no aggregate {name!r} (for {column!r}): use one of {', '.join(AGGREGATES)}")
    if function.numeric and fragment.type.family != "number":
        raise ColumnTypeError(
            f"{name} of column {column!r} ({fragment.type.name}): {name} takes int and float columns", column=column
        )
    return function


class SampleDeviation:
    """Sample standard deviation by Welford's update, as an aggregate class for sqlite3.

    Examples
    --------
    >>> deviation = SampleDeviation()
    >>> for value in (1.0, None, 3.0):
    ...     deviation.step(value)
    >>> round(deviation.finalize(), 6)
    1.414214
    """

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0
        self._squares = 0.0

    def step(self, value: float | None) -> None:
        """Add one value; None is ignored."""
        if value is None:
            return
        self._count += 1
        deviation = value - self._mean
        self._mean += deviation / self._count
        self._squares += deviation * (value - self._mean)

    def finalize(self) -> float | None:
        """Return the standard deviation, or ``None`` for fewer than two values."""
        return math.sqrt(self._squares / (self._count - 1)) if self._count > 1 else None


def install(connection: sqlite3.Connection) -> None:
    """Register on `connection` the functions that SQLite lacks."""
    connection.create_aggregate("mntable_std", 1, SampleDeviation)  # type: ignore[arg-type]  # finalize may return None

"""Data frames of pandas to rows, with the columns' types inferred from what they hold.

A column takes the type of its values: text, numbers, booleans, bytes, dates, or times with a zone. Whole and decimal
numbers together are floats; times without a zone are dates if all of them are midnights, and rejected otherwise.
Categories are their values. A missing value (NaN, NaT, NA, None) is None, and makes its column nullable. Where a column
has no value to infer from, its dtype decides, and a column of objects needs a schema. Levels of the index that have
names are the first columns; an index without a name is left out.

A table's :meth:`~bank_python.mntable.Table.to_pandas` comes back as it was, but for columns that may be None and hold
none, which are not nullable unless the schema is given.
"""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import ColumnTypeError, SchemaError
from bank_python.mntable.column_types import BOOL, BYTES, DATE, DATETIME, FLOAT, INT, SHOWN, STR, ColumnType
from bank_python.mntable.names import checked_name
from bank_python.mntable.schema import Column, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["FrameColumns"]

_MIDNIGHT = dt.time()
_BY_DTYPE = {"b": BOOL, "i": INT, "u": INT, "f": FLOAT}
# What the values of a column may be, in this order: a bool is an int, and a time a date, to Python.
_KINDS: tuple[tuple[type, ColumnType], ...] = (
    (bool, BOOL),
    (int, INT),
    (float, FLOAT),
    (str, STR),
    (bytes, BYTES),
    (dt.datetime, DATETIME),
    (dt.date, DATE),
)


class FrameColumns:
    """The columns of a data frame, as lists of Python's own values.

    Parameters
    ----------
    frame : pandas.DataFrame
        Data frame, whose named index levels become columns.

    Raises
    ------
    SchemaError
        It is not a data frame, the name of a column is not text, or a name occurs twice.
    """

    def __init__(self, frame: Any) -> None:
        _require_frame(frame)
        index = frame.index
        parts = [(name, index.get_level_values(i)) for i, name in enumerate(index.names) if name is not None]
        parts += [(name, frame.iloc[:, i]) for i, name in enumerate(frame.columns)]
        self._cells: dict[str, list[Any]] = {}
        self._dtypes: dict[str, str] = {}
        for given, values in parts:
            name = _name_of(given)
            if name in self._cells:
                raise SchemaError(f"the frame has the column {name!r} twice: rename one of them", column=name)
            self._cells[name] = _cells(values)
            self._dtypes[name] = getattr(values.dtype, "kind", "O")

    def schema(self) -> Schema:
        """Return the schema inferred from the values.

        Raises
        ------
        SchemaError
            A column has no value, and its dtype does not say what it holds.
        ColumnTypeError
            A column mixes types, or holds what no table column does.
        """
        return Schema(tuple(self._column(name, cells) for name, cells in self._cells.items()))

    def rows(self, schema: Schema) -> Iterator[Mapping[str, Any]]:
        """Yield the rows, with values as the schema's types have them."""
        columns = {name: _fitted(schema, name, cells) for name, cells in self._cells.items()}
        return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))

    def _column(self, name: str, cells: Sequence[Any]) -> Column:
        values = [cell for cell in cells if cell is not None]
        if not values:
            found = _BY_DTYPE.get(self._dtypes[name])
            if found is None:
                raise SchemaError(
                    f"column {name!r} of the frame has no values to infer a type from: give the schema of the table",
                    column=name,
                )
        else:
            found = _type_of(name, values)
        return Column(name, found, len(values) < len(cells))


def _require_frame(frame: object) -> None:
    pandas = sys.modules.get("pandas")  # without it there is no frame of its
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        return
    hint = "give a pandas.DataFrame"
    if pandas is not None and isinstance(frame, pandas.Series):
        hint = "give series.to_frame(name)"
    elif hasattr(frame, "__arrow_c_stream__"):
        hint = "Table.from_arrow takes it"
    elif isinstance(frame, dict | list):
        hint = "Table.from_rows(schema, rows) takes a list of dicts"
    raise SchemaError(f"from_pandas was given a {type(frame).__name__}: {hint}", value=frame)


def _name_of(name: object) -> str:
    if not isinstance(name, str):
        raise SchemaError(
            f"the frame has a column called {name!r}, which is no text: rename it, frame.rename(columns=...)",
            column=str(name),
            value=name,
        )
    return checked_name(name)


def _cells(values: Any) -> list[Any]:
    missing = np.asarray(values.isna(), dtype=bool).tolist()
    return [None if gone else _plain(cell) for cell, gone in zip(values.astype(object), missing, strict=True)]


def _plain(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.bool_ | np.integer | np.floating | np.str_) else cell


def _kind_of(value: object) -> ColumnType | None:
    return next((kind for python, kind in _KINDS if isinstance(value, python)), None)


def _type_of(name: str, values: Sequence[Any]) -> ColumnType:
    kinds = {value.__class__: _kind_of(value) for value in values}
    found = set(kinds.values())
    if found == {INT, FLOAT}:
        return FLOAT
    if None in found or len(found) > 1:
        first = _kind_of(values[0])
        odd = next(value for value in values if (kind := _kind_of(value)) is None or kind is not first)
        shown = repr(odd)[:SHOWN]
        reason = "which no table column holds" if _kind_of(odd) is None else f"and {values[0]!r}: types are mixed"
        raise ColumnTypeError(
            f"column {name!r} of the frame holds {shown} ({type(odd).__name__}), {reason}; convert it first",
            column=name,
            value=odd,
        )
    (kind,) = found
    if kind is DATETIME:
        return _dates_or_times(name, values)
    return kind  # type: ignore[return-value]  # None is in no set that comes here


def _dates_or_times(name: str, values: Sequence[dt.datetime]) -> ColumnType:
    naive = next((value for value in values if value.tzinfo is None), None)
    if naive is None:
        return DATETIME
    if all(value.tzinfo is None and value.time() == _MIDNIGHT for value in values):
        return DATE
    raise ColumnTypeError(
        f"column {name!r} of the frame holds times without a zone, such as {naive}: say which zone, "
        f"frame[{name!r}].dt.tz_localize('UTC')",
        column=name,
        value=naive,
    )


def _fitted(schema: Schema, name: str, cells: list[Any]) -> list[Any]:
    kind = next((column.type for column in schema if column.name == name), None)
    if kind is DATE:
        return [cell.date() if _is_midnight(cell) else cell for cell in cells]
    if kind is INT:  # pandas stores whole numbers with gaps as floats
        return [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in cells]
    return cells


def _is_midnight(cell: object) -> bool:
    return isinstance(cell, dt.datetime) and cell.tzinfo is None and cell.time() == _MIDNIGHT

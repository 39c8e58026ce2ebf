"""Column types, and how the values of each are stored in SQLite.

==========  ============  =====================================================================
Python      stored as     accepted values
==========  ============  =====================================================================
str         TEXT          no unpaired surrogate
float       8-byte REAL   not NaN (SQLite has none); an int widens when a float holds it exactly
int         INTEGER       64 bits; a bool is not accepted as an int
bool        INTEGER 0/1   a bool
bytes       BLOB          bytes
date        TEXT          a date without a time; ISO 8601, so that text order is time order
datetime    INTEGER       timezone-aware; microseconds since 1970 UTC, so that order is time order
==========  ============  =====================================================================

A float column is declared without SQLite's REAL affinity, because that stores whole numbers as integers and so loses
the sign of ``-0.0``. NumPy scalars are treated as the Python numbers they hold.
"""

from __future__ import annotations

import datetime as dt
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import ColumnTypeError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "BOOL",
    "COLUMN_TYPES",
    "FLOAT",
    "INT",
    "STR",
    "ColumnType",
    "infer",
    "parse_annotation",
    "type_named",
]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
_EARLIEST = (dt.datetime.min.replace(tzinfo=dt.UTC) - EPOCH) // MICROSECOND
_LATEST = (dt.datetime.max.replace(tzinfo=dt.UTC) - EPOCH) // MICROSECOND
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
# Longest repr of a rejected value in an error message, in characters.
SHOWN = 80


@dataclass(frozen=True, slots=True, eq=False)
class ColumnType:
    """Type of a column.

    Parameters
    ----------
    name : str
        Name of the type in stored schemas and in messages.
    python : type
        Python type of the values that are read back.
    declared : str
        Type name in the SQL declaration of the column.
    family : str
        Family of types; values of one family can be compared with each other.
    encode : callable
        Function that converts a value to its stored form, or raises :class:`~bank_python.errors.ColumnTypeError`.
    decode : callable or None
        Function that converts a stored value back to a Python value; ``None`` if the two are the same.
    """

    name: str
    python: type
    declared: str
    family: str
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any] | None = None

    def __repr__(self) -> str:
        return f"<column type {self.name}>"


def _refuse(value: Any, wanted: str, fix: str) -> ColumnTypeError:
    shown = repr(value)
    if len(shown) > SHOWN:
        shown = shown[:SHOWN] + "…"
    return ColumnTypeError(f"{shown} ({type(value).__name__}) is not {wanted}: {fix}", value=value)


def _plain(value: Any) -> Any:
    if isinstance(value, np.timedelta64):
        # A subclass of signedinteger in NumPy, but not a number.
        return value
    return value.item() if isinstance(value, np.bool_ | np.integer | np.floating) else value


def _encode_str(value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(value, "a str", "give text, or convert it with str(value)")
    # str.__str__, because __str__ of a str enum may return its label instead of its text.
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refuse(value, "storable text", "it has an unpaired surrogate; decode it properly first") from None
    return text


def _encode_float(value: Any) -> float:
    number = value if type(value) is float else _as_float(_plain(value))
    if number != number:  # noqa: PLR0124  (the fastest test for NaN, in the inner loop of extend)
        raise _refuse(value, "storable", "SQLite has no NaN; declare the column `float | None` and give None")
    return number


def _as_float(value: Any) -> float:
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refuse(value, "a float", "give a float or an int")
    try:
        number = float(value)
    except OverflowError:
        number = float("nan")
    if number != value:
        raise _refuse(value, "exact as a float", "give float(value) to round it, or use an int column")
    return number


def _encode_int(value: Any) -> int:
    number = _plain(value)
    if isinstance(number, bool) or not isinstance(number, int):
        raise _refuse(value, "an int", "give an int; a float is not rounded, and a bool is not accepted as a number")
    if not INT_MIN <= number <= INT_MAX:
        raise _refuse(value, "within 64 bits", "use a float or str column for numbers beyond ±2**63")
    return int(number)


def _decode_int(stored: Any) -> int:
    if type(stored) is not int:
        raise ColumnTypeError(
            f"an int expression evaluated to {stored!r}, beyond 64 bits: compute with floats (multiply by 1.0 first)",
            value=stored,
        )
    return stored


def _encode_bool(value: Any) -> int:
    flag = _plain(value)
    if not isinstance(flag, bool):
        raise _refuse(value, "a bool", "give True or False")
    return int(flag)


def _encode_bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise _refuse(value, "bytes", "give bytes(value), or declare the column str for text")
    return bytes(value)


def _encode_date(value: Any) -> str:
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise _refuse(value, "a date", "give a datetime.date; a datetime's time would be lost (use .date())")
    return value.isoformat()


def _encode_datetime(value: Any) -> int:
    if not isinstance(value, dt.datetime):
        raise _refuse(value, "a datetime", "give a timezone-aware datetime.datetime")
    if value.tzinfo is None or value.utcoffset() is None:
        raise _refuse(value, "timezone-aware", "say which zone, e.g. value.replace(tzinfo=datetime.UTC)")
    stored = (value - EPOCH) // MICROSECOND
    if not _EARLIEST <= stored <= _LATEST:
        raise _refuse(value, "within the years 1 to 9999 in UTC", "give a datetime at least a day inside that range")
    # A subclass may be finer than a microsecond (pandas' Timestamp has nanoseconds).
    if type(value) is not dt.datetime and _decode_datetime(stored) != value:
        raise _refuse(value, "a whole number of microseconds", "round it, e.g. value.floor('us')")
    return stored


def _decode_datetime(stored: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=stored)


STR = ColumnType("str", str, "TEXT", "text", _encode_str)
FLOAT = ColumnType("float", float, "BLOB", "number", _encode_float)
INT = ColumnType("int", int, "INTEGER", "number", _encode_int, _decode_int)
BOOL = ColumnType("bool", bool, "INTEGER", "truth", _encode_bool, bool)
BYTES = ColumnType("bytes", bytes, "BLOB", "bytes", _encode_bytes)
DATE = ColumnType("date", dt.date, "TEXT", "date", _encode_date, dt.date.fromisoformat)
DATETIME = ColumnType("datetime", dt.datetime, "INTEGER", "datetime", _encode_datetime, _decode_datetime)

# In the order in which the type of a literal is inferred: bool is a subclass of int, and datetime of date.
COLUMN_TYPES = (BOOL, INT, FLOAT, STR, BYTES, DATETIME, DATE)


def infer(value: Any) -> tuple[ColumnType, Any]:
    """Return the column type of a literal, and its stored form.

    Raises
    ------
    ColumnTypeError
        No column type accepts the value.
    """
    for column_type in COLUMN_TYPES:
        if isinstance(_plain(value), column_type.python):
            return column_type, column_type.encode(value)
    raise _refuse(value, "a value of any column type", f"give one of {', '.join(t.name for t in COLUMN_TYPES)}")


def parse_annotation(annotation: Any, column: str) -> tuple[ColumnType, bool]:
    """Return the column type that an annotation declares, and whether the column is nullable.

    Examples
    --------
    >>> parse_annotation(float | None, "price")
    (<column type float>, True)
    """
    members: tuple[Any, ...] = (annotation,)
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        members = typing.get_args(annotation)
    required = [member for member in members if member is not types.NoneType]
    found = [known for known in COLUMN_TYPES if required == [known.python]]
    if not found:
        allowed = ", ".join(known.name for known in COLUMN_TYPES)
        raise SchemaError(
            f"column {column!r} is declared {annotation!r}: give one of {allowed}, or one of these types `| None`",
            column=column,
            value=annotation,
        )
    return found[0], len(required) < len(members)


def type_named(name: str) -> ColumnType | None:
    """Return the column type called `name` in a stored schema, or ``None``."""
    return next((known for known in COLUMN_TYPES if known.name == name), None)

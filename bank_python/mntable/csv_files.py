"""Views to CSV files and CSV files to rows, exactly.

Lines end as RFC 4180 has it (CR LF), which also makes the writer quote a lone carriage return. A float is written
with the digits that bring the same float back (``repr``), a date and a datetime in ISO 8601 (UTC), a bool as
``true`` or ``false``, bytes as hexadecimal digits. None is written as the `null` text, empty unless
said otherwise. A cell of a nullable text column that equals that text could not be told from None, so it is
refused: choose another `null`.
"""

from __future__ import annotations

import csv
import datetime as dt
from typing import TYPE_CHECKING, Any

from bank_python.errors import ColumnTypeError, SchemaError, TableError
from bank_python.mntable import execution
from bank_python.mntable.column_types import BOOL, BYTES, DATE, DATETIME, FLOAT, INT, STR
from bank_python.mntable.replacement import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bank_python.mntable.plan import Block
    from bank_python.mntable.schema import Column, Schema

__all__ = ["csv_rows", "to_csv"]


def to_csv(block: Block, path: Path, null: str) -> None:
    """Write a header and the rows, in constant memory; the file appears when it is whole.

    Raises
    ------
    ColumnTypeError
        A text in a nullable column equals `null`.
    """
    decode = block.schema.decoder()
    columns = block.schema.columns
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(block.schema.names)
        for number, stored in enumerate(execution.rows(block), start=1):
            row = decode(stored)
            writer.writerow([_spelled(column, row[column.name], null, number) for column in columns])


def _spelled(column: Column, value: Any, null: str, number: int) -> str:
    if value is None:
        return null
    text = _SPELL.get(column.type, str)(value)
    if column.nullable and text == null:
        raise ColumnTypeError(
            f"row {number}, column {column.name!r}: {text!r} is also how None is written: "
            'choose another text for None, e.g. to_csv(path, null="NULL")',
            row=number,
            column=column.name,
            value=value,
        )
    return text


_SPELL: dict[Any, Callable[[Any], str]] = {
    FLOAT: repr,
    BOOL: lambda value: "true" if value else "false",
    BYTES: bytes.hex,
    DATE: dt.date.isoformat,
    DATETIME: dt.datetime.isoformat,
}


def csv_rows(path: Path, schema: Schema, null: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV file whose header names the columns of `schema`, in any order.

    Raises
    ------
    SchemaError
        The header does not fit, or a line has more or fewer fields than it.
    ColumnTypeError
        A field cannot be read as its column's type.
    TableError
        The file cannot be read.
    """
    try:
        # utf-8-sig: spreadsheets begin a file with a byte order mark.
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            columns = _header(next(lines, []), schema, path)
            # A line without anything is no row; a row of one empty field is written "".
            for number, fields in enumerate(filter(None, lines), start=1):
                if len(fields) != len(columns):
                    raise SchemaError(
                        f"row {number} of {path} has {len(fields)} fields, and the header has {len(columns)}: "
                        "quote fields that hold commas or line ends",
                        row=number,
                    )
                yield {c.name: _read(c, text, null, number) for c, text in zip(columns, fields, strict=True)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} cannot be read as CSV: {error}", path=path) from error


def _header(names: list[str], schema: Schema, path: Path) -> list[Column]:
    if sorted(names) != sorted(schema.names):
        raise SchemaError(
            f"the header of {path} names the columns {names}, and the schema has {list(schema.names)}: "
            "give the schema of this file"
        )
    return [schema[name] for name in names]


def _read(column: Column, text: str, null: str, number: int) -> Any:
    if column.nullable and text == null:
        return None
    try:
        return _READ[column.type](text)
    except (ValueError, KeyError):
        raise ColumnTypeError(
            f"row {number}, column {column.name!r}: {text!r} cannot be read as {column.type.name}: "
            "correct the file, or declare the column otherwise",
            row=number,
            column=column.name,
            value=text,
        ) from None


def _number(text: str, kind: Callable[[str], Any]) -> Any:
    # Python reads 1_000 as a number; in a data file it is a mistake.
    if "_" in text:
        raise ValueError(text)
    return kind(text)


_READ: dict[Any, Callable[[str], Any]] = {
    STR: str,
    FLOAT: lambda text: _number(text, float),
    INT: lambda text: _number(text, int),
    BOOL: lambda text: {"true": True, "false": False}[text.lower()],
    BYTES: bytes.fromhex,
    DATE: dt.date.fromisoformat,
    DATETIME: dt.datetime.fromisoformat,
}

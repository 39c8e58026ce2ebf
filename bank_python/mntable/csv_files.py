"""Lossless conversion of views to CSV files and of CSV files to rows.

Lines end with CR LF, as in RFC 4180, which also makes the writer quote a lone carriage return. A float is written with
the shortest digits that read back as the same float (``repr``), a date and a datetime in ISO 8601 (UTC), a bool as
``true`` or ``false``, bytes as hexadecimal digits. None is written as the `null` text, which is empty by default. A
value of a nullable text column that equals this text would be read back as None, so it is rejected: choose another
`null`.
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
    """Write a header and the rows, in constant memory; the file is replaced when writing is complete.

    Raises
    ------
    ColumnTypeError
        A value of a nullable text column equals `null`.
    """
    decode = block.schema.decoder()
    columns = block.schema.columns
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(block.schema.names)
        for number, stored in enumerate(execution.rows(block), start=1):
            row = decode(stored)
            writer.writerow([_text_of(column, row[column.name], null, number) for column in columns])


def _text_of(column: Column, value: Any, null: str, number: int) -> str:
    if value is None:
        return null
    text = _FORMATS.get(column.type, str)(value)
    if column.nullable and text == null:
        raise ColumnTypeError(
            f"row {number}, column {column.name!r}: {text!r} is also the text for None: "
            'choose another text for None, e.g. to_csv(path, null="NULL")',
            row=number,
            column=column.name,
            value=value,
        )
    return text


_FORMATS: dict[Any, Callable[[Any], str]] = {
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
        The header does not match the schema, or a line has more or fewer fields than the header.
    ColumnTypeError
        A field cannot be read as its column's type.
    TableError
        The file cannot be read.
    """
    try:
        # utf-8-sig, because spreadsheets write a byte order mark.
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            columns = _header(next(lines, []), schema, path)
            # An empty line is not a row; a row of one empty field is written "".
            for number, fields in enumerate(filter(None, lines), start=1):
                if len(fields) != len(columns):
                    raise SchemaError(
                        f"row {number} of {path} has {len(fields)} fields, and the header has {len(columns)}: "
                        "quote fields that contain commas or line ends",
                        row=number,
                    )
                yield {c.name: _parse(c, text, null, number) for c, text in zip(columns, fields, strict=True)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} cannot be read as CSV: {error}", path=path) from error


def _header(names: list[str], schema: Schema, path: Path) -> list[Column]:
    if sorted(names) != sorted(schema.names):
        raise SchemaError(
            f"the header of {path} names the columns {names}, and the schema has {list(schema.names)}: "
            "give a schema with the columns of the file"
        )
    return [schema[name] for name in names]


def _parse(column: Column, text: str, null: str, number: int) -> Any:
    if column.nullable and text == null:
        return None
    try:
        return _PARSERS[column.type](text)
    except (ValueError, KeyError):
        raise ColumnTypeError(
            f"row {number}, column {column.name!r}: {text!r} cannot be read as {column.type.name}: "
            "correct the file, or declare the column with another type",
            row=number,
            column=column.name,
            value=text,
        ) from None


def _number(text: str, kind: Callable[[str], Any]) -> Any:
    # Python accepts 1_000 as a number; in a data file it is more likely an error.
    if "_" in text:
        raise ValueError(text)
    return kind(text)


_PARSERS: dict[Any, Callable[[str], Any]] = {
    STR: str,
    FLOAT: lambda text: _number(text, float),
    INT: lambda text: _number(text, int),
    BOOL: lambda text: {"true": True, "false": False}[text.lower()],
    BYTES: bytes.fromhex,
    DATE: dt.date.fromisoformat,
    DATETIME: dt.datetime.fromisoformat,
}

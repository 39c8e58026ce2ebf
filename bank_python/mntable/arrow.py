"""Conversion of views to Arrow tables and Parquet files, and of Parquet files to rows.

Floats, dates and UTC timestamps (microseconds) are bitwise identical after writing and reading. A file is written under
a temporary name and renamed when complete, so that a failure leaves an existing file unchanged.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from bank_python.errors import MissingExtraError, SchemaError, TableError
from bank_python.mntable import execution
from bank_python.mntable.column_types import BOOL, BYTES, DATE, DATETIME, FLOAT, INT, STR, ColumnType
from bank_python.mntable.replacement import replacing
from bank_python.mntable.schema import Column, Schema
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from bank_python.mntable.plan import Block

__all__ = ["parquet_rows", "parquet_schema", "to_arrow", "to_parquet"]

BATCH = 65_536


def _pyarrow(user: str) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError(f"{user} needs pyarrow: {how_to_install('data')}", extra="data") from None
    return pa


def _arrow_schema(pa: Any, schema: Schema) -> Any:
    kinds = {
        STR: pa.string(),
        FLOAT: pa.float64(),
        INT: pa.int64(),
        BOOL: pa.bool_(),
        BYTES: pa.binary(),
        DATE: pa.date32(),
        DATETIME: pa.timestamp("us", tz="UTC"),
    }
    return pa.schema([pa.field(column.name, kinds[column.type], nullable=column.nullable) for column in schema])


def _batches(pa: Any, block: Block) -> Iterator[Any]:
    decode = block.schema.decoder()
    arrow_schema = _arrow_schema(pa, block.schema)
    rows = map(decode, execution.rows(block))
    while batch := list(itertools.islice(rows, BATCH)):
        yield pa.RecordBatch.from_pylist(batch, schema=arrow_schema)


def to_arrow(block: Block) -> pa.Table:
    """Return the rows as an Arrow table.

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    """
    pa = _pyarrow("to_arrow")
    return pa.Table.from_batches(_batches(pa, block), schema=_arrow_schema(pa, block.schema))


def to_parquet(block: Block, path: Path) -> None:
    """Write the rows to a Parquet file, in constant memory."""
    pa = _pyarrow("to_parquet")
    import pyarrow.parquet as pq

    with replacing(path) as part, pq.ParquetWriter(part, _arrow_schema(pa, block.schema)) as writer:
        for batch in _batches(pa, block):
            writer.write_batch(batch)


def _open(path: Path) -> Any:
    pa = _pyarrow("from_parquet")
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise TableError(f"{path} cannot be read as Parquet: {error}", path=path) from error


def parquet_schema(path: Path) -> Schema:
    """Return the table schema that corresponds to the columns of a Parquet file.

    Raises
    ------
    TableError
        The file cannot be read.
    SchemaError
        A column has a type that a table column cannot have.
    """
    with _open(path) as file:
        arrow_schema = file.schema_arrow
    return Schema(tuple(Column(f.name, _column_type(f), f.nullable) for f in arrow_schema))


def _column_type(field: Any) -> ColumnType:
    pa = _pyarrow("from_parquet")
    kinds = pa.types
    tests = {
        STR: lambda t: kinds.is_string(t) or kinds.is_large_string(t),
        FLOAT: kinds.is_floating,
        INT: kinds.is_integer,
        BOOL: kinds.is_boolean,
        BYTES: lambda t: kinds.is_binary(t) or kinds.is_large_binary(t),
        DATE: kinds.is_date,
        DATETIME: lambda t: kinds.is_timestamp(t) and t.tz is not None,
    }
    for column_type, matches in tests.items():
        if matches(field.type):
            return column_type
    raise SchemaError(
        f"column {field.name!r} of the Parquet file has type {field.type}, which a table column cannot have: "
        "cast it first (a timestamp needs a timezone)",
        column=field.name,
    )


def parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file, in constant memory."""
    pa = _pyarrow("from_parquet")
    with _open(path) as file:
        try:
            for batch in file.iter_batches(BATCH):
                yield from _microseconds(pa, batch).to_pylist()
        except pa.ArrowException as error:
            raise TableError(f"{path} cannot be read into a table: {error}", path=path) from error


def _microseconds(pa: Any, batch: Any) -> Any:
    """Return the batch with nanosecond timestamps cast to microseconds; Arrow rejects a loss of digits."""
    for position, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            cast = batch.column(position).cast(pa.timestamp("us", field.type.tz))
            batch = batch.set_column(position, field.name, cast)
    return batch

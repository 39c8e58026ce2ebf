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
from bank_python.mntable.names import checked_name
from bank_python.mntable.replacement import replacing
from bank_python.mntable.schema import Column, Schema
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from bank_python.mntable.plan import Block

__all__ = ["arrow_rows", "arrow_table", "parquet_rows", "parquet_schema", "schema_of", "to_arrow", "to_parquet"]

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
        return schema_of(file.schema_arrow, "Parquet file")


def arrow_table(data: Any) -> Any:
    """Return data as an Arrow table; read through the Arrow C stream interface if needed.

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    SchemaError
        The data are not Arrow data.
    """
    pa = _pyarrow("from_arrow")
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch | pa.RecordBatchReader) or hasattr(data, "__arrow_c_stream__"):
        try:
            return pa.table(data)
        except (TypeError, pa.ArrowException) as error:
            raise SchemaError(f"{type(data).__name__} cannot be read as an Arrow table: {error}", value=data) from error
    hint = "Table.from_pandas takes a frame" if hasattr(data, "iloc") else "give a pyarrow.Table"
    raise SchemaError(f"from_arrow was given a {type(data).__name__}: {hint}", value=data)


def schema_of(arrow_schema: Any, what: str) -> Schema:
    """Return the table schema of Arrow columns.

    Parameters
    ----------
    arrow_schema : pyarrow.Schema
        Names, types and nullability of the columns.
    what : str
        Origin of the columns in messages.

    Raises
    ------
    SchemaError
        A column has a type that no table column has.
    """
    return Schema(tuple(Column(checked_name(f.name), _column_type(f, what), f.nullable) for f in arrow_schema))


def arrow_rows(table: Any, schema: Schema) -> Iterator[dict[str, Any]]:
    """Yield the rows of an Arrow table; NaN in a nullable column is None.

    Raises
    ------
    TableError
        Values do not fit a table, such as times finer than microseconds.
    """
    pa = _pyarrow("from_arrow")
    floats = [column.name for column in schema if column.type is FLOAT and column.nullable]
    try:
        for batch in table.to_batches(BATCH):
            for row in _microseconds(pa, batch).to_pylist():
                for name in floats:
                    value = row.get(name)
                    if value is not None and value != value:  # noqa: PLR0124 - NaN
                        row[name] = None
                yield row
    except pa.ArrowException as error:
        raise TableError(f"the Arrow table cannot be read into a table: {error}") from error


def _column_type(field: Any, what: str) -> ColumnType:
    pa = _pyarrow("from_arrow")
    kinds = pa.types
    tests = {
        STR: lambda t: kinds.is_string(t) or kinds.is_large_string(t) or kinds.is_string_view(t),
        FLOAT: kinds.is_floating,
        INT: kinds.is_integer,
        BOOL: kinds.is_boolean,
        BYTES: lambda t: kinds.is_binary(t) or kinds.is_large_binary(t),
        DATE: kinds.is_date,
        DATETIME: lambda t: kinds.is_timestamp(t) and t.tz is not None,
    }
    held = field.type.value_type if kinds.is_dictionary(field.type) else field.type
    for column_type, matches in tests.items():
        if matches(held):
            return column_type
    raise SchemaError(
        f"column {field.name!r} of the {what} has type {field.type}, which a table column cannot have: "
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

"""Encoding of tables of :mod:`bank_python.mntable` as values, column by column.

A table is stored with its current name, schema and rows, in the order in which they were added. A view is stored as a
table of its rows. The table that is read back is an independent table in memory: rows added to it are not in the store
until it is stored again. Indexes, and the file of a table on disk, are not stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.mntable import Table, View
from bank_python.mntable.column_types import BOOL, DATETIME, FLOAT, INT
from bank_python.mntable.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.mntable.schema import Column

__all__ = ["columns_of", "is_table", "name_of", "table_from"]

_AS_ARRAYS = {FLOAT: np.float64, INT: np.int64, BOOL: np.int64, DATETIME: np.int64}


def is_table(value: object) -> bool:
    """Whether `value` is exactly a table or a view, not an instance of a subclass."""
    return type(value) in {Table, View}


def name_of(relation: Table | View) -> str | None:
    """Return the name of a table; a view has none."""
    return relation.name if isinstance(relation, Table) else None


def columns_of(relation: Table | View) -> list[object]:
    """Return the cells column by column: arrays for numerical columns that are not nullable, else lists."""
    rows = relation.in_order_added() if isinstance(relation, Table) else relation
    cells = [tuple(row.values()) for row in rows]
    columns = zip(*cells, strict=True) if cells else [()] * len(relation.schema)
    return [_packed(column, values) for column, values in zip(relation.schema, columns, strict=True)]


def _packed(column: Column, cells: Sequence[Any]) -> object:
    stored = [None if cell is None else column.type.encode(cell) for cell in cells]
    dtype = None if column.nullable else _AS_ARRAYS.get(column.type)
    return stored if dtype is None else np.array(stored, dtype=dtype)


def table_from(name: str | None, schema: object, columns: Sequence[Any]) -> Table:
    """Return a table with this name, schema record and columns.

    Raises
    ------
    TableError
        The parts are not those of a stored table.
    """
    known = Schema.from_record(schema)
    lists = [values.tolist() if isinstance(values, np.ndarray) else values for values in columns]
    decode = known.decoder()
    return Table.from_rows(known, (decode(row) for row in zip(*lists, strict=True)), name=name)

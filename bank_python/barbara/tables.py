"""Tables as values: what a table of :mod:`bank_python.mntable` holds, written column by column.

A table is kept as it is when it is stored: its name, its schema, its rows in the order in which they were added. A
view is kept as the table of what it shows. What comes back is a table in memory that nothing else uses: rows added to
it are not in the store until it is stored again. Indexes are not kept, nor is the file that a table lies in.
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
    """Return whether `value` is a table or a view, and no subclass of theirs."""
    return type(value) in {Table, View}


def name_of(relation: Table | View) -> str | None:
    """Return a table's name; a view has none."""
    return relation.name if isinstance(relation, Table) else None


def columns_of(relation: Table | View) -> list[object]:
    """Return the cells, column by column: arrays of numbers where no cell may be None, else lists."""
    rows = relation.in_order_added() if isinstance(relation, Table) else relation
    cells = [tuple(row.values()) for row in rows]
    columns = zip(*cells, strict=True) if cells else [()] * len(relation.schema)
    return [_packed(column, values) for column, values in zip(relation.schema, columns, strict=True)]


def _packed(column: Column, cells: Sequence[Any]) -> object:
    stored = [None if cell is None else column.type.encode(cell) for cell in cells]
    dtype = None if column.nullable else _AS_ARRAYS.get(column.type)
    return stored if dtype is None else np.array(stored, dtype=dtype)


def table_from(name: str | None, schema: object, columns: Sequence[Any]) -> Table:
    """Return the table that was stored with this name, this record of a schema and these columns.

    Raises
    ------
    TableError
        The record is not one of a table.
    """
    known = Schema.from_record(schema)
    lists = [values.tolist() if isinstance(values, np.ndarray) else values for values in columns]
    decode = known.decoder()
    return Table.from_rows(known, (decode(row) for row in zip(*lists, strict=True)), name=name)

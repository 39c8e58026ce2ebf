"""Tables of typed rows in SQLite, in memory or in a file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bank_python.errors import SchemaError, TableError
from bank_python.guessing import guessable
from bank_python.mntable import algebra, arrow, catalogue, csv_files, frames
from bank_python.mntable.column_types import INT
from bank_python.mntable.disk import DiskDatabase
from bank_python.mntable.expressions import Fragment
from bank_python.mntable.memory import MemoryDatabase
from bank_python.mntable.names import checked_table_name, fold, quote
from bank_python.mntable.plan import BaseTable, Block, SortKey, block_of_table
from bank_python.mntable.schema import Schema
from bank_python.mntable.statement import ROWID_SPELLINGS, rowid_of
from bank_python.mntable.view import Relation, View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import pandas as pd

    from bank_python.mntable.database import Database
    from bank_python.mntable.expressions import Expression

__all__ = ["Table"]

FilePath = str | os.PathLike[str]


@guessable
class Table(Relation):
    """A table with typed columns, stored in SQLite.

    Parameters
    ----------
    schema : sequence of (str, type)
        Names and types of the columns: str, float, int, bool, bytes, datetime.date, datetime.datetime (timezone-aware,
        returned in UTC), or one of these types ``| None`` for a nullable column.
    path : path, optional
        Path of the file that contains the table; several processes may use it at the same time. By default, and for
        ``":memory:"``, the table is in memory. An existing table with the same schema is opened with its rows.
    name : str, optional
        Name of the table in its database, by default ``"table"``.
    beside : Table, optional
        Another table, in whose database this one is created, so that views of both run as one statement there. Given in
        place of `path`, and together with a `name`; the two tables share connections and are closed together.

    Raises
    ------
    SchemaError
        The schema is invalid, or a table of that name has another schema.
    TableError
        The file cannot be opened.

    Notes
    -----
    A table may be used by several threads, and a table in a file by several processes. Each call that writes is one
    transaction, and a call that raises changes nothing.

    Examples
    --------
    >>> trades = Table([("counterparty", str), ("quantity", float), ("price", float)])
    >>> trades.extend([
    ...     {"counterparty": "GS", "quantity": 1000, "price": 104.33},
    ...     {"counterparty": "JPM", "quantity": 500, "price": 104.33},
    ...     {"counterparty": "GS", "quantity": 300, "price": 12.95},
    ... ])
    3
    >>> totals = trades.aggregate("counterparty", {"quantity": "sum"}).order_by("counterparty")
    >>> list(totals)
    [{'counterparty': 'GS', 'quantity': 1300.0}, {'counterparty': 'JPM', 'quantity': 500.0}]
    """

    def __init__(
        self,
        schema: Schema | Iterable[tuple[str, Any]],
        path: FilePath | None = None,
        name: str | None = None,
        *,
        beside: Table | None = None,
    ) -> None:
        checked = Schema.of(schema)
        _refuse_hidden_rows(checked)
        table_name = checked_table_name("table" if name is None else name)
        if beside is not None and path is not None:
            raise SchemaError(f"path={path!r} and beside={beside!r} exclude each other: give one of them")
        if beside is not None and name is None:
            raise SchemaError(f"a table beside {beside!r} needs another name: give name=")
        self._database = _database_at(path) if beside is None else beside.database
        self._source = BaseTable(self._database, table_name, checked)
        self._block = block_of_table(self._source)
        with self._database.connection() as connection:
            exists = catalogue.exists(connection, table_name, checked)
        self._created = not exists and self._create()

    def _create(self) -> bool:
        # Checks again whether the table exists, as another process may just have created it.
        with self._database.write() as connection:
            return catalogue.create(connection, self.name, self.schema)

    @classmethod
    @guessable
    def open(cls, path: FilePath, name: str | None = None) -> Self:
        """Open an existing table of a file, with its stored schema.

        Parameters
        ----------
        path : path
            Path of a file with tables.
        name : str, optional
            Name of the table; may be omitted if the file has only one table.

        Raises
        ------
        TableError
            The file or table does not exist, or was written in another format.
        """
        if not Path(path).expanduser().is_file():
            raise TableError(f"there is no file {os.fspath(path)!r}: create the table with Table(schema, path, name)")
        with contextlib.closing(DiskDatabase(Path(path).expanduser())) as database, database.connection() as connection:
            names = catalogue.table_names(connection)
            wanted = names[0] if name is None and len(names) == 1 else name
            schema = None if wanted is None else catalogue.load(connection, wanted)
        if schema is None:
            raise TableError(
                f"{os.fspath(path)!r} has no table {name!r}: its tables are {', '.join(map(repr, names)) or 'none'}",
                name=name,
            )
        return cls(schema, path, wanted)

    @classmethod
    @guessable
    def from_rows(
        cls,
        schema: Schema | Iterable[tuple[str, Any]],
        rows: Iterable[Mapping[str, Any]],
        path: FilePath | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a table with the given rows; if a row is invalid, a table that was created for them is dropped."""
        table = cls(schema, path, name)
        try:
            table.extend(rows)
        except BaseException:
            if table._created:
                table.drop()
            table.close()
            raise
        return table

    @classmethod
    @guessable
    def from_csv(
        cls,
        source: FilePath,
        schema: Schema | Iterable[tuple[str, Any]],
        path: FilePath | None = None,
        name: str | None = None,
        *,
        null: str = "",
    ) -> Self:
        """Return a table with the rows of a CSV file.

        Parameters
        ----------
        source : path
            Path of a UTF-8 file whose header names the columns of `schema`, in any order.
        schema, path, name
            Schema, file and name of the new table, as for :class:`Table`.
        null : str
            Text that represents None in nullable columns.
        """
        checked = Schema.of(schema)
        return cls.from_rows(checked, csv_files.csv_rows(Path(source), checked, null), path, name)

    @classmethod
    @guessable
    def from_parquet(
        cls,
        source: FilePath,
        schema: Schema | Iterable[tuple[str, Any]] | None = None,
        path: FilePath | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a table with the rows of a Parquet file; by default the schema is that of the file."""
        checked = arrow.parquet_schema(Path(source)) if schema is None else Schema.of(schema)
        return cls.from_rows(checked, arrow.parquet_rows(Path(source)), path, name)

    @classmethod
    @guessable
    def from_pandas(
        cls,
        frame: pd.DataFrame,
        schema: Schema | Iterable[tuple[str, Any]] | None = None,
        path: FilePath | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a table with the rows of a data frame, missing values as None.

        Parameters
        ----------
        frame : pandas.DataFrame
            Data frame; index levels that have names become columns, others are left out.
        schema : sequence of (str, type), optional
            Column names and types, as for :class:`Table`; by default inferred from the values
            (:mod:`bank_python.mntable.frames`).
        path, name
            File and name of the table, as for :class:`Table`.

        Raises
        ------
        SchemaError
            It is not a data frame, the name of a column is not text, or a column has no values to infer a type from.
        ColumnTypeError
            A column mixes types, or a value does not have its column's type; the message names the column.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"price": [104.5, None]}, index=pd.Index(["GS", "JPM"], name="ticker"))
        >>> Table.from_pandas(frame).schema
        Schema(ticker: str, price: float | None)
        """
        columns = frames.FrameColumns(frame)
        checked = columns.schema() if schema is None else Schema.of(schema)
        return cls.from_rows(checked, columns.rows(checked), path, name)

    @classmethod
    @guessable
    def from_arrow(
        cls,
        data: Any,
        schema: Schema | Iterable[tuple[str, Any]] | None = None,
        path: FilePath | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a table with the rows of Arrow data, nulls as None.

        Parameters
        ----------
        data : pyarrow.Table, or object with an Arrow C stream
            Arrow table or record batch, or a frame that exports one, such as those of polars and DuckDB. NaN in a
            nullable column is None.
        schema : sequence of (str, type), optional
            Column names and types, as for :class:`Table`; by default those of `data`.
        path, name
            File and name of the table, as for :class:`Table`.

        Raises
        ------
        SchemaError
            The data are not Arrow data, or a column has a type that no table column has; the message names the column.
        ColumnTypeError
            A value does not have its column's type.

        Examples
        --------
        >>> import pyarrow as pa
        >>> Table.from_arrow(pa.table({"ticker": ["GS", "JPM"], "price": [104.5, None]})).schema
        Schema(ticker: str | None, price: float | None)
        """
        table = arrow.arrow_table(data)
        checked = arrow.schema_of(table.schema, "Arrow table") if schema is None else Schema.of(schema)
        return cls.from_rows(checked, arrow.arrow_rows(table, checked), path, name)

    @property
    def block(self) -> Block:
        """Logical plan that reads the table."""
        return self._block

    @property
    def database(self) -> Database:
        """Database that contains the table."""
        return self._database

    @property
    def name(self) -> str:
        """Name of the table in its database."""
        return self._source.name

    def in_order_added(self) -> View:
        """Return the rows in the order in which they were added; iterating the table does not guarantee that order."""
        key = SortKey(Fragment(rowid_of(self._source), (), INT), descending=False)
        return View(replace(self._block, order=(key,)))

    # --- writing ----------------------------------------------------------------------------------

    @guessable
    def extend(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Add rows in one transaction; if a row is invalid, none is added.

        Parameters
        ----------
        rows : iterable of mapping
            Rows as mappings of column names to values, read one at a time, so that a generator of any length takes
            constant memory. An int in a float column is converted; a nullable column may be omitted.

        Returns
        -------
        int
            Number of rows added.

        Raises
        ------
        SchemaError
            A row is not a mapping, lacks a column or has an unknown one.
        ColumnTypeError
            A value does not have the type of its column; ``error.row`` is the number of the row, from 1.
        """
        if isinstance(rows, Mapping) or not isinstance(rows, Iterable):
            raise SchemaError(f"extend takes rows, a list or generator of dicts, not {rows!r}: for one row use append")
        marks = ", ".join("?" for _ in self.schema)
        number = 0

        def encoded() -> Iterator[list[Any]]:
            nonlocal number
            for row in rows:
                number += 1
                yield self.schema.encode(row, number)

        with self._database.write(appending_to=self._source) as connection:
            connection.executemany(f"INSERT INTO main.{quote(self.name)} VALUES ({marks})", encoded())
        return number

    @guessable
    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        self.extend([row])

    @guessable
    def delete(self, *conditions: Expression, **equals: Any) -> int:
        """Delete the rows that satisfy all conditions, given as for :meth:`restrict`; return their number."""
        wanted = algebra.conditions_of(conditions, equals)
        bound = algebra.bind_conditions(wanted, self._block)
        where = " AND ".join(fragment.sql for fragment in bound)
        parameters = tuple(value for fragment in bound for value in fragment.parameters)
        with self._database.write() as connection:
            return connection.execute(f"DELETE FROM main.{quote(self.name)} WHERE {where}", parameters).rowcount

    @guessable
    def clear(self) -> int:
        """Delete all rows and return their number."""
        with self._database.write() as connection:
            return connection.execute(f"DELETE FROM main.{quote(self.name)}").rowcount

    @guessable
    def create_index(self, *columns: str) -> None:
        """Create an index of the given columns, in order of precedence; without effect if it exists."""
        names = algebra.column_list(columns, self._block, "create_index")
        if not names:
            raise SchemaError("create_index: no column is given: name at least one")
        index = quote(f"index {self.name}: {', '.join(map(quote, names))}")
        on = f"main.{quote(self.name)} ({', '.join(map(quote, names))})"
        with self._database.write() as connection:
            connection.execute(f"CREATE INDEX IF NOT EXISTS main.{index} ON {on.removeprefix('main.')}")

    def drop(self) -> None:
        """Drop the table from its database; it cannot be used afterwards."""
        with self._database.write() as connection:
            catalogue.drop(connection, self.name)

    # --- closing ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the database, also for other tables in it; tables in memory are lost."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _heading(self) -> str:
        return f"Table({self.name!r}: {', '.join(map(str, self.schema))})"


def _refuse_hidden_rows(schema: Schema) -> None:
    taken = {fold(name): name for name in schema.names}
    if set(ROWID_SPELLINGS) <= taken.keys():
        columns = [taken[spelling] for spelling in ROWID_SPELLINGS]
        raise SchemaError(
            f"columns {', '.join(map(repr, columns))} together hide SQLite's row numbers: rename one of them",
            column=columns[0],
        )


def _database_at(path: FilePath | None) -> Database:
    if path is None or path == ":memory:":
        return MemoryDatabase()
    if not os.fspath(path):
        raise SchemaError("path='' is not a file: leave path out for a table in memory")
    return DiskDatabase(Path(path).expanduser())

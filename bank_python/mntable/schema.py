"""Schemas of tables: named, typed columns in order.

:meth:`Schema.encode` validates a row: it must have exactly the declared keys, and every cell must have the type of its
column. The error for an invalid row gives the row, the column, the value and a remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bank_python.display import Record
from bank_python.errors import ColumnTypeError, SchemaError
from bank_python.guessing import guessable
from bank_python.mntable.column_types import ColumnType, parse_annotation, type_named
from bank_python.mntable.names import checked_name, fold, unknown_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Column", "Schema"]

# SQLite's limit on the number of columns of a table or a result (SQLITE_MAX_COLUMN).
MAX_COLUMNS = 2000


@dataclass(frozen=True, slots=True)
class Column(Record):
    """A column: its name, its type, and whether a cell may be None.

    Examples
    --------
    >>> str(Column.of("price", float | None))
    'price: float | None'
    """

    name: str
    type: ColumnType
    nullable: bool

    @classmethod
    def of(cls, name: str, annotation: Any) -> Column:
        """Return the column declared by `name` and `annotation`."""
        return cls(checked_name(name), *parse_annotation(annotation, name))

    @property
    def annotation(self) -> Any:
        """Type annotation of the column: ``float``, ``float | None`` and so on."""
        return self.type.python | None if self.nullable else self.type.python

    def __str__(self) -> str:
        return f"{self.name}: {self.type.name}{' | None' if self.nullable else ''}"


@guessable
@dataclass(frozen=True)
class Schema(Record):
    """Columns in order, with distinct names.

    Parameters
    ----------
    columns : tuple of Column
        Columns of the table, from 1 to 2000. Names that differ only in the case of the letters A to Z are equal in
        SQLite, and raise an error.

    Examples
    --------
    >>> Schema.of([("counterparty", str), ("quantity", float | None)])
    Schema(counterparty: str, quantity: float | None)
    """

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.columns) <= MAX_COLUMNS:
            raise SchemaError(f"a table or view has 1 to {MAX_COLUMNS} columns, not {len(self.columns)}")
        seen: dict[str, str] = {}
        for name in self.names:
            other = seen.setdefault(fold(name), name)
            if other is not name:
                raise SchemaError(f"column {name!r} clashes with {other!r}: rename one of them", column=name)
        if len(seen) < len(self.columns):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise SchemaError(f"there are two columns named {twice!r}: rename one of them", column=twice)

    @classmethod
    def of(cls, pairs: Schema | Iterable[tuple[str, Any]]) -> Schema:
        """Return the schema declared by (name, type) pairs; a schema is returned unchanged."""
        if isinstance(pairs, Schema):
            return pairs
        given: Any = pairs
        if isinstance(given, str | bytes) or not isinstance(given, Iterable):
            raise SchemaError(f"a schema is a sequence of (name, type) pairs, not {given!r}")
        columns = []
        for pair in given:
            if not isinstance(pair, tuple | list) or len(pair) != 2:  # noqa: PLR2004  (a pair has two members)
                raise SchemaError(f'a column must be declared by a pair such as ("price", float), not by {pair!r}')
            columns.append(Column.of(*pair))
        return cls(tuple(columns))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def _name_set(self) -> frozenset[str]:
        return frozenset(self.names)

    @cached_property
    def _encoders(self) -> tuple[tuple[str, bool, Callable[[Any], Any]], ...]:
        return tuple((column.name, column.nullable, column.type.encode) for column in self.columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise unknown_column(name, self.names)

    def __repr__(self) -> str:
        return f"Schema({', '.join(map(str, self.columns))})"

    def encode(self, row: Any, number: int) -> list[Any]:
        """Return the stored values of the cells of `row`.

        Parameters
        ----------
        row : mapping
            Cells by column name. A nullable column may be omitted and is then None.
        number : int
            Number of the row in the input, from 1, for error messages.

        Raises
        ------
        SchemaError
            The row is not a mapping, lacks a column or has an unknown one.
        ColumnTypeError
            A cell does not have the type of its column.
        """
        if not isinstance(row, Mapping):
            raise SchemaError(
                f"row {number} is {row!r} ({type(row).__name__}): give a dict of column name to value", row=number
            )
        if row.keys() != self._name_set:
            self._check_keys(row, number)
        cells: list[Any] = []
        for name, nullable, encode in self._encoders:
            value = row.get(name)
            if value is None and nullable:
                cells.append(None)
                continue
            try:
                cells.append(encode(value))
            except ColumnTypeError as error:
                raise _with_position(error, number, name) from None
        return cells

    def _check_keys(self, row: Mapping[Any, Any], number: int) -> None:
        for key in row:
            if key not in self._name_set:
                reason = unknown_column(key, self.names).message
                raise SchemaError(f"row {number}: {reason}", row=number, column=key, value=row[key])
        for column in self.columns:
            if column.name not in row and not column.nullable:
                raise SchemaError(
                    f"row {number} has no {column.name!r}: give it a value "
                    f"(only a column declared `{column.type.name} | None` may be omitted)",
                    row=number,
                    column=column.name,
                )

    def decoder(self) -> Callable[[Sequence[Any]], dict[str, Any]]:
        """Return a function that converts stored values to a row, a dictionary in column order."""
        names = self.names
        decoders = [(i, column.type.decode) for i, column in enumerate(self.columns) if column.type.decode is not None]

        def decode(stored: Sequence[Any]) -> dict[str, Any]:
            cells = list(stored)
            for position, decode_cell in decoders:
                if cells[position] is not None:
                    cells[position] = decode_cell(cells[position])
            return dict(zip(names, cells, strict=True))

        return decode

    def to_record(self) -> list[list[Any]]:
        """Return the schema in a form for JSON: a list of [name, type name, nullable]."""
        return [[column.name, column.type.name, column.nullable] for column in self.columns]

    @classmethod
    def from_record(cls, record: Any) -> Schema:
        """Return the schema from the form of :meth:`to_record`.

        Raises
        ------
        SchemaError
            The record is not in the form that this version of the library writes.
        """
        try:
            columns = [(name, type_named(kind), nullable) for name, kind, nullable in record]
        except (TypeError, ValueError):
            raise SchemaError(
                f"the stored schema {record!r} cannot be read: check that the file was written by this library"
            ) from None
        if any(kind is None or not isinstance(nullable, bool) for _, kind, nullable in columns):
            raise SchemaError(f"the stored schema {record!r} has a type that this version does not support: upgrade")
        return cls(tuple(Column(checked_name(n), kind, nullable) for n, kind, nullable in columns if kind is not None))


def _with_position(error: ColumnTypeError, number: int, column: str) -> ColumnTypeError:
    reason = error.message
    if error.value is None:
        reason = "None is not allowed: give a value, or declare the column with `| None`"
    return ColumnTypeError(f"row {number}, column {column!r}: {reason}", row=number, column=column, value=error.value)

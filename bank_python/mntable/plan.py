"""What a view is before it is SQL: blocks.

A :class:`Block` is one SELECT. It reads one source (a table, another block, a join, a union) and says which columns
come out, which rows are kept, how they are grouped, sorted and cut. Each operation of the algebra
(:mod:`~bank_python.mntable.algebra`) makes a new block of an old one: it adds to the old one's clauses where
SQL would mean the same, and otherwise puts the old one into the source of a new one (:func:`nest`).

Invariants:

- an output's fragment is written in terms of the source's columns;
- ``order`` is what the rows come out by, and it survives nesting: a sort key that is not among the outputs goes
  along as a hidden column, because SQL lets an outer SELECT forget an inner ORDER BY;
- a block that groups is not sorted, cut or made distinct before it is nested;
- the sort keys of a distinct block are functions of its outputs.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from bank_python.errors import SchemaError
from bank_python.mntable.expressions import Fragment
from bank_python.mntable.names import fold, quote, step_name
from bank_python.mntable.schema import Column, Schema

if TYPE_CHECKING:
    from bank_python.mntable.database import Database

__all__ = [
    "BaseTable",
    "Block",
    "Join",
    "JoinKind",
    "Nested",
    "Output",
    "Part",
    "SortKey",
    "Source",
    "Union",
    "block_of_table",
    "column_outputs",
    "databases_of",
    "inherited_outputs",
    "nest",
]

# A chain this long is better written into a table; compiling is recursive, and Python's stack is finite.
MAX_DEPTH = 150
# SQLite merges a step into its user by writing each column's expression wherever the column is read. Columns that are
# read twice at every step would double the statement each time, without end; from this weight on it may not.
MAX_WEIGHT = 64


class JoinKind(enum.Enum):
    """Which rows a join keeps."""

    INNER = "inner"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class BaseTable:
    """A stored table."""

    database: Database
    name: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Part:
    """A copy, made for one run, of rows that lie in another database."""

    name: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Nested:
    """A block as the source of another; if `materialized`, SQLite computes its rows once, before they are read."""

    block: Block
    materialized: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """Two blocks side by side, where the `on` columns are equal. They are called l and r in SQL."""

    left: Block
    right: Block
    on: tuple[str, ...]
    kind: JoinKind


@dataclass(frozen=True, slots=True)
class Union:
    """Blocks one below the other, of the same columns in the same order."""

    parts: tuple[Block, ...]
    keep_all: bool


Source = BaseTable | Part | Nested | Join | Union


@dataclass(frozen=True, slots=True)
class Output:
    """A column that comes out of a block."""

    name: str
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class SortKey:
    """A value to sort by, and the direction."""

    fragment: Fragment
    descending: bool


@dataclass(frozen=True)
class Block:
    """One SELECT; see the module's invariants.

    Parameters
    ----------
    source : Source
        Where the rows come from.
    outputs : tuple of Output
        The columns that come out.
    where : tuple of Fragment
        Conditions, all of which a row meets.
    group : tuple of Fragment or None
        What rows are grouped by; the empty tuple makes one group of all.
    order : tuple of SortKey
        What the rows are sorted by, the first key foremost.
    distinct : bool
        Equal rows come out once.
    limit : tuple of (int, int) or None
        How many rows come out, after how many left out.
    """

    source: Source
    outputs: tuple[Output, ...]
    where: tuple[Fragment, ...] = ()
    group: tuple[Fragment, ...] | None = None
    order: tuple[SortKey, ...] = ()
    distinct: bool = False
    limit: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        _ = self.schema  # made at once, because it refuses two columns of one name
        if self.depth > MAX_DEPTH:
            raise SchemaError(
                f"this view nests more than {MAX_DEPTH} steps that cannot be merged: "
                "write an intermediate result into a table (Table.from_rows) and go on from there"
            )

    @cached_property
    def schema(self) -> Schema:
        """The outputs' names and types."""
        return Schema(tuple(Column(o.name, o.fragment.type, o.fragment.nullable) for o in self.outputs))

    @cached_property
    def scope(self) -> dict[str, Fragment]:
        """The columns that come out, by name, as expressions are bound to them."""
        return {output.name: output.fragment for output in self.outputs}

    @cached_property
    def inner(self) -> tuple[Block, ...]:
        """The blocks in the source."""
        match self.source:
            case Nested(block):
                return (block,)
            case Join(left, right):
                return (left, right)
            case Union(parts):
                return parts
            case BaseTable() | Part():
                return ()

    @cached_property
    def depth(self) -> int:
        """How many blocks lie one within another here."""
        return 1 + max((block.depth for block in self.inner), default=0)

    @property
    def passes_through(self) -> bool:
        """Whether it only hands on columns of its source under their own names."""
        clauses = self.where or self.order or self.distinct or self.limit or self.group is not None
        return not clauses and all(output.fragment.sql == quote(output.name) for output in self.outputs)


def column_outputs(schema: Schema) -> tuple[Output, ...]:
    """Return the outputs that hand on each column of a source with this schema."""
    return tuple(
        Output(column.name, Fragment(quote(column.name), (), column.type, column.nullable, plain=True))
        for column in schema
    )


def inherited_outputs(block: Block, *, materialized: bool = False) -> tuple[Output, ...]:
    """Return the outputs that pass each column of `block` through; the weights are kept unless it is `materialized`."""
    weights = [1 if materialized else output.fragment.weight for output in block.outputs]
    return tuple(
        Output(output.name, replace(output.fragment, sql=quote(step_name(output.name)), weight=weight))
        for output, weight in zip(column_outputs(block.schema), weights, strict=True)
    )


def block_of_table(table: BaseTable) -> Block:
    """Return the block that reads all of `table`."""
    return Block(table, column_outputs(table.schema))


def nest(block: Block) -> Block:
    """Return a block that reads all of `block`, in the same order, and has no clauses of its own yet."""
    by_sql = {(o.fragment.sql, o.fragment.parameters): o.name for o in block.outputs}
    hidden: list[Output] = []
    order = []
    for key in block.order:
        name = by_sql.get((key.fragment.sql, key.fragment.parameters))
        if name is None:
            name = _unused_name(block, len(hidden))
            hidden.append(Output(name, key.fragment.as_value()))
        carried = replace(key.fragment, sql=quote(step_name(name)), parameters=(), plain=True, loose=False)
        order.append(SortKey(carried, key.descending))
    # Within the cut the order decides which rows come out; without one it would only be sorted twice.
    inner = replace(block, outputs=block.outputs + tuple(hidden), order=block.order if block.limit else ())
    heavy = any(output.fragment.weight > MAX_WEIGHT for output in block.outputs)
    return Block(Nested(inner, materialized=heavy), inherited_outputs(block, materialized=heavy), order=tuple(order))


def _unused_name(block: Block, number: int) -> str:
    taken = {fold(output.name) for output in block.outputs}
    name = f"order_{number}"
    while name in taken:
        name += "_"
    return name


def databases_of(block: Block) -> dict[str, Database]:
    """Return the databases that `block` reads, by their keys."""
    if isinstance(block.source, BaseTable):
        return {block.source.database.key: block.source.database}
    found: dict[str, Database] = {}
    for inner in block.inner:
        found.update(databases_of(inner))
    return found

"""The logical plan of a view: blocks.

A :class:`Block` is one SELECT. It reads one source (a table, another block, a join, a union) and specifies the output
columns, the conditions, the grouping, the order and the limit. Each operation of the algebra
(:mod:`~bank_python.mntable.algebra`) derives a new block: it extends the clauses of the given block if the meaning in
SQL is the same, and otherwise makes that block the source of a new one (:func:`nest`).

Invariants:

- the fragment of an output refers to the columns of the source;
- ``order`` is the order of the resulting rows, and is preserved by nesting: a sort key that is not among the outputs is
  added as a hidden column, because SQL does not preserve the ORDER BY of an inner SELECT;
- a block with a grouping is nested before it is sorted, limited or made distinct;
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

# Maximum nesting depth, as compilation is recursive and Python's stack is finite.
MAX_DEPTH = 150
# SQLite merges a step into its user by repeating the expression of a column wherever the column is read. If columns are
# read twice at every step, the size of the statement doubles each time; above this weight a step is materialized.
MAX_WEIGHT = 64


class JoinKind(enum.Enum):
    """Kind of a join."""

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
    """A copy, made for one run, of rows from another database."""

    name: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Nested:
    """A block as the source of another; if `materialized`, SQLite computes its rows once, before they are read."""

    block: Block
    materialized: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """A join of two blocks where the `on` columns are equal; their SQL aliases are l and r."""

    left: Block
    right: Block
    on: tuple[str, ...]
    kind: JoinKind


@dataclass(frozen=True, slots=True)
class Union:
    """A union of blocks with the same columns in the same order."""

    parts: tuple[Block, ...]
    keep_all: bool


Source = BaseTable | Part | Nested | Join | Union


@dataclass(frozen=True, slots=True)
class Output:
    """An output column of a block."""

    name: str
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class SortKey:
    """A value to sort by, and its direction."""

    fragment: Fragment
    descending: bool


@dataclass(frozen=True)
class Block:
    """The plan of one SELECT; the module docstring lists its invariants.

    Parameters
    ----------
    source : Source
        Source of the rows: a table, a block, a join or a union.
    outputs : tuple of Output
        Output columns.
    where : tuple of Fragment
        Conditions, all of which a row has to satisfy.
    group : tuple of Fragment or None
        Values to group rows by; an empty tuple makes one group of all rows, None means no grouping.
    order : tuple of SortKey
        Sort keys of the rows, in order of precedence.
    distinct : bool
        Whether duplicate rows are removed.
    limit : tuple of (int, int) or None
        Maximum number of rows, and number of rows to skip before them.
    """

    source: Source
    outputs: tuple[Output, ...]
    where: tuple[Fragment, ...] = ()
    group: tuple[Fragment, ...] | None = None
    order: tuple[SortKey, ...] = ()
    distinct: bool = False
    limit: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        _ = self.schema  # built here, as it raises for two columns of one name
        if self.depth > MAX_DEPTH:
            raise SchemaError(
                f"this view nests more than {MAX_DEPTH} steps that cannot be merged: "
                "write an intermediate result into a table (Table.from_rows) and continue from there"
            )

    @cached_property
    def schema(self) -> Schema:
        """Names and types of the outputs."""
        return Schema(tuple(Column(o.name, o.fragment.type, o.fragment.nullable) for o in self.outputs))

    @cached_property
    def scope(self) -> dict[str, Fragment]:
        """Fragments of the output columns by name, to which expressions are bound."""
        return {output.name: output.fragment for output in self.outputs}

    @cached_property
    def inner(self) -> tuple[Block, ...]:
        """Blocks in the source."""
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
        """Nesting depth of blocks, including this one."""
        return 1 + max((block.depth for block in self.inner), default=0)

    @property
    def passes_through(self) -> bool:
        """Whether the block only selects columns of its source under their own names."""
        clauses = self.where or self.order or self.distinct or self.limit or self.group is not None
        return not clauses and all(output.fragment.sql == quote(output.name) for output in self.outputs)


def column_outputs(schema: Schema) -> tuple[Output, ...]:
    """Return outputs that select each column of a source with this schema."""
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
    """Return a block that reads all of `block`, in the same order, and has no further clauses."""
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
    # With a limit the inner order determines the rows; without one the inner sort would be superfluous.
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
    """Return the databases that `block` reads, by key."""
    if isinstance(block.source, BaseTable):
        return {block.source.database.key: block.source.database}
    found: dict[str, Database] = {}
    for inner in block.inner:
        found.update(databases_of(inner))
    return found

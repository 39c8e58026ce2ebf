"""Execution of blocks, in the database of their tables or, for tables in several databases, in a scratch database.

A statement runs in one database. If a view combines tables of several databases, each of its largest parts that reads a
single database runs there, and its rows are copied to a temporary table of a scratch database (which spills to disk
when it grows), in which the remaining part of the view runs. The rows are copied for each run, after the restrictions
of the part, so the result is always current, at the cost of reading the parts. Tables that are often joined should be
in one database.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bank_python.mntable import catalogue
from bank_python.mntable.compiler import compile_block, counted, explained
from bank_python.mntable.database import CHUNK, connect, transaction, translated_errors
from bank_python.mntable.names import quote
from bank_python.mntable.plan import BaseTable, Block, Join, Nested, Part, Union, column_outputs, databases_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from bank_python.mntable.statement import Horizon, Statement

__all__ = ["count", "explain", "rows", "statement_of"]


def rows(block: Block) -> Iterator[tuple[Any, ...]]:
    """Yield the stored rows of `block`, in constant memory."""
    return _run(block, lambda statement: statement)


def count(block: Block) -> int:
    """Return the number of rows of `block`."""
    ((number,),) = _run(block, counted)
    return int(number)


def explain(block: Block) -> str:
    """Return SQLite's query plan for `block`, one line per step, indented by level."""
    depth = {0: -1}
    lines = []
    for number, parent, _, detail in _run(block, explained):
        depth[number] = depth.get(parent, -1) + 1
        lines.append(f"{'  ' * depth[number]}{detail}")
    return "\n".join(lines)


def statement_of(block: Block) -> Statement:
    """Return the statement that is executed for `block`."""
    if len(databases_of(block)) == 1:
        return compile_block(block)
    return compile_block(_localised(block, []))


def _run(block: Block, shape: Callable[[Statement], Statement]) -> Iterator[tuple[Any, ...]]:
    def query(horizon: Horizon | None) -> Statement:
        return shape(compile_block(block, horizon))

    databases = list(databases_of(block).values())
    return databases[0].read(query) if len(databases) == 1 else _run_in_scratch(block, shape)


def _run_in_scratch(block: Block, shape: Callable[[Statement], Statement]) -> Iterator[tuple[Any, ...]]:
    parts: list[Block] = []
    statement = shape(compile_block(_localised(block, parts)))
    # For an empty name SQLite creates a private database, in memory while it is small and then on disk.
    with contextlib.closing(connect("")) as scratch:
        with translated_errors("in a scratch database"), transaction(scratch):
            for number, part in enumerate(parts):
                _copy(part, scratch, _part_name(number))
        with translated_errors("in a scratch database"):
            cursor = scratch.execute(statement.sql, statement.parameters)
        while True:
            with translated_errors("in a scratch database"):
                fetched = cursor.fetchmany(CHUNK)
            if not fetched:
                return
            yield from fetched


def _part_name(number: int) -> str:
    return f"part_{number + 1}"


def _copy(part: Block, scratch: sqlite3.Connection, name: str) -> None:
    catalogue.create(scratch, name, part.schema)
    marks = ", ".join("?" for _ in part.schema)
    scratch.executemany(f"INSERT INTO main.{quote(name)} VALUES ({marks})", rows(part))


def _localised(block: Block, parts: list[Block]) -> Block:
    """Return `block` with its largest single-database parts replaced by copies; the parts are added to `parts`."""
    if len(databases_of(block)) == 1:
        parts.append(block)
        copy = Part(_part_name(len(parts) - 1), block.schema)
        return Block(copy, column_outputs(block.schema))
    match block.source:
        case Nested(inner, materialized):
            return replace(block, source=Nested(_localised(inner, parts), materialized))
        case Join(left, right, on, kind):
            return replace(block, source=Join(_localised(left, parts), _localised(right, parts), on, kind))
        case Union(union_parts, keep_all):
            return replace(block, source=Union(tuple(_localised(part, parts) for part in union_parts), keep_all))
        case BaseTable() | Part():
            return block

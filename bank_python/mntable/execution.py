"""Running a block: in the database its tables lie in, or, when they lie in several, in a scratch one.

A statement runs in one database. Where a view joins or unites tables of several, each largest part that reads a
single database runs there, its rows go into a temporary table of a scratch database (which spills to disk when
it grows), and the rest of the view runs there. The copy is made anew for each run, after the part's own restrictions,
so it is right, and costs as much as reading the parts. Tables often joined belong in one database.
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
    """Yield the rows of `block` as SQLite keeps them, in constant memory."""
    return _run(block, lambda statement: statement)


def count(block: Block) -> int:
    """Return the number of rows of `block`."""
    ((number,),) = _run(block, counted)
    return int(number)


def explain(block: Block) -> str:
    """Return SQLite's plan for `block`, a line a step, indented by what belongs to what."""
    depth = {0: -1}
    lines = []
    for number, parent, _, detail in _run(block, explained):
        depth[number] = depth.get(parent, -1) + 1
        lines.append(f"{'  ' * depth[number]}{detail}")
    return "\n".join(lines)


def statement_of(block: Block) -> Statement:
    """Return the statement that running `block` amounts to."""
    if len(databases_of(block)) == 1:
        return compile_block(block)
    return compile_block(_localised(block, []))


def _run(block: Block, shape: Callable[[Statement], Statement]) -> Iterator[tuple[Any, ...]]:
    def query(horizon: Horizon | None) -> Statement:
        return shape(compile_block(block, horizon))

    homes = list(databases_of(block).values())
    return homes[0].read(query) if len(homes) == 1 else _run_in_scratch(block, shape)


def _run_in_scratch(block: Block, shape: Callable[[Statement], Statement]) -> Iterator[tuple[Any, ...]]:
    parts: list[Block] = []
    statement = shape(compile_block(_localised(block, parts)))
    # The empty name is SQLite's for a private database that lives in memory while small, then on disk.
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
    """Return `block` over copies of its largest single-database parts, which are added to `parts`."""
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

"""Blocks to one SQL statement.

Every nested block becomes a named step of a WITH clause. Steps read top to bottom like the chain of operations that
made them, and keep the statement flat: SELECTs nested in one another overflow SQLite's parser before the
twentieth. A step used once costs nothing, since SQLite merges it into its user as it would a nested SELECT.
Stored tables are written ``main."name"``, which no step's name can hide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.mntable.names import quote, step_name
from bank_python.mntable.plan import BaseTable, Block, Join, JoinKind, Nested, Part, Union
from bank_python.mntable.statement import Statement, rowid_of

if TYPE_CHECKING:
    from bank_python.mntable.statement import Horizon

__all__ = ["compile_block", "counted", "explained"]


def compile_block(block: Block, horizon: Horizon | None = None) -> Statement:
    """Return the statement that reads `block`.

    Parameters
    ----------
    block : Block
        What to read.
    horizon : callable, optional
        Gives, for a stored table, the last row number to be read: rows added later stay out.
    """
    return _Compiler(horizon).whole(block)


def counted(statement: Statement) -> Statement:
    """Return the statement that counts the rows of `statement`."""
    return Statement(f"SELECT count(*) FROM ({statement.sql})", statement.parameters)


def explained(statement: Statement) -> Statement:
    """Return the statement that asks SQLite for its plan."""
    return Statement(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters)


class _Compiler:
    """One statement in the making."""

    def __init__(self, horizon: Horizon | None) -> None:
        self._horizon = horizon
        self._steps: list[tuple[str, Statement]] = []
        # By identity: a block used twice, as in a join of a view with itself, is one step.
        self._names: dict[int, str] = {}

    def whole(self, block: Block) -> Statement:
        body = self._select(block, outermost=True)
        if not self._steps:
            return body
        steps = ", ".join(f"{name} AS {step.sql}" for name, step in self._steps)
        parameters = tuple(value for _, step in self._steps for value in step.parameters)
        return Statement(f"WITH {steps} {body.sql}", parameters + body.parameters)

    def _select(self, block: Block, *, outermost: bool = False) -> Statement:
        source = self._source(block)
        fragments = [output.fragment for output in block.outputs]
        names = [output.name if outermost else step_name(output.name) for output in block.outputs]
        columns = ", ".join(_named(fragment.sql, name) for fragment, name in zip(fragments, names, strict=True))
        clauses = [f"SELECT {'DISTINCT ' if block.distinct else ''}{columns} FROM {source}"]
        conditions = [fragment.sql for fragment in block.where]
        values = [value for fragment in (*fragments, *block.where) for value in fragment.parameters]
        if self._horizon is not None and isinstance(block.source, BaseTable):
            # The + keeps the planner from choosing the row number over a useful index.
            conditions.append(f"+{rowid_of(block.source)} <= ?")
            values.append(self._horizon(block.source))
        if conditions:
            clauses.append(f"WHERE {' AND '.join(conditions)}")
        if block.group:
            clauses.append(f"GROUP BY {', '.join(key.sql for key in block.group)}")
            values += [value for key in block.group for value in key.parameters]
        if block.order:
            keys = (f"{key.fragment.sql}{' DESC' if key.descending else ''}" for key in block.order)
            clauses.append(f"ORDER BY {', '.join(keys)}")
            values += [value for key in block.order for value in key.fragment.parameters]
        if block.limit:
            clauses.append("LIMIT ? OFFSET ?")
            values += block.limit
        return Statement(" ".join(clauses), tuple(values))

    def _source(self, block: Block) -> str:
        match block.source:
            case BaseTable(name=name) | Part(name=name):
                return f"main.{quote(name)}"
            case Nested(inner, settled):
                return self._step(inner, settled=settled)
            case Join(left, right, on, kind):
                verb = {JoinKind.INNER: "JOIN", JoinKind.LEFT: "LEFT JOIN"}[kind]
                meet = " AND ".join(f"l.{name} = r.{name}" for name in map(quote, map(step_name, on)))
                return f"{self._side(left)} AS l {verb} {self._side(right)} AS r ON {meet}"
            case Union(parts, keep_all):
                return self._union(block, parts, keep_all=keep_all)

    def _side(self, block: Block) -> str:
        """Return a side of a join: the stored table itself where the block adds nothing to it."""
        same_names = all(step_name(name) == name for name in block.schema.names)
        if isinstance(block.source, BaseTable) and block.passes_through and same_names and self._horizon is None:
            return f"main.{quote(block.source.name)}"
        return self._step(block)

    def _union(self, block: Block, parts: tuple[Block, ...], *, keep_all: bool) -> str:
        selects = []
        for part in parts:
            if part.order or part.limit:
                # Only the last SELECT of a compound may sort or cut, so such a part is a step of its own.
                names = ", ".join(quote(step_name(name)) for name in part.schema.names)
                selects.append(Statement(f"SELECT {names} FROM {self._step(part)}", ()))
            else:
                selects.append(self._select(part))
        verb = " UNION ALL " if keep_all else " UNION "
        values = tuple(value for select in selects for value in select.parameters)
        return self._add(id(block.source), Statement(verb.join(select.sql for select in selects), values))

    def _step(self, block: Block, *, settled: bool = False) -> str:
        return self._names.get(id(block)) or self._add(id(block), self._select(block), settled=settled)

    def _add(self, identity: int, statement: Statement, *, settled: bool = False) -> str:
        name = self._names[identity] = f"step_{len(self._steps) + 1}"
        how = "MATERIALIZED " if settled else ""
        self._steps.append((name, Statement(f"{how}({statement.sql})", statement.parameters)))
        return name


def _named(sql: str, name: str) -> str:
    return sql if sql == quote(name) else f"{sql} AS {quote(name)}"

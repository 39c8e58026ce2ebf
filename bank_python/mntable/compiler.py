"""Compilation of blocks to one SQL statement.

Every nested block becomes a common table expression, a named step of a WITH clause. The steps are in the order of the
operations, and keep the statement flat: fewer than twenty SELECTs nested in one another overflow SQLite's parser. A
step used once has no cost, since SQLite merges it into the SELECT that reads it, like a subquery. Stored tables are
written ``main."name"``, which the name of a step cannot hide.
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
        Block to compile.
    horizon : callable, optional
        Function that returns the last row number to read from a stored table, which excludes rows added later.
    """
    return _Compiler(horizon).whole(block)


def counted(statement: Statement) -> Statement:
    """Return the statement that counts the rows of `statement`."""
    return Statement(f"SELECT count(*) FROM ({statement.sql})", statement.parameters)


def explained(statement: Statement) -> Statement:
    """Return the statement that returns SQLite's query plan."""
    return Statement(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters)


class _Compiler:
    """Compiler of one statement: collects the steps of its WITH clause."""

    def __init__(self, horizon: Horizon | None) -> None:
        self._horizon = horizon
        self._steps: list[tuple[str, Statement]] = []
        # By identity, so that a block used twice, as in a self-join, is one step.
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
            # The + prevents the planner from using the row number instead of a better index.
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
            case Nested(inner, materialized):
                return self._step(inner, materialized=materialized)
            case Join(left, right, on, kind):
                verb = {JoinKind.INNER: "JOIN", JoinKind.LEFT: "LEFT JOIN"}[kind]
                condition = " AND ".join(f"l.{name} = r.{name}" for name in map(quote, map(step_name, on)))
                return f"{self._side(left)} AS l {verb} {self._side(right)} AS r ON {condition}"
            case Union(parts, keep_all):
                return self._union(block, parts, keep_all=keep_all)

    def _side(self, block: Block) -> str:
        """Return one side of a join: the stored table itself if the block only passes its columns through."""
        same_names = all(step_name(name) == name for name in block.schema.names)
        if isinstance(block.source, BaseTable) and block.passes_through and same_names and self._horizon is None:
            return f"main.{quote(block.source.name)}"
        return self._step(block)

    def _union(self, block: Block, parts: tuple[Block, ...], *, keep_all: bool) -> str:
        selects = []
        for part in parts:
            if part.order or part.limit:
                # Only a whole compound may have ORDER BY or LIMIT, so such a part becomes a step.
                names = ", ".join(quote(step_name(name)) for name in part.schema.names)
                selects.append(Statement(f"SELECT {names} FROM {self._step(part)}", ()))
            else:
                selects.append(self._select(part))
        verb = " UNION ALL " if keep_all else " UNION "
        values = tuple(value for select in selects for value in select.parameters)
        return self._add(id(block.source), Statement(verb.join(select.sql for select in selects), values))

    def _step(self, block: Block, *, materialized: bool = False) -> str:
        return self._names.get(id(block)) or self._add(id(block), self._select(block), materialized=materialized)

    def _add(self, identity: int, statement: Statement, *, materialized: bool = False) -> str:
        name = self._names[identity] = f"step_{len(self._steps) + 1}"
        how = "MATERIALIZED " if materialized else ""
        self._steps.append((name, Statement(f"{how}({statement.sql})", statement.parameters)))
        return name


def _named(sql: str, name: str) -> str:
    return sql if sql == quote(name) else f"{sql} AS {quote(name)}"

"""The view algebra: each operation makes a new block of one or two old ones.

Names and types are checked here, when a view is made, not when it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bank_python.errors import ColumnTypeError, SchemaError
from bank_python.mntable.aggregates import aggregate_named
from bank_python.mntable.column_types import BOOL
from bank_python.mntable.expressions import Expression, Fragment, Ordering, as_expression, col
from bank_python.mntable.names import checked_name, fold, unknown_column
from bank_python.mntable.plan import Block, Join, JoinKind, Output, SortKey, Union, handed_on, nest

__all__ = [
    "aggregate",
    "bind_conditions",
    "column_list",
    "compute",
    "conditions_of",
    "distinct",
    "join",
    "limit",
    "order_by",
    "project",
    "rename",
    "restrict",
    "union",
]


def column_list(columns: Any, block: Block, what: str) -> tuple[str, ...]:
    """Return one column name or several as a tuple, each of them known and none twice."""
    names = (columns,) if isinstance(columns, str) else columns
    if not isinstance(names, Iterable):
        raise SchemaError(f"{what} takes a column name or a sequence of them, not {columns!r}")
    names = tuple(names)
    for name in names:
        if not isinstance(name, str) or name not in block.scope:
            raise unknown_column(name, block.scope)
    if len(set(names)) < len(names):
        raise SchemaError(f"{what} was given a column twice: {', '.join(map(repr, names))}")
    return names


def conditions_of(conditions: tuple[Any, ...], equals: Mapping[str, Any]) -> tuple[Expression, ...]:
    """Return positional conditions and ``name=value`` pairs as conditions, at least one."""
    for condition in conditions:
        if not isinstance(condition, Expression):
            raise SchemaError(f'{condition!r} is no condition: write col("price") > 100, or price=100 for equality')
    found = conditions + tuple(col(name) == value for name, value in equals.items())
    if not found:
        raise SchemaError('no condition was given: write e.g. restrict(col("price") > 100, counterparty="GS")')
    return found


def bind_conditions(conditions: tuple[Expression, ...], block: Block) -> tuple[Fragment, ...]:
    """Return the conditions over the columns of `block`."""
    bound = tuple(condition.bind(block.scope) for condition in conditions)
    for condition, fragment in zip(conditions, bound, strict=True):
        if fragment.type is not BOOL:
            raise ColumnTypeError(
                f"{condition!r} is a {fragment.type.name}, not a condition: compare it with something", value=condition
            )
    return bound


def _ready(block: Block, expressions: Iterable[Expression]) -> Block:
    """Return `block`, nested if a column that `expressions` read is computed: no work is written twice."""
    read = frozenset().union(*(expression.columns() for expression in expressions))
    computed = any(name in block.scope and not block.scope[name].plain for name in read)
    return nest(block) if computed or block.group is not None else block


def restrict(block: Block, conditions: tuple[Any, ...], equals: Mapping[str, Any]) -> Block:
    """Keep the rows that meet every condition."""
    wanted = conditions_of(conditions, equals)
    ready = _ready(block, wanted)
    if ready.limit:
        ready = nest(ready)
    return replace(ready, where=ready.where + bind_conditions(wanted, ready))


def project(block: Block, columns: tuple[Any, ...]) -> Block:
    """Keep some columns, in the order given."""
    if not columns:
        raise SchemaError("project was given no column: name at least one")
    names = column_list(columns, block, "project")
    ready = nest(block) if block.distinct else block
    return replace(ready, outputs=tuple(Output(name, ready.scope[name]) for name in names))


def compute(block: Block, expressions: Mapping[str, Any]) -> Block:
    """Add computed columns; one that has the name of an old one takes its place."""
    if not expressions:
        raise SchemaError('compute was given nothing: write e.g. compute(value=col("quantity") * col("price"))')
    wanted = {checked_name(name): as_expression(value) for name, value in expressions.items()}
    ready = _ready(block, wanted.values())
    if ready.distinct:
        ready = nest(ready)
    new = {name: expression.bind(ready.scope).settled() for name, expression in wanted.items()}
    kept = [Output(o.name, new.pop(o.name, o.fragment)) for o in ready.outputs]
    return replace(ready, outputs=tuple(kept) + tuple(Output(name, fragment) for name, fragment in new.items()))


def rename(block: Block, names: Mapping[str, Any]) -> Block:
    """Give columns new names."""
    if not names:
        raise SchemaError('rename was given nothing: write e.g. rename(price="clean_price")')
    column_list(names, block, "rename")
    new = {old: checked_name(name) for old, name in names.items()}
    return replace(block, outputs=tuple(Output(new.get(o.name, o.name), o.fragment) for o in block.outputs))


def join(left: Block, right: Block, on: Any, how: str) -> Block:
    """Put rows side by side where the `on` columns are equal."""
    names = column_list(on, left, "join(on=...)")
    column_list(names, right, "join(on=...)")
    if not names:
        raise SchemaError("join was given no column to join on: name at least one that both sides have")
    kinds = {kind.value: kind for kind in JoinKind}
    if how not in kinds:
        raise SchemaError(f"join(how={how!r}) is not known: use one of {', '.join(map(repr, kinds))}")
    _check_joinable(left, right, names)
    kind = kinds[how]
    lefts = (_side(output, "l", nullable=False) for output in handed_on(left))
    others = (output for output in handed_on(right) if output.name not in names)
    rights = (_side(output, "r", nullable=kind is JoinKind.LEFT) for output in others)
    return Block(Join(left, right, names, kind), (*lefts, *rights))


def _check_joinable(left: Block, right: Block, names: tuple[str, ...]) -> None:
    for name in names:
        here, there = left.scope[name].type, right.scope[name].type
        if here.family != there.family:
            raise ColumnTypeError(
                f"join on {name!r} compares {here.name} with {there.name}: both sides need one type", column=name
            )
    lefts = {fold(output.name): output.name for output in left.outputs}
    both = [output.name for output in right.outputs if output.name not in names and fold(output.name) in lefts]
    if both:
        raise SchemaError(
            f"both sides of the join have a column {both[0]!r}: rename it on one side first, "
            f"e.g. other.rename(**{{{both[0]!r}: {both[0] + '_right'!r}}}), or join on it",
            column=both[0],
        )


def _side(output: Output, alias: str, *, nullable: bool) -> Output:
    fragment = output.fragment
    return Output(output.name, replace(fragment, sql=f"{alias}.{fragment.sql}", nullable=fragment.nullable or nullable))


def aggregate(block: Block, by: Any, functions: Any) -> Block:
    """Make one row of each group of rows."""
    keys = column_list(by, block, "aggregate(by)")
    if not isinstance(functions, Mapping) or not functions:
        raise SchemaError(
            f'aggregate needs a dict of column to function, e.g. {{"quantity": "sum"}}, not {functions!r}: '
            "for the groups alone, use project(...).distinct()"
        )
    wanted = [_measure(name, spec) for name, spec in functions.items()]
    for name, column, _ in wanted:
        if column not in block.scope:
            raise unknown_column(column, block.scope)
        if name in keys:
            raise SchemaError(
                f'aggregate makes a column {name!r}, by which it groups: name it, e.g. {{"n": ({name!r}, "count")}}',
                column=name,
            )
    ready = _ready(block, [col(name) for name in (*keys, *(column for _, column, _ in wanted))])
    if ready.limit or ready.distinct:
        ready = nest(ready)
    outputs = [Output(key, ready.scope[key]) for key in keys]
    for name, column, function in wanted:
        fragment = ready.scope[column]
        known = aggregate_named(function, column, fragment)
        outputs.append(Output(name, known.apply(fragment, may_be_empty=not keys)))
    group = tuple(ready.scope[key] for key in keys)
    return replace(ready, outputs=tuple(outputs), group=group, order=())


def _measure(name: Any, spec: Any) -> tuple[str, Any, Any]:
    """Return (name, column, function) of ``name: function`` or ``name: (column, function)``."""
    if isinstance(spec, tuple | list):
        if len(spec) != 2:  # noqa: PLR2004  (a column and a function)
            raise SchemaError(f'{name!r}: {spec!r} is no (column, function) pair such as ("quantity", "sum")')
        return checked_name(name), spec[0], spec[1]
    return checked_name(name), name, spec


def order_by(block: Block, keys: tuple[Any, ...]) -> Block:
    """Sort the rows; rows equal by these keys stay sorted as they were."""
    if not keys:
        raise SchemaError('order_by was given no key: write e.g. order_by("counterparty", "-price")')
    orderings = [_ordering(key) for key in keys]
    ready = _ready(block, [ordering.expression for ordering in orderings])
    if ready.limit:
        ready = nest(ready)
    new = tuple(SortKey(o.expression.bind(ready.scope).settled(), o.descending) for o in orderings)
    return replace(ready, order=new + ready.order)


def _ordering(key: Any) -> Ordering:
    match key:
        case Ordering():
            return key
        case Expression():
            return key.ascending()
        case str() if key.startswith("-"):
            return col(key[1:]).descending()
        case _:
            return col(key).ascending()


def distinct(block: Block) -> Block:
    """Keep one of several equal rows; the order stays as far as its columns are still there."""
    ready = nest(block) if block.limit or block.group is not None else block
    visible = {(o.fragment.sql, o.fragment.parameters) for o in ready.outputs}
    kept: list[SortKey] = []
    for key in ready.order:
        if not ready.distinct and (key.fragment.sql, key.fragment.parameters) not in visible:
            break
        kept.append(key)
    return replace(ready, distinct=True, order=tuple(kept))


def limit(block: Block, count: Any, offset: Any) -> Block:
    """Keep the first `count` rows after `offset`."""
    for what, number in (("limit", count), ("offset", offset)):
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**63:
            raise SchemaError(f"{what}={number!r} is no row count: give an int, 0 or more", value=number)
    ready = nest(block) if block.limit or block.group is not None else block
    return replace(ready, limit=(count, offset))


def union(first: Block, second: Block, *, keep_all: bool) -> Block:
    """Put rows one below the other; columns are matched by name."""
    if set(first.schema.names) != set(second.schema.names):
        odd = sorted(set(first.schema.names) ^ set(second.schema.names))
        raise SchemaError(f"a union needs the same columns on both sides, and one side lacks {odd}: project or rename")
    second = project(second, first.schema.names)
    for here, there in zip(first.schema, second.schema, strict=True):
        if here.type is not there.type:
            raise ColumnTypeError(
                f"union of column {here.name!r}: {here.type.name} with {there.type.name}; both sides need one type",
                column=here.name,
            )
    parts: tuple[Block, ...] = (first,)
    if isinstance(first.source, Union) and first.source.keep_all and keep_all and first.passes_through:
        # Kept flat, a union of many tables is one compound statement and not a tower of them.
        parts = tuple(project(part, first.schema.names) for part in first.source.parts)
    outputs = tuple(
        Output(one.name, replace(one.fragment, nullable=one.fragment.nullable or two.fragment.nullable))
        for one, two in zip(handed_on(first), second.outputs, strict=True)
    )
    return Block(Union((*parts, second), keep_all), outputs)

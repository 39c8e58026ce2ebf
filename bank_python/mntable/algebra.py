"""The view algebra: each operation returns a new block derived from one or two existing blocks.

Names and types are checked here, when a view is created, not when it is evaluated.
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
from bank_python.mntable.plan import Block, Join, JoinKind, Output, SortKey, Union, inherited_outputs, nest

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
    """Return one or several column names as a tuple, after checking that each exists and none is repeated."""
    names = (columns,) if isinstance(columns, str) else columns
    if not isinstance(names, Iterable):
        raise SchemaError(f"{what} takes a column name or a sequence of them, not {columns!r}")
    names = tuple(names)
    for name in names:
        if not isinstance(name, str) or name not in block.scope:
            raise unknown_column(name, block.scope)
    if len(set(names)) < len(names):
        raise SchemaError(f"{what} has a repeated column: {', '.join(map(repr, names))}; name each column once")
    return names


def conditions_of(conditions: tuple[Any, ...], equals: Mapping[str, Any]) -> tuple[Expression, ...]:
    """Return the positional conditions and the ``name=value`` pairs as expressions, at least one."""
    for condition in conditions:
        if not isinstance(condition, Expression):
            raise SchemaError(f'{condition!r} is not a condition: write col("price") > 100, or price=100 for equality')
    found = conditions + tuple(col(name) == value for name, value in equals.items())
    if not found:
        raise SchemaError('no condition was given: write e.g. restrict(col("price") > 100, counterparty="GS")')
    return found


def bind_conditions(conditions: tuple[Expression, ...], block: Block) -> tuple[Fragment, ...]:
    """Return the conditions as SQL fragments over the columns of `block`."""
    bound = tuple(condition.bind(block.scope) for condition in conditions)
    for condition, fragment in zip(conditions, bound, strict=True):
        if fragment.type is not BOOL:
            raise ColumnTypeError(
                f"{condition!r} is a {fragment.type.name}, not a condition: compare it with a value", value=condition
            )
    return bound


def _ready(block: Block, expressions: Iterable[Expression]) -> Block:
    """Return `block`, nested if `expressions` read a computed column, so that the computation is not repeated."""
    read = frozenset().union(*(expression.columns() for expression in expressions))
    computed = any(name in block.scope and not block.scope[name].plain for name in read)
    return nest(block) if computed or block.group is not None else block


def restrict(block: Block, conditions: tuple[Any, ...], equals: Mapping[str, Any]) -> Block:
    """Keep the rows that satisfy every condition."""
    wanted = conditions_of(conditions, equals)
    ready = _ready(block, wanted)
    if ready.limit:
        ready = nest(ready)
    return replace(ready, where=ready.where + bind_conditions(wanted, ready))


def project(block: Block, columns: tuple[Any, ...]) -> Block:
    """Keep the given columns, in the order given."""
    if not columns:
        raise SchemaError("project has no columns: name at least one")
    names = column_list(columns, block, "project")
    ready = nest(block) if block.distinct else block
    return replace(ready, outputs=tuple(Output(name, ready.scope[name]) for name in names))


def compute(block: Block, expressions: Mapping[str, Any]) -> Block:
    """Add computed columns; a column with the name of an existing one replaces it."""
    if not expressions:
        raise SchemaError('compute has no expressions: write e.g. compute(value=col("quantity") * col("price"))')
    wanted = {checked_name(name): as_expression(value) for name, value in expressions.items()}
    ready = _ready(block, wanted.values())
    if ready.distinct:
        ready = nest(ready)
    new = {name: expression.bind(ready.scope).as_value() for name, expression in wanted.items()}
    kept = [Output(o.name, new.pop(o.name, o.fragment)) for o in ready.outputs]
    return replace(ready, outputs=tuple(kept) + tuple(Output(name, fragment) for name, fragment in new.items()))


def rename(block: Block, names: Mapping[str, Any]) -> Block:
    """Rename columns."""
    if not names:
        raise SchemaError('rename has no names: write e.g. rename(price="clean_price")')
    column_list(names, block, "rename")
    new = {old: checked_name(name) for old, name in names.items()}
    return replace(block, outputs=tuple(Output(new.get(o.name, o.name), o.fragment) for o in block.outputs))


def join(left: Block, right: Block, on: Any, how: str) -> Block:
    """Join the rows of two blocks where the `on` columns are equal."""
    names = column_list(on, left, "join(on=...)")
    column_list(names, right, "join(on=...)")
    if not names:
        raise SchemaError("join has no columns to join on: name at least one that both sides have")
    kinds = {kind.value: kind for kind in JoinKind}
    if how not in kinds:
        raise SchemaError(f"join(how={how!r}) is not supported: use one of {', '.join(map(repr, kinds))}")
    _check_joinable(left, right, names)
    kind = kinds[how]
    lefts = (_side(output, "l", nullable=False) for output in inherited_outputs(left))
    others = (output for output in inherited_outputs(right) if output.name not in names)
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
    """Reduce each group of rows to one row."""
    keys = column_list(by, block, "aggregate(by)")
    if not isinstance(functions, Mapping) or not functions:
        raise SchemaError(
            f'aggregate needs a dict of column to function, e.g. {{"quantity": "sum"}}, not {functions!r}: '
            "for the groups only, use project(...).distinct()"
        )
    wanted = [_measure(name, spec) for name, spec in functions.items()]
    for name, column, _ in wanted:
        if column not in block.scope:
            raise unknown_column(column, block.scope)
        if name in keys:
            raise SchemaError(
                f"aggregate would name a result {name!r}, which is a grouping column: rename the result, "
                f'e.g. {{"n": ({name!r}, "count")}}',
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
    """Parse ``name: function`` or ``name: (column, function)`` into (name, column, function)."""
    if isinstance(spec, tuple | list):
        if len(spec) != 2:  # noqa: PLR2004  (a column and a function)
            raise SchemaError(f'{name!r}: {spec!r} is not a (column, function) pair such as ("quantity", "sum")')
        return checked_name(name), spec[0], spec[1]
    return checked_name(name), name, spec


def order_by(block: Block, keys: tuple[Any, ...]) -> Block:
    """Sort the rows; rows with equal keys keep their previous order."""
    if not keys:
        raise SchemaError('order_by has no keys: write e.g. order_by("counterparty", "-price")')
    orderings = [_ordering(key) for key in keys]
    ready = _ready(block, [ordering.expression for ordering in orderings])
    if ready.limit:
        ready = nest(ready)
    new = tuple(SortKey(o.expression.bind(ready.scope).as_value(), o.descending) for o in orderings)
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
    """Drop duplicate rows; the order is kept as far as its columns are among the outputs."""
    ready = nest(block) if block.limit or block.group is not None else block
    visible = {(o.fragment.sql, o.fragment.parameters) for o in ready.outputs}
    kept: list[SortKey] = []
    for key in ready.order:
        if not ready.distinct and (key.fragment.sql, key.fragment.parameters) not in visible:
            break
        kept.append(key)
    return replace(ready, distinct=True, order=tuple(kept))


def limit(block: Block, count: Any, offset: Any) -> Block:
    """Keep the first `count` rows after skipping `offset` rows."""
    for what, number in (("limit", count), ("offset", offset)):
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**63:
            raise SchemaError(f"{what}={number!r} is not a row count: give an int of at least 0", value=number)
    ready = nest(block) if block.limit or block.group is not None else block
    return replace(ready, limit=(count, offset))


def union(first: Block, second: Block, *, keep_all: bool) -> Block:
    """Concatenate the rows of two blocks; columns are matched by name."""
    if set(first.schema.names) != set(second.schema.names):
        unmatched = sorted(set(first.schema.names) ^ set(second.schema.names))
        raise SchemaError(
            f"a union needs the same columns on both sides, and one side lacks {unmatched}: project or rename"
        )
    second = project(second, first.schema.names)
    for here, there in zip(first.schema, second.schema, strict=True):
        if here.type is not there.type:
            raise ColumnTypeError(
                f"union of column {here.name!r}: {here.type.name} with {there.type.name}; both sides need one type",
                column=here.name,
            )
    parts: tuple[Block, ...] = (first,)
    if isinstance(first.source, Union) and first.source.keep_all and keep_all and first.passes_through:
        # Flattened, so that a union of many tables is one compound statement instead of deeply nested ones.
        parts = tuple(project(part, first.schema.names) for part in first.source.parts)
    outputs = tuple(
        Output(one.name, replace(one.fragment, nullable=one.fragment.nullable or two.fragment.nullable))
        for one, two in zip(inherited_outputs(first), second.outputs, strict=True)
    )
    return Block(Union((*parts, second), keep_all), outputs)

"""The view algebra against plain Python over lists of dicts, and against DuckDB."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bank_python.mntable import Expression, Relation, Table, col

Row = dict[str, Any]
SCHEMA = [("k", str | None), ("n", int | None), ("x", float), ("b", bool)]

# Quarters have exact sums in any order, so sums can be compared with ==.
quarters = st.integers(-40, 40).map(lambda i: i / 4)
cells = {
    "k": st.sampled_from(["GS", "JPM", "ü", "", None]),
    "n": st.one_of(st.none(), st.integers(-5, 5)),
    "x": quarters,
    "b": st.booleans(),
}


def in_order(names: Any) -> Any:
    return lambda row: {name: row[name] for name in names}


rows = st.lists(st.fixed_dictionaries(cells).map(in_order(cells)), max_size=12)
other_rows = st.lists(
    st.fixed_dictionaries({"k": cells["k"], "rate": st.one_of(st.none(), quarters)}),
    max_size=6,
)


def bag(found: Any) -> Counter[tuple[Any, ...]]:
    return Counter(tuple((name, type(cell), cell) for name, cell in row.items()) for row in found)


def ordered_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def compare(operator: str, left: Any, right: Any) -> bool:
    if operator == "==":
        return bool(left == right)
    if operator == "!=":
        return bool(left != right)
    if left is None or right is None:
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


def expressed(operator: str, left: Expression, right: Any) -> Expression:
    return {
        "==": lambda: left == right,
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }[operator]()


class Model:
    """A view, and the list of dicts expected of it."""

    def __init__(self, view: Relation, expected: list[Row], *, sorted_by: bool = False) -> None:
        self.view = view
        self.expected = expected
        self.sorted = sorted_by

    def of_type(self, kind: type) -> list[str]:
        return [column.name for column in self.view.schema if column.type.python is kind]

    def check(self) -> None:
        found = list(self.view)
        assert bag(found) == bag(self.expected), self.view.sql
        if self.sorted:
            assert found == self.expected, self.view.sql
        assert len(self.view) == len(self.expected)
        assert all(tuple(row) == self.view.columns for row in found)


OPERATORS = ["==", "!=", "<", "<=", ">", ">="]
VALUES = {
    int: st.integers(-5, 5),
    float: quarters,
    str: st.sampled_from(["GS", "JPM", "ü", ""]),
    bool: st.booleans(),
}


@st.composite
def conditions(draw: st.DrawFn, model: Model, depth: int = 2) -> tuple[Expression, Any]:
    """A condition, and the equivalent Python function."""
    if not depth or draw(st.booleans()):
        return draw(simple_conditions(model))
    left, test_left = draw(conditions(model, depth - 1))
    connective = draw(st.sampled_from("&|~"))
    if connective == "~":
        return ~left, lambda row: not test_left(row)
    right, test_right = draw(conditions(model, depth - 1))
    if connective == "&":
        return left & right, lambda row: test_left(row) and test_right(row)
    return left | right, lambda row: test_left(row) or test_right(row)


@st.composite
def simple_conditions(draw: st.DrawFn, model: Model) -> tuple[Expression, Any]:
    column = draw(st.sampled_from(model.view.schema.columns))
    name, values = column.name, VALUES[column.type.python]
    operator = draw(st.sampled_from(OPERATORS))
    match draw(st.sampled_from(["value", "null", "in", "column"])):
        case "null":
            return col(name).is_null(), lambda row: row[name] is None
        case "in":
            choices = draw(st.lists(st.one_of(st.none(), values), max_size=3))
            return col(name).is_in(choices), lambda row: row[name] in choices
        case "column":
            other = draw(st.sampled_from(model.of_type(column.type.python)))
            return expressed(operator, col(name), col(other)), lambda row: compare(operator, row[name], row[other])
        case _:
            value = draw(values)
            return expressed(operator, col(name), value), lambda row: compare(operator, row[name], value)


def step_restrict(draw: Any, model: Model, fresh: str) -> Model:
    condition, test = draw(conditions(model))
    return Model(model.view.restrict(condition), [row for row in model.expected if test(row)], sorted_by=model.sorted)


def step_project(draw: Any, model: Model, fresh: str) -> Model:
    names = draw(st.lists(st.sampled_from(model.view.columns), min_size=1, unique=True))
    return Model(
        model.view.project(*names),
        [{name: row[name] for name in names} for row in model.expected],
        sorted_by=model.sorted,
    )


def step_compute(draw: Any, model: Model, fresh: str) -> Model:
    numbers = model.of_type(int) + model.of_type(float)
    if not numbers or draw(st.booleans()):
        condition, test = draw(conditions(model))
        return Model(
            model.view.compute(**{fresh: condition}),
            [{**row, fresh: test(row)} for row in model.expected],
            sorted_by=model.sorted,
        )
    one, two = draw(st.sampled_from(numbers)), draw(st.sampled_from(numbers))
    operator = draw(st.sampled_from(["+", "-"]))
    sign = 1 if operator == "+" else -1
    made = col(one) + col(two) if operator == "+" else col(one) - col(two)

    def value(row: Row) -> Any:
        return None if row[one] is None or row[two] is None else row[one] + sign * row[two]

    return Model(
        model.view.compute(**{fresh: made}),
        [{**row, fresh: value(row)} for row in model.expected],
        sorted_by=model.sorted,
    )


def step_rename(draw: Any, model: Model, fresh: str) -> Model:
    name = draw(st.sampled_from(model.view.columns))
    renamed = [{(fresh if key == name else key): cell for key, cell in row.items()} for row in model.expected]
    return Model(model.view.rename(**{name: fresh}), renamed, sorted_by=model.sorted)


def step_distinct(draw: Any, model: Model, fresh: str) -> Model:
    return Model(model.view.distinct(), [dict(row) for row in dict.fromkeys(tuple(r.items()) for r in model.expected)])


def step_order(draw: Any, model: Model, fresh: str) -> Model:
    """Sort by every column, so that the order, and the result of a limit, are unique."""
    names = draw(st.permutations(model.view.columns))
    expected = list(model.expected)
    keys = []
    for name in reversed(names):
        descending = draw(st.booleans())
        keys.insert(0, f"-{name}" if descending else name)
        expected.sort(key=lambda row, name=name: ordered_key(row[name]), reverse=descending)
    return Model(model.view.order_by(*keys), expected, sorted_by=True)


def step_limit(draw: Any, model: Model, fresh: str) -> Model:
    ordered = step_order(draw, model, fresh)
    count, offset = draw(st.integers(0, 6)), draw(st.integers(0, 3))
    return Model(ordered.view.limit(count, offset), ordered.expected[offset : offset + count], sorted_by=True)


def step_union(draw: Any, model: Model, fresh: str) -> Model:
    condition, test = draw(conditions(model))
    keep_all = draw(st.booleans())
    expected = model.expected + [row for row in model.expected if test(row)]
    joined = Model(model.view.union(model.view.restrict(condition), all=keep_all), expected)
    return joined if keep_all else Model(joined.view, step_distinct(draw, joined, fresh).expected)


def step_aggregate(draw: Any, model: Model, fresh: str) -> Model:
    numbers = model.of_type(int) + model.of_type(float)
    target = draw(st.sampled_from(numbers or list(model.view.columns)))
    others = [name for name in model.view.columns if name != target]
    by = draw(st.lists(st.sampled_from(others), unique=True, max_size=2)) if others else []
    function = draw(st.sampled_from(["sum", "min", "max", "mean", "count", "count_distinct"] if numbers else ["count"]))
    groups: dict[tuple[Any, ...], list[Any]] = {} if by else {(): []}
    for row in model.expected:
        groups.setdefault(tuple(row[name] for name in by), []).append(row[target])
    expected = [{**dict(zip(by, key, strict=True)), target: fold(function, got)} for key, got in groups.items()]
    return Model(model.view.aggregate(by, {target: function}), expected)


def fold(function: str, values: list[Any]) -> Any:
    there = [value for value in values if value is not None]
    if function == "count":
        return len(there)
    if function == "count_distinct":
        return len(set(there))
    if not there:
        return None
    return {"sum": sum, "min": min, "max": max, "mean": lambda v: sum(v) / len(v)}[function](there)


STEPS = [
    step_restrict,
    step_project,
    step_compute,
    step_rename,
    step_distinct,
    step_order,
    step_limit,
    step_union,
    step_aggregate,
]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rows=rows, data=st.data())
def test_any_chain_of_operations_equals_plain_python(rows, data):
    with Table.from_rows(SCHEMA, rows) as table:
        model = Model(table, rows)
        for number, step in enumerate(data.draw(st.lists(st.sampled_from(STEPS), min_size=2, max_size=8))):
            model = step(data.draw, model, f"made {number}")
        model.check()


@pytest.mark.parametrize("beside", [True, False], ids=["one database", "two databases"])
@settings(max_examples=60, deadline=None)
@given(rows=rows, others=other_rows, data=st.data())
def test_join_equals_nested_loops(beside, rows, others, data):
    with Table.from_rows(SCHEMA, rows) as table:
        kept = {"beside": table} if beside else {}
        other = Table([("k", str | None), ("rate", float | None)], name="rates", **kept)
        other.extend(others)
        left = step_restrict(data.draw, Model(table, rows), "")
        how = data.draw(st.sampled_from(["inner", "left"]))
        expected = []
        for row in left.expected:
            partners = [o for o in others if o["k"] == row["k"] and row["k"] is not None]
            expected += [{**row, "rate": o["rate"]} for o in partners]
            if not partners and how == "left":
                expected.append({**row, "rate": None})
        joined = Model(left.view.join(other, on="k", how=how), expected)
        joined.check()
        step_aggregate(data.draw, joined, "").check()
        step_limit(data.draw, joined, "").check()
        other.close()


@settings(max_examples=60, deadline=None)
@given(rows=rows, others=rows)
def test_union_over_two_databases(rows, others):
    with Table.from_rows(SCHEMA, rows) as one, Table.from_rows(SCHEMA, others) as two:
        assert bag(one.union(two)) == bag(rows + others)
        assert len(one.union(two)) == len(one) + len(two)
        assert bag(one.union(two, all=False)) == bag(one.union(two).distinct())


@settings(max_examples=60, deadline=None)
@given(rows=rows, data=st.data())
def test_algebraic_identities(rows, data):
    with Table.from_rows(SCHEMA, rows) as table:
        model = Model(table, rows)
        (p, _), (q, _) = data.draw(conditions(model)), data.draw(conditions(model))
        assert bag(table.restrict(p).restrict(q)) == bag(table.restrict(q).restrict(p)) == bag(table.restrict(p & q))
        assert len(table.restrict(p)) + len(table.restrict(~p)) == len(rows)
        assert bag(table.restrict(~(p | q))) == bag(table.restrict(~p & ~q))
        assert bag(table.restrict(b=True).project("k", "x")) == bag(
            row for row in ({"k": r["k"], "x": r["x"]} for r in table if r["b"])
        )
        by_key = table.aggregate("k", {"x": "sum"})
        whole = table.aggregate([], {"x": "sum"}).first()
        assert whole is not None
        assert (whole["x"] or 0.0) == math.fsum(row["x"] for row in by_key)


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.one_of(st.none(), finite)), min_size=1, max_size=30))
def test_aggregates_agree_with_duckdb(pairs):
    functions = {"sum": "sum", "mean": "avg", "min": "min", "max": "max", "count": "count", "std": "stddev_samp"}
    with Table.from_rows([("k", str | None), ("x", float | None)], [{"k": k, "x": x} for k, x in pairs]) as table:
        found = {row["k"]: row for row in table.aggregate("k", {name: ("x", name) for name in functions})}
    with duckdb.connect() as oracle:
        oracle.execute("CREATE TABLE t (k VARCHAR, x DOUBLE)")
        oracle.executemany("INSERT INTO t VALUES (?, ?)", pairs)
        columns = ", ".join(f"{theirs}(x)" for theirs in functions.values())
        expected = oracle.execute(f"SELECT k, {columns} FROM t GROUP BY k").fetchall()
    assert len(found) == len(expected)
    for key, *values in expected:
        scale = max((abs(x) for k, x in pairs if k == key and x is not None), default=0.0)
        for name, value in zip(functions, values, strict=True):
            mine = found[key][name]
            assert (mine is None) == (value is None), (key, name)
            assert mine is None or mine == pytest.approx(value, rel=1e-9, abs=1e-9 * scale), (key, name)


def test_joins_and_sorts_agree_with_duckdb():
    trades = [
        {"id": i, "k": ["GS", "JPM", "MS"][i % 3], "q": (i * 37 % 11) - 5, "p": (i * 53 % 17) / 4} for i in range(200)
    ]
    desks = [{"k": "GS", "desk": "rates"}, {"k": "GS", "desk": "credit"}, {"k": "UBS", "desk": "fx"}]
    with Table.from_rows([("id", int), ("k", str), ("q", int), ("p", float)], trades) as table:
        other = Table([("k", str), ("desk", str)], name="desks", beside=table)
        other.extend(desks)
        view = (
            table.join(other, on=["k"], how="left")
            .compute(value=col("q") * col("p"), ratio=col("p") / col("q"))
            .restrict((col("value") > -3) | col("desk").is_null())
            .aggregate(["k", "desk"], {"value": "sum", "n": ("id", "count"), "best": ("ratio", "max")})
            .order_by("-n", "k", "-desk")
        )
        found = [tuple(row.values()) for row in view]
    with duckdb.connect() as oracle:
        oracle.execute("CREATE TABLE t (id INT, k VARCHAR, q INT, p DOUBLE)")
        oracle.execute("CREATE TABLE d (k VARCHAR, desk VARCHAR)")
        oracle.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", [tuple(row.values()) for row in trades])
        oracle.executemany("INSERT INTO d VALUES (?, ?)", [tuple(row.values()) for row in desks])
        expected = oracle.execute(
            "SELECT k, desk, sum(q * p) AS value, count(id) AS n, max(CASE WHEN q <> 0 THEN p / q END) AS best "
            "FROM t LEFT JOIN d USING (k) WHERE q * p > -3 OR desk IS NULL "
            "GROUP BY k, desk ORDER BY n DESC, k, desk DESC NULLS LAST"
        ).fetchall()
    assert len(found) == 4
    assert found == [pytest.approx(row) for row in expected]

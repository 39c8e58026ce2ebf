"""Views: one lazy statement, checked when constructed; unusual names; helpful errors."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import ColumnTypeError, SchemaError, TableError, UnknownColumnError
from bank_python.mntable import Table, View, col

ROWS = [
    {"k": "GS", "n": 1, "x": 1.5, "b": True, "d": dt.date(2024, 1, 2)},
    {"k": "JPM", "n": None, "x": -2.0, "b": False, "d": dt.date(2024, 1, 1)},
    {"k": "GS", "n": 3, "x": 0.0, "b": False, "d": dt.date(2023, 1, 1)},
]


@pytest.fixture
def table():
    with Table.from_rows([("k", str), ("n", int | None), ("x", float), ("b", bool), ("d", dt.date)], ROWS) as made:
        yield made


def test_merged_steps_are_one_flat_statement(table):
    view = table.restrict(col("x") > 0, k="GS").project("k", "x").rename(k="name").order_by("-x").limit(2, 1)
    assert view.sql == (
        'SELECT "k" AS "name", "x" FROM main."table" WHERE ("x" > ?) AND ("k" = ?) ORDER BY "x" DESC LIMIT ? OFFSET ?'
    )
    assert view.parameters == (0, "GS", 2, 1)


def test_steps_that_cannot_merge_are_named(table):
    view = table.compute(y=col("x") * 2).restrict(col("y") > 1).aggregate("k", {"y": "sum"}).restrict(k="GS")
    assert view.sql.startswith("WITH step_1 AS (SELECT ")
    assert view.sql.count("?") == len(view.parameters) == 3
    assert list(view) == [{"k": "GS", "y": 3.0}]


def test_a_view_runs_when_iterated_and_sees_the_rows_of_that_moment(table):
    view = table.restrict(k="MS")
    assert list(view) == []
    table.append({**ROWS[0], "k": "MS"})
    assert len(view) == 1
    assert list(view) == list(view)


def test_views_do_not_change(table):
    view = table.restrict(k="GS")
    before = view.sql
    view.restrict(n=1)
    view.project("k").distinct()
    assert view.sql == before
    assert len(view) == 2
    assert isinstance(view, View)


def test_order_survives_what_hides_its_column(table):
    view = table.order_by("-x").project("k", "n").compute(m=col("n") + 1).restrict(col("m").is_null() | (col("m") > 0))
    assert [row["n"] for row in view] == [1, 3, None]
    assert view.columns == ("k", "n", "m")


def test_order_survives_a_hidden_column_whose_name_is_taken(table):
    view = table.order_by("x").project("n").limit(2).rename(n="order_0").restrict(~col("order_0").is_null())
    assert list(view) == [{"order_0": 3}]


def test_later_sorts_keep_earlier_ones_among_equals(table):
    assert [row["x"] for row in table.order_by("x").order_by("k")] == [0.0, 1.5, -2.0]
    assert [row["n"] for row in table.order_by("n")] == [None, 1, 3]
    assert [row["n"] for row in table.order_by(col("n").descending())] == [3, 1, None]
    assert [row["x"] for row in table.order_by((col("x") * col("x")).ascending())] == [0.0, 1.5, -2.0]
    assert [row["d"].year for row in table.order_by("d").distinct()] == [2023, 2024, 2024]
    assert [row["k"] for row in table.order_by("k", "x").project("k").distinct()] == ["GS", "JPM"]


def test_logic_is_two_valued(table):
    assert [row["k"] for row in table.restrict(~(col("n") > 2)).order_by("k")] == ["GS", "JPM"]
    assert len(table.restrict(n=None)) == len(table.restrict(col("n") == None)) == 1  # noqa: E711  (None asks for IS NULL)
    assert len(table.restrict(col("n") != None)) == 2  # noqa: E711  (as above)
    assert len(table.restrict(col("n") != 1)) == 2
    assert len(table.restrict(col("n").is_in([1, None]))) == 2
    assert len(table.restrict(~col("n").is_in([1]))) == 2
    assert len(table.restrict(col("n").is_in([]))) == 0
    assert [row["big"] for row in table.compute(big=col("n") > 2).order_by("x")] == [False, True, False]
    assert len(table.restrict((col("n") > 2) == (col("n") > 5))) == 2
    assert len(table.restrict(col("b"))) == 1
    assert len(table.restrict(~col("b"), col("k").like("j%"))) == 1


def test_arithmetic(table):
    view = table.compute(
        ratio=col("n") / 2,
        inverse=1 / col("x"),
        minus=-col("n"),
        shifted=10 - col("n"),
        one=1,
        text="a",
        twice=2 * col("x"),
    ).order_by("x")
    rows = list(view.project("ratio", "inverse", "minus", "shifted", "one", "text", "twice"))
    assert rows[1] == {"ratio": 1.5, "inverse": None, "minus": -3, "shifted": 7, "one": 1, "text": "a", "twice": 0.0}
    assert rows[0]["ratio"] is None
    assert view.schema["ratio"].annotation == float | None
    assert view.schema["minus"].annotation == int | None
    assert view.schema["one"].annotation is int


def test_a_computed_column_takes_the_place_of_an_old_one(table):
    view = table.compute(x=col("x") * 2, y=col("x"))
    assert view.columns == ("k", "n", "x", "b", "d", "y")
    assert [(row["x"], row["y"]) for row in view.order_by("x")] == [(-4.0, -2.0), (0.0, 0.0), (3.0, 1.5)]


def test_repeated_doubling_does_not_repeat_the_work(table):
    view = table.compute(y=col("x"))
    for _ in range(60):
        view = view.compute(y=col("y") + col("y"))
    assert len(view.sql) < 10_000
    assert {row["y"] for row in view} == {x * 2.0**60 for x in (1.5, -2.0, 0.0)}


def test_a_view_too_deep_is_refused_with_a_way_out(table):
    def nested(steps):
        view = table.limit(3)
        for _ in range(steps):
            view = view.limit(3)
        return view

    assert len(nested(140)) == 3
    with pytest.raises(SchemaError, match=r"Table\.from_rows"):
        nested(500)


def test_a_union_of_many_views_stays_flat(table):
    view = table.restrict(k="JPM")
    for _ in range(300):
        view = view.union(table.restrict(k="JPM"))
    assert len(view) == 301


def test_union_matches_columns_by_name(table):
    view = table.project("k", "x").union(table.restrict(k="JPM").project("x", "k"))
    assert view.columns == ("k", "x")
    assert len(view) == 4
    assert len(table.union(table.order_by("x").limit(1))) == 4
    assert len(table.project("k").union(table.project("k"), all=False)) == 2


def test_int_overflow_is_an_error_not_a_float():
    with Table.from_rows([("n", int)], [{"n": 2**62}, {"n": 2**62}]) as table:
        with pytest.raises(ColumnTypeError, match="beyond 64 bits"):
            list(table.compute(m=col("n") * 4))
        with pytest.raises(TableError, match="integer overflow"):
            list(table.aggregate([], {"n": "sum"}))


def test_infinities():
    with Table.from_rows([("x", float)], [{"x": math.inf}, {"x": -math.inf}]) as table:
        assert [row["x"] for row in table.order_by("x")] == [-math.inf, math.inf]
        assert table.aggregate([], {"x": "sum"}).first() == {"x": None}
        assert table.aggregate([], {"x": "std"}).first() == {"x": None}
        assert len(table.restrict(x=math.inf)) == 1


def test_aggregates_of_nothing(table):
    empty = table.restrict(k="nobody")
    functions = {name: ("n", name) for name in ("sum", "mean", "avg", "min", "max", "std", "count", "count_distinct")}
    found = empty.aggregate([], functions).first()
    assert found == {**dict.fromkeys(functions), "count": 0, "count_distinct": 0}
    assert list(empty.aggregate("k", functions)) == []
    assert table.aggregate("b", {"d": "max", "n": ("n", "count")}).order_by("b").first() == {
        "b": False,
        "d": dt.date(2024, 1, 1),
        "n": 1,
    }


def test_std_is_stable_far_from_zero():
    values = [1e9 + i for i in (0.0, 1.0, 2.0)]
    with Table.from_rows([("x", float)], [{"x": value} for value in values]) as table:
        assert table.aggregate((), {"x": "std"}).first() == {"x": 1.0}


def test_joins(table):
    with Table.from_rows([("k", str), ("desk", str)], [{"k": "GS", "desk": "rates"}]) as desks:
        inner = table.join(desks, on="k")
        left = table.join(desks, on=["k"], how="left").order_by("x")
        assert inner.columns == ("k", "n", "x", "b", "d", "desk")
        assert len(inner) == 2
        assert [row["desk"] for row in left] == [None, "rates", "rates"]
        assert left.schema["desk"].annotation == str | None
        assert "part_1" in left.sql
        assert "part_1" in left.explain() or "SCAN l" in left.explain()
        selfjoin = table.join(table.rename(n="m", x="y", b="c", d="e"), on="k")
        assert len(selfjoin) == 5


def test_joins_on_several_columns_compare_all_of_them(table):
    with Table.from_rows([("k", str), ("b", bool), ("rate", float)], [{"k": "GS", "b": True, "rate": 2.0}]) as rates:
        beside = Table(rates.schema, name="rates", beside=table)
        beside.extend(rates)
        for other in (rates, beside):
            assert [row["rate"] for row in table.join(other, on=("k", "b"))] == [2.0]
            assert len(table.join(other, on=("k", "b"), how="left")) == 3


def test_what_follows_distinct_leaves_equal_rows_alone(table):
    different = table.union(table).project("k", "x").distinct()
    assert sorted(row["k"] for row in different.project("k")) == ["GS", "GS", "JPM"]
    assert len(different.compute(x=1).restrict(k="GS")) == 2
    assert different.aggregate([], {"k": "count"}).first() == {"k": 3}
    assert len(table.limit(2).distinct()) == 2


def test_an_index_is_used(table):
    assert "SCAN" in table.restrict(k="GS").explain()
    table.create_index("k", "d")
    table.create_index("k", "d")
    assert "USING INDEX" in table.restrict(k="GS").explain()
    assert "USING INDEX" in table.restrict(col("k") > "A").explain()
    assert len(table.restrict(k="GS")) == 2


@pytest.mark.parametrize(
    ("use", "kind"),
    [
        (lambda t: t.restrict(), SchemaError),
        (lambda t: t.restrict(True), SchemaError),
        (lambda t: t.restrict(q=1), UnknownColumnError),
        (lambda t: t.restrict(k=1), ColumnTypeError),
        (lambda t: t.restrict(k=["GS"]), ColumnTypeError),
        (lambda t: t.restrict(x=math.nan), ColumnTypeError),
        (lambda t: t.restrict(n=2**64), ColumnTypeError),
        (lambda t: t.restrict(n=True), ColumnTypeError),
        (lambda t: t.restrict(d=dt.datetime(2024, 1, 1, tzinfo=dt.UTC)), ColumnTypeError),
        (lambda t: t.restrict(k=object()), ColumnTypeError),
        (lambda t: t.restrict(col("n")), ColumnTypeError),
        (lambda t: t.restrict(~col("n")), ColumnTypeError),
        (lambda t: t.restrict(col("n") > None), ColumnTypeError),
        (lambda t: t.restrict(col("n").is_in("GS")), SchemaError),
        (lambda t: t.restrict(col("n").is_in(range(30_001))), SchemaError),
        (lambda t: t.restrict(col("n").is_in(["GS"])), ColumnTypeError),
        (lambda t: t.restrict(col("n").like("1")), ColumnTypeError),
        (lambda t: t.restrict(col("k").like(1)), ColumnTypeError),
        (lambda t: t.restrict(1 < col("n") < 3), SchemaError),  # type: ignore[operator]
        (lambda t: t.restrict(col("n") > 1 and col("n") < 3), SchemaError),
        (lambda t: t.project(), SchemaError),
        (lambda t: t.project("k", "k"), SchemaError),
        (lambda t: t.project("q"), UnknownColumnError),
        (lambda t: t.project(5), UnknownColumnError),
        (lambda t: t.project("K"), UnknownColumnError),
        (lambda t: t.compute(), SchemaError),
        (lambda t: t.compute(K=1), SchemaError),
        (lambda t: t.compute(y=None), ColumnTypeError),
        (lambda t: t.compute(y=col("k") + 1), ColumnTypeError),
        (lambda t: t.compute(y=-col("b")), ColumnTypeError),
        (lambda t: t.compute(y=col("q")), UnknownColumnError),
        (lambda t: t.rename(), SchemaError),
        (lambda t: t.rename(q="z"), UnknownColumnError),
        (lambda t: t.rename(k="x"), SchemaError),
        (lambda t: t.rename(k=""), SchemaError),
        (lambda t: t.join(t, on="k"), SchemaError),
        (lambda t: t.join(t.project("k"), on=[]), SchemaError),
        (lambda t: t.join(t.project("k"), on="k", how="outer"), SchemaError),
        (lambda t: t.join(t.project("k"), on="x"), UnknownColumnError),
        (lambda t: t.join(t.project("d").rename(d="k"), on="k"), ColumnTypeError),
        (lambda t: t.join(ROWS, on="k"), SchemaError),
        (lambda t: t.aggregate("k", {}), SchemaError),
        (lambda t: t.aggregate("k", "sum"), SchemaError),
        (lambda t: t.aggregate("q", {"x": "sum"}), UnknownColumnError),
        (lambda t: t.aggregate("k", {"q": "sum"}), UnknownColumnError),
        (lambda t: t.aggregate("k", {"k": "count"}), SchemaError),
        (lambda t: t.aggregate("k", {"x": "median"}), SchemaError),
        (lambda t: t.aggregate("k", {"x": ["x"]}), SchemaError),
        (lambda t: t.aggregate("k", {"d": "sum"}), ColumnTypeError),
        (lambda t: t.aggregate(5, {"x": "sum"}), SchemaError),
        (lambda t: t.order_by(), SchemaError),
        (lambda t: t.order_by("q"), UnknownColumnError),
        (lambda t: t.order_by(5), SchemaError),
        (lambda t: t.limit(-1), SchemaError),
        (lambda t: t.limit(1.0), SchemaError),
        (lambda t: t.limit(True), SchemaError),
        (lambda t: t.limit(1, -1), SchemaError),
        (lambda t: t.union(t.project("k")), SchemaError),
        (lambda t: t.union(ROWS), SchemaError),
        (lambda t: t.project("n").union(t.project("x").rename(x="n")), ColumnTypeError),
        (lambda t: t.create_index(), SchemaError),
        (lambda t: t.create_index("q"), UnknownColumnError),
    ],
)
def test_nonsense_is_refused_when_the_view_is_made(table, use, kind):
    with pytest.raises(kind):
        use(table)
    assert list(table) == ROWS


odd_names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
ODD = [
    "select",
    "a b",
    'say "hi"',
    "it's",
    "x; DROP TABLE t; --",
    "naïve",
    "rowid",
    "oid",
    "_rowid_x",
    "?",
    "-x",
    "l.k",
    "%",
    "step_1",
    "TRUE",
    "true_",
    "False",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(ODD), odd_names), min_size=3, max_size=3, unique_by=str.lower), odd_names)
def test_any_text_can_be_a_name(names, table_name):
    if table_name.lower().startswith(("sqlite_", "bank_python.")):
        return
    a, b, c = names
    rows = [{a: 1, b: "x", c: 2.0}, {a: 2, b: "y", c: 3.0}]
    with Table.from_rows([(a, int), (b, str), (c, float)], rows, name=table_name) as table:
        table.create_index(a, b)
        assert list(table.order_by(col(a))) == rows
        assert list(table.restrict(**{b: "y"}).project(c)) == [{c: 3.0}]
        assert list(table.compute(**{c: col(a) * col(c)}).order_by(col(c).descending()).limit(1)) == [
            {a: 2, b: "y", c: 6.0}
        ]
        assert len(table.join(table.project(a), on=a)) == 2
        assert table.aggregate((), {a: "sum"}).first() == {a: 3}
        assert table.delete(**{a: 1}) == 1
        assert list(table) == rows[1:]


def test_columns_named_true_and_false_survive_every_step():
    rows = [{"TRUE": 1, "TRUE_": 2.0, "false": "x"}, {"TRUE": 3, "TRUE_": 1.0, "false": "y"}]
    with Table.from_rows([("TRUE", int), ("TRUE_", float), ("false", str)], rows) as table:
        nested = table.limit(2).compute(TRUE_=col("TRUE") * col("TRUE_")).restrict(col("TRUE_") > 2)
        assert list(nested) == [{"TRUE": 3, "TRUE_": 3.0, "false": "y"}]
        backwards = table.order_by("-TRUE").project("false").limit(2).restrict(~col("false").is_null())
        assert list(backwards) == [{"false": "y"}, {"false": "x"}]
        assert len(table.join(table.rename(TRUE_="other"), on=["TRUE", "false"])) == 2
        latest = table.aggregate("TRUE", {"false": "max"}).order_by("-false").project("TRUE")
        assert list(latest) == [{"TRUE": 3}, {"TRUE": 1}]
        with Table.from_rows(table.schema, rows) as elsewhere:
            both = table.join(elsewhere.rename(TRUE_="o"), on=["TRUE", "false"]).order_by("TRUE").project("o")
            assert list(both) == [{"o": 2.0}, {"o": 1.0}]
            assert len(table.union(elsewhere.order_by("TRUE").limit(1)).distinct()) == 2


HOSTILE = ['\'; DROP TABLE "table"; --', '" OR 1=1 --', "' OR '1'='1", "%", "_", "x\0y", "?", "\\"]


@pytest.mark.parametrize("text", HOSTILE)
def test_values_are_never_sql(text):
    rows = [{"k": text}, {"k": "other"}]
    with Table.from_rows([("k", str)], rows) as table:
        view = table.restrict((col("k") == text) | col("k").is_in([text]))
        assert view.sql.count("?") == len(view.parameters) == 2
        assert view.parameters == (text, text)
        assert list(view) == rows[:1]
        assert table.compute(t=text).restrict(t=text).first() == {"k": text, "t": text}
        assert table.delete(k=text) == 1
        assert list(table) == rows[1:]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_from_outside_are_checked_not_run(text):
    with Table.from_rows([("k", str)], [{"k": "x"}]) as table:
        for use in (table.project, table.order_by, table.create_index, lambda n: table.aggregate(n, {"k": "count"})):
            with pytest.raises((UnknownColumnError, SchemaError)):
                use(text)
        with pytest.raises((UnknownColumnError, SchemaError)):
            table.restrict(col(text) == 1)
        assert len(table) == 1


def test_to_list_gives_the_rows_in_order():
    table = Table.from_rows([("n", int)], [{"n": 2}, {"n": 1}])
    assert table.order_by("n").to_list() == [{"n": 1}, {"n": 2}]
    assert table.restrict(n=7).to_list() == []
    assert type(table.to_list()) is list

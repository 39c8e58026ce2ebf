"""Rows of a table: accepted and rejected values, and that a rejection changes nothing."""

from __future__ import annotations

import datetime as dt
import enum
import math
import struct
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import BankError, ColumnTypeError, SchemaError, TableError, UnknownColumnError
from bank_python.mntable import Schema, Table, col

TRADES = [("counterparty", str), ("quantity", float), ("price", float)]
ROWS = [
    {"counterparty": "GS", "quantity": 1000, "price": 104.33},
    {"counterparty": "JPM", "quantity": 500, "price": 104.33},
    {"counterparty": "GS", "quantity": 300, "price": 12.95},
]


@pytest.fixture
def trades():
    with Table(TRADES) as table:
        table.extend(ROWS)
        yield table


def test_the_first_example(trades):
    gs_trades = trades.restrict(counterparty="GS").project("quantity", "price")
    totals = trades.aggregate("counterparty", {"quantity": "sum"})
    assert list(gs_trades) == [{"quantity": 1000.0, "price": 104.33}, {"quantity": 300.0, "price": 12.95}]
    assert totals.columns == ("counterparty", "quantity")
    assert sorted(tuple(row.values()) for row in totals) == [("GS", 1300.0), ("JPM", 500.0)]
    assert type(trades.first()["quantity"]) is float
    assert len(trades) == 3


def test_reprs_name_the_columns_and_run_nothing(trades):
    view = trades.compute(value=col("quantity") / col("price"))
    trades.close()
    assert repr(trades) == "Table('table': counterparty: str, quantity: float, price: float)"
    assert repr(view) == "View(counterparty: str, quantity: float, price: float, value: float | None)"


def test_printing_shows_the_first_rows(trades):
    assert "counterparty" in str(trades)
    assert "104.33" in str(trades.restrict(col("price") > 100))
    assert len(str(trades).splitlines()) <= 20


cells = {
    "s": st.text(st.characters(exclude_categories=["Cs"])),
    "f": st.floats(allow_nan=False),
    "i": st.integers(-(2**63), 2**63 - 1),
    "b": st.booleans(),
    "y": st.binary(),
    "d": st.dates(),
    "t": st.datetimes(timezones=st.just(dt.UTC)),
}
KINDS = {"s": str, "f": float, "i": int, "b": bool, "y": bytes, "d": dt.date, "t": dt.datetime}


def bits(row):
    """The row with floats as their bits, as -0.0 equals 0.0."""
    return {name: struct.pack("<d", v) if isinstance(v, float) else (type(v), v) for name, v in row.items()}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries({name: st.none() | cell for name, cell in cells.items()}), max_size=5))
def test_every_value_comes_back_as_it_was(rows):
    schema = [(name, kind | None) for name, kind in KINDS.items()]
    ordered = [{name: row[name] for name in KINDS} for row in rows]
    with Table.from_rows(schema, rows) as table:
        assert [bits(row) for row in table] == [bits(row) for row in ordered]
        assert [bits(row) for row in table.union(table).limit(len(rows))] == [bits(row) for row in ordered]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_stored_order_is_the_order_of_the_values(name, data):
    values = data.draw(st.lists(cells[name], max_size=8))
    with Table.from_rows([("v", KINDS[name])], [{"v": value} for value in values]) as table:
        assert [row["v"] for row in table.order_by("v")] == sorted(values)
        for value in values[:2]:
            assert len(table.restrict(col("v") <= value)) == sum(v <= value for v in values)
            assert len(table.restrict(v=value)) == values.count(value)


def test_datetimes_come_back_in_utc():
    tokyo = dt.timezone(dt.timedelta(hours=9))
    with Table.from_rows([("t", dt.datetime)], [{"t": dt.datetime(2024, 1, 1, 8, tzinfo=tokyo)}]) as table:
        assert table.first() == {"t": dt.datetime(2023, 12, 31, 23, tzinfo=dt.UTC)}
        assert table.first()["t"].tzinfo is dt.UTC


def test_numpy_scalars_and_enums_count_as_what_they_hold():
    class Side(enum.StrEnum):
        BUY = "buy"

    row = {"s": Side.BUY, "f": np.float32(0.5), "i": np.int64(7), "b": np.bool_(True)}
    with Table.from_rows([("s", str), ("f", float), ("i", int), ("b", bool)], [row]) as table:
        found = table.first()
        assert found == {"s": "buy", "f": 0.5, "i": 7, "b": True}
        assert [type(value) for value in found.values()] == [str, float, int, bool]
        assert len(table.restrict(s=Side.BUY, f=np.float64(0.5), i=np.int8(7))) == 1


REFUSED = [
    (float, math.nan, "no NaN"),
    (float, np.float64("nan"), "no NaN"),
    (float, "1.0", "give a float"),
    (float, True, "give a float"),
    (float, 2**53 + 1, "exact"),
    (float, 10**400, "exact"),
    (float, None, "None is not allowed"),
    (int, True, "bool"),
    (int, 1.0, "not rounded"),
    (int, 2**63, "64 bits"),
    (int, -(2**63) - 1, "64 bits"),
    (int, np.uint64(2**63), "64 bits"),
    (int, np.timedelta64(5, "ns"), "give an int"),
    (str, 5, "give text"),
    (str, b"x", "give text"),
    (str, "\ud800", "surrogate"),
    (bool, 1, "True or False"),
    (bytes, "x", "bytes"),
    (dt.date, dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "time would be lost"),
    (dt.date, "2024-01-01", "give a datetime.date"),
    (dt.datetime, dt.datetime(2024, 1, 1), "which zone"),  # noqa: DTZ001  (naive on purpose)
    (dt.datetime, dt.date(2024, 1, 1), "timezone-aware"),
    (dt.datetime, pd.NaT, "which zone"),
    (dt.datetime, pd.Timestamp(1, unit="ns", tz="UTC"), "microseconds"),
]


@pytest.mark.parametrize(("kind", "value", "advice"), REFUSED)
def test_a_wrong_value_is_refused_with_its_place(kind, value, advice):
    with Table([("id", int), ("v", kind)]) as table:
        good = {"id": 1, "v": next(c for c in _examples() if type(c) is kind)}
        table.append(good)
        with pytest.raises(ColumnTypeError, match="row 3, column 'v'") as refusal:
            table.extend([good, good, {"id": 2, "v": value}, good])
        assert advice in str(refusal.value)
        assert refusal.value.row == 3
        assert refusal.value.column == "v"
        assert list(table) == [good]


def _examples():
    return ["x", 1.5, 1, True, b"x", dt.date(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"counterparty": "GS", "quantity": 1}, "no 'price'"),
        ({**ROWS[0], "quantitty": 1}, "did you mean 'quantity'"),
        ({**ROWS[0], 5: 1}, "no column 5"),
        (["GS", 1, 2.0], "give a dict"),
        (None, "give a dict"),
    ],
)
def test_a_row_of_the_wrong_shape_is_refused(trades, row, message):
    before = list(trades)
    with pytest.raises(SchemaError, match=message) as refusal:
        trades.extend(iter([*ROWS, row]))
    assert "row 4" in str(refusal.value)
    assert list(trades) == before


def test_a_generator_that_fails_leaves_the_table_as_it_was(trades):
    def rows():
        yield from ROWS
        raise ZeroDivisionError

    before = list(trades)
    running = iter(trades)
    assert next(running) == before[0]
    with pytest.raises(ZeroDivisionError):
        trades.extend(rows())
    assert list(running) == before[1:]
    assert list(trades) == before
    trades.extend(ROWS)
    assert len(trades) == 6


@pytest.mark.parametrize("rows", [ROWS[0], 5, None])
def test_extend_takes_rows(trades, rows):
    with pytest.raises(SchemaError, match="use append"):
        trades.extend(rows)


def test_a_nullable_column_may_be_left_out():
    with Table([("k", str), ("x", float | None)]) as table:
        assert table.extend([{"k": "a"}, {"k": "b", "x": None}, {"x": math.inf, "k": "c"}]) == 3
        assert list(table) == [{"k": "a", "x": None}, {"k": "b", "x": None}, {"k": "c", "x": math.inf}]


def test_a_table_may_grow_from_itself(trades):
    assert trades.extend(trades) == 3
    assert trades.extend({**row, "price": 1.0} for row in trades.restrict(counterparty="GS")) == 4
    assert len(trades) == 10


def test_delete_clear_and_append(trades):
    assert trades.delete(col("price") > 100, counterparty="GS") == 1
    assert trades.delete(counterparty="nobody") == 0
    with pytest.raises(SchemaError, match="no condition"):
        trades.delete()
    assert len(trades) == 2
    trades.append(ROWS[0])
    assert len(trades) == 3
    assert trades.clear() == 3
    assert list(trades) == []
    assert trades.first() is None


def test_writing_from_within_the_rows_being_written_is_refused(trades):
    def rows():
        trades.append(ROWS[0])
        yield ROWS[0]

    with pytest.raises(TableError, match="collect them in a list first"):
        trades.extend(rows())
    assert len(trades) == 3


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([], "1 to 2000 columns"),
        ([("a", int), ("a", str)], "two columns named"),
        ([("Price", int), ("price", str)], "clashes"),
        ([("", int)], "is empty"),
        ([("a\0b", int)], "NUL"),
        ([(5, int)], "must be a str"),
        ([("a", complex)], "give one of"),
        ([("a", "float")], "give one of"),
        ([("a", int | str)], "give one of"),
        ([("a", None)], "give one of"),
        (["ab"], "pair"),
        ("ab", "sequence of"),
        (5, "sequence of"),
        ([(f"c{i}", int) for i in range(2001)], "2000"),
    ],
)
def test_a_schema_that_makes_no_sense_is_refused(schema, message):
    with pytest.raises(SchemaError, match=message):
        Table(schema)


def test_schemas_describe_themselves():
    schema = Schema.of([("k", str), ("x", float | None)])
    assert repr(schema) == "Schema(k: str, x: float | None)"
    assert [(column.name, column.annotation) for column in schema] == [("k", str), ("x", float | None)]
    assert Schema.from_record(schema.to_record()) == schema
    with Table(schema) as table:
        assert table.schema == schema
        assert schema["x"].nullable
        with pytest.raises(UnknownColumnError):
            schema["y"]


@pytest.mark.parametrize("name", ["sqlite_master", "SQLITE_x", "bank_python.mntable", ""])
def test_reserved_table_names_are_refused(name):
    with pytest.raises(SchemaError):
        Table(TRADES, name=name)


def test_tables_beside_each_other():
    with Table(TRADES, name="trades") as table:
        with pytest.raises(SchemaError, match="give name="):
            Table(TRADES, beside=table)
        with pytest.raises(SchemaError, match="exclude each other"):
            Table(TRADES, "x.db", "other", beside=table)
        with pytest.raises(SchemaError, match="exists already"):
            Table([("a", int)], name="trades", beside=table)
        with pytest.raises(SchemaError, match="clashes"):
            Table(TRADES, name="TRADES", beside=table)
        other = Table(TRADES, name="step_1", beside=table)
        other.extend(ROWS[:1])
        table.extend(ROWS[1:])
        # A step of a statement may share a stored table's name without hiding it.
        view = other.limit(5).restrict(counterparty="GS").union(table.limit(1))
        assert sorted(row["quantity"] for row in view) == [500.0, 1000.0]
        other.drop()
        with pytest.raises(TableError, match="was dropped"):
            list(other)
        assert len(table) == 2


def test_a_closed_table_says_so(trades):
    trades.close()
    for use in (lambda: list(trades), lambda: len(trades), lambda: trades.extend(ROWS), trades.clear):
        with pytest.raises(TableError, match="closed"):
            use()
    trades.close()


def test_from_rows_leaves_nothing_when_a_row_is_refused(tmp_path):
    path = tmp_path / "desk.db"
    with pytest.raises(BankError):
        Table.from_rows(TRADES, [*ROWS, {}], path, "trades")
    with pytest.raises(TableError, match="has no table"):
        Table.open(path, "trades")


@pytest.mark.parametrize("on_disk", [False, True])
def test_many_rows_take_constant_memory(tmp_path, on_disk):
    count = 200_000
    with Table([("i", int), ("text", str)], tmp_path / "t.db" if on_disk else None) as table:
        tracemalloc.start()
        table.extend({"i": i, "text": f"row {i}"} for i in range(count))
        total = sum(row["i"] for row in table.restrict(col("i") >= 0))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert total == count * (count - 1) // 2
        assert peak < 2_000_000


def test_columns_that_together_hide_the_row_numbers_are_refused_when_the_table_is_made(tmp_path):
    names = ["rowid", "OID", "_rowid_"]
    with pytest.raises(SchemaError, match="'rowid', '_rowid_', 'OID' together hide"):
        Table([(name, int) for name in names])
    with pytest.raises(SchemaError, match="rename one of them"):
        Table([(name, int) for name in names], tmp_path / "t.db")
    for pair in (names[:2], names[1:], names[::2]):
        row = dict.fromkeys(pair, 1)
        assert Table.from_rows([(name, int) for name in pair], [row]).in_order_added().to_list() == [row]


@pytest.mark.parametrize(
    ("moment", "hours"), [(dt.datetime.max.replace(tzinfo=dt.UTC), -5), (dt.datetime.min.replace(tzinfo=dt.UTC), 3)]
)
def test_a_moment_that_utc_has_beyond_its_years_is_refused_with_row_and_column(moment, hours):
    table = Table([("valid_to", dt.datetime)])
    late = moment.replace(tzinfo=dt.timezone(dt.timedelta(hours=hours)))
    with pytest.raises(ColumnTypeError, match=r"row 2, column 'valid_to': .*9999"):
        table.extend([{"valid_to": moment}, {"valid_to": late}])
    table.append({"valid_to": moment})
    assert table.to_list() == [{"valid_to": moment}]

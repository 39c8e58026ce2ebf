"""Tables from data frames of pandas and from Arrow data, and round trips."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CallError, ColumnTypeError, SchemaError
from bank_python.mntable import Table

FULL = [("s", str), ("f", float), ("i", int), ("b", bool), ("y", bytes), ("d", dt.date), ("t", dt.datetime)]
NULLABLE = [(name, kind | None) for name, kind in FULL]
CELLS = {
    "s": st.text(st.characters(exclude_categories=["Cs"])),
    "f": st.floats(allow_nan=False),
    "i": st.integers(-(2**63), 2**63 - 1),
    "b": st.booleans(),
    "y": st.binary(),
    "d": st.dates(),
    "t": st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
}


def rows_of(nullable):
    cells = {name: st.none() | cell if nullable else cell for name, cell in CELLS.items()}
    return st.lists(st.fixed_dictionaries(cells), max_size=5)


@settings(max_examples=40, deadline=None)
@given(rows_of(nullable=True))
def test_frames_and_arrow_tables_come_back_with_the_schema(rows):
    with Table.from_rows(NULLABLE, rows) as table:
        with Table.from_pandas(table.to_pandas(), table.schema) as back:
            assert list(back) == list(table)
        with Table.from_arrow(table.to_arrow()) as back:
            assert back.schema == table.schema
            assert list(back) == list(table)


@settings(max_examples=40, deadline=None)
@given(rows_of(nullable=False).filter(len))
def test_frames_come_back_with_the_types_inferred(rows):
    with Table.from_rows(FULL, rows) as table, Table.from_pandas(table.to_pandas()) as back:
        assert back.schema == table.schema
        assert list(back) == list(table)


@settings(max_examples=40, deadline=None)
@given(rows_of(nullable=True))
def test_inferred_rows_are_those_given_wherever_a_type_can_be_inferred(rows):
    held = [name for name in CELLS if any(row[name] is not None for row in rows)]
    if held:
        with Table.from_rows(NULLABLE, rows) as table, Table.from_pandas(table.to_pandas()[held]) as back:
            assert list(back) == [{name: row[name] for name in held} for row in rows]


def schema_of(frame):
    with Table.from_pandas(frame) as table:
        return [(column.name, column.annotation) for column in table.schema]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], int),
        ([1, None], float | None),
        (pd.array([1, None], dtype="Int64"), int | None),
        (pd.array([True, None], dtype="boolean"), bool | None),
        (np.array([1, 2], dtype=np.uint8), int),
        (np.array([1.5, 2.5], dtype=np.float32), float),
        ([1, 2.5], float),
        (pd.Series([1, 2.5], dtype=object), float),
        (["a", None], str | None),
        (pd.Categorical(["a", "b"]), str),
        ([b"a", b"b"], bytes),
        ([True, False], bool),
        (pd.to_datetime(["2026-01-02", "2026-01-03"]), dt.date),
        (pd.to_datetime(["2026-01-02", None]), dt.date | None),
        (pd.to_datetime(["2026-01-02 10:00"] * 2, utc=True), dt.datetime),
        ([dt.date(2026, 1, 2), None], dt.date | None),
        (pd.array([None, None], dtype="Int64"), int | None),
        ([np.nan, np.nan], float | None),
    ],
)
def test_types_are_inferred(values, kind):
    assert schema_of(pd.DataFrame({"x": values})) == [("x", kind)]


def test_a_named_index_is_kept_and_an_unnamed_one_left_out():
    frame = pd.DataFrame({"price": [1.0, 2.0]}, index=["GS", "JPM"])
    assert schema_of(frame) == [("price", float)]
    assert schema_of(frame.rename_axis("ticker")) == [("ticker", str), ("price", float)]
    both = frame.set_index(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["book", "line"]))
    assert schema_of(both) == [("book", str), ("line", int), ("price", float)]
    dated = frame.set_index(pd.DatetimeIndex(["2026-01-02", "2026-01-05"], name="date"))
    with Table.from_pandas(dated) as table:
        assert next(iter(table)) == {"date": dt.date(2026, 1, 2), "price": 1.0}


@pytest.mark.parametrize(
    ("frame", "error", "said"),
    [
        (
            pd.DataFrame({"x": [1, "a"]}),
            ColumnTypeError,
            "column 'x' of the frame holds 'a' .str., and 1: types are mixed",
        ),
        (pd.DataFrame({"x": [Decimal(1)]}), ColumnTypeError, "column 'x' of the frame holds Decimal.* no table column"),
        (pd.DataFrame({"x": pd.to_timedelta(["1D"])}), ColumnTypeError, "'x' of the frame holds Timedelta"),
        (
            pd.DataFrame({"x": pd.to_datetime(["2026-01-02 10:00"])}),
            ColumnTypeError,
            r"'x'.* zone.*tz_localize\('UTC'\)",
        ),
        (pd.DataFrame({"x": np.array([2**64 - 1], dtype=np.uint64)}), ColumnTypeError, "column 'x'.* 64 bits"),
        (pd.DataFrame({"x": [None, None]}, dtype=object), SchemaError, "column 'x' of the frame has no values"),
        (pd.DataFrame({0: [1.0]}), SchemaError, "column called 0, which is no text: rename it"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), SchemaError, "has the column 'x' twice"),
        (pd.DataFrame({"x": [1]}, index=pd.Index([1], name="x")), SchemaError, "has the column 'x' twice"),
        (pd.DataFrame(), SchemaError, "has 1 to"),
        (pd.Series([1.0]), SchemaError, r"give series.to_frame\(name\)"),
        ({"x": [1]}, SchemaError, r"from_pandas was given a dict: Table.from_rows\(schema, rows\)"),
        (pa.table({"x": [1]}), SchemaError, "Table.from_arrow takes it"),
        (3, SchemaError, "from_pandas was given a int: give a pandas.DataFrame"),
    ],
)
def test_what_cannot_be_a_table_is_refused_by_column(frame, error, said):
    with pytest.raises(error, match=said):
        Table.from_pandas(frame)


def test_a_schema_that_is_given_is_kept_to():
    frame = pd.DataFrame({"n": [1.0, None], "day": pd.to_datetime(["2026-01-02", None])})
    with Table.from_pandas(frame, [("n", int | None), ("day", dt.date | None)]) as table:
        assert list(table) == [{"n": 1, "day": dt.date(2026, 1, 2)}, {"n": None, "day": None}]
    with pytest.raises(ColumnTypeError, match="column 'n'"):
        Table.from_pandas(frame, [("n", int), ("day", dt.date | None)])
    with pytest.raises(SchemaError, match="day"):
        Table.from_pandas(frame, [("n", int | None)])
    with pytest.raises(CallError, match=r"no argument dtypes; did you mean schema\?"):
        Table.from_pandas(frame, dtypes={})


def test_frames_go_to_files(tmp_path):
    frame = pd.DataFrame({"x": [1, 2]})
    Table.from_pandas(frame, path=tmp_path / "t.db", name="numbers").close()
    with Table.open(tmp_path / "t.db", "numbers") as table:
        assert len(table) == 2


def test_arrow_data_of_every_make():
    data = pa.table({"s": pa.array(["a", "b"]).dictionary_encode(), "f": [1.0, float("nan")]})
    rows = [{"s": "a", "f": 1.0}, {"s": "b", "f": None}]
    for made in (data, data.to_batches()[0], pa.RecordBatchReader.from_batches(data.schema, data.to_batches())):
        with Table.from_arrow(made) as table:
            assert list(table) == rows
    with Table.from_arrow(duckdb.sql("SELECT 1 AS x, 'a' AS y")) as table:
        assert list(table) == [{"x": 1, "y": "a"}]


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (pa.table({"x": pa.array([Decimal(1)])}), SchemaError, "column 'x' of the Arrow table has type decimal128"),
        (pa.table({"x": pa.array([[1]])}), SchemaError, "column 'x' of the Arrow table has type list"),
        (pa.table({"x": [dt.datetime(2026, 1, 2)]}), SchemaError, "'x' .*a timestamp needs a timezone"),  # noqa: DTZ001
        (pd.Series([1]).to_numpy(), SchemaError, "from_arrow was given a ndarray: give a pyarrow.Table"),
        ([{"x": 1}], SchemaError, "from_arrow was given a list"),
    ],
)
def test_arrow_data_that_cannot_be_a_table_is_refused(data, error, said):
    with pytest.raises(error, match=said):
        Table.from_arrow(data)


def test_nan_in_a_column_that_may_not_be_empty_is_refused_by_column():
    data = pa.table({"f": [float("nan")]}, schema=pa.schema([pa.field("f", pa.float64(), nullable=False)]))
    with pytest.raises(ColumnTypeError, match=r"column 'f'.*NaN"):
        Table.from_arrow(data)


def test_without_pandas_there_is_no_frame(monkeypatch):
    monkeypatch.delitem(sys.modules, "pandas")
    with pytest.raises(SchemaError, match=r"give a pandas.DataFrame"):
        Table.from_pandas(object())

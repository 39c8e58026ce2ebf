"""Tables to and from arrays, frames, CSV and Parquet, exactly."""

from __future__ import annotations

import datetime as dt
import struct
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import ColumnTypeError, MissingExtraError, SchemaError, TableError
from bank_python.mntable import Table

FULL = [("s", str), ("f", float), ("i", int), ("b", bool), ("y", bytes), ("d", dt.date), ("t", dt.datetime)]
NULLABLE = [(name, kind | None) for name, kind in FULL]
ROW = {
    "s": 'a "quoted", comma\r\nand line',
    "f": -0.0,
    "i": 2**63 - 1,
    "b": True,
    "y": b"a\0",
    "d": dt.date(1, 2, 3),
    "t": dt.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
}
EMPTY = dict.fromkeys(ROW)

cells = {
    "s": st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    "f": st.floats(allow_nan=False),
    "i": st.integers(-(2**63), 2**63 - 1),
    "b": st.booleans(),
    "y": st.binary(min_size=1),
    "d": st.dates(),
    "t": st.datetimes(timezones=st.just(dt.UTC)),
}
nullable_rows = st.lists(
    st.fixed_dictionaries({name: st.none() | cell for name, cell in cells.items()}).map(
        lambda row: {name: row[name] for name in cells}
    ),
    max_size=5,
)


def bits(rows):
    return [{k: struct.pack("<d", v) if isinstance(v, float) else v for k, v in row.items()} for row in rows]


@settings(max_examples=30, deadline=None)
@given(nullable_rows)
def test_csv_and_parquet_bring_back_every_bit(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("files")
    with Table.from_rows(NULLABLE, rows) as table:
        table.to_csv(folder / "t.csv")
        table.to_parquet(folder / "t.parquet")
        with Table.from_csv(folder / "t.csv", table.schema) as back:
            assert bits(back) == bits(rows)
        with Table.from_parquet(folder / "t.parquet") as back:
            assert back.schema == table.schema
            assert bits(back) == bits(rows)
    assert sorted(path.name for path in folder.iterdir()) == ["t.csv", "t.parquet"]


def test_numpy_arrays():
    with Table.from_rows(FULL, [ROW]) as table:
        arrays = table.to_numpy()
        kinds = {name: array.dtype.str for name, array in arrays.items()}
        assert kinds == {"s": "|O", "f": "<f8", "i": "<i8", "b": "|b1", "y": "|O", "d": "<M8[D]", "t": "<M8[us]"}
        assert {name: array.item() for name, array in arrays.items()} == {**ROW, "t": ROW["t"].replace(tzinfo=None)}
        assert np.signbit(arrays["f"][0])
        empty = table.limit(0).to_numpy()
        assert {name: (array.dtype.str, array.shape) for name, array in empty.items()} == dict.fromkeys(kinds) | {
            name: (kind, (0,)) for name, kind in kinds.items()
        }


def test_numpy_arrays_of_nullable_columns():
    with Table.from_rows(NULLABLE, [ROW, EMPTY]) as table:
        arrays = table.to_numpy()
        assert np.isnan(arrays["f"]).tolist() == [False, True]
        assert np.isnat(arrays["d"]).tolist() == np.isnat(arrays["t"]).tolist() == [False, True]
        assert {name: arrays[name].tolist() for name in "siby"} == {name: [ROW[name], None] for name in "siby"}


@pytest.mark.parametrize("schema", [FULL, NULLABLE])
def test_pandas_frames(schema):
    rows = [ROW] if schema is FULL else [ROW, EMPTY]
    with Table.from_rows(schema, rows) as table:
        frame = table.to_pandas()
        assert list(frame.columns) == list(table.columns)
        assert len(frame) == len(rows)
        assert frame.loc[0].to_dict() == {**ROW, "t": pd.Timestamp(ROW["t"])}
        assert str(frame["t"].dtype) == "datetime64[us, UTC]"
        assert str(frame["i"].dtype) == ("int64" if schema is FULL else "Int64")
        if schema is NULLABLE:
            assert frame.loc[1].isna().all()
        assert table.limit(0).to_pandas().shape == (0, 7)


def test_arrow_tables():
    with Table.from_rows(NULLABLE, [ROW, EMPTY]) as table:
        arrow = table.to_arrow()
        assert arrow.to_pylist() == [ROW, EMPTY]
        assert arrow.schema.field("t").type == pa.timestamp("us", tz="UTC")
        assert table.restrict(b=True).project("f").to_arrow().schema == pa.schema([pa.field("f", pa.float64())])
        assert table.limit(0).to_arrow().num_rows == 0


def test_parquet_from_elsewhere(tmp_path):
    stamps = pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)] * 2, pa.timestamp("ns", tz="Asia/Tokyo"))
    arrow = pa.table({"n": pa.array([1, None], pa.int32()), "x": pa.array([0.5, 1.5], pa.float32()), "t": stamps})
    pq.write_table(arrow, tmp_path / "t.parquet")
    with Table.from_parquet(tmp_path / "t.parquet") as table:
        utc = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        assert list(table) == [{"n": 1, "x": 0.5, "t": utc}, {"n": None, "x": 1.5, "t": utc}]
    with pytest.raises(ColumnTypeError, match="row 2, column 'n'"):
        Table.from_parquet(tmp_path / "t.parquet", [("n", int), ("x", float), ("t", dt.datetime)])
    with pytest.raises(SchemaError, match="no column 't'"):
        Table.from_parquet(tmp_path / "t.parquet", [("n", int | None), ("x", float)])


def test_parquet_that_cannot_be_read(tmp_path):
    lossy = pa.table({"t": pa.array([1], pa.timestamp("ns", tz="UTC"))})
    pq.write_table(lossy, tmp_path / "lossy.parquet")
    with pytest.raises(TableError, match="cannot be read into a table"):
        Table.from_parquet(tmp_path / "lossy.parquet")
    pq.write_table(pa.table({"t": pa.array([1], pa.timestamp("us"))}), tmp_path / "naive.parquet")
    with pytest.raises(SchemaError, match="needs a timezone"):
        Table.from_parquet(tmp_path / "naive.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    for name in ("text.parquet", "absent.parquet"):
        with pytest.raises(TableError, match="cannot be read as Parquet"):
            Table.from_parquet(tmp_path / name)


def test_csv_spelling(tmp_path):
    path = tmp_path / "t.csv"
    with Table.from_rows(NULLABLE, [{**ROW, "s": "x"}, EMPTY]) as table:
        table.to_csv(path, null="NULL")
        assert path.read_bytes().decode() == (
            "s,f,i,b,y,d,t\r\n"
            "x,-0.0,9223372036854775807,true,6100,0001-02-03,2024-01-02T03:04:05.678901+00:00\r\n"
            "NULL,NULL,NULL,NULL,NULL,NULL,NULL\r\n"
        )
        with Table.from_csv(path, NULLABLE, null="NULL") as back:
            assert list(back) == list(table)


def test_a_text_that_reads_as_none_is_refused_and_the_old_file_kept(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("before")
    with Table.from_rows([("s", str | None)], [{"s": "x"}, {"s": ""}]) as table:
        with pytest.raises(ColumnTypeError, match="row 2, column 's'"):
            table.to_csv(path)
        assert path.read_text() == "before"
        assert list(tmp_path.iterdir()) == [path]
        table.to_csv(path, null="-")
    with Table.from_csv(path, [("s", str | None)], null="-") as back:
        assert list(back) == [{"s": "x"}, {"s": ""}]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("k,x\na,1\nb,one\n", ColumnTypeError, "row 2, column 'x': 'one'"),
        ("k,x\na,1_0\n", ColumnTypeError, "'1_0'"),
        ("k,x\na,nan\n", ColumnTypeError, "no NaN"),
        ("k,x\na,\n", ColumnTypeError, "cannot be read as float"),
        ("k,x\na\n", SchemaError, "has 1 fields"),
        ("k,y\na,1\n", SchemaError, "header"),
        ("k\na\n", SchemaError, "header"),
        ("", SchemaError, "header"),
        ('k,x\n"a,1\n', TableError, "cannot be read as CSV"),
    ],
)
def test_csv_that_does_not_fit_is_refused(tmp_path, text, kind, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(kind, match=message):
        Table.from_csv(path, [("k", str), ("x", float)], tmp_path / "t.db", "t")
    with pytest.raises(TableError, match="has no table"):
        Table.open(tmp_path / "t.db", "t")


def test_csv_from_elsewhere(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffx,k\r\n1,ü\r\n2.5,\r\n".encode())
    with Table.from_csv(path, [("k", str), ("x", float)]) as table:
        assert list(table) == [{"k": "ü", "x": 1.0}, {"k": "", "x": 2.5}]
    path.write_bytes(b"k,x\n\xff,1\n")
    with pytest.raises(TableError, match="cannot be read as CSV"):
        Table.from_csv(path, [("k", str), ("x", float)])
    with pytest.raises(TableError, match="cannot be read as CSV"):
        Table.from_csv(tmp_path / "absent.csv", [("k", str), ("x", float)])


@pytest.mark.parametrize(
    ("module", "use"),
    [
        ("pandas", lambda table, _: table.to_pandas()),
        ("pyarrow", lambda table, _: table.to_arrow()),
        ("pyarrow", lambda table, path: table.to_parquet(path)),
        ("pyarrow", lambda _, path: Table.from_parquet(path)),
    ],
)
def test_an_absent_package_is_named_with_its_extra(monkeypatch, tmp_path, module, use):
    monkeypatch.setitem(sys.modules, module, None)
    with (
        Table.from_rows(FULL, [ROW]) as table,
        pytest.raises(MissingExtraError, match=r"pip install '\.\[data\]'") as refusal,
    ):
        use(table, tmp_path / "t.parquet")
    assert refusal.value.extra == "data"


def test_a_line_without_anything_is_no_row_and_an_empty_field_is_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n\n3,4\n\n", encoding="utf-8")
    assert Table.from_csv(path, [("a", int), ("b", int)]).to_list() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    one = Table.from_rows([("a", str)], [{"a": ""}, {"a": "x"}])
    one.to_csv(path)
    assert Table.from_csv(path, [("a", str)]).to_list() == one.to_list()

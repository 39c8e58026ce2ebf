"""Tables in a store: schema, rows and order are preserved; views are stored as tables of their rows."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.barbara.encode import encode
from bank_python.errors import UnstorableError
from bank_python.mntable import Table, col

SCHEMA = [
    ("ticker", str),
    ("price", float),
    ("size", int | None),
    ("open", bool),
    ("raw", bytes | None),
    ("day", date),
    ("at", datetime),
    ("vol", float | None),
    ("seen", datetime | None),
    ("live", bool | None),
]
NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
ROW = {
    "ticker": "AAPL",
    "price": 228.0,
    "size": 3,
    "open": True,
    "raw": b"\0\xff",
    "day": date(2026, 3, 2),
    "at": NOON,
    "vol": 0.2,
    "seen": NOON,
    "live": False,
}
BARE = ROW | {"size": None, "raw": None, "vol": None, "seen": None, "live": None, "price": -0.0, "ticker": "é\n"}


@pytest.fixture
def db():
    with BarbaraDB.open("desk", path=":memory:") as store:
        yield store


@pytest.mark.parametrize("rows", [[], [ROW], [BARE], [ROW, BARE, ROW], [BARE] * 2])
def test_a_table_reads_back_as_it_was(db, rows):
    table = Table.from_rows(SCHEMA, rows, name="quotes")
    db["/x"] = table
    again = db["/x"]
    assert (type(again), again.name, again.schema) == (Table, "quotes", table.schema)
    assert again.to_list() == rows
    assert [math.copysign(1.0, row["price"]) for row in again] == [math.copysign(1.0, row["price"]) for row in rows]


cells = st.tuples(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.floats(allow_nan=False),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]),
        min_value=NOON.replace(year=1900, tzinfo=None),
        max_value=NOON.replace(year=2200, tzinfo=None),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(cells, max_size=8))
def test_any_rows_read_back_in_their_order(rows):
    names = ("a", "b", "c", "d")
    schema = [("a", str), ("b", float), ("c", int | None), ("d", datetime)]
    table = Table.from_rows(schema, [dict(zip(names, row, strict=True)) for row in rows])
    with BarbaraDB.open("desk", path=":memory:") as store:
        store["/x"] = {"at": [table]}
        again = store["/x"]["at"][0]
        assert again.to_list() == table.to_list()
    assert encode("/x", again).record == encode("/x", table).record  # compare-and-set depends on this


def test_the_order_is_that_of_adding_whatever_index_there_is(db):
    table = Table([("n", int), ("name", str)])
    table.create_index("n", "name")
    numbers = [3, 1, 2, 1]
    table.extend({"n": n, "name": "x"} for n in numbers)
    db["/x"] = table
    assert [row["n"] for row in table.in_order_added()] == numbers
    assert [row["n"] for row in db["/x"]] == numbers
    assert [row["n"] for row in table.in_order_added().restrict(col("n") < 3).limit(2)] == [1, 2]


def test_a_table_in_a_file_is_kept_as_its_rows(db, tmp_path):
    with Table.from_rows(SCHEMA, [ROW], tmp_path / "t.db", "quotes") as table:
        db["/x"] = table
        table.append(BARE)
    assert db["/x"].to_list() == [ROW]
    db["/x"].append(BARE)
    assert len(db["/x"]) == 1  # the table that was read is independent


def test_a_view_is_kept_as_the_table_of_what_it_shows(db):
    table = Table.from_rows(SCHEMA, [ROW, BARE])
    view = table.restrict(col("price") > 1.0).compute(twice=col("price") * 2.0).project("ticker", "twice")
    db["/x"] = view
    table.clear()
    again = db["/x"]
    assert type(again) is Table
    assert again.schema == view.schema
    assert again.to_list() == [{"ticker": "AAPL", "twice": 456.0}]


def test_tables_survive_the_process_and_keep_their_versions(tmp_path):
    path = tmp_path / "store.db"
    with BarbaraDB.open("desk", path) as store:
        for rows in ([ROW], [ROW, BARE]):
            store["/x"] = Table.from_rows(SCHEMA, rows)
    with BarbaraDB.open("desk", path) as store:
        assert store["/x"].to_list() == [ROW, BARE]
        assert [len(store.get_as_of("/x", version.stored_at)) for version in store.history("/x")] == [1, 2]


class OwnTable(Table):
    """An instance of a subclass would be read back as another type."""


def test_a_subclass_is_refused_with_the_way_out(db):
    with pytest.raises(UnstorableError, match=r"store Table\.from_rows\(it\.schema, it\)"):
        db["/x"] = OwnTable(SCHEMA)
    assert "/x" not in db


def test_a_frame_of_pandas_is_refused_with_the_way_to_a_table(db):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"ticker": ["AAPL"], "price": [228.0]})
    with pytest.raises(UnstorableError, match=r"Table\.from_rows\(schema, frame\.to_dict\('records'\)\)"):
        db["/x"] = frame
    db["/x"] = Table.from_rows([("ticker", str), ("price", float)], frame.to_dict("records"))
    assert db["/x"].to_list() == frame.to_dict("records")
    with pytest.raises(UnstorableError, match="to_pydatetime"):
        db["/t"] = pd.Timestamp("2026-01-01", tz="UTC")

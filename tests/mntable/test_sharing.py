"""Tables used by several iterators, threads and processes at once, and files that outlive a killed process."""

from __future__ import annotations

import itertools
import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from bank_python.errors import BankError, SchemaError, TableError
from bank_python.mntable import Table, col

SCHEMA = [("i", int), ("k", str)]


def numbered(start, stop):
    return [{"i": i, "k": f"k{i % 7}"} for i in range(start, stop)]


@pytest.fixture(params=["memory", "disk"])
def table(request, tmp_path):
    with Table(SCHEMA, tmp_path / "t.db" if request.param == "disk" else None) as made:
        made.extend(numbered(0, 1000))
        yield made


def test_iterators_see_the_rows_of_their_first_moment(table):
    first, late = iter(table), iter(table.restrict(col("i") >= 0))
    found = [next(first)["i"]]
    table.extend(numbered(1000, 1500))
    second = iter(table.order_by("-i"))
    assert next(second)["i"] == 1499
    assert next(late)["i"] == 0
    assert table.delete(col("i") < 900) == 900
    table.clear()
    table.extend(numbered(5000, 5100))
    found += [row["i"] for row in first]
    assert sorted(found) == list(range(1000))
    assert len(list(second)) == 1499
    assert len(list(late)) == 1499
    assert sorted(row["i"] for row in table) == list(range(5000, 5100))


def test_an_index_may_be_made_and_a_table_dropped_under_an_open_iterator(table):
    running = iter(table)
    next(running)
    table.create_index("k")
    beside = Table(SCHEMA, name="other", beside=table)
    beside.extend(numbered(0, 600))
    other = iter(beside)
    next(other)
    beside.drop()
    assert len(list(running)) == 999
    assert len(list(other)) == 599


def test_many_iterators_at_once_and_half_way_left(table):
    running = [iter(table.restrict(col("i") >= start)) for start in range(50)]
    assert [next(rows)["i"] for rows in running] == list(range(50))
    del running
    table.clear()
    assert len(table) == 0


def test_closing_ends_open_iterators(table):
    kept, dropped = iter(table), iter(table)
    next(kept)
    next(dropped)
    table.close()
    del dropped
    with pytest.raises(TableError, match="was closed"):
        list(kept)


def test_a_refused_row_is_never_seen(table):
    seen = []

    def rows():
        yield from numbered(1000, 1300)
        seen.append(len(table))
        seen.append(sum(1 for _ in table))
        yield {"i": "bad", "k": ""}

    with pytest.raises(BankError, match="row 301"):
        table.extend(rows())
    assert seen == [1000, 1000]
    assert len(table) == 1000


def test_threads_read_and_write(table):
    errors = []
    start = threading.Barrier(6)

    def work(action):
        try:
            start.wait()
            action()
        except BaseException as error:  # noqa: BLE001  (any error of a thread fails the test)
            errors.append(error)

    def write(worker):
        for batch in range(20):
            table.extend(numbered(10_000 * worker + 10 * batch, 10_000 * worker + 10 * batch + 10))

    def read():
        for _ in range(15):
            count = sum(1 for _ in table)
            assert count % 10 == 0, "an iterator saw part of a transaction"
            sums = table.aggregate("k", {"i": "count"})
            assert sum(row["i"] for row in sums) % 10 == 0

    actions = [lambda w=w: write(w) for w in (1, 2, 3)] + [read] * 3
    threads = [threading.Thread(target=work, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(table) == 1600
    assert len({row["i"] for row in table}) == 1600


def test_a_file_is_reopened_with_its_schema(tmp_path):
    path = tmp_path / "desk.db"
    with Table([("k", str), ("x", float | None)], path, "marks") as table:
        table.append({"k": "a", "x": 0.1})
    with Table.open(path) as again, Table.open(path, "marks") as named:
        assert again.schema == table.schema
        assert again.name == "marks"
        named.append({"k": "b"})
        assert list(again) == [{"k": "a", "x": 0.1}, {"k": "b", "x": None}]
        # Two handles on one file are one database: a join of them is one statement there.
        assert "part_1" not in again.join(named.rename(x="y"), on="k").sql
        assert len(again.join(named.rename(x="y"), on="k")) == 2
    with Table([("k", str), ("x", float | None)], path, "marks") as same:
        assert len(same) == 2
    with pytest.raises(SchemaError, match="exists already with"):
        Table([("k", str), ("x", float)], path, "marks")
    Table(SCHEMA, path, "second").close()
    with pytest.raises(TableError, match="'marks', 'second'"):
        Table.open(path)


def test_files_that_hold_no_table_are_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to have a header " * 20)
    before = text.read_bytes()
    with pytest.raises(TableError, match="not a database"):
        Table(SCHEMA, text)
    with pytest.raises(TableError, match="not a database"):
        Table.open(text)
    assert text.read_bytes() == before
    with pytest.raises(TableError, match="there is no file"):
        Table.open(tmp_path / "absent.db")
    assert not (tmp_path / "absent.db").exists()
    with pytest.raises(TableError, match="directory exists"):
        Table(SCHEMA, tmp_path / "absent" / "t.db")
    with pytest.raises(SchemaError, match="in memory"):
        Table(SCHEMA, "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("format = 2", "format 2"),
        ("schema = '[]x'", "not JSON"),
        ('schema = \'[["i", "decimal", false]]\'', "does not support"),
        ("schema = '5'", "cannot be read"),
    ],
)
def test_a_file_in_another_format_is_refused(tmp_path, change, message):
    path = tmp_path / "t.db"
    Table(SCHEMA, path, "t").close()
    connection = sqlite3.connect(path)
    connection.execute(f'UPDATE "bank_python.mntable" SET {change}')
    connection.commit()
    connection.close()
    with pytest.raises(BankError, match=message):
        Table.open(path, "t")


WRITER = """
import sys
from bank_python.mntable import Table

table = Table.open(sys.argv[1], "t")

def rows():
    for i in range(500):
        yield {"i": 100 + i, "k": "lost"}
    sys.stdout.write("writing\\n")
    sys.stdout.flush()
    sys.stdin.readline()

table.extend({"i": i, "k": "kept"} for i in range(100))
table.extend(rows())
"""


def test_a_killed_process_loses_only_what_it_had_not_committed(tmp_path):
    path = tmp_path / "t.db"
    Table(SCHEMA, path, "t").close()
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        with Table.open(path, "t") as table:
            assert len(table) == 100, "a reader waits for no writer"
        writer.send_signal(signal.SIGKILL)
        assert writer.wait(30) == -signal.SIGKILL
    with Table.open(path, "t") as table:
        assert [row["i"] for row in table.order_by("i")] == list(range(100))
        table.extend(numbered(100, 200))
        assert len(table) == 200


ADDER = """
import sys
from bank_python.mntable import Table

path, worker = sys.argv[1], int(sys.argv[2])
table = Table([("i", int), ("k", str)], path, "t")
for batch in range(10):
    table.extend({"i": 1000 * worker + 10 * batch + i, "k": "x"} for i in range(10))
"""


def test_processes_make_and_fill_one_file_together(tmp_path):
    path = tmp_path / "t.db"
    workers = [subprocess.Popen([sys.executable, "-c", ADDER, str(path), str(number)]) for number in range(4)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0, 0]
    with Table.open(path, "t") as table:
        expected = itertools.chain.from_iterable(range(1000 * number, 1000 * number + 100) for number in range(4))
        assert [row["i"] for row in table.order_by("i")] == list(expected)


def _use(table, queue):
    try:
        queue.put(len(table))
    except TableError as error:
        queue.put(str(error))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_handle_is_not_carried_over_a_fork(tmp_path):
    with Table(SCHEMA, tmp_path / "t.db") as table:
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        child = context.Process(target=_use, args=(table, queue))
        child.start()
        assert "call Table.open" in queue.get()
        child.join(30)
        assert child.exitcode == 0

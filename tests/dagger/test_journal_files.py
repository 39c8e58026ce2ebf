"""Journals of every kind: one writer, complete entries, reported losses; and no other file is ever changed."""

import contextlib
import gc
import gzip
import json
import logging
import os
import resource
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.dagger import (
    BarbaraJournal,
    DependencyGraph,
    Entry,
    Evaluation,
    FileJournal,
    Journal,
    Leaf,
    MemoryJournal,
)
from bank_python.errors import JournalError, UnstorableError

HEADER = b'{"dagger_journal": 1}\n'
KINDS = ["memory", "file", "store", "store in memory"]
SHARED = ["file", "store", "store in memory"]
BETWEEN_PROCESSES = ["file", "store"]


class Place:
    """A place of a journal, at which `another` object can be opened."""

    def __init__(self, kind, directory):
        self.kind, self.directory = kind, directory
        self.db = BarbaraDB.open("desk", path=":memory:") if kind == "store in memory" else None
        self.first = MemoryJournal() if kind == "memory" else self.another()

    def another(self):
        if self.kind == "file":
            return FileJournal(self.directory / "ticks.jsonl")
        return BarbaraJournal(self.db or BarbaraDB.open("desk", path=self.directory / "desk.db"), "ticks")


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    return Place(request.param, tmp_path)


@pytest.fixture(params=SHARED)
def shared_place(request, tmp_path):
    return Place(request.param, tmp_path)


def ticks(journal):
    return [entry.tick for entry in journal]


def several():
    return [
        Entry(0, {"L": 1.5, "T": ["a", None, True, {"b": 2}]}, {"C": {"strike": 0.1}}),
        Entry(1, {"L": -0.0}, {}, {"SLOW": Evaluation(0, 1e300)}),
        Entry(1, {}, {}, {"SLOW": Evaluation(1, None, "too large")}),
        Entry(12, {"V": "é\n\0\ud800"}),
    ]


# --- properties of every kind ------------------------------------------------------------------------


def test_entries_come_back_as_they_were(place):
    for entry in several():
        place.first.append(entry)
    assert list(place.first) == several()
    assert len(place.first) == 4
    assert "4 entries" in repr(place.first)
    assert (place.first.lost, place.first.lost_tick) == (None, None)


def test_one_claim_at_a_time(place):
    place.first.claim()
    with pytest.raises(JournalError, match="another recording"):
        place.first.claim()
    place.first.release()
    place.first.release()
    with place.first.writing() as journal:
        assert journal is place.first
        journal.append(Entry(1))
        with pytest.raises(JournalError, match="another recording"), journal.writing():
            pass
    place.first.claim()
    assert ticks(place.first) == [1]


def test_a_closed_journal_is_read_and_not_written(place):
    with place.first as journal:
        journal.append(Entry(1))
    journal.close()
    for write in (journal.claim, lambda: journal.append(Entry(2))):
        with pytest.raises(JournalError, match="closed"):
            write()
    assert ticks(journal) == [1]


def test_another_writer_gets_an_error_that_names_the_holder(shared_place):
    first, second = shared_place.first, shared_place.another()
    first.claim()
    for write in (second.claim, lambda: second.append(Entry(7))):
        with pytest.raises(JournalError, match=str(os.getpid())) as caught:
            write()
        assert "this process" in caught.value.holder
    first.append(Entry(1))
    assert ticks(second) == [1]
    first.release()
    second.claim()
    second.append(Entry(2))
    with pytest.raises(JournalError, match="this process"):
        first.append(Entry(3))
    second.close()
    first.append(Entry(3))
    assert ticks(first) == ticks(second) == [1, 2, 3]


def test_an_append_claims_for_the_life_of_its_object(shared_place):
    first, second = shared_place.another(), shared_place.another()
    first.append(Entry(1))
    with pytest.raises(JournalError, match="is being written"):
        second.claim()
    first.claim()  # by the object that has claimed it
    del first
    gc.collect()
    second.append(Entry(2))
    assert ticks(second) == [1, 2]


def test_another_thread_is_refused(shared_place):
    refused = []

    def write():
        with pytest.raises(JournalError, match=r"MainThread|another object"):
            shared_place.another().claim()
        refused.append(True)

    shared_place.first.claim()
    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert refused == [True]


def test_threads_that_share_a_journal_lose_nothing(place):
    def write(start):
        for tick in range(start, start + 25):
            place.first.append(Entry(tick, {"L": [float(tick)] * 50}))

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ticks(place.first)) == [start + i for start in (0, 100, 200) for i in range(25)]
    assert all(entry.leaves["L"] == [float(entry.tick)] * 50 for entry in place.first)


def test_a_reader_sees_what_was_whole_when_it_began(place):
    for tick in range(3):
        place.first.append(Entry(tick))
    reading = iter(place.first)
    assert next(reading).tick == 0
    place.first.append(Entry(3))
    assert [entry.tick for entry in reading] == [1, 2]
    assert ticks(place.first) == [0, 1, 2, 3]


def test_a_value_that_cannot_be_kept_leaves_the_journal_as_it_was(place):
    if place.kind == "memory":
        pytest.skip("a list keeps everything")
    place.first.append(Entry(1))
    with pytest.raises((JournalError, UnstorableError)):
        place.first.append(Entry(2, {"L": object()}))
    place.first.append(Entry(3))
    assert ticks(place.first) == [1, 3]


def test_a_recording_claims_and_releases(shared_place):
    graph, other = DependencyGraph(), DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    with graph.record(shared_place.first):
        leaf.set(2.0)
        for journal in (shared_place.first, shared_place.another()):
            with pytest.raises(JournalError, match="being written"), other.record(journal):
                pass
        leaf.set(3.0)
    assert ticks(shared_place.first) == [0, 1, 2]
    with other.record(shared_place.another()):
        pass
    assert len(shared_place.first) == 4


def test_a_recording_that_does_not_begin_releases(place):
    graph = DependencyGraph()
    graph.register(Leaf("L", object(), domain="any"))
    if place.kind != "memory":
        with pytest.raises((JournalError, UnstorableError)), graph.record(place.first):
            pass
    place.first.claim()


def test_a_kind_of_ones_own_has_claims_too():
    class Printed(Journal):
        def append(self, entry):
            pass

        def __iter__(self):
            return iter(())

    with Printed() as journal, journal.writing(), pytest.raises(JournalError, match="another recording"):
        journal.claim()
    with pytest.raises(JournalError, match="closed"):
        journal.claim()
    assert (journal.lost, journal.lost_tick) == (None, None)


# --- processes ---------------------------------------------------------------------------------------

_OPEN = """
import os, sys
from bank_python.barbara import BarbaraDB
from bank_python.dagger import BarbaraJournal, Entry, FileJournal
from bank_python.errors import JournalError
def opened(kind, directory):
    if kind == "file":
        return FileJournal(directory + "/ticks.jsonl")
    return BarbaraJournal(BarbaraDB.open("desk", path=directory + "/desk.db"), "ticks")
journal = opened(*sys.argv[1:3])
"""


@contextlib.contextmanager
def process(code, kind, directory):
    """A Python that runs `code` on the journal, killed at the end if it still lives."""
    command = [sys.executable, "-c", _OPEN + code, kind, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


@pytest.mark.parametrize("kind", BETWEEN_PROCESSES)
def test_another_process_is_refused_until_the_holder_is_killed(kind, tmp_path):
    with process("journal.append(Entry(1)); print('ready', flush=True); sys.stdin.read()", kind, tmp_path) as holder:
        assert holder.stdout.readline() == "ready\n"
        journal = Place(kind, tmp_path).first
        for write in (journal.claim, lambda: journal.append(Entry(7))):
            with pytest.raises(JournalError, match="being written by") as caught:
                write()
            assert caught.value.holder.startswith((f"process {holder.pid}", "another process"))
        assert ticks(journal) == [1]
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        journal.claim()
        journal.append(Entry(2))
    assert ticks(journal) == [1, 2]


@pytest.mark.parametrize("kind", BETWEEN_PROCESSES)
def test_a_killed_writer_leaves_all_that_was_appended(kind, tmp_path):
    code = """
for tick in range(int(sys.stdin.readline()), 10**9):
    journal.append(Entry(tick, {"L": [tick / 7.0] * 2000}))
    print(tick, flush=True)
"""
    told, place = -1, Place(kind, tmp_path)
    for _ in range(4):
        with process(code, kind, tmp_path) as writer:
            print(told + 1, file=writer.stdin, flush=True)
            goal = told + 10
            while told < goal:
                told = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            told = max([told, *map(int, writer.stdout.read().split("\n")[:-1])])
        found = ticks(place.another())
        assert found[: told + 1] == list(range(told + 1))
        assert len(found) <= told + 2
        told = len(found) - 1
    assert all(entry.leaves["L"] == [entry.tick / 7.0] * 2000 for entry in place.another())


def test_a_kill_in_the_middle_of_a_line_is_reported_and_cut_off(tmp_path):
    code = """
journal.append(Entry(1))
real = os.write
def killed(descriptor, data):
    real(descriptor, data[:30])
    os.kill(os.getpid(), 9)
os.write = killed
journal.append(Entry(2, {"L": 1.0}))
"""
    with process(code, "file", tmp_path) as writer:
        assert writer.wait() == -signal.SIGKILL
    journal = FileJournal(tmp_path / "ticks.jsonl")
    assert (ticks(journal), journal.lost_tick) == ([1], 2)
    assert "line 3 " in journal.lost
    assert " 30 bytes, of tick 2, lost" in journal.lost
    journal.append(Entry(3))
    assert ticks(journal) == [1, 3]


@pytest.mark.parametrize("kind", BETWEEN_PROCESSES)
def test_writers_that_take_turns_lose_nothing(kind, tmp_path):
    code = """
done, start = 0, int(sys.stdin.readline())
while done < 15:
    try:
        with journal.writing():
            journal.append(Entry(start + done))
    except JournalError as error:
        assert "being written by" in str(error), error
    else:
        done += 1
print("done", flush=True)
"""
    with process(code, kind, tmp_path) as one, process(code, kind, tmp_path) as other:
        for writer, start in ((one, 0), (other, 100)):
            print(start, file=writer.stdin, flush=True)
        assert [writer.stdout.readline() for writer in (one, other)] == ["done\n"] * 2
    found = ticks(Place(kind, tmp_path).first)
    assert [tick for tick in found if tick < 100] == list(range(15))
    assert [tick for tick in found if tick >= 100] == list(range(100, 115))


@pytest.mark.parametrize("kind", BETWEEN_PROCESSES)
def test_reading_beside_a_writer_sees_whole_entries_only(kind, tmp_path):
    code = """
print("ready", flush=True)
for tick in range(200):
    journal.append(Entry(tick, {"L": "x" * (tick % 7 * 30_000)}))
sys.stdin.read()
"""
    with process(code, kind, tmp_path) as writer:
        assert writer.stdout.readline() == "ready\n"
        journal, before = Place(kind, tmp_path).first, 0
        while before < 200:
            found = list(journal)
            assert [entry.tick for entry in found] == list(range(len(found)))
            assert all(len(entry.leaves["L"]) == entry.tick % 7 * 30_000 for entry in found)
            assert len(found) >= before
            assert (journal.lost, journal.lost_tick) == (None, None)
            before = len(found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_neither_writes_nor_keeps_the_lock(tmp_path):
    code = """
journal.append(Entry(1))
child = os.fork()
if child == 0:
    try:
        journal.append(Entry(2))
    except JournalError as error:
        print(error.holder, flush=True)
    else:
        print("written", flush=True)
    sys.stdin.read()
    os._exit(0)
print(child, flush=True)
os.waitpid(child, 0)
"""
    with process(code, "file", tmp_path) as parent:
        lines = {parent.stdout.readline().strip() for _ in range(2)}
        child = next(int(line) for line in lines if line.isdigit())
        assert lines - {str(child)} <= {f"process {parent.pid}", "another process"}
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        assert not select.select([parent.stdout], [], [], 0)[0]  # the child lives and has the pipe open
        journal = FileJournal(tmp_path / "ticks.jsonl")
        journal.append(Entry(3))
        os.kill(child, signal.SIGKILL)
    assert ticks(journal) == [1, 3]


# --- one file by many names --------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["spelling", "relative", "symlink", "hard link", "linked directory"])
def test_one_file_by_another_name_has_the_same_writer(other, tmp_path, monkeypatch):
    path = tmp_path / "ticks.jsonl"
    journal = FileJournal(path)
    journal.claim()
    name = {
        "spelling": tmp_path / "." / ".." / tmp_path.name / "ticks.jsonl",
        "relative": Path("ticks.jsonl"),
        "linked directory": tmp_path / "again" / "ticks.jsonl",
    }.get(other, tmp_path / "link.jsonl")
    if other == "symlink":
        name.symlink_to(path)
    elif other == "hard link":
        name.hardlink_to(path)
    elif other == "linked directory":
        (tmp_path / "again").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    second = FileJournal(name)
    monkeypatch.chdir("/")
    with pytest.raises(JournalError, match="being written by"):
        second.claim()
    journal.release()
    second.append(Entry(1))
    assert ticks(journal) == [1]


def test_journals_of_one_store_do_not_mix(tmp_path):
    db = BarbaraDB.open("desk", path=tmp_path / "desk.db")
    desk, below = BarbaraJournal(db, "desk"), BarbaraJournal(db, "desk/eu")
    below.append(Entry(5))
    desk.append(Entry(1))
    below.append(Entry(6))
    assert (ticks(desk), ticks(below), len(desk)) == ([1], [5, 6], 1)


def test_a_record_is_never_written_over(tmp_path):
    journal = BarbaraJournal(BarbaraDB.open("desk", path=tmp_path / "desk.db"), "ticks")
    journal.append(Entry(1))
    with BarbaraDB.open("desk", path=tmp_path / "desk.db") as db:  # by a writer that does not take the lock
        db["/Journal/ticks/000000000001"] = {"tick": 2, "leaves": {}, "terms": {}, "evaluations": {}}
    with pytest.raises(JournalError, match="another writer added"):
        journal.append(Entry(3))
    journal.append(Entry(4))
    assert ticks(journal) == [1, 2, 4]


def test_a_store_has_no_lock_file_left_over(tmp_path):
    journal = BarbaraJournal(BarbaraDB.open("desk", path=tmp_path / "desk.db"), "a/b")
    with journal.writing():
        assert len(list(tmp_path.glob("*.lock"))) == 1
    assert list(tmp_path.glob("*.lock")) == []


@pytest.mark.parametrize("record", [5, {}, {"tick": "1", "leaves": {}, "terms": {}, "evaluations": {}}])
def test_a_damaged_record_is_named(record, tmp_path):
    db = BarbaraDB.open("desk", path=":memory:")
    db["/Journal/ticks/000000000000"] = record
    with pytest.raises(JournalError, match="/Journal/ticks/000000000000"):
        list(BarbaraJournal(db, "ticks"))


# --- files that are not journals ---------------------------------------------------------------------


def database(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()


FOREIGN = {
    "a CSV": (b"date,price\n2024-01-02,101.5\n", "text that begins 'date,price'"),
    "no line end in 200 bytes": (b"x" * 500, "text that begins 'xxx"),
    "no line end at all": (b"note to self", "text that begins 'note to self'"),
    "one byte": (b"x", "text"),
    "a line end": (b"\n", "text"),
    "a blank": (b" ", "text"),
    "NUL bytes": (b"\0" * 4096, "empty binary"),
    "a binary": (bytes(range(128, 256)) * 4, "binary file that begins with 80 81"),
    "gzip": (gzip.compress(b"abc"), "gzip"),
    "zip": (b"PK\x03\x04rest", "zip"),
    "UTF-16": ('{"dagger_journal": 1}\n'.encode("utf-16"), "UTF-16"),
    "text cut in a character": (("x" + "ü" * 100).encode(), "text that begins 'xü"),
    "JSON": (json.dumps([1]).encode() + b"\n", "text that begins '\\[1\\]'"),
    "another header": (b'{"dagger_journal": "1"}\n', "text"),
    "another format": (b'{"dagger_journal": 2}\n{"tick": 0}\n', "of format 2; use the release"),
    "a market's recording": (b'{"format":"bank_python.market_journal","version":1}\n', "recording of a market"),
    "a byte order mark": (b"\xef\xbb\xbf" + HEADER, "byte order mark"),
    "CR LF": (HEADER.replace(b"\n", b"\r\n") + b'{"tick": 0}\r\n', "CR LF"),
    "header, then text": (HEADER[:-1] + b"x\n", "damaged header"),
    "half a header, then more": (HEADER[:9] + b"\nmore", "text"),
    "half a header, then NUL": (HEADER[:9] + b"\0" * 9, "text"),
}


@pytest.mark.parametrize("what", [*FOREIGN, "an SQLite file", "a Barbara store"])
def test_a_file_that_is_not_a_journal_is_left_as_it_was(what, tmp_path):
    path = tmp_path / "file"
    says = "SQLite"
    if what == "an SQLite file":
        database(path)
    elif what == "a Barbara store":
        with BarbaraDB.open(path=path) as db:
            db["/a"] = 1
    else:
        content, says = FOREIGN[what]
        path.write_bytes(content)
    os.utime(path, ns=(1, 10**18))
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(JournalError, match=says) as caught:
            FileJournal(path)
        assert str(path) in str(caught.value)
        assert "give the path of a journal or of a new file" in str(caught.value)
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == 10**18
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_put_in_a_journals_place_is_left_as_it_was(what, tmp_path):
    path, content = tmp_path / "ticks.jsonl", FOREIGN[what][0]
    idle, busy = FileJournal(path), FileJournal(tmp_path / "busy.jsonl")
    busy.append(Entry(1))
    for taken in (path, busy.path):
        (tmp_path / "new").write_bytes(content)
        (tmp_path / "new").rename(taken)
    for journal in (idle, busy):
        for act in (lambda journal=journal: journal.append(Entry(2)), lambda journal=journal: list(journal)):
            with pytest.raises(JournalError):
                act()
        assert journal.path.read_bytes() == content
        assert "unreadable" in repr(journal)


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link to pipe").symlink_to(tmp_path / "pipe")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "text").write_bytes(b"text")
    (tmp_path / "link to text").symlink_to(tmp_path / "text")
    with socket.socket(socket.AF_UNIX) as server:
        with contextlib.chdir(tmp_path):
            server.bind("socket")
        for name, says in {
            "pipe": "a pipe",
            "link to pipe": "a pipe",
            "socket": "a socket",
            ".": "a directory",
            "nowhere": "link to a missing file",
            "circle": "cannot be read",
            "link to text": "text that begins",
            "no/such/file": "create it first",
            "file/below": "cannot be read",
            "x" * 300: "cannot be read",
            "NUL\0": "cannot be read",
        }.items():
            with pytest.raises(JournalError, match=says):
                FileJournal(tmp_path / name)
    with pytest.raises(JournalError, match="a device"):
        FileJournal(os.devnull)
    assert not (tmp_path / "missing").exists()
    assert (tmp_path / "text").read_bytes() == b"text"


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no rights to take away")
def test_a_file_without_rights_is_refused(tmp_path):
    path = tmp_path / "ticks.jsonl"
    path.write_bytes(b"secret")
    path.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(JournalError, match="check the path and its permissions"):
            FileJournal(path)
    finally:
        if root:
            os.seteuid(0)
    path.chmod(0o600)
    assert path.read_bytes() == b"secret"


def test_an_empty_file_is_taken_once_somebody_writes(tmp_path):
    path = tmp_path / "ticks.jsonl"
    path.touch()
    journal = FileJournal(path)
    assert (list(journal), len(journal), journal.lost, path.read_bytes()) == ([], 0, None, b"")
    journal.append(Entry(1))
    assert (ticks(journal), len(journal)) == ([1], 1)


def test_opening_a_journal_changes_nothing_and_reads_little(tmp_path):
    path = tmp_path / "ticks.jsonl"
    with path.open("wb") as file:
        file.write(HEADER)
        file.truncate(200_000_000)
    os.utime(path, ns=(1, 10**18))
    tracemalloc.start()
    FileJournal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    assert path.stat().st_mtime_ns == 10**18


# --- torn ends ---------------------------------------------------------------------------------------


def written(directory, entries):
    """Return a journal's bytes, and its entries with the offset after each."""
    path = directory / "whole.jsonl"
    path.unlink(missing_ok=True)
    with FileJournal(path) as journal:
        ends = []
        for entry in entries:
            journal.append(entry)
            ends.append((path.stat().st_size, entry))
    return path.read_bytes(), ends


def check_cut(directory, data, ends, cut, padding=b""):
    """Cut a journal at a byte: complete entries are read, the loss is reported, and writing continues."""
    path = directory / "cut.jsonl"
    for left in directory.glob("cut.jsonl*"):
        left.unlink()
    torn = data[:cut] + padding
    path.write_bytes(torn)
    whole = [entry for end, entry in ends if end <= cut]
    start = max([len(HEADER) if cut >= len(HEADER) else 0, *(end for end, _ in ends if end <= cut)])
    journal = FileJournal(path)
    assert list(journal) == whole
    assert len(journal) == len(whole)
    assert path.read_bytes() == torn
    lost, tick = journal.lost, journal.lost_tick
    if len(torn) == start:
        assert (lost, tick) == (None, None)
    else:
        assert f" {len(torn) - start} byte" in lost
        assert f"line {torn[:start].count(10) + 1} " in lost
        assert "torn end" in repr(journal)
    fragment = next((entry for end, entry in ends if end > cut), None) if start < cut else None
    last = whole[-1].tick if whole else None
    if fragment is not None and start >= len(HEADER):
        assert tick in ((fragment.tick,) if fragment.tick == last else (fragment.tick, None))
        assert (tick is not None) or len(torn) - start < len(f' {{"tick": {fragment.tick},') or padding
    elif start >= len(HEADER) and padding:
        assert tick == last  # unknown
    kept = list(whole)
    while tick is not None and kept and kept[-1].tick == tick:  # the other entries of the torn tick are cut off too
        kept.pop()
    journal.append(Entry(99))
    assert list(FileJournal(path)) == [*kept, Entry(99)]
    assert (journal.lost, FileJournal(path).lost) == (None, None)
    saved = path.with_name("cut.jsonl.torn")
    if len(torn) > start >= len(HEADER):
        assert torn.endswith(saved.read_bytes())
        assert path.read_bytes().startswith(torn[: -len(saved.read_bytes())])
    else:
        assert not saved.exists()


def test_a_cut_at_every_byte_is_reported(tmp_path):
    data, ends = written(tmp_path, several())
    for cut in range(len(data) + 1):
        check_cut(tmp_path, data, ends, cut)


def test_nul_bytes_at_the_end_are_a_torn_end(tmp_path):
    data, ends = written(tmp_path, several())
    for cut in range(len(HEADER), len(data) + 1, 5):
        check_cut(tmp_path, data, ends, cut, b"\0" * 70_000)
    check_cut(tmp_path, data, ends, len(data), b"\0")


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.lists(st.floats(allow_nan=False))
)
entries = st.lists(
    st.builds(
        Entry,
        st.integers(0, 3),
        st.dictionaries(st.text(max_size=3), values, max_size=3),
        st.dictionaries(
            st.text(max_size=3), st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False), max_size=2)
        ),
        st.dictionaries(st.text(max_size=3), st.builds(Evaluation, st.integers(), values), max_size=2),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(entries=entries, data=st.data())
def test_any_journal_cut_anywhere(entries, data, tmp_path_factory):
    directory = tmp_path_factory.mktemp("cut")
    whole, ends = written(directory, entries)
    assert list(FileJournal(directory / "whole.jsonl")) == entries
    check_cut(directory, whole, ends, data.draw(st.integers(0, len(whole))))


def test_a_torn_end_is_logged_once(tmp_path, caplog):
    path = tmp_path / "ticks.jsonl"
    data, _ = written(tmp_path, several())
    path.write_bytes(data[:-10])
    journal = FileJournal(path)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert len(list(journal)) == 3
            assert journal.lost
    assert [record.getMessage() for record in caplog.records] == [journal.lost]
    assert "of tick 12," in journal.lost
    journal.claim()
    assert [record.getMessage() for record in caplog.records[1:]] == [
        f"the unfinished end of {path} is cut off, and saved as {path}.torn"
    ]


def test_a_line_that_is_being_written_is_not_lost(tmp_path):
    path = tmp_path / "ticks.jsonl"
    writer, reader = FileJournal(path), FileJournal(path)
    writer.append(Entry(1))
    with path.open("ab") as file:  # as an unfinished write looks to other processes
        file.write(b'{"tick": 2, "le')
    assert (ticks(reader), len(reader), reader.lost, reader.lost_tick) == ([1], 1, None, None)
    writer.release()
    assert (ticks(reader), len(reader), reader.lost_tick) == ([1], 1, 2)
    assert "line 3" in reader.lost


def test_what_is_cut_off_never_replaces_what_was_saved(tmp_path):
    path = tmp_path / "ticks.jsonl"
    data, _ = written(tmp_path, several())
    (tmp_path / "ticks.jsonl.torn").write_bytes(b"somebody's")
    path.write_bytes(data[:-10])
    FileJournal(path).claim()
    assert (tmp_path / "ticks.jsonl.torn").read_bytes() == b"somebody's"
    assert data[:-10].endswith((tmp_path / "ticks.jsonl.torn-2").read_bytes())


def test_a_tick_is_there_with_its_evaluations_or_not_at_all(tmp_path):
    path = tmp_path / "ticks.jsonl"
    data, ends = written(
        tmp_path, [Entry(1), Entry(2, {"L": 1.0}), Entry(2, {}, {}, {"E": Evaluation(2, 1.0)}), Entry(3)]
    )
    for cut in range(ends[1][0] + 1, ends[2][0]):
        path.write_bytes(data[:cut])
        journal = FileJournal(path)
        assert (ticks(journal), journal.lost_tick) == ([1, 2], 2)
        assert "only a part" in journal.lost
        journal.append(Entry(4))
        assert ticks(journal) == [1, 4]
        journal.close()


def test_files_of_the_time_before_the_space_are_read(tmp_path):
    path = tmp_path / "ticks.jsonl"
    data, _ = written(tmp_path, several())
    path.write_bytes(data.replace(b"\n {", b"\n{"))
    assert list(FileJournal(path)) == several()


# --- damage ------------------------------------------------------------------------------------------


TICK = b'{"tick": 1, "terms": {}, "evaluations": {}, '


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"garbage",
        b"\0" * 40,
        b"\xff\xfe",
        b"null",
        b"[1]",
        b"{}",
        b"[" * 100_000,
        b'{"tick": "1", "leaves": {}, "terms": {}, "evaluations": {}}',
        b'{"tick": true, "leaves": {}, "terms": {}, "evaluations": {}}',
        b'{"tick": 1, "leaves": 5, "terms": {}, "evaluations": {}}',
        b'{"tick": 1, "leaves": {}, "terms": {"C": 1}, "evaluations": {}}',
        b'{"tick": 1, "leaves": {}, "terms": {}, "evaluations": {"E": 1}}',
        b'{"tick": 1, "leaves": {}, "terms": {}, "evaluations": {"E": ["1", 2.0, null]}}',
        b'{"tick": 1, "leaves": {}, "terms": {}, "evaluations": {"E": [1, 2.0, 3]}}',
        TICK + b'"leaves": {"V": {"__array__": "AA=", "dtype": "<f8", "shape": [1]}}}',
        TICK + b'"leaves": {"V": {"__array__": "AAAA", "dtype": "?,,", "shape": [9]}}}',
        TICK + b'"leaves": {"V": {"__array__": "AAAA"}}}',
    ],
)
def test_a_damaged_line_is_named_and_nothing_is_half_done(line, tmp_path):
    path = tmp_path / "ticks.jsonl"
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 0.0))
    data, ends = written(tmp_path, [Entry(0, {"L": 1.0}), Entry(1, {"L": 2.0}), Entry(2, {"L": 3.0})])
    path.write_bytes(data[: ends[1][0]] + line + b"\n" + data[ends[1][0] :])
    with pytest.raises(JournalError, match=r"line 4 of .* is damaged") as caught:
        graph.replay(FileJournal(path))
    assert caught.value.line == 4
    assert leaf.value in (1.0, 2.0)
    assert FileJournal(path).lost is None


@pytest.mark.parametrize(
    "value",
    [
        {"__array__": 1},
        np.ma.masked_array([1.0, 2.0], [True, False]),
        np.zeros(2, dtype=[("a", "f8")]),
        np.array([None]),
        1 << 20_000,
    ],
    ids=["reserved name", "masked array", "records", "objects", "huge integer"],
)
def test_what_would_come_back_changed_is_refused(value, tmp_path):
    journal = FileJournal(tmp_path / "ticks.jsonl")
    with pytest.raises(JournalError, match="Barbara"):
        journal.append(Entry(1, {"L": value}))
    assert (tmp_path / "ticks.jsonl").read_bytes() == HEADER


def test_a_list_that_holds_itself_is_refused(tmp_path):
    circle = []
    circle.append(circle)
    with pytest.raises(JournalError, match="tick 1"):
        FileJournal(tmp_path / "ticks.jsonl").append(Entry(1, {"L": circle}))


# --- the disk ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sync", [False, True])
def test_a_full_disk_takes_nothing_of_an_entry(sync, tmp_path):
    path = tmp_path / "ticks.jsonl"
    journal = FileJournal(path, sync=sync)
    journal.append(Entry(1))
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(JournalError, match="free disk space"):
            journal.append(Entry(2, {"L": "x" * 1000}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    journal.append(Entry(3))
    assert ticks(journal) == [1, 3]


def test_an_interrupted_append_is_taken_back(tmp_path, monkeypatch):
    journal = FileJournal(tmp_path / "ticks.jsonl")
    journal.append(Entry(1))
    real = os.write

    def interrupted(descriptor, data):
        real(descriptor, data[:20])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.append(Entry(2))
    journal.append(Entry(3))
    assert ticks(journal) == [1, 3]


def test_sync_asks_the_disk(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "fsync", asked.append)
    with FileJournal(tmp_path / "a.jsonl") as journal:
        journal.append(Entry(1))
    assert asked == []
    with FileJournal(tmp_path / "b.jsonl", sync=True) as journal:
        journal.append(Entry(1))
        journal.append(Entry(2))
    assert len(asked) >= 3


@pytest.mark.parametrize("how", ["removed", "added to", "cut"])
def test_a_file_that_others_change_is_not_written_blindly(how, tmp_path):
    path = tmp_path / "ticks.jsonl"
    journal = FileJournal(path)
    journal.append(Entry(1))
    if how == "removed":
        path.unlink()
    elif how == "added to":
        with path.open("ab") as file:
            file.write(b"somebody's\n")
    else:
        os.truncate(path, len(HEADER) + 5)
    before = None if how == "removed" else path.read_bytes()
    with pytest.raises(JournalError, match="was removed or moved" if how == "removed" else "another program changed"):
        journal.append(Entry(2))
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    journal = FileJournal(tmp_path / "ticks.jsonl")

    def unsupported(descriptor, operation):
        raise OSError(38, "Function not implemented")

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", unsupported)
        with pytest.raises(JournalError, match="has no locks"):
            journal.claim()
    journal.claim()


def test_a_journal_can_be_read_where_it_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "ticks.jsonl"
    with FileJournal(path) as journal:
        journal.append(Entry(1))
    real = os.open

    def read_only(name, flags, *mode, **other):
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return real(name, flags, *mode, **other)

    monkeypatch.setattr(os, "open", read_only)
    journal = FileJournal(path)
    assert ticks(journal) == [1]
    with pytest.raises(JournalError, match="cannot be written"):
        journal.claim()


@pytest.mark.parametrize("written_bytes", range(len(HEADER) + 1))
def test_a_kill_while_a_journal_is_made_leaves_one_that_opens(written_bytes, tmp_path):
    path = tmp_path / "ticks.jsonl"
    code = f"""
real = os.write
def killed(descriptor, data):
    real(descriptor, data[:{written_bytes}])
    os.kill(os.getpid(), 9)
os.write = killed
FileJournal({str(path)!r})
"""
    if written_bytes in (0, 1, 12):  # killed in these cases; the others write the same bytes
        with process(code, "store", tmp_path) as maker:
            assert maker.wait() == -signal.SIGKILL
    else:
        path.write_bytes(HEADER[:written_bytes])
    assert path.read_bytes() == HEADER[:written_bytes]
    journal = FileJournal(path)
    assert (list(journal), journal.lost_tick) == ([], None)
    assert (journal.lost is None) == (written_bytes in (0, len(HEADER)))
    journal.append(Entry(1))
    assert ticks(journal) == [1]
    assert path.read_bytes().startswith(HEADER)

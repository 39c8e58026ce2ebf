"""Real processes on one file: no lost update, and nothing acknowledged is lost to SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from bank_python.barbara import BarbaraDB
from bank_python.errors import StoreError

COUNT = """
import sys
from bank_python.barbara import MISSING, BarbaraDB
from bank_python.errors import ConflictError

with BarbaraDB.open("desk", sys.argv[1]) as db:
    for _ in range(int(sys.argv[2])):
        while True:
            held = db.get("/count", MISSING)
            try:
                db.compare_and_set("/count", held, 1 if held is MISSING else held + 1)
            except ConflictError:
                continue
            break
"""

# Writes pairs of arrays in one transaction each and acknowledges every commit on a line of its own.
WRITE = """
import sys
import numpy as np
from bank_python.barbara import BarbaraDB

with BarbaraDB.open("desk", sys.argv[1]) as db:
    number = 0
    while True:
        value = np.full(5000, float(number))
        value[::7] = np.arange(len(value[::7]))
        with db.transaction():
            db[f"/log/{number:06d}/a"] = value
            db[f"/log/{number:06d}/b"] = value
            db["/last"] = number
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
        number += 1
"""


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_processes_that_create_and_count_together_lose_nothing(path):
    running = [start(COUNT, path, 25) for _ in range(4)]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    with BarbaraDB.open("desk", path) as db:
        assert db["/count"] == 100
        assert [version.number for version in db.history("/count")] == list(range(1, 101))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("lines", [1, 17, 40])
def test_what_was_acknowledged_survives_sigkill(path, lines):
    process = start(WRITE, path)
    acknowledged = -1
    for _ in range(lines):
        acknowledged = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    # To the end, through the same buffered reader: communicate() would skip what that has already read.
    complete = [line for line in process.stdout.readlines() if line.endswith("\n")]
    acknowledged = int(complete[-1]) if complete else acknowledged
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL

    with BarbaraDB.open("desk", path) as db:
        assert db["/last"] in (acknowledged, acknowledged + 1)  # it may have died between commit and line
        logged = db.items("/log/")
        assert len(logged) == 2 * (db["/last"] + 1)
        for key, value in logged:
            expected = np.full(5000, float(key.split("/")[2]))
            expected[::7] = np.arange(len(expected[::7]))
            assert np.array_equal(value, expected), key
        assert db._session().rows("PRAGMA integrity_check") == [("ok",)]
        db["/last"] = "written after the crash"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_writer_does_not_keep_the_lock(path):
    program = """
import sys
from bank_python.barbara import BarbaraDB
db = BarbaraDB.open("desk", sys.argv[1])
with db.transaction():
    db["/half"] = 1
    sys.stdout.write("inside\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "inside\n"
    with BarbaraDB.open("desk", path, timeout=0) as db:
        with pytest.raises(StoreError, match="is writing"):
            db["/x"] = 1
        process.kill()
        process.communicate(timeout=30)
        db["/x"] = 1
        assert db.keys() == ["/x"]


def test_changes_of_another_process_are_polled(path):
    program = "import sys; from bank_python.barbara import BarbaraDB; BarbaraDB.open('desk', sys.argv[1])['/x'] = 1"
    with BarbaraDB.open("desk", path) as db:
        seen = []
        db.subscribe("/x", seen.append)
        subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=60)
        assert [change.key for change in db.poll_changes()] == ["/x"]
        assert len(seen) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_gets_an_error(path):
    program = """
import os, sys
from bank_python.barbara import BarbaraDB
from bank_python.errors import StoreError
db = BarbaraDB.open("desk", sys.argv[1])
child = os.fork()
if child == 0:
    try:
        db["/x"] = 1
    except StoreError as error:
        os._exit(0 if "forked" in str(error) else 1)
    os._exit(2)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", program, str(path)], timeout=60, check=False).returncode == 0

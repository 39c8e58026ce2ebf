"""The store as a dict: keys, misses, deletion, the location of the file, and errors."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys

import pytest

from bank_python.barbara import BarbaraDB
from bank_python.errors import BankError, MissingKeyError, StoreArgumentError, StoreError


def test_is_used_like_a_dict(db):
    db["/Config/currency"] = "USD"
    db["/Config/limit"] = 3
    db["/Market/SOFR"] = 0.05

    assert db["/Config/currency"] == "USD"
    assert "/Config/limit" in db
    assert "/Config/none" not in db
    assert db.get("/Config/none") is None
    assert db.get("/Config/none", 7) == 7
    assert len(db) == 3
    assert list(db) == ["/Config/currency", "/Config/limit", "/Market/SOFR"]
    assert db.keys("/Config/") == ["/Config/currency", "/Config/limit"]
    assert db.items("/Config/") == [("/Config/currency", "USD"), ("/Config/limit", 3)]
    assert db.values("/Market/") == [0.05]
    assert dict(db) == {"/Config/currency": "USD", "/Config/limit": 3, "/Market/SOFR": 0.05}
    assert db.pop("/Config/limit") == 3
    assert db.pop("/Config/limit", "gone") == "gone"
    assert db.setdefault("/Config/limit", 4) == 4
    assert db.setdefault("/Config/limit", 5) == 4
    del db["/Config/limit"]
    assert "/Config/limit" not in db


def test_none_is_a_value(db):
    db["/a"] = None
    assert "/a" in db
    assert db.get("/a", 1) is None


def test_a_miss_names_key_rings_and_what_was_probably_meant(db):
    db["/Market/SOFR"] = 0.05
    with pytest.raises(MissingKeyError, match=r"'/Market/SOFRR' in ring 'desk', 'default'.*'/Market/SOFR'\?") as caught:
        db["/Market/SOFRR"]
    assert caught.value.key == "/Market/SOFRR"
    assert caught.value.rings == ("desk", "default")
    assert caught.value.suggestions == ("/Market/SOFR",)
    assert isinstance(caught.value, KeyError)
    for miss in (db.version, db.delete, db.pop, db.load):
        with pytest.raises(MissingKeyError):
            miss("/Market/LIBOR")


@pytest.mark.parametrize("key", ["", None, 3, b"/a", ("a",), "/a\ud800"])
def test_other_keys_are_refused_and_change_nothing(db, key):
    for use in (
        lambda: db.__setitem__(key, 1),
        lambda: db[key],
        lambda: key in db,
        lambda: db.get(key),
        lambda: db.delete(key),
        lambda: db.compare_and_set(key, 1, 2),
        lambda: db.update({"/good": 1, key: 2}),
        lambda: db.history(key),
    ):
        with pytest.raises(StoreArgumentError):
            use()
    assert len(db) == 0
    assert not db.history("/good")


@pytest.mark.parametrize("rings", ["", ";", "desk;", "desk;;default", " desk", "desk;desk", 3])
def test_senseless_rings_are_refused(rings):
    with pytest.raises(StoreArgumentError):
        BarbaraDB.open(rings, ":memory:")


def test_prefixes_take_every_character_verbatim(db):
    keys = [
        "%",
        "%a",
        "*",
        "*a",
        "A",
        "_",
        "_a",
        "a",
        "a\0",
        "a\0b",
        "ab",
        "a\ud7ff",
        "a\U0010ffff",
        "a\U0010ffffb",
        "é",
    ]
    for key in keys:
        db[key] = key
    for prefix in ["", *keys, "a\U0010ffffbb"]:
        assert db.keys(prefix) == sorted(key for key in keys if key.startswith(prefix)), prefix


def test_repr_and_properties(db):
    db["/a"] = 1
    assert repr(db) == "BarbaraDB('desk;default', path=':memory:', 1 keys)"
    assert db.rings == ("desk", "default")
    assert db.path == ":memory:"


def test_a_closed_store_says_so(db):
    db["/a"] = 1
    db.close()
    db.close()
    assert db.closed
    assert "closed" in repr(db)
    with pytest.raises(StoreError, match="closed"):
        db["/a"]


def test_what_is_written_is_there_after_reopening(path):
    with BarbaraDB.open("desk", path) as db:
        db["/a"] = [1, 2]
    with BarbaraDB.open("other;desk", path) as db:
        assert db["/a"] == [1, 2]
        assert db.version("/a").ring == "desk"


def test_memory_keeps_nothing():
    with BarbaraDB.open("desk", ":memory:") as db:
        db["/a"] = 1
    with BarbaraDB.open("desk", ":memory:") as db:
        assert len(db) == 0


def test_the_file_is_where_bank_python_home_says(tmp_path, monkeypatch):
    monkeypatch.setenv("BANK_PYTHON_HOME", str(tmp_path / "deep" / "home"))
    with BarbaraDB.open("desk") as db:
        db["/a"] = 1
        assert db.path == str(tmp_path / "deep" / "home" / "barbara.db")
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "deep" / "home").stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG directories are Linux's")
def test_the_file_is_in_the_users_data_directory_by_default(tmp_path, monkeypatch):
    monkeypatch.delenv("BANK_PYTHON_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with BarbaraDB.open("desk") as db:
        assert db.path == str(tmp_path / "bank_python" / "barbara.db")
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    with BarbaraDB.open("desk") as db:
        assert db.path == str(tmp_path / ".local" / "share" / "bank_python" / "barbara.db")


def test_a_home_that_cannot_be_made_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BANK_PYTHON_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StoreError, match="BANK_PYTHON_HOME"):
        BarbaraDB.open("desk")


def test_senseless_paths_are_refused(tmp_path):
    for path in ("", tmp_path, tmp_path / "none" / "desk.db"):
        with pytest.raises(StoreArgumentError):
            BarbaraDB.open("desk", path)
    with pytest.raises(StoreArgumentError):
        BarbaraDB.open("desk", ":memory:", timeout=-1)
    with pytest.raises(StoreArgumentError):
        BarbaraDB.open("desk", ":memory:", timeout=float("nan"))


def test_other_peoples_files_are_left_untouched(tmp_path):
    text = tmp_path / "text.db"
    text.write_text("not a database at all, but longer than the header that SQLite looks for" * 20)
    before = text.read_bytes()
    with pytest.raises(StoreError):
        BarbaraDB.open("desk", text)
    assert text.read_bytes() == before

    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    before = other.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        BarbaraDB.open("desk", other)
    assert other.read_bytes() == before


def test_a_newer_format_is_refused(path):
    BarbaraDB.open("desk", path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="format 99") as caught:
        BarbaraDB.open("desk", path)
    assert caught.value.format == 99


def test_the_file_is_in_wal_mode_and_synchronous_full(path):
    with BarbaraDB.open("desk", path) as db:
        session = db._session()
        assert session.rows("PRAGMA journal_mode") == [("wal",)]
        assert session.rows("PRAGMA synchronous") == [(2,)]


def test_export_json_shows_records_to_people(db, quote, contract):
    db["/Instruments/B"] = contract("B", rate=quote("SOFR", 0.05))
    db["/Config/currency"] = "USD"
    shown = db.export_json("/Instruments/")
    assert '"tests/Contract"' in shown
    assert '"/Market/SOFR"' in shown
    assert "currency" not in shown


def test_every_error_is_a_bank_error(db):
    with pytest.raises(BankError):
        db["/none"]
    with pytest.raises(ValueError, match="empty"):
        db[""] = 1

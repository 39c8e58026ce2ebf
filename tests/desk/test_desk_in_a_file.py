"""A desk is built in a file that is named, and lets go of it when that fails."""

from __future__ import annotations

import datetime as dt

import pytest

from bank_python.barbara import BarbaraDB
from bank_python.desk import Desk, build_desk
from bank_python.errors import DeskError, DomainError, StoreArgumentError, StoreError


@pytest.fixture
def opened(monkeypatch):
    """The stores that are opened, in order."""
    stores = []
    plain = BarbaraDB.open.__func__

    def keep(cls, *args, **kwargs):
        stores.append(plain(cls, *args, **kwargs))
        return stores[-1]

    monkeypatch.setattr(BarbaraDB, "open", classmethod(keep))
    return stores


@pytest.mark.parametrize("as_text", [True, False])
def test_a_desk_is_built_in_a_file_and_opened_again(tmp_path, as_text):
    path = tmp_path / "desk.db"
    with build_desk(db=str(path) if as_text else path, seed=7) as desk:
        assert desk.db.path == str(path)
        value = desk.firm_pnl.value
    assert desk.db.closed
    with Desk.open(path) as again:
        assert again.firm_pnl.value == value


def test_a_store_given_as_a_path_is_closed_when_the_desk_is_not_built(tmp_path, opened):
    build_desk(db=tmp_path / "desk.db").close()
    with pytest.raises(DeskError, match="replace"):
        build_desk(db=tmp_path / "desk.db")
    assert [store.closed for store in opened] == [True, True]
    build_desk(db=tmp_path / "desk.db", replace=True).close()


def test_a_store_given_open_stays_open_when_the_desk_is_not_built(tmp_path):
    build_desk(db=tmp_path / "desk.db").close()
    with BarbaraDB.open("desk;default", path=tmp_path / "desk.db") as store:
        with pytest.raises(DeskError, match="replace"):
            build_desk(db=store)
        assert not store.closed


@pytest.mark.parametrize("db", [3, b"desk.db", object()])
def test_what_is_no_store_is_refused(db):
    with pytest.raises(DeskError, match=r"is not a store; give the path of its file, such as 'desk.db'"):
        build_desk(db=db)


def test_a_directory_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match="nowhere"):
        build_desk(db=tmp_path / "nowhere" / "desk.db")


def test_a_desk_rolls_to_iso_text():
    with build_desk(seed=1) as desk:
        to = desk.clock.date + dt.timedelta(days=2)
        desk.roll(to.isoformat())
        assert desk.clock.date == to
        desk.roll(dt.datetime(to.year, to.month, to.day, 18, tzinfo=dt.UTC) + dt.timedelta(days=1))
        assert desk.clock.date == to + dt.timedelta(days=1)
        for bad in ("10/01/2026", "tomorrow", 20260110, None, 1.5):
            with pytest.raises(
                DeskError, match=r"is not a date; give a datetime.date or ISO text such as '2026-01-10'"
            ):
                desk.roll(bad)
        with pytest.raises(DomainError, match="cannot roll back to 2000-01-01"):
            desk.roll("2000-01-01")


def test_a_path_in_the_place_of_the_rings_is_asked_about(tmp_path):
    for given in (
        "desk.db",
        tmp_path / "desk.db",
        str(tmp_path / "x"),
        "DESK.SQLITE",
        "a.sqlite3",
        "sub\\desk",
        ":memory:",
    ):
        with pytest.raises(StoreArgumentError, match=r'did you mean BarbaraDB\.open\("desk;default", path='):
            BarbaraDB.open(given)
    assert BarbaraDB.open("desk.v2;default", path=":memory:").rings == ("desk.v2", "default")

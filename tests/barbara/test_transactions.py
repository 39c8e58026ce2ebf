"""Transactions: atomicity, nesting, compare-and-set, and notifications."""

from __future__ import annotations

import logging
import math
import threading

import pytest

from bank_python.barbara import MISSING, BarbaraDB, Change
from bank_python.errors import ConflictError, MissingKeyError, StoreError, UnstorableError


def test_a_transaction_that_raises_leaves_nothing(db):
    db["/x"] = 1
    with pytest.raises(ZeroDivisionError), db.transaction():  # noqa: PT012  (the whole block is undone)
        db["/x"] = 2
        db["/y"] = 3
        del db["/x"]
        assert db.keys() == ["/y"]
        raise ZeroDivisionError
    assert db.items() == [("/x", 1)]
    assert len(db.history("/x")) == 1
    db["/x"] = 4
    assert db.version("/x").number == 2


def test_inner_transactions_undo_only_themselves(db):
    with db.transaction():
        db["/outer"] = 1
        with pytest.raises(ZeroDivisionError), db.transaction():  # noqa: PT012  (the whole block is undone)
            db["/inner"] = 1
            with db.transaction():
                db["/innermost"] = 1
            raise ZeroDivisionError
        with db.transaction():
            db["/second"] = 1
        assert db.keys() == ["/outer", "/second"]
    assert db.keys() == ["/outer", "/second"]
    assert db._session().rows("SELECT count(*) FROM transactions") == [(1,)]


def test_an_outer_failure_undoes_finished_inner_ones(db):
    with pytest.raises(ZeroDivisionError), db.transaction():  # noqa: PT012  (the whole block is undone)
        with db.transaction():
            db["/inner"] = 1
        raise ZeroDivisionError
    assert len(db) == 0


def test_a_refused_write_inside_leaves_the_transaction_usable(db):
    with db.transaction():
        db["/x"] = 1
        with pytest.raises(UnstorableError):
            db["/y"] = object()
        with pytest.raises(MissingKeyError):
            del db["/y"]
        db["/z"] = 2
    assert db.keys() == ["/x", "/z"]


def test_update_is_all_or_nothing(db):
    with pytest.raises(UnstorableError):
        db.update({"/a": 1, "/b": object()})
    assert len(db) == 0


def test_empty_transactions_leave_no_trace(db):
    with db.transaction():
        assert "/x" not in db
    assert db._session().rows("SELECT count(*) FROM transactions") == [(0,)]


def test_closing_inside_a_transaction_is_refused(db):
    with db.transaction():
        db["/x"] = 1
        with pytest.raises(StoreError, match="inside a transaction"):
            db.close()
        with pytest.raises(StoreError, match="outside transactions"):
            db.poll_changes()
    assert db["/x"] == 1


# --- compare and set ---------------------------------------------------------------------------


def test_compare_and_set(db):
    db.compare_and_set("/x", MISSING, 1)
    with pytest.raises(ConflictError, match="'/x' has another value") as caught:
        db.compare_and_set("/x", MISSING, 2)
    assert caught.value.key == "/x"
    db.compare_and_set("/x", 1, 2)
    with pytest.raises(ConflictError):
        db.compare_and_set("/x", 1, 3)
    with pytest.raises(ConflictError, match="is missing"):
        db.compare_and_set("/y", 1, 3)
    assert db.items() == [("/x", 2)]
    assert len(db.history("/x")) == 2


@pytest.mark.parametrize("other", [1.0, True, "1", [1], None])
def test_comparison_is_exact_in_type(db, other):
    db["/x"] = 1
    with pytest.raises(ConflictError):
        db.compare_and_set("/x", other, 2)


@pytest.mark.parametrize("value", [math.nan, {b"b", b"a"}, {"a": (1, 2)}, None])
def test_equal_values_compare_equal(db, value):
    db["/x"] = value
    db.compare_and_set("/x", value, "new")
    assert db["/x"] == "new"


def test_comparison_sees_through_the_rings(path):
    with BarbaraDB.open("desk;default", path) as desk, BarbaraDB.open("default", path) as default:
        default["/x"] = 1
        desk.compare_and_set("/x", 1, 2)
        assert (desk["/x"], default["/x"]) == (2, 1)


def test_objects_are_compared_by_their_records(db, quote, contract):
    db["/Instruments/A"] = contract("A", rate=quote("SOFR", 0.05))
    db.compare_and_set("/Instruments/A", contract("A", rate=quote("SOFR", 0.07)), contract("A", face=1))
    assert db["/Instruments/A"].terms == {"face": 1}


# --- notifications -----------------------------------------------------------------------------


def test_subscribers_are_notified_after_the_commit(db):
    seen = []
    subscription = db.subscribe("/Market/", seen.append)
    with db.transaction():
        db["/Market/SOFR"] = 0.05
        db["/Config/x"] = 1
        db["/Market/SPOT"] = 1.0
        assert not seen
    del db["/Market/SOFR"]
    assert seen == [
        Change("/Market/SOFR", "desk", 1, deleted=False, sequence=1),
        Change("/Market/SPOT", "desk", 1, deleted=False, sequence=3),
        Change("/Market/SOFR", "desk", 2, deleted=True, sequence=4),
    ]
    subscription.cancel()
    subscription.cancel()
    assert not subscription.active
    db["/Market/SOFR"] = 1
    assert len(seen) == 3


def test_a_subscription_can_still_be_notified_by_the_old_name(db):
    seen = []
    subscription = db.subscribe("/Market/", seen.append)
    change = Change("/Market/SOFR", "desk", 1, deleted=False, sequence=1)
    with pytest.warns(DeprecationWarning, match="tell is now called notify"):
        subscription.tell(change)
    assert seen == [change]


def test_undone_changes_are_not_notified(db):
    seen = []
    db.subscribe("", seen.append)
    with db.transaction():
        with pytest.raises(ZeroDivisionError), db.transaction():  # noqa: PT012  (the whole block is undone)
            db["/undone"] = 1
            raise ZeroDivisionError
        db["/done"] = 1
    with pytest.raises(ZeroDivisionError), db.transaction():  # noqa: PT012  (the whole block is undone)
        db["/undone"] = 1
        raise ZeroDivisionError
    db["/later"] = 1
    assert [change.key for change in seen] == ["/done", "/later"]


def test_a_failing_subscriber_is_logged_counted_and_spares_the_others(db, caplog):
    seen = []

    def fails(change):
        raise ZeroDivisionError(change.key)

    failing = db.subscribe("", fails)
    db.subscribe("", seen.append)
    with caplog.at_level(logging.ERROR, "bank_python.barbara"):
        db["/x"] = 1
        db["/y"] = 1
    assert failing.failures == 2
    assert failing.active
    assert "failures=2" in repr(failing)
    assert len(caplog.records) == 2
    assert [change.key for change in seen] == ["/x", "/y"]


def test_a_subscriber_may_write_and_all_hear_in_order(db):
    seen = []

    def reacts(change):
        if change.key == "/x":
            db["/y"] = 2

    db.subscribe("", reacts)
    db.subscribe("", lambda change: seen.append(change.key))
    db["/x"] = 1
    assert seen == ["/x", "/y"]


def test_polling_tells_what_others_changed(path):
    with BarbaraDB.open("desk;default", path) as ours, BarbaraDB.open("default", path) as theirs:
        seen = []
        ours.subscribe("", seen.append)
        ours["/mine"] = 1
        theirs["/theirs"] = 2
        theirs["/theirs"] = 3
        with BarbaraDB.open("elsewhere", path) as elsewhere:
            elsewhere["/x"] = 1
        del theirs["/theirs"]
        changes = ours.poll_changes()
        assert [(c.key, c.ring, c.number, c.deleted) for c in changes] == [
            ("/theirs", "default", 1, False),
            ("/theirs", "default", 2, False),
            ("/theirs", "default", 3, True),
        ]
        assert [change.key for change in seen] == ["/mine", "/theirs", "/theirs", "/theirs"]
        assert ours.poll_changes() == ()
        assert [change.key for change in theirs.poll_changes()] == []


def test_polling_starts_at_opening(path):
    with BarbaraDB.open("desk", path) as first:
        first["/x"] = 1
        with BarbaraDB.open("desk", path) as second:
            assert second.poll_changes() == ()
            first["/x"] = 2
            assert [change.number for change in second.poll_changes()] == [2]


# --- threads -----------------------------------------------------------------------------------


def in_threads(count, work):
    errors = []

    def run(place):
        try:
            work(place)
        except BaseException as error:  # noqa: BLE001  (raised again by the test)
            errors.append(error)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


@pytest.fixture(params=["memory", "file"])
def shared(request, path):
    with BarbaraDB.open("desk;default", ":memory:" if request.param == "memory" else path) as db:
        yield db


def test_threads_lose_no_update(shared):
    shared["/count"] = 0

    def increments(_):
        for _ in range(25):
            while True:
                held = shared["/count"]
                try:
                    shared.compare_and_set("/count", held, held + 1)
                except ConflictError:
                    continue
                break

    in_threads(4, increments)
    assert shared["/count"] == 100
    assert len(shared.history("/count")) == 101


def test_a_transaction_reads_what_it_then_writes(shared):
    shared["/count"] = 0

    def increments(_):
        for _ in range(25):
            with shared.transaction():
                shared["/count"] += 1

    in_threads(4, increments)
    assert shared["/count"] == 100


def test_readers_see_whole_transactions(shared):
    shared.update({"/a": 0, "/b": 0})
    torn = []
    done = threading.Event()

    def work(place):
        if place == 0:
            for value in range(60):
                with shared.transaction():
                    shared["/a"] = value
                    shared["/b"] = value
            done.set()
            return
        while not done.is_set():
            both = shared.load_many(["/a", "/b"])
            torn.extend([both] if both["/a"] != both["/b"] else [])

    in_threads(3, work)
    assert torn == []


def test_over_a_file_readers_do_not_wait_for_a_transaction(path):
    with BarbaraDB.open("desk", path, timeout=0) as db:
        db["/x"] = 1
        seen = []
        with db.transaction():
            db["/x"] = 2
            in_threads(1, lambda _: seen.append(db["/x"]))
        assert seen == [1]
        assert db["/x"] == 2


def test_a_second_writer_that_may_not_wait_gets_an_error(path):
    with BarbaraDB.open("desk", path, timeout=0) as one, BarbaraDB.open("desk", path, timeout=0) as two:
        with one.transaction():
            one["/x"] = 1
            with pytest.raises(StoreError, match="is writing"):
                two["/x"] = 2
        two["/y"] = 2
        assert one.items() == [("/x", 1), ("/y", 2)]


def test_connections_of_finished_threads_are_closed(path):
    with BarbaraDB.open("desk", path) as db:
        for _ in range(10):
            in_threads(1, lambda place: db.__setitem__(f"/{place}", place))
        assert len(db._sessions._opened) <= 2


def test_closing_waits_for_the_other_threads_transaction(shared):
    inside, closing = threading.Event(), threading.Event()

    def work(place):
        if place == 0:
            with shared.transaction():
                shared["/x"] = 1
                inside.set()
                assert closing.wait(10)
                shared["/y"] = 2
        else:
            assert inside.wait(10)
            closing.set()
            shared.close()

    in_threads(2, work)
    assert shared.closed

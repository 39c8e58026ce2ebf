"""Versions, the past, pruning: against a recorded history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.errors import MissingKeyError, StoreArgumentError, StoreError


def test_every_version_is_kept(db, clock):
    start = clock.time
    db["/x"] = 1
    clock.step()
    db["/x"] = 2
    clock.step()
    del db["/x"]
    history = db.history("/x")
    assert [(v.number, v.deleted, v.hidden, v.ring) for v in history] == [
        (1, False, False, "desk"),
        (2, False, False, "desk"),
        (3, True, False, "desk"),
    ]
    assert [(v.stored_at - start).total_seconds() for v in history] == [0, 1, 2]
    assert [db.read_version(v) for v in history[:2]] == [1, 2]
    with pytest.raises(MissingKeyError, match="has no value"):
        db.read_version(history[2])
    assert db.history("/never") == ()


def test_a_view_of_the_past_says_up_to_which_transaction(db, clock):
    assert db.as_of(clock.time - timedelta(days=1)).last_transaction == 0
    db["/x"] = 1
    first = db.as_of(clock.time).last_transaction
    clock.step()
    with db.transaction():
        db["/x"], db["/y"] = 2, 3
    assert db.as_of(clock.time).last_transaction == first + 1


def test_the_past_is_a_read_only_mapping(db, clock, quote, contract):
    sofr = quote("SOFR", 0.05)
    db["/Instruments/B"] = contract("B", rate=sofr)
    then = clock.time
    clock.step()
    sofr.price = 0.07
    db["/Market/SOFR"] = sofr
    db["/Config/x"] = 1
    past = db.as_of(then)

    assert past["/Instruments/B"].terms["rate"].price == 0.05
    assert db["/Instruments/B"].terms["rate"].price == 0.07
    assert past.keys() == ["/Instruments/B", "/Market/SOFR"]
    assert len(past) == 2
    assert "/Config/x" not in past
    assert past.get("/Config/x", "none") == "none"
    assert [key for key, _ in past.items("/Market/")] == ["/Market/SOFR"]
    assert len(past.history("/Market/SOFR")) == 1
    assert past.version("/Market/SOFR").number == 1
    assert past.rings == db.rings
    assert past.time == then
    assert "as of 2026-01-05T09:00:00+00:00" in repr(past)
    assert db.get_as_of("/Market/SOFR", then).price == 0.05
    with pytest.raises(TypeError):
        past["/x"] = 1


def test_nothing_was_there_before_the_first_write(db, clock):
    db["/x"] = 1
    assert len(db.as_of(clock.time - timedelta(microseconds=1))) == 0
    with pytest.raises(MissingKeyError):
        db.get_as_of("/x", clock.time - timedelta(days=1))


def test_a_view_is_pinned(db, clock):
    db["/x"] = 1
    past = db.as_of(clock.time + timedelta(days=1))
    db["/x"] = 2
    assert past["/x"] == 1


def test_writes_at_one_clock_reading_stay_ordered(db, clock):
    for value in range(5):
        db["/x"] = value
    assert db.get_as_of("/x", clock.time) == 4
    history = db.history("/x")
    assert len({v.stored_at for v in history}) == 1
    assert [db.read_version(v) for v in history] == [0, 1, 2, 3, 4]
    assert [v.sequence for v in history] == sorted({v.sequence for v in history})


def test_a_clock_that_steps_back_does_not_rewrite_the_past(db, clock):
    db["/x"] = 1
    stamp = clock.time
    clock.step(-3600)
    db["/x"] = 2
    assert db.version("/x").stored_at == stamp
    assert len(db.as_of(stamp - timedelta(seconds=1))) == 0
    assert db.get_as_of("/x", stamp) == 2


def test_a_transaction_has_one_stamp_given_at_its_end(db, clock):
    with db.transaction():
        db["/x"] = 1
        assert db.version("/x").stored_at is None
        clock.step()
        db["/y"] = 2
        clock.step()
    assert db.version("/x").stored_at == db.version("/y").stored_at == clock.time


def test_times_without_a_zone_are_refused(db):
    for use in (db.as_of, db.prune, lambda time: db.get_as_of("/x", time)):
        with pytest.raises(StoreArgumentError, match="timezone-aware"):
            use(datetime(2026, 1, 1))  # noqa: DTZ001  (naive on purpose)


def test_a_clock_without_a_zone_undoes_the_write():
    with BarbaraDB.open("desk", ":memory:", clock=lambda: datetime(2026, 1, 1)) as db:  # noqa: DTZ001  (naive on purpose)
        with pytest.raises(StoreArgumentError):
            db["/x"] = 1
        assert len(db) == 0


def test_a_tombstone_in_the_past_hides_in_the_past(path, clock):
    with BarbaraDB.open("desk;default", path, clock=clock) as db, BarbaraDB.open("default", path, clock=clock) as low:
        low["/x"] = 1
        first = clock.time
        clock.step()
        db.delete("/x", hide=True)
        second = clock.time
        clock.step()
        db.unhide("/x")
        assert [("/x" in db.as_of(t)) for t in (first, second, clock.time)] == [True, False, True]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["w", "d", "tick", "two"]), st.sampled_from(["/a", "/b"]), st.integers(0, 9)),
        max_size=25,
    )
)
def test_as_of_agrees_with_a_recorded_history(steps):
    now = [datetime(2026, 1, 5, tzinfo=UTC)]
    with BarbaraDB.open("desk", ":memory:", clock=lambda: now[0]) as db:
        model = {}
        recorded = {}
        for action, key, value in steps:
            if action == "tick":
                now[0] += timedelta(microseconds=value)
            elif action == "two":
                db.update({key: value, "/c": value})
                model |= {key: value, "/c": value}
            elif action == "w":
                db[key] = value
                model[key] = value
            elif key in model:
                del db[key]
                del model[key]
            recorded[now[0]] = dict(model)
        for time, expected in recorded.items():
            assert dict(db.as_of(time).items()) == expected
            assert len(db.as_of(time)) == len(expected)


def test_pruning_drops_what_was_replaced_and_no_more(db, clock):
    for value in range(4):
        db["/x"] = value
        db["/y" + str(value)] = value
        clock.step()
    horizon = clock.time - timedelta(seconds=2)  # the third write, value 2
    assert db.prune(horizon) == 2
    assert [db.read_version(v) for v in db.history("/x")] == [2, 3]
    assert db.get_as_of("/x", horizon) == 2
    assert db["/x"] == 3
    assert len(db) == 5
    old = db.history("/x")[0]
    assert old.number == 3
    with pytest.raises(StoreError, match="pruned"):
        db.as_of(horizon - timedelta(seconds=1))
    assert db.prune(horizon) == 0
    db["/x"] = 9
    assert db.version("/x").number == 5


def test_a_view_older_than_a_later_pruning_says_so(db, clock):
    db["/x"] = 1
    past = db.as_of(clock.time)
    clock.step()
    db["/x"] = 2
    db.prune(clock.time)
    with pytest.raises(StoreError, match="pruned"):
        past["/x"]

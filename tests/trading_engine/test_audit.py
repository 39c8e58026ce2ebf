"""The audit trail: any change of a stored event is found, and named."""

from __future__ import annotations

import datetime as dt
import hashlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.errors import TradingError
from bank_python.trading_engine.audit import AuditTrail

NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)


def written(count=6, barbara=None):
    trail = AuditTrail(barbara, clock=lambda: NOON + dt.timedelta(seconds=len(trail)))
    for i in range(count):
        kind = ("ORDER_SUBMIT", "FILL", "REJECT")[i % 3]
        trail.log(kind, ("Alice", "Bob")[i % 2], "AAPL", {"quantity": 10.0 * i}, f"ORD-{i}", why=f"reason {i}")
    return trail


def changed(trail, number, **fields):
    """Change an event behind the trail's back, as a stranger with the file could."""
    rows = [dict(row) for row in trail.table.order_by("number")]
    rows[number - 1] |= fields
    trail.table.clear()
    trail.table.extend(rows)
    return trail


def test_an_untouched_trail_holds_and_its_events_are_in_order():
    trail = written()
    assert trail.verify().holds
    assert [event.number for event in trail] == [1, 2, 3, 4, 5, 6]
    assert next(iter(trail)).figures == {"quantity": 0.0}
    assert len(trail) == 6


@pytest.mark.parametrize(
    "fields",
    [
        {"details": '{"quantity": 11.0}'},
        {"trader": "Nero"},
        {"timestamp": NOON - dt.timedelta(days=1)},
        {"why": "reason 2 "},
        {"hash": "0" * 64},
        {"previous": "0" * 64},
    ],
)
def test_a_changed_field_is_found_and_its_event_named(fields):
    check = changed(written(), 3, **fields).verify()
    assert (check.holds, check.first_bad) == (False, 3)
    assert check.reason


@settings(max_examples=40, deadline=None)
@given(number=st.integers(1, 6), at=st.integers(0, 15), bit=st.integers(0, 6))
def test_a_flipped_bit_is_found(number, at, bit):
    trail = written()
    text = list(trail.table.order_by("number"))[number - 1]["details"]
    at %= len(text)
    flipped = text[:at] + chr(ord(text[at]) ^ (1 << bit)) + text[at + 1 :]
    assert changed(trail, number, details=flipped).verify().first_bad == number


def test_a_removed_a_repeated_and_an_exchanged_event_are_found():
    def rows(trail):
        return [dict(row) for row in trail.table.order_by("number")]

    for change, bad in (
        (lambda all_: all_[:2] + all_[3:], 3),
        (lambda all_: all_[:-1], 6),
        (lambda all_: all_[:3] + all_[2:], 4),
        (lambda all_: [{**row, "number": i} for i, row in enumerate([all_[1], all_[0], *all_[2:]], 1)], 1),
    ):
        trail = written()
        kept = change(rows(trail))
        trail.table.clear()
        trail.table.extend(kept)
        check = trail.verify()
        assert (check.holds, check.first_bad) == (False, bad)


def test_a_chain_that_is_hashed_again_from_a_change_on_is_found_by_the_end_kept_apart():
    trail = written()
    other = written(5)
    other.log("REJECT", "Bob", "AAPL", {"quantity": 51.0}, "ORD-5", why="reason 5")
    rows = [dict(row) for row in other.table.order_by("number")]
    trail.table.clear()
    trail.table.extend(rows)
    assert not trail.verify().holds


def test_a_table_that_differs_from_what_was_logged_is_found_whatever_its_hashes():
    trail, other = written(), written(5)
    other.log("REJECT", "Bob", "AAPL", {"quantity": 51.0}, "ORD-5", why="reason 5")
    trail.table.delete(number=6)
    trail.table.extend([dict(row) for row in other.table if row["number"] == 6])
    assert (trail.verify().holds, trail.verify().first_bad) == (False, 6)
    trail.table.append(next(dict(row) for row in other.table if row["number"] == 6) | {"number": 7})
    assert not trail.verify().holds


def test_the_table_has_what_was_logged_since_it_was_read_last():
    trail = written(2)
    assert len(trail.table) == 2
    with trail.together():
        trail.log("FILL", "Zoë", "AAPL", {"price": math.nan, "at": NOON}, why="naïve")
        assert (len(trail), len(trail.table), trail.verify().events) == (3, 2, 2)
    assert [row["trader"] for row in trail.table.order_by("number")] == ["Alice", "Bob", "Zoë"]
    assert trail.verify().holds
    assert list(trail)[2].figures == {"price": None, "at": NOON.isoformat()}


def test_the_hash_of_an_event_is_that_of_its_fields_with_their_lengths_in_bytes():
    event = AuditTrail(clock=lambda: NOON).log("FILL", "Zoë", details={"price": 1.5})
    fields = {
        "number": "1",
        "event_id": "EVT-000001",
        "timestamp": "2026-01-05T12:00:00+00:00",
        "event_type": "FILL",
        "trader": "Zoë",
        "instrument": "",
        "details": '{"price": 1.5}',
        "order_id": "",
        "why": "",
        "previous": "0" * 64,
    }
    text = "".join(f"{name}:{len(value.encode())}:{value}" for name, value in fields.items())
    assert event.hash == hashlib.sha256(text.encode()).hexdigest()


def test_a_stored_event_of_another_form_is_refused(tmp_path):
    with BarbaraDB.open("audit", path=tmp_path / "audit.db") as db:
        written(2, db)
        key = next(key for key in db.keys("/Trading/audit/") if key.endswith("EVT-000002"))
        db[key] = {**db[key], "number": "2"}
        with pytest.raises(TradingError, match="EVT-000002 has not the fields of an event"):
            AuditTrail(db)


def test_a_stored_trail_goes_on_where_it_ended_and_a_broken_one_is_refused(tmp_path):
    with BarbaraDB.open("audit", path=tmp_path / "audit.db") as db:
        written(4, db)
        again = AuditTrail(db)
        assert len(again) == 4
        assert again.log("FILL", "Alice", "KO").number == 5
        key = next(key for key in db.keys("/Trading/audit/") if key.endswith("EVT-000002"))
        db[key] = {**db[key], "details": '{"quantity": 1e9}'}
        with pytest.raises(TradingError, match="broken at event 2"):
            AuditTrail(db)


def test_two_writers_of_one_trail_are_refused(tmp_path):
    with BarbaraDB.open("audit", path=tmp_path / "audit.db") as db:
        first, second = AuditTrail(db), AuditTrail(db)
        first.log("FILL", "Alice", "KO")
        with pytest.raises(TradingError, match="another writer"):
            second.log("FILL", "Bob", "KO")
        assert (len(first), len(second), len(list(db.keys("/Trading/audit/")))) == (1, 0, 1)


def test_queries_filter_by_trader_kind_and_time():
    trail = written()
    assert [row["order_id"] for row in trail.query(trader="Alice")] == ["ORD-0", "ORD-2", "ORD-4"]
    assert [row["order_id"] for row in trail.query("Bob", "FILL")] == ["ORD-1"]
    assert [row["number"] for row in trail.query(since=NOON + dt.timedelta(seconds=4))] == [5, 6]


def test_what_cannot_be_written_is_refused_and_appends_nothing():
    trail = written(1)
    with pytest.raises(TradingError, match="needs a type"):
        trail.log("")
    for details in ({"price": object()}, {"fill": {1: 2.0}}, {"fills": [{1: 2.0}]}):
        with pytest.raises(TradingError, match="have no JSON"):
            trail.log("FILL", details=details)
    assert len(trail) == 1
    assert trail.verify().holds


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("/Trading/audit/x", "hello"),
        ("/Trading/audit/x", {"number": "one"}),
        ("/Trading/audit/x", {"number": 2}),
        ("/Trading/audit_head", "the head"),
        ("/Trading/audit_head", {"count": None, "hash": None}),
    ],
)
def test_what_is_no_event_in_the_store_is_refused_with_the_remedy(key, value, tmp_path):
    with BarbaraDB.open("trading", path=tmp_path / "trading.db") as db:
        written(2, db)
        db[key] = value
        with pytest.raises(TradingError, match="nothing else belongs under /Trading/audit/"):
            AuditTrail(db)


def test_a_second_writer_is_refused_and_neither_trail_is_harmed(tmp_path):
    with BarbaraDB.open("trading", path=tmp_path / "trading.db") as db:
        first, second = written(0, db), AuditTrail(db)
        first.log("SIGNAL")
        with pytest.raises(TradingError, match="another writer"):
            second.log("SIGNAL")
        assert (len(first), len(second), len(AuditTrail(db))) == (1, 0, 1)
        assert first.verify().holds
        assert second.verify().holds


def test_half_of_a_pair_of_surrogates_is_no_text():
    trail = written(1)
    with pytest.raises(TradingError, match="no text in UTF-8"):
        trail.log("SIGNAL", why="\ud800")
    assert (len(trail), trail.verify().holds) == (1, True)


def test_a_block_sees_and_verifies_what_is_kept():
    trail = written(2)
    with trail.together():
        trail.log("SIGNAL")
        assert (len(trail), trail.verify()) == (3, AuditTrail.verify(written(2)))
    assert trail.verify().events == 3

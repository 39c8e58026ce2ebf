"""Properties of overlaid rings, against a model of dictionaries."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bank_python.barbara import BarbaraDB
from bank_python.errors import MissingKeyError

KEYS = st.sampled_from(["/a", "/a/b", "/b", "/b/c", "/bc", "z"])
VALUES = st.integers(0, 3) | st.none() | st.text(max_size=2)
HIDDEN = object()


@pytest.fixture
def three(path):
    with (
        BarbaraDB.open("desk;team;default", path) as desk,
        BarbaraDB.open("team", path) as team,
        BarbaraDB.open("default", path) as default,
    ):
        yield desk, team, default


def test_reads_fall_through_and_writes_go_to_the_first(three):
    desk, team, default = three
    default["/x"] = "default"
    assert desk["/x"] == "default"
    team["/x"] = "team"
    assert desk["/x"] == "team"
    desk["/x"] = "desk"
    assert (desk["/x"], team["/x"], default["/x"]) == ("desk", "team", "default")
    assert desk.version("/x").ring == "desk"


def test_deleting_lets_the_lower_ring_shine_through(three):
    desk, _, default = three
    default["/x"] = 1
    desk["/x"] = 2
    del desk["/x"]
    assert desk["/x"] == 1
    with pytest.raises(MissingKeyError, match="in the lower ring"):
        del desk["/x"]
    assert default["/x"] == 1


def test_hiding_covers_lower_rings_until_taken_away(three):
    desk, _, default = three
    default["/x"] = 1
    desk.delete("/x", hide=True)
    assert "/x" not in desk
    assert desk.keys() == []
    assert len(desk) == 0
    assert default["/x"] == 1
    with pytest.raises(MissingKeyError):
        desk.delete("/x", hide=True)
    with pytest.raises(MissingKeyError):
        del desk["/x"]
    desk.unhide("/x")
    assert desk["/x"] == 1
    with pytest.raises(MissingKeyError):
        desk.unhide("/x")


def test_writing_over_a_tombstone_ends_it(three):
    desk, _, default = three
    default["/x"] = 1
    desk.delete("/x", hide=True)
    desk["/x"] = 3
    assert desk["/x"] == 3
    del desk["/x"]
    assert desk["/x"] == 1


class RingMachine(RuleBasedStateMachine):
    """Random writes and deletions through differently overlaid rings of one store."""

    @initialize()
    def open(self):
        self.base = BarbaraDB.open("desk;team;default", ":memory:")
        self.stores = {"desk": self.base}
        for rings in ("team;default", "default"):
            # Other overlays of the same memory: they share its sessions.
            names = tuple(rings.split(";"))
            self.stores[names[0]] = BarbaraDB(self.base._sessions, names, allow_pickle=False, clock=self.base._clock)
        self.model = {"desk": {}, "team": {}, "default": {}}

    def teardown(self):
        if hasattr(self, "base"):
            self.base.close()

    def visible(self, first):
        merged = {}
        for ring in reversed(self.stores[first].rings):
            merged.update(self.model[ring])
        return {key: value for key, value in merged.items() if value is not HIDDEN}

    rings = st.sampled_from(["desk", "team", "default"])

    @rule(ring=rings, key=KEYS, value=VALUES)
    def write(self, ring, key, value):
        self.stores[ring][key] = value
        self.model[ring][key] = value

    @rule(ring=rings, key=KEYS)
    def delete(self, ring, key):
        if self.model[ring].get(key, HIDDEN) is HIDDEN:
            with pytest.raises(MissingKeyError):
                del self.stores[ring][key]
        else:
            del self.stores[ring][key]
            del self.model[ring][key]

    @rule(ring=rings, key=KEYS)
    def hide(self, ring, key):
        if key in self.visible(ring):
            self.stores[ring].delete(key, hide=True)
            self.model[ring][key] = HIDDEN
        else:
            with pytest.raises(MissingKeyError):
                self.stores[ring].delete(key, hide=True)

    @precondition(lambda self: any(HIDDEN in ring.values() for ring in self.model.values()))
    @rule(data=st.data())
    def unhide(self, data):
        hidden = [(ring, key) for ring, held in self.model.items() for key, v in held.items() if v is HIDDEN]
        ring, key = data.draw(st.sampled_from(hidden))
        self.stores[ring].unhide(key)
        del self.model[ring][key]

    @rule(ring=rings, key=KEYS, value=VALUES)
    def undone_transaction(self, ring, key, value):
        store = self.stores[ring]
        with pytest.raises(ZeroDivisionError), store.transaction():  # noqa: PT012  (the whole block is undone)
            store[key] = value
            store.delete(key, hide=True)
            raise ZeroDivisionError

    @invariant()
    def reads_agree_with_the_model(self):
        if not hasattr(self, "base"):
            return
        for first, store in self.stores.items():
            expected = self.visible(first)
            assert dict(store.items()) == expected
            assert store.keys() == sorted(expected)
            assert store.keys("/b") == sorted(key for key in expected if key.startswith("/b"))
            assert len(store) == len(expected)
            for key in ("/a", "/b", "z"):
                assert (key in store) == (key in expected)
                assert store.get(key, HIDDEN) == expected.get(key, HIDDEN)


RingMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestRingLaws = RingMachine.TestCase
